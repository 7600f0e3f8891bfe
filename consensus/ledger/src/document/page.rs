//! The example file and the reference page, both written from the definitions that the reader reads by.
//!
//! Law E1: an example is alive: as printed it reads as exactly the defaults (or, where keys are required, as a working
//! file), and with its `#: ` signs taken away it still reads.

use std::collections::BTreeSet;

use super::key::{Described, Presence, Section, Shape};

/// Width of an explaining line; fits a terminal of 100 with room for a line number.
const WIDTH: usize = 92;

/// Stands before what would hold only if it were taken away; `# ` stands before words.
const SLEEPING: &str = "#: ";

/// A live file with every key explained.
pub fn example(root: &Section) -> String {
    let mut page = Example { text: String::new(), explained: BTreeSet::new() };
    page.words(root.says);
    page.section(root, "", false);
    page.text
}

struct Example {
    text: String,
    explained: BTreeSet<String>,
}

impl Example {
    fn section(&mut self, section: &Section, path: &str, is_asleep: bool) {
        for key in section.keys {
            self.key(*key, "", is_asleep);
        }
        for below in section.sections {
            self.below(below, path, is_asleep);
        }
    }

    fn below(&mut self, section: &Section, parent: &str, is_asleep: bool) {
        let path = if parent.is_empty() {
            section.name.to_owned()
        } else {
            format!("{parent}.{}", section.name)
        };
        match section.shape {
            Shape::Table => {
                self.head(section, &format!("[{path}]"), is_asleep);
                self.section(section, &path, is_asleep);
            }
            Shape::Named { example, .. } => {
                let path = format!("{path}.{example}");
                self.head(section, &format!("[{path}]"), true);
                self.section(section, &path, true);
            }
            Shape::List { .. } => {
                self.head(section, &format!("[[{path}]]"), true);
                self.section(section, &path, true);
            }
            Shape::Inline => self.inline(section),
        }
    }

    fn head(&mut self, section: &Section, head: &str, is_asleep: bool) {
        self.text.push('\n');
        self.explain(section.says);
        self.line(head, is_asleep);
    }

    fn inline(&mut self, section: &Section) {
        self.explain(section.says);
        for key in section.keys {
            self.key(*key, &format!("{}.", section.name), true);
        }
    }

    fn key(&mut self, key: &dyn Described, prefix: &str, is_asleep: bool) {
        let (value, note) = match key.presence() {
            Presence::Default(value) => (value, String::new()),
            Presence::Required { example } => (example, "; required".to_owned()),
            Presence::Optional { example, without } => {
                (example, format!("; without it: {without}"))
            }
        };
        self.explain(&format!("{}\n({}{note})", key.says(), key.expects()));
        let is_left_out = matches!(key.presence(), Presence::Optional { .. });
        let line = format!("{prefix}{} = {value}", key.name());
        self.line(&line, is_asleep || is_left_out);
    }

    /// What several scopes share is said once.
    fn explain(&mut self, words: &str) {
        if self.explained.insert(words.to_owned()) {
            self.words(words);
        }
    }

    fn words(&mut self, words: &str) {
        for paragraph in words.lines() {
            for line in wrapped(paragraph) {
                self.text.push_str(format!("# {line}").trim_end());
                self.text.push('\n');
            }
        }
    }

    fn line(&mut self, line: &str, is_asleep: bool) {
        if is_asleep {
            self.text.push_str(SLEEPING);
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn wrapped(paragraph: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in paragraph.split(' ') {
        let last = lines.last_mut().expect("there is a first line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// The reference page in Markdown: every section and key with its default, range and sentence.
pub fn reference(title: &str, root: &Section) -> String {
    let mut page = format!("# {title}\n\n{}\n", root.says);
    tell(root, String::new(), &mut page);
    page
}

fn tell(section: &Section, path: String, page: &mut String) {
    if !section.keys.is_empty() {
        page.push_str("\n| key | takes | without it | what it trades |\n|---|---|---|---|\n");
    }
    for key in section.keys {
        let without = match key.presence() {
            Presence::Default(value) => format!("`{value}`"),
            Presence::Optional { without, .. } => without.to_owned(),
            Presence::Required { .. } => "a fault: it must be there".to_owned(),
        };
        let row = [format!("`{}`", key.name()), key.expects(), without, key.says().to_owned()];
        page.push_str(&format!("| {} |\n", row.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    if !section.refused.is_empty() {
        page.push_str("\nKnown, and refused by this version:\n\n");
    }
    for (word, why) in section.refused {
        page.push_str(&format!("- `{word}`: {why}\n"));
    }
    for below in section.sections {
        let name = below.name_with_place();
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        page.push_str(&format!("\n## `{path}`\n\n{}\n", below.says));
        tell(below, path, page);
    }
}
