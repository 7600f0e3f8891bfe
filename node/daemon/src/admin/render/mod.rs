//! From the ledger and what this agent knows to answers: pure functions, the same words for every door.
//!
//! Law R1: nothing is said that is not in the ledger or in [`Local`], and what only this agent knows is named as such.
//! Law R2: every list that is empty says why and what next.
//! Not here: HTTP (see `server`), tables (see `command_line`).

mod audit;
mod cases;
mod certs;
mod checks;
mod decided;
mod explain;
mod fleetlock;
mod hosts;
mod keepers;
mod leases;
pub mod maintenance;
mod policy;
mod policy_change;
mod policy_limits;
mod policy_warnings;
mod reasons;
mod status;
mod votes;

use ledger::Ledger;
use vocabulary::{CaseId, Claims, HostId, LedgerTime, Scope, Span, WallNote};

pub use audit::{audit, told};
pub use cases::cases;
pub use certs::certs;
pub use explain::explain;
pub use fleetlock::clients;
pub use hosts::hosts;
pub use keepers::keepers;
pub use leases::leases;
pub use maintenance::maintenance;
pub use policy::{policy, policy_text};
pub use policy_change::{policy_change, policy_warned};
pub use policy_warnings::Version;
pub use reasons::refusal;
pub use status::status;

use super::answer::{Answer, Body, Subject};
use super::mind::{Local, Mind, Standing};
use crate::moments;

/// What answers are made from, all of one moment.
pub struct Scene<'a> {
    /// The committed state.
    pub ledger: &'a Ledger,
    /// What it is worth.
    pub standing: Standing,
    /// What only this agent knows.
    pub local: &'a Local,
    /// Who this agent is.
    pub me: &'a Claims,
    /// This machine's wall clock, in milliseconds of the Unix epoch; for people.
    pub wall_ms: u64,
    /// Whole racks and zones with an open case: few, and asked for every host.
    domains: Vec<(Scope, CaseId)>,
}

impl<'a> Scene<'a> {
    /// Puts together what was read at one moment.
    pub fn new(ledger: &'a Ledger, local: &'a Local, me: &'a Claims, at: (Standing, u64)) -> Self {
        let (standing, wall_ms) = at;
        let is_domain = |scope: &Scope| matches!(scope, Scope::Rack(_) | Scope::Zone(_));
        let domains = ledger
            .cases()
            .filter(|case| is_domain(&case.subject))
            .map(|case| (case.subject.clone(), case.id));
        Self { ledger, standing, local, me, wall_ms, domains: domains.collect() }
    }

    /// Names alone: for a reader of the ledger that knows nothing else.
    fn bare(ledger: &'a Ledger, local: &'a Local, me: &'a Claims) -> Self {
        let standing = Standing { age: Span::ZERO, has_majority: false, leader: None, term: 0 };
        Self { ledger, standing, local, me, wall_ms: 0, domains: Vec::new() }
    }

    /// The answer around what was asked for.
    pub fn answer<B: Body>(&self, body: B) -> Answer<B> {
        let age_ms = self.standing.age.as_milliseconds();
        Answer {
            schema: B::SCHEMA.to_owned(),
            as_of: moments::utc_exact(self.wall_ms.saturating_sub(age_ms)),
            age_ms,
            fresh: self.standing.has_majority,
            data: body,
        }
    }

    /// A host by its name, else by its id.
    fn name(&self, host: &HostId) -> String {
        let entry = self.ledger.roster().get_even_retired(host);
        match entry {
            Some(entry) => entry.claims.host.to_string(),
            None if *host == self.me.id() => self.me.host.to_string(),
            None => host.to_string(),
        }
    }

    fn names<'h>(&self, hosts: impl IntoIterator<Item = &'h HostId>) -> Vec<String> {
        let mut names: Vec<String> = hosts.into_iter().map(|host| self.name(host)).collect();
        names.sort();
        names
    }

    /// Where a host stands, `eu/eu-a/r1`.
    fn domain(&self, host: &HostId) -> String {
        let entry = self.ledger.roster().get_even_retired(host);
        entry.map_or_else(String::new, |entry| entry.claims.domain.to_string())
    }

    fn subject(&self, scope: &Scope) -> Subject {
        Subject::of(scope, |host| self.name(host))
    }

    /// About when a moment of ledger time was, by the leaders' wall clocks.
    fn when(&self, at: LedgerTime) -> String {
        let WallNote(newest) = self.ledger.wall();
        let ago = self.ledger.time().since(at).as_milliseconds();
        moments::utc_exact(newest.saturating_sub(ago))
    }

    /// Whether a host seems up to this agent: a hint of membership, never a verdict.
    fn is_up(&self, host: &HostId) -> bool {
        *host == self.me.id() || self.local.up.contains(host)
    }
}

/// Whom a case is about, by name.
pub fn subject(mind: &dyn Mind, scope: &Scope) -> String {
    let (view, me) = (mind.view(), mind.me());
    Scene::bare(&view, &Local::default(), &me).subject(scope).name
}

/// A host by its name, where only the ledger is at hand; else by its id.
pub fn host_name(ledger: &Ledger, me: &Claims, host: &HostId) -> String {
    Scene::bare(ledger, &Local::default(), me).name(host)
}

/// The first few, and how many more.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(LISTED_MAX).map(String::as_str).collect::<Vec<_>>().join(" ");
    match names.len().saturating_sub(LISTED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Fits a line.
const LISTED_MAX: usize = 8;

fn wall(note: WallNote) -> String {
    moments::utc_exact(note.0)
}

/// A count as JSON carries it.
fn count(count: usize) -> u64 {
    count as u64
}

/// `1 host`, `2 hosts`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
