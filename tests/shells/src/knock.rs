//! The second channel of an agent: what TCP would say, as the same network and the same machine would have it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use daemon::second_channel::{Knock, Knocking, SecondChannel};
use tokio::time::sleep;
use vocabulary::Address;

use crate::network::{Door, Network};

/// The knocking hand of one machine.
pub(crate) struct Knocker {
    pub network: Network,
    pub from: IpAddr,
    /// Where agents listen; at other ports a machine that runs refuses.
    pub agents_at: u16,
}

impl SecondChannel for Knocker {
    fn knock(&self, at: Address, within: Duration) -> Knocking<'_> {
        Box::pin(async move {
            let (door, travel) = self.network.knock(self.from, at.ip());
            let door = match door {
                Door::Answers | Door::Accepts if at.port() != self.agents_at => Door::Refuses,
                door => door,
            };
            let (after, knock) = match door {
                // The handshake, then the answer.
                Door::Answers => (travel * 2, Knock::Answered),
                Door::Refuses => (travel, Knock::Refused),
                Door::Accepts => (within, Knock::Accepted),
                Door::Dark => (within, Knock::Silent),
            };
            if after > within {
                sleep(within).await;
                return if door == Door::Answers { Knock::Accepted } else { Knock::Silent };
            }
            sleep(after).await;
            knock
        })
    }
}

impl fmt::Debug for Knocker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "knocker at {}", self.from)
    }
}
