//! Are agents that stand still told from hosts that are gone?

use cluster::mesh::{held, plain, play};
use daemon::demo::proofs;
use daemon::demo::stage::id_of;
use ledger::case::Closure;
use vocabulary::{Scope, VerdictKind};

/// protocol 3.6: its kernel accepts and it says nothing: `HostHung`, never `AgentDown`, and not `HostDown`.
#[test]
fn an_agent_that_stands_still_is_hung_and_recovers_without_a_remedy() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let still = plain(&before);
        mesh.stage.witness = before.leader;
        mesh.stage.fleet.stop(still).await.expect("stopped");
        let case = mesh.case_on(still, &before).await;
        mesh.stage.fleet.go_on(still).await.expect("goes on");
        let story = mesh.closed(case, &before).await;
        assert_eq!(story.closed.as_ref().map(|step| &step.what), Some(&Closure::Recovered));
        let kinds = story.verdicts.iter().map(|step| step.what.kind.clone());
        assert_eq!(kinds.collect::<Vec<_>>(), [VerdictKind::HostHung]);
        let after = mesh.calm().await;
        assert_eq!(mesh.opened(&before), [(Scope::Host(id_of(still)), VerdictKind::HostHung)]);
        assert_eq!(after.boots, before.boots, "the same life goes on");
        let lines = mesh.stage.lines(&before, None);
        let history = &mesh.stage.history;
        held(&proofs::nothing_was_begun("no rule, no remedy", history, before.head, &lines));
        held(&mesh.stage.one_history().await);
    });
}

#[test]
fn a_host_that_stands_still_behind_silent_links_is_down_and_begins_a_new_life() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let frozen = plain(&before);
        mesh.stage.witness = before.leader;
        mesh.stage.fleet.links().host_goes(frozen).await.expect("silent");
        mesh.stage.fleet.stop(frozen).await.expect("stopped");
        mesh.healed(frozen, VerdictKind::HostDown, &before).await;
        assert_eq!(mesh.opened(&before).len(), 1, "no other case: {:?}", mesh.opened(&before));
    });
}
