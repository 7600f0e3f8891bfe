//! Does `policy.toml` mean what its example, its reference page and its faults say it means?

mod fleet;

use expect_test::{expect, expect_file};
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use ledger::document::{Fault, FaultKind, Presence, Section};
use ledger::policy::{CheckKind, Floor, Mode, Policy, Share, Timers};
use proptest::prelude::*;
use vocabulary::{CheckFrom, GroupName, RemedyClass, Span, VerdictKind};

fn read(text: &str) -> Result<Policy, Vec<Fault>> {
    Policy::read("policy.toml", text)
}

fn faults(text: &str) -> String {
    let faults = read(text).expect_err("this text is unsound");
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    lines.join("\n") + "\n"
}

/// The example with every sleeping line awake.
fn awake(example: &str) -> String {
    let lines = example.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_empty_text_means_the_default_policy() {
    assert_eq!(read(""), Ok(Policy::default()));
}

#[test]
fn the_example_means_exactly_the_defaults() {
    assert_eq!(read(&Policy::example()), Ok(Policy::default()));
}

#[test]
fn the_example_wide_awake_is_a_policy_that_uses_every_section() {
    let policy = read(&awake(&Policy::example())).expect("sound");
    assert_eq!(policy.rules.len(), 1);
    assert_eq!(policy.rules[0].ladder.len(), 1);
    assert_eq!(policy.checks.len(), 1);
    assert!(policy.escalation.is_some());
    assert_eq!(policy.budget.group.len(), 1);
}

#[test]
fn the_example_and_the_reference_page_are_what_is_in_the_repository() {
    expect_file!["../../../docs/operating/policy-example.toml"].assert_eq(&Policy::example());
    expect_file!["../../../docs/operating/policy-reference.md"].assert_eq(&Policy::reference());
}

#[test]
fn every_key_is_explained_in_example_and_reference_and_takes_its_own_default() {
    let (example, reference) = (Policy::example(), Policy::reference());
    walk(Policy::definition(), &mut |section| {
        for key in section.keys {
            let (Presence::Default(value)
            | Presence::Optional { example: value, .. }
            | Presence::Required { example: value }) = key.presence();
            assert!(key.takes(value), "{} does not take {value}", key.name());
            assert!(example.contains(&format!("{} = {value}\n", key.name())));
            assert!(reference.contains(&format!("| `{}` |", key.name())));
            assert!(reference.contains(key.says()));
        }
    });
}

fn walk(section: &Section, visit: &mut impl FnMut(&Section)) {
    visit(section);
    for below in section.sections {
        walk(below, visit);
    }
}

#[test]
fn what_is_known_and_not_honoured_is_never_also_honoured() {
    walk(Policy::definition(), &mut |section| {
        for (word, why) in section.refused {
            assert!(section.known().all(|known| known != *word), "{word}");
            assert!(why.split(' ').count() > 4, "{word}: {why:?} is no sentence");
        }
        assert!(section.keys.len() + section.sections.len() > 0);
    });
}

const DEMO: &str = r#"
[budget]
fleet     = { in_flight = "10%", halt_above = "30%", per_hour = 20 }
zone      = { in_flight = "20%", halt_above = "none" }
rack      = { in_flight = 1 }
group.web = { in_flight = "10%", at_least = 2, floor = "80%" }
group.db  = { in_flight = 1 }

[[rule]]
name = "agent down"
when = { verdict = "AgentDown" }
mode = "act"
ladder = [
  { do = "command", class = "gentle", argv = ["/usr/bin/start", "again"], verify_within = "20s", soak = "0s" },
  { do = "command", class = "gentle", argv = ["/usr/bin/reboot"], inspect = ["/usr/bin/reboot", "-n"], time_limit = "1s500ms" },
]

[[rule]]
name = "host down"
when.verdict = "HostDown"
groups = ["web", "db"]
for = "1s"
cooldown = "0s"
attempts = { at_most = 5, within = "10m" }

[timers]
lease_term = "3s"
quiet_for = "1s"
resume_after = "30s"

[pager]
escalation = { argv = ["/usr/bin/page"] }

[second_channel]
ports = [2222, 22]
"#;

#[test]
fn a_policy_says_what_is_written_and_nothing_else_changes() {
    let policy = read(DEMO).expect("sound");
    let web = GroupName::new("web").expect("sound");
    let budget = policy.budget.of_group(&web);
    assert_eq!(budget.in_flight.of(5), 2);
    assert_eq!(budget.floor, Some(Floor(Share::Percent(80))));
    assert_eq!(policy.budget.zone.halt_above, None);
    assert_eq!(policy.budget.any_group, Policy::default().budget.any_group);
    let [agent_down, host_down] = &policy.rules[..] else {
        panic!("two rules were written");
    };
    assert_eq!(agent_down.mode, Mode::Act);
    assert_eq!(agent_down.ladder[0].command.class, RemedyClass::Gentle);
    assert_eq!(agent_down.ladder[0].command.time_limit, Span::milliseconds(2_200));
    assert_eq!(agent_down.ladder[1].command.time_limit, Span::milliseconds(1_500));
    assert_eq!(agent_down.stands_for(&agent_down.ladder[1]), Span::ZERO);
    assert_eq!(host_down.mode, Mode::Observe, "law U1");
    assert_eq!(host_down.attempts.at_most, 5);
    assert_eq!(policy.rule_for(&VerdictKind::HostDown, &web), Some(host_down));
    let timers = Timers {
        lease_term: Span::seconds(3),
        accept_within: Span::milliseconds(1_500),
        quiet_for: Span::seconds(1),
        resume_after: Some(Span::seconds(30)),
        ..Timers::default()
    };
    assert_eq!(policy.timers, timers);
    assert_eq!(policy.named_ports, [22, 2222]);
}

#[test]
fn two_texts_of_one_meaning_have_one_digest() {
    let reordered = DEMO.replace("[2222, 22]", "[22, 2222]").replace("\"1s500ms\"", "\"1500ms\"");
    let digest = |text: &str| read(text).map(|policy| policy.digest());
    assert_eq!(digest(DEMO), digest(&reordered));
    assert_ne!(digest(DEMO), digest(""));
}

#[test]
fn every_fault_is_named_at_once_with_place_key_value_and_expectation() {
    expect![[r#"
        policy.toml:3:1: budget.flet: unknown key, expected one of fleet, zone, rack, any_group, group; did you mean fleet?
        policy.toml:4:23: budget.fleet.in_flight: "10x", expected hosts from 1 to 50000 or from "1%" to "100%"
        policy.toml:4:43: budget.fleet.halt_above: 0.3, expected hosts from 1 to 50000 or from "1%" to "100%", or "none"
        policy.toml:5:36: budget.rack.at_least: 2: in_flight is 1 here, which is less
        policy.toml:6:8: budget.zone: 5, expected a table
        policy.toml:7:7: budget.group.Web: "Web", expected a name of 1 to 63 of a-z 0-9 . _ -
        policy.toml:10:8: rule[1].name: "", expected one line of text, 1 to 80 bytes
        policy.toml:11:20: rule[1].when.verdict: "host-down", expected "AgentDown", "HostDown" or "HostHung"; did you mean "HostDown"?
        policy.toml:12:1: rule[1].mod: unknown key, expected one of name, groups, mode, for, cooldown, then, when, attempts, ladder; did you mean mode?
        policy.toml:13:7: rule[1].for: 30, expected a duration with its unit (ms, s, m, h, d) from 0s to 1d
        policy.toml:14:24: rule[1].attempts.at_most: 0, expected a whole number from 1 to 20
        policy.toml:14:36: rule[1].attempts.within: "1y", expected a duration with its unit (ms, s, m, h, d) from 1s to 30d
        policy.toml:15:18: rule[1].groups: "web", expected each member once
        policy.toml:16:12: rule[1].ladder[1].class: missing, expected "gentle", "disruptive" or "destructive"
        policy.toml:16:38: rule[1].ladder[1].argv: "reboot", expected the absolute path of a program: it is run as it stands, without a shell
        policy.toml:16:51: rule[1].ladder[2]: 7, expected a table
        policy.toml:18:2: timer: unknown key, expected one of enrolment, budget, check, rule, timers, pager, second_channel; did you mean timers?
        policy.toml:22:14: timers.lease_term: "1s", expected a duration with its unit (ms, s, m, h, d) from 3s to 10m
        policy.toml:23:1: timers.renewals: unknown key, expected one of left_grace, agent_down_for, quiet_for, lease_term, accept_within, unknown_for, resume_after, ramp_step_within, settle_for, unsettled_for, approved_for
    "#]].assert_eq(&faults(
        r#"
[budget]
flet = { in_flight = "10%" }
fleet = { in_flight = "10x", halt_above = 0.3 }
rack = { in_flight = 1, at_least = 2 }
zone = 5
group."Web" = { in_flight = 1 }

[[rule]]
name = ""
when = { verdict = "host-down" }
mod = "act"
for = 30
attempts = { at_most = 0, within = "1y" }
groups = ["web", "web", "d b"]
ladder = [ { do = "command", argv = ["reboot"] }, 7 ]

[timer]
quiet_for = "1s"

[timers]
lease_term = "1s"
renewals = 3

[second_channel]
ports = [22, 0]
"#,
    ));
}

const NOTHING: &str = r#"
[budget]
fleet = { in_flight = 0, halt_above = 0, per_hour = 0 }
zone = { in_flight = "0%", halt_above = "0%" }
group.db = { in_flight = 0, floor = 0 }
"#;

#[test]
fn a_budget_of_none_is_told_with_its_key_its_value_and_what_is_expected() {
    expect![[r#"
        policy.toml:3:23: budget.fleet.in_flight: 0, expected hosts from 1 to 50000 or from "1%" to "100%"
        policy.toml:3:39: budget.fleet.halt_above: 0, expected hosts from 1 to 50000 or from "1%" to "100%", or "none"
        policy.toml:3:53: budget.fleet.per_hour: 0, expected a whole number from 1 to 10000, or "none"
        policy.toml:4:22: budget.zone.in_flight: "0%", expected hosts from 1 to 50000 or from "1%" to "100%"
        policy.toml:4:41: budget.zone.halt_above: "0%", expected hosts from 1 to 50000 or from "1%" to "100%", or "none"
        policy.toml:5:26: budget.group.db.in_flight: 0, expected hosts from 1 to 50000 or from "1%" to "100%"
    "#]]
    .assert_eq(&faults(NOTHING));
}

/// Law C5.
#[test]
fn a_budget_of_none_that_was_taken_under_the_first_rules_stands_and_is_not_taken_again() {
    let text = "budget.rack = { in_flight = 0, halt_above = 0 }\n";
    let mut fleet = fleet::Fleet::healing_under_the_first_rules();
    fleet.set_policy(text);
    let none = fleet.ledger.policy().clone();
    assert_eq!(none.budget.rack.in_flight.of(100), 0);
    let raised = fleet.send("a1", Command::Rules { rules: ledger::rules::SECOND });
    assert_eq!(raised, Outcome::Done);
    let again = Ledger::from_bytes(&fleet.ledger.to_bytes()).expect("our own bytes");
    assert_eq!((again.policy(), &again), (&none, &fleet.ledger));
    let order = fleet::order("the same again");
    let command = Command::Policy { text: text.into(), if_version: None, order };
    let refused = fleet::refusal(&fleet.send("a1", command));
    assert!(refused.contains("budget.rack.in_flight: 0, expected hosts from 1"), "{refused}");
}

#[test]
fn a_host_that_is_proven_alive_gets_gentle_remedies_alone_in_a_mesh_that_knows_so() {
    let text = DEMO.replace(
        "\"gentle\", argv = [\"/usr/bin/reboot\"]",
        "\"destructive\", argv = [\"/usr/bin/reboot\"]",
    );
    expect![[r#"
        policy.toml:15:29: rule[1].ladder[2].class: "destructive": AgentDown means that the host itself is proven alive: only gentle remedies answer it, then a person is called
    "#]]
    .assert_eq(&faults(&text));
    assert!(Policy::read_under(ledger::rules::FIRST, "policy.toml", &text).is_ok());
}

#[test]
fn what_this_version_cannot_honour_is_refused_by_name() {
    expect![[r#"
        policy.toml:3:11: budget.fleet.floor: refused: a floor is of a group: set it in budget.group.NAME or budget.any_group
        policy.toml:4:25: budget.group.db.stateful: "yes", expected true or false
        policy.toml:6:1: check[1].port: missing, expected a port from 1 to 65535
        policy.toml:8:8: check[1].kind: "http", refused: this version sends no HTTP; "tcp" knocks at the same port
        policy.toml:9:1: check[1].url: refused: this version sends no HTTP; kind = "tcp" with a port knocks at it
        policy.toml:13:20: rule[1].when.verdict: "Unfit", refused: this version judges checks and heals nothing for them; a case Unfit is shown to people
        policy.toml:13:29: rule[1].when.check: refused: this version heals nothing for checks; name a verdict alone
        policy.toml:16:10: rule[1].ladder[1].do: "unit.restart", refused: this version restarts no unit itself; do = "command" can run a program that does
        policy.toml:16:26: rule[1].ladder[1].unit: refused: this version restarts no unit itself; name a program with do = "command"
        policy.toml:17:10: rule[1].ladder[2].do: "instance.replace", refused: this version replaces no instance itself; do = "command" can run a program that does
        policy.toml:17:30: rule[1].ladder[2].through: refused: this version drives no cloud; name a program with do = "command"
        policy.toml:22:20: rule[2].when.verdict: "DomainDown", refused: a whole domain in the dark is a person's business; hale never heals it
        policy.toml:26:1: timers.lease_margin: refused: it follows from lease_term: a sixth and a tenth of it
    "#]].assert_eq(&faults(
        r#"
[budget]
fleet = { floor = "80%" }
group.db = { stateful = "yes" }

[[check]]
name = "api"
kind = "http"
url = "http://{address}:8080/"

[[rule]]
name = "a"
when = { verdict = "Unfit", check = "api" }
mode = "shadow"
ladder = [
  { do = "unit.restart", unit = "api.service", class = "gentle", argv = ["/bin/true"] },
  { do = "instance.replace", through = "aws", class = "destructive", argv = ["/bin/true"] },
]

[[rule]]
name = "b"
when = { verdict = "DomainDown" }
mode = "approve"

[timers]
lease_margin = "5s"
settle_for = "30s"
"#,
    ));
}

#[test]
fn a_check_says_what_is_written_and_is_on_the_groups_it_names() {
    let text = r#"
[[check]]
name = "api"
kind = "tcp"
port = 8080
groups = ["web"]

[[check]]
name = "ssh"
kind = "tcp"
port = 22
from = "both"
every = "30s"
timeout = "5s"
fails_after = 1
recovers_after = 20
"#;
    let policy = read(text).expect("sound");
    let [api, ssh] = &policy.checks[..] else {
        panic!("two checks were written");
    };
    assert_eq!((api.kind, api.from), (CheckKind::Tcp { port: 8080 }, CheckFrom::Peers));
    assert_eq!((api.every, api.timeout), (Span::seconds(5), Span::seconds(1)));
    assert_eq!((api.fails_after, api.recovers_after), (3, 5));
    assert_eq!(
        (ssh.every, ssh.timeout, ssh.from),
        (Span::seconds(30), Span::seconds(5), CheckFrom::Both)
    );
    let on = |group| {
        let group = GroupName::new(group).expect("sound");
        policy.checks_on(&group).map(|check| check.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(on("web"), ["api", "ssh"]);
    assert_eq!(on("db"), ["ssh"]);
    assert_eq!(policy.check(&ssh.name), Some(ssh));
}

#[test]
fn a_check_that_is_not_sound_is_told_with_value_range_and_place() {
    expect![[r#"
        policy.toml:3:8: check[1].name: "API", expected a name of 1 to 63 of a-z 0-9 . _ -
        policy.toml:4:8: check[1].kind: "icmp", expected "tcp"; did you mean "tcp"?
        policy.toml:5:8: check[1].port: 0, expected a port from 1 to 65535
        policy.toml:6:8: check[1].from: "me", expected "self", "peers" or "both"
        policy.toml:7:9: check[1].every: "500ms", expected a duration with its unit (ms, s, m, h, d) from 1s to 5m
        policy.toml:8:11: check[1].timeout: "10s", expected a duration with its unit (ms, s, m, h, d) from 100ms to 5s
        policy.toml:9:15: check[1].fails_after: 0, expected a whole number from 1 to 10
        policy.toml:10:18: check[1].recovers_after: 21, expected a whole number from 1 to 20
        policy.toml:12:1: check[2].kind: missing, expected "tcp"
        policy.toml:12:1: check[2].port: missing, expected a port from 1 to 65535
        policy.toml:16:8: check[3].name: "reach": this is the name of hale's own check
        policy.toml:20:11: check[3].timeout: "2s": every = "2s" is no longer, so that looks would overlap
        policy.toml:23:8: check[4].name: "reach": this is the name of hale's own check
        policy.toml:23:8: check[4].name: "reach": another check has this name
        policy.toml:26:9: check[4].every: "1s": every = "1s" is no longer, so that looks would overlap
    "#]].assert_eq(&faults(
        r#"
[[check]]
name = "API"
kind = "icmp"
port = 0
from = "me"
every = "500ms"
timeout = "10s"
fails_after = 0
recovers_after = 21

[[check]]
name = "api"

[[check]]
name = "reach"
kind = "tcp"
port = 80
every = "2s"
timeout = "2s"

[[check]]
name = "reach"
kind = "tcp"
port = 81
every = "1s"
"#,
    ));
}

#[test]
fn more_checks_than_eight_on_one_group_and_thirty_two_in_all_are_refused() {
    let check = |number: usize, groups: &str| {
        format!("[[check]]\nname = \"c{number}\"\nkind = \"tcp\"\nport = 80\ngroups = [{groups}]\n")
    };
    let pages = |groups: &[&str]| -> String {
        groups.iter().enumerate().map(|(number, groups)| check(number, groups)).collect()
    };
    let crowded = |groups: &[&str]| read(&pages(groups)).map_err(|faults| faults[0].to_string());
    assert!(crowded(&["\"web\""; 8]).is_ok());
    let most = "the most that there may be";
    assert_eq!(
        crowded(&["\"web\""; 9]).map(|_| ()),
        Err(format!(
            "policy.toml:42:8: check[9].name: \"c8\": 8 checks above it are for group web, {most}"
        ))
    );
    let mixed = ["\"web\"", "", "", "", "", "", "", "", "\"db\"", "\"web\""];
    assert!(crowded(&mixed[..9]).is_ok());
    assert!(crowded(&mixed).is_err_and(|fault| fault.contains("for group web")));
    let all = ["\"web\"", "\"web\"", "", "", "", "", "", "", ""];
    assert!(crowded(&all[..8]).is_ok());
    assert!(crowded(&all).is_err_and(|fault| fault.contains("for group web")));
    assert!(crowded(&[""; 9]).is_err_and(|fault| fault.contains("for all groups")));
    let groups: Vec<String> = (0..33).map(|number| format!("\"g{number}\"")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    assert!(crowded(&groups[..32]).is_ok());
    assert!(crowded(&groups).is_err_and(|fault| fault.contains("at most 32")));
}

#[test]
fn a_mesh_of_rules_1_takes_no_check() {
    let text = "[[check]]\nname = \"api\"\nkind = \"tcp\"\nport = 80\n";
    let faults = Policy::read_under(1, "policy.toml", text).expect_err("not known yet");
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    expect!["policy.toml:1:1: check: [[check]]: under rules 1 there are no checks beside reaching the agent; they are known from rules 2 on"].assert_eq(&lines.join("\n"));
    assert!(Policy::read_under(2, "policy.toml", text).is_ok());
}

#[test]
fn a_mesh_of_rules_1_asks_nobody() {
    let text = "[timers]\napproved_for = \"20m\"\n[[rule]]\nname = \"a\"\nwhen = { verdict = \"HostDown\" }\nmode = \"approve\"
ladder = [ { do = \"command\", class = \"gentle\", argv = [\"/bin/a\"] } ]\n";
    let faults = Policy::read_under(1, "policy.toml", text).expect_err("not known yet");
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    expect![[r#"
        policy.toml:2:16: timers.approved_for: "20m": this version waits for nobody's approval, so none can be over
        policy.toml:6:8: rule[1].mode: "approve": this version cannot wait for a person's approval yet; "observe" opens cases and does nothing"#]].assert_eq(&lines.join("\n"));
    let read = Policy::read_under(2, "policy.toml", text).expect("known");
    assert_eq!((read.rules[0].mode, read.timers.approved_for), (Mode::Approve, Span::minutes(20)));
}

#[test]
fn keys_that_do_not_fit_together_are_told_apart_from_wrong_ones() {
    expect![[r#"
        policy.toml:4:17: timers.accept_within: "3s": a lease of "3s" would end before its healer had to take it
        policy.toml:9:8: rule[1].mode: "act": a rule that acts needs a ladder of at least one remedy
        policy.toml:12:8: rule[2].name: "a": another rule has this name
        policy.toml:13:8: rule[2].when: { verdict = "HostDown" }: never reached: the rule "a" above it answers HostDown in all of its groups, and the first that matches decides
        policy.toml:15:82: rule[2].ladder[1].time_limit: "20s": longer than a lease allows: timers.lease_term = "3s" leaves "2s200ms"
    "#]].assert_eq(&faults(
        r#"
[timers]
lease_term = "3s"
accept_within = "3s"

[[rule]]
name = "a"
when = { verdict = "HostDown" }
mode = "act"

[[rule]]
name = "a"
when = { verdict = "HostDown" }
groups = ["web"]
ladder = [{ do = "command", class = "gentle", argv = ["/bin/true"], time_limit = "20s" }]
"#,
    ));
}

#[test]
fn broken_toml_names_each_break_and_nothing_that_only_follows_from_it() {
    expect![[r#"
        policy.toml:3:13: not TOML: string values must be quoted, expected literal string
        policy.toml:4:1: not TOML: duplicate key
        policy.toml:5:14: timers.left_grace: "1x", expected a duration with its unit (ms, s, m, h, d) from 1s to 1d
        policy.toml:7:8: not TOML: unclosed array table, expected `]`
    "#]].assert_eq(&faults(
        r#"
[timers]
quiet_for = 
quiet_for = "1s"
left_grace = "1x"

[[rule]
name = "a"
"#,
    ));
}

#[test]
fn no_key_and_no_value_can_put_a_line_or_a_terminals_command_into_a_fault() {
    let text =
        "\"a\\n\\u001b[2Jb\" = 1\n[budget.group.\"\\u001b\"]\n[[rule]]\nname = \"\\u001b\"\n";
    for fault in read(text).expect_err("unsound") {
        assert!(!fault.to_string().contains(char::is_control), "{fault:?}");
    }
    let long = format!("{} = 1", "k".repeat(30_000));
    let fault = &read(&long).expect_err("unsound")[0];
    assert!(fault.to_string().len() < 300, "{fault}");
}

#[test]
fn a_text_longer_than_any_policy_is_refused_unread() {
    let faults = read(&"#".repeat(70_000)).expect_err("too long");
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].kind, FaultKind::Unreadable);
}

#[test]
fn faults_past_the_bound_are_counted_and_not_listed() {
    let text: String = (0..150).map(|n| format!("k{n} = 1\n")).collect();
    let faults = read(&text).expect_err("unknown keys");
    assert_eq!(faults.len(), 101);
    assert_eq!(faults[100].to_string(), "policy.toml: and 50 more faults");
}

/// Pieces of which a slip of the hand is made.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        Just("[budget]\n".to_owned()),
        Just("[[rule]]\n".to_owned()),
        Just("[timers]\n".to_owned()),
        Just("fleet = { in_flight = ".to_owned()),
        Just("ladder = [{ do = 'command', ".to_owned()),
        Just("when.verdict = 'HostDown'\n".to_owned()),
        Just("group.web.floor = '80%'\n".to_owned()),
        Just("mode = 'act'\n".to_owned()),
        Just("name = 'x'\n".to_owned()),
        Just("rule = 1\n".to_owned()),
        Just("class = ['gentle'] }]\n".to_owned()),
        Just("}\n".to_owned()),
        Just("\"a\\n\\u001bb\" = 1\n".to_owned()),
        Just("mode = \"\\u001b[2J\"\n".to_owned()),
        Just("group.\"\\u001b\" = {}\n".to_owned()),
        "[a-z_]{1,8} = \"?[0-9]{0,30}[%smhdx]?\"?\n",
        "\\PC{0,12}",
    ];
    proptest::collection::vec(scrap, 0..24).prop_map(|scraps| scraps.concat())
}

fn judge(text: &str) {
    if let Err(faults) = read(text) {
        assert!(!faults.is_empty());
        for fault in faults {
            assert!(!fault.expected.is_empty(), "{fault:?} in {text:?}");
            assert!(!fault.to_string().contains(char::is_control), "{fault:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_policy_or_named_faults(text in any::<String>()) {
        judge(&text);
    }

    #[test]
    fn any_pile_of_scraps_gives_a_policy_or_named_faults(text in scraps()) {
        judge(&text);
    }

    #[test]
    fn a_sound_text_with_a_slip_gives_a_policy_or_named_faults(
        at in 0..DEMO.len(),
        cut in 0..20usize,
        scrap in "\\PC{0,6}",
    ) {
        let mut text = DEMO.to_owned();
        text.replace_range(at..(at + cut).min(DEMO.len()), &scrap);
        judge(&text);
    }
}

#[test]
fn the_audit_holds_the_digest_that_a_check_of_the_same_document_prints() {
    let mut fleet = fleet::Fleet::healing();
    let digest =
        |fleet: &fleet::Fleet| fleet.ledger.policy_shelf().current().map(|note| note.digest);
    let checked = Policy::read("policy.toml", fleet::POLICY).expect("sound");
    assert_eq!(digest(&fleet), Some(checked.digest()));
    fleet.set_policy(&format!("# the same, in other words\n{}", fleet::POLICY));
    assert_eq!(digest(&fleet), Some(checked.digest()));
}
