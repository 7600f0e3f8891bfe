//! Which limits have held cases back for so long, with no term in sight, that a person is called?
//!
//! Law PG3: what waits for a limit that no term frees calls a person after `unsettled_for`: once for each limit while it holds, by each
//! leader. The case stays hale's: it goes on by itself once the limit allows it (law G1).
//! Not here: which limits those are (see `ledger::Ledger::stuck`), those who wait for a person's word (see `approving`), other calls
//! (see `paging`).

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::Ledger;
use ledger::case::Case;
use ledger::command::Refused;
use ledger::refusal::ScopeName;
use vocabulary::{Moment, Scope, Span};

use crate::approving::Asked;
use crate::event::Page;
use crate::leading::subject_in_words;

/// A limit by its kind and the scope in which it holds.
type Limit = (String, Scope);

/// The limits that hold cases back with no term in sight; at most one of each kind and scope.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    known: BTreeMap<Limit, Known>,
    asked: Asked,
    next_look: Moment,
}

/// How often the open cases are asked what they wait for: there may be 10,000, and patience is minutes.
const LOOK_EVERY: Span = Span::seconds(1);

/// What a leader knows of one limit.
#[derive(Clone, Copy, Debug)]
struct Known {
    due: Moment,
    is_called: bool,
}

/// Who waits for it.
struct Held {
    first: Arc<Case>,
    rule: Refused,
    others: usize,
}

impl Waiting {
    /// The calls that are due now.
    pub fn due(&mut self, now: Moment, ledger: &Ledger) -> Vec<Page> {
        if now < self.next_look {
            return Vec::new();
        }
        self.next_look = now.after(LOOK_EVERY);
        let stuck = ledger.stuck();
        let mut pages = self.asked.due(ledger, &stuck);
        let held = held(stuck);
        self.known.retain(|limit, _| held.contains_key(limit));
        let patience = ledger.policy().timers.unsettled_for;
        for (limit, held) in held {
            let new = Known { due: now.after(patience), is_called: false };
            let known = self.known.entry(limit).or_insert(new);
            if !known.is_called && known.due <= now {
                known.is_called = true;
                pages.push(Page { case: Some(held.first.id), line: in_words(ledger, &held) });
            }
        }
        pages
    }

    /// When the next call is due if nothing moves.
    pub fn next_deadline(&self) -> Option<Moment> {
        let due = self.known.values().filter(|known| !known.is_called).map(|known| known.due);
        due.min().map(|due| due.max(self.next_look))
    }
}

fn held(stuck: Vec<(&Arc<Case>, Refused)>) -> BTreeMap<Limit, Held> {
    let mut all: BTreeMap<Limit, Held> = BTreeMap::new();
    let stuck = stuck.into_iter();
    for (case, (limit, rule)) in stuck.filter_map(|(case, rule)| Some((case, limit(case, rule)?))) {
        match all.get_mut(&limit) {
            Some(held) => held.others += 1,
            None => drop(all.insert(limit, Held { first: Arc::clone(case), rule, others: 0 })),
        }
    }
    all
}

fn limit(case: &Case, rule: Refused) -> Option<(Limit, Refused)> {
    let group = || Some(Scope::Group(case.scopes.as_ref()?.group.clone()));
    let of_rule = |word: &str| Some(format!("{word} {}", case.rule.as_ref()?.0));
    let limit = match &rule {
        Refused::Halt { scope, .. } => ("halt".into(), scope.clone()),
        Refused::Budget { scope, .. } => ("budget".into(), scope.clone()),
        Refused::Floor { .. } => ("floor".into(), group()?),
        Refused::PerDay { scope, .. } => ("day".into(), scope.clone()),
        Refused::Keepers { .. } => ("keepers".into(), Scope::Fleet),
        Refused::Exempt { .. } => ("exempt".into(), case.subject.clone()),
        Refused::Stopped { .. } => ("stop".into(), group()?),
        Refused::KindStopped { .. } => (of_rule("stop of")?, group()?),
        Refused::Canary { .. } => (of_rule("canary of")?, group()?),
        _ => return None,
    };
    Some((limit, rule))
}

fn in_words(ledger: &Ledger, held: &Held) -> String {
    let (id, kind) = (held.first.id, &held.first.kind);
    let subject = subject_in_words(ledger, &held.first.subject);
    let rule = match &held.rule {
        Refused::Budget { scope, used, limit } => format!(
            "{}: {used} of {limit} in flight, under leases or reboot slots that no term ends: `hale leases` shows them",
            ScopeName(scope)
        ),
        Refused::Canary { case: first, .. } => format!(
            "case {first} has the same trouble and went first, and nobody knows how its remedy ended: `hale lease revoke {first} \
             --why ...` once you know that it is over"
        ),
        rule => rule.to_string(),
    };
    let others = match held.others {
        0 => String::new(),
        others => format!("; {others} more wait for it"),
    };
    format!("case {id}: {subject} {kind} waits and nothing ends that by itself: {rule}{others}")
}
