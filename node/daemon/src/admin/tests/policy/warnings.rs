//! What in a sound policy a person is warned of.

use expect_test::expect;
use ledger::command::Command;

use super::super::fleet::{Fleet, POLICY, id, order};
use super::{observing, of_two_groups, rule, warned};

#[test]
fn whatever_holds_no_host_of_the_roster_is_warned_of_with_the_name_that_may_be_meant() {
    let text = rule("web", "AgentDown", "\"web\"", "observe")
        + &rule("stores", "AgentDown", "\"dbs\"", "observe")
        + &rule("both", "HostDown", "\"cache\", \"db\"", "observe")
        + "[[check]]\nname = \"api\"\nkind = \"tcp\"\nport = 80\ngroups = [\"cache\"]\n\n"
        + "[budget]\ngroup.webs = { in_flight = 1 }\ngroup.db = { in_flight = 1 }\n";
    expect![[r#"
        NoHost: rule "stores" matches no host: no host of the roster is in group dbs (is db meant?)
        NoHost: rule "both" names group cache, in which no host of the roster is
        NoHost: check api matches no host: no host of the roster is in group cache
        NoHost: budget.group.webs is for no host: no host of the roster is in group webs (is web meant?)
    "#]]
    .assert_eq(&warned(&of_two_groups(), &text));
}

#[test]
fn a_group_whose_only_host_is_retired_holds_no_host() {
    let mut fleet = of_two_groups();
    let text = rule("stores", "AgentDown", "\"db\"", "observe");
    assert_eq!(warned(&fleet, &text), "");
    for name in ["a3", "b3", "c3"] {
        let host = id(name);
        fleet.send("a1", Command::Retire { host, order: order("sold") });
    }
    assert!(warned(&fleet, &text).contains("NoHost: rule \"stores\""));
}

#[test]
fn a_rule_that_several_above_it_hide_together_is_warned_of() {
    let above = rule("web", "AgentDown", "\"web\"", "observe")
        + &rule("db", "AgentDown", "\"db\"", "observe");
    let fleet = of_two_groups();
    assert_eq!(warned(&fleet, &(above.clone() + &rule("rest", "HostDown", "", "observe"))), "");
    expect![[r#"
        NeverDecides: rule "rest" decides nothing: above it rules "db", "web" decide on AgentDown in each of its groups that has hosts
    "#]]
    .assert_eq(&warned(&fleet, &(above + &rule("rest", "AgentDown", "", "observe"))));
}

#[test]
fn a_budget_that_comes_to_none_where_hosts_are_is_warned_of() {
    let text = "[budget]\nzone = { in_flight = \"20%\", at_least = 0 }\ngroup.db = { in_flight = \"34%\", at_least = 0 }\n";
    expect![[r#"
        NothingInFlight: budget.zone lets nothing be repaired in zone eu/a and 2 more: in_flight and at_least come to none there
    "#]]
    .assert_eq(&warned(&of_two_groups(), text));
}

#[test]
fn whatever_begins_to_act_is_said_plainly_and_what_acts_already_is_not_said_again() {
    let mut fleet = of_two_groups();
    let first = rule("web", "AgentDown", "\"web\"", "observe")
        + &rule("down", "HostDown", "\"web\"", "act");
    let then = rule("web", "AgentDown", "\"web\"", "act")
        + &rule("down", "HostDown", "", "act")
        + &rule("hung", "HostHung", "\"db\"", "act");
    let fresh = warned(&fleet, &first);
    fleet.set_policy(&first);
    let later = warned(&fleet, &then);
    fleet.set_policy(&then);
    expect![[r#"
        BeginsToAct: rule "down" begins to act on HostDown in group web: by version 0 nothing is done there

        BeginsToAct: rule "web" begins to act on AgentDown in group web: version 1 only observes by it
        BeginsToAct: rule "down" begins to act on HostDown in group db: by version 1 nothing is done there
        BeginsToAct: rule "hung" begins to act on HostHung in group db: by version 1 nothing is done there

    "#]]
    .assert_eq(&(fresh + "\n" + &later + "\n" + &warned(&fleet, &then)));
}

#[test]
fn what_the_policy_before_did_and_this_one_leaves_out_is_warned_of() {
    let mut fleet = Fleet::checking("self");
    let text = fleet.ledger.policy_shelf().current().expect("set").text.to_string();
    let called = "[pager.escalation]\nargv = [\"/bin/call\"]\n[enrolment]\nhosts = \"added\"\n";
    fleet.set_policy(&format!("{text}\n{called}"));
    expect![[r#"
        NobodyIsCalled: nobody is called any more: version 2 has a [pager], this has none, and a call is a line in the audit and the log
        AnybodyEnrols: whoever has a certificate of the cluster may enrol: version 2 wants a person's `hale host add` beside it
        LooksAtLess: check api of version 2 is looked at no more
    "#]].assert_eq(&warned(&fleet, ""));
    assert_eq!(warned(&fleet, &format!("# again\n{text}\n{called}")), "");
}

#[test]
fn a_rule_that_acts_and_may_do_worse_is_warned_of() {
    let mut fleet = of_two_groups();
    let gentle = rule("web", "HostDown", "\"web\"", "act");
    fleet.set_policy(&gentle);
    let harsh = gentle.replace("gentle", "destructive");
    expect![[r#"
        HarsherRemedy: rule "web" on HostDown in group web may do what is destructive without asking: by version 1 gentle at most
    "#]].assert_eq(&warned(&fleet, &harsh));
    fleet.set_policy(&harsh);
    assert_eq!(warned(&fleet, &gentle), "");
    let stateful = format!("{harsh}[budget]\ngroup.web = {{ in_flight = 1, stateful = true }}\n");
    assert_eq!(warned(&fleet, &stateful), "");
    fleet.set_policy(&stateful);
    expect![[r#"
        HarsherRemedy: rule "web" on HostDown in group web may do what is destructive without asking: by version 3 nothing
        LimitsLess: budget.any_group allows more than version 3 in group web: stateful
    "#]].assert_eq(&warned(&fleet, &harsh));
}

#[test]
fn limits_that_allow_more_than_before_are_warned_of_by_what_they_come_to() {
    let mut fleet = of_two_groups();
    let before = POLICY.replace("rack = { in_flight = 1 }", "rack = { in_flight = 1 }\ngroup.db = { in_flight = 2, per_day = 3, floor = 1, stateful = true }");
    fleet.set_policy(&before);
    let same = before.replace("fleet = { in_flight = 2,", "fleet = { in_flight = \"25%\",");
    assert_eq!(warned(&fleet, &same), "", "a quarter of nine hosts is two");
    let wider = before.replace("group.db = { in_flight = 2,", "group.db = { in_flight = 3,");
    assert_eq!(warned(&fleet, &wider), "", "of a stateful group one at a time, whatever it says");
    let loose = before
        .replace("fleet = { in_flight = 2,", "fleet = { in_flight = \"100%\",")
        .replace("per_day = 3, floor = 1, stateful = true", "per_day = 4");
    expect![[r#"
        LimitsLess: budget.fleet allows more than version 1 in fleet: in_flight
        LimitsLess: budget.group.db allows more than version 1 in group db: in_flight, per_day, floor, stateful
    "#]]
    .assert_eq(&warned(&fleet, &loose));
    assert_eq!(warned(&fleet, &observing()), "");
}

#[test]
fn a_floor_of_all_of_a_group_is_warned_of() {
    let floor = POLICY.replace(
        "any_group = { in_flight = 2 }",
        "any_group = { in_flight = 2, floor = \"100%\" }",
    );
    assert_eq!(
        warned(&of_two_groups(), &floor)
            .lines()
            .filter(|line| line.starts_with("FloorOfAll"))
            .count(),
        0
    );
    let hung = floor.replace("\"HostDown\"", "\"HostHung\"");
    let told = warned(&of_two_groups(), &hung);
    let told: Vec<&str> = told.lines().filter(|line| line.starts_with("FloorOfAll")).collect();
    expect![[r#"
        FloorOfAll: budget.any_group: the floor of group db is all of its hosts, so that rule "host down" does nothing there but what is gentle
        FloorOfAll: budget.any_group: the floor of group web is all of its hosts, so that rule "host down" does nothing there but what is gentle
    "#]].assert_eq(&(told.join("\n") + "\n"));
}

#[test]
fn asking_a_person_is_less_than_acting_and_more_than_a_shadow() {
    let mut fleet = of_two_groups();
    let mut lines = String::new();
    for mode in ["shadow", "approve", "act", "approve", "shadow", "act"] {
        let text = rule("web", "AgentDown", "\"web\"", mode);
        lines.push_str(&format!("{mode}\n{}", warned(&fleet, &text)));
        fleet.set_policy(&text);
    }
    expect![[r#"
        shadow
        approve
        BeginsToAct: rule "web" begins to act on AgentDown in group web, each time a person allows it: version 1 has it in shadow
        act
        BeginsToAct: rule "web" begins to act on AgentDown in group web: version 2 asks a person before each remedy of it
        approve
        shadow
        act
        BeginsToAct: rule "web" begins to act on AgentDown in group web: version 5 has it in shadow
    "#]].assert_eq(&lines);
}
