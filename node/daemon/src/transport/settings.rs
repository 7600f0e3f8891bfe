//! What may be set of the transport, and the bounds that may not, each beside its reason.

use std::sync::Arc;
use std::time::Duration;

use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use vocabulary::{Address, Boot, StoreId};
use wire::VersionRange;

/// How the transport of one agent behaves; every value has a default that suits a few thousand hosts.
#[derive(Clone, Debug)]
pub struct TransportSettings {
    /// Connections kept beside those that are kept warm or in use: more save handshakes, fewer save memory.
    pub pooled_max: usize,
    /// Hosts connected at once, in all: a keeper has one for each agent that follows it, about 28 KiB each.
    pub connections_max: usize,
    /// A connection that nobody used for so long ends; shorter forgets dead hosts sooner and dials live ones more often.
    pub idle_after: Duration,
    /// Time for one dial with handshake and hello; longer hides slow paths, shorter loses hosts behind them.
    pub connect_within: Duration,
    /// One more dial towards a host that is not kept warm is earned every so often: each costs 4 kB and half a
    /// millisecond of processor time on both sides.
    pub cold_dial_every: Duration,
    /// So many such dials may be saved up, for a start or a change of seats.
    pub cold_dials_max: u32,
    /// The first wait between two dials towards a warm host that does not answer; it doubles.
    pub redial_after: Duration,
    /// The longest such wait: how late a host that came back may be noticed by us alone.
    pub redial_at_most: Duration,
    /// Where connection ids and jitter come from: the system's luck, or a test's seed.
    pub seed: [u8; 32],
    /// The versions of the wire that are spoken; fewer than ours only where a test plays an older agent.
    pub versions: VersionRange,
    /// The wall clock, for the dates of certificates alone.
    pub wall_clock: Arc<dyn TimeProvider>,
}

/// How this agent presents itself in every hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The life of the agent.
    pub boot: Boot,
    /// Where others reach it.
    pub address: Address,
    /// A keeper's store.
    pub store: Option<StoreId>,
}

impl TransportSettings {
    /// The defaults, with this seed.
    pub fn seeded(seed: [u8; 32]) -> Self {
        Self {
            pooled_max: 64,
            connections_max: 4_096,
            idle_after: Duration::from_secs(90),
            connect_within: Duration::from_secs(5),
            cold_dial_every: Duration::from_millis(500),
            cold_dials_max: 16,
            redial_after: Duration::from_millis(250),
            redial_at_most: Duration::from_secs(10),
            seed,
            versions: VersionRange::OURS,
            wall_clock: Arc::new(DefaultTimeProvider),
        }
    }
}

/// Requests of one peer served at once; more wait on its side, where they cost nothing here.
pub(super) const STREAMS_PER_PEER_MAX: u32 = 16;

/// Requests of all peers served at once; more are answered `Busy`. Sixteen peers at their own bound.
pub(super) const REQUESTS_MAX: usize = 256;

/// Handshakes under way at once: about half a second of one processor's time. More are ignored, and the dialler tries again.
pub(super) const HANDSHAKES_MAX: usize = 512;

/// From so many handshakes under way on, a dialler must first prove its address, which a flood of forged ones cannot.
pub(super) const HANDSHAKES_UNPROVEN_MAX: usize = 64;

/// Dials under way at once, of all kinds: every warm host of the largest allowed set, some cold ones.
pub(super) const DIALS_MAX: usize = 128;

/// Dials under way at once towards warm hosts: at the start of a mesh everybody dials everybody, and more at once would
/// only run into their time limit together.
pub(super) const WARM_DIALS_MAX: usize = 4;

/// Of two hosts that keep each other warm, the one with the larger id lets the other dial first, this long.
pub(super) const LARGER_ID_WAITS: Duration = Duration::from_millis(500);

/// Fresh dials under way at once, each with a socket of its own; at most 2K subjects can be in doubt for one observer.
pub(super) const FRESH_DIALS_MAX: usize = 32;

/// Connections of others' fresh dials at once: all observers of this host, and relays, with room for a storm of doubts.
pub(super) const FRESH_SERVED_MAX: usize = 128;

/// Calls that wait for one and the same dial; more are a loop of ours gone wrong.
pub(super) const WAITERS_PER_DIAL_MAX: usize = 64;

/// Datagrams that wait for a dial; older ones are stale by the time it stands.
pub(super) const DATAGRAMS_PER_DIAL_MAX: usize = 4;

/// Addresses, retired hosts and boots that are remembered: the largest mesh (protocol 8).
pub(super) const HOSTS_MAX: usize = 50_000;

/// Events that wait for the agent's loop: one second of the busiest mesh; more datagrams are dropped, requests are `Busy`.
pub(super) const EVENTS_MAX: usize = 1_024;

/// Faults of form that one connection survives; the next one ends it, for a sound agent makes none.
pub(super) const STRIKES_MAX: u32 = 16;

/// Largest hello and answer to it; both are under 200 bytes.
pub(super) const HELLO_BYTES_MAX: usize = 2 * 1024;

/// Time for a peer to send one whole request, and to take in one whole answer.
pub(super) const STREAM_WITHIN: Duration = Duration::from_secs(10);

/// Time for our own agent to answer one request; longer than any deadline a caller sets.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How long the lesser of two connections to one host stays open, so that what is under way on it can end.
pub(super) const SPARE_LINGERS: Duration = Duration::from_secs(10);

/// How long a connection made by a fresh dial may live: a doubt asks one question on it, and a host that was retired
/// meanwhile is rid of it within 5 s like of every other (protocol 1.7).
pub(super) const FRESH_LIVES: Duration = Duration::from_secs(4);

/// How long a dialler that is refused has to read why.
pub(super) const REFUSAL_LINGERS: Duration = Duration::from_secs(1);

/// The longest wait for connections to take leave when the agent stops.
pub(super) const LEAVING_WITHIN: Duration = Duration::from_millis(500);
