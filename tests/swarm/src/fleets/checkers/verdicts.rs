//! Laws V1 to V5: no verdict without a quorum, none while a whole domain is dark, no verdict and no intent against a host that more
//! than f honest observers see well, none on whoever leads.

use std::collections::{BTreeMap, BTreeSet};

use ledger::audit::What;
use vocabulary::{Anchor, CaseId, HostId, LedgerIndex, Moment, Scope, Span, VerdictKind};

use super::super::liars::borne;
use super::super::picture::{Picture, Seen};
use super::Checker;

/// What ended so lately may still be what a verdict saw: a round, its entry, and the freshness of protocol 3.2.
const AFTERMATH: Span = Span::seconds(7);

/// How long each host has been as it is.
#[derive(Default)]
pub struct Verdicts {
    seen_well: BTreeMap<HostId, Moment>,
    dark: BTreeMap<HostId, Moment>,
    /// Who led last, and which entry was committed when it began to.
    leads: Option<(HostId, LedgerIndex)>,
}

impl Checker for Verdicts {
    fn look(&mut self, picture: &Picture) -> Result<(), String> {
        for seen in picture.hosts.iter().filter(|seen| !seen.is_copy) {
            note(&mut self.seen_well, picture.at, (seen.id, seen.is_seen_well()));
            note(&mut self.dark, picture.at, (seen.id, seen.is_dark));
        }
        if let Some(leader) = picture.leader
            && self.leads.is_none_or(|(host, _)| host != leader)
        {
            self.leads = Some((leader, picture.index));
        }
        picture.records.iter().try_for_each(|record| match &record.what {
            What::Intended { case, .. } => self.of_intent(picture, *case),
            What::Verdict { case, subject: Scope::Host(host), anchor, against, well, .. } => {
                of_words(picture, (*case, *anchor), (host, *against + *well))?;
                self.of_verdict(picture, &record.what)
            }
            what => self.of_verdict(picture, what),
        })
    }
}

impl Verdicts {
    /// To begin is to commit an intent; a healer that stands still between that and the call is what its margin is for.
    fn of_intent(&self, picture: &Picture, case: CaseId) -> Result<(), String> {
        let own = picture.cases.iter().find(|own| own.id == case);
        let host = own.and_then(|own| own.host());
        match host.and_then(|host| self.well(picture, &host)) {
            Some(well) => Err(format!("law V3: an intent on {}", in_words(well))),
            None => Ok(()),
        }
    }

    fn of_verdict(&self, picture: &Picture, what: &What) -> Result<(), String> {
        let What::Verdict { case, subject, kind, anchor, against, well, vacant, .. } = what else {
            return Ok(());
        };
        match (kind, subject) {
            (
                VerdictKind::AgentDown | VerdictKind::HostDown | VerdictKind::HostHung,
                Scope::Host(host),
            ) => {
                // What its predecessor proposed may still be in the log of whoever has just begun to lead.
                let leads = self.leads.filter(|(leads, _)| picture.leader == Some(*leads));
                let is_its_own = |since: LedgerIndex| anchor.index > since;
                if leads.is_some_and(|(leads, since)| leads == *host && is_its_own(since)) {
                    let name = name(picture, host);
                    return Err(format!("law V5: {kind} of {name}, which leads"));
                }
                self.of_quorum(picture, (host, kind), (*against, *well, *vacant))?;
                self.of_witness(picture, (host, kind))
            }
            (VerdictKind::DomainDown, _) => {
                let case = picture.cases.iter().find(|own| own.id == *case);
                let mut members = case.iter().flat_map(|case| &case.members);
                match members.find_map(|host| self.well(picture, host)) {
                    Some(well) => Err(format!("law V4: DomainDown with {}", in_words(well))),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn of_quorum(
        &self,
        picture: &Picture,
        (host, kind): (&HostId, &VerdictKind),
        (against, well, vacant): (u64, u64, u64),
    ) -> Result<(), String> {
        let name = name(picture, host);
        let seats = picture.seating.observers(host).len() as u64;
        // protocol 3.4: K' - f voices, more than half of K, at least two.
        let filled = seats.saturating_sub(vacant);
        let need = filled.saturating_sub(u64::from(filled >= 4)).max(seats / 2 + 1).max(2);
        if against < need {
            let of = format!("{against} voices of {seats} seats, {vacant} of them vacant");
            return Err(format!("law V1: {kind} of {name} by {of}"));
        }
        if well > borne(picture.seating.observers(host).len()) as u64 {
            return Err(format!("law V4: {kind} of {name}, which {well} voices say is well"));
        }
        match self.well(picture, host) {
            Some(well) => Err(format!("law V4: {kind} of {}", in_words(well))),
            None => Ok(()),
        }
    }

    /// Law V2, by the truth: those who could bear witness have all been dark for long.
    fn of_witness(
        &self,
        picture: &Picture,
        (host, kind): (&HostId, &VerdictKind),
    ) -> Result<(), String> {
        let Some(own) = picture.hosts.iter().find(|seen| seen.id == *host) else {
            return Ok(());
        };
        // Protocol 1.2: whichever of two machines speaks or is silent under one name neither saves its domain nor condemns it.
        let doubles: BTreeSet<HostId> = picture
            .cases
            .iter()
            .filter(|case| case.kind == VerdictKind::Duplicate)
            .filter_map(|case| case.host())
            .collect();
        let beside = |is_there: &dyn Fn(&Seen) -> bool| -> Vec<&Seen> {
            let others = picture.hosts.iter().filter(|seen| !seen.is_copy && seen.id != *host);
            others.filter(|seen| !doubles.contains(&seen.id) && is_there(seen)).collect()
        };
        let mut witnesses = beside(&|seen| seen.domain == own.domain);
        if witnesses.is_empty() {
            witnesses = beside(&|seen| seen.domain.zone() == own.domain.zone());
        }
        let is_dark = |seen: &&Seen| lasts(&self.dark, picture.at, &seen.id);
        let has_any = !witnesses.is_empty();
        if *kind != VerdictKind::AgentDown && has_any && witnesses.iter().all(is_dark) {
            return Err(format!("law V2: {kind} of {}, whose whole domain is dark", own.name));
        }
        Ok(())
    }

    /// This host, if it has been seen well for so long that no honest round can say otherwise.
    fn well<'a>(&self, picture: &'a Picture, host: &HostId) -> Option<&'a Seen> {
        let is_long = lasts(&self.seen_well, picture.at, host);
        picture.hosts.iter().find(|seen| seen.id == *host).filter(|_| is_long)
    }
}

/// Law V1: each voice is the word of one host that was heard. Where later rounds on the case were told in the same moment, its
/// grounds are theirs.
fn of_words(
    picture: &Picture,
    (case, anchor): (CaseId, Anchor),
    (host, voices): (&HostId, u64),
) -> Result<(), String> {
    let own = picture.cases.iter().find(|own| own.id == case);
    let own = own.filter(|own| own.grounds.anchor.index <= anchor.index);
    let heard = own.map_or(voices, |own| own.grounds.sights.len() as u64);
    if voices <= heard {
        return Ok(());
    }
    Err(format!("law V1: {voices} voices on {} by {heard} hosts", name(picture, host)))
}

fn note(since: &mut BTreeMap<HostId, Moment>, at: Moment, (host, is_so): (HostId, bool)) {
    if is_so {
        since.entry(host).or_insert(at);
    } else {
        since.remove(&host);
    }
}

fn lasts(since: &BTreeMap<HostId, Moment>, at: Moment, host: &HostId) -> bool {
    since.get(host).is_some_and(|since| at.since(*since) > AFTERMATH)
}

fn name(picture: &Picture, host: &HostId) -> String {
    let seen = picture.hosts.iter().find(|seen| seen.id == *host);
    seen.map_or_else(|| host.to_string(), |seen| seen.name.clone())
}

fn in_words(seen: &Seen) -> String {
    format!("{}, whom {} honest observers see well", seen.name, seen.seen_by)
}

#[cfg(test)]
mod tests {
    use super::super::album::{first, healed, host, is_caught};
    use super::*;

    fn is_verdict(what: &What) -> bool {
        matches!(what, What::Verdict { .. })
    }

    #[test]
    fn law_v1_a_verdict_of_too_few_voices_is_caught() {
        let mut album = healed();
        let (at, place) = first(&album, is_verdict);
        let What::Verdict { against, .. } = &mut album[at].records[place].what else {
            panic!("a verdict");
        };
        *against -= 2;
        assert!(is_caught(&mut Verdicts::default(), &album, "law V1"));
        let What::Verdict { against, .. } = &mut album[at].records[place].what else {
            panic!("a verdict");
        };
        *against += 4;
        assert!(is_caught(&mut Verdicts::default(), &album, "law V1"), "more voices than hosts");
    }

    #[test]
    fn law_v5_a_verdict_on_whoever_leads_is_caught() {
        let mut album = healed();
        let (at, _) = first(&album, is_verdict);
        album[at].leader = Some(host(&mut album[at], "b2").id);
        assert!(
            !is_caught(&mut Verdicts::default(), &album, "law V5"),
            "it has just begun to lead"
        );
        for picture in &mut album {
            picture.leader = Some(host(picture, "b2").id);
        }
        assert!(is_caught(&mut Verdicts::default(), &album, "law V5"));
    }

    #[test]
    fn laws_v3_and_v4_what_is_done_against_a_host_that_others_see_well_is_caught() {
        let mut album = healed();
        let (at, place) = first(&album, is_verdict);
        for picture in &mut album {
            let seen = host(picture, "b2");
            (seen.is_heard, seen.seen_by) = (true, 2);
        }
        assert!(is_caught(&mut Verdicts::default(), &album, "law V4"));
        album[at].records.remove(place);
        assert!(is_caught(&mut Verdicts::default(), &album, "law V3"));
    }

    #[test]
    fn law_v2_a_host_verdict_in_a_dark_domain_is_caught() {
        let mut album = healed();
        let (at, place) = first(&album, is_verdict);
        for name in ["b1", "b2"] {
            album.iter_mut().for_each(|picture| host(picture, name).is_dark = true);
        }
        assert!(!is_caught(&mut Verdicts::default(), &album, "law V2"), "agents need no witness");
        let What::Verdict { kind, .. } = &mut album[at].records[place].what else {
            panic!("a verdict");
        };
        *kind = VerdictKind::HostDown;
        assert!(is_caught(&mut Verdicts::default(), &album, "law V2"));
    }
}
