//! Who carries the ledger's votes, who could, and what becomes of the vote of a lost keeper.

use expect_test::expect;
use ledger::command::{Command, Outcome};
use vocabulary::{StoreId, model_chain};

use super::{Desk, shows};
use crate::admin::tests::fleet::{EPOCH_SECONDS, Fleet, Seen, boot, id, order};

/// The first of each zone votes; the second's certificate says keeper, too.
fn with_spares() -> Desk {
    let mut fleet = Fleet::healing();
    for claims in &mut fleet.hosts {
        claims.roles.keeper |= claims.host.as_str().ends_with('2');
    }
    for claims in fleet.hosts.clone() {
        fleet.send(claims.host.as_str(), Command::Enrol(model_chain(&claims)));
    }
    fleet.wait(EPOCH_SECONDS);
    for (number, claims) in (1..).zip(fleet.hosts.clone()) {
        let store = claims.roles.keeper.then_some(StoreId(number));
        let address = "[::1]:4433".parse().expect("sound");
        fleet.send(claims.host.as_str(), Command::Boot { boot: boot(1), address, store });
    }
    Desk::at(fleet)
}

#[test]
fn keepers_are_listed_with_their_votes_and_the_spare_ones_behind() {
    let mut desk = with_spares();
    desk.fleet.opened("c2", Seen::AgentDown);
    let calm = desk.keepers();
    let order = Command::MoveVotes {
        add: vec![id("a2")],
        remove: vec![id("a1")],
        order: order("a new rack"),
    };
    assert_eq!(desk.fleet.send("b1", order), Outcome::Done);
    let moving = desk.keepers();
    let voting = vec![id("b1"), id("c1"), id("a2")];
    assert_eq!(desk.fleet.send("a1", Command::VotesFollowed { voting }), Outcome::Done);
    shows(
        &format!("{calm}\n{moving}\n{}", desk.keepers()),
        &expect![[r#"
            host  domain   vote   up   store  now
            a1    eu/a/a1  votes  yes      1  -
            b1    eu/b/b1  leads  yes      4  -
            c1    eu/c/c1  votes  yes      7  -
            a2    eu/a/a2  spare  yes      2  -
            b2    eu/b/b2  spare  yes      5  -
            c2    eu/c/c2  spare  yes      8  gets no vote: it has an open case, 1

            host  domain   vote        up   store  now
            b1    eu/b/b1  leads       yes      4  -
            c1    eu/c/c1  votes       yes      7  -
            a2    eu/a/a2  is to vote  yes      2  -
            a1    eu/a/a1  leaving     yes      1  -
            b2    eu/b/b2  spare       yes      5  -
            c2    eu/c/c2  spare       yes      8  gets no vote: it has an open case, 1

            host  domain   vote   up   store  now
            b1    eu/b/b1  leads  yes      4  -
            c1    eu/c/c1  votes  yes      7  -
            a2    eu/a/a2  votes  yes      2  -
            a1    eu/a/a1  spare  yes      1  -
            b2    eu/b/b2  spare  yes      5  -
            c2    eu/c/c2  spare  yes      8  gets no vote: it has an open case, 1
        "#]],
    );
}

#[test]
fn a_keeper_whose_store_does_not_come_to_vote_is_told_and_passed_over() {
    let mut desk = with_spares();
    let (add, remove) = (vec![id("a2")], vec![id("c1")]);
    let order = Command::MoveVotes { add, remove, order: order("a new rack") };
    assert_eq!(desk.fleet.send("b1", order), Outcome::Done);
    desk.fleet.wait(180);
    let awaited = desk.keepers();
    desk.fleet.wait(430);
    assert_eq!(desk.fleet.send("b1", Command::ReplaceVoter { lost: id("a2") }), Outcome::Done);
    shows(
        &format!("{awaited}\n{}", desk.keepers()),
        &expect![[r#"
        host  domain   vote        up   store  now
        a1    eu/a/a1  votes       yes      1  -
        b1    eu/b/b1  leads       yes      4  -
        a2    eu/a/a2  is to vote  yes      2  awaited for 3 min 0 s, its store does not vote yet: its vote goes to c2 in 7 min 0 s
        c1    eu/c/c1  leaving     yes      7  -
        b2    eu/b/b2  spare       yes      5  -
        c2    eu/c/c2  spare       yes      8  -

        host  domain   vote        up   store  now
        a1    eu/a/a1  votes       yes      1  -
        b1    eu/b/b1  leads       yes      4  -
        c2    eu/c/c2  is to vote  yes      8  -
        a2    eu/a/a2  leaving     yes      2  gets no vote: it was given a vote, and its store did not follow; it is tried again in its agent's next life
        c1    eu/c/c1  leaving     yes      7  -
        b2    eu/b/b2  spare       yes      5  -
    "#]],
    );
}

#[test]
fn what_becomes_of_the_vote_of_a_lost_keeper_is_told() {
    let mut desk = with_spares();
    desk.fleet.opened("c1", Seen::AgentDown);
    desk.local.up.remove(&id("c1"));
    let before = desk.keepers();
    desk.fleet.send("a1", Command::Pause(order("by hand")));
    let paused = desk.keepers();
    desk.fleet.send("a1", Command::Resume(order("over")));
    for name in ["a2", "b2", "c2"] {
        desk.fleet.send(name, Command::Left { boot: boot(1) });
    }
    shows(
        &format!("{before}\n{paused}\n{}", desk.keepers()),
        &expect![[r#"
        host  domain   vote   up   store  now
        a1    eu/a/a1  votes  yes      1  -
        b1    eu/b/b1  leads  yes      4  -
        c1    eu/c/c1  votes  no       7  lost for 0 ms: its vote goes to c2 in 10 min 0 s
        a2    eu/a/a2  spare  yes      2  -
        b2    eu/b/b2  spare  yes      5  -
        c2    eu/c/c2  spare  yes      8  -

        host  domain   vote   up   store  now
        a1    eu/a/a1  votes  yes      1  -
        b1    eu/b/b1  leads  yes      4  -
        c1    eu/c/c1  votes  no       7  lost for 0 ms: its vote stays while a brake is on
        a2    eu/a/a2  spare  yes      2  -
        b2    eu/b/b2  spare  yes      5  -
        c2    eu/c/c2  spare  yes      8  -

        host  domain   vote   up   store  now
        a1    eu/a/a1  votes  yes      1  -
        b1    eu/b/b1  leads  yes      4  -
        c1    eu/c/c1  votes  no       7  lost for 0 ms: its vote stays while no spare keeper is fit for it
        a2    eu/a/a2  spare  yes      2  gets no vote: it said goodbye
        b2    eu/b/b2  spare  yes      5  gets no vote: it said goodbye
        c2    eu/c/c2  spare  yes      8  gets no vote: it said goodbye
    "#]],
    );
}
