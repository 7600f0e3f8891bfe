//! What a host gossips of itself, in at most 200 bytes.
//!
//! Law H1: every value of [`Health`] fits [`RECORD_BYTES_MAX`] once stamped, and nothing larger is read from a peer.
//! Law H2: of two records of one host the newer (boot, sequence) stands.
//! Not here: when a record is sent and how it spreads (see `membership`); what a health record may lead to: nothing. It is
//! unsigned hearsay for screens and for where to look first, never a voice.

use serde::{Deserialize, Serialize};
use vocabulary::{Boot, Digest, Grade, HostId, Sequence};

/// Most bytes of one record on the mesh (protocol 4, protocol 8).
pub const RECORD_BYTES_MAX: usize = 200;

/// Most grades in one record: with [`DOUBTS_MAX`] doubts, what fits [`RECORD_BYTES_MAX`].
pub const GRADES_MAX: usize = 10;

/// Most doubted hosts named in one record; the rest are counted.
pub const DOUBTS_MAX: usize = 5;

/// A sequence at or above this is a lie: no host changes its health so often, and its owner could never go above it.
const SEQUENCE_END: u64 = 1 << 63;

/// A check within one policy, as the first four bytes of the SHA-256 of its name: a name of 63 bytes would not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckKey(pub u32);

/// How a host finds itself; only what is not as it should be is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Health {
    /// Own checks and grades of `reach` that are not `Ok`, worst first; at most [`GRADES_MAX`].
    grades: Vec<(CheckKey, Grade)>,
    /// Whom it doubts; at most [`DOUBTS_MAX`].
    doubts: Vec<HostId>,
    /// How many grades and doubts more there are than are listed; 255 stands for more.
    unlisted: u8,
    /// Whether it discounts its own voice (protocol 2.7).
    discounts_itself: bool,
}

/// One host's health at one point of one of its lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HealthRecord {
    /// Whose health it is.
    pub host: HostId,
    /// In which life.
    pub boot: Boot,
    /// Rises with each record of that life (law H2).
    pub sequence: Sequence,
    /// What it says.
    pub health: Health,
}

/// Why bytes are not a health record; nothing has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordFault {
    /// So many bytes, where [`RECORD_BYTES_MAX`] are allowed.
    TooLarge(usize),
    /// The codec says no.
    Codec(wire::Fault),
    /// More entries than the bounds allow, a grade `Ok`, or a sequence that no host reaches.
    OutOfBounds,
}

/// Why a host discounts its own voice (protocol 2.7), as its health record names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SelfDoubt {
    /// Its loop or its timers come late.
    Loop,
    /// Packets wait too long in its sockets, or are dropped there.
    Sockets,
    /// Relays that it reaches say nothing of what it asked them.
    Relays,
}

impl SelfDoubt {
    /// Every ground, for whoever reads a record.
    pub const ALL: [Self; 3] = [Self::Loop, Self::Sockets, Self::Relays];

    /// Under which key a record names it: a reader of an earlier version sees a check that it does not know.
    pub fn key(self) -> CheckKey {
        CheckKey::of(match self {
            Self::Loop => "hale self loop",
            Self::Sockets => "hale self sockets",
            Self::Relays => "hale self relays",
        })
    }
}

impl CheckKey {
    /// The key of an observer's grade `reach` of this subject (protocol 2.6). A reader looks for it among the subjects whom the
    /// record's host watches, twenty at most, so that four bytes tell them apart.
    pub fn reach(subject: &HostId) -> Self {
        Self::of_bytes(&[b"hale reach ", &subject.0])
    }

    /// The key of the check of that name.
    pub fn of(name: &str) -> Self {
        Self::of_bytes(&[name.as_bytes()])
    }

    fn of_bytes(parts: &[&[u8]]) -> Self {
        let digest = Digest::of(parts);
        let [a, b, c, d, ..] = digest.0;
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

impl Health {
    /// Keeps what fits, worst first, and counts the rest; grades that are `Ok` are left out.
    pub fn new(
        grades: impl IntoIterator<Item = (CheckKey, Grade)>,
        doubts: impl IntoIterator<Item = HostId>,
        discounts_itself: bool,
    ) -> Self {
        let mut grades: Vec<_> =
            grades.into_iter().filter(|(_, grade)| *grade != Grade::Ok).collect();
        grades.sort_by_key(|(key, grade)| (rank(*grade), *key));
        grades.dedup_by_key(|(key, _)| *key);
        let mut doubts: Vec<_> = doubts.into_iter().collect();
        doubts.sort();
        doubts.dedup();
        let unlisted =
            grades.len().saturating_sub(GRADES_MAX) + doubts.len().saturating_sub(DOUBTS_MAX);
        grades.truncate(GRADES_MAX);
        doubts.truncate(DOUBTS_MAX);
        Self {
            grades,
            doubts,
            unlisted: u8::try_from(unlisted).unwrap_or(u8::MAX),
            discounts_itself,
        }
    }

    /// Own checks whose grade is not `Ok`, worst first.
    pub fn grades(&self) -> &[(CheckKey, Grade)] {
        &self.grades
    }

    /// The grade under this key, if it is not as it should be and was listed.
    pub fn grade(&self, key: CheckKey) -> Option<Grade> {
        self.grades.iter().find(|(known, _)| *known == key).map(|(_, grade)| *grade)
    }

    /// Why it discounts its own voice, as far as it says (protocol 2.7).
    pub fn self_doubts(&self) -> impl Iterator<Item = SelfDoubt> {
        SelfDoubt::ALL.into_iter().filter(|ground| self.grade(ground.key()).is_some())
    }

    /// Whom it doubts, in the order of their ids.
    pub fn doubts(&self) -> &[HostId] {
        &self.doubts
    }

    /// How many grades and doubts more there are than are listed; 255 stands for more.
    pub fn unlisted(&self) -> u8 {
        self.unlisted
    }

    /// Whether it discounts its own voice (protocol 2.7).
    pub fn discounts_itself(&self) -> bool {
        self.discounts_itself
    }

    /// Whether there is nothing to say: what every host is taken for until it says otherwise.
    pub fn is_calm(&self) -> bool {
        *self == Self::default()
    }

    fn is_within_bounds(&self) -> bool {
        self.grades.len() <= GRADES_MAX
            && self.doubts.len() <= DOUBTS_MAX
            && self.grades.iter().all(|(_, grade)| *grade != Grade::Ok)
    }
}

impl HealthRecord {
    /// Whether this one stands against another of the same host (law H2).
    pub fn is_newer_than(&self, boot: Boot, sequence: Sequence) -> bool {
        (self.boot, self.sequence) > (boot, sequence)
    }

    /// The record as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = wire::encode(self);
        assert!(bytes.len() <= RECORD_BYTES_MAX, "law H1: a record fits 200 bytes");
        bytes
    }

    /// Reads a record, all of the bytes and no more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordFault> {
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(RecordFault::TooLarge(bytes.len()));
        }
        let record: Self = wire::decode(bytes).map_err(RecordFault::Codec)?;
        if record.health.is_within_bounds() && record.sequence.0 < SEQUENCE_END {
            Ok(record)
        } else {
            Err(RecordFault::OutOfBounds)
        }
    }
}

/// What a person should see first comes first.
fn rank(grade: Grade) -> u8 {
    match grade {
        Grade::Failed => 0,
        Grade::Degraded => 1,
        Grade::Unknown => 2,
        Grade::Ok => 3,
    }
}

impl std::fmt::Display for RecordFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge(bytes) => {
                write!(out, "a health record of {bytes} bytes, over {RECORD_BYTES_MAX}")
            }
            Self::Codec(fault) => write!(out, "no health record: {fault}"),
            Self::OutOfBounds => out.write_str("a health record beyond its bounds"),
        }
    }
}

impl std::error::Error for RecordFault {}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest() -> HealthRecord {
        let grades = (0..50).map(|at| (CheckKey(u32::MAX - at), Grade::Unknown));
        let doubts = (0..50).map(|at| HostId([255 - at; 16]));
        HealthRecord {
            host: HostId([255; 16]),
            boot: Boot { number: u64::MAX, nonce: u128::MAX },
            sequence: Sequence(SEQUENCE_END - 1),
            health: Health::new(grades, doubts, true),
        }
    }

    #[test]
    fn a_record_at_all_its_bounds_fits_and_comes_back_whole() {
        let record = largest();
        assert_eq!(record.health.grades().len(), GRADES_MAX);
        assert_eq!(record.health.doubts().len(), DOUBTS_MAX);
        assert_eq!(record.health.unlisted(), 40 + 45);
        let bytes = record.to_bytes();
        assert!(bytes.len() <= RECORD_BYTES_MAX, "{} bytes", bytes.len());
        assert_eq!(HealthRecord::from_bytes(&bytes), Ok(record));
    }

    #[test]
    fn a_record_beyond_its_bounds_is_a_fault_and_not_a_value() {
        let oversize = vec![0; RECORD_BYTES_MAX + 1];
        assert_eq!(
            HealthRecord::from_bytes(&oversize),
            Err(RecordFault::TooLarge(RECORD_BYTES_MAX + 1))
        );
        let mut unreachable = largest();
        unreachable.sequence = Sequence(SEQUENCE_END);
        let mut calm_but_listed = largest();
        calm_but_listed.health.grades[0].1 = Grade::Ok;
        let mut crowded = largest();
        crowded.health.doubts.clear();
        crowded.health.grades = vec![(CheckKey(1), Grade::Failed); GRADES_MAX + 1];
        for record in [unreachable, calm_but_listed, crowded] {
            let bytes = wire::encode(&record);
            assert_eq!(HealthRecord::from_bytes(&bytes), Err(RecordFault::OutOfBounds));
        }
        let mut trailing = largest().to_bytes();
        trailing.truncate(100);
        assert!(matches!(HealthRecord::from_bytes(&trailing), Err(RecordFault::Codec(_))));
    }

    #[test]
    fn a_grade_of_reach_and_a_ground_of_self_doubt_are_found_under_their_keys() {
        let (seen, other) = (HostId([1; 16]), HostId([2; 16]));
        let relays = SelfDoubt::Relays;
        let grades = [(CheckKey::reach(&seen), Grade::Degraded), (relays.key(), Grade::Failed)];
        let health = Health::new(grades, [], true);
        assert_eq!(health.grade(CheckKey::reach(&seen)), Some(Grade::Degraded));
        assert_eq!(health.grade(CheckKey::reach(&other)), None);
        assert_eq!(health.self_doubts().collect::<Vec<_>>(), [relays]);
    }

    #[test]
    fn the_worst_grades_are_the_ones_that_are_listed() {
        let many = (0..20).map(|at| (CheckKey(at), Grade::Degraded));
        let health =
            Health::new(many.chain([(CheckKey(99), Grade::Failed)]), [HostId([1; 16])], false);
        assert_eq!(health.grades()[0], (CheckKey(99), Grade::Failed));
        assert_eq!(health.unlisted(), 11);
        assert!(Health::new([(CheckKey(1), Grade::Ok)], [], false).is_calm());
    }
}
