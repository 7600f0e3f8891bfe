//! One request of a peer: read within bounds, judged by the role table, handed to the agent, answered.
//!
//! Law TR5: a request that its sender's certificate does not permit never reaches the agent (protocol 1.7).
//! Law TR11: hosts that are no keepers, whatever they ask, leave places for what keepers ask, here and before the loop; so do all
//! datagrams: no flood of theirs stops Raft.
//! Not here: whether a permitted request is granted; which command may be proposed is the ledger's rule.

use std::sync::Arc;

use bytes::Bytes;
use quinn::{RecvStream, SendStream};
use tokio::sync::{SemaphorePermit, mpsc};
use tokio::time::{Instant, timeout};
use wire::frame::{self, RAFT_BYTES_MAX, STREAM_BYTES_MAX};
use wire::message::Unavailable;
use wire::{Framed, Kind, Request, Response, admits};

use super::allowance::Reading;
use super::fault::StreamEnd;
use super::figures::count;
use super::incoming::{Incoming, RESPONSES_MAX, Reply};
use super::link::Link;
use super::settings::{ANSWER_WITHIN, CHUNK_BYTES, STREAM_WITHIN};
use super::shared::Shared;
use crate::poison::{self, Input};

/// Serves one stream to its end.
pub(super) async fn serve(
    shared: Arc<Shared>,
    link: Arc<Link>,
    (mut send, mut receive): (SendStream, RecvStream),
) {
    // Law TR4: a connection with something under way is not evicted.
    let _hold = link.hold.clone();
    let (request, input) = match read(&shared, &link, &mut receive).await {
        Ok(read) => read,
        Err(end) => return give_up((send, receive), end),
    };
    let is_many = matches!(request, Request::Follow { .. });
    // A follower may stay for days; its place is bounded by the streams of its connection.
    let place = (!is_many).then(|| place(&shared, link.claims.roles.keeper));
    let handed = match &place {
        Some(None) => Err(busy(&shared, "requests under way")),
        Some(Some(_)) | None => hand_over(&shared, &link, request, input),
    };
    let mut back = Back { send: &mut send, version: link.version, is_many };
    let answered = match handed {
        Err(unavailable) => back.write(&Response::Unavailable(unavailable)).await,
        Ok(answers) if is_many => back.stream(answers).await,
        Ok(answers) => back.answer(answers).await,
    };
    match answered {
        Ok(()) => drop(send.finish()),
        Err(end) => give_up((send, receive), end),
    }
}

/// A place among the requests that are served, if one is left for such a host.
fn place(shared: &Shared, is_keeper: bool) -> Option<[Option<SemaphorePermit<'_>>; 2]> {
    let of_plain = match is_keeper {
        true => None,
        false => Some(shared.requests_of_plain.try_acquire().ok()?),
    };
    Some([of_plain, Some(shared.requests.try_acquire().ok()?)])
}

/// Ends both halves for this reason.
pub(super) fn give_up((mut send, mut receive): (SendStream, RecvStream), end: StreamEnd) {
    // Either half may be over already; there is nothing to mend then.
    let _ = send.reset(end.into());
    let _ = receive.stop(end.into());
}

/// The request, if it is one. Only keepers may send as much as Raft needs.
async fn read(
    shared: &Shared,
    link: &Link,
    receive: &mut RecvStream,
) -> Result<(Request, Input), StreamEnd> {
    let bytes_max = if link.claims.roles.keeper { RAFT_BYTES_MAX } else { STREAM_BYTES_MAX };
    // Given back when the request is whole: what is served at once is bounded by itself.
    let mut room = link.allowance.reading(&shared.reading);
    let whole = timeout(STREAM_WITHIN, read_whole(receive, bytes_max, &mut room)).await;
    let bytes = whole.unwrap_or(Err(StreamEnd::TooSlow)).inspect_err(|end| match end {
        StreamEnd::TooLarge => link.strike(shared),
        StreamEnd::TooMany => count(&shared.counters.excessive),
        _ => {}
    })?;
    let bytes = Bytes::from(bytes);
    let quarantine = &shared.settings.quarantine;
    let admitted = quarantine.admit(poison::Kind::Request, Some(link.host), bytes.clone());
    let Some(input) = admitted else {
        count(&shared.counters.quarantined);
        return Err(StreamEnd::Quarantined);
    };
    let opened = {
        let _held = input.clone().hold();
        frame::open::<Request>(&bytes, bytes_max)
    };
    // Law W5: a kind that this connection has not agreed on is as garbled as any other.
    let Some(request) = opened.ok().filter(|request| request.since() <= link.version) else {
        link.strike(shared);
        return Err(StreamEnd::Garbled);
    };
    if bytes.len() > STREAM_BYTES_MAX && Kind::of(&request) != Kind::Raft {
        link.strike(shared);
        return Err(StreamEnd::TooLarge);
    }
    Ok((request, input))
}

/// All that comes on the stream, as far as there is room for it (law TR9).
async fn read_whole(
    receive: &mut RecvStream,
    bytes_max: usize,
    room: &mut Reading<'_>,
) -> Result<Vec<u8>, StreamEnd> {
    let mut bytes = Vec::new();
    loop {
        let chunk = receive.read_chunk(CHUNK_BYTES, true).await;
        let Some(chunk) = chunk.map_err(|_| StreamEnd::Cancelled)? else {
            return Ok(bytes);
        };
        if bytes.len() + chunk.bytes.len() > bytes_max {
            return Err(StreamEnd::TooLarge);
        }
        if !room.grow(chunk.bytes.len()) {
            return Err(StreamEnd::TooMany);
        }
        bytes.extend_from_slice(&chunk.bytes);
    }
}

/// To the agent's loop, if the role table and our bounds let it.
fn hand_over(
    shared: &Shared,
    link: &Link,
    request: Request,
    input: Input,
) -> Result<mpsc::Receiver<Response>, Unavailable> {
    // protocol 1.7: checked per kind of request, against the certificate.
    if let Err(refusal) = admits(Kind::of(&request), link.claims.roles) {
        count(&shared.counters.forbidden);
        tracing::debug!(host = %link.claims.host, ?refusal, "a request is refused by the role table");
        return Err(Unavailable::Forbidden);
    }
    if !link.allowance.request(Kind::of(&request), Instant::now()) {
        count(&shared.counters.excessive);
        return Err(Unavailable::Busy("what one host may ask".to_owned()));
    }
    let (to_stream, answers) = mpsc::channel(RESPONSES_MAX);
    let event = Incoming::Request {
        from: link.host,
        claims: link.claims.clone(),
        presented: link.presented(),
        request,
        input,
        reply: Reply { to_stream },
    };
    if !shared.offer(event, link.claims.roles.keeper) {
        return Err(busy(shared, "events of the agent's loop"));
    }
    count(&shared.counters.requests_received);
    shared.lock().pool.heard(link.host);
    Ok(answers)
}

fn busy(shared: &Shared, what: &str) -> Unavailable {
    count(&shared.counters.busy);
    Unavailable::Busy(what.to_owned())
}

/// The way back on one stream.
struct Back<'a> {
    send: &'a mut SendStream,
    /// What the connection speaks.
    version: u16,
    is_many: bool,
}

impl Back<'_> {
    /// The one answer, unless the asker goes first.
    async fn answer(&mut self, mut answers: mpsc::Receiver<Response>) -> Result<(), StreamEnd> {
        let response = tokio::select! {
            biased;
            answer = timeout(ANSWER_WITHIN, answers.recv()) => match answer {
                Ok(response) => response.ok_or(StreamEnd::Unanswered)?,
                Err(_) => Response::Unavailable(Unavailable::TooLate),
            },
            _ = self.send.stopped() => return Err(StreamEnd::Cancelled),
        };
        self.write(&response).await
    }

    /// All answers, as they come, until the agent has no more or the follower goes.
    async fn stream(&mut self, mut answers: mpsc::Receiver<Response>) -> Result<(), StreamEnd> {
        loop {
            let response = tokio::select! {
                biased;
                response = answers.recv() => response,
                _ = self.send.stopped() => return Err(StreamEnd::Cancelled),
            };
            match response {
                Some(response) => self.write(&response).await?,
                None => return Ok(()),
            }
        }
    }

    async fn write(&mut self, response: &Response) -> Result<(), StreamEnd> {
        if response.since() > self.version {
            tracing::error!(since = response.since(), "an answer of ours is too new for its asker");
            return Err(StreamEnd::Unanswered);
        }
        let sealed = frame::seal(response);
        if sealed.len() > RAFT_BYTES_MAX {
            tracing::error!(bytes = sealed.len(), "an answer of ours is too large for the wire");
            return Err(StreamEnd::TooLarge);
        }
        let bytes = if self.is_many { frame::delimited(&sealed) } else { sealed };
        match timeout(STREAM_WITHIN, self.send.write_all(&bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(StreamEnd::Cancelled),
            Err(_) => Err(StreamEnd::TooSlow),
        }
    }
}
