//! What stands in the tree? Reads it once, so that every check looks at the same thing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{HouseFault, Manifest, Member, Source};

/// A whole repository, read: manifests, Rust files, Markdown pages.
pub struct House {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub top: PathBuf,
    /// The workspace's own manifest.
    pub root: Manifest,
    /// The crates of the workspace, in the order of the manifest.
    pub members: Vec<Member>,
    /// The manifests of crates that are built apart from the workspace.
    pub apart: Vec<Manifest>,
    /// Every Rust file of every member, sorted by path.
    pub sources: Vec<Source>,
    /// Every Markdown file, sorted by path.
    pub pages: Vec<Page>,
    /// The path of every file, relative to the top, sorted.
    pub files: Vec<String>,
}

/// One Markdown file.
pub struct Page {
    /// Its path, relative to the top of the house.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Crates with a workspace of their own, where the house has them: what they need, nothing else is to need.
const APART: [&str; 1] = ["fuzz/Cargo.toml"];

/// Folders that are made by tools, not written by us, or that are broken on purpose.
const NOT_OURS: [&str; 3] = [".git", "target", "tests/tidy/fixtures"];

impl House {
    /// Reads the repository whose workspace manifest stands in `top`.
    pub fn read(top: &Path) -> Result<House, HouseFault> {
        let text = read(&top.join("Cargo.toml"))?;
        let root = Manifest::read("Cargo.toml", &text)?;
        let renamed = Manifest::renamed(&text);
        let members = read_members(top, &root, &renamed)?;
        let mut files = Vec::new();
        walk(top, "", &mut files)?;
        files.sort();
        Ok(House {
            top: top.to_owned(),
            sources: read_sources(top, &members, &files)?,
            pages: read_pages(top, &files)?,
            apart: read_apart(top, &files)?,
            root,
            members,
            files,
        })
    }

    /// The member to which a source belongs.
    pub fn member_of(&self, source: &Source) -> &Member {
        &self.members[source.member]
    }
}

fn read_members(
    top: &Path,
    root: &Manifest,
    renamed: &BTreeMap<String, String>,
) -> Result<Vec<Member>, HouseFault> {
    let read_member = |folder: &String| {
        let file = format!("{folder}/Cargo.toml");
        let mut manifest = Manifest::read(&file, &read(&top.join(&file))?)?;
        manifest.resolve(renamed);
        Ok(Member { folder: folder.clone(), manifest })
    };
    root.members.iter().map(read_member).collect()
}

fn read_apart(top: &Path, files: &[String]) -> Result<Vec<Manifest>, HouseFault> {
    let stands = |file: &&str| files.iter().any(|known| known == file);
    let read_one = |file: &str| Manifest::read(file, &read(&top.join(file))?);
    APART.into_iter().filter(stands).map(read_one).collect()
}

fn read_sources(
    top: &Path,
    members: &[Member],
    files: &[String],
) -> Result<Vec<Source>, HouseFault> {
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        if let Some(member) = owner(members, file) {
            sources.push(Source::read(file, member, &read(&top.join(file))?)?);
        }
    }
    Source::mark_declared_tests(&mut sources);
    Ok(sources)
}

fn owner(members: &[Member], file: &str) -> Option<usize> {
    let is_inside =
        |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    members.iter().position(|member| is_inside(&member.folder))
}

fn read_pages(top: &Path, files: &[String]) -> Result<Vec<Page>, HouseFault> {
    let read_page = |file: &String| Ok(Page { file: file.clone(), text: read(&top.join(file))? });
    files.iter().filter(|file| file.ends_with(".md")).map(read_page).collect()
}

fn walk(top: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), HouseFault> {
    let here = top.join(folder);
    let unreadable = |why| HouseFault::Unreadable(here.clone(), why);
    for entry in fs::read_dir(&here).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match folder {
            "" => name.clone(),
            _ => format!("{folder}/{name}"),
        };
        if NOT_OURS.contains(&path.as_str()) || NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().map_err(unreadable)?.is_dir() {
            walk(top, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, HouseFault> {
    fs::read_to_string(path).map_err(|why| HouseFault::Unreadable(path.to_owned(), why))
}
