//! How long nobody has led, and when a keeper calls a person for that itself (protocol 3.9).
//!
//! Law G3: a spell without a leader calls once by each keeper, and spells that come one after the other call again only after
//! [`CALLED_AGAIN_AFTER`].
//! Not here: who leads (the shell says), calls of a leader (see `leading`), the program that is run (the policy last known).

use ledger::Ledger;
use vocabulary::{HostId, Moment, Span};

use crate::event::{Effect, Page};
use crate::mind::Agent;

/// protocol 3.9: longer than any election takes, even one after ten timeouts.
pub const CALLS_AFTER: Span = Span::seconds(30);

/// Whoever was called a few minutes ago is at it: a leader that comes and goes is one trouble.
pub const CALLED_AGAIN_AFTER: Span = Span::minutes(10);

/// The spell without a leader that lasts, if one does.
#[derive(Debug, Default)]
pub(crate) struct Leaderless {
    since: Option<Moment>,
    has_called: bool,
    called_at: Option<Moment>,
}

impl Leaderless {
    /// Nobody leads a ledger that is founded, or somebody does.
    fn note(&mut self, now: Moment, is_without: bool) {
        if !is_without {
            self.since = None;
            self.has_called = false;
        } else if self.since.is_none() {
            self.since = Some(now);
        }
    }

    /// When a person is to be called for this spell.
    fn calls_at(&self) -> Option<Moment> {
        let due = self.since.filter(|_| !self.has_called)?.after(CALLS_AFTER);
        let again = self.called_at.map(|at| at.after(CALLED_AGAIN_AFTER));
        Some(again.map_or(due, |again| again.max(due)))
    }

    fn calls_now(&mut self, now: Moment) -> bool {
        let is_due = self.calls_at().is_some_and(|at| at <= now);
        if is_due {
            self.has_called = true;
            self.called_at = Some(now);
        }
        is_due
    }

    /// For how long nobody has led.
    pub fn lasts(&self, now: Moment) -> Option<Span> {
        self.since.map(|since| now.since(since))
    }
}

impl Agent {
    /// Notes whether anybody leads, and calls a person when it is time.
    pub(crate) fn settle_leaderless(&mut self, now: Moment) {
        let is_without = self.leader.is_none() && self.ledger.is_founded();
        self.leaderless.note(now, is_without);
        if is_keeper(&self.ledger, &self.me) && self.leaderless.calls_now(now) {
            let me = self.ledger.roster().get(&self.me);
            let me = me.map_or_else(|| self.me.to_string(), |own| own.claims.host.to_string());
            let line = format!(
                "keeper {me} has known of no leader for {CALLS_AFTER}: nothing is decided and nothing is healed until most keepers reach each other again"
            );
            self.emit(Effect::Page(Page { case: None, line }));
        }
    }

    /// When a person is to be called, if nobody leads until then.
    pub(crate) fn leaderless_deadline(&self) -> Option<Moment> {
        self.leaderless.calls_at().filter(|_| is_keeper(&self.ledger, &self.me))
    }
}

fn is_keeper(ledger: &Ledger, host: &HostId) -> bool {
    ledger.voters().contains(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_milliseconds(1_000_000 + seconds * 1_000)
    }

    #[test]
    fn a_spell_without_a_leader_calls_once_and_the_next_one_not_at_once() {
        let mut spell = Leaderless::default();
        spell.note(at(0), true);
        assert!(!spell.calls_now(at(29)));
        spell.note(at(30), true);
        assert!(spell.calls_now(at(30)));
        assert!(!spell.calls_now(at(3_000)), "law G3: once");
        spell.note(at(3_001), false);
        assert_eq!(spell.lasts(at(3_001)), None);

        let mut flapping = Leaderless::default();
        let mut calls = Vec::new();
        for second in 0..1_200 {
            flapping.note(at(second), second % 40 != 0);
            if flapping.calls_now(at(second)) {
                calls.push(second);
            }
        }
        assert_eq!(
            calls,
            [31, 631],
            "law G3: ten minutes after the first, in the spell that lasts then"
        );
    }

    #[test]
    fn an_election_of_a_few_seconds_calls_nobody() {
        let mut spell = Leaderless::default();
        for second in 0..600 {
            spell.note(at(second), second % 20 != 0);
            assert!(!spell.calls_now(at(second)));
        }
    }
}
