//! From grounds to cases: what is borne, what is refused, what is one case.

mod fleet;

use detection::verdict::Discount;
use fleet::*;
use ledger::case::{Closure, Stage};
use ledger::command::{Command, Finding, Outcome, Refused};
use vocabulary::{ModelSigner, Scope, VerdictKind};

fn down(name: &str) -> (&str, Seen) {
    (name, Seen::HostDown)
}

fn domain_down(scope: Scope) -> Finding {
    Finding { scope, kind: VerdictKind::DomainDown }
}

fn recovered(
    fleet: &mut Fleet,
    case: vocabulary::CaseId,
    seen: &[(&str, Seen)],
) -> Result<(), String> {
    let grounds = fleet.round(seen);
    let cases = vec![case];
    match fleet.send("a1", Command::Recovered { cases, grounds }) {
        Outcome::Findings(mut outcomes) => {
            outcomes.remove(0).map(|_| ()).map_err(|why| why.to_string())
        }
        other => Err(refusal(&other)),
    }
}

#[test]
fn a_verdict_opens_a_case_that_keeps_its_grounds_and_its_rule() {
    let mut fleet = Fleet::healing();
    let id = fleet.opened("b2", Seen::AgentDown);
    let case = fleet.case(id);
    assert_eq!(case.kind, VerdictKind::AgentDown);
    assert_eq!(case.rule, Some(("agent down".into(), 1)));
    assert_eq!(case.grounds.against.len(), 8);
    assert_eq!(case.rounds_upheld, 1);
    assert_eq!(case.boot, Some(boot(1)));
}

#[test]
fn a_case_keeps_what_each_observer_saw_and_why_a_word_did_not_count() {
    let mut fleet = Fleet::healing();
    let mut grounds = fleet.round(&[("b2", Seen::AgentDown)]);
    // One was signed about an earlier life of the subject, one by an observer whose loop was late.
    let [foreign, late] = [0, 1].map(|seat| grounds.attestations[seat].observer);
    grounds.attestations[0].subject_boot = boot(0);
    grounds.attestations[1].late_ms = 1_900;
    for attestation in &mut grounds.attestations[..2] {
        let mut hosts = fleet.hosts.iter();
        let author = hosts.find(|claims| claims.id() == attestation.observer);
        let signer = ModelSigner::new(&author.expect("it belongs").host);
        *attestation = attestation.clone().signed("test", &signer);
    }
    let finding = Finding { scope: Scope::Host(id("b2")), kind: VerdictKind::AgentDown };
    let command = Command::Verdicts { grounds, findings: vec![finding], doubted: Vec::new() };
    let Outcome::Findings(opened) = fleet.send("a1", command) else {
        panic!("verdicts are answered by findings");
    };
    let case = fleet.case(opened[0].clone().expect("six voices of seven are left"));
    let sights = &case.grounds.sights;
    let looked: Vec<_> = sights.iter().map(|sight| sight.observer).collect();
    assert_eq!(looked, fleet.ledger.seating().observers(&id("b2")), "every seat, in order");
    for sight in sights {
        let is_void = sight.observer == foreign;
        assert_eq!(sight.void.is_some(), is_void, "{sight:?}");
        assert_eq!(sight.paths.is_empty(), is_void, "{sight:?}");
        let discount = (sight.observer == late).then_some(Discount::Late(1_900));
        assert_eq!(sight.discount, discount);
    }
}

#[test]
fn the_next_round_upholds_the_same_case_and_another_kind_moves_it() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    assert_eq!(fleet.opened("b2", Seen::AgentDown), case);
    assert_eq!(fleet.case(case).rounds_upheld, 2);
    fleet.wait(5);
    assert_eq!(fleet.opened("b2", Seen::HostDown), case);
    let moved = fleet.case(case);
    assert_eq!(moved.kind, VerdictKind::HostDown);
    assert_eq!(moved.rounds_upheld, 1);
    assert_eq!(moved.rule, Some(("host down".into(), 1)));
    assert_eq!(moved.stands_since, fleet.ledger.time());
    assert_eq!(fleet.ledger.cases().count(), 1);
}

#[test]
fn a_leader_that_concludes_wrongly_gets_no_case() {
    let mut fleet = Fleet::healing();
    let host = |kind| Finding { scope: Scope::Host(id("b2")), kind };
    let seen = [("b2", Seen::AgentDown)];
    let other = fleet.findings(&seen, vec![host(VerdictKind::HostDown)], &[]);
    assert!(other[0].as_ref().expect_err("refused").contains("AgentDown, not HostDown"));
    let well = [("b2", Seen::Well)];
    let lie = fleet.findings(&well, vec![host(VerdictKind::AgentDown)], &[]);
    assert!(lie[0].as_ref().expect_err("refused").contains("answered for itself"));
    let shown = fleet.findings(&seen, vec![host(VerdictKind::Unsettled)], &[]);
    assert!(shown[0].is_err());
    assert_eq!(fleet.ledger.cases().count(), 0);
}

#[test]
fn a_host_that_is_no_voter_proposes_no_verdict() {
    let mut fleet = Fleet::healing();
    let grounds = fleet.round(&[("b2", Seen::AgentDown)]);
    let command = Command::Verdicts { grounds, findings: vec![], doubted: vec![] };
    assert!(refusal(&fleet.send("a2", command)).contains("only a voter"));
}

#[test]
fn altered_or_old_grounds_bear_nothing() {
    let mut fleet = Fleet::healing();
    let finding = Finding { scope: Scope::Host(id("b2")), kind: VerdictKind::AgentDown };
    let command =
        |grounds| Command::Verdicts { grounds, findings: vec![finding.clone()], doubted: vec![] };
    let mut altered = fleet.round(&[("b2", Seen::AgentDown)]);
    altered.attestations.iter_mut().for_each(|one| one.late_ms += 1);
    let outcome = fleet.send("a1", command(altered));
    assert!(matches!(&outcome, Outcome::Findings(all) if all[0].is_err()), "{outcome:?}");

    let old = fleet.round(&[("b2", Seen::AgentDown)]);
    let kept = old.anchor.index;
    fleet.wait(5);
    let outcome = fleet.send("a1", command(old));
    assert!(
        matches!(outcome, Outcome::Refused(Refused::Stale { anchor, at_least }) if anchor == kept && at_least > kept),
        "{outcome:?}"
    );
    assert_eq!(fleet.ledger.cases().count(), 0);
}

#[test]
fn a_round_that_names_another_history_is_stale() {
    let mut fleet = Fleet::healing();
    let mut grounds = fleet.round(&[("b2", Seen::AgentDown)]);
    grounds.anchor.audit.0[0] ^= 1;
    let command = Command::Verdicts { grounds, findings: vec![], doubted: vec![] };
    let outcome = fleet.send("a1", command);
    assert!(matches!(outcome, Outcome::Refused(Refused::Stale { .. })));
}

#[test]
fn a_whole_zone_is_one_case_for_a_person_and_closes_when_all_of_it_is_well() {
    let mut fleet = Fleet::healing();
    let single = fleet.opened("b2", Seen::HostDown);
    let dark = [down("b1"), down("b2"), down("b3")];
    let case = fleet.findings(&dark, vec![domain_down(zone("b"))], &[])[0].clone();
    let case = case.expect("the whole zone is silent");
    assert_eq!(fleet.stage(case), "escalated");
    assert_eq!(fleet.case(case).members_count, 3);
    assert!(fleet.ledger.brake().surge.is_none(), "a domain is no surge");
    assert!(matches!(
        &fleet.case(single).stage,
        Stage::Closed { how: Closure::MergedInto(into), .. } if *into == case
    ));

    let inside = fleet.verdicts(&[("b2", Seen::AgentDown)]).remove(0);
    assert!(inside.expect_err("forbidden").contains(&format!("case {case}")));
    let again = fleet.findings(&dark, vec![domain_down(zone("b"))], &[]);
    assert_eq!(again, [Ok(case)]);

    let two = [("b1", Seen::Well), ("b2", Seen::Well), down("b3")];
    recovered(&mut fleet, case, &two).expect("two of them are well");
    assert_eq!(fleet.stage(case), "escalated");
    let none = recovered(&mut fleet, case, &two).expect_err("no news");
    assert!(none.contains("1 of its 3 hosts"), "{none}");
    recovered(&mut fleet, case, &[("b3", Seen::Well)]).expect("the last one");
    assert!(matches!(fleet.case(case).stage, Stage::Closed { how: Closure::Recovered, .. }));
}

#[test]
fn a_zone_that_is_not_all_silent_is_no_domain_case() {
    let mut fleet = Fleet::healing();
    let part = [down("b1"), down("b2")];
    let refused = fleet.findings(&part, vec![domain_down(zone("b"))], &[]);
    assert!(refused[0].as_ref().expect_err("b3 lives").contains("whole domain"));
}

#[test]
fn a_case_whose_host_is_well_again_closes_and_a_host_that_flips_is_held_off_ever_longer() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let mut hold_offs = Vec::new();
    for _ in 0..3 {
        recovered(&mut fleet, case, &[("b2", Seen::Well)]).expect("it is well");
        assert_eq!(fleet.stage(case), "closed");
        assert_eq!(fleet.opened("b2", Seen::AgentDown), case, "one case");
        let until = fleet.case(case).held_off_until;
        hold_offs.push(until.since(fleet.ledger.time()).as_milliseconds() / 1_000);
    }
    assert_eq!(hold_offs, [10, 20, 40]);
    assert!(refusal(&fleet.offer(case, "c2")).contains("recovered and fell again"));
}

#[test]
fn a_case_does_not_recover_on_a_round_that_sees_it_down() {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    let grounds = fleet.round(&[("b2", Seen::AgentDown)]);
    let cases = vec![case];
    let outcome = fleet.send("a1", Command::Recovered { cases, grounds });
    assert!(matches!(&outcome, Outcome::Findings(all) if all[0].is_err()));
    assert_eq!(fleet.stage(case), "open");
}

#[test]
fn three_of_nine_at_once_are_a_surge_that_brakes_before_their_cases_stand() {
    let mut fleet = Fleet::healing();
    let seen = [("a2", Seen::AgentDown), ("b2", Seen::AgentDown), ("c2", Seen::AgentDown)];
    let cases = fleet.verdicts(&seen);
    assert!(cases.iter().all(Result::is_ok), "{cases:?}");
    let surge = fleet.ledger.brake().surge.expect("too much at once");
    assert_eq!(fleet.case(surge.case).kind, VerdictKind::Surge);
    let first = cases[0].clone().expect("opened");
    assert!(surge.case < first, "the brake stands first");
    assert!(refusal(&fleet.offer(first, "c3")).contains("too much trouble at once"));
}

#[test]
fn a_surge_is_counted_again_by_the_ledger() {
    let mut fleet = Fleet::healing();
    let surge = |doubted: &[(&str, u64)]| Command::Surge { doubted: doubts(doubted) };
    let two = fleet.send("a1", surge(&[("a2", 1), ("b2", 1)]));
    assert!(refusal(&two).contains("no surge"));
    let old = fleet.send("a1", surge(&[("a2", 1), ("b2", 1), ("c2", 40)]));
    assert!(refusal(&old).contains("no surge"));
    let three = fleet.send("a1", surge(&[("a2", 1), ("b2", 1), ("c2", 1)]));
    assert_eq!(three, Outcome::Done);
    assert!(fleet.ledger.brake().surge.is_some());
}

/// A surge of these three, by the leader's count.
fn surge_of_three(fleet: &mut Fleet) {
    let doubted = doubts(&[("a2", 1), ("b2", 1), ("c2", 1)]);
    assert_eq!(fleet.send("a1", Command::Surge { doubted }), Outcome::Done);
}

#[test]
fn while_a_surge_stands_silence_alone_condemns_nobody() {
    let mut fleet = Fleet::healing();
    let before = fleet.opened("a3", Seen::HostDown);
    surge_of_three(&mut fleet);
    let silent = fleet.verdicts(&[down("a2")]).remove(0).expect_err("it may be cut off");
    assert!(silent.contains("too much trouble at once"), "law V6: {silent}");
    fleet.opened("b2", Seen::AgentDown);
    fleet.opened("c2", Seen::HostHung);
    let moved = fleet.verdicts(&[down("b2")]).remove(0);
    assert!(moved.is_err(), "law V6: a case is moved by silence no more than opened");
    assert_eq!(fleet.opened("a3", Seen::HostDown), before, "what stood before is upheld");
    fleet.send("a1", Command::Resume(order("they are dead")));
    fleet.opened("a2", Seen::HostDown);
}

#[test]
fn the_verdicts_that_cross_the_limit_by_silence_open_no_case() {
    let mut fleet = Fleet::healing();
    let seen = [down("a2"), down("b2"), down("c2")];
    let cases = fleet.verdicts(&seen);
    assert!(cases.iter().all(Result::is_err), "law V6: {cases:?}");
    let surge = fleet.ledger.brake().surge.expect("too much at once");
    assert_eq!(fleet.ledger.cases().map(|case| case.id).collect::<Vec<_>>(), [surge.case]);
}

#[test]
fn under_the_first_rules_a_surge_holds_no_verdict() {
    let mut fleet = Fleet::healing_under_the_first_rules();
    surge_of_three(&mut fleet);
    fleet.opened("a2", Seen::HostDown);
}

/// protocol 6.4: else a person would lift the same trouble twice, and find healing halted by it.
#[test]
fn what_a_lifted_surge_held_back_is_no_new_surge_and_no_halt() {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&POLICY.replace("halt_above = \"none\"", "halt_above = 1"));
    surge_of_three(&mut fleet);
    fleet.send("a1", Command::Resume(order("they are dead")));
    let seen = [down("a2"), down("b2"), down("c2")];
    let hosts = ["a2", "b2", "c2"].map(|name| Scope::Host(id(name)));
    let findings = hosts.map(|scope| Finding { scope, kind: VerdictKind::HostDown });
    let doubted = [("a2", 5), ("b2", 5), ("c2", 5)];
    let cases = fleet.findings(&seen, findings.to_vec(), &doubted);
    assert!(cases.iter().all(Result::is_ok), "{cases:?}");
    assert_eq!(fleet.ledger.brake().surge, None, "a person was told of these");
    assert!(fleet.ledger.budgets().iter().all(|line| line.unhealthy == 0));
    fleet.opened("a3", Seen::AgentDown);
    assert!(fleet.ledger.budgets().iter().any(|line| line.unhealthy == 1), "that one is news");
}

/// protocol 3.6: hosts of a domain case are no surge, whichever is found first.
#[test]
fn a_surge_that_was_the_beginning_of_a_dark_zone_is_over_with_its_case_and_no_other_is() {
    let dark = [down("b1"), down("b2"), down("b3")];
    for (doubted, is_over) in
        [([("b1", 1), ("b2", 1), ("b3", 1)], true), ([("b1", 1), ("b2", 1), ("c2", 1)], false)]
    {
        let mut fleet = Fleet::healing();
        let surge = Command::Surge { doubted: doubts(&doubted) };
        assert_eq!(fleet.send("a1", surge), Outcome::Done);
        let surge = fleet.ledger.brake().surge.expect("three of nine").case;
        let zone = fleet.findings(&dark, vec![domain_down(zone("b"))], &doubted).remove(0);
        let zone = zone.expect("the whole zone is silent");
        let how = match &fleet.case(surge).stage {
            Stage::Closed { how, .. } => Some(how.clone()),
            _ => None,
        };
        assert_eq!(how, is_over.then_some(Closure::MergedInto(zone)));
        assert_eq!(fleet.ledger.brake().standing().is_none(), is_over);
        assert_eq!(fleet.ledger.brake().ramp, None, "nothing was held that could begin now");
    }
}

#[test]
fn a_surge_stands_on_beside_a_dark_zone_while_the_rest_is_one_by_itself() {
    let mut fleet = Fleet::healing();
    let zone_alone = Command::Surge { doubted: doubts(&[("b1", 1), ("b2", 1), ("b3", 1)]) };
    assert_eq!(fleet.send("a1", zone_alone), Outcome::Done);
    let others = [("a2", 1), ("a3", 1), ("c2", 1), ("b1", 2), ("b2", 2), ("b3", 2)];
    let dark = [down("b1"), down("b2"), down("b3")];
    fleet.findings(&dark, vec![domain_down(zone("b"))], &others).remove(0).expect("silent");
    assert!(fleet.ledger.brake().surge.is_some());
}

/// Protocol 3.8: a host that is dead for ten minutes is reached by nobody's calibrated path; what one alone says of it may be a lie.
#[test]
fn one_voice_among_the_blind_ends_no_case_under_rules_2() {
    let ended = |fleet: &mut Fleet| {
        let case = fleet.opened("b2", Seen::AgentDown);
        let mut grounds = fleet.round(&[("b2", Seen::Well)]);
        grounds.answers.retain(|answer| answer.subject != id("b2"));
        let grounds = fleet.blinded(grounds, 1);
        fleet.send("a1", Command::Recovered { cases: vec![case], grounds });
        fleet.case(case).is_closed()
    };
    assert!(ended(&mut Fleet::healing_under_the_first_rules()), "law C5: as it was");
    assert!(!ended(&mut Fleet::healing()));
}
