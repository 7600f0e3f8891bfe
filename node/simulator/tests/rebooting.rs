//! FleetLock clients of virtual hosts ask at their own hosts' doors, and a person ends what they leave behind.

use std::ops::ControlFlow;

use simulator::Fleet;
use simulator::script::Script;

fn fleet(orders: &str) -> Fleet {
    let text = format!(
        "hosts a1 a2 zone=a; hosts b1 b2 zone=b; hosts c1 c2 zone=c\nkeepers a1 b1 c1
policy
[budget]
fleet = {{ in_flight = 9, halt_above = \"none\" }}
any_group = {{ in_flight = 9 }}
end
{orders}"
    );
    let script = Script::read(&text).expect("a script");
    let fleet = script.play_watched(&mut |_| ControlFlow::Continue(())).expect("a fleet");
    assert_eq!(fleet.breaches(), []);
    fleet
}

/// Whose hosts hold slots.
fn held(fleet: &Fleet) -> Vec<String> {
    let slots = fleet.ledger().slots();
    let mut names: Vec<String> = slots
        .map(|(_, slot)| fleet.name_of(&slot.host.expect("law RB1: a host that is known")))
        .collect();
    names.sort();
    names
}

#[test]
fn law_rb1_the_slot_of_a_keepers_client_and_of_any_other_is_its_own_hosts() {
    assert_eq!(held(&fleet("take-slot a1 b2; run 2s")), ["a1", "b2"]);
    assert_eq!(held(&fleet("take-slot a1 b2; run 2s; take-slot a1 b2; run 2s")), ["a1", "b2"]);
}

#[test]
fn nobody_is_at_the_door_of_a_dead_agent() {
    assert!(held(&fleet("kill b2; take-slot b2; run 20s; start b2; run 20s")).is_empty());
    let kept = fleet("take-slot b2; run 2s; kill b2; return-slot b2; run 2s; start b2; run 30s");
    assert_eq!(held(&kept), ["b2"]);
}

#[test]
fn what_is_given_back_ends_once_its_host_is_seen_well_and_what_is_not_ends_by_a_person() {
    let taken = "take-slot b2 c2; run 2s; return-slot b2; run 5s";
    assert_eq!(held(&fleet(taken)), ["c2"]);
    assert!(held(&fleet(&format!("{taken}; revoke-slots; run 1s"))).is_empty());
}
