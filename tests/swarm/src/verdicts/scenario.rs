//! Faults in a world, what every observer that the leader hears then sees and signs, and what is concluded from it.
//!
//! The model: an agent answers whoever reaches it and is reached back; a dead agent's kernel refuses, a hung one's accepts,
//! a dead host is silent; an observer that reaches the subject, directly or through one of its two relays, brings the
//! subject's own answer along; the leader hears whom it reaches both ways. A liar signs what it likes, relays nothing,
//! brings nobody's answer, and may hide. Two machines under one name, once that is known, are a liar that nobody listens to.

use std::collections::BTreeSet;

use detection::verdict::{Conclusions, Heard, HeardAnswer, VerifiedGrounds, conclude};

use super::world::{View, Word, World};

/// What has become of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its agent runs.
    Alive,
    /// The host lives, the agent does not.
    AgentDead,
    /// The kernel lives, every process stands still.
    Hung,
    /// Nothing lives.
    HostDead,
}

/// What the one liar says of everybody it is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Everybody is well.
    AllWell,
    /// Everybody is silent.
    AllSilent,
    /// Everybody's kernel refuses.
    AllRefused,
    /// Everybody's kernel accepts.
    AllAccepted,
    /// The opposite of what it sees.
    Opposite,
    /// Two different words under one sequence.
    Equivocal,
    /// It cannot tell.
    AllUnknown,
    /// It signs and answers nothing, as if it were dead.
    Hidden,
    /// A word for each subject that follows from this number.
    Mixed(u64),
}

/// Whom the leader asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Everybody.
    All,
    /// Whom some observer that it hears does not reach directly, and whom the liar names.
    Doubted,
}

/// All that is wrong in a world, and from where it is seen.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Of each host.
    pub state: Vec<State>,
    /// To whom each host's packets arrive, one bit per host.
    pub out: Vec<u128>,
    /// The liar.
    pub liar: Option<(usize, Lie)>,
    /// Whether the liar is two machines under one name, and the ledger has a case on it (protocol 1.2).
    pub is_duplicate: bool,
    /// Who leads.
    pub leader: usize,
    /// Whom it asks about.
    pub looks: Looks,
    /// Turns the choice of relays.
    pub turn: usize,
}

/// What came of it.
pub struct Ending {
    /// What was concluded.
    pub conclusions: Conclusions,
    /// Whom the leader hears, itself among them, one bit per host.
    pub side: u128,
    /// Whom the leader, or an honest observer of theirs on the leader's side, reaches; they themselves among them.
    pub reached: u128,
    /// Who was looked at.
    pub looked: u128,
}

/// What is said in the round.
#[derive(Default)]
pub struct Said {
    /// All attestations.
    pub words: Vec<Word>,
    /// All hosts that answered for themselves.
    pub answers: BTreeSet<usize>,
}

impl Faults {
    /// No fault yet, as the first host sees it.
    pub fn none(hosts: usize) -> Self {
        Self {
            state: vec![State::Alive; hosts],
            out: vec![(1 << hosts) - 1; hosts],
            liar: None,
            is_duplicate: false,
            leader: 0,
            looks: Looks::All,
            turn: 0,
        }
    }

    /// Plays the round to its end.
    pub fn play(&self, world: &mut World) -> Ending {
        let side = self.side();
        let looked = self.looked(world, side);
        let said = self.said(world, side, looked);
        let conclusions = self.concluded(world, &said);
        Ending { conclusions, side, reached: self.reached(world, side), looked }
    }

    /// What is concluded where the liar's words and answers never came: the rest of the world is the same.
    pub fn without_the_liar(&self, world: &mut World) -> Conclusions {
        let side = self.side();
        let mut said = self.said(world, side, self.looked(world, side));
        said.words.retain(|word| self.is_honest(word.observer));
        said.answers.retain(|&host| self.is_honest(host));
        self.concluded(world, &said)
    }

    fn concluded(&self, world: &mut World, said: &Said) -> Conclusions {
        let heard: Vec<Heard> = said.words.iter().map(|word| world.heard(*word)).collect();
        let answers: Vec<HeardAnswer> =
            said.answers.iter().map(|&host| world.answer(host)).collect();
        let grounds = VerifiedGrounds::assembled(World::anchor(), &world.roster, heard, &answers);
        let duplicates = self.duplicate().map(|host| world.hosts[host]);
        let grounds = grounds.without(duplicates.into_iter().collect());
        conclude(world.fleet(), &grounds, &BTreeSet::new())
    }

    /// The host that is two machines.
    pub fn duplicate(&self) -> Option<usize> {
        self.liar.filter(|_| self.is_duplicate).map(|(host, _)| host)
    }

    /// Whom the leader hears.
    pub fn side(&self) -> u128 {
        let hears = |&host: &usize| host == self.leader || self.both(self.leader, host);
        set((0..self.state.len()).filter(|&host| self.speaks(host)).filter(hears))
    }

    /// All that is signed for the round.
    pub fn said(&self, world: &World, side: u128, looked: u128) -> Said {
        let mut said = Said::default();
        for subject in members(looked) {
            self.ask_around(world, subject, side, &mut said);
        }
        said
    }

    /// Whom the leader asks about.
    pub fn looked(&self, world: &World, side: u128) -> u128 {
        let everybody = 0..self.state.len();
        if self.looks == Looks::All {
            return set(everybody);
        }
        let is_missed = |&subject: &usize| {
            let misses = |&observer: &usize| {
                has(side, observer)
                    && (self.sees(world, observer, subject) != View::Well
                        || self.names(observer, subject))
            };
            world.observers[subject].iter().any(misses)
        };
        set(everybody.filter(is_missed))
    }

    fn ask_around(&self, world: &World, subject: usize, side: u128, said: &mut Said) {
        if self.speaks(subject) && (subject == self.leader || self.both(self.leader, subject)) {
            said.answers.insert(subject);
        }
        for &observer in world.observers[subject].iter().filter(|&&host| has(side, host)) {
            let seen = self.sees(world, observer, subject);
            let ingress = self.ingress(world, observer);
            let mut say = |view| said.words.push(Word { observer, subject, view, ingress });
            match self.liar.filter(|(liar, _)| *liar == observer) {
                Some((_, lie)) => lie.told(seen, subject).iter().copied().for_each(say),
                None => {
                    say(seen);
                    if matches!(seen, View::Well | View::WellByRelay) {
                        said.answers.insert(subject);
                    }
                }
            }
        }
        // The leader asks those beside the subject, too: one of them must bear witness (protocol 3.5).
        let beside = |&host: &usize| host != subject && world.zone[host] == world.zone[subject];
        said.answers.extend(members(side).filter(beside));
    }

    /// What an honest observer would see.
    fn sees(&self, world: &World, observer: usize, subject: usize) -> View {
        let is_hidden = self.liar == Some((subject, Lie::Hidden));
        match (self.state[subject], self.both(observer, subject)) {
            (State::Alive, _) if is_hidden => View::Silent,
            (State::Alive, true) => View::Well,
            (State::Alive, false) if self.is_relayed(world, observer, subject) => View::WellByRelay,
            (State::AgentDead, true) => View::Refused,
            (State::Hung, true) => View::Accepted,
            (State::HostDead, true) | (_, false) => View::Silent,
        }
    }

    /// protocol 3.1: one relay in the subject's rack, else its zone; one in a third zone.
    fn is_relayed(&self, world: &World, observer: usize, subject: usize) -> bool {
        let hosts = 0..self.state.len();
        let others = || hosts.clone().filter(|&host| host != observer && host != subject);
        let turn = observer + subject + self.turn;
        let carries = |candidates: Vec<usize>| {
            let relay = candidates.get(turn % candidates.len().max(1));
            relay.is_some_and(|&relay| {
                self.is_honest(relay)
                    && self.state[relay] == State::Alive
                    && self.both(observer, relay)
                    && self.both(relay, subject)
            })
        };
        let rack: Vec<usize> =
            others().filter(|&host| world.rack[host] == world.rack[subject]).collect();
        let zone = || others().filter(|&host| world.zone[host] == world.zone[subject]).collect();
        let third = others().filter(|&host| {
            world.zone[host] != world.zone[subject] && world.zone[host] != world.zone[observer]
        });
        carries(if rack.is_empty() { zone() } else { rack }) || carries(third.collect())
    }

    /// Which of a host's own observers have probed it lately.
    fn ingress(&self, world: &World, host: usize) -> u16 {
        let probes = |&(_, &observer): &(usize, &usize)| {
            self.speaks(observer) && has(self.out[observer], host)
        };
        let seats = world.observers[host].iter().enumerate().filter(probes);
        seats.fold(0, |seats, (seat, _)| seats | 1 << seat)
    }

    fn reached(&self, world: &World, side: u128) -> u128 {
        let is_reached = |&subject: &usize| {
            let reaches = |&host: &usize| {
                host == subject
                    || self.both(host, subject)
                        && (host == self.leader || world.observers[subject].contains(&host))
            };
            members(side).filter(|&host| self.is_honest(host)).any(|host| reaches(&host))
        };
        set((0..self.state.len()).filter(is_reached))
    }

    /// Whether packets arrive both ways.
    pub fn both(&self, one: usize, other: usize) -> bool {
        one != other && has(self.out[one], other) && has(self.out[other], one)
    }

    /// Whether it is not the liar.
    pub fn is_honest(&self, host: usize) -> bool {
        self.liar.is_none_or(|(liar, _)| liar != host)
    }

    /// Whether its agent runs and does not hide.
    pub fn speaks(&self, host: usize) -> bool {
        self.state[host] == State::Alive && self.liar != Some((host, Lie::Hidden))
    }

    fn names(&self, observer: usize, subject: usize) -> bool {
        let Some((_, lie)) = self.liar.filter(|(liar, _)| *liar == observer) else {
            return false;
        };
        lie.told(View::Well, subject).iter().any(|view| *view != View::Well)
    }
}

impl Lie {
    /// The words for one subject.
    fn told(self, seen: View, subject: usize) -> Vec<View> {
        match self {
            Self::AllWell => vec![View::Well],
            Self::AllSilent => vec![View::Silent],
            Self::AllRefused => vec![View::Refused],
            Self::AllAccepted => vec![View::Accepted],
            Self::Opposite if matches!(seen, View::Well | View::WellByRelay) => vec![View::Silent],
            Self::Opposite => vec![View::Well],
            Self::Equivocal => vec![View::Silent, View::Well],
            Self::AllUnknown => vec![View::Unknown],
            Self::Hidden => vec![],
            Self::Mixed(seed) => {
                let views =
                    [View::Well, View::Silent, View::Refused, View::Accepted, View::Unknown];
                let turn = seed.wrapping_shr(u32::try_from(subject % 20).unwrap_or(0) * 3) % 5;
                vec![views[usize::try_from(turn).unwrap_or(0)]]
            }
        }
    }
}

/// Whether a host is in a set.
pub fn has(set: u128, host: usize) -> bool {
    set & (1 << host) != 0
}

/// The hosts of a set.
pub fn members(set: u128) -> impl Iterator<Item = usize> {
    (0..128).filter(move |&host| has(set, host))
}

/// The set of some hosts.
pub fn set(hosts: impl Iterator<Item = usize>) -> u128 {
    hosts.fold(0, |set, host| set | 1 << host)
}
