//! How does a breach of a house rule read?

use std::fmt;
use std::path::PathBuf;

/// One breach: where it stands, what is there, and what should be there instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, relative to the top of the house, with `/` between folders.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What stands there now.
    pub found: String,
    /// What is expected there.
    pub expected: String,
}

impl Fault {
    /// A breach in `file` at `line`; what was found and expected are added by the two other verbs.
    pub fn at(file: &str, line: usize) -> Fault {
        Fault { file: file.to_owned(), line, found: String::new(), expected: String::new() }
    }

    /// The same breach, saying what stands there.
    pub fn found(self, found: impl Into<String>) -> Fault {
        Fault { found: found.into(), ..self }
    }

    /// The same breach, saying what should stand there.
    pub fn expected(self, expected: impl Into<String>) -> Fault {
        Fault { expected: expected.into(), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { file, line, found, expected } = self;
        write!(out, "{file}:{line}: found {found}; expected {expected}")
    }
}

/// Why the house could not be read at all. Nothing was checked; whoever edits the named file mends it.
#[derive(Debug)]
pub enum HouseFault {
    /// The operating system would not give us this file or folder.
    Unreadable(PathBuf, std::io::Error),
    /// The file is not the TOML or the Rust that its name promises.
    Unparsable {
        /// The file, relative to the top of the house.
        file: String,
        /// The parser's own words.
        why: String,
    },
}

impl fmt::Display for HouseFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HouseFault::Unreadable(path, why) => write!(out, "read {}: {why}", path.display()),
            HouseFault::Unparsable { file, why } => write!(out, "parse {file}: {why}"),
        }
    }
}

impl std::error::Error for HouseFault {}
