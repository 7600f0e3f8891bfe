//! Golden pages: every value that travels or is stored, by its name, as a person reads it, and as it is laid (law W2).
//!
//! A page fails when bytes change, when variants or fields change places, and when bytes that were once written do not read
//! as their value any more; a variant without a row does not compile (see `every`). `UPDATE_EXPECT=1` writes it anew:
//! whoever does so has changed the wire or the store, and raises its version. The page of a version that was ever in use
//! stands beside it in a folder of that number; nothing writes those anew, and today's page holds all that they hold.
//! Not here: the values (each room has its own); canonical bytes, which are signed (see `vocabulary::canonical`).
#![allow(dead_code, unused_macros, unused_imports, reason = "each room uses its own part")]

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};

use expect_test::ExpectFile;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One page, filled type by type.
pub struct Page {
    file: ExpectFile,
    /// What the committed file holds under each name.
    committed: BTreeMap<String, Vec<u8>>,
    text: String,
    rows: BTreeMap<String, Vec<u8>>,
    faults: Vec<String>,
}

/// Bytes in one line of hex.
const LINE_BYTES: usize = 48;

impl Page {
    /// The page that is committed in this file; an absent one is empty.
    pub fn of(file: ExpectFile) -> Self {
        // What is written anew is not held against what stood there.
        let is_written_anew = std::env::var_os("UPDATE_EXPECT").is_some();
        let text = if is_written_anew { String::new() } else { file.data() };
        Self {
            file,
            committed: bytes_by_name(&text),
            text: String::new(),
            rows: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Values of one type, in the order of their variants.
    pub fn put<T: Serialize + DeserializeOwned + Debug>(&mut self, kind: &str, values: &[T]) {
        let mut seen: BTreeMap<Vec<u8>, String> = BTreeMap::new();
        for value in values {
            let name = self.name(kind, value);
            let bytes = wire::encode(value);
            self.judge(&name, value, &bytes);
            // What was written once, by this version or an older one, must still be read as what it was.
            if let Some(committed) = self.committed.get(&name).cloned() {
                self.judge(&name, value, &committed);
            }
            if let Some(other) = seen.insert(bytes.clone(), name.clone()) {
                self.faults.push(format!("{name} has the very bytes of {other}"));
            }
            let _ = writeln!(self.text, "{name}\n  {value:?}");
            for line in bytes.chunks(LINE_BYTES) {
                let _ = writeln!(self.text, "  {}", hex(line));
            }
            self.rows.insert(name, bytes);
        }
    }

    /// Compares the page with its file, or writes it anew.
    pub fn check(&self) {
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
        self.file.assert_eq(&self.text);
    }

    /// Law W5: every row of a frozen page is a row of this one, with the same bytes, which `put` has read and written.
    pub fn holds(&self, frozen: &str) {
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
        let rows = bytes_by_name(frozen);
        assert!(!rows.is_empty(), "a frozen page has rows");
        for (name, bytes) in rows {
            let ours = self.rows.get(&name).map(|bytes| hex(bytes));
            assert_eq!(ours, Some(hex(&bytes)), "{name} is not what it was");
        }
    }

    /// All bytes of the page, for tests that bend them.
    pub fn rows(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.rows
    }

    /// These bytes read as this value, and are what it is laid as.
    fn judge<T: Serialize + DeserializeOwned + Debug>(
        &mut self,
        name: &str,
        value: &T,
        bytes: &[u8],
    ) {
        match wire::codec::decode_state::<T>(bytes) {
            Ok(read) if wire::encode(&read) != bytes => {
                self.faults.push(format!("{name}: {} is laid in another way", hex(bytes)));
            }
            Ok(read) if format!("{read:?}") != format!("{value:?}") => {
                self.faults.push(format!("{name}: {} reads as {read:?}", hex(bytes)));
            }
            Ok(_) => {}
            Err(why) => self.faults.push(format!("{name}: {}: {why}", hex(bytes))),
        }
    }

    /// `Request::Look`, and `Request::Look 2` for a second value of that variant.
    fn name(&self, kind: &str, value: &impl Debug) -> String {
        let said = format!("{value:?}");
        let word = said.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        let first = match word {
            "" => kind.to_owned(),
            word if word == kind => kind.to_owned(),
            word => format!("{kind}::{word}"),
        };
        let numbered = (2..).map(|number| format!("{first} {number}"));
        let mut names = std::iter::once(first.clone()).chain(numbered);
        names.find(|name| !self.rows.contains_key(name)).unwrap_or(first)
    }
}

fn bytes_by_name(text: &str) -> BTreeMap<String, Vec<u8>> {
    let mut known: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        if !line.starts_with(' ') {
            name = line;
        } else if let Some(bytes) = from_hex(line.trim()) {
            known.entry(name.to_owned()).or_default().extend(bytes);
        }
    }
    known
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line of a value's own words is no hex: it holds a capital letter, a bracket or a space.
fn from_hex(line: &str) -> Option<Vec<u8>> {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if line.len() % 2 == 1 || !line.as_bytes().iter().all(is_hex) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).ok();
    (0..line.len()).step_by(2).map(byte).collect()
}

/// Values of every variant of a type, in their order: `every!(page, Request { Request::Probe => [Request::Probe], ... })`.
/// It does not compile while a variant has no row, and fails when a value stands in the row of another.
macro_rules! every {
    ($page:expr, $kind:ident { $($pattern:pat => [$($value:expr),+ $(,)?]),+ $(,)? }) => {{
        #[deny(unreachable_patterns)]
        fn _every_variant_has_its_row(value: &$kind) {
            match value { $($pattern => (),)+ }
        }
        let mut values: Vec<$kind> = Vec::new();
        $($({
            let value: $kind = $value;
            #[allow(clippy::redundant_pattern_matching, reason = "a row of a Result is a row as any")]
            let is_of_its_row = matches!(&value, $pattern);
            assert!(is_of_its_row, "{value:?} stands in the row of {}", stringify!($pattern));
            values.push(value);
        })+)+
        $page.put(stringify!($kind), &values);
    }};
}
pub(crate) use every;
