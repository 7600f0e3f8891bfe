//! Who is tried no more: hosts whose attempts are spent, hosts whose trouble keeps coming back, groups whose replacements fail; and
//! that only a person ends it (protocol 6.6).

mod fleet;

use fleet::*;
use ledger::case::Closure;
use ledger::command::{Command, Outcome, Refused};
use ledger::{Ledger, rules};
use vocabulary::{CaseId, GroupName, ReceiptKind, Scope, Span};

const AGENT: [(&str, Seen); 1] = [("b2", Seen::AgentDown)];
const HOST: [(&str, Seen); 1] = [("b2", Seen::HostDown)];

fn free(name: &str) -> Command {
    Command::Free { subject: Scope::Host(id(name)), order: order("the cable is new") }
}

fn web() -> GroupName {
    GroupName::new("web").expect("sound")
}

fn free_web() -> Command {
    Command::Free { subject: Scope::Group(web()), order: order("the image is mended") }
}

/// One attempt on `b2` that comes to nothing.
fn tried_in_vain(fleet: &mut Fleet, seen: Seen) -> CaseId {
    let (case, fence, remedy) = fleet.begun("b2", seen, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    fleet.wait_renewing(30, "c2", case, fence);
    case
}

/// The policy's one attempt in an hour is spent on `b2`, and it is still in trouble.
fn quarantined() -> (Fleet, CaseId) {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("at_most = 3", "at_most = 1"));
    let case = tried_in_vain(&mut fleet, Seen::AgentDown);
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "quarantined");
    (fleet, case)
}

/// `b2` falls and is seen well again before anything begins.
fn came_and_went(fleet: &mut Fleet) -> CaseId {
    let case = fleet.opened("b2", Seen::AgentDown);
    recovered(fleet, case);
    fleet.wait(601);
    case
}

/// `b2` is doubted by too few, and then by enough.
fn settled_late(fleet: &mut Fleet) -> CaseId {
    let mut grounds = fleet.round(&AGENT);
    let first = grounds.attestations[0].observer;
    grounds.attestations.retain(|word| word.observer == first);
    grounds.answers.retain(|answer| answer.subject != id("b2"));
    let case = fleet.unsettled("b2", 31, grounds).expect("one word is too few");
    assert_eq!(fleet.opened("b2", Seen::AgentDown), case);
    case
}

fn recovered(fleet: &mut Fleet, case: CaseId) -> Outcome {
    let grounds = fleet.round(&[("b2", Seen::Well)]);
    fleet.send("a1", Command::Recovered { cases: vec![case], grounds })
}

fn unhealthy(ledger: &Ledger) -> u32 {
    ledger.budgets()[0].unhealthy
}

#[test]
fn whose_attempts_are_spent_is_quarantined_and_the_audit_says_so() {
    let (fleet, case) = quarantined();
    assert_eq!(
        fleet.history(0).split_off(fleet.history(0).len() - 2),
        ["Escalated", "Quarantined"]
    );
    let held = fleet.ledger.holds(case)[0].rule.to_string();
    assert!(held.contains("quarantined: 1 of 1 attempts within"), "{held}");
    assert_eq!(unhealthy(&fleet.ledger), 1);
    assert_eq!(fleet.ledger.budgets()[0].used, 0, "law QU2");
}

#[test]
fn law_qu2_no_lease_is_offered_long_after_the_window_and_no_round_ends_it() {
    let (mut fleet, case) = quarantined();
    fleet.wait(2 * 3_600);
    assert_eq!(fleet.opened("b2", Seen::AgentDown), case, "one trouble, one case");
    let refused = refusal(&fleet.offer(case, "c2"));
    assert_eq!(refused, "the case is quarantined");
    let outcome = recovered(&mut fleet, case);
    assert!(matches!(&outcome, Outcome::Findings(of) if of[0].is_err()), "{outcome:?}");
    assert_eq!((fleet.stage(case), unhealthy(&fleet.ledger)), ("quarantined", 1));
}

#[test]
fn law_qu1_a_person_releases_it_and_it_is_tried_from_the_beginning() {
    let (mut fleet, case) = quarantined();
    let dismiss = Command::Dismiss { case, order: order("seen to") };
    assert!(
        refusal(&fleet.send("a1", dismiss)).contains("`hale release HOST --why ...` ends that")
    );
    assert_eq!(fleet.send("a1", free("b2")), Outcome::Done);
    let by = Closure::ByPerson("ops: the cable is new".into());
    assert!(
        matches!(&fleet.case(case).stage, ledger::case::Stage::Closed { how, .. } if *how == by)
    );
    assert_eq!(unhealthy(&fleet.ledger), 0);
    assert_eq!(fleet.send("a1", free("b2")), Outcome::Refused(Refused::Nothing), "once");
    let again = fleet.opened("b2", Seen::AgentDown);
    assert!(again > case);
    fleet.leased(again, "c2");
}

#[test]
fn law_qu1_no_dark_zone_and_no_second_machine_ends_it() {
    let (mut fleet, case) = quarantined();
    let dark = [("b1", Seen::HostDown), ("b2", Seen::HostDown), ("b3", Seen::HostDown)];
    let finding =
        ledger::command::Finding { scope: zone("b"), kind: vocabulary::VerdictKind::DomainDown };
    let zone_case = fleet.findings(&dark, vec![finding], &[]).remove(0).expect("a dark zone");
    assert_eq!(fleet.stage(case), "quarantined");
    let all = dark.map(|(name, _)| (name, Seen::Well));
    let grounds = fleet.round(&all);
    fleet.send("a1", Command::Recovered { cases: vec![zone_case], grounds });
    fleet.twin("b2");
    assert_eq!(fleet.stage(case), "quarantined");
    fleet.boot("b2", 5);
    fleet.wait(6 * 60);
    assert_eq!(fleet.stage(case), "quarantined");
}

#[test]
fn a_retired_host_takes_its_quarantine_with_it() {
    let (mut fleet, case) = quarantined();
    let retired = fleet.send("a1", Command::Retire { host: id("b2"), order: order("sold") });
    assert_eq!((retired, fleet.stage(case)), (Outcome::Done, "closed"));
    assert_eq!(fleet.send("a1", free("b2")), Outcome::Refused(Refused::Retired));
}

#[test]
fn whose_trouble_keeps_coming_back_is_chronic_though_nothing_was_ever_begun() {
    let mut fleet = Fleet::healing();
    for _ in 0..6 {
        let case = came_and_went(&mut fleet);
        assert_eq!(fleet.stage(case), "closed");
    }
    let seventh = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(fleet.stage(seventh), "quarantined", "twice the three attempts of an hour");
    let held = fleet.ledger.holds(seventh)[0].rule.to_string();
    assert!(held.contains("it is chronic: in trouble 7 times within 8 h"), "{held}");
    assert_eq!(fleet.send("a1", free("b2")), Outcome::Done);
    let case = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(fleet.stage(case), "open", "the count begins anew");
}

#[test]
fn trouble_that_nobody_could_settle_at_first_counts_once_a_verdict_is_borne() {
    let mut fleet = Fleet::healing();
    for _ in 0..6 {
        let case = settled_late(&mut fleet);
        assert_eq!(fleet.stage(case), "open");
        recovered(&mut fleet, case);
        fleet.wait(601);
    }
    let seventh = settled_late(&mut fleet);
    assert_eq!(fleet.stage(seventh), "quarantined");
}

#[test]
fn law_qu3_what_came_back_longer_ago_than_that_makes_nobody_chronic() {
    let mut fleet = Fleet::healing();
    for _ in 0..6 {
        came_and_went(&mut fleet);
    }
    assert!(fleet.ledger.tick_every().is_some(), "ledger time decides when it is forgotten");
    fleet.wait(3_600);
    let rarely = fleet.ledger.tick_every();
    assert_eq!(rarely, Some(Span::seconds(4)), "a flush each second for hours serves nobody");
    fleet.wait(7 * 3_600);
    assert!(fleet.ledger.tick_every().is_none());
    let case = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(fleet.stage(case), "open");
}

#[test]
fn under_a_rule_that_only_observes_nobody_is_quarantined() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("\"act\"", "\"observe\""));
    for _ in 0..8 {
        let case = came_and_went(&mut fleet);
        assert_eq!(fleet.stage(case), "closed");
    }
}

#[test]
fn law_c5_under_the_first_rules_a_host_is_given_up_and_not_quarantined() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    fleet.set_policy(&POLICY.replace("at_most = 3", "at_most = 1"));
    assert_eq!(free("b2").since(), rules::SECOND);
    let case = tried_in_vain(&mut fleet, Seen::AgentDown);
    fleet.wait(1);
    assert_eq!(fleet.stage(case), "escalated");
    assert!(matches!(fleet.send("a1", free("b2")), Outcome::Refused(Refused::NotPermitted(_))));
}

#[test]
fn only_hosts_and_groups_that_are_held_are_released() {
    let mut fleet = Fleet::healing();
    assert_eq!(fleet.send("a1", free("b2")), Outcome::Refused(Refused::Nothing));
    assert_eq!(fleet.send("a1", free("d9")), Outcome::Refused(Refused::UnknownHost));
    assert_eq!(fleet.send("a1", free_web()), Outcome::Refused(Refused::Nothing));
    let all = Command::Free { subject: Scope::Fleet, order: order("all") };
    assert!(matches!(fleet.send("a1", all), Outcome::Refused(Refused::Malformed(_))));
}

#[test]
fn two_replacements_that_fail_in_a_row_stop_their_group_until_a_person_releases_it() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&replacing());
    let case = tried_in_vain(&mut fleet, Seen::HostDown);
    assert_eq!(fleet.stage(case), "open", "one may be its host's fault");
    let fence = fleet.leased(case, "c3");
    fleet.wait(6);
    let outcome = fleet.intend(("c3", case, fence), &HOST);
    fleet.receive(("c3", case, fence), remedy(&outcome), ReceiptKind::Done);
    fleet.wait_renewing(30, "c3", case, fence);
    assert_eq!(fleet.stage(case), "escalated");
    assert_eq!(
        fleet.ledger.stopped_groups().map(|(group, _)| group.clone()).collect::<Vec<_>>(),
        [web()]
    );
    let other = fleet.opened("c2", Seen::HostDown);
    let refused = refusal(&fleet.offer(other, "a2"));
    assert_eq!(
        refused,
        format!(
            "group web is stopped: the last 2 replacements in it failed, of case {case}; \
         `hale release --group web --why ...` frees it"
        )
    );
    assert_eq!(fleet.ledger.stuck().len(), 1, "no term frees it: a person is called");
    assert_eq!(fleet.send("a1", free_web()), Outcome::Done);
    assert_eq!(fleet.ledger.can_offer(other, id("a2")), Ok(()));
    assert_eq!(fleet.ledger.stopped_groups().count(), 0);
}

#[test]
fn a_replacement_that_worked_in_between_begins_the_count_anew() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&replacing());
    let first = tried_in_vain(&mut fleet, Seen::HostDown);
    let fence = fleet.leased(first, "c3");
    fleet.wait(6);
    let outcome = fleet.intend(("c3", first, fence), &HOST);
    fleet.receive(("c3", first, fence), remedy(&outcome), ReceiptKind::Done);
    fleet.boot("b2", 2);
    fleet.verify(("c3", first, fence), &[("b2", Seen::Well)]);
    assert_eq!(fleet.stage(first), "closed");
    fleet.wait(3_600);
    tried_in_vain(&mut fleet, Seen::HostDown);
    assert_eq!(fleet.ledger.stopped_groups().count(), 0);
}
