//! The mesh as a whole: founded or not, under which policy and rules, with whom behind it.

use expect_test::expect;
use ledger::Ledger;
use ledger::command::Command;
use vocabulary::Span;

use super::{Desk, shows};
use crate::admin::mind::DoubtHeld;
use crate::admin::tests::fleet::{Fleet, Seen, boot, claims, id, order};

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
