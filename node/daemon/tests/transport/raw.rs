//! A QUIC peer without our transport: with any certificate or none, and free to say anything.

use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, ServerConfig};
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ED25519, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use wire::{Hello, VersionRange, frame};

use crate::credulous::BelievesAll;
pub use crate::credulous::say;
use crate::fleet::{Fleet, boot, loopback};
use crate::mute::{self, IsMute};

/// A certificate with its key, sound or not.
pub struct Shown {
    pub certificate: CertificateDer<'static>,
    /// What is shown behind it; no sound host shows anything.
    pub others: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// The certificate that was issued to this host.
pub fn issued(fleet: &Fleet, host: &str) -> Shown {
    let folder = fleet.folder(host);
    Shown {
        others: Vec::new(),
        certificate: CertificateDer::from_pem_file(folder.join("host.pem")).expect("is there"),
        key: PrivateKeyDer::from_pem_file(folder.join("host.key")).expect("is there"),
    }
}

/// A certificate with these URIs, signed by the fleet's own authority, after `change`.
pub fn forged(
    fleet: &Fleet,
    uris: &[String],
    change: impl FnOnce(&mut CertificateParams),
) -> Shown {
    let read = |name| std::fs::read_to_string(fleet.authority().join(name)).expect("is there");
    let key = KeyPair::from_pem(&read("authority.key")).expect("sound");
    let issuer = Issuer::from_ca_cert_pem(&read("authority.pem"), key).expect("sound");
    let mut params = CertificateParams::default();
    for uri in uris {
        let uri = uri.as_str().try_into().expect("ASCII");
        params.subject_alt_names.push(SanType::URI(uri));
    }
    change(&mut params);
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let certificate = params.signed_by(&key, &issuer).expect("made");
    Shown {
        others: Vec::new(),
        certificate: certificate.der().clone(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    }
}

/// A dialler that believes everybody and shows this, or nothing.
pub fn client(shown: Option<&Shown>) -> Endpoint {
    client_of(shown, b"hale/1")
}

/// One without a certificate that cannot be heard until it is let.
pub fn mute_client() -> (Endpoint, IsMute) {
    let (mut endpoint, is_mute) = mute::endpoint();
    endpoint.set_default_client_config(config_of(None, b"hale/1"));
    (endpoint, is_mute)
}

/// The same for a fresh dial.
pub fn fresh_client(shown: &Shown) -> Endpoint {
    client_of(Some(shown), b"hale-fresh/1")
}

fn client_of(shown: Option<&Shown>, protocol: &[u8]) -> Endpoint {
    let mut endpoint = Endpoint::client(loopback(0)).expect("binds");
    endpoint.set_default_client_config(config_of(shown, protocol));
    endpoint
}

fn config_of(shown: Option<&Shown>, protocol: &[u8]) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelievesAll));
    let mut tls = match shown {
        Some(shown) => {
            builder.with_client_auth_cert(chain(shown), shown.key.clone_key()).expect("usable")
        }
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![protocol.to_vec()];
    let crypto = QuicClientConfig::try_from(tls).expect("usable");
    ClientConfig::new(Arc::new(crypto))
}

/// An acceptor that shows this and asks for nothing.
pub fn server(shown: &Shown) -> Endpoint {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(chain(shown), shown.key.clone_key())
        .expect("usable");
    tls.alpn_protocols = vec![b"hale/1".to_vec()];
    let crypto = QuicServerConfig::try_from(tls).expect("usable");
    Endpoint::server(ServerConfig::with_crypto(Arc::new(crypto)), loopback(0)).expect("binds")
}

fn chain(shown: &Shown) -> Vec<CertificateDer<'static>> {
    [vec![shown.certificate.clone()], shown.others.clone()].concat()
}

/// Dials and says hello; the bytes of the answer, or how the connection ended.
pub async fn greet(
    endpoint: &Endpoint,
    to: std::net::SocketAddr,
    fleet: &Fleet,
) -> Result<(Connection, Vec<u8>), ConnectionError> {
    greet_in(VersionRange::OURS, endpoint, to, fleet).await
}

/// The same as a dialler that speaks these versions.
pub async fn greet_in(
    versions: VersionRange,
    endpoint: &Endpoint,
    to: std::net::SocketAddr,
    fleet: &Fleet,
) -> Result<(Connection, Vec<u8>), ConnectionError> {
    let connecting = endpoint.connect(to, "hale").expect("an address");
    let connection = connecting.await?;
    let hello = Hello {
        versions,
        cluster: fleet.cluster.clone(),
        boot: boot(1),
        address: loopback(1),
        store: None,
    };
    match say(&connection, &frame::seal(&hello)).await {
        Ok(answer) => Ok((connection, answer)),
        Err(_) => Err(connection.closed().await),
    }
}
