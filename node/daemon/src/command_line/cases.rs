//! `hale cases`, `hale case dismiss`: what trouble there is, and where each case stands.

use clap::{Args, Subcommand};

use super::asking::{At, Why};
use super::exit::CommandFault;
use super::list::List;
use super::table::{Clock, Table, clean};
use crate::admin::answer::{CaseLine, Cases, DismissOrder};

/// The cases that are not closed, and what each waits for.
#[derive(Clone, Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    list: List,
    /// Those lately closed too.
    #[arg(long)]
    all: bool,
}

/// What can be asked of `hale case`.
#[derive(Debug, Subcommand)]
pub enum CaseVerb {
    /// Close a case by hand, and with it a lease that still counts: after a person has seen to it.
    Dismiss {
        /// Its number.
        #[arg(value_name = "CASE")]
        case: u64,
        /// Why.
        #[command(flatten)]
        why: Why,
        /// Where.
        #[command(flatten)]
        at: At,
    },
}

/// Does it.
pub fn run(verb: &Verb) -> Result<(), CommandFault> {
    verb.list.show(&format!("/v1/cases?all={}", verb.all), listed)
}

/// Does what is asked of `hale case`.
pub fn run_case(verb: &CaseVerb) -> Result<(), CommandFault> {
    match verb {
        CaseVerb::Dismiss { case, why, at } => {
            let order = DismissOrder { case: *case, why: why.why.clone() };
            at.order("/v1/case/dismiss", &order, why.dry_run)
        }
    }
}

/// The cases, or why there are none.
pub fn listed(cases: &Cases, clock: Clock) -> Result<Table, String> {
    match &cases.nothing {
        Some(why) => Err(clean(why)),
        None => Ok(table(&cases.cases, clock)),
    }
}

/// Cases on a line each.
pub fn table(cases: &[CaseLine], clock: Clock) -> Table {
    let mut table = Table::new(&["case", "subject", "verdict", "stage", "opened", "rung", "now"]);
    for case in cases {
        let rung = case.rung.as_ref();
        let place =
            rung.map_or_else(|| "-".to_owned(), |rung| format!("{} of {}", rung.number, rung.of));
        table.row([
            case.id.to_string(),
            subject(case),
            case.verdict.clone(),
            case.stage.clone(),
            clock.moment(&case.opened),
            place,
            case.awaits.clone(),
        ]);
    }
    table
}

/// A host by its name, anything else with its kind.
pub fn subject(case: &CaseLine) -> String {
    let subject = &case.subject;
    match subject.kind.as_str() {
        "host" => subject.name.clone(),
        "fleet" => "fleet".to_owned(),
        kind => format!("{kind} {} ({} hosts)", subject.name, case.hosts),
    }
}
