//! What a mind can show of itself: its own eyes, not the ledger, which everybody can read.
//!
//! Not here: words and screens (see `daemon`).

use std::collections::BTreeMap;

use detection::health::{CheckKey, HealthRecord, SelfDoubt};
use ledger::command::Refused;
use vocabulary::{Boot, Grade, HostId, Moment, Path, Span};
use wire::DoubtNote;

use crate::lead::LastLook;
use crate::mind::Agent;
use crate::reports::Reported;

/// This host's own standing.
#[derive(Clone, Debug)]
pub struct View {
    /// This host.
    pub me: HostId,
    /// This life.
    pub boot: Boot,
    /// Who leads, as far as it knows.
    pub leader: Option<HostId>,
    /// For how long it has known of no leader, if it knows of none (protocol 3.9).
    pub leaderless: Option<Span>,
    /// Whom it doubts.
    pub doubts: Vec<DoubtNote>,
    /// Who seems alive, by SWIM: a hint.
    pub up: BTreeMap<HostId, Boot>,
    /// For how long it gossips nothing of members yet, having told more than a mesh of this size has to say (protocol 4).
    pub gossip_muted: Option<Span>,
    /// What others gossip of themselves.
    pub health: BTreeMap<HostId, HealthRecord>,
    /// Whose silence on which paths would be evidence to this host.
    pub calibrated: BTreeMap<HostId, Vec<Path>>,
    /// How late its loop or its sockets were at worst in the last 10 s.
    pub late: Span,
    /// Why its own voice against others does not count now.
    pub self_doubts: Vec<SelfDoubt>,
    /// Who reaches whom badly, as each observer says of its own subjects; this host's own grades among them.
    pub reach: BTreeMap<HostId, Vec<(HostId, Grade)>>,
    /// Why the ledger does not take this host, if it does not.
    pub enrolment_refused: Option<Refused>,
    /// Calls under way.
    pub calls: usize,
    /// As leader: hosts in doubt, who doubts them and for how long.
    pub doubted: BTreeMap<HostId, Vec<(HostId, Span)>>,
    /// What was reported of which hosts here, or to this host as leader, and how long ago (protocol 2.8).
    pub reports: BTreeMap<HostId, Vec<(Reported, Span)>>,
}

impl Agent {
    /// Its own standing now.
    pub fn view(&self, now: Moment) -> View {
        let subjects = self.ledger.seating().subjects(&self.me);
        let doubted = self.lead.rounds.doubted();
        View {
            me: self.me,
            boot: self.boot,
            leader: self.leader,
            leaderless: self.leaderless.lasts(now),
            doubts: self.watch.doubts(now),
            up: self.others_up(),
            gossip_muted: self.membership.muted_for(now),
            health: self.health_told(),
            calibrated: subjects
                .iter()
                .map(|subject| (*subject, self.watch.calibrated(now, subject)))
                .collect(),
            late: self.look.late(now),
            self_doubts: self.look.self_doubts(now),
            reach: self.reach(),
            enrolment_refused: self.enrolment.refusal().cloned(),
            calls: self.calls.count(),
            reports: self.reports(now),
            doubted: doubted
                .iter()
                .map(|doubt| (doubt.subject, self.doubters(now, &doubt.subject)))
                .collect(),
        }
    }

    fn reports(&self, now: Moment) -> BTreeMap<HostId, Vec<(Reported, Span)>> {
        let aged = |report: Reported| {
            let age = now.since(report.at);
            (report, age)
        };
        let kept = self.reports.kept(now).into_iter();
        kept.map(|(subject, of)| (subject, of.into_iter().map(aged).collect())).collect()
    }

    fn others_up(&self) -> BTreeMap<HostId, Boot> {
        let up = self.membership.up().iter().filter(|(host, _)| **host != self.me);
        up.map(|(host, boot)| (*host, *boot)).collect()
    }

    /// protocol 2.6: of each subject, which observers lose how many of their probes; none that is `Ok`.
    fn reach(&self) -> BTreeMap<HostId, Vec<(HostId, Grade)>> {
        let mut reach: BTreeMap<HostId, Vec<(HostId, Grade)>> = BTreeMap::new();
        for (subject, grade) in self.watch.hard_to_reach() {
            reach.entry(subject).or_default().push((self.me, grade));
        }
        for (observer, record) in self.health_told() {
            for subject in self.ledger.seating().subjects(&observer) {
                if let Some(grade) = record.health.grade(CheckKey::reach(subject)) {
                    reach.entry(*subject).or_default().push((observer, grade));
                }
            }
        }
        reach
    }

    /// A record speaks for the life that told it: a host that is gone, or lives anew and has nothing to tell, doubts nobody.
    pub(crate) fn health_told(&self) -> BTreeMap<HostId, HealthRecord> {
        let up = self.membership.up();
        let told = self.health.iter().filter(|(host, record)| up.get(*host) == Some(&record.boot));
        told.map(|(host, record)| (*host, record.clone())).collect()
    }

    /// What the last rounds on a subject gave, if this host held them as leader.
    pub fn last_look(&self, subject: &HostId) -> Option<&LastLook> {
        self.lead.last_look(subject)
    }

    /// Whom membership has called down since the last event was heard: an opinion, on which nothing rests (protocol 4).
    pub fn called_down(&self) -> &[HostId] {
        &self.called_down
    }

    /// Whether this host doubts anybody.
    pub fn is_any_doubted(&self) -> bool {
        self.watch.is_any_doubted()
    }

    /// Whom this host doubts now.
    pub fn doubts(&self, now: Moment) -> Vec<DoubtNote> {
        self.watch.doubts(now)
    }

    fn doubters(&self, now: Moment, subject: &HostId) -> Vec<(HostId, Span)> {
        let doubters = self.lead.rounds.doubters(subject);
        doubters.into_iter().map(|(observer, since)| (observer, now.since(since))).collect()
    }
}
