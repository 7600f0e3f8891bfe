//! Orders of maintenance, carried to the ledger.
//!
//! Law MA1: a scope is one that the roster has, by its path or by a name that no other has; a schedule is one that names a time.
//! Not here: what a window does (see `ledger::maintenance`).

use std::collections::BTreeSet;

use async_trait::async_trait;
use ledger::command::{Command, Order, Outcome};
use ledger::maintenance::{Plan, Schedule};
use vocabulary::{Scope, Span};

use super::answer::{EndOrder, MaintainOrder, Subject};
use super::mind::Mind;
use super::orders::{
    Carried, Fulfilled, Unfulfilled, done, host_named, malformed, needs_no_newer_rules, no_such,
    propose, unexpected,
};
use super::render::maintenance::named;
use crate::calendar::Calendar;
use crate::moments;

#[async_trait]
impl Carried for MaintainOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let scope = scope_named(mind, &self.scope)?;
        let (lasts, schedule) = (Span::milliseconds(self.lasts_ms), schedule_of(&self)?);
        let opens = match &schedule {
            None => format!("from now on, for {lasts}"),
            Some(schedule) => format!("{}, each time for {lasts}", first_of(schedule, lasts)?),
        };
        let whom = named(&self.scope.kind, &self.scope.name);
        let plan = Plan { scope, lasts, schedule };
        let command = Command::Maintain { plan, order: Order { who, why: self.why } };
        needs_no_newer_rules(mind, &command, "maintenance is ordered")?;
        match propose(mind, command).await? {
            Outcome::Window { window } => done(
                &Outcome::Done,
                &format!(
                    "window {window}: nothing begins on {whom} {opens}; what has begun is inspected and verified. `hale maintenance \
                     end {window} --why ...` ends it"
                ),
            ),
            other => Err(unexpected(&other)),
        }
    }
}

#[async_trait]
impl Carried for EndOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let window = self.window;
        if !mind.view().windows().any(|(number, _)| number == window) {
            return Err(no_such(format!(
                "no window {window} is open or planned: `hale maintenance list` shows them"
            )));
        }
        let command = Command::EndMaintenance { window, order: Order { who, why: self.why } };
        needs_no_newer_rules(mind, &command, "maintenance is ended")?;
        let outcome = propose(mind, command).await?;
        done(
            &outcome,
            &format!("window {window} is over for good: healing goes on where it was held"),
        )
    }
}

fn schedule_of(order: &MaintainOrder) -> Result<Option<Schedule>, Unfulfilled> {
    match (&order.cron, &order.time_zone) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(malformed("a time zone is of a schedule: say when, too".into())),
        (Some(cron), zone) => {
            let time_zone = zone.clone().unwrap_or_else(|| "UTC".to_owned());
            Ok(Some(Schedule { cron: cron.clone(), time_zone }))
        }
    }
}

/// When it opens for the first time.
fn first_of(schedule: &Schedule, lasts: Span) -> Result<String, Unfulfilled> {
    let (calendar, now) = (Calendar::read(schedule).map_err(malformed)?, moments::now());
    let (cron, zone) = (&schedule.cron, &schedule.time_zone);
    if let Some(gap) = calendar.shortest_gap(now).filter(|gap| *gap <= lasts) {
        return Err(malformed(format!(
            "{cron:?} names times that lie {gap} apart: a window of {lasts} would never close"
        )));
    }
    let first = calendar.next(now).map(moments::utc);
    let first = first.ok_or_else(|| malformed(format!("{cron:?} names a day that never comes")))?;
    let open = calendar.open(lasts, now).map(|(_, left)| format!("for {left} from now on, and "));
    Ok(format!("{}at \"{cron}\" {zone}, next at {first}", open.unwrap_or_default()))
}

fn scope_named(mind: &dyn Mind, subject: &Subject) -> Result<Scope, Unfulfilled> {
    let name = &subject.name;
    let view = mind.view();
    let domains = || view.roster().present().map(|(_, entry)| entry.claims.domain.clone());
    let found: BTreeSet<Scope> = match subject.kind.as_str() {
        "fleet" => [Scope::Fleet].into(),
        "host" => [Scope::Host(host_named(mind, name)?)].into(),
        "group" => {
            let groups = view.roster().present().map(|(_, entry)| entry.claims.group.clone());
            groups.filter(|group| group.as_str() == name).map(Scope::Group).collect()
        }
        "zone" => {
            let zones = domains().map(|domain| domain.zone());
            let is_meant = |path: &str, own: &str| path == name || own == name;
            zones
                .filter(|zone| is_meant(&zone.to_string(), zone.zone.as_str()))
                .map(Scope::Zone)
                .collect()
        }
        "rack" => domains()
            .filter(|rack| rack.to_string() == *name || rack.rack.as_str() == name)
            .map(Scope::Rack)
            .collect(),
        kind => {
            let expected = "expected host, rack, zone, group or fleet";
            return Err(malformed(format!("{kind:?} is no scope, {expected}")));
        }
    };
    let kind = &subject.kind;
    let mut all = found.into_iter();
    match (all.next(), all.next()) {
        (Some(scope), None) => Ok(scope),
        (Some(_), Some(_)) => {
            Err(malformed(format!("more than one {kind} is called {name:?}: give its whole path")))
        }
        (None, _) => Err(no_such(format!(
            "no host of the roster is in a {kind} {name:?}: `hale host list` shows where each stands"
        ))),
    }
}
