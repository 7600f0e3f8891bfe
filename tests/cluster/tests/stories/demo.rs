//! The whole walk with real processes: `hale demo`, as a new user runs it.

use std::path::Path;
use std::process::Command;

use cluster::{mesh, program};
use serde_json::Value;

/// The four acts in order, with how many remedies each may run.
const ACTS: [(&str, u64); 4] = [("death", 1), ("frozen host", 1), ("cut", 0), ("surge", 3)];

const FIGURES: [&str; 5] = [
    "fault_to_doubt_ms",
    "fault_to_verdict_ms",
    "verdict_to_lease_ms",
    "fault_to_remedy_ms",
    "fault_to_closed_ms",
];

#[test]
fn every_proof_of_every_act_holds_and_nothing_is_left() {
    let _turn = mesh::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let played = Command::new(program::hale())
        .args(["demo", "--json"])
        .env("TMPDIR", folder.path())
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&played.stderr);
    let report: Value = serde_json::from_slice(&played.stdout)
        .unwrap_or_else(|why| panic!("no report ({why}); the story:\n{told}"));
    let acts = report["acts"].as_array().expect("a list");
    for ((name, remedies), act) in ACTS.into_iter().zip(acts) {
        assert_eq!(act["name"], name);
        for proof in act["proofs"].as_array().expect("a list") {
            assert_eq!(proof["held"], true, "{name}: {proof}\nthe story:\n{told}");
        }
        assert_eq!(act["remedies"], remedies, "{name}");
        assert_eq!(act["in_flight_max"], u64::from(remedies > 0), "{name}");
        for figure in FIGURES {
            let is_told = act[figure].is_u64() || act[figure].is_null();
            assert!(is_told, "{name}: {figure} is {}", act[figure]);
        }
        assert!(act["fault_to_verdict_ms"].is_u64(), "{name}");
    }
    assert_eq!(acts.len(), ACTS.len());
    assert!(played.status.success(), "{told}");

    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("it is there").collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(processes_that_name(folder.path()), [""; 0]);
}

/// The command lines of running processes in which this path stands.
fn processes_that_name(path: &Path) -> Vec<String> {
    let path = path.to_string_lossy();
    let entries = std::fs::read_dir("/proc").expect("a proc file system");
    entries
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&*path))
        .collect()
}
