//! Does yesterday's binary work beside today's, and does a mesh become today's host by host (protocol 1.6)?
//!
//! Needs yesterday's binary: `just yesterday` builds it and tells these stories.

use std::path::Path;

use cluster::ages::{Age, Ages};
use cluster::mesh::{Mesh, held, play_with, until};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use daemon::demo::stage::Calm;
use ledger::rules;
use vocabulary::VerdictKind;

/// Two of three keepers and one host beside them: whoever leads, most of those who follow it are of the other age.
const OLD: [Place; 3] = [0, 3, 4];

/// A keeper and a host of today.
const NEW_KEEPER: Place = 2;
const NEW_HOST: Place = 1;

/// Each makes one of two keepers the leader.
const ELECTIONS_MAX: usize = 16;

fn mixed(story: impl AsyncFnOnce(Mesh, &Ages)) {
    let lay = |folder: &Path| {
        let ages = Ages::lay(folder);
        OLD.iter().for_each(|place| ages.set(*place, Age::Yesterday));
        ages.program()
    };
    play_with(lay, async |mesh: Mesh| {
        let ages = Ages::of(&mesh.folder);
        story(mesh, &ages).await;
    });
}

#[test]
fn a_mesh_of_both_ages_heals_and_becomes_todays_host_by_host() {
    mixed(async |mut mesh, ages| {
        let before = mesh.calm().await;
        for victim in [OLD[1], NEW_HOST] {
            let before = mesh.calm().await;
            mesh.stage.fleet.kill(victim).await.expect("killed");
            mesh.healed(victim, VerdictKind::AgentDown, &before).await;
        }
        led_by(&mut mesh, |leader| leader == NEW_KEEPER).await;
        until("today's leader names an older agent that holds the rules back", async || {
            let notes = notes(&mesh, NEW_KEEPER).await;
            notes
                .iter()
                .any(|note| note.contains("rules 2 wait") && note.contains(HOSTS[OLD[0]].name))
        })
        .await;
        assert_eq!(rules_of_all(&mesh).await, [rules::FIRST; HOSTS_COUNT], "{before:?}");
        for place in OLD {
            mesh.stage.fleet.kill(place).await.expect("killed");
            ages.set(place, Age::Today);
            mesh.stage.fleet.start(place).await.expect("today's reads yesterday's disk");
            mesh.calm().await;
        }
        until("the rules are raised", async || {
            rules_of_all(&mesh).await == [rules::SECOND; HOSTS_COUNT]
        })
        .await;
        let before = mesh.calm().await;
        mesh.stage.fleet.kill(OLD[1]).await.expect("killed");
        mesh.healed(OLD[1], VerdictKind::AgentDown, &before).await;
        held(&mesh.stage.one_history().await);
    });
}

#[test]
fn a_keeper_of_each_age_joins_a_leader_of_the_other() {
    mixed(async |mut mesh, _| {
        led_by(&mut mesh, |leader| OLD.contains(&leader)).await;
        rejoins(&mut mesh, NEW_KEEPER).await;
        led_by(&mut mesh, |leader| leader == NEW_KEEPER).await;
        rejoins(&mut mesh, OLD[0]).await;
        rejoins(&mut mesh, OLD[1]).await;
        held(&mesh.stage.one_history().await);
    });
}

#[test]
fn an_older_agent_that_comes_when_the_rules_are_raised_is_not_fed_and_is_well_again_as_todays() {
    play_with(
        |folder| Ages::lay(folder).program(),
        async |mut mesh: Mesh| {
            let ages = Ages::of(&mesh.folder);
            until("the rules are raised", async || {
                rules_of_all(&mesh).await == [rules::SECOND; HOSTS_COUNT]
            })
            .await;
            mesh.calm().await;
            mesh.stage.witness = NEW_KEEPER;
            mesh.stage.fleet.kill(NEW_HOST).await.expect("killed");
            ages.set(NEW_HOST, Age::Yesterday);
            mesh.stage.fleet.start(NEW_HOST).await.expect("it starts");
            until("a keeper says that it is not fed", async || {
                let keepers = (0..HOSTS_COUNT).filter(|place| HOSTS[*place].is_keeper);
                keepers.map(|place| mesh.log(place)).any(|log| log.contains("it is not fed"))
            })
            .await;
            mesh.stage.fleet.kill(NEW_HOST).await.expect("killed");
            ages.set(NEW_HOST, Age::Today);
            mesh.stage.fleet.start(NEW_HOST).await.expect("it starts");
            mesh.calm().await;
            held(&mesh.stage.one_history().await);
        },
    );
}

/// Ends the lead of whoever leads until one of these does.
async fn led_by(mesh: &mut Mesh, is_wanted: impl Fn(Place) -> bool) -> Calm {
    for _ in 0..ELECTIONS_MAX {
        let calm = mesh.calm().await;
        if is_wanted(calm.leader) {
            return calm;
        }
        // One of the two others must lead before it comes back: which one is chance.
        mesh.stage.witness = NEW_HOST;
        mesh.stage.fleet.kill(calm.leader).await.expect("killed");
        let lost = HOSTS[calm.leader].name;
        until("another keeper leads", async || {
            let status = mesh.stage.sight.status(NEW_HOST).await;
            let leader = status.ok().and_then(|status| status.data.keepers.leader);
            leader.is_some_and(|leader| leader != lost)
        })
        .await;
        mesh.stage.fleet.start(calm.leader).await.expect("started");
        let back = mesh.calm_when("it is back", |after| after.boots[lost] > calm.boots[lost]).await;
        // A keeper's patience is drawn once in a life: the third one would lose every election if its own is long.
        let is_third =
            |place: &Place| HOSTS[*place].is_keeper && ![calm.leader, back.leader].contains(place);
        if let Some(third) = (0..HOSTS_COUNT).find(is_third) {
            let name = HOSTS[third].name;
            mesh.stage.fleet.kill(third).await.expect("killed");
            mesh.stage.fleet.start(third).await.expect("started");
            let is_back = |after: &Calm| after.boots[name] > back.boots[name];
            mesh.calm_when("the third is back", is_back).await;
        }
    }
    panic!("not one of {ELECTIONS_MAX} elections made the leader that the story needs");
}

/// Killed and started again from its disk, it is part of a calm mesh.
async fn rejoins(mesh: &mut Mesh, place: Place) {
    let name = HOSTS[place].name;
    let before = mesh.calm().await;
    mesh.stage.fleet.kill(place).await.expect("killed");
    mesh.stage.fleet.start(place).await.expect("started");
    mesh.calm_when("it has a new life", |calm| calm.boots[name] > before.boots[name]).await;
}

async fn rules_of_all(mesh: &Mesh) -> [u32; HOSTS_COUNT] {
    let mut all = [0; HOSTS_COUNT];
    for (place, rules) in all.iter_mut().enumerate() {
        let status = mesh.stage.sight.status(place).await;
        *rules = status.map_or(0, |status| u32::try_from(status.data.ledger.rules).expect("small"));
    }
    all
}

async fn notes(mesh: &Mesh, place: Place) -> Vec<String> {
    let status = mesh.stage.sight.status(place).await;
    status.map(|status| status.data.notes).unwrap_or_default()
}
