//! What must hold of every ending, judged by what is true in the world and not by the rules.
//!
//! Safety: no living honest host that the leader or an honest observer of its side reaches gets a verdict (up to eleven
//! hosts everybody is an observer), and no host that more than one of them proves alive is called dead. Liveness: every dead host that somebody looks at gets a verdict or the
//! name of the rule that says no; where only deaths happen it is known in advance which.

use std::collections::BTreeMap;
use std::fmt;

use detection::seats::SEATS_MAX;
use detection::verdict::{Conclusions, NoVerdict};
use vocabulary::{Scope, VerdictKind};

use super::scenario::{Ending, Faults, Lie, State, has, members};
use super::world::World;

/// So many broken claims are kept in full.
const KEPT_MAX: usize = 5;

/// What was counted over many scenarios.
#[derive(Default)]
pub struct Figures {
    /// All scenarios.
    pub scenarios: u64,
    /// How dead hosts ended: by verdict or by reason.
    pub endings: BTreeMap<String, u64>,
    /// Living hosts beyond the leader's reach that got a verdict: what the surge brake is for (protocol 3.5).
    pub beyond: u64,
    /// Broken claims.
    pub broken: u64,
    /// The first of them.
    pub kept: Vec<String>,
}

impl Figures {
    /// Judges one ending.
    pub fn judge(&mut self, world: &World, faults: &Faults, ending: &Ending) {
        self.scenarios += 1;
        for host in 0..world.hosts.len() {
            self.judge_safety(world, faults, ending, host);
            self.judge_liveness(world, faults, ending, host);
        }
    }

    /// Judges what two machines under one name have said: no verdict anywhere may hang on it (protocol 1.2, law U2). Why there is
    /// none may: a void word was offered, and that is said.
    pub fn judge_twins(&mut self, world: &mut World, faults: &Faults, ending: &Ending) {
        let unsaid = faults.without_the_liar(world);
        for host in 0..world.hosts.len() {
            let of = |conclusions: &Conclusions| {
                conclusions.verdict(&world.hosts[host]).map(|verdict| verdict.kind.clone()).ok()
            };
            if of(&unsaid) != of(&ending.conclusions) {
                self.broke("a twin's word changed an ending", world, faults, ending, host);
            }
        }
        if unsaid.domains != ending.conclusions.domains {
            self.broke("a twin's word changed a domain", world, faults, ending, 0);
        }
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: Self) {
        self.scenarios += other.scenarios;
        self.beyond += other.beyond;
        self.broken += other.broken;
        self.kept.extend(other.kept);
        self.kept.truncate(KEPT_MAX);
        for (ending, count) in other.endings {
            *self.endings.entry(ending).or_default() += count;
        }
    }

    fn judge_safety(&mut self, world: &World, faults: &Faults, ending: &Ending, host: usize) {
        let Ok(verdict) = ending.conclusions.verdict(&world.hosts[host]) else {
            return;
        };
        let is_hidden = faults.liar == Some((host, Lie::Hidden));
        // Of two machines under one name nothing is a sign of life; what is found of that host heals nobody (law U2).
        let is_one = faults.duplicate() != Some(host);
        let lives = faults.state[host] == State::Alive && !is_hidden && is_one;
        if lives && has(ending.reached, host) {
            self.broke("a living host within reach got a verdict", world, faults, ending, host);
        } else if lives && faults.is_honest(host) {
            self.beyond += 1;
        }
        let proofs = members(ending.side)
            .filter(|&observer| faults.is_honest(observer) && faults.both(observer, host))
            .filter(|observer| world.observers[host].contains(observer))
            .count();
        let is_refusing = faults.state[host] == State::AgentDead;
        if is_refusing && proofs > 1 && verdict.kind != VerdictKind::AgentDown {
            self.broke("a proven host was called dead", world, faults, ending, host);
        }
        // Below four filled seats no liar is tolerated: it may turn one verdict into the milder one.
        let tolerates = ending.conclusions.hosts[&world.hosts[host]].tally.tolerated() >= 1;
        let is_truthful = faults.liar.is_none() || tolerates;
        let is_dead = faults.state[host] == State::HostDead;
        if is_dead && is_truthful && verdict.kind == VerdictKind::AgentDown {
            self.broke("a dead host was called alive", world, faults, ending, host);
        }
    }

    fn judge_liveness(&mut self, world: &World, faults: &Faults, ending: &Ending, host: usize) {
        if faults.state[host] == State::Alive {
            return;
        }
        let is_watched = world.observers[host].iter().any(|&observer| has(ending.side, observer));
        let id = &world.hosts[host];
        let verdict = ending.conclusions.verdict(id);
        let name = ending_name(&verdict.map(|verdict| verdict.kind.clone()));
        if is_watched && name == "NotLookedAt" {
            self.broke("a dead host was forgotten", world, faults, ending, host);
        }
        let due = due(world, faults, ending, host);
        if !due.is_empty() && !due.contains(&name.as_str()) {
            let claim = format!("one of {due:?} is due, not {name}");
            self.broke(&claim, world, faults, ending, host);
        }
        *self.endings.entry(name).or_default() += 1;
    }

    fn broke(&mut self, claim: &str, world: &World, faults: &Faults, ending: &Ending, host: usize) {
        self.broken += 1;
        if self.kept.len() < KEPT_MAX {
            let conclusion = ending.conclusions.hosts.get(&world.hosts[host]);
            self.kept.push(format!(
                "{claim}: host {host} of {:?}\n  {faults:?}\n  side {:b} looked {:b}\n  {conclusion:?}\n  domains {:?}",
                world.layout, ending.side, ending.looked, ending.conclusions.domains
            ));
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} scenarios, {} claims broken", self.scenarios, self.broken)?;
        write!(out, ", {} verdicts on hosts beyond reach; dead hosts ended", self.beyond)?;
        for (ending, count) in &self.endings {
            write!(out, " {ending} {count}")?;
        }
        for kept in &self.kept {
            write!(out, "\n{kept}")?;
        }
        Ok(())
    }
}

/// The endings that are due where nothing but death happened and at most one host lies, by counting the honest alone;
/// empty where nothing is known in advance. Everybody watches everybody here and the honest all agree: more than half of
/// the seats and at least two of them are a quorum, a rack of two or more or a zone without a living kernel is a domain,
/// and whatever else is dead has a witness. A liar that hides is a dead host for all others. Any other liar changes
/// nothing where three honest ones are left (law V4), except that alone in a second zone or rack it can refuse the voice
/// that `HostDown` needs from there; then the doubt stands without a verdict, and is shown with the rule that says no.
fn due(world: &World, faults: &Faults, ending: &Ending, host: usize) -> Vec<&'static str> {
    let hosts = world.hosts.len();
    let is_cut = faults.out.iter().any(|out| out.count_ones() as usize != hosts);
    if is_cut || hosts > SEATS_MAX + 1 || !has(ending.looked, host) {
        return Vec::new();
    }
    if hosts < 3 {
        return vec!["FleetTooSmall"];
    }
    let is_honest = |host: &usize| faults.state[*host] == State::Alive && faults.is_honest(*host);
    let honest: Vec<usize> = (0..hosts).filter(is_honest).collect();
    // Two machines under one name are nobody: no voice, no witness, no part of a domain.
    let twin = faults.duplicate();
    if twin == Some(host) {
        return Vec::new();
    }
    let lies = twin.is_none() && faults.liar.is_some_and(|(_, lie)| lie != Lie::Hidden);
    let counts = |mate: &usize| twin != Some(*mate);
    let is_dark = |place: &[usize]| {
        let mut mates = (0..hosts).filter(|&mate| place[mate] == place[host]).filter(counts);
        mates.all(|mate| match faults.state[mate] {
            State::HostDead | State::Hung => true,
            State::Alive => faults.liar == Some((mate, Lie::Hidden)),
            State::AgentDead => false,
        })
    };
    let beside = (0..hosts).filter(|&mate| world.rack[mate] == world.rack[host]);
    let rack = beside.filter(counts).count();
    let has_quorum = honest.len() >= 2 && honest.len() > (hosts - 1) / 2;
    if lies && (honest.len() < 3 || !has_quorum) {
        return Vec::new();
    }
    if honest.len() >= 2 && (is_dark(&world.zone) || rack >= 2 && is_dark(&world.rack)) {
        return vec!["InDomain"];
    }
    if !has_quorum {
        return vec!["TooFewVoices"];
    }
    let mut due = match faults.state[host] {
        State::Alive => return Vec::new(),
        State::AgentDead => return vec!["AgentDown"],
        State::Hung => vec!["HostHung"],
        State::HostDead => vec!["HostDown"],
    };
    let stand_in_one = |place: &[usize]| honest.iter().all(|&one| place[one] == place[honest[0]]);
    if lies && stand_in_one(&world.zone) {
        due.push("OneZoneOnly");
    }
    if lies && stand_in_one(&world.rack) {
        due.push("OneRackOnly");
    }
    due
}

fn ending_name(verdict: &Result<VerdictKind, NoVerdict>) -> String {
    match verdict {
        Ok(kind) => kind.word(),
        Err(NoVerdict::WholeDomainInDoubt(Scope::Zone(_))) => "ZoneInDoubt".into(),
        Err(NoVerdict::WholeDomainInDoubt(_)) => "RackInDoubt".into(),
        Err(reason) => {
            let name = format!("{reason:?}");
            name.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
        }
    }
}
