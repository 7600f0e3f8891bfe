//! The second channel, outside QUIC (protocol 2.4): a TCP port that answers a few bytes, and the hand that knocks there.
//!
//! Law SC1: bytes or a refusal prove that the host lives; a connection without bytes proves a kernel and nothing more.
//! Law SC2: the listener takes every connection at once, answers, closes, and never reads: there is nothing to parse.
//! Not here: how often somebody knocks, and what an answer means for a verdict (see `detection`).

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use vocabulary::{Address, Boot};

use crate::bucket::{Bucket, Rate};

/// What a knock came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knock {
    /// Bytes came: a proof of life.
    Answered,
    /// The host's kernel refused: a proof of life of the host, with nobody at the port.
    Refused,
    /// It was accepted and no bytes came: proves nothing but a kernel.
    Accepted,
    /// Nothing came at all, or the network says that the host cannot be reached.
    Silent,
    /// This host could not knock, for want of a socket, an address or a way out: proves nothing about the other.
    Unable,
}

/// A knock that is under way.
pub type Knocking<'a> = Pin<Box<dyn Future<Output = Knock> + Send + 'a>>;

/// A way to a host that does not use QUIC; T1 puts its own in the place of TCP.
pub trait SecondChannel: Send + Sync + fmt::Debug + 'static {
    /// Knocks once and waits no longer than that for an answer.
    fn knock(&self, at: Address, within: Duration) -> Knocking<'_>;
}

/// TCP by the system; also for the ports that a policy names.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpKnock;

/// Connections that the kernel holds for us (protocol 2.4): a hung agent's queue is not full before every observer of
/// the largest allowed seat load has knocked for minutes.
const BACKLOG: i32 = 4_096;

/// Connections that are being answered at once; each lives for one write. More are closed unanswered.
const ANSWERS_MAX: usize = 256;

/// Connections that are taken: each costs some thirty microseconds. More wait in the kernel's queue, where they cost nothing.
const ACCEPTED: Rate = Rate { per_second: 1_000, at_once: 512 };

/// Time to take in some twenty bytes; the kernel's buffer holds them, so only a broken peer needs it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The wait after a failed accept, for want of file descriptors say, which no retry in a loop would mend.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

impl SecondChannel for TcpKnock {
    fn knock(&self, at: Address, within: Duration) -> Knocking<'_> {
        Box::pin(knock(at, within))
    }
}

async fn knock(at: Address, within: Duration) -> Knock {
    let deadline = tokio::time::Instant::now() + within;
    let mut stream = match tokio::time::timeout_at(deadline, TcpStream::connect(at)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(fault)) => return without_connection(&fault),
        Err(_) => return Knock::Silent,
    };
    let mut first = [0; 1];
    match tokio::time::timeout_at(deadline, stream.read(&mut first)).await {
        Ok(Ok(1..)) => Knock::Answered,
        // Closed or reset without a byte: a full queue looks like that, and so does a port that only listens.
        Ok(Ok(0) | Err(_)) | Err(_) => Knock::Accepted,
    }
}

/// Only the host itself refuses a connection; "host unreachable" is the word of the last router, or of a network on which
/// nobody bears that address. Whatever else keeps a knock from being made is this host's own (protocol 2.3).
fn without_connection(fault: &io::Error) -> Knock {
    match fault.kind() {
        io::ErrorKind::ConnectionRefused => Knock::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable => Knock::Silent,
        _ => Knock::Unable,
    }
}

/// The agent's own end of the second channel.
#[derive(Debug)]
pub struct Doorbell {
    listener: TcpListener,
}

impl Doorbell {
    /// Listens on the agent's port; nobody is answered yet.
    pub fn open(bind: Address) -> io::Result<Self> {
        Ok(Self { listener: listen(bind)? })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers every knock until told to stop; the answer tells a person with `nc` which life of the agent answers.
    pub async fn answer(self, boot: Boot, stop: CancellationToken) {
        let answer: Arc<[u8]> = format!("hale\n{}\n", boot.number).into_bytes().into();
        let places = Arc::new(Semaphore::new(ANSWERS_MAX));
        let mut accepted_at = Bucket::full(ACCEPTED, Instant::now());
        loop {
            let wait = accepted_at.wait(Instant::now());
            if wait > Duration::ZERO {
                sleep(wait).await;
            }
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(fault) => {
                    tracing::warn!(%fault, "the second channel cannot accept a connection");
                    sleep(ACCEPT_AGAIN_AFTER).await;
                    continue;
                }
            };
            if let Ok(place) = places.clone().try_acquire_owned() {
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let _place = place;
                    let _ = timeout(ANSWER_WITHIN, say(stream, &answer)).await;
                });
            }
        }
    }
}

/// Writes and closes in good order: a reset could overtake the bytes that were sent before it.
async fn say(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.write_all(answer).await?;
    stream.shutdown().await
}

fn listen(bind: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(bind), Type::STREAM, Some(Protocol::TCP))?;
    if bind.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restarted agent must have its port at once, whatever old connections linger there.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&bind.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn loopback() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    fn boot() -> Boot {
        Boot { number: 7, nonce: 0 }
    }

    #[tokio::test]
    async fn an_agent_answers_a_person_and_a_knock() {
        let bell = Doorbell::open(loopback()).expect("listens");
        let at = bell.address().expect("is bound");
        let stop = CancellationToken::new();
        let answering = tokio::spawn(bell.answer(boot(), stop.clone()));
        assert_eq!(TcpKnock.knock(at, PATIENCE).await, Knock::Answered);
        let mut read = String::new();
        let mut stream = TcpStream::connect(at).await.expect("is accepted");
        stream.read_to_string(&mut read).await.expect("is readable");
        assert_eq!(read, "hale\n7\n");
        stop.cancel();
        answering.await.expect("stops");
        assert_eq!(TcpKnock.knock(at, PATIENCE).await, Knock::Refused);
    }

    #[tokio::test]
    async fn a_hung_agent_is_accepted_by_its_kernel_and_sends_no_bytes() {
        let bell = Doorbell::open(loopback()).expect("listens");
        let at = bell.address().expect("is bound");
        let within = Duration::from_millis(50);
        assert_eq!(TcpKnock.knock(at, within).await, Knock::Accepted);
        drop(bell);
        assert_eq!(TcpKnock.knock(at, PATIENCE).await, Knock::Refused);
    }

    #[test]
    fn what_keeps_this_host_from_knocking_is_not_the_others_silence() {
        use rustix::io::Errno;
        let knock = |errno: Errno| without_connection(&errno.into());
        assert_eq!(knock(Errno::CONNREFUSED), Knock::Refused);
        for silent in [Errno::TIMEDOUT, Errno::HOSTUNREACH] {
            assert_eq!(knock(silent), Knock::Silent, "{silent}");
        }
        let own = [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NETUNREACH,
            Errno::NETDOWN,
            Errno::ADDRNOTAVAIL,
            Errno::ACCESS,
            Errno::PERM,
            Errno::NOBUFS,
            Errno::AFNOSUPPORT,
        ];
        for own in own {
            assert_eq!(knock(own), Knock::Unable, "{own}");
        }
    }

    #[tokio::test]
    async fn a_full_queue_is_silence_and_not_a_refusal() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&loopback().into()).expect("binds");
        socket.listen(1).expect("listens");
        let at = socket.local_addr().expect("is bound").as_socket().expect("an address");
        let within = Duration::from_millis(50);
        let mut kept = Vec::new();
        // Linux queues one more than asked for; what comes after that is not answered at all.
        let last = loop {
            match timeout(within, TcpStream::connect(at)).await {
                Ok(stream) => kept.push(stream.expect("is queued")),
                Err(_) => break TcpKnock.knock(at, within).await,
            }
            assert!(kept.len() < 16, "the queue never fills");
        };
        assert_eq!(last, Knock::Silent);
    }
}
