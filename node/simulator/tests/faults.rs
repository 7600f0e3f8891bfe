//! What is done to hosts and to the ways between them does what its word says, and condemns nobody else.

use simulator::script::{Played, Script};
use simulator::tally::Judged;

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
