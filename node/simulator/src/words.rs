//! Records of the audit and rounds of the leader, in plain words with the hosts' names.
//!
//! Not here: when they are told (see `trace`).

use agent::lead::LastLook;
use detection::verdict::SeatSet;
use ledger::audit::{LeaseEnd, What};
use ledger::case::{Case, Closure};
use ledger::view::BudgetLine;
use vocabulary::{HostId, Path, Scope};

use crate::fleet::Fleet;

/// One record.
pub(crate) fn record_in_words(fleet: &Fleet, what: &What) -> String {
    match what {
        What::Founded { .. }
        | What::Enrolled { .. }
        | What::Booted { .. }
        | What::Left { .. }
        | What::Retired { .. }
        | What::PolicySet { .. }
        | What::Paused { .. }
        | What::Resumed { .. }
        | What::RulesRaised { .. }
        | What::AuthoritiesSet { .. }
        | What::HostAdded { .. }
        | What::HostExempted { .. }
        | What::GroupStopped { .. }
        | What::KindStopped { .. }
        | What::MaintenancePlanned { .. }
        | What::MaintenanceBegan { .. }
        | What::MaintenanceEnded { .. }
        | What::Freed { .. } => of_the_mesh(fleet, what),
        What::SlotGranted { .. } | What::SlotOver { .. } | What::ClientBound { .. } => {
            of_a_slot(fleet, what)
        }
        What::VotesMoved { .. } | What::VoteMoved { .. } => of_a_vote(fleet, what),
        What::Verdict { .. }
        | What::Granted { .. }
        | What::Accepted { .. }
        | What::Escalated { .. }
        | What::Approved { .. }
        | What::Denied { .. }
        | What::Shadowed { .. }
        | What::Quarantined { .. } => of_a_case(fleet, what),
        What::LeaseOver { .. } | What::Closed { .. } => of_an_end(what),
        What::Intended { .. }
        | What::IntentRefused { .. }
        | What::Received { .. }
        | What::Inspected { .. }
        | What::Verified { .. }
        | What::Unproven { .. } => of_a_remedy(fleet, what),
    }
}

/// One round on one subject.
pub(crate) fn round_in_words(fleet: &Fleet, subject: &HostId, look: &LastLook) -> String {
    let seating = fleet.ledger().seating();
    let observers = seating.observers(subject);
    let group = |word: &str, seats: SeatSet| {
        let mut names: Vec<String> =
            seats.hosts(observers).map(|host| fleet.name_of(host)).collect();
        names.sort();
        (!names.is_empty()).then(|| format!("{word} {}", names.join(" ")))
    };
    let tally = &look.tally;
    let groups = [
        group("against", tally.against),
        group("well", tally.well),
        group("life proven by", tally.proving),
        group("accepted by", tally.accepting),
        group("vacant", tally.vacant),
    ];
    let voices: Vec<String> = groups.into_iter().flatten().collect();
    let end = match &look.verdict {
        Ok(verdict) => verdict.kind.to_string(),
        Err(why) => why.to_string(),
    };
    format!(
        "round on {}: {} => {end}",
        fleet.name_of(subject),
        if voices.is_empty() { String::from("no voice") } else { voices.join("; ") }
    )
}

fn of_a_slot(fleet: &Fleet, what: &What) -> String {
    let named = |host: &Option<HostId>| {
        host.as_ref().map_or_else(|| "no known host".to_owned(), |host| fleet.name_of(host))
    };
    match what {
        What::SlotGranted { client, host, .. } => {
            format!("{client} ({}) may reboot", named(host))
        }
        What::SlotOver { client, end, .. } => format!("the slot of {client} is over: {end}"),
        What::ClientBound { client, host, .. } => format!("{client} is {}", named(host)),
        _ => unreachable!("the caller gives only what has become of a slot"),
    }
}

fn of_a_vote(fleet: &Fleet, what: &What) -> String {
    let named = |hosts: &[HostId]| {
        let names: Vec<String> = hosts.iter().map(|host| fleet.name_of(host)).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
    };
    match what {
        What::VotesMoved { added, removed, .. } => {
            format!("votes go to {} and leave {}", named(added), named(removed))
        }
        What::VoteMoved { from, to } => {
            format!("the vote of {} goes to {}", fleet.name_of(from), fleet.name_of(to))
        }
        _ => unreachable!("the caller gives only what has become of a vote"),
    }
}

fn of_the_mesh(fleet: &Fleet, what: &What) -> String {
    match what {
        What::Founded { cluster, .. } => format!("the ledger of {cluster} is founded"),
        What::Enrolled { name, .. } => format!("{name} is enrolled"),
        What::Booted { host, boot } => {
            format!("boot {} of {} is known", boot.number, fleet.name_of(host))
        }
        What::Left { host, .. } => format!("{} has said goodbye", fleet.name_of(host)),
        What::Retired { host, .. } => format!("{} is retired", fleet.name_of(host)),
        What::PolicySet { version, .. } => format!("policy {version} is in force"),
        What::Paused { who, why } => format!("paused by {who}: {why}"),
        What::Resumed { who, why } => format!("resumed by {who}: {why}"),
        What::RulesRaised { rules } => format!("rules {rules} are in force"),
        What::AuthoritiesSet { count, .. } => format!("{count} authorities vouch for hosts"),
        What::HostExempted { host, is_exempt: true, .. } => {
            format!("{} is exempt", fleet.name_of(host))
        }
        What::HostExempted { host, .. } => format!("{} is exempt no more", fleet.name_of(host)),
        What::HostAdded { name, may_enrol: true, .. } => format!("{name} is added"),
        What::HostAdded { name, may_enrol: false, .. } => format!("{name} is added no more"),
        What::GroupStopped { group, why } => format!("group {group} is stopped: {why}"),
        What::KindStopped { rule, group, why } => {
            format!("rule {rule:?} is stopped in group {group}: {why}")
        }
        What::Freed { subject, who, why } => {
            format!("{} is released by {who}: {why}", scope(fleet, subject))
        }
        What::MaintenancePlanned { window, plan, who, why } => format!(
            "window {window}: {} is in maintenance for {}, by {who}: {why}",
            scope(fleet, &plan.scope),
            plan.lasts
        ),
        What::MaintenanceBegan { window, left } => {
            format!("window {window} opens by its schedule for {left}")
        }
        What::MaintenanceEnded { window, who, why } => {
            format!("window {window} is over, by {who}: {why}")
        }
        _ => String::new(),
    }
}

fn of_a_case(fleet: &Fleet, what: &What) -> String {
    match what {
        What::Verdict { case, subject, kind, against, well, vacant, .. } => {
            let members = members_in_words(fleet, *case);
            let voices = match subject {
                Scope::Host(_) => format!(": {against} against, {well} well, {vacant} vacant"),
                _ => members,
            };
            format!("case {case}: {kind} {}{voices}", scope(fleet, subject))
        }
        What::Granted { case, fence, healer, is_takeover } => format!(
            "case {case}: {} offered to {}, fence {fence}",
            if *is_takeover { "takeover" } else { "lease" },
            fleet.name_of(healer)
        ),
        What::Accepted { case, healer, .. } => {
            format!("case {case}: {} takes the lease", fleet.name_of(healer))
        }
        What::Escalated { case, why, .. } => format!("case {case}: a person's now: {why}"),
        What::Approved { case, rung, who, why, .. } => {
            format!("case {case}: rung {} is approved by {who}: {why}", rung.saturating_add(1))
        }
        What::Shadowed { case, rung, argv, .. } => format!(
            "case {case}: rung {} would have begun, and its rule is in shadow: {}",
            rung.saturating_add(1),
            argv.join(" ")
        ),
        What::Denied { case, rung, who, why } => {
            format!("case {case}: rung {} is denied by {who}: {why}", rung.saturating_add(1))
        }
        What::Quarantined { case, host } => {
            format!(
                "case {case}: {} is quarantined until a person releases it",
                fleet.name_of(host)
            )
        }
        _ => String::new(),
    }
}

fn of_an_end(what: &What) -> String {
    match what {
        What::LeaseOver { case, fence, end, is_orphaned } => {
            let how = match end {
                LeaseEnd::NotAccepted => "was not taken".to_owned(),
                LeaseEnd::RanOut => "ran out".to_owned(),
                LeaseEnd::Released(why) => format!("was given back: {why}"),
                LeaseEnd::Revoked { who, why } => format!("was revoked by {who}: {why}"),
            };
            let left = if *is_orphaned { ", orphaned and still counted" } else { "" };
            format!("case {case}: lease {fence} {how}{left}")
        }
        What::Closed { case, how } => {
            let how = match how {
                Closure::Healed => "healed".to_owned(),
                Closure::Recovered => "recovered by itself".to_owned(),
                Closure::Retired => "retired".to_owned(),
                Closure::ByPerson(why) => format!("ended by {why}"),
                Closure::MergedInto(case) => format!("part of case {case}"),
            };
            format!("case {case}: closed, {how}")
        }
        _ => String::new(),
    }
}

fn of_a_remedy(fleet: &Fleet, what: &What) -> String {
    match what {
        What::Intended { case, remedy, rung, argv, healer, .. } => format!(
            "case {case}: {} intends remedy {remedy}, rung {rung}: {}",
            fleet.name_of(healer),
            argv.join(" ")
        ),
        What::IntentRefused { case, why, .. } => {
            format!("case {case}: the intent is refused: {why}")
        }
        What::Received { case, remedy, kind, detail, .. } => {
            format!("case {case}: receipt of remedy {remedy}: {kind}, {detail}")
        }
        What::Inspected { case, remedy, kind, detail, .. } => {
            format!("case {case}: inspection of remedy {remedy}: {kind}, {detail}")
        }
        What::Verified { case, remedy, boot, .. } => {
            let life = boot.map_or_else(String::new, |boot| format!(" by boot {}", boot.number));
            format!("case {case}: remedy {remedy} is proven{life}, the soak begins")
        }
        What::Unproven { case, remedy, why, .. } => {
            format!("case {case}: remedy {remedy} is not proven: {why}")
        }
        _ => String::new(),
    }
}

fn members_in_words(fleet: &Fleet, case: vocabulary::CaseId) -> String {
    let Some(case) = fleet.ledger().case(case) else {
        return String::new();
    };
    let mut names: Vec<String> = case.members.iter().map(|host| fleet.name_of(host)).collect();
    names.sort();
    format!(" ({})", names.join(" "))
}

fn scope(fleet: &Fleet, scope: &Scope) -> String {
    match scope {
        Scope::Host(host) => fleet.name_of(host),
        Scope::Rack(rack) => format!("rack {rack}"),
        Scope::Zone(zone) => format!("zone {zone}"),
        Scope::Group(group) => format!("group {group}"),
        Scope::Fleet => String::from("fleet"),
    }
}

/// One case, as it stands.
pub(crate) fn case_in_words(fleet: &Fleet, case: &Case) -> String {
    let (id, kind) = (case.id, &case.kind);
    let subject = scope(fleet, &case.subject);
    let holds = fleet.ledger().holds(id);
    let holds: Vec<String> = holds.iter().map(|hold| hold.rule.to_string()).collect();
    let awaited = if holds.is_empty() { String::new() } else { format!("; {}", holds.join("; ")) };
    format!("case {id}: {kind} {subject}, {}{awaited}", case.stage.word())
}

/// One scope's budget.
pub(crate) fn budget_in_words(fleet: &Fleet, line: &BudgetLine) -> String {
    format!(
        "budget of {}: {} of {} in flight, {} of {} hosts unhealthy",
        scope(fleet, &line.scope),
        line.used,
        line.limit,
        line.unhealthy,
        line.hosts
    )
}

/// One path.
pub(crate) fn path_in_words(path: Path) -> String {
    match path {
        Path::Warm => "warm".into(),
        Path::Stream => "stream".into(),
        Path::FreshDial => "fresh dial".into(),
        Path::NearRelay => "near relay".into(),
        Path::FarRelay => "far relay".into(),
        Path::AgentPort => "agent port".into(),
        Path::NamedPort(port) => format!("port {port}"),
    }
}
