//! Which scenarios there are: deaths, cuts, one liar, and pairs of these, in one layout, up to symmetry.
//!
//! A cut lies between two sets of hosts and may leave a third set out, so that a host can be cut from some and not from
//! others. Every family is seen by a leader from each different fate.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::layouts::{Layout, each_fate};
use super::scenario::{Faults, Lie, Looks, State};

/// One way in which things go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Hosts die: each in one of the first so many states.
    Deaths(&'static [State]),
    /// Nothing passes between two sets.
    Cut(Sets),
    /// Nothing passes from one set to another; the way back is open.
    OneWayCut(Sets),
    /// One host lies in each of these ways.
    Liar(&'static [Lie]),
    /// One host is two machines, which is known; they say these things.
    Twins(&'static [Lie]),
}

/// Whom a cut concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sets {
    /// Everybody is on one of its two sides.
    Two,
    /// A third set stays out of it, so that a host is cut from some and not from others.
    Three,
}

/// All states of a host.
pub const STATES: &[State] = &[State::Alive, State::AgentDead, State::Hung, State::HostDead];

/// Alive and dead, for pairs: what a dead agent or a hung host adds is seen in the family of all states.
pub const DEAD: &[State] = &[State::Alive, State::HostDead];

/// The same with a dead agent.
pub const AGENT_DEAD: &[State] = &[State::Alive, State::AgentDead];

/// All uniform lies.
pub const LIES: &[Lie] = &[
    Lie::AllWell,
    Lie::AllSilent,
    Lie::AllRefused,
    Lie::AllAccepted,
    Lie::Opposite,
    Lie::Equivocal,
    Lie::AllUnknown,
    Lie::Hidden,
];

/// What two machines under one name may say between them; neither of them hides.
pub const WORDS: &[Lie] = &[
    Lie::AllWell,
    Lie::AllSilent,
    Lie::AllRefused,
    Lie::AllAccepted,
    Lie::Opposite,
    Lie::Equivocal,
    Lie::AllUnknown,
];

/// A family of scenarios and up to how many hosts all of it is visited: in every run, and in a full one. Fleets of up to
/// nine hosts beyond that are sampled.
pub struct Family {
    /// For people.
    pub name: &'static str,
    /// What goes wrong, all at once.
    pub faults: &'static [Fault],
    /// Visited whole in every run up to so many hosts.
    pub always_up_to: usize,
    /// Visited whole in a full run up to so many hosts.
    pub full_up_to: usize,
}

const fn family(
    name: &'static str,
    faults: &'static [Fault],
    always_up_to: usize,
    full_up_to: usize,
) -> Family {
    Family { name, faults, always_up_to, full_up_to }
}

use Fault::{Cut, Deaths, Liar, OneWayCut, Twins};
use Sets::{Three, Two};

/// Single faults.
pub const SINGLE: &[Family] = &[
    family("deaths of hosts", &[Deaths(DEAD)], 9, 9),
    family("deaths of agents", &[Deaths(AGENT_DEAD)], 9, 9),
    family("deaths of all kinds", &[Deaths(STATES)], 6, 8),
    family("cut", &[Cut(Two)], 7, 9),
    family("partial cut", &[Cut(Three)], 6, 8),
    family("one-way cut", &[OneWayCut(Two)], 7, 9),
    family("partial one-way cut", &[OneWayCut(Three)], 6, 8),
    family("liar", &[Liar(LIES)], 9, 9),
];

/// Pairs with deaths. Two sets of deaths are one.
pub const WITH_DEATHS: &[Family] = &[
    family("deaths of hosts, cut", &[Deaths(DEAD), Cut(Two)], 6, 7),
    family("deaths of agents, cut", &[Deaths(AGENT_DEAD), Cut(Two)], 6, 8),
    family("deaths of hosts, one-way cut", &[Deaths(DEAD), OneWayCut(Two)], 6, 8),
    family("deaths of agents, one-way cut", &[Deaths(AGENT_DEAD), OneWayCut(Two)], 6, 8),
    family("deaths of hosts, partial cut", &[Deaths(DEAD), Cut(Three)], 4, 6),
    family("deaths of agents, partial cut", &[Deaths(AGENT_DEAD), Cut(Three)], 4, 6),
    family("deaths of hosts, partial one-way cut", &[Deaths(DEAD), OneWayCut(Three)], 4, 6),
    family("deaths of agents, partial one-way cut", &[Deaths(AGENT_DEAD), OneWayCut(Three)], 4, 6),
];

/// Pairs with a liar. Two liars are beyond what is tolerated.
pub const WITH_LIAR: &[Family] = &[
    family("deaths of hosts, liar", &[Deaths(DEAD), Liar(LIES)], 6, 8),
    family("deaths of agents, liar", &[Deaths(AGENT_DEAD), Liar(LIES)], 7, 9),
    family("cut, liar", &[Cut(Two), Liar(LIES)], 5, 7),
    family("one-way cut, liar", &[OneWayCut(Two), Liar(LIES)], 5, 7),
    family("partial cut, liar", &[Cut(Three), Liar(LIES)], 4, 5),
    family("partial one-way cut, liar", &[OneWayCut(Three), Liar(LIES)], 4, 6),
];

/// Two machines under one name, alone and beside another fault.
pub const WITH_TWINS: &[Family] = &[
    family("twins", &[Twins(WORDS)], 8, 9),
    family("deaths of hosts, twins", &[Deaths(DEAD), Twins(WORDS)], 5, 8),
    family("deaths of agents, twins", &[Deaths(AGENT_DEAD), Twins(WORDS)], 5, 8),
    family("cut, twins", &[Cut(Two), Twins(WORDS)], 5, 7),
    family("partial one-way cut, twins", &[OneWayCut(Three), Twins(WORDS)], 4, 6),
];

/// Pairs of cuts.
pub const OF_CUTS: &[Family] = &[
    family("cut, cut", &[Cut(Two), Cut(Two)], 5, 7),
    family("cut, one-way cut", &[Cut(Two), OneWayCut(Two)], 5, 7),
    family("one-way cut, one-way cut", &[OneWayCut(Two), OneWayCut(Two)], 6, 8),
    family("partial cut, partial cut", &[Cut(Three), Cut(Three)], 4, 5),
    family("partial cut, partial one-way cut", &[Cut(Three), OneWayCut(Three)], 4, 5),
    family("two partial one-way cuts", &[OneWayCut(Three), OneWayCut(Three)], 4, 5),
];

/// Calls back with every scenario of a family in a layout.
pub fn each_scenario(layout: &Layout, faults: &[Fault], visit: &mut dyn FnMut(&Faults)) {
    let faces = faults.iter().map(|fault| fault.faces()).product();
    each_fate(layout, faces, &mut |fates| {
        let Some(base) = Faults::befallen(faults, fates) else {
            return;
        };
        for liar in base.liars(faults, layout, fates) {
            let scenario = Faults { liar, ..base.clone() };
            for leader in scenario.leaders(fates) {
                let turn = fates.iter().map(|&face| usize::from(face)).sum();
                for looks in [Looks::All, Looks::Doubted] {
                    visit(&Faults { leader, looks, turn, ..scenario.clone() });
                }
            }
        }
    });
}

/// Draws one scenario of a family in a layout; `None` where the drawn fates are none of it.
pub fn drawn(layout: &Layout, faults: &[Fault], luck: &mut ChaCha8Rng) -> Option<Faults> {
    let hosts: usize = layout.iter().flatten().sum();
    // Few or many: half of all draws leave most hosts alone, as faults do.
    let calm = luck.random_range(0..4_u32) * 25;
    let mut face = |fault: &Fault| -> Vec<u8> {
        let calm = if matches!(fault, Fault::Deaths(_)) { calm } else { 0 };
        let mut one = || match luck.random_range(0..100) {
            percent if percent < calm => 0,
            _ => luck.random_range(0..fault.faces()),
        };
        (0..hosts).map(|_| one()).collect()
    };
    let faces: Vec<Vec<u8>> = faults.iter().map(&mut face).collect();
    let fates: Vec<u8> = (0..hosts)
        .map(|host| {
            let rest = faults.iter().zip(&faces).rev();
            rest.fold(0, |fate, (fault, face)| fate * fault.faces() + face[host])
        })
        .collect();
    let base = Faults::befallen(faults, &fates)?;
    let liars = base.liars(faults, layout, &fates);
    let liar = *liars.get(luck.random_range(0..liars.len().max(1)))?;
    let liar = liar.map(|(host, lie)| match luck.random_range(0..3) {
        0 => (host, Lie::Mixed(luck.random())),
        _ => (host, lie),
    });
    let scenario = Faults { liar, ..base };
    let leaders = scenario.leaders(&fates);
    let leader = *leaders.get(luck.random_range(0..leaders.len().max(1)))?;
    let looks = if luck.random() { Looks::All } else { Looks::Doubted };
    Some(Faults { leader, looks, turn: luck.random_range(0..hosts), ..scenario })
}

impl Fault {
    /// How many fates of one host this fault tells apart.
    fn faces(self) -> u8 {
        match self {
            Self::Deaths(states) => u8::try_from(states.len()).expect("few states"),
            Self::Cut(Sets::Two) | Self::OneWayCut(Sets::Two) => 2,
            Self::Cut(Sets::Three) | Self::OneWayCut(Sets::Three) => 3,
            Self::Liar(_) | Self::Twins(_) => 1,
        }
    }
}

impl Faults {
    /// The fates of all hosts as faults, or `None` for a picture that is another one with its names changed: a cut
    /// without two sides, or whose sides are swapped.
    pub fn befallen(faults: &[Fault], fates: &[u8]) -> Option<Self> {
        let mut all = Self::none(fates.len());
        let mut rest: Vec<u8> = fates.to_vec();
        for fault in faults {
            let face: Vec<u8> = rest.iter().map(|fate| fate % fault.faces()).collect();
            rest.iter_mut().for_each(|fate| *fate /= fault.faces());
            match fault {
                Fault::Deaths(states) => {
                    all.state = face.iter().map(|&face| states[usize::from(face)]).collect();
                }
                Fault::Cut(_) => all.cut(&face, true)?,
                Fault::OneWayCut(_) => all.cut(&face, false)?,
                Fault::Liar(_) => {}
                Fault::Twins(_) => all.is_duplicate = true,
            }
        }
        Some(all)
    }

    /// Cuts face 0 from face 1; face 2 stays out of it.
    fn cut(&mut self, face: &[u8], is_both_ways: bool) -> Option<()> {
        let side = |wanted: u8| {
            let hosts = face.iter().enumerate().filter(|&(_, &face)| face == wanted);
            hosts.fold(0_u128, |side, (host, _)| side | 1 << host)
        };
        let (left, right) = (side(0), side(1));
        for (host, &face) in face.iter().enumerate() {
            match face {
                0 => self.out[host] &= !right,
                1 if is_both_ways => self.out[host] &= !left,
                _ => {}
            }
        }
        (left != 0 && right != 0).then_some(())
    }

    /// Nobody, or each living host that differs from the others, with each lie.
    fn liars(&self, faults: &[Fault], layout: &Layout, fates: &[u8]) -> Vec<Option<(usize, Lie)>> {
        let lies = faults.iter().find_map(|fault| match fault {
            Fault::Liar(lies) | Fault::Twins(lies) => Some(*lies),
            Fault::Deaths(_) | Fault::Cut(_) | Fault::OneWayCut(_) => None,
        });
        let Some(lies) = lies else {
            return vec![None];
        };
        let racks = layout.iter().flatten().enumerate();
        let rack: Vec<usize> = racks.flat_map(|(rack, &size)| vec![rack; size]).collect();
        let living = (0..fates.len()).filter(|&host| self.state[host] == State::Alive);
        let distinct = living.filter(|&host| {
            host == 0 || (rack[host], fates[host]) != (rack[host - 1], fates[host - 1])
        });
        distinct.flat_map(|host| lies.iter().map(move |&lie| Some((host, lie)))).collect()
    }

    /// The first living honest host of each fate.
    fn leaders(&self, fates: &[u8]) -> Vec<usize> {
        let mut seen = [false; 256];
        (0..fates.len())
            .filter(|&host| self.state[host] == State::Alive && self.is_honest(host))
            .filter(|&host| !std::mem::replace(&mut seen[usize::from(fates[host])], true))
            .collect()
    }
}
