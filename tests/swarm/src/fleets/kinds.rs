//! Every kind of thing that the language can do to a fleet, so that none is forgotten by whoever draws.
//!
//! Law D3: what a script can say is drawn; a new word of the language does not compile without its kind here.
//! Not here: how often each is drawn (see `acts`).

use std::collections::BTreeMap;
use std::ops::Range;

use simulator::{Fault, Gives, Habit, Knocker, Plight, PortGives, ServiceTrouble, Trouble, Ways};

use super::drawing::{Mode, drawn};
use super::plan::Plan;

/// Each kind that the language has words for; `lie` is of insiders alone, and what ends a stall or a remedy's habit is the calm's.
pub const ALL: [&str; 64] = [
    "approve",
    "bandwidth",
    "between two",
    "check",
    "clone",
    "cut both ways",
    "cut one way",
    "daily limit",
    "deny",
    "drift",
    "duplication",
    "everywhere",
    "freeze",
    "from a host",
    "halt",
    "hourly limit",
    "jitter",
    "join",
    "jump",
    "kill",
    "latency",
    "leave",
    "ledger leaderless",
    "ledger loses answers",
    "ledger slow",
    "lie",
    "lose",
    "loss",
    "maintain",
    "of a host",
    "one way of two",
    "pause",
    "policy",
    "port hangs",
    "port refuses",
    "port serves",
    "port silent",
    "port to itself",
    "port to peers",
    "poweroff",
    "release",
    "remedies does-nothing",
    "remedies fails",
    "remedies hangs",
    "remedies receipt-lost",
    "remedies refuses",
    "remedies take",
    "reordering",
    "restart",
    "resume",
    "return slot",
    "revoke slots",
    "votes",
    "silence",
    "slow",
    "stall",
    "stall again and again",
    "start",
    "suspend",
    "suspend uncounted",
    "take slot",
    "thaw",
    "to a host",
    "unsilence",
];

/// How many of these seeds' plans hold each kind.
pub fn counted(seeds: Range<u64>, mode: Mode) -> BTreeMap<&'static str, usize> {
    let mut counts: BTreeMap<&str, usize> = ALL.into_iter().map(|kind| (kind, 0)).collect();
    for kind in seeds.flat_map(|seed| of_plan(&drawn(seed, mode))) {
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

/// Each once.
fn of_plan(plan: &Plan) -> Vec<&'static str> {
    let faults = plan.faults().expect("law D3: what is drawn is a script");
    let mut kinds: Vec<&str> = faults.iter().flat_map(kinds).collect();
    let has = |key: &str| plan.policy.split(key).skip(1).any(|rest| !rest.starts_with("\"none\""));
    kinds.extend(plan.policy.contains("[[check]]").then_some("check"));
    kinds.extend(has("halt_above = ").then_some("halt"));
    kinds.extend(has("per_hour = ").then_some("hourly limit"));
    kinds.extend(has("per_day = ").then_some("daily limit"));
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn kinds(fault: &Fault) -> Vec<&'static str> {
    match fault {
        Fault::Kill(_) => vec!["kill"],
        Fault::Start(_) => vec!["start"],
        Fault::Clone(_) => vec!["clone"],
        Fault::Freeze(_) => vec!["freeze"],
        Fault::Thaw(_) => vec!["thaw"],
        Fault::Silence(_) => vec!["silence"],
        Fault::Unsilence(_) => vec!["unsilence"],
        Fault::PowerOff(_) => vec!["poweroff"],
        Fault::Leave(_) => vec!["leave"],
        Fault::Restart(_) => vec!["restart"],
        Fault::Cut { both: true, .. } => vec!["cut both ways"],
        Fault::Cut { both: false, .. } => vec!["cut one way"],
        Fault::Join => vec!["join"],
        Fault::Links { trouble, on } => vec![of_trouble(trouble), of_ways(on)],
        Fault::Befall { plight, .. } => of_plight(plight).into_iter().collect(),
        Fault::Port { gives, .. } => of_port(gives),
        Fault::Lie { .. } => vec!["lie"],
        Fault::Service(ServiceTrouble::Slow(_)) => vec!["ledger slow"],
        Fault::Service(ServiceTrouble::Leaderless(_)) => vec!["ledger leaderless"],
        Fault::Service(ServiceTrouble::LosesAnswers(_)) => vec!["ledger loses answers"],
        Fault::Remedies(habits) => habits.iter().filter_map(of_habit).collect(),
        Fault::RemedyTakes(_) => vec!["remedies take"],
        Fault::Pause(_) => vec!["pause"],
        Fault::Resume(_) => vec!["resume"],
        Fault::Release(_) | Fault::ReleaseGroup(_) => vec!["release"],
        Fault::Approve(_) => vec!["approve"],
        Fault::Deny(_) => vec!["deny"],
        Fault::Maintain { .. } => vec!["maintain"],
        Fault::TakeSlot(_) => vec!["take slot"],
        Fault::ReturnSlot(_) => vec!["return slot"],
        Fault::RevokeSlots => vec!["revoke slots"],
        Fault::MoveVotes { .. } => vec!["votes"],
        Fault::Policy(_) => vec!["policy"],
    }
}

fn of_port(gives: &PortGives) -> Vec<&'static str> {
    let what = match gives.gives {
        Gives::Serves => "port serves",
        Gives::Hangs => "port hangs",
        Gives::Refuses => "port refuses",
        Gives::Silent => "port silent",
    };
    let to = match gives.to {
        Knocker::Anybody => None,
        Knocker::Itself => Some("port to itself"),
        Knocker::Peers => Some("port to peers"),
    };
    std::iter::once(what).chain(to).collect()
}

fn of_trouble(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Loss(_) => "loss",
        Trouble::Latency(_) => "latency",
        Trouble::Jitter(_) => "jitter",
        Trouble::Duplication(_) => "duplication",
        Trouble::Reordering(_) => "reordering",
        Trouble::Bandwidth(_) => "bandwidth",
    }
}

fn of_ways(ways: &Ways) -> &'static str {
    match ways {
        Ways::All => "everywhere",
        Ways::Of(_) => "of a host",
        Ways::From(_) => "from a host",
        Ways::To(_) => "to a host",
        Ways::Across(..) => "one way of two",
        Ways::Between(..) => "between two",
    }
}

fn of_plight(plight: &Plight) -> Option<&'static str> {
    match plight {
        Plight::Slow(_) => Some("slow"),
        Plight::Stall { free: None, .. } => Some("stall"),
        Plight::Stall { free: Some(_), .. } => Some("stall again and again"),
        Plight::Unstall => None,
        Plight::Suspend { is_counted: true, .. } => Some("suspend"),
        Plight::Suspend { is_counted: false, .. } => Some("suspend uncounted"),
        Plight::Drift(_) => Some("drift"),
        Plight::Jump(_) => Some("jump"),
        Plight::LoseDisk => Some("lose"),
    }
}

fn of_habit(habit: &Habit) -> Option<&'static str> {
    match habit {
        Habit::Works => None,
        Habit::DoesNothing => Some("remedies does-nothing"),
        Habit::Refuses => Some("remedies refuses"),
        Habit::ReceiptLost => Some("remedies receipt-lost"),
        Habit::Fails => Some("remedies fails"),
        Habit::Hangs => Some("remedies hangs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_d3_three_hundred_seeds_hold_every_kind_and_only_insiders_lie() {
        let honest = counted(1..226, Mode::Faults);
        let lying = counted(1..76, Mode::Insiders);
        println!("of 225 honest plans {honest:?}, of 75 with liars {lying:?}");
        let never: Vec<_> = honest.iter().filter(|(_, count)| **count == 0).collect();
        assert_eq!(never, [(&"lie", &0)]);
        assert!(lying["lie"] > 0 && honest.len() == ALL.len());
    }
}
