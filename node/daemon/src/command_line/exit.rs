//! How a command ends: one code per kind of end, so that scripts and units need not read text.

use std::fmt;
use std::process::ExitCode;

/// The exit codes of every verb; the codes from 64 on are sysexits, for the agent alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// The asked condition is false (only with `--check` or `--exit-code`).
    ConditionFalse = 3,
    /// A rule refused it; the refusal is named.
    Refused = 4,
    /// No agent listens at the socket.
    NoAgent = 5,
    /// No majority: the answer is stale.
    NoMajority = 6,
    /// The wait timed out.
    TimedOut = 7,
    /// Agent: a fault of hale's own, a panic; what it was handling is kept beside its store (`EX_SOFTWARE`).
    Bug = 70,
    /// Agent start: the system refused, a port in use for example (`EX_OSERR`).
    System = 71,
    /// Agent start: the disk is full, read-only or broken (`EX_IOERR`).
    Disk = 74,
    /// Agent: it held more memory than it may, and ends so that it is started anew (`EX_TEMPFAIL`).
    Exhausted = 75,
    /// Agent: the mesh knows another life of this host, on another machine or on this disk before it was set back (`EX_PROTOCOL`).
    Superseded = 76,
    /// Agent start: a file or socket may not be read or written (`EX_NOPERM`).
    Permission = 77,
    /// Agent start: configuration or identity is wrong (`EX_CONFIG`).
    Configuration = 78,
}

/// Why a verb did not do what it was asked: the sentence for a person, the code for a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandFault {
    /// For the shell.
    pub exit: Exit,
    /// Lowercase; fits after `hale: `.
    pub sentence: String,
}

impl CommandFault {
    /// A fault with the code of its kind.
    pub fn new(exit: Exit, sentence: impl fmt::Display) -> Self {
        Self { exit, sentence: sentence.to_string() }
    }

    /// The plain failure, exit code 1.
    pub fn failed(sentence: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, sentence)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl fmt::Display for CommandFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.sentence)
    }
}

impl std::error::Error for CommandFault {}
