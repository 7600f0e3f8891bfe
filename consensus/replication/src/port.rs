//! The door to the ledger on a keeper. Cheap to clone; every clone is the same keeper.
//!
//! The daemon opens it, hands it what other keepers send, and asks it to propose, to read and to feed followers.

mod faults;
mod feed;
mod image;
mod sender;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::Ledger;
use ledger::command::{Outcome, Proposed};
use openraft::ChangeMembers;
use openraft::error::{CheckIsLeaderError, RaftError};
use openraft::raft::AppendEntriesResponse;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use vocabulary::{Digest, HostId, LedgerIndex, StoreId, Verifier};

use crate::clock::Clock;
use crate::comparing::{Comparer, Tie};
use crate::letter::{Body, Letter, Reply};
use crate::line::Lines;
use crate::link::KeeperLink;
use crate::log::KeeperLog;
use crate::machine::Machine;
use crate::proposer::{ASKS_MAX, Ask, Proposer};
use crate::pulse::{Beat, Pulse, Queue, Signs};
use crate::raft::{self, Member, Raft};
use crate::replacing::Replacer;
use crate::settings::Settings;
use crate::state::{KeeperState, Shown};
use crate::store::{Store, StoreFault};
use crate::tasks;
use crate::warden::{Warden, Watch};
use crate::watch;

pub use faults::{InitialiseFault, MemberFault, PortFault, ProposeFault, ReadFault};
pub use feed::{Feed, FeedFault};
#[cfg(test)]
pub(crate) use image::IMAGES_MAX;
pub(crate) use image::Images;
use sender::Known;
pub use sender::Sender;
pub(crate) use sender::TERM_STEP_MAX;

/// What a keeper is made of.
pub struct Opening<M> {
    /// This host.
    pub host: HostId,
    /// Its open store, with the state in it.
    pub loaded: Loaded<M>,
    /// How other keepers are called.
    pub link: Arc<dyn KeeperLink>,
    /// What a leader measures with.
    pub clock: Arc<dyn Clock>,
    /// The figures.
    pub settings: Settings,
}

/// An open store whose state has been read and checked: what may fail of them has not, and nothing is sent yet.
pub struct Loaded<M> {
    state: KeeperState<M>,
    store: Store,
}

impl<M: Machine> Loaded<M> {
    /// Reads the state; `machine` is the empty ledger, `verifier` what it checks signatures with.
    pub async fn read(
        store: Store,
        verifier: Arc<dyn Verifier>,
        machine: M,
    ) -> Result<Self, PortFault> {
        let state = KeeperState::load(store.clone(), verifier, machine);
        let state = state.await.map_err(PortFault::Store)?;
        Ok(Self { state, store })
    }
}

/// Who leads, as far as this keeper knows now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    /// The leader that was heard within the last election timeout.
    pub leader: Option<HostId>,
    /// Raft's term here.
    pub term: u64,
    /// This keeper leads, a majority has acknowledged it within the last election timeout, and everything that was
    /// acknowledged before its term is applied.
    pub am_leader: bool,
}

/// A keeper's ledger.
pub struct LedgerPort<M = Ledger> {
    inside: Arc<Inside<M>>,
}

impl<M> Clone for LedgerPort<M> {
    fn clone(&self) -> Self {
        Self { inside: self.inside.clone() }
    }
}

/// What a keeper has around it.
type Around = (HostId, Arc<dyn KeeperLink>, Arc<dyn Clock>, Settings);

struct Inside<M> {
    host: HostId,
    raft: Raft,
    store: Store,
    shown: Arc<Shown<M>>,
    watch: Watch,
    leadership: watch::Receiver<Leadership>,
    asks: mpsc::Sender<Ask>,
    stop: watch::Sender<bool>,
    settings: Settings,
    pulses: Pulses,
}

/// Of the tasks beside Raft.
struct Pulses {
    proposer: Arc<Pulse>,
    warden: Arc<Pulse>,
    replacer: Arc<Pulse>,
    comparer: Arc<Pulse>,
}

impl Pulses {
    fn new() -> Self {
        let ticker = Pulse::of_ticker;
        let (proposer, warden, replacer) = (ticker(), ticker(), ticker());
        Self { proposer, warden, replacer, comparer: Pulse::of_worker() }
    }
}

impl<M: Machine> LedgerPort<M> {
    /// Starts this keeper on its store; it votes only if it is a voter of a founded ledger.
    pub async fn open(opening: Opening<M>) -> Result<Self, PortFault> {
        let Opening { host, loaded: Loaded { state, store }, link, clock, settings } = opening;
        settings.check().map_err(PortFault::Settings)?;
        let shown = state.shown();
        shown.compared().begin(settings.compared_every);
        let lines = Lines { link: link.clone(), from: store.id(), pause: settings.heartbeat };
        let config = raft::config(&settings);
        let raft = Raft::new(store.id().0, config, lines, KeeperLog::on(store.clone()), state)
            .await
            .map_err(|fault| PortFault::Raft(fault.to_string()))?;
        Ok(Self::set_to_work((host, link, clock, settings), store, raft, shown))
    }

    /// Starts the tasks beside Raft: who leads, which stores carry the ledger, and what is proposed.
    fn set_to_work(around: Around, store: Store, raft: Raft, shown: Arc<Shown<M>>) -> Self {
        let (host, link, clock, settings) = around;
        let (own, watch) = (store.id().0, Watch::new(store.id().0, &settings));
        let (stop, stopped) = watch::channel(false);
        let (told, leadership) = watch::channel(Leadership::default());
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let pulses = Pulses::new();
        let warden = Warden {
            raft: raft.clone(),
            own,
            link,
            watch: watch.clone(),
            leadership: told,
            settings: settings.clone(),
            pulse: Arc::clone(&pulses.warden),
        };
        let proposer = Proposer {
            raft: raft.clone(),
            shown: shown.clone(),
            clock,
            watch: watch.clone(),
            host,
            within: settings.propose_within,
            stamp: None,
            asks: asked,
            pulse: Arc::clone(&pulses.proposer),
        };
        let replacer = Replacer {
            raft: raft.clone(),
            shown: shown.clone(),
            leadership: leadership.clone(),
            asks: asks.clone(),
            host,
            within: settings.propose_within,
            pulse: Arc::clone(&pulses.replacer),
        };
        let comparer = Comparer::beside(&warden, &store, shown.compared().clone());
        tasks::spawn(warden.run(stopped.clone()));
        tasks::spawn(pulses.comparer.of_task(comparer.run(stopped.clone())));
        tasks::spawn(replacer.run(stopped.clone()));
        tasks::spawn(proposer.run(stopped));
        Self {
            inside: Arc::new(Inside {
                host,
                raft,
                store,
                shown,
                watch,
                leadership,
                asks,
                stop,
                settings,
                pulses,
            }),
        }
    }

    /// Founds the ledger's Raft with these voters, once for ever (protocol 1.4): `hale init` alone calls this, on one keeper.
    pub async fn initialise(
        &self,
        voters: BTreeMap<StoreId, HostId>,
    ) -> Result<(), InitialiseFault> {
        let own = self.inside.store.id();
        if voters.get(&own) != Some(&self.inside.host) {
            return Err(InitialiseFault::NotAmongVoters);
        }
        let hosts: BTreeSet<HostId> = voters.values().copied().collect();
        if hosts.len() != voters.len() {
            return Err(InitialiseFault::HostTwice);
        }
        let members: BTreeMap<u64, Member> =
            voters.into_iter().map(|(store, host)| (store.0, Member { host })).collect();
        match self.inside.raft.initialize(members).await {
            Ok(()) => Ok(()),
            Err(RaftError::APIError(_)) => Err(InitialiseFault::AlreadyFounded),
            Err(RaftError::Fatal(why)) => Err(InitialiseFault::Stopped(why.to_string())),
        }
    }

    /// Whether this keeper's Raft was ever founded.
    pub fn is_initialised(&self) -> bool {
        let metrics = self.inside.raft.metrics();
        let known = metrics.borrow();
        known.membership_config.membership().voter_ids().count() > 0
    }

    /// Whether this keeper's store belongs to a founded ledger, as far as it knows, and its Raft runs. While it does not, its state
    /// stands still: the host follows other keepers, as any host does.
    pub fn serves(&self) -> bool {
        let metrics = self.inside.raft.metrics();
        let known = metrics.borrow();
        let membership = known.membership_config.membership();
        known.running_state.is_ok() && membership.get_node(&self.inside.store.id().0).is_some()
    }

    /// Whether no leader has spoken to it for long: its vote may have gone to another host while it was away (protocol 1.10), so that
    /// nobody speaks to it any more. It follows others beside its own Raft until one does.
    pub fn is_left_behind(&self) -> bool {
        self.inside.watch.gate().is_left_behind(Instant::now())
    }

    /// Whether it campaigns no more: the ledger, as others have it, gives its host no vote, and they know who leads.
    pub fn rest(&self, rests: bool) {
        self.inside.watch.gate().rest(rests);
    }

    /// Puts one command into the ledger: where it stands and what the ledger said.
    pub async fn propose(
        &self,
        proposed: Proposed,
    ) -> Result<(LedgerIndex, Outcome), ProposeFault> {
        let (index, outcomes) = self.propose_all(vec![proposed]).await?;
        let outcome = outcomes.into_iter().next();
        Ok((index, outcome.ok_or(ProposeFault::Stopped)?))
    }

    /// Puts these commands into one entry of the ledger, in their order.
    pub async fn propose_all(
        &self,
        commands: Vec<Proposed>,
    ) -> Result<(LedgerIndex, Vec<Outcome>), ProposeFault> {
        if *self.inside.stop.borrow() {
            return Err(ProposeFault::Stopped);
        }
        let (ask, answered) = Ask::new(commands)?;
        self.inside.asks.try_send(ask).map_err(|fault| match fault {
            mpsc::error::TrySendError::Full(_) => ProposeFault::Busy,
            mpsc::error::TrySendError::Closed(_) => ProposeFault::Stopped,
        })?;
        // One entry may be under way before ours.
        let within = self.inside.settings.propose_within * 2;
        match timeout(within, answered).await {
            Err(_) => Err(ProposeFault::TimedOut),
            Ok(Err(_)) => Err(ProposeFault::Stopped),
            Ok(Ok(answer)) => answer,
        }
    }

    /// An index whose state holds everything that was acknowledged before this call (a linearizable read); this keeper's
    /// own state is there already when it answers. Only a leader that a majority still follows can say.
    pub async fn read_index(&self) -> Result<LedgerIndex, ReadFault> {
        if self.inside.watch.gate().stands_down(Instant::now()) {
            return Err(ReadFault::NotLeader { hint: None });
        }
        let asked = self.inside.raft.ensure_linearizable();
        match timeout(self.inside.settings.propose_within, asked).await {
            Err(_) => Err(ReadFault::NoMajority),
            Ok(Ok(_)) => Ok(self.inside.shown.both().1.index()),
            Ok(Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(to)))) => {
                Err(ReadFault::NotLeader { hint: to.leader_node.map(|node| node.host) })
            }
            Ok(Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_)))) => {
                Err(ReadFault::NoMajority)
            }
            Ok(Err(RaftError::Fatal(_))) => Err(ReadFault::Stopped),
        }
    }

    /// Gives the lead up for two election timeouts, so that another keeper takes it (protocol 1.5); whether there is one that
    /// could. A keeper that does not lead has nothing to give up.
    pub fn stand_down(&self) -> bool {
        let metrics = self.inside.raft.metrics();
        let has_others = metrics.borrow().membership_config.voter_ids().count() > 1;
        let stands_down = has_others && self.inside.leadership.borrow().am_leader;
        if stands_down {
            self.inside.watch.gate().stand_down(Instant::now());
            self.inside.raft.runtime_config().heartbeat(false);
        }
        stands_down
    }

    /// The committed state; a kept `Arc` stays as it was.
    pub fn watch(&self) -> watch::Receiver<Arc<M>> {
        self.inside.shown.watch()
    }

    /// Who leads.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.inside.leadership.clone()
    }

    /// The answer to [`wire::Request::Standing`]: whether a leader was heard within the last election timeout.
    pub fn has_live_leader(&self) -> bool {
        self.inside.watch.gate().has_live_leader(Instant::now())
    }

    /// The answer to [`wire::Request::StateAt`]: the digest of this keeper's state after that entry, while it is remembered.
    pub fn state_at(&self, index: LedgerIndex) -> Option<Digest> {
        self.inside.shown.compared().digest(index)
    }

    /// What the keepers could not decide when they last compared their states; a person must find out.
    pub fn tie(&self) -> Option<Tie> {
        self.inside.shown.compared().tie()
    }

    /// Says so when the store has failed: this keeper votes no more and needs a person (protocol 1.8).
    pub fn fault(&self) -> watch::Receiver<Option<StoreFault>> {
        self.inside.store.fault()
    }

    /// Whether its tasks and its thread get on.
    pub fn signs(&self) -> Signs {
        let inside = &self.inside;
        let metrics = inside.raft.metrics();
        let raft = move || {
            let known = metrics.borrow();
            Beat { count: 0, is_busy: false, is_gone: known.running_state.is_err() }
        };
        let mut queues = vec![Queue::of_channel("proposals", &inside.asks)];
        queues.extend(inside.store.queue());
        Signs {
            store: inside.store.pulse(),
            proposer: Arc::clone(&inside.pulses.proposer),
            warden: Arc::clone(&inside.pulses.warden),
            replacer: Arc::clone(&inside.pulses.replacer),
            comparer: Arc::clone(&inside.pulses.comparer),
            raft: Box::new(raft),
            queues,
        }
    }

    /// This keeper's store id, for its [`ledger::command::Command::Boot`] and its hello.
    pub fn store(&self) -> StoreId {
        self.inside.store.id()
    }

    /// How many entries the log holds.
    #[cfg(test)]
    pub(crate) async fn entries_kept(&self) -> u64 {
        let count = |shelf: &mut crate::shelf::Shelf| {
            let index = |id: Option<raft::LogId>| id.map_or(0, |id| id.index);
            Ok(index(shelf.last()) - index(shelf.purged()))
        };
        self.inside.store.ask(count).await.unwrap_or(u64::MAX)
    }

    /// The voters and learners as this keeper knows them, with whether each votes.
    pub fn members(&self) -> BTreeMap<StoreId, (HostId, bool)> {
        let metrics = self.inside.raft.metrics();
        let known = metrics.borrow();
        let membership = known.membership_config.membership();
        let voters: BTreeSet<u64> = membership.voter_ids().collect();
        membership
            .nodes()
            .map(|(store, node)| (StoreId(*store), (node.host, voters.contains(store))))
            .collect()
    }

    #[cfg(test)]
    pub(crate) fn images_held(&self) -> usize {
        self.inside.shown.images().held()
    }

    /// The ledger from this entry on, for a follower ([`wire::Request::Follow`]). One that claims to stand beyond a leader, which
    /// has all that was ever acknowledged, has another ledger and is sent this one from its beginning.
    pub fn follow(&self, from: LedgerIndex, audit: Option<Digest>) -> Feed<M> {
        let is_beyond = from > self.inside.shown.both().0.next();
        let (store, shown) = (self.inside.store.clone(), self.inside.shown.clone());
        let stop = self.inside.stop.subscribe();
        if is_beyond && self.inside.leadership.borrow().am_leader {
            return Feed::anew(store, shown, stop, LedgerIndex(from.0.saturating_sub(1)));
        }
        Feed::new(store, shown, stop, (from, audit))
    }

    /// Answers the bytes of one [`wire::Request::Raft`] that `from` sent.
    pub async fn on_raft(&self, bytes: &[u8], from: Sender) -> Vec<u8> {
        let reply = match wire::decode::<Letter>(bytes) {
            Ok(letter) => match self.objection(&letter, from) {
                Some(why) => Reply::Refused(why),
                None => self.answer(letter.body).await,
            },
            Err(why) => Reply::Refused(format!("the letter cannot be read: {why}")),
        };
        if let Reply::Refused(why) = &reply {
            tracing::debug!(?from, %why, "a Raft message is refused");
        }
        wire::encode(&reply)
    }

    /// Adds a keeper that does not vote yet; returns once it is known to all.
    pub async fn add_learner(&self, store: StoreId, host: HostId) -> Result<(), MemberFault> {
        let node = Member { host };
        let added = self.inside.raft.add_learner(store.0, node, false).await;
        added.map(drop).map_err(MemberFault::from)
    }

    /// Makes exactly these stores, learners or voters before, the voters; the others go.
    pub async fn change_voters(&self, voters: BTreeSet<StoreId>) -> Result<(), MemberFault> {
        let voters: BTreeSet<u64> = voters.into_iter().map(|store| store.0).collect();
        let change = ChangeMembers::ReplaceAllVoters(voters);
        let changed = self.inside.raft.change_membership(change, false).await;
        changed.map(drop).map_err(MemberFault::from)
    }

    /// Stops, writes what is held back and lets go of the disk.
    pub async fn shutdown(&self) -> Result<(), StoreFault> {
        self.inside.stop.send_replace(true);
        if let Err(why) = self.inside.raft.shutdown().await {
            tracing::error!(%why, "Raft did not stop cleanly");
        }
        self.inside.store.close().await
    }

    async fn answer(&self, body: Body) -> Reply {
        match body {
            Body::Append(append) => match self.inside.raft.append_entries(append).await {
                Ok(reply) => {
                    // Whoever's vote is not below ours is our leader.
                    if !matches!(reply, AppendEntriesResponse::HigherVote(_)) {
                        self.inside.watch.gate().heard_leader(Instant::now());
                    }
                    Reply::Append(reply)
                }
                Err(why) => Reply::Refused(why.to_string()),
            },
            Body::Vote(vote) => match self.inside.raft.vote(vote).await {
                Ok(reply) => Reply::Vote(reply),
                Err(why) => Reply::Refused(why.to_string()),
            },
            Body::Image(image) => {
                let vote = image.vote;
                match self.inside.raft.install_snapshot(image).await {
                    Ok(reply) => {
                        if reply.vote <= vote {
                            self.inside.watch.gate().heard_leader(Instant::now());
                        }
                        Reply::Image(reply)
                    }
                    Err(RaftError::APIError(fault)) => Reply::ImageMismatch(fault),
                    Err(RaftError::Fatal(why)) => Reply::Refused(why.to_string()),
                }
            }
        }
    }

    /// Why a letter is not even looked at (protocol 1.4).
    fn objection(&self, letter: &Letter, from: Sender) -> Option<String> {
        let machine = self.inside.shown.both().1;
        let committed =
            machine.boot_of(&from.host).map(|boot| (boot, machine.store_of(&from.host)));
        let metrics = self.inside.raft.metrics();
        if metrics.borrow().running_state.is_err() {
            // openraft would log an error for each of them, for as long as this host lives on as a follower.
            return Some("Raft has ended at this keeper".to_owned());
        }
        let own = self.inside.store.id().0;
        Known { own, metrics: &metrics.borrow(), committed }.objection(letter, from)
    }
}
