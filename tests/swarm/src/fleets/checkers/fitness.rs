//! Laws FT1 to FT3 by the truth: nobody is unfit whom more than f honest observers can see serve and who serves itself, and whoever
//! is reached and fails is a case in time.

use std::collections::BTreeMap;

use ledger::audit::What;
use ledger::policy::Check;
use vocabulary::{HostId, Moment, Scope, Span, VerdictKind};

use super::super::picture::{Picture, Seen};
use super::Checker;

/// What ended so lately may still be what a verdict saw: a round, its entry, and the freshness of protocol 3.2.
const AFTERMATH: Span = Span::seconds(7);

/// Beyond the runs that must fail: the rounds on it and the entry, of a ledger that may take two seconds for each.
const ROUNDS_TAKE: Span = Span::seconds(15);

/// How long each host has been as it is.
#[derive(Default)]
pub struct Fitness {
    sound: BTreeMap<HostId, Moment>,
    /// Under which check and leader.
    failing: BTreeMap<HostId, (Moment, Option<HostId>, Check)>,
}

impl Checker for Fitness {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        let Some(check) = &picture.check else {
            *self = Self::default();
            return Ok(());
        };
        for seen in picture.hosts.iter().filter(|seen| !seen.is_copy) {
            if is_sound(check, seen) {
                self.sound.entry(seen.id).or_insert(picture.at);
            } else {
                self.sound.remove(&seen.id);
            }
            self.note_failing(picture, (check, seen));
        }
        self.no_false_case(picture)?;
        picture.hosts.iter().try_for_each(|seen| self.no_missing_case(picture, seen))
    }
}

impl Fitness {
    fn note_failing(&mut self, picture: &Picture, (check, seen): (&Check, &Seen)) {
        if !is_failing(picture, (check, seen)) {
            self.failing.remove(&seen.id);
            return;
        }
        let now = (picture.at, picture.leader, check.clone());
        let since = self.failing.entry(seen.id).or_insert_with(|| now.clone());
        if (since.1, &since.2) != (picture.leader, check) {
            *since = now;
        }
    }

    /// Law FT3.
    fn no_false_case(&self, picture: &Picture) -> Result<(), String> {
        for record in &picture.records {
            let What::Verdict { subject: Scope::Host(host), kind: VerdictKind::Unfit(_), .. } =
                &record.what
            else {
                continue;
            };
            let since = self.sound.get(host);
            if since.is_some_and(|since| picture.at.since(*since) > AFTERMATH) {
                return Err(format!("law FT3: {} serves and is called unfit", name(picture, host)));
            }
        }
        Ok(())
    }

    fn no_missing_case(&self, picture: &Picture, seen: &Seen) -> Result<(), String> {
        let Some((since, _, check)) = self.failing.get(&seen.id) else {
            return Ok(());
        };
        let runs = check.every.times(u64::from(check.fails_after));
        if picture.at.since(*since) <= runs.plus(ROUNDS_TAKE) {
            return Ok(());
        }
        Err(format!("protocol 3.10: {} fails its check and is no case", seen.name))
    }
}

/// Whoever the policy asks finds it served: more than f honest observers, and it itself. A host whose input and output stand still
/// cannot tell that from a service that is silent, and says of itself what it sees.
fn is_sound(check: &Check, seen: &Seen) -> bool {
    let (itself, peers) = seen.serves;
    let by_peers = !check.from.asks_peers() || peers && seen.is_seen_well();
    let is_able = !seen.is_lying && !seen.is_stalled;
    let by_itself = !check.from.asks_the_host() || itself && is_able;
    by_peers && by_itself
}

/// All of its observers can find it failing, nothing else is known of it, and it is no case yet.
fn is_failing(picture: &Picture, (check, seen): (&Check, &Seen)) -> bool {
    let observers = picture.seating.observers(&seen.id).len();
    let is_of_it = |case: &ledger::case::Case| match &case.subject {
        Scope::Host(host) => *host == seen.id,
        Scope::Rack(rack) => *rack == seen.domain,
        Scope::Zone(zone) => *zone == seen.domain.zone(),
        Scope::Group(_) | Scope::Fleet => false,
    };
    let leads = |host: &Seen| picture.leader == Some(host.id) && !host.is_held_up && host.is_heard;
    check.from.asks_peers()
        && check.covers(&seen.group)
        && !seen.serves.1
        && !seen.is_lying
        && !seen.is_held_up
        && !seen.is_double
        && seen.is_seen_well()
        && observers >= 2
        && seen.able == observers
        && picture.hosts.iter().any(leads)
        && !picture.cases.iter().any(|case| is_of_it(case))
}

fn name(picture: &Picture, host: &HostId) -> String {
    let seen = picture.hosts.iter().find(|seen| seen.id == *host);
    seen.map_or_else(|| host.to_string(), |seen| seen.name.clone())
}

#[cfg(test)]
mod tests {
    use super::super::album::{breach, failed, host, is_caught};
    use super::*;

    #[test]
    fn law_ft3_an_unfit_host_that_serves_is_caught() {
        let mut album = failed();
        assert_eq!(breach(&mut Fitness::default(), &album), None);
        for picture in &mut album {
            host(picture, "b2").serves = (true, true);
        }
        assert!(is_caught(&mut Fitness::default(), &album, "law FT3"));
    }

    #[test]
    fn a_service_that_fails_and_is_no_case_is_caught() {
        let mut album = failed();
        album.iter_mut().for_each(|picture| picture.cases.clear());
        assert!(is_caught(&mut Fitness::default(), &album, "protocol 3.10"));
        for picture in &mut album {
            host(picture, "b2").able -= 1;
        }
        assert_eq!(breach(&mut Fitness::default(), &album), None, "one of them cannot tell");
    }
}
