//! What the `command` actuator promises beyond the contract: what exit codes and signals say, what a program is given, and that
//! nothing of it stays behind.

use std::collections::BTreeSet;

use actuators::guard::{Charge, End, OUTPUT_BYTES_MAX};
use actuators::guarded::run_guarded;
use conformance::{PATIENCE, Target, hale, now, order, until};
use vocabulary::actuation::RemedyOrder;
use vocabulary::{Receipt, ReceiptKind, Span};

use crate::desk::Desk;

#[tokio::test]
async fn exit_0_is_done_exit_75_is_refused_and_every_other_end_of_a_remedy_is_unknown() {
    let desk = Desk::new();
    assert_eq!(applied(&desk, "exit 0").await, (ReceiptKind::Done, "exit 0".to_owned()));
    for code in [1, 2, 74, 76, 126, 127, 128, 255] {
        let told = applied(&desk, &format!("exit {code}")).await;
        assert_eq!(told, (ReceiptKind::Unknown, format!("exit {code}")));
    }
    let declined = applied(&desk, "echo busy; exit 75").await;
    assert_eq!(declined, (ReceiptKind::Refused, "exit 75: busy".to_owned()));
    for signal in [9, 11, 15] {
        let told = applied(&desk, &format!("kill -{signal} $$")).await;
        assert_eq!(told, (ReceiptKind::Unknown, format!("ended by signal {signal}")));
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_has_begun_nothing() {
    let desk = Desk::new();
    let mut order = order(1);
    order.command.argv = vec![desk.file("nothing").to_str().expect("plain").to_owned()];
    order.command.inspect = Some(order.command.argv.clone());
    assert_eq!(apply(&desk, &order).await.kind, ReceiptKind::Refused);
    assert_eq!(inspect(&desk, &order).await.kind, ReceiptKind::Unknown);
}

#[tokio::test]
async fn inspection_reads_exit_0_as_done_exit_1_as_not_done_and_nothing_else() {
    let desk = Desk::new();
    let mut order = order(1);
    assert_eq!(inspect(&desk, &order).await.kind, ReceiptKind::Unknown, "no way to inspect");
    let ends = [
        ("exit 0", ReceiptKind::Done),
        ("exit 1", ReceiptKind::Refused),
        ("exit 2", ReceiptKind::Unknown),
        ("exit 75", ReceiptKind::Unknown),
        ("kill -9 $$", ReceiptKind::Unknown),
    ];
    for (script, kind) in ends {
        order.command.inspect = Some(sh(script, &desk));
        assert_eq!(inspect(&desk, &order).await.kind, kind, "{script}");
    }
}

#[tokio::test]
async fn the_rungs_own_time_limit_ends_it_though_the_lease_has_time_left() {
    let desk = Desk::new();
    let mut order = order(1);
    order.command.argv = sh("exec sleep 3600", &desk);
    order.command.time_limit = Span::seconds(1);
    let receipt = apply(&desk, &order).await;
    assert_eq!(receipt.kind, ReceiptKind::Unknown);
    assert_eq!(receipt.detail, "ended by the guard: its time was over");
}

#[tokio::test]
async fn a_program_finds_the_case_in_its_environment_and_nothing_of_the_agents() {
    let desk = Desk::new();
    let mut order = order(1);
    let seen = desk.file("environment");
    let seen = seen.to_str().expect("plain");
    order.command.argv = ["/bin/cp", "/proc/self/environ", seen].map(str::to_owned).to_vec();
    assert_eq!(apply(&desk, &order).await.kind, ReceiptKind::Done);
    let seen = desk.read("environment");
    let seen: BTreeSet<&str> = seen.split_terminator('\0').collect();
    let expected = BTreeSet::from([
        "HALE_CASE=42",
        "HALE_FENCE=101",
        "HALE_REMEDY_ID=1",
        "HALE_SUBJECT=web-b-17",
        "HALE_VERDICT=AgentDown",
        "LANG=C.UTF-8",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
    assert_eq!(seen, expected);
    let place = applied(&desk, "pwd; [ -z \"$(cat)\" ]").await;
    assert_eq!(place, (ReceiptKind::Done, "exit 0: /".to_owned()), "in `/`, with nothing to read");
}

#[tokio::test]
async fn arguments_arrive_as_they_are_for_no_shell_reads_them() {
    let desk = Desk::new();
    let mut order = order(1);
    let sly = "$(touch /tmp/x) `id` ; exit 9 & | > < * ? ~ ' \" \\ $HALE_CASE";
    order.command.argv = ["/usr/bin/printf", "%s|%s", sly, ""].map(str::to_owned).to_vec();
    let receipt = apply(&desk, &order).await;
    assert_eq!(receipt.detail, format!("exit 0: {sly}|"));
}

#[tokio::test]
async fn of_what_a_program_prints_the_end_is_kept_and_no_more_than_the_bound() {
    let desk = Desk::new();
    let charge = |script: &str| Charge {
        argv: sh(script, &desk),
        environment: Vec::new(),
        ends_at_ms: now().after(Span::minutes(1)).as_milliseconds(),
    };
    let report = run_guarded(&hale(), &charge("echo one; echo two >&2")).await.expect("guarded");
    let lines: BTreeSet<&str> = report.output.lines().collect();
    assert_eq!((report.end, lines), (End::Exited(0), BTreeSet::from(["one", "two"])));
    let report = run_guarded(&hale(), &charge("seq 1000000")).await.expect("guarded");
    assert_eq!((report.end, report.output.len()), (End::Exited(0), OUTPUT_BYTES_MAX));
    assert!(report.output.ends_with("\n999999\n1000000\n"));
}

/// Law T1: neither a session of its own, nor deafness to SIGTERM, nor an orphan's life saves what a remedy leaves behind.
#[tokio::test]
async fn what_a_program_leaves_behind_is_ended_before_its_receipt() {
    let desk = Desk::new();
    // A fifo holds the program until what it leaves behind has said its name.
    let leaves = "cd \"$1\"; mkfifo began
        setsid sh -c 'echo $$ >>worker; echo >began; exec sleep 3600' & read x <began
        (trap '' TERM; sh -c 'echo $$ >>worker; echo >began; exec sleep 3600' &) & read x <began
        setsid setsid -f sh -c 'echo $$ >>worker; echo >began; exec sleep 3600'; read x <began
        echo three are left";
    let told = applied(&desk, leaves).await;
    assert_eq!(told, (ReceiptKind::Done, "exit 0: three are left".to_owned()));
    assert_eq!(desk.read("worker").lines().count(), 3);
    assert!(!desk.is_being_worked_on(), "law T1: nothing of it runs after its receipt");
}

/// protocol 7.5: an agent that is gone holds no pipe any more; here whoever waits for the receipt goes away.
#[tokio::test]
async fn a_remedy_whose_agent_is_gone_is_ended() {
    let desk = Desk::new();
    let mut order = order(1);
    order.command.argv = sh("cd \"$1\"; echo $$ >worker; echo >begun; exec sleep 3600", &desk);
    let begun = until("the remedy begins", || desk.file("begun").exists());
    tokio::select! {
        receipt = desk.actuator().apply(&order, now()) => panic!("it ended: {receipt:?}"),
        () = begun => assert!(!desk.read("worker").is_empty()),
    }
    until("nothing of it runs", || !desk.is_being_worked_on()).await;
}

/// Law T1: the guard is the remedy's parent, and the remedy does to it what a careless operator might.
#[tokio::test]
async fn a_guard_that_is_killed_or_frozen_leaves_no_remedy_behind_and_no_end_that_is_known() {
    for signal in ["KILL", "STOP"] {
        let desk = Desk::new();
        let mut order = order(1);
        let strikes = format!("cd \"$1\"; echo $$ >worker; kill -{signal} $PPID; exec sleep 3600");
        order.command.argv = sh(&strikes, &desk);
        order.at_most = Span::seconds(2);
        let receipt = apply(&desk, &order).await;
        assert_eq!(receipt.kind, ReceiptKind::Unknown, "{signal}: {receipt:?}");
        assert!(!desk.read("worker").is_empty(), "it began");
        until("nothing of it runs", || !desk.is_being_worked_on()).await;
    }
}

fn sh(script: &str, desk: &Desk) -> Vec<String> {
    let folder = desk.path().to_str().expect("a plain path");
    ["/bin/sh", "-c", script, "desk", folder].map(str::to_owned).to_vec()
}

/// What is said of a remedy that is this script.
async fn applied(desk: &Desk, script: &str) -> (ReceiptKind, String) {
    let mut order = order(1);
    order.command.argv = sh(script, desk);
    let receipt = apply(desk, &order).await;
    (receipt.kind, receipt.detail)
}

async fn apply(desk: &Desk, order: &RemedyOrder) -> Receipt {
    let applied = desk.actuator().apply(order, now());
    tokio::time::timeout(PATIENCE, applied).await.expect("it ends in time")
}

async fn inspect(desk: &Desk, order: &RemedyOrder) -> Receipt {
    let inspected = desk.actuator().inspect(order, now());
    tokio::time::timeout(PATIENCE, inspected).await.expect("it ends in time")
}
