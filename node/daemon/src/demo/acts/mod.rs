//! The four acts, and what each leaves: figures and proofs.
//!
//! Not here: the acts themselves, one file each.

pub mod cut;
pub mod death;
pub mod frozen;
pub mod surge;

use std::time::Duration;

use serde::Serialize;
use tokio::time::{self, Instant};
use vocabulary::{CaseId, Scope, VerdictKind};

use super::history::CaseStory;
use super::journal::{self, Line};
use super::plan::{HOSTS, Place};
use super::proofs::{self, Healing, Proof};
use super::stage::{Calm, Stage, id_of};
use crate::moments;

/// From the fault until a verdict; the design aims at 2.5 s for a dead agent and 4 s for a silent host.
const VERDICT_WITHIN: Duration = Duration::from_secs(15);

/// From the verdict until the case is closed: quiet, last look, start, proof and soak take 10 s on a calm machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(30);

/// After an act every agent must soon have nothing more to tell.
pub const CALM_WITHIN: Duration = Duration::from_secs(15);

/// How often a doubt is looked for until it is seen.
const DOUBT_LOOK_EVERY: Duration = Duration::from_millis(50);

/// What an act leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Act {
    /// Its name.
    pub name: &'static str,
    /// Until an agent first told of a doubt; `None`: nobody did before the verdict was there.
    pub fault_to_doubt_ms: Option<u64>,
    /// Until the first verdict was committed.
    pub fault_to_verdict_ms: Option<u64>,
    /// From there until the first lease.
    pub verdict_to_lease_ms: Option<u64>,
    /// Until the first remedy began, by the outside journal.
    pub fault_to_remedy_ms: Option<u64>,
    /// Until the last case was closed.
    pub fault_to_closed_ms: Option<u64>,
    /// How many remedies ran, by the outside journal.
    pub remedies: usize,
    /// How many hosts were under repair at once, at most, by audit and journal.
    pub in_flight_max: usize,
    /// What it claims.
    pub proofs: Vec<Proof>,
}

/// A fault, and the mesh as it was before.
pub struct Fault {
    /// The mesh before.
    pub before: Calm,
    /// Wall clock of the fault, in milliseconds of the Unix epoch.
    pub at_ms: u64,
    /// Whom it hit.
    pub hosts: Vec<Place>,
}

impl Act {
    /// An act that has not begun.
    pub fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Whether every proof held, and there was one.
    pub fn held(&self) -> bool {
        !self.proofs.is_empty() && self.proofs.iter().all(|proof| proof.held)
    }

    /// Works out its figures: the earliest of each kind of step, and the latest closure.
    fn measure(&mut self, fault: &Fault, stories: &[&CaseStory], lines: &[Line]) {
        let since = |at: u64| at.saturating_sub(fault.at_ms);
        let verdicts = stories.iter().filter_map(|story| story.verdicts.first());
        let verdict = verdicts.map(|step| step.wall_ms).min();
        let leases = stories.iter().filter_map(|story| story.granted.first());
        let lease = leases.map(|step| step.wall_ms).min();
        let closures = stories.iter().filter_map(|story| story.closed.as_ref());
        self.fault_to_verdict_ms = verdict.map(since);
        self.verdict_to_lease_ms =
            lease.zip(verdict).map(|(lease, verdict)| lease.saturating_sub(verdict));
        self.fault_to_remedy_ms = lines.first().map(|line| since(line.at_ms));
        self.fault_to_closed_ms = closures.map(|step| since(step.wall_ms)).max();
    }

    /// Counts remedies, and proves what every act must: how many at once, and one history.
    async fn finish(&mut self, stage: &mut Stage, before: &Calm) -> Result<(), Proof> {
        stage.follow().await?;
        let lines = stage.lines(before, None);
        let is_begin = |line: &&Line| line.seen == journal::Seen::Begin;
        self.remedies = lines.iter().filter(is_begin).count();
        self.in_flight_max =
            stage.history.in_flight_max(before.head).max(journal::in_flight_max(&lines));
        let bounded = proofs::never_more_than_one(&stage.history, before.head, &lines);
        self.proofs.push(bounded);
        self.proofs.push(stage.one_history().await);
        Ok(())
    }
}

impl Fault {
    /// Notes the moment just before the fault is done.
    pub fn now(before: Calm, hosts: Vec<Place>) -> Self {
        Self { before, at_ms: moments::now_exact(), hosts }
    }

    /// Waits for a verdict on one of the hosts, and notes the first doubt that is told on the way.
    pub async fn verdict(
        &self,
        stage: &mut Stage,
        act: &mut Act,
        subject: &Scope,
    ) -> Result<CaseId, Proof> {
        let head = self.before.head;
        let until = Instant::now() + VERDICT_WITHIN;
        while act.fault_to_doubt_ms.is_none() && Instant::now() < until {
            if stage.is_doubted(&self.hosts).await {
                act.fault_to_doubt_ms = Some(moments::now_exact().saturating_sub(self.at_ms));
                let who = HOSTS[stage.witness].name;
                stage.story.say(format!("{who} hears of a doubt: {}", self.names()));
            }
            stage.follow().await?;
            if stage.history.case_on(subject, head).is_some() {
                break;
            }
            time::sleep(DOUBT_LOOK_EVERY).await;
        }
        let claim = format!("a verdict on {} stands", named(subject));
        stage.until(&claim, VERDICT_WITHIN, |history| history.case_on(subject, head)).await
    }

    /// The hosts by name.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.hosts.iter().map(|place| HOSTS[*place].name).collect();
        names.join(", ")
    }

    /// The cases of this fault are those that it deserves and no other.
    fn no_other_case(&self, stage: &Stage, expected: &[Scope]) -> Proof {
        let opened = stage.history.opened_since(self.before.head);
        let held = opened.len() == expected.len()
            && opened.iter().all(|(_, subject, _)| expected.contains(subject));
        let told: Vec<String> = opened
            .iter()
            .map(|(case, subject, kind)| format!("{case} {} on {}", kind.word(), named(subject)))
            .collect();
        let claim = "no case was opened but for what was broken";
        Proof::new(claim, held, format!("cases: {}", told.join(", ")))
    }
}

/// Waits until this case is closed.
async fn closed(
    stage: &mut Stage,
    case: CaseId,
    (since, within): (u64, Duration),
) -> Result<CaseStory, Proof> {
    let claim = format!("case {case} is closed");
    stage
        .until(&claim, within, |history| {
            let story = history.story(case, since);
            story.closed.is_some().then_some(story)
        })
        .await
}

/// From the fault to the proofs of one host's healing; what both the death and the frozen host have in common.
async fn healed(
    stage: &mut Stage,
    act: &mut Act,
    fault: &Fault,
    kind: VerdictKind,
) -> Result<(), Proof> {
    let place = fault.hosts[0];
    let subject = Scope::Host(id_of(place));
    let case = fault.verdict(stage, act, &subject).await?;
    let story = closed(stage, case, (fault.before.head, CLOSED_WITHIN)).await?;
    stage.calm(CALM_WITHIN).await?;
    stage.story.say("all six agents say that all is well");
    let lines = stage.lines(&fault.before, Some(place));
    act.measure(fault, &[&story], &lines);
    act.proofs.extend(healing(stage, fault, (place, kind), &story).await.proofs());
    act.proofs.push(fault.no_other_case(stage, &[subject]));
    act.finish(stage, &fault.before).await
}

async fn healing<'a>(
    stage: &Stage,
    fault: &Fault,
    (place, kind): (Place, VerdictKind),
    story: &'a CaseStory,
) -> Healing<'a> {
    let host = HOSTS[place].name;
    Healing {
        host,
        kind,
        story,
        lines: stage.lines(&fault.before, Some(place)),
        boot_before: fault.before.boots.get(host).copied().unwrap_or_default(),
        boots_now: stage.boots_of(place).await,
    }
}

/// A subject in words.
pub fn named(subject: &Scope) -> String {
    match subject {
        Scope::Host(host) => HOSTS
            .iter()
            .enumerate()
            .find(|(place, _)| id_of(*place) == *host)
            .map_or_else(|| host.to_string(), |(_, planned)| planned.name.to_owned()),
        Scope::Rack(domain) => format!("rack {domain}"),
        Scope::Zone(zone) => format!("zone {zone}"),
        Scope::Group(group) => format!("group {group}"),
        Scope::Fleet => "the fleet".to_owned(),
    }
}
