//! What happened, in words: doubts, rounds, verdicts, leases, remedies, proofs, brakes.
//!
//! Law S1: the same fleet gives the same lines; times are in tenths of a second, so that a golden trace can be read.
//! Not here: the words of the audit's records (see `words`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use vocabulary::{HostId, Moment, Span};

use crate::fleet::Fleet;
use crate::host::{Host, Place};
use crate::words::{record_in_words, round_in_words};

/// More lines than anybody reads; beyond, the trace says that it is cut.
const LINES_MAX: usize = 100_000;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Since the trace began.
    pub at: Span,
    /// What happened.
    pub text: String,
}

/// The trace of one fleet; says nothing until it is begun.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    begun: Option<Moment>,
    lines: Vec<Line>,
    /// The last record of the audit that was told.
    audit_upto: u64,
    /// The last round on each subject that was told.
    rounds: BTreeMap<HostId, (Moment, String)>,
}

impl Trace {
    pub fn begin(&mut self, now: Moment, audit_upto: u64) {
        self.begun = Some(now);
        self.audit_upto = audit_upto;
    }

    pub fn is_on(&self) -> bool {
        self.begun.is_some()
    }

    pub fn say(&mut self, now: Moment, text: String) {
        let Some(begun) = self.begun else {
            return;
        };
        let at = now.since(begun);
        if self.lines.len() < LINES_MAX {
            self.lines.push(Line { at, text });
        } else if self.lines.len() == LINES_MAX {
            let text = String::from("the trace is cut here");
            self.lines.push(Line { at, text });
        }
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.at.as_milliseconds() / 100;
        write!(out, "{:>4}.{} {}", tenths / 10, tenths % 10, self.text)
    }
}

impl Fleet {
    /// What can be seen of a mind after an event: whom it doubts, and which rounds it has held.
    pub(crate) fn trace_mind(&mut self, place: Place) {
        let local = self.hosts[place].local(self.now);
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        let leads = life.agent.leads();
        if life.doubts.is_empty() && !life.agent.is_any_doubted() && !(leads && self.trace.is_on())
        {
            return;
        }
        let doubts = life.agent.doubts(local);
        let before: BTreeSet<HostId> = life.doubts.iter().map(|note| note.subject).collect();
        let after: BTreeSet<HostId> = doubts.iter().map(|note| note.subject).collect();
        life.doubts = doubts;
        if !self.trace.is_on() {
            return;
        }
        let observer = self.hosts[place].name().to_owned();
        for subject in after.difference(&before) {
            let text = format!("{observer} doubts {}", self.name_of(subject));
            self.note(text);
            self.note_doubted(place, subject);
        }
        for subject in before.difference(&after) {
            let text = format!("{observer} doubts {} no more", self.name_of(subject));
            self.note(text);
        }
        if leads {
            self.trace_rounds(place);
        }
    }

    fn trace_rounds(&mut self, place: Place) {
        let Some(life) = &self.hosts[place].life else {
            return;
        };
        let mut told = Vec::new();
        // A copy bears its original's name, and is looked at under it.
        let is_original =
            |(place, host): &(Place, &Host)| self.places.get(&host.id) == Some(*place);
        for (_, host) in self.hosts.iter().enumerate().filter(is_original) {
            let Some(look) = life.agent.last_look(&host.id) else {
                continue;
            };
            let last = self.trace.rounds.get(&host.id);
            // A host that was only asked to bear witness was not looked at.
            if look.attestations.is_empty() || last.is_some_and(|(at, _)| *at == look.at) {
                continue;
            }
            let text = round_in_words(self, &host.id, look);
            let is_news = last.is_none_or(|(_, last)| *last != text);
            told.push((host.id, look.at, text, is_news));
        }
        for (host, at, text, is_news) in told {
            if is_news {
                self.note(text.clone());
            }
            self.trace.rounds.insert(host, (at, text));
        }
    }

    /// Every new record of the audit.
    pub(crate) fn trace_audit(&mut self) {
        let upto = self.trace.audit_upto;
        let ledger = std::sync::Arc::clone(self.ledger());
        for record in ledger.audit_since(upto) {
            self.trace.audit_upto = record.number;
            let text = record_in_words(self, &record.what);
            self.note(text);
        }
    }
}
