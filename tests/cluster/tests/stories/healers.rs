//! Does a remedy keep to its lease, and is it never repeated blindly, when its healer or the leader dies or stands still?

use std::time::Duration;

use cluster::deeds::{deeds, first, healers};
use cluster::mesh::{Mesh, held, plain, play, until};
use cluster::remedies::{Gate, TIME_LIMIT};
use daemon::demo::journal::Seen;
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use daemon::demo::proofs;
use daemon::demo::stage::Calm;
use daemon::moments;
use ledger::audit::{Record, What};
use rustix::process::{Pid, Signal};
use vocabulary::{CaseId, VerdictKind};

/// What an agent may log in a minute with two deaths: its starts, its remedies, who leads, a line for each record of two
/// cases. Something that is told again and again fills this in six seconds.
const LOG_LINES_MAX: usize = 60;

/// A healer that was lost before its remedy did anything.
const BEGUN_ANEW: [&str; 9] = [
    "lease 1 is granted",
    "remedy 1 is intended under lease 1",
    "lease 1 ran out and still counts",
    "lease 2 takes over",
    "remedy 1: inspection Refused",
    "remedy 2 is intended under lease 2",
    "remedy 2: receipt Done",
    "remedy 2: proven",
    "closed, healed",
];

#[test]
fn a_healer_is_killed_and_its_remedy_with_it_and_another_inspects_and_begins_anew() {
    play(async |mut mesh| {
        let trial = Trial::begin(&mut mesh, Gate::BeforeTheWork).await;
        mesh.stage.fleet.kill(trial.healer).await.expect("killed");
        let ended = trial.nothing_runs(&mesh).await;
        // Whatever still stood there would go on now.
        mesh.remedies.open(Gate::BeforeTheWork);
        mesh.closed(trial.case, &trial.before).await;
        trial.was_begun_anew(&mut mesh, ended).await;
        let intended = trial.first(&mesh, |what| matches!(what, What::Intended { .. }));
        let limit_ms = intended.wall.0 + u64::try_from(TIME_LIMIT.as_millis()).expect("short");
        assert!(ended < limit_ms, "it ended with its agent, and not by its own time limit");
        mesh.healed(trial.healer, VerdictKind::AgentDown, &trial.before).await;
        assert_eq!(mesh.opened(&trial.before).len(), 2, "subject and healer");
    });
}

#[test]
fn a_healer_is_stopped_and_its_remedy_is_ended_for_it_and_when_it_wakes_it_does_nothing() {
    play(async |mut mesh| {
        let trial = Trial::begin(&mut mesh, Gate::BeforeTheWork).await;
        mesh.stage.fleet.stop(trial.healer).await.expect("stopped");
        let ended = trial.nothing_runs(&mesh).await;
        mesh.remedies.open(Gate::BeforeTheWork);
        // It wakes while its successor waits before it begins anew (protocol 7.6), and has an end to tell that nobody needs.
        trial
            .shown(&mut mesh, "another inspects", |what| matches!(what, What::Inspected { .. }))
            .await;
        mesh.stage.fleet.go_on(trial.healer).await.expect("goes on");
        mesh.closed(trial.case, &trial.before).await;
        let after = mesh.calm().await;
        trial.was_begun_anew(&mut mesh, ended).await;
        let name = HOSTS[trial.healer].name;
        assert_eq!(after.boots[name], trial.before.boots[name], "the healer's same life goes on");
        let kinds: Vec<_> = mesh.opened(&trial.before).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, [VerdictKind::AgentDown, VerdictKind::HostHung]);
        let lines = mesh.stage.lines(&trial.before, Some(trial.healer));
        assert!(lines.is_empty(), "nobody healed the healer: {lines:?}");
    });
}

#[test]
fn an_end_that_was_not_seen_is_unknown_until_an_inspection_tells_it() {
    play(async |mut mesh| {
        an_end_is_lost_behind_the_work(&mut mesh).await;
        an_end_is_lost_before_the_work(&mut mesh).await;
        a_healer_dies_behind_the_work(&mut mesh).await;
    });
}

/// The healer lives; its remedy is killed by somebody else after all was done.
async fn an_end_is_lost_behind_the_work(mesh: &mut Mesh) {
    let trial = Trial::begin(mesh, Gate::BehindTheWork).await;
    trial.kill_the_remedy(mesh);
    mesh.remedies.open(Gate::BehindTheWork);
    mesh.closed(trial.case, &trial.before).await;
    let expected = [
        "lease 1 is granted",
        "remedy 1 is intended under lease 1",
        "remedy 1: receipt Unknown",
        "remedy 1: inspection Done",
        "remedy 1: proven",
        "closed, healed",
    ];
    trial.ended_as(mesh, &expected, &["apply 1", "inspect 1"]).await;
}

/// The same before anything was done: only now may it be begun anew, and under the same lease.
async fn an_end_is_lost_before_the_work(mesh: &mut Mesh) {
    let trial = Trial::begin(mesh, Gate::BeforeTheWork).await;
    trial.kill_the_remedy(mesh);
    mesh.remedies.open(Gate::BeforeTheWork);
    mesh.closed(trial.case, &trial.before).await;
    let expected = [
        "lease 1 is granted",
        "remedy 1 is intended under lease 1",
        "remedy 1: receipt Unknown",
        "remedy 1: inspection Refused",
        "remedy 2 is intended under lease 1",
        "remedy 2: receipt Done",
        "remedy 2: proven",
        "closed, healed",
    ];
    trial.ended_as(mesh, &expected, &["apply 1", "inspect 1", "apply 2"]).await;
}

/// The only one who could have told the end is dead: its successor finds it out, and does nothing a second time.
async fn a_healer_dies_behind_the_work(mesh: &mut Mesh) {
    let trial = Trial::begin(mesh, Gate::BehindTheWork).await;
    mesh.stage.fleet.kill(trial.healer).await.expect("killed");
    trial.nothing_runs(mesh).await;
    mesh.remedies.open(Gate::BehindTheWork);
    mesh.closed(trial.case, &trial.before).await;
    mesh.healed(trial.healer, VerdictKind::AgentDown, &trial.before).await;
    let expected = [
        "lease 1 is granted",
        "remedy 1 is intended under lease 1",
        "lease 1 ran out and still counts",
        "lease 2 takes over",
        "remedy 1: inspection Done",
        "remedy 1: proven",
        "closed, healed",
    ];
    trial.ended_as(mesh, &expected, &["apply 1", "inspect 1"]).await;
}

#[test]
fn a_leader_is_killed_amid_a_remedy_and_the_remedy_ends_once() {
    play(async |mut mesh| {
        let trial = Trial::of_another_healer(&mut mesh, Gate::BeforeTheWork).await;
        let leader = trial.before.leader;
        mesh.stage.fleet.kill(leader).await.expect("killed");
        until("another keeper leads", async || {
            let status = mesh.stage.sight.status(mesh.stage.witness).await;
            let leader_now = status.ok().and_then(|status| status.data.keepers.leader);
            leader_now.is_some_and(|name| name != HOSTS[leader].name)
        })
        .await;
        mesh.remedies.open(Gate::BeforeTheWork);
        mesh.closed(trial.case, &trial.before).await;
        mesh.healed(leader, VerdictKind::AgentDown, &trial.before).await;
        let expected = [
            "lease 1 is granted",
            "remedy 1 is intended under lease 1",
            "remedy 1: receipt Done",
            "remedy 1: proven",
            "closed, healed",
        ];
        trial.ended_as(&mut mesh, &expected, &["apply 1"]).await;
        let after = mesh.calm().await;
        assert!(after.term > trial.before.term);
        assert_eq!(mesh.opened(&trial.before).len(), 2, "subject and leader");
        for (place, host) in HOSTS.iter().enumerate() {
            let log = mesh.log(place);
            let is_short = log.lines().count() <= LOG_LINES_MAX;
            assert!(is_short, "nobody reads so much of {} at night:\n{log}", host.name);
        }
    });
}

/// An agent that was killed, and the remedy for it that stands still at a gate.
struct Trial {
    before: Calm,
    subject: Place,
    case: CaseId,
    healer: Place,
    /// How many runs there were before.
    runs: usize,
}

impl Trial {
    /// Kills an agent and waits until its remedy stands at the gate.
    async fn begin(mesh: &mut Mesh, gate: Gate) -> Self {
        let before = mesh.calm().await;
        let runs = mesh.remedies.runs().len();
        let subject = plain(&before);
        mesh.stage.witness = before.leader;
        mesh.remedies.shut(gate);
        mesh.stage.fleet.kill(subject).await.expect("killed");
        let case = mesh.case_on(subject, &before).await;
        let granted = |history: &_| healers(history, case, before.head).first().copied();
        let healer = mesh.shown("a lease is granted", granted).await;
        // Whoever tells the story lives through it.
        let is_witness = |place: &Place| ![subject, healer, before.leader].contains(place);
        mesh.stage.witness = (0..HOSTS_COUNT).find(is_witness).expect("three others");
        let trial = Self { before, subject, case, healer, runs };
        until("the remedy stands at its gate", async || {
            let is_done = trial.journal(mesh).last() == Some(&Seen::End);
            trial.runs(mesh).len() == 1 && (gate == Gate::BeforeTheWork || is_done)
        })
        .await;
        assert!(!mesh.remedies.running().is_empty(), "it stands there");
        trial
    }

    /// The same where the healer is not the leader. Who heals is drawn anew for every case.
    async fn of_another_healer(mesh: &mut Mesh, gate: Gate) -> Self {
        const DRAWS_MAX: u32 = 8;
        for _ in 0..DRAWS_MAX {
            let trial = Self::begin(mesh, gate).await;
            if trial.healer != trial.before.leader {
                return trial;
            }
            mesh.remedies.open(gate);
            mesh.closed(trial.case, &trial.before).await;
        }
        panic!("the leader itself healed {DRAWS_MAX} cases");
    }

    /// Waits until no process of any remedy runs; the wall clock then, in milliseconds.
    async fn nothing_runs(&self, mesh: &Mesh) -> u64 {
        until("nothing of the remedy runs", async || mesh.remedies.running().is_empty()).await;
        moments::now_exact()
    }

    /// SIGKILL from outside: no exit code, and nobody who could tell it.
    fn kill_the_remedy(&self, mesh: &Mesh) {
        let runs = mesh.remedies.runs();
        let id = runs.last().and_then(|run| Pid::from_raw(run.process)).expect("it runs");
        rustix::process::kill_process(id, Signal::KILL).expect("it stands at its gate");
    }

    async fn shown(&self, mesh: &mut Mesh, claim: &str, is_it: impl Fn(&What) -> bool) {
        let (case, above) = (self.case, self.before.head);
        mesh.shown(claim, |history| first(history, case, above, &is_it).map(drop)).await;
    }

    /// The first such record of its case.
    fn first<'a>(&self, mesh: &'a Mesh, is_it: impl Fn(&What) -> bool) -> &'a Record {
        let record = first(&mesh.stage.history, self.case, self.before.head, is_it);
        record.expect("the deeds say so")
    }

    /// protocol 7.5, 7.6: it ended before its lease did, nothing came of it, and its successor kept the wait.
    async fn was_begun_anew(&self, mesh: &mut Mesh, ended_ms: u64) {
        let runs = ["apply 1", "inspect 1", "apply 2"];
        self.ended_as(mesh, &BEGUN_ANEW, &runs).await;
        let over = self.first(mesh, |what| matches!(what, What::LeaseOver { .. }));
        assert!(ended_ms < over.wall.0, "at {ended_ms}, and its lease at {}", over.wall.0);
        let is_takeover = |what: &What| matches!(what, What::Granted { is_takeover: true, .. });
        let taken_over = self.first(mesh, is_takeover);
        let runs = self.runs(mesh);
        let (first_fence, last_fence) = (runs[0].fence, runs[2].fence);
        assert!(last_fence > first_fence, "law L2 as the remedies were told: {runs:?}");
        let is_anew =
            |what: &What| matches!(what, What::Intended { fence, .. } if fence.0 == last_fence);
        let waited = self.first(mesh, is_anew).at.since(taken_over.at);
        let waited = Duration::from_millis(waited.as_milliseconds());
        assert!(waited >= TIME_LIMIT, "it waited {waited:?} before it began anew");
        let healers = healers(&mesh.stage.history, self.case, self.before.head);
        assert!(healers.len() == 2 && healers[0] != healers[1], "{healers:?}");
    }

    /// These deeds in the audit; these runs of the script, and one whole remedy at the desk, outside of it.
    async fn ended_as(&self, mesh: &mut Mesh, expected: &[&str], expected_runs: &[&str]) {
        mesh.calm().await;
        let (case, above) = (self.case, self.before.head);
        assert_eq!(deeds(&mesh.stage.history, case, above), expected);
        let mut ids = Vec::new();
        let runs = self.runs(mesh).into_iter().map(|run| {
            if !ids.contains(&run.remedy) {
                ids.push(run.remedy);
            }
            let rank = ids.iter().position(|id| *id == run.remedy).expect("put there");
            format!("{} {}", run.what, rank + 1)
        });
        assert_eq!(runs.collect::<Vec<_>>(), expected_runs);
        assert_eq!(self.journal(mesh), [Seen::Begin, Seen::End], "one whole remedy");
        let lines = mesh.stage.lines(&self.before, None);
        held(&proofs::never_more_than_one(&mesh.stage.history, above, &lines));
        held(&mesh.stage.one_history().await);
    }

    /// What the desk saw of the subject.
    fn journal(&self, mesh: &Mesh) -> Vec<Seen> {
        let lines = mesh.stage.lines(&self.before, Some(self.subject)).into_iter();
        lines.map(|line| line.seen).collect()
    }

    /// The script's runs for the subject.
    fn runs(&self, mesh: &Mesh) -> Vec<cluster::remedies::Run> {
        let subject = HOSTS[self.subject].name;
        let runs = mesh.remedies.runs().into_iter().skip(self.runs);
        runs.filter(|run| run.subject == subject).collect()
    }
}
