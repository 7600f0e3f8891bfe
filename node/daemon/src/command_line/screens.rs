//! What an operator sees, whole screens of it, from ledgers that went through real entries.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use ledger::Ledger;
use ledger::command::{Command, Finding};
use vocabulary::{Grade, Path, PathReading, Reading, ReceiptKind, Span, VerdictKind};

use super::asking::{At, Screen};
use super::list::List;
use super::table::{Clock, Table};
use super::{cases, explain, hosts, leases, status};
use crate::admin::answer::{Answer, Body};
use crate::admin::mind::{DoubtHeld, Local, ReportHeld, RoundHeld, Standing};
use crate::admin::render::{self, Scene};
use crate::admin::tests::fleet::{Fleet, POLICY, Seen, boot, claims, doubts, id, order, zone};

/// One operator at one agent.
struct Desk {
    fleet: Fleet,
    local: Local,
    standing: Standing,
}

impl Desk {
    fn at(fleet: Fleet) -> Self {
        let up = fleet.hosts.iter().map(|claims| claims.id()).collect();
        let connected = std::collections::BTreeSet::new();
        Self {
            fleet,
            local: Local { up, connected, ..Local::default() },
            standing: Standing {
                age: Span::milliseconds(400),
                has_majority: true,
                leader: Some(id("b1")),
                term: 41,
            },
        }
    }

    fn answer<B: Body>(&self, ask: impl FnOnce(&Scene<'_>) -> B) -> Answer<B> {
        let ledger = &self.fleet.ledger;
        let wall_ms = ledger.wall().0 + 400;
        let me = claims("a1");
        let scene = Scene::new(ledger, &self.local, &me, (self.standing, wall_ms));
        scene.answer(ask(&scene))
    }

    fn status(&self) -> String {
        status::text(&self.answer(render::status), &screen())
    }

    fn cases(&self, all: bool) -> String {
        listed(&self.answer(|scene| render::cases(scene, all)), cases::listed)
    }

    fn leases(&self) -> String {
        listed(&self.answer(render::leases), |leases, _| leases::listed(leases))
    }

    fn hosts(&self) -> String {
        listed(&self.answer(|scene| render::hosts(scene, true)), hosts::table)
    }

    fn explain(&self, what: &str) -> String {
        let explained = |scene: &Scene<'_>| render::explain(scene, what).expect("it is known");
        explain::text(&self.answer(explained), &screen())
    }
}

fn screen() -> Screen {
    let at = At::of_socket("/run/hale/admin.sock");
    Screen { no_header: false, utc: false, ..Screen::plain(at) }
}

fn listed<B: Body>(answer: &Answer<B>, list: fn(&B, Clock) -> Result<Table, String>) -> String {
    List::whole(screen()).text(answer, list).expect("as it comes")
}

fn shows(text: &str, expected: &Expect) {
    expected.assert_eq(text);
}

#[test]
fn a_mesh_that_is_not_founded_says_how_it_is() {
    let mut fleet = Fleet::nine();
    fleet.ledger = Ledger::new();
    let mut desk = Desk::at(fleet);
    desk.standing.has_majority = false;
    desk.local.notes.push("this host's certificate ends in 6 days".to_owned());
    let text = desk.status() + &desk.hosts() + &desk.cases(false);
    shows(
        &text,
        &expect![[r#"
            not founded  as seen by a1, ledger 400 ms old, NO MAJORITY behind it
            NOT FOUNDED    brake off    keepers 0/0 up, leader 921bce3e341aee13cfef268f8e501dbf, term 41    no policy

            notes
              there is no ledger yet: once every keeper's agent runs, found it with `hale init --keepers a,b,c`
              this host's certificate ends in 6 days
            no host is enrolled: the ledger is not founded yet, `hale init --keepers a,b,c` does it once
            there is no ledger yet, so there are no cases: found it once with `hale init --keepers a,b,c`
        "#]],
    );
}

#[test]
fn a_mesh_without_policy_only_observes_and_says_how_to_change_that() {
    let mut desk = Desk::at(Fleet::nine());
    desk.fleet.opened("b2", Seen::AgentDown);
    let text = desk.status() + "\n" + &desk.explain("1");
    shows(
        &text,
        &expect![[r#"
            test  as seen by a1, ledger 400 ms old
            ONLY OBSERVES    brake off    keepers 3/3 up, leader b1, term 41    no policy

            zone  hosts  ok  doubt  case  repair
            eu/a      3   3      0     0       0
            eu/b      3   2      0     1       0
            eu/c      3   3      0     0       0

            budget        used  limit  next free  unhealthy  halts above  this hour
            fleet            0      1          -          1            3  0 of 20
            zone eu/b        0      1          -          1            2  0
            rack eu/b/b2     0      1          -          1            -  0
            group web        0      1          -          1            -  0

            case  subject  verdict    stage  opened      rung  now
               1  b2       AgentDown  open   400 ms ago     -  only observed: this mesh was never given a policy

            allows
              each host is watched by 8: a verdict takes 7 of them, 1 may be mistaken; with more than 3 of them dead too, none is possible

            notes
              this mesh only observes: it was never given a policy; `hale policy example` prints one, `hale policy apply FILE --why ...` sets it

            case 1  b2  AgentDown  open  opened 400 ms ago

            who looked, in the newest round (entry 26): 8 against, 0 well, 0 vacant of 8 seats; 7 needed, 1 may be mistaken
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
              3.1     a round hung on entry 26: 8 of its 8 observers signed what they saw
              3.4     8 voices against it, 7 were needed; 0 saw it well, 1 may be mistaken
              3.6     AgentDown: the agent answers on no path, while the host itself is proven alive
              policy  this mesh was never given a policy: it only observes

            awaited, and what frees it
              only observed: this mesh was never given a policy

            timeline, from the audit
              record  when        what has become true
                  21  400 ms ago  verdict AgentDown on b2 at entry 26, 8 voices against it, 0 well, 0 seats vacant
        "#]],
    );
}

#[test]
fn hosts_are_listed_with_how_each_is() {
    let mut desk = Desk::at(Fleet::healing());
    desk.fleet.opened("b2", Seen::AgentDown);
    desk.fleet.send("c3", Command::Left { boot: boot(1) });
    let retire = Command::Retire { host: id("c2"), order: order("sold") };
    desk.fleet.send("a1", retire);
    desk.local.up.remove(&id("b2"));
    let doubt = |by: &str| DoubtHeld { by: id(by), age: Some(Span::milliseconds(1_200)) };
    desk.local.doubts.insert(id("a3"), vec![doubt("c1"), doubt("b3")]);
    shows(
        &desk.hosts(),
        &expect![[r#"
            host  zone  rack  group  state    case  swim  reach  boot  roles         doubted by
            a1    eu/a  a1    web    ok          -  self  ok        1  voter healer
            a2    eu/a  a2    web    ok          -  up    ok        1  healer
            a3    eu/a  a3    web    doubted     -  up    ok        1  healer        b3 c1
            b1    eu/b  b1    web    ok          -  up    ok        1  voter healer
            b2    eu/b  b2    web    case        1  down  ok        1  healer
            b3    eu/b  b3    web    ok          -  up    ok        1  healer
            c1    eu/c  c1    web    ok          -  up    ok        1  voter healer
            c3    eu/c  c3    web    left        -  up    ok        1  healer
            c2    eu/c  c2    web    retired     -  up    ok        1  healer
        "#]],
    );
}

#[test]
fn who_is_added_and_has_not_come_stands_among_the_notes() {
    let mut desk = Desk::at(Fleet::healing());
    for name in ["d1", "d2"] {
        let name = claims(name).host;
        let add = Command::AddHost { name, may_enrol: true, order: order("it is ours") };
        desk.fleet.send("a1", add);
    }
    let status = desk.status();
    assert!(status.contains("added by a person, and not enrolled yet: d1 d2\n"), "{status}");
}

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
            HEALING 2 of 2 allowed    BRAKE ON    keepers 3/3 up, leader b1, term 41    policy v1 (ops, 3.4 s ago)
            BRAKE ON: paused by ops: deploy 214 first; `hale resume --why ...` lifts it, then one at a time

            zone  hosts  ok  doubt  case  repair
            eu/a      3   2      0     1       0
            eu/b      3   2      0     1       1
            eu/c      3   2      0     1       1

            budget        used  limit  next free  unhealthy  halts above  this hour
            fleet            2      2  3.0 s              3            -  0 of 20
            zone eu/a        0      2  -                  1            -  0
            zone eu/b        1      2  -                  1            -  0
            zone eu/c        1      2  -                  1            -  0
            rack eu/a/a2     0      1  -                  1            -  0
            rack eu/b/b2     1      1  3.0 s              1            -  0
            rack eu/c/c2     1      1  4.0 s              1            -  0
            group web        2      2  3.0 s              3            -  0

            case  subject  verdict    stage      opened      rung    now
               1  b2       AgentDown  offered    2.4 s ago   1 of 2  the lease is offered to a3 (fence 1)
               2  c2       AgentDown  offered    1.4 s ago   1 of 2  the lease is offered to a3 (fence 2)
               3  fleet    Surge      escalated  400 ms ago  -       a person is needed: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge; `hale resume --why ...` lifts the brake, and healing begins again with one at a time
               4  a2       AgentDown  open       400 ms ago  1 of 2  no lease yet: the brake is on, paused by ops: deploy 214 first; `hale resume` lifts it (and 2 more: `hale explain 4`)

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
                  26  400 ms ago  verdict Surge on fleet at entry 34
                  27  400 ms ago  a person is called: 3 of 9 hosts of the fleet came into doubt within 30 s; at most 2 are no surge
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

        case  subject  healer  fence  stage      left  counts in                           now
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

#[test]
fn what_others_than_observers_have_reported_is_shown_and_decides_nothing() {
    let mut desk = Desk::at(Fleet::healing());
    let held = |who: &str, times| ReportHeld {
        by: id("c2"),
        who: who.to_owned(),
        failed: "502 from /healthz".to_owned(),
        age: Span::seconds(3),
        times,
    };
    desk.local.reports.insert(id("b2"), vec![held("uid 0", 1), held("uid 990", 12)]);
    let text = desk.explain("b2");
    let begins = text.find("\nreported by").unwrap_or(text.len());
    let section: String =
        text[begins..].lines().skip(1).take(3).map(|line| line.to_owned() + "\n").collect();
    shows(
        &section,
        &expect![[r#"
            reported by
              uid 0 at c2, 3.0 s ago: 502 from /healthz
              uid 990 at c2, 3.0 s ago: 502 from /healthz (12 times)
        "#]],
    );
    assert!(text.contains("nobody doubts it"), "law RE1: {text}");
}

#[test]
fn a_doubted_host_without_verdict_says_which_rule_says_no_where_the_leader_is_asked() {
    let mut desk = Desk::at(Fleet::healing());
    let doubt = DoubtHeld { by: id("c1"), age: Some(Span::seconds(4)) };
    desk.local.doubts.insert(id("b3"), vec![doubt]);
    let elsewhere = desk.explain("b3");
    let silent = [Path::Warm, Path::FreshDial, Path::AgentPort]
        .map(|path| PathReading { path, reading: Reading::Silent });
    let round = RoundHeld {
        age: Span::milliseconds(900),
        anchor: desk.fleet.ledger.anchor(),
        paths: [(id("c1"), silent.to_vec())].into(),
        verdict: Err(detection::verdict::NoVerdict::TooFewVoices { have: 1, need: 7, vacant: 0 }),
    };
    desk.local.rounds.insert(id("b3"), round);
    desk.local.discounting.insert(id("c1"), "its event loop was 900 ms late".into());
    let text = elsewhere + "\n" + &desk.explain("b3") + "\n" + &desk.cases(false) + &desk.status();
    shows(
        &text,
        &expect![[r#"
            host b3  doubted  eu/b/b3  group web  boot 1  [::1]:4433

            now
              1 of its 8 observers doubt it, as far as this agent has heard; a doubt ends when it answers (protocol 3.8)
              roles: healer
              swim says up: a hint, never a verdict

            doubted by
              c1 for 4.0 s

            why there is no verdict
              the rounds are held by b1: ask there, `hale explain b3`

            watched by
              observer  stands in  swim  last saw
              b2        eu/b/b2    up           -
              a3        eu/a/a3    up           -
              c3        eu/c/c3    up           -
              a1        eu/a/a1    up           -
              b1        eu/b/b1    up           -
              c2        eu/c/c2    up           -
              c1        eu/c/c1    up           -
              a2        eu/a/a2    up           -

            it watches
              a1 a2 a3 b1 b2 c1 c2 c3

            host b3  doubted  eu/b/b3  group web  boot 1  [::1]:4433

            now
              1 of its 8 observers doubt it, as far as this agent has heard; a doubt ends when it answers (protocol 3.8)
              roles: healer
              swim says up: a hint, never a verdict

            doubted by
              c1 for 4.0 s

            why there is no verdict
              the last round, 900 ms ago, made none: 1 voices against it, 7 are needed (0 seats are vacant)

            watched by
              observer  stands in  swim  last saw
              b2        eu/b/b2    up    -
              a3        eu/a/a3    up    -
              c3        eu/c/c3    up    -
              a1        eu/a/a1    up    -
              b1        eu/b/b1    up    -
              c2        eu/c/c2    up    -
              c1        eu/c/c1    up    warm silent, fresh dial silent, agent port silent; it discounts itself: its event loop was 900 ms late
              a2        eu/a/a2    up    -

            it watches
              a1 a2 a3 b1 b2 c1 c2 c3

            no case is open, and 1 host in doubt: `hale hosts` shows which, `hale explain HOST` why there is no verdict
            test  as seen by a1, ledger 400 ms old
            HEALING 0 of 2 allowed    brake off    keepers 3/3 up, leader b1, term 41    policy v1 (ops, 400 ms ago)

            zone  hosts  ok  doubt  case  repair
            eu/a      3   3      0     0       0
            eu/b      3   2      1     0       0
            eu/c      3   3      0     0       0

            budget  used  limit  next free  unhealthy  halts above  this hour
            fleet      0      2          -          0            -  0 of 20

            allows
              each host is watched by 8: a verdict takes 7 of them, 1 may be mistaken; with more than 3 of them dead too, none is possible

            notes
              c1 discounts itself: its event loop was 900 ms late
        "#]],
    );
}

#[test]
fn a_host_that_loses_probes_without_silence_says_who_reaches_it_badly() {
    let mut desk = Desk::at(Fleet::healing());
    let grades = vec![(id("c1"), Grade::Degraded), (id("a2"), Grade::Failed)];
    desk.local.reach.insert(id("b3"), grades);
    let hosts = desk.hosts();
    let listed: Vec<&str> =
        hosts.lines().filter(|line| line.starts_with("host") || line.contains("eu/b")).collect();
    let explained = desk.explain("b3");
    let now: Vec<&str> = explained.lines().filter(|line| line.contains("probes")).collect();
    shows(
        &format!("{}\n{}\n", listed.join("\n"), now.join("\n")),
        &expect![[r#"
        host  zone  rack  group  state  case  swim  reach   boot  roles         doubted by
        b1    eu/b  b1    web    ok        -  up    ok         1  voter healer
        b2    eu/b  b2    web    ok        -  up    ok         1  healer
        b3    eu/b  b3    web    ok        -  up    failed     1  healer
          observers that lose their probes to it without silence: c1 (a fifth or more), a2 (two fifths or more) (protocol 2.6)
    "#]],
    );
}

#[test]
fn without_a_majority_the_screen_says_how_old_it_is() {
    let mut desk = Desk::at(Fleet::healing());
    desk.standing.has_majority = false;
    desk.standing.age = Span::seconds(95);
    desk.standing.leader = None;
    let head: String = desk.status().lines().take(3).map(|line| line.to_owned() + "\n").collect();
    shows(
        &head,
        &expect![[r#"
            test  as seen by a1, ledger 95 s old, NO MAJORITY behind it
            HEALING 0 of 2 allowed    brake off    keepers 3/3 up, leader nobody, term 41    policy v1 (ops, 89 s ago)

        "#]],
    );
}

#[test]
fn a_doubt_that_nobody_settles_says_which_voices_lack_and_when_a_person_is_called() {
    let mut desk = Desk::at(Fleet::healing());
    let grounds = desk.fleet.round(&[("b2", Seen::HostDown)]);
    let grounds = desk.fleet.blinded(grounds, 1);
    desk.fleet.unsettled("b2", 40, grounds).expect("nobody can settle it");
    desk.fleet.wait(60);
    let text = desk.cases(false) + "\n" + &desk.explain("b2");
    shows(
        &text,
        &expect![[r#"
            case  subject  verdict    stage  opened    rung  now
               1  b2       Unsettled  open   60 s ago     -  no verdict: 1 voices against it, 5 are needed (7 seats are vacant); nothing is done, and nobody else waits for it (and 1 more: `hale explain 1`)

            case 1  b2  Unsettled  open  opened 60 s ago

            now
              no verdict: 1 voices against it, 5 are needed (7 seats are vacant); nothing is done, and nobody else waits for it (and 1 more: `hale explain 1`)

            who looked, in the newest round (entry 27): 1 against, 0 well, 7 vacant of 8 seats; 5 needed, 0 may be mistaken
              observer  stands in  said     fit to look                                      by these paths
              b3        eu/b/b3    against  fit                                              warm silent, fresh dial silent, agent port silent
              a3        eu/a/a3    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              c3        eu/c/c3    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              a1        eu/a/a1    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              b1        eu/b/b1    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              c2        eu/c/c2    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              c1        eu/c/c1    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent
              a2        eu/a/a2    vacant   it never reached the subject, so it cannot tell  warm absent, fresh dial absent, agent port absent

            decided, by the rules of docs/protocol
              3.1  a round hung on entry 27: 8 of its 8 observers signed what they saw
              3.3  7 seats count as vacant, silent or discounted: a1 a2 a3 b1 c1 c2 c3
              3.4  1 voices against it, 5 were needed; 0 saw it well, 0 may be mistaken
              3.6  8 observers looked and got no answer, and there is no verdict: 1 voices against it, 5 are needed (7 seats are vacant)
              3.6  Unsettled: a doubt with neither verdict nor end; nothing is done, it delays nobody, and a person is called in time

            awaited, and what frees it
              no verdict: 1 voices against it, 5 are needed (7 seats are vacant); nothing is done, and nobody else waits for it (rule 3.6)
              a person is called in 4 min 0 s unless it is settled until then (rule 3.6)

            timeline, from the audit
              record  when      what has become true
                  22  60 s ago  verdict Unsettled on b2 at entry 27, 1 voices against it, 0 well, 7 seats vacant
        "#]],
    );
}

#[test]
fn two_machines_of_one_name_say_so_at_every_door() {
    let mut desk = Desk::at(Fleet::healing());
    desk.fleet.twin("a1");
    let status = desk.status();
    let notes = status.find("notes").map_or("", |at| &status[at..]);
    let text = desk.cases(false) + "\n" + &desk.explain("1") + "\n" + notes;
    shows(
        &text,
        &expect![[r#"
            case  subject  verdict    stage      opened      rung  now
               1  a1       Duplicate  escalated  400 ms ago     -  a person is needed: two machines live under its name, both in boot 1, by nonces 00000008 and 00000063: stop one of them; then start the other anew: the case closes by itself once that one has been alone for 5 min 0 s, or by `hale case dismiss 1 --why ...`

            case 1  a1  Duplicate  escalated  opened 400 ms ago

            decided, by the rules of docs/protocol
              1.2  the host's own certificate brought another life than the known one, boot 1, heard 1 time: neither of the two has a voice, its seats are vacant, and no lease of it is renewed
              3.6  Duplicate: two machines live under this host's name, a clone or a restored snapshot; stop one of the two

            awaited, and what frees it
              a person is needed: two machines live under its name, both in boot 1, by nonces 00000008 and 00000063: stop one of them; then start the other anew: the case closes by itself once that one has been alone for 5 min 0 s, or by `hale case dismiss 1 --why ...`

            timeline, from the audit
              record  when        what has become true
                  22  400 ms ago  verdict Duplicate on a1 at entry 27
                  23  400 ms ago  a person is called: two machines live under its name, both in boot 1, by nonces 00000008 and 00000063: stop one of them

            notes
              two machines live under this host's name (case 1): neither of them has a voice or heals
        "#]],
    );
}

#[test]
fn without_a_leader_the_screen_says_for_how_long() {
    let mut desk = Desk::at(Fleet::healing());
    desk.standing.leader = None;
    desk.standing.has_majority = false;
    desk.local.leaderless = Some(Span::seconds(42));
    desk.local.doubts.insert(id("b3"), vec![DoubtHeld { by: id("c1"), age: None }]);
    let status = desk.status();
    let head: String = status.lines().take(2).map(|line| line.to_owned() + "\n").collect();
    let notes = status.find("notes").map_or("", |at| &status[at..]);
    shows(
        &(head + notes + &desk.explain("b3")),
        &expect![[r#"
        test  as seen by a1, ledger 400 ms old, NO MAJORITY behind it
        HEALING 0 of 2 allowed    brake off    keepers 3/3 up, leader nobody for 42 s, term 41    policy v1 (ops, 400 ms ago)
        notes
          no majority of the keepers answers this agent: the answer is 400 ms old, and nothing new can begin on this side
          no keeper has led for 42 s, as far as this agent knows: nothing is decided and nothing is healed; what is doubted is what this agent and its fellows see (protocol 3.9)
        host b3  doubted  eu/b/b3  group web  boot 1  [::1]:4433

        now
          1 of its 8 observers doubt it, as far as this agent has heard; a doubt ends when it answers (protocol 3.8)
          roles: healer
          swim says up: a hint, never a verdict

        doubted by
          c1

        why there is no verdict
          no keeper leads, so nobody calls a round: without a majority there are no verdicts (protocol 3.9)

        watched by
          observer  stands in  swim  last saw
          b2        eu/b/b2    up           -
          a3        eu/a/a3    up           -
          c3        eu/c/c3    up           -
          a1        eu/a/a1    up           -
          b1        eu/b/b1    up           -
          c2        eu/c/c2    up           -
          c1        eu/c/c1    up           -
          a2        eu/a/a2    up           -

        it watches
          a1 a2 a3 b1 b2 c1 c2 c3
    "#]],
    );
}

/// protocol 1.6.
#[test]
fn while_newer_rules_wait_the_leaders_screen_says_for_whom_and_the_others_whom_to_ask() {
    let mut desk = Desk::at(Fleet::healing_under_the_first_rules());
    let notes = |desk: &Desk| {
        let status = desk.status();
        status.find("notes").map_or(String::new(), |at| status[at..].to_owned())
    };
    let by_another = notes(&desk);
    desk.standing.leader = Some(id("a1"));
    let by_the_leader = notes(&desk);
    desk.local.held_back.older = [id("b2"), id("c3")].into();
    desk.local.held_back.silent = [id("c1")].into();
    shows(
        &(by_another + &by_the_leader + &notes(&desk)),
        &expect![[r#"
        notes
          rules 1 are in force, and rules 2 wait. the leader's `hale status` says for whom
        notes
          rules 1 are in force, and rules 2 wait. nobody holds them back, they will be asked for within a minute
        notes
          rules 1 are in force, and rules 2 wait. their agents are older, replace the binary and restart them: b2 c3; keepers that do not answer: c1
    "#]],
    );
}
