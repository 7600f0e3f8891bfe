//! `hale policy diff`: which lines differ between a file and the policy in force, or between two versions.

use std::path::PathBuf;

use clap::Args;

use super::asking::{At, fresh, json};
use super::exit::{CommandFault, Exit};
use super::faults;
use super::table::clean;
use crate::admin::answer::{Answer, Body as _, PolicyDiff, PolicyInForce};
use crate::admin::difference::difference;
use crate::config;

/// Which texts are compared.
#[derive(Clone, Debug, Args)]
pub struct Diff {
    /// The file that is compared with the policy in force; without one, two versions are.
    #[arg(value_name = "FILE", conflicts_with = "to")]
    file: Option<PathBuf>,
    /// Whose lines go: without it the version in force where a file is given, else the one before `--to`.
    #[arg(long, value_name = "N")]
    from: Option<u64>,
    /// Whose lines come: without it the version in force.
    #[arg(long, value_name = "M")]
    to: Option<u64>,
    /// End with 3 where they differ.
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    at: At,
}

impl Diff {
    /// Does it.
    pub fn run(self) -> Result<(), CommandFault> {
        let ask = |version| self.at.client().ask_and_wait::<PolicyInForce>(&path_of(version));
        let named = |policy: &PolicyInForce| format!("version {}", policy.version);
        let answer = ask(if self.file.is_some() { self.from } else { self.to })?;
        let (kept, version) = (&answer.data, named(&answer.data));
        let diff = if let Some(file) = &self.file {
            let told = |found: Vec<_>| faults::told(Exit::Failed, &found, "");
            let (name, text) = config::text_of(file).map_err(told)?;
            difference((&version, &kept.text), (&name, &text))
        } else {
            let before = self.from.or(kept.version.checked_sub(1)).ok_or_else(nothing_before)?;
            let before = ask(Some(before))?.data;
            difference((&named(&before), &before.text), (&version, &kept.text))
        };
        self.show(Answer {
            schema: PolicyDiff::SCHEMA.to_owned(),
            as_of: answer.as_of,
            age_ms: answer.age_ms,
            fresh: answer.fresh,
            data: diff,
        })
    }

    fn show(&self, answer: Answer<PolicyDiff>) -> Result<(), CommandFault> {
        if self.at.json {
            json(&answer)?;
        } else {
            faults::print(&differing(&answer.data))?;
        }
        fresh(&answer)?;
        let PolicyDiff { from, to, unified, .. } = &answer.data;
        if self.exit_code && !unified.is_empty() {
            let sentence = clean(&format!("{to} differs from {from}"));
            return Err(CommandFault::new(Exit::ConditionFalse, sentence));
        }
        Ok(())
    }
}

/// The texts, line by line.
pub fn differing(diff: &PolicyDiff) -> String {
    let PolicyDiff { from, to, removed, added, unified, left_out } = diff;
    if unified.is_empty() {
        return format!("{} has the text of {}: no line differs\n", clean(to), clean(from));
    }
    let mut screen: String = unified.lines().map(|line| clean(line) + "\n").collect();
    if *left_out > 0 {
        let lines = format!("{removed} lines go and {added} come in all");
        screen.push_str(&format!("... and {left_out} more lines of this: {lines}\n"));
    }
    screen
}

/// Version 0 is the first.
fn nothing_before() -> CommandFault {
    CommandFault::failed(
        "version 0 is no policy, and there is none before it: name a FILE, or two versions of `hale policy history`",
    )
}

/// A version's, or that of the policy in force.
pub fn path_of(version: Option<u64>) -> String {
    match version {
        Some(version) => format!("/v1/policy?version={version}"),
        None => "/v1/policy".to_owned(),
    }
}
