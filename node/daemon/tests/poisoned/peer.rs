//! A certified keeper that says what it likes.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::sync::Arc;

use daemon::authority::{self, Term};
use daemon::demo::plan::{CLUSTER, Files, Planned};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use vocabulary::{Boot, CertificateChain, ClusterName, HostId};
use wire::{Framed, Hello, HelloRefusal, Request, Response, VersionRange, Welcome, frame};

use crate::agent::Host;
use crate::credulous::{self, BelievesAll};

pub struct Peer(Endpoint);

impl Peer {
    /// With a certificate of the mesh's own authority, issued once.
    pub fn of(host: &Host, name: &'static str) -> Self {
        let planned = Planned { name, zone: "a", is_keeper: true };
        let files = Files::of(host.folder(), &planned);
        if !files.folder().exists() {
            let (claims, ca) = (planned.claims().expect("sound"), host.folder().join("authority"));
            authority::issue(&claims, &ca, files.folder(), Term::from_now(1)).expect("issued");
        }
        let certificate = shown(&files);
        let key = PrivateKeyDer::from_pem_file(files.folder().join("host.key"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(BelievesAll))
            .with_client_auth_cert(vec![certificate], key.expect("there"))
            .expect("usable");
        tls.alpn_protocols = vec![b"hale/1".to_vec()];
        let mut endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("binds");
        let crypto = QuicClientConfig::try_from(tls).expect("usable");
        endpoint.set_default_client_config(ClientConfig::new(Arc::new(crypto)));
        Self(endpoint)
    }

    pub fn id(name: &'static str) -> HostId {
        Planned { name, zone: "a", is_keeper: true }.claims().expect("sound").id()
    }

    /// The certificate that was issued.
    pub fn chain(host: &Host, name: &'static str) -> CertificateChain {
        let planned = Planned { name, zone: "a", is_keeper: true };
        CertificateChain(vec![shown(&Files::of(host.folder(), &planned)).to_vec()])
    }

    /// Dials until the agent listens and lets it in.
    pub async fn welcomed(&self, host: &Host) -> Connection {
        loop {
            if let Ok(connection) = self.greets(host, 1).await {
                return connection;
            }
        }
    }

    /// Dials once and says hello in the life with this nonce; let in, or in which words not.
    pub async fn greets(&self, host: &Host, nonce: u128) -> Result<Connection, String> {
        let connecting = self.0.connect(host.address, "hale").expect("an address");
        let connection = connecting.await.map_err(|why| format!("no connection: {why}"))?;
        let hello = Hello {
            versions: VersionRange::OURS,
            cluster: ClusterName::new(CLUSTER).expect("a name"),
            boot: Boot { number: 1, nonce },
            // The same in each life, and so the same bytes.
            address: (Ipv4Addr::LOCALHOST, 1).into(),
            store: None,
        };
        let Ok(answer) = credulous::say(&connection, &frame::seal(&hello)).await else {
            return Err(match connection.closed().await {
                ConnectionError::ApplicationClosed(close) => {
                    format!("closed with {}", close.error_code)
                }
                // TLS 1.3: its side is done before the other has looked at its certificate.
                other => format!("no connection: {other}"),
            });
        };
        let answer = frame::open::<Result<Welcome, HelloRefusal>>(&answer, answer.len());
        answer.expect("an answer").map(|_| connection).map_err(|refusal| format!("{refusal:?}"))
    }

    /// One question, and its answer.
    pub async fn asks(&self, host: &Host, request: &Request) -> Response {
        let connection = self.welcomed(host).await;
        let said = credulous::say(&connection, &frame::seal(request)).await.expect("answered");
        frame::open(&said, said.len()).expect("an answer")
    }
}

fn shown(files: &Files) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(files.folder().join("host.pem")).expect("issued")
}

/// Says this on a stream of its own; what came of it, in words.
pub async fn say(connection: &Connection, bytes: &[u8]) -> String {
    match credulous::say(connection, bytes).await {
        Ok(answer) => format!("{} bytes", answer.len()),
        Err(Some(code)) => format!("reset with {code}"),
        Err(None) => String::from("nothing"),
    }
}

/// Answers whatever is asked with this, until the connection ends.
pub async fn answers(connection: &Connection, bytes: &[u8], answers: &Cell<u32>) {
    while let Ok((mut send, mut receive)) = connection.accept_bi().await {
        let _ = receive.read_to_end(frame::RAFT_BYTES_MAX).await;
        let _ = send.write_all(bytes).await;
        let _ = send.finish();
        // Once it is acknowledged it is read, or is about to be.
        let _ = send.stopped().await;
        answers.set(answers.get() + 1);
    }
}

/// The message as no agent of ours writes it: its kind, a small number, takes three bytes instead of one.
pub fn loosely<T: Framed + Serialize>(message: &T) -> Vec<u8> {
    const TWO_BYTES_FOLLOW: u8 = 251;
    let sealed = frame::seal(message);
    let (version, [kind, rest @ ..]) = sealed.split_at(2) else { panic!("a message has a kind") };
    let loose = [version, &[TWO_BYTES_FOLLOW, *kind, 0], rest].concat();
    assert_ne!(loose, sealed);
    loose
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
