//! Whatever a peer sends, in every place where a message is read.

use allocation_counter::measure;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use vocabulary::{Attestation, Grounds, SelfAnswer};
use wire::frame::{self, STREAM_BYTES_MAX};
use wire::version::{FIRST, NEWEST};
use wire::{DATAGRAM_BYTES_MAX, Datagram, Fault, Framed, Hello, Request, Response};

use crate::bent::{any_bytes, bent, is_value_or_fault};
use crate::messages::{self, HelloAnswer};

/// serde sets aside at most this for one list before its elements have come.
const SERDE_CAUTION_BYTES: u64 = 1024 * 1024;

/// Lists within lists in one message: attestations, and the paths of each.
const LISTS_DEEP: u64 = 2;

/// What so many bytes may make us set aside at most. A list's elements take up to four times the bytes that they came in, and
/// a growing list holds itself twice and a half for a moment.
fn allocated_max(came: usize) -> u64 {
    SERDE_CAUTION_BYTES * LISTS_DEEP + 64 * 1024 + 10 * came as u64
}

fn is_bounded<T: DeserializeOwned + Framed>(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<(), TestCaseError> {
    let mut read = None;
    let taken = measure(|| read = Some(frame::open::<T>(bytes, bytes_max).err()));
    let most = allocated_max(bytes.len());
    prop_assert!(taken.bytes_max <= most, "{} of {most} bytes", taken.bytes_max);
    if bytes.len() > bytes_max {
        prop_assert_eq!(read.flatten(), Some(Fault::TooLarge));
        prop_assert_eq!(taken.count_total, 0, "what is too large is not looked at");
    }
    Ok(())
}

/// Every place where the bytes of a peer become a message.
fn is_sound_everywhere(bytes: &[u8]) -> Result<(), TestCaseError> {
    is_value_or_fault::<Datagram>(bytes)?;
    is_value_or_fault::<Hello>(bytes)?;
    is_value_or_fault::<HelloAnswer>(bytes)?;
    is_value_or_fault::<Request>(bytes)?;
    is_value_or_fault::<Response>(bytes)?;
    is_value_or_fault::<Grounds>(bytes)?;
    is_value_or_fault::<Attestation>(bytes)?;
    is_value_or_fault::<SelfAnswer>(bytes)?;
    for version in FIRST..=NEWEST {
        let mut framed = version.to_le_bytes().to_vec();
        framed.extend_from_slice(bytes);
        is_bounded::<Datagram>(&framed, DATAGRAM_BYTES_MAX)?;
        is_bounded::<Hello>(&framed, STREAM_BYTES_MAX)?;
        is_bounded::<HelloAnswer>(&framed, STREAM_BYTES_MAX)?;
        is_bounded::<Request>(&framed, STREAM_BYTES_MAX)?;
        is_bounded::<Response>(&framed, STREAM_BYTES_MAX)?;
    }
    Ok(())
}

fn sound() -> Vec<Vec<u8>> {
    messages::page().rows().values().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_message_or_a_named_fault(bytes in any_bytes(1_400)) {
        is_sound_everywhere(&bytes)?;
        let _ = frame::open::<Request>(&bytes, STREAM_BYTES_MAX);
    }

    #[test]
    fn a_message_bent_in_any_way_is_a_message_or_a_named_fault(bytes in bent(sound())) {
        is_sound_everywhere(&bytes)?;
    }

    /// Long lists of the smallest elements are what takes most room for what came.
    #[test]
    fn a_frame_of_the_largest_size_takes_a_bounded_room(
        head in 0..18_u8, version in FIRST..=NEWEST, fill in any::<u8>(), length in 0..STREAM_BYTES_MAX - 16,
    ) {
        let mut bytes = vec![head, 0xfd];
        bytes.extend(u64::MAX.to_le_bytes());
        bytes.resize(bytes.len() + length, fill);
        let mut framed = version.to_le_bytes().to_vec();
        framed.extend(&bytes);
        is_bounded::<Request>(&framed, STREAM_BYTES_MAX)?;
        is_bounded::<Response>(&framed, STREAM_BYTES_MAX)?;
    }
}

#[test]
fn a_text_that_a_datagram_announces_and_does_not_bring_has_no_room() {
    // `Busy` with a text of three megabytes.
    let bytes = [11, 3, 0xfc, 0, 0, 0x30, 0];
    let taken = measure(|| assert_eq!(wire::decode::<Response>(&bytes), Err(Fault::TooLarge)));
    assert!(taken.bytes_max < 1_024, "{taken:?}");
}
