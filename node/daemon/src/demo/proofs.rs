//! What each act claims, whether it held, and what was seen.
//!
//! Law P1: a proof reads agents' answers, verified audits and the outside journal; never what the demo meant to do.
//! Law P2: what was seen is told whether it held or not.
//! Not here: reading (see `sight`), waiting (see `stage`).

use ledger::case::Closure;
use serde::Serialize;
use vocabulary::VerdictKind;

use super::history::{CaseStory, History};
use super::journal::{self, Line, Seen};

/// One claim and its fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// What is claimed.
    pub claim: String,
    /// Whether it held.
    pub held: bool,
    /// What was seen.
    pub seen: String,
}

/// What is known of one healed case from the inside and from the outside.
pub struct Healing<'a> {
    /// The subject's name.
    pub host: &'a str,
    /// What should have been concluded.
    pub kind: VerdictKind,
    /// The case as the audit tells it.
    pub story: &'a CaseStory,
    /// The journal's lines of this act, of this host.
    pub lines: Vec<Line>,
    /// The number of the subject's life before the fault.
    pub boot_before: u64,
    /// Its number as every agent says now, in the order of the plan; `None` where one does not answer.
    pub boots_now: Vec<Option<u64>>,
}

impl Proof {
    /// A claim, whether it held, and what was seen.
    pub fn new(claim: impl Into<String>, held: bool, seen: impl Into<String>) -> Self {
        Self { claim: claim.into(), held, seen: seen.into() }
    }

    /// A claim that was waited for and did not come true.
    pub fn overdue(claim: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(claim, false, seen)
    }
}

impl Healing<'_> {
    /// Everything that must be true of a case that was healed.
    pub fn proofs(&self) -> Vec<Proof> {
        vec![
            self.several_saw_it(),
            self.one_remedy_ran_under_the_lease(),
            self.every_step_follows_the_one_before(),
            self.a_new_life_proves_it(),
        ]
    }

    /// protocol 3.4: at least two voices, and the verdict is the one that the fault deserves.
    fn several_saw_it(&self) -> Proof {
        let claim = format!("several observers agreed that {} is {}", self.host, self.kind.word());
        let Some(last) = self.story.verdicts.last() else {
            return Proof::new(claim, false, "the audit has no verdict");
        };
        let spoken = &last.what;
        let held = spoken.kind == self.kind && spoken.against >= 2;
        let seen = format!(
            "{}: {} against, {} well, {} vacant",
            spoken.kind.word(),
            spoken.against,
            spoken.well,
            spoken.vacant
        );
        Proof::new(claim, held, seen)
    }

    /// The outside saw one remedy begin and end, under the very fence and id that the audit intended.
    fn one_remedy_ran_under_the_lease(&self) -> Proof {
        let claim = format!("one remedy ran on {}, under the fence of its lease", self.host);
        let kinds: Vec<Seen> = self.lines.iter().map(|line| line.seen).collect();
        let outside: Vec<(u64, u64)> =
            self.lines.iter().map(|line| (line.errand.remedy, line.errand.fence)).collect();
        let inside: Vec<(u64, u64)> =
            self.story.intended.iter().map(|step| (step.what.0.0, step.what.1.0)).collect();
        let is_one = kinds == [Seen::Begin, Seen::End] && inside.len() == 1;
        let held = is_one && outside.iter().all(|seen| *seen == inside[0]);
        let seen =
            format!("journal (remedy, fence): {}; audit: {}", pairs(&outside), pairs(&inside));
        Proof::new(claim, held, seen)
    }

    /// Law A1: intent before effect, outcome after; by record numbers inside, and by the clock against the outside.
    fn every_step_follows_the_one_before(&self) -> Proof {
        let claim = "verdict, lease, intent, effect, receipt, proof and closure follow one another";
        let story = self.story;
        let records = [
            story.verdicts.first().map(|step| step.number),
            story.granted.last().map(|step| step.number),
            story.intended.last().map(|step| step.number),
            story.received.last().map(|step| step.number),
            story.verified.as_ref().map(|step| step.number),
            story.closed.as_ref().map(|step| step.number),
        ];
        let is_whole = records.iter().all(Option::is_some) && records.is_sorted();
        let clock = [
            story.intended.last().map(|step| step.wall_ms),
            self.lines.first().map(|line| line.at_ms),
            self.lines.last().map(|line| line.at_ms),
            story.received.last().map(|step| step.wall_ms),
        ];
        let is_in_time = clock.iter().all(Option::is_some) && clock.is_sorted();
        let numbers: Vec<String> = records
            .iter()
            .map(|number| number.map_or_else(|| "missing".into(), |number| number.to_string()))
            .collect();
        let seen = format!(
            "records {}; the journal's begin and end lie {} intent and receipt",
            numbers.join(", "),
            if is_in_time { "between" } else { "not between" }
        );
        Proof::new(claim, is_whole && is_in_time, seen)
    }

    /// protocol 7.7: a higher boot, which every agent knows, and the case closed for that reason.
    fn a_new_life_proves_it(&self) -> Proof {
        let claim = format!(
            "{} lives again, every agent says so, and its case is closed as healed",
            self.host
        );
        let proven = self.story.verified.as_ref().and_then(|step| step.what);
        let is_higher = |boot: &Option<u64>| boot.is_some_and(|boot| boot > self.boot_before);
        let is_closed = self.story.closed.as_ref().map(|step| &step.what) == Some(&Closure::Healed);
        let held = is_closed && is_higher(&proven) && self.boots_now.iter().all(is_higher);
        let now: Vec<String> = self
            .boots_now
            .iter()
            .map(|boot| boot.map_or_else(|| "no answer".into(), |boot| boot.to_string()))
            .collect();
        let seen = format!(
            "boot {} before, {} in the proof, {} by the six agents; {}",
            self.boot_before,
            proven.map_or_else(|| "none".into(), |boot| boot.to_string()),
            now.join(" "),
            closed_word(self.story)
        );
        Proof::new(claim, held, seen)
    }
}

/// How a case ended, in a word or two.
pub fn closed_word(story: &CaseStory) -> String {
    story.closed.as_ref().map_or_else(
        || "not closed".to_owned(),
        |step| match &step.what {
            Closure::Healed => "closed as healed".to_owned(),
            Closure::Recovered => "closed as recovered".to_owned(),
            other => format!("closed: {other:?}"),
        },
    )
}

/// Laws B1, B2: never more under repair at once than the policy allows, by the audit's leases and by the outside's journal.
pub fn never_more_than_one(history: &History, since: u64, lines: &[Line]) -> Proof {
    let (inside, outside) = (history.in_flight_max(since), journal::in_flight_max(lines));
    Proof::new(
        "never was more than one host under repair",
        inside <= 1 && outside <= 1,
        format!(
            "leases at once, by the audit: {inside}; remedies at once, by the journal: {outside}"
        ),
    )
}

/// Law P1 and the act's own restraint: nothing was begun, by the audit and by the outside.
pub fn nothing_was_begun(claim: &str, history: &History, since: u64, lines: &[Line]) -> Proof {
    let begun = history.begun_since(since);
    Proof::new(
        claim,
        begun == 0 && lines.is_empty(),
        format!("leases and intents in the audit: {begun}; lines in the journal: {}", lines.len()),
    )
}

/// Law A1: every agent has the whole chain, unbroken, and all tell the same.
pub fn one_history(told: &[(&str, Result<History, String>)], own: &History) -> Proof {
    let claim = "the audit of every agent chains without a break, and all tell the same";
    let mut faults = Vec::new();
    for (host, history) in told {
        match history {
            Err(why) => faults.push(format!("{host}: {why}")),
            Ok(history) if !history.agrees_with(own) => {
                faults.push(format!("{host} tells another history"));
            }
            Ok(history) if history.head().number == 0 => faults.push(format!("{host} tells none")),
            Ok(_) => {}
        }
    }
    let head = own.head();
    if faults.is_empty() {
        let seen =
            format!("{} agents, {} records, each digest computed again", told.len(), head.number);
        return Proof::new(claim, true, seen);
    }
    Proof::new(claim, false, faults.join("; "))
}

fn pairs(of: &[(u64, u64)]) -> String {
    let told: Vec<String> = of.iter().map(|(one, two)| format!("({one}, {two})")).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(" ") }
}

#[cfg(test)]
mod tests {
    use vocabulary::{CaseId, Fence, Scope};

    use super::super::chain::{Chain, granted};
    use super::super::journal::Errand;
    use super::super::stage::id_of;
    use super::*;

    fn line(seen: Seen, at_ms: u64, fence: u64) -> Line {
        let errand =
            Errand { case: 1, subject: "a2".into(), verdict: "AgentDown".into(), fence, remedy: 1 };
        Line { at_ms, seen, errand, detail: String::new() }
    }

    fn story() -> CaseStory {
        let subject = Scope::Host(id_of(1));
        let chain = Chain::default().healed(1, &subject, VerdictKind::AgentDown);
        chain.history().story(CaseId(1), 0)
    }

    /// Intent at 3 s, receipt at 4 s, fence 10.
    fn healing(story: &CaseStory) -> Healing<'_> {
        Healing {
            host: "a2",
            kind: VerdictKind::AgentDown,
            story,
            lines: vec![line(Seen::Begin, 3_100, 10), line(Seen::End, 3_900, 10)],
            boot_before: 1,
            boots_now: vec![Some(2); 6],
        }
    }

    fn failed(healing: &Healing<'_>) -> usize {
        let proofs = healing.proofs();
        proofs.iter().filter(|proof| !proof.held).count()
    }

    #[test]
    fn a_sound_healing_holds_in_every_proof() {
        let story = story();
        assert_eq!(failed(&healing(&story)), 0);
    }

    #[test]
    fn each_thing_that_is_wrong_fails_a_proof() {
        let story = story();
        let wrong = [
            Healing { kind: VerdictKind::HostDown, ..healing(&story) },
            Healing {
                lines: vec![line(Seen::Begin, 3_100, 9), line(Seen::End, 3_900, 9)],
                ..healing(&story)
            },
            Healing {
                lines: vec![line(Seen::Begin, 2_900, 10), line(Seen::End, 3_900, 10)],
                ..healing(&story)
            },
            Healing { boot_before: 2, ..healing(&story) },
            Healing {
                boots_now: vec![Some(2), None, Some(2), Some(2), Some(2), Some(2)],
                ..healing(&story)
            },
        ];
        for (number, healing) in wrong.iter().enumerate() {
            assert_eq!(failed(healing), 1, "case {number}");
        }
        let unseen = Healing { lines: Vec::new(), ..healing(&story) };
        assert_eq!(failed(&unseen), 2, "neither run nor in its place");
        let empty = CaseStory::default();
        assert_eq!(failed(&healing(&empty)), 4);
    }

    #[test]
    fn two_leases_or_two_remedies_at_once_are_seen() {
        let calm = History::default();
        assert!(never_more_than_one(&calm, 0, &[]).held);
        let two = Chain::default()
            .then(granted(CaseId(1), Fence(1)))
            .then(granted(CaseId(2), Fence(2)))
            .history();
        assert!(!never_more_than_one(&two, 0, &[]).held);
        assert!(!nothing_was_begun("nothing", &two, 0, &[]).held);
        let mut other = line(Seen::Begin, 2, 2);
        other.errand.remedy = 2;
        let lines = [line(Seen::Begin, 1, 1), other];
        assert!(!never_more_than_one(&calm, 0, &lines).held);
        assert!(!nothing_was_begun("nothing", &calm, 0, &lines[..1]).held);
    }

    #[test]
    fn an_agent_that_tells_another_history_or_none_fails_the_proof() {
        let own = || Chain::default().then(granted(CaseId(1), Fence(1))).history();
        let other = Chain::default().then(granted(CaseId(2), Fence(1))).history();
        assert!(one_history(&[("a1", Ok(own()))], &own()).held);
        assert!(!one_history(&[("a1", Ok(own())), ("a2", Ok(other))], &own()).held);
        assert!(!one_history(&[("a1", Ok(History::default()))], &own()).held);
        assert!(!one_history(&[("a1", Err("silent".into()))], &own()).held);
    }
}
