//! Act 3: a zone is cut off from the rest. One case for a person, no surge, and no remedy on either side.
//!
//! From inside a mesh a cut zone and a dead one look the same; healing it could run two of everything.

use std::time::Duration;

use ledger::audit::What;
use tokio::time;
use vocabulary::{Domain, Scope, VerdictKind};

use super::death::not_done;
use super::{Act, CALM_WITHIN, CLOSED_WITHIN, Fault, closed, named};
use crate::demo::fleet::FleetFault;
use crate::demo::history::CaseStory;
use crate::demo::plan::{HOSTS, HOSTS_COUNT, Place, places_in};
use crate::demo::proofs::{self, Proof, closed_word};
use crate::demo::stage::{Calm, Stage};

/// How long the cut lasts after its case was opened: longer than any rule of the policy waits before it acts.
const CUT_FOR: Duration = Duration::from_secs(6);

/// How often both sides are asked meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the agents said while the zone was cut off.
#[derive(Default)]
struct Meanwhile {
    /// Answers of the cut side that claimed a majority, after the case was there.
    claimed_majority: usize,
    /// Answers of the cut side that said that none stands behind them.
    said_alone: usize,
    /// Answers of the other side that told of a brake.
    told_of_brake: usize,
    /// Answers of the other side.
    answers: usize,
}

/// Plays it.
pub async fn play(stage: &mut Stage, act: &mut Act) -> Result<(), Proof> {
    let before = stage.calm(CALM_WITHIN).await?;
    stage.witness = before.leader;
    let island = island(&before);
    let zone = HOSTS[island[0]].zone;
    stage.story.line("To those who stay a cut zone looks like a dead one, and healing it could run two of everything.");
    stage
        .story
        .say(format!("every link between zone {zone} and the rest is cut; both its hosts run on"));
    let fault = Fault::now(before, island.clone());
    let cut = stage.fleet.links().cut_off(&island).await;
    cut.map_err(FleetFault::of("cut a zone off")).map_err(not_done)?;

    let subject = zone_of(island[0])?;
    let case = fault.verdict(stage, act, &subject).await?;
    let meanwhile = watch_both_sides(stage, &island).await?;
    let begun = proofs::nothing_was_begun(
        "no lease was given and no remedy begun, on either side",
        &stage.history,
        fault.before.head,
        &stage.lines(&fault.before, None),
    );

    stage.story.say("the links are mended");
    let joined = stage.fleet.links().rejoin().await;
    joined.map_err(FleetFault::of("mend a cut")).map_err(not_done)?;
    let story = closed(stage, case, (fault.before.head, CLOSED_WITHIN)).await?;
    let after = stage.calm(CALM_WITHIN).await?;
    stage.story.say("all six agents say that all is well");

    act.measure(&fault, &[&story], &[]);
    act.proofs.push(one_domain_case(&story, &subject));
    act.proofs.push(fault.no_other_case(stage, &[subject]));
    act.proofs.push(begun);
    act.proofs.push(no_surge(stage, &fault.before, &meanwhile));
    act.proofs.push(alone_and_said_so(&meanwhile, zone));
    act.proofs.push(same_leader(&fault.before, &after));
    act.finish(stage, &fault.before).await
}

/// A zone without the leader, which therefore stays where the majority is.
fn island(before: &Calm) -> Vec<Place> {
    let home = HOSTS[before.leader].zone;
    let away = HOSTS.iter().rfind(|host| host.zone != home);
    away.map(|host| places_in(host.zone)).unwrap_or_default()
}

fn zone_of(place: Place) -> Result<Scope, Proof> {
    let claims = HOSTS[place].claims();
    let zone = claims.map(|claims| Domain::zone(&claims.domain));
    zone.map(Scope::Zone)
        .map_err(|why| Proof::overdue("the plan's names are sound", why.to_string()))
}

async fn watch_both_sides(stage: &mut Stage, island: &[Place]) -> Result<Meanwhile, Proof> {
    let mut meanwhile = Meanwhile::default();
    let until = time::Instant::now() + CUT_FOR;
    while time::Instant::now() < until {
        stage.follow().await?;
        for place in 0..HOSTS_COUNT {
            let Ok(status) = stage.sight.status(place).await else {
                continue;
            };
            match (island.contains(&place), status.fresh) {
                (true, true) => meanwhile.claimed_majority += 1,
                (true, false) => meanwhile.said_alone += 1,
                (false, _) => {
                    meanwhile.answers += 1;
                    meanwhile.told_of_brake += usize::from(status.data.brake.is_on);
                }
            }
        }
        time::sleep(LOOK_EVERY).await;
    }
    Ok(meanwhile)
}

fn one_domain_case(story: &CaseStory, subject: &Scope) -> Proof {
    let kinds: Vec<String> = story.verdicts.iter().map(|step| step.what.kind.word()).collect();
    let held = kinds == [VerdictKind::DomainDown.word()] && story.closed.is_some();
    Proof::new(
        format!("{} was one case, and it closed when the zone was back", named(subject)),
        held,
        format!("{}; {}", kinds.join(", "), closed_word(story)),
    )
}

fn no_surge(stage: &Stage, before: &Calm, meanwhile: &Meanwhile) -> Proof {
    let is_surge = |what: &What| matches!(what, What::Verdict { kind: VerdictKind::Surge, .. });
    let surges = stage.history.since(before.head).filter(|record| is_surge(&record.what)).count();
    Proof::new(
        "the cut was not mistaken for a surge",
        surges == 0 && meanwhile.told_of_brake == 0 && meanwhile.answers > 0,
        format!(
            "surges in the audit: {surges}; answers that told of a brake: {} of {}",
            meanwhile.told_of_brake, meanwhile.answers
        ),
    )
}

/// Law M1.
fn alone_and_said_so(meanwhile: &Meanwhile, zone: &str) -> Proof {
    Proof::new(
        format!(
            "zone {zone}, cut off, went on answering and said that no majority stands behind it"
        ),
        meanwhile.claimed_majority == 0 && meanwhile.said_alone > 0,
        format!(
            "answers without a majority: {}, with one: {}",
            meanwhile.said_alone, meanwhile.claimed_majority
        ),
    )
}

fn same_leader(before: &Calm, after: &Calm) -> Proof {
    Proof::new(
        "the cut and its end changed no leader",
        (before.leader, before.term) == (after.leader, after.term),
        format!(
            "{} in term {} before, {} in term {} after",
            HOSTS[before.leader].name, before.term, HOSTS[after.leader].name, after.term
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_that_is_cut_off_is_never_the_leaders() {
        for (leader, host) in HOSTS.iter().enumerate() {
            let before = Calm { leader, term: 1, boots: Default::default(), head: 0, lines: 0 };
            let island = island(&before);
            assert_eq!(island.len(), 2);
            assert!(island.iter().all(|place| HOSTS[*place].zone != host.zone));
        }
    }

    #[test]
    fn one_answer_that_claims_a_majority_from_the_cut_side_fails_the_proof() {
        let alone = Meanwhile { said_alone: 9, ..Meanwhile::default() };
        assert!(alone_and_said_so(&alone, "c").held);
        let claimed = Meanwhile { claimed_majority: 1, ..alone };
        assert!(!alone_and_said_so(&claimed, "c").held);
        assert!(!alone_and_said_so(&Meanwhile::default(), "c").held, "mute");
    }
}
