//! What a policy changes: told before it is applied, warned of as it is, and taken back.

use expect_test::expect;
use ledger::Ledger;
use ledger::command::{Command, Entry, Proposed};
use ledger::maintenance::Plan;
use ledger::policy::Policy;
use vocabulary::{Claims, Grade, GroupName, ReceiptKind, Scope, Span};

use super::fleet::{Fleet, NINE, POLICY, Seen, checking, claims, claims_in, id, order};
use super::model::{ModelMind, Served};
use super::validity::check;
use crate::admin::answer::{
    Answer, CaseChange, CasesChanged, Ordered, PolicyChange, PolicyInForce, PolicyOrder, Refusal,
    RollbackOrder,
};
use crate::admin::client::ClientFault;
use crate::admin::mind::{Local, Standing};
use crate::admin::render::{self, Scene};
use crate::identity::RingVerifier;

/// The third host of each zone is of group `db`, the others of group `web`.
pub fn of_two_groups() -> Fleet {
    let group = |name: &str| if name.ends_with('3') { "db" } else { "web" };
    let group = |name: &str| GroupName::new(group(name)).expect("sound");
    let claims = |name: &&str| Claims { group: group(name), ..claims(name) };
    Fleet::of(NINE.iter().map(claims).collect())
}

fn observing() -> String {
    POLICY.replace("\"act\"", "\"observe\"")
}

fn rule(name: &str, verdict: &str, groups: &str, mode: &str) -> String {
    format!(
        "[[rule]]\nname = \"{name}\"\nwhen = {{ verdict = \"{verdict}\" }}\ngroups = [{groups}]\nmode = \"{mode}\"\n\
         ladder = [{{ do = \"command\", class = \"gentle\", argv = [\"/bin/start\"] }}]\n\n"
    )
}

fn in_force(ledger: &Ledger) -> (u64, &Policy) {
    (ledger.policy_shelf().version(), ledger.policy())
}

/// Every warning, on a line each.
fn warned(fleet: &Fleet, text: &str) -> String {
    let policy = Policy::read("policy.toml", text).expect("sound");
    let PolicyChange { warnings, .. } =
        render::policy_warned(&fleet.ledger, in_force(&fleet.ledger), &policy);
    warnings.iter().map(|told| format!("{}: {}\n", told.name, told.sentence)).collect()
}

fn told<T>(fleet: &Fleet, tell: impl FnOnce(&Scene<'_>) -> T) -> T {
    let (local, me) = (Local::default(), claims("a1"));
    let standing = Standing { age: Span::ZERO, has_majority: true, leader: None, term: 1 };
    tell(&Scene::new(&fleet.ledger, &local, &me, (standing, 0)))
}

/// What this policy changes for this fleet, which has it from then on.
fn changed(fleet: &mut Fleet, text: &str) -> PolicyChange {
    let mut before = Fleet::nine();
    before.ledger = fleet.ledger.clone();
    fleet.set_policy(text);
    told(&before, |before| told(fleet, |after| render::policy_change(before, after)))
}

fn cases_of(change: PolicyChange) -> CasesChanged {
    change.cases.expect("it is rehearsed")
}

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

fn set(text: &str) -> PolicyOrder {
    PolicyOrder { text: text.into(), why: "a change".into(), if_version: None }
}

fn back(version: u64, why: &str) -> RollbackOrder {
    RollbackOrder { version, why: why.into(), if_version: None }
}

async fn ordered(served: &Served, path: &str, order: &impl serde::Serialize) -> Ordered {
    let answer: Answer<Ordered> = served.client.order(path, order).await.expect("it is taken");
    check(&answer).unwrap_or_else(|why| panic!("{path}: {why}"));
    answer.data
}

async fn refused(served: &Served, path: &str, order: &impl serde::Serialize) -> Refusal {
    match served.client.order::<Ordered>(path, order).await {
        Err(ClientFault::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Law PC1: several ledgers in trouble, several policies.
#[tokio::test]
async fn what_a_dry_run_tells_is_what_applying_it_does_and_nothing_moves_before() {
    let narrow = POLICY.replace("in_flight = 2", "in_flight = 1");
    let impatient = format!("{POLICY}\n[timers]\nunknown_for = \"1m\"\n");
    let hasty = format!("{POLICY}\n[timers]\nleft_grace = \"1s\"\n");
    let (shadow, approve) = (in_mode("shadow"), in_mode("approve"));
    let checks = checking("self");
    for text in [&observing(), &shadow, &approve, &narrow, &impatient, &hasty, &checks, "", POLICY]
    {
        for fleet in [Fleet::nine(), super::socket::busy(), unknown(), unfit()].into_iter().chain([
            leased(),
            paused(),
            in_a_window(),
            approved(),
            gone(),
        ]) {
            let served = Served::over(ModelMind::new(fleet));
            let before = served.mind.fleet().ledger.clone();
            let rehearsed = ordered(&served, "/v1/policy?dry_run=true", &set(text)).await;
            assert_eq!(served.mind.fleet().ledger, before, "a dry run moves nothing");
            let rehearsal = rehearsed.policy.expect("a policy is set");
            let done = ordered(&served, "/v1/policy", &set(text)).await;
            assert_eq!((done.version, done.dry_run), (rehearsed.version, false));
            let mut fleet = served.mind.fleet();
            fleet.send("a1", Command::Tick);
            let mut standing = Fleet::nine();
            standing.ledger = before;
            let commands = vec![Proposed { by: id("a1"), command: Command::Tick }];
            let tick = Entry { elapsed: Span::ZERO, wall: standing.ledger.wall(), commands };
            standing.ledger.apply(standing.ledger.index().next(), &tick, &RingVerifier);
            let found =
                told(&standing, |one| told(&fleet, |other| render::policy_change(one, other)));
            assert_eq!(rehearsal, found, "{text}");
            let warned = done.policy.expect("a policy is set");
            assert_eq!(warned, PolicyChange { diff: None, cases: None, ..found });
        }
    }
}

/// A remedy whose end nobody has known for a while.
fn unknown() -> Fleet {
    let mut fleet = Fleet::healing();
    let (case, fence, remedy) = fleet.begun("b2", Seen::AgentDown, "c2");
    fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    fleet.wait_renewing(5 * 60, "c2", case, fence);
    fleet
}

fn in_mode(mode: &str) -> String {
    POLICY.replace("\"act\"", &format!("{mode:?}"))
}

/// A lease under which nothing has begun.
fn leased() -> Fleet {
    let mut fleet = Fleet::healing();
    let case = fleet.opened("b2", Seen::AgentDown);
    fleet.leased(case, "c2");
    fleet
}

fn paused() -> Fleet {
    let mut fleet = super::socket::busy();
    fleet.send("a1", Command::Pause(order("a look")));
    fleet
}

fn in_a_window() -> Fleet {
    let mut fleet = Fleet::healing();
    let plan = Plan { scope: Scope::Host(id("b2")), lasts: Span::minutes(60), schedule: None };
    fleet.send("a1", Command::Maintain { plan, order: order("disks") });
    fleet.opened("b2", Seen::AgentDown);
    fleet
}

fn approved() -> Fleet {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&in_mode("approve"));
    let case = fleet.opened("b2", Seen::AgentDown);
    let shown = fleet.ledger.shown(fleet.case(case));
    fleet.send("b1", Command::Approve { case, shown, order: order("go on") });
    fleet
}

/// Whose goodbye is half a minute old.
fn gone() -> Fleet {
    let mut fleet = Fleet::healing();
    let boot =
        fleet.ledger.roster().get(&id("b2")).and_then(|entry| entry.boot).expect("it has booted");
    fleet.send("b2", Command::Left { boot });
    fleet.wait(30);
    fleet
}

fn only(cases: &CasesChanged) -> &CaseChange {
    let [case] = &cases.changed[..] else { panic!("{cases:?}") };
    case
}

/// What applying it changes, a tick later.
fn after(mut fleet: Fleet, text: &str) -> CasesChanged {
    let mut before = Fleet::nine();
    before.ledger = fleet.ledger.clone();
    fleet.set_policy(text);
    fleet.send("a1", Command::Tick);
    cases_of(told(&before, |before| told(&fleet, |after| render::policy_change(before, after))))
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

fn unfit() -> Fleet {
    let mut fleet = Fleet::checking("peers");
    let grounds = fleet.check_round("b2", Some(Grade::Ok), &[Grade::Failed]);
    fleet.unfit("b2", grounds).expect("its observers agree");
    fleet.opened("a2", Seen::AgentDown);
    fleet
}

#[tokio::test]
async fn what_ends_at_once_by_shorter_waits_is_told_before() {
    let served = Served::over(ModelMind::new(unknown()));
    let impatient = format!("{POLICY}\n[timers]\nunknown_for = \"1m\"\n");
    let rehearsed = ordered(&served, "/v1/policy?dry_run=true", &set(&impatient)).await;
    let cases = cases_of(rehearsed.policy.expect("a policy is set"));
    let stages = |case: &CaseChange| (case.before.stage.clone(), case.after.stage.clone());
    let stages: Vec<_> = cases.changed.iter().map(stages).collect();
    assert_eq!(stages, [("remedy".to_owned(), "escalated".to_owned())]);
}

#[tokio::test]
async fn orders_that_set_no_policy_tell_nothing_of_one() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let order = serde_json::json!({ "why": "a look" });
    for path in ["/v1/pause?dry_run=true", "/v1/pause"] {
        assert_eq!(ordered(&served, path, &order).await.policy, None);
    }
}

/// Law PO1.
#[tokio::test]
async fn a_rollback_sets_the_text_of_an_earlier_version_as_the_next_and_says_so_in_the_audit() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    ordered(&served, "/v1/policy", &set(&observing())).await;
    let path = "/v1/policy/rollback";
    let rehearsed =
        ordered(&served, &format!("{path}?dry_run=true"), &back(1, "it only watched")).await;
    assert!(rehearsed.dry_run && rehearsed.version == Some(3));
    let change = rehearsed.policy.expect("a policy is set");
    assert_eq!(change.warnings.iter().filter(|told| told.name == "BeginsToAct").count(), 2);
    assert_eq!(served.mind.fleet().ledger.policy_shelf().version(), 2);

    let done = ordered(&served, path, &back(1, "it only watched")).await;
    assert_eq!(done.version, Some(3));
    let policy: Answer<PolicyInForce> = served.client.ask("/v1/policy").await.expect("it answers");
    assert_eq!(policy.data.text, POLICY);
    let last = policy.data.history.last().expect("three");
    assert_eq!(last.why, "rollback to version 1: it only watched");
    assert_eq!(last.digest, policy.data.history[0].digest);

    // What a new mesh has can come back as well.
    let none = ordered(&served, path, &back(0, "it did harm")).await;
    assert_eq!(none.version, Some(4));
    assert_eq!(*served.mind.fleet().ledger.policy(), Policy::default());
}

#[tokio::test]
async fn a_rollback_to_what_is_gone_or_in_force_is_refused_and_moves_nothing() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let path = "/v1/policy/rollback";
    for version in 2..=18u32 {
        ordered(&served, "/v1/policy", &set(&format!("# {version}\n{POLICY}"))).await;
    }
    ordered(&served, path, &back(17, "the seventeenth")).await;
    let before = served.mind.fleet().ledger.policy_shelf().clone();
    let mut lines = String::new();
    for version in [3, 17, 19, 20] {
        for path in [path.to_owned(), format!("{path}?dry_run=true")] {
            let Refusal { name, sentence } = refused(&served, &path, &back(version, "x")).await;
            let line = format!("{name}: {sentence}\n");
            if !lines.ends_with(&line) {
                lines.push_str(&line);
            }
        }
    }
    let guarded = RollbackOrder { if_version: Some(18), ..back(4, "x") };
    let Refusal { name, sentence } = refused(&served, path, &guarded).await;
    lines.push_str(&format!("{name}: {sentence}\n"));
    let Refusal { name, sentence } = refused(&served, path, &back(4, " ")).await;
    lines.push_str(&format!("{name}: {sentence}\n"));
    expect![[r#"
        NoSuch: version 3 of the policy cannot be read back: version 19 is in force, the last 16 are kept, `hale policy history` names them
        Nothing: the text of version 17 is in force already, as version 19
        Nothing: version 19 of the policy is in force already
        NoSuch: version 20 of the policy cannot be read back: version 19 is in force, the last 16 are kept, `hale policy history` names them
        PolicyVersion: version 19 of the policy is in force: read it and apply yours on top
        Malformed: a rollback says why: the audit keeps it
    "#]]
    .assert_eq(&lines);
    assert_eq!(*served.mind.fleet().ledger.policy_shelf(), before);
}
