//! The program that the demo's policy names as its remedy (`hale demo-remedy`): runs on the healer, asks the demo over a socket.
//!
//! It is what an operator's own script would be: the case comes in the environment, the answer goes out as an exit code
//! (0 done, 75 refused with nothing begun, else unknown; under `--inspect` 1 says not done).
//! Not here: doing anything (see `starter`).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::journal::Errand;
use super::starter::{Answer, Ask, LINE_BYTES_MAX};

/// sysexits EX_TEMPFAIL: nothing was begun.
pub const EXIT_REFUSED: u8 = 75;

/// Neither done nor surely not done.
pub const EXIT_UNKNOWN: u8 = 2;

/// Of an inspection: not done.
const EXIT_NOT_DONE: u8 = 1;

/// Longer than any start takes, shorter than the policy's time limit: the guard need not step in.
const ANSWERED_WITHIN: Duration = Duration::from_secs(12);

/// Which of its two errands the program is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errands {
    /// Have the agent started.
    Start,
    /// Ask whether that was done.
    Inspect,
}

/// Asks the demo and says how it went: exit code and one line.
pub fn run(socket: &Path, errands: Errands) -> (u8, String) {
    match errand(|key| std::env::var(key).ok()) {
        Ok(errand) => ask(socket, errands, errand),
        Err(why) => (EXIT_REFUSED, why),
    }
}

/// The case as the environment tells it.
fn errand(variable: impl Fn(&str) -> Option<String>) -> Result<Errand, String> {
    let text = |key: &str| variable(key).ok_or_else(|| format!("{key} is not set"));
    let number = |key: &str| {
        let given = text(key)?;
        let fault = |_| format!("{key} is {given:?}, expected a number");
        given.parse().map_err(fault)
    };
    Ok(Errand {
        case: number("HALE_CASE")?,
        subject: text("HALE_SUBJECT")?,
        verdict: text("HALE_VERDICT")?,
        fence: number("HALE_FENCE")?,
        remedy: number("HALE_REMEDY_ID")?,
    })
}

/// Asks with an errand that is known already.
pub(super) fn ask(socket: &Path, errands: Errands, errand: Errand) -> (u8, String) {
    let stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(why) => return (EXIT_REFUSED, format!("{}: {why}", socket.display())),
    };
    let ask = match errands {
        Errands::Start => Ask::Start(errand),
        Errands::Inspect => Ask::Inspect(errand),
    };
    match answered(stream, &ask) {
        Ok(Answer::Done(said)) => (0, said),
        Ok(Answer::Refused(why)) if errands == Errands::Start => (EXIT_REFUSED, why),
        Ok(Answer::Refused(why)) => (EXIT_NOT_DONE, why),
        Ok(Answer::Unknown(why)) => (EXIT_UNKNOWN, why),
        Err(why) => (EXIT_UNKNOWN, why.to_string()),
    }
}

fn answered(mut stream: UnixStream, ask: &Ask) -> io::Result<Answer> {
    stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
    let mut line = serde_json::to_vec(ask)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_is_read_from_the_environment_or_the_missing_word_is_named() {
        let told = |key: &str| {
            let value = match key {
                "HALE_CASE" => "42",
                "HALE_SUBJECT" => "a1",
                "HALE_VERDICT" => "AgentDown",
                "HALE_FENCE" => "7",
                "HALE_REMEDY_ID" => "3",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let read = errand(told).expect("whole");
        assert_eq!((read.case, read.fence, read.remedy), (42, 7, 3));
        let without = errand(|key| told(key).filter(|_| key != "HALE_FENCE"));
        assert_eq!(without, Err("HALE_FENCE is not set".into()));
        let wrong = errand(|key| told(key).map(|_| "x".into()));
        assert_eq!(wrong, Err("HALE_CASE is \"x\", expected a number".into()));
    }
}
