//! Why the authority could not do what it was asked, each with the path that a person must look at.

use std::fmt;
use std::path::PathBuf;

use vocabulary::ClusterName;

use crate::moments;

/// Nothing was written where one of these is returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorityFault {
    /// A file is there already and is not written over; the operator chooses another folder.
    Exists(PathBuf),
    /// The disk or its permissions said no.
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file does not hold what its place promises.
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The authority's own certificate has ended.
    Ended {
        /// The authority's folder.
        path: PathBuf,
        /// When, in seconds of the Unix epoch.
        until: u64,
    },
    /// The authority is another cluster's.
    AnotherCluster {
        /// The authority's folder.
        path: PathBuf,
        /// Whose it is.
        found: ClusterName,
    },
    /// The certificate could not be made.
    Making(String),
}

impl AuthorityFault {
    pub(super) fn making(why: impl fmt::Display) -> Self {
        Self::Making(why.to_string())
    }

    pub(super) fn disk(path: impl Into<PathBuf>, why: &std::io::Error) -> Self {
        Self::Disk { path: path.into(), why: why.to_string() }
    }

    pub(super) fn unusable(path: impl Into<PathBuf>, why: impl fmt::Display) -> Self {
        Self::Unusable { path: path.into(), why: why.to_string() }
    }
}

impl fmt::Display for AuthorityFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(path) => write!(
                out,
                "{} exists and is never written over; choose another folder",
                path.display()
            ),
            Self::Disk { path, why } | Self::Unusable { path, why } => {
                write!(out, "{}: {why}", path.display())
            }
            Self::Ended { path, until } => write!(
                out,
                "{}: the authority ended {}; `hale ca renew --authority` makes its next certificate",
                path.display(),
                moments::utc(*until)
            ),
            Self::AnotherCluster { path, found } => {
                write!(out, "{}: the authority is of cluster {found}", path.display())
            }
            Self::Making(why) => write!(out, "the certificate could not be made: {why}"),
        }
    }
}

impl std::error::Error for AuthorityFault {}
