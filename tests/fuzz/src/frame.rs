//! A frame as it comes from a connection, before anybody knows what is in it.

use std::fmt::Debug;

use allocation_counter::measure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::frame::{self, STREAM_BYTES_MAX};
use wire::{
    DATAGRAM_BYTES_MAX, Datagram, Fault, Framed, Hello, HelloRefusal, Request, Response,
    VersionRange, Welcome,
};

/// serde sets aside at most this for one list before its elements have come.
const SERDE_CAUTION_BYTES: u64 = 1024 * 1024;

/// Lists within lists in one message: attestations, and the paths of each.
const LISTS_DEEP: u64 = 2;

/// What a fault's words and a message's fixed part take.
const FIXED_BYTES: u64 = 64 * 1024;

/// A list's elements take up to four times the bytes that they came in, and a growing list holds itself twice and a half.
const TIMES_WHAT_CAME: u64 = 10;

/// The first byte says what is expected there, the rest is the frame.
pub fn frame(bytes: &[u8]) {
    let Some((kind, frame)) = bytes.split_first() else {
        return;
    };
    match kind % 5 {
        0 => opened::<Datagram>(frame, DATAGRAM_BYTES_MAX),
        1 => opened::<Hello>(frame, STREAM_BYTES_MAX),
        2 => opened::<Result<Welcome, HelloRefusal>>(frame, STREAM_BYTES_MAX),
        3 => opened::<Request>(frame, STREAM_BYTES_MAX),
        _ => opened::<Response>(frame, STREAM_BYTES_MAX),
    }
}

/// Laws W1 and W5: within its bound, of a version that is spoken here and that brought its message, or a named fault; and no room is
/// taken that the bytes do not bear out.
fn opened<T>(bytes: &[u8], bytes_max: usize)
where
    T: Serialize + DeserializeOwned + Framed + PartialEq + Debug,
{
    let mut read = Err(Fault::Short);
    let taken = measure(|| read = frame::open::<T>(bytes, bytes_max));
    let most =
        SERDE_CAUTION_BYTES * LISTS_DEEP + FIXED_BYTES + TIMES_WHAT_CAME * bytes.len() as u64;
    assert!(taken.bytes_max <= most, "law W1: {} of {most} bytes", taken.bytes_max);
    if bytes.len() > bytes_max {
        assert_eq!(read, Err(Fault::TooLarge), "law W1: what is too large is not looked at");
        return;
    }
    match read {
        Err(why) => assert!(!why.to_string().is_empty(), "law W1: a fault says something"),
        Ok(message) => {
            let since = message.since();
            assert!(VersionRange::OURS.contains(since), "law W5: version {since}");
            assert_eq!(frame::version(bytes), Some(since), "law W5: it came in a frame of its own");
            let sealed = frame::seal(&message);
            assert!(sealed.len() <= bytes.len(), "law W1: the shortest spelling is our own");
            let again = frame::open::<T>(&sealed, bytes_max);
            assert_eq!(again, Ok(message), "law W1: read as written");
            let delimited = frame::delimited(&sealed);
            assert_eq!(delimited.len(), 4 + sealed.len(), "its length stands before it");
        }
    }
}
