//! What does this observer do next about one subject?
//!
//! The stages and the moves between them are drawn in `stage`; the laws stand at the door (`watch`).

use vocabulary::{Boot, Grade, HostId, Moment, Path, Reading, Span};
use wire::DoubtNote;

use super::check::Check;
use super::loss::{Losses, RoundTrip};
use super::stage::{Chain, Doubt, Stage};
use super::{AttemptId, Desk, Effect, LookEnd, Seat, Settings};
use crate::calibration::{CHECK_EVERY, Calibration};

/// A connection that is lost more often than this is looked at in its slots only.
const LOST_EVERY: Span = Span::seconds(1);

/// A dial into silence costs 3.7 kB, and every round has one of its own. Links that come back are seen by the probes, on the
/// connection that stands for 90 s; whoever comes back as another life tells it itself, or resets that connection. With a round
/// in 5 s (law D7 of `rounds`) the first of ten observers to have an answer is soon all of them.
const DOUBT_DIAL_EVERY: Span = Span::seconds(7);

/// One subject in the eyes of one observer.
pub(super) struct Watched {
    pub(super) subject: HostId,
    boot: Option<Boot>,
    interval: Span,
    named_ports: Vec<u16>,
    pub(super) stage: Stage,
    /// Since when every chain has failed.
    unanswered_since: Option<Moment>,
    pub(super) round_trip: RoundTrip,
    losses: Losses,
    grade: Grade,
    pub(super) calibration: Calibration,
    pub(super) check: Option<Check>,
    /// Checks begin no earlier: the last one has ended, or calm has begun, at this moment.
    pub(super) checks_from: Moment,
    /// A lost connection makes a dial no earlier.
    losable_from: Moment,
}

impl Watched {
    pub(super) fn new(start: Moment, seat: &Seat, settings: &Settings) -> Self {
        Self {
            subject: seat.subject,
            boot: seat.boot,
            interval: settings.interval(seat.seats),
            named_ports: seat.named_ports.clone(),
            stage: Stage::Calm { next: start },
            unanswered_since: None,
            round_trip: RoundTrip::default(),
            losses: Losses::default(),
            grade: Grade::Ok,
            calibration: Calibration::new(start, &seat.named_ports),
            check: None,
            checks_from: start,
            losable_from: start,
        }
    }

    /// The seat stays, its terms may have changed.
    pub(super) fn reseat(&mut self, now: Moment, seat: &Seat, settings: &Settings) {
        self.interval = settings.interval(seat.seats);
        if !self.calibration.names(&seat.named_ports) {
            self.named_ports.clone_from(&seat.named_ports);
            self.calibration.renew(now, &self.named_ports);
            self.checks_from = now;
        }
        if let Some(boot) = seat.boot {
            self.take_boot(now, boot);
        }
    }

    pub(super) fn replied(
        &mut self,
        desk: &mut Desk<'_>,
        number: u64,
        boot: Boot,
        next_slot: Span,
    ) {
        let sent_at = self.stage.chain().and_then(|chain| chain.sent_at(number));
        if let Some(sent_at) = sent_at {
            self.round_trip.measured(desk.now.since(sent_at));
        }
        self.remember(desk, Path::Warm);
        // protocol 2.2: the subject deals the slots, within bounds, so that it can neither flood nor escape us.
        let half = Span::milliseconds(self.interval.as_milliseconds() / 2);
        let wait = next_slot.max(half).min(half.times(3));
        self.answered(desk, number, boot);
        if let (Stage::Calm { next }, true) = (&mut self.stage, sent_at.is_some()) {
            *next = desk.now.after(wait);
        }
    }

    pub(super) fn stream_ended(&mut self, desk: &mut Desk<'_>, id: AttemptId, end: LookEnd) {
        let was_check = self.end_check(desk.now, id);
        if let LookEnd::Answered(boot) = end {
            self.remember(desk, Path::Stream);
            self.answered(desk, id.0, boot);
        } else if was_check {
            self.calibration.failed(desk.now, Path::Stream);
        } else if let Stage::Streaming { chain, id: own, .. } = &mut self.stage
            && *own == id
        {
            let chain = std::mem::take(chain);
            self.dial(desk, chain);
        }
    }

    pub(super) fn dial_ended(&mut self, desk: &mut Desk<'_>, id: AttemptId, end: LookEnd) {
        let was_check = self.end_check(desk.now, id);
        if let LookEnd::Answered(boot) = end {
            self.remember(desk, Path::FreshDial);
            self.answered(desk, id.0, boot);
        } else if was_check {
            self.calibration.failed(desk.now, Path::FreshDial);
        }
        match &mut self.stage {
            Stage::Dialling { id: own, .. } if *own == id => match end {
                LookEnd::Refused | LookEnd::Silent => self.despair(desk),
                LookEnd::Unable | LookEnd::Answered(_) => {
                    self.calm_down(desk.now, desk.now.after(desk.settings.step()));
                }
            },
            Stage::Doubting(doubt) if doubt.dial.is_some_and(|(own, _)| own == id) => {
                doubt.dial = None;
            }
            _ => {}
        }
    }

    pub(super) fn knock_ended(&mut self, desk: &mut Desk<'_>, id: AttemptId, reading: Reading) {
        let Some(path) = self.check.as_ref().map(|check| check.path) else {
            return;
        };
        if self.end_check(desk.now, id) {
            match reading {
                Reading::Answered | Reading::Refused | Reading::Accepted => {
                    self.remember(desk, path);
                }
                Reading::Silent | Reading::Absent => self.calibration.failed(desk.now, path),
            }
        }
    }

    /// protocol 3.8: only a direct answer ends the doubt; what a relay brings proves life to the round, not to us.
    pub(super) fn path_answered(&mut self, desk: &mut Desk<'_>, path: Path, boot: Boot) {
        self.remember(desk, path);
        match path {
            Path::Warm | Path::Stream | Path::FreshDial => {
                self.answered(desk, u64::MAX, boot);
            }
            Path::NearRelay | Path::FarRelay => {
                if self.check.as_ref().is_some_and(|check| check.path == path) {
                    self.check = None;
                    self.checks_from = desk.now;
                }
                self.take_boot(desk.now, boot);
            }
            Path::AgentPort | Path::NamedPort(_) => {}
        }
    }

    /// protocol 2.3: an old connection dies with a fast restart; the fresh dial alone counts.
    pub(super) fn connection_lost(&mut self, desk: &mut Desk<'_>) {
        let is_too_soon = desk.now < self.losable_from;
        match &mut self.stage {
            Stage::Calm { .. } if is_too_soon => {}
            Stage::Calm { .. } => self.dial(desk, Chain::default()),
            Stage::Probing { chain, .. } | Stage::Streaming { chain, .. } => {
                let chain = std::mem::take(chain);
                self.dial(desk, chain);
            }
            Stage::Doubting(doubt) if !is_too_soon => {
                doubt.next_dial = desk.now;
                doubt.next_look = desk.now;
            }
            Stage::Dialling { .. } | Stage::Doubting(_) | Stage::Left => {}
        }
        self.losable_from = desk.now.after(LOST_EVERY);
    }

    pub(super) fn boot_seen(&mut self, desk: &mut Desk<'_>, boot: Boot) {
        self.take_boot(desk.now, boot);
    }

    pub(super) fn left(&mut self, desk: &mut Desk<'_>, boot: Boot) {
        if self.boot.is_some_and(|known| known.number > boot.number) {
            return;
        }
        self.end_doubt(desk.now);
        self.check = None;
        self.unanswered_since = None;
        self.stage = Stage::Left;
    }

    /// Law P3: what was missed while we were away is looked at again from the beginning.
    pub(super) fn begin_anew(&mut self, desk: &mut Desk<'_>) {
        self.check = None;
        self.checks_from = desk.now;
        self.unanswered_since = self.unanswered_since.map(|_| desk.now);
        match &mut self.stage {
            Stage::Calm { next } if *next < desk.now => {
                *next = desk.now.after(desk.draw_span(desk.settings.step()));
            }
            Stage::Probing { .. } | Stage::Streaming { .. } | Stage::Dialling { .. } => {
                self.probe_first(desk);
            }
            Stage::Doubting(doubt) => {
                doubt.dial = None;
                doubt.next_look = desk.now;
                doubt.next_dial = desk.now;
            }
            Stage::Calm { .. } | Stage::Left => {}
        }
    }

    /// Does what is due.
    pub(super) fn step(&mut self, desk: &mut Desk<'_>) {
        if self.stage.deadline().is_some_and(|at| at <= desk.now) {
            self.step_stage(desk);
        }
        if self.check.as_ref().is_some_and(|check| check.until <= desk.now)
            && let Some(check) = self.check.take()
        {
            self.checks_from = desk.now;
            self.calibration.failed(desk.now, check.path);
        }
        if self.next_check().is_some_and(|at| at <= desk.now)
            && let Some(path) = self.calibration.due(desk.now)
        {
            self.begin_check(desk, path);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        let check = match &self.check {
            Some(check) => Some(check.until),
            None => self.next_check(),
        };
        self.stage.deadline().into_iter().chain(check).min()
    }

    pub(super) fn doubt_note(&self, now: Moment) -> Option<DoubtNote> {
        match &self.stage {
            Stage::Doubting(doubt) => Some(DoubtNote {
                subject: self.subject,
                boot: doubt.boot,
                age_ms: now.since(doubt.since).as_milliseconds(),
            }),
            _ => None,
        }
    }

    pub(super) fn is_doubted(&self) -> bool {
        matches!(self.stage, Stage::Doubting(_))
    }

    /// Law C1: during a doubt the calm before it counts.
    pub(super) fn calibrated(&self, now: Moment) -> Vec<Path> {
        match &self.stage {
            Stage::Doubting(doubt) => self.calibration.calibrated(doubt.since),
            _ => self.calibration.calibrated(now),
        }
    }

    pub(super) fn boot(&self) -> Option<Boot> {
        self.boot
    }

    pub(super) fn reach(&self) -> Grade {
        self.grade
    }

    /// Dials under way.
    pub(super) fn dials(&self) -> usize {
        let of_stage = match &self.stage {
            Stage::Dialling { .. } => true,
            Stage::Doubting(doubt) => doubt.dial.is_some(),
            _ => false,
        };
        let of_check = self.check.as_ref().is_some_and(|check| check.path == Path::FreshDial);
        usize::from(of_stage) + usize::from(of_check)
    }

    fn step_stage(&mut self, desk: &mut Desk<'_>) {
        match &mut self.stage {
            Stage::Calm { .. } => self.probe_first(desk),
            Stage::Probing { chain, until } if chain.sent.len() < Chain::PROBES_MAX => {
                let number = desk.draw_number();
                chain.sent.push((number, desk.now));
                let is_last = chain.sent.len() == Chain::PROBES_MAX;
                let timeout = desk.settings.probe_timeout(self.round_trip.smoothed());
                // protocol 2.3: the two repetitions are a gap apart, and the last one gets the full patience.
                let wait = if is_last { timeout } else { desk.settings.retry_gap() };
                *until = desk.now.after(wait);
                desk.effects.push(Effect::SendProbe { to: self.subject, number });
            }
            Stage::Probing { chain, .. } => {
                let chain = std::mem::take(chain);
                self.ask_by_stream(desk, chain);
            }
            // The shell has not told the end of it: that is our own trouble, and proves nothing.
            Stage::Streaming { .. } | Stage::Dialling { .. } => {
                self.calm_down(desk.now, desk.now.after(desk.settings.step()));
            }
            Stage::Doubting(_) => self.look_again(desk),
            Stage::Left => {}
        }
    }

    fn probe_first(&mut self, desk: &mut Desk<'_>) {
        let number = desk.draw_number();
        let timeout = desk.settings.probe_timeout(self.round_trip.smoothed());
        self.stage = Stage::Probing {
            chain: Chain { sent: vec![(number, desk.now)] },
            until: desk.now.after(timeout),
        };
        desk.effects.push(Effect::SendProbe { to: self.subject, number });
    }

    fn ask_by_stream(&mut self, desk: &mut Desk<'_>, chain: Chain) {
        let id = AttemptId(desk.draw_number());
        let within = desk.settings.stream_within(self.round_trip.smoothed());
        let until = desk.now.after(within).after(desk.settings.late_max());
        self.stage = Stage::Streaming { chain, id, until };
        desk.effects.push(Effect::ProbeByStream { id, to: self.subject, within });
    }

    fn dial(&mut self, desk: &mut Desk<'_>, chain: Chain) {
        let (id, until) = self.send_dial(desk);
        self.stage = Stage::Dialling { chain, id, until };
    }

    fn send_dial(&self, desk: &mut Desk<'_>) -> (AttemptId, Moment) {
        let id = AttemptId(desk.draw_number());
        let nonce = desk.draw_nonce();
        let within = desk.settings.dial_within(self.round_trip.smoothed());
        desk.effects.push(Effect::DialFresh { id, to: self.subject, nonce, within });
        (id, desk.now.after(within).after(desk.settings.late_max()))
    }

    /// Law P1: the fresh dial has failed.
    fn despair(&mut self, desk: &mut Desk<'_>) {
        let unanswered_since = *self.unanswered_since.get_or_insert(desk.now);
        let is_long = desk.now.since(unanswered_since) >= desk.settings.unproven_after();
        if self.calibration.knows_agent(desk.now) || is_long {
            self.stage = Stage::Doubting(Doubt {
                since: desk.now,
                boot: self.boot.unwrap_or_default(),
                from: desk.draw_number(),
                next_look: desk.now.after(desk.settings.doubt_gap(Span::ZERO)),
                next_dial: desk.now.after(DOUBT_DIAL_EVERY),
                dial: None,
            });
        } else {
            self.calm_down(desk.now, desk.now.after(self.interval));
        }
    }

    /// protocol 3.8: while doubting, keep looking.
    fn look_again(&mut self, desk: &mut Desk<'_>) {
        let Stage::Doubting(mut doubt) = self.stage else {
            return;
        };
        let number = desk.draw_number();
        desk.effects.push(Effect::SendProbe { to: self.subject, number });
        let is_dialling = doubt.dial.is_some_and(|(_, until)| desk.now < until);
        if !is_dialling && desk.now >= doubt.next_dial && desk.can_dial() {
            doubt.dial = Some(self.send_dial(desk));
            let spread = desk.draw_span(Span::milliseconds(DOUBT_DIAL_EVERY.as_milliseconds() / 5));
            doubt.next_dial = desk.now.after(DOUBT_DIAL_EVERY.less(spread));
        }
        let age = desk.now.since(doubt.since);
        doubt.next_look = desk.now.after(desk.settings.doubt_gap(age));
        self.stage = Stage::Doubting(doubt);
    }

    /// The subject itself has answered the look of this number.
    fn answered(&mut self, desk: &mut Desk<'_>, number: u64, boot: Boot) {
        self.take_boot(desk.now, boot);
        let is_answer = match &self.stage {
            Stage::Calm { .. } | Stage::Left => false,
            Stage::Doubting(doubt) => number >= doubt.from,
            Stage::Probing { chain, .. }
            | Stage::Streaming { chain, .. }
            | Stage::Dialling { chain, .. } => chain.holds(number),
        };
        if is_answer {
            self.count_losses(desk, number);
            self.end_doubt(desk.now);
            self.calm_down(desk.now, desk.now.after(desk.settings.step()));
        }
    }

    /// protocol 2.6: probes that went before the answer are lost without silence.
    fn count_losses(&mut self, desk: &mut Desk<'_>, answered: u64) {
        if let Some(chain) = self.stage.chain() {
            for (number, _) in chain.sent.iter().filter(|(number, _)| *number <= answered) {
                self.losses.count(*number < answered);
            }
        }
        let grade = self.losses.grade();
        if grade != self.grade {
            self.grade = grade;
            desk.effects.push(Effect::ReachChanged { subject: self.subject, grade });
        }
    }

    /// protocol 2.3: a seen boot change ends every doubt on the old boot.
    fn take_boot(&mut self, now: Moment, boot: Boot) {
        if self.boot.is_some_and(|known| boot.number <= known.number) {
            return;
        }
        self.boot = Some(boot);
        self.calibration.renew(now, &self.named_ports);
        self.end_doubt(now);
        match self.stage {
            Stage::Calm { .. } => self.checks_from = now,
            _ => self.calm_down(now, now),
        }
    }

    fn end_doubt(&mut self, now: Moment) {
        if let Stage::Doubting(doubt) = &self.stage {
            self.calibration.skip(now, now.since(doubt.since));
        }
    }

    fn calm_down(&mut self, now: Moment, next: Moment) {
        self.stage = Stage::Calm { next };
        self.checks_from = now;
    }

    fn remember(&mut self, desk: &mut Desk<'_>, path: Path) {
        self.unanswered_since = match path {
            Path::Warm | Path::Stream | Path::FreshDial => None,
            _ => self.unanswered_since,
        };
        let spread = desk.draw_span(Span::milliseconds(CHECK_EVERY.as_milliseconds() / 10));
        self.calibration.answered(desk.now, path, spread);
    }
}
