//! Many seeds, each on whichever processor is free; red ones by their number, so that the first is the first whoever found it.

use std::ops::{ControlFlow, Range};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::drawing::{Mode, drawn};
use super::trial::{Ran, Red, play};

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Many {
    /// How many were played.
    pub seeds: u64,
    /// All sound runs together.
    pub ran: Ran,
    /// Every red seed and what it broke, in order.
    pub red: Vec<(u64, String)>,
}

/// Plays each seed; `tell` hears of each as it ends, and may have no later one begun.
pub fn play_many(
    seeds: Range<u64>,
    mode: Mode,
    threads: usize,
    tell: &(dyn Fn(u64, Option<&str>) -> ControlFlow<()> + Sync),
) -> Many {
    let (next, many) = (AtomicU64::new(seeds.start), Mutex::new(Many::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let end = play_seed(seed, mode);
            if tell(seed, end.as_ref().err().map(String::as_str)).is_break() {
                next.store(seeds.end, Ordering::Relaxed);
            }
            let mut many = many.lock().expect("no thread panics: a trial catches what does");
            many.seeds += 1;
            match end {
                Ok(ran) => many.ran = many.ran.and(ran),
                Err(law) => many.red.push((seed, law)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut many = many.into_inner().expect("every thread has ended");
    many.red.sort();
    many
}

fn play_seed(seed: u64, mode: Mode) -> Result<Ran, String> {
    let script = drawn(seed, mode).script().map_err(|fault| format!("no script: {fault}"))?;
    play(&script).map_err(|red| match red {
        Red::Broken(broken) => broken.law,
        Red::Script(fault) => format!("no script: {fault}"),
    })
}
