//! `hale policy`: a live example of `policy.toml`, and every fault of one at once.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use ledger::policy::Policy;

use super::exit::{CommandFault, Exit};
use super::faults;
use crate::config;

/// What can be asked of `hale policy`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print a live policy with every key explained; as printed it only observes.
    Example,
    /// Name every fault of a policy at once. Asks no agent: the ledger checks again when it is applied.
    Check {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Example => faults::print(&Policy::example()),
        Verb::Check { file } => check(&file),
    }
}

fn check(file: &Path) -> Result<(), CommandFault> {
    let said = |found: &[_], text: &str| faults::told(Exit::Failed, found, text);
    let (name, text) = config::text_of(file).map_err(|found| said(&found, ""))?;
    let policy = Policy::read(&name, &text).map_err(|found| said(&found, &text))?;
    let acting = policy.rules.iter().filter(|rule| rule.acts()).count();
    faults::print(&format!(
        "{name}: sound; {} rules, {acting} of them may act; digest {}\n",
        policy.rules.len(),
        policy.digest()
    ))
}
