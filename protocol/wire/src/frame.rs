//! The frame around every message: a version, then the message.
//!
//! A datagram is one frame. On a stream each message is one frame, and the end of the stream's side ends it: one request,
//! one response (followers alone get many, each behind its length; see [`delimited`]).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, Fault};

/// The version of the wire that this code writes (protocol 1.6).
pub const VERSION: u16 = 1;

/// Largest datagram: what fits the smallest path after QUIC's own bytes (protocol 4; MTU 1,200 gives 1,162).
pub const DATAGRAM_BYTES_MAX: usize = 1_150;

/// Largest request or response on a stream that is not Raft or a snapshot: a round's grounds with room to grow.
pub const STREAM_BYTES_MAX: usize = 256 * 1024;

/// Largest Raft message or snapshot chunk.
pub const RAFT_BYTES_MAX: usize = codec::DECODED_BYTES_MAX;

/// The versions an agent can speak, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
pub struct VersionRange {
    /// Oldest.
    pub oldest: u16,
    /// Newest.
    pub newest: u16,
}

impl VersionRange {
    /// What this code speaks.
    pub const OURS: Self = Self { oldest: 1, newest: VERSION };

    /// The newest version both sides speak.
    pub fn common(self, other: Self) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest && newest >= other.oldest).then_some(newest)
    }
}

/// The message in its frame.
pub fn seal<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = VERSION.to_le_bytes().to_vec();
    bytes.append(&mut codec::encode(message));
    bytes
}

/// The one message of a frame, of at most `bytes_max` bytes.
pub fn open<T: DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, Fault> {
    if bytes.len() > bytes_max {
        return Err(Fault::TooLarge);
    }
    let (version, message) = bytes.split_first_chunk::<2>().ok_or(Fault::Short)?;
    match u16::from_le_bytes(*version) {
        VERSION => codec::decode(message),
        other => Err(Fault::Version(other)),
    }
}

/// A frame behind its length in four little-endian bytes, for streams that carry many.
pub fn delimited(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).expect("law W1: no frame is over RAFT_BYTES_MAX");
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(frame);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_another_version_is_a_named_fault() {
        let mut frame = seal(&7_u64);
        assert_eq!(open::<u64>(&frame, 100), Ok(7));
        assert_eq!(open::<u64>(&frame, 2), Err(Fault::TooLarge));
        frame[0] = 9;
        assert_eq!(open::<u64>(&frame, 100), Err(Fault::Version(9)));
        assert_eq!(open::<u64>(&frame[..1], 100), Err(Fault::Short));
    }

    #[test]
    fn two_ranges_meet_at_the_newest_both_speak_or_not_at_all() {
        let range = |oldest, newest| VersionRange { oldest, newest };
        assert_eq!(range(1, 3).common(range(2, 5)), Some(3));
        assert_eq!(range(1, 1).common(range(2, 5)), None);
    }
}
