//! Keepers on a line each: who votes, who is to, who could.

use ledger::rules;
use ledger::votes::Move;
use vocabulary::{HostId, Span};

use super::Scene;
use crate::admin::answer::{KeeperList, KeeperRow, Vote};

/// A store that is to vote for longer is worth a word.
const FOLLOWS_WITHIN: Span = Span::minutes(1);

/// The voters in their order, then whoever votes still, then the spares.
pub fn keepers(scene: &Scene<'_>) -> KeeperList {
    let voters = scene.ledger.voters();
    let mut spares: Vec<HostId> = scene.ledger.spare_keepers().collect();
    spares.sort_by_key(|host| (!scene.ledger.had_a_vote(host), scene.name(host)));
    let rows = voters.iter().map(|host| of_a_voter(scene, host));
    let keepers: Vec<KeeperRow> =
        rows.chain(spares.iter().map(|host| spare(scene, host))).collect();
    let nothing = keepers.is_empty().then(|| {
        "there is no ledger yet: `hale init --keepers ...` founds it and names its first keepers".to_owned()
    });
    KeeperList { keepers, nothing }
}

/// What becomes of the votes of lost keepers, each as one sentence for `hale status`.
pub(super) fn notes(scene: &Scene<'_>) -> Vec<String> {
    let lost = scene.ledger.voters().iter().filter_map(|host| Some((host, lost(scene, host)?)));
    lost.map(|(host, what)| format!("keeper {} is {what}", scene.name(host))).collect()
}

fn of_a_voter(scene: &Scene<'_>, host: &HostId) -> KeeperRow {
    let vote = if scene.ledger.is_yet_to_vote(host) {
        Vote::ToVote
    } else if scene.standing.leader == Some(*host) {
        Vote::Leads
    } else {
        Vote::Votes
    };
    row(scene, host, vote, lost(scene, host))
}

fn spare(scene: &Scene<'_>, host: &HostId) -> KeeperRow {
    let vote = if scene.ledger.had_a_vote(host) { Vote::Leaving } else { Vote::Spare };
    let unfit = scene.ledger.unfit_for_a_vote(host).map(|why| format!("gets no vote: it {why}"));
    row(scene, host, vote, unfit)
}

fn row(scene: &Scene<'_>, host: &HostId, vote: Vote, note: Option<String>) -> KeeperRow {
    let store = scene.ledger.roster().get(host).and_then(|entry| entry.store);
    KeeperRow {
        host: scene.name(host),
        domain: scene.domain(host),
        vote,
        store: store.map(|store| store.to_string()),
        is_up: scene.is_up(host),
        note,
    }
}

/// What becomes of the vote of a voter that is lost.
fn lost(scene: &Scene<'_>, host: &HostId) -> Option<String> {
    let (ledger, now) = (scene.ledger, scene.ledger.time());
    let lost = match (ledger.voter_lost_since(host), ledger.to_vote_since(host)) {
        (Some(since), _) => format!("lost for {}", now.since(since)),
        // Its store follows within seconds, as a rule.
        (None, Some(since)) if now.since(since) >= FOLLOWS_WITHIN => {
            format!("awaited for {}, its store does not vote yet", now.since(since))
        }
        (None, _) => return None,
    };
    let what = match ledger.next_move().filter(|next| next.from == *host) {
        Some(Move { to, at, .. }) if at > now => {
            format!("its vote goes to {} in {}", scene.name(&to), at.since(now))
        }
        Some(Move { to, .. }) => format!("its vote goes to {} now", scene.name(&to)),
        None => format!("its vote stays while {}", stays(scene, host)),
    };
    Some(format!("{lost}: {what}"))
}

fn stays(scene: &Scene<'_>, host: &HostId) -> &'static str {
    let ledger = scene.ledger;
    let leased = ledger.case_of_host(host).is_some_and(|case| case.counted_lease().is_some());
    if ledger.rules() < rules::SECOND {
        "rules 1 are in force"
    } else if ledger.brake().standing().is_some() {
        "a brake is on"
    } else if ledger.maintenance_of(host).is_some() {
        "a window of maintenance covers it"
    } else if leased {
        "a lease on it counts"
    } else if ledger.next_lost().is_some_and(|(next, _)| next != *host) {
        "that of another lost keeper moves"
    } else {
        "no spare keeper is fit for it"
    }
}
