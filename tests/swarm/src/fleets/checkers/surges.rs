//! Protocol 3.6: more hosts in new trouble than separate troubles explain are a surge, and it stands before their cases do.

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::What;
use vocabulary::{Boot, HostId, Moment, Scope, Span, VerdictKind};

use super::super::picture::{Picture, Seen};
use super::Checker;

/// A doubt is new for 30 s by its leader's clock and by the ledger's, of which either may be slow or fast.
const NEW_FOR: Span = Span::seconds(20);

/// Since when each host has been doubted without a break, and what brakes were lifted.
#[derive(Default)]
pub struct Surges {
    doubted: BTreeMap<HostId, Moment>,
    /// Of these doubts, those that somebody has whom a leader hears, or had: of what an agent thinks that stands still nobody can count.
    heard: BTreeSet<HostId>,
    judged: BTreeMap<HostId, Moment>,
    resumed: Option<Moment>,
}

impl Checker for Surges {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        let of = |(subject, _): &(HostId, Boot)| *subject;
        let doubted: BTreeSet<HostId> =
            picture.hosts.iter().flat_map(|seen| seen.doubts.iter().map(of)).collect();
        let heard = picture.hosts.iter().filter(|seen| is_heard_of(picture, seen));
        self.heard.extend(heard.flat_map(|seen| seen.doubts.iter().map(of)));
        self.heard.retain(|host| doubted.contains(host));
        self.doubted.retain(|host, _| doubted.contains(host));
        for host in doubted {
            self.doubted.entry(host).or_insert(picture.at);
        }
        for record in &picture.records {
            match &record.what {
                What::Verdict { subject: Scope::Host(host), kind, .. } if is_of_death(kind) => {
                    self.judged.insert(*host, picture.at);
                }
                What::Resumed { .. } => self.resumed = Some(picture.at),
                _ => {}
            }
        }
        // What was a domain's once is no news of its hosts when that is over.
        self.judged.retain(|host, _| !is_in_domain(picture, host));
        self.of_count(picture)
    }
}

impl Surges {
    fn of_count(&mut self, picture: &Picture) -> Result<(), String> {
        let is_new = |at: &Moment| picture.at.since(*at) < NEW_FOR;
        self.judged.retain(|_, at| is_new(at));
        // What a brake held back is told, and counts no more (protocol 6.4).
        let was_told = |since: &Moment| self.resumed.is_some_and(|resumed| *since <= resumed);
        let is_open = |host: &HostId| {
            let mut own = picture.cases.iter().filter(|own| own.host() == Some(*host));
            own.any(|own| is_of_death(&own.kind))
        };
        let is_counted = |host: &&HostId| {
            let since = self.doubted.get(*host);
            let is_news = since.is_some_and(|since| is_new(since) && !was_told(since));
            is_news && self.heard.contains(*host) && is_open(host)
        };
        let count = self.judged.keys().filter(is_counted).count();
        let hosts = picture.hosts.iter().filter(|seen| !seen.is_copy).count();
        let is_over = count > (hosts * 15 / 100).max(2) || count * 2 >= hosts;
        if is_over && !picture.is_braked {
            return Err(format!("protocol 3.6: {count} of {hosts} hosts are judged, and no surge"));
        }
        Ok(())
    }
}

fn is_heard_of(picture: &Picture, seen: &Seen) -> bool {
    seen.is_heard && picture.with_majority.contains(&seen.id)
}

fn is_of_death(kind: &VerdictKind) -> bool {
    matches!(kind, VerdictKind::AgentDown | VerdictKind::HostDown | VerdictKind::HostHung)
}

fn is_in_domain(picture: &Picture, host: &HostId) -> bool {
    let own = picture.hosts.iter().find(|seen| seen.id == *host);
    let covers = |scope: &Scope| match scope {
        Scope::Rack(rack) => own.is_some_and(|own| own.domain == *rack),
        Scope::Zone(zone) => own.is_some_and(|own| own.domain.zone() == *zone),
        Scope::Host(_) | Scope::Group(_) | Scope::Fleet => false,
    };
    picture.cases.iter().any(|case| covers(&case.subject))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::case::Case;

    use super::super::album::{first, healed, host, is_caught};
    use super::*;

    #[test]
    fn three_of_six_judged_at_once_without_a_brake_are_caught() {
        let mut album = healed();
        let (at, place) = first(&album, |what| matches!(what, What::Verdict { .. }));
        assert!(!is_caught(&mut Surges::default(), &album, "protocol 3.6"));
        for name in ["c1", "c2"] {
            let id = host(&mut album[at], name).id;
            let mut also = album[at].records[place].clone();
            if let What::Verdict { subject, .. } = &mut also.what {
                *subject = Scope::Host(id);
            }
            album[at].records.push(also);
            host(&mut album[at], "a1").doubts.push((id, Boot { number: 1, nonce: 1 }));
            let subject = Scope::Host(id);
            let case = Case { subject, ..Case::clone(&album[at].cases[0]) };
            album[at].cases.push(Arc::new(case));
        }
        assert!(is_caught(&mut Surges::default(), &album, "protocol 3.6"));
        let mut unheard = album[..=at].to_vec();
        host(&mut unheard[at], "a1").is_heard = false;
        assert!(!is_caught(&mut Surges::default(), &unheard, "protocol 3.6"), "nobody was told");
        album[at].is_braked = true;
        album.truncate(at + 1);
        assert!(!is_caught(&mut Surges::default(), &album, "protocol 3.6"));
    }
}
