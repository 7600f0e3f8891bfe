//! A keeper's store on a disk that has been damaged, opened as an agent opens it.

use crate::life::{LIFE, Life, OFFERED, start};

/// Places of the disk are told by cells of so many bytes: only those that hold anything.
const CELL_BYTES: usize = 64;

/// What is done to a disk before it is opened (law FZ2).
const EDITS_MAX: usize = 16;

/// redb's own header: which of two roots is in force, and where they are. No seal of ours is over it.
const HEADER_BYTES: usize = 320;

/// The first byte says on which disk; the rest is what is done to it, or, of a disk that nobody drew up, all of it.
///
/// Law R2 of `replication`: what was acknowledged is served, exactly, or the store does not open and says why. A damaged header may
/// name the root before the last one, as a header would that a crash left between the two phases of a commit; then all of an earlier
/// state is served, and nothing else. What a keeper may do that lost the end of its log so is bounded by law R1.
pub fn store(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else {
        return;
    };
    if which % 3 == 2 {
        return foreign(rest);
    }
    let which = usize::from(which % 3);
    let life = &*LIFE;
    let mut image = life.images[which].clone();
    edit(&mut image, rest);
    let is_empty = image.is_empty();
    let is_set_back = image.get(..HEADER_BYTES) != life.images[which].get(..HEADER_BYTES);
    match start(image) {
        Err(why) => assert!(!why.is_empty(), "a store that does not open says why"),
        Ok(served) if served.store == OFFERED => {
            assert!(is_empty, "protocol 1.8: a damaged store never starts empty");
        }
        Ok(served) => {
            let is_one = served == life.served[which];
            let is_earlier = is_set_back && life.earlier.contains(&served);
            assert!(is_one || is_earlier, "law R2: {}", told(life, &served));
        }
    }
}

/// Bytes that no store wrote: no store, but for none at all, which becomes one.
fn foreign(bytes: &[u8]) {
    match start(bytes.to_vec()) {
        Err(why) => assert!(!why.is_empty(), "a store that does not open says why"),
        Ok(served) => {
            assert!(bytes.is_empty() && served.store == OFFERED, "these bytes are no store");
        }
    }
}

/// Whether something was served that had once been so.
fn told(life: &Life, served: &crate::life::Served) -> String {
    match life.earlier.iter().rposition(|earlier| earlier == served) {
        Some(step) => format!("it serves what it was after {step} of {} steps", life.earlier.len()),
        None => "it serves what was never acknowledged".to_owned(),
    }
}

/// Each edit is a kind, a place in two bytes, and what the kind takes.
fn edit(image: &mut Vec<u8>, mut edits: &[u8]) {
    let cells: Vec<usize> = (0..image.len().div_ceil(CELL_BYTES))
        .filter(|cell| {
            let end = image.len().min((cell + 1) * CELL_BYTES);
            image[cell * CELL_BYTES..end].iter().any(|byte| *byte != 0)
        })
        .collect();
    for _ in 0..EDITS_MAX {
        let [kind, low, high, within, with, rest @ ..] = edits else {
            return;
        };
        edits = rest;
        let cell = usize::from(u16::from_le_bytes([*low, *high])) % cells.len().max(1);
        let cell = cells.get(cell).copied().unwrap_or_default();
        let place = cell * CELL_BYTES + usize::from(*within) % CELL_BYTES;
        edits = done(image, (*kind, place, *with), edits);
    }
}

/// One edit; what is left of the bytes.
fn done<'a>(image: &mut Vec<u8>, edit: (u8, usize, u8), rest: &'a [u8]) -> &'a [u8] {
    let (kind, place, with) = edit;
    let length = image.len();
    match kind % 4 {
        0 => {
            if let Some(byte) = image.get_mut(place) {
                *byte ^= with;
            }
            rest
        }
        1 => {
            let (new, left) = rest.split_at(usize::from(with).min(rest.len()));
            for (byte, new) in image.iter_mut().skip(place).zip(new) {
                *byte = *new;
            }
            left
        }
        2 => {
            let end = place.saturating_add(CELL_BYTES * usize::from(with >> 1)).min(length);
            let fill = if with % 2 == 0 { 0 } else { 0xff };
            if let Some(lost) = image.get_mut(place..end) {
                lost.fill(fill);
            }
            rest
        }
        _ => {
            image.truncate(place);
            rest
        }
    }
}
