//! What in a sound policy may not be what was meant, by the roster and the policy before it.
//!
//! Law PW1: a warning refuses nothing, and each names its rule, check or budget.
//! Not here: faults, which the ledger refuses (see `ledger::policy`).

use std::collections::{BTreeMap, BTreeSet};

use ledger::Ledger;
use ledger::document::nearest;
use ledger::policy::{Mode, Policy, Rule};
use ledger::refusal::ScopeName;
use vocabulary::{GroupName, Scope};

use super::listed;
use crate::admin::answer::PolicyWarning;

/// All of them. Bounded by what a policy may hold: its rules, checks and budgets.
pub fn warnings(before: &Ledger, policy: &Policy) -> Vec<PolicyWarning> {
    let roster = before.roster();
    let groups = Groups(roster.present().map(|(_, entry)| &entry.claims.group).collect());
    let mut warnings = acting(before, policy, &groups);
    warnings.extend(
        policy
            .rules
            .iter()
            .filter_map(|rule| groups.unmatched(&format!("rule {:?}", rule.name), &rule.groups)),
    );
    warnings.extend(policy.rules.iter().filter_map(|rule| hidden(policy, rule, &groups)));
    warnings.extend(
        policy
            .checks
            .iter()
            .filter_map(|check| groups.unmatched(&format!("check {}", check.name), &check.groups)),
    );
    warnings.extend(policy.budget.group.keys().filter_map(|group| groups.unbudgeted(group)));
    warnings.extend(empty_budgets(before, policy));
    warnings
}

/// The groups that hold hosts of the roster.
struct Groups<'r>(BTreeSet<&'r GroupName>);

impl Groups<'_> {
    /// What names groups and none with a host, or one without.
    fn unmatched(&self, what: &str, named: &BTreeSet<GroupName>) -> Option<PolicyWarning> {
        let empty: Vec<String> = named
            .iter()
            .filter(|group| !self.0.contains(group))
            .map(|name| self.meant(name))
            .collect();
        if empty.is_empty() {
            return None;
        }
        let names = listed(&empty);
        Some(warning(
            "NoHost",
            if empty.len() == named.len() {
                format!("{what} matches no host: no host of the roster is in group {names}")
            } else {
                format!("{what} names group {names}, in which no host of the roster is")
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
        let known = self.0.iter().map(|group| group.as_str());
        match nearest(group.as_str(), known) {
            Some(near) if near != group.as_str() => format!("{group} (is {near} meant?)"),
            _ => group.to_string(),
        }
    }

    /// Those in which this rule decides.
    fn decided<'p>(&self, policy: &'p Policy, rule: &'p Rule) -> Vec<&GroupName> {
        let decides = |group: &&&GroupName| {
            policy.rule_for(&rule.verdict, group).is_some_and(|first| first.name == rule.name)
        };
        self.0.iter().filter(decides).copied().collect()
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
    let above = listed(&above.into_iter().collect::<Vec<_>>());
    Some(warning(
        "NeverDecides",
        format!(
            "rule {name:?} decides nothing: above it {above} answer {verdict} in each group of its that has hosts"
        ),
    ))
}

/// Where hale may do more from now on than before: something, or something without asking.
fn acting(before: &Ledger, policy: &Policy, groups: &Groups<'_>) -> Vec<PolicyWarning> {
    let old = before.policy();
    let begins = |rule: &Rule| {
        let before_it = |group: &GroupName| reach(old.rule_for(&rule.verdict, group));
        let decided = groups.decided(policy, rule).into_iter();
        let new: Vec<&GroupName> =
            decided.filter(|group| before_it(group) < reach(Some(rule))).collect();
        let asked = new.iter().any(|group| before_it(group) > 0);
        let was = old.rules.iter().find(|was| was.name == rule.name);
        let did_less = was.is_some_and(|was| reach(Some(was)) < reach(Some(rule)));
        (!new.is_empty() || did_less).then(|| begun(before, rule, (&new, asked), was))
    };
    policy.rules.iter().filter_map(begins).collect()
}

/// How far a rule goes on its own: nothing, what a person allows, all that its ladder says.
fn reach(rule: Option<&Rule>) -> u8 {
    match rule.map(|rule| rule.mode) {
        None | Some(Mode::Observe | Mode::Shadow) => 0,
        Some(Mode::Approve) => 1,
        Some(Mode::Act) => 2,
    }
}

fn begun(
    before: &Ledger,
    rule: &Rule,
    (new, asked): (&[&GroupName], bool),
    was: Option<&Rule>,
) -> PolicyWarning {
    let Rule { name, verdict, mode, .. } = rule;
    let version = before.policy_shelf().version();
    let how = if *mode == Mode::Approve { ", each time a person allows it" } else { "" };
    let place = match new {
        [] => format!("on {verdict}, where other rules did before"),
        _ => {
            let names: Vec<String> = new.iter().copied().map(GroupName::to_string).collect();
            format!("on {verdict} in group {}", listed(&names))
        }
    };
    let was = match was.map(|was| was.mode) {
        None => "it is new".to_owned(),
        Some(Mode::Observe) => format!("version {version} only observes by it"),
        Some(Mode::Shadow) => format!("version {version} has it in shadow"),
        Some(Mode::Approve) if *mode == Mode::Act => {
            format!("version {version} asks a person before each remedy of it")
        }
        Some(_) if asked => format!("by version {version} a person is asked there"),
        Some(_) => format!("by version {version} nothing is done there"),
    };
    warning("BeginsToAct", format!("rule {name:?} begins to act {place}{how}: {was}"))
}

/// Budgets by which nothing is ever repaired: shares of small scopes that round down to none.
fn empty_budgets(before: &Ledger, policy: &Policy) -> Vec<PolicyWarning> {
    let mut empty: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in before.budgets() {
        let budget = policy.budget.of(&line.scope);
        if budget.is_none_or(|budget| line.hosts == 0 || budget.in_flight.of(line.hosts) > 0) {
            continue;
        }
        let of_scope = empty.entry(table_of(&line.scope, policy)).or_default();
        of_scope.push(ScopeName(&line.scope).to_string());
    }
    let told = |(table, scopes): (String, Vec<String>)| {
        let (first, more) = (&scopes[0], scopes.len() - 1);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let why = "in_flight and at_least come to none there";
        warning(
            "NothingInFlight",
            format!("{table} lets nothing be repaired in {first}{more}: {why}"),
        )
    };
    empty.into_iter().map(told).collect()
}

/// The table of the document that is the budget of this scope.
fn table_of(scope: &Scope, policy: &Policy) -> String {
    match scope {
        Scope::Zone(_) => "budget.zone".to_owned(),
        Scope::Rack(_) => "budget.rack".to_owned(),
        Scope::Group(group) if policy.budget.group.contains_key(group) => {
            format!("budget.group.{group}")
        }
        Scope::Group(_) => "budget.any_group".to_owned(),
        Scope::Fleet | Scope::Host(_) => "budget.fleet".to_owned(),
    }
}

fn warning(name: &str, sentence: String) -> PolicyWarning {
    PolicyWarning { name: name.to_owned(), sentence }
}
