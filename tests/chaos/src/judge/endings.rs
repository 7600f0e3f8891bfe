//! After calm each trouble is over, or a person's: law C7 of the parent.

use super::leases::{Case, Walk};
use super::{Breach, Host, Law, Picture};

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
    // While the case of a whole rack or zone is open none of its hosts has one of its own.
    let is_about = |case: &Case, (name, host): (&String, &Host)| {
        let is_of_domain = case.kind == "DomainDown";
        case.subject == *name
            || is_of_domain && (case.subject == host.zone || case.subject == host.rack)
    };
    let is_persons = |host| {
        let mut cases = walk.cases.values();
        cases.any(|case| is_about(case, host) && case.is_persons && !case.is_closed)
    };
    let left = picture.hosts.iter().filter(|host| !host.1.is_well && !is_persons(*host));
    breaches.extend(left.map(|(name, _)| {
        let evidence = format!("{name} does not run, and no open case of it is a person's");
        Breach::of(Law::Healed, evidence)
    }));
}
