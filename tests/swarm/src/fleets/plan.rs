//! A fleet and what is done to it, as a script that anybody can play.
//!
//! Law PL1: a plan is its text: what is printed, replayed and shrunk is what was played.
//! Not here: how one is drawn (see `drawing`), the language (see `simulator::script`).

use simulator::Fault;
use simulator::script::{Script, ScriptFault};

use super::liars::are_borne;

/// By then every doubt that nobody settles is a case.
const QUIET: &str = "45s";

/// As often a person comes by and says yes to whatever waits for it, so long apart.
const ANSWERS: usize = 6;
const ANSWERED_AFTER: &str = "40s";

/// And every round on what stands at last is held, every soak and goodbye over.
const STILL: &str = "30s";

/// A case that the few observers that are left cannot settle holds its budget for five minutes, and others wait behind it.
const SETTLES_WITHIN: &str = "25m";

/// A fleet, and what is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of the fleet's own chance.
    pub seed: u64,
    /// Who there is.
    pub hosts: Vec<Spot>,
    /// Who of them is a keeper without a vote.
    pub spares: Vec<String>,
    /// The weather's words.
    pub weather: String,
    /// The text of the policy.
    pub policy: String,
    /// What is done, in order.
    pub acts: Vec<Act>,
}

/// One host and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Its rack, by a name that no rack of another zone bears.
    pub rack: String,
    /// Its group.
    pub group: String,
    /// Whether it carries the ledger.
    pub is_keeper: bool,
    /// Whether it may heal.
    pub is_healer: bool,
}

/// One thing that is done, and how long nothing else is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// In the words of a script.
    pub order: String,
    /// What ends it in the calm, where nothing else does.
    pub undo: Option<String>,
    /// Then so many milliseconds go by.
    pub wait_ms: u64,
}

impl Plan {
    /// The script: the fleet, what is done to it, and a calm in which all must come to an end.
    pub fn text(&self) -> String {
        let mut text = self.text_before_the_calm();
        text.extend(self.calm().iter().map(|line| format!("{line}\n")));
        text
    }

    fn text_before_the_calm(&self) -> String {
        let acts = self.acts.iter().map(Act::line);
        self.founding() + &acts.map(|line| format!("{line}\n")).collect::<String>()
    }

    /// The fleet, its weather and its policy.
    fn founding(&self) -> String {
        let mut lines: Vec<String> = self.hosts.iter().map(Spot::line).collect();
        lines.push(format!("keepers {}", self.named(|spot| spot.is_keeper)));
        let spares = self.named(|spot| self.spares.contains(&spot.name));
        if !spares.is_empty() {
            lines.push(format!("spares {spares}"));
        }
        lines.push(format!("healers {}", self.named(|spot| spot.is_healer)));
        lines.push(format!("seed {}\n{}", self.seed, self.weather));
        lines.push(format!("policy\n{}end", self.policy));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// What is done to the fleet before the calm.
    pub fn faults(&self) -> Result<Vec<Fault>, ScriptFault> {
        let script = Script::read(&self.text_before_the_calm())?;
        Ok(script.faults().cloned().collect())
    }

    /// The script, read.
    pub fn script(&self) -> Result<Script, ScriptFault> {
        Script::read(&self.text())
    }

    /// Law I1 (see `liars`): whether no subject has more liars among its observers than it bears.
    pub(super) fn bears_its_liars(&self) -> bool {
        let lies = self.acts.iter().filter_map(|act| act.order.strip_prefix("lie "));
        let lying: Vec<&str> = lies.flat_map(str::split_whitespace).collect();
        lying.is_empty() || are_borne(&self.founding(), &lying)
    }

    /// Everything that was done to hosts that live ends; keepers are started, since without them nothing is decided.
    fn calm(&self) -> Vec<String> {
        let mut undone: Vec<String> = Vec::new();
        for undo in self.acts.iter().filter_map(|act| act.undo.clone()) {
            if !undone.contains(&undo) {
                undone.push(undo);
            }
        }
        let mut calm = vec!["# Calm from here on.".to_owned()];
        calm.append(&mut undone);
        calm.push("join; unsilence 100%; thaw 100%".to_owned());
        let may_vote = |spot: &Spot| spot.is_keeper || self.spares.contains(&spot.name);
        let start = format!("start {}", self.named(may_vote));
        // A keeper that stood still may say a goodbye yet that was asked of it then.
        calm.push(format!("{start}; run 30s; {start}; resume calm"));
        calm.extend(self.slots_end().map(str::to_owned));
        if self.policy.contains("\"approve\"") {
            let answer = format!("run {ANSWERED_AFTER}; approve 100%");
            calm.extend(std::iter::repeat_n(answer, ANSWERS));
        }
        let settled = format!("run until settled within {SETTLES_WITHIN}");
        calm.push(format!("run {QUIET}; {settled}; run {STILL}; {settled}"));
        calm
    }

    /// A slot that nobody gives back ends by a person alone, soon or late; healing takes the place of one whose host is dead meanwhile. Whose
    /// hosts are well may all give theirs back, and none waits for a person.
    fn slots_end(&self) -> Option<&'static str> {
        let mut acts = self.acts.iter();
        let takes = acts.any(|act| act.order.starts_with("take-slot "));
        takes.then_some(match self.seed % 3 {
            0 => "run 17m; revoke-slots",
            1 => "return-slot 100%; run 1m; revoke-slots",
            _ => "revoke-slots; run 5s",
        })
    }

    fn named(&self, is_meant: impl Fn(&Spot) -> bool) -> String {
        let names: Vec<&str> =
            self.hosts.iter().filter(|spot| is_meant(spot)).map(|spot| &*spot.name).collect();
        names.join(" ")
    }
}

impl Spot {
    fn line(&self) -> String {
        let Self { name, zone, rack, group, .. } = self;
        format!("hosts {name} zone={zone} rack={rack} group={group}")
    }
}

impl Act {
    /// A policy ends on a line of its own.
    fn line(&self) -> String {
        let gap = if self.order.ends_with('\n') { "" } else { "; " };
        format!("{}{gap}run {}ms", self.order, self.wait_ms)
    }

    /// Whether it speaks of this host by its name.
    pub fn names(&self, host: &str) -> bool {
        self.order.split_whitespace().any(|word| word == host)
    }
}
