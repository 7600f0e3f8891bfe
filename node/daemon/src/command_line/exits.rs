//! How each verb ends, against a socket over a modelled mind.

use clap::Parser as _;
use ledger::command::Command;

use super::{CommandFault, CommandLine, Exit, carry};
use crate::admin::answer::{Answer, AuditPage};
use crate::admin::chain::Chain;
use crate::admin::tests::fleet::{Fleet, POLICY, Seen, id, order};
use crate::admin::tests::model::{ModelMind, Served};
use crate::admin::tests::socket::{MODEL, export_of};

/// The words of a command line, asked at this socket.
async fn said(socket: &std::path::Path, words: &str) -> Result<(), CommandFault> {
    let words: Vec<String> = std::iter::once("hale")
        .chain(words.split(' '))
        .map(|word| word.replace('_', " "))
        .chain(["--json".to_owned(), "--socket".to_owned(), socket.display().to_string()])
        .collect();
    let line = CommandLine::try_parse_from(words).expect("sound words");
    tokio::task::spawn_blocking(move || carry(line.verb)).await.expect("no panic")
}

async fn ends(served: &Served, words: &str, exit: Exit) -> String {
    let ended = said(served.client.socket(), words).await;
    let sentence = ended.as_ref().err().map(|fault| fault.sentence.clone());
    let found = ended.err().map_or(Exit::Done, |fault| fault.exit);
    assert_eq!(found, exit, "{words}: {sentence:?}");
    sentence.unwrap_or_default()
}

#[tokio::test]
async fn an_answer_ends_with_zero_and_a_refusal_with_four_and_its_name() {
    let mut fleet = Fleet::healing();
    fleet.opened("b2", Seen::AgentDown);
    let served = Served::over(ModelMind::new(fleet));
    for words in [
        "status",
        "hosts --retired",
        "cases --all",
        "explain 1",
        "explain c3",
        "audit",
        "audit --since 3",
        "audit verify",
        "audit export --jsonl",
        "policy show",
        "policy show --version 0",
        "policy history",
        "policy diff --from 0 --to 1",
        "policy diff",
        "policy rollback 0 --why it_did_harm --dry-run",
        "host list",
        "certs",
        "certs --check --within 7d",
        "agent reload --why renewed",
        "agent reload --dry-run --why renewed",
        "report c3 --failed 502_from_/healthz",
        "report c3 --failed 502_from_/healthz --dry-run",
        "pause --why a_look",
        "resume --why seen",
        "case dismiss 1 --why seen_to",
        "host add d1 --why ours",
        "host add d1 --why ours",
        "host add d1 --undo --dry-run --why a_mistake",
        "host add d1 --undo --why a_mistake",
    ] {
        ends(&served, words, Exit::Done).await;
    }
    for (words, name) in [
        ("resume --why again", "Nothing: "),
        ("init --keepers a1,b1,c1", "AlreadyFounded: "),
        ("host retire c1 --yes --why sold", "NotPermitted: "),
        ("case dismiss 9 --why seen_to", "UnknownCase: "),
        ("lease revoke 9 --why it_is_off", "UnknownCase: "),
        ("approve 9 --why go_on", "UnknownCase: "),
        ("deny 9 --why not_this_one", "UnknownCase: "),
        ("release c1 --why a_new_cable", "Nothing: "),
        ("release --group web --why mended", "Nothing: "),
        ("host add d1 --undo --why again", "Nothing: "),
        ("policy rollback 1 --why again", "Nothing: "),
        ("policy rollback 0 --why late --if-version 7", "PolicyVersion: "),
    ] {
        let sentence = ends(&served, words, Exit::Refused).await;
        assert!(sentence.starts_with(name), "{words}: {sentence}");
    }
    ends(&served, "explain c9", Exit::Failed).await;
    let window = ends(&served, "maintenance end 9 --why done", Exit::Failed).await;
    assert!(window.starts_with("NoSuch: no window 9 is open or planned"), "{window}");
    for scope in ["--group wbe", "--zone z", "--rack r9", "--host c9"] {
        let words = format!("maintenance add {scope} --for 1h --why disks");
        let sentence = ends(&served, &words, Exit::Failed).await;
        assert!(sentence.starts_with("NoSuch: "), "{scope}: {sentence}");
    }
    ends(&served, "report c9 --failed 502", Exit::Failed).await;
    ends(&served, "report c3 --failed _", Exit::Failed).await;
    ends(&served, "policy show --version 7", Exit::Failed).await;
    ends(&served, "policy apply /nonexistent/policy.toml --why x", Exit::Failed).await;
    ends(&served, "policy diff /nonexistent/policy.toml", Exit::Failed).await;
    ends(&served, "policy diff --from 7", Exit::Failed).await;
    ends(&served, "policy diff --to 0", Exit::Failed).await;
    ends(&served, "policy rollback 7 --why x", Exit::Failed).await;
}

#[tokio::test]
async fn a_policy_that_is_warned_of_ends_with_zero_and_one_of_none_with_one() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    let on = |verb: &str, more: &str| format!("policy {verb} {}{more}", file.display());
    write("[budget]\ngroup.webs = { in_flight = 1 }\n");
    ends(&served, &on("apply", " --why typo --dry-run"), Exit::Done).await;
    ends(&served, &on("diff", " --exit-code"), Exit::ConditionFalse).await;
    ends(&served, &on("apply", " --why typo"), Exit::Done).await;
    ends(&served, &on("diff", " --exit-code"), Exit::Done).await;
    ends(&served, &on("diff", " --from 1 --exit-code"), Exit::ConditionFalse).await;
    ends(&served, "policy rollback 1 --why a_typo --if-version 2", Exit::Done).await;
    write("[budget]\nfleet = { in_flight = 0 }\n");
    ends(&served, &on("apply", " --why none --dry-run"), Exit::Failed).await;
    ends(&served, &on("diff", ""), Exit::Done).await;
}

#[tokio::test]
async fn a_check_ends_with_zero_where_all_is_well_and_else_with_three_and_what_is_not() {
    let checked = async |fleet: Fleet, exit| {
        let mind = ModelMind::new(fleet);
        mind.local.lock().expect("no panic").up = ["b1", "c1"].map(id).into();
        ends(&Served::over(mind), "status --check", exit).await
    };
    checked(Fleet::healing(), Exit::Done).await;
    let mut fleet = Fleet::healing();
    fleet.opened("b2", Seen::AgentDown);
    let why = checked(fleet, Exit::ConditionFalse).await;
    assert!(why.ends_with("open cases: 1"), "{why}");
    let mut fleet = Fleet::healing();
    fleet.send("a1", Command::Pause(order("a drill")));
    let why = checked(fleet, Exit::ConditionFalse).await;
    assert!(why.contains("the brake is on"), "{why}");
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let why = ends(&served, "status --check", Exit::ConditionFalse).await;
    assert!(why.ends_with("1 of 3 keepers are up"), "{why}");
}

#[tokio::test]
async fn a_stale_answer_is_printed_and_ends_with_six_as_an_order_does() {
    let mut mind = ModelMind::new(Fleet::healing());
    mind.has_majority = false;
    let served = Served::over(mind);
    for words in [
        "status",
        "hosts",
        "cases",
        "leases",
        "explain a2",
        "audit",
        "audit verify",
        "audit export",
        "policy diff",
        "pause --why now",
        "policy rollback 0 --why now --dry-run",
    ] {
        ends(&served, words, Exit::NoMajority).await;
    }
}

#[tokio::test]
async fn where_no_agent_listens_every_verb_ends_with_five() {
    let folder = tempfile::tempdir().expect("a folder");
    for words in ["status", "audit verify", "pause --why now", "init --keepers a1"] {
        let ended = said(&folder.path().join("admin.sock"), words).await;
        let fault = ended.expect_err("nobody is there");
        assert_eq!(fault.exit, Exit::NoAgent, "{fault}");
    }
}

#[tokio::test]
async fn a_dry_run_ends_with_three_where_a_script_asks_for_warnings_and_there_are_any() {
    let mut fleet = Fleet::healing();
    fleet.set_policy(&POLICY.replace("\"act\"", "\"observe\""));
    let served = Served::over(ModelMind::new(fleet));
    for (words, exit) in [
        ("policy rollback 1 --why now --dry-run", Exit::Done),
        ("policy rollback 1 --why now --dry-run --check", Exit::ConditionFalse),
        ("policy rollback 0 --why now --dry-run --check", Exit::Done),
    ] {
        ends(&served, words, exit).await;
    }
}

#[tokio::test]
async fn an_export_is_judged_without_an_agent_and_compared_with_one() {
    let paused = |why: &[&str]| {
        let mut fleet = Fleet::healing();
        why.iter().for_each(|why| drop(fleet.send("a1", Command::Pause(order(why)))));
        Served::over(ModelMind::new(fleet))
    };
    let served = paused(&["a look"]);
    let page: Answer<AuditPage> = served.client.ask("/v1/audit?since=0").await.expect("it answers");
    let mut chain = Chain::default();
    assert_eq!(chain.take(&page.data), Ok(true));
    let lines = export_of(&[page.data], &chain.verified(MODEL).expect("it holds"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("audit.jsonl");
    let (judge, nobody) =
        (format!("audit verify --file {}", file.display()), folder.path().join("none"));
    let compare = format!("{judge} --compare");
    std::fs::write(&file, lines.join("\n")).expect("written");
    said(&nobody, &judge).await.expect("no agent is asked");
    assert_eq!(said(&nobody, &compare).await.expect_err("nobody is there").exit, Exit::NoAgent);
    ends(&served, &compare, Exit::Done).await;
    ends(&paused(&["a look", "a longer look"]), &compare, Exit::Done).await;
    let other = ends(&paused(&["another history"]), &compare, Exit::Failed).await;
    assert!(other.contains("one of them is false"), "{other}");
    let shorter =
        ends(&Served::over(ModelMind::new(Fleet::healing())), &compare, Exit::Failed).await;
    assert!(shorter.contains("cannot be compared"), "{shorter}");
    std::fs::write(&file, lines[..lines.len() - 1].join("\n")).expect("written");
    let cut = ends(&served, &judge, Exit::Failed).await;
    assert!(cut.contains("audit.jsonl: it has no last line: it was cut off"), "{cut}");
    std::fs::remove_file(&file).expect("removed");
    let gone = ends(&served, &judge, Exit::Failed).await;
    assert!(gone.contains("audit.jsonl: No such file"), "{gone}");
}
