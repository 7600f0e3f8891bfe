//! What an operator types at a host, and what is printed.
//!
//! Law T1 (see `mesh`): the binary itself is asked, as a person would ask it.

use std::path::Path;

use tokio::process::Command;
use tokio::time::timeout;

use crate::{PATIENCE, program};

/// What a command has printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Its exit code.
    pub code: Option<i32>,
    /// On standard output.
    pub text: String,
    /// On standard error.
    pub fault: String,
}

/// `hale WORDS` at the agent with this admin socket.
pub async fn types(socket: &Path, words: &[&str]) -> Printed {
    let mut command = Command::new(program::hale());
    command.args(words).env("HALE_SOCKET", socket).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.expect("it ends");
    let output = output.expect("it can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Printed { code: output.status.code(), text: text(&output.stdout), fault: text(&output.stderr) }
}

impl Printed {
    /// What it has printed, if it has done what was asked.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.text, self.fault);
        self.text
    }

    /// Whether it says this, anywhere.
    #[track_caller]
    pub fn says(&self, what: &str) {
        assert!(self.text.contains(what), "it does not say `{what}`: {}{}", self.text, self.fault);
    }
}
