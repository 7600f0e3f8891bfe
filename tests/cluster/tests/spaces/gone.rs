//! What is gone, and what only stands still.

use std::time::Duration;

use lab::network::Port;
use lab::plan::Planned;
use rustix::process::Signal;
use tokio::time::sleep;
use vocabulary::VerdictKind;

use crate::world::{host, play, until};

/// What is said of a host whose agent stands still: what it means, and why nothing is begun.
const HUNG: [&str; 3] = [
    "HostHung: connections are accepted and nothing is said: a kernel lives, its processes do not get on",
    " voices against it, ",
    "no rule of policy version 1 is for HostHung of group web: it is only observed",
];

/// How such a case ends.
const RECOVERED: &str = "closed: well again before anything was begun";

#[test]
fn a_host_that_vanishes_is_down_and_healed_by_one_remedy_and_explain_says_why() {
    play("vanish", async |mut world| {
        let leader = world.calm().await;
        let gone = world.fleet.count() - 1;
        world.fleet.set(gone, Port::Silent).expect("silent");
        world.verdict(host(gone), VerdictKind::HostDown).await;
        let name = Planned(gone).name();
        let judged = [
            "HostDown: nothing answers, neither the agent nor any port",
            " voices against it, ",
            "a witness beside it, in its rack or its zone, is alive",
            "rule \"HostDown\" of policy version 1 acts on it in group web: 1 rung, the first once the verdict has stood for ",
        ];
        let page = world.explained(leader, &name).await;
        page.says(&judged);
        page.is_silent_on(&["its last case"]);
        world.powers_cycle(gone).await;
        let leader = world.is_well_again().await;
        assert_eq!(world.verdicts().await, [(host(gone), VerdictKind::HostDown)]);
        assert_eq!(world.begun(), [Planned(gone).name()]);
        let healed = ["HostDown  closed", "closed: healed, and proven", "\nremedies\n", " proven "];
        world.explains_as_over(leader, gone, &healed).await.says(&judged);
        world.explains_as_never_judged(leader, &world.others(&[gone])).await;
    });
}

/// Each stands for longer than a verdict takes, one after the other.
#[test]
fn agents_that_stand_still_in_turns_are_hung_and_recover_and_nobody_else_is_condemned() {
    play("freeze", async |mut world| {
        let mut leader = world.calm().await;
        let frozen = [5, 7, 9];
        for place in frozen {
            world.fleet.signal(place, Signal::STOP).expect("stopped");
            world.verdict(host(place), VerdictKind::HostHung).await;
            let page = world.explained(leader, &Planned(place).name()).await;
            page.says(&HUNG);
            page.is_silent_on(&["its last case", "\nremedies\n"]);
            world.fleet.signal(place, Signal::CONT).expect("goes on");
            leader = world.is_well_again().await;
        }
        let hung = frozen.map(|place| (host(place), VerdictKind::HostHung));
        assert_eq!(world.verdicts().await, hung);
        assert_eq!((world.intended().await, world.begun()), (0, vec![]), "no rule, no remedy");
        for place in frozen {
            let page = world.explains_as_over(leader, place, &HUNG).await;
            page.says(&[RECOVERED]);
            page.is_silent_on(&["\nremedies\n"]);
        }
        world.explains_as_never_judged(leader, &world.others(&frozen)).await;
    });
}

/// Ten milliseconds of every second are left to it, as a quota of one in a hundred would.
#[test]
fn an_agent_with_a_hundredth_of_a_processor_condemns_nobody_and_is_not_called_gone() {
    const TURNS: usize = 40;
    play("throttle", async |mut world| {
        world.calm().await;
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
        let leader = world.is_well_again().await;
        let verdicts = world.verdicts().await;
        let hung = (host(slow), VerdictKind::HostHung);
        let others: Vec<_> = verdicts.iter().filter(|verdict| **verdict != hung).collect();
        assert!(others.is_empty(), "it may be called hung, and nothing else: {others:?}");
        assert_eq!((world.intended().await, world.begun()), (0, vec![]), "nothing is begun");
        if verdicts.is_empty() {
            world.explains_as_never_judged(leader, &[slow]).await;
        } else {
            let page = world.explains_as_over(leader, slow, &HUNG).await;
            page.says(&[RECOVERED]);
            page.is_silent_on(&["\nremedies\n"]);
        }
        world.explains_as_never_judged(leader, &world.others(&[slow])).await;
    });
}
