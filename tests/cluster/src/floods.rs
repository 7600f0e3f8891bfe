//! Floods against one agent: each sends one kind of thing at a stated rate for a stated time, from an address of its own.
//!
//! Not here: what must hold meanwhile (see the stories).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::authority::{self, Term};
use daemon::demo::plan::{CLUSTER, Planned};
use ledger::command::Command;
use quinn::{Connection, Endpoint};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use vocabulary::{ClusterName, LedgerIndex};
use wire::{Datagram, Request, frame};

use crate::half_deaf::half_deaf;
use crate::stranger::{certified, client_at, greet};

/// Another address than any host's: on loopback all of 127/8 is ours.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// How long each flood lasts.
pub const LASTS: Duration = Duration::from_secs(6);

/// Handshakes and streams of a flood that are under way at once; more wait, as they would at any sender.
const UNDER_WAY_MAX: usize = 400;

/// A flooder gives up on what is not answered.
const GIVES_UP_AFTER: Duration = Duration::from_secs(1);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// Handshakes of whoever shows nothing.
    Strangers,
    /// Handshakes with a certificate of another mesh.
    Others,
    /// Handshakes that stop half way: whoever begins them hears only the request to prove its address.
    HalfOpen,
    /// Handshakes with a certificate of ours, and never a hello.
    Silent,
    /// Requests that come a byte at a time and never end.
    Slow,
    /// Probes, as datagrams.
    Datagrams,
    /// Probes, as requests.
    Requests,
    /// Commands for the ledger.
    Proposals,
    /// Wishes for the whole ledger.
    Followings,
}

impl Flood {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Strangers,
        Self::Others,
        Self::HalfOpen,
        Self::Silent,
        Self::Slow,
        Self::Datagrams,
        Self::Requests,
        Self::Proposals,
        Self::Followings,
    ];

    /// Things sent in a second.
    pub fn per_second(self) -> u32 {
        match self {
            Self::Strangers | Self::Others | Self::HalfOpen | Self::Silent => 400,
            Self::Slow => 160,
            Self::Datagrams => 5_000,
            Self::Requests => 2_000,
            Self::Proposals => 1_000,
            Self::Followings => 400,
        }
    }

    /// What the flooded agent calls it, where it knows by whom it is flooded.
    pub fn is_called(self) -> Option<&'static str> {
        match self {
            Self::Datagrams => Some("datagrams"),
            Self::Requests | Self::Proposals => Some("requests"),
            _ => None,
        }
    }

    /// The host of ours that sends it; each is another, so that each has rates of its own.
    pub fn by(self) -> &'static str {
        match self {
            Self::Strangers | Self::Others | Self::HalfOpen => "nobody",
            Self::Silent => "f3",
            Self::Slow => "f4",
            Self::Datagrams => "f5",
            Self::Requests => "f6",
            Self::Proposals => "f7",
            Self::Followings => "f8",
        }
    }

    /// Sends all of it.
    pub async fn send(self, mesh: &Path, to: SocketAddr) {
        match self {
            Self::Strangers => handshakes(self, &client_at(FROM, None), to).await,
            Self::Others => handshakes(self, &client_at(FROM, Some(&of_another(mesh))), to).await,
            Self::HalfOpen => self.begin_only(to).await,
            Self::Silent => handshakes(self, &client_at(FROM, Some(&self.shown(mesh))), to).await,
            Self::Slow => self.drip(&self.connected(mesh, to).await).await,
            Self::Datagrams => self.pour(&self.connected(mesh, to).await).await,
            Self::Requests => self.ask(mesh, to, &frame::seal(&Request::Probe)).await,
            Self::Proposals => {
                let command = wire::encode(&Command::Tick);
                self.ask(mesh, to, &frame::seal(&Request::Propose(command))).await;
            }
            Self::Followings => {
                let request = Request::Follow { from: LedgerIndex(1), audit: None };
                self.ask(mesh, to, &frame::seal(&request)).await;
            }
        }
    }

    fn shown(self, mesh: &Path) -> PathBuf {
        certified(mesh, self.by(), false)
    }

    async fn connected(self, mesh: &Path, to: SocketAddr) -> (Endpoint, Connection) {
        let endpoint = client_at(FROM, Some(&self.shown(mesh)));
        let (connection, answer) = greet(&endpoint, to, CLUSTER).await.expect("answered");
        answer.expect("welcome");
        (endpoint, connection)
    }

    /// Each is left as it is until the flood is over.
    async fn begin_only(self, to: SocketAddr) {
        let endpoint = half_deaf(FROM);
        let mut begun = Vec::new();
        self.paced(async |_| begun.extend(endpoint.connect(to, "hale"))).await;
    }

    /// Sixteen streams, a byte on each in turn.
    async fn drip(self, (_endpoint, connection): &(Endpoint, Connection)) {
        let mut streams = Vec::new();
        self.paced(async |nth| {
            if streams.len() < 16
                && let Ok(Ok((send, _))) =
                    timeout(Duration::from_millis(1), connection.open_bi()).await
            {
                streams.push(send);
            }
            let turn = nth % streams.len().max(1);
            if let Some(stream) = streams.get_mut(turn)
                && stream.write_all(&[7]).await.is_err()
            {
                streams.swap_remove(turn);
            }
        })
        .await;
    }

    async fn pour(self, (_endpoint, connection): &(Endpoint, Connection)) {
        self.paced(async |nth| {
            let probe = Datagram::Probe { number: nth as u64, seated: true };
            let _ = connection.send_datagram(frame::seal(&probe).into());
        })
        .await;
    }

    async fn ask(self, mesh: &Path, to: SocketAddr, request: &[u8]) {
        let (_endpoint, connection) = self.connected(mesh, to).await;
        let mut under_way = JoinSet::new();
        self.paced(async |_| {
            while under_way.try_join_next().is_some() {}
            if under_way.len() < UNDER_WAY_MAX {
                let (connection, request) = (connection.clone(), request.to_vec());
                under_way.spawn(timeout(GIVES_UP_AFTER, async move {
                    crate::stranger::say(&connection, &request).await.is_ok()
                }));
            }
        })
        .await;
    }

    /// Does one thing after the other, at the rate.
    async fn paced(self, mut thing: impl AsyncFnMut(usize)) {
        // In lots, since timers are no finer than a millisecond.
        const LOTS_PER_SECOND: u32 = 200;
        let lot = self.per_second().div_ceil(LOTS_PER_SECOND) as usize;
        let lots = self.per_second() as usize / lot * LASTS.as_secs() as usize;
        let mut ticks = interval(Duration::from_secs(1) / (self.per_second() / lot as u32));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for nth in 0..lots {
            ticks.tick().await;
            for of_lot in 0..lot {
                thing(nth * lot + of_lot).await;
            }
        }
    }
}

async fn handshakes(flood: Flood, endpoint: &Endpoint, to: SocketAddr) {
    let mut under_way = JoinSet::new();
    flood
        .paced(async |_| {
            while under_way.try_join_next().is_some() {}
            if under_way.len() < UNDER_WAY_MAX
                && let Ok(dialling) = endpoint.connect(to, "hale")
            {
                // Whoever is let in says nothing and stays as long as he is let.
                under_way.spawn(timeout(GIVES_UP_AFTER, async move {
                    if let Ok(connection) = dialling.await {
                        connection.closed().await;
                    }
                }));
            }
        })
        .await;
}

/// A certificate of another mesh, issued once.
fn of_another(mesh: &Path) -> PathBuf {
    let (ca, host) = (mesh.join("another-authority"), mesh.join("another"));
    if !host.exists() {
        let cluster = ClusterName::new("another").expect("a name");
        authority::init(&cluster, &ca, Term::from_now(1)).expect("founded");
        let claims = Planned { name: "z9", zone: "a", is_keeper: true }.claims().expect("sound");
        let claims = vocabulary::Claims { cluster, ..claims };
        authority::issue(&claims, &ca, &host, Term::from_now(1)).expect("issued");
    }
    host
}
