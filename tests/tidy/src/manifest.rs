//! What does a `Cargo.toml` say, and on which line?
//!
//! Dependencies of every kind are read: normal, dev, build, and those of a target. A renamed
//! dependency is known by its true name, also where the workspace table renames it.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::HouseFault;

/// One `Cargo.toml` with its dependencies.
pub struct Manifest {
    /// Its path, relative to the top of the house.
    pub file: String,
    /// The package's name; empty for a manifest that is only a workspace.
    pub package: String,
    /// The folders of the workspace's members, where this manifest is the workspace's.
    pub members: Vec<String>,
    /// What it depends on, in the order of lines.
    pub dependencies: Vec<Dependency>,
}

/// One line of a dependency table.
pub struct Dependency {
    /// The crate's true name.
    pub guest: String,
    /// The name by which the code of its manifest's crate knows it.
    pub called: String,
    /// The line of its key, counted from 1.
    pub line: usize,
    /// Which table names it.
    pub kind: Kind,
    /// Whether version and features come from the workspace's table.
    pub is_inherited: bool,
}

/// The table that names a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `[dependencies]`.
    Normal,
    /// `[dev-dependencies]`.
    Dev,
    /// `[build-dependencies]`.
    Build,
    /// `[workspace.dependencies]`.
    Workspace,
}

/// One crate of the workspace.
pub struct Member {
    /// Its folder, relative to the top of the house.
    pub folder: String,
    /// Its manifest.
    pub manifest: Manifest,
}

impl Member {
    /// The room's name: the package's name without `hale-`.
    pub fn room(&self) -> &str {
        let package = &self.manifest.package;
        package.strip_prefix("hale-").unwrap_or(package)
    }

    /// Whether this crate asks a question about the product rather than being a part of it.
    pub fn is_test(&self) -> bool {
        self.folder.starts_with("tests/")
    }
}

const KINDS: [(&str, Kind); 3] = [
    ("dependencies", Kind::Normal),
    ("dev-dependencies", Kind::Dev),
    ("build-dependencies", Kind::Build),
];

impl Manifest {
    /// Reads `text`, which stands in `file`.
    pub fn read(file: &str, text: &str) -> Result<Manifest, HouseFault> {
        let document = DeTable::parse(text).map_err(|fault| HouseFault::Unparsable {
            file: file.to_owned(),
            why: fault.to_string(),
        })?;
        let top = document.get_ref();
        let mut reader = Reader { text, dependencies: Vec::new() };
        reader.package_tables(top);
        if let Some(workspace) = table(top, "workspace") {
            reader.table(workspace, "dependencies", Kind::Workspace);
        }
        reader.dependencies.sort_by_key(|dependency| dependency.line);
        Ok(Manifest {
            file: file.to_owned(),
            package: package_name(top),
            members: members(top),
            dependencies: reader.dependencies,
        })
    }

    /// Gives dependencies that the workspace's table renames their true names.
    pub fn resolve(&mut self, renamed: &BTreeMap<String, String>) {
        for dependency in &mut self.dependencies {
            if let Some(guest) = renamed.get(&dependency.guest).filter(|_| dependency.is_inherited)
            {
                dependency.guest.clone_from(guest);
            }
        }
    }

    /// Which keys of the workspace's table stand for a crate of another name.
    pub fn renamed(text: &str) -> BTreeMap<String, String> {
        let Ok(document) = DeTable::parse(text) else {
            return BTreeMap::new();
        };
        let entries =
            table(document.get_ref(), "workspace").and_then(|it| table(it, "dependencies"));
        entries
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.get_ref().to_string(), true_name(key.get_ref(), value)))
            .collect()
    }
}

struct Reader<'a> {
    text: &'a str,
    dependencies: Vec<Dependency>,
}

impl Reader<'_> {
    fn package_tables(&mut self, top: &DeTable<'_>) {
        for (name, kind) in KINDS {
            self.table(top, name, kind);
        }
        for (_, target) in table(top, "target").into_iter().flatten() {
            for (name, kind) in KINDS {
                if let Some(target) = target.get_ref().as_table() {
                    self.table(target, name, kind);
                }
            }
        }
    }

    fn table(&mut self, parent: &DeTable<'_>, name: &str, kind: Kind) {
        for (key, value) in table(parent, name).into_iter().flatten() {
            self.dependencies.push(Dependency {
                guest: true_name(key.get_ref(), value),
                called: key.get_ref().replace('-', "_"),
                line: line_of(self.text, key.span()),
                kind,
                is_inherited: inherits(value),
            });
        }
    }
}

fn table<'a, 'i>(parent: &'a DeTable<'i>, name: &str) -> Option<&'a DeTable<'i>> {
    parent.get(name)?.get_ref().as_table()
}

fn true_name(key: &str, value: &Spanned<DeValue<'_>>) -> String {
    let package = value.get_ref().get("package");
    package.and_then(|package| package.get_ref().as_str()).unwrap_or(key).to_owned()
}

fn inherits(value: &Spanned<DeValue<'_>>) -> bool {
    let inherited = value.get_ref().get("workspace");
    inherited.is_some_and(|it| it.get_ref().as_bool() == Some(true))
}

fn package_name(top: &DeTable<'_>) -> String {
    table(top, "package")
        .and_then(|package| package.get("name"))
        .and_then(|name| name.get_ref().as_str())
        .unwrap_or_default()
        .to_owned()
}

fn members(top: &DeTable<'_>) -> Vec<String> {
    table(top, "workspace")
        .and_then(|workspace| workspace.get("members"))
        .and_then(|members| members.get_ref().as_array())
        .into_iter()
        .flat_map(|members| members.iter())
        .filter_map(|member| member.get_ref().as_str())
        .map(str::to_owned)
        .collect()
}

/// The line, counted from 1, on which a span begins.
pub fn line_of(text: &str, span: Range<usize>) -> usize {
    let before = text.as_bytes().iter().take(span.start);
    before.filter(|byte| **byte == b'\n').count() + 1
}
