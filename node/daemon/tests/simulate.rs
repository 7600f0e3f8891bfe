//! Does the binary play what its own list names, and end as a shell expects?

use std::process::{Command, Output};

use serde_json::Value;

fn hale(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hale"))
        .arg("simulate")
        .args(arguments)
        .output()
        .expect("the binary was built with this test")
}

fn answer(arguments: &[&str]) -> Value {
    let output = hale(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn said(output: Output) -> String {
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn every_scenario_that_the_list_names_is_played_by_the_binary() {
    let list = answer(&["--list", "--json"]);
    assert_eq!(list["schema"], "hale.scenarios/1");
    let scenarios = list["data"]["scenarios"].as_array().expect("a list").clone();
    assert_eq!(scenarios.len(), 11);
    let text = String::from_utf8(hale(&["--list"]).stdout).expect("text");
    for scenario in scenarios {
        let [name, about] = ["name", "about"].map(|key| scenario[key].as_str().expect("text"));
        assert!(text.lines().any(|line| line.starts_with(name) && line.ends_with(about)), "{text}");
        let run = answer(&[name, "--hosts", "6", "--json"]);
        assert_eq!(run["schema"], "hale.simulated/1");
        let data = &run["data"];
        assert_eq!(data["scenario"], name);
        assert_eq!(data["verdicts_false"], 0, "{name}");
        assert_eq!(data["breaches"], Value::Array(Vec::new()), "{name}");
        assert_eq!(data["is_whole"], true, "{name}");
    }
}

#[test]
fn the_same_seed_is_the_same_run_and_its_figures_end_the_text() {
    let text = |seed: &str| {
        let output = hale(&["host-death", "--seed", seed]);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("text")
    };
    let seven = text("7");
    assert_eq!(seven, text("7"));
    assert_ne!(seven, text("8"));
    assert!(seven.starts_with("   0.0 power off a2\n"), "{seven}");
    assert!(seven.lines().last().is_some_and(|line| line.starts_with("time to whole")), "{seven}");
}

#[test]
fn a_script_that_is_not_understood_is_drawn_with_line_and_column_and_ends_with_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.hale");
    std::fs::write(&path, "hosts a1 b1 c1\nkeepers a1 b1 c1\nrun 5s; kill a1 b9\n")
        .expect("written");
    let path = path.display().to_string();
    let output = hale(&[&path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = said(output);
    assert!(said.contains("error: \"b9\" is none of the hosts"), "{said}");
    assert!(said.contains("own.hale:3:17"), "{said}");
    assert!(said.ends_with(&format!("hale: {path}: 1 fault\n")), "{said}");
}

#[test]
fn what_is_no_scenario_ends_with_two_and_a_mesh_that_is_not_there_with_five() {
    let output = hale(&["zone-los"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(output).ends_with("did you mean zone-loss?\n"));
    assert_eq!(hale(&[]).status.code(), Some(2));
    let nowhere = ["zone-loss", "--hosts-from-mesh", "--socket", "/nonexistent/admin.sock"];
    assert_eq!(hale(&nowhere).status.code(), Some(5));
}
