//! Do the verbs of `hale config` and `hale policy` tell a shell what they tell a person?

use std::path::PathBuf;
use std::process::{Command, Output};

fn hale(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hale"))
        .args(arguments)
        .output()
        .expect("the binary was built with this test")
}

/// A file in a folder of its own.
fn file(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("given.toml");
    std::fs::write(&path, text).expect("written");
    (folder, path)
}

fn check(noun: &str, text: &[u8]) -> (Option<i32>, String) {
    let (_folder, path) = file(text);
    let output = hale(&[noun, "check", &path.display().to_string()]);
    let said = String::from_utf8(output.stderr).expect("text");
    (output.status.code(), said)
}

#[test]
fn what_example_prints_check_finds_sound() {
    for noun in ["config", "policy"] {
        let example = hale(&[noun, "example"]);
        assert_eq!(example.status.code(), Some(0));
        assert!(example.stderr.is_empty());
        let (code, said) = check(noun, &example.stdout);
        assert_eq!((code, said.as_str()), (Some(0), ""), "hale {noun} check");
    }
}

#[test]
fn a_bad_configuration_ends_with_78_and_a_bad_policy_with_1_and_both_name_every_fault() {
    let text = b"[unknown]\n\n[log]\nlevel = \"loud\"\n\n[mode]\n";
    for (noun, code) in [("config", 78), ("policy", 1)] {
        let (ended, said) = check(noun, text);
        assert_eq!(ended, Some(code));
        assert!(said.contains("error: unknown: unknown key"), "{said}");
        assert!(said.contains("given.toml:1:2"), "{said}");
        assert!(said.contains("given.toml:6:2"), "{said}");
    }
}

#[test]
fn a_file_that_is_no_text_or_is_not_there_is_one_clear_line() {
    let (code, said) = check("config", b"\xff\xfe\x00");
    assert_eq!(code, Some(78));
    assert_eq!(said.lines().count(), 1, "{said}");
    let output = hale(&["policy", "check", "/nowhere/policy.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.starts_with("hale: /nowhere/policy.toml: No such file"), "{said}");
}

#[test]
fn a_closed_pipe_behind_example_is_no_fault() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hale"))
        .args(["policy", "example"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}
