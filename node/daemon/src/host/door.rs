//! The ledger as this host reaches it: its own Raft where it is a keeper, else through the keepers.
//!
//! Law L4: a proposal goes to whoever leads, or fails; it is never kept for later.
//! Not here: what is proposed (see `agent`), what other hosts ask (see `serve`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ledger::Ledger;
use ledger::command::{Command, Outcome, Proposed};
use replication::{
    Follower, KeeperLink, LedgerPort, LinkFault, ProposeFault, ReadFault, Sender, TakeFault, watch,
};
use tokio::time::{Instant, sleep, timeout_at};
use vocabulary::{Boot, CertificateChain, HostId, LedgerIndex, StoreId};
use wire::{LeaderHint, Leading, Request, Response, Unavailable};

use super::keeper_notes;
use super::raising::{Followers, HeldBack};
use super::unwelcome::Unwelcome;
use crate::poison::Held;
use crate::poison::trial::{self, Place};
use crate::transport::{Answered, CallFault, Peer, Transport};

/// Between two tries to find a leader.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// One try to reach one keeper: a dead one must not use up the whole time.
const TRY_WITHIN: Duration = Duration::from_secs(1);

/// A way to the ledger; cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inside>);

pub(super) struct Inside {
    pub me: HostId,
    pub transport: Transport,
    /// This host's own Raft, if its certificate makes it a keeper.
    pub port: Option<LedgerPort<Ledger>>,
    pub follower: Mutex<Follower<Ledger>>,
    pub state: watch::Sender<Arc<Ledger>>,
    pub leading: watch::Sender<Leading>,
    pub unwelcome: Unwelcome,
    /// Why the followed ledger stands still, if it does.
    stands: Mutex<Option<String>>,
    /// Connected hosts whose certificates make them keepers, with their stores: the way to a ledger that is not yet known.
    keepers: Mutex<BTreeMap<HostId, Peer>>,
    followers: Followers,
    held_back: watch::Sender<HeldBack>,
}

impl Door {
    /// Nothing is known yet but what the follower begins with.
    pub fn new(
        transport: Transport,
        port: Option<LedgerPort<Ledger>>,
        follower: Follower<Ledger>,
    ) -> Self {
        Self(Arc::new(Inside {
            me: transport.host(),
            transport,
            port,
            state: watch::Sender::new(Arc::clone(&follower.watch().borrow())),
            follower: Mutex::new(follower),
            leading: watch::Sender::new(Leading::default()),
            unwelcome: Unwelcome::default(),
            stands: Mutex::default(),
            keepers: Mutex::default(),
            followers: Followers::default(),
            held_back: watch::Sender::default(),
        }))
    }

    /// The committed state as it comes in.
    pub fn state(&self) -> watch::Receiver<Arc<Ledger>> {
        self.0.state.subscribe()
    }

    /// Who leads, as far as this host knows.
    pub fn leading(&self) -> watch::Receiver<Leading> {
        self.0.leading.subscribe()
    }

    /// What an operator must know of this host's way to the ledger, one line each.
    pub fn notes(&self) -> Vec<String> {
        let known = Arc::clone(&self.0.state.borrow());
        let own = self.0.port.iter().flat_map(|port| keeper_notes::of(port, (self.0.me, &known)));
        let is_alone = !self.is_member() && held(&self.0.follower).is_unconfirmed();
        let kept = is_alone.then(|| {
            let index = known.index();
            format!("no keeper has answered yet: this is the ledger as this host kept it, up to entry {index}")
        });
        let still = held(&self.0.stands).clone();
        let still = still.map(|why| format!("the ledger stands still at this host: {why}"));
        own.chain(kept).chain(still).collect()
    }

    pub(super) fn inside(&self) -> &Inside {
        &self.0
    }

    /// A piece of the ledger was taken, or will never be for this reason: that is said once.
    pub(super) fn stands_still(&self, why: Option<&TakeFault>) {
        let mut stands = held(&self.0.stands);
        if let (Some(why), None) = (why, &*stands) {
            tracing::error!(
                "the ledger stands still at this host, whichever keeper it asks: {why}"
            );
        }
        *stands = why.map(ToString::to_string);
    }

    /// Whether this host's own Raft is part of the founded ledger, and runs: a keeper whose store has failed follows others.
    pub fn is_member(&self) -> bool {
        self.0.port.as_ref().is_some_and(LedgerPort::serves)
    }

    /// This host's own Raft.
    pub fn port(&self) -> Option<&LedgerPort<Ledger>> {
        self.0.port.as_ref()
    }

    /// Whether others can follow the ledger through this host: not while it follows others itself and has no vote, as they say.
    pub fn feeds(&self) -> bool {
        self.is_member() && !(self.has_no_vote() && self.follows_others())
    }

    /// Whether the ledger that is known here gives this host no vote, and the stores have followed that.
    fn has_no_vote(&self) -> bool {
        let state = self.0.state.borrow();
        state.is_founded() && !state.may_lead(&self.0.me)
    }

    /// Whom this keeper feeds.
    pub fn followers(&self) -> &Followers {
        &self.0.followers
    }

    /// Who holds newer rules back, while this host leads.
    pub fn held_back(&self) -> HeldBack {
        self.0.held_back.borrow().clone()
    }

    /// Whether this is news.
    pub(super) fn tell_held_back(&self, by: HeldBack) -> bool {
        self.0.held_back.send_if_modified(|known| {
            let is_news = *known != by;
            *known = by;
            is_news
        })
    }

    /// Who does not admit this host.
    pub(super) fn unwelcome(&self) -> &Unwelcome {
        &self.0.unwelcome
    }

    /// A peer is connected: it may be a keeper.
    pub fn met(&self, peer: &Peer) {
        self.0.unwelcome.admitted(&peer.host);
        if peer.claims.roles.keeper {
            held(&self.0.keepers).insert(peer.host, peer.clone());
        }
    }

    /// A peer is gone.
    pub fn parted(&self, host: &HostId) {
        held(&self.0.keepers).remove(host);
    }

    /// A connected keeper by name, for the founding: what its certificate and its hello say.
    pub fn keeper_named(&self, name: &str) -> Option<Peer> {
        let keepers = held(&self.0.keepers);
        keepers.values().find(|peer| peer.claims.host.as_str() == name).cloned()
    }

    /// The certificates of a connected host.
    pub fn certificate(&self, host: HostId) -> Option<CertificateChain> {
        self.0.transport.certificate(host)
    }

    /// The voters, else the keepers that are connected; never this host.
    pub fn keepers(&self) -> Vec<HostId> {
        let voters = self.0.state.borrow().voters().to_vec();
        if voters.is_empty() { self.connected_keepers() } else { self.others(voters) }
    }

    /// Those that are connected by their certificates, for a host whose voters are none any more: all votes may have moved while it was
    /// away.
    pub(super) fn connected_keepers(&self) -> Vec<HostId> {
        let connected = held(&self.0.keepers).keys().copied().collect();
        self.others(connected)
    }

    fn others(&self, hosts: Vec<HostId>) -> Vec<HostId> {
        hosts.into_iter().filter(|host| *host != self.0.me).collect()
    }

    /// Whether the ledger that is known here counts this host among its voters; `None` before the founding is known.
    pub fn is_voter(&self, host: &HostId) -> Option<bool> {
        let state = self.0.state.borrow();
        let voters = state.voters();
        (!voters.is_empty()).then(|| voters.contains(host))
    }

    /// A peer as its connection says who it is, with what the ledger that is known here says of it.
    pub(super) fn sender(&self, host: HostId, (boot, store): (Boot, Option<StoreId>)) -> Sender {
        let state = self.0.state.borrow();
        let entry = state.roster().get(&host);
        let is_it = |known: Boot| known == boot || known.number < boot.number;
        let is_told =
            entry.is_some_and(|entry| entry.boot.is_some_and(is_it) && entry.store == store);
        let voters = state.voters();
        let is_voter = (!voters.is_empty()).then(|| voters.contains(&host));
        Sender { host, boot, store, is_voter, had_a_vote: state.had_a_vote(&host), is_told }
    }

    /// Whether the ledger comes here from others: this host carries none, or has a store of it to which no leader has spoken for long.
    pub fn follows_others(&self) -> bool {
        let is_left_behind = self.0.port.as_ref().is_some_and(LedgerPort::is_left_behind);
        !self.is_member() || is_left_behind
    }

    /// Whether this host's own Raft campaigns no more: others who know the leader say that it has no vote (law R12).
    pub(super) fn let_rest(&self, told: Option<Leading>) {
        let Some(port) = &self.0.port else { return };
        let is_led = told.is_some_and(|told| told.leader.is_some());
        let has_no_vote = self.has_no_vote();
        port.rest(is_led && has_no_vote && self.follows_others());
    }

    /// Puts a command into the ledger in the name of this host. `None`: nobody knows whether it is committed.
    pub async fn propose(
        &self,
        command: Command,
        within: Duration,
    ) -> Option<(LedgerIndex, Outcome)> {
        let deadline = Instant::now() + within;
        let mut ask = Seeker::new(self);
        while let Some(to) = ask.next(deadline).await {
            let answer = timeout_at(deadline, self.propose_to(to, &command)).await.ok()?;
            match answer {
                Asked::Answered(committed) => return Some(committed),
                Asked::Unknown => return None,
                Asked::Elsewhere(hint) => ask.follow(hint),
            }
        }
        None
    }

    /// Waits until the local state holds everything that was acknowledged before this call.
    pub async fn read_index(&self, within: Duration) -> Option<LedgerIndex> {
        let deadline = Instant::now() + within;
        let mut ask = Seeker::new(self);
        while let Some(to) = ask.next(deadline).await {
            match timeout_at(deadline, self.read_at(to)).await.ok()? {
                Asked::Answered(index) => {
                    let mut state = self.state();
                    let reached = state.wait_for(|ledger| ledger.index() >= index);
                    return timeout_at(deadline, reached).await.ok()?.ok().map(|_| index);
                }
                Asked::Unknown => {}
                Asked::Elsewhere(hint) => ask.follow(hint),
            }
        }
        None
    }

    async fn propose_to(&self, to: HostId, command: &Command) -> Asked<(LedgerIndex, Outcome)> {
        if to == self.0.me {
            let Some(port) = &self.0.port else {
                return Asked::Elsewhere(None);
            };
            let proposed = Proposed { by: self.0.me, command: command.clone() };
            return match port.propose(proposed).await {
                Ok(committed) => Asked::Answered(committed),
                Err(ProposeFault::NotLeader { hint }) => Asked::Elsewhere(hint),
                Err(ProposeFault::Busy | ProposeFault::TooLarge { .. }) => Asked::Elsewhere(None),
                Err(ProposeFault::TimedOut | ProposeFault::Stopped) => Asked::Unknown,
            };
        }
        let request = Request::Propose(wire::encode(command));
        let answered = self.0.transport.ask(to, request, TRY_WITHIN * 3).await;
        let (answer, _held) = held_apart(answered);
        match answer {
            Ok(Response::Outcome { index, outcome }) => match wire::decode(&outcome) {
                Ok(outcome) => Asked::Answered((index, outcome)),
                Err(_) => Asked::Unknown,
            },
            Ok(Response::Unavailable(Unavailable::NotLeader(LeaderHint { leader }))) => {
                Asked::Elsewhere(leader)
            }
            Ok(Response::Unavailable(Unavailable::TooLate)) => Asked::Unknown,
            Err(fault) if is_unsent(&fault) => Asked::Elsewhere(None),
            Ok(_) => Asked::Elsewhere(None),
            Err(_) => Asked::Unknown,
        }
    }

    async fn read_at(&self, to: HostId) -> Asked<LedgerIndex> {
        if to == self.0.me {
            let Some(port) = &self.0.port else {
                return Asked::Elsewhere(None);
            };
            return match port.read_index().await {
                Ok(index) => Asked::Answered(index),
                Err(ReadFault::NotLeader { hint }) => Asked::Elsewhere(hint),
                Err(ReadFault::NoMajority | ReadFault::Stopped) => Asked::Elsewhere(None),
            };
        }
        let answered = self.0.transport.ask(to, Request::ReadIndex, TRY_WITHIN).await;
        let (answer, _held) = held_apart(answered);
        trial::stumble(Place::Answer);
        match answer {
            Ok(Response::Index(index)) => Asked::Answered(index),
            Ok(Response::Unavailable(Unavailable::NotLeader(hint))) => {
                Asked::Elsewhere(hint.leader)
            }
            Ok(_) | Err(_) => Asked::Elsewhere(None),
        }
    }
}

/// What one host said to a question that only the leader can answer.
enum Asked<T> {
    Answered(T),
    /// Not there; perhaps at this host.
    Elsewhere(Option<HostId>),
    /// It may have been done.
    Unknown,
}

/// Finds the leader: first who is known to lead, then each hint, then every keeper in turn.
struct Seeker<'a> {
    door: &'a Door,
    hint: Option<HostId>,
    tries: usize,
}

impl<'a> Seeker<'a> {
    fn new(door: &'a Door) -> Self {
        let hint = door.0.leading.borrow().leader;
        Self { door, hint, tries: 0 }
    }

    fn follow(&mut self, hint: Option<HostId>) {
        self.hint = hint;
    }

    /// Whom to ask next; `None` once the time is over.
    async fn next(&mut self, deadline: Instant) -> Option<HostId> {
        loop {
            if self.tries > 0 {
                sleep(AGAIN_AFTER).await;
            }
            if Instant::now() >= deadline {
                return None;
            }
            self.tries += 1;
            let mut candidates = self.door.keepers();
            candidates.extend(self.door.is_member().then_some(self.door.0.me));
            let known = self.hint.take().or_else(|| self.door.0.leading.borrow().leader);
            // A hint that did not help twice running is not asked a third time before the others.
            let known = known.filter(|_| !self.tries.is_multiple_of(3));
            let count = candidates.len().max(1);
            if let Some(to) = known.or_else(|| candidates.get(self.tries % count).copied()) {
                return Some(to);
            }
        }
    }
}

/// An answer, and the hold on it while it is read (protocol 1.9).
fn held_apart(
    answered: Result<Answered, CallFault>,
) -> (Result<Response, CallFault>, Option<Held>) {
    match answered {
        Ok(Answered { response, input }) => (Ok(response), Some(input.hold())),
        Err(fault) => (Err(fault), None),
    }
}

/// Whether the other side has surely not acted on it.
fn is_unsent(fault: &CallFault) -> bool {
    matches!(
        fault,
        CallFault::NoAddress
            | CallFault::Denied
            | CallFault::Busy(_)
            | CallFault::NotDialled(_)
            | CallFault::Untrusted(_)
            | CallFault::NotInForce { .. }
            | CallFault::Stranger(_)
            | CallFault::Refused(_)
            | CallFault::TooNew { .. }
            | CallFault::Closing
    )
}

pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds it can panic half way; the state is whole in any case.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How this host's Raft calls the others.
pub struct Line(pub Transport);

#[async_trait]
impl KeeperLink for Line {
    async fn call(
        &self,
        keeper: HostId,
        request: Request,
        within: Duration,
    ) -> Result<Response, LinkFault> {
        self.0.request(keeper, request, within).await.map_err(|fault| match fault {
            CallFault::TooLate => LinkFault::TimedOut,
            fault if is_unsent(&fault) => LinkFault::Unreachable(fault.to_string()),
            fault => LinkFault::Broken(fault.to_string()),
        })
    }
}
