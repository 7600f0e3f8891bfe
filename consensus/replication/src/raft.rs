//! What openraft is told about us: the types it carries and the figures it runs by.

use std::sync::Arc;
use std::time::Duration;

use ledger::command::{Entry, Outcome};
use openraft::{Config, SnapshotPolicy};
use serde::{Deserialize, Serialize};
use vocabulary::HostId;

use crate::settings::Settings;

openraft::declare_raft_types!(
    /// Raft node ids are store ids (protocol 1.4).
    pub(crate) Mesh:
        D = Stamped,
        R = Outcomes,
        NodeId = u64,
        Node = Member,
        SnapshotData = std::io::Cursor<Vec<u8>>,
        AsyncRuntime = crate::tasks::raft::Tethering,
);

pub(crate) type Raft = openraft::Raft<Mesh>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type LogEntry = openraft::Entry<Mesh>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, Member>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, Member>;
pub(crate) type Snapshot = openraft::Snapshot<Mesh>;
pub(crate) type StorageError = openraft::StorageError<u64>;

/// An entry and the term in which its leader measured: in any other term its time does not count, so that a change of
/// leader can only lengthen terms (protocol 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamped {
    pub(crate) term: u64,
    pub(crate) entry: Entry,
}

/// One for each command, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcomes(pub(crate) Vec<Outcome>);

/// The host that a store stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) host: HostId,
}

impl Default for Member {
    fn default() -> Self {
        Self { host: HostId([0; 16]) }
    }
}

/// Raft's figures from checked settings.
///
/// openraft draws a keeper's election timeout from the machine's luck once at its start. We give it the shortest there may be and a
/// range of one, and the gate draws for each election (law R11): the same mesh runs the same way twice.
pub(crate) fn config(settings: &Settings) -> Arc<Config> {
    let milliseconds = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let timeout = milliseconds(settings.election_min);
    Arc::new(Config {
        cluster_name: "hale".to_owned(),
        heartbeat_interval: milliseconds(settings.heartbeat),
        election_timeout_min: timeout,
        election_timeout_max: timeout.saturating_add(1),
        install_snapshot_timeout: SNAPSHOT_CHUNK_WITHIN_MS,
        snapshot_max_chunk_size: SNAPSHOT_CHUNK_BYTES as u64,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(settings.snapshot_every),
        // A follower further behind than a snapshot reaches is helped by a snapshot only if this is the larger figure.
        replication_lag_threshold: settings.snapshot_every.saturating_add(settings.entries_kept),
        max_in_snapshot_log_to_keep: settings.entries_kept,
        purge_batch_size: PURGE_BATCH,
        // protocol 1.5: the gate opens elections, nothing else does.
        enable_elect: false,
        ..Config::default()
    })
}

/// Largest piece of a snapshot on the wire and on disk (protocol 1.8: at most 1 MiB): small enough that the commit of
/// one piece does not delay a heartbeat.
pub(crate) const SNAPSHOT_CHUNK_BYTES: usize = 256 * 1024;

/// For how long one piece of a snapshot may travel: a slow disk commits 256 KiB well within this.
const SNAPSHOT_CHUNK_WITHIN_MS: u64 = 5_000;

/// So many entries are dropped from the log at once: one commit for many.
const PURGE_BATCH: u64 = 64;
