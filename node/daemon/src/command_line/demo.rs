//! `hale demo`, and the hidden remedy that its policy names.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::exit::CommandFault;
use crate::demo::remedy::{self, Errands};
use crate::demo::{self, Ending, Wish};

/// Six agents on loopback, four faults, every proof checked.
#[derive(Debug, Args)]
pub struct Demo {
    /// Leave the mesh up afterwards, until interrupted, and print commands to look at it.
    #[arg(long)]
    keep: bool,
    /// Print one JSON object with every figure and proof; the story goes to standard error.
    #[arg(long)]
    json: bool,
}

/// Asks the demo to start an agent; the case is read from the `HALE_*` variables.
#[derive(Debug, Args)]
pub struct Remedy {
    /// Only ask whether it was done.
    #[arg(long)]
    inspect: bool,
    /// The socket at which the demo listens.
    #[arg(value_name = "SOCKET")]
    socket: PathBuf,
}

impl Demo {
    /// Plays it; failed unless every proof held.
    pub fn run(self) -> Result<(), CommandFault> {
        let wish = Wish { keep: self.keep, json: self.json };
        let program = std::env::current_exe().map_err(CommandFault::failed)?;
        match demo::run(&program, wish).map_err(CommandFault::failed)? {
            Ending::Held => Ok(()),
            Ending::Failed(why) => {
                Err(CommandFault::failed(format_args!("the demo failed: {why}")))
            }
            Ending::Interrupted => Err(CommandFault::failed(
                "the demo was interrupted before its end; its agents are ended",
            )),
        }
    }
}

impl Remedy {
    /// Ends with the codes that the `command` actuator reads, not with those of an operator's verbs.
    pub fn run(self) -> ExitCode {
        let errands = if self.inspect { Errands::Inspect } else { Errands::Start };
        let (code, said) = remedy::run(&self.socket, errands);
        // Nobody may read it; the code is the answer.
        let _ = writeln!(std::io::stdout(), "{said}");
        ExitCode::from(code)
    }
}
