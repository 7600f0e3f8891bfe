//! `hale leases`, `hale lease revoke`: who has leave to repair or reboot what, and taking a lease back.

use clap::{Args, Subcommand};

use super::asking::{At, Why};
use super::exit::CommandFault;
use super::list::List;
use super::table::{Table, clean};
use crate::admin::answer::{LeaseLine, Leases, RevokeOrder, Subject};

/// The leases and reboot slots that count against the budgets: who repairs or reboots what, in which scopes, for how long.
#[derive(Clone, Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    list: List,
}

/// What can be asked of `hale lease`.
#[derive(Debug, Subcommand)]
pub enum LeaseVerb {
    /// Take the lease of a case back: it counts no more, and nothing can be begun under it. The case stays; where a remedy was begun
    /// under it, it is yours from then on. Refused while that remedy may still be under way.
    Revoke {
        /// The number of the case.
        #[arg(value_name = "CASE")]
        case: u64,
        /// Why.
        #[command(flatten)]
        why: Why,
        /// Where.
        #[command(flatten)]
        at: At,
    },
}

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    verb.list.show("/v1/leases", |leases, _| listed(leases))
}

/// Does what is asked of `hale lease`.
pub fn run_lease(verb: &LeaseVerb) -> Result<(), CommandFault> {
    match verb {
        LeaseVerb::Revoke { case, why, at } => {
            let order = RevokeOrder { case: *case, why: why.why.clone() };
            at.order("/v1/lease/revoke", &order, why.dry_run)
        }
    }
}

/// The leases, or why there are none.
pub fn listed(leases: &Leases) -> Result<Table, String> {
    match &leases.nothing {
        Some(why) => Err(clean(why)),
        None => Ok(table(leases)),
    }
}

fn table(leases: &Leases) -> Table {
    let mut table =
        Table::new(&["case", "subject", "holder", "fence", "stage", "left", "counts in", "now"]);
    for line in &leases.leases {
        table.row([
            line.case.to_string(),
            line.subject.name.clone(),
            line.lease.healer.clone(),
            line.lease.fence.to_string(),
            line.stage.clone(),
            left(line),
            scopes(&line.counts_in),
            line.awaits.clone(),
        ]);
    }
    for line in &leases.slots {
        table.row([
            "-".to_owned(),
            line.host.clone().unwrap_or_else(|| "-".to_owned()),
            line.client.clone(),
            line.fence.to_string(),
            "slot".to_owned(),
            "-".to_owned(),
            scopes(&line.counts_in),
            line.awaits.clone(),
        ]);
    }
    table
}

fn scopes(counts_in: &[Subject]) -> String {
    let scopes = counts_in.iter().map(|scope| format!("{} {}", scope.kind, scope.name));
    scopes.collect::<Vec<_>>().join(", ")
}

/// protocol 7.6: what counts for a person's case ends by no term.
fn left(line: &LeaseLine) -> String {
    match line.lease.left_ms {
        _ if line.stage == "escalated" => "-".to_owned(),
        0 => "over".to_owned(),
        left => format!("{} s", left / 1_000),
    }
}
