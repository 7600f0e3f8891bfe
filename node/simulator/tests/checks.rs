//! What the ports of a host give is what its checks find, whoever carries them out, and what follows is one case for one trouble.

use std::ops::ControlFlow;

use simulator::script::{Played, Script};
use vocabulary::VerdictKind;

/// Twelve hosts in three zones, two to a rack, of which `web` is looked at every two seconds by peers and `disk` by each host itself.
const HOSTS: &str = "hosts a1 a2 zone=a rack=p; hosts a3 a4 zone=a rack=q
hosts b1 b2 zone=b rack=r; hosts b3 b4 zone=b rack=s
hosts c1 c2 zone=c rack=t; hosts c3 c4 zone=c rack=u
keepers a1 b1 c1
policy
[[check]]
name = \"web\"
kind = \"tcp\"
port = 8080
every = \"2s\"
timeout = \"500ms\"
recovers_after = 3

[[check]]
name = \"disk\"
kind = \"tcp\"
port = 9001
from = \"self\"
every = \"2s\"
timeout = \"500ms\"
recovers_after = 3
end
";

fn played(orders: &str) -> Played {
    let script = Script::read(&format!("{HOSTS}{orders}")).unwrap_or_else(|why| panic!("{why}"));
    let played = script.play().expect("there is such a fleet");
    assert_eq!(played.breaches, [], "{orders}\n{}", played.trace());
    played
}

/// Every verdict on a check, as the trace tells it, without its figures.
fn unfit(played: &Played) -> Vec<String> {
    let lines = played.lines.iter().map(|line| line.text.as_str());
    let told = lines.filter(|line| line.contains(": Unfit(") && line.contains(" against, "));
    told.filter_map(|line| line.split(": ").nth(1)).map(str::to_owned).collect()
}

fn closed(played: &Played) -> usize {
    played.lines.iter().filter(|line| line.text.ends_with("closed, recovered by itself")).count()
}

#[test]
fn what_refuses_or_is_silent_to_whoever_looks_fails_and_what_accepts_does_not() {
    for (order, found) in [
        ("port 8080 on c2 refuses", &["Unfit(web) c2"][..]),
        ("port 8080 on c2 silent", &["Unfit(web) c2"]),
        ("port 8080 on c2 refuses to peers", &["Unfit(web) c2"]),
        ("port 8080 on c2 refuses to itself", &[]),
        ("port 8080 on c2 hangs", &[]),
        ("port 8080 on c2 refuses; port 8080 on c2 serves", &[]),
        ("port 8081 on c2 refuses", &[]),
        ("port 9001 on c2 refuses", &["Unfit(disk) c2"]),
        ("port 9001 on c2 silent to itself", &["Unfit(disk) c2"]),
        ("port 9001 on c2 refuses to peers", &[]),
        (
            "port 8080 on zone=c refuses",
            &["Unfit(web) c1", "Unfit(web) c2", "Unfit(web) c3", "Unfit(web) c4"],
        ),
    ] {
        let played = played(&format!("{order}; run 20s"));
        let mut unfit = unfit(&played);
        unfit.sort();
        assert_eq!(unfit, found, "{order}\n{}", played.trace());
        assert_eq!((played.tally.verdicts_false, played.tally.remedies_begun), (0, 0), "{order}");
    }
}

#[test]
fn an_order_about_a_port_that_is_not_understood_is_told_what_is_missing() {
    for (order, why) in [
        ("port 8080 c2 refuses", "expected `port NUMBER on WHOM"),
        ("port 0 on c2 refuses", "\"0\" is no port"),
        ("port web on c2 refuses", "\"web\" is no port"),
        ("port 8080 on c2 sulks", "\"sulks\" is none of serves, hangs, refuses, silent"),
        ("port 8080 on refuses", "nobody is named"),
        ("port 8080 on c9 refuses", "\"c9\" is none of the hosts"),
    ] {
        let fault = Script::read(&format!("{HOSTS}{order}")).expect_err(order).to_string();
        assert!(fault.contains(why), "{order:?} gives {fault:?}");
    }
}

/// Law CK2: well in a round is not well for long.
#[test]
fn a_check_that_comes_and_goes_while_its_case_is_open_is_one_case_until_it_stays_well() {
    let flaps = "port 8080 on c2 serves; run 3s; port 8080 on c2 refuses; run 7s; ".repeat(6);
    let played = played(&format!("port 8080 on c2 refuses; run 20s; {flaps}"));
    assert_eq!((unfit(&played), closed(&played)), (vec!["Unfit(web) c2".to_owned()], 0));
    let played = self::played(&format!(
        "port 8080 on c2 refuses; run 20s; {flaps}port 8080 on c2 serves; run 15s"
    ));
    assert_eq!(closed(&played), 1, "{}", played.trace());
}

#[test]
fn another_leader_goes_on_where_the_one_that_died_was_and_one_that_fails_its_own_check_is_a_case_too()
 {
    let played = played("port 8080 on leader b3 refuses; run 20s");
    assert_eq!(unfit(&played).len(), 2, "{}", played.trace());
    let orders =
        "port 8080 on b3 refuses; run 5s; kill leader; run 30s; port 8080 on b3 serves; run 30s";
    let played = self::played(orders);
    assert_eq!((unfit(&played), closed(&played)), (vec!["Unfit(web) b3".to_owned()], 1));
    let noted = &played.tally.notices;
    assert!(noted.keys().all(|kind| matches!(kind, VerdictKind::Unfit(_))), "{noted:?}");
}

#[test]
fn a_fleet_whose_service_fails_everywhere_is_no_surge_and_nothing_is_healed() {
    let played = played("port 8080 on zone=a zone=b zone=c refuses; run 30s");
    assert_eq!(unfit(&played).len(), 12, "{}", played.trace());
    assert!(!played.tally.notices.contains_key(&VerdictKind::Surge));
    assert_eq!(played.tally.remedies_begun, 0);
}

/// A host that carries no check out itself, of its own or of another, signs as every other all the same (law FT1).
#[test]
fn whoever_is_only_looked_at_has_a_word_that_counts() {
    let alone = HOSTS.replace(
        "hosts c1 c2 zone=c rack=t;",
        "hosts c1 zone=c rack=t; hosts c2 zone=c rack=t group=alone;",
    );
    let text = alone.replace(
        "every = \"2s\"\ntimeout = \"500ms\"\nrecovers_after = 3\n\n[[check]]",
        "groups = [\"alone\"]\n\n[[check]]",
    );
    let text = text.replace("from = \"self\"", "from = \"self\"\ngroups = [\"nobody\"]");
    let script = Script::read(&format!("{text}port 8080 on c2 refuses; run 60s\n"))
        .unwrap_or_else(|why| panic!("{why}"));
    let fleet = script.play_watched(&mut |_| ControlFlow::Continue(())).expect("sound");
    let case = fleet.ledger().cases().next().expect("it is unfit");
    let word = VerdictKind::Unfit(vocabulary::Label::new("web").expect("sound"));
    assert_eq!(case.kind, word);
    let void: Vec<_> = case.grounds.sights.iter().filter(|sight| sight.void.is_some()).collect();
    assert!(void.is_empty(), "{void:?}");
}
