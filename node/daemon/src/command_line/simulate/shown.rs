//! A run as types and on a screen: the trace, then what came of it.
//!
//! Law CL3 (see `asking`): the screen is made from the very answer that `--json` prints.

use simulator::script::Played;
use simulator::tally::{InFlight, Judged, Whole};
use vocabulary::{HostId, Span, VerdictKind};

use super::source::Source;
use crate::admin::answer::{
    InFlightMost, LawBroken, NoticeCount, Simulated, Subject, TimeToVerdict, TraceLine, VerdictSeen,
};
use crate::command_line::table::{Table, clean, span};

/// The answer.
pub fn simulated(source: &Source, played: &Played) -> Simulated {
    let tally = &played.tally;
    let line = |line: &simulator::Line| TraceLine {
        at_ms: line.at.as_milliseconds(),
        text: line.text.clone(),
    };
    let broken = |breach: &simulator::Breach| LawBroken {
        at_ms: breach.at.as_milliseconds(),
        law: breach.law.clone(),
    };
    let whole = match tally.whole {
        Whole::Always => Some(Span::ZERO),
        Whole::After(span) => Some(span),
        Whole::NotYet => None,
    };
    Simulated {
        scenario: source.scenario.clone(),
        seed: source.script.setup().seed,
        hosts: tally.hosts as u64,
        hosts_from: source.hosts_from.clone(),
        policy_from: source.policy_from.clone(),
        ran_ms: tally.ran.as_milliseconds(),
        trace: played.lines.iter().map(line).collect(),
        troubles: tally.troubles,
        troubles_found: tally.troubles_found,
        time_to_verdict: tally.time_to_verdict.map(|times| TimeToVerdict {
            p50_ms: times.p50.as_milliseconds(),
            max_ms: times.max.as_milliseconds(),
        }),
        verdicts_true: tally.verdicts_true,
        verdicts_false: tally.verdicts_false,
        verdicts_of_living: tally.verdicts_of_living,
        verdicts: tally.verdicts.iter().map(verdict).collect(),
        notices: tally.notices.iter().map(notice).collect(),
        escalated: tally.escalated,
        remedies_begun: tally.remedies_begun,
        remedies_on_well: tally.remedies_on_well,
        in_flight: tally.in_flight.iter().map(most).collect(),
        is_whole: whole.is_some(),
        time_to_whole_ms: whole.map(Span::as_milliseconds),
        breaches: played.breaches.iter().map(broken).collect(),
    }
}

/// The trace as scripts keep it, then a line for each figure.
pub fn text(run: &Simulated) -> String {
    let mut text = String::new();
    for line in &run.trace {
        let line = simulator::Line { at: Span::milliseconds(line.at_ms), text: clean(&line.text) };
        text += &format!("{line}\n");
    }
    text + "\n" + &table(run).text("", false)
}

fn table(run: &Simulated) -> Table {
    let mut table = Table::new(&["figure", "what it is"]);
    let Simulated { hosts, hosts_from, policy_from, seed, .. } = run;
    table.row([
        "played".into(),
        format!(
            "{} on {hosts} hosts ({hosts_from}), policy: {policy_from}, seed {seed}, {}",
            run.scenario,
            span(run.ran_ms)
        ),
    ]);
    table.row(["verdicts".into(), verdicts(run)]);
    table.row(["troubles found".into(), format!("{} of {}", run.troubles_found, run.troubles)]);
    table.row(["time to verdict".into(), times(run)]);
    if !run.notices.is_empty() {
        let notice = |notice: &NoticeCount| format!("{} {}", notice.verdict, notice.count);
        let notices: Vec<String> = run.notices.iter().map(notice).collect();
        table.row(["also concluded".into(), notices.join(", ")]);
    }
    table.row(["remedies begun".into(), remedies(run)]);
    table.row(["cases for a person".into(), run.escalated.to_string()]);
    for line in in_flight(run) {
        let InFlightMost { scope, most, limit } = line;
        let name = if scope.kind == "fleet" { String::new() } else { format!(" {}", scope.name) };
        table.row([
            format!("in flight, {}{name}", scope.kind),
            format!("{most} at once, {limit} allowed"),
        ]);
    }
    table.row(["time to whole".into(), whole(run)]);
    table
}

/// A living host that is judged dead is in trouble, and yet not what somebody who lets hosts be replaced wants to read.
fn verdicts(run: &Simulated) -> String {
    let text = format!("{} true, {} false", run.verdicts_true, run.verdicts_false);
    match run.verdicts_of_living {
        0 => text,
        living => format!("{text}; {living} of hosts that live and are cut off"),
    }
}

fn times(run: &Simulated) -> String {
    match run.time_to_verdict {
        Some(times) => format!("p50 {}, max {}", span(times.p50_ms), span(times.max_ms)),
        None => "nothing was to be found, or nothing was".into(),
    }
}

fn remedies(run: &Simulated) -> String {
    match run.remedies_on_well {
        0 => run.remedies_begun.to_string(),
        well => format!("{}, {well} of them on hosts that were well", run.remedies_begun),
    }
}

/// Fleet, zones and groups, and of the racks the one that had most: there may be hundreds.
fn in_flight(run: &Simulated) -> Vec<&InFlightMost> {
    let is_rack = |line: &&InFlightMost| line.scope.kind == "rack";
    let mut lines: Vec<&InFlightMost> =
        run.in_flight.iter().filter(|line| !is_rack(line)).collect();
    let rank = |kind: &str| ["fleet", "zone", "group"].iter().position(|word| *word == kind);
    lines.sort_by_key(|line| rank(&line.scope.kind));
    lines.extend(run.in_flight.iter().filter(is_rack).max_by_key(|line| line.most));
    lines
}

fn whole(run: &Simulated) -> String {
    match run.time_to_whole_ms {
        None => "not whole at the end: a host is in trouble or a case is open".into(),
        Some(0) => "it was whole all the time".into(),
        Some(time) => span(time),
    }
}

fn verdict(judged: &Judged) -> VerdictSeen {
    let name = |_: &HostId| judged.hosts.first().cloned().unwrap_or_default();
    VerdictSeen {
        at_ms: judged.at.as_milliseconds(),
        verdict: judged.kind.to_string(),
        subject: Subject::of(&judged.subject, name),
        hosts: judged.hosts.clone(),
        is_true: judged.is_true,
    }
}

fn notice((kind, count): (&VerdictKind, &u64)) -> NoticeCount {
    NoticeCount { verdict: kind.to_string(), count: *count }
}

fn most(line: &InFlight) -> InFlightMost {
    let scope = Subject::of(&line.scope, HostId::to_string);
    InFlightMost { scope, most: line.most, limit: line.limit }
}
