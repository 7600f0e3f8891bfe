//! `hale keeper list`, `add`, `remove`: who carries the ledger's votes.

use clap::{Args, Subcommand};

use super::asking::{At, Why};
use super::exit::CommandFault;
use super::list::List;
use super::recover::{self, Recover};
use super::table::{Clock, Table, clean};
use crate::admin::answer::{KeeperList, Vote, VotesOrder};

/// What can be asked of `hale keeper`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Who votes on the ledger, and whose certificate lets it be given a vote.
    #[command(name = "list")]
    Known {
        /// How.
        #[command(flatten)]
        list: List,
    },
    /// Give votes on the ledger: to two hosts at once, or to one in the place of another. 1, 3, 5 or 7 hosts vote.
    Add(Add),
    /// Take votes on the ledger from two hosts at once. 1, 3, 5 or 7 hosts vote.
    Remove {
        /// The hosts' names.
        #[arg(value_name = "HOST", required = true)]
        hosts: Vec<String>,
        /// Why.
        #[command(flatten)]
        why: Why,
        /// Where.
        #[command(flatten)]
        at: At,
    },
    /// The last resort where most voters are lost for good: this host's store becomes the only voter. Its agent must not run; all healing
    /// is stopped with it.
    Recover(Recover),
}

/// Who gets a vote, and why.
#[derive(Clone, Debug, Args)]
pub struct Add {
    /// The hosts' names; their certificates must say keeper.
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<String>,
    /// The host whose vote it gets; once for each.
    #[arg(long, value_name = "HOST")]
    in_place_of: Vec<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Known { list } => list.show("/v1/keepers", listed),
        Verb::Add(Add { hosts, in_place_of, why, at }) => {
            let order = VotesOrder { add: hosts, remove: in_place_of, why: why.why };
            at.order("/v1/keeper/votes", &order, why.dry_run)
        }
        Verb::Remove { hosts, why, at } => {
            let order = VotesOrder { add: Vec::new(), remove: hosts, why: why.why };
            at.order("/v1/keeper/votes", &order, why.dry_run)
        }
        Verb::Recover(asked) => recover::run(&asked),
    }
}

/// The keepers, or why there are none.
pub fn listed(known: &KeeperList, _: Clock) -> Result<Table, String> {
    if let Some(why) = &known.nothing {
        return Err(clean(why));
    }
    let mut table = Table::new(&["host", "domain", "vote", "up", "store", "now"]);
    for line in &known.keepers {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        table.row([
            line.host.clone(),
            line.domain.clone(),
            word(line.vote).to_owned(),
            if line.is_up { "yes" } else { "no" }.to_owned(),
            or_none(&line.store),
            or_none(&line.note),
        ]);
    }
    Ok(table)
}

fn word(vote: Vote) -> &'static str {
    match vote {
        Vote::Leads => "leads",
        Vote::Votes => "votes",
        Vote::ToVote => "is to vote",
        Vote::Leaving => "leaving",
        Vote::Spare => "spare",
    }
}
