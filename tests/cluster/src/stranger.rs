//! Whoever does not belong to the mesh: agents of other authorities, and QUIC clients that are free to say anything.
//!
//! Not here: what each of them is refused for (see the stories).

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemon::authority::{self, Term};
use daemon::demo::plan::{Files, Planned, Reached};
use daemon::demo::ports;
use daemon::demo::process::Process;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use vocabulary::{Boot, ClusterName};
use wire::{Hello, HelloRefusal, VersionRange, Welcome, frame};

use crate::credulous::BelievesAll;
pub use crate::credulous::say;
use crate::program;

/// An agent of another authority that is told to join.
pub struct StrangeAgent {
    files: Files,
    process: Process,
}

impl StrangeAgent {
    /// Starts it in a folder of its own, with these agents as its seeds.
    pub fn start(folder: &Path, cluster: &str, name: &'static str, seeds: Vec<SocketAddr>) -> Self {
        let host = Planned { name, zone: "a", is_keeper: true };
        let cluster = ClusterName::new(cluster).expect("a name");
        let (files, ca) = (Files::of(folder, &host), folder.join("authority"));
        std::fs::create_dir(folder).expect("made");
        authority::init(&cluster, &ca, Term::from_now(1)).expect("founded");
        let claims = vocabulary::Claims { cluster, ..host.claims().expect("sound") };
        authority::issue(&claims, &ca, files.folder(), Term::from_now(1)).expect("issued");
        let reached = Reached { bind: ports::free().expect("a port"), relays: Vec::new(), seeds };
        std::fs::write(files.config(), files.config_text(&reached)).expect("written");
        let config = files.config();
        let arguments = [OsStr::new("agent"), OsStr::new("--config"), config.as_os_str()];
        let process = Process::start(&program::hale(), &arguments, &files.log(), async {});
        Self { files, process: process.expect("started") }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.files.log()).unwrap_or_default()
    }

    /// Whether it runs on: to be refused is no reason to end.
    pub fn runs(&self) -> bool {
        !self.process.has_ended()
    }
}

/// The folder with a certificate of the mesh's own authority for a host that is not in the plan, issued once.
pub fn certified(mesh: &Path, name: &'static str, is_keeper: bool) -> PathBuf {
    let host = Planned { name, zone: "a", is_keeper };
    let files = Files::of(mesh, &host);
    if !files.folder().exists() {
        let (claims, ca) = (host.claims().expect("sound"), mesh.join("authority"));
        authority::issue(&claims, &ca, files.folder(), Term::from_now(1)).expect("issued");
    }
    files.folder().to_owned()
}

/// A QUIC client that believes everybody and shows the certificate in this folder, or none.
pub fn client(shown: Option<&Path>) -> Endpoint {
    client_at(Ipv4Addr::LOCALHOST, shown)
}

/// The same at another address of this machine.
pub fn client_at(from: Ipv4Addr, shown: Option<&Path>) -> Endpoint {
    let mut endpoint = Endpoint::client((from, 0).into()).expect("binds");
    endpoint.set_default_client_config(client_config(shown));
    endpoint
}

pub(crate) fn client_config(shown: Option<&Path>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelievesAll));
    let mut tls = match shown {
        Some(folder) => {
            let certificate = CertificateDer::from_pem_file(folder.join("host.pem"));
            let key = PrivateKeyDer::from_pem_file(folder.join("host.key"));
            builder
                .with_client_auth_cert(vec![certificate.expect("there")], key.expect("there"))
                .expect("usable")
        }
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![b"hale/1".to_vec()];
    let crypto = QuicClientConfig::try_from(tls).expect("usable");
    ClientConfig::new(Arc::new(crypto))
}

/// Dials and says hello in this cluster's name: the connection and what was answered, or how the connection ended.
pub async fn greet(
    endpoint: &Endpoint,
    to: SocketAddr,
    cluster: &str,
) -> Result<(Connection, Result<Welcome, HelloRefusal>), ConnectionError> {
    let connection = endpoint.connect(to, "hale").expect("an address").await?;
    let hello = Hello {
        versions: VersionRange::OURS,
        cluster: ClusterName::new(cluster).expect("a name"),
        boot: Boot { number: 1, nonce: 1 },
        address: endpoint.local_addr().expect("bound"),
        store: None,
    };
    match say(&connection, &frame::seal(&hello)).await {
        Ok(answer) => {
            let answer = frame::open(&answer, frame::STREAM_BYTES_MAX).expect("an answer");
            Ok((connection, answer))
        }
        Err(_) => Err(connection.closed().await),
    }
}
