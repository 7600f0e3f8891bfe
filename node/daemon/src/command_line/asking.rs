//! What every verb that talks to an agent has in common: where it asks, how it prints, how it ends.
//!
//! Law CL3: a screen is made from the very answer that `--json` prints, and from nothing else.
//! Law CL4: an answer without a majority behind it is printed, and the command ends with its own code.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::exit::{CommandFault, Exit};
use super::faults;
use super::policy_change;
use super::table::{self, Clock};
use crate::admin::answer::{Answer, Body, Ordered};
use crate::admin::client::{Client, ClientFault};
use crate::moments;

/// Where the agent is asked.
#[derive(Clone, Debug, Args)]
pub struct At {
    /// The agent's admin socket.
    #[arg(
        long,
        value_name = "PATH",
        env = "HALE_SOCKET",
        default_value = "/run/hale/admin.sock",
        hide_env_values = true
    )]
    socket: PathBuf,
    /// Print one JSON object in place of text; its schema lies in docs/operating/schemas.
    #[arg(long)]
    pub json: bool,
}

/// How a screen is printed.
#[derive(Clone, Debug, Args)]
pub struct Screen {
    /// Where it comes from.
    #[command(flatten)]
    pub at: At,
    /// Leave the headings out.
    #[arg(long)]
    pub no_header: bool,
    /// Moments in UTC, not relative.
    #[arg(long)]
    pub utc: bool,
}

/// Why something is ordered, and whether it is meant.
#[derive(Clone, Debug, Args)]
pub struct Why {
    /// Why; kept in the audit beside your name.
    #[arg(long, value_name = "REASON")]
    pub why: String,
    /// Do nothing; say what it would come to, or which rule would refuse it.
    #[arg(long)]
    pub dry_run: bool,
}

impl At {
    /// The agent at this socket, and text.
    pub fn of_socket(socket: &str) -> Self {
        Self { socket: socket.into(), json: false }
    }

    /// The agent's door.
    pub fn client(&self) -> Client {
        Client::new(&self.socket)
    }

    /// Orders or rehearses, and says what has become true or would have.
    pub fn order(
        &self,
        path: &str,
        order: &impl Serialize,
        is_dry_run: bool,
    ) -> Result<(), CommandFault> {
        self.ordered(path, order, is_dry_run).map(drop)
    }

    /// The same, and gives it to verbs that judge it.
    pub fn ordered(
        &self,
        path: &str,
        order: &impl Serialize,
        is_dry_run: bool,
    ) -> Result<Ordered, CommandFault> {
        let path = &if is_dry_run { format!("{path}?dry_run=true") } else { path.to_owned() };
        let answer: Answer<Ordered> = self.client().order_and_wait(path, order)?;
        if self.json {
            json(&answer)?;
        } else {
            faults::print(&policy_change::ordered(&answer.data))?;
        }
        // What was carried out had a majority behind it.
        if is_dry_run {
            fresh(&answer)?;
        }
        Ok(answer.data)
    }
}

impl Screen {
    /// A screen without headings and moments.
    pub fn plain(at: At) -> Self {
        Self { at, no_header: true, utc: true }
    }

    /// Asks, prints, and ends as the answer deserves; what was answered, for verbs that judge it.
    pub fn show<B: Body>(
        &self,
        path: &str,
        text: impl FnOnce(&Answer<B>, &Self) -> String,
    ) -> Result<B, CommandFault> {
        let answer = self.ask(path)?;
        if self.at.json {
            json(&answer)?;
        } else {
            faults::print(&text(&answer, self))?;
        }
        fresh(&answer)?;
        Ok(answer.data)
    }

    /// Asks.
    pub fn ask<B: Body>(&self, path: &str) -> Result<Answer<B>, CommandFault> {
        Ok(self.at.client().ask_and_wait(path)?)
    }

    /// How moments are shown beside this answer.
    pub fn clock<B>(&self, answer: &Answer<B>) -> Clock {
        let as_of = moments::from_utc(&answer.as_of).unwrap_or_default();
        Clock { now_ms: as_of.saturating_add(answer.age_ms), is_utc: self.utc }
    }

    /// Whether headings are wanted.
    pub fn has_header(&self) -> bool {
        !self.no_header
    }
}

/// One JSON object on one line.
pub fn json(answer: &impl Serialize) -> Result<(), CommandFault> {
    let text = serde_json::to_string(answer).map_err(CommandFault::failed)?;
    faults::print(&(text + "\n"))
}

/// Law CL4.
pub fn fresh<B>(answer: &Answer<B>) -> Result<(), CommandFault> {
    if answer.fresh {
        return Ok(());
    }
    let age = table::span(answer.age_ms);
    Err(CommandFault::new(
        Exit::NoMajority,
        format!("no majority of the keepers stands behind this answer, it is {age} old"),
    ))
}

/// A word as a part of a path: letters, digits and `.-_` as they are.
pub fn in_path(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    word.bytes()
        .map(
            |byte| {
                if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

impl From<ClientFault> for CommandFault {
    fn from(fault: ClientFault) -> Self {
        let exit = match &fault {
            ClientFault::NoAgent { .. } => Exit::NoAgent,
            ClientFault::Refused(refusal) if refusal.is_no_rule() => Exit::Failed,
            ClientFault::NotPermitted { .. } | ClientFault::Refused(_) => Exit::Refused,
            ClientFault::NoMajority(_) => Exit::NoMajority,
            ClientFault::Unknown(_) | ClientFault::TimedOut(_) | ClientFault::Crowded { .. } => {
                Exit::TimedOut
            }
            ClientFault::Garbled(_) => Exit::Failed,
        };
        Self::new(exit, table::clean(&fault.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_word_is_one_part_of_a_path() {
        assert_eq!(in_path("web-a.07_x"), "web-a.07_x");
        assert_eq!(in_path("../policy?a b"), "..%2Fpolicy%3Fa%20b");
    }
}
