//! Laws KV1 to KV3: who votes, and from whom a vote may move.
//!
//! Not here: the stores that follow (the simulator's law M4), healing that counts with voters (see `leases`, `slots`).

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::What;
use ledger::case::Case;
use vocabulary::{HostId, Moment, Scope, Span, VerdictKind};

use super::super::picture::Picture;
use super::Checker;

/// Ten minutes of ledger time, of which leaders' clocks may make a little less.
const LOST_FOR: Span = Span::seconds(560);

/// Between two votes that move by themselves, likewise.
const APART: Span = Span::seconds(50);

/// What was so at the picture before.
#[derive(Default)]
pub struct Votes {
    voters: BTreeSet<HostId>,
    /// Hosts about which a case says that they are dead or gone, and since when.
    lost: BTreeMap<HostId, Moment>,
    /// Those whose case holds a lease that counts, or any case at all.
    leased: BTreeSet<HostId>,
    troubled: BTreeSet<HostId>,
    moved: Option<Moment>,
}

impl Checker for Votes {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        let voters: BTreeSet<HostId> = picture.voters.iter().copied().collect();
        self.of_set(picture, &voters)?;
        for record in &picture.records {
            match &record.what {
                What::VoteMoved { from, to } => {
                    let told = self.of_move(picture, (from, to));
                    told.map_err(|why| format!("law KV2: {why}"))?;
                }
                What::VotesMoved { .. } => self.of_order(picture)?,
                _ => {}
            }
        }
        self.note(picture, voters);
        Ok(())
    }
}

impl Votes {
    fn of_set(&self, picture: &Picture, voters: &BTreeSet<HostId>) -> Result<(), String> {
        let count = voters.len();
        if picture.voters.is_empty() {
            return Ok(());
        }
        if count < picture.voters.len() || !matches!(count, 1 | 3 | 5 | 7) {
            return Err(format!("law KV1: {count} hosts have {} votes", picture.voters.len()));
        }
        let is_told = |record: &ledger::audit::Record| {
            let what = &record.what;
            matches!(what, What::Founded { .. } | What::VotesMoved { .. } | What::VoteMoved { .. })
        };
        if *voters != self.voters && !picture.records.iter().any(is_told) {
            return Err("law KV1: others vote, and the audit does not say so".into());
        }
        Ok(())
    }

    fn of_move(&mut self, picture: &Picture, (from, to): (&HostId, &HostId)) -> Result<(), String> {
        let name = |host: &HostId| picture.hosts.iter().find(|seen| seen.id == *host);
        let name =
            |host: &HostId| name(host).map_or_else(|| host.to_string(), |seen| seen.name.clone());
        let (lost, gets) = (name(from), name(to));
        let now = picture.at;
        if !self.voters.contains(from) || picture.voters.contains(from) {
            return Err(format!("the vote of {lost} moves, which it has not had or has still"));
        }
        if self.voters.contains(to) || !picture.voters.contains(to) {
            return Err(format!("{gets} gets a vote that it has had, or has not now"));
        }
        if picture.was_braked && picture.is_braked {
            return Err(format!("the vote of {lost} moves under a brake"));
        }
        let since = self.lost.get(from).copied();
        if since.is_none_or(|since| now.since(since) < LOST_FOR) {
            return Err(format!("{lost} has not been lost for ten minutes"));
        }
        if self.leased.contains(from) {
            return Err(format!("{lost} is worked on"));
        }
        if self.troubled.contains(to) {
            return Err(format!("{gets} gets its vote, and is in trouble"));
        }
        if self.moved.is_some_and(|at| now.since(at) < APART) {
            return Err(format!("the vote of {lost} moves on the heels of another"));
        }
        self.moved = Some(now);
        Ok(())
    }

    /// Whoever brings the order lives, whatever the ledger has found before.
    fn of_order(&self, picture: &Picture) -> Result<(), String> {
        let lost = picture.voters.iter().filter(|voter| self.lost.contains_key(voter)).count();
        let all = picture.voters.len();
        if lost.saturating_sub(1) > all.saturating_sub(1) / 2 {
            return Err(format!("law KV3: by an order {lost} of {all} voters are lost"));
        }
        Ok(())
    }

    fn note(&mut self, picture: &Picture, voters: BTreeSet<HostId>) {
        let of = |is_meant: &dyn Fn(&Case) -> bool| -> BTreeSet<HostId> {
            let cases = picture.cases.iter().filter(|case| is_meant(case));
            cases.filter_map(|case| subject(case)).collect()
        };
        let dead = of(&|case| {
            matches!(
                case.kind,
                VerdictKind::AgentDown
                    | VerdictKind::HostDown
                    | VerdictKind::HostHung
                    | VerdictKind::Left
            )
        });
        self.lost.retain(|host, _| dead.contains(host));
        for host in dead {
            self.lost.entry(host).or_insert(picture.at);
        }
        self.leased = of(&|case| case.counted_lease().is_some());
        self.troubled = of(&|_| true);
        self.voters = voters;
    }
}

fn subject(case: &Case) -> Option<HostId> {
    match case.subject {
        Scope::Host(host) => Some(host),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, is_caught, moved};
    use super::*;

    /// The pictures from the move on are altered by this, and the one before.
    fn bent(change: impl Fn(&mut [Picture], usize)) -> Vec<Picture> {
        let mut album = moved();
        let (at, _) = first(&album, |what| matches!(what, What::VoteMoved { .. }));
        change(&mut album, at);
        album
    }

    fn is_bad(album: &[Picture], law: &str) -> bool {
        is_caught(&mut Votes::default(), album, law)
    }

    #[test]
    fn law_kv1_too_few_too_many_and_untold_voters_are_caught() {
        assert!(is_bad(&bent(|album, at| album[at].voters.truncate(2)), "law KV1: 2 hosts"));
        let twice = bent(|album, at| album[at].voters[1] = album[at].voters[0]);
        assert!(is_bad(&twice, "law KV1: 2 hosts have 3 votes"));
        let untold = bent(|album, at| album[at].records.clear());
        assert!(is_bad(&untold, "law KV1: others vote"));
    }

    #[test]
    fn law_kv2_a_vote_that_moves_too_soon_or_wrongly_is_caught() {
        let early = bent(|album, at| {
            let now = album[at].at;
            let is_late = |picture: &Picture| now.since(picture.at) < Span::seconds(300);
            let first = album.iter().position(is_late).expect("five minutes before");
            album[..first].iter_mut().for_each(|picture| picture.cases.clear());
        });
        assert!(is_bad(&early, "law KV2: b1 has not been lost"));
        let braked = bent(|album, at| (album[at].was_braked, album[at].is_braked) = (true, true));
        assert!(is_bad(&braked, "law KV2: the vote of b1 moves under a brake"));
        let troubled = bent(|album, at| {
            let mut case = Case::clone(&album[at].cases[0]);
            case.subject = Scope::Host(album[at].voters[2]);
            let own = album[at].voters.iter().find(|voter| !album[0].voters.contains(voter));
            case.subject = Scope::Host(*own.expect("one is new"));
            album[at - 1].cases.push(std::sync::Arc::new(case));
        });
        assert!(is_bad(&troubled, "law KV2: b2 gets its vote"));
        let again = bent(|album, at| {
            let record = album[at].records.clone();
            let (voters, was) = (album[at - 1].voters.clone(), album[at].voters.clone());
            album[at + 1].voters = voters;
            album[at + 1].records = record.clone();
            album[at + 2].voters = was;
            album[at + 2].records = record;
        });
        assert!(is_bad(&again, "law KV2"));
    }

    #[test]
    fn law_kv3_an_order_that_leaves_most_voters_lost_is_caught() {
        let bad = bent(|album, at| {
            let mut record = album[at].records[0].clone();
            let (who, why) = (String::from("ops"), String::from("moved"));
            record.what = What::VotesMoved { added: Vec::new(), removed: Vec::new(), who, why };
            album[at].records = vec![record];
            let lost = album[at].voters.clone();
            for voter in lost {
                let mut case = Case::clone(&album[at - 1].cases[0]);
                case.subject = Scope::Host(voter);
                album[at - 1].cases.push(std::sync::Arc::new(case));
            }
        });
        assert!(is_bad(&bad, "law KV3"));
    }
}
