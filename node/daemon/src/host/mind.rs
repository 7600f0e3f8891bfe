//! The running host as its admin socket sees it (see `admin::mind`).
//!
//! Not here: words and screens (see `admin::render`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use agent::lead::LastLook;
use agent::reports::Reported;
use agent::view::View;
use async_trait::async_trait;
use detection::health::SelfDoubt;
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use tokio::time::Instant;
use vocabulary::{
    Claims, HostId, HostName, Moment, Path, PathReading, PublicKey, Reading, Signature, Signer,
    Span,
};
use wire::{Report, Response, Unavailable};

use super::credentials::Credentials;
use super::door::{Door, held};
use super::found::found;
use super::inquiry::Inquirer;
use super::renewing::Renewer;
use crate::admin::mind::{DoubtHeld, Local, Mind, NotCommitted, ReportHeld, RoundHeld, Standing};
use crate::identity::{Identity, Renewal, RenewalFault};
use crate::selfwatch::SelfWatch;
use crate::transport::{Presence, Transport};

/// How long a linearizable read may take before an answer is called stale.
const FRESH_WITHIN: Duration = Duration::from_millis(700);

/// What was known to be the newest this lately needs no new proof: a screen that asks for several answers asks once.
const FRESH_FOR: Duration = Duration::from_millis(200);

/// How long a person's command may take.
const PROPOSE_WITHIN: Duration = Duration::from_secs(5);

/// Hosts of whose last round an answer tells.
const ROUNDS_TOLD_MAX: usize = 64;

/// This host's own key, behind the trait that the pure rooms know.
pub struct OwnSigner(pub Arc<Identity>);

impl Signer for OwnSigner {
    fn public_key(&self) -> PublicKey {
        self.0.signer().public_key()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.0.signer().sign(message)
    }
}

/// What the admin socket asks.
pub struct HostMind {
    credentials: Credentials,
    presence: Presence,
    door: Door,
    /// Where this host has certificate files.
    renewer: OnceLock<Renewer>,
    inquirer: Inquirer,
    transport: Transport,
    own: SelfWatch,
    proof: Mutex<Proof>,
}

/// What is known of the local state's age.
#[derive(Clone, Copy)]
struct Proof {
    /// Whether the last try to prove that it is the newest held.
    held: bool,
    /// When it last did; before the first time, when the agent started.
    at: Instant,
}

impl HostMind {
    /// The running host.
    pub fn new(
        credentials: Credentials,
        presence: Presence,
        (door, inquirer, transport, own): (Door, Inquirer, Transport, SelfWatch),
    ) -> Self {
        Self {
            credentials,
            presence,
            door,
            renewer: OnceLock::new(),
            inquirer,
            transport,
            own,
            proof: Mutex::new(Proof { held: false, at: Instant::now() }),
        }
    }

    /// This host has certificate files, and this is who reads them; said once.
    pub(super) fn reads_through(&self, renewer: Renewer) {
        let _ = self.renewer.set(renewer);
    }

    /// What is known without the loop.
    fn beside_its_loop(&self) -> Local {
        let own = self.credentials.in_force();
        Local {
            connected: self.transport.connected().into_iter().collect(),
            self_watch: self.own.report(),
            held_back: self.door.held_back(),
            endings: self.transport.endings(),
            own_ending: Some(own.validity().until),
            // This host's own comes first.
            authorities: own.endings().split_off(1),
            notes: self.notes(),
            ..Local::default()
        }
    }

    /// The same, with the reason why there is no more; for how long the loop has stood, the self-watch says.
    fn without_its_loop(&self) -> Local {
        let mut local = self.beside_its_loop();
        let at = self.own.doing().map(|at| format!(", it is at {at}")).unwrap_or_default();
        let why =
            format!("this agent's loop does not answer{at}: what it has observed is not shown");
        local.notes.insert(0, why);
        local
    }

    fn notes(&self) -> Vec<String> {
        let (now, endings) = (crate::moments::now(), self.credentials.in_force().endings());
        let unwelcome = self.door.unwelcome().note();
        let trouble = self.renewer.get().and_then(Renewer::trouble);
        let endings = endings.iter().filter_map(|ending| ending.note(now));
        let flooders = self.transport.flooders().into_iter().map(|(host, of)| {
            format!(
                "{host} sends more {of} than any host may; the rest is dropped: look at that host"
            )
        });
        let own = unwelcome.into_iter().chain(trouble).chain(endings).chain(self.door.notes());
        own.chain(flooders).chain(self.transport.quarantined()).collect()
    }
}

#[async_trait]
impl Mind for HostMind {
    fn me(&self) -> Claims {
        self.credentials.in_force().claims().clone()
    }

    fn view(&self) -> Arc<Ledger> {
        Arc::clone(&self.door.state().borrow())
    }

    fn standing(&self) -> Standing {
        let proof = *held(&self.proof);
        let age = if proof.held { Duration::ZERO } else { proof.at.elapsed() };
        let leading = *self.door.leading().borrow();
        Standing {
            age: Span::milliseconds(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            has_majority: proof.held,
            leader: leading.leader,
            term: leading.term,
        }
    }

    async fn refresh(&self) {
        let proof = *held(&self.proof);
        if proof.held && proof.at.elapsed() < FRESH_FOR {
            return;
        }
        let is_newest = self.door.read_index(FRESH_WITHIN).await.is_some();
        let mut proof = held(&self.proof);
        proof.held = is_newest;
        if is_newest {
            proof.at = Instant::now();
        }
    }

    async fn local(&self) -> Local {
        let Some((view, _)) = self.inquirer.view().await else {
            return self.without_its_loop();
        };
        let mut rounds = BTreeMap::new();
        for host in told_of(&view, &self.view()) {
            if let Some((look, now)) = self.inquirer.last_look(host).await {
                rounds.insert(host, round(&look, now));
            }
        }
        let beside = self.beside_its_loop();
        let muted = view.gossip_muted.map(muted_note);
        Local {
            doubts: doubts(&view),
            up: view.up.keys().copied().collect(),
            readings: readings(&view),
            discounting: discounting(&view),
            reach: view.reach.clone(),
            late: view.late,
            leaderless: view.leaderless,
            reports: reports(&view),
            rounds,
            refusals: view.enrolment_refused.iter().map(ToString::to_string).collect(),
            notes: muted.into_iter().chain(beside.notes).collect(),
            ..beside
        }
    }

    async fn propose(&self, command: Command) -> Result<Outcome, NotCommitted> {
        match self.door.propose(command, PROPOSE_WITHIN).await {
            Some((_, outcome)) => Ok(outcome),
            None if self.door.leading().borrow().leader.is_none() => Err(NotCommitted::NoLeader(
                "no keeper leads that this agent can reach; nothing has moved".into(),
            )),
            None => Err(NotCommitted::Unknown(
                "no answer in time: it may yet be committed; look before you repeat it".into(),
            )),
        }
    }

    async fn found(&self, keepers: Vec<HostName>) -> Result<Outcome, NotCommitted> {
        let identity = self.credentials.in_force();
        found(&self.door, (&identity, self.presence), keepers).await.map_err(NotCommitted::from)
    }

    async fn report(&self, report: Report) -> Result<bool, NotCommitted> {
        match self.inquirer.report(report).await {
            Some(Response::Reported { is_looked_at }) => Ok(is_looked_at),
            Some(Response::Unavailable(Unavailable::Busy(what))) => Err(NotCommitted::Refused {
                name: "Busy",
                why: format!("{what}: the leader takes no more for 10 s; nothing was kept there"),
            }),
            Some(Response::Unavailable(Unavailable::NotMine)) => Err(NotCommitted::Refused {
                name: "NotTaken",
                why:
                    "the leader does not know that host, or two machines run under this one's name"
                        .into(),
            }),
            Some(Response::Unavailable(Unavailable::NoLeader | Unavailable::NotLeader(_))) => {
                Err(NotCommitted::NoLeader(
                    "no keeper leads that this agent can reach and that takes reports".into(),
                ))
            }
            _ => Err(NotCommitted::Unknown("the leader has not answered in time".into())),
        }
    }

    async fn reload(&self, is_dry_run: bool) -> Result<Renewal, RenewalFault> {
        self.renewer.get().ok_or(RenewalFault::NoFiles)?.reload(is_dry_run).await
    }
}

/// Own doubts, those told to this host as leader, and gossiped ones.
fn doubts(view: &View) -> BTreeMap<HostId, Vec<DoubtHeld>> {
    let own = view.doubts.iter().map(|note| {
        let age = Some(Span::milliseconds(note.age_ms));
        (note.subject, DoubtHeld { by: view.me, age })
    });
    let told = view.doubted.iter().flat_map(|(subject, doubters)| {
        doubters.iter().map(|(by, age)| (*subject, DoubtHeld { by: *by, age: Some(*age) }))
    });
    let gossiped = view.health.iter().flat_map(|(by, record)| {
        let doubts = record.health.doubts().iter();
        doubts.map(|subject| (*subject, DoubtHeld { by: *by, age: None }))
    });
    let mut doubts: BTreeMap<HostId, Vec<DoubtHeld>> = BTreeMap::new();
    for (subject, doubt) in told.chain(own).chain(gossiped) {
        let of_subject = doubts.entry(subject).or_default();
        if !of_subject.iter().any(|known| known.by == doubt.by) {
            of_subject.push(doubt);
        }
    }
    doubts
}

/// protocol 4: the circuit breaker is open.
fn muted_note(left: Span) -> String {
    format!(
        "this agent gossips nothing of members for {left}: it has told more than a mesh of this size has to say; probes, exchanges, rounds and health records go on"
    )
}

/// What was reported to this host.
fn reports(view: &View) -> BTreeMap<HostId, Vec<ReportHeld>> {
    let held = |(report, age): &(Reported, Span)| ReportHeld {
        by: report.by,
        who: report.who.clone(),
        failed: report.failed.clone(),
        age: *age,
        times: report.times,
    };
    let of = view.reports.iter();
    of.map(|(subject, reports)| (*subject, reports.iter().map(held).collect())).collect()
}

/// Who discounts itself, this host among them, and why (protocol 2.7).
fn discounting(view: &View) -> BTreeMap<HostId, String> {
    let told = view.health.iter().filter(|(_, record)| record.health.discounts_itself());
    let mut discounting: BTreeMap<HostId, String> =
        told.map(|(host, record)| (*host, grounds(record.health.self_doubts()))).collect();
    if !view.self_doubts.is_empty() {
        let own = grounds(view.self_doubts.iter().copied());
        let late = view.late;
        discounting.insert(view.me, format!("{own} ({late} late at worst)"));
    }
    discounting
}

fn grounds(grounds: impl Iterator<Item = SelfDoubt>) -> String {
    let words = grounds.map(|ground| match ground {
        SelfDoubt::Loop => "its loop is late",
        SelfDoubt::Sockets => "its sockets are late or drop what comes",
        SelfDoubt::Relays => "relays that it reaches say nothing of what it asked them",
    });
    let words: Vec<&str> = words.collect();
    if words.is_empty() { String::from("its loop is late") } else { words.join("; ") }
}

/// Paths whose silence would be evidence have answered lately; the others prove nothing.
fn readings(view: &View) -> BTreeMap<HostId, Vec<PathReading>> {
    let answered = |path: &Path| PathReading { path: *path, reading: Reading::Answered };
    let of = view.calibrated.iter();
    of.map(|(subject, paths)| (*subject, paths.iter().map(answered).collect())).collect()
}

/// Doubted hosts and the subjects of open cases; after them those that were reported.
fn told_of(view: &View, ledger: &Ledger) -> Vec<HostId> {
    let cases = ledger.cases().filter_map(|case| case.host());
    let mut hosts: Vec<HostId> = view.doubted.keys().copied().chain(cases).collect();
    hosts.sort();
    hosts.dedup();
    let reported = view.reports.keys().filter(|host| !hosts.contains(host)).copied();
    let reported: Vec<HostId> = reported.collect();
    hosts.extend(reported);
    hosts.truncate(ROUNDS_TOLD_MAX);
    hosts
}

fn round(look: &LastLook, now: Moment) -> RoundHeld {
    RoundHeld {
        age: now.since(look.at),
        anchor: look.anchor,
        paths: look
            .attestations
            .iter()
            .map(|attestation| (attestation.observer, attestation.paths.clone()))
            .collect(),
        verdict: look.verdict.clone().map(|verdict| verdict.kind),
    }
}

#[cfg(test)]
mod tests;
