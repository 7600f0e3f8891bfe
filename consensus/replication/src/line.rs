//! Letters over the daemon's link, as openraft asks for them.
//!
//! Law LN1: an append that holds more than one entry and has no answer in time is not sent again as large as it was: a keeper that is far
//! behind catches up over any way that carries one entry within a heartbeat.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use openraft::error::{
    InstallSnapshotError, NetworkError, PayloadTooLarge, RPCError, RaftError, RemoteError,
    Unreachable,
};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use vocabulary::{HostId, StoreId};
use wire::{Request, Response};

use crate::contained::contained;
use crate::letter::{Body, Letter, Reply};
use crate::link::{KeeperLink, LinkFault};
use crate::port::TERM_STEP_MAX;
use crate::raft::{Member, Mesh};

/// Draws a line to each member.
pub(crate) struct Lines {
    pub(crate) link: Arc<dyn KeeperLink>,
    pub(crate) from: StoreId,
    /// After an unreachable member, wait so long: no longer than a heartbeat, or a short cut would look like a dead leader.
    pub(crate) pause: Duration,
}

/// The line to one member.
pub(crate) struct Line {
    link: Arc<dyn KeeperLink>,
    from: u64,
    to: u64,
    host: HostId,
    pause: Duration,
    width: Width,
}

/// How many entries an append to one keeper may hold: halved by each that has no answer in time, doubled by each full one that has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Width(u64);

impl RaftNetworkFactory<Mesh> for Lines {
    type Network = Line;

    async fn new_client(&mut self, target: u64, node: &Member) -> Line {
        Line {
            link: self.link.clone(),
            from: self.from.0,
            to: target,
            host: node.host,
            pause: self.pause,
            width: Width::MAX,
        }
    }
}

impl Width {
    /// As many as openraft asks for at once.
    const MAX: Self = Self(MOST_ENTRIES);

    /// Nothing was heard of so many in time; what is to be tried next, `None`: one entry is as few as there can be.
    fn narrowed(&mut self, entries: u64) -> Option<u64> {
        if entries < 2 {
            return None;
        }
        self.0 = entries / 2;
        Some(self.0)
    }

    /// So many were answered.
    fn proven(&mut self, entries: u64) {
        if entries >= self.0 {
            self.0 = self.0.saturating_mul(2).min(MOST_ENTRIES);
        }
    }
}

/// openraft's `max_payload_entries`, which nobody sets.
const MOST_ENTRIES: u64 = 300;

type Fault<E = openraft::error::Infallible> = RPCError<u64, Member, RaftError<u64, E>>;

impl Line {
    async fn send(&self, body: Body, within: Duration) -> Result<Reply, Silence> {
        let own = body.term();
        let letter = Letter { to: self.to, from: self.from, body };
        let request = Request::Raft(wire::encode(&letter));
        let answer = self.link.call(self.host, request, within).await;
        match answer {
            Ok(Response::Raft(bytes)) => {
                // protocol 1.9: should it panic, that keeper has not answered.
                let read = contained(|| wire::decode(&bytes).map_err(|why| why.to_string()));
                let reply = read.and_then(|read| read).map_err(Silence::Unreachable)?;
                within_reach(own, reply)
            }
            Ok(other) => Err(Silence::Unreachable(format!("no answer to Raft: {other:?}"))),
            Err(LinkFault::TimedOut) => Err(Silence::TimedOut),
            Err(LinkFault::Unreachable(why)) => Err(Silence::Unreachable(why)),
            Err(LinkFault::Broken(why)) => Err(Silence::Unreachable(why)),
        }
    }
}

/// Law R10: an answer from far above our own term is none.
fn within_reach(own: u64, reply: Reply) -> Result<Reply, Silence> {
    let term = reply.term();
    if term > own.saturating_add(TERM_STEP_MAX) {
        return Err(Silence::Unreachable(format!("its answer is of term {term}, ours is {own}")));
    }
    Ok(reply)
}

impl RaftNetwork<Mesh> for Line {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Mesh>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, Fault> {
        let entries = rpc.entries.len() as u64;
        if entries > self.width.0 {
            return Err(RPCError::PayloadTooLarge(PayloadTooLarge::new_entries_hint(self.width.0)));
        }
        // openraft itself gives up at the whole, and would send the same again.
        let whole = option.hard_ttl();
        let within = if entries > 1 { whole * 4 / 5 } else { whole };
        match self.send(Body::Append(rpc), within).await {
            Ok(Reply::Append(reply)) => {
                self.width.proven(entries);
                Ok(reply)
            }
            Ok(other) => Err(other.unfit().into()),
            Err(Silence::TimedOut) => Err(match self.width.narrowed(entries) {
                Some(fewer) => RPCError::PayloadTooLarge(PayloadTooLarge::new_entries_hint(fewer)),
                None => Silence::TimedOut.into(),
            }),
            Err(silence) => Err(silence.into()),
        }
    }

    async fn install_snapshot(
        &mut self,
        rpc: InstallSnapshotRequest<Mesh>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, Fault<InstallSnapshotError>> {
        match self.send(Body::Image(rpc), option.hard_ttl()).await? {
            Reply::Image(reply) => Ok(reply),
            Reply::ImageMismatch(fault) => {
                let fault = RaftError::APIError(fault);
                Err(RPCError::RemoteError(RemoteError::new(self.to, fault)))
            }
            other => Err(other.unfit().into()),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, Fault> {
        match self.send(Body::Vote(rpc), option.hard_ttl()).await? {
            Reply::Vote(reply) => Ok(reply),
            other => Err(other.unfit().into()),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(self.pause))
    }
}

/// Why there is no reply.
enum Silence {
    /// Time was lost already: try again at once.
    TimedOut,
    /// Try again after a pause; at once would be a busy loop.
    Unreachable(String),
}

impl Reply {
    fn unfit(self) -> Silence {
        match self {
            Self::Refused(why) => Silence::Unreachable(why),
            Self::Append(_) | Self::Vote(_) | Self::Image(_) | Self::ImageMismatch(_) => {
                Silence::Unreachable("the answer is to another question".to_owned())
            }
        }
    }
}

impl<E: std::error::Error> From<Silence> for Fault<E> {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::Unreachable(why) => {
                Self::Unreachable(Unreachable::new(&io::Error::other(why)))
            }
            Silence::TimedOut => {
                Self::Network(NetworkError::new(&io::Error::from(io::ErrorKind::TimedOut)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::Vote;

    #[test]
    fn law_ln1_what_has_no_answer_is_halved_down_to_one_entry_and_grows_again() {
        let mut width = Width::MAX;
        let mut tried = vec![300];
        while let Some(fewer) = width.narrowed(*tried.last().expect("one")) {
            tried.push(fewer);
        }
        assert_eq!(tried, [300, 150, 75, 37, 18, 9, 4, 2, 1]);
        width.proven(0);
        assert_eq!(width, Width(1), "a heartbeat proves nothing");
        for entries in [1, 2, 3, 4, 300] {
            width.proven(entries);
        }
        assert_eq!(width, Width(16));
        for _ in 0..9 {
            width.proven(300);
        }
        assert_eq!(width, Width::MAX);
    }

    #[test]
    fn law_r10_an_answer_from_far_above_is_none() {
        let higher = |term| Reply::Append(AppendEntriesResponse::HigherVote(Vote::new(term, 2)));
        let vote = |term| Reply::Vote(VoteResponse::new(Vote::new(term, 2), None, false));
        let image = |term| Reply::Image(InstallSnapshotResponse { vote: Vote::new(term, 2) });
        for answer in [higher, vote, image] {
            assert!(within_reach(7, answer(7 + TERM_STEP_MAX)).is_ok());
            assert!(within_reach(7, answer(8 + TERM_STEP_MAX)).is_err());
            assert!(within_reach(u64::MAX, answer(u64::MAX)).is_ok());
        }
    }
}
