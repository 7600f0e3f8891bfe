//! How a life ends: by a goodbye, or because the mesh has another life of this host.
//!
//! Law N5: whoever ends says so first, for a bounded time, and does nothing else any more: it answers nobody, looks at nobody and
//! begins nothing. Only what its remedies under way have come to is still told (law H3).
//! Not here: which other life ends this one (see `life`), what the ledger makes of it.

use detection::membership;
use ledger::command::Command;
use ledger::rules;
use vocabulary::{Moment, Span};
use wire::{Response, Unavailable};

use crate::calls::Purpose;
use crate::event::{CallEnd, CallId, Effect, Event};
use crate::life::LifeEnd;
use crate::mind::Agent;

/// The ledger is told of a goodbye within this, or not at all: SIGTERM ends the agent within 5 s.
const GOODBYE_WITHIN: Span = Span::seconds(2);

/// Likewise of the other machine: whoever is one too many does not stay for it.
const LAST_WORD_WITHIN: Span = Span::seconds(2);

impl Agent {
    /// protocol 3.6 `Left`: the ledger is told, then the members, then nothing is done any more.
    pub(crate) fn leave(&mut self, now: Moment) {
        self.has_left = true;
        self.give_leases_back(now);
        let command = Command::Left { boot: self.boot };
        self.propose(now, Purpose::Goodbye, command, GOODBYE_WITHIN);
        self.gossip(now, membership::Event::Leave);
    }

    /// protocol 1.2: a life that is not the host's own neither voices nor heals. That there is another machine is its last word.
    pub(crate) fn end_life(&mut self, now: Moment, end: Option<LifeEnd>) {
        let Some(end) = end.filter(|_| !self.has_left) else {
            return;
        };
        self.has_left = true;
        let is_told = matches!(end, LifeEnd::Another(_)) && self.ledger.rules() >= rules::SECOND;
        if is_told {
            self.give_leases_back(now);
        }
        // Its number is the last one, as it is the last word.
        match is_told.then(|| self.calls.open(Purpose::LastWord(end))).flatten() {
            Some(id) => {
                let command = Command::OtherLife { host: self.me, boot: self.boot };
                self.emit(Effect::Propose { id, command, within: LAST_WORD_WITHIN });
            }
            None => self.emit(Effect::EndLife(end)),
        }
    }

    /// Law N5: what happens after the last word.
    pub(crate) fn go(&mut self, now: Moment, event: Event) {
        match event {
            Event::Ended { id, end } => self.last_call_ended(now, id, end),
            // Law E2: whoever asks is not left waiting.
            Event::Asked { id, .. } | Event::Reported { id, .. } => {
                self.answer(now, id, Response::Unavailable(Unavailable::NotMine));
            }
            Event::Datagram { .. }
            | Event::Connected { .. }
            | Event::Closed { .. }
            | Event::BootTooLow { .. }
            | Event::TurnedAway { .. }
            | Event::LedgerAdvanced { .. }
            | Event::LeadershipChanged { .. }
            | Event::LoopLate { .. }
            | Event::SocketsLate { .. }
            | Event::Renewed(_)
            | Event::DeadlineReached
            | Event::Leave => {}
        }
        self.tell_receipts(now);
    }

    fn last_call_ended(&mut self, now: Moment, id: CallId, end: CallEnd) {
        match self.calls.close(id) {
            Some(Purpose::LastWord(end)) => self.emit(Effect::EndLife(end)),
            Some(Purpose::Goodbye) => self.emit(Effect::Gone),
            Some(Purpose::Heal(errand)) => self.heal_ended_at_last(now, errand, end),
            _ => {}
        }
    }
}
