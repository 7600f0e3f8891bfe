//! Does everything that was kept of the fuzzers' finds still hold? Each file of the corpus, and each seed, through its own door.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::corpus::{FILE_BYTES_MAX, FILES_MAX};
use fuzz::{TARGETS, seeds};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    entries
        .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .collect()
}

/// A file that breaks a law is named by the output of the test that met it.
fn replay(target: &str) {
    let target = TARGETS.iter().find(|known| known.name == target).expect("a target");
    let folder = root().join("corpus").join(target.name);
    let names = names_in(&folder);
    assert!(!names.is_empty(), "{} is empty: a target without a corpus", folder.display());
    assert!(names.len() <= FILES_MAX, "{}: {} files", folder.display(), names.len());
    let kept = names.into_iter().map(|name| {
        let bytes = fs::read(folder.join(&name)).expect("a readable file");
        assert!(bytes.len() <= FILE_BYTES_MAX, "{name}: {} bytes", bytes.len());
        (name, bytes)
    });
    for (name, bytes) in kept.chain(seeds::of(target.name)) {
        println!("{}/{name}", target.name);
        (target.check)(&bytes);
    }
}

#[test]
fn frames_are_messages_or_named_faults() {
    replay("frame");
}

#[test]
fn messages_of_peers_move_what_they_may() {
    replay("message");
}

#[test]
fn signed_words_bring_nobody_down_alone() {
    replay("attestation");
}

#[test]
fn commands_keep_the_ledgers_laws() {
    replay("command");
}

#[test]
fn policies_are_taken_by_check_and_ledger_alike_or_refused_with_their_lines() {
    replay("policy");
}

#[test]
fn scenarios_are_played_lawfully_or_refused_with_their_lines() {
    replay("scenario");
}

#[test]
fn a_damaged_store_serves_what_was_acknowledged_or_says_why_it_does_not() {
    replay("store");
}

#[test]
fn bodies_of_fleetlock_are_questions_or_named_faults() {
    replay("fleetlock");
}

#[test]
fn every_target_has_its_corpus_its_seeds_and_its_driver() {
    let known: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names_in(&root().join("corpus")), known, "one folder for each target");
    let drivers = root().join("../../fuzz/fuzz_targets");
    let files = known.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names_in(&drivers), files, "one driver for each target");
    let manifest = fs::read_to_string(root().join("../../fuzz/Cargo.toml")).expect("the drivers");
    for name in &known {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&path), "{name} is not in fuzz/Cargo.toml");
        assert!(!seeds::of(name).is_empty(), "{name} begins from nothing");
    }
}
