//! `hale policy`: a live example of `policy.toml`, every fault of one at once, and the policy of the mesh.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ledger::policy::Policy;

use super::asking::{At, Screen, Why};
use super::exit::{CommandFault, Exit};
use super::faults;
use super::list::List;
use super::policy_diff::{Diff, path_of};
use super::table::{Clock, Table, clean};
use crate::admin::answer::{Answer, Ordered, PolicyInForce, PolicyOrder, RollbackOrder};
use crate::config;

/// What can be asked of `hale policy`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print a live policy with every key explained; as printed it only observes.
    Example,
    /// Name every fault of a policy at once. Asks no agent: the ledger checks again when it is applied.
    Check {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Set the policy of the whole mesh; checked here first, and again by every keeper. `--dry-run` shows what it changes.
    Apply(Apply),
    /// Which lines differ: a file and the policy in force, or two versions.
    Diff(Diff),
    /// Set the text of an earlier version anew, as the next version.
    Rollback(Rollback),
    /// Print the policy in force, as it was given.
    Show {
        /// Another version that can be read back.
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        /// Where.
        #[command(flatten)]
        at: At,
    },
    /// Which versions there were, who set them and why.
    History {
        /// How.
        #[command(flatten)]
        list: List,
    },
}

/// Which policy is set, and why.
#[derive(Clone, Debug, Args)]
pub struct Apply {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    why: Why,
    /// Refuse unless this version is in force, so that nobody's change is lost.
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
    /// Beside `--dry-run`: end with 3 where there are warnings.
    #[arg(long, requires = "dry_run")]
    check: bool,
    #[command(flatten)]
    at: At,
}

/// Which version comes back, and why.
#[derive(Clone, Debug, Args)]
pub struct Rollback {
    /// The version whose text is set anew; 0 is no policy: the mesh only observes.
    #[arg(value_name = "N")]
    version: u64,
    #[command(flatten)]
    why: Why,
    /// Refuse unless this version is in force, so that nobody's change is lost.
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
    /// Beside `--dry-run`: end with 3 where there are warnings.
    #[arg(long, requires = "dry_run")]
    check: bool,
    #[command(flatten)]
    at: At,
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Example => faults::print(&Policy::example()),
        Verb::Check { file } => check(&file),
        Verb::Apply(apply) => apply.run(),
        Verb::Diff(diff) => diff.run(),
        Verb::Rollback(rollback) => rollback.run(),
        Verb::Show { version, at } => show(version, at),
        Verb::History { list } => list.show("/v1/policy", history),
    }
}

fn check(file: &Path) -> Result<(), CommandFault> {
    let (name, _, policy) = read(file)?;
    let acting = policy.rules.iter().filter(|rule| rule.acts()).count();
    faults::print(&format!(
        "{name}: sound; {} rules, {acting} of them may act; digest {}\n",
        policy.rules.len(),
        policy.digest()
    ))
}

fn read(file: &Path) -> Result<(String, String, Policy), CommandFault> {
    let said = |found: &[_], text: &str| faults::told(Exit::Failed, found, text);
    let (name, text) = config::text_of(file).map_err(|found| said(&found, ""))?;
    let policy = Policy::read(&name, &text).map_err(|found| said(&found, &text))?;
    Ok((name, text, policy))
}

impl Apply {
    fn run(self) -> Result<(), CommandFault> {
        let (_, text, _) = read(&self.file)?;
        let Why { why, dry_run } = self.why;
        let order = PolicyOrder { text, why, if_version: self.if_version };
        let ordered = self.at.ordered("/v1/policy", &order, dry_run)?;
        if self.check { calm(&ordered) } else { Ok(()) }
    }
}

impl Rollback {
    fn run(self) -> Result<(), CommandFault> {
        let Why { why, dry_run } = self.why;
        let order = RollbackOrder { version: self.version, why, if_version: self.if_version };
        let ordered = self.at.ordered("/v1/policy/rollback", &order, dry_run)?;
        if self.check { calm(&ordered) } else { Ok(()) }
    }
}

/// For scripts: whether there is nothing that a person should look at.
fn calm(ordered: &Ordered) -> Result<(), CommandFault> {
    match ordered.policy.as_ref().map(|change| change.warnings.len()) {
        Some(0) => Ok(()),
        Some(_) => Err(CommandFault::new(Exit::ConditionFalse, "there are warnings".to_owned())),
        None => Err(CommandFault::failed(
            "this agent judges no policy: it may be older than this command",
        )),
    }
}

fn show(version: Option<u64>, at: At) -> Result<(), CommandFault> {
    Screen::plain(at).show(&path_of(version), text).map(drop)
}

/// The document itself, so that it can be written to a file and applied again; without one, why.
fn text(answer: &Answer<PolicyInForce>, _: &Screen) -> String {
    let PolicyInForce { version, text, is_in_force, history } = &answer.data;
    if *version == 0 && !is_in_force {
        return "# version 0 is what a mesh has before its first policy: it only observes\n"
            .to_owned();
    }
    if *version == 0 {
        return "# this mesh only observes: it was never given a policy. `hale policy example` prints one,\n\
                # `hale policy apply FILE --why ...` sets it\n"
            .to_owned();
    }
    if text.is_empty() {
        let line = history.iter().find(|line| line.version == *version);
        let by =
            line.map_or_else(String::new, |line| format!(", set by {}: {}", line.who, line.why));
        return clean(&format!("# version {version} is no policy, the mesh only observes{by}"))
            + "\n";
    }
    if text.ends_with('\n') { text.clone() } else { format!("{text}\n") }
}

fn history(policy: &PolicyInForce, clock: Clock) -> Result<Table, String> {
    let lines = &policy.history;
    if lines.is_empty() {
        return Err("no policy was ever set: `hale policy example` prints one, `hale policy apply FILE --why ...` sets it".into());
    }
    let mut table = Table::new(&["version", "set", "by", "digest", "why"]);
    for line in lines {
        table.row([
            line.version.to_string(),
            clock.moment(&line.set),
            line.who.clone(),
            line.digest.chars().take(12).collect(),
            line.why.clone(),
        ]);
    }
    Ok(table)
}
