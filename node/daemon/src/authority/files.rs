//! The authority's files: what lies where, how it is read, and how it is written once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use vocabulary::ClusterName;

use super::{AuthorityFault, Written};
use crate::identity::certificate;

/// The organisational unit in an authority's name; tells our authorities from anybody else's.
pub const AUTHORITY_UNIT: &str = "hale authority";

/// An authority as it was read from its folder.
pub(super) struct Authority {
    pub cluster: ClusterName,
    pub certificate: CertificateDer<'static>,
    pub pem: String,
    pub key: KeyPair,
    pub until: u64,
}

/// The two files of an authority.
pub(super) fn authority(dir: &Path, until: u64) -> Written {
    named(dir, "authority", until)
}

/// The two files of a host.
pub(super) fn host(dir: &Path, until: u64) -> Written {
    named(dir, "host", until)
}

fn named(dir: &Path, stem: &str, until: u64) -> Written {
    Written {
        certificate: dir.join(format!("{stem}.pem")),
        key: dir.join(format!("{stem}.key")),
        until,
    }
}

/// Writes certificate and key, and the authority's certificate beside them; all of it or nothing.
pub(super) fn write(
    files: &Written,
    [certificate, key]: &[String; 2],
    authority: Option<&str>,
) -> Result<Written, AuthorityFault> {
    let dir = files.key.parent().unwrap_or(Path::new("."));
    let mut all = vec![
        (files.key.clone(), key.clone(), 0o600),
        (files.certificate.clone(), certificate.clone(), 0o644),
    ];
    all.extend(authority.map(|pem| (dir.join("authority.pem"), pem.to_owned(), 0o644)));
    write_all(dir, &all).map(|()| files.clone())
}

/// Writes these files, each with its mode, into a folder that is made if it is not there; all of them or nothing.
pub(super) fn write_all(dir: &Path, all: &[(PathBuf, String, u32)]) -> Result<(), AuthorityFault> {
    fs::create_dir_all(dir).map_err(|why| AuthorityFault::disk(dir, &why))?;
    let mut made = Vec::new();
    let written = all.iter().try_for_each(|(path, text, mode)| {
        create(path, text, *mode, &mut made).map_err(|why| match why.kind() {
            io::ErrorKind::AlreadyExists => AuthorityFault::Exists(path.clone()),
            _ => AuthorityFault::disk(path, &why),
        })
    });
    if written.is_err() {
        // Only what this very call has made is taken back; a failure to do so changes nothing in the fault.
        made.iter().for_each(|path| drop(fs::remove_file(path)));
    }
    written
}

fn create(path: &Path, text: &str, mode: u32, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    made.push(path.into());
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Reads the authority in a folder and checks that it is one, and that its key is its own.
pub(super) fn load(dir: &Path) -> Result<Authority, AuthorityFault> {
    let paths = authority(dir, 0);
    let pem = read(&paths.certificate)?;
    let key_text = read(&paths.key)?;
    let unusable = |why: &str| AuthorityFault::unusable(&paths.certificate, why);
    let der = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| unusable("holds no PEM certificate"))?;
    let parsed = certificate::parse(&der).map_err(|fault| unusable(&fault.to_string()))?;
    let cluster = certificate::authority_cluster(&parsed)
        .ok_or_else(|| unusable("is not the certificate of a hale authority"))?;
    let key = KeyPair::from_pem(&key_text)
        .map_err(|_| AuthorityFault::unusable(&paths.key, "holds no usable private key"))?;
    let certified =
        certificate::public_key(&parsed).map_err(|fault| unusable(&fault.to_string()))?;
    if key.public_key_raw() != certified.0 {
        return Err(AuthorityFault::unusable(
            &paths.key,
            "is not the key of the certificate beside it",
        ));
    }
    let until = certificate::validity(&parsed).until;
    Ok(Authority { cluster, certificate: der, pem, key, until })
}

/// Largest file of certificates that is read: the longest chain in PEM, several times over.
pub(crate) const PEM_BYTES_MAX: u64 = 64 * 1024;

/// The text of a file of certificates.
pub fn text(path: &Path) -> Result<String, AuthorityFault> {
    read(path)
}

pub(super) fn read(path: &Path) -> Result<String, AuthorityFault> {
    let disk = |why: io::Error| AuthorityFault::disk(path, &why);
    let length = fs::metadata(path).map_err(disk)?.len();
    if length > PEM_BYTES_MAX {
        return Err(AuthorityFault::unusable(
            path,
            format_args!("{length} bytes are more than any certificate ({PEM_BYTES_MAX} at most)"),
        ));
    }
    fs::read_to_string(path).map_err(disk)
}
