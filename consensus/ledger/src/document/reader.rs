//! Reads a document key by key, and keeps going, so that every fault is named at once.
//!
//! Law R1: a value that is returned beside a fault is never used: [`read`] gives the value or the faults, not both.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::{DeTable, DeValue};
use vocabulary::Label;

use super::fault::{Fault, FaultKind, nearest};
use super::form::{Form, Given, Misfit, Name};
use super::key::{Key, OptionalKey, RequiredKey, Section, Shape};
use super::place::Places;

/// Longest document in bytes: half of a ledger entry (protocol 8), so that a policy always fits with its order.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Faults listed at once; beyond it one more says how many there are.
pub const FAULTS_MAX: usize = 100;

/// Reads `text` by `root`, and converts what was read; the value, or every fault in the order of the text.
pub fn read<T>(
    file: &str,
    text: &str,
    root: &'static Section,
    convert: impl for<'d> FnOnce(&mut Reader<'d>, &Table<'d>) -> Option<T>,
) -> Result<T, Vec<Fault>> {
    if text.len() > DOCUMENT_BYTES_MAX {
        let expected = format!("longer than {DOCUMENT_BYTES_MAX} bytes");
        return Err(vec![Fault::of_file(file, FaultKind::Unreadable, expected)]);
    }
    let (parsed, broken) = DeTable::parse_recoverable(text);
    let mut reader = Reader { file, places: Places::new(text), root, faults: Vec::new() };
    let table = Table { entries: Some(parsed.get_ref()), path: String::new(), at: 0..0 };
    reader.check_keys(&table, root);
    let value = convert(&mut reader, &table);
    let converted = reader.faults;
    reader.faults = Vec::new();
    for error in broken {
        let at = error.span().unwrap_or(0..0);
        reader.push(FaultKind::NotToml, at, String::new(), error.message());
    }
    let faults = joined(&reader.places, reader.faults, converted);
    match value {
        Some(value) if faults.is_empty() => Ok(value),
        Some(_) => Err(bounded(file, faults)),
        None if faults.is_empty() => unreachable!("law D1: no value without a fault"),
        None => Err(bounded(file, faults)),
    }
}

/// Broken TOML loses keys, leaves odd values on its line, and a broken header leaves keys under the one before it: what
/// only follows from that is not said.
fn joined(places: &Places<'_>, broken: Vec<Fault>, converted: Vec<Fault>) -> Vec<Fault> {
    let lines: BTreeSet<u32> = broken.iter().map(|fault| fault.line).collect();
    let is_header = |line: &u32| places.line(*line).trim_start().starts_with('[');
    let broken_header = lines.iter().copied().find(is_header);
    let follows = |fault: &Fault| match fault.kind {
        FaultKind::Missing => !lines.is_empty(),
        FaultKind::UnknownKey if broken_header.is_some_and(|head| head < fault.line) => true,
        _ => lines.contains(&fault.line),
    };
    let mut faults = broken;
    faults.extend(converted.into_iter().filter(|fault| !follows(fault)));
    faults.sort_by_key(|fault| (fault.line, fault.column));
    faults.dedup();
    faults
}

fn bounded(file: &str, mut faults: Vec<Fault>) -> Vec<Fault> {
    let more = faults.len().saturating_sub(FAULTS_MAX);
    if more > 0 {
        faults.truncate(FAULTS_MAX);
        let expected = format!("and {more} more faults");
        faults.push(Fault::of_file(file, FaultKind::More, expected));
    }
    faults
}

/// A document while it is read.
pub struct Reader<'d> {
    file: &'d str,
    places: Places<'d>,
    root: &'static Section,
    faults: Vec<Fault>,
}

/// One table of the document; of one that was left out, every key is left out.
pub struct Table<'d> {
    entries: Option<&'d DeTable<'d>>,
    path: String,
    at: Range<usize>,
}

impl<'d> Table<'d> {
    /// Whether the document has this key here.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&'d Given<'d>> {
        self.entries.and_then(|entries| entries.get(name))
    }

    fn path_of(&self, name: &str) -> String {
        let word = word(name);
        if self.path.is_empty() { word } else { format!("{}.{word}", self.path) }
    }
}

/// A key as it is told: as it is if it needs no quotes in TOML, else quoted, escaped and cut, so that no file can put line
/// breaks or a terminal's commands into a fault.
fn word(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.len() <= WORD_CHARS_MAX && name.bytes().all(is_bare) {
        return name.to_owned();
    }
    let cut: String = name.chars().take(WORD_CHARS_MAX).collect();
    let more = if cut.len() < name.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

/// Longer than any key of ours and any name of a group.
const WORD_CHARS_MAX: usize = 64;

impl<'d> Reader<'d> {
    /// The value of a key, or its default.
    pub fn take<F: Form>(&mut self, table: &Table<'d>, key: &Key<F>) -> F::Value {
        self.given(table, key.name, &key.form).unwrap_or_else(|| {
            let default = key.form.read_toml(key.default);
            default.expect("a test reads the default of every key of every document")
        })
    }

    /// The value of a key that may be left out.
    pub fn take_optional<F: Form>(
        &mut self,
        table: &Table<'d>,
        key: &OptionalKey<F>,
    ) -> Option<F::Value> {
        self.given(table, key.name, &key.form)
    }

    /// The value of a key that must be there; `None` is always beside a fault.
    pub fn take_required<F: Form>(
        &mut self,
        table: &Table<'d>,
        key: &RequiredKey<F>,
    ) -> Option<F::Value> {
        if !table.has(key.name) {
            let path = table.path_of(key.name);
            self.push(FaultKind::Missing, table.at.clone(), path, key.form.expects());
        }
        self.given(table, key.name, &key.form)
    }

    /// A table below another; an empty one if it is left out.
    pub fn table(&mut self, parent: &Table<'d>, section: &'static Section) -> Table<'d> {
        self.table_if_given(parent, section).unwrap_or(Table {
            entries: None,
            path: parent.path_of(section.name),
            at: parent.at.clone(),
        })
    }

    /// A table below another, if it is there.
    pub fn table_if_given(
        &mut self,
        parent: &Table<'d>,
        section: &'static Section,
    ) -> Option<Table<'d>> {
        let given = parent.get(section.name)?;
        self.open(given, parent.path_of(section.name), section)
    }

    /// A table that must be there; `None` is always beside a fault.
    pub fn required_table(
        &mut self,
        parent: &Table<'d>,
        section: &'static Section,
    ) -> Option<Table<'d>> {
        if !parent.has(section.name) {
            let path = parent.path_of(section.name);
            let keys: Vec<&str> = section.known().collect();
            let expected = format!("a table with {}", keys.join(", "));
            self.push(FaultKind::Missing, parent.at.clone(), path, expected);
        }
        self.table_if_given(parent, section)
    }

    /// The tables of a list, in order.
    pub fn tables(&mut self, parent: &Table<'d>, section: &'static Section) -> Vec<Table<'d>> {
        let Some(given) = parent.get(section.name) else {
            return Vec::new();
        };
        let path = parent.path_of(section.name);
        let Shape::List { at_most, .. } = section.shape else {
            unreachable!("a section that is no list is not read as one");
        };
        let DeValue::Array(members) = given.get_ref() else {
            let expected = "a list of tables";
            self.push(FaultKind::Misfit, given.span(), path, expected);
            return Vec::new();
        };
        if members.len() > at_most {
            let expected = format!("at most {at_most} of them");
            self.push(FaultKind::Misfit, given.span(), path.clone(), expected);
        }
        let place = |index| format!("{path}[{}]", index + 1);
        let members = members.iter().take(at_most).enumerate();
        members.filter_map(|(index, member)| self.open(member, place(index), section)).collect()
    }

    /// The tables below a name that the operator chose, in the order of their names.
    pub fn named(
        &mut self,
        parent: &Table<'d>,
        section: &'static Section,
    ) -> Vec<(Label, Table<'d>)> {
        let Some(given) = parent.get(section.name) else {
            return Vec::new();
        };
        let path = parent.path_of(section.name);
        let Shape::Named { at_most, .. } = section.shape else {
            unreachable!("a section without chosen names is not read as one");
        };
        let DeValue::Table(members) = given.get_ref() else {
            self.push(FaultKind::Misfit, given.span(), path, "a table of tables");
            return Vec::new();
        };
        if members.len() > at_most {
            let expected = format!("at most {at_most} of them");
            self.push(FaultKind::Misfit, given.span(), path.clone(), expected);
        }
        let mut tables = Vec::new();
        for (name, member) in members.iter().take(at_most) {
            let path = format!("{path}.{}", word(name.get_ref()));
            match Label::new(name.get_ref()) {
                Ok(label) => {
                    tables.extend(self.open(member, path, section).map(|table| (label, table)))
                }
                Err(_) => self.push(FaultKind::Misfit, name.span(), path, Name.expects()),
            }
        }
        tables
    }

    /// Two keys do not fit together; the fault stands at the second.
    pub fn contradiction(&mut self, table: &Table<'d>, name: &str, why: impl Into<String>) {
        let at = table.get(name).map_or(table.at.clone(), Given::span);
        self.push(FaultKind::Contradiction, at, table.path_of(name), why);
    }

    fn given<F: Form>(&mut self, table: &Table<'d>, name: &str, form: &F) -> Option<F::Value> {
        let given = table.get(name)?;
        match form.read(given) {
            Ok(value) => Some(value),
            Err(misfit) => {
                self.misfit(table.path_of(name), given, form.expects(), misfit);
                None
            }
        }
    }

    fn misfit(&mut self, path: String, given: &Given<'_>, expects: String, misfit: Misfit) {
        let kind = if misfit.is_refused { FaultKind::Refused } else { FaultKind::Misfit };
        let at = misfit.at.unwrap_or_else(|| given.span());
        self.push(kind, at, path, misfit.expected.unwrap_or(expects));
        self.amend_last(|fault| fault.nearest = misfit.nearest);
    }

    fn open(
        &mut self,
        given: &'d Given<'d>,
        path: String,
        section: &'static Section,
    ) -> Option<Table<'d>> {
        let DeValue::Table(entries) = given.get_ref() else {
            self.push(FaultKind::Misfit, given.span(), path, "a table");
            return None;
        };
        let table = Table { entries: Some(entries), path, at: given.span() };
        self.check_keys(&table, section);
        Some(table)
    }

    /// Law D2: no key is ignored.
    fn check_keys(&mut self, table: &Table<'d>, section: &'static Section) {
        for (name, _) in table.entries.into_iter().flatten() {
            let word = name.get_ref().as_ref();
            if section.known().any(|known| known == word) {
                continue;
            }
            let path = table.path_of(word);
            if let Some((_, why)) = section.refused.iter().find(|(known, _)| *known == word) {
                self.push(FaultKind::Refused, name.span(), path, *why);
                self.amend_last(|fault| fault.given = None);
                continue;
            }
            let known: Vec<&str> = section.known().collect();
            let expected = format!("one of {}", known.join(", "));
            self.push(FaultKind::UnknownKey, name.span(), path, expected);
            let near = nearest(word, known).map(str::to_owned);
            let near = near.or_else(|| self.root.find(word).into_iter().next());
            self.amend_last(|fault| fault.nearest = near);
        }
    }

    fn amend_last(&mut self, amend: impl FnOnce(&mut Fault)) {
        let last = self.faults.last_mut();
        amend(last.expect("a fault is amended right after it is pushed"));
    }

    fn push(
        &mut self,
        kind: FaultKind,
        at: Range<usize>,
        key: String,
        expected: impl Into<String>,
    ) {
        let (line, column) = self.places.of(at.start);
        let given = match kind {
            FaultKind::Misfit | FaultKind::Refused | FaultKind::Contradiction => {
                self.places.excerpt(at)
            }
            FaultKind::Unreadable
            | FaultKind::NotToml
            | FaultKind::UnknownKey
            | FaultKind::Missing
            | FaultKind::More => None,
        };
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line,
            column,
            key,
            given,
            kind,
            expected: expected.into(),
            nearest: None,
        });
    }
}
