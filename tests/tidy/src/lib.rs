//! Does the tree still obey its own house rules?
//!
//! Each check reads the whole [`House`] once and returns every [`Fault`] it finds, each with its
//! place, what was found and what is expected there. `tests/workspace.rs` runs all of them on this
//! repository; `tests/fixtures.rs` runs them on small broken houses and on one sound house, so that
//! every check is known to fail where it must and to be silent where it must.
//!
//! Not here: rules of taste. What these checks do not say, `docs/STYLE.md` only advises.

mod arrows;
mod fault;
mod frozen;
mod guests;
mod house;
mod idle;
pub mod laws;
mod links;
mod lints;
mod manifest;
mod names;
mod paths;
mod plan;
mod purity;
mod shown;
mod sizes;
mod source;
mod tasks;

pub use fault::{Fault, HouseFault};
pub use house::{House, Page};
pub use manifest::{Dependency, Kind, Manifest, Member};
pub use source::Source;

/// One house rule: its name in reports, and the function that enforces it.
pub struct Check {
    /// The name under which a test reports this rule.
    pub name: &'static str,
    /// Returns every breach of the rule, in the order of files and lines.
    pub run: fn(&House) -> Vec<Fault>,
}

/// Every rule that is enforced. A rule that is not in this table is not enforced.
pub const CHECKS: [Check; 13] = [
    Check { name: "arrows", run: arrows::check },
    Check { name: "purity", run: purity::check },
    Check { name: "tasks", run: tasks::check },
    Check { name: "lints", run: lints::check },
    Check { name: "file sizes", run: sizes::files },
    Check { name: "function sizes", run: sizes::functions },
    Check { name: "names", run: names::check },
    Check { name: "links", run: links::check },
    Check { name: "guests", run: guests::check },
    Check { name: "idle dependencies", run: idle::check },
    Check { name: "frozen pages", run: frozen::check },
    Check { name: "laws", run: laws::check },
    Check { name: "rules shown", run: shown::check },
];
