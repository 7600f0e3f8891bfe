//! What becomes true in the ledger, in this agent's own log: one line for each record of the audit, and who leads.
//!
//! Law CH1: an advance writes [`LINES_MAX`] lines at most; of what it leaves out it writes the number and where to read it.
//! Law CH2: a life begins where the state that its host had kept ends: what the life before has told is not told again.
//! Not here: the sentences (see `admin::render`), what this host itself does (see `hands`).

use std::sync::Arc;

use ledger::Ledger;
use ledger::audit::{Audit, Checkpoint, Record, What};
use tracing::Level;
use vocabulary::{Claims, HostId};

use crate::admin::render;

/// A host that joins late does not write the mesh's whole life into its log.
const LINES_MAX: usize = 50;

/// The log's memory of the ledger.
pub struct Chronicle {
    me: Claims,
    /// The last record that was told, or that an earlier life knew.
    told: Checkpoint,
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
    /// Of a host that has kept this of the ledger; what is in it is no news.
    pub fn of(me: Claims, kept: Arc<Ledger>) -> Self {
        Self { me, told: kept.audit().head(), leader: None, ledger: kept }
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
        if audit.head().number <= self.told.number {
            // A keeper's own store may begin behind what its host has kept.
            return News { left_out: 0, lines: Vec::new() };
        }
        let told = if holds(audit, self.told) { self.told.number } else { 0 };
        let from = told.max(audit.checkpoint().number);
        let fresh: Vec<&Record> = audit.since(from).collect();
        let first = fresh.len().saturating_sub(LINES_MAX);
        let left_out = from - told + first as u64;
        self.told = audit.head();
        let line = |record: &&Record| {
            let (case, sentence) = render::told(ledger, &self.me, record);
            let case = case.map(|case| case.0);
            Line { level: level(&record.what), record: record.number, case, sentence }
        };
        News { left_out, lines: fresh[first..].iter().map(line).collect() }
    }
}

/// Whether this history goes through that place, as far as it reaches back: a ledger that was founded anew is told from its
/// beginning.
fn holds(audit: &Audit, place: Checkpoint) -> bool {
    let checkpoint = audit.checkpoint();
    if place.number <= checkpoint.number {
        return place.number < checkpoint.number || place == checkpoint;
    }
    let at = audit.since(place.number - 1).next();
    at.is_some_and(|record| record.place() == place)
}

/// When a fleet starts, every host would write a line for every other.
fn level(what: &What) -> Level {
    match what {
        What::Enrolled { .. } | What::Booted { .. } => Level::DEBUG,
        What::Verdict { .. }
        | What::IntentRefused { .. }
        | What::Unproven { .. }
        | What::Escalated { .. }
        | What::Quarantined { .. }
        | What::VoteMoved { .. }
        | What::GroupStopped { .. }
        | What::KindStopped { .. } => Level::WARN,
        What::Founded { .. }
        | What::Left { .. }
        | What::Retired { .. }
        | What::PolicySet { .. }
        | What::Paused { .. }
        | What::Resumed { .. }
        | What::RulesRaised { .. }
        | What::Approved { .. }
        | What::MaintenancePlanned { .. }
        | What::MaintenanceBegan { .. }
        | What::MaintenanceEnded { .. }
        | What::Denied { .. }
        | What::Shadowed { .. }
        | What::AuthoritiesSet { .. }
        | What::HostAdded { .. }
        | What::HostExempted { .. }
        | What::SlotGranted { .. }
        | What::SlotOver { .. }
        | What::ClientBound { .. }
        | What::VotesMoved { .. }
        | What::Freed { .. }
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

    fn new(kept: &Ledger) -> Chronicle {
        Chronicle::of(claims("a1"), Arc::new(kept.clone()))
    }

    fn paused(fleet: &mut Fleet) {
        fleet.send("a1", Command::Pause(order("a drill")));
    }

    #[test]
    fn each_record_is_one_line_and_is_told_once() {
        let fleet = Fleet::nine();
        let mut chronicle = new(&Ledger::new());
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
        let news = new(&Ledger::new()).news(&fleet.ledger);
        assert_eq!(news.lines.len(), LINES_MAX);
        assert_eq!(news.left_out, records - LINES_MAX as u64);
        assert_eq!(news.lines.last().map(|line| line.record), Some(records));
    }

    /// Law CH2.
    #[test]
    fn what_was_kept_from_the_life_before_is_not_told_again() {
        let mut fleet = Fleet::nine();
        paused(&mut fleet);
        let mut chronicle = new(&fleet.ledger);
        assert_eq!(chronicle.news(&Ledger::new()).lines, [], "its own store begins further back");
        assert_eq!(chronicle.news(&fleet.ledger).lines, []);
        fleet.send("a1", Command::Resume(order("it is over")));
        let told: Vec<u64> = chronicle.news(&fleet.ledger).lines.iter().map(|l| l.record).collect();
        assert_eq!(told, [fleet.ledger.audit().head().number]);
    }

    #[test]
    fn a_ledger_that_was_founded_anew_is_told_from_its_beginning() {
        let (old, mut anew) = (Fleet::nine(), Fleet::nine());
        let kept = {
            let mut old = old;
            paused(&mut old);
            old.ledger
        };
        anew.send("a1", Command::Resume(order("another history")));
        anew.send("a1", Command::Pause(order("another history")));
        anew.send("a1", Command::Resume(order("another history")));
        let news = new(&kept).news(&anew.ledger);
        assert_eq!(news.left_out + news.lines.len() as u64, anew.ledger.audit().head().number);
        assert_eq!(news.lines.first().map(|line| line.record), Some(1));
    }
}
