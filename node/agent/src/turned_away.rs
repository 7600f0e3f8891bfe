//! What a keeper does about a life of another host that it had to turn away: it tells the ledger (protocol 1.2).
//!
//! A life that the ledger itself knows, and that was turned away for a newer one which has only connected yet, is told of once that one
//! is committed: the life that was turned away has ended by then, and nobody else could say that it was there.
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

/// A mesh is hardly ever without a leader for longer; whoever was turned away has said why in its own log.
const KEPT_FOR: Span = Span::minutes(10);

/// When the ledger was last told of whom, and of whom it is to be told.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway {
    told: BTreeMap<HostId, Moment>,
    /// Lives that are the ledger's own, turned away for a newer one that was connected but not committed; at most [`HOSTS_MAX`].
    kept: BTreeMap<HostId, (Boot, Moment)>,
}

impl TurnedAway {
    /// Whether this host may be told of now; if so, it is from now on.
    fn tells(&mut self, now: Moment, host: HostId) -> bool {
        self.told.retain(|_, at| now.since(*at) < TOLD_AGAIN_AFTER);
        let may = self.told.len() < HOSTS_MAX && !self.told.contains_key(&host);
        if may {
            self.told.insert(host, now);
        }
        may
    }

    /// At the bound it is not kept: the host's own log says it.
    fn keep(&mut self, now: Moment, host: HostId, boot: Boot) {
        self.kept.retain(|_, (_, at)| now.since(*at) < KEPT_FOR);
        if self.kept.len() < HOSTS_MAX || self.kept.contains_key(&host) {
            self.kept.insert(host, (boot, now));
        }
    }
}

impl Agent {
    /// A host has come with a life that is not its newest, and was turned away.
    pub(crate) fn turn_away(&mut self, now: Moment, host: HostId, boot: Boot) {
        if !self.ledger.may_lead(&self.me) {
            return;
        }
        let committed = self.ledger.roster().get(&host).and_then(|entry| entry.boot);
        if committed == Some(boot) {
            self.turned_away.keep(now, host, boot);
        } else {
            self.tell_of_two(now, host, boot);
        }
    }

    /// The ledger may know by now of the newer life for which an older one was turned away.
    pub(crate) fn tell_of_turned_away(&mut self, now: Moment) {
        let roster = self.ledger.roster();
        let is_passed = |host: &HostId, (boot, _): &mut (Boot, Moment)| {
            roster.get(host).is_none_or(|entry| entry.boot != Some(*boot))
        };
        let passed: Vec<_> = self.turned_away.kept.extract_if(.., is_passed).collect();
        for (host, (boot, at)) in passed {
            if now.since(at) < KEPT_FOR {
                self.tell_of_two(now, host, boot);
            }
        }
    }

    fn tell_of_two(&mut self, now: Moment, host: HostId, boot: Boot) {
        if self.ledger.can_be_two(host, boot).is_ok() && self.turned_away.tells(now, host) {
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
        (0..200).for_each(|number| {
            told.keep(at(100), HostId([number; 16]), Boot { number: 1, nonce: 1 })
        });
        assert_eq!(told.kept.len(), HOSTS_MAX);
    }
}
