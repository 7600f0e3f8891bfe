//! What keepers write to each other: openraft's messages under the ids of two stores.
//!
//! Law R1: a store answers only letters to its own id. A keeper whose disk was lost has a new id, so nobody's request for
//! a vote reaches it under the old one (protocol 1.4).

use openraft::error::InstallSnapshotError;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};

use crate::raft::Mesh;

/// A request from one store to another.
#[derive(Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) to: u64,
    pub(crate) from: u64,
    pub(crate) body: Body,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Body {
    Append(AppendEntriesRequest<Mesh>),
    Vote(VoteRequest<u64>),
    Image(InstallSnapshotRequest<Mesh>),
}

/// The answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    Append(AppendEntriesResponse<u64>),
    Vote(VoteResponse<u64>),
    Image(InstallSnapshotResponse<u64>),
    /// The parts do not fit; the sender begins anew.
    ImageMismatch(InstallSnapshotError),
    /// Not served; one line for people.
    Refused(String),
}

impl Body {
    /// Whether the entries follow `prev_log_id` and one another, in index and in term: openraft 0.9 takes that on trust.
    pub(crate) fn is_contiguous(&self) -> bool {
        let Self::Append(append) = self else {
            return true;
        };
        let mut before = append.prev_log_id;
        append.entries.iter().all(|entry| {
            let follows = match before {
                Some(last) => {
                    last.index.checked_add(1) == Some(entry.log_id.index)
                        && last.leader_id <= entry.log_id.leader_id
                }
                None => entry.log_id.index == 0,
            };
            before = Some(entry.log_id);
            follows
        })
    }
}
