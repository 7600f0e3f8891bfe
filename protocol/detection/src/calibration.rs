//! On which paths does a subject's silence prove anything to this observer?
//!
//! Law C1: a path is calibrated while it has answered this observer within the last [`CALM_MAX`] of calm; time spent in
//! doubt is not calm, so that evidence does not fade while it is needed.
//! Law C2: each path of each edge is checked once per [`CHECK_EVERY`], spread by seed; a new seat and a new boot check
//! every path at once.
//! Not here: sending the checks (see `watch`), what readings add up to (see `look`).

use std::collections::BTreeMap;

use vocabulary::{Moment, Path, Span};

/// For how long an answer makes silence meaningful (protocol 2.5).
pub const CALM_MAX: Span = Span::minutes(10);

/// How often each path is checked (protocol 2.5): two lost checks in a row still leave the path calibrated.
pub const CHECK_EVERY: Span = Span::minutes(5);

/// The first wait after a check that failed; doubles up to [`CHECK_EVERY`]. A mesh that has just been started calibrates
/// its late comers within seconds, and a port that is closed for good costs one knock in five minutes.
const CHECK_AGAIN: Span = Span::seconds(5);

/// Between two first checks of one edge, so that a new seat is no burst.
const FIRST_GAP: Span = Span::milliseconds(100);

/// What one observer knows of its paths to one subject.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// At most [`vocabulary::Attestation::PATHS_MAX`], as an attestation lists no more.
    paths: BTreeMap<Path, Memory>,
    /// The path that is to be checked first, and when: asked for far more often than it changes.
    first: Option<(Path, Moment)>,
}

#[derive(Clone, Copy, Debug)]
struct Memory {
    answered: Option<Moment>,
    next_check: Moment,
    failures: u32,
}

impl Calibration {
    /// A new seat: nothing is calibrated, and every path is to be checked from `now` on, one soon after the other.
    pub fn new(now: Moment, named_ports: &[u16]) -> Self {
        let mut calibration = Self { paths: BTreeMap::new(), first: None };
        for path in Self::checked_paths(named_ports) {
            calibration.paths.insert(path, Memory::due(now));
        }
        // Calm probing keeps this one fresh: no check of its own.
        calibration.paths.insert(Path::Warm, Memory::due(now));
        calibration.check_all(now);
        calibration
    }

    /// Another life of the subject, or other ports: every path is checked at once, what was known stays known.
    pub fn renew(&mut self, now: Moment, named_ports: &[u16]) {
        let wanted = Self::new(now, named_ports);
        let known = std::mem::replace(&mut self.paths, wanted.paths);
        for (path, memory) in &mut self.paths {
            memory.answered = known.get(path).and_then(|old| old.answered);
        }
        self.first = wanted.first;
    }

    /// Whether these are the ports it was told of.
    pub fn names(&self, ports: &[u16]) -> bool {
        let named = |path: &Path| matches!(path, Path::NamedPort(_));
        self.paths.keys().filter(|path| named(path)).count() == ports.len()
            && ports.iter().all(|port| self.paths.contains_key(&Path::NamedPort(*port)))
    }

    /// The path has answered this observer; its next check lies `spread` before or after the usual time.
    pub fn answered(&mut self, now: Moment, path: Path, spread: Span) {
        if let Some(memory) = self.paths.get_mut(&path) {
            memory.answered = Some(now);
            memory.failures = 0;
            memory.next_check = now.after(CHECK_EVERY).before(spread);
            self.note_first(path);
        }
    }

    /// A check of the path brought nothing.
    pub fn failed(&mut self, now: Moment, path: Path) {
        if let Some(memory) = self.paths.get_mut(&path) {
            let wait = CHECK_AGAIN.times(1 << memory.failures.min(6));
            memory.next_check = now.after(wait.min(CHECK_EVERY));
            memory.failures = memory.failures.saturating_add(1);
            self.note_first(path);
        }
    }

    /// The path whose check is due first, if one is.
    pub fn due(&self, now: Moment) -> Option<Path> {
        self.first.filter(|(_, at)| *at <= now).map(|(path, _)| path)
    }

    /// When the next check is due.
    pub fn next_check(&self) -> Option<Moment> {
        self.first.map(|(_, at)| at)
    }

    /// Whether silence on this path would be evidence at `calm`, the last moment of calm (law C1).
    pub fn is_calibrated(&self, calm: Moment, path: Path) -> bool {
        self.paths
            .get(&path)
            .and_then(|memory| memory.answered)
            .is_some_and(|answered| calm.since(answered) <= CALM_MAX)
    }

    /// All paths whose silence would be evidence at `calm`.
    pub fn calibrated(&self, calm: Moment) -> Vec<Path> {
        self.paths.keys().copied().filter(|path| self.is_calibrated(calm, *path)).collect()
    }

    /// Whether silence of the agent, not only of the host's ports, would be evidence.
    pub fn knows_agent(&self, calm: Moment) -> bool {
        [Path::Warm, Path::Stream, Path::FreshDial]
            .into_iter()
            .any(|path| self.is_calibrated(calm, path))
    }

    /// A doubt of this length has ended: it was no calm, so it does not count (law C1).
    pub fn skip(&mut self, now: Moment, doubted: Span) {
        for memory in self.paths.values_mut() {
            memory.answered = memory.answered.map(|answered| answered.after(doubted).min(now));
        }
    }

    /// Dial first: all other paths of the agent need the connection that it leaves.
    fn checked_paths(named_ports: &[u16]) -> impl Iterator<Item = Path> {
        let ports = named_ports.iter().map(|port| Path::NamedPort(*port));
        [Path::FreshDial, Path::AgentPort, Path::Stream]
            .into_iter()
            .chain([Path::NearRelay, Path::FarRelay])
            .chain(ports.take(vocabulary::Attestation::PATHS_MAX - 6))
    }

    fn check_all(&mut self, now: Moment) {
        let ports: Vec<u16> = self
            .paths
            .keys()
            .filter_map(|path| match path {
                Path::NamedPort(port) => Some(*port),
                _ => None,
            })
            .collect();
        for (rank, path) in (0..).zip(Self::checked_paths(&ports)) {
            if let Some(memory) = self.paths.get_mut(&path) {
                memory.next_check = now.after(FIRST_GAP.times(rank));
            }
        }
        self.note_first(Path::FreshDial);
    }

    /// The next check of this path has moved.
    fn note_first(&mut self, moved: Path) {
        if moved != Path::Warm {
            let checked = self.paths.iter().filter(|(path, _)| **path != Path::Warm);
            let due = checked.map(|(path, memory)| (*path, memory.next_check));
            self.first = due.min_by_key(|(_, at)| *at);
        }
    }
}

impl Memory {
    fn due(now: Moment) -> Self {
        Self { answered: None, next_check: now, failures: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_milliseconds(seconds * 1_000)
    }

    fn calibration() -> Calibration {
        Calibration::new(at(0), &[22])
    }

    #[test]
    fn silence_is_evidence_only_within_ten_minutes_of_an_answer_on_that_same_path() {
        let mut calibration = calibration();
        assert!(!calibration.is_calibrated(at(0), Path::FreshDial));
        calibration.answered(at(0), Path::FreshDial, Span::ZERO);
        assert!(calibration.is_calibrated(at(600), Path::FreshDial));
        assert!(!calibration.is_calibrated(at(601), Path::FreshDial));
        assert!(!calibration.is_calibrated(at(0), Path::AgentPort));
        assert_eq!(calibration.calibrated(at(1)), [Path::FreshDial]);
    }

    #[test]
    fn time_in_doubt_is_no_calm_and_ages_no_path() {
        let mut calibration = calibration();
        calibration.answered(at(0), Path::Stream, Span::ZERO);
        calibration.skip(at(3_700), Span::seconds(3_600));
        assert!(calibration.is_calibrated(at(4_200), Path::Stream));
        assert!(!calibration.is_calibrated(at(4_201), Path::Stream));
    }

    #[test]
    fn a_new_seat_checks_every_path_at_once_and_then_each_once_in_five_minutes() {
        let mut calibration = calibration();
        let mut checked = Vec::new();
        while let Some(path) = calibration.due(at(1)) {
            checked.push(path);
            calibration.answered(at(1), path, Span::ZERO);
        }
        assert_eq!(checked.first(), Some(&Path::FreshDial));
        assert_eq!(checked.len(), 6, "all but the warm path: {checked:?}");
        assert_eq!(calibration.next_check(), Some(at(301)));
    }

    #[test]
    fn a_check_that_fails_is_tried_again_soon_and_then_ever_more_seldom() {
        let mut calibration = calibration();
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..8 {
            calibration.failed(now, Path::FreshDial);
            let next = calibration.paths[&Path::FreshDial].next_check;
            waits.push(next.since(now).as_milliseconds() / 1_000);
            now = next;
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn another_life_is_checked_at_once_and_what_was_known_stays_known() {
        let mut calibration = calibration();
        calibration.answered(at(0), Path::AgentPort, Span::ZERO);
        calibration.renew(at(60), &[22, 443]);
        assert_eq!(calibration.due(at(60)), Some(Path::FreshDial));
        assert!(calibration.is_calibrated(at(60), Path::AgentPort));
        assert!(calibration.names(&[443, 22]));
        assert!(!calibration.names(&[22]));
    }
}
