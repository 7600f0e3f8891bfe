//! The whole state as a snapshot holds it: a healed case, one under way, a host that
//! has just enrolled and one that waits, a pause, a goodbye, a host that is added. Whoever changes these bytes raises the rules (`ledger::rules`): each
//! number has a layout of its own, and the pages of older ones are frozen.

use expect_test::expect_file;
use ledger::command::{Command, Outcome};
use ledger::{Ledger, SnapshotFault, rules};
use vocabulary::{ReceiptKind, model_chain};

use crate::fleet::{Fleet, Seen, claims, order};

pub(crate) fn lived() -> Fleet {
    let mut fleet = live(Fleet::healing());
    let name = vocabulary::HostName::new("e1").expect("sound");
    let add = Command::AddHost { name, may_enrol: true, order: order("it is bought") };
    assert_eq!(fleet.send("a1", add), Outcome::Done);
    fleet
}

/// Nothing in it is drawn: the same commands give the same state on every machine.
fn live(mut fleet: Fleet) -> Fleet {
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

/// As every version since the first one lays it while nobody has raised the rules.
fn of_the_first_rules() -> Vec<u8> {
    let text = include_str!("1/state.txt");
    let digits: Vec<char> = text.split_whitespace().flat_map(str::chars).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

#[test]
fn under_the_first_rules_a_life_gives_the_bytes_that_it_gave_then_and_they_are_read_as_it() {
    let fleet = live(Fleet::healing_under_the_first_rules());
    let bytes = of_the_first_rules();
    assert!(fleet.ledger.to_bytes() == bytes, "law C5: the state is laid as it was");
    let read = Ledger::from_bytes(&bytes).expect("a state");
    assert!(read == fleet.ledger, "law C5: the same life gives the same state");
    assert_eq!(read.rules(), rules::FIRST);
}

#[test]
fn what_lies_behind_a_state_of_the_first_rules_is_no_part_of_it_and_one_of_the_second_needs_it() {
    let mut bytes = of_the_first_rules();
    bytes.push(0);
    let trailing = SnapshotFault::Bytes(wire::Fault::Trailing(1));
    assert_eq!(Ledger::from_bytes(&bytes), Err(trailing));
    let mut renamed = of_the_first_rules();
    renamed[3] = 3;
    assert_eq!(Ledger::from_bytes(&renamed), Err(SnapshotFault::Bytes(wire::Fault::Short)));
}
