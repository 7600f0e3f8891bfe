//! The swarm at the command line: many seeds, or one of them again.
//!
//! `cargo run --profile fleet -p hale-test-swarm -- --seeds 20000` plays seeds 1 to 20,000 and says which break a law; the first of
//! them is made small and printed as a script. `--first N` begins elsewhere, `--insiders` has hosts lie, `--threads N` takes so many
//! processors, `--shrink no` leaves the first red plan as it was drawn, `--until-red` begins no other once one is red.
//! `replay SEED` or `replay FILE` plays one again and tells each step and what it changed; `--from 12s` begins there, `--until case:3`
//! or `--until 40s` stops there; `script SEED` prints the script alone, `kinds` how many of the seeds' plans hold
//! each kind of thing that can be done to a fleet.

use std::ops::{ControlFlow, Range};
use std::process::ExitCode;

use simulator::script::Script;
use swarm::fleets::drawing::{Mode, drawn};
use swarm::fleets::kinds::counted;
use swarm::fleets::many::play_many;
use swarm::fleets::plan::Plan;
use swarm::fleets::replay::{Until, Window, replay};
use swarm::fleets::shrinking::shrunk;
use vocabulary::{CaseId, Span};

/// As many as the tests play of each mode where nothing else is asked for.
const SEEDS: u64 = 300;

/// What was asked for.
struct Wanted {
    verb: Verb,
    mode: Mode,
    first: u64,
    seeds: u64,
    threads: usize,
    is_shrunk: bool,
    is_until_red: bool,
    window: Window,
}

enum Verb {
    Many,
    Replay(String),
    Script(String),
    Kinds,
}

impl Wanted {
    fn seeds(&self) -> Range<u64> {
        self.first..self.first.saturating_add(self.seeds)
    }
}

fn main() -> ExitCode {
    let done = read(std::env::args().skip(1)).and_then(|wanted| match &wanted.verb {
        Verb::Many => many(&wanted),
        Verb::Replay(what) => again(what, &wanted),
        Verb::Kinds => {
            for (kind, count) in counted(wanted.seeds(), wanted.mode) {
                println!("{count:6} {kind}");
            }
            Ok(true)
        }
        Verb::Script(what) => {
            print!("{}", text_of(what, wanted.mode)?);
            Ok(true)
        }
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("swarm: {why}");
            ExitCode::from(2)
        }
    }
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        verb: Verb::Many,
        mode: Mode::Faults,
        first: 1,
        seeds: SEEDS,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        is_shrunk: true,
        is_until_red: false,
        window: Window::default(),
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        let number = |text: String| -> Result<u64, String> {
            text.parse().map_err(|_| format!("{text:?} is no number"))
        };
        match word.as_str() {
            "--insiders" => wanted.mode = Mode::Insiders,
            "--seeds" => wanted.seeds = number(value()?)?,
            "--first" => wanted.first = number(value()?)?,
            "--threads" => wanted.threads = usize::try_from(number(value()?)?).unwrap_or(1),
            "--shrink" => wanted.is_shrunk = value()? != "no",
            "--until-red" => wanted.is_until_red = true,
            "--from" => wanted.window.from = span(&value()?)?,
            "--until" => wanted.window.until = Some(until(&value()?)?),
            "replay" => wanted.verb = Verb::Replay(value()?),
            "kinds" => wanted.verb = Verb::Kinds,
            "script" => wanted.verb = Verb::Script(value()?),
            other => {
                return Err(format!(
                    "{other:?} is no word of the swarm; see the head of its main.rs"
                ));
            }
        }
    }
    Ok(wanted)
}

/// `case:3` or `40s`.
fn until(text: &str) -> Result<Until, String> {
    match text.strip_prefix("case:") {
        Some(case) => {
            let number = case.parse().map_err(|_| format!("{case:?} is no case"))?;
            Ok(Until::Case(CaseId(number)))
        }
        None => span(text).map(Until::Time),
    }
}

fn span(text: &str) -> Result<Span, String> {
    let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
    seconds.map(Span::seconds).ok_or(format!("{text:?} is no span of seconds, such as 40s"))
}

/// Whether all were sound.
fn many(wanted: &Wanted) -> Result<bool, String> {
    // What panics is told as what it broke: its own words besides would be told twice.
    std::panic::set_hook(Box::new(|_| {}));
    let begun = std::time::Instant::now();
    let tell = |seed: u64, law: Option<&str>| {
        match law {
            Some(law) => eprintln!("seed {seed}: {law}"),
            None if seed.is_multiple_of(1_000) => {
                eprintln!("seed {seed} after {:?}", begun.elapsed());
            }
            None => {}
        }
        if law.is_some() && wanted.is_until_red {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let many = play_many(wanted.seeds(), wanted.mode, wanted.threads, &tell);
    let hours = many.ran.time.as_milliseconds() / 3_600_000;
    println!(
        "{} seeds of {:?}, {} red; {} events, {hours} virtual hours, {} verdicts, {} remedies, {} moves of votes, {} sealed, {:?}",
        many.seeds,
        wanted.mode,
        many.red.len(),
        many.ran.events,
        many.ran.verdicts,
        many.ran.remedies,
        many.ran.moves,
        many.ran.sealed,
        begun.elapsed()
    );
    if let Some((seed, law)) = many.red.first() {
        tell_red(*seed, law, wanted);
    }
    Ok(many.red.is_empty())
}

fn tell_red(seed: u64, law: &str, wanted: &Wanted) {
    let plan = drawn(seed, wanted.mode);
    println!("seed {seed} breaks: {law}");
    if wanted.is_shrunk {
        let (small, tries) = shrunk(&plan, law);
        println!("as small as {tries} tries made it, {}:\n{}", size(&small), small.text());
        let file = std::env::temp_dir().join(format!("hale-swarm-{seed}.hale"));
        match std::fs::write(&file, small.text()) {
            Ok(()) => println!("again: cargo run -p hale-test-swarm -- replay {}", file.display()),
            Err(why) => println!("it is not kept in {}: {why}", file.display()),
        }
    }
    println!("as it was drawn, {}: {}", size(&plan), command(seed, wanted.mode));
}

fn size(plan: &Plan) -> String {
    format!("{} acts on {} hosts", plan.acts.len(), plan.hosts.len())
}

/// What replays a seed.
fn command(seed: u64, mode: Mode) -> String {
    let insiders = if mode == Mode::Insiders { " --insiders" } else { "" };
    format!("cargo run -p hale-test-swarm -- replay {seed}{insiders}")
}

fn again(what: &str, wanted: &Wanted) -> Result<bool, String> {
    let script = Script::read(&text_of(what, wanted.mode)?).map_err(|fault| fault.to_string())?;
    let broken = replay(&script, wanted.window, &mut |line| println!("{line}"));
    match broken.map_err(|fault| fault.to_string())? {
        Some(law) => {
            println!("breaks: {law}");
            Ok(false)
        }
        None => Ok(true),
    }
}

/// Of a seed, or of a file.
fn text_of(what: &str, mode: Mode) -> Result<String, String> {
    match what.parse() {
        Ok(seed) => Ok(drawn(seed, mode).text()),
        Err(_) => std::fs::read_to_string(what).map_err(|why| format!("{what}: {why}")),
    }
}
