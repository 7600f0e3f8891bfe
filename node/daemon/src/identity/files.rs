//! Reads the three PEM files of an identity, each within a bound.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use vocabulary::CertificateChain;

use super::{IdentityFault, certificate};
use crate::authority::files::PEM_BYTES_MAX;

/// Most authorities at once: one, its successor, and room for a slow change of both.
const AUTHORITIES_MAX: usize = 8;

/// The first private key of the file, which nobody but its owner may read.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, IdentityFault> {
    let mut file = open(path)?;
    // The mode of the very file that is read: a path could be swapped between two looks.
    let mode =
        file.metadata().map_err(|why| IdentityFault::unreadable(path, &why))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(IdentityFault::Exposed { path: path.into(), mode: mode & 0o777 });
    }
    PrivateKeyDer::from_pem_slice(&whole(path, &mut file)?)
        .map_err(|_| IdentityFault::NotAKey(path.into()))
}

/// The one certificate of the file.
pub(super) fn host_certificate(path: &Path) -> Result<Vec<u8>, IdentityFault> {
    match &certificates(path)?[..] {
        [one] if one.len() <= CertificateChain::BYTES_MAX => Ok(one.clone()),
        _ => Err(IdentityFault::NotOneCertificate(path.into())),
    }
}

/// All certificates of the file, each an authority's.
pub(super) fn authorities(path: &Path) -> Result<Vec<Vec<u8>>, IdentityFault> {
    let all = certificates(path)?;
    let is_authority = |der: &Vec<u8>| certificate::parse(der).is_ok_and(|parsed| parsed.is_ca());
    if (1..=AUTHORITIES_MAX).contains(&all.len()) && all.iter().all(is_authority) {
        Ok(all)
    } else {
        Err(IdentityFault::NotAuthorities(path.into()))
    }
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, IdentityFault> {
    let text = whole(path, &mut open(path)?)?;
    CertificateDer::pem_slice_iter(&text)
        .map(|der| der.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| IdentityFault::NotOneCertificate(path.into()))
}

fn open(path: &Path) -> Result<File, IdentityFault> {
    File::open(path).map_err(|why| IdentityFault::unreadable(path, &why))
}

fn whole(path: &Path, file: &mut File) -> Result<Vec<u8>, IdentityFault> {
    let mut bytes = Vec::new();
    file.take(PEM_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .and_then(|read| match read as u64 <= PEM_BYTES_MAX {
            true => Ok(bytes),
            false => Err(io::Error::other("far larger than any certificate or key")),
        })
        .map_err(|why| IdentityFault::unreadable(path, &why))
}
