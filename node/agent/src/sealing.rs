//! This host's hand in the seals on the audit: a voter signs what the others seal, and opens a place once one is due (protocol 8.1).
//!
//! Law SG1: a voter signs only a place that its own copy of the audit holds, with the key that signs all its words.
//! Law SG2: what has become true is opened to be sealed once [`SEAL_EVERY`] records or [`SEALED_WITHIN`] have gone by: by the leader at once,
//! by each other voter [`TURN`] after the one before it, for whatever holds the leader back.
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

/// Between two voters that would open a place.
const TURN: Span = Span::minutes(1);

/// The ledger answers within this, or the signature is offered again.
const PROPOSAL_WITHIN: Span = Span::seconds(3);

/// Between two tries.
const PAUSE: Span = Span::seconds(5);

/// After a refusal: each try is an entry of the ledger. It doubles.
const REFUSED_PAUSE: Span = Span::seconds(30);

/// The longest such wait.
const REFUSED_PAUSE_MAX: Span = Span::minutes(60);

/// The voter's part.
#[derive(Debug)]
pub(crate) struct Sealing {
    is_asking: bool,
    not_before: Moment,
    /// How long the next refusal is slept over.
    refused_pause: Span,
    waiting: Option<Waiting>,
}

/// Records without a seal, by this host's own clock.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// Behind which record.
    behind: u64,
    since: Moment,
    /// Since when there are too many.
    full: Option<Moment>,
}

/// Whose part it is.
#[derive(Clone, Copy)]
struct Voter<'a> {
    ledger: &'a Ledger,
    me: &'a HostId,
    leads: bool,
}

impl Voter<'_> {
    /// After how many others it opens a place; none if it never does.
    fn turn(&self) -> Option<u64> {
        let voters = self.ledger.voters();
        let place = voters.iter().position(|voter| voter == self.me)?;
        let turn = if self.leads { 0 } else { place + 1 };
        (self.ledger.rules() >= rules::SECOND).then_some(turn as u64)
    }
}

impl Default for Sealing {
    fn default() -> Self {
        Self {
            is_asking: false,
            not_before: Moment::default(),
            refused_pause: REFUSED_PAUSE,
            waiting: None,
        }
    }
}

impl Sealing {
    /// What this host signs now, if anything.
    fn advance(&mut self, now: Moment, voter: Voter<'_>) -> Option<ToSign> {
        self.note_waiting(now, voter);
        if self.is_asking || now < self.not_before {
            return None;
        }
        let is_due = self.due(voter).is_some_and(|due| due <= now);
        let open = || if is_due { voter.ledger.to_open() } else { None };
        let asked = voter.ledger.to_sign(voter.me).or_else(open)?;
        self.is_asking = true;
        Some(asked)
    }

    /// When to look again without any event.
    fn next_deadline(&self, voter: Voter<'_>) -> Option<Moment> {
        if self.is_asking {
            return None;
        }
        let signs = voter.ledger.to_sign(voter.me).map(|_| self.not_before);
        signs.or_else(|| Some(self.due(voter)?.max(self.not_before)))
    }

    fn note_waiting(&mut self, now: Moment, voter: Voter<'_>) {
        if voter.turn().is_none() || voter.ledger.unsealed() == 0 {
            self.waiting = None;
            return;
        }
        let behind = voter.ledger.seal().map_or(0, |seal| seal.place.number);
        let known = self.waiting.filter(|waiting| waiting.behind == behind);
        let mut waiting = known.unwrap_or(Waiting { behind, since: now, full: None });
        if waiting.full.is_none() && voter.ledger.unsealed() >= SEAL_EVERY {
            waiting.full = Some(now);
        }
        self.waiting = Some(waiting);
    }

    /// When a place is to be opened here.
    fn due(&self, voter: Voter<'_>) -> Option<Moment> {
        let waiting = self.waiting.filter(|_| !voter.ledger.is_being_sealed())?;
        let late = waiting.since.after(SEALED_WITHIN);
        let first = waiting.full.map_or(late, |full| full.min(late));
        Some(first.after(TURN.times(voter.turn()?)))
    }

    fn ended(&mut self, now: Moment, end: &CallEnd) {
        self.is_asking = false;
        let pause = match end {
            CallEnd::Committed { outcome: Outcome::Refused(_), .. } => {
                let pause = self.refused_pause;
                self.refused_pause = pause.times(2).min(REFUSED_PAUSE_MAX);
                pause
            }
            CallEnd::Committed { .. } => {
                self.refused_pause = REFUSED_PAUSE;
                PAUSE
            }
            _ => PAUSE,
        };
        self.not_before = now.after(pause);
    }
}

impl Agent {
    /// After every event.
    pub(crate) fn settle_sealing(&mut self, now: Moment) {
        let voter = Voter { ledger: &self.ledger, me: &self.me, leads: self.leads() };
        let Some(ToSign { place, message }) = self.sealing.advance(now, voter) else {
            return;
        };
        let (certificate, signer) = self.keyring.signs();
        let (certificate, signature) = (certificate.clone(), signer.sign(&message));
        let command = Command::Seal { place, certificate, signature };
        self.propose(now, Purpose::Seal, command, PROPOSAL_WITHIN);
    }

    /// The ledger has answered, or has not.
    pub(crate) fn seal_ended(&mut self, now: Moment, end: &CallEnd) {
        self.sealing.ended(now, end);
    }

    pub(crate) fn sealing_deadline(&self) -> Option<Moment> {
        let voter = Voter { ledger: &self.ledger, me: &self.me, leads: self.leads() };
        self.sealing.next_deadline(voter)
    }
}

#[cfg(test)]
mod tests {
    use ledger::command::{Entry, Order, Proposed, Refused};
    use vocabulary::{
        Claims, LedgerIndex, ModelSigner, ModelVerifier, Signer as _, WallNote, model_authority,
        model_chain,
    };

    use super::*;

    fn claims(name: &str) -> Claims {
        let uri = format!("hale://prod/eu/a/{name}/{name}?group=web");
        let mut claims = Claims::from_uri(&uri).expect("sound");
        claims.roles.keeper = true;
        claims
    }

    fn id(name: &str) -> HostId {
        claims(name).id()
    }

    /// a, b and c have founded it.
    struct Mesh(Ledger, u64);

    impl Mesh {
        fn founded() -> Self {
            let mut mesh = Self(Ledger::new(), 0);
            let found = Command::Found {
                cluster: claims("a").cluster,
                authorities: vec![model_authority()],
                keepers: ["a", "b", "c"].map(|name| model_chain(&claims(name))).to_vec(),
            };
            mesh.send("a", found);
            mesh.send("a", Command::Rules { rules: rules::SECOND });
            mesh
        }

        fn send(&mut self, by: &str, command: Command) -> Outcome {
            self.1 += 1;
            let commands = vec![Proposed { by: id(by), command }];
            let entry = Entry { elapsed: Span::ZERO, wall: WallNote(1), commands };
            self.0.apply(LedgerIndex(self.1), &entry, &ModelVerifier).remove(0)
        }

        fn records(&mut self, count: u64) {
            for number in 0..count {
                let order = Order { who: "ops".into(), why: format!("drill {number}") };
                self.send("a", Command::Pause(order.clone()));
                self.send("a", Command::Resume(order));
            }
        }

        fn sign(&mut self, name: &str, ToSign { place, message }: ToSign) {
            let signature = ModelSigner::new(&claims(name).host).sign(&message);
            let certificate = model_chain(&claims(name));
            let outcome = self.send(name, Command::Seal { place, certificate, signature });
            assert_eq!(outcome, Outcome::Done);
        }

        fn asked(
            &self,
            sealing: &mut Sealing,
            (name, leads): (&str, bool),
            at: u64,
        ) -> Option<ToSign> {
            sealing.advance(moment(at), Voter { ledger: &self.0, me: &id(name), leads })
        }

        fn next(&self, sealing: &Sealing, (name, leads): (&str, bool)) -> Option<Moment> {
            sealing.next_deadline(Voter { ledger: &self.0, me: &id(name), leads })
        }
    }

    fn moment(seconds: u64) -> Moment {
        Moment::from_milliseconds(seconds * 1_000)
    }

    fn committed(outcome: Outcome) -> CallEnd {
        CallEnd::Committed { index: LedgerIndex(1), outcome }
    }

    /// Law SG2.
    #[test]
    fn the_leader_opens_after_ten_minutes_or_256_records_and_the_others_sign_at_once() {
        let mut mesh = Mesh::founded();
        let [mut a, mut b] = [Sealing::default(), Sealing::default()];
        assert_eq!(mesh.asked(&mut a, ("a", true), 0), None);
        assert_eq!(mesh.next(&a, ("a", true)), Some(moment(600)));
        assert_eq!(mesh.asked(&mut a, ("a", true), 599), None);
        assert_eq!(mesh.asked(&mut b, ("b", false), 0), None);
        let open = mesh.asked(&mut a, ("a", true), 600).expect("it is due");
        assert_eq!(mesh.next(&a, ("a", true)), None, "it asks");
        mesh.sign("a", open);
        a.ended(moment(600), &committed(Outcome::Done));
        assert_eq!(mesh.next(&b, ("b", false)), Some(Moment::default()), "at once");
        let signs = mesh.asked(&mut b, ("b", false), 601).expect("it is open");
        mesh.sign("b", signs);
        assert_eq!(mesh.0.unsealed(), 0);
        assert_eq!(
            (mesh.asked(&mut a, ("a", true), 605), mesh.next(&a, ("a", true))),
            (None, None)
        );
        mesh.records(SEAL_EVERY / 2);
        assert!(mesh.asked(&mut a, ("a", true), 606).is_some(), "so many do not wait");
    }

    /// Law SG2.
    #[test]
    fn where_the_leader_opens_nothing_each_other_voter_does_in_its_turn() {
        let mesh = Mesh::founded();
        let [mut a, mut b, mut d] = [Sealing::default(), Sealing::default(), Sealing::default()];
        for at in [0, 659] {
            assert_eq!(mesh.asked(&mut a, ("a", false), at), None);
            assert_eq!(mesh.asked(&mut b, ("b", false), at), None);
            assert_eq!(mesh.asked(&mut d, ("d", false), at), None);
        }
        assert!(mesh.asked(&mut a, ("a", false), 660).is_some());
        assert_eq!(mesh.next(&b, ("b", false)), Some(moment(720)));
        assert!(mesh.asked(&mut b, ("b", false), 720).is_some());
        assert_eq!(mesh.next(&d, ("d", false)), None, "it has no vote");
    }

    #[test]
    fn what_is_refused_is_tried_again_ever_later() {
        let mesh = Mesh::founded();
        let mut a = Sealing::default();
        assert_eq!(mesh.asked(&mut a, ("a", true), 0), None);
        let mut at = 600;
        for pause in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
            assert!(mesh.asked(&mut a, ("a", true), at).is_some());
            a.ended(moment(at), &committed(Outcome::Refused(Refused::Nothing)));
            assert_eq!(mesh.next(&a, ("a", true)), Some(moment(at + pause)));
            at += pause;
        }
        assert!(mesh.asked(&mut a, ("a", true), at).is_some());
        a.ended(moment(at), &CallEnd::Failed);
        assert_eq!(mesh.next(&a, ("a", true)), Some(moment(at + 5)), "nobody has refused it");
    }
}
