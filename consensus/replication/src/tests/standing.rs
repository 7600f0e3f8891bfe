//! A leader gives its lead up: another takes it, nothing is lost, and nobody plays ping-pong with it (protocol 1.5).

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::mesh::Mesh;
use super::toy::{host, word};
use crate::port::{ProposeFault, ReadFault};
use crate::settings::Settings;

/// Two election timeouts of openraft's, from its lease to the longest draw, twice.
const WITHIN: Duration = Duration::from_millis(2_400);

fn stand_down(mesh: &Mesh, leader: u8) {
    assert!(mesh.port(leader).stand_down());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stands_down_is_followed_by_another_and_nothing_is_lost() {
    for count in [3, 5] {
        for dead in 0..=count / 2 {
            let mesh = Mesh::founded(count, Settings::default()).await;
            mesh.say("before").await;
            let leader = mesh.leader().await;
            let killed: Vec<u8> =
                (1..=count).filter(|number| *number != leader).take(dead.into()).collect();
            for number in killed {
                mesh.kill(number).await;
            }
            sleep(Duration::from_secs(1)).await;
            let term = mesh.port(leader).leadership().borrow().term;
            let began = Instant::now();
            stand_down(&mesh, leader);
            assert_eq!(
                mesh.port(leader).read_index().await,
                Err(ReadFault::NotLeader { hint: None })
            );
            let refused = mesh.port(leader).propose(word("too late")).await;
            assert_eq!(refused, Err(ProposeFault::NotLeader { hint: None }));
            sleep(Duration::from_millis(150)).await;
            assert!(!mesh.port(leader).has_live_leader(), "it names nobody");
            let next = mesh.leader().await;
            assert_ne!(next, leader, "{count} keepers, {dead} dead");
            assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
            let last = mesh.say("after").await;
            mesh.applied(leader, last).await;
            assert_eq!(mesh.said(leader), ["before", "after"]);
            assert_eq!(mesh.port(next).leadership().borrow().term, term + 1, "one election");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_new_leader_stays_for_as_long_as_it_is_sound() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let leader = mesh.leader().await;
    stand_down(&mesh, leader);
    sleep(WITHIN).await;
    let next = mesh.leader().await;
    let led = *mesh.port(next).leadership().borrow();
    for _ in 0..120 {
        sleep(Duration::from_millis(500)).await;
        assert_eq!(*mesh.port(next).leadership().borrow(), led);
    }
    mesh.say("unmoved").await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_nobody_follows_leads_on_when_its_time_is_over() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    mesh.say("before").await;
    let leader = mesh.leader().await;
    stand_down(&mesh, leader);
    // The others cannot hear one another's candidacy.
    for one in 1..=3 {
        for other in (one + 1)..=3 {
            mesh.cut(one, other);
        }
    }
    sleep(WITHIN).await;
    mesh.mend();
    let began = Instant::now();
    mesh.leader().await;
    assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
    mesh.say("after").await;
}

#[tokio::test(start_paused = true)]
async fn who_leads_alone_or_does_not_lead_has_nothing_to_give_up() {
    let mesh = Mesh::founded(1, Settings::default()).await;
    assert!(!mesh.port(1).stand_down());
    mesh.say("alone").await;
    let mesh = Mesh::founded(3, Settings::default()).await;
    let leader = mesh.leader().await;
    let other = (1..=3).find(|number| *number != leader).unwrap();
    assert!(!mesh.port(other).stand_down());
    sleep(WITHIN).await;
    assert_eq!(mesh.port(other).leadership().borrow().leader, Some(host(leader)));
}
