//! Cases: from the voices to the soak, and what holds each back.

use std::fmt::Write as _;

use expect_test::expect;
use ledger::command::{Command, Finding};
use vocabulary::{ReceiptKind, Scope, VerdictKind};

use super::{Desk, shows};
use crate::admin::tests::fleet::{Fleet, POLICY, Seen, doubts, id, order, replacing, zone};

#[test]
fn a_case_is_explained_from_the_voices_to_the_soak() {
    let mut desk = Desk::at(Fleet::healing());
    let (case, fence, remedy) = desk.fleet.begun("b2", Seen::AgentDown, "c2");
    desk.fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    desk.fleet.boot("b2", 2);
    desk.fleet.verify(("c2", case, fence), &[("b2", Seen::Well)]);
    let mut text = desk.explain("1");
    let _ = write!(text, "\n{}", desk.cases(false));
    shows(
        &text,
        &expect![[r#"
            case 1  b2  AgentDown  verifying  opened 8.4 s ago

            who looked, in the newest round (entry 27): 8 against, 0 well, 0 vacant of 8 seats; 7 needed, 1 may be mistaken
              observer  stands in  said     fit to look  by these paths
              b3        eu/b/b3    against  fit          warm silent, fresh dial silent, agent port refused
              a3        eu/a/a3    against  fit          warm silent, fresh dial silent, agent port refused
              c3        eu/c/c3    against  fit          warm silent, fresh dial silent, agent port refused
              a1        eu/a/a1    against  fit          warm silent, fresh dial silent, agent port refused
              b1        eu/b/b1    against  fit          warm silent, fresh dial silent, agent port refused
              c2        eu/c/c2    against  fit          warm silent, fresh dial silent, agent port refused
              c1        eu/c/c1    against  fit          warm silent, fresh dial silent, agent port refused
              a2        eu/a/a2    against  fit          warm silent, fresh dial silent, agent port refused

            decided, by the rules of docs/protocol
              3.1     a round hung on entry 27: 8 of its 8 observers signed what they saw
              3.4     8 voices against it, 7 were needed; 0 saw it well, 1 may be mistaken
              3.6     AgentDown: the agent answers on no path, while the host itself is proven alive
              policy  rule "agent down" of policy version 1 acts on it in group web: 2 rungs, the first at once

            awaited, and what frees it
              it must stay well before it is called healed: 3 s left (rule 7.4)

            lease
              fence 1, held by c2, 22 s left unless it is renewed

            remedies
              remedy  rung  class   healer  fence  intended   receipt       proof    what
                   1     1  gentle  c2          1  1.4 s ago  Done: exit 0  awaited  /bin/start

            timeline, from the audit
              record  when        what has become true
                  22  8.4 s ago   verdict AgentDown on b2 at entry 27, 8 voices against it, 0 well, 0 seats vacant
                  23  8.4 s ago   lease under fence 1 offered to c2
                  24  8.4 s ago   c2 takes the lease under fence 1
                  25  1.4 s ago   c2 intends remedy 1 under fence 1: rung 1, /bin/start
                  26  1.4 s ago   remedy 1 under fence 1 is done: exit 0
                  28  400 ms ago  remedy 1 is proven by boot 2 and the voices say well; it soaks

            case  subject  verdict    stage      opened     rung    now
               1  b2       AgentDown  verifying  8.4 s ago  1 of 2  it must stay well before it is called healed: 3 s left
        "#]],
    );
}

#[test]
fn a_healed_host_shows_its_present_first_and_then_its_last_case() {
    let mut desk = Desk::at(Fleet::healing());
    let (case, fence, remedy) = desk.fleet.begun("b2", Seen::AgentDown, "c2");
    desk.fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    desk.fleet.boot("b2", 2);
    for _ in 0..3 {
        desk.fleet.verify(("c2", case, fence), &[("b2", Seen::Well)]);
        desk.fleet.wait(2);
    }
    desk.fleet.wait(700);
    let text = desk.explain("b2") + "\n" + &desk.cases(false) + &desk.cases(true);
    shows(
        &text,
        &expect![[r#"
            host b2  ok  eu/b/b2  group web  boot 2  [::1]:4433

            now
              nobody doubts it, as far as this agent has heard, and it has no case
              roles: healer
              swim says up: a hint, never a verdict

            watched by
              observer  stands in  swim  last saw
              b3        eu/b/b3    up           -
              a3        eu/a/a3    up           -
              c3        eu/c/c3    up           -
              a1        eu/a/a1    up           -
              b1        eu/b/b1    up           -
              c2        eu/c/c2    up           -
              c1        eu/c/c1    up           -
              a2        eu/a/a2    up           -

            it watches
              a1 a2 a3 b1 b3 c1 c2 c3

            its last case
            case 1  b2  AgentDown  closed  opened 11 m ago

            now
              closed: healed, and proven

            who looked, in the newest round (entry 27): 8 against, 0 well, 0 vacant of 8 seats; 7 needed, 1 may be mistaken
              observer  stands in  said     fit to look  by these paths
              b3        eu/b/b3    against  fit          warm silent, fresh dial silent, agent port refused
              a3        eu/a/a3    against  fit          warm silent, fresh dial silent, agent port refused
              c3        eu/c/c3    against  fit          warm silent, fresh dial silent, agent port refused
              a1        eu/a/a1    against  fit          warm silent, fresh dial silent, agent port refused
              b1        eu/b/b1    against  fit          warm silent, fresh dial silent, agent port refused
              c2        eu/c/c2    against  fit          warm silent, fresh dial silent, agent port refused
              c1        eu/c/c1    against  fit          warm silent, fresh dial silent, agent port refused
              a2        eu/a/a2    against  fit          warm silent, fresh dial silent, agent port refused

            decided, by the rules of docs/protocol
              3.1     a round hung on entry 27: 8 of its 8 observers signed what they saw
              3.4     8 voices against it, 7 were needed; 0 saw it well, 1 may be mistaken
              3.6     AgentDown: the agent answers on no path, while the host itself is proven alive
              policy  rule "agent down" of policy version 1 acts on it in group web: 2 rungs, the first at once

            remedies
              remedy  rung  class   healer  fence  intended  receipt       proof   what
                   1     1  gentle  c2          1  11 m ago  Done: exit 0  proven  /bin/start

            timeline, from the audit
              record  when      what has become true
                  22  11 m ago  verdict AgentDown on b2 at entry 27, 8 voices against it, 0 well, 0 seats vacant
                  23  11 m ago  lease under fence 1 offered to c2
                  24  11 m ago  c2 takes the lease under fence 1
                  25  11 m ago  c2 intends remedy 1 under fence 1: rung 1, /bin/start
                  26  11 m ago  remedy 1 under fence 1 is done: exit 0
                  28  11 m ago  remedy 1 is proven by boot 2 and the voices say well; it soaks
                  29  11 m ago  closed: healed, and proven

            no case is open and nothing is in doubt: `hale cases --all` shows those lately closed
            case  subject  verdict    stage   opened    rung    now
               1  b2       AgentDown  closed  11 m ago  1 of 2  closed: healed, and proven
        "#]],
    );
}

#[test]
fn every_rule_that_holds_a_case_is_named_with_what_frees_it() {
    let mut desk = Desk::at(Fleet::healing());
    for name in ["b2", "c2", "a2"] {
        let case = desk.fleet.opened(name, Seen::AgentDown);
        desk.fleet.offer(case, "a3");
    }
    desk.fleet.send("a1", Command::Pause(order("deploy 214 first")));
    let text = desk.status() + "\n" + &desk.explain("3");
    shows(
        &text,
        &expect![[r#"
            test  as seen by a1, ledger 400 ms old
            HEALING 1 of 2 allowed    BRAKE ON    keepers 3/3 up, leader b1, term 41    policy v1 (ops, 3.4 s ago)
            BRAKE ON: paused by ops: deploy 214 first; `hale resume --why ...` lifts it, then one at a time

            zone  hosts  ok  doubt  case  repair
            eu/a      3   2      0     1       0
            eu/b      3   2      0     1       1
            eu/c      3   2      0     1       0

            budget        used  limit  next free  unhealthy  halts above  this hour
            fleet            1      2  -                  3            -  0 of 20
            zone eu/a        0      2  -                  1            -  0
            zone eu/b        1      2  -                  1            -  0
            zone eu/c        0      2  -                  1            -  0
            rack eu/a/a2     0      1  -                  1            -  0
            rack eu/b/b2     1      1  3.0 s              1            -  0
            rack eu/c/c2     0      1  -                  1            -  0
            group web        1      2  -                  3            -  0

            case  subject  verdict    stage      opened      rung    now
               1  b2       AgentDown  offered    2.4 s ago   1 of 2  the lease is offered to a3 (fence 1)
               2  c2       AgentDown  open       1.4 s ago   1 of 2  no lease yet: the brake is on, paused by ops: deploy 214 first; `hale resume` lifts it
               3  fleet    Surge      escalated  400 ms ago  -       a person is needed: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge; `hale resume --why ...` lifts the brake, and healing begins again with one at a time
               4  a2       AgentDown  open       400 ms ago  1 of 2  no lease yet: the brake is on, paused by ops: deploy 214 first; `hale resume` lifts it

            allows
              each host is watched by 8: a verdict takes 7 of them, 1 may be mistaken; with more than 3 of them dead too, none is possible

            case 3  fleet  Surge  escalated  opened 400 ms ago

            hosts
              a2

            decided, by the rules of docs/protocol
              3.6  Surge: too much trouble at once for many single faults; the brake is on until a person lifts it

            awaited, and what frees it
              a person is needed: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge; `hale resume --why ...` lifts the brake, and healing begins again with one at a time

            timeline, from the audit
              record  when        what has become true
                  25  400 ms ago  verdict Surge on fleet at entry 34
                  26  400 ms ago  a person is called: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge
        "#]],
    );
}

#[test]
fn a_lease_that_ends_by_no_term_is_told_with_the_order_that_frees_it() {
    let mut desk = Desk::at(Fleet::healing());
    let nothing = desk.leases();
    desk.fleet.set_policy(&POLICY.replace("fleet = { in_flight = 2", "fleet = { in_flight = 1"));
    let (case, fence, remedy) = desk.fleet.begun("b2", Seen::AgentDown, "c2");
    desk.fleet.receive(("c2", case, fence), remedy, ReceiptKind::Unknown);
    desk.fleet.wait_renewing(15 * 60, "c2", case, fence);
    desk.fleet.opened("a2", Seen::AgentDown);
    let counts = desk.leases() + &desk.cases(false);
    let revoke = Command::Revoke { case, order: order("looked at the console: it hung") };
    desk.fleet.send("a1", revoke);
    let text = [nothing, counts, desk.leases() + &desk.cases(false), desk.explain("1")].join("\n");
    shows(
        &text,
        &expect![[r#"
            nothing is under repair and no case is open

            case  subject  holder  fence  stage      left  counts in                           now
               1  b2       c2          1  escalated     -  zone eu/b, rack eu/b/b2, group web  a person is needed: the end of remedy 1 has been unknown for 15 min 0 s; find out what became of remedy 1: until `hale lease revoke 1 --why ...` its lease counts; `hale case dismiss 1 --why ...` closes the case too
            case  subject  verdict    stage      opened      rung    now
               1  b2       AgentDown  escalated  15 m ago    1 of 2  a person is needed: the end of remedy 1 has been unknown for 15 min 0 s; find out what became of remedy 1: until `hale lease revoke 1 --why ...` its lease counts; `hale case dismiss 1 --why ...` closes the case too
               2  a2       AgentDown  open       400 ms ago  1 of 2  no lease yet: fleet: 1 of 1 in flight; the lease of case 1 counts until `hale lease revoke 1 --why ...`, since nobody knows the end of its remedy

            nothing is under repair, and 2 cases are open: `hale cases` shows what each waits for
            case  subject  verdict    stage      opened      rung    now
               1  b2       AgentDown  escalated  15 m ago    1 of 2  a person is needed: the end of remedy 1 has been unknown for 15 min 0 s; find out what became of remedy 1, then `hale case dismiss 1 --why ...`; its lease counts no more
               2  a2       AgentDown  open       400 ms ago  1 of 2  the leader offers the lease to a healer next

            case 1  b2  AgentDown  escalated  opened 15 m ago

            who looked, in the newest round (entry 28): 8 against, 0 well, 0 vacant of 8 seats; 7 needed, 1 may be mistaken
              observer  stands in  said     fit to look  by these paths
              b3        eu/b/b3    against  fit          warm silent, fresh dial silent, agent port refused
              a3        eu/a/a3    against  fit          warm silent, fresh dial silent, agent port refused
              c3        eu/c/c3    against  fit          warm silent, fresh dial silent, agent port refused
              a1        eu/a/a1    against  fit          warm silent, fresh dial silent, agent port refused
              b1        eu/b/b1    against  fit          warm silent, fresh dial silent, agent port refused
              c2        eu/c/c2    against  fit          warm silent, fresh dial silent, agent port refused
              c1        eu/c/c1    against  fit          warm silent, fresh dial silent, agent port refused
              a2        eu/a/a2    against  fit          warm silent, fresh dial silent, agent port refused

            decided, by the rules of docs/protocol
              3.1     a round hung on entry 28: 8 of its 8 observers signed what they saw
              3.4     8 voices against it, 7 were needed; 0 saw it well, 1 may be mistaken
              3.6     AgentDown: the agent answers on no path, while the host itself is proven alive
              policy  rule "agent down" of policy version 2 acts on it in group web: 2 rungs, the first at once

            awaited, and what frees it
              a person is needed: the end of remedy 1 has been unknown for 15 min 0 s; find out what became of remedy 1, then `hale case dismiss 1 --why ...`; its lease counts no more

            remedies
              remedy  rung  class   healer  fence  intended  receipt          proof    what
                   1     1  gentle  c2          1  15 m ago  Unknown: exit 0  awaited  /bin/start

            timeline, from the audit
              record  when        what has become true
                  23  15 m ago    verdict AgentDown on b2 at entry 28, 8 voices against it, 0 well, 0 seats vacant
                  24  15 m ago    lease under fence 1 offered to c2
                  25  15 m ago    c2 takes the lease under fence 1
                  26  15 m ago    c2 intends remedy 1 under fence 1: rung 1, /bin/start
                  27  15 m ago    remedy 1 under fence 1 has an unknown end: exit 0
                  28  1.4 s ago   a person is called: the end of remedy 1 has been unknown for 15 min 0 s; its lease goes on counting
                  30  400 ms ago  the lease under fence 1 was revoked by ops: looked at the console: it hung
        "#]],
    );
}

#[test]
fn a_quarantined_host_is_told_on_every_screen_with_the_order_that_releases_it() {
    let mut desk = Desk::at(Fleet::healing());
    desk.fleet.set_policy(&POLICY.replace("at_most = 3", "at_most = 1"));
    let (case, fence, remedy) = desk.fleet.begun("b2", Seen::AgentDown, "c2");
    desk.fleet.receive(("c2", case, fence), remedy, ReceiptKind::Done);
    desk.fleet.wait_renewing(31, "c2", case, fence);
    let hosts = desk.hosts();
    let of_it: Vec<&str> = hosts.lines().filter(|line| line.contains("b2")).collect();
    let explained = desk.explain("b2");
    let end = explained.split("awaited").last().unwrap_or_default().to_owned();
    let held = [of_it.join("\n"), desk.cases(false), end].join("\n");
    let subject = Scope::Host(id("b2"));
    desk.fleet.send("a1", Command::Free { subject, order: order("a new cable") });
    shows(
        &[held, desk.cases(true)].join("\n"),
        &expect![[r#"
        b2    eu/b  b2    web    quarantined     1  up    ok        1  healer
        case  subject  verdict    stage        opened    rung    now
           1  b2       AgentDown  quarantined  38 s ago  2 of 2  a person is needed: 1 of 1 attempts within 1 h 0 min are spent; quarantined, well or not, until `hale release b2 --why ...`

        , and what frees it
          a person is needed: 1 of 1 attempts within 1 h 0 min are spent; quarantined, well or not, until `hale release b2 --why ...`

        remedies
          remedy  rung  class   healer  fence  intended  receipt       proof       what
               1     1  gentle  c2          1  31 s ago  Done: exit 0  not proven  /bin/start

        timeline, from the audit
          record  when        what has become true
              23  38 s ago    verdict AgentDown on b2 at entry 28, 8 voices against it, 0 well, 0 seats vacant
              24  38 s ago    lease under fence 1 offered to c2
              25  38 s ago    c2 takes the lease under fence 1
              26  31 s ago    c2 intends remedy 1 under fence 1: rung 1, /bin/start
              27  31 s ago    remedy 1 under fence 1 is done: exit 0
              28  1.4 s ago   remedy 1 did not prove that it worked (rung 1): the time for its proof is over
              29  400 ms ago  a person is called: 1 of 1 attempts within 1 h 0 min are spent
              30  400 ms ago  b2 is quarantined: tried no more until a person releases it

        case  subject  verdict    stage   opened    rung    now
           1  b2       AgentDown  closed  38 s ago  2 of 2  closed by a person: ops: a new cable
    "#]],
    );
}

#[test]
fn a_stopped_group_is_a_note_with_the_order_that_releases_it() {
    let mut desk = Desk::at(Fleet::healing());
    desk.fleet.set_policy(&replacing());
    for healer in ["c2", "c3"] {
        let (case, fence, remedy) = desk.fleet.begun("b2", Seen::HostDown, healer);
        desk.fleet.receive((healer, case, fence), remedy, ReceiptKind::Done);
        desk.fleet.wait_renewing(30, healer, case, fence);
    }
    desk.fleet.opened("a2", Seen::HostDown);
    let status = desk.status();
    let note = status.lines().rfind(|line| line.contains("is stopped")).unwrap_or_default();
    shows(
        &[note, &desk.cases(false)].join("\n"),
        &expect![[r#"
              group web is stopped: the last 2 replacements in it failed, of case 1; `hale release --group web --why ...` frees it
            case  subject  verdict   stage      opened      rung    now
               1  b2       HostDown  escalated  76 s ago    2 of 2  a person is needed: group web is stopped: the last 2 replacements in it failed, of case 1; `hale release --group web --why ...` frees it; it closes by itself once the host is seen well, or by `hale case dismiss 1 --why ...`
               2  a2       HostDown  open       400 ms ago  1 of 2  no lease yet: group web is stopped: the last 2 replacements in it failed, of case 1; `hale release --group web --why ...` frees it
        "#]],
    );
}

#[test]
fn a_zone_in_the_dark_is_one_case_for_a_person() {
    let mut desk = Desk::at(Fleet::healing());
    let dark = ["c1", "c2", "c3"].map(|name| (name, Seen::HostDown));
    let finding = Finding { scope: zone("c"), kind: VerdictKind::DomainDown };
    desk.fleet.findings(&dark, vec![finding], &[]).remove(0).expect("all of it is silent");
    let text = desk.status() + "\n" + &desk.explain("c2");
    shows(
        &text,
        &expect![[r#"
            test  as seen by a1, ledger 400 ms old
            HEALING 0 of 2 allowed    brake off    keepers 3/3 up, leader b1, term 41    policy v1 (ops, 1.4 s ago)

            zone  hosts  ok  doubt  case  repair
            eu/a      3   3      0     0       0
            eu/b      3   3      0     0       0
            eu/c      3   0      0     3       0

            budget     used  limit  next free  unhealthy  halts above  this hour
            fleet         0      2          -          3            -  0 of 20
            zone eu/c     0      2          -          3            -  0

            case  subject              verdict     stage      opened      rung  now
               1  zone eu/c (3 hosts)  DomainDown  escalated  400 ms ago     -  a person is needed: a whole domain is silent, dead or cut off: look at it, and at what feeds it; it closes by itself once all of its hosts are seen well

            allows
              each host is watched by 8: a verdict takes 7 of them, 1 may be mistaken; with more than 3 of them dead too, none is possible

            case 1  zone eu/c (3 hosts)  DomainDown  escalated  opened 400 ms ago

            hosts
              c1 c2 c3

            decided, by the rules of docs/protocol
              3.5  all of zone eu/c is silent, 3 hosts, each by at least two voices from outside it: dead or cut off, which look the same from here
              3.6  DomainDown: one case for all of it; no remedy begins by itself, a person looks at what feeds it

            awaited, and what frees it
              a person is needed: a whole domain is silent, dead or cut off: look at it, and at what feeds it; it closes by itself once all of its hosts are seen well

            timeline, from the audit
              record  when        what has become true
                  22  400 ms ago  verdict DomainDown on eu/c at entry 27
                  23  400 ms ago  a person is called: a whole domain is silent, dead or cut off: look at it, and at what feeds it
        "#]],
    );
}

#[test]
fn a_surge_brakes_and_says_what_lifts_it() {
    let mut desk = Desk::at(Fleet::healing());
    let doubted = doubts(&[("a2", 1), ("b2", 2), ("c2", 1)]);
    desk.fleet.send("a1", Command::Surge { doubted });
    let text = desk.status() + "\n" + &desk.explain("1");
    shows(
        &text,
        &expect![[r#"
            test  as seen by a1, ledger 400 ms old
            HEALING 0 of 2 allowed    BRAKE ON    keepers 3/3 up, leader b1, term 41    policy v1 (ops, 400 ms ago)
            BRAKE ON: too much trouble at once: see case 1; `hale resume --why ...` lifts it, then one at a time

            zone  hosts  ok  doubt  case  repair
            eu/a      3   3      0     0       0
            eu/b      3   3      0     0       0
            eu/c      3   3      0     0       0

            budget  used  limit  next free  unhealthy  halts above  this hour
            fleet      0      2          -          0            -  0 of 20

            case  subject  verdict  stage      opened      rung  now
               1  fleet    Surge    escalated  400 ms ago     -  a person is needed: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge; `hale resume --why ...` lifts the brake, and healing begins again with one at a time

            allows
              each host is watched by 8: a verdict takes 7 of them, 1 may be mistaken; with more than 3 of them dead too, none is possible

            case 1  fleet  Surge  escalated  opened 400 ms ago

            hosts
              a2 b2 c2

            decided, by the rules of docs/protocol
              3.6  Surge: too much trouble at once for many single faults; the brake is on until a person lifts it

            awaited, and what frees it
              a person is needed: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge; `hale resume --why ...` lifts the brake, and healing begins again with one at a time

            timeline, from the audit
              record  when        what has become true
                  22  400 ms ago  verdict Surge on fleet at entry 27
                  23  400 ms ago  a person is called: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge
        "#]],
    );
}
