//! The mesh on one screen.

use std::collections::{BTreeMap, BTreeSet};

use detection::verdict::allows;
use ledger::rules;
use ledger::view::BudgetLine as Counted;
use vocabulary::{HostId, Scope, Zone};

use super::{Scene, cases, certs, count, counted, fleetlock, hosts, listed, maintenance, wall};
use crate::admin::answer::{
    AgentLine, Brake, BudgetLine, CaseLine, HealingCount, KeeperLine, Keepers, LedgerPlace,
    PauseSeen, Place, PolicyBrief, QueueLine, RampSeen, Status, ZoneLine,
};
use crate::admin::mind::HeldBack;
use crate::selfwatch::Report;
use ledger::refusal::ScopeName;

/// The mesh on one screen.
pub fn status(scene: &Scene<'_>) -> Status {
    let ledger = scene.ledger;
    let budgets = ledger.budgets();
    let open: Vec<CaseLine> =
        ledger.cases().take(Status::CASES_MAX).map(|case| cases::line(scene, case)).collect();
    let founding = ledger.founding();
    Status {
        cluster: founding.map(|founding| founding.cluster.to_string()),
        seen_by: scene.me.host.to_string(),
        is_founded: ledger.is_founded(),
        may_act: ledger.policy().rules.iter().any(|rule| rule.acts()),
        ledger: LedgerPlace {
            index: ledger.index().0,
            time_ms: ledger.time().as_milliseconds(),
            epoch: ledger.roster().epoch.0,
            rules: u64::from(ledger.rules()),
            head: Place::of(ledger.audit().head()),
        },
        keepers: keepers(scene),
        policy: policy(scene),
        brake: brake(scene),
        healing: healing(&budgets),
        zones: zones(scene, &budgets),
        budgets: budgets.iter().filter(|line| is_shown(scene, line)).map(budget).collect(),
        cases: open,
        cases_open: count(ledger.cases().count()),
        allows: allowed(scene),
        notes: notes(scene),
        agent: agent(&scene.local.self_watch),
    }
}

fn agent(report: &Report) -> AgentLine {
    let queues = report.queues.iter().map(|fill| QueueLine {
        name: fill.name.to_owned(),
        used: count(fill.used),
        bound: count(fill.bound),
    });
    AgentLine {
        troubles: report.troubles.clone(),
        memory_bytes: report.memory.used,
        memory_max_bytes: report.memory.bound,
        descriptors: report.descriptors.used,
        descriptors_max: report.descriptors.bound,
        late_ms: report.late.as_milliseconds(),
        queues: queues.collect(),
    }
}

fn keepers(scene: &Scene<'_>) -> Keepers {
    let voters = scene.ledger.voters().iter();
    let line = |host: &vocabulary::HostId| KeeperLine {
        host: scene.name(host),
        is_leader: scene.standing.leader == Some(*host),
        is_up: scene.is_up(host),
    };
    let voters: Vec<KeeperLine> = voters.map(line).collect();
    Keepers {
        up: count(voters.iter().filter(|voter| voter.is_up).count()),
        voters,
        leader: scene.standing.leader.map(|leader| scene.name(&leader)),
        leaderless_ms: cases::left_ms(scene.local.leaderless),
        term: scene.standing.term,
    }
}

fn policy(scene: &Scene<'_>) -> Option<PolicyBrief> {
    let note = scene.ledger.policy_shelf().current()?;
    let rules = &scene.ledger.policy().rules;
    Some(PolicyBrief {
        version: note.version,
        who: note.who.clone(),
        why: note.why.clone(),
        set: wall(note.wall),
        rules: count(rules.len()),
        acting: count(rules.iter().filter(|rule| rule.acts()).count()),
    })
}

fn brake(scene: &Scene<'_>) -> Brake {
    let brakes = scene.ledger.brake();
    let why = brakes.standing();
    Brake {
        is_on: why.is_some(),
        why: why.map(|why| format!("{why}; `hale resume --why ...` lifts it, then one at a time")),
        pause: brakes.pause.as_ref().map(|pause| PauseSeen {
            who: pause.who.clone(),
            why: pause.why.clone(),
            since: wall(pause.since_wall),
        }),
        surge: brakes.surge.map(|surge| surge.case.0),
        ramp: brakes
            .ramp
            .map(|ramp| RampSeen { limit: u64::from(ramp.limit), ended: u64::from(ramp.ended) }),
    }
}

fn healing(budgets: &[Counted]) -> HealingCount {
    let fleet = budgets.iter().find(|line| line.scope == Scope::Fleet);
    HealingCount {
        in_flight: fleet.map_or(0, |line| u64::from(line.used)),
        limit: fleet.map_or(0, |line| u64::from(line.limit)),
    }
}

/// The fleet and whatever is touched or named: a rack in which nothing happens is no news.
fn is_shown(scene: &Scene<'_>, line: &Counted) -> bool {
    let is_named = match &line.scope {
        Scope::Fleet => true,
        Scope::Group(group) => scene.ledger.policy().budget.group.contains_key(group),
        Scope::Zone(_) | Scope::Rack(_) | Scope::Host(_) => false,
    };
    is_named || line.used > 0 || line.unhealthy > 0
}

fn budget(line: &Counted) -> BudgetLine {
    BudgetLine {
        scope: ScopeName(&line.scope).to_string(),
        hosts: u64::from(line.hosts),
        in_flight: u64::from(line.used),
        limit: u64::from(line.limit),
        unhealthy: u64::from(line.unhealthy),
        halt_above: line.halt_above.map(u64::from),
        is_halted: line.halt_above.is_some_and(|most| line.unhealthy > most),
        begun: u64::from(line.begun),
        per_hour: line.per_hour.map(u64::from),
        begun_in_a_day: u64::from(line.begun_in_a_day),
        per_day: line.per_day.map(u64::from),
        next_free_ms: cases::left_ms(line.next_free),
    }
}

fn zones(scene: &Scene<'_>, budgets: &[Counted]) -> Vec<ZoneLine> {
    let mut zones: BTreeMap<Zone, ZoneLine> = BTreeMap::new();
    for (host, entry) in scene.ledger.roster().present() {
        let zone = entry.claims.domain.zone();
        let line = zones.entry(zone.clone()).or_insert_with(|| ZoneLine {
            zone: zone.to_string(),
            hosts: 0,
            ok: 0,
            doubted: 0,
            in_case: 0,
            in_flight: 0,
        });
        line.hosts += 1;
        if hosts::case_of(scene, host, entry).is_some() {
            line.in_case += 1;
        } else if hosts::doubters(scene, host).next().is_some() {
            line.doubted += 1;
        } else {
            line.ok += 1;
        }
    }
    for counted in budgets {
        let Scope::Zone(zone) = &counted.scope else {
            continue;
        };
        if let Some(line) = zones.get_mut(zone) {
            line.in_flight = u64::from(counted.used);
        }
    }
    zones.into_values().collect()
}

/// protocol 3.4: what size and layout of the fleet allow.
fn allowed(scene: &Scene<'_>) -> Vec<String> {
    if !scene.ledger.is_founded() {
        return Vec::new();
    }
    let allowance = allows(scene.ledger.roster());
    if !allowance.is_judged_by_peers {
        let hosts = counted(allowance.hosts, "host");
        return vec![format!(
            "{hosts}: no verdict by peers, it takes three hosts to judge one of them"
        )];
    }
    let (needed, seats) = (allowance.needed, allowance.seats);
    let liars = match allowance.tolerated {
        0 => "none may be mistaken".to_owned(),
        one => format!("{one} may be mistaken"),
    };
    let dead = match allowance.dead_observers_max {
        0 => "one".to_owned(),
        dead => format!("more than {dead}"),
    };
    let mut said = vec![format!(
        "each host is watched by {seats}: a verdict takes {needed} of them, {liars}; with {dead} of them dead too, none is possible"
    )];
    if allowance.needs_three_rounds {
        said.push(
            "so few observers: disruptive and destructive remedies wait for three consecutive rounds".to_owned(),
        );
    }
    if !allowance.alone_in_zone.is_empty() {
        let names = listed(&scene.names(&allowance.alone_in_zone));
        said.push(format!(
            "alone in their zone, so that their silence is a whole domain's and a person's: {names}"
        ));
    }
    if !allowance.half_zones.is_empty() {
        let zones: Vec<String> = allowance.half_zones.iter().map(ToString::to_string).collect();
        let zones = listed(&zones);
        said.push(format!(
            "half of all hosts or more stand in one zone, whose loss is a surge: {zones}"
        ));
    }
    said
}

/// What a person should know, and do.
fn notes(scene: &Scene<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let ledger = scene.ledger;
    let troubles = &scene.local.self_watch.troubles;
    notes.extend(troubles.iter().map(|trouble| format!("this agent: {trouble}")));
    notes.extend(scene.local.refusals.iter().cloned());
    notes.extend(retired(scene));
    if !ledger.is_founded() {
        notes.push("there is no ledger yet: once every keeper's agent runs, found it with `hale init --keepers a,b,c`".to_owned());
        notes.extend(scene.local.notes.iter().cloned());
        return notes;
    }
    if !scene.standing.has_majority {
        let age = scene.standing.age;
        notes.push(format!(
            "no majority of the keepers answers this agent: the answer is {age} old, and nothing new can begin on this side"
        ));
    }
    if let Some(lasts) = scene.local.leaderless {
        notes.push(format!(
            "no keeper has led for {lasts}, as far as this agent knows: nothing is decided and nothing is healed; what is doubted \
             is what this agent and its fellows see (protocol 3.9)"
        ));
    }
    if let Some(case) =
        ledger.case_of_host(&scene.me.id()).filter(|_| ledger.is_duplicate(&scene.me.id()))
    {
        notes.push(format!(
            "two machines live under this host's name (case {}): neither of them has a voice or heals",
            case.id
        ));
    }
    let stopped = ledger.stopped_groups().filter_map(|(group, _)| ledger.stop_of(group));
    notes.extend(stopped.chain(ledger.stopped_kinds()).map(|stop| stop.to_string()));
    notes.extend(maintenance::notes(scene).into_iter().chain(fleetlock::notes(scene)));
    notes.extend(super::keepers::notes(scene).into_iter().chain(exempt(scene)));
    notes.extend(observes(scene));
    notes.extend(rules_held_back(scene).into_iter().chain(super::audit::unsealed(scene)));
    let unheard: Vec<String> = {
        let present = ledger.roster().present();
        let silent = present.filter(|(_, entry)| entry.boot.is_none());
        scene.names(silent.map(|(host, _)| host))
    };
    if !unheard.is_empty() {
        let names = listed(&unheard);
        notes.push(format!("enrolled, but their agents were never heard: {names}"));
    }
    let mut added: Vec<String> = ledger.added().map(ToString::to_string).collect();
    added.sort();
    if !added.is_empty() {
        notes.push(format!("added by a person, and not enrolled yet: {}", listed(&added)));
    }
    let discounting = scene.local.discounting.iter();
    notes.extend(
        discounting.map(|(host, why)| format!("{} discounts itself: {why}", scene.name(host))),
    );
    notes.extend(scene.local.notes.iter().cloned());
    notes.extend(certs::soon(scene));
    notes
}

/// protocol 6.11.
fn exempt(scene: &Scene<'_>) -> Option<String> {
    let exempt = scene.names(scene.ledger.exempt().map(|(host, _)| host));
    let names = listed(&exempt);
    (!exempt.is_empty()).then(|| format!("exempt, nothing begins on them by itself: {names}"))
}

/// protocol 1.6: what this agent could do and the mesh does not do yet, and whose agents are to be replaced for it.
fn rules_held_back(scene: &Scene<'_>) -> Option<String> {
    let (standing, newest) = (scene.ledger.rules(), rules::NEWEST);
    if standing >= newest {
        return None;
    }
    let HeldBack { older, silent } = &scene.local.held_back;
    let said = |who: &BTreeSet<HostId>, why: &str| {
        (!who.is_empty()).then(|| format!("{why}: {}", listed(&scene.names(who))))
    };
    let whom = [
        said(older, "their agents are older, replace the binary and restart them"),
        said(silent, "keepers that do not answer"),
    ];
    let whom: Vec<String> = whom.into_iter().flatten().collect();
    let why = match (scene.standing.leader == Some(scene.me.id()), whom.is_empty()) {
        (_, false) => whom.join("; "),
        (true, true) => "nobody holds them back, they will be asked for within a minute".to_owned(),
        (false, true) => "the leader's `hale status` says for whom".to_owned(),
    };
    Some(format!("rules {standing} are in force, and rules {newest} wait. {why}"))
}

/// Other hosts let a retired one go, so that it may never hear it from the ledger (see `host::unwelcome`); where it has, this
/// says so.
fn retired(scene: &Scene<'_>) -> Option<String> {
    let entry = scene.ledger.roster().get_even_retired(&scene.me.id())?;
    entry.is_retired.then(|| {
        "this host is retired for good: the mesh neither admits nor watches it; stop its agent"
            .to_owned()
    })
}

/// A mesh without policy, or without an acting rule, only observes.
fn observes(scene: &Scene<'_>) -> Option<String> {
    let shelf = scene.ledger.policy_shelf();
    if shelf.version() == 0 {
        return Some(
            "this mesh only observes: it was never given a policy; `hale policy example` prints one, \
             `hale policy apply FILE --why ...` sets it"
                .to_owned(),
        );
    }
    let acts = scene.ledger.policy().rules.iter().any(|rule| rule.acts());
    (!acts).then(|| {
        format!(
            "this mesh only observes: no rule of policy version {} has mode = \"act\" or \"approve\"",
            shelf.version()
        )
    })
}
