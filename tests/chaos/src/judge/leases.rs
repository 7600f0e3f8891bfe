//! Laws C1 to C3 as the audit alone shows them: one walk from the first record to the last.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::{End, What};
use super::{Breach, Figures, Law, Picture, Record};

/// What the walk has found.
#[derive(Default)]
pub(super) struct Walk {
    pub cases: BTreeMap<u64, Case>,
    pub intents: BTreeMap<u64, Intent>,
    pub figures: Figures,
    granted: BTreeMap<u64, (u64, String)>,
    highest_fence: u64,
}

/// One case, as the audit has told of it so far.
#[derive(Default)]
pub(super) struct Case {
    /// The host's name, or that of a domain.
    pub subject: String,
    /// The last verdict.
    pub kind: String,
    /// The fence of the lease that counts.
    pub counted: Option<u64>,
    pub is_closed: bool,
    /// Escalated or quarantined.
    pub is_persons: bool,
}

/// A remedy that may begin.
pub(super) struct Intent {
    pub case: u64,
    pub fence: u64,
    pub host: String,
    /// In milliseconds of CLOCK_MONOTONIC.
    pub at_ms: u64,
    /// Since when its end is known.
    pub settled_ms: Option<u64>,
}

/// Walks through the longest audit.
pub(super) fn walk(picture: &Picture, records: &[Record], breaches: &mut Vec<Breach>) -> Walk {
    let mut walk = Walk::default();
    walk.figures.records = records.len();
    for record in records {
        match (record.what(), record.case) {
            (Ok(What::Other), _) => {}
            (Ok(what), Some(case)) => {
                let at_ms = picture.clock.mono_of(record.wall_ms);
                breaches.extend(walk.step(picture, (record.number, at_ms, case), what));
            }
            (Ok(_), None) => {
                let evidence = format!("record {}, {}, names no case", record.number, record.kind);
                breaches.push(Breach::of(Law::Readable, evidence));
            }
            (Err(fault), _) => breaches.push(Breach::of(Law::Readable, fault.to_string())),
        }
    }
    walk
}

impl Walk {
    fn step(
        &mut self,
        picture: &Picture,
        (number, at_ms, case): (u64, u64, u64),
        what: What,
    ) -> Vec<Breach> {
        match what {
            What::Verdict { kind, subject } => self.judged(case, kind, subject),
            What::Granted { fence, healer, is_takeover } => {
                return self.grant(picture, (number, case), (fence, healer), is_takeover);
            }
            What::Intended { remedy, fence, healer } => {
                return self.intend((number, at_ms, case), remedy, (fence, healer));
            }
            What::LeaseOver { is_orphaned: true } | What::Other => {}
            What::LeaseOver { is_orphaned: false } => self.free(case, at_ms),
            What::Ended { end: End::Unknown, .. } => self.figures.unknown += 1,
            What::Ended { remedy, .. } => self.ended(case, remedy, at_ms),
            What::Proven { remedy } => self.settle(remedy, at_ms),
            What::Escalated { is_counted } => self.escalated(case, is_counted, at_ms),
            What::Quarantined => self.case(case).is_persons = true,
            What::Closed { is_healed } => self.closed(case, is_healed, at_ms),
        }
        Vec::new()
    }

    fn case(&mut self, case: u64) -> &mut Case {
        self.cases.entry(case).or_default()
    }

    fn judged(&mut self, case: u64, kind: String, subject: String) {
        *self.figures.verdicts.entry(kind.clone()).or_default() += 1;
        let case = self.case(case);
        (case.kind, case.subject) = (kind, subject);
        // A person's case that is told anew after its closure is hale's again.
        if case.is_closed {
            (case.is_closed, case.is_persons) = (false, false);
        }
    }

    fn grant(
        &mut self,
        picture: &Picture,
        (number, case): (u64, u64),
        (fence, healer): (u64, String),
        is_takeover: bool,
    ) -> Vec<Breach> {
        let mut breaches = Vec::new();
        if fence <= self.highest_fence {
            let highest = self.highest_fence;
            let evidence = format!("record {number} grants fence {fence} after {highest}");
            breaches.push(Breach::of(Law::Fences, evidence));
        }
        self.highest_fence = self.highest_fence.max(fence);
        self.granted.insert(fence, (case, healer));
        self.case(case).counted = Some(fence);
        let grants = &mut self.figures.grants;
        *grants = (grants.0 + 1, grants.1 + usize::from(is_takeover));
        let counted = self.cases.values().filter(|case| case.counted.is_some());
        let hosts: Vec<&str> = counted.map(|case| &*case.subject).collect();
        let at = format!("record {number}, fence {fence}");
        let distinct: BTreeSet<&str> = hosts.iter().copied().collect();
        if distinct.len() < hosts.len() {
            let evidence = format!("{at}: of {hosts:?} one has two leases that count");
            breaches.push(Breach::of(Law::OneHealer, evidence));
        }
        self.figures.in_flight_most.0 = self.figures.in_flight_most.0.max(hosts.len());
        breaches.extend(over_budget(picture, &at, &hosts));
        breaches
    }

    fn intend(
        &mut self,
        (number, at_ms, case): (u64, u64, u64),
        remedy: u64,
        (fence, healer): (u64, String),
    ) -> Vec<Breach> {
        self.figures.intended += 1;
        let mut breaches = Vec::new();
        let is_holder = self.granted.get(&fence) == Some(&(case, healer.clone()));
        if !is_holder || self.case(case).counted != Some(fence) {
            let evidence = format!(
                "record {number}: {healer} intends remedy {remedy} of case {case} under fence {fence}, which is no lease of its own that counts"
            );
            breaches.push(Breach::of(Law::OneHealer, evidence));
        }
        let host = self.case(case).subject.clone();
        let intent = Intent { case, fence, host, at_ms, settled_ms: None };
        if self.intents.insert(remedy, intent).is_some() {
            let evidence = format!("record {number}: remedy {remedy} is intended a second time");
            breaches.push(Breach::of(Law::Fences, evidence));
        }
        breaches
    }

    /// The end of a remedy is known; an escalated case stops counting by that (protocol 7.6).
    fn ended(&mut self, case: u64, remedy: u64, at_ms: u64) {
        self.settle(remedy, at_ms);
        let case = self.case(case);
        if case.is_persons {
            case.counted = None;
        }
    }

    fn settle(&mut self, remedy: u64, at_ms: u64) {
        if let Some(intent) = self.intents.get_mut(&remedy) {
            intent.settled_ms = intent.settled_ms.or(Some(at_ms));
        }
    }

    /// Its lease counts no more, and with it nothing that was begun under it.
    fn free(&mut self, case: u64, at_ms: u64) {
        self.case(case).counted = None;
        let intents = self.intents.values_mut().filter(|intent| intent.case == case);
        intents.for_each(|intent| intent.settled_ms = intent.settled_ms.or(Some(at_ms)));
    }

    fn escalated(&mut self, case: u64, is_counted: bool, at_ms: u64) {
        self.figures.cases.2 += 1;
        self.case(case).is_persons = true;
        if !is_counted {
            self.free(case, at_ms);
        }
    }

    fn closed(&mut self, case: u64, is_healed: bool, at_ms: u64) {
        let cases = &mut self.figures.cases;
        if is_healed {
            cases.0 += 1
        } else {
            cases.1 += 1
        }
        self.case(case).is_closed = true;
        self.free(case, at_ms);
    }
}

/// Law C1: which scope holds more of these hosts than it may.
pub(super) fn over_budget(picture: &Picture, at: &str, hosts: &[&str]) -> Vec<Breach> {
    let mut scopes: BTreeMap<String, (usize, Vec<&str>)> = BTreeMap::new();
    let limits = picture.limits;
    let mut count = |scope: String, limit: usize, host| {
        scopes.entry(scope).or_insert((limit, Vec::new())).1.push(host);
    };
    for name in hosts {
        count("the fleet".into(), limits.fleet, *name);
        if let Some(host) = picture.hosts.get(*name) {
            count(format!("zone {}", host.zone), limits.zone, name);
            count(format!("rack {}", host.rack), limits.rack, name);
            count(format!("group {}", host.group), limits.group, name);
        }
    }
    let over = scopes.into_iter().filter(|(_, (limit, hosts))| hosts.len() > *limit);
    let told = over.map(|(scope, (limit, hosts))| {
        let (count, names) = (hosts.len(), hosts.join(" "));
        let evidence = format!("{at}: {count} in flight in {scope}, where {limit} may be: {names}");
        Breach::of(Law::Budget, evidence)
    });
    told.collect()
}
