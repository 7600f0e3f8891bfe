//! Where the open cases would stand under another policy.

use expect_test::expect;
use vocabulary::Grade;

use super::super::fleet::{Fleet, POLICY, Seen, claims, claims_in};
use super::{
    after, approved, cases_of, changed, gone, in_a_window, in_mode, leased, observing,
    of_two_groups, only, paused,
};

#[test]
fn a_case_in_shadow_and_one_that_waits_for_a_word_stand_elsewhere_than_an_observed_one() {
    let mut fleet = of_two_groups();
    let mode = |mode: &str| POLICY.replace("\"act\"", &format!("{mode:?}"));
    fleet.set_policy(&observing());
    fleet.opened("b2", Seen::AgentDown);
    let mut lines = String::new();
    for word in ["shadow", "approve", "act"] {
        let cases = cases_of(changed(&mut fleet, &mode(word)));
        let [case] = &cases.changed[..] else { panic!("{word}: {cases:?}") };
        assert_eq!(case.after.mode.as_deref(), Some(word));
        lines.push_str(&format!("{word}: {}\n", case.after.awaits));
    }
    expect![[r#"
        shadow: its rule is in shadow: the leader puts down next what would have begun
        approve: no lease yet: rule "agent down" waits for a person's word before rung 1, `/bin/start`: `hale approve 1 --verdict AgentDown --rung 1 --if-version 3 --why ...` or `hale deny 1 --why ...`, the former at another keeper's host than a1
        act: the leader offers the lease to a healer next
    "#]].assert_eq(&lines);
}

#[test]
fn a_case_that_is_observed_from_now_on_or_acted_on_is_told_with_both_places() {
    let mut fleet = of_two_groups();
    fleet.set_policy(POLICY);
    fleet.opened("b2", Seen::AgentDown);
    let stopped = cases_of(changed(&mut fleet, &observing()));
    let begun = cases_of(changed(&mut fleet, POLICY));
    assert_eq!((stopped.open, begun.open), (1, 1));
    let [stop, begin] = [&stopped.changed[0], &begun.changed[0]];
    assert_eq!(
        (stop.id, stop.subject.name.as_str(), stop.verdict.as_str()),
        (1, "b2", "AgentDown")
    );
    assert_eq!(stop.before.mode.as_deref(), Some("act"));
    assert_eq!(stop.after.mode.as_deref(), Some("observe"));
    assert_eq!((&stop.before.rule, &stop.after.rule), (&begin.before.rule, &begin.after.rule));
    assert!(stop.before.rung.as_ref().is_some_and(|rung| rung.remedy == "/bin/start"));
    assert_eq!(stop.after.rung, None);
    expect![[r#"
        the leader offers the lease to a healer next
        only observed: rule "agent down" of policy version 2 has mode "observe"
        the leader offers the lease to a healer next
    "#]]
    .assert_eq(&format!("{}\n{}\n{}\n", stop.before.awaits, stop.after.awaits, begin.after.awaits));
}

#[test]
fn a_case_that_another_budget_holds_is_told_and_one_that_stands_as_before_is_not() {
    let mut fleet = Fleet::healing();
    let [first, second] = fleet.of_two_kinds();
    fleet.leased(first, "a3");
    let narrow = POLICY.replace("fleet = { in_flight = 2", "fleet = { in_flight = 1");
    let cases = cases_of(changed(&mut fleet, &narrow));
    let ids: Vec<u64> = cases.changed.iter().map(|case| case.id).collect();
    assert_eq!((cases.open, ids), (2, vec![second.0]));
    assert!(cases.changed[0].after.awaits.contains("fleet: 1 of 1 in flight"), "{cases:?}");
}

#[test]
fn other_words_of_the_same_meaning_move_no_case() {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&observing());
    fleet.opened("b2", Seen::AgentDown);
    let change = changed(&mut fleet, &format!("# read it twice\n{}", observing()));
    assert_eq!(change.diff.as_ref().map(|diff| (diff.removed, diff.added)), Some((0, 1)));
    assert_eq!(change.warnings, []);
    let cases = cases_of(change);
    assert_eq!((cases.open, cases.changed, cases.left_out), (1, vec![], 0));
}

#[test]
fn a_case_of_a_check_that_goes_is_told_to_close() {
    let mut fleet = Fleet::checking("peers");
    let grounds = fleet.check_round("b2", Some(Grade::Ok), &[Grade::Failed]);
    fleet.unfit("b2", grounds).expect("its observers agree");
    let cases = cases_of(changed(&mut fleet, POLICY));
    let [case] = &cases.changed[..] else { panic!("{cases:?}") };
    assert_eq!((case.before.stage.as_str(), case.after.stage.as_str()), ("open", "closed"));
    assert!(case.after.awaits.contains("the policy has this check no more"), "{case:?}");
}

#[test]
fn more_cases_than_an_answer_names_are_counted() {
    // Hosts whose names end with 1 are keepers.
    let names = (100..160).filter(|number| number % 10 != 1).map(|number| format!("h{number}"));
    let names: Vec<String> = names.collect();
    let stands = |name: &String| claims_in(name, &name[2..3], name);
    let keepers = ["a1", "b1", "c1"].map(claims);
    let mut fleet = Fleet::of(names.iter().map(stands).chain(keepers).collect());
    fleet.set_policy(&observing());
    for name in names.iter().take(52) {
        fleet.opened(name, Seen::AgentDown);
    }
    let cases = cases_of(changed(&mut fleet, POLICY));
    // The surge is a case as well, and no policy moves it.
    assert_eq!((cases.open, cases.changed.len(), cases.left_out), (53, 50, 2));
}

#[test]
fn a_lease_under_which_nothing_can_begin_any_more_goes_back_and_is_told_so() {
    for mode in ["shadow", "observe", "approve"] {
        let cases = after(leased(), &in_mode(mode));
        let case = only(&cases);
        assert_eq!((case.before.stage.as_str(), case.after.stage.as_str()), ("leased", "open"));
        assert!(!case.after.awaits.contains("then begins"), "{mode}: {case:?}");
    }
}

#[test]
fn what_holds_a_case_behind_a_brake_or_a_window_is_told_too() {
    let narrow = POLICY.replace("in_flight = 2", "in_flight = 1");
    for mut fleet in [paused(), in_a_window()] {
        fleet.opened("c2", Seen::AgentDown);
        let cases = after(fleet, &narrow);
        assert!(
            cases.changed.iter().all(|case| case.after.awaits.contains(" more: `hale explain")),
            "{cases:?}"
        );
    }
    let cases = after(paused(), &narrow);
    assert!(only(&cases).before.awaits.contains("paused"), "{cases:?}");
}

#[test]
fn an_approval_that_ends_with_its_policy_is_told() {
    let cases = after(approved(), &format!("# again\n{}", in_mode("approve")));
    assert!(only(&cases).after.awaits.ends_with("; the approval by ops is void"), "{cases:?}");
}

#[test]
fn cases_that_wait_for_a_word_stand_as_before_under_other_words_of_the_same_meaning() {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&in_mode("approve"));
    fleet.opened("b2", Seen::AgentDown);
    let cases = after(fleet, &format!("# again\n{}", in_mode("approve")));
    assert_eq!((cases.open, cases.changed), (1, vec![]));
}

#[test]
fn cases_that_a_policy_opens_at_once_are_told() {
    let cases = after(gone(), &format!("{POLICY}\n[timers]\nleft_grace = \"1s\"\n"));
    assert_eq!((cases.open, cases.opened), (0, 1));
    assert_eq!(only(&cases).before.stage, "not open");
}

#[test]
fn the_next_step_of_a_remedy_under_way_is_told_where_another_rule_decides() {
    let mut fleet = of_two_groups();
    fleet.set_policy(POLICY);
    fleet.begun("b2", Seen::AgentDown, "c2");
    let elsewhere = POLICY.replacen("mode = \"act\"\n", "mode = \"act\"\ngroups = [\"db\"]\n", 1);
    let cases = after(fleet, &elsewhere);
    assert!(only(&cases).after.awaits.ends_with("its next step falls under no rule"), "{cases:?}");
}

#[test]
fn what_hale_may_do_more_about_is_told_before_what_moves_otherwise() {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&observing());
    let [first, second] = fleet.of_two_kinds();
    let text = POLICY.replacen("\"act\"", "\"shadow\"", 1);
    let cases = after(fleet, &text);
    let told: Vec<(u64, Option<&str>)> =
        cases.changed.iter().map(|case| (case.id, case.after.mode.as_deref())).collect();
    assert_eq!(told, [(second.0, Some("act")), (first.0, Some("shadow"))]);
}
