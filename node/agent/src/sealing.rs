//! This host's hand in the seals on the audit: a voter signs what the others seal, and the leader opens a place once one is due
//! (protocol 8.1).
//!
//! Law SG1: a voter signs only a place that its own copy of the audit holds, with the key that signs all its words.
//! Law SG2: nothing that has become true stays unsealed for more than [`SEALED_WITHIN`] and two answers of the ledger, or behind more than
//! [`SEAL_EVERY`] records, while a leader stays and a majority of the voters answers.
//! Not here: whether a signature is taken and what it adds up to (see `ledger::sealing`).

use ledger::command::{Command, Outcome};
use ledger::sealing::{SEAL_EVERY, ToSign};
use ledger::{Ledger, rules};
use vocabulary::{HostId, Moment, Span};

use crate::calls::Purpose;
use crate::event::CallEnd;
use crate::mind::Agent;

/// How long the newest records may wait for a seal: it costs an entry of each voter.
const SEALED_WITHIN: Span = Span::minutes(10);

/// The ledger answers within this, or the signature is offered again.
const PROPOSAL_WITHIN: Span = Span::seconds(3);

/// Between two tries.
const PAUSE: Span = Span::seconds(5);

/// After a refusal: what is to be signed is another place by then, or the roster knows the key.
const REFUSED_PAUSE: Span = Span::seconds(30);

/// The voter's part.
#[derive(Debug, Default)]
pub(crate) struct Sealing {
    is_asking: bool,
    not_before: Moment,
    /// Behind which seal records have waited under this leader, and since when.
    waiting: Option<(u64, Moment)>,
}

impl Sealing {
    /// What this host signs now, if anything.
    fn advance(
        &mut self,
        now: Moment,
        (ledger, me): (&Ledger, &HostId),
        leads: bool,
    ) -> Option<ToSign> {
        let is_opener = leads && ledger.rules() >= rules::SECOND && ledger.voters().contains(me);
        self.note_waiting(now, ledger, is_opener);
        if self.is_asking || now < self.not_before {
            return None;
        }
        let is_due = self.due(ledger).is_some_and(|due| due <= now);
        let open = || if is_due { ledger.to_open() } else { None };
        ledger.to_sign(me).or_else(open)
    }

    /// When to look again without any event.
    fn next_deadline(&self, (ledger, me): (&Ledger, &HostId)) -> Option<Moment> {
        if self.is_asking {
            return None;
        }
        let signs = ledger.to_sign(me).map(|_| self.not_before);
        signs.or_else(|| Some(self.due(ledger)?.max(self.not_before)))
    }

    /// Under which leader it waits says this host's own clock.
    fn note_waiting(&mut self, now: Moment, ledger: &Ledger, is_opener: bool) {
        if !is_opener || ledger.unsealed() == 0 {
            self.waiting = None;
            return;
        }
        let sealed = ledger.seal().map_or(0, |seal| seal.place.number);
        self.waiting = self.waiting.filter(|(behind, _)| *behind == sealed).or(Some((sealed, now)));
    }

    /// When a place is to be opened here.
    fn due(&self, ledger: &Ledger) -> Option<Moment> {
        let (_, since) = self.waiting.filter(|_| !ledger.is_being_sealed())?;
        Some(if ledger.unsealed() >= SEAL_EVERY { since } else { since.after(SEALED_WITHIN) })
    }

    fn ended(&mut self, now: Moment, end: &CallEnd) {
        let is_refused = matches!(end, CallEnd::Committed { outcome: Outcome::Refused(_), .. });
        self.is_asking = false;
        self.not_before = now.after(if is_refused { REFUSED_PAUSE } else { PAUSE });
    }
}

impl Agent {
    /// After every event.
    pub(crate) fn settle_sealing(&mut self, now: Moment) {
        let leads = self.leads();
        let Some(ToSign { place, message }) =
            self.sealing.advance(now, (&self.ledger, &self.me), leads)
        else {
            return;
        };
        let (certificate, key) = self.enrolment.certificate();
        let signer = self.keyring.signer();
        if signer.public_key() != *key {
            // Law K1: soon that key signs.
            self.sealing.not_before = now.after(PAUSE);
            return;
        }
        let (certificate, signature) = (certificate.clone(), signer.sign(&message));
        self.sealing.is_asking = true;
        let command = Command::Seal { place, certificate, signature };
        self.propose(now, Purpose::Seal, command, PROPOSAL_WITHIN);
    }

    /// The ledger has answered, or has not.
    pub(crate) fn seal_ended(&mut self, now: Moment, end: &CallEnd) {
        self.sealing.ended(now, end);
    }

    pub(crate) fn sealing_deadline(&self) -> Option<Moment> {
        self.sealing.next_deadline((&self.ledger, &self.me))
    }
}
