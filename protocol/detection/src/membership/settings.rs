//! What membership is tuned by, and what that makes of foca.
//!
//! Law SW9: at rest a host sends two packets per probe period and one request for members per [`ANNOUNCE_EVERY`]; there is
//! gossip only while there is something to tell.
//! Membership is a hint: its probes are slow, because the observers' probes are fast (protocol 2.2).

use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use foca::{Config, PeriodicParams};
use vocabulary::Span;

use super::packet::PACKET_BYTES_MAX;
use crate::roster::HOSTS_MAX;

/// How often one random member is asked for members, to complete a view that gossip left with holes.
pub(super) const ANNOUNCE_EVERY: Span = Span::seconds(60);

/// How often one member that is called down is asked all the same: what mends a mesh whose halves gave each other up.
const ANNOUNCE_DOWN_EVERY: Span = Span::seconds(30);

/// How long a host that is down is remembered: no old gossip about it is alive by then.
const REMEMBER_DOWN: Span = Span::minutes(60);

/// Longest probe period, whatever the mesh's size.
const PROBE_EVERY_MAX: Span = Span::seconds(60);

/// Shortest probe period: below it the answer to an indirect probe would come too late.
const PROBE_EVERY_MIN: Span = Span::seconds(1);

/// Longest wait for an answer before others are asked to probe too; leaves time for a cold dial over an ocean.
const ANSWER_WITHIN_MAX: Span = Span::seconds(2);

/// Members told in one round of gossip, asked for one indirect probe.
const FANOUT: NonZeroUsize = NonZeroUsize::new(3).expect("three is not zero");

/// Hearsay may name so many hosts beyond twice the roster: hosts that enrol while the roster travels (law SW8).
const STRANGERS_MAX: usize = 1_024;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// What the daemon knows at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Hosts in the roster as last known; 1 if none ever was. [`super::Event::RosterChanged`] follows it later.
    pub hosts: usize,
    /// Connections that the pool keeps open, warm ones and others. Beyond it most probes dial anew, so the probe period
    /// grows with hosts / pool. Default 64, at least 1.
    pub pool: usize,
    /// Probe period while the pool holds everybody. Default 5 s, 1 s to 60 s: shorter notices a dead member sooner, and
    /// each halving doubles what a host sends at rest.
    pub probe_every: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hosts: 1, pool: 64, probe_every: Span::seconds(5) }
    }
}

impl Settings {
    /// protocol 4: the probe period grows with N / pool.
    pub(super) fn probe_period(&self) -> Span {
        let share = self.hosts.div_ceil(self.pool.max(1)).max(1);
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        let base = self.probe_every.max(PROBE_EVERY_MIN);
        base.times(share).min(PROBE_EVERY_MAX.max(base))
    }

    /// foca's settings. Its own probe period never changes after creation: our timers stretch it (see `port`).
    pub(super) fn foca(&self) -> Config {
        let base = self.probe_every.max(PROBE_EVERY_MIN);
        let answer_within = Span::milliseconds(base.as_milliseconds() / 3).min(ANSWER_WITHIN_MAX);
        Config {
            probe_period: duration(base),
            probe_rtt: duration(answer_within),
            num_indirect_probes: FANOUT,
            max_transmissions: transmissions(self.hosts),
            suspect_to_down_after: duration(self.suspicion()),
            remove_down_after: Some(duration(REMEMBER_DOWN)),
            max_packet_size: NonZeroUsize::new(PACKET_BYTES_MAX).expect("a packet has bytes"),
            notify_down_members: true,
            periodic_announce: Some(every(ANNOUNCE_EVERY)),
            periodic_announce_to_down_members: Some(every(ANNOUNCE_DOWN_EVERY)),
            // We gossip by our own timer, which runs only while there is something to tell.
            periodic_gossip: None,
        }
    }

    /// How often each word about a member is told.
    pub(super) fn told(&self) -> u8 {
        transmissions(self.hosts).get()
    }

    /// Law SW8: twice the roster, for hosts that were retired or enrolled lately, and some.
    pub(super) fn members_max(&self) -> usize {
        2 * self.hosts.min(HOSTS_MAX) + STRANGERS_MAX
    }

    /// A suspect has so long to hear of it and to answer: as many probe periods as gossip needs hops, twice, and two.
    fn suspicion(&self) -> Span {
        let hops = u64::from(digits(self.hosts));
        self.probe_period().times(2 * hops + 2)
    }
}

pub(super) fn duration(span: Span) -> Duration {
    Duration::from_millis(span.as_milliseconds())
}

pub(super) fn span(duration: Duration) -> Span {
    Span::milliseconds(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn every(span: Span) -> PeriodicParams {
    PeriodicParams { frequency: duration(span), num_members: ONE }
}

/// How often a host tells its own health record: to nearly all to whom it has a connection. They believe it at once, whereas hearsay
/// waits for a second sender (law SW17): the more hear it first hand, the less often the others need tell it on.
pub(super) fn own_record_told(hosts: usize) -> NonZeroU8 {
    let twice = u8::try_from(hosts.saturating_mul(2)).unwrap_or(u8::MAX).min(48);
    NonZeroU8::new(twice).unwrap_or(NonZeroU8::MIN).max(transmissions(hosts))
}

/// How often a host tells on the record of another. Where each host is told of c and a share s hears first hand, hearsay of two
/// reaches everybody if s > 1/(2c²), and misses a host with a chance of (1 + c)/eᶜ: 0.3 % at eight. With 30 first hands that is
/// c > √(N/60); a third more makes it sure.
pub(super) fn records_told_on(hosts: usize) -> NonZeroU8 {
    let least = u8::try_from((hosts / 33).isqrt()).unwrap_or(u8::MAX).max(8);
    let least = NonZeroU8::new(least).unwrap_or(NonZeroU8::MIN);
    least.min(transmissions(hosts))
}

/// protocol 4: 4*ceil(log10(N+1)) + 4.
fn transmissions(hosts: usize) -> NonZeroU8 {
    let count = 4 * digits(hosts) + 4;
    u8::try_from(count)
        .ok()
        .and_then(NonZeroU8::new)
        .expect("a number has at most 20 digits, and 4 is not zero")
}

/// ceil(log10(N+1)): the digits of N.
fn digits(hosts: usize) -> u32 {
    hosts.checked_ilog10().map_or(0, |log| log + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transmissions_follow_the_protocol_at_every_edge() {
        let expected = [
            (0, 4),
            (1, 8),
            (9, 8),
            (10, 12),
            (99, 12),
            (100, 16),
            (128, 16),
            (999, 16),
            (1_000, 20),
            (50_000, 24),
        ];
        for (hosts, count) in expected {
            assert_eq!(transmissions(hosts).get(), count, "N = {hosts}");
        }
    }

    #[test]
    fn the_probe_period_grows_with_the_mesh_beyond_the_pool_and_ends_somewhere() {
        let period = |hosts| {
            let settings = Settings { hosts, ..Settings::default() };
            settings.probe_period().as_milliseconds()
        };
        assert_eq!(period(6), 5_000);
        assert_eq!(period(64), 5_000);
        assert_eq!(period(128), 10_000);
        assert_eq!(period(50_000), 60_000);
    }
}
