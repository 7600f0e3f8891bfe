//! Whatever ends the demo, nothing of it runs on (law D2 of `daemon::demo`).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_demo_that_is_told_to_end_ends_its_agents_and_takes_its_folder_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_hale"))
        .arg("demo")
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let story = BufReader::new(demo.stdout.take().expect("a pipe"));
    let mut lines = story.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("c2 listens")), "all six agents run");
    assert!(agents_of(folder.path()) >= 6);

    let id = i32::try_from(demo.id()).expect("a process id");
    let id = rustix::process::Pid::from_raw(id).expect("not zero");
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("told");
    let ended = demo.wait().expect("it ends");
    assert_eq!(ended.code(), Some(1), "not every proof was had");
    assert_eq!(agents_of(folder.path()), 0);
    let left = std::fs::read_dir(folder.path()).expect("it is there");
    assert_eq!(left.count(), 0);
}

/// Running processes of which a command line names this folder; dead ones that nobody has reaped have none.
fn agents_of(folder: &Path) -> usize {
    let folder = folder.to_string_lossy();
    std::fs::read_dir("/proc")
        .expect("a proc file system")
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(&*folder))
        .count()
}
