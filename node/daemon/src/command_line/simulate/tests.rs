//! What an operator types and reads, and how each way to be wrong is told.

use clap::Parser;
use expect_test::expect;

use super::*;
use crate::admin::tests::fleet::{Fleet, Seen};
use crate::admin::tests::model::{ModelMind, Served};
use crate::admin::tests::validity::check;
use crate::command_line::exit::Exit;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    verb: Verb,
}

fn verb(words: &[&str]) -> Verb {
    let words = std::iter::once("simulate").chain(words.iter().copied());
    Line::try_parse_from(words).expect("sound words").verb
}

fn source(words: &[&str]) -> Result<Source, CommandFault> {
    let verb = verb(words);
    Source::of(&verb, &verb.scenario.clone().expect("it is named"))
}

fn fault(words: &[&str]) -> (Exit, String) {
    let fault = source(words).err().expect("it is wrong");
    (fault.exit, fault.sentence)
}

fn ran(words: &[&str]) -> Answer<Simulated> {
    let source = source(words).expect("sound");
    let played = source.script.play().expect("there is such a fleet");
    of_now(shown::simulated(&source, &played))
}

/// A file of this name in a folder of its own.
fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    (folder, path.display().to_string())
}

const SHORT: &str = "# why\nhosts a1 zone=a; hosts b1 zone=b; hosts c1 zone=c\nkeepers a1 b1 c1\n";

#[test]
fn law_cl3_the_screen_is_the_trace_and_a_line_for_each_figure() {
    let answer = ran(&["one-way-cut", "--seed", "3"]);
    check(&answer).expect("as its schema says");
    expect![[r#"
           0.0 cut a2 on the way to b2
           1.0 b2 doubts a2
           1.1 round on a2: well a1 a4 b1 b2 b3 b4 c1 c2 c3 c4 => it answered for itself
           2.3 a2 doubts b2
           2.3 round on b2: well a1 a2 a3 a4 b1 b3 c1 c2 c3 c4 => it answered for itself
         120.0 every link carries again
         120.6 a2 doubts b2 no more
         120.9 b2 doubts a2 no more

        played              one-way-cut on 12 hosts (scenario), policy: library, seed 3, 2 m
        verdicts            0 true, 0 false
        troubles found      0 of 0
        time to verdict     nothing was to be found, or nothing was
        remedies begun      0
        cases for a person  0
        time to whole       it was whole all the time
    "#]]
    .assert_eq(&shown::text(&answer.data));
}

#[test]
fn every_figure_of_a_run_follows_its_schema() {
    let answer = ran(&["host-death", "--hosts", "9"]);
    check(&answer).expect("as its schema says");
    let run = &answer.data;
    assert_eq!((run.hosts, run.hosts_from.as_str()), (9, "--hosts"));
    assert_eq!((run.policy_from.as_str(), run.seed), ("library", 1));
    assert_eq!((run.verdicts_true, run.verdicts_false, run.remedies_begun), (1, 0, 1));
    assert_eq!(run.verdicts[0].verdict, "HostDown");
    assert_eq!(run.verdicts[0].subject.name, run.verdicts[0].hosts[0]);
    assert!(run.in_flight.iter().any(|line| line.scope.kind == "fleet" && line.most == 1));
    let text = shown::text(run);
    let (_, table) = text.split_once("\n\n").expect("the trace, then the figures");
    expect![[r#"
        played                       host-death on 9 hosts (--hosts), policy: library, seed 1, 53 s
        verdicts                     1 true, 0 false
        troubles found               1 of 1
        time to verdict              p50 1.6 s, max 1.6 s
        remedies begun               1
        cases for a person           0
        in flight, fleet             1 at once, 1 allowed
        in flight, zone lab/z0       1 at once, 1 allowed
        in flight, group web         1 at once, 1 allowed
        in flight, rack lab/z0/z0r0  1 at once, 1 allowed
        time to whole                43 s
    "#]]
    .assert_eq(table);
    assert!(run.is_whole && run.time_to_whole_ms.is_some_and(|time| time > 0));
    let lines = of_now(Scenarios { scenarios: Vec::new() });
    check(&lines).expect("as its schema says");
}

#[test]
fn a_name_that_is_neither_scenario_nor_file_is_wrong_usage_and_tells_the_nearest() {
    let (exit, sentence) = fault(&["host-deth"]);
    assert_eq!(exit, Exit::Usage);
    expect![[r#""host-deth" is no scenario of the library (`hale simulate --list` names them) and no file; did you mean host-death?"#]]
        .assert_eq(&sentence);
    let (exit, sentence) = fault(&["./none.hale"]);
    assert_eq!(exit, Exit::Failed);
    assert!(sentence.starts_with("./none.hale: No such file"), "{sentence}");
}

#[test]
fn law_cl7_a_fault_of_a_script_or_of_a_policy_is_told_with_its_file() {
    let (_folder, path) = file("own.hale", &format!("{SHORT}smite a1\n"));
    assert_eq!(fault(&[&path]), (Exit::Failed, format!("{path}: 1 fault")));
    let (_folder, path) = file("own.hale", &format!("{SHORT}kill a1\n"));
    assert!(source(&[&path]).is_ok());
    assert_eq!(fault(&[&path, "--hosts", "6"]), (Exit::Failed, format!("{path}: 1 fault")));
    let (_folder, policy) = file("policy.toml", "[budgets]\n");
    let (exit, sentence) = fault(&["host-death", "--policy", &policy]);
    assert_eq!(exit, Exit::Failed);
    assert!(sentence.starts_with(&policy), "{sentence}");
    let (_folder, path) = file("own.hale", &format!("{SHORT}policy\n[budgets]\nend\n"));
    let (_, sentence) = fault(&[&path]);
    assert!(sentence.starts_with("policy in "), "{sentence}");
    let (_folder, path) = file("own.hale", "hosts a1 a2\nkeepers a1 a2\n");
    let (_, sentence) = fault(&[&path]);
    assert_eq!(sentence, format!("{path}: a ledger has 1, 3, 5 or 7 keepers, not 2"));
}

#[test]
fn options_that_contradict_each_other_or_are_out_of_range_are_wrong_usage() {
    for words in [
        ["host-death", "--list", "--json", "--json"].as_slice(),
        &["host-death", "--hosts", "0"],
        &["host-death", "--hosts", "16385"],
        &["host-death", "--hosts", "12", "--hosts-from-mesh"],
        &["--list", "--seed", "1"],
        &["host-death", "--seed", "-1"],
        &[],
    ] {
        let words = std::iter::once("simulate").chain(words.iter().copied());
        assert!(Line::try_parse_from(words).is_err());
    }
}

async fn of_mesh(served: &Served, more: &[&str]) -> Result<Source, CommandFault> {
    let socket = served.client.socket().display().to_string();
    let words = ["zone-loss", "--hosts-from-mesh", "--socket", &socket];
    let words: Vec<String> = words.iter().chain(more).map(|word| (*word).to_owned()).collect();
    let asked = move || source(&words.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(asked).await.expect("no panic")
}

#[tokio::test]
async fn the_hosts_of_the_mesh_keep_their_places_and_its_policy_is_in_force() {
    let served = Served::over(ModelMind::new(Fleet::healing()));
    let source = of_mesh(&served, &[]).await.expect("it answers");
    assert_eq!(source.hosts_from, "mesh");
    assert_eq!(source.policy_from, "mesh, version 1");
    assert_eq!(source.fresh, Ok(()));
    let fleet = Fleet::healing();
    let setup = source.script.setup();
    assert_eq!(setup.hosts.len(), fleet.hosts.len());
    for claims in &setup.hosts {
        let theirs = fleet.hosts.iter().find(|theirs| theirs.host == claims.host);
        let theirs = theirs.expect("a host of the mesh");
        assert_eq!((&claims.domain, &claims.group), (&theirs.domain, &theirs.group));
        assert_eq!(claims.roles, theirs.roles);
    }
    let (_folder, policy) = file("policy.toml", "[budget]\nfleet = { in_flight = 2 }\n");
    let source = of_mesh(&served, &["--policy", &policy]).await.expect("it answers");
    assert_eq!(source.policy_from, policy);
    assert_eq!(
        source.script.setup().policy.as_deref(),
        Some("[budget]\nfleet = { in_flight = 2 }\n")
    );
}

#[tokio::test]
async fn a_mesh_without_policy_or_majority_is_played_as_it_is_and_said_to_be() {
    let mut mind = ModelMind::new(Fleet::nine());
    mind.has_majority = false;
    let source = of_mesh(&Served::over(mind), &[]).await.expect("it answers");
    assert_eq!(source.policy_from, "none");
    assert_eq!(source.script.setup().policy, None);
    assert_eq!(source.fresh.map_err(|fault| fault.exit), Err(Exit::NoMajority));
}

#[tokio::test]
async fn law_cl6_a_mesh_is_only_asked() {
    let mut fleet = Fleet::healing();
    fleet.opened("b2", Seen::AgentDown);
    let served = Served::over(ModelMind::new(fleet));
    let before = served.mind.fleet().ledger.index();
    let source = of_mesh(&served, &[]).await.expect("it answers");
    source.script.play().expect("there is such a fleet");
    assert_eq!(served.mind.fleet().ledger.index(), before);
}

#[test]
fn where_no_agent_listens_the_hosts_of_the_mesh_cannot_be_asked() {
    let words = ["zone-loss", "--hosts-from-mesh", "--socket", "/nonexistent/admin.sock"];
    assert_eq!(fault(&words).0, Exit::NoAgent);
}
