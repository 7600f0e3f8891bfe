//! What systemd is told of this agent, and when. Pure: moments come from outside.
//!
//! Law SW2: the watchdog is fed only while everything that the agent lives by gets on.
//! Law SW5: ready means that every socket is bound and the loop has turned. Not that the host is admitted, or that a ledger is
//! there: a unit that waits for other hosts would time out on the day on which half of them are down. The status line
//! says what there is.
//! Not here: how it is sent (see `systemd`).

use vocabulary::{Moment, Span};

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The start is over.
    Ready,
    /// One plain line for `systemctl status`.
    Status(String),
    /// All is well: do not restart.
    Watchdog,
    /// Files are being read anew.
    Reloading,
    /// The agent takes its leave.
    Stopping,
}

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The loop has turned.
    pub has_begun: bool,
    /// Everything that the agent lives by gets on.
    pub is_well: bool,
    /// What is true, on one line.
    pub line: String,
}

/// What was said already.
#[derive(Debug)]
pub struct Voice {
    feeds_every: Option<Span>,
    fed: Option<Moment>,
    is_ready: bool,
    line: String,
}

impl Voice {
    /// `watchdog` is the time after which systemd ends a silent agent.
    pub fn new(watchdog: Option<Span>) -> Self {
        let feeds_every =
            watchdog.map(|within| Span::milliseconds(within.as_milliseconds() / FEEDS));
        Self { feeds_every, fed: None, is_ready: false, line: String::new() }
    }

    /// How often to look at least, so that the watchdog is fed in time.
    pub fn looks_every(&self, at_most: Span) -> Span {
        self.feeds_every.map_or(at_most, |every| every.min(at_most)).max(LOOK_AT_LEAST)
    }

    /// What is to be said now.
    pub fn handle(&mut self, now: Moment, standing: &Standing) -> Vec<Word> {
        let mut words = Vec::new();
        if standing.has_begun && !self.is_ready {
            self.is_ready = true;
            words.push(Word::Ready);
        }
        if standing.line != self.line {
            self.line.clone_from(&standing.line);
            words.push(Word::Status(standing.line.clone()));
        }
        if let Some(every) = self.feeds_every
            && standing.is_well
            && self.is_ready
            && self.fed.is_none_or(|fed| now.since(fed) >= every)
        {
            self.fed = Some(now);
            words.push(Word::Watchdog);
        }
        words
    }
}

/// Meals in the time after which systemd loses patience: one or two may come late.
const FEEDS: u64 = 4;

/// A shorter watchdog than four times this is a mistake in the unit; the processor is not ours alone.
const LOOK_AT_LEAST: Span = Span::milliseconds(50);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::from_milliseconds(1_000_000 + ms)
    }

    fn standing(has_begun: bool, is_well: bool, line: &str) -> Standing {
        Standing { has_begun, is_well, line: line.to_owned() }
    }

    #[test]
    fn ready_is_said_once_when_the_loop_has_turned_and_a_line_when_it_changes() {
        let mut voice = Voice::new(None);
        let line = |text: &str| Word::Status(text.to_owned());
        assert_eq!(voice.handle(at(0), &standing(false, true, "begins")), [line("begins")]);
        assert_eq!(voice.handle(at(1), &standing(true, true, "begins")), [Word::Ready]);
        assert_eq!(voice.handle(at(2), &standing(true, true, "begins")), []);
        assert_eq!(voice.handle(at(3), &standing(true, true, "6 hosts")), [line("6 hosts")]);
        assert_eq!(voice.handle(at(99_999), &standing(true, true, "6 hosts")), [], "no watchdog");
    }

    #[test]
    fn the_watchdog_is_fed_four_times_in_its_patience_and_never_while_something_stands_still() {
        let mut voice = Voice::new(Some(Span::seconds(20)));
        let mut fed = |ms, is_well| {
            voice.handle(at(ms), &standing(true, is_well, "")).contains(&Word::Watchdog)
        };
        let fed: Vec<bool> = [
            (0, true),
            (4_000, true),
            (5_000, true),
            (9_000, true),
            (10_000, false),
            (60_000, false),
        ]
        .map(|(ms, is_well)| fed(ms, is_well))
        .into();
        assert_eq!(fed, [true, false, true, false, false, false]);
        assert!(voice.handle(at(60_001), &standing(true, true, "")).contains(&Word::Watchdog));
    }

    #[test]
    fn looks_are_as_frequent_as_the_watchdog_needs_and_no_busy_loop() {
        let every = |watchdog| Voice::new(watchdog).looks_every(Span::seconds(1));
        assert_eq!(every(None), Span::seconds(1));
        assert_eq!(every(Some(Span::seconds(30))), Span::seconds(1));
        assert_eq!(every(Some(Span::seconds(2))), Span::milliseconds(500));
        assert_eq!(every(Some(Span::milliseconds(1))), Span::milliseconds(50));
    }
}
