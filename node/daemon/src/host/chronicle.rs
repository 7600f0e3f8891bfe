//! What becomes true in the ledger, in this agent's own log: one line for each record of the audit, and who leads.
//!
//! Law CH1: an advance writes [`LINES_MAX`] lines at most; of what it leaves out it writes the number and where to read it.
//! Not here: the sentences (see `admin::render`), what this host itself does (see `hands`).

use std::sync::Arc;

use ledger::Ledger;
use ledger::audit::{Record, What};
use tracing::Level;
use vocabulary::{Claims, HostId};

use crate::admin::render;

/// A host that joins late does not write the mesh's whole life into its log.
const LINES_MAX: usize = 50;

/// The log's memory of the ledger.
pub struct Chronicle {
    me: Claims,
    told: u64,
    leader: Option<HostId>,
    /// For the name of a leader.
    ledger: Arc<Ledger>,
}

/// What an advance brought.
#[derive(Debug, PartialEq, Eq)]
struct News {
    left_out: u64,
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq, Eq)]
struct Line {
    level: Level,
    record: u64,
    case: Option<u64>,
    sentence: String,
}

impl Chronicle {
    /// Nothing is told yet.
    pub fn of(me: Claims) -> Self {
        Self { me, told: 0, leader: None, ledger: Arc::new(Ledger::new()) }
    }

    /// Writes what is new.
    pub fn advanced(&mut self, ledger: &Arc<Ledger>) {
        let News { left_out, lines } = self.news(ledger);
        self.ledger = Arc::clone(ledger);
        if left_out > 0 {
            tracing::info!("{left_out} earlier records are not told here: `hale audit` shows them");
        }
        for Line { level, record, case, sentence } in lines {
            match level {
                Level::WARN => tracing::warn!(case, record, "{sentence}"),
                Level::INFO => tracing::info!(case, record, "{sentence}"),
                _ => tracing::debug!(case, record, "{sentence}"),
            }
        }
    }

    /// Writes who leads, if it is another.
    pub fn led(&mut self, leader: Option<HostId>, term: u64) {
        if self.leader == leader {
            return;
        }
        self.leader = leader;
        match leader {
            Some(leader) => {
                let leader = render::host_name(&self.ledger, &self.me, &leader);
                tracing::info!(term, "{leader} leads");
            }
            None => tracing::warn!(term, "nobody leads, as far as this host knows"),
        }
    }

    fn news(&mut self, ledger: &Ledger) -> News {
        let audit = ledger.audit();
        let from = self.told.max(audit.checkpoint().number);
        let fresh: Vec<&Record> = audit.since(from).collect();
        let first = fresh.len().saturating_sub(LINES_MAX);
        let left_out = from - self.told + first as u64;
        self.told = audit.head().number;
        let line = |record: &&Record| {
            let (case, sentence) = render::told(ledger, &self.me, record);
            let case = case.map(|case| case.0);
            Line { level: level(&record.what), record: record.number, case, sentence }
        };
        News { left_out, lines: fresh[first..].iter().map(line).collect() }
    }
}

/// When a fleet starts, every host would write a line for every other.
fn level(what: &What) -> Level {
    match what {
        What::Enrolled { .. } | What::Booted { .. } => Level::DEBUG,
        What::Verdict { .. }
        | What::IntentRefused { .. }
        | What::Unproven { .. }
        | What::Escalated { .. } => Level::WARN,
        What::Founded { .. }
        | What::Left { .. }
        | What::Retired { .. }
        | What::PolicySet { .. }
        | What::Paused { .. }
        | What::Resumed { .. }
        | What::RulesRaised { .. }
        | What::AuthoritiesSet { .. }
        | What::HostAdded { .. }
        | What::Granted { .. }
        | What::Accepted { .. }
        | What::LeaseOver { .. }
        | What::Intended { .. }
        | What::Received { .. }
        | What::Inspected { .. }
        | What::Verified { .. }
        | What::Closed { .. } => Level::INFO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::command::Command;

    use crate::admin::tests::fleet::{Fleet, claims, order};

    #[test]
    fn each_record_is_one_line_and_is_told_once() {
        let fleet = Fleet::nine();
        let mut chronicle = Chronicle::of(claims("a1"));
        let news = chronicle.news(&fleet.ledger);
        let records = fleet.ledger.audit().head().number;
        assert_eq!((news.left_out, news.lines.len() as u64), (0, records));
        let first = &news.lines[0];
        assert_eq!((first.level, first.record), (Level::INFO, 1));
        assert!(first.sentence.contains("is founded"), "{}", first.sentence);
        assert!(news.lines.iter().any(|line| line.level == Level::DEBUG), "enrolments are quiet");
        assert_eq!(chronicle.news(&fleet.ledger), News { left_out: 0, lines: Vec::new() });
    }

    #[test]
    fn a_host_that_comes_late_is_told_the_newest_and_how_much_there_was_before() {
        let mut fleet = Fleet::nine();
        for _ in 0..LINES_MAX {
            fleet.send("a1", Command::Pause(order("a drill")));
            fleet.send("a1", Command::Resume(order("it is over")));
        }
        let records = fleet.ledger.audit().head().number;
        let news = Chronicle::of(claims("a1")).news(&fleet.ledger);
        assert_eq!(news.lines.len(), LINES_MAX);
        assert_eq!(news.left_out, records - LINES_MAX as u64);
        assert_eq!(news.lines.last().map(|line| line.record), Some(records));
    }
}
