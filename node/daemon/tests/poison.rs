//! Does a process whose loop panics end with its own code, keep what it was handling, and do without it the third time?

use std::path::Path;
use std::process::Command;

use daemon::poison::{Kind, Quarantine, hook};

/// Set in the process that is to panic: the folder.
const FOLDER: &str = "HALE_TEST_POISON";

/// The part of the process that panics: it is run by the test below, in a process of its own.
#[test]
fn handles_what_it_cannot_bear_where_it_is_told_to() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    hook::arm(folder.to_owned());
    // What somebody waits for is an answer and ends nothing.
    assert!(replication::contained(|| panic!("an entry breaks a law")).is_err());
    let beside = std::thread::spawn(|| panic!("beside the loop"));
    assert!(beside.join().is_err());
    let quarantine = Quarantine::read(folder);
    for word in ["sweet", "bitter", "sour"] {
        let Some(input) = quarantine.admit(Kind::Datagram, None, word.as_bytes()) else {
            println!("refused {word}");
            continue;
        };
        let _held = input.hold();
        assert!(word != "bitter", "law X: nothing bitter");
        println!("handled {word}");
    }
}

fn life(folder: &Path) -> (Option<i32>, String) {
    let own = std::env::current_exe().expect("a test knows its own executable");
    let mut process = Command::new(own);
    process.args(["--exact", "handles_what_it_cannot_bear_where_it_is_told_to", "--nocapture"]);
    // One thread: the test's own is the loop's.
    process.args(["--test-threads", "1"]).env(FOLDER, folder);
    let output = process.output().expect("started");
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_panic_of_the_loop_ends_the_process_with_70_twice_and_the_third_life_does_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("poison");
    for seen in 1..=2 {
        let (code, said) = life(&place);
        assert_eq!(code, Some(70), "{said}");
        assert!(said.contains("handled sweet") && !said.contains("handled sour"), "{said}");
        let file =
            std::fs::read_dir(&place).expect("there").next().expect("one").expect("readable");
        let kept = std::fs::read_to_string(file.path()).expect("readable");
        let expected = format!(
            "hale poison 1\nseen {seen}\nabout a datagram of 6 bytes from this host\npanic law X: nothing bitter, at "
        );
        assert!(kept.starts_with(&expected), "{kept}");
        assert!(kept.ends_with("bytes 626974746572\n"), "{kept}");
    }
    let (code, said) = life(&place);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("refused bitter") && said.contains("handled sour"), "{said}");
}
