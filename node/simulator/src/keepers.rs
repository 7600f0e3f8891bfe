//! The ledger behind a modelled quorum: one leader among keepers that hear a majority, entries one after the other, and how
//! the committed state comes to every host.
//!
//! Law M1: nothing is committed but by a leader that hears a majority, itself included, when the entry is decided.
//! Law A2: what was acknowledged stays; what was not may be lost with its leader.
//! Not here: terms, votes and logs (see `replication`): only what an agent can tell from outside is modelled.

use std::collections::VecDeque;
use std::sync::Arc;

use agent::{CallEnd, CallId};
use ledger::command::{Command, Entry, Outcome, Proposed};
use ledger::{Ledger, rules};
use vocabulary::{ModelVerifier, Moment, Span, WallNote, model_authority, model_chain};

use crate::fleet::{Fleet, Happening};
use crate::host::{Host, Place};
use crate::network::Way;
use crate::people::set_policy;
use crate::service::Service;
use crate::setup::{CLUSTER, Setup, SetupFault};

/// How often a leader speaks to its followers (the daemon's default).
const BEAT_EVERY: Span = Span::milliseconds(100);

/// A leader that has heard no majority for so long leads no more (the daemon's longest election time).
pub(crate) const LEASE: Span = Span::milliseconds(600);

/// So long after its leader's last majority the other side elects another (as measured of the daemon's Raft).
const FAIL_OVER: Span = Span::milliseconds(1_200);

/// Who has given the lead up does not take it again before two such times are over.
const STANDS_DOWN_FOR: Span = Span::milliseconds(2_400);

/// What one entry takes to be on a majority's disks, at least and at most so much more.
const COMMIT_TAKES: Span = Span::milliseconds(6);
const COMMIT_JITTER_MS: u64 = 8;

/// A client that finds no leader tries the next keeper after this.
const TRY_AGAIN: Span = Span::milliseconds(100);

/// protocol 5: it is asked once in a second whether a tick is due, which may come this much earlier than it is wanted.
const TICKS_ASKED_EVERY: Span = Span::seconds(1);
const TICK_SLACK: Span = Span::milliseconds(500);

/// The leader's wall clock at the fleet's beginning: a day long past, so that nobody mistakes it for now.
const WALL_BEGINS: u64 = 1_000_000_000_000;

/// A person waits so long for an order.
pub(crate) const ORDER_WITHIN: Span = Span::seconds(10);

/// The modelled quorum.
pub(crate) struct Keepers {
    /// Whose stores vote.
    pub voters: Vec<Place>,
    /// Who founded the ledger: everybody's configuration names these.
    pub seeds: Vec<Place>,
    /// When it was last looked at whether other stores ought to vote.
    pub votes_looked: Moment,
    pub ledger: Arc<Ledger>,
    pub leader: Option<Place>,
    /// Who gave the lead up, and until when it does not take it again.
    stood_down: Option<(Place, Moment)>,
    /// The last beat at which the leader heard a majority.
    heard: Moment,
    /// When this leader stamped its last entry, and what its own clock said; `None` of a new one.
    stamped: Option<(Moment, Moment)>,
    ticked: Moment,
    waiting: VecDeque<Ask>,
    /// The entry that is being decided: its number and who asks.
    under_way: Option<(u64, Vec<Ask>)>,
    last_batch: u64,
    pub service: Service,
    /// When each host last had a way to the ledger.
    pub had_source: Vec<Moment>,
    /// Of hosts that were sound and knew all there is to know when they were last looked at: how many ways away the leader was.
    /// Forgotten as soon as anything changes on which that hangs.
    abreast: Vec<Option<u64>>,
}

/// Somebody's proposal.
pub(crate) struct Ask {
    pub by: Place,
    pub command: Vec<u8>,
    /// The life and call that wait for the outcome; `None`: a person.
    pub asker: Option<(u64, CallId)>,
    pub until: Moment,
}

impl Keepers {
    /// `hale init` and `hale policy apply`; between them everybody enrols where the fleet is settled.
    pub fn found(hosts: &[Host], setup: &Setup) -> Result<Self, SetupFault> {
        let voters: Vec<Place> =
            (0..hosts.len()).filter(|place| setup.is_founder(&hosts[*place].claims)).collect();
        let first = voters.first().copied().ok_or(SetupFault::Keepers(0))?;
        let by = hosts[first].id;
        let mut ledger = Ledger::new();
        let found = Command::Found {
            cluster: vocabulary::ClusterName::new(CLUSTER)?,
            authorities: vec![model_authority()],
            keepers: voters.iter().map(|place| model_chain(&hosts[*place].claims)).collect(),
        };
        // Everybody in one process is of one age: what waits for all to support it waits for nothing.
        let raise = Command::Rules { rules: rules::NEWEST };
        let by_founder = |command| Proposed { by, command };
        let mut commands = [found, raise].map(by_founder).to_vec();
        if setup.is_settled {
            enact(&mut ledger, (Span::ZERO, std::mem::take(&mut commands)))?;
            settle(&mut ledger, hosts)?;
        }
        commands.extend(setup.policy.as_deref().map(set_policy).map(by_founder));
        if !commands.is_empty() {
            enact(&mut ledger, (Span::ZERO, commands))?;
        }
        Ok(Self {
            seeds: voters.clone(),
            voters,
            votes_looked: Moment::default(),
            ledger: Arc::new(ledger),
            leader: None,
            stood_down: None,
            heard: Moment::default(),
            stamped: None,
            ticked: Moment::default(),
            waiting: VecDeque::new(),
            under_way: None,
            last_batch: 0,
            service: Service::default(),
            had_source: vec![Moment::default(); hosts.len()],
            abreast: vec![None; hosts.len()],
        })
    }

    /// One more host, which has never been looked at.
    pub fn add_host(&mut self, now: Moment) {
        self.had_source.push(now);
        self.abreast.push(None);
    }

    /// A host was found sound, with all there is to know, so many ways from the leader.
    pub fn note_abreast(&mut self, place: Place, ways: Option<u64>) {
        self.abreast[place] = ways;
    }

    /// A link, a host or the leader has changed, or there is more to know.
    pub fn forget_abreast(&mut self) {
        self.abreast.fill(None);
    }

    /// Whether whoever leads ought to have lost the lead by now: it is taken away at the beat after its lease.
    pub fn is_lease_over(&self, now: Moment) -> bool {
        now.since(self.heard) > LEASE.plus(BEAT_EVERY)
    }

    fn abreast(&self, place: Place) -> Option<u64> {
        self.abreast[place]
    }

    pub fn lose_leader(&mut self) {
        self.leader = None;
        self.under_way = None;
        self.waiting.clear();
        self.forget_abreast();
    }
}

impl Fleet {
    /// Who hears a majority may lead; whoever led and does not, does so no more.
    pub(crate) fn beat(&mut self) {
        let now = self.now;
        match self.keepers.leader {
            Some(leader) if self.has_majority(leader) => self.keepers.heard = now,
            Some(_) if now.since(self.keepers.heard) > LEASE => self.keepers.lose_leader(),
            _ => {}
        }
        if self.keepers.leader.is_none() && now.since(self.keepers.heard) >= FAIL_OVER {
            self.elect();
        }
        self.tick();
        self.slander();
        self.fill_stores();
        self.move_stores();
        for place in 0..self.hosts.len() {
            self.note_soundness(place);
            if let Some(ways) = self.keepers.abreast(place) {
                self.keepers.had_source[place] = now;
                // What nobody waits for takes its time as well: chance goes on as if it were on its way.
                let leader = self.keepers.leader.unwrap_or(place);
                self.ways((leader, place), ways);
                continue;
            }
            self.bring_news(place);
        }
        self.queue.put(now.after(BEAT_EVERY), Happening::Beat);
    }

    /// protocol 1.5: it leads no more, and the others elect as if it had gone.
    pub(crate) fn stand_down(&mut self, place: Place) {
        if self.keepers.leader != Some(place) {
            return;
        }
        self.note(format!("{} stands down", self.hosts[place].name()));
        self.keepers.stood_down = Some((place, self.now.after(STANDS_DOWN_FOR)));
        self.keepers.lose_leader();
    }

    fn elect(&mut self) {
        let now = self.now;
        if now < self.keepers.service.leaderless_until {
            return;
        }
        let down = self.keepers.stood_down.filter(|(_, until)| now < *until).map(|(who, _)| who);
        let may = |voter: &Place| down != Some(*voter) && self.has_majority(*voter);
        let able: Vec<Place> = self.keepers.voters.iter().copied().filter(may).collect();
        if able.is_empty() {
            return;
        }
        let drawn = usize::try_from(self.network.draw(able.len() as u64)).unwrap_or(0);
        let leader = able[drawn];
        self.keepers.leader = Some(leader);
        self.keepers.forget_abreast();
        self.keepers.heard = self.now;
        self.keepers.stamped = None;
        self.note(format!("{} leads", self.hosts[leader].name()));
    }

    /// Law M1.
    pub(crate) fn has_majority(&self, voter: Place) -> bool {
        let voters = &self.keepers.voters;
        let has_vote = |voter: Place| self.keepers.service.has_vote(voter);
        let is_heard = |other: Place| self.hosts[other].is_running() && self.is_open(voter, other);
        let heard = voters.iter().filter(|other| has_vote(**other) && is_heard(**other));
        self.hosts[voter].is_running()
            && has_vote(voter)
            && !self.hosts[voter].is_off
            && heard.count() * 2 > voters.len()
    }

    fn tick(&mut self) {
        let now = self.now;
        let Some(leader) = self.keepers.leader else {
            return;
        };
        let Some(every) = self.keepers.ledger.tick_every() else {
            return;
        };
        let is_quiet =
            self.keepers.stamped.is_none_or(|(at, _)| now.since(at) >= every.less(TICK_SLACK));
        if is_quiet && now.since(self.keepers.ticked) >= TICKS_ASKED_EVERY {
            self.keepers.ticked = now;
            self.take_in(Ask {
                by: leader,
                command: wire::encode(&Command::Tick),
                asker: None,
                until: now.after(ORDER_WITHIN),
            });
        }
    }

    /// A proposal looks for the leader, through whichever keeper reaches it.
    pub(crate) fn proposal(&mut self, ask: Ask) {
        if self.now >= ask.until || !self.is_asking(&ask) {
            return;
        }
        let leader = self.keepers.leader.filter(|leader| {
            self.hosts[*leader].is_running() && self.way_between(ask.by, *leader).is_some()
        });
        if leader.is_none() {
            self.queue.put(self.now.after(TRY_AGAIN), Happening::Proposal(ask));
            return;
        }
        self.take_in(ask);
    }

    fn is_asking(&self, ask: &Ask) -> bool {
        ask.asker.is_none_or(|(life, _)| self.hosts[ask.by].life_number() == Some(life))
    }

    pub(crate) fn take_in(&mut self, ask: Ask) {
        if ask.command.len() > Entry::BYTES_MAX {
            self.laws.breach("law D12: every command fits an entry", self.now);
        }
        self.keepers.waiting.push_back(ask);
        self.decide_next();
    }

    /// One entry is under way at a time.
    fn decide_next(&mut self) {
        if self.keepers.under_way.is_some() || self.keepers.waiting.is_empty() {
            return;
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(ask) = self.keepers.waiting.front() {
            bytes += ask.command.len();
            if bytes > Entry::BYTES_MAX && !batch.is_empty() {
                break;
            }
            batch.extend(self.keepers.waiting.pop_front());
        }
        self.keepers.last_batch += 1;
        let number = self.keepers.last_batch;
        self.keepers.under_way = Some((number, batch));
        let jitter = Span::milliseconds(self.network.draw(COMMIT_JITTER_MS));
        let takes = COMMIT_TAKES.plus(jitter).plus(self.keepers.service.slower);
        self.queue.put(self.now.after(takes), Happening::Commit(number));
    }

    /// The entry has its majority and is applied, or its leader has lost it and it is gone.
    pub(crate) fn commit(&mut self, number: u64) {
        let Some((_, batch)) = self.keepers.under_way.take_if(|(own, _)| *own == number) else {
            return;
        };
        let leader = self.keepers.leader.filter(|leader| self.has_majority(*leader));
        let Some(leader) = leader else {
            return;
        };
        let before = Arc::clone(&self.keepers.ledger);
        let outcomes = self.apply_entry(leader, &batch);
        for (ask, outcome) in batch.into_iter().zip(outcomes) {
            self.acknowledge(leader, &ask, outcome);
        }
        self.laws_after_entry(&before);
        self.trace_audit();
        for place in 0..self.hosts.len() {
            self.bring_news(place);
        }
        self.decide_next();
    }

    fn apply_entry(&mut self, leader: Place, batch: &[Ask]) -> Vec<Outcome> {
        let commands = batch.iter().map(|ask| Proposed {
            by: self.hosts[ask.by].id,
            command: wire::decode(&ask.command).expect("law W1: what we encoded decodes again"),
        });
        // protocol 5: as its leader measured it.
        let reads = self.hosts[leader].local(self.now);
        let elapsed = self.keepers.stamped.map_or(Span::ZERO, |(_, read)| reads.since(read));
        let entry = Entry {
            elapsed: elapsed.min(Entry::ELAPSED_MAX),
            wall: WallNote(WALL_BEGINS + self.now.as_milliseconds()),
            commands: commands.collect(),
        };
        self.keepers.stamped = Some((self.now, reads));
        let mut ledger = Ledger::clone(&self.keepers.ledger);
        let index = ledger.index().next();
        let outcomes = ledger.apply(index, &entry, &ModelVerifier);
        self.keepers.ledger = Arc::new(ledger);
        self.keepers.forget_abreast();
        outcomes
    }

    fn acknowledge(&mut self, leader: Place, ask: &Ask, outcome: Outcome) {
        let Some((life, call)) = ask.asker else {
            if let Outcome::Refused(refused) = outcome {
                self.note(format!("the order is refused: {refused}"));
            }
            return;
        };
        let Some(ways) = self.way_between(leader, ask.by) else {
            return;
        };
        if self.is_answer_lost() {
            return;
        }
        let outcome =
            wire::decode(&wire::encode(&outcome)).expect("law W1: what we encoded decodes again");
        let end = CallEnd::Committed { index: self.keepers.ledger.index(), outcome };
        let takes = self.ways((leader, ask.by), ways);
        self.queue.put(self.now.after(takes), Happening::End(ask.by, life, call, Box::new(end)));
    }

    /// How many ways it takes between a host and a keeper, directly or through another keeper.
    pub(crate) fn way_between(&self, from: Place, to: Place) -> Option<u64> {
        if from == to {
            return Some(0);
        }
        if self.is_open(from, to) {
            return Some(1);
        }
        let carries = |keeper: &&Place| {
            self.hosts[**keeper].is_running()
                && self.is_open(from, **keeper)
                && self.is_open(**keeper, to)
        };
        self.keepers.voters.iter().find(carries).map(|_| 2)
    }

    /// What so many ways between these two take.
    pub(crate) fn ways(&mut self, (from, to): (Place, Place), count: u64) -> Span {
        let mut takes = Span::ZERO;
        for _ in 0..count {
            takes = takes.plus(self.network.stream(self.now, Way::of(from, to)));
        }
        takes
    }
}

/// One entry of the time before the first moment.
fn enact(
    ledger: &mut Ledger,
    (elapsed, commands): (Span, Vec<Proposed>),
) -> Result<(), SetupFault> {
    let entry = Entry { elapsed, wall: WallNote(WALL_BEGINS), commands };
    let index = ledger.index().next();
    let outcomes = ledger.apply(index, &entry, &ModelVerifier);
    let refused = outcomes.into_iter().find_map(|outcome| match outcome {
        Outcome::Refused(refused) => Some(SetupFault::Policy(refused.to_string())),
        _ => None,
    });
    refused.map_or(Ok(()), Err)
}

/// Everybody enrols, in one epoch (protocol 1.3), and makes the boot known in which it is about to begin.
fn settle(ledger: &mut Ledger, hosts: &[Host]) -> Result<(), SetupFault> {
    let enrol =
        |host: &Host| Proposed { by: host.id, command: Command::Enrol(model_chain(&host.claims)) };
    enact(ledger, (Entry::ELAPSED_MAX, hosts.iter().map(enrol).collect()))?;
    let boot = |(place, host): (Place, &Host)| Proposed {
        by: host.id,
        command: Command::Boot {
            boot: host.next_boot(),
            address: Host::address(place),
            store: host.store(place),
        },
    };
    enact(ledger, (Span::ZERO, hosts.iter().enumerate().map(boot).collect()))
}
