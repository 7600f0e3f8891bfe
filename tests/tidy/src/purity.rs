//! Do the pure crates stay pure: same input, same output, on every machine, in any year?
//!
//! Every token of their production code is read, macro arguments included; comments and text in
//! quotes are not tokens and cannot raise an alarm. Names that mean nothing else are refused
//! wherever they stand; parts of `std` are refused by their path, also from inside `use std::{..}`.
//!
//! Not here: what a guest does behind its own name (the `guests` check says who may bring which).

use std::collections::BTreeSet;

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use syn::Lit;

use crate::paths::{begins_with, follow};
use crate::plan;
use crate::{Fault, House, Source};

/// Why something is refused, and what to use in its place.
#[derive(Clone, Copy)]
enum Impurity {
    Clock,
    Socket,
    Thread,
    Disk,
    Luck,
    Async,
    Float,
    Unordered,
    Surroundings,
    Hidden,
}

impl Impurity {
    fn named(self) -> &'static str {
        match self {
            Impurity::Clock => "a clock",
            Impurity::Socket => "a socket",
            Impurity::Thread => "a thread",
            Impurity::Disk => "a file",
            Impurity::Luck => "randomness of the machine",
            Impurity::Async => "async",
            Impurity::Float => "a float",
            Impurity::Unordered => "an unordered map or set",
            Impurity::Surroundings => "the process's surroundings",
            Impurity::Hidden => "a name under which a forbidden thing could hide",
        }
    }

    fn instead(self) -> &'static str {
        match self {
            Impurity::Clock => "`now: Moment` as an argument",
            Impurity::Socket => "an effect that the daemon performs (addresses are welcome)",
            Impurity::Thread => "a plain function; the shells own the threads",
            Impurity::Disk => "bytes as an argument, or an effect that the daemon performs",
            Impurity::Luck => "a seed as an argument, drawn from through `rand_core`",
            Impurity::Async => "a pure machine: events in, effects out",
            Impurity::Float => "an integer with its unit in its name",
            Impurity::Unordered => "BTreeMap or BTreeSet",
            Impurity::Surroundings => "a setting as an argument",
            Impurity::Hidden => "the things themselves, each by its own name",
        }
    }
}

/// Names that mean a forbidden thing wherever they stand.
const NAMES: [(&str, Impurity); 24] = [
    ("Instant", Impurity::Clock),
    ("SystemTime", Impurity::Clock),
    ("UNIX_EPOCH", Impurity::Clock),
    ("TcpListener", Impurity::Socket),
    ("TcpStream", Impurity::Socket),
    ("ToSocketAddrs", Impurity::Socket),
    ("UdpSocket", Impurity::Socket),
    ("UnixDatagram", Impurity::Socket),
    ("UnixListener", Impurity::Socket),
    ("UnixStream", Impurity::Socket),
    ("thread_local", Impurity::Thread),
    ("OsRng", Impurity::Luck),
    ("SysRng", Impurity::Luck),
    ("ThreadRng", Impurity::Luck),
    ("getrandom", Impurity::Luck),
    ("thread_rng", Impurity::Luck),
    ("async", Impurity::Async),
    ("await", Impurity::Async),
    ("f32", Impurity::Float),
    ("f64", Impurity::Float),
    ("HashMap", Impurity::Unordered),
    ("HashSet", Impurity::Unordered),
    ("DefaultHasher", Impurity::Unordered),
    ("RandomState", Impurity::Unordered),
];

/// Paths that are refused with everything below them. `core` and `alloc` are read as `std`.
const PATHS: [(&[&str], Impurity); 14] = [
    (&["std", "fs"], Impurity::Disk),
    (&["std", "io", "stdin"], Impurity::Disk),
    (&["std", "io", "stdout"], Impurity::Disk),
    (&["std", "io", "stderr"], Impurity::Disk),
    (&["std", "thread"], Impurity::Thread),
    (&["std", "env"], Impurity::Surroundings),
    (&["std", "os"], Impurity::Surroundings),
    (&["std", "process"], Impurity::Surroundings),
    (&["std", "future"], Impurity::Async),
    (&["std", "task"], Impurity::Async),
    (&["std", "*"], Impurity::Hidden),
    (&["std", "as"], Impurity::Hidden),
    (&["rand", "rng"], Impurity::Luck),
    (&["rand", "random"], Impurity::Luck),
];

/// Names every forbidden thing in the production code of the pure crates.
pub fn check(house: &House) -> Vec<Fault> {
    let is_pure = |source: &&Source| {
        let room = plan::room(house.member_of(source).room());
        room.is_some_and(|room| room.is_pure)
    };
    house.sources.iter().filter(is_pure).flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Fault> {
    let mut scan = Scan::default();
    scan.stream(source.tokens.clone());
    let sightings = scan.sightings.into_iter();
    sightings
        .filter(|sighting| source.is_production(sighting.line))
        .map(|sighting| {
            Fault::at(&source.file, sighting.line)
                .found(format!("`{}`, {}, in a pure crate", sighting.text, sighting.named))
                .expected(sighting.instead)
        })
        .collect()
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sighting {
    line: usize,
    text: String,
    named: &'static str,
    instead: &'static str,
}

#[derive(Default)]
struct Scan {
    sightings: BTreeSet<Sighting>,
}

impl Scan {
    fn stream(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.stream(group.stream()),
                TokenTree::Ident(ident) => {
                    self.name(ident);
                    self.path(&tokens, index, ident);
                }
                TokenTree::Literal(_) => self.literal(&tokens, index),
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn name(&mut self, ident: &Ident) {
        let text = ident.to_string();
        if let Some((_, impurity)) = NAMES.iter().find(|(name, _)| *name == text) {
            self.sight(ident.span().start().line, text, *impurity);
        }
    }

    fn path(&mut self, tokens: &[TokenTree], index: usize, first: &Ident) {
        let crate_name = match first.to_string().as_str() {
            "std" | "core" | "alloc" => "std",
            "rand" => "rand",
            _ => return,
        };
        let mut paths = Vec::new();
        follow(vec![crate_name.to_owned()], &tokens[index + 1..], &mut paths);
        for path in paths {
            let forbidden = PATHS.iter().find(|(start, _)| begins_with(&path, start));
            if let Some((start, impurity)) = forbidden {
                self.sight(first.span().start().line, start.join("::"), *impurity);
            }
        }
    }

    fn literal(&mut self, tokens: &[TokenTree], index: usize) {
        let TokenTree::Literal(literal) = &tokens[index] else {
            return;
        };
        let is_float = matches!(Lit::new(literal.clone()), Lit::Float(_));
        if is_float && !is_field_access(&tokens[..index]) {
            let line = literal.span().start().line;
            self.sight(line, literal.to_string(), Impurity::Float);
        }
    }

    fn sight(&mut self, line: usize, text: String, impurity: Impurity) {
        self.sightings.insert(Sighting {
            line,
            text,
            named: impurity.named(),
            instead: impurity.instead(),
        });
    }
}

/// `pair.0.1` reads as the float `0.1` after a dot; `0..1.5` is a range and does not.
fn is_field_access(before: &[TokenTree]) -> bool {
    let dot = |token: Option<&TokenTree>, spacing: Option<Spacing>| match token {
        Some(TokenTree::Punct(punct)) => {
            punct.as_char() == '.' && spacing.is_none_or(|it| it == punct.spacing())
        }
        _ => false,
    };
    let count = before.len();
    let is_after_dot = dot(before.last(), None);
    let is_range = count >= 2 && dot(before.get(count - 2), Some(Spacing::Joint));
    is_after_dot && !is_range
}
