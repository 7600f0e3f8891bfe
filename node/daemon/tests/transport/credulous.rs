//! A QUIC dialler that believes everybody and may say anything.
//!
//! Shared by path with the stories of `tests/cluster`. Not here: what certificate it shows (see `raw`, `stranger`).

use quinn::Connection;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use wire::frame;

/// Sends these bytes on a stream of their own and reads what comes back; the code where the stream was reset.
pub async fn say(connection: &Connection, bytes: &[u8]) -> Result<Vec<u8>, Option<u64>> {
    let (mut send, mut receive) = connection.open_bi().await.map_err(|_| None)?;
    // The other side may well stop listening half way.
    let _ = send.write_all(bytes).await;
    let _ = send.finish();
    match receive.read_to_end(frame::RAFT_BYTES_MAX).await {
        Ok(answer) => Ok(answer),
        Err(quinn::ReadToEndError::Read(quinn::ReadError::Reset(code))) => {
            Err(Some(code.into_inner()))
        }
        Err(_) => Err(None),
    }
}

/// Takes whoever answers for the host that was meant.
#[derive(Debug)]
pub struct BelievesAll;

impl ServerCertVerifier for BelievesAll {
    fn verify_server_cert(
        &self,
        _host: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _host: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _host: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
