//! What is in a Rust file, and which of its lines are production?
//!
//! A line is production unless it belongs to an item under `#[cfg(test)]` or `#[test]`, or to a file
//! that such an item declares, or to a folder that cargo builds only for tests.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, Meta, TraitItem};

use crate::HouseFault;

/// One Rust file of a member, parsed.
pub struct Source {
    /// Its path, relative to the top of the house.
    pub file: String,
    /// Which member it belongs to: the index in the house's list.
    pub member: usize,
    /// Its syntax, with the place of every token.
    pub syntax: syn::File,
    /// Its tokens, comments left out, with their places.
    pub tokens: TokenStream,
    lines: usize,
    is_test: bool,
    tests: Vec<RangeInclusive<usize>>,
    declares_tests: Vec<String>,
}

/// Folders of a crate that cargo builds only for tests, benches and examples.
const TEST_FOLDERS: [&str; 3] = ["tests", "benches", "examples"];

impl Source {
    /// Parses `text`, which stands in `file` and belongs to the member of that index.
    pub fn read(file: &str, member: usize, text: &str) -> Result<Source, HouseFault> {
        let unparsable = |fault: syn::Error| HouseFault::Unparsable {
            file: format!("{file}:{}", fault.span().start().line),
            why: fault.to_string(),
        };
        let syntax = syn::parse_file(text).map_err(unparsable)?;
        let tokens = syn::parse_str(text).map_err(unparsable)?;
        let mut search =
            TestSearch { folder: module_folder(file), tests: Vec::new(), declares: Vec::new() };
        search.visit_file(&syntax);
        Ok(Source {
            file: file.to_owned(),
            member,
            lines: text.lines().count(),
            is_test: is_in_test_folder(file) || syntax.attrs.iter().any(is_test_attribute),
            tests: search.tests,
            declares_tests: search.declares,
            syntax,
            tokens,
        })
    }

    /// Whether this line is shipped to operators.
    pub fn is_production(&self, line: usize) -> bool {
        !self.is_test && !self.tests.iter().any(|test| test.contains(&line))
    }

    /// How many lines of this file are shipped to operators.
    pub fn production_lines(&self) -> usize {
        (1..=self.lines).filter(|line| self.is_production(*line)).count()
    }

    /// Marks files that another file declares for tests only, and files below them.
    pub fn mark_declared_tests(sources: &mut [Source]) {
        let declared: BTreeSet<String> = sources
            .iter_mut()
            .flat_map(|source| std::mem::take(&mut source.declares_tests))
            .collect();
        for source in sources {
            source.is_test |= declared.iter().any(|module| is_of_module(&source.file, module));
        }
    }
}

fn is_in_test_folder(file: &str) -> bool {
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    folders.iter().any(|folder| TEST_FOLDERS.contains(folder))
}

/// `a/b` owns `a/b.rs`, `a/b/mod.rs` and all that lies below `a/b/`.
fn is_of_module(file: &str, module: &str) -> bool {
    file.strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}

/// The folder in which the modules that `file` declares are looked for.
fn module_folder(file: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    match name.trim_end_matches(".rs") {
        "lib" | "main" | "mod" => folder.to_owned(),
        stem => format!("{folder}/{stem}"),
    }
}

struct TestSearch {
    folder: String,
    tests: Vec<RangeInclusive<usize>>,
    declares: Vec<String>,
}

impl TestSearch {
    fn note(&mut self, item: &impl Spanned) {
        let span = item.span();
        self.tests.push(span.start().line..=span.end().line);
    }

    fn note_declared_file(&mut self, module: &ItemMod) {
        if module.content.is_none() {
            let name = module.ident.to_string();
            self.declares.push(format!("{}/{name}", self.folder));
        }
    }
}

impl<'ast> Visit<'ast> for TestSearch {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes_of_item(item).iter().any(is_test_attribute) {
            return visit::visit_item(self, item);
        }
        self.note(item);
        if let Item::Mod(module) = item {
            self.note_declared_file(module);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        match item {
            ImplItem::Fn(method) if method.attrs.iter().any(is_test_attribute) => self.note(item),
            ImplItem::Const(part) if part.attrs.iter().any(is_test_attribute) => self.note(item),
            _ => visit::visit_impl_item(self, item),
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        match item {
            TraitItem::Fn(method) if method.attrs.iter().any(is_test_attribute) => self.note(item),
            _ => visit::visit_trait_item(self, item),
        }
    }
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, ...))]`; never `#[cfg(not(test))]`.
fn is_test_attribute(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        _ => false,
    }
}

fn attributes_of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
