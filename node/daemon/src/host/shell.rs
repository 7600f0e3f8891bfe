//! The loop of one host: what comes from the world goes to the mind, what the mind wants goes to the hands.
//!
//! Law E1 (see `agent::event`): effects are performed in order.
//! Not here: any decision.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use agent::{Agent, AskId, Effect, Event, LifeEnd, Renewed};
use detection::roster::Roster;
use replication::watch;
use replication::{Clock, tasks};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use vocabulary::{HostId, Moment, Span};
use wire::{HelloRefusal, Leading, Response, Unavailable};

use super::chronicle::Chronicle;
use super::hands::{Ended, Hands};
use super::inquiry::Inquiry;
use super::serve;
use super::socket_watch::SocketWatch;
use crate::poison::Input;
use crate::poison::trial::{self, Place};
use crate::selfwatch::{Doing, Orders, SelfWatch};
use crate::transport::{Incoming, Presented, Reply};

/// Asks of other hosts that the mind has not answered yet; the transport serves 256 at once.
const ASKS_MAX: usize = 512;

/// A loop that wakes later than this after its deadline tells the mind so: its own misses prove less (protocol 2.7).
const LATE_FROM: Span = Span::milliseconds(50);

/// Without any deadline the loop looks around this often.
const IDLE: Duration = Duration::from_secs(5);

/// After SIGTERM everything is over within this, whoever does not answer.
const LEAVE_WITHIN: Duration = Duration::from_secs(4);

/// Everything the loop listens to.
pub struct Ears {
    pub incoming: mpsc::Receiver<Incoming>,
    pub ends: mpsc::Receiver<Ended>,
    pub inquiries: mpsc::Receiver<Inquiry>,
    pub state: watch::Receiver<Arc<ledger::Ledger>>,
    pub leading: watch::Receiver<Leading>,
    pub renewals: watch::Receiver<Option<Renewed>>,
    /// Words to leave.
    pub leave: mpsc::Receiver<()>,
    /// What the self-watch wants.
    pub orders: watch::Receiver<Orders>,
}

/// What a loop is put together of.
pub struct Parts {
    pub agent: Agent,
    pub hands: Hands,
    pub clock: Arc<dyn Clock>,
    pub chronicle: Chronicle,
    pub own: SelfWatch,
}

/// The loop.
pub struct Shell {
    agent: Agent,
    hands: Hands,
    clock: Arc<dyn Clock>,
    chronicle: Chronicle,
    sockets: SocketWatch,
    asks: BTreeMap<AskId, Reply>,
    last_ask: u64,
    /// The roster that the transport was last told of.
    roster: Option<Arc<Roster>>,
    /// Set by SIGTERM: when the agent ends at the latest.
    leaves_by: Option<Instant>,
    is_gone: bool,
    own: SelfWatch,
    /// Why this life is over, where it did not end by a goodbye.
    life_end: Option<LifeEnd>,
}

/// One thing heard.
enum Heard {
    Event(Event),
    End(Ended),
    Leader(Option<HostId>, u64),
    Incoming(Incoming),
    Inquiry(Inquiry),
    Deadline,
    Order(Orders),
    Stop,
}

impl Heard {
    /// For whoever finds the loop stuck in it.
    fn doing(&self) -> Doing {
        match self {
            Self::End(_) => Doing::End,
            Self::Event(Event::LedgerAdvanced { .. }) | Self::Leader(..) => Doing::Ledger,
            Self::Incoming(Incoming::Datagram { .. }) => Doing::Datagram,
            Self::Incoming(_) => Doing::Request,
            Self::Inquiry(_) => Doing::Inquiry,
            Self::Event(_) | Self::Deadline | Self::Order(_) | Self::Stop => Doing::Deadline,
        }
    }
}

impl Shell {
    /// A loop that has not begun.
    pub fn new(parts: Parts) -> Self {
        let Parts { agent, hands, clock, chronicle, own } = parts;
        Self {
            agent,
            hands,
            clock,
            chronicle,
            sockets: SocketWatch::default(),
            asks: BTreeMap::new(),
            last_ask: 0,
            roster: None,
            leaves_by: None,
            is_gone: false,
            own,
            life_end: None,
        }
    }

    /// Runs until the agent has said goodbye, was told to end twice, or the mesh has another life of this host; says which.
    pub async fn run(mut self, mut ears: Ears) -> Option<LifeEnd> {
        self.feed(Event::DeadlineReached);
        while !self.is_gone {
            let wake = self.wake();
            let heard = self.listen(&mut ears, wake).await;
            self.own.turns(heard.doing());
            match heard {
                Heard::Event(event) => self.feed(event),
                Heard::End(ended) => self.hear_end(ended),
                Heard::Leader(leader, term) => {
                    self.chronicle.led(leader, term);
                    self.feed(Event::LeadershipChanged { leader });
                }
                Heard::Incoming(incoming) => self.take(incoming),
                Heard::Inquiry(inquiry) => self.answer(inquiry),
                Heard::Deadline => self.deadline(),
                Heard::Order(orders) => self.obey(orders),
                Heard::Stop => self.is_gone = true,
            }
            self.own.turns(Doing::Nothing);
        }
        self.life_end
    }

    async fn listen(&self, ears: &mut Ears, wake: Instant) -> Heard {
        tokio::select! {
            biased;
            Some(()) = ears.leave.recv() => self.told_to_end(),
            Ok(()) = ears.orders.changed() => Heard::Order(*ears.orders.borrow_and_update()),
            Some(ended) = ears.ends.recv() => Heard::End(ended),
            Ok(()) = ears.leading.changed() => {
                let Leading { leader, term } = *ears.leading.borrow_and_update();
                Heard::Leader(leader, term)
            }
            Ok(()) = ears.state.changed() => {
                let ledger = Arc::clone(&ears.state.borrow_and_update());
                Heard::Event(Event::LedgerAdvanced { ledger })
            }
            Ok(()) = ears.renewals.changed() => {
                let renewed = ears.renewals.borrow_and_update().clone();
                Heard::Event(renewed.map_or(Event::DeadlineReached, Event::Renewed))
            }
            incoming = ears.incoming.recv() => incoming.map_or(Heard::Stop, Heard::Incoming),
            Some(inquiry) = ears.inquiries.recv() => Heard::Inquiry(inquiry),
            () = sleep_until(wake) => Heard::Deadline,
        }
    }

    /// The first time the agent says goodbye; the second time it is gone at once.
    fn told_to_end(&self) -> Heard {
        if self.leaves_by.is_some() { Heard::Stop } else { Heard::Event(Event::Leave) }
    }

    fn wake(&self) -> Instant {
        let now = Instant::now();
        let idle = now + IDLE;
        let due = self.agent.next_deadline().map_or(idle, |deadline| {
            let left = deadline.since(self.clock.now());
            now + Duration::from_millis(left.as_milliseconds())
        });
        due.min(idle).min(self.leaves_by.unwrap_or(idle))
    }

    fn deadline(&mut self) {
        if self.leaves_by.is_some_and(|by| Instant::now() >= by) {
            self.is_gone = true;
            return;
        }
        let now = self.clock.now();
        let due = self.agent.next_deadline().filter(|due| *due > Moment::default());
        let late = due.map_or(Span::ZERO, |due| now.since(due));
        if late > LATE_FROM {
            self.sockets.loop_was_late();
            self.feed(Event::LoopLate { late });
        }
        let transport = self.hands.transport.clone();
        let late = self.sockets.read(now, || transport.dropped());
        self.hear_late(late);
        self.feed(Event::DeadlineReached);
    }

    /// protocol 1.9: what another host has answered is input like what it asks.
    fn hear_end(&mut self, Ended { id, end, said }: Ended) {
        self.feed_input(said, Event::Ended { id, end });
    }

    /// protocol 2.7: what waits in the sockets, or is lost there, tells nothing of those who sent it.
    fn hear_late(&mut self, late: Option<Span>) {
        if let Some(late) = late {
            self.feed(Event::SocketsLate { late });
        }
    }

    fn feed(&mut self, event: Event) {
        if matches!(event, Event::Leave) {
            tracing::info!("asked to end: saying goodbye");
            self.own.stopping();
            self.leaves_by = Some(Instant::now() + LEAVE_WITHIN);
        }
        if let Event::LedgerAdvanced { ledger } = &event {
            self.chronicle.advanced(ledger);
            self.tell_transport(ledger.roster());
        }
        self.feed_input(None, event);
    }

    /// protocol 1.9: an input answers for itself and for what it brings about; for what was due beside it, only perhaps.
    fn feed_input(&mut self, input: Option<Input>, event: Event) {
        let held = input.map(Input::hold);
        trial::stumble(Place::Loop);
        let now = self.clock.now();
        let is_due = self.agent.next_deadline().is_some_and(|due| due <= now);
        self.agent.hear(now, event);
        if let Some(held) = &held {
            held.beside(is_due);
        }
        for effect in self.agent.settle(now) {
            self.perform(now, effect);
        }
    }

    /// protocol 1.2, 1.7: retired hosts are denied and their connections end; older lives than the committed ones are not
    /// admitted any more.
    fn tell_transport(&mut self, roster: &Arc<Roster>) {
        if self.roster.as_ref().is_some_and(|known| Arc::ptr_eq(known, roster)) {
            return;
        }
        for (host, entry) in roster.all() {
            if let Some(boot) = entry.boot {
                self.hands.transport.require_boot(*host, boot);
            }
            let before = self.roster.as_ref().and_then(|known| known.get_even_retired(host));
            if entry.is_retired && !before.is_some_and(|before| before.is_retired) {
                let (transport, host) = (self.hands.transport.clone(), *host);
                tasks::spawn(async move { transport.deny(host).await });
            }
        }
        self.roster = Some(Arc::clone(roster));
    }

    /// An end for want of memory is an end as by a kill: nobody is told goodbye, since the agent is back at once.
    fn obey(&mut self, orders: Orders) {
        if orders.end {
            self.is_gone = true;
            return;
        }
        let transport = self.hands.transport.clone();
        tasks::spawn(async move { transport.let_go().await });
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Datagram { from, datagram, input, at } => {
                let waited = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
                let late = self.sockets.waited(Span::milliseconds(waited));
                self.hear_late(late);
                self.feed_input(Some(input), Event::Datagram { from, datagram });
            }
            Incoming::Request { from, presented, request, input, reply, .. } => {
                if serve::is_for_the_ledger(&request) {
                    let Presented { boot, store } = presented;
                    let door = &self.hands.door;
                    let sender = door.sender(from, (boot, store));
                    let serving = serve::serve(self.hands.door.clone(), sender, request, reply);
                    tasks::spawn(input.around(serving));
                } else if let Some(id) = self.keep(reply) {
                    self.feed_input(Some(input), Event::Asked { id, from, request });
                }
            }
            Incoming::Connected(peer) => {
                tracing::debug!(host = %peer.claims.host, boot = peer.boot.number, "connected");
                self.hands.door.met(&peer);
                self.hands.hear_place(peer.host, peer.address);
                let (host, boot, address) = (peer.host, peer.boot, peer.address);
                self.feed(Event::Connected { host, boot, address });
            }
            Incoming::Closed { host, why, .. } => {
                tracing::debug!(%host, ?why, "connection ended");
                self.hands.door.parted(&host);
                self.feed(Event::Closed { host });
            }
            Incoming::TurnedAway { host, boot } => {
                tracing::debug!(%host, boot = boot.number, "turned away: the ledger knows another life of it");
                self.feed(Event::TurnedAway { host, boot });
            }
            Incoming::Refused { by, roles, refusal } => {
                if self.hands.door.unwelcome().refused(by, &refusal) {
                    tracing::warn!(%by, ?refusal, "a host does not admit this one");
                }
                if let HelloRefusal::BootTooLow(known) = refusal {
                    self.feed(Event::BootTooLow { by, is_keeper: roles.keeper, known });
                }
            }
        }
    }

    /// Keeps the way back to whoever asked until the mind answers. Asks whose asker has given up make room; at the bound the
    /// newest is refused as busy, since those before it still wait.
    fn keep(&mut self, reply: Reply) -> Option<AskId> {
        self.last_ask += 1;
        let id = AskId(self.last_ask);
        self.asks.retain(|_, reply| reply.is_wanted());
        if self.asks.len() >= ASKS_MAX {
            let busy = Unavailable::Busy(String::from("asks that wait"));
            reply.send(Response::Unavailable(busy));
            return None;
        }
        self.asks.insert(id, reply);
        Some(id)
    }

    fn answer(&mut self, inquiry: Inquiry) {
        let now = self.clock.now();
        // Whoever asked may be gone.
        match inquiry {
            Inquiry::Report(report, reply) => {
                if let Some(id) = self.keep(reply) {
                    self.feed(Event::Reported { id, report });
                }
            }
            Inquiry::View(answer) => {
                answer.send((self.agent.view(now), now)).ok();
            }
            Inquiry::LastLook(subject, answer) => {
                let look = self.agent.last_look(&subject).cloned();
                answer.send(look.map(|look| (look, now))).ok();
            }
        }
    }

    /// `given` is the moment at which the mind wanted it: what is left of a lease counts from there (protocol 7.1).
    fn perform(&mut self, given: Moment, effect: Effect) {
        let hands = &self.hands;
        match effect {
            Effect::SendDatagram { to, datagram } => {
                hands.transport.send_datagram(to, &datagram);
            }
            Effect::Call { id, to, request, within } => hands.call(id, to, (request, within)),
            Effect::FreshDial { id, to, nonce, within } => {
                hands.fresh_dial(id, to, (nonce, within))
            }
            Effect::Knock { id, to, port, within } => hands.knock(id, to, (port, within)),
            Effect::Answer { id, response } => {
                if let Some(reply) = self.asks.remove(&id) {
                    reply.send(response);
                }
            }
            Effect::Propose { id, command, within } => hands.propose(id, command, within),
            Effect::ReadIndex { id, within } => hands.read_index(id, within),
            Effect::Apply { id, order } => {
                tracing::info!(case = order.case.0, fence = order.fence.0, remedy = order.remedy.0, subject = %order.subject_name, "remedy begins");
                hands.apply(id, order, given);
            }
            Effect::Inspect { id, order } => hands.inspect(id, order, given),
            Effect::Page(page) => {
                let escalation = hands.door.state().borrow().policy().escalation.clone();
                hands.page(page, escalation);
            }
            Effect::KeepWarm(hosts) => hands.keep_warm(hosts),
            Effect::Locate { host, address } => hands.locate(host, address),
            Effect::Redial => hands.redial(),
            Effect::EndLife(end) => {
                self.life_end = Some(end);
                self.is_gone = true;
            }
            Effect::StandDown => hands.stand_down(),
            Effect::Gone => self.is_gone = true,
        }
    }
}
