//! What may never be, looked at from outside by somebody who knows the truth.
//!
//! Law V-truth: no host that was alive and in reach of the leader for the last seconds gets `AgentDown`, `HostDown` or
//! `HostHung`. Law B1: no grant goes over a budget. Law L2: fences only rise. Law P1: nothing is intended under a brake.
//! Law V6: under a surge nobody is judged by silence alone. Law F10: no order is carried out that no person has given.
//! Law A1: the audit is one chain. Laws AS1 to AS3: what seals it holds and only grows, and nothing falls out before that. Laws L1 and B2
//! are the ledger's own and are asserted there after every entry.
//! Not here: the moment of a remedy (see `actuator`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::Ledger;
use ledger::audit::{Audit, Record, What};
use ledger::verify_chain_after;
use vocabulary::{
    CaseId, Fence, HostId, ModelVerifier, Moment, Scope, Span, VerdictKind, model_authority,
};

use crate::fleet::Fleet;
use crate::forgeries::FORGER;
use crate::host::Place;

/// Trouble that ended so lately may still be what a verdict saw: a round, its entry, and the freshness of protocol 3.2.
pub(crate) const AFTERMATH: Span = Span::seconds(7);

/// Beyond such a loss silence is no proof of anything, and neither is a verdict a proof of a fault of ours.
const LOSS_JUDGED_PERMILLE: u32 = 200;

/// And beyond such a wait before a host's own link: a fresh dial is two ways there and two back within a second, and its last ones add to
/// the queue that the first of them met.
pub(crate) const WAIT_JUDGED: Span = Span::milliseconds(250);

/// After so many breaches the rest would tell nothing new.
const BREACHES_MAX: usize = 64;

/// A law that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// When.
    pub at: Moment,
    /// Which, and how.
    pub law: String,
}

/// What is remembered between events.
#[derive(Default)]
pub(crate) struct Laws {
    breaches: Vec<Breach>,
    fence: Fence,
    /// Remedies that were intended, by case: begun twice under one id is one too many.
    seen: BTreeSet<(CaseId, u64)>,
}

impl Laws {
    pub fn breach(&mut self, law: &str, at: Moment) {
        if self.breaches.len() < BREACHES_MAX {
            let law = law.to_owned();
            self.breaches.push(Breach { at, law });
        }
    }

    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }
}

impl Fleet {
    /// Cheap enough for every event.
    pub(crate) fn laws_after_event(&mut self) {
        let now = self.now;
        // Whoever was switched off leads by the keepers' count until its lease is over, and commits nothing.
        let leads_off = self.keepers.leader.is_some_and(|leader| self.hosts[leader].is_off);
        if leads_off && self.keepers.is_lease_over(now) {
            self.laws.breach("law M1: a machine that is off leads", now);
        }
    }

    /// Each record of the entry, on the state before it and after it.
    pub(crate) fn laws_after_entry(&mut self, before: &Arc<Ledger>) {
        let after = Arc::clone(&self.keepers.ledger);
        self.laws_of_seals(before, &after);
        let upto = before.audit().head();
        let records: Vec<Record> = after.audit_since(upto.number).cloned().collect();
        if verify_chain_after(upto, &records).is_err() {
            self.laws.breach("law A1: the audit is one chain", self.now);
        }
        for record in &records {
            match &record.what {
                What::Verdict { subject, kind, .. } => {
                    self.law_of_verdict(subject, kind);
                    self.law_of_silence((before, &after), (subject, kind));
                }
                What::Granted { fence, case, is_takeover, .. } => {
                    self.law_of_grant(&after, *case, (*fence, *is_takeover))
                }
                What::Intended { case, remedy, .. } => {
                    self.law_of_intent(before, &after, (*case, remedy.0));
                }
                What::PolicySet { who, .. }
                | What::Retired { who, .. }
                | What::Paused { who, .. }
                | What::Resumed { who, .. }
                | What::Freed { who, .. }
                | What::AuthoritiesSet { who, .. }
                    if who == FORGER =>
                {
                    self.laws.breach("law F10: an order that no person has given", self.now);
                }
                _ => {}
            }
            self.tally_record(&after, &record.what);
        }
    }

    /// Laws AS1 to AS3, with the eyes of whoever judges an export.
    fn laws_of_seals(&mut self, before: &Ledger, after: &Ledger) {
        let now = self.now;
        let number = |ledger: &Ledger| ledger.seal().map_or(0, |seal| seal.place.number);
        if before.seal() != after.seal()
            && let Some(seal) = after.seal()
        {
            if let Err(fault) = seal.judge(&[model_authority()], &ModelVerifier) {
                self.laws.breach(&format!("law AS1: a seal that does not hold: {fault}"), now);
            }
            if !after.audit().holds(seal.place) {
                self.laws.breach("law AS2: what is sealed is not in the audit", now);
            }
            if number(after) < number(before) {
                self.laws.breach("law AS2: the newest seal is older than the one before", now);
            }
        }
        let fallen = |ledger: &Ledger| ledger.audit().checkpoint().number;
        let is_bound = after.unsealed() >= Audit::UNSEALED_MAX as u64;
        if fallen(after) > fallen(before) && fallen(after) > number(after) && !is_bound {
            self.laws.breach("law AS3: a record fell out before it was sealed", now);
        }
    }

    fn law_of_verdict(&mut self, subject: &Scope, kind: &VerdictKind) {
        let Scope::Host(host) = subject else {
            return;
        };
        let is_of_death =
            matches!(kind, VerdictKind::AgentDown | VerdictKind::HostDown | VerdictKind::HostHung);
        if is_of_death && self.was_sound(host) {
            let name = self.name_of(host);
            let law = format!("law V-truth: {kind} of {name}, which is alive and in reach");
            self.laws.breach(&law, self.now);
        }
    }

    /// A case that was of this kind before the surge may be told again.
    fn law_of_silence(
        &mut self,
        (before, after): (&Ledger, &Ledger),
        (subject, kind): (&Scope, &VerdictKind),
    ) {
        let Scope::Host(host) = subject else {
            return;
        };
        let is_braked = before.brake().surge.is_some() && after.brake().surge.is_some();
        let was_known = before.case_of_host(host).is_some_and(|case| case.kind == *kind);
        if is_braked && *kind == VerdictKind::HostDown && !was_known {
            self.laws.breach("law V6: a host is judged by silence alone under a surge", self.now);
        }
    }

    fn was_sound(&self, host: &HostId) -> bool {
        let Some(place) = self.places.get(host) else {
            return false;
        };
        let lately = self.hosts[place].last_unsound;
        self.network.loss_permille() < LOSS_JUDGED_PERMILLE
            && self.is_sound(place)
            && lately.is_none_or(|at| self.now.since(at) > AFTERMATH)
    }

    pub(crate) fn is_sound(&self, place: Place) -> bool {
        let host = &self.hosts[place];
        let leader = self.keepers.leader;
        host.is_running()
            && !host.is_mute()
            && self.network.loss_of(place) < LOSS_JUDGED_PERMILLE
            && self.network.waits_of(place, self.now) < WAIT_JUDGED
            && leader.is_some_and(|leader| self.is_open(leader, place))
    }

    pub(crate) fn note_soundness(&mut self, place: Place) {
        if !self.is_sound(place) {
            self.hosts[place].last_unsound = Some(self.now);
        }
    }

    fn law_of_grant(&mut self, after: &Ledger, case: CaseId, (fence, is_takeover): (Fence, bool)) {
        if fence <= self.laws.fence {
            self.laws.breach("law L2: fences only rise", self.now);
        }
        self.laws.fence = fence;
        let lease = after.case(case).and_then(|case| case.counted_lease());
        let Some(lease) = lease.filter(|_| !is_takeover) else {
            return;
        };
        let scopes = lease.scopes.all();
        let is_over = after
            .budgets()
            .iter()
            .any(|line| scopes.contains(&line.scope) && line.used > line.limit);
        if is_over {
            self.laws.breach("law B1: a grant goes over a budget", self.now);
        }
    }

    fn law_of_intent(&mut self, before: &Ledger, after: &Ledger, intent: (CaseId, u64)) {
        // A surge that is committed with the intent's own entry stands before it as well.
        if before.brake().standing().is_some() && after.brake().standing().is_some() {
            self.laws.breach("law P1: an intent was committed under a brake", self.now);
        }
        if !self.laws.seen.insert(intent) {
            self.laws.breach("protocol 7.5: a remedy id was given twice", self.now);
        }
    }
}
