//! From the words about the ways between hosts to what is wrong with which of them.

use super::read::{Fallible, Wrong, permille, read_whom, span};
use crate::fault::{Fault, Trouble, Ways};

/// Whether an order that begins so is about the ways between hosts.
pub(super) fn is_trouble(word: &str) -> bool {
    ["loss", "latency", "jitter", "duplication", "reordering", "bandwidth"].contains(&word)
}

/// `loss 30%`, and behind it of which hosts or between which.
pub(super) fn read_links(word: &str, words: &[&str]) -> Fallible<Fault> {
    let [value, on @ ..] = words else {
        return Err("expected how much, and of whom".into());
    };
    let trouble = match word {
        "loss" => Trouble::Loss(permille(value)?),
        "latency" => Trouble::Latency(span(value)?),
        "jitter" => Trouble::Jitter(span(value)?),
        "duplication" => Trouble::Duplication(permille(value)?),
        "reordering" => Trouble::Reordering(permille(value)?),
        _ => Trouble::Bandwidth(read_bandwidth(value)?),
    };
    let on = read_ways(on)?;
    match (trouble, &on) {
        (Trouble::Bandwidth(_), Ways::Across(..) | Ways::Between(..)) => {
            Err("a bandwidth is of hosts' links, not between two sides".into())
        }
        _ => Ok(Fault::Links { trouble, on }),
    }
}

fn read_ways(words: &[&str]) -> Fallible<Ways> {
    let place = |word: &str| words.iter().position(|other| *other == word);
    match words {
        [] => Ok(Ways::All),
        ["between", rest @ ..] => {
            let and = place("and").ok_or("expected `between WHOM and WHOM`")?;
            let (near, far) = (&rest[..and - 1], &rest[and..]);
            Ok(Ways::Between(read_whom(near)?, read_whom(far)?))
        }
        ["from", rest @ ..] => match place("to") {
            Some(to) => Ok(Ways::Across(read_whom(&rest[..to - 1])?, read_whom(&rest[to..])?)),
            None => read_whom(rest).map(Ways::From),
        },
        ["to", rest @ ..] => read_whom(rest).map(Ways::To),
        whom => read_whom(whom).map(Ways::Of),
    }
}

/// `500B`, `20kB` or `1MB` a second; `full`: nothing is held up.
fn read_bandwidth(text: &str) -> Fallible<Option<u64>> {
    if text == "full" {
        return Ok(None);
    }
    let count = |unit: &str, times: u64| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(times)
    };
    // `kB` and `MB` before `B`: neither of these parses what stands before that letter.
    let bytes = count("kB", 1_000).or_else(|| count("MB", 1_000_000)).or_else(|| count("B", 1));
    bytes.filter(|bytes| *bytes > 0).map(Some).ok_or_else(|| {
        let why = format!("{text:?} is no bandwidth: expected 500B, 20kB, 1MB a second, or full");
        Wrong::of(text, why)
    })
}
