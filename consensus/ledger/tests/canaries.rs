//! Of several hosts in one kind of trouble the first goes alone, the others follow its proof, and a remedy that fails on three is stopped
//! (protocol 6.3).

mod fleet;

use fleet::*;
use ledger::command::{Command, Outcome, Refused};
use ledger::{Ledger, rules};
use vocabulary::{CaseId, Fence, GroupName, ReceiptKind, Scope};

/// One gentle rung and no more, room for all, and no host is tried twice.
fn one_rung() -> String {
    let wide =
        POLICY.replace("in_flight = 2", "in_flight = 9").replace("at_most = 3", "at_most = 1");
    let second = wide.lines().find(|line| line.contains("/bin/reboot")).expect("a second rung");
    wide.replacen(second, "", 1)
}

fn fleet_of_one_rung() -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&one_rung());
    fleet
}

/// Each comes into trouble alone, so that none of it is a surge.
fn fallen<const N: usize>(fleet: &mut Fleet, names: [&str; N]) -> [CaseId; N] {
    names.map(|name| {
        fleet.wait(60);
        fleet.opened(name, Seen::AgentDown)
    })
}

/// A remedy is begun under this lease and its end is known.
fn begin(fleet: &mut Fleet, (name, case, fence): (&str, CaseId, Fence), healer: &str) {
    let outcome = fleet.intend((healer, case, fence), &[(name, Seen::AgentDown)]);
    fleet.receive((healer, case, fence), remedy(&outcome), ReceiptKind::Done);
}

fn tried(fleet: &mut Fleet, (name, case): (&str, CaseId), healer: &str) -> Fence {
    let fence = fleet.leased(case, healer);
    fleet.wait(6);
    begin(fleet, (name, case, fence), healer);
    fence
}

fn fails(fleet: &mut Fleet, of: (&str, CaseId), healer: &str) {
    let fence = tried(fleet, of, healer);
    fleet.wait_renewing(31, healer, of.1, fence);
    assert_ne!(fleet.stage(of.1), "verifying", "its proof never came");
}

fn works(fleet: &mut Fleet, of: (&str, CaseId), healer: &str) {
    let fence = tried(fleet, of, healer);
    proves(fleet, of, (healer, fence));
}

fn proves(fleet: &mut Fleet, (name, case): (&str, CaseId), (healer, fence): (&str, Fence)) {
    fleet.boot(name, 2);
    fleet.verify((healer, case, fence), &[(name, Seen::Well)]);
    fleet.wait(4);
    fleet.verify((healer, case, fence), &[(name, Seen::Well)]);
    assert_eq!(fleet.stage(case), "closed");
}

fn canary(outcome: &Outcome) -> Option<(CaseId, bool)> {
    match outcome {
        Outcome::Refused(Refused::Canary { case, is_elsewhere }) => Some((*case, *is_elsewhere)),
        _ => None,
    }
}

fn free_web() -> Command {
    let web = GroupName::new("web").expect("sound");
    Command::Free { subject: Scope::Group(web), order: order("the unit file is mended") }
}

#[test]
fn law_ca1_the_first_goes_alone_and_the_others_follow_its_proof() {
    let mut fleet = fleet_of_one_rung();
    let [first, second, third] = fallen(&mut fleet, ["a2", "b2", "c2"]);
    let fence = fleet.leased(first, "a3");
    for other in [second, third] {
        assert_eq!(canary(&fleet.offer(other, "b3")), Some((first, false)));
    }
    let refused = refusal(&fleet.offer(second, "b3"));
    assert!(refused.contains("case 1 has the same trouble and goes first, alone"), "{refused}");
    fleet.wait(6);
    begin(&mut fleet, ("a2", first, fence), "a3");
    assert_eq!(canary(&fleet.offer(second, "b3")), Some((first, false)), "until it is proven");
    proves(&mut fleet, ("a2", first), ("a3", fence));
    for other in [second, third] {
        fleet.leased(other, "b3");
    }
}

#[test]
fn law_ca1_no_answer_is_no_proof() {
    let mut fleet = fleet_of_one_rung();
    let [first, second] = fallen(&mut fleet, ["a2", "b2"]);
    let fence = fleet.leased(first, "a3");
    fleet.wait(6);
    let outcome = fleet.intend(("a3", first, fence), &[("a2", Seen::AgentDown)]);
    fleet.receive(("a3", first, fence), remedy(&outcome), ReceiptKind::Unknown);
    fleet.wait_renewing(15 * 60, "a3", first, fence);
    assert_eq!(fleet.stage(first), "escalated");
    assert_eq!(canary(&fleet.offer(second, "b3")), Some((first, false)));
    let stuck = fleet.ledger.stuck();
    assert_eq!(stuck.len(), 1, "a person is called for whoever waits: {stuck:?}");
}

#[test]
fn another_kind_of_trouble_and_another_bout_have_canaries_of_their_own() {
    let mut fleet = fleet_of_one_rung();
    let [first, _] = fallen(&mut fleet, ["a2", "b2"]);
    fleet.leased(first, "a3");
    let other_kind = fleet.opened("c2", Seen::HostDown);
    fleet.wait(10);
    fleet.leased(other_kind, "b3");
    let mut fleet = fleet_of_one_rung();
    let [alone] = fallen(&mut fleet, ["a2"]);
    works(&mut fleet, ("a2", alone), "a3");
    fleet.wait(3_600);
    let [again, third] = fallen(&mut fleet, ["b2", "c2"]);
    fleet.leased(again, "a3");
    assert_eq!(canary(&fleet.offer(third, "b3")), Some((again, false)), "that bout is over");
}

#[test]
fn law_ca1_after_a_failure_the_next_goes_alone_and_in_another_rack() {
    let mut fleet = Fleet::of(
        [
            ("a1", "a", "r1"),
            ("b1", "b", "r1"),
            ("c1", "c", "r1"),
            ("a2", "a", "r2"),
            ("a3", "a", "r2"),
        ]
        .into_iter()
        .chain([("b2", "b", "r2"), ("b3", "b", "r3"), ("c2", "c", "r2"), ("c3", "c", "r3")])
        .map(|(name, zone, rack)| claims_in(name, zone, rack))
        .collect(),
    );
    fleet.set_policy(&one_rung());
    let [first, mate, elsewhere] = fallen(&mut fleet, ["a2", "a3", "b2"]);
    fails(&mut fleet, ("a2", first), "b3");
    assert_eq!(canary(&fleet.offer(mate, "c3")), Some((elsewhere, true)));
    let refused = refusal(&fleet.offer(mate, "c3"));
    assert!(refused.contains("was not proven in this rack: case 3"), "{refused}");
    works(&mut fleet, ("b2", elsewhere), "c3");
    fleet.leased(mate, "c3");
}

#[test]
fn law_ca1_leases_that_were_granted_before_a_remedy_failed_begin_one_after_the_other() {
    let mut fleet = fleet_of_one_rung();
    let [first, fails, second, third] = fallen(&mut fleet, ["a2", "a3", "b2", "c2"]);
    works(&mut fleet, ("a2", first), "b3");
    let fence = tried(&mut fleet, ("a3", fails), "b3");
    fleet.wait_renewing(20, "b3", fails, fence);
    let [two, three] = [second, third].map(|case| fleet.leased(case, "c3"));
    fleet.wait_renewing(11, "b3", fails, fence);
    assert_eq!(fleet.stage(fails), "quarantined");
    let both = [("b2", Seen::AgentDown), ("c2", Seen::AgentDown)];
    let outcome = fleet.intend(("c3", second, two), &both);
    assert!(matches!(outcome, Outcome::Intended { .. }), "{outcome:?}");
    assert_eq!(canary(&fleet.intend(("c3", third, three), &both)), Some((second, false)));
}

#[test]
fn law_ca2_a_remedy_that_fails_on_three_hosts_in_a_row_is_stopped_until_a_person_releases_it() {
    let mut fleet = fleet_of_one_rung();
    let names = ["a2", "b2", "c2", "a3"];
    let cases = fallen(&mut fleet, names);
    for (name, case) in names.into_iter().zip(cases).take(3) {
        assert_eq!(fleet.ledger.stopped_kinds().count(), 0);
        fails(&mut fleet, (name, case), "b3");
    }
    let refused = refusal(&fleet.offer(cases[3], "b3"));
    assert_eq!(
        refused,
        "rule \"agent down\" is stopped in group web: its remedies helped none of 3 hosts in a row, of \
         case 1, case 2, case 3; `hale release --group web --why ...` frees it"
    );
    assert_eq!(fleet.history(0).iter().filter(|what| *what == "KindStopped").count(), 1);
    assert_eq!(fleet.ledger.stuck().len(), 1, "no term frees it: a person is called");
    let again = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("a snapshot");
    assert_eq!(again.stopped_kinds().count(), 1);
    assert_eq!(fleet.send("a1", free_web()), Outcome::Done);
    assert_eq!(fleet.ledger.stopped_kinds().count(), 0);
    fleet.leased(cases[3], "b3");
}

#[test]
fn a_host_climbs_its_ladder_and_counts_as_one_that_was_not_helped_only_at_its_end() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("in_flight = 2", "in_flight = 9"));
    let names = ["a2", "b2", "c2"];
    let cases = fallen(&mut fleet, names);
    for (name, case) in names.into_iter().zip(cases) {
        fails(&mut fleet, (name, case), "b3");
        assert_eq!(fleet.stage(case), "open", "its second rung is to come");
    }
    assert_eq!(fleet.ledger.stopped_kinds().count(), 0);
    works(&mut fleet, ("a2", cases[0]), "b3");
    for case in [cases[1], cases[2]] {
        fleet.leased(case, "c3");
    }
}

#[test]
fn law_ca1_a_policy_that_changes_takes_its_proofs_along() {
    let mut fleet = fleet_of_one_rung();
    let [first, second, third] = fallen(&mut fleet, ["a2", "b2", "c2"]);
    works(&mut fleet, ("a2", first), "b3");
    fleet.set_policy(&one_rung().replace("/bin/start", "/bin/other"));
    fleet.leased(second, "b3");
    assert_eq!(canary(&fleet.offer(third, "c3")), Some((second, false)));
}

#[test]
fn a_stop_ends_with_its_rule() {
    let mut fleet = fleet_of_one_rung();
    let names = ["a2", "b2", "c2"];
    let cases = fallen(&mut fleet, names);
    for (name, case) in names.into_iter().zip(cases) {
        fails(&mut fleet, (name, case), "b3");
    }
    assert_eq!(fleet.ledger.stopped_kinds().count(), 1);
    fleet.set_policy(&one_rung().replace("in_flight = 9", "in_flight = 8"));
    assert_eq!(fleet.ledger.stopped_kinds().count(), 1, "another policy lifts no stop");
    fleet.set_policy(&one_rung().replace("\"agent down\"", "\"agents\""));
    assert_eq!(fleet.ledger.stopped_kinds().count(), 0);
}

#[test]
fn law_ca1_whoever_would_wait_for_quiet_keeps_nobody_waiting() {
    let mut fleet = fleet_of_one_rung();
    fleet.set_policy(&format!("{}\n[timers]\nquiet_for = \"2m\"\n", one_rung()));
    let [first, second] = fallen(&mut fleet, ["a2", "b2"]);
    let refused = refusal(&fleet.offer(second, "b3"));
    assert!(refused.starts_with("too soon since the host itself came into doubt"), "{refused}");
    fleet.wait(60);
    fleet.leased(first, "b3");
    assert_eq!(canary(&fleet.offer(second, "c3")), Some((first, false)));
}

#[test]
fn law_ca2_an_end_that_nobody_knows_counts_as_no_failure() {
    let mut fleet = fleet_of_one_rung();
    let names = ["a2", "b2", "c2"];
    let cases = fallen(&mut fleet, names);
    for (name, case) in names.into_iter().zip(cases) {
        let fence = fleet.leased(case, "b3");
        fleet.wait(6);
        let outcome = fleet.intend(("b3", case, fence), &[(name, Seen::AgentDown)]);
        fleet.receive(("b3", case, fence), remedy(&outcome), ReceiptKind::Unknown);
        fleet.wait_renewing(15 * 60, "b3", case, fence);
        assert_eq!(fleet.stage(case), "escalated");
        fleet.send("a1", Command::Revoke { case, order: order("it is over") });
    }
    assert_eq!(fleet.ledger.stopped_kinds().count(), 0);
}

#[test]
fn law_ca2_remedies_that_were_refused_count_as_no_failure() {
    let mut fleet = fleet_of_one_rung();
    let names = ["a2", "b2", "c2"];
    let cases = fallen(&mut fleet, names);
    for (name, case) in names.into_iter().zip(cases) {
        let fence = fleet.leased(case, "b3");
        fleet.wait(6);
        let outcome = fleet.intend(("b3", case, fence), &[(name, Seen::AgentDown)]);
        fleet.receive(("b3", case, fence), remedy(&outcome), ReceiptKind::Refused);
        let why = "the target says no".into();
        fleet.send("b3", Command::Release { case, fence, why });
        fleet.wait(1);
        assert_eq!(fleet.stage(case), "quarantined", "its one attempt is spent");
    }
    assert_eq!(fleet.ledger.stopped_kinds().count(), 0);
}

#[test]
fn law_ca2_one_host_that_fails_again_and_again_stops_nobody_else() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("in_flight = 2", "in_flight = 9").replace("60s", "0s"));
    let [case] = fallen(&mut fleet, ["a2"]);
    for _ in 0..2 {
        fails(&mut fleet, ("a2", case), "b3");
    }
    assert_eq!(fleet.stage(case), "escalated", "both rungs failed");
    assert_eq!(fleet.ledger.stopped_kinds().count(), 0);
    let [second] = fallen(&mut fleet, ["b2"]);
    fleet.leased(second, "b3");
}

#[test]
fn law_c5_under_the_first_rules_nobody_waits_for_another() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    assert_eq!(fleet.ledger.rules(), rules::FIRST);
    let [first, second] = ["a2", "b2"].map(|name| fleet.opened(name, Seen::AgentDown));
    fleet.leased(first, "a3");
    fleet.leased(second, "b3");
}
