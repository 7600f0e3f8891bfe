//! Who carries the ledger's votes (protocol 1.10; laws KV1 to KV3).

mod fleet;

use std::collections::{BTreeMap, BTreeSet};

use fleet::*;
use ledger::Ledger;
use ledger::command::{Command, Finding, Outcome, Refused};
use ledger::maintenance::Plan;
use ledger::votes::{LOST_FOR, Move};
use proptest::collection::vec;
use proptest::prelude::*;
use vocabulary::{HostId, Scope, Span, StoreId, VerdictKind, model_chain};

/// Nine hosts in three zones; the first of each zone votes, the others' certificates say keeper, too, and each has told of a store.
fn nine_keepers() -> Fleet {
    keepers_of(Fleet::healing())
}

fn keepers_of(mut fleet: Fleet) -> Fleet {
    for claims in &mut fleet.hosts {
        claims.roles.keeper = true;
    }
    for claims in fleet.hosts.clone() {
        let enrolled = fleet.send(claims.host.as_str(), Command::Enrol(model_chain(&claims)));
        assert_eq!(enrolled, Outcome::Done);
    }
    fleet.wait(EPOCH_SECONDS);
    for (number, claims) in fleet.hosts.clone().iter().enumerate() {
        tells_of_a_store(&mut fleet, claims.host.as_str(), Some(number as u64 + 1));
    }
    fleet
}

fn tells_of_a_store(fleet: &mut Fleet, name: &str, store: Option<u64>) {
    let address = "[::1]:4433".parse().expect("sound");
    let command = Command::Boot { boot: boot(1), address, store: store.map(StoreId) };
    assert_eq!(fleet.send(name, command), Outcome::Done);
}

fn moves(add: &[&str], remove: &[&str]) -> Command {
    let ids = |names: &[&str]| names.iter().map(|name| id(name)).collect();
    Command::MoveVotes { add: ids(add), remove: ids(remove), order: order("a new rack") }
}

fn voters(fleet: &Fleet) -> Vec<HostId> {
    fleet.ledger.voters().to_vec()
}

fn ids(names: &[&str]) -> Vec<HostId> {
    names.iter().map(|name| id(name)).collect()
}

#[test]
fn a_person_gives_votes_and_takes_them_and_snapshots_keep_that() {
    let mut fleet = nine_keepers();
    assert_eq!(voters(&fleet), ids(&["a1", "b1", "c1"]), "the founding's");
    assert_eq!(fleet.send("a1", moves(&["a2", "b2"], &[])), Outcome::Done);
    assert_eq!(voters(&fleet), ids(&["a1", "b1", "c1", "a2", "b2"]));
    assert_eq!(fleet.send("a1", moves(&["c2"], &["b2"])), Outcome::Done);
    assert_eq!(fleet.send("c2", moves(&[], &["a1", "a2"])), Outcome::Done);
    assert_eq!(voters(&fleet), ids(&["b1", "c1", "c2"]));
    assert_eq!(Ledger::from_bytes(&fleet.ledger.to_bytes()).as_ref(), Ok(&fleet.ledger));
    let history = fleet.history(0);
    assert_eq!(history.iter().filter(|what| *what == "VotesMoved").count(), 3);
}

#[test]
fn law_kv1_the_voters_are_one_three_five_or_seven_fit_hosts() {
    let mut fleet = nine_keepers();
    let mut says = |add: &[&str], remove: &[&str]| {
        let told = refusal(&fleet.send("a1", moves(add, remove)));
        told.strip_prefix("malformed: ").unwrap_or(&told).to_owned()
    };
    let four = "4 voters would be left: 1, 3, 5 or 7 are expected, since one more than those outlives no more losses; name two hosts at once, \
                or the one whose vote another gets";
    assert_eq!(says(&["a2"], &[]), four);
    assert!(says(&[], &["a1"]).starts_with("2 voters would be left"));
    assert!(says(&[], &["a1", "b1", "c1"]).starts_with("0 voters would be left"));
    assert_eq!(says(&["a1"], &["b1"]), "a1 has a vote already");
    assert_eq!(says(&["a2"], &["a3"]), "a3 has no vote");
    for (add, remove) in [(&["a2", "a2"][..], &[][..]), (&["a2"], &["a2"]), (&[], &[])] {
        assert_eq!(says(add, remove), "each host is named once, and one at least");
    }
    let nine = ["a2", "a3", "b2", "b3", "c2", "c3"];
    assert!(says(&nine, &[]).starts_with("9 voters would be left"));
    assert_eq!(voters(&fleet), ids(&["a1", "b1", "c1"]));
}

#[test]
fn law_kv1_who_is_not_fit_gets_no_vote_and_is_told_why() {
    let mut fleet = Fleet::healing();
    let instead = |name: &str| moves(&[name], &["a1"]);
    assert_eq!(
        refusal(&fleet.send("a1", instead("a2"))),
        "not permitted: a2 has a certificate that names no keeper"
    );
    let mut fleet = nine_keepers();
    tells_of_a_store(&mut fleet, "a2", None);
    assert_eq!(
        refusal(&fleet.send("a1", instead("a2"))),
        "not permitted: a2 has told of no store yet"
    );
    let case = fleet.opened("b2", Seen::AgentDown);
    let why = format!("not permitted: b2 has an open case, {case}");
    assert_eq!(refusal(&fleet.send("a1", instead("b2"))), why);
    fleet.send("c3", Command::Left { boot: boot(1) });
    assert_eq!(refusal(&fleet.send("a1", instead("c3"))), "not permitted: c3 said goodbye");
    assert_eq!(fleet.send("a1", instead("c2")), Outcome::Done);
}

#[test]
fn law_kv3_a_person_takes_no_votes_that_leave_no_majority_of_the_well() {
    let mut fleet = nine_keepers();
    assert_eq!(fleet.send("a1", moves(&["a2", "b2"], &[])), Outcome::Done);
    fleet.opened("b1", Seen::AgentDown);
    fleet.opened("b2", Seen::AgentDown);
    let outcome = fleet.send("a1", moves(&[], &["a1", "a2"]));
    assert_eq!(outcome, Outcome::Refused(Refused::Keepers { used: 2, limit: 1 }));
    assert_eq!(fleet.send("a1", moves(&[], &["b1", "b2"])), Outcome::Done);
    assert_eq!(voters(&fleet), ids(&["a1", "c1", "a2"]));
}

#[test]
fn law_kv2_the_vote_of_a_lost_keeper_moves_to_a_fit_host_of_its_zone() {
    let mut fleet = nine_keepers();
    fleet.send("a1", Command::Pause(order("by hand")));
    fleet.opened("b1", Seen::AgentDown);
    assert_eq!(fleet.ledger.next_move(), None, "nothing moves while a brake is on");
    fleet.send("a1", Command::Resume(order("over")));
    let Move { from, to, at } = fleet.ledger.next_move().unwrap();
    assert_eq!((from, to), (id("b1"), id("b2")));
    let lost = |name: &str| Command::ReplaceVoter { lost: id(name) };
    let early = at.since(fleet.ledger.time());
    let why = format!("too soon for the vote of a lost keeper to move: {early} left");
    assert_eq!(refusal(&fleet.send("a1", lost("b1"))), why);
    assert!(early <= LOST_FOR && early > Span::seconds(590));
    assert_eq!(fleet.send("a1", lost("c1")), Outcome::Refused(Refused::Nothing));
    // Of the fit hosts of its zone the first; this one is not any more.
    fleet.opened("b2", Seen::AgentDown);
    fleet.wait(601);
    let stranger = refusal(&fleet.send("a2", lost("b1")));
    assert_eq!(stranger, "not permitted: only a voter of the ledger may ask this");
    assert_eq!(fleet.send("a1", lost("b1")), Outcome::Done);
    assert_eq!(voters(&fleet), ids(&["a1", "b3", "c1"]));
    assert!(fleet.history(0).contains(&"VoteMoved".to_owned()));
    follow(&mut fleet);
    assert_eq!(fleet.ledger.next_move(), None);
}

#[test]
fn law_kv2_a_zone_that_has_no_other_voter_goes_first_and_one_vote_moves_at_a_time() {
    let mut fleet = nine_keepers();
    assert_eq!(fleet.send("a1", moves(&["a2", "c2"], &[])), Outcome::Done);
    follow(&mut fleet);
    // Nobody is left in zone b, whose other hosts are no keepers by now; of zones a and c two vote each.
    for name in ["b2", "b3"] {
        tells_of_a_store(&mut fleet, name, None);
    }
    fleet.opened("b1", Seen::AgentDown);
    fleet.opened("a2", Seen::AgentDown);
    fleet.wait(601);
    let first = fleet.ledger.next_move().unwrap();
    assert_eq!((first.from, first.to), (id("b1"), id("a3")), "a2 is lost, so that zone a has one");
    assert_eq!(fleet.send("a1", Command::ReplaceVoter { lost: id("b1") }), Outcome::Done);
    tells_of_a_store(&mut fleet, "b3", Some(30));
    let second = fleet.ledger.next_move().unwrap();
    assert_eq!((second.from, second.to), (id("a2"), id("b3")), "zone b has none");
    let outcome = fleet.send("a1", Command::ReplaceVoter { lost: id("a2") });
    assert_eq!(refusal(&outcome), "too soon for the vote of a lost keeper to move: 1 min 0 s left");
    fleet.wait(60);
    assert_eq!(fleet.send("a1", Command::ReplaceVoter { lost: id("a2") }), Outcome::Done);
    assert_eq!(voters(&fleet), ids(&["a1", "a3", "c1", "b3", "c2"]));
}

#[test]
fn law_kv2_a_host_that_is_worked_on_keeps_its_vote_and_one_that_said_goodbye_for_good_does_not() {
    let mut fleet = nine_keepers();
    let case = fleet.opened("b1", Seen::AgentDown);
    assert!(fleet.ledger.next_move().is_some());
    fleet.leased(case, "c2");
    assert_eq!(fleet.ledger.next_move(), None, "it may come back");

    let mut fleet = nine_keepers();
    fleet.send("c1", Command::Left { boot: boot(1) });
    assert_eq!(fleet.ledger.next_move(), None, "for a while");
    while fleet.ledger.case_of_host(&id("c1")).is_none() {
        fleet.wait(60);
    }
    assert_eq!(fleet.ledger.case_of_host(&id("c1")).unwrap().kind, VerdictKind::Left);
    assert_eq!(fleet.ledger.next_move().map(|next| next.from), Some(id("c1")));
    assert!(fleet.ledger.tick_every().is_some(), "time goes on until it moves");
}

#[test]
fn without_a_spare_keeper_and_under_the_first_rules_nothing_moves_by_itself() {
    let mut fleet = Fleet::healing();
    fleet.opened("b1", Seen::AgentDown);
    fleet.wait(700);
    assert_eq!(fleet.ledger.next_move(), None);
    let mut fleet = keepers_of(Fleet::healing_under_the_first_rules());
    fleet.opened("b1", Seen::AgentDown);
    fleet.wait(700);
    assert_eq!(fleet.ledger.next_move(), None);
    let outcome = fleet.send("a1", moves(&["a2", "b2"], &[]));
    assert_eq!(
        refusal(&outcome),
        "not permitted: rules 1 are in force, this is known from rules 2 on"
    );
}

#[test]
fn a_voter_is_retired_once_its_vote_is_taken_and_an_order_is_counted_from_then_on_by_the_new_voters()
 {
    let mut fleet = nine_keepers();
    let retire = || Command::Retire { host: id("a1"), order: order("it is sold") };
    let why = refusal(&fleet.send("b1", retire()));
    assert!(why.ends_with("`hale keeper remove` takes its vote first"), "{why}");
    assert_eq!(fleet.send("b1", moves(&["a2"], &["a1"])), Outcome::Done);
    let why = refusal(&fleet.send("b1", retire()));
    assert!(why.contains("its store votes still"), "{why}");
    follow(&mut fleet);
    assert_eq!(fleet.send("b1", retire()), Outcome::Done);
    let replaces =
        |fleet: &mut Fleet, by: &str| fleet.send(by, Command::ReplaceVoter { lost: id("b1") });
    assert_eq!(replaces(&mut fleet, "a2"), Outcome::Refused(Refused::Nothing), "a voter may ask");
    let why = refusal(&replaces(&mut fleet, "a3"));
    assert!(why.contains("only a voter"), "{why}");
}

/// The stores follow the ledger, as its leader sees.
fn follow(fleet: &mut Fleet) {
    let voting = voters(fleet);
    let by = NINE.into_iter().find(|name| id(name) == voting[0]).expect("one of the nine");
    assert_eq!(fleet.send(by, Command::VotesFollowed { voting }), Outcome::Done);
}

#[test]
fn law_kv1_until_the_stores_have_followed_whoever_voted_before_may_lead_and_no_majority_is_taken() {
    let mut fleet = nine_keepers();
    assert_eq!(fleet.send("a1", moves(&["a2"], &["a1"])), Outcome::Done);
    assert_eq!(fleet.send("a1", moves(&["b2"], &["b1"])), Outcome::Done);
    assert_eq!(voters(&fleet), ids(&["c1", "a2", "b2"]));
    assert!(fleet.ledger.may_lead(&id("a1")) && fleet.ledger.may_lead(&id("b1")));
    // It leads on, and what it sees is judged.
    let case = fleet.opened("a2", Seen::AgentDown);
    // c1 is one of three voters before and after: of the new ones a2 is lost.
    let other = fleet.opened("c1", Seen::AgentDown);
    fleet.wait(20);
    let holds = fleet.ledger.holds(other);
    assert!(holds.iter().any(|hold| matches!(hold.rule, Refused::Keepers { .. })), "{holds:?}");
    let early = fleet.send("a1", Command::VotesFollowed { voting: ids(&["a1", "b1", "c1"]) });
    assert_eq!(early, Outcome::Refused(Refused::Nothing));
    follow(&mut fleet);
    assert!(!fleet.ledger.may_lead(&id("a1")) && fleet.ledger.have_votes_followed());
    let why = refusal(&fleet.send("a1", Command::ReplaceVoter { lost: id("a2") }));
    assert!(why.contains("only a voter"), "{why}");
    assert!(fleet.ledger.case(case).is_some());
}

/// protocol 6.7: before c is replaced by d in Raft, a and b are the only ones of a, b and c.
#[test]
fn law_kv1_a_voter_is_let_alone_while_the_stores_have_not_left_a_lost_one() {
    let mut fleet = nine_keepers();
    fleet.opened("c1", Seen::AgentDown);
    assert_eq!(fleet.send("a1", moves(&["c2"], &["c1"])), Outcome::Done);
    let case = fleet.opened("a1", Seen::AgentDown);
    let is_held = |fleet: &Fleet| {
        fleet.ledger.holds(case).iter().any(|hold| matches!(hold.rule, Refused::Keepers { .. }))
    };
    assert!(is_held(&fleet));
    let voting = voters(&fleet);
    assert_eq!(fleet.send("b1", Command::VotesFollowed { voting }), Outcome::Done);
    assert!(!is_held(&fleet));
}

/// The stores of these hosts vote, of those that were asked to.
fn told(fleet: &mut Fleet, by: &str, voting: &[&str]) -> Outcome {
    fleet.send(by, Command::VotesFollowed { voting: ids(voting) })
}

#[test]
fn law_kv2_a_store_that_does_not_come_to_vote_is_passed_over_until_its_next_life() {
    let mut fleet = nine_keepers();
    assert_eq!(fleet.send("a1", moves(&["a2"], &["c1"])), Outcome::Done);
    let since = fleet.ledger.to_vote_since(&id("a2")).expect("its store does not vote yet");
    fleet.wait(590);
    let early = fleet.send("a1", Command::ReplaceVoter { lost: id("a2") });
    assert!(matches!(early, Outcome::Refused(Refused::TooSoon { .. })), "{early:?}");
    fleet.wait(20);
    let next = fleet.ledger.next_move().expect("another is fit");
    assert_eq!((next.from, next.at), (id("a2"), since.after(LOST_FOR)));
    assert_eq!(fleet.send("a1", Command::ReplaceVoter { lost: id("a2") }), Outcome::Done);
    assert!(!voters(&fleet).contains(&id("a2")) && voters(&fleet).contains(&next.to));
    assert_eq!(fleet.history(0).last().map(String::as_str), Some("VotesMoved"), "nobody is lost");
    let why = fleet.ledger.unfit_for_a_vote(&id("a2")).expect("it is passed over");
    assert!(why.contains("its store did not follow"), "{why}");
    assert_eq!(Ledger::from_bytes(&fleet.ledger.to_bytes()).as_ref(), Ok(&fleet.ledger));
    let address = "[::1]:4433".parse().expect("sound");
    let next_life = Command::Boot { boot: boot(2), address, store: Some(StoreId(77)) };
    assert_eq!(fleet.send("a2", next_life), Outcome::Done);
    assert_eq!(fleet.ledger.unfit_for_a_vote(&id("a2")), None);
}

#[test]
fn law_kv2_of_two_that_are_to_vote_the_one_that_does_is_not_passed_over() {
    let mut fleet = nine_keepers();
    assert_eq!(fleet.send("a1", moves(&["a2", "b2"], &[])), Outcome::Done);
    fleet.wait(5);
    assert_eq!(told(&mut fleet, "a1", &["a1", "b1", "c1"]), Outcome::Refused(Refused::Nothing));
    assert_eq!(told(&mut fleet, "a1", &["a1", "b1", "a2"]), Outcome::Done);
    assert_eq!(told(&mut fleet, "a1", &["a1", "b1", "a2"]), Outcome::Refused(Refused::Nothing));
    assert!(!fleet.ledger.have_votes_followed(), "b2 does not vote yet");
    assert_eq!(fleet.ledger.to_vote_since(&id("a2")), None);
    fleet.wait(600);
    assert_eq!(fleet.ledger.next_move().map(|next| next.from), Some(id("b2")));
    assert_eq!(told(&mut fleet, "a1", &["a1", "b1", "c1", "a2", "b2"]), Outcome::Done);
    assert!(fleet.ledger.have_votes_followed() && fleet.ledger.next_move().is_none());
}

/// Of three that vote, two are to have no vote once two others have one: until then one may be away, whichever five the ledger knows.
#[test]
fn law_kv1_of_all_that_may_vote_no_more_are_lost_than_the_smallest_set_bears() {
    let mut fleet = nine_keepers();
    assert_eq!(fleet.send("a1", moves(&["a2", "b2"], &[])), Outcome::Done);
    assert_eq!(fleet.send("a1", moves(&[], &["b1", "c1"])), Outcome::Done);
    assert_eq!(voters(&fleet), ids(&["a1", "a2", "b2"]));
    fleet.opened("b1", Seen::AgentDown);
    let case = fleet.opened("c1", Seen::AgentDown);
    let is_held = |fleet: &Fleet| {
        fleet.ledger.holds(case).iter().any(|hold| matches!(hold.rule, Refused::Keepers { .. }))
    };
    assert!(is_held(&fleet), "two of three");
    follow(&mut fleet);
    assert!(!is_held(&fleet), "neither votes");
}

#[test]
fn law_kv2_the_ten_minutes_are_those_of_the_verdict_and_a_host_in_maintenance_gets_no_vote() {
    let mut fleet = nine_keepers();
    // In doubt and unsettled for long, then found dead: lost from then on.
    let grounds = fleet.round(&[("b1", Seen::AgentDown)]);
    let blind = fleet.blinded(grounds, 2);
    fleet.unsettled("b1", 60, blind).expect("told");
    fleet.wait(660);
    assert_eq!(fleet.ledger.next_lost(), None, "nobody knows that it is dead");
    fleet.opened("b1", Seen::AgentDown);
    let now = fleet.ledger.time();
    let Move { at, to, .. } = fleet.ledger.next_move().unwrap();
    assert!(at.since(now) > Span::seconds(590), "{at:?} of {now:?}");
    assert_eq!(to, id("b2"));
    let plan = Plan { scope: Scope::Host(id("b2")), lasts: Span::minutes(60), schedule: None };
    fleet.send("a1", Command::Maintain { plan, order: order("a new disk") });
    assert_eq!(fleet.ledger.next_move().unwrap().to, id("b3"));
}

/// What happens to two hosts of nine.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Dies,
    IsWell,
    Says,
    Leaves,
    Comes,
    IsRetired,
    Waits(u64),
    Pauses,
    Resumes,
    Replaces,
    Follows,
    Moves,
    MovesTwo,
    TakesTwo,
    ForgetsItsStore,
}

fn deeds() -> impl Strategy<Value = Vec<(Deed, usize, usize)>> {
    let deed = prop_oneof![
        6 => Just(Deed::Dies),
        2 => Just(Deed::IsWell),
        2 => Just(Deed::Says),
        1 => Just(Deed::Leaves),
        3 => Just(Deed::Comes),
        1 => Just(Deed::IsRetired),
        6 => (1..400_u64).prop_map(Deed::Waits),
        1 => Just(Deed::Pauses),
        2 => Just(Deed::Resumes),
        8 => Just(Deed::Replaces),
        3 => Just(Deed::Follows),
        4 => Just(Deed::Moves),
        3 => Just(Deed::MovesTwo),
        3 => Just(Deed::TakesTwo),
        1 => Just(Deed::ForgetsItsStore),
    ];
    vec((deed, 0..NINE.len(), 0..NINE.len()), 1..40)
}

fn act(
    fleet: &mut Fleet,
    boots: &mut BTreeMap<String, u64>,
    (deed, one, other): (Deed, usize, usize),
) {
    let (one, other) = (NINE[one], NINE[other]);
    let first = fleet.ledger.voters()[0];
    let by = NINE.into_iter().find(|name| id(name) == first).expect("one of the nine");
    let number = boots.get(one).copied().unwrap_or(1);
    match deed {
        Deed::Dies if fleet.ledger.roster().get(&id(one)).is_some() => {
            let grounds = fleet.round(&[(one, Seen::AgentDown)]);
            let finding = Finding { scope: Scope::Host(id(one)), kind: VerdictKind::AgentDown };
            let (findings, doubted) = (vec![finding], Vec::new());
            fleet.send(by, Command::Verdicts { grounds, findings, doubted });
        }
        Deed::IsWell if fleet.ledger.roster().get(&id(one)).is_some() => {
            let cases: Vec<_> =
                fleet.ledger.case_of_host(&id(one)).map(|case| case.id).into_iter().collect();
            let grounds = fleet.round(&[(one, Seen::Well)]);
            fleet.send(by, Command::Recovered { cases, grounds });
        }
        Deed::Says | Deed::Comes => {
            let number = number + u64::from(matches!(deed, Deed::Comes));
            boots.insert(one.to_owned(), number);
            let address = "[::1]:4433".parse().expect("sound");
            let store = Some(StoreId(number * 100 + 1));
            fleet.send(one, Command::Boot { boot: boot(number), address, store });
        }
        Deed::ForgetsItsStore => {
            let address = "[::1]:4433".parse().expect("sound");
            fleet.send(one, Command::Boot { boot: boot(number), address, store: None });
        }
        Deed::Leaves => drop(fleet.send(one, Command::Left { boot: boot(number) })),
        Deed::IsRetired => {
            fleet.send(by, Command::Retire { host: id(one), order: order("sold") });
        }
        Deed::Waits(seconds) => fleet.wait(seconds),
        Deed::Pauses => drop(fleet.send(by, Command::Pause(order("look")))),
        Deed::Resumes => drop(fleet.send(by, Command::Resume(order("go on")))),
        Deed::Replaces => {
            let next = fleet.ledger.next_move().map_or(id(one), |next| next.from);
            fleet.send(by, Command::ReplaceVoter { lost: next });
        }
        Deed::Follows => {
            let voting = voters(fleet).into_iter().chain([id(one), id(other)]);
            let voting = voting.filter(|host| number % 2 == 0 || *host != id(one)).collect();
            fleet.send(by, Command::VotesFollowed { voting });
        }
        Deed::Moves => drop(fleet.send(by, moves(&[one], &[other]))),
        Deed::MovesTwo => drop(fleet.send(by, moves(&[one, other], &[]))),
        Deed::TakesTwo => drop(fleet.send(by, moves(&[], &[one, other]))),
        Deed::Dies | Deed::IsWell => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Laws KV1 and KV2 as anybody can read them, after any sequence of commands.
    #[test]
    fn whatever_happens_an_odd_number_of_hosts_votes_and_none_loses_its_vote_early(deeds in deeds()) {
        let mut fleet = nine_keepers();
        let mut boots = BTreeMap::new();
        for deed in deeds {
            let before = fleet.ledger.clone();
            act(&mut fleet, &mut boots, deed);
            let now = &fleet.ledger;
            let voters: BTreeSet<HostId> = now.voters().iter().copied().collect();
            prop_assert_eq!(voters.len(), now.voters().len(), "different hosts");
            prop_assert!([1, 3, 5, 7].contains(&voters.len()));
            prop_assert!(voters.iter().all(|voter| now.roster().get(voter).is_some()));
            if before.voters() != now.voters() && matches!(deed.0, Deed::Replaces) {
                let lost = before.voters().iter().find(|voter| !voters.contains(voter)).unwrap();
                let got = voters.iter().find(|voter| !before.voters().contains(voter)).unwrap();
                let since = match before.voter_lost_since(lost) {
                    Some(_) => before.case_of_host(lost).map(|case| case.opened),
                    None => before.to_vote_since(lost),
                };
                let since = since.expect("a verdict stands, or its store does not follow");
                prop_assert!(before.time().since(since) >= Span::minutes(10));
                prop_assert!(before.case_of_host(got).is_none());
                prop_assert!(before.brake().standing().is_none());
                prop_assert_eq!(before.voters().len(), voters.len());
            }
            if before.voters() != now.voters() {
                let is_told = matches!(deed.0, Deed::Replaces | Deed::Moves | Deed::MovesTwo | Deed::TakesTwo);
                prop_assert!(is_told, "{deed:?} moves no vote");
            }
        }
    }
}
