//! Act 4: three hosts of three zones die at once. A brake, a person, and then one host after the other.

use std::time::Duration;

use ledger::audit::{Record, What};
use tokio::time;
use vocabulary::{CaseId, Scope, VerdictKind};

use super::death::not_done;
use super::{Act, CALM_WITHIN, CLOSED_WITHIN, Fault, VERDICT_WITHIN, closed, healing};
use crate::admin::answer::ResumeOrder;
use crate::demo::history::{CaseStory, History};
use crate::demo::plan::{HOSTS, HOSTS_COUNT, Place, places_in};
use crate::demo::proofs::Proof;
use crate::demo::stage::{Calm, Stage, id_of};

/// How long the brake is left standing once all verdicts are there: longer than any rule waits before it acts.
const BRAKED_FOR: Duration = Duration::from_secs(3);

/// What the demo gives as its reason; the audit must have the same words.
const WHY: &str = "the demo killed them itself: three agents, no common cause";

/// One after the other; which goes first is the mesh's choice.
const ALL_CLOSED_WITHIN: Duration = CLOSED_WITHIN.saturating_mul(3);

/// How often the brake is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Plays it.
pub async fn play(stage: &mut Stage, act: &mut Act) -> Result<(), Proof> {
    let before = stage.calm(CALM_WITHIN).await?;
    stage.witness = before.leader;
    let victims = victims(&before);
    let fault = Fault::now(before, victims.clone());
    stage.story.line(
        "So much at once may be no trouble of single hosts: hale stops, and a person decides.",
    );
    stage
        .story
        .say(format!("SIGKILL: the agents of {} die at once, one in each zone", fault.names()));
    for victim in &victims {
        stage.fleet.kill(*victim).await.map_err(not_done)?;
    }
    fault.verdict(stage, act, &Scope::Fleet).await?;
    let cases = cases(stage, &fault).await?;
    let braked = watch_brake(stage, &victims).await?;

    stage.story.say(format!("an operator: hale resume --why \"{WHY}\""));
    let order = ResumeOrder { why: WHY.into() };
    let resumed = stage.sight.order(stage.witness, "/v1/resume", &order).await;
    resumed.map_err(|why| Proof::overdue("an operator can lift the brake", why.to_string()))?;

    let mut stories = Vec::new();
    for (victim, case) in cases {
        stories.push((victim, closed(stage, case, (fault.before.head, ALL_CLOSED_WITHIN)).await?));
    }
    stage.calm(CALM_WITHIN).await?;
    stage.story.say("all six agents say that all is well");

    act.proofs.push(braked);
    act.proofs.push(nothing_under_the_brake(stage, &fault));
    act.proofs.push(a_person_lifted_it(&stage.history, fault.before.head));
    let told: Vec<&CaseStory> = stories.iter().map(|(_, story)| story).collect();
    act.measure(&fault, &told, &stage.lines(&fault.before, None));
    let mut subjects = vec![Scope::Fleet];
    for (victim, story) in &stories {
        let told = healing(stage, &fault, (*victim, VerdictKind::AgentDown), story).await;
        act.proofs.extend(told.proofs());
        subjects.push(Scope::Host(id_of(*victim)));
    }
    act.proofs.push(fault.no_other_case(stage, &subjects));
    act.finish(stage, &fault.before).await
}

/// One host of each zone, one of them a keeper that does not lead: the ledger keeps its majority and its leader.
fn victims(before: &Calm) -> Vec<Place> {
    let mut has_keeper = false;
    let mut victims = Vec::new();
    for zone in ["a", "b", "c"] {
        let is_free = |place: &&Place| **place != before.leader;
        let mut free = places_in(zone);
        free.sort_by_key(|place| HOSTS[*place].is_keeper == has_keeper);
        if let Some(place) = free.iter().find(is_free) {
            has_keeper |= HOSTS[*place].is_keeper;
            victims.push(*place);
        }
    }
    victims
}

/// The case of each victim: each has its verdict, although nothing may be done yet.
async fn cases(stage: &mut Stage, fault: &Fault) -> Result<Vec<(Place, CaseId)>, Proof> {
    let mut cases = Vec::new();
    for victim in &fault.hosts {
        let subject = Scope::Host(id_of(*victim));
        let claim = format!("a verdict on {} stands", HOSTS[*victim].name);
        let since = fault.before.head;
        let case =
            stage.until(&claim, VERDICT_WITHIN, |history| history.case_on(&subject, since)).await?;
        cases.push((*victim, case));
    }
    Ok(cases)
}

/// Every living agent must tell of the brake, for as long as it stands.
async fn watch_brake(stage: &mut Stage, victims: &[Place]) -> Result<Proof, Proof> {
    let (mut told, mut untold) = (0, 0);
    let until = time::Instant::now() + BRAKED_FOR;
    while time::Instant::now() < until {
        stage.follow().await?;
        for place in (0..HOSTS_COUNT).filter(|place| !victims.contains(place)) {
            match stage.sight.status(place).await {
                Ok(status) if status.data.brake.surge.is_some() => told += 1,
                _ => untold += 1,
            }
        }
        time::sleep(LOOK_EVERY).await;
    }
    Ok(Proof::new(
        "every living agent told of the surge and its brake",
        // An agent may hear of it a moment later than the witness.
        told > 0 && untold <= HOSTS_COUNT,
        format!("answers that told of it: {told}, that did not: {untold}"),
    ))
}

/// Law P1.
fn nothing_under_the_brake(stage: &Stage, fault: &Fault) -> Proof {
    let since = fault.before.head;
    let resumed = stage.history.resumed_since(since);
    let is_intent = |record: &&Record| matches!(record.what, What::Intended { .. });
    let is_before = |record: &&Record| resumed.is_none_or(|resumed| record.number < resumed.number);
    let intents = stage.history.since(since).filter(is_before).filter(is_intent).count();
    let lifted_ms = resumed.map_or(u64::MAX, |resumed| resumed.wall.0);
    let lines = stage.lines(&fault.before, None);
    let early = lines.iter().filter(|line| line.at_ms < lifted_ms).count();
    Proof::new(
        "under the brake nothing was begun",
        intents == 0 && early == 0,
        format!("intents before the brake was lifted: {intents}; lines in the journal: {early}"),
    )
}

fn a_person_lifted_it(history: &History, since: u64) -> Proof {
    let told = history.resumed_since(since).map(|record| &record.what);
    let (held, seen) = match told {
        Some(What::Resumed { who, why }) => (why == WHY, format!("{who}: {why}")),
        _ => (false, "the audit has no such record".to_owned()),
    };
    Proof::new("a person lifted the brake, and the audit says who and why", held, seen)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn whoever_leads_one_host_of_each_zone_dies_never_the_leader_and_one_keeper_only() {
        let keepers = (0..HOSTS_COUNT).filter(|place| HOSTS[*place].is_keeper);
        for leader in keepers {
            let before = Calm { leader, term: 1, boots: Default::default(), head: 0, lines: 0 };
            let victims = victims(&before);
            let zones: BTreeSet<&str> = victims.iter().map(|place| HOSTS[*place].zone).collect();
            assert_eq!(zones.len(), 3);
            assert!(!victims.contains(&leader));
            let keepers = victims.iter().filter(|place| HOSTS[**place].is_keeper);
            assert_eq!(keepers.count(), 1);
        }
    }
}
