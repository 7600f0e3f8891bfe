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
        (add, []) => format!("votes on the ledger go to {}", list(add)),
        ([], remove) => format!("votes on the ledger are taken from {}", list(remove)),
        (add, remove) => {
            format!("votes on the ledger go from {} to {}", list(remove), list(add))
        }
    };
    format!(
        "{moves}, as soon as the stores have followed: `hale keeper list` shows when; switch nothing off before"
    )
}
