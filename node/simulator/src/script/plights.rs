//! From the words about hosts that live and are held up, lie, and about the ledger's service, to what befalls whom.

use vocabulary::Span;

use super::read::{Fallible, Wrong, permille, read_whom, span};
use crate::fault::{Fault, Plight, ServiceTrouble};
use crate::lies::Lie;
use crate::ports::{Gives, Knocker, PortGives};

/// Whether an order that begins so is about what holds hosts up.
pub(super) fn is_plight(word: &str) -> bool {
    ["slow", "stall", "unstall", "suspend", "drift", "jump", "lose"].contains(&word)
}

/// `slow a1 500ms`: whom, and how.
pub(super) fn read_plight(word: &str, words: &[&str]) -> Fallible<Fault> {
    let (whom, plight) = match (word, words) {
        ("unstall", whom) => (whom, Plight::Unstall),
        ("lose", whom) => (whom, Plight::LoseDisk),
        ("stall", [whom @ .., lasts, "free", free]) => {
            let (lasts, free) = (span(lasts)?, span(free)?);
            if lasts.plus(free) == Span::ZERO {
                return Err("a stall and what is free between two take some time".into());
            }
            (whom, Plight::Stall { lasts, free: Some(free) })
        }
        ("stall", [whom @ .., lasts]) => (whom, Plight::Stall { lasts: span(lasts)?, free: None }),
        ("suspend", [whom @ .., lasts, "uncounted"]) => {
            (whom, Plight::Suspend { lasts: span(lasts)?, is_counted: false })
        }
        ("suspend", [whom @ .., lasts]) => {
            (whom, Plight::Suspend { lasts: span(lasts)?, is_counted: true })
        }
        ("slow", [whom @ .., by]) => (whom, Plight::Slow(span(by)?)),
        ("jump", [whom @ .., by]) => (whom, Plight::Jump(span(by)?)),
        ("drift", [whom @ .., by]) => (whom, Plight::Drift(signed(by)?)),
        _ => return Err("expected whom, and how much".into()),
    };
    Ok(Fault::Befall { whom: read_whom(whom)?, plight })
}

/// `ledger slow 2s`, `ledger leaderless 30s`, `ledger loses answers 20%`.
pub(super) fn read_service(words: &[&str]) -> Fallible<Fault> {
    let trouble = match words {
        ["slow", by] => ServiceTrouble::Slow(span(by)?),
        ["leaderless", text] => ServiceTrouble::Leaderless(span(text)?),
        ["loses", "answers", share] => ServiceTrouble::LosesAnswers(permille(share)?),
        _ => return Err("expected slow SPAN, leaderless SPAN or loses answers SHARE".into()),
    };
    Ok(Fault::Service(trouble))
}

/// `lie a1 b2 accuses`: whom, and how.
pub(super) fn read_lie(words: &[&str]) -> Fallible<Fault> {
    let [whom @ .., how] = words else {
        return Err("expected whom, and how they lie".into());
    };
    let lie = Lie::WORDS.into_iter().find(|(word, _)| word == how).map(|(_, lie)| lie);
    let lie = lie.ok_or_else(|| {
        let known = Lie::WORDS.map(|(word, _)| word).join(", ");
        Wrong::of(how, format!("{how:?} is none of {known}"))
    })?;
    Ok(Fault::Lie { whom: read_whom(whom)?, lie })
}

/// `port 8080 on a1 b2 refuses to itself`: which, whose, and what it gives to whom.
pub(super) fn read_port(words: &[&str]) -> Fallible<Fault> {
    let expected =
        "expected `port NUMBER on WHOM refuses|hangs|silent|serves [to itself|to peers]`";
    let (words, to) = match words {
        [words @ .., "to", "itself"] => (words, Knocker::Itself),
        [words @ .., "to", "peers"] => (words, Knocker::Peers),
        words => (words, Knocker::Anybody),
    };
    let [port, "on", whom @ .., how] = words else {
        return Err(expected.into());
    };
    let port = port.parse().ok().filter(|port| *port > 0);
    let port = port.ok_or_else(|| Wrong::of(words[0], format!("{:?} is no port", words[0])))?;
    let gives = Gives::WORDS.into_iter().find(|(word, _)| word == how).map(|(_, gives)| gives);
    let gives = gives.ok_or_else(|| {
        let known = Gives::WORDS.map(|(word, _)| word).join(", ");
        Wrong::of(how, format!("{how:?} is none of {known}"))
    })?;
    Ok(Fault::Port { whom: read_whom(whom)?, gives: PortGives { port, gives, to } })
}

/// `1%` too fast, `-1%` too slow.
fn signed(text: &str) -> Fallible<i32> {
    let (number, sign) = text.strip_prefix('-').map_or((text, 1), |number| (number, -1));
    let share = permille(number)?;
    i32::try_from(share).map(|share| sign * share).map_err(|why| Wrong::of(text, why.to_string()))
}
