//! `hale agent`: this host's part in the mesh, until SIGTERM. `hale agent reload`: an order to it. `hale guard`, hidden: a remedy's guard.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::asking::{At, Why};
use super::exit::{CommandFault, Exit};
use super::faults;
use crate::admin::answer::ReloadOrder;
use crate::config::{self, LogFormat};

/// Runs the agent of this host.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Agent {
    #[command(subcommand)]
    verb: Option<AgentVerb>,
    /// The host's configuration; `hale config example` prints one.
    #[arg(long, value_name = "FILE", default_value = "/etc/hale/hale.toml", env = "HALE_CONFIG")]
    config: PathBuf,
    /// How the log is written, whatever the configuration says.
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<Format>,
}

/// What can be asked of the agent that runs on this host.
#[derive(Debug, Subcommand)]
enum AgentVerb {
    /// Take new certificate files into use without a restart: certificate, key, authorities. Nothing changes unless all of them
    /// are sound; the agent also does it by itself a little after the files have changed, and on SIGHUP.
    Reload(Reload),
}

/// An order to one agent.
#[derive(Debug, Args)]
struct Reload {
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Lines for people.
    Readable,
    /// One JSON object a line.
    Json,
}

/// Starts and stays until the agent has said goodbye, or gives an order to the one that runs.
pub fn run(agent: &Agent) -> Result<(), CommandFault> {
    if let Some(AgentVerb::Reload(reload)) = &agent.verb {
        let order = ReloadOrder { why: reload.why.why.clone() };
        return reload.at.order("/v1/agent/reload", &order, reload.why.dry_run);
    }
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
