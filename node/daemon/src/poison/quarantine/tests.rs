//! Is an input refused from its second panic on, it alone, and is the folder bounded?

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::poison::held::held_now;

fn input(text: &str) -> Input {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    Input { kind: Kind::Datagram, from: Some(HostId([7; 16])), bytes }
}

fn takes(quarantine: &Quarantine, text: &'static str) -> bool {
    quarantine.admit(Kind::Datagram, None, text.as_bytes()).is_some()
}

/// One life of an agent whose handler cannot bear this word: what it was told, until it ends.
fn life(folder: &Path, told: &[&'static str]) -> Vec<&'static str> {
    let quarantine = Quarantine::read(folder);
    let mut handled = Vec::new();
    for word in told {
        let Some(input) = quarantine.admit(Kind::Datagram, None, word.as_bytes()) else { continue };
        let held = input.hold();
        let handle = AssertUnwindSafe(|| assert!(*word != "poison", "a law breaks"));
        let noted = || held_now().expect("it is being handled");
        match catch_unwind(handle) {
            Ok(()) => handled.push(*word),
            Err(_) => {
                keep(folder, (&noted(), false), "a law breaks").expect("kept");
                return handled;
            }
        }
        drop(held);
    }
    handled
}

/// protocol 1.9: and the agent starts without it.
#[test]
fn what_ended_two_lives_does_not_end_the_third() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = ["one", "poison", "two"];
    let place = folder.path().join("poison");
    assert_eq!(life(&place, &told), ["one"]);
    assert_eq!(life(&place, &told), ["one"], "once may have been the machine");
    assert_eq!(life(&place, &told), ["one", "two"]);
    assert_eq!(life(&place, &told), ["one", "two"]);
    let quarantine = Quarantine::read(&place);
    let sentences: Vec<&str> = quarantine.sentences().collect();
    assert_eq!(sentences.len(), 1);
    let begins = "an input that ended this agent 2 times is not taken any more: a datagram of 6 bytes from this host; remove ";
    assert!(sentences[0].starts_with(begins), "{sentences:?}");
    let file = fs::read_dir(&place).expect("there").next().expect("one").expect("readable").path();
    fs::remove_file(file).expect("removed");
    assert!(takes(&Quarantine::read(&place), "poison"), "a person may let it in again");
}

#[test]
fn what_was_perhaps_not_at_fault_is_refused_one_end_later() {
    for perhaps in [[true, true, true], [true, false, false], [false, true, false]] {
        let folder = tempfile::tempdir().expect("a folder");
        let ends = perhaps.map(|is_perhaps| {
            keep(folder.path(), (&input("x"), is_perhaps), "a law breaks").expect("kept");
            !takes(&Quarantine::read(folder.path()), "x")
        });
        assert_eq!(ends, [false, false, true], "{perhaps:?}");
    }
}

#[test]
fn a_folder_that_is_not_there_and_files_that_are_not_ours_refuse_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(Quarantine::read(&folder.path().join("none")), Quarantine::default());
    let named = input("x").digest().to_string();
    for (name, holds) in [
        ("notes", "hale poison 1\nseen 2\nabout a thing\n"),
        (&named, "something else\nseen 2\nabout a thing\n"),
        (&"é".repeat(32), "hale poison 1\nseen 2\nabout a thing\n"),
    ] {
        fs::write(folder.path().join(name), holds).expect("written");
        assert_eq!(Quarantine::read(folder.path()), Quarantine::default(), "{name}");
    }
    fs::write(folder.path().join(&named), "hale poison 1\nseen 2\nabout a thing\n")
        .expect("written");
    assert!(!takes(&Quarantine::read(folder.path()), "x"));
}

#[test]
fn the_folder_is_bounded_and_what_is_refused_outlives_what_was_seen_once() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        keep(folder.path(), (&input("poison"), false), "a law breaks").expect("kept");
    }
    for number in 0..3 * KEPT_MAX {
        keep(folder.path(), (&input(&format!("{number}")), false), "a law breaks").expect("kept");
        let files = fs::read_dir(folder.path()).expect("there").count();
        assert!(files <= KEPT_MAX, "law PO3: {files}");
    }
    assert!(!takes(&Quarantine::read(folder.path()), "poison"));
}

#[test]
fn a_large_input_and_a_long_panic_are_kept_in_part_and_known_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = "x".repeat(1 << 20);
    let words = format!("first line\nsecond {}", "é".repeat(1_000));
    for seen in 1..=2 {
        let (path, counted) = keep(folder.path(), (&input(&large), false), &words).expect("kept");
        assert_eq!(counted, seen);
        assert!(fs::metadata(path).expect("there").len() < 140_000);
    }
    let quarantine = Quarantine::read(folder.path());
    assert!(quarantine.admit(Kind::Datagram, None, large.clone()).is_none());
    assert!(quarantine.admit(Kind::Datagram, None, large[1..].to_owned()).is_some());
}
