//! `hale status`: the mesh on one screen.

use clap::Args;

use super::asking::Screen;
use super::cases;
use super::exit::{CommandFault, Exit};
use super::table::{Clock, Table, clean, span};
use crate::admin::answer::{Answer, Brake, BudgetLine, Keepers, Status, ZoneLine};

/// The mesh on one screen, as this host's agent knows it.
#[derive(Clone, Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    screen: Screen,
    /// End with 3 unless all is well: every keeper up, no host in doubt, no case open, no brake.
    #[arg(long)]
    check: bool,
}

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    let status = verb.screen.show("/v1/status", text)?;
    match unrest(&status).filter(|_| verb.check) {
        Some(why) => {
            Err(CommandFault::new(Exit::ConditionFalse, format!("not all is well: {why}")))
        }
        None => Ok(()),
    }
}

/// What is not well, in words; the first that is found.
fn unrest(status: &Status) -> Option<String> {
    let doubted: u64 = status.zones.iter().map(|zone| zone.doubted).sum();
    let Keepers { voters, up, .. } = &status.keepers;
    let (all, cases) = (voters.len() as u64, status.cases_open);
    if !status.is_founded {
        Some("the ledger is not founded".to_owned())
    } else if let Some(why) = &status.brake.why {
        Some(format!("the brake is on: {}", clean(why)))
    } else if *up < all {
        Some(format!("{up} of {all} keepers are up"))
    } else if cases > 0 {
        Some(format!("open cases: {cases}"))
    } else if doubted > 0 {
        Some(format!("hosts in doubt: {doubted}"))
    } else {
        None
    }
}

/// The screen, from the answer alone.
pub fn text(answer: &Answer<Status>, screen: &Screen) -> String {
    let status = &answer.data;
    let clock = screen.clock(answer);
    let mut page = String::new();
    if screen.has_header() {
        let cluster = status.cluster.as_deref().unwrap_or("not founded");
        let stale = if answer.fresh { "" } else { ", NO MAJORITY behind it" };
        let (seen_by, age) = (&status.seen_by, span(answer.age_ms));
        page += &format!("{cluster}  as seen by {seen_by}, ledger {age} old{stale}\n");
    }
    page += &headline(status, clock);
    let zones = zones(&status.zones);
    if !zones.is_empty() {
        page += "\n";
        page += &zones.text("", screen.has_header());
    }
    let budgets = budgets(&status.budgets);
    if status.is_founded && !budgets.is_empty() {
        page += "\n";
        page += &budgets.text("", screen.has_header());
    }
    if !status.cases.is_empty() {
        page += "\n";
        page += &cases::table(&status.cases, clock).text("", screen.has_header());
        let more = status.cases_open.saturating_sub(status.cases.len() as u64);
        if more > 0 {
            page += &format!("and {more} more: `hale cases`\n");
        }
    }
    page += &listed("allows", &status.allows);
    page += &listed("notes", &status.notes);
    page
}

fn headline(status: &Status, clock: Clock) -> String {
    let healing = &status.healing;
    let doing = if !status.is_founded {
        "NOT FOUNDED".to_owned()
    } else if !status.may_act {
        "ONLY OBSERVES".to_owned()
    } else {
        format!("HEALING {} of {} allowed", healing.in_flight, healing.limit)
    };
    let policy = match &status.policy {
        Some(policy) => {
            format!("policy v{} ({}, {})", policy.version, policy.who, clock.moment(&policy.set))
        }
        None => "no policy".to_owned(),
    };
    let line = [doing, brake(&status.brake), keepers(&status.keepers), policy].join("    ");
    let why = status.brake.why.as_ref();
    let why = why.map_or_else(String::new, |why| format!("BRAKE ON: {}\n", clean(why)));
    clean(&line) + "\n" + &why
}

fn brake(brake: &Brake) -> String {
    match (&brake.why, &brake.ramp) {
        (Some(_), _) => "BRAKE ON".to_owned(),
        (None, Some(ramp)) => {
            format!("brake off, ramp at {} at once ({} ended)", ramp.limit, ramp.ended)
        }
        (None, None) => "brake off".to_owned(),
    }
}

fn keepers(keepers: &Keepers) -> String {
    let nobody = || match keepers.leaderless_ms {
        Some(lasts) => format!("nobody for {}", span(lasts)),
        None => "nobody".to_owned(),
    };
    let leader = keepers.leader.clone().unwrap_or_else(nobody);
    let (up, all, term) = (keepers.up, keepers.voters.len(), keepers.term);
    format!("keepers {up}/{all} up, leader {leader}, term {term}")
}

fn zones(zones: &[ZoneLine]) -> Table {
    let mut table = Table::new(&["zone", "hosts", "ok", "doubt", "case", "repair"]);
    for zone in zones {
        table.row([
            zone.zone.clone(),
            zone.hosts.to_string(),
            zone.ok.to_string(),
            zone.doubted.to_string(),
            zone.in_case.to_string(),
            zone.in_flight.to_string(),
        ]);
    }
    table
}

fn budgets(budgets: &[BudgetLine]) -> Table {
    let has_days = budgets.iter().any(|line| line.per_day.is_some());
    let header = [
        "budget",
        "used",
        "limit",
        "next free",
        "unhealthy",
        "halts above",
        "this hour",
        "this day",
    ];
    let mut table = Table::new(&header[..header.len() - usize::from(!has_days)]);
    let or_none =
        |figure: Option<u64>| figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string());
    for line in budgets {
        let halt = if line.is_halted {
            format!("{} HALTED", or_none(line.halt_above))
        } else {
            or_none(line.halt_above)
        };
        let of = |begun: u64, most: Option<u64>| match most {
            Some(most) => format!("{begun} of {most}"),
            None => begun.to_string(),
        };
        let day = has_days.then(|| of(line.begun_in_a_day, line.per_day));
        let row = [
            line.scope.clone(),
            line.in_flight.to_string(),
            line.limit.to_string(),
            line.next_free_ms.map_or_else(|| "-".to_owned(), span),
            line.unhealthy.to_string(),
            halt,
            of(line.begun, line.per_hour),
        ];
        table.row(row.into_iter().chain(day));
    }
    table
}

fn listed(heading: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("  {}\n", clean(line))).collect();
    format!("\n{heading}\n{lines}")
}
