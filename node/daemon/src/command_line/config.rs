//! `hale config`: a live example of `hale.toml`, and every fault of one at once.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::exit::{CommandFault, Exit};
use super::faults;
use crate::config::{self, Config};

/// What can be asked of `hale config`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print a live configuration with every key explained.
    Example,
    /// Name every fault of a configuration at once. Reads this one file alone: whether the files, folders and ports it
    /// names are usable shows when the agent starts.
    Check {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Example => faults::print(&Config::example()),
        Verb::Check { file } => check(&file),
    }
}

/// Ends as the start of an agent from the same file would.
fn check(file: &Path) -> Result<(), CommandFault> {
    let said = |found: &[_], text: &str| faults::told(Exit::Configuration, found, text);
    let (name, text) = config::text_of(file).map_err(|found| said(&found, ""))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let config = Config::read(&name, &text, folder).map_err(|found| said(&found, &text))?;
    let seeds = config.agent.seeds.len();
    faults::print(&format!(
        "{name}: sound; listens at {}, is dialled at {}, asks {seeds} seeds\n",
        config.agent.bind, config.agent.advertise
    ))
}
