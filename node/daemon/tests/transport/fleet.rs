//! Hosts with real certificates on loopback, and hosts that are not what they should be.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use daemon::authority::{self, Term};
use daemon::identity::{Identity, IdentityFiles};
use daemon::moments;
use daemon::transport::{
    Incoming, Peer, Presence, Transport, TransportSettings, UdpSockets, system_seed,
};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use vocabulary::{Boot, Claims, ClusterName, Domain, GroupName, HostId, HostName, Label, Roles};
use wire::{Datagram, Request, Response};

/// Far longer than anything here takes on a busy machine; only a failure waits for it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const PLAIN: Roles = Roles { keeper: false, healer: false };

pub const KEEPER: Roles = Roles { keeper: true, healer: false };

/// An authority and the hosts it has issued certificates to.
pub struct Fleet {
    dir: tempfile::TempDir,
    pub cluster: ClusterName,
}

/// One agent's transport and what comes out of it.
pub struct Node {
    pub transport: Transport,
    pub incoming: Receiver<Incoming>,
    pub address: SocketAddr,
}

impl Fleet {
    pub fn new(cluster: &str) -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let cluster = ClusterName::new(cluster).expect("sound");
        authority::init(&cluster, &dir.path().join("ca"), Term::from_now(9)).expect("is founded");
        Self { dir, cluster }
    }

    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("ca")
    }

    pub fn folder(&self, host: &str) -> PathBuf {
        self.dir.path().join(host)
    }

    pub fn claims(&self, host: &str, roles: Roles) -> Claims {
        let label = |text| Label::new(text).expect("sound");
        Claims {
            cluster: self.cluster.clone(),
            host: HostName(label(host)),
            domain: Domain { region: label("eu"), zone: label("eu-a"), rack: label("r1") },
            group: GroupName(label("web")),
            roles,
        }
    }

    pub fn id(&self, host: &str) -> HostId {
        self.claims(host, PLAIN).id()
    }

    /// The identity of a host, issued the first time it is asked for.
    pub fn identity(&self, host: &str, roles: Roles) -> Arc<Identity> {
        let out = self.folder(host);
        if !out.exists() {
            let claims = self.claims(host, roles);
            let term = Term::from_now(9);
            authority::issue(&claims, &self.authority(), &out, term).expect("is issued");
        }
        Arc::new(load(&out))
    }

    /// Starts a host of boot 1 on a port of its own.
    pub fn start(&self, host: &str, roles: Roles) -> Node {
        self.start_with(host, roles, 1, |_| {})
    }

    pub fn start_with(
        &self,
        host: &str,
        roles: Roles,
        boot: u64,
        set: impl FnOnce(&mut TransportSettings),
    ) -> Node {
        let mut settings = TransportSettings::seeded(system_seed());
        set(&mut settings);
        start(settings, self.identity(host, roles), boot, loopback(0))
    }
}

pub fn load(folder: &Path) -> Identity {
    let files = IdentityFiles {
        certificate: folder.join("host.pem"),
        key: folder.join("host.key"),
        authority: folder.join("authority.pem"),
        cluster: None,
    };
    Identity::load(&files, moments::now()).expect("is sound")
}

pub fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

pub fn boot(number: u64) -> Boot {
    let nonce = u128::from(number);
    Boot { number, nonce }
}

pub fn start(
    settings: TransportSettings,
    identity: Arc<Identity>,
    boot_number: u64,
    bind: SocketAddr,
) -> Node {
    let presence = |address| Presence { boot: boot(boot_number), address, store: None };
    let sockets = Arc::new(UdpSockets::new(bind));
    let (transport, incoming) =
        Transport::start(settings, identity, presence(bind), sockets).expect("starts");
    let address = transport.local_address().expect("is bound");
    transport.set_presence(presence(address));
    Node { transport, incoming, address }
}

impl Node {
    pub fn host(&self) -> HostId {
        self.transport.host()
    }

    pub fn knows(&self, other: &Node) {
        self.transport.set_address(other.host(), other.address);
    }

    pub fn keeps_warm(&self, other: &Node) {
        self.knows(other);
        self.transport.keep_warm(BTreeSet::from([other.host()]));
    }

    pub async fn next(&mut self) -> Incoming {
        timeout(PATIENCE, self.incoming.recv())
            .await
            .expect("something comes in time")
            .expect("the transport lives")
    }

    /// The next host that is connected; anything else is passed over.
    pub async fn connected(&mut self) -> Peer {
        loop {
            if let Incoming::Connected(peer) = self.next().await {
                return *peer;
            }
        }
    }

    /// The next host that is gone, and why.
    pub async fn closed(&mut self) -> (HostId, daemon::transport::Parting) {
        loop {
            if let Incoming::Closed { host, why, .. } = self.next().await {
                return (host, why);
            }
        }
    }

    /// The next datagram and its sender.
    pub async fn datagram(&mut self) -> (HostId, Datagram) {
        loop {
            if let Incoming::Datagram { from, datagram, .. } = self.next().await {
                return (from, datagram);
            }
        }
    }

    /// Answers `Alive` to every probe from now on, and hands the rest on.
    pub fn serve(self) -> Served {
        let Self { transport, mut incoming, address } = self;
        let alive = Response::Alive { boot: boot(1) };
        tokio::spawn(async move {
            while let Some(event) = incoming.recv().await {
                if let Incoming::Request { request, reply, .. } = event {
                    match request {
                        Request::Follow { .. } => drop(reply),
                        _ => reply.send(alive.clone()),
                    }
                }
            }
        });
        Served { transport, address }
    }

    pub async fn ask(&self, to: HostId) -> Result<Response, daemon::transport::CallFault> {
        self.transport.request(to, Request::Probe, PATIENCE).await
    }
}

/// A node whose requests are answered by a task.
pub struct Served {
    pub transport: Transport,
    pub address: SocketAddr,
}
