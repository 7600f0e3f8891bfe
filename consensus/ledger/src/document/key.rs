//! What a key and a section of a document are: defined once, read and described from the same place.

use super::form::Form;

/// A key that has a default.
#[derive(Clone, Copy)]
pub struct Key<F> {
    /// As the operator writes it.
    pub name: &'static str,
    /// What may stand behind it.
    pub form: F,
    /// What holds without it, as TOML.
    pub default: &'static str,
    /// One sentence: what it is and what it trades.
    pub says: &'static str,
}

/// A key that may be left out without a single value taking its place.
pub struct OptionalKey<F> {
    /// As the operator writes it.
    pub name: &'static str,
    /// What may stand behind it.
    pub form: F,
    /// What holds without it, in words.
    pub without: &'static str,
    /// A value for the example, as TOML.
    pub example: &'static str,
    /// One sentence: what it is and what it trades.
    pub says: &'static str,
}

/// A key that must be there.
pub struct RequiredKey<F> {
    /// As the operator writes it.
    pub name: &'static str,
    /// What may stand behind it.
    pub form: F,
    /// A value for the example, as TOML.
    pub example: &'static str,
    /// One sentence: what it is and what it trades.
    pub says: &'static str,
}

/// What holds when a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// This value, as TOML.
    Default(&'static str),
    /// What these words say; the example shows a value, as TOML, behind a comment sign.
    Optional {
        /// In words.
        without: &'static str,
        /// As TOML.
        example: &'static str,
    },
    /// A fault.
    Required {
        /// As TOML.
        example: &'static str,
    },
}

/// A key as pages and readers see it, whatever its value's type.
pub trait Described: Sync {
    /// As the operator writes it.
    fn name(&self) -> &'static str;
    /// What may stand behind it: completes "expected ...".
    fn expects(&self) -> String;
    /// What holds without it.
    fn presence(&self) -> Presence;
    /// One sentence.
    fn says(&self) -> &'static str;
    /// Whether this TOML would be taken; tests ask it of every default and example.
    fn takes(&self, toml: &str) -> bool;
}

/// A table of a document.
pub struct Section {
    /// Its own name, the last part of its path; empty for the document itself.
    pub name: &'static str,
    /// How it is written.
    pub shape: Shape,
    /// One sentence or paragraph: what it is for.
    pub says: &'static str,
    /// Its keys, in the order of the example.
    pub keys: &'static [&'static dyn Described],
    /// Its sections, in the order of the example.
    pub sections: &'static [&'static Section],
    /// Keys that are known and not honoured by this version, each with the reason as a whole sentence.
    pub refused: &'static [(&'static str, &'static str)],
}

/// How a section is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `[name]`, in the example alive.
    Table,
    /// `name = { key = ... }` or `name.key = ...` within its parent; may be left out as a whole.
    Inline,
    /// `[[name]]`, or `name = [{ ... }]` within its parent.
    List {
        /// So many at most.
        at_most: usize,
    },
    /// `[parent.name.NAME]` for any NAME.
    Named {
        /// So many at most.
        at_most: usize,
        /// A NAME for the example.
        example: &'static str,
    },
}

impl Section {
    /// Every word that may stand in it.
    pub fn known(&self) -> impl Iterator<Item = &'static str> {
        let keys = self.keys.iter().map(|key| key.name());
        keys.chain(self.sections.iter().map(|section| section.name))
    }

    /// Where in this section or below a word is known, as full paths.
    pub fn find(&self, word: &str) -> Vec<String> {
        let here = self.known().filter(|known| *known == word);
        let mut found: Vec<String> = here.map(str::to_owned).collect();
        for section in self.sections {
            let below = section.find(word).into_iter();
            found.extend(below.map(|path| format!("{}.{path}", section.name_with_place())));
        }
        found
    }

    /// Its name as paths on pages spell it: `rule[]`, `group.NAME`.
    pub fn name_with_place(&self) -> String {
        match self.shape {
            Shape::Table | Shape::Inline => self.name.to_owned(),
            Shape::List { .. } => format!("{}[]", self.name),
            Shape::Named { .. } => format!("{}.NAME", self.name),
        }
    }
}

impl<F: Form> Described for Key<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn expects(&self) -> String {
        self.form.expects()
    }

    fn presence(&self) -> Presence {
        Presence::Default(self.default)
    }

    fn says(&self) -> &'static str {
        self.says
    }

    fn takes(&self, toml: &str) -> bool {
        self.form.read_toml(toml).is_some()
    }
}

impl<F: Form> Described for OptionalKey<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn expects(&self) -> String {
        self.form.expects()
    }

    fn presence(&self) -> Presence {
        Presence::Optional { without: self.without, example: self.example }
    }

    fn says(&self) -> &'static str {
        self.says
    }

    fn takes(&self, toml: &str) -> bool {
        self.form.read_toml(toml).is_some()
    }
}

impl<F: Form> Described for RequiredKey<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn expects(&self) -> String {
        self.form.expects()
    }

    fn presence(&self) -> Presence {
        Presence::Required { example: self.example }
    }

    fn says(&self) -> &'static str {
        self.says
    }

    fn takes(&self, toml: &str) -> bool {
        self.form.read_toml(toml).is_some()
    }
}
