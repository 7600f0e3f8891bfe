//! The frame around every message: the version that brought it (see `version`), then the message.
//!
//! A datagram is one frame. On a stream each message is one frame, and the end of the stream's side ends it: one request,
//! one response (followers alone get many, each behind its length; see [`delimited`]).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, Fault};
use crate::version::{Framed, VersionRange};

/// Largest datagram: what fits the smallest path after QUIC's own bytes (protocol 4; MTU 1,200 gives 1,162).
pub const DATAGRAM_BYTES_MAX: usize = 1_150;

/// Largest request or response on a stream that is not Raft or a snapshot: a round's grounds with room to grow.
pub const STREAM_BYTES_MAX: usize = 256 * 1024;

/// Largest Raft message or snapshot chunk.
pub const RAFT_BYTES_MAX: usize = codec::DECODED_BYTES_MAX;

/// The message in its frame; whether its receiver speaks that version is for the sender to look at ([`Framed::since`]).
pub fn seal<T: Serialize + Framed>(message: &T) -> Vec<u8> {
    codec::encode_behind(&message.since().to_le_bytes(), message)
}

/// The one message of a frame, of at most `bytes_max` bytes.
///
/// Law W5: the frame says the version that brought its message, no other.
pub fn open<T: DeserializeOwned + Framed>(bytes: &[u8], bytes_max: usize) -> Result<T, Fault> {
    if bytes.len() > bytes_max {
        return Err(Fault::TooLarge);
    }
    let (frame, message) = bytes.split_first_chunk::<2>().ok_or(Fault::Short)?;
    let frame = u16::from_le_bytes(*frame);
    if !VersionRange::OURS.contains(frame) {
        return Err(Fault::Version(frame));
    }
    let message: T = codec::decode(message)?;
    match message.since() {
        since if since == frame => Ok(message),
        since => Err(Fault::OtherFrame { frame, since }),
    }
}

/// The version that a frame of ours says, for a sender who holds it sealed.
pub fn version(frame: &[u8]) -> Option<u16> {
    frame.first_chunk::<2>().map(|version| u16::from_le_bytes(*version))
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
    use crate::message::Request;
    use crate::version::{FIRST, NEWEST};

    #[test]
    fn a_frame_of_another_version_is_a_named_fault() {
        let probe = || Ok(Request::Probe);
        let mut frame = seal(&Request::Probe);
        assert_eq!(version(&frame), Some(FIRST));
        assert_eq!(open::<Request>(&frame, 100), probe());
        assert_eq!(open::<Request>(&frame, 2), Err(Fault::TooLarge));
        frame[0] = 9;
        assert_eq!(open::<Request>(&frame, 100), Err(Fault::Version(9)));
        frame[0] = 0;
        assert_eq!(open::<Request>(&frame, 100), Err(Fault::Version(0)));
        assert_eq!(open::<Request>(&frame[..1], 100), Err(Fault::Short));
    }

    #[test]
    fn a_message_in_the_frame_of_another_version_than_its_own_is_a_named_fault() {
        for (message, other) in [(Request::Probe, NEWEST), (Request::Support, FIRST)] {
            let mut frame = seal(&message);
            assert_eq!(open::<Request>(&frame, 100), Ok(message.clone()));
            frame[..2].copy_from_slice(&other.to_le_bytes());
            let fault = Fault::OtherFrame { frame: other, since: message.since() };
            assert_eq!(open::<Request>(&frame, 100), Err(fault));
        }
    }
}
