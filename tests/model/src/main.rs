//! `cargo run --profile fleet -p hale-test-model -- [small|large|NAME=NUMBER..]` searches a small world for a broken law.
//!
//! `small` is where the tests begin, `large` goes further in everything at once; `units=9`, `leaders=2` and the like change single bounds, in
//! order. The end is 1 where a law is broken.
//! Not here: the searches of the broken variants (see the tests).

use std::process::ExitCode;
use std::time::Instant;

use model::check::Search;
use model::world::{Bounds, Variant};

fn main() -> ExitCode {
    let mut bounds = Bounds::LARGE;
    for word in std::env::args().skip(1) {
        match read(bounds, &word) {
            Some(read) => bounds = read,
            None => {
                eprintln!("model: {word:?} is none of small, large and NAME=NUMBER ({bounds:?})");
                return ExitCode::from(2);
            }
        }
    }
    let begun = Instant::now();
    let found = Search::new(bounds, Variant::Whole).run();
    println!("{bounds:?}\n{found}{:.1} s", begun.elapsed().as_secs_f64());
    ExitCode::from(u8::from(!found.broken.is_empty()))
}

fn read(mut bounds: Bounds, word: &str) -> Option<Bounds> {
    match word {
        "small" => return Some(Bounds::SMALL),
        "large" => return Some(Bounds::LARGE),
        _ => {}
    }
    let (name, number) = word.split_once('=')?;
    let bound = match name {
        "units" => &mut bounds.units,
        "leaders" => &mut bounds.leaders,
        "renewals" => &mut bounds.renewals,
        "pauses" => &mut bounds.pauses,
        "recoveries" => &mut bounds.recoveries,
        "restarts" => &mut bounds.restarts,
        "rungs" => &mut bounds.rungs,
        _ => return None,
    };
    *bound = number.parse().ok()?;
    Some(bounds)
}
