//! How often a host was tried lately.
//!
//! Law M1: a rung is not tried on a host again before its cooldown, nor any rung more often than the rule's attempts
//! allow (protocol 6.6).
//! Law M2: what is remembered here is forgotten when it can refuse nothing any more.
//! Not here: limits of what is in flight (see `limits`), of what begins (see `starts`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{Digest, HostId, LedgerTime, RemedyId, Span};

use crate::case::Case;
use crate::command::Refused;
use crate::ledger::Ledger;
use crate::policy::Rule;

/// The remedies begun on each host lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempts(BTreeMap<HostId, VecDeque<Attempt>>);

/// One begun remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    remedy: RemedyId,
    rule: String,
    rung: u32,
    at: LedgerTime,
    /// That rung is left alone until then; not after a refusal, since nothing was done.
    cools_until: LedgerTime,
    /// It counts until then.
    counts_until: LedgerTime,
}

/// Attempts remembered of one host: as many as a rule may allow (`attempts.at_most`).
const ATTEMPTS_MAX: usize = 100;

impl Attempts {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, host: &HostId) -> impl Iterator<Item = &Attempt> {
        self.0.get(host).into_iter().flatten()
    }
}

impl Ledger {
    /// Whether this rung on this host is cooling down.
    pub(crate) fn cooldown_hold(&self, case: &Case, rule: &Rule) -> Option<Refused> {
        let host = case.host()?;
        let now = self.state.time;
        let is_same = |attempt: &&Attempt| attempt.rule == rule.name && attempt.rung == case.rung;
        let until = self
            .state
            .attempts
            .of(&host)
            .filter(is_same)
            .map(|attempt| attempt.cools_until)
            .max()?;
        (until > now).then(|| {
            let (rung, left) = (case.rung.saturating_add(1), until.since(now));
            Refused::Damped(format!(
                "rung {rung} of {:?} cools down on this host for {left} more",
                rule.name
            ))
        })
    }

    /// Why the host may not be tried again within the rule's window, if its attempts are spent.
    pub(crate) fn spent(&self, case: &Case, rule: &Rule) -> Option<String> {
        let host = case.host()?;
        let now = self.state.time;
        let counts = |attempt: &&Attempt| {
            attempt.rule == rule.name && now.since(attempt.at) < rule.attempts.within
        };
        let count = self.state.attempts.of(&host).filter(counts).count();
        let most = (rule.attempts.at_most as usize).min(ATTEMPTS_MAX);
        (count >= most).then(|| {
            format!("{count} of {most} attempts within {} are spent", rule.attempts.within)
        })
    }

    /// Remembers that a remedy begins.
    pub(crate) fn remember_attempt(&mut self, case: &Case, rule: &Rule, remedy: RemedyId) {
        let (Some(host), Some(scopes)) = (case.host(), case.scopes.clone()) else {
            return;
        };
        let now = self.state.time;
        let cools_until = now.after(rule.cooldown).after(jitter(rule, remedy));
        let counts_until = now.after(rule.attempts.within).max(cools_until);
        let attempts = &mut Arc::make_mut(&mut self.state.attempts).0;
        let of_host = attempts.entry(host).or_default();
        of_host.push_back(Attempt {
            remedy,
            rule: rule.name.clone(),
            rung: case.rung,
            at: now,
            cools_until,
            counts_until,
        });
        while of_host.len() > ATTEMPTS_MAX {
            of_host.pop_front();
        }
        self.remember_start(&scopes);
    }

    /// A remedy was refused: nothing was done, so its rung need not cool down; the attempt still counts.
    pub(crate) fn forgive_cooldown(&mut self, host: &HostId, remedy: RemedyId) {
        let now = self.state.time;
        let attempts = &mut Arc::make_mut(&mut self.state.attempts).0;
        for attempt in attempts.get_mut(host).into_iter().flatten() {
            if attempt.remedy == remedy {
                attempt.cools_until = now;
            }
        }
    }

    /// A person has seen to the host: what was tried on it counts no more.
    pub(crate) fn forget_tries(&mut self, host: &HostId) {
        if self.state.attempts.0.contains_key(host) {
            Arc::make_mut(&mut self.state.attempts).0.remove(host);
        }
    }

    /// Law M2.
    pub(crate) fn forget_attempts(&mut self) {
        let now = self.state.time;
        let is_over = |attempt: &Attempt| attempt.counts_until <= now;
        if self.state.attempts.0.values().flatten().any(is_over) {
            let attempts = &mut Arc::make_mut(&mut self.state.attempts).0;
            attempts.values_mut().for_each(|of_host| of_host.retain(|attempt| !is_over(attempt)));
            attempts.retain(|_, of_host| !of_host.is_empty());
        }
        self.forget_starts();
    }
}

/// Up to a tenth of the cooldown, so that hosts that were tried together are not tried again together (protocol 6.6).
fn jitter(rule: &Rule, remedy: RemedyId) -> Span {
    let luck = Digest::of(&[b"hale cooldown jitter", &remedy.0.to_be_bytes()]).leading();
    let most = rule.cooldown.as_milliseconds() / 10;
    Span::milliseconds(luck % most.saturating_add(1))
}
