//! Does every house rule fail where it must, and stay silent where it must?
//!
//! Each folder under `fixtures/` is a small house. All rules run on each, so that a fixture shows
//! both that its own rule speaks and that no other rule speaks with it.

use std::path::Path;

use expect_test::{Expect, expect};
use tidy::{CHECKS, House};

fn told(fixture: &str) -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture);
    let house = House::read(&top).expect("the fixture is readable and parses");
    let mut told = String::new();
    for check in &CHECKS {
        for fault in (check.run)(&house) {
            told.push_str(&format!("[{}] {fault}\n", check.name));
        }
    }
    told
}

fn tells(fixture: &str, expected: &Expect) {
    expected.assert_eq(&told(fixture));
}

#[test]
fn a_sound_house_raises_no_alarm() {
    tells("sound", &expect![]);
}

#[test]
fn a_forbidden_arrow_fails_under_any_name_and_in_any_table() {
    tells(
        "forbidden-arrow",
        &expect![[r#"
        [arrows] protocol/wire/Cargo.toml:6: found `hale-wire` using `hale-agent`; expected only vocabulary, which lie below `wire`
        [arrows] node/agent/Cargo.toml:5: found `hale-agent` using `bincode`; expected `bincode` only in wire
        [arrows] node/agent/Cargo.toml:8: found `hale-agent` using `tokio`; expected `tokio` only in replication, actuators, daemon
        [arrows] node/agent/Cargo.toml:11: found `hale-agent` using `tokio-util`; expected `tokio-util` only in replication, actuators, daemon
        [arrows] node/stray/Cargo.toml:1: found the crate `hale-stray`; expected a room of docs/ARCHITECTURE.md, section 3, named `hale-` and the room's name
    "#]],
    );
}

#[test]
fn every_kind_of_impurity_fails() {
    tells(
        "impure-crate",
        &expect![[r#"
        [purity] protocol/detection/src/lib.rs:3: found `HashMap`, an unordered map or set, in a pure crate; expected BTreeMap or BTreeSet
        [purity] protocol/detection/src/lib.rs:4: found `Instant`, a clock, in a pure crate; expected `now: Moment` as an argument
        [purity] protocol/detection/src/lib.rs:5: found `std::fs`, a file, in a pure crate; expected bytes as an argument, or an effect that the daemon performs
        [purity] protocol/detection/src/lib.rs:5: found `std::thread`, a thread, in a pure crate; expected a plain function; the shells own the threads
        [purity] protocol/detection/src/lib.rs:6: found `std::as`, a name under which a forbidden thing could hide, in a pure crate; expected the things themselves, each by its own name
        [purity] protocol/detection/src/lib.rs:8: found `UdpSocket`, a socket, in a pure crate; expected an effect that the daemon performs (addresses are welcome)
        [purity] protocol/detection/src/lib.rs:8: found `async`, async, in a pure crate; expected a pure machine: events in, effects out
        [purity] protocol/detection/src/lib.rs:9: found `0.25`, a float, in a pure crate; expected an integer with its unit in its name
        [purity] protocol/detection/src/lib.rs:10: found `1e3`, a float, in a pure crate; expected an integer with its unit in its name
        [purity] protocol/detection/src/lib.rs:10: found `std::env`, the process's surroundings, in a pure crate; expected a setting as an argument
        [purity] protocol/detection/src/lib.rs:11: found `rand::random`, randomness of the machine, in a pure crate; expected a seed as an argument, drawn from through `rand_core`
        [purity] protocol/detection/src/lib.rs:14: found `f64`, a float, in a pure crate; expected an integer with its unit in its name
        [purity] protocol/detection/src/lib.rs:15: found `f64`, a float, in a pure crate; expected an integer with its unit in its name
    "#]],
    );
}

#[test]
fn a_task_that_begins_past_its_host_fails() {
    tells(
        "stray-task",
        &expect![[r#"
        [tasks] consensus/replication/src/lib.rs:4: found `tokio::spawn`, which begins a task past its host; expected `replication::tasks::spawn`
        [tasks] consensus/replication/src/lib.rs:7: found `task::spawn`, which begins a task past its host; expected `replication::tasks::spawn`
        [tasks] node/daemon/src/host/mod.rs:4: found `tokio::spawn`, which begins a task past its host; expected `replication::tasks::spawn`
        [tasks] node/daemon/src/host/mod.rs:4: found `tokio::task::spawn`, which begins a task past its host; expected `replication::tasks::spawn`
    "#]],
    );
}

#[test]
fn unequal_missing_and_unreasoned_lint_tables_fail() {
    tells(
        "unequal-lints",
        &expect![[r#"
        [lints] protocol/detection/clippy.toml:1: found no such file; expected the clippy.toml of the pure crates, whole
        [lints] protocol/wire/clippy.toml:42: found `]`; expected `  { path = "std::thread::sleep", reason = "time comes from outside: name a deadline" },`, as in protocol/vocabulary/clippy.toml
        [lints] protocol/vocabulary/clippy.toml:11: found the ban of `std::collections::HashSet` without a reason; expected `reason = "..."`, so that whoever meets the ban knows the way round
        [lints] protocol/vocabulary/clippy.toml:1: found no ban of `std::thread::spawn`; expected it among disallowed-types or disallowed-methods
    "#]],
    );
}

#[test]
fn a_file_of_501_production_lines_fails() {
    tells(
        "long-file",
        &expect![[r#"
        [file sizes] node/daemon/src/lib.rs:1: found 501 production lines; expected at most 500: one file, one question
    "#]],
    );
}

#[test]
fn a_function_of_61_lines_fails() {
    tells(
        "long-function",
        &expect![[r#"
        [function sizes] node/daemon/src/lib.rs:9: found `too_long` with 61 lines; expected at most 60
    "#]],
    );
}

#[test]
fn a_banned_name_fails_for_file_module_type_and_page() {
    tells(
        "banned-name",
        &expect![[r#"
        [names] docs/common.md:1: found the name `common`, which bears `common`; expected a word of docs/GLOSSARY.md that says what it is for
        [names] node/daemon/src/lib.rs:3: found the name `link_utils`, which bears `utils`; expected a word of docs/GLOSSARY.md that says what it is for
        [names] node/daemon/src/lib.rs:5: found the name `PeerData`, which bears `data`; expected a word of docs/GLOSSARY.md that says what it is for
        [names] node/daemon/src/lib.rs:6: found the name `LeaseManager`, which bears `manager`; expected a word of docs/GLOSSARY.md that says what it is for
        [names] node/daemon/src/lib.rs:7: found the name `Helper`, which bears `helper`; expected a word of docs/GLOSSARY.md that says what it is for
        [names] node/daemon/src/lib.rs:8: found the name `Common`, which bears `common`; expected a word of docs/GLOSSARY.md that says what it is for
        [names] node/daemon/src/link_utils.rs:1: found the name `link_utils`, which bears `utils`; expected a word of docs/GLOSSARY.md that says what it is for
    "#]],
    );
}

#[test]
fn a_dead_link_fails() {
    tells(
        "dead-link",
        &expect![[r#"
        [links] README.md:3: found the dead link `docs/MISSING.md`; expected a file at `docs/MISSING.md`
        [links] README.md:4: found the dead link `docs/LAWS.md#l9`; expected a heading `#l9` in `docs/LAWS.md`
        [links] README.md:5: found the dead link `docs/picture.png`; expected a file at `docs/picture.png`
        [links] README.md:11: found the dead link `docs/NOWHERE.md`; expected a file at `docs/NOWHERE.md`
        [links] docs/operating/README.md:3: found the dead link `../../../secret.md`; expected a path inside the repository, relative to this page
        [links] docs/operating/README.md:3: found the dead link `/docs/LAWS.md`; expected a path inside the repository, relative to this page
    "#]],
    );
}

#[test]
fn a_guest_outside_the_book_fails() {
    tells(
        "unlisted-guest",
        &expect![[r#"
            [guests] Cargo.toml:6: found the guest `unlisted` without a row in docs/decisions/dependencies.md; expected a row there: `unlisted`, who may use it, why, how we would leave
            [guests] docs/decisions/dependencies.md:6: found an unfinished row for `unfinished`; expected four cells: crate, who may use it, why, how we would leave
            [guests] node/daemon/Cargo.toml:7: found `proptest` with a version of its own; expected `workspace = true`, the version in the root Cargo.toml
            [guests] tests/swarm/Cargo.toml:5: found `listed` used by `tests`; expected only daemon, as docs/decisions/dependencies.md:5 grants, or `tests` granted there
            [guests] fuzz/Cargo.toml:7: found `listed` used by `fuzz`; expected only daemon, as docs/decisions/dependencies.md:5 grants, or `fuzz` granted there
            [guests] fuzz/Cargo.toml:8: found the guest `stray` without a row in docs/decisions/dependencies.md; expected a row there: `stray`, who may use it, why, how we would leave
            [guests] docs/decisions/dependencies.md:7: found a row for `gone`, which is no dependency; expected no row, or the guest in the root Cargo.toml
        "#]],
    );
}

#[test]
fn a_dependency_that_nothing_uses_fails() {
    tells(
        "idle-dependency",
        &expect![[r#"
        [idle dependencies] Cargo.toml:8: found the guest `forgotten`, which no crate names; expected no guest without a host
        [idle dependencies] node/daemon/Cargo.toml:5: found `for-tests`, which only tests in node/daemon use; expected it among the dev-dependencies
        [idle dependencies] node/daemon/Cargo.toml:6: found `idle`, which nothing in node/daemon uses; expected no dependency that is not used
        [idle dependencies] node/daemon/Cargo.toml:10: found `idle`, which nothing in node/daemon uses; expected no dependency that is not used
        [idle dependencies] tests/swarm/Cargo.toml:5: found `hale-daemon`, which nothing in tests/swarm uses; expected no dependency that is not used
    "#]],
    );
}

#[test]
fn a_frozen_page_that_is_edited_deleted_or_on_no_list_fails() {
    tells(
        "thawed-page",
        &expect![[r#"
        [frozen pages] tests/tidy/frozen.sums:4: found `no row`; expected a sum, two spaces and a path, as sha256sum writes them
        [frozen pages] tests/tidy/frozen.sums:1: found no `protocol/wire/tests/bytes/1/deleted.txt`; expected the page as it was frozen: what was in use is never deleted
        [frozen pages] protocol/wire/tests/bytes/1/edited.txt:1: found another page than the one that was frozen; expected the page as it was: what a released version has said stays; new bytes are a new variant, on today's page
        [frozen pages] protocol/wire/tests/bytes/1/unlisted.txt:1: found a frozen page that is on no list; expected its row in tests/tidy/frozen.sums: `73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac  protocol/wire/tests/bytes/1/unlisted.txt`
    "#]],
    );
}

#[test]
fn a_law_that_is_on_no_page_and_a_row_without_its_law_fail() {
    tells(
        "unlisted-law",
        &expect![[r#"
        [laws] docs/laws-by-room.md:1: found no row `| [node/daemon/src/lib.rs](../node/daemon/src/lib.rs) | A1, A2 |`; expected each law of each file head
        [laws] docs/laws-by-room.md:9: found the row `| [node/daemon/src/lib.rs](../node/daemon/src/lib.rs) | A9 |`; expected what the file's head says; see the head of the page
    "#]],
    );
}

#[test]
fn a_rule_that_nothing_shows_and_a_test_that_is_gone_fail() {
    tells(
        "unshown-rule",
        &expect![[r#"
        [rules shown] docs/protocol/2-seats-probing-doubt.md:7: found the rule 2.2 without a row in docs/protocol/shown.md; expected the tests that show it
        [rules shown] docs/protocol/shown.md:5: found the test `a_test_that_was_renamed`; expected a function of that name in 2-seats-probing-doubt.md
    "#]],
    );
}
