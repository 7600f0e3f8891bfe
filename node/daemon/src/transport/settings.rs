//! What may be set of the transport, and the bounds that may not, each beside its reason.

use std::sync::Arc;
use std::time::Duration;

use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use vocabulary::{Address, Boot, StoreId};
use wire::VersionRange;
use wire::frame::{RAFT_BYTES_MAX, STREAM_BYTES_MAX};

use crate::bucket::Rate;
use crate::poison::Quarantine;

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
    /// Dials for datagrams towards hosts that are not kept warm: each costs 4 kB and half a millisecond of processor time on
    /// both sides; what is saved up is for a start or a change of seats.
    pub cold_dials: Rate,
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
    /// Input that is not taken any more (protocol 1.9).
    pub quarantine: Arc<Quarantine>,
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
            cold_dials: Rate { per_second: 2, at_once: 16 },
            redial_after: Duration::from_millis(250),
            redial_at_most: Duration::from_secs(10),
            seed,
            versions: VersionRange::OURS,
            wall_clock: Arc::new(DefaultTimeProvider),
            quarantine: Arc::default(),
        }
    }
}

/// Requests of one peer served at once; more wait on its side, where they cost nothing here.
pub(super) const STREAMS_PER_PEER_MAX: u32 = 16;

/// Requests of all peers served at once; more are answered `Busy`. Sixteen peers at their own bound.
pub(super) const REQUESTS_MAX: usize = 256;

/// Of these, for hosts that are no keepers: whatever they do, Raft's own requests find a place.
pub(super) const REQUESTS_OF_PLAIN_MAX: usize = 192;

/// Handshakes under way at once, some 30 KiB each. More are ignored, and the dialler tries again.
pub(super) const HANDSHAKES_MAX: usize = 512;

/// Of these, for whoever is at no address of a host that we know; the others are kept for hosts of the mesh. All that fit
/// within the rate when each takes as long as it may: those who take their time until it is crowded, a burst, and a second's.
pub(super) const HANDSHAKES_OF_STRANGERS_MAX: usize = HANDSHAKES_CROWDED_FROM
    + HANDSHAKES_OF_STRANGERS.at_once as usize
    + HANDSHAKES_OF_STRANGERS.per_second as usize * HANDSHAKE_CROWDED_WITHIN.as_secs() as usize;

/// From so many handshakes under way on, a dialler must first prove its address, which a flood of forged ones cannot, and a
/// stranger has no longer than [`HANDSHAKE_CROWDED_WITHIN`].
pub(super) const HANDSHAKES_CROWDED_FROM: usize = 64;

/// Time for a stranger's handshake and hello when many are under way: whoever stops half way gives its place back before the
/// next has need of it. Two round trips around the world.
pub(super) const HANDSHAKE_CROWDED_WITHIN: Duration = Duration::from_secs(1);

/// Handshakes under way from one address of hosts of the mesh: one that takes all its own leaves others their time (law TR10).
pub(super) const HANDSHAKES_OF_ONE_MAX: usize = 128;

/// From so many on, one that comes from there has no longer than [`HANDSHAKE_CROWDED_WITHIN`]: hosts of the mesh need
/// milliseconds for theirs.
pub(super) const HANDSHAKES_OF_ONE_CROWDED_FROM: usize = 32;

/// From so many on, of all kinds, one address holds [`HANDSHAKES_OF_ONE_WHEN_FULL`] at the most, and nobody has longer than
/// [`HANDSHAKE_CROWDED_WITHIN`].
pub(super) const HANDSHAKES_FULL_FROM: usize = 384;

/// The 128 places that are left then are enough for sixteen addresses that take all they can (law TR10).
pub(super) const HANDSHAKES_OF_ONE_WHEN_FULL: usize = 8;

/// The last places are for addresses of hosts of the mesh.
pub(super) const HANDSHAKES_OF_HOSTS: usize = 16;

/// Handshakes of all strangers together: half a millisecond each, so a twentieth of one processor. At once: no more than would
/// make the loop late; whoever finds none left comes again within half a second.
pub(super) const HANDSHAKES_OF_STRANGERS: Rate = Rate { per_second: 100, at_once: 64 };

/// The same of one address that has proven itself: one that floods leaves as much for the others.
pub(super) const HANDSHAKES_OF_A_STRANGER: Rate = Rate { per_second: 50, at_once: 32 };

/// Handshakes of one address of hosts of the mesh: several may stand behind it, and a look of all observers at one of them dials
/// it anew from each of them every second.
pub(super) const HANDSHAKES_OF_ONE: Rate = Rate { per_second: 100, at_once: 64 };

/// Handshakes of all addresses that have proven nothing: a calm day's. Beyond it they must prove themselves, which costs them a
/// round trip.
pub(super) const HANDSHAKES_OF_UNPROVEN: Rate = Rate { per_second: 50, at_once: 32 };

/// Addresses whose handshakes are counted: all that a flood at the common rate can prove in twenty seconds.
pub(super) const HANDSHAKE_ADDRESSES_MAX: usize = 4_096;

/// Datagrams of one host: probes and gossip are some ten a second, a start of a large mesh some fifty.
pub(super) const DATAGRAMS_OF_ONE: Rate = Rate { per_second: 200, at_once: 400 };

/// Requests of one host: a busy leader's rounds are 50 a second (protocol 3.1), its relays as many.
pub(super) const STREAMS_OF_ONE: Rate = Rate { per_second: 100, at_once: 200 };

/// Requests of one host whose certificate says keeper: the log's entries and heartbeats beside them.
pub(super) const STREAMS_OF_KEEPER: Rate = Rate { per_second: 1_000, at_once: 2_000 };

/// Proposals of one host: each is an entry on every keeper's disk. A healer of a dozen cases makes a few a second; a leader's
/// own do not come this way.
pub(super) const PROPOSALS_OF_ONE: Rate = Rate { per_second: 20, at_once: 60 };

/// Linearizable reads of one host: each asks a majority of the keepers. One for a remedy, some for the admin socket.
pub(super) const READS_OF_ONE: Rate = Rate { per_second: 20, at_once: 60 };

/// Followings that one host begins: each may send it the whole ledger. A host follows a keeper on one stream for days.
pub(super) const FOLLOWS_OF_ONE: Rate = Rate { per_second: 1, at_once: 8 };

/// Connections of one host's fresh dials at once: it doubts us once, and relays for a few that do.
pub(super) const FRESH_OF_ONE_MAX: usize = 4;

/// Bytes of requests of one host that are not whole yet: four of the largest.
pub(super) const READING_OF_ONE_MAX: usize = 4 * STREAM_BYTES_MAX;

/// The same of a keeper: one part of the log of the largest size besides.
pub(super) const READING_OF_KEEPER_MAX: usize = RAFT_BYTES_MAX + READING_OF_ONE_MAX;

/// The same of all hosts that are no keepers: eight that use all of theirs.
pub(super) const READING_OF_ALL_MAX: usize = 8 * READING_OF_ONE_MAX;

/// Hosts whose allowance is remembered: all that can be connected.
pub(super) const ALLOWANCES_MAX: usize = 16_384;

/// So much beyond its rates a host is called a flood: a burst of a loop that was late is none.
pub(super) const FLOODING_FROM: u32 = 1_000;

/// A flood is over when nothing came beyond the rates for so long.
pub(super) const FLOODING_OVER: Duration = Duration::from_secs(60);

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
pub(crate) const HOSTS_MAX: usize = 50_000;

/// Events that wait for the agent's loop: one second of the busiest mesh; more datagrams are dropped, requests are `Busy`.
pub(super) const EVENTS_MAX: usize = 1_024;

/// Of these, for what keepers ask alone (law TR11): two seconds of what six others send each other.
pub(super) const EVENTS_OF_KEEPERS: usize = 128;

/// Faults of form that one connection survives; the next one ends it, for a sound agent makes none.
pub(super) const STRIKES_MAX: u32 = 16;

/// Largest hello and answer to it; both are under 200 bytes.
pub(super) const HELLO_BYTES_MAX: usize = 2 * 1024;

/// Time for a peer to send one whole request, and to take in one whole answer.
pub(super) const STREAM_WITHIN: Duration = Duration::from_secs(10);

/// What is read of a stream at a time.
pub(super) const CHUNK_BYTES: usize = 16 * 1024;

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
