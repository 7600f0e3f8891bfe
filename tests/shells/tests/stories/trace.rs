//! The same seed gives the same packets; another seed gives others.
//!
//! The founding alone is held to it so far. Over a minute with faults two runs part, seldom and late: after a thaw, where
//! a host asks whoever knocks for a proof of its address, and between two processes. Why is not found yet.

use shells::tape::Tape;
use shells::world::play_on;
use shells::{Setup, Weather};
use vocabulary::Digest;

/// Ten hosts in bad weather find one another, and found their ledger.
fn beginning(seed: u64) -> (Digest, Vec<String>) {
    play_on(Tape::keeping(), Setup::grid(10, 3, seed), async |world| {
        world.set_weather(Weather { jitter_ms: 2, loss_permille: 5, ..Weather::default() });
        world.found().await;
        world.run(4_000).await;
        world.with_tape(|tape| {
            (tape.digest(), tape.packets().iter().map(ToString::to_string).collect())
        })
    })
}

#[test]
fn one_seed_gives_one_trace_and_another_seed_another() {
    let (one, again, other) = (beginning(7), beginning(7), beginning(8));
    let parted = one.1.iter().zip(&again.1).position(|(one, again)| one != again);
    if let Some(at) = parted {
        let from = at.saturating_sub(5);
        let upto = (at + 5).min(one.1.len()).min(again.1.len());
        panic!(
            "the runs part at packet {at} of {}:\n{:#?}\n{:#?}",
            one.1.len(),
            &one.1[from..upto],
            &again.1[from..upto]
        );
    }
    assert_eq!(one.0, again.0, "of {} and {} packets", one.1.len(), again.1.len());
    assert!(one.1.len() > 1_000, "{} packets are no founding", one.1.len());
    assert_ne!(one.1[..500], other.1[..500]);
}
