//! Why this host has no identity to start with; each is one line with the path a person must look at.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use vocabulary::{CertificateFault, ClusterName};

use super::IdentityFiles;
use crate::moments;

/// Nothing was started; an operator mends the file and starts again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Whether its permissions are the reason.
        is_permission: bool,
        /// What the system said.
        why: String,
    },
    /// The key may be read by others than its owner.
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no Ed25519 private key.
    NotAKey(PathBuf),
    /// The file does not hold exactly one certificate of a bearable size.
    NotOneCertificate(PathBuf),
    /// The file holds something else than authorities' certificates.
    NotAuthorities(PathBuf),
    /// The key is another certificate's.
    KeyMismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// None of the authorities has signed the certificate.
    UnknownAuthority {
        /// The certificate's file.
        path: PathBuf,
        /// The authorities' file.
        authority: PathBuf,
    },
    /// The certificate is not one of a host.
    NotAHost {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        why: CertificateFault,
    },
    /// The certificate is of another cluster.
    AnotherCluster {
        /// The certificate's file.
        path: PathBuf,
        /// The cluster it is of.
        found: ClusterName,
        /// The cluster it should be of.
        expected: ClusterName,
    },
    /// The certificate does not hold yet; perhaps the clock is wrong.
    NotYet {
        /// The certificate's file.
        path: PathBuf,
        /// From when, in seconds of the Unix epoch.
        from: u64,
    },
    /// The certificate has ended.
    Ended {
        /// The certificate's file.
        path: PathBuf,
        /// When, in seconds of the Unix epoch.
        until: u64,
    },
}

impl IdentityFault {
    pub(super) fn unreadable(path: &Path, why: &io::Error) -> Self {
        Self::Unreadable {
            path: path.into(),
            is_permission: why.kind() == io::ErrorKind::PermissionDenied,
            why: why.to_string(),
        }
    }

    pub(super) fn of_certificate(files: &IdentityFiles, fault: CertificateFault) -> Self {
        let path = files.certificate.clone();
        match fault {
            CertificateFault::UnknownAuthority => {
                Self::UnknownAuthority { path, authority: files.authority.clone() }
            }
            why => Self::NotAHost { path, why },
        }
    }

    /// Whether permissions are what must be mended (exit code 77), rather than the files (78).
    pub fn is_permission(&self) -> bool {
        match self {
            Self::Unreadable { is_permission, .. } => *is_permission,
            Self::Exposed { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for IdentityFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why, .. } => write!(out, "{}: {why}", path.display()),
            Self::Exposed { path, mode } => write!(
                out,
                "{0}: a private key that others may read (mode {mode:04o}); `chmod 600 {0}`, and issue a new one if it was seen",
                path.display()
            ),
            Self::NotAKey(path) => {
                write!(out, "{}: holds no Ed25519 private key", path.display())
            }
            Self::NotOneCertificate(path) => {
                write!(out, "{}: does not hold exactly one certificate", path.display())
            }
            Self::NotAuthorities(path) => write!(
                out,
                "{}: does not hold the certificates of authorities, and nothing else",
                path.display()
            ),
            Self::KeyMismatch { key, certificate } => {
                write!(out, "{}: is not the key of {}", key.display(), certificate.display())
            }
            Self::UnknownAuthority { path, authority } => write!(
                out,
                "{}: no authority in {} has signed it",
                path.display(),
                authority.display()
            ),
            Self::NotAHost { path, why } => write!(out, "{}: {why}", path.display()),
            Self::AnotherCluster { path, found, expected } => {
                write!(out, "{}: is of cluster {found}, expected {expected}", path.display())
            }
            Self::NotYet { path, from } => write!(
                out,
                "{}: is not valid before {}; is the clock right?",
                path.display(),
                moments::utc(*from)
            ),
            Self::Ended { path, until } => write!(
                out,
                "{}: ended {}; `hale ca renew` makes the next one",
                path.display(),
                moments::utc(*until)
            ),
        }
    }
}

impl std::error::Error for IdentityFault {}
