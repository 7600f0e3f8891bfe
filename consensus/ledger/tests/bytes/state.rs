//! The whole state as a snapshot holds it: a healed case, one under way, a host that
//! has just enrolled and one that waits, a pause, a goodbye. Whoever changes these bytes raises `snapshot::LAYOUT`.

use expect_test::expect_file;
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use vocabulary::{ReceiptKind, model_chain};

use crate::fleet::{Fleet, Seen, claims, order};

/// Nothing in it is drawn: the same commands give the same state on every machine.
pub(crate) fn lived() -> Fleet {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    fleet.boot("b2", 2);
    fleet.verify(("c2", case, fence), &[("b2", Seen::Well)]);
    fleet.wait(3);
    fleet.verify(("c2", case, fence), &[("b2", Seen::Well)]);
    assert_eq!(fleet.stage(case), "closed");
    let (under_way, ..) = fleet.begun("a3", Seen::AgentDown, "c3");
    assert_eq!(fleet.stage(under_way), "remedy");
    for name in ["d2", "d3"] {
        let enrolled = fleet.send(name, Command::Enrol(model_chain(&claims(name))));
        assert_eq!(enrolled, Outcome::Done, "d3 waits for the next epoch");
    }
    fleet.send("c1", Command::Left { boot: crate::fleet::boot(1) });
    fleet.send("a1", Command::Pause(order("a look")));
    fleet
}

#[test]
fn the_bytes_of_a_state_that_has_lived_are_those_of_the_page_and_read_as_it() {
    let fleet = lived();
    let bytes = fleet.ledger.to_bytes();
    assert_eq!(Ledger::from_bytes(&bytes).as_ref(), Ok(&fleet.ledger));
    let lines: Vec<String> = bytes
        .chunks(64)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect();
    expect_file!["state.txt"].assert_eq(&lines.concat());
}

#[test]
fn a_state_of_the_first_version_is_read_and_laid_as_then() {
    let digits: Vec<char> =
        include_str!("1/state.txt").split_whitespace().flat_map(str::chars).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).expect("hex");
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    let ledger = Ledger::from_bytes(&bytes).expect("a state");
    assert!(ledger == lived().ledger, "the same life gives the same state");
    assert!(ledger.to_bytes() == bytes, "it is laid as it came");
}
