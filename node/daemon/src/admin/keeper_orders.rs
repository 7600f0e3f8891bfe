//! Orders about keepers, carried to the ledger.
//!
//! Not here: what an order does (see `ledger::votes`), and the stores that follow it (see `replication`).

use async_trait::async_trait;
use ledger::command::{Command, Order};

use super::answer::VotesOrder;
use super::mind::Mind;
use super::orders::{Carried, Fulfilled, done, host_named, needs_no_newer_rules, propose};

#[async_trait]
impl Carried for VotesOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let named = |names: &[String]| -> Result<Vec<_>, _> {
            names.iter().map(|name| host_named(mind, name)).collect()
        };
        let (add, remove) = (named(&self.add)?, named(&self.remove)?);
        let order = Order { who, why: self.why };
        let command = Command::MoveVotes { add, remove, order };
        needs_no_newer_rules(mind, &command, "votes move")?;
        let outcome = propose(mind, command).await?;
        done(&outcome, &sentence(&self.add, &self.remove))
    }
}

fn sentence(add: &[String], remove: &[String]) -> String {
    let list = |names: &[String]| names.join(" and ");
    let moves = match (add, remove) {
        (add, []) => format!("{} votes on the ledger as soon as its store holds it", list(add)),
        ([], remove) => format!("{} has no vote on the ledger any more", list(remove)),
        (add, remove) => format!(
            "the vote of {} goes to {} as soon as its store holds the ledger",
            list(remove),
            list(add)
        ),
    };
    format!("{moves}: `hale keeper list` shows who votes")
}
