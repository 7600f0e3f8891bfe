//! Bytes as a broken or hostile peer, or a broken disk, would give them: any at all, and sound ones bent; and what must
//! hold of whoever reads them (law W1, protocol 1.9).
#![allow(dead_code, reason = "each room uses its own part")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One way of spoiling bytes.
#[derive(Clone, Debug)]
pub enum Bend {
    /// Some bits of one byte.
    Flip(Index, u8),
    /// The end is missing.
    Cut(Index),
    /// There is more behind it.
    Lengthen(Vec<u8>),
    /// A number in it, perhaps a length, is huge: the codec's marks for 2, 4, 8 and 16 bytes, and all bits set behind them.
    Huge(Index, u8),
    /// A part of it comes twice.
    Repeat(Index, Index),
}

/// Any bytes at all, up to so many.
pub fn any_bytes(bytes_max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..bytes_max)
}

/// One of these, bent up to three times; sometimes not at all.
pub fn bent(sound: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(sound), vec(any_bend(), 0..4)).prop_map(|(mut bytes, bends)| {
        bends.iter().for_each(|bend| bend.spoil(&mut bytes));
        bytes
    })
}

fn any_bend() -> impl Strategy<Value = Bend> {
    prop_oneof![
        (any::<Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Bend::Flip(at, bits)),
        any::<Index>().prop_map(Bend::Cut),
        vec(any::<u8>(), 1..40).prop_map(Bend::Lengthen),
        (any::<Index>(), 0xfb..=0xfe_u8).prop_map(|(at, mark)| Bend::Huge(at, mark)),
        any::<(Index, Index)>().prop_map(|(from, to)| Bend::Repeat(from, to)),
    ]
}

impl Bend {
    fn spoil(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, bits) => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Lengthen(more) => bytes.extend(more),
            Self::Huge(at, mark) => {
                let at = at.index(bytes.len());
                let width = 2_usize << (mark - 0xfb);
                bytes.splice(at..=at, std::iter::once(*mark).chain(vec![0xff; width]));
            }
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let part = bytes[from.min(to)..=from.max(to)].to_vec();
                bytes.splice(from..from, part);
            }
        }
    }
}

/// Law W1: a value or a named fault. A value has one spelling of its own, no longer than what came, and is read back from it;
/// a fault says something.
pub fn is_value_or_fault<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
) -> Result<(), TestCaseError> {
    match wire::decode::<T>(bytes) {
        Err(why) => prop_assert!(!why.to_string().is_empty()),
        Ok(value) => {
            let spelled = wire::encode(&value);
            prop_assert!(spelled.len() <= bytes.len(), "{spelled:?} is longer than what came");
            let again = wire::decode::<T>(&spelled).map(|read| wire::encode(&read));
            prop_assert_eq!(again, Ok(spelled));
        }
    }
    Ok(())
}
