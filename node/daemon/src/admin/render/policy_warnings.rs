//! What in a sound policy may not be what was meant, by the roster and the policy before it.
//!
//! Law PW1: a warning refuses nothing, and each names its rule, check or budget.
//! Not here: faults, which the ledger refuses (see `ledger::policy`).

use std::collections::{BTreeMap, BTreeSet};

use ledger::Ledger;
use ledger::document::nearest;
use ledger::policy::{MayEnrol, Mode, Policy, Rule};
use ledger::refusal::ScopeName;
use vocabulary::{GroupName, RemedyClass, Scope};

use super::LISTED_MAX;
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
    warnings.extend(empty_budgets(ledger, policy));
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
    for rule in policy.rules.iter().filter(|rule| reach(Some(rule)) > 0) {
        let old = |group: &GroupName| before.1.rule_for(&rule.verdict, group);
        let mut begun: BTreeMap<(u8, String), Vec<String>> = BTreeMap::new();
        let mut harsher: BTreeMap<(Option<RemedyClass>, RemedyClass), Vec<String>> =
            BTreeMap::new();
        for group in groups.decided(policy, rule) {
            let (was, now) = (old(group), Some(rule));
            if reach(was) < reach(now) {
                let key = (reach(was), done_before(before.0, was, rule));
                begun.entry(key).or_default().push(group.to_string());
                continue;
            }
            let (was, now) = (harshest(was, before.1, group), harshest(now, policy, group));
            if let Some(now) = now.filter(|now| was < Some(*now)) {
                harsher.entry((was, now)).or_default().push(group.to_string());
            }
        }
        warnings.extend(begun.into_iter().map(|((_, was), groups)| begins(rule, &groups, &was)));
        warnings.extend(
            harsher.into_iter().map(|(classes, groups)| worse(before.0, rule, &groups, classes)),
        );
    }
    warnings
}

/// How far a rule goes on its own: nothing, what a person allows, all that its ladder says.
fn reach(rule: Option<&Rule>) -> u8 {
    match rule.map(|rule| rule.mode) {
        None | Some(Mode::Observe | Mode::Shadow) => 0,
        Some(Mode::Approve) => 1,
        Some(Mode::Act) => 2,
    }
}

/// What it does at worst without asking; where it asks before each, at worst at all.
fn harshest(rule: Option<&Rule>, policy: &Policy, group: &GroupName) -> Option<RemedyClass> {
    let rule = rule?;
    let asks_of_worst = rule.mode == Mode::Act && policy.budget.of_group(group).stateful;
    let classes = rule.ladder.iter().map(|rung| rung.command.class);
    classes.filter(|class| !(asks_of_worst && *class == RemedyClass::Destructive)).max()
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

fn worse(
    version: u64,
    rule: &Rule,
    groups: &[String],
    (was, now): (Option<RemedyClass>, RemedyClass),
) -> PolicyWarning {
    let Rule { name, verdict, .. } = rule;
    let was = match was {
        Some(was) => format!("what it may do there is {was} at most"),
        None => "a person is asked before all that it does there".to_owned(),
    };
    let place = in_groups(groups);
    let sentence = format!(
        "rule {name:?} may do what is {now} on {verdict} in {place}: by version {version} {was}"
    );
    warning("HarsherRemedy", sentence)
}

/// Budgets by which nothing is ever repaired: shares of small scopes that round down to none.
fn empty_budgets(ledger: &Ledger, policy: &Policy) -> Vec<PolicyWarning> {
    let mut empty: BTreeMap<(String, (&str, &str)), Vec<String>> = BTreeMap::new();
    for (scope, hosts) in ledger.scopes() {
        let Some(budget) = policy.budget.of(scope).filter(|_| hosts > 0) else {
            continue;
        };
        // A floor of all of a scope lets only what is gentle be done in it.
        let is_floored = budget.floor.is_some_and(|floor| floor.of(hosts) >= hosts);
        let why = match (budget.in_flight.of(hosts), is_floored) {
            (0, _) => ("lets nothing be repaired", "in_flight and at_least come to none there"),
            (_, true) => {
                ("lets nothing but what is gentle be done", "its floor is all of the hosts there")
            }
            _ => continue,
        };
        let scopes = empty.entry((table_of(scope, policy), why)).or_default();
        scopes.push(ScopeName(scope).to_string());
    }
    let told = |((table, (what, why)), scopes): ((String, (&str, &str)), Vec<String>)| {
        let (first, more) = (&scopes[0], scopes.len() - 1);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        warning("NothingInFlight", format!("{table} {what} in {first}{more}: {why}"))
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

fn warning(name: &str, sentence: String) -> PolicyWarning {
    PolicyWarning { name: name.to_owned(), sentence }
}
