//! What somebody who holds no seat says of a host: it is looked at, and what its observers see decides (protocol 2.8).

use daemon::admin::mind::{Mind as _, Report};
use shells::{Setup, World, play};

use crate::faults::ready;

/// By way of this host's agent: whether the subject is looked at for it.
async fn report(world: &World, by: &str, subject: &str) -> bool {
    let subject = world.id(subject);
    let said = |text: &str| text.to_owned();
    let report = Report { subject, who: said("lb"), failed: said("502 from /healthz") };
    let told = world.ask(by, |mind| async move { mind.report(report).await }).await;
    told.expect("its agent runs").expect("the leader answers")
}

#[test]
fn a_report_of_a_well_host_has_it_looked_at_once_and_nothing_follows() {
    play(Setup::grid(6, 3, 47), async |world| {
        ready(world).await;
        let leader = world.leader().expect("somebody leads");
        let names = world.names();
        let others: Vec<&str> =
            names.iter().map(String::as_str).filter(|it| **it != *leader).collect();
        let [teller, subject, ..] = others[..] else {
            panic!("six hosts");
        };
        assert!(report(world, teller, subject).await, "a round is held");
        assert!(!report(world, teller, subject).await, "and one only");
        world.run(5_000).await;
        let local = world.local(&leader).await.expect("it runs");
        let id = world.id(subject);
        let kept = &local.reports[&id];
        assert_eq!((kept.len(), kept[0].times, kept[0].by), (1, 2, world.id(teller)));
        let round = &local.rounds[&id];
        assert!(round.verdict.is_err() && round.paths.len() >= 4, "{round:?}");
        let own = world.local(teller).await.expect("it runs");
        assert_eq!(own.reports[&id].len(), 1, "what was said here is shown here");
        assert_eq!(world.doubts().await, [], "law RE1");
        assert_eq!(world.ledger().cases().count(), 0, "law RE1");
        assert!(world.journal().is_empty(), "law RE1");
    });
}
