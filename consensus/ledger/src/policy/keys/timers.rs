//! The keys of `[timers]`.

use vocabulary::Span;

use super::{DAY, from_to};
use crate::document::{Duration, Key, OptionalKey, OrNone, Section, Shape};

pub static TIMERS: Section = Section {
    name: "timers",
    shape: Shape::Table,
    says: "How long the mesh waits for what.",
    keys: &[
        &LEFT_GRACE,
        &AGENT_DOWN_FOR,
        &QUIET_FOR,
        &LEASE_TERM,
        &ACCEPT_WITHIN,
        &UNKNOWN_FOR,
        &RESUME_AFTER,
        &RAMP_STEP_WITHIN,
        &SETTLE_FOR,
        &UNSETTLED_FOR,
        &APPROVED_FOR,
    ],
    sections: &[],
    refused: &[
        ("lease_margin", "it follows from lease_term: a sixth and a tenth of it"),
        ("renew_every", "it follows from lease_term: a third of it"),
    ],
};

/// What a mesh says to both of these keys while its rules are older.
pub const NOTHING_UNSETTLED: &str = "this version opens no case for a doubt with neither verdict nor end, so there is nothing to wait for";

pub static LEFT_GRACE: Key<Duration> = Key {
    name: "left_grace",
    form: from_to(Span::seconds(1), DAY),
    default: "\"15m\"",
    says: "An agent that said goodbye is no case for this long; longer leaves room for upgrades, and hides a host that \
           was stopped and forgotten.",
};

pub static AGENT_DOWN_FOR: Key<Duration> = Key {
    name: "agent_down_for",
    form: from_to(Span::seconds(1), DAY),
    default: "\"5m\"",
    says: "An AgentDown that stands this long calls a person; shorter calls while gentle remedies still try.",
};

pub static QUIET_FOR: Key<Duration> = Key {
    name: "quiet_for",
    form: from_to(Span::seconds(1), Span::minutes(10)),
    default: "\"5s\"",
    says: "No remedy begins until this long after the host's own doubt and the last new doubt in its zone and rack; \
           longer sees more of a wider trouble before it acts, and heals later.",
};

pub static LEASE_TERM: Key<Duration> = Key {
    name: "lease_term",
    form: from_to(Span::seconds(3), Span::minutes(10)),
    default: "\"30s\"",
    says: "How long a lease lives without renewal; it is renewed every third of it, and a sixth and a tenth of it are \
           left unused at its end. Longer lets remedies run longer, and a dead healer's host waits as long.",
};

pub static ACCEPT_WITHIN: OptionalKey<Duration> = OptionalKey {
    name: "accept_within",
    form: from_to(Span::seconds(1), Span::minutes(1)),
    without: "5s, or half of lease_term if that is less",
    example: "\"5s\"",
    says: "A healer that has not taken its lease within this is passed over; shorter passes over slow ones.",
};

/// What holds without `accept_within`, if it is less than half of a lease.
pub const ACCEPT_WITHIN_DEFAULT: Span = Span::seconds(5);

pub static UNKNOWN_FOR: Key<Duration> = Key {
    name: "unknown_for",
    form: from_to(Span::seconds(5), DAY),
    default: "\"15m\"",
    says: "A remedy whose end nobody can learn is escalated after this; it holds its budget until then.",
};

pub static RESUME_AFTER: Key<OrNone<Duration>> = Key {
    name: "resume_after",
    form: OrNone(from_to(Span::seconds(10), DAY)),
    default: "\"none\"",
    says: "A surge lifts by itself once the doubted set has not changed for this long; \"none\" waits for a person, who \
           may see what hosts cannot.",
};

pub static RAMP_STEP_WITHIN: Key<Duration> = Key {
    name: "ramp_step_within",
    form: from_to(Span::seconds(5), DAY),
    default: "\"10m\"",
    says: "After a surge, halt or pause healing goes 1, 2, 4, ... at a time; a step ends after this even if its \
           remedies have not. Shorter ramps faster past a stuck one.",
};

/// Asleep in the example, so that a mesh under older rules takes it too.
pub static SETTLE_FOR: OptionalKey<Duration> = OptionalKey {
    name: "settle_for",
    form: from_to(Span::seconds(10), DAY),
    without: "30s",
    example: "\"30s\"",
    says: "A doubt that has neither verdict nor end after this opens a case Unsettled, from which nothing follows but a call; \
           shorter shows more that would have settled itself. Taken from rules 2 on.",
};

pub static UNSETTLED_FOR: OptionalKey<Duration> = OptionalKey {
    name: "unsettled_for",
    form: from_to(Span::seconds(1), DAY),
    without: "5m",
    example: "\"5m\"",
    says: "A case Unsettled that stands this long calls a person, and so do cases that have waited this long for a limit that no term \
           frees; shorter calls for what a restart of observers would settle. Taken from rules 2 on.",
};

/// What a mesh says to it while its rules are older.
pub const NOTHING_APPROVED: &str = "this version waits for nobody's approval, so none can be over";

pub static APPROVED_FOR: OptionalKey<Duration> = OptionalKey {
    name: "approved_for",
    form: from_to(Span::minutes(10), DAY),
    without: "15m",
    example: "\"15m\"",
    says: "How long a person's approval of a remedy (mode \"approve\") holds; what has not begun by then waits for a new one. Longer \
           bears longer waits for a budget, and may begin when nobody is there any more. Taken from rules 2 on.",
};
