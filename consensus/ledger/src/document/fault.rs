//! What is wrong with a document, as values: where, which key, what was given, what was expected.
//!
//! Not here: colours and source excerpts (the daemon draws those from the same values).

use std::fmt;

use serde::{Deserialize, Serialize};

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// The file as it was named to the reader.
    pub file: String,
    /// From 1; 0 if the fault is of the file as a whole.
    pub line: u32,
    /// In characters, from 1; 0 if the fault is of the file as a whole.
    pub column: u32,
    /// The key's full path, lists counted from 1 (`rule[2].ladder[1].class`); empty if there is none.
    pub key: String,
    /// What the document says there, cut to [`Fault::GIVEN_CHARS_MAX`].
    pub given: Option<String>,
    /// In which way it is wrong.
    pub kind: FaultKind,
    /// What was expected, or why it is refused.
    pub expected: String,
    /// The known word that is nearest to the given one.
    pub nearest: Option<String>,
}

/// In which way a document is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The file cannot be read at all.
    Unreadable,
    /// The text is not TOML.
    NotToml,
    /// No such key.
    UnknownKey,
    /// A key that must be there is not.
    Missing,
    /// A value of the wrong form, or out of its range.
    Misfit,
    /// Two keys that do not fit together.
    Contradiction,
    /// Known, and not honoured by this version.
    Refused,
    /// More faults than are listed.
    More,
}

impl Fault {
    /// Enough to recognise a value on one screen line.
    pub const GIVEN_CHARS_MAX: usize = 60;

    /// A fault of the file as a whole.
    pub fn of_file(file: &str, kind: FaultKind, expected: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            key: String::new(),
            given: None,
            kind,
            expected: expected.into(),
            nearest: None,
        }
    }

    /// Key, value, expectation and nearest word, without the place: one line.
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        if !self.key.is_empty() {
            parts.push(format!("{}:", self.key));
        }
        let (given, comma, colon) = match &self.given {
            Some(given) => (given.as_str(), ", ", ": "),
            None => ("", "", ""),
        };
        let expected = &self.expected;
        parts.push(match self.kind {
            FaultKind::UnknownKey => format!("unknown key, expected {expected}"),
            FaultKind::Missing => format!("missing, expected {expected}"),
            FaultKind::NotToml => format!("not TOML: {expected}"),
            FaultKind::Misfit => format!("{given}{comma}expected {expected}"),
            FaultKind::Refused => format!("{given}{comma}refused: {expected}"),
            FaultKind::Contradiction => format!("{given}{colon}{expected}"),
            FaultKind::Unreadable | FaultKind::More => expected.clone(),
        });
        let said = parts.join(" ");
        match &self.nearest {
            Some(nearest) => format!("{said}; did you mean {nearest}?"),
            None => said,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.file)?;
        if self.line > 0 {
            write!(out, "{}:{}:", self.line, self.column)?;
        }
        write!(out, " {}", self.sentence())
    }
}

impl std::error::Error for Fault {}

/// The known word nearest to a given one, if it is near enough to be meant: a third of its letters may differ.
pub fn nearest<'w>(given: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let bound = (given.chars().count() / 3).max(2);
    let folded = given.to_ascii_lowercase();
    known
        .into_iter()
        .map(|word| {
            let distance = strsim::osa_distance(&folded, &word.to_ascii_lowercase());
            (distance, word)
        })
        .filter(|(distance, word)| *distance <= bound && *distance < word.chars().count())
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_one_that_could_be_meant() {
        let known = ["in_flight", "halt_above", "per_hour"];
        assert_eq!(nearest("in_fligth", known), Some("in_flight"));
        assert_eq!(nearest("halt-above", known), Some("halt_above"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("x", ["to"]), None);
    }

    #[test]
    fn a_fault_says_where_which_key_what_was_given_and_what_was_expected() {
        let fault = Fault {
            line: 12,
            column: 5,
            key: "budget.fleet.in_flight".into(),
            given: Some("\"10x\"".into()),
            ..Fault::of_file("policy.toml", FaultKind::Misfit, "a percentage")
        };
        assert_eq!(
            fault.to_string(),
            "policy.toml:12:5: budget.fleet.in_flight: \"10x\", expected a percentage"
        );
    }
}
