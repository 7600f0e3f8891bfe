//! `hale agent`: this host's part in the mesh, until SIGTERM. `hale guard`, hidden: a remedy's guard.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit::{CommandFault, Exit};
use super::faults;
use crate::config::{self, LogFormat};

/// Runs the agent of this host.
#[derive(Debug, Args)]
pub struct Agent {
    /// The host's configuration; `hale config example` prints one.
    #[arg(long, value_name = "FILE", default_value = "/etc/hale/hale.toml", env = "HALE_CONFIG")]
    config: PathBuf,
    /// How the log is written, whatever the configuration says.
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<Format>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Lines for people.
    Readable,
    /// One JSON object a line.
    Json,
}

/// Starts and stays until the agent has said goodbye.
pub fn run(agent: &Agent) -> Result<(), CommandFault> {
    let mut config = config::load(&agent.config).map_err(|found| {
        let text = config::text_of(&agent.config).map(|(_, text)| text).unwrap_or_default();
        faults::told(Exit::Configuration, &found, &text)
    })?;
    if let Some(format) = agent.log_format {
        config.log.format = match format {
            Format::Readable => LogFormat::Readable,
            Format::Json => LogFormat::Json,
        };
    }
    crate::host::run(&config)
}

/// Runs one remedy and sees to it that nothing of it outlives its leave (see `actuators::guard`).
pub fn guard() -> Result<(), CommandFault> {
    actuators::guard::run().map_err(CommandFault::failed)
}
