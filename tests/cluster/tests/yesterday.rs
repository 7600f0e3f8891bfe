//! Does yesterday's binary work beside today's, and does a mesh become today's host by host (protocol 1.6)?
//!
//! Needs yesterday's binary: `just yesterday` builds it and tells these stories.

use std::path::Path;

use cluster::ages::{Age, Ages};
use cluster::mesh::{Mesh, held, play_with, until};
use daemon::admin::answer::Keepers;
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use daemon::demo::stage::Calm;
use ledger::rules;
use replication::Settings;
use vocabulary::VerdictKind;

/// Two of three keepers and one host beside them: whoever leads, most of those who follow it are of the other age.
const OLD: [Place; 3] = [0, 3, 4];

/// A keeper and a host of today.
const NEW_KEEPER: Place = 2;
const NEW_HOST: Place = 1;

/// The first makes the leader, unless the machine is so busy that a keeper which was ready comes second.
const ELECTIONS_MAX: usize = 4;

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
        led_by(&mut mesh, NEW_KEEPER).await;
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
        led_by(&mut mesh, OLD[0]).await;
        rejoins(&mut mesh, NEW_KEEPER).await;
        led_by(&mut mesh, NEW_KEEPER).await;
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

/// Ends the lead of whoever leads until this keeper does.
async fn led_by(mesh: &mut Mesh, wanted: Place) {
    for _ in 0..ELECTIONS_MAX {
        let calm = mesh.calm().await;
        if calm.leader == wanted {
            return;
        }
        let mut keepers = (0..HOSTS_COUNT).filter(|place| HOSTS[*place].is_keeper);
        let third = keepers.find(|place| ![wanted, calm.leader].contains(place));
        let third = third.expect("three keepers");
        let lost = [third, calm.leader];
        for place in lost {
            mesh.stage.fleet.kill(place).await.expect("killed");
        }
        // Alone it cannot lead; once it has waited for all that it waits for it is the first to ask the third, which is new.
        until("the keeper that is to lead is ready", async || {
            let status = mesh.stage.sight.status(wanted).await;
            let keepers = status.ok().map(|status| status.data.keepers);
            keepers.is_some_and(|keepers| keepers.leader.is_none() && is_patient(&keepers))
        })
        .await;
        mesh.stage.fleet.start(third).await.expect("started");
        until("another keeper leads", async || {
            let status = mesh.stage.sight.status(wanted).await;
            status.is_ok_and(|status| status.data.keepers.leader.is_some())
        })
        .await;
        mesh.stage.fleet.start(calm.leader).await.expect("started");
        let is_back = |after: &Calm| {
            lost.iter().all(|place| {
                let name = HOSTS[*place].name;
                after.boots[name] > calm.boots[name]
            })
        };
        mesh.calm_when("both are back", is_back).await;
    }
    panic!("not one of {ELECTIONS_MAX} elections made the leader that the story needs");
}

/// Whether a keeper without a leader has waited for longer than what it draws. Yesterday's, which tells no time, draws none.
fn is_patient(keepers: &Keepers) -> bool {
    let drawn_max = Settings::default().election_max.as_millis();
    keepers.leaderless_ms.is_none_or(|ms| u128::from(ms) > drawn_max)
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
