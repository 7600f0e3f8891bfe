//! `hale demo-remedy`, hidden: the remedy that the demo's policy names.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::demo::remedy::{self, Errands};

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

impl Remedy {
    /// Ends with the codes that the `command` actuator reads, not with those of an operator's verbs.
    pub fn run(self) -> ExitCode {
        let errands = if self.inspect {
            Errands::Inspect
        } else {
            Errands::Start
        };
        let (code, said) = remedy::run(&self.socket, errands);
        println!("{said}");
        ExitCode::from(code)
    }
}
