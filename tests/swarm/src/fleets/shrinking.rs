//! A red plan made small: fewer acts, then fewer hosts, then shorter waits, as long as it breaks the same law.
//!
//! Law H1: what comes out is red by the same law as what went in.
//! Law H2: at most [`TRIES_MAX`] runs; then what is left is left.
//! Law H3: what comes out is still within what hale promises to bear: no subject has more liars than it had.

use super::plan::Plan;
use super::trial::{Red, play};

/// A minute or two of a developer's patience.
pub const TRIES_MAX: usize = 200;

/// A law's number and first words tell it from another; what follows differs by host and case.
const LAW_LETTERS: usize = 12;

/// A small red plan, and in how many tries it was found.
pub fn shrunk(plan: &Plan, law: &str) -> (Plan, usize) {
    shrunk_while(plan, &mut |candidate| {
        let Ok(script) = candidate.script() else {
            return false;
        };
        matches!(play(&script), Err(Red::Broken(broken)) if is_same(&broken.law, law))
    })
}

/// The same for any question of a plan.
pub(super) fn shrunk_while(plan: &Plan, is_red: &mut dyn FnMut(&Plan) -> bool) -> (Plan, usize) {
    let mut shrinking = Shrinking { best: plan.clone(), tries: 0, is_red };
    while shrinking.pass() {}
    (shrinking.best, shrinking.tries)
}

struct Shrinking<'a> {
    best: Plan,
    tries: usize,
    is_red: &'a mut dyn FnMut(&Plan) -> bool,
}

impl Shrinking<'_> {
    /// Whether anything more could be taken away.
    fn pass(&mut self) -> bool {
        let acts = self.drop_acts();
        let hosts = self.drop_hosts();
        let waits = self.shorten_waits();
        (acts || hosts || waits) && self.tries < TRIES_MAX
    }

    /// Halves first, then one by one.
    fn drop_acts(&mut self) -> bool {
        let mut has_shrunk = false;
        let mut size = self.best.acts.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.best.acts.len() {
                let mut fewer = self.best.clone();
                fewer.acts.drain(at..(at + size).min(fewer.acts.len()));
                if self.is_taken(fewer) {
                    has_shrunk = true;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        has_shrunk
    }

    /// From the last; a host that an act names goes only with that act.
    fn drop_hosts(&mut self) -> bool {
        let mut has_shrunk = false;
        for at in (0..self.best.hosts.len()).rev() {
            let spot = &self.best.hosts[at];
            if spot.is_keeper || self.best.acts.iter().any(|act| act.names(&spot.name)) {
                continue;
            }
            let mut fewer = self.best.clone();
            fewer.hosts.remove(at);
            has_shrunk |= self.is_taken(fewer);
        }
        has_shrunk
    }

    fn shorten_waits(&mut self) -> bool {
        let mut has_shrunk = false;
        for at in 0..self.best.acts.len() {
            let mut shorter = self.best.clone();
            shorter.acts[at].wait_ms /= 2;
            if shorter.acts[at].wait_ms >= 50 {
                has_shrunk |= self.is_taken(shorter);
            }
        }
        has_shrunk
    }

    fn is_taken(&mut self, candidate: Plan) -> bool {
        if self.tries >= TRIES_MAX || !candidate.bears_its_liars() {
            return false;
        }
        self.tries += 1;
        let is_red = (self.is_red)(&candidate);
        if is_red {
            self.best = candidate;
        }
        is_red
    }
}

fn is_same(law: &str, other: &str) -> bool {
    let first = |text: &str| text.chars().take(LAW_LETTERS).collect::<String>();
    first(law) == first(other)
}

#[cfg(test)]
mod tests {
    use super::super::drawing::{Mode, drawn};
    use super::*;

    #[test]
    fn laws_h1_and_h2_what_is_not_needed_goes_and_what_is_stays() {
        let plan = (1..).map(|seed| drawn(seed, Mode::Faults)).find(|plan| {
            plan.acts.len() > 8 && plan.acts.iter().any(|act| act.order.starts_with("kill h"))
        });
        let plan = plan.expect("some seed kills");
        let mut kills = |plan: &Plan| plan.acts.iter().any(|act| act.order.starts_with("kill h"));
        let (small, tries) = shrunk_while(&plan, &mut kills);
        assert!(kills(&small) && small.acts.len() == 1 && small.acts[0].wait_ms < 100);
        assert!(small.hosts.iter().all(|spot| spot.is_keeper || small.acts[0].names(&spot.name)));
        assert!(tries <= TRIES_MAX);
        let (same, tries) = shrunk_while(&plan, &mut |_| false);
        assert!(same == plan && tries <= TRIES_MAX);
    }

    #[test]
    fn law_h3_no_host_goes_without_which_a_subject_has_more_liars_than_it_bears() {
        let plan = (1..).map(|seed| drawn(seed, Mode::Insiders)).find(|plan| {
            let lies = |act: &&super::super::plan::Act| act.order.starts_with("lie ");
            let orders =
                plan.acts.iter().find(lies).map(|act| act.order.split_whitespace().count());
            orders.is_some_and(|words| words > 3)
        });
        let plan = plan.expect("some seed has two liars");
        let mut lies = |plan: &Plan| plan.acts.iter().any(|act| act.order.starts_with("lie "));
        let (small, _) = shrunk_while(&plan, &mut lies);
        assert!(small.bears_its_liars() && small.hosts.len() <= plan.hosts.len());
        let mut bare = small;
        bare.hosts.retain(|spot| spot.is_keeper || bare.acts[0].names(&spot.name));
        assert!(!bare.bears_its_liars(), "else this test shows nothing: {}", bare.text());
    }
}
