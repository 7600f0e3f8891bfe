//! Mutual TLS 1.3 as the mesh wants it: chain, dates, cluster and the one URI; names are not looked at.
//!
//! Law TR1: a peer is who its certificate says, and nobody else; a connection without a believed certificate carries nothing.
//! Not here: the roster's word (see `hello`), and what a role may do (protocol 1.7, see `serve`).

use std::sync::Arc;

use bytes::Bytes;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    PeerIncompatible, RootCertStore, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use vocabulary::{CertificateChain, CertificateFault, Claims, ClusterName, PublicKey};

use crate::identity::{Identity, certificate};
use crate::poison::trial::{self, Place};
use crate::poison::{Held, Input, Kind, Quarantine};

/// The protocol of standing connections.
pub(super) const STANDING: &[u8] = b"hale/1";

/// The protocol of a fresh dial (protocol 2.3): it is served, and never takes the place of a standing connection.
pub(super) const FRESH: &[u8] = b"hale-fresh/1";

/// Our side of every handshake.
#[derive(Clone)]
pub(super) struct Tls {
    pub server: Arc<ServerConfig>,
    pub standing: Arc<ClientConfig>,
    pub fresh: Arc<ClientConfig>,
}

impl Tls {
    pub(super) fn new(
        identity: &Identity,
        wall_clock: &Arc<dyn TimeProvider>,
        quarantine: &Arc<Quarantine>,
    ) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(PeerVerifier::new(identity, provider.clone(), quarantine)?);
        let mut server = ServerConfig::builder_with_details(provider.clone(), wall_clock.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(identity.certificates(), identity.private_key())?;
        server.alpn_protocols = vec![STANDING.into(), FRESH.into()];
        // No tickets and no early data: a replayed packet must not mean anything.
        server.send_tls13_tickets = 0;
        server.max_early_data_size = 0;
        let mut client = ClientConfig::builder_with_details(provider, wall_clock.clone())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(identity.certificates(), identity.private_key())?;
        client.resumption = Resumption::disabled();
        client.enable_early_data = false;
        client.enable_sni = false;
        client.alpn_protocols = vec![STANDING.into()];
        let mut fresh = client.clone();
        fresh.alpn_protocols = vec![FRESH.into()];
        Ok(Self { server: Arc::new(server), standing: Arc::new(client), fresh: Arc::new(fresh) })
    }
}

/// Who stands at the other end: read from the certificate that the handshake has just verified.
pub(super) fn peer(
    connection: &quinn::Connection,
) -> Result<(Claims, PublicKey), CertificateFault> {
    let identity = connection
        .peer_identity()
        .and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok())
        .ok_or(CertificateFault::Size)?;
    let host = identity.first().ok_or(CertificateFault::Size)?;
    let _held = shown(host).hold();
    let parsed = certificate::parse(host)?;
    Ok((certificate::claims(&parsed)?, certificate::public_key(&parsed)?))
}

/// The certificates with which the other end has proven itself, its own first.
pub(super) fn chain(connection: &quinn::Connection) -> Option<CertificateChain> {
    let identity = connection.peer_identity()?;
    let identity = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    Some(CertificateChain(identity.iter().map(|der| der.to_vec()).collect()))
}

/// Both directions of one judgement.
#[derive(Debug)]
struct PeerVerifier {
    cluster: ClusterName,
    roots: Arc<RootCertStore>,
    chains: Arc<dyn ClientCertVerifier>,
    provider: Arc<CryptoProvider>,
    quarantine: Arc<Quarantine>,
}

impl PeerVerifier {
    fn new(
        identity: &Identity,
        provider: Arc<CryptoProvider>,
        quarantine: &Arc<Quarantine>,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for authority in identity.authorities() {
            roots.add(CertificateDer::from(authority.as_slice()))?;
        }
        let roots = Arc::new(roots);
        let chains =
            WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
        Ok(Self {
            cluster: identity.claims().cluster.clone(),
            chains: chains.map_err(|fault| Error::General(fault.to_string()))?,
            roots,
            provider,
            quarantine: Arc::clone(quarantine),
        })
    }

    /// protocol 1.9: a certificate is input like any other, and a stranger's.
    fn admit(&self, host: &CertificateDer<'_>) -> Result<Held, Error> {
        let Input { kind, from, bytes } = shown(host);
        let input = self.quarantine.admit(kind, from, bytes);
        let refused = || Error::General("it has ended this agent before".to_owned());
        Ok(input.ok_or_else(refused)?.hold())
    }

    /// What webpki does not look at: one certificate alone, exactly one URI, a host's, of our cluster.
    fn judge(&self, host: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<(), Error> {
        if host.len() > CertificateChain::BYTES_MAX || !others.is_empty() {
            return Err(refused(CertificateFault::Size));
        }
        trial::stumble(Place::Certificate);
        let parsed = certificate::parse(host).map_err(refused)?;
        let claims = certificate::claims(&parsed).map_err(refused)?;
        if claims.cluster == self.cluster {
            Ok(())
        } else {
            let why = format!("it is of cluster {}, not {}", claims.cluster, self.cluster);
            Err(refused(CertificateFault::Claims(why)))
        }
    }

    fn signed(
        &self,
        message: &[u8],
        host: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, host, signed, algorithms)
    }
}

/// One of more bytes than any of ours has is not looked at, whatever it is known by.
fn shown(host: &CertificateDer<'_>) -> Input {
    let bytes = &host[..host.len().min(CertificateChain::BYTES_MAX)];
    Input { kind: Kind::Certificate, from: None, bytes: Bytes::copy_from_slice(bytes) }
}

fn refused(fault: CertificateFault) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(fault))))
}

fn no_tls12() -> Error {
    Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        host: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let _held = self.admit(host)?;
        self.judge(host, others)?;
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(host)?,
            &self.roots,
            &[],
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _host: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        host: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, host, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Every host has one certificate; hints would only tell strangers whose mesh this is.
        &[]
    }

    fn verify_client_cert(
        &self,
        host: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let _held = self.admit(host)?;
        self.judge(host, others)?;
        self.chains.verify_client_cert(host, &[], now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _host: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        host: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, host, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
