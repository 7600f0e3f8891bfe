//! Which figures does the watch run on, and do they fit together?

use std::fmt;

use vocabulary::Span;

/// The figures as they were written, in milliseconds; see [`RawSettings::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawSettings {
    /// Time between two looks of any observers at one subject (default 300, from 100 to 5,000). Shorter finds a death
    /// sooner and costs bytes in proportion.
    pub step_ms: u64,
    /// A probe's least patience (default 60, from 20): below it a busy scheduler looks like a loss.
    pub timeout_min_ms: u64,
    /// A probe's greatest patience (default 300): a longer round trip is served by the stream and the dial.
    pub timeout_max_ms: u64,
    /// Between the second and the third probe (default 100): lets a short burst of losses pass.
    pub retry_gap_ms: u64,
    /// The stream's least patience (default 150, at least `timeout_min_ms`): two retransmissions on a local network.
    pub stream_min_ms: u64,
    /// The fresh dial's least patience (default 400, at least `stream_min_ms`): one lost first packet is sent again.
    pub dial_min_ms: u64,
    /// How late this host may be before it trusts its own misses no more (default 200, from 50).
    pub late_max_ms: u64,
    /// How long a subject that never answered may stay silent without a doubt (default 30,000, from 1,000).
    pub unproven_after_ms: u64,
    /// Between two looks at a doubted subject at first (default 700, more than `dial_min_ms`).
    pub doubt_gap_ms: u64,
}

/// Figures that fit together: `timeout_min <= timeout_max`, `stream <= dial < doubt gap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings(RawSettings);

/// Why the figures do not fit together; nothing has started, whoever set them can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsFault {
    /// A figure is outside of its range.
    OutOfRange {
        /// Its name.
        name: &'static str,
        /// What was given.
        found_ms: u64,
        /// The least that is allowed.
        least_ms: u64,
        /// The most that is allowed.
        most_ms: u64,
    },
}

impl Default for RawSettings {
    fn default() -> Self {
        Self {
            step_ms: 300,
            timeout_min_ms: 60,
            timeout_max_ms: 300,
            retry_gap_ms: 100,
            stream_min_ms: 150,
            dial_min_ms: 400,
            late_max_ms: 200,
            unproven_after_ms: 30_000,
            doubt_gap_ms: 700,
        }
    }
}

impl RawSettings {
    /// Every later room may rely on each figure's range, and on the order of the patiences.
    pub fn check(self) -> Result<Settings, SettingsFault> {
        let ranges = [
            ("step_ms", self.step_ms, 100, 5_000),
            ("timeout_min_ms", self.timeout_min_ms, 20, self.timeout_max_ms),
            ("timeout_max_ms", self.timeout_max_ms, 20, 2_000),
            ("retry_gap_ms", self.retry_gap_ms, 10, 1_000),
            ("stream_min_ms", self.stream_min_ms, self.timeout_min_ms, self.dial_min_ms),
            ("dial_min_ms", self.dial_min_ms, 100, self.doubt_gap_ms.saturating_sub(1)),
            ("late_max_ms", self.late_max_ms, 50, 5_000),
            ("unproven_after_ms", self.unproven_after_ms, 1_000, 600_000),
            ("doubt_gap_ms", self.doubt_gap_ms, 200, 10_000),
        ];
        for (name, found_ms, least_ms, most_ms) in ranges {
            if found_ms < least_ms || found_ms > most_ms {
                return Err(SettingsFault::OutOfRange { name, found_ms, least_ms, most_ms });
            }
        }
        Ok(Settings(self))
    }
}

impl Settings {
    /// protocol 2.2: each of K seats probes once in K steps.
    pub fn interval(&self, seats: u64) -> Span {
        self.step().times(seats.max(1))
    }

    /// Between two looks of any observers.
    pub fn step(&self) -> Span {
        Span::milliseconds(self.0.step_ms)
    }

    /// Four smoothed round trips, within the bounds.
    pub fn probe_timeout(&self, round_trip: Span) -> Span {
        round_trip
            .times(4)
            .max(Span::milliseconds(self.0.timeout_min_ms))
            .min(Span::milliseconds(self.0.timeout_max_ms))
    }

    /// Between the second and the third probe.
    pub fn retry_gap(&self) -> Span {
        Span::milliseconds(self.0.retry_gap_ms)
    }

    /// Six round trips: a stream's question is sent again once or twice in that time.
    pub fn stream_within(&self, round_trip: Span) -> Span {
        let least = Span::milliseconds(self.0.stream_min_ms);
        round_trip.times(6).max(least).min(least.times(4))
    }

    /// Eight round trips: handshake, hello and question take three.
    pub fn dial_within(&self, round_trip: Span) -> Span {
        let least = Span::milliseconds(self.0.dial_min_ms);
        round_trip.times(8).max(least).min(least.times(4))
    }

    /// How late this host may be before it trusts its own misses no more.
    pub fn late_max(&self) -> Span {
        Span::milliseconds(self.0.late_max_ms)
    }

    /// How long a subject that never answered may stay silent without a doubt.
    pub fn unproven_after(&self) -> Span {
        Span::milliseconds(self.0.unproven_after_ms)
    }

    /// protocol 3.8: keep looking while doubting; less and less often. A host that comes back tells its observers itself
    /// (protocol 2.3): the long gap is for links that come back.
    pub fn doubt_gap(&self, age: Span) -> Span {
        let gap = Span::milliseconds(self.0.doubt_gap_ms);
        match age.as_milliseconds() {
            0..30_000 => gap,
            30_000..120_000 => gap.times(3),
            _ => gap.times(7),
        }
    }

    /// Between the first looks of two seats that come at once.
    pub fn seat_gap(&self) -> Span {
        Span::milliseconds(self.0.step_ms / 6)
    }
}

impl fmt::Display for SettingsFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::OutOfRange { name, found_ms, least_ms, most_ms } = self;
        write!(out, "{name} is {found_ms} ms, it must be from {least_ms} to {most_ms} ms")
    }
}

impl std::error::Error for SettingsFault {}
