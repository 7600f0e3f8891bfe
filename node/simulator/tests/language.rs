//! The scenario language says what it does not understand, and a virtual fleet is the same whenever it is played.

use std::ops::ControlFlow;

use simulator::script::{Script, ScriptFault};
use simulator::{Fault, Fleet, Setup, SetupFault, Whom};
use vocabulary::Span;

const HOSTS: &str = "hosts a1 zone=a; hosts b1 zone=b; hosts c1 zone=c\nkeepers a1 b1 c1\n";

fn fault(lines: &str) -> String {
    match Script::read(&format!("{HOSTS}{lines}")) {
        Err(fault) => fault.to_string(),
        Ok(_) => panic!("{lines:?} is understood"),
    }
}

#[test]
fn a_line_that_is_not_understood_is_named_with_its_number() {
    for (line, why) in [
        ("smite a1", "line 3, column 1: \"smite\" is no word of this language"),
        ("run", "line 3, column 1: expected `run SPAN`"),
        ("run 5", "line 3, column 5: \"5\" is no span"),
        ("run 48m\nrun 1500m", "line 4, column 5: \"1500m\" is no span"),
        ("run until dinner within 5s", "line 3, column 11: \"dinner\" is none of doubt"),
        ("lie a1 loudly", "line 3, column 8: \"loudly\" is none of accuses"),
        ("lie accuses", "line 3, column 1: nobody is named"),
        ("kill", "line 3, column 1: nobody is named"),
        ("take-slot", "line 3, column 1: nobody is named"),
        ("revoke-slots a1", "line 3, column 1: \"revoke-slots\" is no word of this language"),
        ("kill floor=2", "line 3, column 6: \"floor\" is neither zone nor rack"),
        ("loss 120%", "line 3, column 6: \"120%\" is no share"),
        ("loss 5", "line 3, column 6: \"5\" is no share"),
        ("remedies dance", "line 3, column 10: \"dance\" is none of works"),
        ("show everything", "line 3, column 1: expected cases"),
        ("weather fog=1", "line 3, column 9: \"fog=1\" is none of latency="),
        ("hosts d1 room=2", "line 3, column 10: \"room\" is none of zone"),
        ("hosts D1", "line 3, column 7: \"D1\" is not a name"),
        ("policy\n[budget]", "line 3, column 1: a policy ends with a line `end`"),
        ("run 5s; kill a1 b9", "line 3, column 17: \"b9\" is none of the hosts"),
        ("show eyes a9", "line 3, column 11: \"a9\" is none of the hosts"),
        ("cut zone=d", "line 3, column 5: no host stands in zone \"d\""),
        ("kill host:4", "line 3, column 6: there is no number 4 of 3 hosts"),
        ("kill pod:4", "line 3, column 6: \"pod:4\" is none of host:1"),
        ("restart 50% every day", "line 3, column 19: \"day\" is no span"),
        ("healers d9", "\"d9\" is none of the hosts"),
    ] {
        let fault = fault(line);
        assert!(fault.contains(why), "{line:?} gives {fault:?}");
    }
}

#[test]
fn a_fleet_that_cannot_be_is_refused_with_its_reason() {
    let of = |text: &str| Script::read(text).map(|_| ()).expect_err("no fleet");
    assert_eq!(of("hosts a1 zone=a"), ScriptFault::Setup(SetupFault::Keepers(0)));
    let twice = format!("{HOSTS}hosts a1 zone=b");
    assert_eq!(of(&twice), ScriptFault::Setup(SetupFault::Twice("a1".into())));
    let script = Script::read(&format!("{HOSTS}policy\n[budgets]\nend\nrun 1s")).expect("read");
    let refused = script.play().expect_err("the ledger reads the policy");
    assert!(refused.to_string().starts_with("the policy is refused"), "{refused}");
}

#[test]
fn spans_and_shares_are_read_in_every_unit() {
    let text =
        format!("{HOSTS}weather latency=5ms jitter=0ms loss=0.5%\nrun 250ms\nrun 2s\nrun 1m\n");
    assert!(Script::read(&text).is_ok());
}

#[test]
fn the_script_of_the_operators_page_is_understood() {
    let page = include_str!("../../../docs/operating/simulate.md");
    let (_, rest) = page.split_once("```text\n").expect("it shows one");
    let (text, _) = rest.split_once("```").expect("and where it ends");
    let script = Script::read(text).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(script.play().expect("there is such a fleet").breaches, []);
}

#[test]
fn a_script_keeps_its_own_text_and_takes_another_trace() {
    let text = format!("# why\n{HOSTS}run 1s\n----\n   0.0 old\n");
    let script = Script::read(&text).expect("sound");
    assert_eq!(script.golden(), "   0.0 old\n");
    let rewritten = script.with_trace("   0.0 new\n");
    assert_eq!(rewritten, text.replace("old", "new"));
    let again = Script::read(&rewritten).expect("sound");
    assert_eq!(again.golden(), "   0.0 new\n");
}

#[test]
fn law_s1_the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let text = format!("{HOSTS}weather loss=2%\nrun 20s\nkill c1\nrun 20s\n");
    let script = Script::read(&text).expect("sound");
    let played = script.play().expect("sound");
    assert_eq!(played, script.play().expect("sound"));
    assert_ne!(played.trace(), script.reseeded(99).play().expect("sound").trace());
    assert_eq!(played.breaches, []);
}

#[test]
fn law_m1_without_a_majority_of_keepers_nothing_is_committed() {
    let mut fleet = Fleet::new(Setup::demo(5)).expect("sound");
    fleet.run(Span::seconds(40));
    let two = ["a1", "b1"].map(|name| Whom::Named(name.into())).to_vec();
    fleet.strike(Fault::Kill(two));
    fleet.run(Span::seconds(1));
    let index = fleet.ledger().index();
    fleet.run(Span::seconds(60));
    assert_eq!(fleet.leader(), None);
    assert_eq!(fleet.ledger().index(), index);
    assert_eq!(fleet.ledger().cases().count(), 0);
}

#[test]
fn every_host_follows_the_ledger_through_whichever_keeper_it_reaches() {
    let mut fleet = Fleet::new(Setup::demo(5)).expect("sound");
    fleet.run(Span::seconds(40));
    let leader = fleet.leader().expect("one leads").to_owned();
    let follower = if leader == "a1" { "b2" } else { "a2" };
    fleet.strike(Fault::Cut {
        from: vec![Whom::Named(follower.into())],
        to: vec![Whom::Named(leader)],
        both: true,
    });
    fleet.strike(Fault::Pause("to commit an entry".into()));
    fleet.run(Span::seconds(2));
    assert_eq!(fleet.upto_of(follower), fleet.ledger().index());
    assert!(fleet.ledger().brake().standing().is_some());
}

#[test]
fn a_settled_fleet_begins_in_calm_and_finds_a_death_like_any_other() {
    let mut fleet = Fleet::new(Setup::grid(30, 3, 5).settled()).expect("sound");
    assert_eq!(fleet.ledger().roster().present_count(), 30, "enrolled before the first moment");
    fleet.run(Span::seconds(20));
    let entries = fleet.ledger().index();
    for name in ["h0", "h17", "h29"] {
        let view = fleet.agent(name).expect("it runs").view(fleet.clock_of(name));
        assert_eq!(view.up.len(), 29, "{name} knows everybody else");
        assert_eq!(fleet.upto_of(name), entries);
    }
    fleet.run(Span::seconds(60));
    assert_eq!(fleet.ledger().index(), entries, "calm decides nothing");
    assert!(!fleet.is_any_doubted());
    fleet.strike(Fault::Kill(vec![Whom::Named("h17".into())]));
    let is_found = |fleet: &Fleet| fleet.ledger().cases().next().is_some();
    assert!(fleet.run_until(Span::seconds(6), is_found));
    assert_eq!(fleet.breaches(), []);
}

#[test]
fn law_m1_a_leader_that_is_switched_off_breaks_no_law_and_another_leads_soon() {
    let mut fleet = Fleet::new(Setup::demo(5)).expect("sound");
    fleet.run(Span::seconds(40));
    let before = fleet.leader().expect("one leads").to_owned();
    fleet.strike(Fault::PowerOff(vec![Whom::Leader]));
    let is_another = |fleet: &Fleet| fleet.leader().is_some_and(|leader| leader != before);
    assert!(fleet.run_until(Span::seconds(5), is_another));
    assert_eq!(fleet.breaches(), []);
}

#[test]
fn law_u1_to_watch_a_run_changes_nothing_and_may_end_it() {
    let text = format!("{HOSTS}kill b1; run 20s; run until settled within 5s");
    let script = Script::read(&text).expect("read");
    let mut events = 0;
    let watched = script.play_watched(&mut |_| {
        events += 1;
        ControlFlow::Continue(())
    });
    let lines = watched.expect("played").trace().to_vec();
    assert_eq!(lines, script.play().expect("played").lines);
    let ended = script.play_watched(&mut |fleet| match fleet.ledger().cases().next() {
        Some(_) => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    });
    let ended = ended.expect("played");
    assert!(events > 1_000 && ended.truths().filter(|truth| !truth.is_heard).count() == 1);
    assert!(ended.trace().last().is_some_and(|line| line.text.starts_with("case 1")));
}
