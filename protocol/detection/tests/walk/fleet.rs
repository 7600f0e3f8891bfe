//! A fleet in virtual time: the pure rooms of detection on every host, one leader, and a network that can be broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detection::reply::{self, Identity, Reply};
use detection::roster::{Entry, Roster};
use detection::rounds::{self, Rounds};
use detection::seats::Seating;
use detection::verdict::{self, Court, VerifiedGrounds};
use detection::watch::{self, AttemptId, LookEnd, Seat, Settings, Watch};
use detection::{look, look::Look};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use vocabulary::{
    Anchor, Boot, Claims, ClusterName, Digest, Domain, Grade, Grounds, GroupName, HostId, HostName,
    Label, LedgerIndex, ModelSigner, ModelVerifier, Moment, Reading, Roles, Scope, SelfAnswer,
    Signer, Span, VerdictKind,
};

/// One way.
const LEG: Span = Span::milliseconds(1);

/// What the leader's commit takes.
const COMMIT: Span = Span::milliseconds(20);

/// How long a relay waits for the subject, and a leader for an observer.
const RELAY_WITHIN: Span = Span::milliseconds(600);
const LOOK_WITHIN: Span = Span::milliseconds(1_300);

/// What has become of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Well,
    /// SIGKILL: its kernel refuses.
    Killed,
    /// SIGSTOP: its kernel accepts.
    Frozen,
    /// No packet comes or goes.
    Silenced,
}

/// What reaches a host.
enum Parcel {
    Watch(watch::Event),
    Look(look::Event),
    Rounds(rounds::Event),
    /// The leader asks for a look.
    Asked {
        subject: HostId,
        boot: Boot,
        anchor: Anchor,
    },
    /// The leader's tick is committed.
    Ticked,
}

struct Member {
    watch: Watch,
    look: Look,
    reply: Reply,
    state: State,
    deadline: Option<Moment>,
    asked: BTreeMap<u64, (HostId, Anchor)>,
    next_ask: u64,
}

pub struct Fleet {
    now: Moment,
    random: ChaCha8Rng,
    lost_per_mille: u64,
    roster: Arc<Roster>,
    seating: Arc<Seating>,
    ids: Vec<HostId>,
    members: BTreeMap<HostId, Member>,
    /// The first host leads.
    rounds: Rounds,
    index: u64,
    cut: BTreeSet<HostId>,
    broken: BTreeSet<(HostId, HostId)>,
    queue: BTreeMap<(Moment, u64), (HostId, Parcel)>,
    queued: u64,
    verdicts: Vec<(Moment, Scope, VerdictKind)>,
    ever_doubted: BTreeSet<HostId>,
}

impl Fleet {
    pub fn new(zones: usize, racks: usize, hosts: usize, seed: u64) -> Self {
        let cluster = ClusterName::new("test").expect("sound");
        let (mut roster, mut ids, mut names) = (Roster::new(cluster), Vec::new(), Vec::new());
        for zone in 0..zones {
            for place in 0..racks * hosts {
                let claims = claims(zone, place / hosts, place);
                let key = ModelSigner::new(&claims.host).public_key();
                let mut entry = Entry::enrolled(claims.clone(), key, LedgerIndex(0));
                entry.boot = Some(boot());
                roster.put(entry);
                ids.push(claims.id());
                names.push(claims.host);
            }
        }
        let seating = Arc::new(Seating::new(&roster));
        let mut fleet = Self {
            now: Moment::from_milliseconds(1_000),
            random: ChaCha8Rng::seed_from_u64(seed),
            lost_per_mille: 0,
            roster: Arc::new(roster),
            seating,
            ids: ids.clone(),
            members: BTreeMap::new(),
            rounds: Rounds::new(),
            index: 1,
            cut: BTreeSet::new(),
            broken: BTreeSet::new(),
            queue: BTreeMap::new(),
            queued: 0,
            verdicts: Vec::new(),
            ever_doubted: BTreeSet::new(),
        };
        for (number, (id, name)) in (0..).zip(ids.into_iter().zip(names)) {
            let member = fleet.member(id, &name, seed * 1_000 + number);
            fleet.members.insert(id, member);
        }
        fleet.tick();
        fleet
    }

    pub fn now(&self) -> u64 {
        self.now.as_milliseconds()
    }

    pub fn host(&self, number: usize) -> HostId {
        self.ids[number]
    }

    pub fn observers(&self, subject: &HostId) -> &[HostId] {
        self.seating.observers(subject)
    }

    pub fn domain(&self, host: &HostId) -> &Domain {
        &self.roster.get(host).expect("it belongs").claims.domain
    }

    pub fn set(&mut self, host: HostId, state: State) {
        self.members.get_mut(&host).expect("it belongs").state = state;
    }

    /// Cuts these hosts off from all others, not from one another.
    pub fn cut(&mut self, hosts: &[HostId]) {
        self.cut.extend(hosts);
    }

    pub fn heal(&mut self) {
        self.cut.clear();
    }

    pub fn break_link(&mut self, one: HostId, other: HostId) {
        self.broken.extend([(one, other), (other, one)]);
    }

    pub fn lose_per_mille(&mut self, lost: u64) {
        self.lost_per_mille = lost;
    }

    /// When the first verdict on this scope was committed, in milliseconds, and what it was.
    pub fn first_verdict(&self, scope: &Scope) -> Option<(u64, VerdictKind)> {
        let mut of_scope = self.verdicts.iter().filter(|(_, judged, _)| judged == scope);
        of_scope.next().map(|(at, _, kind)| (at.as_milliseconds(), kind.clone()))
    }

    /// Every scope that ever had a verdict.
    pub fn judged(&self) -> Vec<Scope> {
        let scopes = self.verdicts.iter().map(|(_, scope, _)| scope.clone());
        scopes.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Who is in doubt now, as the leader counts.
    pub fn doubted(&self) -> Vec<HostId> {
        self.rounds.doubted().iter().map(|doubt| doubt.subject).collect()
    }

    pub fn was_doubted(&self, host: &HostId) -> bool {
        self.ever_doubted.contains(host)
    }

    pub fn run_until(&mut self, milliseconds: u64) {
        let end = Moment::from_milliseconds(milliseconds);
        loop {
            let awake = self.members.iter().filter(|(_, member)| member.is_awake());
            let own = awake.filter_map(|(id, member)| Some((member.deadline?, *id))).min();
            let lead = self.rounds.next_deadline().unwrap_or(end.after(LEG));
            let first = self.queue.keys().next().copied();
            let next = [own.map(|(at, _)| at), first.map(|(at, _)| at), Some(lead)];
            let next = next.into_iter().flatten().min().expect("the leader's");
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            match (first, own) {
                (Some(key), _) if key.0 <= next => {
                    let (to, parcel) = self.queue.remove(&key).expect("it was just seen");
                    self.deliver(to, parcel);
                }
                (_, Some((at, id))) if at <= next => self.wake(id),
                _ => self.lead(rounds::Event::DeadlineReached),
            }
        }
    }

    fn member(&self, id: HostId, name: &HostName, seed: u64) -> Member {
        let identity = Identity {
            cluster: self.roster.cluster.clone(),
            host: id,
            boot: boot(),
            signer: Arc::new(ModelSigner::new(name)),
        };
        let mut watch = Watch::new(Settings::default(), seed);
        let seats = self.seating.subjects(&id).iter().map(|subject| Seat {
            subject: *subject,
            boot: Some(boot()),
            seats: self.seating.seats() as u64,
            named_ports: vec![22],
        });
        watch.handle(self.now, watch::Event::SeatsChanged(seats.collect()));
        let mut look = Look::new(identity.clone(), Arc::new(ModelVerifier), seed);
        let (roster, seating) = (Arc::clone(&self.roster), Arc::clone(&self.seating));
        look.handle(self.now, look::Event::FleetChanged { roster, seating });
        let reachable = self.ids.iter().copied().collect();
        look.handle(self.now, look::Event::ReachableChanged(reachable));
        let mut reply = Reply::new(identity);
        let observers = self.seating.observers(&id).to_vec();
        let step = Settings::default().step();
        reply.handle(self.now, reply::Event::ObserversChanged { observers, step });
        let deadline = watch.next_deadline();
        Member {
            watch,
            look,
            reply,
            state: State::Well,
            deadline,
            asked: BTreeMap::new(),
            next_ask: 1,
        }
    }

    fn deliver(&mut self, to: HostId, parcel: Parcel) {
        let now = self.now;
        let member = self.members.get_mut(&to).expect("it belongs");
        if !member.is_awake() {
            return;
        }
        match parcel {
            Parcel::Watch(event) => {
                let effects = member.watch.handle(now, event);
                self.perform_watch(to, effects);
            }
            Parcel::Look(event) => {
                let effects = member.look.handle(now, event);
                self.perform_look(to, effects);
            }
            Parcel::Rounds(event) => self.lead(event),
            Parcel::Asked { subject, boot, anchor } => self.asked(to, subject, boot, anchor),
            Parcel::Ticked => self.tick(),
        }
        self.note_deadline(to);
    }

    fn wake(&mut self, id: HostId) {
        let now = self.now;
        let member = self.members.get_mut(&id).expect("it belongs");
        let is_due = |at: Option<Moment>| at.is_some_and(|at| at <= now);
        if is_due(member.watch.next_deadline()) {
            let effects = member.watch.handle(now, watch::Event::DeadlineReached);
            self.perform_watch(id, effects);
        }
        let member = self.members.get_mut(&id).expect("it belongs");
        if is_due(member.look.next_deadline()) {
            let effects = member.look.handle(now, look::Event::DeadlineReached);
            self.perform_look(id, effects);
        }
        self.note_deadline(id);
    }

    fn note_deadline(&mut self, id: HostId) {
        let member = self.members.get_mut(&id).expect("it belongs");
        let deadlines = [member.watch.next_deadline(), member.look.next_deadline()];
        member.deadline = deadlines.into_iter().flatten().min();
    }

    fn asked(&mut self, to: HostId, subject: HostId, boot: Boot, anchor: Anchor) {
        let now = self.now;
        let member = self.members.get_mut(&to).expect("it belongs");
        let id = member.next_ask;
        member.next_ask += 1;
        member.asked.insert(id, (subject, anchor));
        let ask = look::Ask {
            id,
            subject,
            anchor,
            boot,
            calibrated: member.watch.calibrated(now, &subject),
            reach: member.watch.reach(&subject).unwrap_or(Grade::Unknown),
            named_ports: vec![22],
            ingress: member.reply.ingress(now),
        };
        let effects = member.look.handle(now, look::Event::Asked(ask));
        self.perform_look(to, effects);
    }

    fn perform_watch(&mut self, by: HostId, effects: Vec<watch::Effect>) {
        for effect in effects {
            match effect {
                watch::Effect::SendProbe { to, number } => {
                    if let Some((boot, next_slot)) = self.probe(by, to, number) {
                        let event =
                            watch::Event::ProbeReplied { subject: to, number, boot, next_slot };
                        self.send(LEG.times(2), by, Parcel::Watch(event));
                    }
                }
                watch::Effect::ProbeByStream { id, to, within } => {
                    let (wait, end) = self.call(by, to, within);
                    let event = watch::Event::StreamEnded { id, subject: to, end };
                    self.send(wait, by, Parcel::Watch(event));
                }
                watch::Effect::DialFresh { id, to, within, .. } => {
                    let (wait, end) = self.call(by, to, within);
                    let event = watch::Event::DialEnded { id, subject: to, end };
                    self.send(wait, by, Parcel::Watch(event));
                }
                watch::Effect::Knock { id, to, within, .. } => {
                    let (wait, reading) = self.knock(by, to, within);
                    let event = watch::Event::KnockEnded { id, subject: to, reading };
                    self.send(wait, by, Parcel::Watch(event));
                }
                watch::Effect::CheckRelay { subject, path } => {
                    let event = look::Event::RelayChecked { subject, path };
                    self.send(Span::ZERO, by, Parcel::Look(event));
                }
                watch::Effect::DoubtsChanged(notes) => {
                    self.ever_doubted.extend(notes.iter().map(|note| note.subject));
                    let leader = self.ids[0];
                    if self.answers(by, leader) {
                        let event = rounds::Event::Doubted { observer: by, notes };
                        self.send(LEG, leader, Parcel::Rounds(event));
                    }
                }
                watch::Effect::ReachChanged { .. } => {}
            }
        }
    }

    fn perform_look(&mut self, by: HostId, effects: Vec<look::Effect>) {
        for effect in effects {
            match effect {
                look::Effect::SendProbe { to, number } => {
                    if let Some((boot, _)) = self.probe(by, to, number) {
                        let event = look::Event::ProbeReplied { subject: to, number, boot };
                        self.send(LEG.times(2), by, Parcel::Look(event));
                    }
                }
                look::Effect::AskByStream { id, to, nonce, within }
                | look::Effect::DialFresh { id, to, nonce, within } => {
                    self.ask(by, id, to, (nonce, within))
                }
                look::Effect::Knock { id, to, within, .. } => {
                    let (wait, reading) = self.knock(by, to, within);
                    let event = look::Event::KnockEnded { id, reading };
                    self.send(wait, by, Parcel::Look(event));
                }
                look::Effect::AskRelay { id, relay, subject, nonce, within } => {
                    let (wait, end) = if !self.answers(by, relay) {
                        (within, look::RelayEnd::Unreached)
                    } else {
                        match self.word(relay, subject, nonce) {
                            Some(word) => (LEG.times(4), look::RelayEnd::Answered(word)),
                            None => (RELAY_WITHIN, look::RelayEnd::SubjectSilent),
                        }
                    };
                    self.send(wait, by, Parcel::Look(look::Event::RelayEnded { id, end }));
                }
                look::Effect::Attest { attestation, answer, .. } => {
                    let event = rounds::Event::Attested { attestation, answer };
                    self.tell_leader(by, event);
                }
                look::Effect::Refuse { ask, .. } => {
                    let member = self.members.get_mut(&by).expect("it belongs");
                    let (subject, anchor) = member.asked.remove(&ask).expect("it was asked");
                    self.tell_leader(by, rounds::Event::Silent { from: by, subject, anchor });
                }
                look::Effect::PathAnswered { subject, path, boot } => {
                    let event = watch::Event::PathAnswered { subject, path, boot };
                    self.send(Span::ZERO, by, Parcel::Watch(event));
                }
            }
        }
    }

    fn lead(&mut self, event: rounds::Event) {
        let leader = self.ids[0];
        for effect in self.rounds.handle(self.now, event) {
            match effect {
                rounds::Effect::Look { to, subject, boot, anchor, .. } => {
                    let silent = rounds::Event::Silent { from: to, subject, anchor };
                    if !self.answers(leader, to) {
                        self.send(LOOK_WITHIN, leader, Parcel::Rounds(silent));
                    } else if to == subject {
                        let now = self.now;
                        let asked = reply::Event::LookedAt { from: leader, anchor };
                        let said =
                            self.members.get_mut(&to).expect("it belongs").reply.handle(now, asked);
                        if let [reply::Effect::Answered(answer)] = &said[..] {
                            let event = rounds::Event::Answered { answer: answer.clone() };
                            self.send(LEG.times(2), leader, Parcel::Rounds(event));
                        }
                    } else {
                        self.send(LEG, to, Parcel::Asked { subject, boot, anchor });
                    }
                }
                rounds::Effect::Ended { grounds, .. } => self.judge(&grounds),
                rounds::Effect::Freshen => self.send(COMMIT, leader, Parcel::Ticked),
                rounds::Effect::Overload => {}
            }
        }
    }

    fn judge(&mut self, grounds: &Grounds) {
        let fleet = verdict::Fleet { roster: &self.roster, seating: &self.seating };
        let court = Court { fleet, verifier: &ModelVerifier };
        let verified = VerifiedGrounds::verify(grounds, &court);
        let conclusions = verdict::conclude(fleet, &verified, &BTreeSet::new());
        let committed = self.now.after(COMMIT);
        let domains = conclusions.domains.iter();
        let domains = domains.map(|domain| (domain.scope.clone(), VerdictKind::DomainDown));
        let hosts = conclusions.verdicts();
        let hosts = hosts.map(|(host, verdict)| (Scope::Host(*host), verdict.kind.clone()));
        let found = domains.chain(hosts);
        self.verdicts.extend(found.map(|(scope, kind)| (committed, scope, kind)));
    }

    fn tick(&mut self) {
        self.index += 1;
        let anchor = Anchor {
            index: LedgerIndex(self.index),
            audit: Digest::of(&[&self.index.to_be_bytes()]),
        };
        let (roster, seating) = (Arc::clone(&self.roster), Arc::clone(&self.seating));
        self.lead(rounds::Event::StateChanged { anchor, roster, seating });
    }

    fn tell_leader(&mut self, by: HostId, event: rounds::Event) {
        let leader = self.ids[0];
        if self.answers(by, leader) {
            self.send(LEG, leader, Parcel::Rounds(event));
        }
    }

    fn probe(&mut self, by: HostId, to: HostId, number: u64) -> Option<(Boot, Span)> {
        if self.is_lost() || !self.answers(by, to) || self.is_lost() {
            return None;
        }
        let now = self.now;
        let probed = reply::Event::Probed { from: by, number };
        match self.members.get_mut(&to).expect("it belongs").reply.handle(now, probed)[..] {
            [reply::Effect::SendReply { boot, next_slot, .. }] => Some((boot, next_slot)),
            ref other => panic!("a probe has one reply: {other:?}"),
        }
    }

    /// Each lost packet costs a repetition after 30 ms.
    fn call(&mut self, by: HostId, to: HostId, within: Span) -> (Span, LookEnd) {
        if !self.answers(by, to) {
            return (within, LookEnd::Silent);
        }
        let mut wait = LEG.times(2);
        while self.is_lost() && wait < within {
            wait = wait.plus(Span::milliseconds(30));
        }
        if wait < within { (wait, LookEnd::Answered(boot())) } else { (within, LookEnd::Silent) }
    }

    fn ask(&mut self, by: HostId, id: AttemptId, to: HostId, (nonce, within): (u128, Span)) {
        let (wait, end) = match self.call(by, to, within) {
            (wait, LookEnd::Answered(_)) => match self.word(by, to, nonce) {
                Some(word) => (wait, look::AskEnd::Answered(word)),
                None => (wait, look::AskEnd::Unsigned),
            },
            (wait, _) => (wait, look::AskEnd::Silent),
        };
        self.send(wait, by, Parcel::Look(look::Event::AskEnded { id, end }));
    }

    /// What the subject signs for this asker.
    fn word(&mut self, asker: HostId, subject: HostId, nonce: u128) -> Option<Box<SelfAnswer>> {
        if !self.answers(asker, subject) {
            return None;
        }
        let now = self.now;
        let asked = reply::Event::Asked { from: asker, nonce };
        let member = self.members.get_mut(&subject).expect("it belongs");
        match member.reply.handle(now, asked).pop() {
            Some(reply::Effect::Answered(word)) => Some(word),
            _ => None,
        }
    }

    fn knock(&self, by: HostId, to: HostId, within: Span) -> (Span, Reading) {
        match self.members[&to].state {
            _ if !self.is_linked(by, to) => (within, Reading::Silent),
            State::Well => (LEG.times(2), Reading::Answered),
            State::Killed => (LEG.times(2), Reading::Refused),
            State::Frozen => (within, Reading::Accepted),
            State::Silenced => (within, Reading::Silent),
        }
    }

    fn send(&mut self, wait: Span, to: HostId, parcel: Parcel) {
        self.queued += 1;
        self.queue.insert((self.now.after(wait), self.queued), (to, parcel));
    }

    fn answers(&self, by: HostId, to: HostId) -> bool {
        self.is_linked(by, to) && self.members[&to].is_awake()
    }

    fn is_linked(&self, one: HostId, other: HostId) -> bool {
        let is_silenced = |host: &HostId| self.members[host].state == State::Silenced;
        one == other
            || (self.cut.contains(&one) == self.cut.contains(&other)
                && !self.broken.contains(&(one, other))
                && !is_silenced(&one)
                && !is_silenced(&other))
    }

    fn is_lost(&mut self) -> bool {
        self.random.next_u64() % 1_000 < self.lost_per_mille
    }
}

impl Member {
    fn is_awake(&self) -> bool {
        matches!(self.state, State::Well | State::Silenced)
    }
}

fn boot() -> Boot {
    Boot { number: 1, nonce: 1 }
}

fn claims(zone: usize, rack: usize, place: usize) -> Claims {
    let label = |text: &str| Label::new(text).expect("sound");
    Claims {
        cluster: ClusterName::new("test").expect("sound"),
        host: HostName::new(&format!("h{zone}-{place}")).expect("sound"),
        domain: Domain {
            region: label("eu"),
            zone: label(&format!("z{zone}")),
            rack: label(&format!("r{rack}")),
        },
        group: GroupName::new("web").expect("sound"),
        roles: Roles::default(),
    }
}
