//! The one door to serde + bincode, with a bound on what a peer can make us allocate.
//!
//! bincode 2.0.1 is the last version there will be; nothing outside this file knows it, so that another codec can take its
//! place (docs/decisions). Fixed little-endian varint layout, as pinned by the golden files.

use std::fmt;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes that one decoded value may claim: the largest snapshot chunk with room for its frame.
pub const DECODED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most bytes that a snapshot may claim: 50,000 hosts of about 1 kB each, cases and audit, with room.
pub const STATE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What comes in so few bytes, every datagram and hello, may claim [`SMALL_CLAIM_MAX`] and no more, so that a text of four
/// megabytes that a packet announces is refused before it has any room.
const SMALL_BYTES: usize = 4 * 1024;

/// The codec counts a number by its full width: at most sixteen bytes for each one that came.
const SMALL_CLAIM_MAX: usize = 16 * SMALL_BYTES;

/// What a probe, its answer, a member or a header takes, with room; what is longer grows.
const FIRST_ROOM: usize = 96;

/// Where encoded bytes go.
struct Room(Vec<u8>);

impl bincode::enc::write::Writer for Room {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Why bytes are not a value; nothing has moved, the sender speaks another language or lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes end before the value does.
    Short,
    /// The value claims more than the bound.
    TooLarge,
    /// So many bytes are left behind the value.
    Trailing(usize),
    /// The bytes are no such value.
    Malformed(String),
    /// The frame's version is not one that this agent speaks.
    Version(u16),
    /// The frame's version is not the one that brought its message (law W5).
    OtherFrame {
        /// What the frame says.
        frame: u16,
        /// What brought the message.
        since: u16,
    },
}

/// The value as bytes.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    encode_behind(&[], value)
}

/// The value as bytes behind these: in one piece of memory, which for nearly everything is found large enough at once.
pub(crate) fn encode_behind<T: Serialize>(front: &[u8], value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FIRST_ROOM);
    bytes.extend_from_slice(front);
    let mut room = Room(bytes);
    bincode::serde::encode_into_writer(value, &mut room, layout())
        .expect("law W1: our own messages hold no type that bincode cannot lay out");
    room.0
}

/// Exactly one value, nothing behind it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let (value, used) = decode_prefix(bytes)?;
    match bytes.len() - used {
        0 => Ok(value),
        left => Err(Fault::Trailing(left)),
    }
}

/// Exactly one snapshot of the replicated state, put together again from chunks that were each checked on their way:
/// Raft and the store are trusted to break, not to lie (protocol 1.6), so the bound is that of the largest mesh.
pub fn decode_state<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let (value, used) = decode_state_prefix(bytes)?;
    match bytes.len() - used {
        0 => Ok(value),
        left => Err(Fault::Trailing(left)),
    }
}

/// The same at the front of more, and how many bytes it took.
pub fn decode_state_prefix<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), Fault> {
    let layout = bincode::config::standard().with_limit::<STATE_BYTES_MAX>();
    bincode::serde::decode_from_slice(bytes, layout).map_err(named)
}

/// One value at the front, and how many bytes it took.
pub fn decode_prefix<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), Fault> {
    let read = if bytes.len() <= SMALL_BYTES {
        let layout = bincode::config::standard().with_limit::<SMALL_CLAIM_MAX>();
        bincode::serde::decode_from_slice(bytes, layout)
    } else {
        bincode::serde::decode_from_slice(bytes, layout())
    };
    read.map_err(named)
}

fn layout() -> Configuration<LittleEndian, Varint, Limit<DECODED_BYTES_MAX>> {
    bincode::config::standard().with_limit::<DECODED_BYTES_MAX>()
}

fn named(error: bincode::error::DecodeError) -> Fault {
    match error {
        bincode::error::DecodeError::UnexpectedEnd { .. } => Fault::Short,
        bincode::error::DecodeError::LimitExceeded => Fault::TooLarge,
        other => Fault::Malformed(other.to_string()),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(out, "the bytes end before the message does"),
            Self::TooLarge => write!(
                out,
                "the bytes claim more than they may: {DECODED_BYTES_MAX} in a message, {STATE_BYTES_MAX} in a state, \
                 {SMALL_CLAIM_MAX} where fewer than {SMALL_BYTES} came"
            ),
            Self::Trailing(left) => write!(out, "{left} bytes are left behind the message"),
            Self::Malformed(why) => write!(out, "the bytes are no such message: {why}"),
            Self::Version(given) => write!(out, "version {given} of the wire is not spoken here"),
            Self::OtherFrame { frame, since } => {
                write!(out, "a message of version {since} came in a frame of version {frame}")
            }
        }
    }
}

impl std::error::Error for Fault {}
