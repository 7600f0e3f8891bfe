//! SIGSTOP alone: a process that stands still on a host whose kernel goes on accepting is `HostHung`, never `AgentDown`, and
//! not `HostDown` (protocol 3.6).

use std::path::Path;
use std::time::Duration;

use daemon::demo::opening;
use daemon::demo::stage::id_of;
use daemon::demo::story::{Ear, Story};
use vocabulary::{Scope, VerdictKind};

/// Long enough on a machine that has much else to do.
const WITHIN: Duration = Duration::from_secs(30);

/// a2, which is no keeper.
const VICTIM: usize = 1;

#[tokio::test]
async fn a_stopped_agent_is_a_hung_host_nothing_is_done_to_it_and_it_may_recover() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_hale"));
    let story = Story::begin(Ear::Nobody);
    let opened = opening::open(program, folder.path(), story).await;
    let (mut stage, _starter) = opened.map_err(|(_, fault)| fault).expect("it opens");
    let before = stage.calm(WITHIN).await.expect("all is well");
    let subject = Scope::Host(id_of(VICTIM));

    stage.fleet.stop(VICTIM).await.expect("it stops");
    let case = stage
        .until("a verdict stands", WITHIN, |history| history.case_on(&subject, before.head))
        .await
        .expect("a verdict");
    let story = stage.history.story(case, before.head);
    let kinds: Vec<&VerdictKind> = story.verdicts.iter().map(|step| &step.what.kind).collect();
    assert_eq!(kinds, [&VerdictKind::HostHung]);

    stage.fleet.go_on(VICTIM).await.expect("it goes on");
    let closed = stage
        .until("the case is closed", WITHIN, |history| history.story(case, before.head).closed);
    let closed = closed.await.expect("it recovers");
    assert_eq!(closed.what, ledger::case::Closure::Recovered);
    let after = stage.calm(WITHIN).await.expect("all is well again");
    assert_eq!(after.boots, before.boots, "the same life goes on");
    assert!(stage.lines(&before, None).is_empty(), "no rule, no remedy");
    stage.fleet.end().await.expect("nothing runs on");
}
