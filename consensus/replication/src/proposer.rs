//! Packs commands into entries and stamps them with the time that has passed (protocol 5, 3.7).
//!
//! Law E1: one entry is under way at a time; commands are answered in the order they were asked.
//! Law E2: an entry carries what its leader measured since its own entry before it in the same term, at most 5 s; nothing
//! from a new leader.

use std::sync::Arc;
use std::time::Duration;

use ledger::command::{Command, Entry, Outcome, Proposed};
use openraft::ServerState;
use openraft::error::{ClientWriteError, RaftError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use vocabulary::{HostId, LedgerIndex, Moment, Span};

use crate::clock::Clock;
use crate::machine::Machine;
use crate::port::ProposeFault;
use crate::pulse::Pulse;
use crate::raft::{Raft, Stamped};
use crate::state::Shown;
use crate::warden::Watch;
use crate::watch;

/// Some commands that must stand in one entry, and who waits for them.
pub(crate) struct Ask {
    commands: Vec<Proposed>,
    bytes: usize,
    findings: usize,
    answer: oneshot::Sender<Answer>,
}

pub(crate) type Answer = Result<(LedgerIndex, Vec<Outcome>), ProposeFault>;

impl Ask {
    /// A fault if no entry can hold these commands.
    pub(crate) fn new(
        commands: Vec<Proposed>,
    ) -> Result<(Self, oneshot::Receiver<Answer>), ProposeFault> {
        let bytes = commands.iter().map(|command| wire::encode(command).len()).sum();
        let findings = commands.iter().map(findings_in).sum();
        if bytes > BYTES_MAX || findings > Command::FINDINGS_MAX {
            return Err(ProposeFault::TooLarge { bytes, findings });
        }
        let (answer, answered) = oneshot::channel();
        let ask = Self { commands, bytes, findings, answer };
        Ok((ask, answered))
    }
}

pub(crate) struct Proposer<M> {
    pub(crate) raft: Raft,
    pub(crate) shown: Arc<Shown<M>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) watch: Watch,
    pub(crate) host: HostId,
    pub(crate) within: Duration,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) pulse: Arc<Pulse>,
}

/// When this leader stamped its last entry, and in which term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    term: u64,
    at: Moment,
}

impl<M: Machine> Proposer<M> {
    /// Until it is stopped or nobody can ask any more.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(TICKS_ASKED_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut held = None;
        let _life = self.pulse.life();
        loop {
            self.pulse.begin();
            let first = match held.take() {
                Some(ask) => Some(ask),
                None => tokio::select! {
                    biased;
                    _ = stop.wait_for(|stopped| *stopped) => return,
                    ask = self.asks.recv() => match ask {
                        Some(ask) => Some(ask),
                        None => return,
                    },
                    _ = ticks.tick() => None,
                },
            };
            match first {
                Some(first) => {
                    // Whoever was answered just now may ask again at once: in this entry, not in one of their own after it.
                    yield_now().await;
                    let (batch, left) = self.pack(first);
                    held = left;
                    self.commit(batch).await;
                }
                None if self.is_tick_due() => self.tick().await,
                None => {}
            }
        }
    }

    /// Takes what waits as long as it fits one entry.
    fn pack(&mut self, first: Ask) -> (Vec<Ask>, Option<Ask>) {
        let (mut bytes, mut findings) = (first.bytes, first.findings);
        let mut batch = vec![first];
        while let Ok(ask) = self.asks.try_recv() {
            bytes += ask.bytes;
            findings += ask.findings;
            if bytes > BYTES_MAX || findings > Command::FINDINGS_MAX {
                return (batch, Some(ask));
            }
            batch.push(ask);
        }
        (batch, None)
    }

    async fn commit(&mut self, mut batch: Vec<Ask>) {
        let counts: Vec<usize> = batch.iter().map(|ask| ask.commands.len()).collect();
        let commands = batch.iter_mut().flat_map(|ask| std::mem::take(&mut ask.commands)).collect();
        let answer = self.write(commands).await;
        let mut outcomes = match &answer {
            Ok((_, outcomes)) => outcomes.clone().into_iter(),
            Err(_) => Vec::new().into_iter(),
        };
        for (ask, count) in batch.into_iter().zip(counts) {
            let own = match &answer {
                Ok((index, _)) => Ok((*index, outcomes.by_ref().take(count).collect())),
                Err(fault) => Err(fault.clone()),
            };
            // An asker that has gone is told by the ledger itself.
            let _ = ask.answer.send(own);
        }
    }

    async fn tick(&mut self) {
        let tick = Proposed { by: self.host, command: Command::Tick };
        if let Err(fault) = self.write(vec![tick]).await {
            tracing::debug!(%fault, "a tick was not committed");
        }
    }

    async fn write(&mut self, commands: Vec<Proposed>) -> Answer {
        let asked = commands.len();
        let stamped = self.stamped(commands)?;
        let written = timeout(self.within, self.raft.client_write(stamped)).await;
        match written {
            Err(_) => Err(ProposeFault::TimedOut),
            Ok(Ok(written)) if written.data.0.len() == asked => {
                Ok((LedgerIndex(written.log_id.index), written.data.0))
            }
            Ok(Ok(written)) => {
                let found = written.data.0.len();
                tracing::error!(asked, found, "the ledger did not answer each command");
                Err(ProposeFault::Stopped)
            }
            Ok(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to)))) => {
                Err(ProposeFault::NotLeader { hint: to.leader_node.map(|node| node.host) })
            }
            Ok(Err(fault)) => {
                tracing::error!(%fault, "an entry could not be written");
                Err(ProposeFault::Stopped)
            }
        }
    }

    /// Law E2.
    fn stamped(&mut self, commands: Vec<Proposed>) -> Result<Stamped, ProposeFault> {
        let metrics = self.raft.metrics();
        let (term, is_leader, leader) = {
            let known = metrics.borrow();
            if known.running_state.is_err() {
                return Err(ProposeFault::Stopped);
            }
            let leader = known.current_leader;
            let hint = leader.and_then(|leader| crate::warden::host_of(&known, leader));
            (known.current_term, known.state == ServerState::Leader, hint)
        };
        // Law R7: an entry would keep the others waiting for this leader.
        let stands_down = self.watch.gate().stands_down(Instant::now());
        if !is_leader || stands_down {
            let hint = leader.filter(|_| !stands_down);
            return Err(ProposeFault::NotLeader { hint });
        }
        let at = self.clock.now();
        let elapsed = match self.stamp {
            Some(before) if before.term == term => at.since(before.at).min(Entry::ELAPSED_MAX),
            Some(_) | None => Span::ZERO,
        };
        self.stamp = Some(Stamp { term, at });
        let wall = self.clock.wall();
        let entry = Entry { elapsed, wall, commands };
        Ok(Stamped { term, entry })
    }

    /// As often as the state wants while no other entry has carried the time (protocol 5).
    fn is_tick_due(&self) -> bool {
        let Some(every) = self.shown.both().1.tick_every() else {
            return false;
        };
        let metrics = self.raft.metrics();
        let (leads, term) = {
            let known = metrics.borrow();
            (known.state == ServerState::Leader, known.current_term)
        };
        let is_leader = leads && !self.watch.gate().stands_down(Instant::now());
        let is_quiet = match self.stamp {
            Some(last) if last.term == term => {
                self.clock.now().since(last.at) >= every.less(TICK_SLACK)
            }
            Some(_) | None => true,
        };
        is_leader && is_quiet
    }
}

fn findings_in(proposed: &Proposed) -> usize {
    match &proposed.command {
        Command::Verdicts { findings, .. } => findings.len(),
        _ => 0,
    }
}

/// Most bytes of commands in one entry: what the ledger allows, less the entry's own few.
const BYTES_MAX: usize = Entry::BYTES_MAX - 64;

/// Most asks that wait; beyond, askers are told that the keeper is busy. At 16 ms an entry these are 16 seconds of the
/// smallest batches.
pub(crate) const ASKS_MAX: usize = 1_024;

/// How often it is asked whether a tick is due: as often as the shortest terms want one (protocol 5).
const TICKS_ASKED_EVERY: Duration = Duration::from_secs(1);

/// A tick may come this much earlier than it is wanted: it is asked for once in a second.
const TICK_SLACK: Span = Span::milliseconds(500);
