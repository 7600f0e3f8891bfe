//! What may never be, a file for each family of laws, and what must come once faults stop ([`endings`]).
//!
//! Law K1: a checker knows the truth and the ledger's public word, and nothing of how hale works.
//! Law K2: each has a test in which a forged picture is caught.
//! Not here: the laws' own asserts (each room's), what the simulator sees at the moment of an effect (its `laws`, `actuator`).

mod approvals;
mod audit;
mod boots;
mod brakes;
mod budgets;
mod canaries;
mod cures;
mod doubts;
pub mod endings;
mod fitness;
mod leases;
mod maintenance;
mod minorities;
mod rules;
mod slots;
mod stops;
mod surges;
mod verdicts;
mod votes;

#[cfg(test)]
mod album;

use super::picture::Picture;

/// Looks at every picture of one run, in order.
pub trait Checker {
    /// The law that this picture breaks, and how.
    fn look(&mut self, picture: &Picture) -> Result<(), String>;
}

/// One of each kind, before its first picture.
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(Simulated),
        Box::new(verdicts::Verdicts::default()),
        Box::new(leases::Leases::default()),
        Box::new(budgets::Budgets::default()),
        Box::new(brakes::Brakes),
        Box::new(audit::Audit::default()),
        Box::new(boots::Boots::default()),
        Box::new(doubts::Doubts),
        Box::new(surges::Surges::default()),
        Box::new(cures::Cures::default()),
        Box::new(fitness::Fitness::default()),
        Box::new(stops::Stops::default()),
        Box::new(canaries::Canaries::default()),
        Box::new(approvals::Approvals::default()),
        Box::new(maintenance::Maintenance::default()),
        Box::new(minorities::Minorities::default()),
        Box::new(rules::Rules::default()),
        Box::new(slots::Slots::default()),
        Box::new(votes::Votes::default()),
    ]
}

/// What the simulator itself has seen.
struct Simulated;

impl Checker for Simulated {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        picture.breach.clone().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_run_breaks_nothing_and_what_the_simulator_saw_is_told() {
        let mut album = album::healed();
        for mut checker in all() {
            assert_eq!(album::breach(checker.as_mut(), &album), None);
        }
        album[3].breach = Some("law S9: of the simulator's own".into());
        assert_eq!(album::breach(&mut Simulated, &album), album[3].breach.clone());
    }
}
