//! Which of the attestations and answers offered as grounds count, and why the others do not.
//!
//! Law Q3: only what is signed by a key of the roster, for this anchor, from a held seat, about the present life, counts.
//! Law Q4: the highest sequence of a seat counts alone; two different attestations under one sequence are both void.
//! Law Q5: anything signed for this anchor proves that its author lives, even where its voice is void.
//! Law Q6: of a host under whose name two machines live nothing counts, not even that it lives (protocol 1.2).
//! Not here: how old an anchor may be (the ledger knows its time), what voices add up to (see `tally`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use vocabulary::{
    Anchor, Answer, Attestation, Boot, Epoch, Grounds, HostId, PublicKey, SelfAnswer, Sequence,
    Signature, Verifier,
};

use super::Fleet;
use super::seat_set::SeatSet;
use super::voice::{Sight, sight};
use crate::roster::Roster;

/// What attestations are checked against.
#[derive(Clone, Copy)]
pub struct Court<'a> {
    /// Who belongs, with which keys, and who holds which seat.
    pub fleet: Fleet<'a>,
    /// Checks signatures.
    pub verifier: &'a dyn Verifier,
}

/// The grounds of one anchor, every signature checked.
#[derive(Clone, Debug)]
pub struct VerifiedGrounds {
    /// The one anchor.
    pub anchor: Anchor,
    /// At most one of each seat, in the order of (subject, observer).
    pub(super) heard: Vec<Heard>,
    /// Subjects that answered for themselves, with the highest boot they signed.
    pub(super) answered: BTreeMap<HostId, Boot>,
    /// All who signed anything for this anchor (law Q5).
    pub(super) living: BTreeSet<HostId>,
    /// What does not count, and why.
    pub void: Vec<Voided>,
    /// Hosts under whose name two machines live: they have no voice (law Q6).
    pub(super) mute: BTreeSet<HostId>,
}

/// An attestation that was checked by itself; not yet against the others of its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub(super) subject: HostId,
    pub(super) observer: HostId,
    subject_boot: Boot,
    observer_boot: Boot,
    sequence: Sequence,
    /// Tells two attestations under one sequence apart.
    signature: Signature,
    pub(super) sight: Sight,
    /// Which of the author's own observers reached it.
    pub(super) ingress: SeatSet,
    pub(super) late_ms: u32,
}

/// A subject's own answer whose signature and freshness were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardAnswer {
    subject: HostId,
    boot: Boot,
}

/// An attestation that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voided {
    /// Who is named as its author.
    pub observer: HostId,
    /// About whom; the author itself for an answer.
    pub subject: HostId,
    /// Why.
    pub why: Void,
}

/// Why an attestation or an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Void {
    /// More paths or ingress than an attestation may carry.
    OverBound,
    /// Author or subject does not belong to the mesh.
    Stranger,
    /// It was signed for another round.
    OtherAnchor,
    /// The key does not speak for its author at this anchor.
    Key,
    /// The signature is not that key's.
    Signature,
    /// protocol 3.2: author or subject changed at this epoch, after the one it was signed under.
    Changed(Epoch),
    /// It was signed under an epoch that is not yet known here.
    FutureEpoch(Epoch),
    /// The author holds none of the subject's seats.
    NoSeat,
    /// A higher boot of the subject is known, or another one under this number.
    SubjectBoot(Boot),
    /// A higher boot of the author is known, or another one under this number.
    ObserverBoot(Boot),
    /// Another attestation bears the same sequence.
    Equivocation(Sequence),
    /// Two machines live under its author's name (protocol 1.2).
    Duplicate,
}

impl Court<'_> {
    /// Checks one attestation by itself; the leader does so when it arrives, the ledger when it applies.
    pub fn hear(&self, anchor: &Anchor, attestation: &Attestation) -> Result<Heard, Void> {
        self.check_signature(anchor, attestation)?;
        self.check_seat(attestation)
    }

    /// Checks one answer of a subject (protocol 3.1): for the round itself, or for the nonce of an observer in it.
    pub fn hear_answer(&self, anchor: &Anchor, answer: &SelfAnswer) -> Result<HeardAnswer, Void> {
        let subject = answer.subject;
        let is_fresh = match answer.to {
            Answer::Round(round) => round == *anchor,
            Answer::Nonce(nonce) => {
                let mut observers = self.fleet.seating.observers(&subject).iter();
                observers.any(|observer| anchor.nonce(observer, &subject) == nonce)
            }
        };
        if !is_fresh {
            return Err(Void::OtherAnchor);
        }
        self.check_key(&subject, &answer.key, anchor)?;
        let bytes = answer.signed_bytes(self.fleet.roster.cluster.as_str());
        self.check_bytes(&answer.key, &bytes, &answer.signature)?;
        Ok(HeardAnswer { subject, boot: answer.boot })
    }

    fn check_signature(&self, anchor: &Anchor, attestation: &Attestation) -> Result<(), Void> {
        let fits = attestation.paths.len() <= Attestation::PATHS_MAX
            && attestation.ingress.len() <= Attestation::INGRESS_MAX;
        if !fits {
            return Err(Void::OverBound);
        }
        if attestation.anchor != *anchor {
            return Err(Void::OtherAnchor);
        }
        self.check_key(&attestation.observer, &attestation.key, anchor)?;
        let bytes = attestation.signed_bytes(self.fleet.roster.cluster.as_str());
        self.check_bytes(&attestation.key, &bytes, &attestation.signature)
    }

    /// Whether the key speaks for the host at this anchor.
    pub(crate) fn check_key(
        &self,
        host: &HostId,
        key: &PublicKey,
        anchor: &Anchor,
    ) -> Result<(), Void> {
        let entry = self.fleet.roster.get(host).ok_or(Void::Stranger)?;
        if entry.speaks(key, anchor.index) { Ok(()) } else { Err(Void::Key) }
    }

    /// Whether the key signed these bytes.
    pub(crate) fn check_bytes(
        &self,
        key: &PublicKey,
        bytes: &[u8],
        signed: &Signature,
    ) -> Result<(), Void> {
        if self.verifier.is_signed_by(key, bytes, signed) { Ok(()) } else { Err(Void::Signature) }
    }

    /// protocol 3.2: an earlier epoch stands if both entries are unchanged since.
    pub(crate) fn check_epoch(&self, epoch: Epoch, hosts: [&HostId; 2]) -> Result<(), Void> {
        if epoch > self.fleet.roster.epoch {
            return Err(Void::FutureEpoch(epoch));
        }
        for host in hosts {
            let entry = self.fleet.roster.get(host).ok_or(Void::Stranger)?;
            if entry.changed > epoch {
                return Err(Void::Changed(entry.changed));
            }
        }
        Ok(())
    }

    /// That the seat was held is asked of today's seats: where it has moved meanwhile the voice is lost and the next round
    /// has the new holder's.
    fn check_seat(&self, attestation: &Attestation) -> Result<Heard, Void> {
        let Attestation { subject, observer, epoch, .. } = attestation;
        self.check_epoch(*epoch, [subject, observer])?;
        if !self.fleet.seating.holds(observer, subject) {
            return Err(Void::NoSeat);
        }
        let ingress = attestation.ingress.iter();
        Ok(Heard {
            subject: *subject,
            observer: *observer,
            subject_boot: attestation.subject_boot,
            observer_boot: attestation.observer_boot,
            sequence: attestation.sequence,
            signature: attestation.signature,
            sight: sight(attestation),
            ingress: ingress.filter_map(|from| self.fleet.seating.seat(from, observer)).collect(),
            late_ms: attestation.late_ms,
        })
    }
}

impl VerifiedGrounds {
    /// Checks all that is offered. Total: what does not count is listed in `void` and changes nothing else.
    pub fn verify(grounds: &Grounds, court: &Court<'_>) -> Self {
        let anchor = grounds.anchor;
        let (mut heard, mut answers, mut living, mut void) =
            (Vec::new(), Vec::new(), BTreeSet::new(), Vec::new());
        for attestation in &grounds.attestations {
            let Attestation { observer, subject, .. } = *attestation;
            let result = court.check_signature(&anchor, attestation).and_then(|()| {
                living.insert(observer);
                court.check_seat(attestation)
            });
            match result {
                Ok(sound) => heard.push(sound),
                Err(why) => void.push(Voided { observer, subject, why }),
            }
        }
        for answer in &grounds.answers {
            match court.hear_answer(&anchor, answer) {
                Ok(sound) => answers.push(sound),
                Err(why) => {
                    let subject = answer.subject;
                    void.push(Voided { observer: subject, subject, why });
                }
            }
        }
        let mut verified = Self::assembled(anchor, court.fleet.roster, heard, &answers);
        verified.living.extend(living);
        verified.void.extend(void);
        verified
    }

    /// Puts together what was checked one by one as it arrived, all of it for this anchor.
    pub fn assembled(
        anchor: Anchor,
        roster: &Roster,
        mut heard: Vec<Heard>,
        answers: &[HeardAnswer],
    ) -> Self {
        let mut living = BTreeSet::new();
        let mut boots = BTreeMap::new();
        let mut answered = BTreeMap::new();
        for answer in answers {
            raise(&mut answered, answer.subject, answer.boot);
            raise(&mut boots, answer.subject, answer.boot);
            living.insert(answer.subject);
        }
        for one in &heard {
            raise(&mut boots, one.observer, one.observer_boot);
            living.insert(one.observer);
        }
        let mut void = Vec::new();
        heard.retain(|one| match one.stale(roster, &boots) {
            None => true,
            Some(why) => {
                void.push(one.voided(why));
                false
            }
        });
        drop_equivocations(&mut heard, &mut void);
        // Highest sequence first within a seat; the first of each seat stays.
        heard.sort_unstable_by(|one, other| {
            one.seat().cmp(&other.seat()).then(other.order().cmp(&one.order()))
        });
        heard.dedup_by_key(|one| one.seat());
        Self { anchor, heard, answered, living, void, mute: BTreeSet::new() }
    }

    /// Law Q6: the same grounds without a word of these hosts, whose seats are vacant then (protocol 3.3).
    #[must_use]
    pub fn without(mut self, duplicates: BTreeSet<HostId>) -> Self {
        let why = Void::Duplicate;
        let (mute, heard): (Vec<Heard>, Vec<Heard>) =
            self.heard.into_iter().partition(|one| duplicates.contains(&one.observer));
        self.heard = heard;
        self.void.extend(mute.iter().map(|one| one.voided(why)));
        self.answered.retain(|host, _| !duplicates.contains(host));
        self.living.retain(|host| !duplicates.contains(host));
        self.mute = duplicates;
        self
    }

    /// The boot in which a subject answered for itself, if it did (protocol 7.7 asks for a higher one).
    pub fn answered_boot(&self, subject: &HostId) -> Option<Boot> {
        self.answered.get(subject).copied()
    }

    /// Whether the host signed anything for this anchor: an answer, or an attestation about anybody (law Q5).
    pub fn has_spoken(&self, host: &HostId) -> bool {
        self.living.contains(host)
    }

    /// Who was heard about a subject and what each saw, in the order of ids; for `explain`.
    pub fn sights(&self, subject: &HostId) -> impl Iterator<Item = (&HostId, &Sight)> {
        let from = self.heard.partition_point(|one| one.subject < *subject);
        let until = self.heard.partition_point(|one| one.subject <= *subject);
        let heard = self.heard[from..until].iter();
        heard.map(|one| (&one.observer, &one.sight))
    }
}

impl Heard {
    /// protocol 3.1, 1.2: a word about or from an earlier life is void.
    fn stale(&self, roster: &Roster, signed: &BTreeMap<HostId, Boot>) -> Option<Void> {
        let later = |host, boot| later_boot(roster, signed, host, boot);
        later(&self.subject, self.subject_boot)
            .map(Void::SubjectBoot)
            .or_else(|| later(&self.observer, self.observer_boot).map(Void::ObserverBoot))
    }

    fn voided(&self, why: Void) -> Voided {
        Voided { observer: self.observer, subject: self.subject, why }
    }

    pub(super) fn is_later_than(&self, other: &Self) -> bool {
        self.order() > other.order()
    }

    fn seat(&self) -> (HostId, HostId) {
        (self.subject, self.observer)
    }

    fn order(&self) -> (Boot, Sequence) {
        (self.observer_boot, self.sequence)
    }
}

/// Law Q4. The sequence counts all of an observer's attestations, so that two about different subjects collide too.
fn drop_equivocations(heard: &mut Vec<Heard>, void: &mut Vec<Voided>) {
    heard.sort_unstable_by_key(|one| (one.observer, one.order()));
    let same =
        |one: &Heard, other: &Heard| (one.observer, one.order()) == (other.observer, other.order());
    let mut sound = Vec::with_capacity(heard.len());
    for row in heard.chunk_by(same) {
        if row.iter().all(|one| one.signature == row[0].signature) {
            sound.push(row[0]);
        } else {
            void.extend(row.iter().map(|one| one.voided(Void::Equivocation(one.sequence))));
        }
    }
    *heard = sound;
}

/// The boot in which a host is known to live, where this one is not it. Only the committed boots and those that a host signed
/// itself are known: what others claim of its boot could void every voice.
pub(crate) fn later_boot(
    roster: &Roster,
    signed: &BTreeMap<HostId, Boot>,
    host: &HostId,
    boot: Boot,
) -> Option<Boot> {
    let committed = roster.get(host).and_then(|entry| entry.boot);
    let own = signed.get(host).copied();
    let known =
        own.filter(|own| committed.is_none_or(|boot| own.number > boot.number)).or(committed);
    known.filter(|known| boot.number <= known.number && boot != *known)
}

/// Raises the known boot of a host that signed a word in this one.
pub(crate) fn raise(boots: &mut BTreeMap<HostId, Boot>, host: HostId, boot: Boot) {
    let known = boots.entry(host).or_insert(boot);
    if boot.number > known.number {
        *known = boot;
    }
}

impl fmt::Display for Void {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OverBound => write!(out, "it carries more paths or ingress than allowed"),
            Self::Stranger => write!(out, "its author or subject does not belong to the mesh"),
            Self::OtherAnchor => write!(out, "it was signed for another round"),
            Self::Key => write!(out, "its key does not speak for its author"),
            Self::Signature => write!(out, "its signature does not match its key"),
            Self::Changed(epoch) => {
                write!(
                    out,
                    "its author or subject changed at roster epoch {epoch}, after it was signed"
                )
            }
            Self::FutureEpoch(epoch) => write!(out, "roster epoch {epoch} is not known here yet"),
            Self::NoSeat => write!(out, "its author holds no seat at the subject"),
            Self::SubjectBoot(boot) => write!(out, "the subject lives in boot {}", boot.number),
            Self::ObserverBoot(boot) => write!(out, "its author lives in boot {}", boot.number),
            Self::Equivocation(sequence) => {
                write!(out, "its author signed two different words as number {sequence}")
            }
            Self::Duplicate => write!(out, "two machines live under its author's name"),
        }
    }
}
