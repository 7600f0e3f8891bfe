//! Hosts on which nothing begins by itself (protocol 6.11; law EX1).

mod fleet;

use fleet::*;
use ledger::Ledger;
use ledger::command::{Command, Outcome, Refused};
use vocabulary::HostId;

fn exempt(host: HostId, is_exempt: bool) -> Command {
    Command::Exempt { host, is_exempt, order: order("it is mine") }
}

fn is_held(fleet: &Fleet, case: vocabulary::CaseId) -> bool {
    matches!(fleet.ledger.can_offer(case, id("c2")), Err(Refused::Exempt { .. }))
}

#[test]
fn law_ex1_nothing_begins_on_an_exempt_host_others_are_healed_and_a_person_is_called() {
    let mut fleet = Fleet::healing();
    assert_eq!(fleet.send("b1", exempt(id("b2"), true)), Outcome::Done);
    let [inside, outside] = fleet.of_two_kinds();
    fleet.wait(60);
    assert!(is_held(&fleet, inside));
    assert_eq!(fleet.ledger.can_offer(outside, id("a2")), Ok(()));
    let told = fleet.ledger.holds(inside)[0].rule.to_string();
    assert_eq!(
        told,
        "the host is exempt, by ops: it is mine; `hale host exempt b2 --undo --why ...` ends that"
    );
    let stuck: Vec<_> = fleet.ledger.stuck().iter().map(|(case, _)| case.id).collect();
    assert_eq!(stuck, [inside]);
    assert_eq!(fleet.send("b1", exempt(id("b2"), false)), Outcome::Done);
    fleet.leased(inside, "a2");
}

#[test]
fn law_ex1_a_lease_goes_back_and_what_has_begun_is_verified() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.leased(case, "c2");
    fleet.send("b1", exempt(id("b2"), true));
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "open");
    assert!(is_held(&fleet, case));

    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.send("b1", exempt(id("b2"), true));
    fleet.proven(("c2", case, fence), remedy, "b2");
}

#[test]
fn an_exemption_is_of_a_host_that_belongs_ends_with_it_and_is_kept_in_snapshots() {
    let mut fleet = Fleet::healing();
    let stranger = fleet.send("b1", exempt(HostId([9; 16]), true));
    assert_eq!(stranger, Outcome::Refused(Refused::UnknownHost));
    assert_eq!(fleet.send("b1", exempt(id("c3"), false)), Outcome::Refused(Refused::Nothing));
    for _ in 0..2 {
        assert_eq!(fleet.send("b1", exempt(id("c3"), true)), Outcome::Done);
    }
    assert_eq!(fleet.history(0).iter().filter(|what| *what == "HostExempted").count(), 1);
    let read = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("sound");
    assert_eq!(read, fleet.ledger);
    assert_eq!(read.exempt().map(|(host, _)| *host).collect::<Vec<_>>(), [id("c3")]);
    fleet.send("b1", Command::Retire { host: id("c3"), order: order("sold") });
    assert_eq!(fleet.ledger.exempt().count(), 0);
}
