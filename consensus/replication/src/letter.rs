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
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) to: u64,
    pub(crate) from: u64,
    pub(crate) body: Body,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Body {
    Append(AppendEntriesRequest<Mesh>),
    Vote(VoteRequest<u64>),
    Image(InstallSnapshotRequest<Mesh>),
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Append(AppendEntriesResponse<u64>),
    Vote(VoteResponse<u64>),
    Image(InstallSnapshotResponse<u64>),
    /// The parts do not fit; the sender begins anew.
    ImageMismatch(InstallSnapshotError),
    /// Not served; one line for people.
    Refused(String),
}

impl Reply {
    /// The term of whoever answers; 0 where it says none.
    pub(crate) fn term(&self) -> u64 {
        match self {
            Self::Append(AppendEntriesResponse::HigherVote(vote)) => vote.leader_id.term,
            Self::Vote(answer) => answer.vote.leader_id.term,
            Self::Image(answer) => answer.vote.leader_id.term,
            Self::Append(_) | Self::ImageMismatch(_) | Self::Refused(_) => 0,
        }
    }
}

impl Body {
    /// The term of whoever sends it.
    pub(crate) fn term(&self) -> u64 {
        let vote = match self {
            Self::Append(append) => &append.vote,
            Self::Vote(asked) => &asked.vote,
            Self::Image(image) => &image.vote,
        };
        vote.leader_id.term
    }

    /// Whether the entries follow `prev_log_id` and one another, in index and in term, and none is of a later leader than
    /// the one who sends them.
    ///
    /// openraft 0.9 takes all that on trust. The last matters: a stream of a deposed leader may read its log after a later
    /// leader has replaced the end of it, and would put an entry behind one that it does not follow (Raft's Log Matching).
    pub(crate) fn is_one_history(&self) -> bool {
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
            follows && entry.log_id.leader_id <= append.vote.leader_id
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{LogId, Vote};
    use crate::tests::toy::{entry, log_id};

    fn append(term: u64, prev: Option<LogId>, ids: &[(u64, u64)]) -> Body {
        Body::Append(AppendEntriesRequest {
            vote: Vote::new_committed(term, 1),
            prev_log_id: prev,
            entries: ids.iter().map(|(term, index)| entry(*term, *index, "a")).collect(),
            leader_commit: None,
        })
    }

    #[test]
    fn entries_that_follow_are_taken() {
        let prev = Some(log_id(2, 7));
        assert!(append(4, prev, &[]).is_one_history(), "a heartbeat");
        assert!(append(4, prev, &[(2, 8), (3, 9), (4, 10)]).is_one_history());
        assert!(append(4, None, &[(0, 0), (1, 1)]).is_one_history());
    }

    #[test]
    fn holes_steps_back_and_entries_of_a_later_leader_are_refused() {
        let prev = Some(log_id(2, 7));
        assert!(!append(4, prev, &[(2, 9)]).is_one_history(), "a hole at the start");
        assert!(!append(4, prev, &[(2, 8), (2, 10)]).is_one_history(), "a hole");
        assert!(!append(4, prev, &[(1, 8)]).is_one_history(), "an older term");
        assert!(!append(4, prev, &[(5, 8)]).is_one_history(), "a later leader's");
        assert!(!append(4, None, &[(1, 1)]).is_one_history(), "no beginning");
    }
}
