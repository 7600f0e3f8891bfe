//! The one door of the virtual fleet: build it, strike it, let time run, look at it.
//!
//! Law S1: what happens next follows from the setup, the faults and the seed alone.
//! Not here: what each happening does (see `mail`, `perform`, `keepers`, `actuator`).

use std::collections::BTreeMap;
use std::sync::Arc;

use agent::{Agent, CallEnd, CallId, Event, Settings};
use detection::{membership, watch};
use ledger::Ledger;
use vocabulary::{
    Boot, HostId, LedgerIndex, ModelSigner, ModelVerifier, Moment, RemedyId, Span, model_chain,
};

use crate::actuator::{Actuator, JournalLine};
use crate::directory::Directory;
use crate::following::Question;
use crate::held_up::Turn;
use crate::host::{Host, Life, OpenKind, Place};
use crate::keepers::{Ask, Keepers};
use crate::laws::{Breach, Laws};
use crate::mail::Flight;
use crate::network::Network;
use crate::opinions::Opinions;
use crate::queue::Queue;
use crate::setup::{CLUSTER, Setup, SetupFault};
use crate::tally::Tallying;
use crate::trace::{Line, Trace};

/// At one moment a mind takes at most so many events; more is a mind that spins.
const AT_ONCE_MAX: u32 = 20_000;

/// A virtual fleet.
pub struct Fleet {
    pub(crate) now: Moment,
    pub(crate) hosts: Vec<Host>,
    pub(crate) places: Directory,
    pub(crate) network: Network,
    pub(crate) queue: Queue<Happening>,
    pub(crate) keepers: Keepers,
    pub(crate) actuator: Actuator,
    pub(crate) trace: Trace,
    pub(crate) laws: Laws,
    pub(crate) tally: Tallying,
    pub(crate) opinions: Vec<Opinions>,
    /// Whether any host was ever slow or stalled.
    pub(crate) is_any_held_up: bool,
    seed: u64,
    /// Who is known to everybody from the start, and in which boot.
    acquainted: Arc<BTreeMap<HostId, Boot>>,
    happened: u64,
}

/// What happens at a moment.
pub(crate) enum Happening {
    /// A mind's next deadline.
    Wake(Place, u64),
    /// Something arrives.
    Arrive(Flight),
    /// A call's time is over.
    CallOver(Place, u64, CallId),
    /// A call has ended.
    End(Place, u64, CallId, Box<CallEnd>),
    /// A mind is told something that did not come by mail.
    Tell(Place, u64, Box<Event>),
    /// A dial's time is over.
    DialOver(Place, u64, Place),
    /// A warm host is to be dialled again.
    Redial(Place, u64),
    /// A knock reaches a port; `true`: its answer is back.
    Knock(Knocking, bool),
    /// The keepers' heartbeat.
    Beat,
    /// A proposal looks for the leader.
    Proposal(Ask),
    /// A linearizable read looks for the leader.
    Question(Question),
    /// The entry of this number has its majority, or has not.
    Commit(u64),
    /// The committed state comes to a host.
    LedgerComes(Place, u64, Arc<Ledger>),
    /// News of who leads comes to a host.
    LeaderNews(Place, u64, Option<Place>),
    /// A remedy has run its time.
    RemedyEnds(RemedyId),
    /// An inspection has.
    InspectionEnds(Place, u64, CallId, RemedyId),
    /// A machine's agent starts.
    Begin(Place),
    /// What a stalled agent would have sent leaves.
    Depart(Flight),
    /// A stall begins or ends.
    Turn(Turn),
    /// A machine that stood still goes on; where its clock did not count the time: since when.
    Resume(Place, Option<Moment>),
    /// The same of a slow host, later.
    Late(Box<Happening>),
}

/// A knock under way.
#[derive(Clone, Copy)]
pub(crate) struct Knocking {
    pub from: Place,
    pub life: u64,
    pub call: CallId,
    pub to: Place,
    /// A port that the policy names; `None`: the agent's own.
    pub port: Option<u16>,
    pub reading: Option<agent::Knock>,
}

impl Fleet {
    /// The ledger is founded, the policy set, and every agent starts for the first time.
    pub fn new(setup: Setup) -> Result<Self, SetupFault> {
        setup.check()?;
        let mut network = Network::new(setup.weather, setup.seed, setup.hosts.len());
        let mut hosts: Vec<Host> = setup
            .hosts
            .iter()
            .map(|claims| {
                let ahead = Span::milliseconds(10_000 + network.draw(1_000_000));
                Host::new(claims.clone(), ahead)
            })
            .collect();
        let places = Directory::new(hosts.iter().map(|host| host.id));
        if setup.is_settled {
            hosts.iter_mut().for_each(|host| host.next_nonce = network.draw_nonce());
        }
        let keepers = Keepers::found(&hosts, &setup)?;
        let acquainted = hosts.iter().filter(|_| setup.is_settled);
        let acquainted = acquainted.map(|host| (host.id, host.next_boot())).collect();
        let acquainted = Arc::new(acquainted);
        let mut fleet = Self {
            now: Moment::default(),
            hosts,
            places,
            network,
            queue: Queue::new(),
            keepers,
            actuator: Actuator::default(),
            trace: Trace::default(),
            laws: Laws::default(),
            tally: Tallying::default(),
            opinions: Vec::new(),
            is_any_held_up: false,
            seed: setup.seed,
            acquainted,
            happened: 0,
        };
        for place in 0..fleet.hosts.len() {
            let at = fleet.network.draw(300);
            fleet.queue.put(Moment::from_milliseconds(1 + at), Happening::Begin(place));
        }
        fleet.queue.put(Moment::from_milliseconds(1), Happening::Beat);
        Ok(fleet)
    }

    /// Lets so much time go by.
    pub fn run(&mut self, span: Span) {
        let until = self.now.after(span);
        while self.queue.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = until;
    }

    /// Lets time go by until this is true, at most so long; whether it became true.
    pub fn run_until(&mut self, at_most: Span, is_reached: impl Fn(&Self) -> bool) -> bool {
        let until = self.now.after(at_most);
        while !is_reached(self) {
            if self.queue.next_at().is_none_or(|at| at > until) {
                self.now = until;
                return false;
            }
            self.step();
        }
        true
    }

    /// The committed state.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.keepers.ledger
    }

    /// Virtual time since the fleet began.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// How many things have happened: a measure of the work, not of the mesh.
    pub fn happened(&self) -> u64 {
        self.happened
    }

    /// What happened, in words, since [`Fleet::begin_trace`].
    pub fn trace(&self) -> &[Line] {
        self.trace.lines()
    }

    /// From now on what happens is put into words and counted; moments are counted from now.
    pub fn begin_trace(&mut self) {
        let upto = self.keepers.ledger.audit().head().number;
        self.trace.begin(self.now, upto);
        self.begin_tally();
        self.opinions = vec![Opinions::default(); self.hosts.len()];
    }

    /// Puts a line of the caller's own into the trace.
    pub fn note(&mut self, text: String) {
        self.trace.say(self.now, text);
    }

    /// The laws that were broken; of a sound mesh: none.
    pub fn breaches(&self) -> &[Breach] {
        self.laws.breaches()
    }

    /// What the outside world saw of each remedy.
    pub fn journal(&self) -> &[JournalLine] {
        &self.actuator.journal
    }

    /// Who leads by the keepers' own count.
    pub fn leader(&self) -> Option<&str> {
        self.keepers.leader.map(|place| self.hosts[place].name())
    }

    /// The mind of a host, if its agent runs or is frozen.
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        let host = self.hosts.iter().find(|host| host.name() == name)?;
        host.life.as_ref().map(|life| &*life.agent)
    }

    /// This host's own clock now; what its mind counts by.
    pub fn clock_of(&self, name: &str) -> Moment {
        let host = self.hosts.iter().find(|host| host.name() == name);
        host.map_or(self.now, |host| host.local(self.now))
    }

    /// A host's name, or its id if it is no host of this fleet.
    pub fn name_of(&self, host: &HostId) -> String {
        self.places
            .get(host)
            .map_or_else(|| host.to_string(), |place| self.hosts[place].name().to_owned())
    }

    /// The names of all hosts, in the order of the setup.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(Host::name)
    }

    /// Whether any observer holds a doubt now.
    pub fn is_any_doubted(&self) -> bool {
        self.hosts.iter().filter_map(|host| host.life.as_ref()).any(|life| !life.doubts.is_empty())
    }

    pub(crate) fn step(&mut self) {
        let Some((at, happening)) = self.queue.take() else {
            return;
        };
        self.now = self.now.max(at);
        self.happened += 1;
        if let Some(happening) = self.unless_held_up(happening) {
            self.happen(happening);
        }
        self.laws_after_event();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(place, life) => self.wake(place, life),
            Happening::Arrive(flight) => self.arrive(flight),
            Happening::CallOver(place, life, call) => self.call_over(place, life, call),
            Happening::End(place, life, call, end) => self.end_call(place, life, call, *end),
            Happening::Tell(place, life, event) => self.tell_life(place, life, *event),
            Happening::DialOver(place, life, peer) => self.dial_over(place, life, peer),
            Happening::Redial(place, life) => self.redial(place, life),
            Happening::Knock(knocking, is_back) => self.knocked(knocking, is_back),
            Happening::Beat => self.beat(),
            Happening::Proposal(ask) => self.proposal(ask),
            Happening::Question(question) => self.question(question),
            Happening::Commit(number) => self.commit(number),
            Happening::LedgerComes(place, life, ledger) => self.ledger_comes(place, life, ledger),
            Happening::LeaderNews(place, life, leader) => self.leader_news(place, life, leader),
            Happening::RemedyEnds(remedy) => self.remedy_ends(remedy),
            Happening::InspectionEnds(place, life, call, remedy) => {
                self.inspection_ends(place, life, call, remedy);
            }
            Happening::Begin(place) => self.begin(place),
            Happening::Depart(flight) => self.send(flight),
            Happening::Turn(turn) => self.turn(turn),
            Happening::Resume(place, stood_since) => self.machine_resumes(place, stood_since),
            Happening::Late(happening) => self.happen(*happening),
        }
    }

    /// A mind takes an event in; what it wants is done.
    pub(crate) fn tell(&mut self, place: Place, event: Event) {
        let host = &mut self.hosts[place];
        let local = host.local(self.now);
        let Some(life) = &mut host.life else {
            return;
        };
        if life.is_frozen {
            life.news.push_back(event);
            return;
        }
        if life.taken_at.0 == self.now {
            life.taken_at.1 += 1;
            assert!(
                life.taken_at.1 < AT_ONCE_MAX,
                "law S2: no mind spins: {} took {AT_ONCE_MAX} events at one moment, the last {event:?}",
                host.claims.host
            );
        } else {
            life.taken_at = (self.now, 1);
        }
        let effects = life.agent.handle(local, event);
        let number = life.boot.number;
        for effect in effects {
            self.perform(place, number, effect);
        }
        self.after(place);
    }

    pub(crate) fn tell_life(&mut self, place: Place, life: u64, event: Event) {
        if self.hosts[place].life_number() == Some(life) {
            self.tell(place, event);
        }
    }

    /// A call of this life has ended; a second end is none (law E2).
    pub(crate) fn end_call(&mut self, place: Place, life: u64, call: CallId, end: CallEnd) {
        let host = &mut self.hosts[place];
        let Some(own) = host.life.as_mut().filter(|own| own.boot.number == life) else {
            return;
        };
        if own.open.remove(&call).is_some() {
            self.tell(place, Event::Ended { id: call, end });
        }
    }

    fn call_over(&mut self, place: Place, life: u64, call: CallId) {
        let open = self.hosts[place]
            .life
            .as_ref()
            .filter(|own| own.boot.number == life)
            .and_then(|own| own.open.get(&call));
        let end = match open.map(|open| open.kind) {
            None => return,
            Some(OpenKind::Knock { accepts: true }) => CallEnd::Knocked(agent::Knock::Accepted),
            Some(OpenKind::Knock { accepts: false }) => CallEnd::Knocked(agent::Knock::Silent),
            Some(
                OpenKind::Message | OpenKind::Proposal | OpenKind::Read { .. } | OpenKind::Remedy,
            ) => CallEnd::Failed,
        };
        self.end_call(place, life, call, end);
    }

    fn wake(&mut self, place: Place, life: u64) {
        let now = self.now;
        let Some(own) = &mut self.hosts[place].life else {
            return;
        };
        if own.boot.number != life || own.is_frozen || own.wake_at.is_none_or(|at| at > now) {
            return;
        }
        own.wake_at = None;
        let host = &self.hosts[place];
        let wanted = host.life.as_ref().and_then(|own| own.wanted);
        if let Some(due) = wanted.filter(|local| host.global(*local) <= now) {
            self.tell_lateness(place, due);
            return self.tell(place, Event::DeadlineReached);
        }
        // Whoever was woken for what has been settled since sleeps on: nothing of its mind has changed.
        self.sleep(place);
        if self.trace.is_on() {
            self.trace_mind(place);
        }
    }

    /// After each event: when the mind wants to be woken, and what can be seen of it.
    fn after(&mut self, place: Place) {
        if let Some(life) = &mut self.hosts[place].life {
            life.wanted = life.agent.next_deadline();
        }
        self.sleep(place);
        self.note_called_down(place);
        self.trace_mind(place);
    }

    /// Until the mind wants to be woken, unless it is to be woken sooner anyway.
    fn sleep(&mut self, place: Place) {
        let host = &self.hosts[place];
        let wanted = host.life.as_ref().and_then(|life| Some(host.global(life.wanted?)));
        let (Some(at), Some(life)) = (wanted, &mut self.hosts[place].life) else {
            return;
        };
        let at = at.max(self.now);
        if life.wake_at.is_none_or(|set| at < set) {
            life.wake_at = Some(at);
            self.queue.put(at, Happening::Wake(place, life.boot.number));
        }
    }

    /// An agent starts: its boot is raised before its first word (protocol 1.2).
    fn begin(&mut self, place: Place) {
        if self.hosts[place].life.is_some() || self.hosts[place].is_off {
            return;
        }
        if let Some(until) = self.hosts[place].held_up.still_until {
            return self.queue.put(until, Happening::Begin(place));
        }
        let is_acquainted = self.hosts[place].boot_number == 0 && !self.acquainted.is_empty();
        if !is_acquainted {
            self.hosts[place].next_nonce = self.network.draw_nonce();
        }
        let hosts = self.hosts.len();
        let host = &mut self.hosts[place];
        let boot = host.next_boot();
        host.boot_number = boot.number;
        let is_keeper = host.claims.roles.keeper;
        let kept = host.kept.clone().filter(|_| is_keeper);
        let ledger = kept.unwrap_or_else(|| Arc::new(Ledger::new()));
        let upto = ledger.index();
        let agent = Agent::new(Settings {
            cluster: host.claims.cluster.clone(),
            me: host.id,
            chain: model_chain(&host.claims),
            boot,
            address: Host::address(place),
            store: host.store(place),
            client: None,
            signer: Arc::new(ModelSigner::new(&host.claims.host)),
            verifier: Arc::new(ModelVerifier),
            membership: membership::Settings { hosts, ..membership::Settings::default() },
            watch: watch::Settings::default(),
            ledger,
            seed: self
                .seed
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add((place as u64) << 20)
                .wrapping_add(boot.number),
        });
        debug_assert_eq!(host.claims.cluster.as_str(), CLUSTER);
        let mut life = Life::new(agent, boot);
        life.upto = upto;
        host.life = Some(life);
        host.is_away = false;
        self.keepers.forget_abreast();
        if boot.number > 1 {
            self.note(format!("{} starts in boot {}", self.hosts[place].name(), boot.number));
        }
        if is_acquainted {
            self.acquaint(place);
        }
        self.dial_seeds(place);
        self.tell(place, Event::DeadlineReached);
        self.bring_news(place);
        self.tally_life(place);
    }

    /// Before its first event: what membership would have told it long ago.
    fn acquaint(&mut self, place: Place) {
        let local = self.hosts[place].local(self.now);
        if let Some(life) = &mut self.hosts[place].life {
            life.agent.acquaint(local, &self.acquainted);
        }
    }

    /// Nothing passes this way now.
    pub(crate) fn is_blocked(&self, from: Place, to: Place) -> bool {
        let is_mute = |place: Place| self.hosts[place].is_mute();
        from != to && (is_mute(from) || is_mute(to) || self.network.is_cut(from, to))
    }

    /// Both ways are open.
    pub(crate) fn is_open(&self, a: Place, b: Place) -> bool {
        !self.is_blocked(a, b) && !self.is_blocked(b, a)
    }

    pub(crate) fn send(&mut self, flight: Flight) {
        if self.hosts[flight.from].held_up.is_stalled {
            return self.hosts[flight.from].held_up.hold_out(Happening::Depart(flight));
        }
        if self.is_blocked(flight.from, flight.to) {
            return self.depart_in_vain(&flight);
        }
        self.depart(flight);
    }

    /// The newest entry that a host knows.
    pub fn upto_of(&self, name: &str) -> LedgerIndex {
        let host = self.hosts.iter().find(|host| host.name() == name);
        host.and_then(|host| host.life.as_ref()).map_or(LedgerIndex::default(), |life| life.upto)
    }
}
