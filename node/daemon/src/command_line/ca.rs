//! `hale ca`: the authority's verbs, from arguments to a few lines on stdout.

use std::path::PathBuf;

use clap::Subcommand;
use vocabulary::ClusterName;

use super::exit::{CommandFault, Exit};
use crate::authority::{self, AuthorityFault, Term};

/// What can be asked of `hale ca`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Found the authority of a new cluster: a key that must stay secret and a certificate for every host.
    Init {
        /// Name of the cluster; part of every host's identity and never changed.
        #[arg(long, value_name = "NAME", value_parser = ClusterName::new)]
        cluster: ClusterName,
        /// Folder for authority.pem and authority.key; made if it is not there.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// How many days the authority is valid.
        #[arg(long, value_name = "N", default_value_t = authority::AUTHORITY_DAYS, value_parser = days())]
        days: u32,
    },
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Init { cluster, dir, days } => init(&cluster, &dir, days),
    }
}

fn init(cluster: &ClusterName, dir: &std::path::Path, days: u32) -> Result<(), CommandFault> {
    let files = authority::init(cluster, dir, Term::from_now(days))?;
    println!(
        "authority of cluster {cluster}: {}\nits key, to be kept secret: {}",
        files.certificate.display(),
        files.key.display()
    );
    Ok(())
}

fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(authority::DAYS_MAX))
}

impl From<AuthorityFault> for CommandFault {
    fn from(fault: AuthorityFault) -> Self {
        match fault {
            AuthorityFault::Exists(_) => Self::new(Exit::Refused, fault),
            _ => Self::failed(fault),
        }
    }
}
