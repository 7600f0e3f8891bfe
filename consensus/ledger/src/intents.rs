//! To begin is to commit an intent (protocol 7.4).
//!
//! Law L3: no effect without a live lease, its margin, and a committed intent.
//! Law V3: no remedy against a fresh round that sees the subject well.
//! Law P1: under a brake nothing begins.
//! Law P3: what is above gentle begins on no host that the round proves alive (protocol 3.6 `AgentDown`), under rules 2.
//! Not here: the healer's own last look and its linearizable read (see `agent`).

use vocabulary::{CaseId, Fence, Grounds, HostId, RemedyClass, RemedyId, Verifier};

use crate::audit::What;
use crate::case::{Case, Lease, RemedyNote, Stage};
use crate::command::{Outcome, Refused};
use crate::judging::{Judged, alive_hold, hung_hold};
use crate::ledger::Ledger;
use crate::policy::{Rule, Rung};
use crate::rules;

/// Begun remedies that a case remembers; older ones are in the audit.
const REMEDIES_MAX: usize = 32;
/// protocol 3.4: with so few observers, so many rounds in a row must say the same before more than a gentle remedy.
const ROUNDS_OF_A_SMALL_QUORUM: u32 = 3;

impl Ledger {
    pub(crate) fn intend(
        &mut self,
        by: HostId,
        (id, fence): (CaseId, Fence),
        grounds: &Grounds,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        let case = self.held(by, id, fence)?;
        let Stage::Leased(lease) = case.stage.clone() else {
            return Err(Refused::Stage(case.stage.word().into()));
        };
        match self.last_look(&case, &lease, grounds, verifier) {
            Ok((judged, rule, rung)) => {
                let remedy = self.begin(case, lease, &judged, (&rule, rung));
                Ok(Outcome::Intended { remedy })
            }
            Err(refused) => {
                self.note_refusal(case, fence, &refused);
                Err(refused)
            }
        }
    }

    fn last_look(
        &self,
        case: &Case,
        lease: &Lease,
        grounds: &Grounds,
        verifier: &dyn Verifier,
    ) -> Result<(Judged, Rule, Rung), Refused> {
        if self.state.time.after(self.timers().lease_margin()) >= lease.ends {
            return Err(Refused::LeaseOver);
        }
        if let Some(hold) = self.intent_holds(case, lease).into_iter().next() {
            return Err(hold);
        }
        let (Some((rule, rung)), Some(host)) = (self.next_rung(case), case.host()) else {
            return Err(Refused::NoRule);
        };
        let judged = self.judge(grounds, Some(lease.granted_at), verifier)?;
        let verdict = judged.against(&host, &case.kind)?;
        let class = rung.command.class;
        // Law P3, which the first rules did not know.
        let alive = alive_hold(verdict, class).filter(|_| self.rules() >= rules::SECOND);
        if let Some(hold) = alive.or_else(|| hung_hold(verdict, class)) {
            return Err(hold);
        }
        let is_newer = judged.anchor.index > case.grounds.anchor.index;
        let with_this = if is_newer { case.rounds_with(self.state.time) } else { 0 };
        let have = case.rounds_upheld.max(with_this);
        let is_small = verdict.needs_three_rounds && class > RemedyClass::Gentle;
        if is_small && have < ROUNDS_OF_A_SMALL_QUORUM {
            return Err(Refused::ThreeRounds { have });
        }
        let (rule, rung) = (rule.clone(), rung.clone());
        Ok((judged, rule, rung))
    }

    fn begin(
        &mut self,
        mut case: Case,
        lease: Lease,
        judged: &Judged,
        (rule, rung): (&Rule, Rung),
    ) -> RemedyId {
        self.assert_may_begin(&case, &lease, judged);
        self.spend_approval(case.id);
        let remedy = self.state.remedy.next();
        self.state.remedy = remedy;
        self.record(What::Intended {
            case: case.id,
            fence: lease.fence,
            remedy,
            rung: u64::from(case.rung),
            argv: rung.command.argv.clone(),
            healer: lease.healer,
            anchor: judged.anchor,
            grounds: judged.digest,
        });
        self.remember_attempt(&case, rule, remedy);
        case.rule = Some((rule.name.clone(), self.state.shelf.version()));
        case.attempts = case.attempts.saturating_add(1);
        case.refused = None;
        if case.remedies.len() >= REMEDIES_MAX {
            case.remedies.remove(0);
        }
        case.remedies.push(RemedyNote {
            id: remedy,
            rung: case.rung,
            fence: lease.fence,
            healer: lease.healer,
            intended: self.state.time,
            applied: rung,
            boot: case.host().and_then(|host| self.state.roster.get(&host)?.boot),
            receipt: None,
            received_at: None,
            unknown_since: None,
            is_proven: None,
        });
        case.stage = Stage::Remedy { lease, remedy };
        self.state.cases.put(case);
        remedy
    }

    fn assert_may_begin(&self, case: &Case, lease: &Lease, judged: &Judged) {
        assert!(self.state.brakes.standing().is_none(), "law P1: under a brake nothing begins");
        let scopes = case.scopes.as_ref();
        assert!(
            scopes.is_none_or(|scopes| self.stop_of(&scopes.group).is_none()),
            "law ST1: in a stopped group nothing begins"
        );
        assert!(
            self.kind_stop(case).is_none() && self.canary_hold_of_the_begun(case).is_none(),
            "law CA1: of a kind that is not proven one remedy at once is begun, and none of one that is stopped"
        );
        assert!(
            self.next_rung(case).is_some(),
            "law SH1: nothing begins but under a rule that acts"
        );
        assert!(
            self.maintenance_hold(case).is_none(),
            "law MW1: nothing begins in an open window of maintenance"
        );
        assert!(
            self.stateful_hold_of_the_begun(case).is_none(),
            "law SF1: of a stateful group one host at a time is under repair"
        );
        assert!(self.exempt_hold(case).is_none(), "law EX1: nothing begins on an exempt host");
        assert!(
            self.slot_hold(case).is_none(),
            "law FL3: nothing begins on a host that may be rebooting"
        );
        assert!(
            self.approval_hold(case).is_none(),
            "law AP1: where the rule wants a person's word nothing begins without it"
        );
        assert!(
            case.host().is_some_and(|host| !judged.conclusions.is_well(&host)),
            "law V3: no remedy against a fresh round that sees its subject well"
        );
        assert!(
            lease.ends > self.state.time && case.pending().is_none(),
            "law L3: a remedy begins under a live lease, and after the one before has ended"
        );
    }

    /// Law C1: a refused intent moves nothing but this note; the same rule in a row is put down once.
    fn note_refusal(&mut self, mut case: Case, fence: Fence, refused: &Refused) {
        let is_same =
            |last: &Refused| std::mem::discriminant(last) == std::mem::discriminant(refused);
        if !case.refused.as_ref().is_some_and(is_same) {
            self.record(What::IntentRefused { case: case.id, fence, why: refused.to_string() });
        }
        case.refused = Some(refused.clone());
        self.state.cases.put(case);
    }
}
