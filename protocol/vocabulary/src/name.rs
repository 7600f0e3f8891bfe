//! Names that people give: cluster, host, group, region, zone, rack.
//!
//! Law: a name is 1 to 63 bytes of `a-z 0-9 . _ -`, beginning and ending with a letter or digit, so that it is safe in a
//! path, a URI, a log line and an environment variable without quoting.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest name in bytes: the DNS label bound, which every cloud and `gethostname` user already respects.
pub const LABEL_BYTES_MAX: usize = 63;

/// A checked name; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Arc<str>);

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelFault {
    /// The text as it was given, cut to 80 characters.
    pub given: String,
}

impl Label {
    /// Checks a text once; later rooms trust it.
    pub fn new(text: &str) -> Result<Self, LabelFault> {
        let edge = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inner = |byte: &u8| edge(byte) || matches!(byte, b'.' | b'_' | b'-');
        let bytes = text.as_bytes();
        let sound = (1..=LABEL_BYTES_MAX).contains(&bytes.len())
            && bytes.iter().all(inner)
            && bytes.first().is_some_and(edge)
            && bytes.last().is_some_and(edge);
        if sound {
            Ok(Self(text.into()))
        } else {
            Err(LabelFault { given: text.chars().take(80).collect() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = LabelFault;

    fn try_from(text: String) -> Result<Self, LabelFault> {
        Self::new(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.0.as_ref().to_owned()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", &*self.0)
    }
}

impl fmt::Display for LabelFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:?} is not a name: expected 1 to {LABEL_BYTES_MAX} of a-z 0-9 . _ -, with a letter or digit at both ends",
            self.given
        )
    }
}

impl std::error::Error for LabelFault {}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Label);

        impl $name {
            /// Checks a text once; later rooms trust it.
            pub fn new(text: &str) -> Result<Self, LabelFault> {
                Label::new(text).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }
    };
}

named!(
    /// The name of one mesh; part of every host's identity, so that two meshes never mix.
    ClusterName
);
named!(
    /// The name of one host, unique in its cluster; never an address.
    HostName
);
named!(
    /// What a host is for (`web`, `db`); policies and budgets speak of groups.
    GroupName
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_in_paths_uris_and_logs_or_it_is_refused() {
        for sound in ["a", "web-a-07", "k.b_1", &"x".repeat(63)] {
            assert_eq!(Label::new(sound).expect("sound").as_str(), sound);
        }
        for unsound in ["", "-a", "a-", "A", "a b", "a/b", "ä", &"x".repeat(64)] {
            assert!(Label::new(unsound).is_err(), "{unsound:?} passed");
        }
    }
}
