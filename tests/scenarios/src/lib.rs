//! Does the mesh do, step by step, what its scripts say it does?
//!
//! Each file in `scripts/` opens with what it shows and why it matters, and ends with the whole trace. A test plays it twice:
//! the same seed gives the same trace, the trace is the one in the file, and no law is broken.
//! `UPDATE_TRACES=1 cargo test -p hale-test-scenarios` writes the traces anew; commit only what you can explain.

use std::fs;
use std::path::{Path, PathBuf};

use simulator::script::Script;

/// Where the scripts lie.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

/// An operator's policy with waits as short as a story: so many hosts at a time are started again, whatever is wrong with them.
pub fn policy(in_flight: u32) -> String {
    include_str!("policy.toml").replace("{in_flight}", &in_flight.to_string())
}

/// Every script, by its file's name without the ending, in order.
pub fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("the scripts lie beside this crate");
    let mut names: Vec<String> = files
        .filter_map(|file| {
            let name = file.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".txt").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// Plays one script twice and compares it with what its file tells.
///
/// # Panics
/// Where the trace is another one, or a law was broken: this is what a test wants.
pub fn check(name: &str) {
    let file = folder().join(format!("{name}.txt"));
    let text = fs::read_to_string(&file).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let script = Script::read(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let played = script.play().unwrap_or_else(|fault| panic!("{name}: {fault}"));
    assert_eq!(played.breaches, [], "{name} breaks laws:\n{}", played.trace());
    let again = script.play().expect("it played before");
    assert_eq!(again, played, "{name}: the same seed, another trace");
    let is_rewritten =
        ["UPDATE_TRACES", "UPDATE_EXPECT"].iter().any(|flag| std::env::var_os(flag).is_some());
    if is_rewritten {
        fs::write(&file, script.with_trace(&played.trace()))
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
    } else {
        assert!(
            script.golden() == played.trace(),
            "{name}: another trace than in the file; UPDATE_TRACES=1 rewrites it:\n{}",
            difference(script.golden(), &played.trace())
        );
    }
}

/// The lines that only one of the two has, from the first difference on.
fn difference(expected: &str, found: &str) -> String {
    let is_same = |pair: &(&str, &str)| pair.0 == pair.1;
    let same = expected.lines().zip(found.lines()).take_while(is_same).count();
    let tail = |text: &str, sign: char| -> String {
        let lines = text.lines().skip(same).take(12);
        lines.map(|line| format!("{sign}{line}\n")).collect()
    };
    format!("after {same} equal lines\n{}{}", tail(expected, '-'), tail(found, '+'))
}
