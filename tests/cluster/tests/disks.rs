//! What does an agent do whose disk is full, or may not be written? Needs root: each story mounts a small disk of its own, in
//! namespaces that end with its process, so that nothing is left mounted or running whatever happens.

mod lone;

use lone::{Failed, Host, ended};
use tokio::process::Command;

/// Mounts a disk in the storage folder, prepares it as the story wants, starts the agent, and then once more with room.
const STORY: &str = r#"
set -e
mount -t tmpfs -o size="$SIZE" hale-test "$STORAGE"
cd "$STORAGE"
eval "$BEFORE"
code=0
"$HALE" agent --config "$CONFIG" || code=$?
eval "$AFTER"
exit $code
"#;

/// Fills what room there is, to the last page.
const FILL: &str = "cat /dev/zero > filler 2>/dev/null || true";

/// Nothing is left of the failed start that a later one would stumble over: with room it lives, and leaves at SIGTERM.
const LIVES_WITH_ROOM: &str = r#"
rm filler
mount -o remount,size=16m hale-test "$STORAGE"
"$HALE" agent --config "$CONFIG" 2>"$STORAGE/log" & agent=$!
for try in $(seq 600); do grep -q "agent is up" "$STORAGE/log" && break; sleep 0.05; done
kill $agent 2>/dev/null || { cat "$STORAGE/log" >&2; exit 99; }
wait $agent || { cat "$STORAGE/log" >&2; exit 98; }
test "$(cat boot)" = 1 || { echo "boot $(cat boot)" >&2; exit 97; }
"#;

fn on_a_disk(host: &Host, size: &str, (before, after): (&str, &str)) -> Failed {
    let mut command = Command::new("unshare");
    // A process namespace as well: whatever of the story still runs ends with its first process.
    command.args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]);
    command.args(["sh", "-c", STORY]);
    command.env("STORAGE", host.files.storage()).env("CONFIG", host.files.config());
    command.env("HALE", cluster::program::hale()).env("SIZE", size);
    command.env("BEFORE", before).env("AFTER", after);
    ended(command)
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_that_a_later_start_stumbles_over() {
    // From not a page of room, to room for some pages of the ledger's store.
    for size in ["4k", "8k", "16k"] {
        let host = Host::laid();
        let story = if size == "4k" || size == "8k" {
            (FILL, LIVES_WITH_ROOM)
        } else {
            (": > filler", LIVES_WITH_ROOM)
        };
        on_a_disk(&host, size, story).is_one_line(74, "storage");
    }
}

#[test]
fn a_disk_that_may_not_be_written_is_told_as_such() {
    let host = Host::laid();
    let story = (r#"mount -o remount,ro hale-test "$STORAGE""#, "true");
    let failed = on_a_disk(&host, "1m", story);
    failed.is_one_line(74, "storage");
    assert!(failed.said.contains("Read-only"), "{}", failed.said);
}
