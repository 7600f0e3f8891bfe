//! Did it work? The rung's own proof, fresh rounds, soaked; else the next rung, or a person (protocol 7.7).
//!
//! Law V5: nothing is healed but by its proof and by voices anchored after the receipt.
//! Not here: what the healer does meanwhile (see `agent`).

use vocabulary::{Boot, CaseId, Fence, Grounds, HostId, LedgerTime, Span, Verifier};

use crate::audit::What;
use crate::case::{Case, Closure, RemedyNote, Stage};
use crate::command::{Outcome, Refused};
use crate::leases::check_line;
use crate::ledger::Ledger;
use crate::policy::Proof;

impl Ledger {
    pub(crate) fn verify(
        &mut self,
        by: HostId,
        (id, fence): (CaseId, Fence),
        grounds: &Grounds,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        let mut case = self.held(by, id, fence)?;
        let subject = case.host().ok_or(Refused::Nothing)?;
        let Stage::Verifying { remedy, received_at, well_since, .. } = &mut case.stage else {
            return Err(Refused::Stage(case.stage.word().into()));
        };
        let (remedy, first) = (*remedy, well_since.is_none());
        let judged = self.judge(grounds, Some(*received_at), verifier)?;
        if !first && judged.conclusions.is_adverse(&subject) {
            self.fail_rung(case, "voices against it while it soaked".into());
            return Ok(Outcome::Done);
        }
        let now = self.state.time;
        let since = *well_since.get_or_insert(now);
        let note = case.remedies.last_mut().ok_or(Refused::Nothing)?;
        let boot = self.proven_by(subject, note)?;
        if !judged.conclusions.is_verified_well(&subject) {
            return Err(Refused::Grounds("they do not see it well".into()));
        }
        let is_soaked = now.since(since) >= note.applied.soak;
        if is_soaked {
            note.is_proven = Some(true);
        }
        let note = note.clone();
        if first {
            self.record(What::Verified {
                case: id,
                remedy,
                boot,
                anchor: judged.anchor,
                grounds: judged.digest,
            });
        }
        if is_soaked {
            self.replacement_worked(&case, &note);
            self.canary_proven(&case);
            self.close(case, Closure::Healed);
            self.ramp_ended();
        } else {
            self.state.cases.put(case);
        }
        Ok(Outcome::Done)
    }

    pub(crate) fn unproven(
        &mut self,
        by: HostId,
        (id, fence): (CaseId, Fence),
        why: &str,
    ) -> Result<Outcome, Refused> {
        check_line(why)?;
        let case = self.held(by, id, fence)?;
        let Stage::Verifying { until, well_since, .. } = &case.stage else {
            return Err(Refused::Stage(case.stage.word().into()));
        };
        let left = until.since(self.state.time);
        if left > Span::ZERO && well_since.is_none() {
            let what = "to give the remedy up: its proof may still come".into();
            return Err(Refused::TooSoon { what, left });
        }
        self.fail_rung(case, why.to_owned());
        Ok(Outcome::Done)
    }

    /// The rung did not prove that it worked: the next one, or a person.
    pub(crate) fn fail_rung(&mut self, mut case: Case, why: String) {
        let Some(note) = case.remedies.last_mut() else {
            return;
        };
        note.is_proven = Some(false);
        let note = note.clone();
        let (remedy, rung) = (note.id, note.rung);
        self.record(What::Unproven {
            case: case.id,
            remedy,
            rung: u64::from(rung),
            why: why.clone(),
        });
        self.ramp_ended();
        // By the rule that was applied, whatever is in force now.
        self.canary_unproven(&case);
        case.rung = case.rung.saturating_add(1);
        // It was well in between: what is wrong now is new, and the next rung waits for it as for the first (protocol 7.4).
        if matches!(case.stage, Stage::Verifying { well_since: Some(_), .. }) {
            case.stands_since = self.state.time;
            case.rounds_upheld = 0;
        }
        // Another rule has come into force meanwhile: its ladder begins at its first rung.
        let rule = self.rule_name(&case);
        let name = |rule: &Option<(String, u64)>| rule.as_ref().map(|(name, _)| name.clone());
        if name(&rule) != name(&case.rule) {
            case.rung = 0;
        }
        case.rule = rule;
        case.stage = Stage::Open;
        if let Some(stop) = self.replacement_failed(&case, &note) {
            self.give_up(case, stop);
        } else if self.next_rung(&case).is_none() && self.rule_of(&case).is_some() {
            let last = rung.saturating_add(1);
            self.give_up(case, format!("rung {last} was the last and is not proven: {why}"));
        } else {
            self.state.cases.put(case);
        }
    }

    /// When a rung gives up by itself: its time for the proof is over, or the soak was never finished.
    pub(crate) fn gives_up(&self, case: &Case) -> Option<LedgerTime> {
        let Stage::Verifying { until, well_since, .. } = &case.stage else {
            return None;
        };
        let applied = &case.remedies.last()?.applied;
        Some(match well_since {
            None => *until,
            Some(since) => since.after(applied.soak).after(applied.verify_within),
        })
    }

    /// The rung's own proof; the life that proves it.
    pub(crate) fn proven_by(
        &self,
        host: HostId,
        note: &RemedyNote,
    ) -> Result<Option<Boot>, Refused> {
        let boot = self.member(host)?.boot;
        match note.applied.proof {
            Proof::HigherBoot => {
                let number = |boot: Option<Boot>| boot.map_or(0, |boot| boot.number);
                let (before, now) = (number(note.boot), number(boot));
                if now > before {
                    return Ok(boot);
                }
                Err(Refused::Grounds(format!(
                    "its proof is missing: boot {before} was in trouble and no higher one is known"
                )))
            }
        }
    }
}
