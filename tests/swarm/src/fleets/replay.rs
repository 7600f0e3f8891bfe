//! A run told step by step: what happened, and what that changed.
//!
//! Law R1: a replay is the run itself: the same script, the same checkers, the same end.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use simulator::Fleet;
use simulator::script::{Script, ScriptFault};
use vocabulary::{CaseId, Scope, Span};

use super::checkers::{self, endings};
use super::picture::Camera;

/// Where a replay begins to tell and where it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Nothing is told of before this, counted as the trace counts.
    pub from: Span,
    /// It ends here.
    pub until: Option<Until>,
}

/// What ends a replay before its script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// This case is opened.
    Case(CaseId),
    /// So much time of the trace has gone by.
    Time(Span),
}

/// What is told of so far.
struct Telling<'a> {
    window: Window,
    tell: &'a mut dyn FnMut(&str),
    lines: usize,
    state: BTreeMap<String, String>,
}

/// Plays it again and tells each line of the trace, and below it what it changed; then the law that was broken, if any.
pub fn replay(
    script: &Script,
    window: Window,
    tell: &mut dyn FnMut(&str),
) -> Result<Option<String>, ScriptFault> {
    let (mut camera, mut checkers) = (Camera::default(), checkers::all());
    let mut telling = Telling { window, tell, lines: 0, state: BTreeMap::new() };
    let (mut broken, mut has_stopped) = (None, false);
    let fleet = script.play_watched(&mut |fleet| {
        telling.step(fleet);
        if let Some(picture) = camera.look(fleet) {
            broken = checkers.iter_mut().find_map(|checker| checker.look(&picture).err());
        }
        has_stopped = telling.is_over(fleet);
        if broken.is_some() || has_stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    telling.step(&fleet);
    if broken.is_none() && !has_stopped {
        broken = endings::check(&fleet).err();
    }
    Ok(broken)
}

impl Telling<'_> {
    fn step(&mut self, fleet: &Fleet) {
        let lines = fleet.trace();
        if self.state.is_empty() {
            self.state = state(fleet);
        }
        if lines.len() == self.lines {
            return;
        }
        let is_told = lines.last().is_some_and(|line| line.at >= self.window.from);
        for line in lines[self.lines..].iter().filter(|line| line.at >= self.window.from) {
            (self.tell)(&line.to_string());
        }
        self.lines = lines.len();
        let after = state(fleet);
        if is_told {
            for change in changes(&self.state, &after) {
                (self.tell)(&format!("           {change}"));
            }
        }
        self.state = after;
    }

    fn is_over(&self, fleet: &Fleet) -> bool {
        match self.window.until {
            None => false,
            Some(Until::Case(case)) => fleet.ledger().case(case).is_some(),
            Some(Until::Time(at)) => fleet.trace().last().is_some_and(|line| line.at >= at),
        }
    }
}

/// What is true now, each thing by its name.
fn state(fleet: &Fleet) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    let ledger = fleet.ledger();
    state.insert("leader".into(), fleet.leader().unwrap_or("nobody").to_owned());
    state.insert("brake".into(), ledger.brake().standing().unwrap_or_else(|| "none".into()));
    let truths: Vec<_> = fleet.truths().collect();
    for truth in &truths {
        let doubters =
            truths.iter().filter(|by| by.doubts.iter().any(|note| note.subject == truth.id));
        let boot = truth.boot.map_or("no agent".into(), |boot| format!("boot {}", boot.number));
        let heard = if truth.is_heard { "heard" } else { "not heard" };
        let said = format!("{boot}, {heard}, doubted by {}", doubters.count());
        state.insert(truth.claims.host.to_string(), said);
    }
    for case in ledger.cases() {
        let subject = match &case.subject {
            Scope::Host(host) => fleet.name_of(host),
            Scope::Rack(rack) => format!("rack {rack}"),
            Scope::Zone(zone) => format!("zone {zone}"),
            Scope::Group(group) => format!("group {group}"),
            Scope::Fleet => "fleet".into(),
        };
        let said = format!("{} {subject}, {}", case.kind, case.stage.word());
        state.insert(format!("case {}", case.id), said);
    }
    state
}

/// What differs, a line each.
fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let is_new = |(name, said): &(&String, &String)| before.get(*name) != Some(*said);
    let changed = after.iter().filter(is_new).map(|(name, said)| match before.get(name) {
        Some(was) => format!("{name}: {was} -> {said}"),
        None => format!("{name}: {said}"),
    });
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let gone = gone.map(|name| format!("{name}: no more"));
    changed.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KILLED: &str = "hosts a1 a2 zone=a; hosts b1 b2 zone=b; hosts c1 c2 zone=c
keepers a1 b1 c1
kill b2; run 10s
";

    #[test]
    fn law_r1_what_changed_stands_below_what_happened_and_a_case_ends_it() {
        let script = Script::read(KILLED).expect("a script");
        let mut told = Vec::new();
        let until = Some(Until::Case(CaseId(1)));
        let window = Window { until, ..Window::default() };
        let broken = replay(&script, window, &mut |line| told.push(line.to_owned()));
        assert_eq!(broken, Ok(None), "{told:#?}");
        let has = |text: &str| told.iter().any(|line| line.contains(text));
        assert!(
            has("0.0 kill b2") && has("b2: boot 1, heard, doubted by 0 -> no agent, not heard")
        );
        assert!(
            told.last().is_some_and(|line| line.contains("case 1: AgentDown b2, open")),
            "{told:#?}"
        );
    }
}
