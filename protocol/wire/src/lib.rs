//! Bytes on the mesh: frames, messages, versions, size limits, and the one door to the codec.
//!
//! Law W1: any bytes decode to a value or to a named fault; nothing panics and nothing allocates beyond the bound.
//! Law W2: the bytes of every message, letter, record and row are kept on golden pages; they change only with a [`version`], or
//! with the snapshot's layout, and the pages of older ones stay true.
//! Not here: what travels by datagram or stream and who may send it is stated (`kind`), but sending is the daemon's.

pub mod codec;
pub mod frame;
pub mod kind;
pub mod message;
pub mod version;

pub use codec::{Fault, decode, decode_prefix, encode};
pub use frame::DATAGRAM_BYTES_MAX;
pub use kind::{Kind, Refusal, admits};
pub use message::{
    Datagram, DoubtNote, Hello, HelloRefusal, LeaderHint, Leading, Report, Request, Response,
    Unavailable, UnfitNote, Welcome,
};
pub use version::{Framed, VersionRange};
