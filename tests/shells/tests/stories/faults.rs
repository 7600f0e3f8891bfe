//! Deaths, freezes, cuts, and remedies whose people are struck in the middle of them.

use ledger::audit::What;
use ledger::case::Closure;
use shells::{Habit, JournalLine, Setup, Weather, World, play};
use vocabulary::{ReceiptKind, Scope, Span, VerdictKind};

/// Nine hosts in three zones; h0, h1 and h2 are keepers.
fn nine(seed: u64) -> Setup {
    Setup::grid(9, 3, seed).with_policy(&scenarios::policy(1))
}

/// Founded, whole, and every seat has seen its subject well on every path.
pub async fn ready(world: &World) {
    world.found().await;
    world.whole().await;
    world.run(12_000).await;
    assert_eq!(world.doubts().await, []);
}

/// What the audit says of this host's cases, in order.
fn told_of(world: &World, host: &str) -> Vec<String> {
    let (ledger, subject) = (world.ledger(), Scope::Host(world.id(host)));
    let mut cases = ledger.cases().chain(ledger.closed_cases());
    let Some(case) = cases.find(|case| case.subject == subject).map(|case| case.id) else {
        return Vec::new();
    };
    let told = |what: &What| match what {
        What::Verdict { case: of, kind, .. } if *of == case => Some(format!("verdict {kind}")),
        What::Granted { case: of, .. } if *of == case => Some("granted".to_owned()),
        What::Intended { case: of, .. } if *of == case => Some("intended".to_owned()),
        What::Received { case: of, kind: ReceiptKind::Done, .. } if *of == case => {
            Some("done".to_owned())
        }
        What::Verified { case: of, .. } if *of == case => Some("verified".to_owned()),
        What::Closed { case: of, how } if *of == case => Some(format!("closed {how:?}")),
        _ => None,
    };
    ledger.audit_since(0).filter_map(|record| told(&record.what)).collect()
}

fn has_case(world: &World, host: &str) -> bool {
    world.ledger().case_of_host(&world.id(host)).is_some()
}

fn healed(kind: VerdictKind) -> Vec<String> {
    let verdict = format!("verdict {kind}");
    let closed = format!("closed {:?}", Closure::Healed);
    [&verdict, "granted", "intended", "done", "verified", &closed].map(str::to_owned).to_vec()
}

/// All agents run, no case is open and every audit has the same last record.
async fn comes_to_rest(world: &World, within: u64) {
    let is_over = |world: &World| world.is_settled() && world.is_whole();
    world.until(within, "every case to close and the mesh to be whole", is_over).await;
}

/// It is found so, one remedy is carried out by another host, and all are well.
pub async fn is_healed_of(world: &World, host: &str, kind: VerdictKind) {
    let found_ms = world.until(15, "a case", |world| has_case(world, host)).await;
    comes_to_rest(world, 60).await;
    println!("{kind} of {host} after {found_ms} ms");
    assert_eq!(told_of(world, host), healed(kind), "{}", world.picture());
    let journal = world.journal();
    let [JournalLine { subject, had_effect: true, healer, .. }] = journal.as_slice() else {
        panic!("one remedy with an effect, not {journal:?}");
    };
    assert_eq!(*subject, world.id(host));
    assert_ne!(*healer, world.id(host));
}

#[test]
fn a_killed_agent_is_found_dead_and_started_again() {
    play(nine(11), async |world| {
        ready(world).await;
        world.kill("h7");
        is_healed_of(world, "h7", VerdictKind::AgentDown).await;
    });
}

#[test]
fn of_fifty_hosts_on_a_bad_network_one_is_found_dead_and_one_that_cannot_be_heard_by_some_is_not() {
    let setup = Setup::grid(50, 5, 21).with_policy(&scenarios::policy(1));
    play(setup, async |world| {
        ready(world).await;
        world.set_weather(Weather { jitter_ms: 2, loss_permille: 5, ..Weather::default() });
        world.cut_one_way(&["h8"], &["h13", "h14"]);
        world.kill("h37");
        is_healed_of(world, "h37", VerdictKind::AgentDown).await;
        assert!(!has_case(world, "h8"), "{}", world.picture());
    });
}

#[test]
fn a_machine_without_power_is_found_down_and_made_anew() {
    play(nine(12), async |world| {
        ready(world).await;
        world.power_off("h7");
        is_healed_of(world, "h7", VerdictKind::HostDown).await;
    });
}

#[test]
fn a_frozen_agent_is_found_hung_and_made_anew() {
    play(nine(13), async |world| {
        ready(world).await;
        world.freeze("h7");
        is_healed_of(world, "h7", VerdictKind::HostHung).await;
    });
}

#[test]
fn a_short_freeze_is_forgiven() {
    play(nine(14), async |world| {
        ready(world).await;
        world.freeze("h7");
        world.run(700).await;
        world.thaw("h7");
        world.run(10_000).await;
        assert_eq!((world.doubts().await, world.journal()), (vec![], vec![]));
        assert!(!has_case(world, "h7"), "{}", world.picture());
    });
}

#[test]
fn a_zone_that_is_cut_off_with_the_leader_begins_nothing_and_nor_do_the_others() {
    play(nine(15), async |world| {
        ready(world).await;
        let leader = world.leader().expect("somebody leads");
        let zone = leader.trim_start_matches('h').parse::<usize>().expect("a number") % 3;
        let names = [zone, zone + 3, zone + 6].map(|number| format!("h{number}"));
        let cut: Vec<&str> = names.iter().map(String::as_str).collect();
        world.cut_off(&cut);
        world.run(30_000).await;
        let inside = world.view(cut[1]);
        assert!(inside.cases().next().is_none(), "a minority concludes nothing");
        assert_eq!(world.leader_of(&leader), None, "and its leader knows that it leads no more");
        let ledger = world.ledger();
        let kinds: Vec<VerdictKind> = ledger.cases().map(|case| case.kind.clone()).collect();
        assert_eq!(kinds, [VerdictKind::DomainDown], "{}", world.picture());
        assert_eq!(world.journal(), [], "nobody heals a zone that is dark");
        world.mend();
        comes_to_rest(world, 120).await;
        assert_eq!(world.journal(), []);
    });
}

/// Until a remedy on this host has begun; who carries it out.
async fn healer_amid(world: &World, host: &str) -> String {
    world.remedies_take(Span::seconds(4));
    world.kill(host);
    world.until(20, "a remedy", |world| world.journal().len() == 1).await;
    world.run(1_000).await;
    world.name(&world.journal()[0].healer)
}

#[test]
fn a_healer_that_dies_amid_its_remedy_is_followed_by_one_with_a_higher_fence() {
    play(nine(16), async |world| {
        ready(world).await;
        let healer = healer_amid(world, "h7").await;
        world.kill(&healer);
        comes_to_rest(world, 180).await;
        let journal = world.journal();
        let of_h7: Vec<&JournalLine> =
            journal.iter().filter(|line| line.subject == world.id("h7")).collect();
        assert!(!of_h7[0].had_effect, "its guard ended with it");
        assert!(of_h7.len() > 1 && of_h7[1].fence > of_h7[0].fence, "{journal:?}");
        assert_ne!(of_h7[1].healer, of_h7[0].healer);
    });
}

#[test]
fn a_healer_that_is_frozen_amid_its_remedy_does_no_harm_when_it_wakes() {
    play(nine(17), async |world| {
        ready(world).await;
        let healer = healer_amid(world, "h7").await;
        world.freeze(&healer);
        world.run(25_000).await;
        world.thaw(&healer);
        comes_to_rest(world, 180).await;
        let journal = world.journal();
        let of_h7: Vec<&JournalLine> =
            journal.iter().filter(|line| line.subject == world.id("h7")).collect();
        assert!(of_h7.windows(2).all(|pair| pair[0].fence < pair[1].fence), "{journal:?}");
        let by_it = of_h7.iter().filter(|line| line.healer == world.id(&healer)).count();
        assert_eq!(by_it, 1, "awake it repeats nothing: {journal:?}");
    });
}

#[test]
fn a_leader_that_dies_amid_a_remedy_is_followed_and_the_remedy_counts() {
    play(nine(18), async |world| {
        ready(world).await;
        let healer = healer_amid(world, "h7").await;
        let leader = world.leader().expect("somebody leads");
        if leader != healer {
            world.kill(&leader);
        }
        comes_to_rest(world, 180).await;
        let journal = world.journal();
        let of_h7: Vec<&JournalLine> =
            journal.iter().filter(|line| line.subject == world.id("h7")).collect();
        assert_ne!(leader, healer, "this seed was chosen for a healer that does not lead");
        assert_eq!(of_h7.len(), 1, "it was done once: {journal:?}");
    });
}

#[test]
fn a_remedy_whose_end_nobody_saw_is_inspected_and_not_repeated() {
    play(nine(19), async |world| {
        ready(world).await;
        world.expect_remedies([Habit::ReceiptLost]);
        world.kill("h7");
        world.until(20, "a remedy", |world| world.journal().len() == 1).await;
        comes_to_rest(world, 120).await;
        assert_eq!(world.journal().len(), 1, "{}", world.picture());
    });
}
