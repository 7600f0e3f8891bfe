//! Watches who leads, tells everybody, and holds the election gate: one task, ten looks a second.
//!
//! Not here: the rule of the gate (see `gate`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft::{RaftMetrics, ServerState};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use vocabulary::HostId;
use wire::{Request, Response};

use crate::gate::Gate;
use crate::link::KeeperLink;
use crate::port::Leadership;
use crate::pulse::Pulse;
use crate::raft::{Member, Raft};
use crate::settings::Settings;
use crate::tasks::tethered;
use crate::watch;

/// The gate, shared between the task and the door through which leaders speak.
#[derive(Clone)]
pub(crate) struct Watch {
    gate: Arc<Mutex<Gate>>,
}

impl Watch {
    pub(crate) fn new(own: u64, settings: &Settings) -> Self {
        let gate = Gate::new(own, settings, Instant::now());
        Self { gate: Arc::new(Mutex::new(gate)) }
    }

    pub(crate) fn gate(&self) -> MutexGuard<'_, Gate> {
        // The gate holds plain values; a panic between two of them leaves a closed gate at worst.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Warden {
    pub(crate) raft: Raft,
    pub(crate) own: u64,
    pub(crate) link: Arc<dyn KeeperLink>,
    pub(crate) watch: Watch,
    pub(crate) leadership: watch::Sender<Leadership>,
    pub(crate) settings: Settings,
    pub(crate) pulse: Arc<Pulse>,
}

type Metrics = RaftMetrics<u64, Member>;
type Calls = JoinSet<(u64, Option<bool>)>;

impl Warden {
    /// Until Raft stops or everybody has gone.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut metrics = self.raft.metrics();
        let mut looks = interval(self.settings.heartbeat);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut calls = Calls::new();
        let mut asked = BTreeSet::new();
        let _life = self.pulse.life();
        loop {
            self.pulse.begin();
            let is_look = tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => return,
                Some(call) = calls.join_next(), if !calls.is_empty() => {
                    // A call that panicked is a call without an answer; its voter is asked again when all are back.
                    if let Ok((voter, answer)) = call {
                        asked.remove(&voter);
                        if let Some(has_leader) = answer {
                            self.watch.gate().answered(voter, Instant::now(), has_leader);
                        }
                    }
                    false
                }
                changed = metrics.changed() => match changed {
                    Ok(()) => false,
                    Err(_) => return,
                },
                _ = looks.tick() => true,
            };
            if calls.is_empty() {
                asked.clear();
            }
            let known = metrics.borrow_and_update().clone();
            self.tell(&known);
            let is_alone = !self.watch.gate().has_live_leader(Instant::now());
            if is_look && is_alone && !self.watch.gate().rests() {
                self.ask_around(&known, &mut calls, &mut asked);
            }
            self.hold_gate(&known);
        }
    }

    fn tell(&self, known: &Metrics) {
        let now = Instant::now();
        let is_acknowledged = known.state == ServerState::Leader
            && !self.watch.gate().stands_down(now)
            && known
                .millis_since_quorum_ack
                .is_some_and(|ms| u128::from(ms) < self.settings.election_max.as_millis());
        if is_acknowledged {
            self.watch.gate().heard_leader(now);
        }
        // A leader whose own term has nothing applied yet does not know what was acknowledged before it.
        let has_begun =
            known.last_applied.is_some_and(|last| last.leader_id.term == known.current_term);
        let is_live = known.running_state.is_ok() && self.watch.gate().has_live_leader(now);
        let told = Leadership {
            leader: known
                .current_leader
                .filter(|_| is_live)
                .and_then(|leader| host_of(known, leader)),
            term: known.current_term,
            am_leader: is_acknowledged && has_begun,
        };
        self.leadership.send_if_modified(|before| {
            let is_new = *before != told;
            *before = told;
            is_new
        });
    }

    fn ask_around(&self, known: &Metrics, calls: &mut Calls, asked: &mut BTreeSet<u64>) {
        for (voter, host) in voters_of(known) {
            if voter == self.own || !asked.insert(voter) {
                continue;
            }
            let link = self.link.clone();
            calls.spawn(tethered(async move {
                let answer = link.call(host, Request::Standing, ASK_WITHIN).await;
                match answer {
                    Ok(Response::Standing { has_leader }) => (voter, Some(has_leader)),
                    Ok(_) | Err(_) => (voter, None),
                }
            }));
        }
    }

    fn hold_gate(&self, known: &Metrics) {
        let voters: BTreeSet<u64> = known.membership_config.voter_ids().collect();
        let now = Instant::now();
        self.watch.gate().reached_term(now, known.current_term);
        let is_open = self.watch.gate().is_open(now, &voters);
        self.raft.runtime_config().elect(is_open);
        // Law R7: openraft 0.9 hands no lead over; without heartbeats its followers look for another.
        self.raft.runtime_config().heartbeat(!self.watch.gate().stands_down(now));
    }
}

pub(crate) fn voters_of(known: &Metrics) -> Vec<(u64, HostId)> {
    let membership = known.membership_config.membership();
    membership
        .voter_ids()
        .filter_map(|voter| Some((voter, membership.get_node(&voter)?.host)))
        .collect()
}

pub(crate) fn host_of(known: &Metrics, store: u64) -> Option<HostId> {
    let node = known.membership_config.membership().get_node(&store)?;
    Some(node.host)
}

/// For how long `Standing?` may be under way: half of the second for which its answer counts.
const ASK_WITHIN: Duration = Duration::from_millis(500);
