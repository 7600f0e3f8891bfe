//! The mind's door to the healer's part: wishes become calls, ends of calls become what came of them.
//!
//! Not here: the order of the steps (see `heal`).

use std::sync::Arc;

use vocabulary::{Grounds, Moment};
use wire::{Request, Response};

use crate::calls::Purpose;
use crate::event::{CallEnd, Effect};
use crate::heal::{Came, Errand, Wish};
use crate::mind::Agent;

impl Agent {
    /// What the healer does after every event.
    pub(crate) fn settle_healing(&mut self, now: Moment) {
        if self.healing.is_idle() && self.ledger.cases().next().is_none() {
            return;
        }
        let ledger = Arc::clone(&self.ledger);
        for (errand, wish) in self.healing.advance(now, &ledger) {
            self.grant(now, errand, wish);
        }
    }

    /// This host leaves.
    pub(crate) fn give_leases_back(&mut self, now: Moment) {
        for (errand, wish) in self.healing.leave() {
            self.grant(now, errand, wish);
        }
    }

    /// An errand of the healer has ended.
    pub(crate) fn heal_ended(&mut self, now: Moment, errand: Errand, end: CallEnd) {
        let came = self.what_came(errand, end);
        if let Some((errand, wish)) = self.healing.ended(now, errand, came) {
            self.grant(now, errand, wish);
        }
    }

    /// The same after this host has left: no step follows any more (law N5).
    pub(crate) fn heal_ended_at_last(&mut self, now: Moment, errand: Errand, end: CallEnd) {
        let came = self.what_came(errand, end);
        self.healing.ended_at_last(now, errand, &came);
    }

    /// law H3.
    pub(crate) fn tell_receipts(&mut self, now: Moment) {
        for (errand, wish) in self.healing.receipts(now) {
            self.grant(now, errand, wish);
        }
    }

    fn what_came(&self, errand: Errand, end: CallEnd) -> Came {
        match end {
            CallEnd::Committed { index, outcome } => Came::Outcome(index, outcome),
            CallEnd::Response(Response::Round(grounds)) => {
                let against = self.verdict_against(errand, &grounds);
                Came::Round(grounds, against)
            }
            CallEnd::Read { index } => Came::Read(index),
            CallEnd::Applied(receipt) => Came::Applied(receipt),
            CallEnd::Inspected(receipt) => Came::Inspected(receipt),
            CallEnd::Response(_)
            | CallEnd::Dialled(_)
            | CallEnd::Knocked(_)
            | CallEnd::Failed
            | CallEnd::Unable => Came::Nothing,
        }
    }

    fn grant(&mut self, now: Moment, errand: Errand, wish: Wish) {
        let purpose = Purpose::Heal(errand);
        match wish {
            Wish::Propose(command, within) => self.propose(now, purpose, command, within),
            Wish::Round(within) => match self.leader {
                Some(leader) => {
                    let request = Request::RoundFor { case: errand.case };
                    self.call(now, purpose, leader, (request, within));
                }
                None => self.fail(now, purpose),
            },
            Wish::Read(within) => {
                self.open(now, purpose, |id| Effect::ReadIndex { id, within });
            }
            Wish::Apply(order) => self.open(now, purpose, |id| Effect::Apply { id, order }),
            Wish::Inspect(order) => self.open(now, purpose, |id| Effect::Inspect { id, order }),
        }
    }

    /// The verdict that stands against the case's subject by this round, as this host itself concludes.
    fn verdict_against(&self, errand: Errand, grounds: &Grounds) -> Option<String> {
        let subject = self.ledger.case(errand.case)?.host()?;
        let (_, conclusions) = self.ledger.concluded(grounds, &*self.verifier);
        conclusions.verdict(&subject).ok().map(|verdict| verdict.kind.word())
    }
}
