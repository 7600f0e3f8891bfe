//! Laws C1 to C4 as the journals of the targets show them, held against the intents of the audit.

use std::collections::{BTreeMap, BTreeSet};

use super::leases::{Walk, over_budget};
use super::{Breach, Clock, Figures, Law, Picture};
use crate::journal::{Entry, Seen};

/// One effect, from its begin until it is over or known.
struct Effect<'a> {
    begin: &'a Entry,
    until_ms: u64,
}

/// Judges every begin.
pub(super) fn judge(
    picture: &Picture,
    walk: &Walk,
    (breaches, figures): (&mut Vec<Breach>, &mut Figures),
) {
    let mut effects = Vec::new();
    let mut begun = BTreeMap::new();
    for (host, entries) in &picture.journals {
        breaches.extend(fallen(host, entries));
        let begins = entries.iter().filter(|entry| entry.seen == Seen::Begin);
        for begin in begins {
            breaches.extend(without_intent(picture, walk, begin));
            if let Some(host) = begun.insert(begin.remedy, &begin.host) {
                let evidence =
                    format!("remedy {} begins on {host} and again on {}", begin.remedy, begin.host);
                breaches.push(Breach::of(Law::OneHealer, evidence));
            }
            effects.push(Effect { begin, until_ms: until(entries, walk, begin) });
        }
    }
    let all = picture.journals.values().flatten();
    let count = |seen: Seen| all.clone().filter(|entry| entry.seen == seen).count();
    figures.effects = (count(Seen::Begin), count(Seen::End), count(Seen::Broken));
    effects.sort_by_key(|effect| effect.begin.mono_ms);
    for (nth, effect) in effects.iter().enumerate() {
        let at = effect.begin.mono_ms;
        let running: Vec<&Effect<'_>> =
            effects[..nth].iter().filter(|other| other.until_ms > at).collect();
        breaches.extend(beside(effect, &running));
        let hosts: BTreeSet<&str> =
            running.iter().chain([&effect]).map(|other| &*other.begin.host).collect();
        let hosts: Vec<&str> = hosts.into_iter().collect();
        figures.in_flight_most.1 = figures.in_flight_most.1.max(hosts.len());
        breaches.extend(over_budget(picture, &told(effect.begin), &hosts));
    }
}

/// Law C2: somebody else is at work on this host already.
fn beside(effect: &Effect<'_>, running: &[&Effect<'_>]) -> Option<Breach> {
    let host = &effect.begin.host;
    let other = running.iter().find(|other| other.begin.host == *host)?;
    let evidence = format!("{}, while {} is not over", told(effect.begin), told(other.begin));
    Some(Breach::of(Law::OneHealer, evidence))
}

/// Law C1: an effect without an end is in flight until the audit settles it.
fn until(entries: &[Entry], walk: &Walk, begin: &Entry) -> u64 {
    let is_its_end = |entry: &&Entry| entry.seen == Seen::End && entry.remedy == begin.remedy;
    let ended = entries.iter().find(is_its_end).map(|entry| entry.mono_ms);
    let settled = || walk.intents.get(&begin.remedy).and_then(|intent| intent.settled_ms);
    ended.or_else(settled).unwrap_or(u64::MAX)
}

/// Law C3.
fn fallen(host: &str, entries: &[Entry]) -> Vec<Breach> {
    let begins: Vec<&Entry> = entries.iter().filter(|entry| entry.seen == Seen::Begin).collect();
    let falls = begins
        .windows(2)
        .filter(|pair| pair[1].fence < pair[0].fence || pair[1].remedy < pair[0].remedy);
    let told = falls.map(|pair| {
        let evidence = format!("on {host} {} comes after {}", told(pair[1]), told(pair[0]));
        Breach::of(Law::Fences, evidence)
    });
    told.collect()
}

/// Law C4.
fn without_intent(picture: &Picture, walk: &Walk, begin: &Entry) -> Option<Breach> {
    let Some(intent) = walk.intents.get(&begin.remedy) else {
        let evidence = format!("{}, and no audit holds its intent", told(begin));
        return Some(Breach::of(Law::IntentFirst, evidence));
    };
    let meant = (intent.case, intent.fence, &intent.host);
    if meant != (begin.case, begin.fence, &begin.host) {
        let evidence = format!(
            "{}, and its intent is of case {} on {} under fence {}",
            told(begin),
            intent.case,
            intent.host,
            intent.fence
        );
        return Some(Breach::of(Law::IntentFirst, evidence));
    }
    if intent.at_ms > begin.mono_ms + Clock::SLACK_MS {
        let late = intent.at_ms - begin.mono_ms;
        let evidence = format!("{}, and its intent is stamped {late} ms later", told(begin));
        return Some(Breach::of(Law::IntentFirst, evidence));
    }
    let settled = intent.settled_ms.filter(|settled| settled + Clock::SLACK_MS < begin.mono_ms)?;
    let late = begin.mono_ms - settled;
    let (at, clock) = (told(begin), picture.clock.mono_ms);
    let evidence = format!(
        "{at}, and it was settled {late} ms before ({} ms into the run)",
        settled.saturating_sub(clock)
    );
    Some(Breach::of(Law::IntentFirst, evidence))
}

fn told(begin: &Entry) -> String {
    let Entry { host, case, remedy, fence, mono_ms, .. } = begin;
    format!("remedy {remedy} of case {case} begins on {host} under fence {fence} at {mono_ms}")
}
