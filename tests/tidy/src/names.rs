//! Does every file, module and type say what it is for?
//!
//! A banned word says only that something did not find its room. It is looked for in the names of
//! files, folders, modules and types, word by word: `Metadata` and `Datagram` are words of their own.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Ident, ItemEnum, ItemMod, ItemStruct, ItemTrait, ItemType, ItemUnion};

use crate::{Fault, House, Source};

/// Words that name no idea of this project.
const BANNED: [&str; 9] =
    ["util", "utils", "common", "manager", "managers", "helper", "helpers", "data", "misc"];

/// Names every file, folder, module and type that bears a banned word.
pub fn check(house: &House) -> Vec<Fault> {
    let mut faults: BTreeSet<Fault> = BTreeSet::new();
    for source in &house.sources {
        faults.extend(check_path(&source.file));
        faults.extend(check_types(source));
    }
    for page in &house.pages {
        faults.extend(check_path(&page.file));
    }
    faults.into_iter().collect()
}

fn check_path(file: &str) -> Option<Fault> {
    let names = file.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let (name, word) =
        names.filter_map(|name| banned_word(name).map(|word| (name, word))).next()?;
    Some(fault(file, 1, name, word))
}

fn fault(file: &str, line: usize, name: &str, word: &str) -> Fault {
    Fault::at(file, line)
        .found(format!("the name `{name}`, which bears `{word}`"))
        .expected("a word of docs/GLOSSARY.md that says what it is for")
}

fn check_types(source: &Source) -> Vec<Fault> {
    let mut search = NameSearch { file: &source.file, faults: Vec::new() };
    search.visit_file(&source.syntax);
    search.faults
}

struct NameSearch<'a> {
    file: &'a str,
    faults: Vec<Fault>,
}

impl NameSearch<'_> {
    fn judge(&mut self, ident: &Ident) {
        let name = ident.to_string();
        if let Some(word) = banned_word(&name) {
            let line = ident.span().start().line;
            self.faults.push(fault(self.file, line, &name, word));
        }
    }
}

impl<'ast> Visit<'ast> for NameSearch<'_> {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.judge(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.judge(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_union(&mut self, item: &'ast ItemUnion) {
        self.judge(&item.ident);
        visit::visit_item_union(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.judge(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.judge(&item.ident);
        visit::visit_item_type(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.judge(&item.ident);
        visit::visit_item_mod(self, item);
    }
}

fn banned_word(name: &str) -> Option<&'static str> {
    let words = words(name);
    BANNED.into_iter().find(|banned| words.iter().any(|word| word == banned))
}

/// `PeerData`, `peer_data` and `peer-data` are all the words `peer` and `data`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        let begins_word = letter.is_uppercase() || !letter.is_alphanumeric();
        if begins_word {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::banned_word;

    #[test]
    fn a_banned_word_is_found_in_every_way_of_writing_a_name() {
        for name in ["data", "PeerData", "peer_data", "peer-data", "LeaseManager", "Utils"] {
            assert!(banned_word(name).is_some(), "{name} must be refused");
        }
    }

    #[test]
    fn a_word_that_only_begins_like_a_banned_one_is_left_alone() {
        for name in ["Metadata", "Datagram", "metadata", "Utilization", "Commons", "testdata"] {
            assert_eq!(banned_word(name), None, "{name} is a word of its own");
        }
    }
}
