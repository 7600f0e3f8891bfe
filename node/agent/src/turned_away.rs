//! What a keeper does about a life of another host that it had to turn away: it tells the ledger (protocol 1.2).
//!
//! Law N4: a host is told of at most once in [`TOLD_AGAIN_AFTER`] by one keeper, however often it comes.
//! Not here: who is turned away (the transport says), whether that makes two machines (the ledger says).

use std::collections::BTreeMap;

use ledger::command::Command;
use vocabulary::{Boot, HostId, Moment, Span};

use crate::calls::Purpose;
use crate::mind::Agent;

/// The case of two machines ends after five minutes of silence: told far more often than that, and no oftener.
pub const TOLD_AGAIN_AFTER: Span = Span::seconds(30);

/// Hosts of which it is remembered; at the bound nothing more is told until one is forgotten.
const HOSTS_MAX: usize = 64;

/// How long the ledger may take.
const WITHIN: Span = Span::seconds(3);

/// When the ledger was last told of whom.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway(BTreeMap<HostId, Moment>);

impl TurnedAway {
    /// Whether this host may be told of now; if so, it is from now on.
    fn tells(&mut self, now: Moment, host: HostId) -> bool {
        self.0.retain(|_, at| now.since(*at) < TOLD_AGAIN_AFTER);
        let may = self.0.len() < HOSTS_MAX && !self.0.contains_key(&host);
        if may {
            self.0.insert(host, now);
        }
        may
    }
}

impl Agent {
    /// A host has come with a life that is not the one the ledger knows, and was turned away.
    pub(crate) fn turn_away(&mut self, now: Moment, host: HostId, boot: Boot) {
        let is_keeper = self.ledger.voters().contains(&self.me);
        let is_news = is_keeper && self.ledger.can_be_two(host, boot).is_ok();
        if is_news && self.turned_away.tells(now, host) {
            let command = Command::OtherLife { host, boot };
            self.propose(now, Purpose::TurnedAway, command, WITHIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_often_a_host_comes_the_ledger_is_told_now_and_then() {
        let mut told = TurnedAway::default();
        let at = |second: u64| Moment::from_milliseconds(second * 1_000);
        let host = HostId([1; 16]);
        let count = (0..60).filter(|second| told.tells(at(*second), host)).count();
        assert_eq!(count, 2, "law N4");
        let many = (0..200).filter(|number| told.tells(at(100), HostId([*number; 16]))).count();
        assert_eq!(many, HOSTS_MAX);
    }
}
