//! Rules in shadow (mode "shadow"): what a rule that acts would have begun is put down, and nothing is.
//!
//! Law SH1: under such a rule no lease is granted and no remedy begins.
//! Law SH2: what would have begun is put down when a lease would have been granted, once for each bout of trouble under one policy. No
//! shadow of a lease counts against a budget, so that of many hosts in trouble each is put down as if it were alone.
//! Not here: what holds a case (see `limits`).

use std::sync::Arc;

use vocabulary::HostId;

use crate::audit::What;
use crate::case::{Case, Stage};
use crate::command::{Outcome, Refused};
use crate::ledger::Ledger;
use crate::policy::{Mode, Rule, Rung};

impl Ledger {
    /// The rule of a case and the rung that it would try, if it is in shadow.
    pub(crate) fn shadow_rung(&self, case: &Case) -> Option<(&Rule, &Rung)> {
        let rule = self.rule_of(case).filter(|rule| rule.mode == Mode::Shadow)?;
        Some((rule, rule.ladder.get(case.rung as usize)?))
    }

    /// Law SH2: it is put down already.
    pub(crate) fn shadow_hold(&self, case: &Case) -> Option<Refused> {
        let (rule, rung) = self.shadow_rung(case)?;
        let is_done = self.state.added.shadowed.get(&case.id) == Some(&self.shown(case));
        is_done.then(|| Refused::Shadowed {
            rule: rule.name.clone(),
            rung: case.rung.saturating_add(1),
            remedy: rung.command.argv.join(" "),
        })
    }

    /// The lease that would have been granted, put down where the rule is in shadow.
    pub(crate) fn put_down_shadow(&mut self, case: &Case, healer: HostId) -> Option<Outcome> {
        let is_open = matches!(case.stage, Stage::Open);
        let (_, rung) = self.shadow_rung(case).filter(|_| is_open)?;
        let (id, argv) = (case.id, rung.command.argv.clone());
        let shown = self.shown(case);
        Arc::make_mut(&mut self.state.added.shadowed).insert(id, shown);
        self.record(What::Shadowed { case: id, rung: u64::from(shown.rung), argv, healer });
        Some(Outcome::Done)
    }

    /// Nothing is remembered of a case that is closed.
    pub(crate) fn forget_shadow(&mut self, case: &Case) {
        if self.state.added.shadowed.contains_key(&case.id) {
            Arc::make_mut(&mut self.state.added.shadowed).remove(&case.id);
        }
    }
}
