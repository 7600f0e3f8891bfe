//! Do the tasks of a host begin at one door?
//!
//! Many hosts live in one runtime in tests, where a host is frozen or killed by its tasks: one that begins past
//! `replication::tasks` runs on. A set of tasks (`JoinSet`) is welcome where its futures are `tethered`, which this check does not
//! see; the stories of `tests/shells` count what is left of the dead.
//!
//! Not here: rooms in which no host's life runs (the command line, the demo, the admin socket).

use proc_macro2::{TokenStream, TokenTree};

use crate::paths::{begins_with, follow};
use crate::{Fault, House, Source};

/// Where a life runs.
const ROOMS: [&str; 3] =
    ["node/daemon/src/host/", "node/daemon/src/transport/", "consensus/replication/src/"];

/// The door itself.
const DOOR: &str = "consensus/replication/src/tasks.rs";

/// Whatever begins a task, by its path, and by what is left of it where the folder was imported.
const BEGINNINGS: [&[&str]; 6] = [
    &["tokio", "spawn"],
    &["tokio", "task", "spawn"],
    &["tokio", "task", "spawn_local"],
    &["tokio", "*"],
    &["task", "spawn"],
    &["task", "spawn_local"],
];

/// Names every task that begins elsewhere.
pub fn check(house: &House) -> Vec<Fault> {
    let is_held = |source: &&Source| {
        source.file != DOOR && ROOMS.iter().any(|room| source.file.starts_with(room))
    };
    house.sources.iter().filter(is_held).flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Fault> {
    let mut found = Vec::new();
    search(source.tokens.clone(), &mut found);
    let faults = found.into_iter().filter(|(line, _)| source.is_production(*line));
    faults
        .map(|(line, path)| {
            Fault::at(&source.file, line)
                .found(format!("`{path}`, which begins a task past its host"))
                .expected("`replication::tasks::spawn`")
        })
        .collect()
}

fn search(stream: TokenStream, found: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => search(group.stream(), found),
            TokenTree::Ident(first) if is_begin_of_path(&tokens[..index]) => {
                let mut paths = Vec::new();
                follow(vec![first.to_string()], &tokens[index + 1..], &mut paths);
                let refused = |path: &&Vec<String>| {
                    BEGINNINGS.iter().any(|beginning| begins_with(path, beginning))
                };
                let line = first.span().start().line;
                found.extend(paths.iter().filter(refused).map(|path| (line, path.join("::"))));
            }
            _ => {}
        }
    }
}

/// `task` in `tokio::task` is read as a part of that path already.
fn is_begin_of_path(before: &[TokenTree]) -> bool {
    !matches!(before.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}
