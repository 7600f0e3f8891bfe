//! Votes of the ledger that move by themselves: the leader tells the ledger once the time has come (protocol 1.10).
//!
//! Not here: whose vote moves, when and to whom (the ledger says), and the stores that follow (see `replication`).

use ledger::command::Command;
use vocabulary::Moment;

use crate::calls::Purpose;
use crate::lead::Matter;
use crate::leading::PROPOSAL_WITHIN;
use crate::mind::Agent;

impl Agent {
    /// The committed state has grown under this leader.
    pub(crate) fn move_vote(&mut self, now: Moment) {
        let due = self.ledger.next_move().filter(|due| due.at <= self.ledger.time());
        if let Some(due) = due
            && self.lead.has_looked()
            && self.lead.begin(Matter::Vote)
        {
            let command = Command::ReplaceVoter { lost: due.from };
            self.propose(now, Purpose::Lead(Matter::Vote), command, PROPOSAL_WITHIN);
        }
    }
}
