//! What an operator reads in `hale explain`, of a host and of a case.
//!
//! Law T1 (see `cluster::mesh`): the sentences are those of the binary itself, as a person at that host reads them.
//! Not here: what must have happened before (see the stories).

use lab::plan::{Place, Planned};
use tokio::time::{Instant, sleep};
use vocabulary::Scope;

use crate::world::{LOOK_EVERY, PATIENCE, World, until};

/// Why a host has no verdict that nobody suspects.
const NOBODY: &str = "nobody doubts it, as far as this agent has heard, and it has no case";

/// Why a doubted one has none, where the rounds are held: one doubt alone calls none, and what a round lacks is said.
const NO_ROUND: &str =
    "\nwhy there is no verdict\n  this agent leads and has held no round on it yet\n";
const NONE: [&str; 2] = ["\nwhy there is no verdict\n  the last round, ", " ago, made none: "];

/// A page of `hale explain`.
#[derive(Clone, Debug)]
pub struct Page(String);

impl Page {
    /// It has all of these sentences.
    #[track_caller]
    pub fn says(&self, sentences: &[&str]) {
        let missing = self.missing(sentences);
        assert!(missing.is_empty(), "it does not say {missing:?}: {}", self.0);
    }

    /// It has none of them.
    #[track_caller]
    pub fn is_silent_on(&self, sentences: &[&str]) {
        let said: Vec<_> = sentences.iter().filter(|it| self.0.contains(**it)).collect();
        assert!(said.is_empty(), "it says {said:?}: {}", self.0);
    }

    fn missing<'s>(&self, sentences: &[&'s str]) -> Vec<&'s str> {
        sentences.iter().filter(|it| !self.0.contains(**it)).copied().collect()
    }
}

impl World {
    /// `hale explain WHAT` at this host, by an agent behind which a majority stands.
    pub async fn explained(&self, by: Place, what: &str) -> Page {
        Page(self.types(by, &["explain", what]).await.done())
    }

    /// Waits until it says all of this: what one agent has heard of doubts comes a moment after what the leader has.
    pub async fn explains(&self, by: Place, what: &str, sentences: &[&str]) -> Page {
        let end = Instant::now() + PATIENCE;
        loop {
            let printed = self.types(by, &["explain", what]).await;
            let page = Page(printed.text + &printed.fault);
            if page.missing(sentences).is_empty() {
                return page;
            }
            if Instant::now() > end {
                page.says(sentences);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Each of these is well, has no verdict since nobody doubts it, and never had a case.
    pub async fn explains_as_never_judged(&self, by: Place, places: &[Place]) {
        for place in places {
            let name = Planned(*place).name();
            let page = self.explains(by, &name, &[&format!("host {name}  ok  "), NOBODY]).await;
            page.is_silent_on(&[
                "its last case",
                "case ",
                "no verdict\n",
                "doubted by",
                "remedies",
            ]);
        }
    }

    /// It is well now, and this is what its last case came to.
    pub async fn explains_as_over(&self, by: Place, place: Place, last: &[&str]) -> Page {
        let name = Planned(place).name();
        let now = format!("host {name}  ok  ");
        let page = self.explains(by, &name, &[&now, NOBODY, "\nits last case\n"]).await;
        page.says(last);
        page
    }

    /// Amid trouble that is nobody's death, by whoever leads: it is well, or it is doubted, and why that is no verdict.
    pub async fn explains_why_there_is_no_verdict(&self, leader: Place, place: Place) {
        let name = Planned(place).name();
        let well = [&*format!("host {name}  ok  "), NOBODY];
        let doubted = format!("host {name}  doubted  ");
        let doubted = [&*doubted, " observers doubt it, as far as ", "\ndoubted by\n"];
        let end = Instant::now() + PATIENCE;
        loop {
            let printed = self.types(leader, &["explain", &name]).await;
            let page = Page(printed.text + &printed.fault);
            page.is_silent_on(&["its last case", "case ", "remedies"]);
            let says = |sentences: &[&str]| page.missing(sentences).is_empty();
            if says(&well) || says(&doubted) && (says(&[NO_ROUND]) || says(&NONE)) {
                return;
            }
            assert!(Instant::now() < end, "neither well nor why it has no verdict: {}", page.0);
            sleep(LOOK_EVERY).await;
        }
    }

    /// What is read at every host of a side without a majority: the answer is old and says so, and of a host beyond the cut, that it is
    /// doubted and that nobody can judge it here.
    pub async fn knows_that_it_is_cut_off(&self, side: &[Place], beyond: Place) {
        let stale = ["NO MAJORITY behind it", "nothing new can begin on this side"];
        for place in side {
            until("a host on the small side says that no majority answers it", async || {
                let status = self.types(*place, &["status"]).await;
                status.code == Some(6) && stale.iter().all(|words| status.text.contains(words))
            })
            .await;
        }
        let name = Planned(beyond).name();
        let page = self.explains(side[0], &name, &[&format!("host {name}  doubted  ")]).await;
        page.says(&["without a majority there are no verdicts (protocol 3.9)"]);
        page.is_silent_on(&["case "]);
    }

    /// The newest case on this subject since it was calm, as an operator types it.
    pub fn case_on(&self, subject: &Scope) -> String {
        let case = self.cases().filter(|(_, on)| *on == subject).last();
        case.map(|(case, _)| case.0.to_string()).unwrap_or_else(|| panic!("no case on {subject:?}"))
    }
}
