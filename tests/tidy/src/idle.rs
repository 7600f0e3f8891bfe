//! Is each dependency used by the crate that names it?
//!
//! Used is what stands at the head of a path (`name::...`) or in `use name;`, `use name as ...`, macros and attributes
//! included. What only the tests of a product crate use is a dev-dependency. A module that bears a crate's name hides an idle
//! one: this check errs on the side of silence.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::{Dependency, Fault, House, Kind, Source};

/// The names that one crate's code begins paths with.
#[derive(Default)]
struct Heads {
    shipped: BTreeSet<String>,
    anywhere: BTreeSet<String>,
}

/// Names every dependency that no code of its crate uses, and every guest of the workspace that no crate names.
pub fn check(house: &House) -> Vec<Fault> {
    let mut faults = unnamed(house);
    for (place, member) in house.members.iter().enumerate() {
        let mut heads = Heads::default();
        for source in house.sources.iter().filter(|source| source.member == place) {
            heads.read(source, source.tokens.clone());
        }
        for dependency in &member.manifest.dependencies {
            let fault = Fault::at(&member.manifest.file, dependency.line);
            let (name, guest) = (&dependency.called, &dependency.guest);
            let is_for_tests = member.is_test() || dependency.kind != Kind::Normal;
            if !heads.anywhere.contains(name) {
                let found = format!("`{guest}`, which nothing in {} uses", member.folder);
                faults.push(fault.found(found).expected("no dependency that is not used"));
            } else if !is_for_tests && !heads.shipped.contains(name) {
                let found = format!("`{guest}`, which only tests in {} use", member.folder);
                faults.push(fault.found(found).expected("it among the dev-dependencies"));
            }
        }
    }
    faults
}

/// Guests that stand in the root manifest and in no other.
fn unnamed(house: &House) -> Vec<Fault> {
    let named = house.members.iter().flat_map(|member| &member.manifest.dependencies);
    let named: BTreeSet<&str> = named.map(|dependency| dependency.guest.as_str()).collect();
    let is_unnamed = |guest: &&Dependency| {
        !guest.guest.starts_with("hale-") && !named.contains(guest.guest.as_str())
    };
    let unnamed = house.root.dependencies.iter().filter(is_unnamed);
    unnamed
        .map(|guest| {
            Fault::at(&house.root.file, guest.line)
                .found(format!("the guest `{}`, which no crate names", guest.guest))
                .expected("no guest without a host")
        })
        .collect()
}

impl Heads {
    fn read(&mut self, source: &Source, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.read(source, group.stream()),
                TokenTree::Ident(name) if is_head(&tokens, index) => {
                    let line = name.span().start().line;
                    if source.is_production(line) {
                        self.shipped.insert(name.to_string());
                    }
                    self.anywhere.insert(name.to_string());
                }
                _ => {}
            }
        }
    }
}

/// Whether a path begins here (no `::` before it, one behind it), or a `use` names it and nothing more.
fn is_head(tokens: &[TokenTree], index: usize) -> bool {
    let at = |place: Option<usize>| place.and_then(|place| tokens.get(place));
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    let leads = is_colon(at(index.checked_add(1))) && is_colon(at(index.checked_add(2)));
    let follows = is_colon(at(index.checked_sub(1))) && is_colon(at(index.checked_sub(2)));
    let is_used = matches!(at(index.checked_sub(1)), Some(TokenTree::Ident(word)) if word == "use");
    (leads && !follows) || is_used
}
