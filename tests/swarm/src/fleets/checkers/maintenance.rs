//! Law MW1: in an open window of maintenance nothing begins on whom it covers. Law FL2: and nobody is given leave to reboot it.

use std::collections::BTreeMap;

use ledger::audit::{Record, What};
use vocabulary::{HostId, LedgerTime, Scope};

use super::super::picture::{Picture, Seen};
use super::Checker;

/// Which windows are open, and until when, by the audit alone.
#[derive(Default)]
pub struct Maintenance {
    scopes: BTreeMap<u64, Scope>,
    open: BTreeMap<u64, LedgerTime>,
}

impl Checker for Maintenance {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        picture.records.iter().try_for_each(|record| self.read(picture, record))
    }
}

impl Maintenance {
    fn read(&mut self, picture: &Picture, record: &Record) -> Result<(), String> {
        match &record.what {
            What::MaintenancePlanned { window, plan, .. } => {
                self.scopes.insert(*window, plan.scope.clone());
                if plan.schedule.is_none() {
                    self.open.insert(*window, record.at.after(plan.lasts));
                }
            }
            What::MaintenanceBegan { window, left } => {
                self.open.insert(*window, record.at.after(*left));
            }
            What::MaintenanceEnded { window, .. } => {
                self.open.remove(window);
            }
            What::Intended { case, .. } => {
                let own = picture.cases.iter().find(|own| own.id == *case);
                let begun = || format!("law MW1: a remedy of case {case} begins");
                return self.begun(picture, own.and_then(|own| own.host()), (record.at, &begun));
            }
            What::SlotGranted { client, host, .. } => {
                let begun = || format!("law FL2: {client} may reboot");
                return self.begun(picture, *host, (record.at, &begun));
            }
            _ => {}
        }
        Ok(())
    }

    fn begun(
        &self,
        picture: &Picture,
        host: Option<HostId>,
        (now, what): (LedgerTime, &dyn Fn() -> String),
    ) -> Result<(), String> {
        let Some(host) = host.and_then(|host| picture.hosts.iter().find(|seen| seen.id == host))
        else {
            return Ok(());
        };
        let is_over =
            |window: &u64| self.scopes.get(window).is_some_and(|scope| covers(scope, host));
        let open = self.open.iter().find(|(window, until)| now < **until && is_over(window));
        match open {
            Some((window, _)) => {
                Err(format!("{} on {}, which window {window} covers", what(), host.name))
            }
            None => Ok(()),
        }
    }
}

fn covers(scope: &Scope, host: &Seen) -> bool {
    match scope {
        Scope::Host(covered) => *covered == host.id,
        Scope::Rack(rack) => *rack == host.domain,
        Scope::Zone(zone) => *zone == host.domain.zone(),
        Scope::Group(group) => *group == host.group,
        Scope::Fleet => true,
    }
}

#[cfg(test)]
mod tests {
    use ledger::maintenance::{Plan, Schedule};
    use vocabulary::Span;

    use super::super::album::{first, healed, is_caught, rebooted};
    use super::*;

    /// The album of a host that is healed, with these records before its remedy.
    fn told(what: impl Fn(&Picture) -> Vec<What>) -> Vec<Picture> {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Intended { .. }));
        for what in what(&album[at]).into_iter().rev() {
            let mut record = album[at].records[place].clone();
            record.what = what;
            album[at].records.insert(place, record);
        }
        album
    }

    fn planned(scope: Scope, schedule: Option<Schedule>) -> What {
        let plan = Plan { scope, lasts: Span::minutes(5), schedule };
        What::MaintenancePlanned { window: 1, plan, who: "a person".into(), why: "disks".into() }
    }

    fn scopes(picture: &Picture) -> Vec<Scope> {
        let host = picture.cases[0].host().expect("a host's");
        let seen = picture.hosts.iter().find(|seen| seen.id == host).expect("it is there");
        let (rack, group) = (seen.domain.clone(), seen.group.clone());
        let zone = rack.zone();
        vec![
            Scope::Host(host),
            Scope::Rack(rack),
            Scope::Zone(zone),
            Scope::Group(group),
            Scope::Fleet,
        ]
    }

    #[test]
    fn law_mw1_a_remedy_in_an_open_window_of_any_scope_is_caught() {
        for nth in 0..5 {
            let album = told(|picture| vec![planned(scopes(picture)[nth].clone(), None)]);
            assert!(is_caught(&mut Maintenance::default(), &album, "law MW1"), "{nth}");
        }
    }

    #[test]
    fn law_fl2_a_slot_in_an_open_window_is_caught() {
        let mut album = rebooted();
        let (at, place) = first(&album, |what| matches!(what, What::SlotGranted { .. }));
        assert!(!is_caught(&mut Maintenance::default(), &album, "law FL2"));
        let mut record = album[at].records[place].clone();
        record.what = planned(Scope::Fleet, None);
        album[at].records.insert(place, record);
        assert!(is_caught(&mut Maintenance::default(), &album, "law FL2: updater@a1 may reboot"));
    }

    #[test]
    fn law_mw1_a_window_that_is_over_or_only_planned_holds_nothing_and_one_that_began_does() {
        let schedule = || Schedule { cron: "0 2 * * *".into(), time_zone: "UTC".into() };
        let plan = || planned(Scope::Fleet, Some(schedule()));
        let began = || What::MaintenanceBegan { window: 1, left: Span::minutes(1) };
        let (who, why) = (String::from("a person"), String::from("done"));
        let ended = || What::MaintenanceEnded { window: 1, who: who.clone(), why: why.clone() };
        let caught = |what: Vec<What>| {
            is_caught(&mut Maintenance::default(), &told(|_| what.clone()), "law MW1")
        };
        assert!(!caught(vec![plan()]));
        assert!(caught(vec![plan(), began()]));
        assert!(!caught(vec![plan(), began(), ended()]));
    }
}
