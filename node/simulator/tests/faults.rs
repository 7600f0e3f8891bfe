//! What is done to hosts and to the ways between them does what its word says, and condemns nobody else.

use std::ops::ControlFlow;
use std::sync::Arc;

use ledger::case::Case;
use simulator::opinions::Opinions;
use simulator::script::{Played, Script};
use simulator::tally::Judged;
use simulator::{Fault, Fleet, Line, Setup, Whom, library};
use vocabulary::{Span, VerdictKind};

/// Twelve hosts in three zones, two to a rack.
const HOSTS: &str = "hosts a1 a2 zone=a rack=p; hosts a3 a4 zone=a rack=q
hosts b1 b2 zone=b rack=r; hosts b3 b4 zone=b rack=s
hosts c1 c2 zone=c rack=t; hosts c3 c4 zone=c rack=u
keepers a1 b1 c1
";

fn played(orders: &str) -> Played {
    let script = Script::read(&format!("{HOSTS}{orders}")).unwrap_or_else(|why| panic!("{why}"));
    let played = script.play().expect("there is such a fleet");
    assert_eq!(played.breaches, [], "{orders}\n{}", played.trace());
    assert_eq!(played.tally.verdicts_false, 0, "{orders}\n{}", played.trace());
    played
}

/// Who was judged; what is said of a case again is said once.
fn judged(played: &Played) -> Vec<String> {
    let of = |judged: &Judged| format!("{} {}", judged.kind, judged.hosts.join(" "));
    let mut judged: Vec<String> = played.tally.verdicts.iter().map(of).collect();
    judged.dedup();
    judged
}

#[test]
fn every_trouble_of_the_ways_is_read_in_each_of_its_forms() {
    for (order, line) in [
        ("loss 30%", "300 of 1,000 datagrams are lost"),
        ("loss 30% c2 c4", "300 of 1,000 datagrams are lost from and to c2 c4"),
        ("loss 80% from c2", "800 of 1,000 datagrams are lost from c2"),
        ("loss 30% to zone=c", "300 of 1,000 datagrams are lost to c1 c2 c3 c4"),
        ("loss 1% from a1 to rack=s", "10 of 1,000 datagrams are lost from a1 to b3 b4"),
        ("latency 80ms", "every way takes at least 80 ms"),
        ("latency 80ms between a2 and b2 b3", "every way takes 80 ms longer between a2 and b2 b3"),
        ("jitter 9ms from c2", "every way takes up to 9 ms more from c2"),
        ("duplication 2%", "20 of 1,000 datagrams come twice"),
        ("reordering 5% c2", "50 of 1,000 datagrams are overtaken from and to c2"),
        ("bandwidth 20kB c2", "20000 bytes a second pass from and to c2"),
        ("bandwidth full", "as many bytes pass as come"),
    ] {
        let trace = played(order).trace();
        assert_eq!(trace, format!("   0.0 {line}\n"));
    }
    for (order, why) in [
        ("loss", "expected how much, and of whom"),
        ("loss 5% between a1", "expected `between WHOM and WHOM`"),
        ("loss 5% from to a1", "nobody is named"),
        ("loss 5% c9", "\"c9\" is none of the hosts"),
        ("bandwidth 5 c2", "\"5\" is no bandwidth"),
        ("bandwidth 5kB from a1 to b1", "of hosts' links"),
    ] {
        let fault = Script::read(&format!("{HOSTS}{order}")).expect_err(order).to_string();
        assert!(fault.contains(why), "{order:?} gives {fault:?}");
    }
}

#[test]
fn a_host_of_whose_answers_few_come_through_is_one_unsettled_case_and_one_call() {
    let policy = "policy\n[timers]\nunsettled_for = \"1m\"\nend\n";
    let played = played(&format!("{policy}loss 80% c4; run 3m\nloss 0% c4; run 30s\n"));
    let trace = played.trace();
    let of =
        |word: &str| played.lines.iter().filter(|line| line.to_string().contains(word)).count();
    assert_eq!((of("case 1: Unsettled c4"), of("a person is called")), (1, 1), "{trace}");
    assert_eq!((of("case 2"), of("case 1: closed, recovered")), (0, 1), "{trace}");
}

#[test]
fn a_host_whose_link_loses_four_fifths_is_judged_alone_and_a_broken_pair_not_at_all() {
    let bad = played("loss 80% c4; run 2m");
    assert!(judged(&bad).iter().all(|verdict| verdict.ends_with(" c4")), "{}", bad.trace());
    let pair = played("loss 100% between a2 and c4; run 2m");
    assert_eq!(judged(&pair), [""; 0], "{}", pair.trace());
}

#[test]
fn loss_at_both_ends_of_every_way_invents_no_death_and_hides_none() {
    let lossy = played("loss 30% 100%; run 1m; poweroff c4; run 20s");
    assert_eq!(judged(&lossy), ["HostDown c4"], "{}", lossy.trace());
}

#[test]
fn what_comes_twice_late_or_through_a_narrow_link_condemns_nobody() {
    let weather = "duplication 20%; reordering 20%; jitter 40ms zone=b; latency 60ms from c4";
    let bad = played(&format!("{weather}; bandwidth 10kB a4; run 2m"));
    assert_eq!(judged(&bad), [""; 0], "{}", bad.trace());
}

#[test]
fn what_holds_hosts_up_is_read_in_each_of_its_forms() {
    for (order, line) in [
        ("slow c2 c4 500ms", "c2 c4: everything comes 500 ms later"),
        ("stall c2 8s", "c2: stalled for 8 s"),
        ("stall zone=c 2s free 60ms", "c1 c2 c3 c4: stalled for 2 s, free for 60 ms, and so on"),
        ("unstall c2", "c2: stalled no more"),
        ("suspend c2 30s", "c2: suspended for 30 s"),
        ("suspend c2 30s uncounted", "c2: suspended for 30 s that no clock counts"),
        ("drift c2 -1%", "c2: the clock is -10 of 1,000 fast"),
        ("jump c2 30s", "c2: the clock leaps by 30 s"),
        ("lose c2", "c2: starts anew on an empty disk"),
        ("ledger slow 2s", "every entry takes 2 s longer"),
        ("ledger leaderless 30s", "nobody leads for 30 s"),
        ("ledger loses answers 20%", "200 of 1,000 answers of the ledger are lost"),
    ] {
        let trace = played(order).trace();
        assert!(trace.starts_with(&format!("   0.0 {line}\n")), "{trace}");
    }
    for (order, why) in [
        ("stall 8s", "nobody is named"),
        ("slow c2 fast", "\"fast\" is no span"),
        ("stall c2 0s free 0s", "take some time"),
        ("drift c2 1", "\"1\" is no share"),
        ("lose c9", "\"c9\" is none of the hosts"),
        ("ledger burns", "expected slow SPAN"),
    ] {
        let fault =
            Script::read(&format!("{HOSTS}{order}")).map(|_| ()).expect_err(order).to_string();
        assert!(fault.contains(why), "{order:?} gives {fault:?}");
    }
}

#[test]
fn slow_hosts_and_hosts_whose_clock_drifts_or_leaps_are_not_condemned() {
    let bad = played(
        "slow c4 500ms; drift b2 5%; drift b3 -5%; drift leader 2%; run 1m; jump a4 30s; jump leader 30s; run 1m",
    );
    assert_eq!(judged(&bad), [""; 0], "{}", bad.trace());
}

#[test]
fn laws_h1_and_h2_a_stalled_agent_is_found_and_condemns_nobody_while_its_timers_run() {
    let once = played("stall c4 8s; run 30s");
    assert_eq!(judged(&once), ["HostHung c4"], "{}", once.trace());
    let often = played("stall a4 b4 c4 2s free 1s; run 2m; unstall a4 b4 c4; run 10s");
    let is_theirs = |verdict: &String| verdict.ends_with('4');
    assert!(judged(&often).iter().all(is_theirs), "{}", often.trace());
}

#[test]
fn a_machine_that_stands_still_is_found_and_comes_back_whether_its_clock_counted_or_not() {
    for how in ["", " uncounted"] {
        let still = played(&format!("suspend c4 30s{how}; run 1m; show cases"));
        assert_eq!(judged(&still), ["HostDown c4"], "{}", still.trace());
        assert!(still.trace().contains("closed, recovered by itself"), "{}", still.trace());
    }
}

#[test]
fn law_d1_a_lost_disk_begins_above_the_known_boot_and_a_lost_store_has_no_vote_until_it_is_filled()
{
    let lost = played("restart b1; run 30s; kill a1; lose b1; run 30s; start a1; run 30s");
    let trace = lost.trace();
    let votes = trace.find("the new store of b1 votes").expect(&trace);
    let back = trace.find("a1 starts in boot 2").expect(&trace);
    assert!(back < votes, "one voter of three cannot fill a store:\n{trace}");
    assert!(trace.contains("b1 ends: TooLow"), "{trace}");
    assert!(
        trace.contains("b1 starts in boot 2") || trace.contains("b1 starts in boot 3"),
        "{trace}"
    );
}

#[test]
fn a_slow_leaderless_or_forgetful_ledger_delays_a_verdict_and_loses_none() {
    for (order, least) in [("slow 2s", 2), ("leaderless 20s", 20), ("loses answers 50%", 0)] {
        let bad = played(&format!("ledger {order}; poweroff c4; run 1m"));
        assert_eq!(judged(&bad), ["HostDown c4"], "{order}:\n{}", bad.trace());
        let at = bad.tally.verdicts[0].at.as_milliseconds() / 1_000;
        assert!((least..least + 12).contains(&at), "{order}: after {at} s\n{}", bad.trace());
    }
}

#[test]
fn law_o1_what_is_thought_of_a_host_is_counted_where_it_is_thought_and_by_whom() {
    let mut fleet = Fleet::new(Setup::grid(12, 3, 3).settled()).expect("sound");
    fleet.run(Span::seconds(40));
    fleet.begin_trace();
    fleet.strike(Fault::Kill(vec![Whom::Named("h7".into())]));
    // Membership takes its time: nothing rests on it.
    fleet.run(Span::seconds(120));
    let opinions = fleet.opinions();
    assert_eq!(opinions[7].called_down, 11, "every member has called it down once");
    assert_eq!(opinions[7].called_down_by_well, 11);
    assert!((1..=10).contains(&opinions[7].doubted_by_well), "{:?}", opinions[7]);
    let others = opinions.iter().enumerate().filter(|(place, _)| *place != 7);
    assert!(others.into_iter().all(|(_, opinions)| *opinions == Opinions::default()));
}

#[test]
fn law_h3_what_a_stalled_process_had_to_say_dies_with_it() {
    // Stalled it doubts whom it watches, and would tell the leader so.
    let stalled = "run 10s; stall c4 20s; run 5s";
    let about_others = |played: &Played| {
        let late = played.lines.iter().filter(|line| line.at.as_milliseconds() > 29_000);
        let is_round = |line: &&Line| line.text.starts_with("round on ");
        late.filter(is_round).filter(|line| !line.text.starts_with("round on c4:")).count()
    };
    let alive = played(&format!("{stalled}; run 40s"));
    assert!(about_others(&alive) > 0, "{}", alive.trace());
    let killed = played(&format!("{stalled}; kill c4; run 40s"));
    assert_eq!(about_others(&killed), 0, "{}", killed.trace());
}

/// The bridge of the experiment on partitions: two halves across all racks, and one host that reaches both. Each half looks dead to
/// the other, host by host, beside living neighbours in its rack. Whoever leads stands on one side of it: a bridge that leads is answered
/// by everybody. A few of those beyond are vouched for by the bridge.
#[test]
fn a_cut_that_follows_no_domain_is_a_surge_and_condemns_nobody() {
    const HOSTS: usize = 48;
    let setup = Setup::grid(HOSTS, 3, 3).with_policy(library::POLICY).settled();
    let mut fleet = Fleet::new(setup).expect("sound");
    fleet.run(Span::seconds(40));
    fleet.begin_trace();
    let half = |odd: usize| (1..HOSTS).filter(|at| at % 2 == odd).map(Whom::NthHost).collect();
    fleet.strike(Fault::Cut { from: half(0), to: half(1), both: true });
    fleet.run(Span::minutes(1));
    let tally = fleet.tally();
    assert_eq!(tally.verdicts, [], "law V6");
    assert_eq!(tally.notices.get(&VerdictKind::Surge), Some(&1));
    let unsettled = |case: &&Arc<Case>| case.kind == VerdictKind::Unsettled;
    let shown = fleet.ledger().cases().filter(unsettled).count();
    assert!(shown >= HOSTS / 2 - 3, "whoever is beyond the cut is shown: {shown}");
    fleet.strike(Fault::Join);
    // All but a few end within six seconds; whose last doubt came late is looked at once more.
    fleet.run(Span::seconds(20));
    let open: Vec<&VerdictKind> = fleet.ledger().cases().map(|case| &case.kind).collect();
    assert_eq!(open, [&VerdictKind::Surge], "it waits for a person, and nobody else does");
    assert_eq!((fleet.tally().remedies_begun, fleet.tally().escalated), (0, 1));
    assert_eq!(fleet.breaches(), []);
}

#[test]
fn law_n1_a_host_that_lies_in_any_way_condemns_nobody_and_saves_nobody() {
    for (how, heard) in [
        ("accuses", "vacant c4"),
        ("praises", "well c4; life"),
        ("hides", "answers no round"),
        ("repeats", "says what it said"),
        ("floods", "vacant c4"),
        ("forges", "forges verdicts"),
        ("wavers", "now so and now so"),
    ] {
        let lying =
            played(&format!("lie c4 {how}; run 30s; kill b3; run 15s; lie c4 ends; run 5s"));
        assert_eq!(judged(&lying), ["AgentDown b3"], "{how}\n{}", lying.trace());
        assert!(lying.trace().contains(heard), "{how}\n{}", lying.trace());
    }
}

/// Law S2: a host waits for the next of many dead peers that is due, not for each of them anew at each.
#[test]
fn a_fleet_of_which_only_the_keepers_come_back_has_no_more_to_do_than_one_that_lives() {
    let hosts = |at: usize| format!("hosts h{at} zone=z rack=r{}\n", at / 3);
    let hosts: String = (0..40).map(hosts).collect();
    let dies = "poweroff h10; run 313ms; poweroff h0; run 19s; kill zone=z; run 143ms; cut zone=z; run 593ms; cut rack=r9";
    let comes_back = "run 2s; join; start h0 h1 h2; run 160s";
    let orders =
        format!("keepers h0 h1 h2\nlatency 16ms\njitter 7ms\nrun 40s; {dies}; {comes_back}\n");
    let script = Script::read(&format!("{hosts}{orders}")).unwrap_or_else(|why| panic!("{why}"));
    let fleet = script.play_watched(&mut |_| ControlFlow::Continue(())).expect("sound");
    // Seen: 180,203; before one wait stood for all, more than were awaited at once.
    assert!(fleet.happened() < 1_000_000, "{} things", fleet.happened());
}

/// Law D9 (see `detection::rounds`): what one liar has doubted for a minute is no old trouble when it truly begins.
#[test]
fn a_liar_that_doubts_everybody_for_a_minute_hides_no_surge() {
    let played = played("lie a2 accuses; run 60s\npoweroff a4 b2 b4 c4; run 20s\n");
    assert_eq!(played.tally.notices.get(&VerdictKind::Surge), Some(&1), "{}", played.trace());
    assert!(judged(&played).is_empty(), "the brake stood first: {}", played.trace());
}

/// Law D8 (see `detection::rounds`): a rack that is cut off while a set of rounds on others is under way, in which one of its hosts
/// has spoken just before.
#[test]
fn racks_that_are_cut_off_one_after_the_other_condemn_none_of_their_hosts() {
    let host = |at: usize| format!("hosts h{at} zone=z{} rack=z{}r{}\n", at % 3, at % 3, at / 15);
    let hosts: String = (0..128).map(host).collect();
    let cuts: String = (1..=6).map(|rack| format!("cut rack:{rack}; run 10s; join\n")).collect();
    for seed in [3, 10] {
        let text = format!("{hosts}keepers h0 h1 h2\nseed {seed}\n{cuts}");
        let script = Script::read(&text).unwrap_or_else(|why| panic!("{why}"));
        let played = script.play().expect("there is such a fleet");
        let kinds = played.tally.verdicts.iter().map(|judged| &judged.kind);
        let of_hosts = kinds.filter(|kind| **kind != VerdictKind::DomainDown).count();
        assert_eq!(of_hosts, 0, "seed {seed}: {}", played.trace());
    }
}
