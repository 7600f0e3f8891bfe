//! Letters over the daemon's link, as openraft asks for them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use openraft::error::{
    InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable,
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
}

impl RaftNetworkFactory<Mesh> for Lines {
    type Network = Line;

    async fn new_client(&mut self, target: u64, node: &Member) -> Line {
        Line {
            link: self.link.clone(),
            from: self.from.0,
            to: target,
            host: node.host,
            pause: self.pause,
        }
    }
}

type Fault<E = openraft::error::Infallible> = RPCError<u64, Member, RaftError<u64, E>>;

impl Line {
    async fn send(&self, body: Body, option: &RPCOption) -> Result<Reply, Silence> {
        let own = body.term();
        let letter = Letter { to: self.to, from: self.from, body };
        let request = Request::Raft(wire::encode(&letter));
        let answer = self.link.call(self.host, request, option.hard_ttl()).await;
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
        match self.send(Body::Append(rpc), &option).await? {
            Reply::Append(reply) => Ok(reply),
            other => Err(other.unfit().into()),
        }
    }

    async fn install_snapshot(
        &mut self,
        rpc: InstallSnapshotRequest<Mesh>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, Fault<InstallSnapshotError>> {
        match self.send(Body::Image(rpc), &option).await? {
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
        match self.send(Body::Vote(rpc), &option).await? {
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
