//! Who belongs, and how each host is.

use detection::roster::Entry;
use vocabulary::{CaseId, Grade, HostId, Scope, VerdictKind};

use super::Scene;
use crate::admin::answer::{HostLine, Hosts};

/// Every host in the order of domain and name; the retired last, where they are asked for.
pub fn hosts(scene: &Scene<'_>, retired: bool) -> Hosts {
    let entries = scene.ledger.roster().all();
    let asked = entries.filter(|(_, entry)| retired || !entry.is_retired);
    let mut hosts: Vec<HostLine> = asked.map(|(host, entry)| line(scene, host, entry)).collect();
    let key = |host: &HostLine| {
        let is_retired = host.state == "retired";
        (is_retired, host.region.clone(), host.zone.clone(), host.rack.clone(), host.name.clone())
    };
    hosts.sort_by_cached_key(key);
    Hosts { hosts }
}

/// One host.
pub fn line(scene: &Scene<'_>, host: &HostId, entry: &Entry) -> HostLine {
    let claims = &entry.claims;
    let roles = [("keeper", claims.roles.keeper), ("healer", claims.roles.healer)];
    let case = case_of(scene, host, entry);
    HostLine {
        name: claims.host.to_string(),
        id: host.to_string(),
        region: claims.domain.region.to_string(),
        zone: claims.domain.zone.to_string(),
        rack: claims.domain.rack.to_string(),
        group: claims.group.to_string(),
        roles: roles
            .iter()
            .filter(|(_, is_held)| *is_held)
            .map(|(role, _)| (*role).to_owned())
            .collect(),
        is_voter: scene.ledger.voters().contains(host),
        state: state(scene, host, entry, case).to_owned(),
        case: case.map(|case| case.0),
        is_exempt: scene.ledger.exemption_of(host).is_some(),
        doubted_by: scene.names(doubters(scene, host)),
        membership: membership(scene, host).to_owned(),
        reach: reach(scene, host).to_owned(),
        reached_badly_by: scene.names(reached_badly(scene, host).map(|(by, _)| by)),
        is_connected: scene.local.connected.contains(host),
        boot: entry.boot.map(|boot| boot.number),
        address: entry.address.map(|address| address.to_string()),
    }
}

/// Its own open case, else that of its rack or zone.
pub fn case_of(scene: &Scene<'_>, host: &HostId, entry: &Entry) -> Option<CaseId> {
    if entry.is_retired {
        return None;
    }
    let own = scene.ledger.case_of_host(host).map(|case| case.id);
    let domain = &entry.claims.domain;
    let covers = |scope: &Scope| match scope {
        Scope::Rack(rack) => rack == domain,
        Scope::Zone(zone) => *zone == domain.zone(),
        Scope::Host(_) | Scope::Group(_) | Scope::Fleet => false,
    };
    let mut domains = scene.domains.iter();
    own.or_else(|| domains.find(|(scope, _)| covers(scope)).map(|(_, case)| *case))
}

/// Who doubts it, as far as this agent has heard.
pub fn doubters<'a>(
    scene: &'a Scene<'_>,
    host: &HostId,
) -> impl Iterator<Item = &'a HostId> + use<'a> {
    let doubts = scene.local.doubts.get(host).into_iter().flatten();
    doubts.map(|doubt| &doubt.by)
}

/// Which observers reach it badly, as far as this agent has heard (protocol 2.6).
pub fn reached_badly<'a>(
    scene: &'a Scene<'_>,
    host: &HostId,
) -> impl Iterator<Item = &'a (HostId, Grade)> + use<'a> {
    scene.local.reach.get(host).into_iter().flatten()
}

fn reach(scene: &Scene<'_>, host: &HostId) -> &'static str {
    let grades: Vec<Grade> = reached_badly(scene, host).map(|(_, grade)| *grade).collect();
    match grades.as_slice() {
        [] => "ok",
        grades if grades.contains(&Grade::Failed) => "failed",
        _ => "degraded",
    }
}

fn state(scene: &Scene<'_>, host: &HostId, entry: &Entry, case: Option<CaseId>) -> &'static str {
    let is_quarantined = || {
        let case = scene.ledger.case_of_host(host);
        case.is_some_and(|case| case.is_quarantined())
    };
    let is_trouble = |case: CaseId| {
        let case = scene.ledger.case(case);
        case.is_some_and(|case| case.kind != VerdictKind::Left)
    };
    if entry.is_retired {
        "retired"
    } else if is_quarantined() {
        "quarantined"
    } else if case.is_some_and(is_trouble) {
        "case"
    } else if scene.ledger.left_since(host).is_some() {
        "left"
    } else if doubters(scene, host).next().is_some() {
        "doubted"
    } else if entry.boot.is_none() {
        "silent"
    } else {
        "ok"
    }
}

fn membership(scene: &Scene<'_>, host: &HostId) -> &'static str {
    if *host == scene.me.id() {
        "self"
    } else if scene.local.up.contains(host) {
        "up"
    } else {
        "down"
    }
}
