//! How a run is told: a few lines a minute, one table at the end.
//!
//! Not here: what is counted (see `judge`, `world`).

use std::fmt::Write as _;

use crate::judge::{Answered, Breach, Judgement, Law, Order};
use crate::weather::Kind;
use crate::world::{Counts, World};

/// So many breaches are told whole; all of them are in the run's folder.
const BREACHES_TOLD_MAX: usize = 20;

/// What a minute has brought.
pub fn minute(world: &World, orders: &[Order]) -> String {
    let counts = world.counts.borrow();
    let (done, passed) = sum(&counts);
    let out: Vec<String> =
        world.out().into_iter().map(|place| lab::plan::Planned(place).name()).collect();
    let out = if out.is_empty() { "nobody".to_owned() } else { out.join(" ") };
    format!(
        "{done} faults done, {passed} passed over; out at this moment: {out}; {} of {} orders acknowledged",
        answered(orders, Answered::Acknowledged),
        orders.len()
    )
}

/// All of it.
pub fn table(counts: &Counts, orders: &[Order], judgement: &Judgement) -> String {
    let mut told = String::from("faults                           done  passed over\n");
    for kind in Kind::ALL {
        let (done, passed) = counts.get(&kind).copied().unwrap_or_default();
        line(&mut told, &format!("  {kind:<30} {done:>4}  {passed:>4}"));
    }
    let figures = &judgement.figures;
    let verdicts: Vec<String> =
        figures.verdicts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let (grants, takeovers) = figures.grants;
    let (begun, ended, broken) = figures.effects;
    let (healed, otherwise, escalated) = figures.cases;
    let (counted, worked) = figures.in_flight_most;
    let rows = [
        ("verdicts", verdicts.join(", ")),
        ("leases", format!("{grants} granted, {takeovers} of them to take over")),
        (
            "remedies",
            format!(
                "{} intended, {begun} begun, {ended} ended, {broken} broken off",
                figures.intended
            ),
        ),
        ("ends nobody knew", figures.unknown.to_string()),
        ("in flight at most", format!("{counted} counted, {worked} worked upon")),
        ("cases", format!("{healed} healed, {otherwise} closed otherwise, {escalated} escalated")),
        (
            "orders",
            format!(
                "{} acknowledged, {} refused, {} unknown",
                answered(orders, Answered::Acknowledged),
                answered(orders, Answered::Refused),
                answered(orders, Answered::Unknown)
            ),
        ),
        ("audit", format!("{} records", figures.records)),
    ];
    for (what, count) in rows {
        line(&mut told, &format!("{what:<18} {count}"));
    }
    for law in Law::ALL {
        let breaches = judgement.breaches.iter().filter(|breach| breach.law == law).count();
        let held = if breaches == 0 { "held".to_owned() } else { format!("{breaches} breaches") };
        line(&mut told, &format!("{law:<32} {held}"));
    }
    told
}

/// What is broken, with what shows it.
pub fn breaches(breaches: &[Breach]) -> String {
    let mut told = String::new();
    for breach in breaches.iter().take(BREACHES_TOLD_MAX) {
        line(&mut told, &format!("BREACH {breach}"));
    }
    let more = breaches.len().saturating_sub(BREACHES_TOLD_MAX);
    if more > 0 {
        line(&mut told, &format!("and {more} more, in breaches.txt"));
    }
    told
}

fn sum(counts: &Counts) -> (usize, usize) {
    counts.values().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
}

fn answered(orders: &[Order], answer: Answered) -> usize {
    orders.iter().filter(|order| order.answer == answer).count()
}

fn line(told: &mut String, one: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(told, "{one}");
}
