//! One request of ours: sent, and its answer read within bounds.

use std::sync::Arc;

use quinn::{RecvStream, SendStream};
use vocabulary::HostId;
use wire::frame::{self, RAFT_BYTES_MAX, STREAM_BYTES_MAX};
use wire::{Framed, Request, Response};

use super::fault::{CallFault, StreamEnd};
use super::link::Link;
use crate::poison::{Input, Kind, Quarantine};

/// What a host has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What it says.
    pub response: Response,
    /// As it came, to be held while it is handled (protocol 1.9).
    pub input: Input,
}

/// Asks once on this connection and reads the one answer.
pub(super) async fn ask(
    quarantine: &Quarantine,
    link: &Link,
    request: &Request,
) -> Result<Answered, CallFault> {
    let mut receive = send(link, request).await?;
    let bytes_max = bytes_max(request);
    let bytes = receive.read_to_end(bytes_max).await?;
    open(quarantine, link.host, bytes)
}

/// Asks once on this connection for many answers.
pub(super) async fn follow(
    quarantine: &Arc<Quarantine>,
    link: &Link,
    request: &Request,
    hold: Arc<()>,
) -> Result<Replies, CallFault> {
    let (receive, quarantine) = (send(link, request).await?, Arc::clone(quarantine));
    Ok(Replies { from: link.host, receive, quarantine, _hold: hold })
}

/// The answers of one [`Request::Follow`], in order; dropped, it tells the other side to stop.
#[derive(Debug)]
pub struct Replies {
    from: HostId,
    receive: RecvStream,
    quarantine: Arc<Quarantine>,
    _hold: Arc<()>,
}

impl Replies {
    /// The next answer; `None` when the other side has no more. Not to be cancelled half way: the next would be garbled.
    pub async fn next(&mut self) -> Result<Option<Answered>, CallFault> {
        let mut head = [0; 4];
        let mut filled = 0;
        while filled < head.len() {
            match self.receive.read(&mut head[filled..]).await? {
                Some(read) => filled += read,
                None if filled == 0 => return Ok(None),
                None => return Err(CallFault::Garbled(wire::Fault::Short)),
            }
        }
        let length = u32::from_le_bytes(head) as usize;
        if length > RAFT_BYTES_MAX {
            return Err(CallFault::Garbled(wire::Fault::TooLarge));
        }
        let mut bytes = vec![0; length];
        self.receive.read_exact(&mut bytes).await.map_err(|error| match error {
            quinn::ReadExactError::FinishedEarly(_) => CallFault::Garbled(wire::Fault::Short),
            quinn::ReadExactError::ReadError(read) => read.into(),
        })?;
        open(&self.quarantine, self.from, bytes).map(Some)
    }
}

/// protocol 1.9: an answer is input like any other. It is not longer than what was read.
fn open(quarantine: &Quarantine, from: HostId, bytes: Vec<u8>) -> Result<Answered, CallFault> {
    let input = quarantine.admit(Kind::Answer, Some(from), bytes).ok_or(CallFault::Quarantined)?;
    let _held = input.clone().hold();
    let opened = frame::open(&input.bytes, RAFT_BYTES_MAX);
    opened.map(|response| Answered { response, input }).map_err(CallFault::Garbled)
}

async fn send(link: &Link, request: &Request) -> Result<RecvStream, CallFault> {
    // Law W5: what the peer does not know would look to it like garbage, and cost the connection.
    if request.since() > link.version {
        return Err(CallFault::TooNew { since: request.since(), spoken: link.version });
    }
    let bytes = frame::seal(request);
    if bytes.len() > bytes_max(request) {
        return Err(CallFault::Garbled(wire::Fault::TooLarge));
    }
    let (send, receive) = link.connection.open_bi().await.map_err(CallFault::of_handshake)?;
    let mut sending = Sending { stream: send, is_whole: false };
    sending.stream.write_all(&bytes).await?;
    let _ = sending.stream.finish();
    sending.is_whole = true;
    Ok(receive)
}

fn bytes_max(request: &Request) -> usize {
    match request {
        Request::Raft(_) => RAFT_BYTES_MAX,
        _ => STREAM_BYTES_MAX,
    }
}

/// Our half of the stream: given up before it is whole, it is reset, so that the peer does not take the half of a
/// request for a garbled one.
struct Sending {
    stream: SendStream,
    is_whole: bool,
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = self.stream.reset(StreamEnd::Cancelled.into());
        }
    }
}
