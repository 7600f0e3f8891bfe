//! What waits for persons, and what they have said: approvals, denials, shadows, windows of maintenance.

use std::fmt::Write as _;

use expect_test::expect;
use ledger::bindings::FleetLockId;
use ledger::command::{Command, Outcome};
use ledger::maintenance::{Plan, Schedule};
use vocabulary::{Scope, Span};

use super::{Desk, shows};
use crate::admin::tests::fleet::{Fleet, POLICY, Seen, id, order, zone};

fn under(mode: &str) -> Desk {
    let mut fleet = Fleet::nine();
    fleet.set_policy(&POLICY.replace("mode = \"act\"", &format!("mode = {mode:?}")));
    Desk::at(fleet)
}

/// From what is awaited on.
fn awaited(explained: &str) -> &str {
    let from = explained.find("awaited, and").expect("it says what is awaited");
    &explained[from..]
}

#[test]
fn a_case_that_waits_for_a_word_says_how_it_is_given_and_then_whose_it_is() {
    let mut desk = under("approve");
    let case = desk.fleet.opened("b2", Seen::AgentDown);
    let mut text = awaited(&desk.explain("1")).to_owned();
    let shown = desk.fleet.ledger.shown(desk.fleet.case(case));
    let approve = Command::Approve { case, shown, order: order("go on") };
    assert_eq!(desk.fleet.send("b1", approve), Outcome::Done);
    desk.fleet.wait(60);
    let _ = write!(text, "\n{}\n{}", awaited(&desk.explain("1")), desk.cases(false));
    shows(
        &text,
        &expect![[r#"
        awaited, and what frees it
          no lease yet: rule "agent down" waits for a person's word before rung 1, `/bin/start`: `hale approve 1 --verdict AgentDown --rung 1 --if-version 1 --why ...` or `hale deny 1 --why ...`, the former at another keeper's host than a1 (rule 6.8)

        timeline, from the audit
          record  when        what has become true
              22  400 ms ago  verdict AgentDown on b2 at entry 27, 8 voices against it, 0 well, 0 seats vacant

        awaited, and what frees it
          the leader offers the lease to a healer next; approved by ops, for 14 min 0 s more

        timeline, from the audit
          record  when      what has become true
              22  60 s ago  verdict AgentDown on b2 at entry 27, 8 voices against it, 0 well, 0 seats vacant
              23  60 s ago  rung 1, `/bin/start`, is approved for 15 min 0 s by ops at b1: go on

        case  subject  verdict    stage  opened    rung    now
           1  b2       AgentDown  open   60 s ago  1 of 2  the leader offers the lease to a healer next; approved by ops, for 14 min 0 s more
    "#]],
    );
}

#[test]
fn a_denied_case_is_a_persons_and_one_in_shadow_says_what_would_have_begun() {
    let mut desk = under("shadow");
    let shadowed = desk.fleet.opened("b2", Seen::AgentDown);
    assert_eq!(desk.fleet.offer(shadowed, "c2"), Outcome::Done);
    let mut text = awaited(&desk.explain("1")).to_owned();
    let mut desk = under("act");
    let case = desk.fleet.opened("b2", Seen::AgentDown);
    let deny = Command::Deny { case, order: order("it is being moved") };
    assert_eq!(desk.fleet.send("b1", deny), Outcome::Done);
    let _ = write!(text, "\n{}", awaited(&desk.explain("1")));
    shows(
        &text,
        &expect![[r#"
        awaited, and what frees it
          no lease yet: rule "agent down" is in shadow: it would have begun rung 1, `/bin/start`, and begins nothing (rule 6.10)

        timeline, from the audit
          record  when        what has become true
              22  400 ms ago  verdict AgentDown on b2 at entry 27, 8 voices against it, 0 well, 0 seats vacant
              23  400 ms ago  rung 1, `/bin/start`, would have begun, seen through by c2: its rule is in shadow

        awaited, and what frees it
          a person is needed: ops has denied its remedy: it is being moved; it closes by itself once the host is seen well, or by `hale case dismiss 1 --why ...`

        timeline, from the audit
          record  when        what has become true
              22  400 ms ago  verdict AgentDown on b2 at entry 27, 8 voices against it, 0 well, 0 seats vacant
              23  400 ms ago  rung 1 is denied by ops: it is being moved
              24  400 ms ago  a person is called: ops has denied its remedy: it is being moved
    "#]],
    );
}

#[test]
fn windows_are_listed_and_named_where_they_hold_something_back() {
    let mut desk = Desk::at(Fleet::healing());
    let mut text = desk.maintenance();
    let schedule = Schedule { cron: "0 2 * * sat".into(), time_zone: "Europe/Berlin".into() };
    for (scope, schedule) in [(Scope::Host(id("b2")), None), (zone("c"), Some(schedule))] {
        let plan = Plan { scope, lasts: Span::minutes(120), schedule };
        desk.fleet.send("b1", Command::Maintain { plan, order: order("new disks") });
    }
    desk.fleet.opened("b2", Seen::AgentDown);
    let _ = write!(text, "\n{}\n{}\n{}", desk.maintenance(), desk.cases(false), desk.status());
    shows(
        &text,
        &expect![[r#"
        no window is open or planned: `hale maintenance add --host HOST --for 2h --why ...` opens one

        window  covers     now                         for  schedule                   by   added      why
             1  host b2    open, 119 m left            2 h  once                       ops  1.4 s ago  new disks
             2  zone eu/c  opens 1970-01-03T01:00:00Z  2 h  0 2 * * sat Europe/Berlin  ops  1.4 s ago  new disks

        case  subject  verdict    stage  opened      rung    now
           1  b2       AgentDown  open   400 ms ago  1 of 2  no lease yet: the host is in maintenance (new disks), 1 h 59 min left; `hale maintenance end 1 --why ...` ends that

        test  as seen by a1, ledger 400 ms old
        HEALING 0 of 2 allowed    brake off    keepers 3/3 up, leader b1, term 41    policy v1 (ops, 1.4 s ago)

        zone  hosts  ok  doubt  case  repair
        eu/a      3   3      0     0       0
        eu/b      3   2      0     1       0
        eu/c      3   3      0     0       0

        budget        used  limit  next free  unhealthy  halts above  this hour
        fleet            0      2          -          1            -  0 of 20
        zone eu/b        0      2          -          1            -  0
        rack eu/b/b2     0      1          -          1            -  0
        group web        0      2          -          1            -  0

        case  subject  verdict    stage  opened      rung    now
           1  b2       AgentDown  open   400 ms ago  1 of 2  no lease yet: the host is in maintenance (new disks), 1 h 59 min left; `hale maintenance end 1 --why ...` ends that

        allows
          each host is watched by 8: a verdict takes 7 of them, 1 may be mistaken; with more than 3 of them dead too, none is possible

        notes
          host b2 is in maintenance (new disks), 1 h 59 min left: nothing begins there; `hale maintenance end 1 --why ...` ends that
    "#]],
    );
}

#[test]
fn an_exempt_host_is_told_where_hosts_are_listed_and_explained_and_where_its_case_waits() {
    let mut desk = under("act");
    let exempt = Command::Exempt { host: id("b2"), is_exempt: true, order: order("it is mine") };
    assert_eq!(desk.fleet.send("b1", exempt), Outcome::Done);
    let mut text = desk.hosts();
    let well = desk.explain("b2");
    assert!(well.contains("nothing begins on it by itself: exempt, by ops: it is mine"), "{well}");
    desk.fleet.opened("b2", Seen::AgentDown);
    let explained = desk.explain("b2");
    let _ = write!(text, "\n{}\n{}", awaited(&explained), desk.cases(false));
    shows(
        &text,
        &expect![[r#"
        host  zone  rack  group  state  case  swim  reach  boot  roles         doubted by  exempt
        a1    eu/a  a1    web    ok        -  self  ok        1  voter healer              -
        a2    eu/a  a2    web    ok        -  up    ok        1  healer                    -
        a3    eu/a  a3    web    ok        -  up    ok        1  healer                    -
        b1    eu/b  b1    web    ok        -  up    ok        1  voter healer              -
        b2    eu/b  b2    web    ok        -  up    ok        1  healer                    exempt
        b3    eu/b  b3    web    ok        -  up    ok        1  healer                    -
        c1    eu/c  c1    web    ok        -  up    ok        1  voter healer              -
        c2    eu/c  c2    web    ok        -  up    ok        1  healer                    -
        c3    eu/c  c3    web    ok        -  up    ok        1  healer                    -

        awaited, and what frees it
          no lease yet: the host is exempt, by ops: it is mine; `hale host exempt b2 --undo --why ...` ends that (rule 6.11)

        timeline, from the audit
          record  when        what has become true
              23  400 ms ago  verdict AgentDown on b2 at entry 28, 8 voices against it, 0 well, 0 seats vacant

        case  subject  verdict    stage  opened      rung    now
           1  b2       AgentDown  open   400 ms ago  1 of 2  no lease yet: the host is exempt, by ops: it is mine; `hale host exempt b2 --undo --why ...` ends that
    "#]],
    );
}

#[test]
fn who_may_reboot_is_told_beside_who_heals_and_where_a_case_waits_for_it() {
    let mut desk = under("act");
    let client = |text| FleetLockId::new(text).expect("sound");
    let take = |text| Command::TakeSlot { client: client(text), group: "web".into() };
    let (host, bound) = (Some(id("b2")), Some(order("its machine id")));
    desk.fleet.send("a1", Command::BindClient { client: client("c988"), host, order: bound });
    for text in ["c988", "it; is $(odd)"] {
        assert!(matches!(desk.fleet.send("a1", take(text)), Outcome::Leased { .. }));
    }
    let mut text = format!("{}\n{}", desk.leases(), desk.fleetlock());
    desk.fleet.opened("b2", Seen::AgentDown);
    desk.fleet.wait(1);
    let _ = write!(text, "\n{}\n{}", awaited(&desk.explain("1")), desk.leases());
    shows(
        &text,
        &expect![[r#"
        case  subject  holder         fence  stage  left  counts in                           now
           -  b2       c988               1  slot      -  zone eu/b, rack eu/b/b2, group web  it may reboot; ends when it is given back, or by `hale fleetlock revoke CLIENT --why ...`
           -  -        it; is $(odd)      2  slot      -  group web                           it may reboot; ends when it is given back, or by `hale fleetlock revoke CLIENT --why ...`

        client         host  slot  since       now
        c988           b2       1  400 ms ago  it may reboot; ends when it is given back, or by `hale fleetlock revoke CLIENT --why ...`
        it; is $(odd)  -        2  400 ms ago  it may reboot; ends when it is given back, or by `hale fleetlock revoke CLIENT --why ...`

        awaited, and what frees it
          no lease yet: too soon since its first verdict, FleetLock client c988 said that it reboots: 15 min 0 s left (rule 7.4)

        timeline, from the audit
          record  when       what has become true
              25  1.4 s ago  verdict AgentDown on b2 at entry 30, 8 voices against it, 0 well, 0 seats vacant

        case  subject  holder         fence  stage  left  counts in                           now
           -  b2       c988               1  slot      -  zone eu/b, rack eu/b/b2, group web  it reboots: case 1 is not acted on for 15 min 0 s from its first verdict
           -  -        it; is $(odd)      2  slot      -  group web                           it may reboot; ends when it is given back, or by `hale fleetlock revoke CLIENT --why ...`
    "#]],
    );
}
