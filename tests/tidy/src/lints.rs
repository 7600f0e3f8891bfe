//! Do all pure crates live under one and the same table of forbidden things?
//!
//! Clippy reads only the nearest `clippy.toml`, so each pure crate carries a whole one. They must be
//! equal byte for byte, give a reason with every ban, and ban at least the things named below.

use std::fs;

use toml::de::{DeTable, DeValue};

use crate::manifest::line_of;
use crate::plan;
use crate::{Fault, House, Member};

/// Bans without which the table does not keep a crate pure.
const NEEDED: [&str; 7] = [
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::net::UdpSocket",
    "std::fs::File",
    "std::thread::spawn",
];

struct Table {
    file: String,
    text: Option<String>,
}

/// Names every table that is missing, differs from the first, or lacks a ban or a reason.
pub fn check(house: &House) -> Vec<Fault> {
    let is_pure = |member: &&Member| plan::room(member.room()).is_some_and(|room| room.is_pure);
    let tables: Vec<Table> =
        house.members.iter().filter(is_pure).map(|member| open(house, member)).collect();
    let Some(first) = tables.iter().find(|table| table.text.is_some()) else {
        return tables.iter().filter_map(missing).collect();
    };
    let mut faults: Vec<Fault> = tables.iter().filter_map(missing).collect();
    faults.extend(tables.iter().filter_map(|table| differing(first, table)));
    faults.extend(incomplete(first));
    faults
}

fn open(house: &House, member: &Member) -> Table {
    let file = format!("{}/clippy.toml", member.folder);
    let text = fs::read_to_string(house.top.join(&file)).ok();
    Table { file, text }
}

fn missing(table: &Table) -> Option<Fault> {
    table.text.is_none().then(|| {
        Fault::at(&table.file, 1)
            .found("no such file")
            .expected("the clippy.toml of the pure crates, whole")
    })
}

fn differing(first: &Table, other: &Table) -> Option<Fault> {
    let (ours, theirs) = (first.text.as_ref()?, other.text.as_ref()?);
    if ours == theirs {
        return None;
    }
    let same = ours.lines().zip(theirs.lines()).take_while(|(a, b)| a == b).count();
    Some(Fault::at(&other.file, same + 1).found(line_or_end(theirs, same)).expected(format!(
        "{}, as in {}",
        line_or_end(ours, same),
        first.file
    )))
}

fn line_or_end(text: &str, index: usize) -> String {
    text.lines().nth(index).map_or("the end of the file".to_owned(), |line| format!("`{line}`"))
}

fn incomplete(table: &Table) -> Vec<Fault> {
    let text = table.text.as_deref().unwrap_or_default();
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(fault) => {
            return vec![
                Fault::at(&table.file, 1).found(fault.message()).expected("a table in TOML"),
            ];
        }
    };
    let bans = bans(document.get_ref());
    let unreasoned = bans.iter().filter(|ban| !ban.has_reason).map(|ban| {
        Fault::at(&table.file, line_of(text, ban.start..ban.start))
            .found(format!("the ban of `{}` without a reason", ban.path))
            .expected("`reason = \"...\"`, so that whoever meets the ban knows the way round")
    });
    let absent = NEEDED.iter().filter(|path| !bans.iter().any(|ban| ban.path == **path));
    let absent = absent.map(|path| {
        Fault::at(&table.file, 1)
            .found(format!("no ban of `{path}`"))
            .expected("it among disallowed-types or disallowed-methods")
    });
    unreasoned.chain(absent).collect()
}

struct Ban {
    path: String,
    start: usize,
    has_reason: bool,
}

fn bans(top: &DeTable<'_>) -> Vec<Ban> {
    let lists = ["disallowed-types", "disallowed-methods"];
    let entries = lists
        .iter()
        .filter_map(|list| top.get(*list)?.get_ref().as_array())
        .flat_map(|list| list.iter());
    entries
        .filter_map(|entry| {
            Some(Ban {
                path: path_of(entry.get_ref())?.to_owned(),
                start: entry.span().start,
                has_reason: text_of(entry.get_ref(), "reason").is_some_and(|it| !it.is_empty()),
            })
        })
        .collect()
}

fn path_of<'a>(entry: &'a DeValue<'_>) -> Option<&'a str> {
    entry.as_str().or_else(|| text_of(entry, "path"))
}

fn text_of<'a>(entry: &'a DeValue<'_>, key: &str) -> Option<&'a str> {
    entry.as_table()?.get(key)?.get_ref().as_str()
}
