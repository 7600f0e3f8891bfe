//! What is gone, and what only stands still.

use std::time::Duration;

use lab::network::Port;
use lab::plan::Planned;
use rustix::process::Signal;
use tokio::time::sleep;
use vocabulary::VerdictKind;

use crate::world::{host, play, until};

#[test]
fn a_host_that_vanishes_is_down_and_healed_by_one_remedy_and_explain_says_why() {
    play("vanish", async |mut world| {
        let leader = world.calm().await;
        let gone = world.fleet.count() - 1;
        world.fleet.set(gone, Port::Silent).expect("silent");
        world.verdict(host(gone), VerdictKind::HostDown).await;
        let explained = world.types(leader, &["explain", &Planned(gone).name()]).await;
        explained.says("HostDown");
        explained.says("voices");
        world.powers_cycle(gone).await;
        world.is_well_again().await;
        assert_eq!(world.verdicts().await, [(host(gone), VerdictKind::HostDown)]);
        assert_eq!(world.begun(), [Planned(gone).name()]);
        let explained = world.types(leader, &["explain", &Planned(gone).name()]).await;
        explained.says("healed");
    });
}

/// Each stands for longer than a verdict takes, one after the other.
#[test]
fn agents_that_stand_still_in_turns_are_hung_and_recover_and_nobody_else_is_condemned() {
    play("freeze", async |mut world| {
        let leader = world.calm().await;
        let frozen = [5, 7, 9];
        for place in frozen {
            world.fleet.signal(place, Signal::STOP).expect("stopped");
            world.verdict(host(place), VerdictKind::HostHung).await;
            world.fleet.signal(place, Signal::CONT).expect("goes on");
            world.is_well_again().await;
        }
        let hung = frozen.map(|place| (host(place), VerdictKind::HostHung));
        assert_eq!(world.verdicts().await, hung);
        assert_eq!((world.intended().await, world.begun()), (0, vec![]), "no rule, no remedy");
        world.types(leader, &["explain", "h5"]).await.says("HostHung");
    });
}

/// Ten milliseconds of every second are left to it, as a quota of one in a hundred would.
#[test]
fn an_agent_with_a_hundredth_of_a_processor_condemns_nobody_and_is_not_called_gone() {
    const TURNS: usize = 40;
    play("throttle", async |mut world| {
        let leader = world.calm().await;
        let slow = 8;
        for _ in 0..TURNS {
            world.fleet.signal(slow, Signal::STOP).expect("stopped");
            sleep(Duration::from_millis(990)).await;
            world.fleet.signal(slow, Signal::CONT).expect("goes on");
            sleep(Duration::from_millis(10)).await;
        }
        until("its agent answers again", async || {
            world.types(slow, &["status"]).await.code.is_some()
        })
        .await;
        world.is_well_again().await;
        let others: Vec<_> = world
            .verdicts()
            .await
            .into_iter()
            .filter(|verdict| *verdict != (host(slow), VerdictKind::HostHung))
            .collect();
        assert_eq!(others, [], "it may be called hung, and nothing else");
        assert_eq!((world.intended().await, world.begun()), (0, vec![]), "nothing is begun");
        world.types(leader, &["explain", "h8"]).await.done();
    });
}
