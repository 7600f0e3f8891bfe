//! Which path of a calm subject is checked next (protocol 2.5)?
//!
//! Not here: when a path is due, and what an answer is worth (see `calibration`).

use vocabulary::{Moment, Path, Span};

use super::stage::Stage;
use super::watched::Watched;
use super::{AttemptId, Desk, Effect};

/// How long a checking knock waits; a local network answers in a millisecond.
const KNOCK_WITHIN: Span = Span::milliseconds(500);

/// How long a checking relay may take: as long as a round.
const RELAY_WITHIN: Span = Span::seconds(1);

/// A check under way.
pub(super) struct Check {
    pub(super) path: Path,
    pub(super) id: AttemptId,
    pub(super) until: Moment,
}

impl Watched {
    /// Checks belong to calm: they would only add to the traffic of a trouble.
    pub(super) fn next_check(&self) -> Option<Moment> {
        match (&self.stage, &self.check) {
            (Stage::Calm { .. }, None) => {
                let due = self.calibration.next_check();
                due.map(|at| at.max(self.checks_from))
            }
            _ => None,
        }
    }

    pub(super) fn begin_check(&mut self, desk: &mut Desk<'_>, path: Path) {
        let to = self.subject;
        let id = AttemptId(desk.draw_number());
        let within = match path {
            Path::FreshDial if !desk.can_dial() => {
                self.calibration.failed(desk.now, path);
                return;
            }
            Path::FreshDial => desk.settings.dial_within(self.round_trip.smoothed()),
            Path::Warm | Path::Stream => desk.settings.stream_within(self.round_trip.smoothed()),
            Path::NearRelay | Path::FarRelay => RELAY_WITHIN,
            Path::AgentPort | Path::NamedPort(_) => KNOCK_WITHIN,
        };
        let effect = match path {
            Path::FreshDial => Effect::DialFresh { id, to, nonce: desk.draw_nonce(), within },
            Path::Warm | Path::Stream => Effect::ProbeByStream { id, to, within },
            Path::NearRelay | Path::FarRelay => Effect::CheckRelay { subject: to, path },
            Path::AgentPort => Effect::Knock { id, to, port: None, within },
            Path::NamedPort(port) => Effect::Knock { id, to, port: Some(port), within },
        };
        desk.effects.push(effect);
        let until = desk.now.after(within).after(desk.settings.late_max());
        self.check = Some(Check { path, id, until });
    }

    /// Whether this was the check under way.
    pub(super) fn end_check(&mut self, now: Moment, id: AttemptId) -> bool {
        let is_check = self.check.as_ref().is_some_and(|check| check.id == id);
        if is_check {
            self.check = None;
            self.checks_from = now;
        }
        is_check
    }
}
