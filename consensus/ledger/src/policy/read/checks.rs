//! The checks of a policy's text, and how they must fit together.
//!
//! Not here: their keys (see `keys::check`).

use std::collections::BTreeSet;

use vocabulary::GroupName;

use super::super::{Check, CheckKind, keys};
use crate::document::{self, Reader, Table};

/// `None` is always beside a fault.
pub(super) fn checks<'d>(
    reader: &mut Reader<'d>,
    root: &Table<'d>,
    mesh_rules: u32,
) -> Option<Vec<Check>> {
    let name = keys::check::CHECK.name;
    super::of_the_second(reader, root, mesh_rules, (name, keys::check::NOTHING_CHECKED));
    let mut checks: Vec<Check> = Vec::new();
    let mut is_whole = true;
    for table in reader.tables(root, &keys::check::CHECK) {
        match check(reader, &table) {
            Some(check) => {
                check_against_earlier(reader, &table, &check, &checks);
                checks.push(check);
            }
            None => is_whole = false,
        }
    }
    is_whole.then_some(checks)
}

fn check<'d>(reader: &mut Reader<'d>, table: &Table<'d>) -> Option<Check> {
    let name = reader.take_required(table, &keys::check::NAME);
    let kind = reader.take_required(table, &keys::check::KIND);
    let port = reader.take_required(table, &keys::check::PORT);
    let from = reader.take(table, &keys::check::FROM);
    let every = reader.take(table, &keys::check::EVERY);
    let timeout = reader.take(table, &keys::check::TIMEOUT);
    let fails_after = reader.take(table, &keys::check::FAILS_AFTER);
    let recovers_after = reader.take(table, &keys::check::RECOVERS_AFTER);
    let groups = reader.take(table, &keys::rule::GROUPS);
    if timeout >= every {
        let every = document::duration_text(every);
        let why = format!("every = \"{every}\" is no longer, so that looks would overlap");
        let key = if table.has(keys::check::TIMEOUT.name) {
            keys::check::TIMEOUT.name
        } else {
            keys::check::EVERY.name
        };
        reader.contradiction(table, key, why);
    }
    kind?;
    Some(Check {
        name: name?,
        kind: CheckKind::Tcp { port: port? },
        from,
        every,
        timeout,
        fails_after,
        recovers_after,
        groups: groups.into_iter().map(GroupName).collect(),
    })
}

fn check_against_earlier<'d>(
    reader: &mut Reader<'d>,
    table: &Table<'d>,
    check: &Check,
    earlier: &[Check],
) {
    let name = keys::check::NAME.name;
    if check.name.as_str() == keys::check::REACH {
        reader.contradiction(table, name, "this is the name of hale's own check");
    }
    if earlier.iter().any(|other| other.name == check.name) {
        reader.contradiction(table, name, "another check has this name");
    }
    if let Some(group) = crowded(check, earlier) {
        let most = Check::ON_A_GROUP_MAX;
        let place = group.map_or("all groups".to_owned(), |group| format!("group {group}"));
        let why = format!("{most} checks above it are for {place}, the most that there may be");
        reader.contradiction(table, name, why);
    }
}

/// Law Y6: a group, or all that no check names (`Some(None)`), on which too many lie with this one.
fn crowded<'c>(check: &'c Check, earlier: &'c [Check]) -> Option<Option<&'c GroupName>> {
    let is_full = |group: Option<&GroupName>| {
        let covers =
            |other: &&Check| group.map_or(other.groups.is_empty(), |group| other.covers(group));
        earlier.iter().filter(covers).count() >= Check::ON_A_GROUP_MAX
    };
    if !check.groups.is_empty() {
        return check.groups.iter().find(|group| is_full(Some(group))).map(Some);
    }
    if is_full(None) {
        return Some(None);
    }
    let named: BTreeSet<&GroupName> = earlier.iter().flat_map(|other| &other.groups).collect();
    named.into_iter().find(|group| is_full(Some(group))).map(Some)
}
