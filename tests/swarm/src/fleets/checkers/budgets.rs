//! Laws B1 and B2: every grant leaves what is in flight within each scope's limit, and what counts is what is leased, in the scopes
//! that were frozen at the grant.

use ledger::audit::What;
use vocabulary::{CaseId, Scope};

use super::super::picture::Picture;
use super::Checker;

/// Counts the leases once more.
pub struct Budgets;

impl Checker for Budgets {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        for line in &picture.budgets {
            let counted = count(picture, &line.scope);
            if counted != line.used {
                return Err(format!(
                    "law B2: {} leases count in {:?}, which says {}",
                    counted, line.scope, line.used
                ));
            }
        }
        picture.records.iter().try_for_each(|record| match record.what {
            What::Granted { case, is_takeover: false, .. } => of_grant(picture, case),
            _ => Ok(()),
        })
    }
}

fn of_grant(picture: &Picture, case: CaseId) -> Result<(), String> {
    let own = picture.cases.iter().find(|own| own.id == case);
    let Some(lease) = own.and_then(|own| own.counted_lease()) else {
        return Ok(());
    };
    let scopes = lease.scopes.all();
    let over = picture
        .budgets
        .iter()
        .find(|line| scopes.contains(&line.scope) && count(picture, &line.scope) > line.limit);
    match over {
        Some(line) => {
            Err(format!("law B1: case {case} is granted over {} in {:?}", line.limit, line.scope))
        }
        None => Ok(()),
    }
}

/// How many leases count in a scope, by the domain and group that each froze.
fn count(picture: &Picture, scope: &Scope) -> u32 {
    let leases = picture.cases.iter().filter_map(|case| case.counted_lease());
    let is_in = |own: &ledger::case::FrozenScopes| match scope {
        Scope::Fleet => true,
        Scope::Zone(zone) => own.domain.zone() == *zone,
        Scope::Rack(rack) => own.domain == *rack,
        Scope::Group(group) => own.group == *group,
        Scope::Host(_) => false,
    };
    u32::try_from(leases.filter(|lease| is_in(&lease.scopes)).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, is_caught};
    use super::*;

    #[test]
    fn law_b1_a_grant_beyond_the_limit_is_caught() {
        let mut album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Granted { .. }));
        album[at].budgets[0].limit = 0;
        assert!(is_caught(&mut Budgets, &album, "law B1"));
    }

    #[test]
    fn law_b2_a_lease_that_is_not_counted_is_caught() {
        let mut album = healed();
        let (at, _) = first(&album, |what| matches!(what, What::Granted { .. }));
        album[at].budgets[1].used = 0;
        album[at].budgets[0].used = 0;
        assert!(is_caught(&mut Budgets, &album, "law B2"));
    }
}
