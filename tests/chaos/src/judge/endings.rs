//! After calm each trouble is over, or a person's: law C7 of the parent.

use super::leases::{Case, Walk};
use super::{Breach, Law, Picture};

/// Judges the end of the run.
pub(super) fn judge(picture: &Picture, walk: &Walk, breaches: &mut Vec<Breach>) {
    if let Some(unrest) = &picture.unrest {
        breaches.push(Breach::of(Law::Healed, format!("calm has not come: {unrest}")));
    }
    for (number, case) in &walk.cases {
        if !case.is_closed && !case.is_persons {
            let Case { kind, subject, .. } = case;
            let evidence = format!("case {number}, {kind} of {subject}, is open and no person's");
            breaches.push(Breach::of(Law::Healed, evidence));
        }
    }
    let is_persons = |name: &str| {
        let mut cases = walk.cases.values();
        cases.any(|case| case.subject == *name && case.is_persons && !case.is_closed)
    };
    let left = picture.hosts.iter().filter(|(name, host)| !host.is_well && !is_persons(name));
    breaches.extend(left.map(|(name, _)| {
        let evidence = format!("{name} does not run, and no open case of it is a person's");
        Breach::of(Law::Healed, evidence)
    }));
}
