//! `hale maintenance add`, `list`, `end`: windows in which nothing begins on whom they cover.

use clap::{Args, Subcommand};
use ledger::document::read_duration;
use vocabulary::Span;

use super::asking::{At, Why};
use super::exit::CommandFault;
use super::list::List;
use super::table::{Clock, Table, clean, span};
use crate::admin::answer::{EndOrder, MaintainOrder, Maintenance, Subject, WindowLine};
use crate::admin::render::maintenance::named;

/// What can be asked of `hale maintenance`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Open a window now, or plan one: nothing begins on whom it covers while it is open.
    Add(Add),
    /// Which windows are open or planned.
    #[command(name = "list")]
    Planned {
        /// How.
        #[command(flatten)]
        list: List,
    },
    /// End a window for good, open or not.
    End {
        /// Its number.
        #[arg(value_name = "WINDOW")]
        window: u64,
        /// Why.
        #[command(flatten)]
        why: Why,
        /// Where.
        #[command(flatten)]
        at: At,
    },
}

/// Whom a window covers, when and for how long.
#[derive(Clone, Debug, Args)]
pub struct Add {
    #[command(flatten)]
    scope: Covered,
    /// How long it is open, each time: from 1m to 7d.
    #[arg(long = "for", value_name = "SPAN", value_parser = duration)]
    lasts: Span,
    /// When it opens, as five fields: minute, hour, day of the month, month, day of the week. Without it: now, and once.
    #[arg(long, value_name = "FIELDS")]
    cron: Option<String>,
    /// The time zone of these fields; UTC without it.
    #[arg(long, value_name = "NAME", requires = "cron")]
    time_zone: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    at: At,
}

#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
struct Covered {
    /// One host, by its name.
    #[arg(long)]
    host: Option<String>,
    /// A rack, by its path or its own name.
    #[arg(long)]
    rack: Option<String>,
    /// A zone, by its path or its own name.
    #[arg(long)]
    zone: Option<String>,
    /// A group.
    #[arg(long)]
    group: Option<String>,
    /// Every host.
    #[arg(long)]
    fleet: bool,
}

/// Does it.
pub fn run(verb: Verb) -> Result<(), CommandFault> {
    match verb {
        Verb::Add(add) => add.run(),
        Verb::Planned { list } => list.show("/v1/maintenance", listed),
        Verb::End { window, why, at } => {
            let order = EndOrder { window, why: why.why };
            at.order("/v1/maintenance/end", &order, why.dry_run)
        }
    }
}

impl Add {
    fn run(self) -> Result<(), CommandFault> {
        let order = MaintainOrder {
            scope: self.scope.subject(),
            lasts_ms: self.lasts.as_milliseconds(),
            cron: self.cron,
            time_zone: self.time_zone,
            why: self.why.why,
        };
        self.at.order("/v1/maintenance", &order, self.why.dry_run)
    }
}

impl Covered {
    fn subject(self) -> Subject {
        let named =
            [("host", self.host), ("rack", self.rack), ("zone", self.zone), ("group", self.group)];
        let given = named.into_iter().find_map(|(kind, name)| Some((kind, name?)));
        let (kind, name) = given.unwrap_or(("fleet", "fleet".to_owned()));
        Subject { kind: kind.to_owned(), name }
    }
}

fn duration(text: &str) -> Result<Span, String> {
    read_duration(text)
        .ok_or_else(|| format!("{text:?} is no span, expected one as 90s, 30m, 2h or 7d"))
}

/// The windows, or why there are none.
pub fn listed(maintenance: &Maintenance, clock: Clock) -> Result<Table, String> {
    if let Some(why) = &maintenance.nothing {
        return Err(clean(why));
    }
    let mut table =
        Table::new(&["window", "covers", "now", "for", "schedule", "by", "added", "why"]);
    for line in &maintenance.windows {
        table.row([
            line.window.to_string(),
            named(&line.scope.kind, &line.scope.name),
            now(line),
            span(line.lasts_ms),
            schedule(line),
            line.who.clone(),
            clock.moment(&line.added),
            line.why.clone(),
        ]);
    }
    Ok(table)
}

fn now(line: &WindowLine) -> String {
    match (line.left_ms, &line.next) {
        (Some(left), _) => format!("open, {} left", span(left)),
        (None, Some(next)) => format!("opens {next}"),
        (None, None) => "closed".to_owned(),
    }
}

fn schedule(line: &WindowLine) -> String {
    match (&line.cron, &line.time_zone) {
        (Some(cron), Some(zone)) => format!("{cron} {zone}"),
        _ => "once".to_owned(),
    }
}
