//! Opens windows of maintenance as their schedules say, by this host's wall clock, while it leads (protocol 6.9).
//!
//! Law SD1: only a leader proposes, each time once: what the ledger has seen of a schedule is not proposed again (law MW2 of the ledger).
//! Law SD2: a wall clock that is wrong opens a window at a wrong time and does nothing else: no other decision reads it, and once it is set
//! right its times count again.
//! Not here: what a schedule names (see `calendar`), what an open window holds back (see `ledger::maintenance`).

use std::sync::Arc;
use std::time::Duration;

use ledger::Ledger;
use ledger::command::Command;
use replication::Pulse;
use replication::tasks;
use tokio::time::{MissedTickBehavior, interval};

use super::door::Door;
use crate::calendar::Calendar;
use crate::moments;

/// A schedule names minutes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long a proposal may take.
const PROPOSE_WITHIN: Duration = Duration::from_secs(5);

/// Starts to look; ends with the runtime. On a host that carries no ledger there is nothing to lead.
pub(super) fn start(door: &Door, pulse: &Arc<Pulse>) {
    if door.port().is_some() {
        let (door, looking) = (door.clone(), Arc::clone(pulse));
        tasks::spawn(pulse.of_task(async move { look_around(&door, &looking).await }));
    }
}

async fn look_around(door: &Door, pulse: &Pulse) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let leads = door.port().is_some_and(|port| port.leadership().borrow().am_leader);
        if !leads {
            continue;
        }
        let ledger = Arc::clone(&door.state().borrow());
        pulse.begin();
        for command in due(&ledger, moments::now()) {
            let opened = door.propose(command, PROPOSE_WITHIN).await;
            tracing::info!(?opened, "the schedule of a window of maintenance names this time");
            if opened.is_none() {
                // Nobody decides now: what is still due is looked at anew.
                break;
            }
        }
        pulse.end();
    }
}

/// What is to be proposed at this second of 1970.
fn due(ledger: &Ledger, now: u64) -> Vec<Command> {
    let windows = ledger.windows().filter_map(|(number, window)| {
        let calendar = Calendar::read(window.plan.schedule.as_ref()?).ok()?;
        let (at, left) = calendar.open(window.plan.lasts, now)?;
        window.may_open(at, ledger.time()).then_some(Command::Occurs { window: number, at, left })
    });
    windows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tests::fleet::{Fleet, order};
    use ledger::command::Outcome;
    use ledger::maintenance::{Plan, Schedule};
    use vocabulary::{Scope, Span};

    fn nightly(fleet: &mut Fleet) {
        let schedule = Schedule { cron: "0 2 * * *".into(), time_zone: "UTC".into() };
        let plan = Plan { scope: Scope::Fleet, lasts: Span::minutes(60), schedule: Some(schedule) };
        let outcome = fleet.send("a1", Command::Maintain { plan, order: order("patches") });
        assert_eq!(outcome, Outcome::Window { window: 1 });
    }

    fn at(text: &str) -> u64 {
        moments::from_utc(text).expect("a moment") / 1_000
    }

    #[test]
    fn law_sd1_each_time_of_a_schedule_is_proposed_once_and_while_it_is_open() {
        let mut fleet = Fleet::healing();
        nightly(&mut fleet);
        assert_eq!(due(&fleet.ledger, at("2026-12-01T01:59:59Z")), []);
        let began = at("2026-12-01T02:00:00Z");
        let command = Command::Occurs { window: 1, at: began, left: Span::minutes(50) };
        assert_eq!(due(&fleet.ledger, began + 600), std::slice::from_ref(&command));
        assert_eq!(fleet.send("b1", command.clone()), Outcome::Done);
        assert_eq!(due(&fleet.ledger, began + 601), []);
        assert!(matches!(fleet.send("b1", command), Outcome::Refused(_)), "law MW2");
        fleet.wait(50 * 60);
        assert_eq!(due(&fleet.ledger, began + 24 * 3_600).len(), 1, "the next night");
    }

    #[test]
    fn law_sd2_the_times_of_a_clock_that_was_set_right_count_again() {
        let mut fleet = Fleet::healing();
        nightly(&mut fleet);
        let (wrong, right) = (at("2038-01-19T02:00:00Z"), at("2026-12-01T02:00:00Z"));
        let command = due(&fleet.ledger, wrong).remove(0);
        assert_eq!(fleet.send("b1", command), Outcome::Done);
        assert_eq!(due(&fleet.ledger, right), [], "it is open");
        fleet.wait(60 * 60);
        let command = due(&fleet.ledger, right).remove(0);
        assert_eq!(fleet.send("b1", command), Outcome::Done);
    }
}
