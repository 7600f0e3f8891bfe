//! Policy text to checked policy.
//!
//! Law Y5: a rule that could never be reached, or two keys at odds, are faults too: nothing is silently without effect.
//! Not here: the keys (see `keys`), and how a document is read (see `document`).

mod checks;

use std::collections::{BTreeMap, BTreeSet};

use vocabulary::actuation::CommandRemedy;
use vocabulary::{GroupName, RemedyClass, Span, VerdictKind};

use super::keys::{self, budget::ScopeKeys};
use super::{
    Attempts, Budget, Budgets, Escalation, Floor, HaltAbove, InFlight, MayEnrol, Mode, Policy,
    Rule, Rung, Share, Timers,
};
use crate::document::{self, Fault, Reader, Section, Table};
use crate::rules;

impl Policy {
    /// Reads a policy's text; `file` is only named in faults.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::read_under(rules::NEWEST, file, text)
    }

    /// The same as a mesh under these rules takes it (protocol 1.6): a key that they do not know yet is a fault.
    pub fn read_under(mesh_rules: u32, file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        document::read(file, text, &keys::POLICY, |reader, root| {
            let timers = timers(reader, root, mesh_rules);
            let (rules, checks) = (
                rules_of(reader, root, (&timers, mesh_rules)),
                checks::checks(reader, root, mesh_rules),
            );
            Some(Self {
                budget: budgets(reader, root, mesh_rules),
                rules: rules?,
                timers,
                escalation: escalation(reader, root),
                named_ports: named_ports(reader, root),
                hosts_may_enrol: hosts_may_enrol(reader, root, mesh_rules),
                checks: checks?,
            })
        })
    }

    /// A live policy with every key explained; as printed it means [`Policy::default`].
    pub fn example() -> String {
        document::example(&keys::POLICY)
    }

    /// The reference page, in Markdown.
    pub fn reference() -> String {
        document::reference("policy.toml", &keys::POLICY)
    }

    /// The definition of every key.
    pub fn definition() -> &'static Section {
        &keys::POLICY
    }
}

fn budgets<'d>(reader: &mut Reader<'d>, root: &Table<'d>, mesh_rules: u32) -> Budgets {
    let parent = reader.table(root, &keys::budget::BUDGET);
    let fleet = reader.table(&parent, &keys::budget::FLEET);
    let zone = reader.table(&parent, &keys::budget::ZONE);
    let rack = reader.table(&parent, &keys::budget::RACK);
    let any_group = reader.table(&parent, &keys::budget::ANY_GROUP);
    let mut group = BTreeMap::new();
    for (name, table) in reader.named(&parent, &keys::budget::GROUP) {
        group.insert(GroupName(name), group_budget(reader, &table, mesh_rules));
    }
    Budgets {
        fleet: budget(reader, &fleet, &keys::budget::FLEET_KEYS, mesh_rules),
        zone: budget(reader, &zone, &keys::budget::ZONE_KEYS, mesh_rules),
        rack: budget(reader, &rack, &keys::budget::RACK_KEYS, mesh_rules),
        any_group: group_budget(reader, &any_group, mesh_rules),
        group,
    }
}

fn group_budget<'d>(reader: &mut Reader<'d>, table: &Table<'d>, mesh_rules: u32) -> Budget {
    let stateful = &keys::budget::STATEFUL;
    of_the_second(reader, table, mesh_rules, (stateful.name, keys::budget::NOTHING_STATEFUL));
    Budget {
        floor: reader.take(table, &keys::budget::FLOOR).map(Floor),
        stateful: reader.take_optional(table, stateful).unwrap_or_default(),
        ..budget(reader, table, &keys::budget::GROUP_KEYS, mesh_rules)
    }
}

fn budget<'d>(
    reader: &mut Reader<'d>,
    table: &Table<'d>,
    keys: &ScopeKeys,
    mesh_rules: u32,
) -> Budget {
    let (keys, per_day) = (keys.under(mesh_rules), &keys::budget::PER_DAY);
    of_the_second(reader, table, mesh_rules, (per_day.name, keys::budget::NO_DAYS));
    let share = reader.take(table, &keys.in_flight);
    let at_least = reader.take(table, &keys.at_least);
    let is_below = matches!(share, Share::Count(count) if count < at_least);
    if is_below && table.has(keys.at_least.name) {
        let why = format!("in_flight is {share} here, which is less");
        reader.contradiction(table, keys.at_least.name, why);
    }
    Budget {
        in_flight: InFlight { share, at_least },
        halt_above: reader.take(table, &keys.halt_above).map(HaltAbove),
        per_hour: reader.take(table, &keys.per_hour),
        floor: None,
        per_day: reader.take_optional(table, per_day),
        stateful: false,
    }
}

/// `None` is always beside a fault.
fn rules_of<'d>(
    reader: &mut Reader<'d>,
    root: &Table<'d>,
    (timers, mesh_rules): (&Timers, u32),
) -> Option<Vec<Rule>> {
    let mut read: Vec<Rule> = Vec::new();
    let mut is_whole = true;
    for table in reader.tables(root, &keys::rule::RULE) {
        match rule(reader, &table, timers) {
            Some(rule) => {
                check_against_earlier(reader, &table, &rule, &read);
                if mesh_rules >= rules::SECOND {
                    check_classes(reader, &table, &rule);
                } else if let Some(why) = unknown_to_the_first(rule.mode) {
                    reader.contradiction(&table, keys::rule::MODE.name, why);
                }
                read.push(rule);
            }
            None => is_whole = false,
        }
    }
    is_whole.then_some(read)
}

fn rule<'d>(reader: &mut Reader<'d>, table: &Table<'d>, timers: &Timers) -> Option<Rule> {
    let name = reader.take_required(table, &keys::rule::RULE_NAME);
    let when = reader.required_table(table, &keys::rule::WHEN);
    let verdict = when.and_then(|when| reader.take_required(&when, &keys::rule::VERDICT));
    let groups = reader.take(table, &keys::rule::GROUPS);
    let mode = reader.take(table, &keys::rule::MODE);
    let stands_for = reader.take_optional(table, &keys::rule::FOR);
    let attempts = reader.table(table, &keys::rule::ATTEMPTS);
    let attempts = Attempts {
        at_most: reader.take(&attempts, &keys::rule::AT_MOST),
        within: reader.take(&attempts, &keys::rule::WITHIN),
    };
    let cooldown = reader.take(table, &keys::rule::COOLDOWN);
    let then = reader.take(table, &keys::rule::THEN);
    let rungs = reader.tables(table, &keys::rule::LADDER);
    let rungs: Vec<Option<Rung>> = rungs.iter().map(|table| rung(reader, table, timers)).collect();
    let rule = Rule {
        name: name?,
        verdict: verdict?,
        groups: groups.into_iter().map(GroupName).collect(),
        mode,
        stands_for,
        ladder: rungs.into_iter().collect::<Option<_>>()?,
        cooldown,
        attempts,
        then,
    };
    if rule.mode != Mode::Observe && rule.ladder.is_empty() {
        let why = "a rule that acts needs a ladder of at least one remedy";
        reader.contradiction(table, keys::rule::MODE.name, why);
    }
    Some(rule)
}

/// Law C5: a key or a table that the first rules do not know is a fault under them, with the reason.
fn of_the_second<'d>(
    reader: &mut Reader<'d>,
    table: &Table<'d>,
    mesh_rules: u32,
    (name, why): (&'static str, &str),
) {
    if mesh_rules < rules::SECOND && table.has(name) {
        reader.contradiction(table, name, why);
    }
}

/// Why a mesh under the first rules does not take this mode.
fn unknown_to_the_first(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Observe | Mode::Act => None,
        Mode::Approve => Some(keys::rule::NOBODY_APPROVES),
        Mode::Shadow => Some(keys::rule::NO_SHADOWS),
    }
}

/// A rule that can never be reached would be ignored in silence; two of one name could not be told apart in the audit.
fn check_against_earlier<'d>(
    reader: &mut Reader<'d>,
    table: &Table<'d>,
    rule: &Rule,
    earlier: &[Rule],
) {
    if earlier.iter().any(|other| other.name == rule.name) {
        reader.contradiction(table, keys::rule::RULE_NAME.name, "another rule has this name");
    }
    let covers = |groups: &BTreeSet<GroupName>| {
        groups.is_empty() || (!rule.groups.is_empty() && rule.groups.is_subset(groups))
    };
    let hides = |other: &&Rule| other.verdict == rule.verdict && covers(&other.groups);
    if let Some(other) = earlier.iter().find(hides) {
        let why = format!(
            "never reached: the rule {:?} above it answers {} in all of its groups, and the first that matches decides",
            other.name, rule.verdict
        );
        reader.contradiction(table, keys::rule::WHEN.name, why);
    }
}

/// protocol 3.6: a host that is proven alive is taken away by nothing (law P3 of `intents`).
fn check_classes<'d>(reader: &mut Reader<'d>, table: &Table<'d>, rule: &Rule) {
    if rule.verdict != VerdictKind::AgentDown {
        return;
    }
    let rungs = reader.tables(table, &keys::rule::LADDER);
    for (table, rung) in rungs.iter().zip(&rule.ladder) {
        if rung.command.class > RemedyClass::Gentle {
            let why = "AgentDown means that the host itself is proven alive: only gentle remedies answer it, then a person is called";
            reader.contradiction(table, keys::rule::CLASS.name, why);
        }
    }
}

fn rung<'d>(reader: &mut Reader<'d>, table: &Table<'d>, timers: &Timers) -> Option<Rung> {
    let what = reader.take_required(table, &keys::rule::DO);
    let class = reader.take_required(table, &keys::rule::CLASS);
    let argv = reader.take_required(table, &keys::rule::ARGV);
    let inspect = reader.take_optional(table, &keys::rule::INSPECT);
    let time_limit = time_limit(reader, table, timers);
    let verify_within = reader.take(table, &keys::rule::VERIFY_WITHIN);
    let soak = reader.take(table, &keys::rule::SOAK);
    let proof = reader.take(table, &keys::rule::PROOF);
    what?;
    Some(Rung {
        command: CommandRemedy { argv: argv?, inspect, class: class?, time_limit },
        verify_within,
        soak,
        proof,
    })
}

/// protocol 7.1: every external call's deadline ends before the margin.
fn time_limit<'d>(reader: &mut Reader<'d>, table: &Table<'d>, timers: &Timers) -> Span {
    let left = timers.remedy_at_most();
    let limit = reader.take_optional(table, &keys::rule::TIME_LIMIT);
    if limit.is_some_and(|limit| limit > left) {
        let why = format!(
            "longer than a lease allows: timers.lease_term = \"{}\" leaves \"{}\"",
            document::duration_text(timers.lease_term),
            document::duration_text(left)
        );
        reader.contradiction(table, keys::rule::TIME_LIMIT.name, why);
    }
    limit.unwrap_or(keys::rule::TIME_LIMIT_DEFAULT.min(left))
}

fn timers<'d>(reader: &mut Reader<'d>, root: &Table<'d>, mesh_rules: u32) -> Timers {
    let table = reader.table(root, &keys::timers::TIMERS);
    for (key, why) in [
        (&keys::timers::SETTLE_FOR, keys::timers::NOTHING_UNSETTLED),
        (&keys::timers::UNSETTLED_FOR, keys::timers::NOTHING_UNSETTLED),
        (&keys::timers::APPROVED_FOR, keys::timers::NOTHING_APPROVED),
    ] {
        of_the_second(reader, &table, mesh_rules, (key.name, why));
    }
    let settle_for = reader.take_optional(&table, &keys::timers::SETTLE_FOR);
    let unsettled_for = reader.take_optional(&table, &keys::timers::UNSETTLED_FOR);
    let approved_for = reader.take_optional(&table, &keys::timers::APPROVED_FOR);
    let (silent, lease_term) = (Timers::default(), reader.take(&table, &keys::timers::LEASE_TERM));
    Timers {
        left_grace: reader.take(&table, &keys::timers::LEFT_GRACE),
        agent_down_for: reader.take(&table, &keys::timers::AGENT_DOWN_FOR),
        quiet_for: reader.take(&table, &keys::timers::QUIET_FOR),
        lease_term,
        accept_within: accept_within(reader, &table, lease_term),
        unknown_for: reader.take(&table, &keys::timers::UNKNOWN_FOR),
        resume_after: reader.take(&table, &keys::timers::RESUME_AFTER),
        ramp_step_within: reader.take(&table, &keys::timers::RAMP_STEP_WITHIN),
        settle_for: settle_for.unwrap_or(silent.settle_for),
        unsettled_for: unsettled_for.unwrap_or(silent.unsettled_for),
        approved_for: approved_for.unwrap_or(silent.approved_for),
    }
}

fn accept_within<'d>(reader: &mut Reader<'d>, table: &Table<'d>, lease_term: Span) -> Span {
    let given = reader.take_optional(table, &keys::timers::ACCEPT_WITHIN);
    if given.is_some_and(|given| given >= lease_term) {
        let term = document::duration_text(lease_term);
        let why = format!("a lease of \"{term}\" would end before its healer had to take it");
        reader.contradiction(table, keys::timers::ACCEPT_WITHIN.name, why);
    }
    let half = Span::milliseconds(lease_term.as_milliseconds() / 2);
    given.unwrap_or(keys::timers::ACCEPT_WITHIN_DEFAULT.min(half))
}

fn escalation<'d>(reader: &mut Reader<'d>, root: &Table<'d>) -> Option<Escalation> {
    let pager = reader.table(root, &keys::pager::PAGER);
    let table = reader.table_if_given(&pager, &keys::pager::ESCALATION)?;
    let argv = reader.take_required(&table, &keys::pager::PAGER_ARGV);
    let time_limit = reader.take(&table, &keys::pager::PAGER_TIME_LIMIT);
    Some(Escalation { argv: argv?, time_limit })
}

fn named_ports<'d>(reader: &mut Reader<'d>, root: &Table<'d>) -> Vec<u16> {
    let table = reader.table(root, &keys::pager::SECOND_CHANNEL);
    let mut ports = reader.take(&table, &keys::pager::PORTS);
    ports.sort_unstable();
    ports
}

fn hosts_may_enrol<'d>(reader: &mut Reader<'d>, root: &Table<'d>, mesh_rules: u32) -> MayEnrol {
    let name = keys::enrolment::ENROLMENT.name;
    of_the_second(reader, root, mesh_rules, (name, keys::enrolment::NOBODY_IS_ADDED));
    let table = reader.table_if_given(root, &keys::enrolment::ENROLMENT);
    let given = table.and_then(|table| reader.take_optional(&table, &keys::enrolment::HOSTS));
    given.unwrap_or_default()
}
