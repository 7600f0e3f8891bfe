//! Which of the words offered as grounds on checks count, and why the others do not.
//!
//! Laws Q3, Q4 and Q5 as for attestations: only what is signed by a key of the roster, for this anchor, from a held seat or by
//! the subject itself, about the present life, counts; the highest sequence of an author on a check counts alone; two different
//! words under one sequence are both void; anything signed for this anchor proves that its author lives.
//! Not here: whom the ledger holds gone (see `Asked`), what words add up to (see `fitness`).

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::{
    Anchor, Boot, CheckGrounds, CheckWord, Grade, HostId, Label, Sequence, Signature,
};

use super::Asked;
use crate::roster::Roster;
use crate::verdict::{Court, Void, Voided, later_boot, raise};

/// The words of one anchor, every signature checked.
#[derive(Clone, Debug)]
pub struct VerifiedWords {
    /// The one anchor.
    pub anchor: Anchor,
    /// At most one of each author on each check of each subject.
    heard: Vec<HeardWord>,
    /// All who signed anything for this anchor (law Q5).
    living: BTreeSet<HostId>,
    /// What does not count, and why.
    pub void: Vec<Voided>,
}

/// A word that was checked by itself; not yet against the others of its anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardWord {
    /// Whom the check is on.
    pub subject: HostId,
    /// Who says so.
    pub author: HostId,
    /// What it says.
    pub grade: Grade,
    pub(super) check: Label,
    subject_boot: Boot,
    author_boot: Boot,
    sequence: Sequence,
    /// Tells two words under one sequence apart.
    signature: Signature,
}

impl Court<'_> {
    fn check_word(&self, anchor: &Anchor, word: &CheckWord) -> Result<(), Void> {
        if word.anchor != *anchor {
            return Err(Void::OtherAnchor);
        }
        self.check_key(&word.author, &word.key, anchor)?;
        let bytes = word.signed_bytes(self.fleet.roster.cluster.as_str());
        self.check_bytes(&word.key, &bytes, &word.signature)
    }

    fn check_place(&self, word: &CheckWord) -> Result<HeardWord, Void> {
        let CheckWord { subject, author, epoch, .. } = word;
        self.check_epoch(*epoch, [subject, author])?;
        if author != subject && !self.fleet.seating.holds(author, subject) {
            return Err(Void::NoSeat);
        }
        Ok(HeardWord {
            subject: *subject,
            author: *author,
            grade: word.grade,
            check: word.check.clone(),
            subject_boot: word.subject_boot,
            author_boot: word.author_boot,
            sequence: word.sequence,
            signature: word.signature,
        })
    }
}

impl VerifiedWords {
    /// Checks all that is offered. Total: what does not count is listed in `void` and changes nothing else.
    pub fn verify(grounds: &CheckGrounds, court: &Court<'_>) -> Self {
        let (mut heard, mut living, mut void) = (Vec::new(), BTreeSet::new(), Vec::new());
        for word in &grounds.words {
            let result = court.check_word(&grounds.anchor, word).and_then(|()| {
                living.insert(word.author);
                court.check_place(word)
            });
            match result {
                Ok(sound) => heard.push(sound),
                Err(why) => {
                    void.push(Voided { observer: word.author, subject: word.subject, why });
                }
            }
        }
        let mut verified = Self::assembled(grounds.anchor, court.fleet.roster, heard);
        verified.living.extend(living);
        verified.void.extend(void);
        verified
    }

    /// Puts together what was checked one by one, all of it for this anchor.
    fn assembled(anchor: Anchor, roster: &Roster, mut heard: Vec<HeardWord>) -> Self {
        let (mut living, mut boots, mut void) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        for one in &heard {
            raise(&mut boots, one.author, one.author_boot);
            living.insert(one.author);
        }
        heard.retain(|one| match one.stale(roster, &boots) {
            None => true,
            Some(why) => {
                void.push(one.voided(why));
                false
            }
        });
        drop_equivocations(&mut heard, &mut void);
        // Highest sequence first within a place; the first of each place stays.
        heard.sort_unstable_by(|one, other| {
            one.place().cmp(&other.place()).then(other.order().cmp(&one.order()))
        });
        heard.dedup_by(|later, first| later.place() == first.place());
        Self { anchor, heard, living, void }
    }

    /// Whether the host signed anything for this anchor (law Q5).
    pub fn has_spoken(&self, host: &HostId) -> bool {
        self.living.contains(host)
    }

    /// What counts of this check on this subject, in the order of the authors' ids, its own word among them.
    pub fn said<'a>(&'a self, asked: &'a Asked<'_>) -> impl Iterator<Item = &'a HeardWord> {
        self.heard.iter().filter(|word| {
            word.subject == asked.subject
                && word.check == asked.check
                && !asked.gone.contains(&word.author)
        })
    }
}

impl HeardWord {
    /// protocol 3.1, 1.2: a word about or from an earlier life is void.
    fn stale(&self, roster: &Roster, signed: &BTreeMap<HostId, Boot>) -> Option<Void> {
        let later = |host, boot| later_boot(roster, signed, host, boot);
        later(&self.subject, self.subject_boot)
            .map(Void::SubjectBoot)
            .or_else(|| later(&self.author, self.author_boot).map(Void::ObserverBoot))
    }

    fn voided(&self, why: Void) -> Voided {
        Voided { observer: self.author, subject: self.subject, why }
    }

    fn place(&self) -> (HostId, &Label, HostId) {
        (self.subject, &self.check, self.author)
    }

    fn order(&self) -> (Boot, Sequence) {
        (self.author_boot, self.sequence)
    }
}

/// Law Q4. The sequence counts all of an author's words, so that two on different checks collide too.
fn drop_equivocations(heard: &mut Vec<HeardWord>, void: &mut Vec<Voided>) {
    heard.sort_unstable_by_key(|one| (one.author, one.order()));
    let same = |one: &HeardWord, other: &HeardWord| {
        (one.author, one.order()) == (other.author, other.order())
    };
    let mut sound = Vec::with_capacity(heard.len());
    for row in heard.chunk_by(same) {
        if row.iter().all(|one| one.signature == row[0].signature) {
            sound.push(row[0].clone());
        } else {
            void.extend(row.iter().map(|one| one.voided(Void::Equivocation(one.sequence))));
        }
    }
    *heard = sound;
}
