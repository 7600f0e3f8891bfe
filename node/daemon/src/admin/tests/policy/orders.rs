//! A policy that is rehearsed, applied and taken back, at the socket.

use expect_test::expect;
use ledger::command::{Command, Entry, Proposed};
use ledger::policy::Policy;
use vocabulary::Span;

use super::super::fleet::{Fleet, POLICY, checking, id};
use super::super::model::{ModelMind, Served};
use super::super::validity::check;
use super::{
    approved, cases_of, gone, in_a_window, in_mode, leased, observing, paused, told, unfit, unknown,
};
use crate::admin::answer::{
    Answer, CaseChange, Ordered, PolicyChange, PolicyInForce, PolicyOrder, Refusal, RollbackOrder,
};
use crate::admin::client::ClientFault;
use crate::admin::render;
use crate::identity::RingVerifier;

fn set(text: &str) -> PolicyOrder {
    PolicyOrder { text: text.into(), why: "a change".into(), if_version: None }
}

fn back(version: u64, why: &str) -> RollbackOrder {
    RollbackOrder { version, why: why.into(), if_version: None }
}

async fn ordered(served: &Served, path: &str, order: &impl serde::Serialize) -> Ordered {
    let answer: Answer<Ordered> = served.client.order(path, order).await.expect("it is taken");
    check(&answer).unwrap_or_else(|why| panic!("{path}: {why}"));
    answer.data
}

async fn refused(served: &Served, path: &str, order: &impl serde::Serialize) -> Refusal {
    match served.client.order::<Ordered>(path, order).await {
        Err(ClientFault::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Law PC1: several ledgers in trouble, several policies.
#[tokio::test]
async fn what_a_dry_run_tells_is_what_applying_it_does_and_nothing_moves_before() {
    let narrow = POLICY.replace("in_flight = 2", "in_flight = 1");
    let impatient = format!("{POLICY}\n[timers]\nunknown_for = \"1m\"\n");
    let hasty = format!("{POLICY}\n[timers]\nleft_grace = \"1s\"\n");
    let (shadow, approve) = (in_mode("shadow"), in_mode("approve"));
    let checks = checking("self");
    for text in [&observing(), &shadow, &approve, &narrow, &impatient, &hasty, &checks, "", POLICY]
    {
        for fleet in [Fleet::nine(), super::super::socket::busy(), unknown(), unfit()]
            .into_iter()
            .chain([leased(), paused(), in_a_window(), approved(), gone()])
        {
            let served = Served::over(ModelMind::new(fleet));
            let before = served.mind.fleet().ledger.clone();
            let rehearsed = ordered(&served, "/v1/policy?dry_run=true", &set(text)).await;
            assert_eq!(served.mind.fleet().ledger, before, "a dry run moves nothing");
            let rehearsal = rehearsed.policy.expect("a policy is set");
            let done = ordered(&served, "/v1/policy", &set(text)).await;
            assert_eq!((done.version, done.dry_run), (rehearsed.version, false));
            let mut fleet = served.mind.fleet();
            fleet.send("a1", Command::Tick);
            let mut standing = Fleet::nine();
            standing.ledger = before;
            let commands = vec![Proposed { by: id("a1"), command: Command::Tick }];
            let tick = Entry { elapsed: Span::ZERO, wall: standing.ledger.wall(), commands };
            standing.ledger.apply(standing.ledger.index().next(), &tick, &RingVerifier);
            let found =
                told(&standing, |one| told(&fleet, |other| render::policy_change(one, other)));
            assert_eq!(rehearsal, found, "{text}");
            let warned = done.policy.expect("a policy is set");
            assert_eq!(warned, PolicyChange { diff: None, cases: None, ..found });
        }
    }
}

#[tokio::test]
async fn what_ends_at_once_by_shorter_waits_is_told_before() {
    let served = Served::over(ModelMind::new(unknown()));
    let impatient = format!("{POLICY}\n[timers]\nunknown_for = \"1m\"\n");
    let rehearsed = ordered(&served, "/v1/policy?dry_run=true", &set(&impatient)).await;
    let cases = cases_of(rehearsed.policy.expect("a policy is set"));
    let stages = |case: &CaseChange| (case.before.stage.clone(), case.after.stage.clone());
    let stages: Vec<_> = cases.changed.iter().map(stages).collect();
    assert_eq!(stages, [("remedy".to_owned(), "escalated".to_owned())]);
}

#[tokio::test]
async fn orders_that_set_no_policy_tell_nothing_of_one() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let order = serde_json::json!({ "why": "a look" });
    for path in ["/v1/pause?dry_run=true", "/v1/pause"] {
        assert_eq!(ordered(&served, path, &order).await.policy, None);
    }
}

/// Law PO1.
#[tokio::test]
async fn a_rollback_sets_the_text_of_an_earlier_version_as_the_next_and_says_so_in_the_audit() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    ordered(&served, "/v1/policy", &set(&observing())).await;
    let path = "/v1/policy/rollback";
    let rehearsed =
        ordered(&served, &format!("{path}?dry_run=true"), &back(1, "it only watched")).await;
    assert!(rehearsed.dry_run && rehearsed.version == Some(3));
    let change = rehearsed.policy.expect("a policy is set");
    assert_eq!(change.warnings.iter().filter(|told| told.name == "BeginsToAct").count(), 2);
    assert_eq!(served.mind.fleet().ledger.policy_shelf().version(), 2);

    let done = ordered(&served, path, &back(1, "it only watched")).await;
    assert_eq!(done.version, Some(3));
    let policy: Answer<PolicyInForce> = served.client.ask("/v1/policy").await.expect("it answers");
    assert_eq!(policy.data.text, POLICY);
    let last = policy.data.history.last().expect("three");
    assert_eq!(last.why, "rollback to version 1: it only watched");
    assert_eq!(last.digest, policy.data.history[0].digest);

    // What a new mesh has can come back as well.
    let none = ordered(&served, path, &back(0, "it did harm")).await;
    assert_eq!(none.version, Some(4));
    assert_eq!(*served.mind.fleet().ledger.policy(), Policy::default());
}

#[tokio::test]
async fn a_rollback_to_what_is_gone_or_in_force_is_refused_and_moves_nothing() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let path = "/v1/policy/rollback";
    for version in 2..=18u32 {
        ordered(&served, "/v1/policy", &set(&format!("# {version}\n{POLICY}"))).await;
    }
    ordered(&served, path, &back(17, "the seventeenth")).await;
    let before = served.mind.fleet().ledger.policy_shelf().clone();
    let mut lines = String::new();
    for version in [3, 17, 19, 20] {
        for path in [path.to_owned(), format!("{path}?dry_run=true")] {
            let Refusal { name, sentence } = refused(&served, &path, &back(version, "x")).await;
            let line = format!("{name}: {sentence}\n");
            if !lines.ends_with(&line) {
                lines.push_str(&line);
            }
        }
    }
    let guarded = RollbackOrder { if_version: Some(18), ..back(4, "x") };
    let Refusal { name, sentence } = refused(&served, path, &guarded).await;
    lines.push_str(&format!("{name}: {sentence}\n"));
    let Refusal { name, sentence } = refused(&served, path, &back(4, " ")).await;
    lines.push_str(&format!("{name}: {sentence}\n"));
    expect![[r#"
        NoSuch: version 3 of the policy cannot be read back: version 19 is in force, the last 16 are kept, `hale policy history` names them
        Nothing: the text of version 17 is in force already, as version 19
        Nothing: version 19 of the policy is in force already
        NoSuch: version 20 of the policy cannot be read back: version 19 is in force, the last 16 are kept, `hale policy history` names them
        PolicyVersion: version 19 of the policy is in force: read it and apply yours on top
        Malformed: a rollback says why: the audit keeps it
    "#]]
    .assert_eq(&lines);
    assert_eq!(*served.mind.fleet().ledger.policy_shelf(), before);
}
