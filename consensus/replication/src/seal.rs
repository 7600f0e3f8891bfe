//! Seals on records: what is read is what was written, at that place, in that store, after that record.
//!
//! redb verifies nothing on an ordinary read (protocol 1.8); this does. SHA-256, because the book of guests has no CRC
//! and a keeper writes a few entries a second.

use vocabulary::{Digest, StoreId};

/// Where a record lies; part of its seal, so that a record is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The store: a record of another store is no record of this one.
    pub(crate) store: StoreId,
    /// Which table.
    pub(crate) table: [u8; 4],
    /// Which key.
    pub(crate) key: u64,
}

/// A record whose seal has held.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    /// The seal of the record before it.
    pub(crate) before: Digest,
    /// Its own.
    pub(crate) seal: Digest,
    /// What was written.
    pub(crate) body: &'a [u8],
}

/// The record of `body` after `before`, and its seal.
pub(crate) fn close(place: Place, before: Digest, body: &[u8]) -> (Vec<u8>, Digest) {
    let seal = digest(place, before, body);
    let record = [&before.0, &seal.0, body].concat();
    (record, seal)
}

/// The record's parts, if its seal holds; one line for people otherwise.
pub(crate) fn open(place: Place, record: &[u8]) -> Result<Opened<'_>, String> {
    let short = || format!("it has only {} bytes", record.len());
    let (before, rest) = record.split_first_chunk::<32>().ok_or_else(short)?;
    let (seal, body) = rest.split_first_chunk::<32>().ok_or_else(short)?;
    let (before, seal) = (Digest(*before), Digest(*seal));
    let found = digest(place, before, body);
    if found != seal {
        return Err(format!("its seal says {seal:?}, its bytes say {found:?}"));
    }
    Ok(Opened { before, seal, body })
}

fn digest(place: Place, before: Digest, body: &[u8]) -> Digest {
    Digest::of(&[
        b"hale store 1",
        &place.store.0.to_le_bytes(),
        &place.table,
        &place.key.to_le_bytes(),
        &before.0,
        body,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { store: StoreId(7), table: *b"log ", key: 3 };

    #[test]
    fn any_flipped_bit_breaks_the_seal() {
        let (record, _) = close(PLACE, Digest([5; 32]), b"an entry");
        assert_eq!(open(PLACE, &record).unwrap().body, b"an entry");
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(PLACE, &flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_record_is_no_record_of_another_place_or_store() {
        let (record, _) = close(PLACE, Digest::default(), b"an entry");
        let key = 4;
        assert!(open(Place { key, ..PLACE }, &record).is_err());
        let store = StoreId(8);
        assert!(open(Place { store, ..PLACE }, &record).is_err());
        assert!(open(PLACE, &record[..40]).is_err());
    }
}
