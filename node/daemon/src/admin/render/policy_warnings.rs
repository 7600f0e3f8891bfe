//! What in a sound policy may not be what was meant, by the roster and the policy before it.
//!
//! Law PW1: a warning refuses nothing, and each names its rule, check or budget.
//! Not here: limits (see `policy_limits`), faults, which the ledger refuses (see `ledger::policy`).

use std::collections::{BTreeMap, BTreeSet};

use ledger::Ledger;
use ledger::document::nearest;
use ledger::policy::{MayEnrol, Mode, Policy, Rule};
use vocabulary::{GroupName, RemedyClass};

use super::{LISTED_MAX, policy_limits};
use crate::admin::answer::PolicyWarning;

/// Among so many groups the one that may be meant is looked for.
const GUESSED_MAX: usize = 1_000;

/// A policy and its version.
pub type Version<'p> = (u64, &'p Policy);

/// All of them, of `policy` in the place of `before`. At most some for each rule, check and budget that a policy may hold; the work grows
/// with the scopes of the roster.
pub fn warnings(
    ledger: &Ledger,
    before: Version<'_>,
    policy: &Policy,
) -> impl Iterator<Item = PolicyWarning> {
    let roster = ledger.roster();
    let groups = Groups(roster.present().map(|(_, entry)| &entry.claims.group).collect());
    let unmatched = |what: String, named| groups.unmatched(&what, named);
    let mut warnings = lost(before, policy);
    warnings.extend(acting(before, policy, &groups));
    let rules = policy.rules.iter();
    warnings
        .extend(rules.filter_map(|rule| unmatched(format!("rule {:?}", rule.name), &rule.groups)));
    warnings.extend(policy.rules.iter().filter_map(|rule| hidden(policy, rule, &groups)));
    let checks = policy.checks.iter();
    warnings.extend(
        checks.filter_map(|check| unmatched(format!("check {}", check.name), &check.groups)),
    );
    warnings.extend(policy.budget.group.keys().filter_map(|group| groups.unbudgeted(group)));
    warnings.extend(policy_limits::loosened(ledger, before, policy));
    warnings.extend(policy_limits::idle(ledger, policy));
    warnings.into_iter()
}

/// What a policy before it did and this one leaves out: nobody may miss it on a screen full of rules.
fn lost((version, old): Version<'_>, policy: &Policy) -> Vec<PolicyWarning> {
    let mut lost = Vec::new();
    if old.escalation.is_some() && policy.escalation.is_none() {
        let sentence = format!(
            "nobody is called any more: version {version} has a [pager], this has none, and a call is a line in the audit and the log"
        );
        lost.push(warning("NobodyIsCalled", sentence));
    }
    if old.hosts_may_enrol != policy.hosts_may_enrol
        && policy.hosts_may_enrol == MayEnrol::Certified
    {
        let sentence = format!(
            "whoever has a certificate of the cluster may enrol: version {version} wants a person's `hale host add` beside it"
        );
        lost.push(warning("AnybodyEnrols", sentence));
    }
    let gone = old.checks.iter().filter(|check| policy.check(&check.name).is_none());
    let mut gone: Vec<String> = gone.map(|check| format!("check {}", check.name)).collect();
    let ports = old.named_ports.iter().filter(|port| !policy.named_ports.contains(port));
    gone.extend(ports.map(|port| format!("port {port}")));
    if !gone.is_empty() {
        let sentence = format!("{} of version {version} is looked at no more", gone.join(", "));
        lost.push(warning("LooksAtLess", sentence));
    }
    lost
}

/// The groups that hold hosts of the roster.
struct Groups<'r>(BTreeSet<&'r GroupName>);

impl Groups<'_> {
    /// What names groups and none with a host, or one without.
    fn unmatched(&self, what: &str, named: &BTreeSet<GroupName>) -> Option<PolicyWarning> {
        let empty: Vec<String> = named
            .iter()
            .filter(|group| !self.0.contains(group))
            .enumerate()
            .map(|(nth, name)| if nth < LISTED_MAX { self.meant(name) } else { name.to_string() })
            .collect();
        if empty.is_empty() {
            return None;
        }
        let names = in_groups(&empty);
        Some(warning(
            "NoHost",
            if empty.len() == named.len() {
                format!("{what} matches no host: no host of the roster is in {names}")
            } else {
                format!("{what} names {names}, in which no host of the roster is")
            },
        ))
    }

    fn unbudgeted(&self, group: &GroupName) -> Option<PolicyWarning> {
        let name = self.meant(group);
        (!self.0.contains(group)).then(|| {
            warning(
                "NoHost",
                format!(
                    "budget.group.{group} is for no host: no host of the roster is in group {name}"
                ),
            )
        })
    }

    /// A name without hosts, and the one with hosts that it is near to.
    fn meant(&self, group: &GroupName) -> String {
        let given = group.as_str();
        // Of short names any two are near.
        let is_like = |name: &&str| given.len() > 4 || name.get(..1) == given.get(..1);
        let known = self.0.iter().take(GUESSED_MAX).map(|group| group.as_str());
        match nearest(given, known.filter(is_like)) {
            Some(near) => format!("{group} (is {near} meant?)"),
            None => group.to_string(),
        }
    }

    /// Those in which this rule decides.
    fn decided(&self, policy: &Policy, rule: &Rule) -> Vec<&GroupName> {
        self.0.iter().filter(|group| policy.decides(rule, group)).copied().collect()
    }
}

/// Rules above it answer its verdict in each of its groups that has hosts. One rule that does so alone is a fault (law Y5).
fn hidden(policy: &Policy, rule: &Rule, groups: &Groups<'_>) -> Option<PolicyWarning> {
    let covered: Vec<&&GroupName> = groups.0.iter().filter(|group| rule.covers(group)).collect();
    if covered.is_empty() || !groups.decided(policy, rule).is_empty() {
        return None;
    }
    let first = |group: &&&GroupName| policy.rule_for(&rule.verdict, group);
    let above: BTreeSet<String> =
        covered.iter().filter_map(first).map(|rule| format!("{:?}", rule.name)).collect();
    let (name, verdict) = (&rule.name, &rule.verdict);
    let above = listed(&above.into_iter().collect::<Vec<_>>(), "rule", "rules");
    Some(warning(
        "NeverDecides",
        format!(
            "rule {name:?} decides nothing: above it {above} decide on {verdict} in each of its groups that has hosts"
        ),
    ))
}

/// Where hale may do more from now on than before: something, something without asking, or something harsher.
fn acting(before: Version<'_>, policy: &Policy, groups: &Groups<'_>) -> Vec<PolicyWarning> {
    let mut warnings = Vec::new();
    for rule in policy.rules.iter().filter(|rule| rule.acts()) {
        let old = |group: &GroupName| before.1.rule_for(&rule.verdict, group);
        let mut begun: BTreeMap<(u8, String), Vec<String>> = BTreeMap::new();
        let mut harsher: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for group in groups.decided(policy, rule) {
            let (was, now) = (old(group), Some(rule));
            if reach(was) < reach(now) {
                let key = (reach(was), done_before(before.0, was, rule));
                begun.entry(key).or_default().push(group.to_string());
                continue;
            }
            let was = Worst::of(was, before.1, group);
            if let Some(words) = Worst::of(now, policy, group).beyond(was, before.0) {
                harsher.entry(words).or_default().push(group.to_string());
            }
        }
        warnings.extend(begun.into_iter().map(|((_, was), groups)| begins(rule, &groups, &was)));
        warnings.extend(harsher.into_iter().map(|(words, groups)| worse(rule, &groups, &words)));
    }
    warnings
}

fn reach(rule: Option<&Rule>) -> u8 {
    rule.map_or(0, |rule| rule.mode.reach())
}

/// What it does at worst without asking, and what at all; `None`: nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Worst {
    unasked: Option<RemedyClass>,
    at_all: Option<RemedyClass>,
}

impl Worst {
    fn of(rule: Option<&Rule>, policy: &Policy, group: &GroupName) -> Self {
        let classes = |asked: bool| {
            let rule = rule.filter(|rule| rule.acts())?;
            let is_stateful = policy.budget.of_group(group).stateful;
            let asks = |class: &RemedyClass| {
                rule.mode == Mode::Approve || is_stateful && *class == RemedyClass::Destructive
            };
            let classes = rule.ladder.iter().map(|rung| rung.command.class);
            classes.filter(|class| asked || !asks(class)).max()
        };
        Self { unasked: classes(false), at_all: classes(true) }
    }

    /// What of it goes beyond another one, in words.
    fn beyond(self, was: Self, version: u64) -> Option<String> {
        let before = |was: Option<RemedyClass>| match was {
            Some(was) => format!("by version {version} {was} at most"),
            None => format!("by version {version} nothing"),
        };
        if let Some(now) = self.unasked.filter(|_| self.unasked > was.unasked) {
            return Some(format!("may do what is {now} without asking: {}", before(was.unasked)));
        }
        let now = self.at_all.filter(|_| self.at_all > was.at_all)?;
        Some(format!("may do what is {now} when a person allows it: {}", before(was.at_all)))
    }
}

fn done_before(version: u64, was: Option<&Rule>, rule: &Rule) -> String {
    let Some(was) = was else {
        return format!("by version {version} nothing is done there");
    };
    let it = if was.name == rule.name { "it".to_owned() } else { format!("rule {:?}", was.name) };
    match was.mode {
        Mode::Observe => format!("version {version} only observes by {it}"),
        Mode::Shadow => format!("version {version} has {it} in shadow"),
        Mode::Approve | Mode::Act => {
            format!("version {version} asks a person before each remedy of {it}")
        }
    }
}

fn begins(Rule { name, verdict, mode, .. }: &Rule, new: &[String], was: &str) -> PolicyWarning {
    let how = if *mode == Mode::Approve { ", each time a person allows it" } else { "" };
    let place = in_groups(new);
    warning(
        "BeginsToAct",
        format!("rule {name:?} begins to act on {verdict} in {place}{how}: {was}"),
    )
}

fn worse(Rule { name, verdict, .. }: &Rule, groups: &[String], words: &str) -> PolicyWarning {
    let place = in_groups(groups);
    warning("HarsherRemedy", format!("rule {name:?} on {verdict} in {place} {words}"))
}

fn in_groups(names: &[String]) -> String {
    listed(names, "group", "groups")
}

/// Names as a part of a sentence; as many as fit a line.
fn listed(names: &[String], one: &str, many: &str) -> String {
    let what = if names.len() == 1 { one } else { many };
    let shown = names.iter().take(LISTED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED_MAX) {
        0 => format!("{what} {shown}"),
        more => format!("{what} {shown} and {more} more"),
    }
}

pub(super) fn warning(name: &str, sentence: String) -> PolicyWarning {
    PolicyWarning { name: name.to_owned(), sentence }
}
