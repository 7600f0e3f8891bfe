//! Does every guest stand in the book of guests, and only in the rooms that the book names?
//!
//! The book is the table of `docs/decisions/dependencies.md`: the crate in back quotes, then who may
//! use it (names of rooms; `tests` stands for every crate under `tests/` and for dev-dependencies),
//! then why, then how we would leave. A row for a guest that has gone is a fault as well. A crate that is built apart has the
//! versions of its guests in its own manifest, and its folder's name as a room's.

use std::collections::BTreeMap;

use crate::{Dependency, Fault, House, Kind, Manifest, Member};

/// The page that holds the table.
const BOOK: &str = "docs/decisions/dependencies.md";

struct Row {
    line: usize,
    users: Vec<String>,
    is_whole: bool,
}

/// Names every guest without a row, every use the row does not grant, every row without a guest.
pub fn check(house: &House) -> Vec<Fault> {
    let book = read_book(house);
    let mut faults = Vec::new();
    for dependency in guests_of(&house.root) {
        faults.extend(check_row(&house.root, dependency, &book));
    }
    for member in &house.members {
        for dependency in guests_of(&member.manifest) {
            faults.extend(check_use(member, dependency, &book));
        }
    }
    for manifest in &house.apart {
        for dependency in guests_of(manifest) {
            faults.extend(check_row(manifest, dependency, &book));
            faults.extend(check_grant(manifest, dependency, &book, &[folder_of(manifest)]));
        }
    }
    faults.extend(stale_rows(house, &book));
    faults
}

fn guests_of(manifest: &Manifest) -> impl Iterator<Item = &Dependency> {
    let guests = manifest.dependencies.iter();
    guests.filter(|dependency| !dependency.guest.starts_with("hale-"))
}

fn read_book(house: &House) -> BTreeMap<String, Row> {
    let page = house.pages.iter().find(|page| page.file == BOOK);
    let lines = page.into_iter().flat_map(|page| page.text.lines().enumerate());
    lines.filter_map(|(index, line)| read_row(index + 1, line)).collect()
}

fn read_row(line: usize, text: &str) -> Option<(String, Row)> {
    let cells: Vec<&str> = text.strip_prefix("| `")?.split('|').map(str::trim).collect();
    let guest = cells.first()?.strip_suffix('`')?.to_owned();
    let users = cells.get(1).copied().unwrap_or_default();
    let row = Row {
        line,
        users: users.split(',').map(|user| user.trim().to_owned()).collect(),
        is_whole: cells.len() >= 4 && cells.iter().take(4).all(|cell| !cell.is_empty()),
    };
    Some((guest, row))
}

fn check_row(root: &Manifest, guest: &Dependency, book: &BTreeMap<String, Row>) -> Option<Fault> {
    match book.get(&guest.guest) {
        None => Some(
            Fault::at(&root.file, guest.line)
                .found(format!("the guest `{}` without a row in {BOOK}", guest.guest))
                .expected(format!(
                    "a row there: `{}`, who may use it, why, how we would leave",
                    guest.guest
                )),
        ),
        Some(row) if !row.is_whole => Some(
            Fault::at(BOOK, row.line)
                .found(format!("an unfinished row for `{}`", guest.guest))
                .expected("four cells: crate, who may use it, why, how we would leave"),
        ),
        Some(_) => None,
    }
}

fn check_use(member: &Member, used: &Dependency, book: &BTreeMap<String, Row>) -> Option<Fault> {
    if !used.is_inherited {
        return Some(
            Fault::at(&member.manifest.file, used.line)
                .found(format!("`{}` with a version of its own", used.guest))
                .expected("`workspace = true`, the version in the root Cargo.toml"),
        );
    }
    let user = match (member.is_test(), used.kind) {
        (true, _) | (_, Kind::Dev) => "tests",
        _ => member.room(),
    };
    check_grant(&member.manifest, used, book, &[user, member.room()])
}

/// The first of these users is the one that is told of.
fn check_grant(
    manifest: &Manifest,
    used: &Dependency,
    book: &BTreeMap<String, Row>,
    users: &[&str],
) -> Option<Fault> {
    let row = book.get(&used.guest)?;
    let user = users.first()?;
    let is_granted = row.users.iter().any(|granted| users.contains(&granted.as_str()));
    (!is_granted).then(|| {
        Fault::at(&manifest.file, used.line)
            .found(format!("`{}` used by `{user}`", used.guest))
            .expected(format!(
                "only {}, as {BOOK}:{} grants, or `{user}` granted there",
                row.users.join(", "),
                row.line
            ))
    })
}

fn folder_of(manifest: &Manifest) -> &str {
    manifest.file.split('/').next().unwrap_or_default()
}

fn stale_rows(house: &House, book: &BTreeMap<String, Row>) -> Vec<Fault> {
    let manifests = || std::iter::once(&house.root).chain(&house.apart);
    let stands = |guest: &str| {
        manifests().any(|manifest| manifest.dependencies.iter().any(|it| it.guest == guest))
    };
    book.iter()
        .filter(|(guest, _)| !stands(guest))
        .map(|(guest, row)| {
            Fault::at(BOOK, row.line)
                .found(format!("a row for `{guest}`, which is no dependency"))
                .expected("no row, or the guest in the root Cargo.toml")
        })
        .collect()
}
