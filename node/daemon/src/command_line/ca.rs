//! `hale ca`: the authority's verbs, from arguments to a few lines on stdout.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vocabulary::{Claims, ClusterName, Domain, GroupName, HostName, Label, Roles};

use super::asking::{At, Why};
use super::exit::{CommandFault, Exit};
use crate::admin::answer::TrustOrder;
use crate::authority::renew::{self, HostRenewal};
use crate::authority::{self, AuthorityFault, Term, show};
use crate::moments;

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
    /// Issue the certificate and the key of one host; what it claims here is all that the mesh will believe of it.
    Issue(Box<Issue>),
    /// Make the next certificate of a host from the one before it, or that of the authority: same claims, new dates.
    Renew(Renew),
    /// Tell the mesh which authorities vouch for hosts: both while one follows another, then the new one alone.
    Trust(Trust),
    /// Say in words what a certificate claims and when it ends.
    Show {
        /// A PEM file with an authority's or a host's certificate.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The claims of a new host certificate, and where it goes.
#[derive(Debug, Args)]
pub struct Issue {
    /// Folder with authority.pem and authority.key.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Name of the host, unique in its cluster.
    #[arg(long, value_name = "NAME", value_parser = HostName::new)]
    host: HostName,
    /// Region in which it stands.
    #[arg(long, value_name = "R", value_parser = Label::new)]
    region: Label,
    /// Zone in which it stands.
    #[arg(long, value_name = "Z", value_parser = Label::new)]
    zone: Label,
    /// Rack in which it stands; hosts of one rack are expected to fail together.
    #[arg(long, value_name = "K", value_parser = Label::new)]
    rack: Label,
    /// What it is for; policies and budgets speak of groups.
    #[arg(long, value_name = "G", value_parser = GroupName::new)]
    group: GroupName,
    /// It may carry the ledger's Raft.
    #[arg(long)]
    keeper: bool,
    /// It may hold leases and see remedies through.
    #[arg(long)]
    healer: bool,
    /// Folder for host.pem, host.key and a copy of authority.pem; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many days the certificate is valid; never longer than its authority.
    #[arg(long, value_name = "N", default_value_t = authority::HOST_DAYS, value_parser = days())]
    days: u32,
}

/// The authorities of the whole mesh, all of them.
#[derive(Debug, Args)]
pub struct Trust {
    /// Their certificates, PEM; one at least vouches today.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Whose certificate is renewed, and where the next one goes.
#[derive(Debug, Args)]
pub struct Renew {
    /// Folder with authority.pem and authority.key.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The certificate that comes to its end, a host's; it may have ended already.
    #[arg(long, value_name = "FILE", required_unless_present = "authority")]
    from: Option<PathBuf>,
    /// Give the host another key; else the certificate is for the key that it has, which need not leave it.
    #[arg(long)]
    new_key: bool,
    /// Authorities that may have signed the one before: while one authority follows another.
    #[arg(long, value_name = "FILE")]
    signed_by: Option<PathBuf>,
    /// Renew the authority's own certificate, with the key that it has: all that it has signed stays good.
    #[arg(long, conflicts_with_all = ["from", "new_key", "signed_by"])]
    authority: bool,
    /// Folder for host.pem and a copy of authority.pem, or for authority.pem alone; made if it is not there. A host's key is
    /// written only where it is new.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many days it is valid: a host's 365, never longer than its authority; the authority's 3650.
    #[arg(long, value_name = "N", value_parser = days())]
    days: Option<u32>,
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Init { cluster, dir, days } => init(&cluster, &dir, days),
        Verb::Issue(issue) => issue.run(),
        Verb::Renew(renew) => renew.run(),
        Verb::Trust(trust) => trust.run(),
        Verb::Show { file } => {
            print!("{}", show::in_words(&file, moments::now())?);
            Ok(())
        }
    }
}

fn init(cluster: &ClusterName, dir: &Path, days: u32) -> Result<(), CommandFault> {
    let written = authority::init(cluster, dir, Term::from_now(days))?;
    println!(
        "authority of cluster {cluster}: {}, until {}\nits key, to be kept secret and off the hosts: {}",
        written.certificate.display(),
        moments::utc(written.until),
        written.key.display()
    );
    Ok(())
}

impl Issue {
    fn run(self) -> Result<(), CommandFault> {
        let claims = Claims {
            cluster: authority::cluster_of(&self.dir)?,
            host: self.host,
            domain: Domain { region: self.region, zone: self.zone, rack: self.rack },
            group: self.group,
            roles: Roles { keeper: self.keeper, healer: self.healer },
        };
        let term = Term::from_now(self.days);
        let written = authority::issue(&claims, &self.dir, &self.out, term)?;
        println!(
            "host {} of cluster {}: {}, until {}\nits key: {}",
            claims.host,
            claims.cluster,
            written.certificate.display(),
            moments::utc(written.until),
            written.key.display()
        );
        Ok(())
    }
}

impl Trust {
    fn run(self) -> Result<(), CommandFault> {
        let pem = authority::files::text(&self.file)?;
        let order = TrustOrder { pem, why: self.why.why };
        self.at.order("/v1/authorities", &order, self.why.dry_run)
    }
}

impl Renew {
    fn run(self) -> Result<(), CommandFault> {
        let Some(from) = self.from else {
            let term = Term::from_now(self.days.unwrap_or(authority::AUTHORITY_DAYS));
            let written = renew::authority(&self.dir, &self.out, term)?;
            println!(
                "authority, with the key that it has: {}, until {}\nput it in the place of {} and of authority.pem on every host",
                written.certificate.display(),
                moments::utc(written.until),
                self.dir.join("authority.pem").display()
            );
            return Ok(());
        };
        let renewal = HostRenewal {
            from,
            signed_by: self.signed_by,
            has_new_key: self.new_key,
            term: Term::from_now(self.days.unwrap_or(authority::HOST_DAYS)),
        };
        let (claims, written) = renew::host(&renewal, &self.dir, &self.out)?;
        let key = if renewal.has_new_key {
            format!("its new key: {}", written.key.display())
        } else {
            "its key stays".to_owned()
        };
        println!(
            "host {} of cluster {}: {}, until {}\n{key}; the host's agent takes them without a restart once they are in place",
            claims.host,
            claims.cluster,
            written.certificate.display(),
            moments::utc(written.until),
        );
        Ok(())
    }
}

fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(authority::DAYS_MAX))
}

impl From<AuthorityFault> for CommandFault {
    fn from(fault: AuthorityFault) -> Self {
        let exit = match fault {
            AuthorityFault::Exists(_) => Exit::Refused,
            AuthorityFault::Disk { .. }
            | AuthorityFault::Unusable { .. }
            | AuthorityFault::Ended { .. }
            | AuthorityFault::AnotherCluster { .. }
            | AuthorityFault::Making(_) => Exit::Failed,
        };
        Self::new(exit, fault)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        verb: Verb,
    }

    fn hale_ca(line: &str) -> Result<(), CommandFault> {
        let words = ["ca"].into_iter().chain(line.split(' '));
        run(Line::try_parse_from(words).expect("sound usage").verb)
    }

    #[test]
    fn an_operator_founds_issues_and_shows_and_is_refused_what_would_write_over() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let at = folder.path().display();
        hale_ca(&format!("init --cluster prod --dir {at}/ca --days 9")).expect("is founded");
        let issue = format!(
            "issue --dir {at}/ca --host a --region eu --zone eu-a --rack r1 --group web --keeper --healer --out {at}/a"
        );
        hale_ca(&issue).expect("is issued");
        hale_ca(&format!("show {at}/a/host.pem")).expect("is shown");
        hale_ca(&format!("renew --dir {at}/ca --from {at}/a/host.pem --out {at}/next"))
            .expect("is renewed");
        hale_ca(&format!("renew --dir {at}/ca --authority --out {at}/ca-next"))
            .expect("is renewed");
        let again = hale_ca(&issue).expect_err("is refused");
        assert_eq!(again.exit, Exit::Refused);
        let nowhere = hale_ca(&format!("show {at}/nowhere")).expect_err("is not there");
        assert_eq!(nowhere.exit, Exit::Failed);
    }

    #[test]
    fn names_and_terms_that_cannot_be_are_wrong_usage() {
        for line in [
            "init --cluster Prod --dir x",
            "init --cluster prod --dir x --days 0",
            "init --cluster prod --dir x --days 36501",
            "init --dir x",
            "renew --dir x --out y",
            "renew --dir x --from z --authority --out y",
            "issue --dir x --host a/b --region r --zone z --rack k --group g --out y",
        ] {
            let words = ["ca"].into_iter().chain(line.split(' '));
            assert!(Line::try_parse_from(words).is_err(), "{line} passed");
        }
    }
}
