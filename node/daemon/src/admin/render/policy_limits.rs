//! What the limits of a sound policy come to on this roster: what they hold less than those before, and what they hold altogether.
//!
//! Law PW1: a warning refuses nothing, and each names its rule, check or budget.
//! Not here: rules, checks and what else a policy says (see `policy_warnings`).

use std::collections::BTreeMap;

use ledger::Ledger;
use ledger::policy::{Budget, Policy, Rule};
use ledger::refusal::ScopeName;
use vocabulary::{GroupName, RemedyClass, Scope, VerdictKind};

use super::policy_warnings::{Version, warning};
use crate::admin::answer::PolicyWarning;

/// The limits that hold less on this roster than in the policy before, by table. Where nothing was done or nothing is, none limits.
pub fn loosened(
    ledger: &Ledger,
    (version, old): Version<'_>,
    policy: &Policy,
) -> Vec<PolicyWarning> {
    let acts = |policy: &Policy| policy.rules.iter().any(Rule::acts);
    if !acts(old) || !acts(policy) {
        return Vec::new();
    }
    let mut looser: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (scope, hosts) in ledger.scopes().filter(|(_, hosts)| *hosts > 0) {
        if let (Some(was), Some(is)) = (old.budget.of(scope), policy.budget.of(scope)) {
            let keys = loosened_keys(was, is, hosts).join(", ");
            if !keys.is_empty() {
                let scopes = looser.entry((table_of(scope, policy), keys)).or_default();
                scopes.push(ScopeName(scope).to_string());
            }
        }
    }
    let told = |((table, keys), scopes): ((String, String), Vec<String>)| {
        let place = first_of(&scopes);
        let sentence = format!("{table} allows more than version {version} in {place}: {keys}");
        warning("LimitsLess", sentence)
    };
    looser.into_iter().map(told).collect()
}

/// The keys that allow more in a scope of so many hosts.
fn loosened_keys(was: &Budget, is: &Budget, hosts: u32) -> Vec<&'static str> {
    // Taken apart by name, so that a new limit cannot be forgotten here.
    let Budget { in_flight: _, halt_above, per_hour, floor, per_day, stateful } = *is;
    let rises =
        |was: Option<u32>, is: Option<u32>| was.is_some_and(|was| is.is_none_or(|is| is > was));
    let halts = [was.halt_above, halt_above].map(|halt| halt.map(|halt| halt.of(hosts)));
    let floors = [was.floor, floor].map(|floor| floor.map_or(0, |floor| floor.of(hosts)));
    let keys = [
        ("in_flight", is.most_in_flight(hosts) > was.most_in_flight(hosts)),
        ("halt_above", rises(halts[0], halts[1])),
        ("per_hour", rises(was.per_hour, per_hour)),
        ("per_day", rises(was.per_day, per_day)),
        ("floor", floors[1] < floors[0]),
        ("stateful", was.stateful && !stateful),
    ];
    keys.into_iter().filter(|(_, is_looser)| *is_looser).map(|(key, _)| key).collect()
}

/// Where the limits let nothing be done, or nothing of what a rule is for.
pub fn idle(ledger: &Ledger, policy: &Policy) -> Vec<PolicyWarning> {
    let mut empty: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut warnings = Vec::new();
    for (scope, hosts) in ledger.scopes().filter(|(_, hosts)| *hosts > 0) {
        let Some(budget) = policy.budget.of(scope) else {
            continue;
        };
        if budget.most_in_flight(hosts) == 0 {
            let scopes = empty.entry(table_of(scope, policy)).or_default();
            scopes.push(ScopeName(scope).to_string());
        }
        if let Scope::Group(group) = scope
            && budget.floor.is_some_and(|floor| floor.of(hosts) >= hosts)
            && let Some(rule) =
                policy.rules.iter().find(|rule| waits_for_floor(rule, policy, group))
        {
            let name = &rule.name;
            let sentence = format!(
                "{}: the floor of group {group} is all of its hosts, so that rule {name:?} does nothing there but what is gentle",
                table_of(scope, policy)
            );
            warnings.push(warning("FloorOfAll", sentence));
        }
    }
    let told = |(table, scopes): (String, Vec<String>)| {
        let place = first_of(&scopes);
        let why = "in_flight and at_least come to none there";
        warning("NothingInFlight", format!("{table} lets nothing be repaired in {place}: {why}"))
    };
    warnings.extend(empty.into_iter().map(told));
    warnings
}

fn first_of(scopes: &[String]) -> String {
    match scopes {
        [] => String::new(),
        [only] => only.clone(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

/// protocol 6.1: the floor holds what takes a host away that may still serve.
fn waits_for_floor(rule: &Rule, policy: &Policy, group: &GroupName) -> bool {
    let may_serve = matches!(rule.verdict, VerdictKind::AgentDown | VerdictKind::HostHung);
    let is_harsh = rule.ladder.iter().any(|rung| rung.command.class != RemedyClass::Gentle);
    rule.acts() && may_serve && is_harsh && policy.decides(rule, group)
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
