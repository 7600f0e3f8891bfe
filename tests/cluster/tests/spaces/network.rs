//! What the network does to hosts that are well.

use std::time::Duration;

use lab::network::{Cut, Trouble};
use lab::plan::Planned;
use tokio::time::sleep;
use vocabulary::{Scope, VerdictKind};

use crate::world::{host, play, until};

/// Longer than a verdict takes, many times.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_way_that_is_cut_in_one_direction_and_then_in_the_other_condemns_nobody() {
    play("oneway", async |mut world| {
        let leader = world.calm().await;
        let (one, other) = (4, 6);
        for (from, to) in [(one, other), (other, one)] {
            let cut = vec![Cut { from: vec![from], to: vec![to] }];
            world.spoil(&Trouble { cut, ..Trouble::default() });
            sleep(LONG).await;
            world.nothing_came_of_it().await;
            for end in [one, other] {
                world.explains_why_there_is_no_verdict(leader, end).await;
            }
        }
        world.spoil(&Trouble::default());
        let leader = world.is_well_again().await;
        world.nothing_came_of_it().await;
        world.explains_as_never_judged(leader, &world.all()).await;
    });
}

#[test]
fn a_loss_of_thirty_in_a_hundred_condemns_nobody_and_a_true_death_under_it_is_found_and_healed() {
    play("loss", async |mut world| {
        let leader = world.calm().await;
        let lossy = Trouble { lost_permille: 300, ..Trouble::default() };
        world.spoil(&lossy);
        sleep(LONG).await;
        world.nothing_came_of_it().await;
        world.explains_why_there_is_no_verdict(leader, 7).await;
        let dead = 10;
        world.fleet.kill(dead).expect("killed");
        until("the dead agent's host is condemned", async || !world.verdicts().await.is_empty())
            .await;
        world.powers_cycle(dead).await;
        world.spoil(&Trouble::default());
        let leader = world.is_well_again().await;
        // Half of all refusals are lost as well: now and then fewer than two of ten come, and the host is called down for a round.
        let verdicts = world.verdicts().await;
        let is_true =
            |kind: &VerdictKind| [VerdictKind::AgentDown, VerdictKind::HostDown].contains(kind);
        assert!(
            verdicts.iter().all(|(on, kind)| *on == host(dead) && is_true(kind)),
            "{verdicts:?}"
        );
        assert!(
            world.begun().iter().all(|name| *name == Planned(dead).name()),
            "{:?}",
            world.begun()
        );
        let healed = [
            " voices against it, ",
            " of policy version 1 acts on it in group web: 1 rung, ",
            "\nremedies\n",
            " proven ",
            "closed: healed, and proven",
        ];
        world.explains_as_over(leader, dead, &healed).await;
        world.explains_as_never_judged(leader, &world.others(&[dead])).await;
    });
}

/// One keeper and a third of the hosts are on the other side.
#[test]
fn a_zone_that_is_cut_off_is_one_case_its_side_begins_nothing_and_all_is_whole_after_the_heal() {
    play("cut", async |mut world| {
        world.calm().await;
        let zone = world.zone(2);
        let outside = world.others(&zone);
        let cut = Cut::between(&zone, &outside).to_vec();
        world.spoil(&Trouble { cut, ..Trouble::default() });
        let domain = Scope::Zone(Planned(zone[0]).claims().expect("sound").domain.zone());
        world.verdict(domain.clone(), VerdictKind::DomainDown).await;
        let case = world.case_on(&domain);
        let hosts = zone.len();
        let dark = [
            &*format!("case {case}  zone lab/c ({hosts} hosts)  DomainDown  "),
            &*format!(
                "all of zone lab/c is silent, {hosts} hosts, each by at least two voices from outside it: dead or cut off"
            ),
            "DomainDown: one case for all of it; no remedy begins by itself, a person looks at what feeds it",
        ];
        let persons = "it closes by itself once all of its hosts are seen well";
        for what in [&case, &Planned(zone[1]).name()] {
            let page = world.explains(outside[0], what, &dark).await;
            page.says(&[persons]);
            page.is_silent_on(&["\nremedies\n", "\nlease\n"]);
        }
        world.explains_as_never_judged(outside[0], &outside).await;
        world.knows_that_it_is_cut_off(&zone, outside[0]).await;
        world.spoil(&Trouble::default());
        let leader = world.is_well_again().await;
        let verdicts = world.verdicts().await;
        // A rack of it may be found silent a round before the last host of the zone is.
        assert!(verdicts.iter().all(|(_, kind)| *kind == VerdictKind::DomainDown), "{verdicts:?}");
        assert_eq!(verdicts.last().map(|(on, _)| on), Some(&domain), "the whole zone in the end");
        assert_eq!((world.intended().await, world.begun()), (0, vec![]), "nothing is begun");
        let page = world.explained(leader, &case).await;
        page.says(&dark);
        page.says(&["closed: well again before anything was begun"]);
        page.is_silent_on(&["\nremedies\n"]);
        world.explains_as_never_judged(leader, &world.all()).await;
    });
}
