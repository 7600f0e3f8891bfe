//! What an operator of a keeper must know of its store: whether it votes, and whether its state is the others' (protocol 1.4, 1.6,
//! 1.8).
//!
//! Law KN1: a keeper of the ledger that has no vote says so, and why.
//! Not here: what comes of it (see `replication`), how its host follows the others meanwhile (see `follow`).

use ledger::Ledger;
use replication::{LedgerPort, StoreFault, Tie};
use vocabulary::HostId;

/// One sentence for each.
pub fn of(port: &LedgerPort<Ledger>, (me, ledger): (HostId, &Ledger)) -> Vec<String> {
    let fault = port.fault().borrow().clone();
    let has_vote = port.members().get(&port.store()).is_some_and(|(_, votes)| *votes);
    let must_vote = ledger.voters().contains(&me);
    let vote = match fault {
        Some(why) => Some(failed(&why)),
        None if must_vote && !has_vote => Some(filling()),
        None => None,
    };
    vote.into_iter().chain(port.tie().map(|tie| tied(&tie, ledger))).collect()
}

fn failed(why: &StoreFault) -> String {
    format!(
        "this keeper votes no more: {why}; it follows the others until its agent is started again"
    )
}

fn filling() -> String {
    "this keeper has no vote yet: its store is a new one, which the leader fills".to_owned()
}

fn tied(tie: &Tie, ledger: &Ledger) -> String {
    let name = |host: &HostId| {
        let entry = ledger.roster().get_even_retired(host);
        entry.map_or_else(|| host.to_string(), |entry| entry.claims.host.to_string())
    };
    let state = |(host, state): (&HostId, &vocabulary::Digest)| {
        format!("{} has {:.8}", name(host), state.to_string())
    };
    let states: Vec<String> = tie.states.iter().map(state).collect();
    format!(
        "after entry {} the keepers' states differ and no state has most of them ({}): none of them ends for that, a person must \
         find out which is right",
        tie.index,
        states.join(", ")
    )
}

#[cfg(test)]
mod tests;
