//! Two machines under one name: neither of the two has a voice or heals, and a person is called (protocol 1.2 `Duplicate`).
//!
//! Law U1: only what the host's own key has signed, or its own certificate has brought, makes it a `Duplicate`.
//! Law U2: while the case is open nothing that either machine says condemns or saves anybody, and no lease of theirs lives on.
//! Law U3: it ends when a life above every other that spoke is committed and none of those has spoken for [`SILENT_FOR`], or by a
//! person.
//! Not here: which machine gives way (see `agent::life`), what seats without a voice mean (see `detection::verdict`).

use std::collections::BTreeSet;
use std::sync::Arc;

use detection::verdict::Court;
use vocabulary::{Boot, Digest, Grounds, HostId, Scope, Span, VerdictKind, Verifier};

use crate::audit::What;
use crate::case::{Case, Closure, FrozenScopes, GroundsKept, Stage};
use crate::command::{Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// Longer than any supervisor waits before it starts an agent that ended: a machine that is still there speaks within it.
pub const SILENT_FOR: Span = Span::minutes(5);

impl Ledger {
    /// Every host under whose name two machines live.
    pub fn duplicates(&self) -> BTreeSet<HostId> {
        let cases = self.state.cases.open().filter(|case| is_duplicate(case));
        cases.filter_map(|case| case.host()).collect()
    }

    /// Whether two machines live under the name of this host.
    pub fn is_duplicate(&self, host: &HostId) -> bool {
        self.state.cases.of_host(host).is_some_and(|case| is_duplicate(case))
    }

    /// Law U2: a lease's commands are those of one machine.
    pub(crate) fn one_machine(&self, by: HostId) -> Result<(), Refused> {
        if !self.is_duplicate(&by) {
            return Ok(());
        }
        Err(Refused::NotPermitted("two machines live under this host's name: neither heals".into()))
    }

    /// Whether a life that speaks although the ledger knows another makes two machines: the very check that the command makes.
    pub fn can_be_two(&self, host: HostId, spoke: Boot) -> Result<Boot, Refused> {
        self.since_rules(rules::SECOND)?;
        let known = self.member(host)?.boot.ok_or(Refused::Nothing)?;
        if known == spoke || spoke.number > known.number {
            return Err(Refused::Nothing);
        }
        // A lost disk brings a lower number too; only a life that was committed once is another machine for certain.
        let is_certain = spoke.number == known.number || self.has_lived(host, spoke);
        if is_certain || self.is_duplicate(&host) {
            return Ok(known);
        }
        Err(Refused::Grounds("that life was never committed: a lost disk looks like that".into()))
    }

    /// The host's own word, or that of a keeper, whom Raft trusts not to lie (protocol 1.6).
    pub(crate) fn other_life(
        &mut self,
        by: HostId,
        host: HostId,
        spoke: Boot,
    ) -> Result<Outcome, Refused> {
        self.member(by)?;
        if by != host && !self.may_lead(&by) {
            let why = "only the host itself or a voter of the ledger may say this";
            return Err(Refused::NotPermitted(why.into()));
        }
        let known = self.can_be_two(host, spoke)?;
        self.two_machines(host, (known, spoke));
        Ok(Outcome::Done)
    }

    /// Whether the kept history knows this life of the host.
    fn has_lived(&self, host: HostId, life: Boot) -> bool {
        let is_its = |what: &What| matches!(what, What::Booted { host: own, boot } if (*own, *boot) == (host, life));
        self.state.audit.since(0).any(|record| is_its(&record.what))
    }

    /// Law U1: one number under two nonces in what was signed for a round.
    pub(crate) fn note_duplicates(&mut self, grounds: &Grounds, verifier: &dyn Verifier) {
        if self.rules() < rules::SECOND {
            return;
        }
        for (host, spoke) in self.second_nonces(grounds, verifier) {
            if let Some(known) = self.state.roster.get(&host).and_then(|entry| entry.boot) {
                self.two_machines(host, (known, spoke));
            }
        }
    }

    fn second_nonces(
        &self,
        grounds: &Grounds,
        verifier: &dyn Verifier,
    ) -> BTreeSet<(HostId, Boot)> {
        let court = Court { fleet: self.fleet(), verifier };
        let is_other = |host: &HostId, spoke: Boot| {
            let known = self.state.roster.get(host).and_then(|entry| entry.boot);
            known.is_some_and(|known| known.number == spoke.number && known != spoke)
        };
        let words = grounds.attestations.iter().filter(|word| {
            is_other(&word.observer, word.observer_boot)
                && court.hear(&grounds.anchor, word).is_ok()
        });
        let answers = grounds.answers.iter().filter(|answer| {
            is_other(&answer.subject, answer.boot)
                && court.hear_answer(&grounds.anchor, answer).is_ok()
        });
        let words = words.map(|word| (word.observer, word.observer_boot));
        words.chain(answers.map(|answer| (answer.subject, answer.boot))).collect()
    }

    /// Two lives at once: the case is opened, or whatever case is open on the host becomes it.
    pub(crate) fn two_machines(&mut self, host: HostId, (known, spoke): (Boot, Boot)) {
        if self.rules() < rules::SECOND {
            return;
        }
        if self.is_duplicate(&host) {
            return self.heard_again(host, spoke);
        }
        let standing = self.state.cases.of_host(&host).map(|case| Case::clone(case));
        let Some(mut case) = standing.or_else(|| self.new_duplicate(host)) else {
            return;
        };
        let (now, anchor) = (self.state.time, self.anchor());
        case.kind = VerdictKind::Duplicate;
        case.boot = Some(spoke);
        case.grounds = own_word(anchor);
        case.stands_since = now;
        case.upheld_at = now;
        case.rounds_upheld = 1;
        case.rule = None;
        case.refused = None;
        self.record_verdict(&case);
        if case.is_quarantined() {
            // Law QU1: the host was tried too often, whichever of the two it was.
            let mut why = in_words(known, spoke);
            if let Stage::Quarantined { why: before, .. } = &case.stage {
                why = format!("{why}; {before}");
            }
            self.record(What::Escalated { case: case.id, why: why.clone(), is_counted: false });
            case.stage = Stage::Quarantined { why, since: now };
            self.state.cases.put(case);
        } else {
            self.escalate(case, in_words(known, spoke));
        }
        self.end_domains_that_are_back();
    }

    fn new_duplicate(&mut self, host: HostId) -> Option<Case> {
        let scopes = FrozenScopes::of(&self.state.roster.get(&host)?.claims);
        let grounds = own_word(self.anchor());
        // At the bound of open cases it is found again when it speaks again.
        let case = self.new_case(Scope::Host(host), VerdictKind::Duplicate, grounds).ok()?;
        Some(Case { scopes: Some(scopes), ..case })
    }

    /// Another machine than the committed one has spoken: the case goes on for as long again (law U3).
    pub(crate) fn heard_again(&mut self, host: HostId, spoke: Boot) {
        if let Some(mut case) = self.duplicate(&host) {
            case.boot = case.boot.max(Some(spoke));
            case.upheld_at = self.state.time;
            case.rounds_upheld = case.rounds_upheld.saturating_add(1);
            self.state.cases.put(case);
        }
    }

    /// A life is committed: whether it stands alone is seen from now on (law U3).
    pub(crate) fn outlived(&mut self, host: HostId) {
        if let Some(mut case) = self.duplicate(&host) {
            case.upheld_at = self.state.time;
            self.state.cases.put(case);
        }
    }

    fn duplicate(&self, host: &HostId) -> Option<Case> {
        let case = self.state.cases.of_host(host).filter(|case| is_duplicate(case));
        case.map(|case| Case::clone(case))
    }

    /// Law U3.
    pub(crate) fn end_duplicates(&mut self) {
        let now = self.state.time;
        let is_over =
            |case: &&Arc<Case>| self.is_outlived(case) && now.since(case.upheld_at) >= SILENT_FOR;
        let over: Vec<Arc<Case>> = self.state.cases.open().filter(is_over).cloned().collect();
        for case in over {
            self.close(Case::clone(&case), Closure::Recovered);
        }
    }

    /// Whether only ledger time is missing to the end of one.
    pub(crate) fn is_any_duplicate_ending(&self) -> bool {
        self.state.cases.open().any(|case| self.is_outlived(case))
    }

    /// Whether a life above that of the other machine is committed, and nothing that was begun before is without a known end.
    fn is_outlived(&self, case: &Case) -> bool {
        let known = case.host().and_then(|host| self.state.roster.get(&host)?.boot);
        let is_above = |boot: Boot| known.is_some_and(|known| known.number > boot.number);
        is_duplicate(case)
            && !case.is_quarantined()
            && case.boot.is_some_and(is_above)
            && case.unresolved().is_none()
    }
}

fn is_duplicate(case: &Case) -> bool {
    case.kind == VerdictKind::Duplicate
}

/// It stands on no round: the host's own key has said it.
fn own_word(anchor: vocabulary::Anchor) -> GroundsKept {
    GroundsKept {
        anchor,
        digest: Digest::default(),
        against: Vec::new(),
        well: Vec::new(),
        vacant: Vec::new(),
        sights: Vec::new(),
    }
}

/// The last digits of a nonce are enough to tell two machines apart: each agent's log names its own.
fn in_words(known: Boot, spoke: Boot) -> String {
    let short = |boot: Boot| format!("{:08x}", boot.nonce & 0xffff_ffff);
    let (one, other) = (short(known), short(spoke));
    if known.number == spoke.number {
        let number = known.number;
        return format!(
            "two machines live under its name, both in boot {number}, by nonces {one} and {other}: stop one of them"
        );
    }
    format!(
        "two machines live under its name, one in boot {} ({one}), one in boot {} ({other}): stop one of them",
        known.number, spoke.number
    )
}
