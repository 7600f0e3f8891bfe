//! Do agents die, leave and come back as they should?

use std::time::{Duration, Instant};

use cluster::mesh::{Mesh, held, plain, play, until};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT};
use daemon::demo::stage::Calm;
use rustix::process::{Pid, Signal};
use vocabulary::VerdictKind;

#[test]
fn a_killed_agent_is_started_again_once_and_all_audits_tell_so() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let victim = plain(&before);
        mesh.stage.fleet.kill(victim).await.expect("killed");
        mesh.healed(victim, VerdictKind::AgentDown, &before).await;
        assert_eq!(mesh.opened(&before).len(), 1, "no other case: {:?}", mesh.opened(&before));
    });
}

#[test]
fn keepers_that_are_killed_come_back_from_their_disks_with_all_that_was_acknowledged() {
    play(async |mut mesh| {
        a_leader_comes_back(&mut mesh).await;
        all_come_back(&mut mesh).await;
    });
}

/// protocol 1.5, 1.8: what its socket acknowledged a moment before the kill is there, under a new term.
async fn a_leader_comes_back(mesh: &mut Mesh) {
    let before = mesh.calm().await;
    let leader = before.leader;
    mesh.stage.witness = plain(&before);
    let version = mesh.apply(leader, &mesh.remedies.policy()).await;
    mesh.stage.fleet.kill(leader).await.expect("killed");
    mesh.stage.fleet.start(leader).await.expect("started");
    let name = HOSTS[leader].name;
    let is_new = |calm: &Calm| calm.boots[name] > before.boots[name];
    let after = mesh.calm_when("it has a new life", is_new).await;
    assert!(after.term > before.term, "term {} and then {}", before.term, after.term);
    let status = mesh.stage.sight.status(leader).await.expect("it answers").data;
    assert_eq!(status.policy.map(|policy| policy.version), Some(version));
    held(&mesh.stage.one_history().await);
}

async fn all_come_back(mesh: &mut Mesh) {
    let before = mesh.calm().await;
    let version = mesh.apply(before.leader, &mesh.remedies.policy()).await;
    let known = mesh.stage.history.clone();
    for place in 0..HOSTS_COUNT {
        mesh.stage.fleet.kill(place).await.expect("killed");
    }
    mesh.start_all().await;
    let is_new = |calm: &Calm| {
        let mut hosts = HOSTS.iter().map(|host| host.name);
        hosts.all(|name| calm.boots[name] > before.boots[name])
    };
    let after = mesh.calm_when("every host has a new life", is_new).await;
    assert!(after.term > before.term, "term {} and then {}", before.term, after.term);
    for place in 0..HOSTS_COUNT {
        let status = mesh.stage.sight.status(place).await.expect("it answers").data;
        assert_eq!(status.policy.map(|policy| policy.version), Some(version));
    }
    assert!(mesh.stage.history.agrees_with(&known));
    assert!(mesh.stage.history.head().number > known.head().number, "the chain goes on");
    held(&mesh.stage.one_history().await);
}

#[test]
fn an_agent_that_is_told_to_end_leaves_within_five_seconds_and_is_no_case() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let leaving = plain(&before);
        let other = (0..HOSTS_COUNT)
            .rfind(|place| !HOSTS[*place].is_keeper && *place != leaving)
            .expect("three plain hosts");
        mesh.stage.witness = before.leader;
        let began = Instant::now();
        tell_to_end(mesh.process(leaving).await);
        until("the agent ends", async || mesh.stage.fleet.process_of(leaving).await.is_none())
            .await;
        let lasted = began.elapsed();
        assert!(lasted < Duration::from_secs(5), "it took {lasted:?}");
        for by in (0..HOSTS_COUNT).filter(|by| *by != leaving) {
            until("every other agent says that it left", async || {
                mesh.state_of(leaving, by).await.as_deref() == Some("left")
            })
            .await;
        }
        // A case on the host that left would be opened before that of a later death is closed.
        mesh.stage.fleet.kill(other).await.expect("killed");
        let case = mesh.case_on(other, &before).await;
        mesh.closed(case, &before).await;
        mesh.stage.fleet.start(leaving).await.expect("started");
        mesh.calm().await;
        assert_eq!(mesh.opened(&before).len(), 1, "only the death: {:?}", mesh.opened(&before));
        assert!(mesh.stage.lines(&before, Some(leaving)).is_empty(), "nobody healed it");
        held(&mesh.stage.one_history().await);
    });
}

fn tell_to_end(process: u32) {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process id");
    rustix::process::kill_process(id, Signal::TERM).expect("it is our own child");
}
