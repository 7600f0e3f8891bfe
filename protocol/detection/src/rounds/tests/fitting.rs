//! Law D12: what is seen in a set fits one entry.

use std::collections::BTreeMap;

use vocabulary::{Path, PathReading, Reading};

use super::super::fitting::{
    ANSWER_BYTES_MAX, ATTESTATION_BYTES_MAX, GROUNDS_BYTES_BORNE, GROUNDS_BYTES_MAX, WORD_BYTES,
};
use super::*;

/// So many hosts in each of three zones, so many to a rack, as a leader knows them.
fn leading_over(per_zone: usize, per_rack: usize) -> (Arc<Roster>, Rounds) {
    let cluster = ClusterName::new("test").expect("sound");
    let mut roster = Roster::new(cluster.clone());
    let entries = (0..3 * per_zone).map(|number| {
        let (zone, rack) = (label(&format!("z{}", number % 3)), number / 3 / per_rack);
        let claims = Claims {
            cluster: cluster.clone(),
            host: HostName::new(&format!("h{number}")).expect("sound"),
            domain: Domain { region: label("r"), zone, rack: label(&format!("k{rack}")) },
            group: GroupName::new("web").expect("sound"),
            roles: Roles::default(),
        };
        Entry::enrolled(claims, PublicKey([0; 32]), LedgerIndex(1))
    });
    roster.put_all(entries.collect::<Vec<_>>());
    let (roster, mut rounds) = (Arc::new(roster), Rounds::new());
    let seating = Arc::new(Seating::new(&roster));
    let state = Event::StateChanged { anchor: anchor(), roster: Arc::clone(&roster), seating };
    rounds.handle(at(0), state.clone());
    rounds.handle(at(900), state);
    (roster, rounds)
}

fn largest(observer: HostId, subject: HostId) -> (Attestation, SelfAnswer) {
    let boot = Boot { number: u64::MAX, nonce: u128::MAX };
    let path = PathReading { path: Path::AgentPort, reading: Reading::Silent };
    let attestation = Attestation {
        subject,
        subject_boot: boot,
        observer,
        observer_boot: boot,
        key: PublicKey([255; 32]),
        sequence: Sequence(u64::MAX),
        epoch: Epoch(u64::MAX),
        anchor: Anchor { index: LedgerIndex(u64::MAX), ..anchor() },
        grade: Grade::Failed,
        paths: vec![path; Attestation::PATHS_MAX],
        ingress: vec![observer; Attestation::INGRESS_MAX],
        late_ms: u32::MAX,
        signature: NO_SIGNATURE,
    };
    let answer = SelfAnswer {
        subject,
        boot,
        key: PublicKey([255; 32]),
        to: Answer::Round(Anchor { index: LedgerIndex(u64::MAX), ..anchor() }),
        signature: NO_SIGNATURE,
    };
    (attestation, answer)
}

#[test]
fn law_d12_no_word_is_larger_than_it_is_counted_for() {
    let (attestation, answer) = largest(host("h0"), host("h1"));
    assert!(wire::encode(&attestation).len() <= ATTESTATION_BYTES_MAX);
    assert!(wire::encode(&answer).len() <= ANSWER_BYTES_MAX);
}

/// How many sets were begun for these subjects, and whether a rack or a zone was parted.
fn begun(per_zone: usize, per_rack: usize, subjects: &[usize]) -> (usize, bool) {
    let (roster, mut rounds) = leading_over(per_zone, per_rack);
    let subjects: Vec<HostId> = subjects.iter().map(|number| host(&format!("h{number}"))).collect();
    rounds.begin(at(900), &subjects);
    let mut sets_of: BTreeMap<Domain, BTreeSet<usize>> = BTreeMap::new();
    for (number, set) in rounds.sets.iter().enumerate() {
        for subject in set.subjects() {
            let domain = roster.get(subject).expect("it belongs").claims.domain.clone();
            sets_of.entry(domain).or_default().insert(number);
        }
    }
    let all: usize = rounds.sets.iter().map(|set| set.subjects().count()).sum();
    assert_eq!(all, subjects.len(), "each is looked at once");
    (rounds.sets.len(), sets_of.values().any(|sets| sets.len() > 1))
}

#[test]
fn law_d12_subjects_that_promise_too_much_together_are_looked_at_in_sets_of_whole_racks() {
    let few: Vec<usize> = (0..12).collect();
    assert_eq!(begun(40, 2, &few), (1, false));
    let apart: Vec<usize> = (0..48).map(|number| 6 * number).collect();
    let (sets, _) = begun(100, 2, &apart);
    assert_eq!(sets, 2, "most of their observers will speak");
    let zone: Vec<usize> = (0..40).map(|number| 3 * number).collect();
    assert_eq!(begun(40, 2, &zone), (1, false), "a dark zone, of which nobody will");
}

/// Whether the dead one that most others of the dead observe is looked at with all of these, and the largest promise of a set.
fn looked_at_together(per_rack: usize, dead: &[usize], is_upheld: bool) -> (bool, usize) {
    let (_, mut rounds) = leading_over(100, per_rack);
    let seating = Arc::clone(&rounds.standing.as_ref().expect("a state").seating);
    let dead: Vec<HostId> = dead.iter().map(|number| host(&format!("h{number}"))).collect();
    let of = |subject: &HostId| {
        let observers = seating.observers(subject).iter();
        observers.filter(|host| dead.contains(host)).copied().collect::<BTreeSet<_>>()
    };
    let lacking = *dead.iter().max_by_key(|host| of(host).len()).expect("one of them");
    assert!(of(&lacking).len() > 1, "one more than a quorum may lack");
    if is_upheld {
        let subjects = dead.iter().copied().filter(|host| *host != lacking).collect();
        rounds.handle(at(900), Event::Upheld { subjects });
    }
    rounds.begin(at(900), &dead);
    assert!(rounds.sets.len() > 1, "they do not all fit");
    let set = rounds.sets.iter().find(|set| set.subjects().any(|subject| *subject == lacking));
    let together: BTreeSet<HostId> = set.expect("it is looked at").subjects().copied().collect();
    let promises = rounds.sets.iter().map(|set| set.promised(|host| !dead.contains(host)));
    (of(&lacking).is_subset(&together), promises.max().unwrap_or_default())
}

#[test]
fn law_d13_whoever_lacks_a_verdict_is_looked_at_with_its_observers_whose_verdicts_stand() {
    let apart: Vec<usize> = (0..48).map(|number| 6 * number).collect();
    let (is_by_chance, _) = looked_at_together(2, &apart, false);
    assert!(!is_by_chance, "they lie in other racks");
    let (is_together, _) = looked_at_together(2, &apart, true);
    assert!(is_together, "law D13: their seats are vacant in this set");
}

#[test]
fn law_d12_racks_that_are_large_are_not_taken_whole_for_a_host_that_observes() {
    let spread: Vec<usize> = (0..48).map(|number| 5 * number).collect();
    let (is_together, words) = looked_at_together(100, &spread, true);
    assert!(words * WORD_BYTES <= GROUNDS_BYTES_MAX, "law D12: {words} words in one set");
    assert!(is_together, "law D13: those that observe come alone");
}

#[test]
fn law_d12_who_has_spoken_and_finds_no_room_is_not_concluded_about() {
    let (roster, _) = leading_over(140, 1);
    let hosts: Vec<HostId> = roster.present().map(|(host, _)| *host).collect();
    let mut set = Set::new(at(900), anchor(), Epoch(6));
    // All are in doubt, so that nobody's word was awaited, and all speak, in groups of five.
    for group in hosts.chunks(5) {
        for subject in group {
            set.begin(at(900), *subject, Vec::new());
            for observer in group.iter().filter(|observer| *observer != subject) {
                set.ask(*observer, *subject, false);
            }
        }
        for observer in group {
            for subject in group.iter().filter(|subject| *subject != observer) {
                let (attestation, _) = largest(*observer, *subject);
                set.attested(at(950), *observer, (attestation, None));
            }
        }
    }
    let Effect::Ended { grounds, .. } = set.ended() else { panic!("it ends") };
    assert!(wire::encode(&*grounds).len() <= GROUNDS_BYTES_BORNE + 256, "law D12");
    let heard: BTreeSet<HostId> = grounds.attestations.iter().map(|word| word.observer).collect();
    let condemned: BTreeSet<HostId> =
        grounds.attestations.iter().map(|word| word.subject).collect();
    assert!(condemned.is_subset(&heard), "law D12: all have spoken");
    assert!(!condemned.is_empty(), "those that had room are concluded about");
}

#[test]
fn law_d12_a_forged_answer_condemns_nobody_whose_own_found_no_room() {
    let (_, mut rounds) = leading_over(140, 1);
    let hosts: Vec<HostId> = (0..420).map(|number| host(&format!("h{number}"))).collect();
    let (subject, liar) = (hosts[0], hosts[1]);
    let mut set = Set::new(at(900), anchor(), Epoch(6));
    rounds.fill(at(900), &mut set, &hosts);
    let (word, forged) = largest(liar, subject);
    set.ask(liar, subject, false);
    set.attested(at(910), liar, (word, Some(forged)));
    let seating = Arc::clone(&rounds.standing.as_ref().expect("a state").seating);
    for other in &hosts[2..] {
        for observer in seating.observers(other).iter().filter(|from| **from != subject) {
            set.attested(at(950), *observer, (largest(*observer, *other).0, None));
        }
    }
    set.answered(at(960), largest(liar, subject).1);
    let Effect::Ended { grounds, .. } = set.ended() else { panic!("it ends") };
    assert!(grounds.attestations.iter().all(|word| word.subject != subject), "law D12");
}

#[test]
fn law_d12_what_is_said_beyond_a_full_set_is_left_out_and_silences_nobody() {
    let (_, mut rounds) = leading_over(40, 1);
    let subjects: Vec<HostId> = (0..30).map(|number| host(&format!("h{number}"))).collect();
    let mut set = Set::new(at(900), anchor(), Epoch(6));
    rounds.fill(at(900), &mut set, &subjects);
    let seating = Arc::clone(&rounds.standing.as_ref().expect("a state").seating);
    let mut speakers = BTreeSet::new();
    for subject in &subjects {
        for observer in seating.observers(subject) {
            let (attestation, answer) = largest(*observer, *subject);
            set.attested(at(950), *observer, (attestation, Some(answer)));
            speakers.insert(*observer);
        }
    }
    let Effect::Ended { grounds, .. } = set.ended() else { panic!("it ends") };
    let bytes = wire::encode(&*grounds).len();
    assert!(bytes < 128 * 1024 - 4_096, "law D12: {bytes} bytes");
    assert!(bytes > GROUNDS_BYTES_MAX * 9 / 10, "{bytes} bytes");
    let heard: BTreeSet<HostId> = grounds.attestations.iter().map(|word| word.observer).collect();
    assert_eq!(heard, speakers, "nobody falls silent");
    let alive: BTreeSet<HostId> = grounds.answers.iter().map(|answer| answer.subject).collect();
    assert_eq!(alive, subjects.iter().copied().collect(), "and nobody who answered");
    for subject in subjects {
        let brought = grounds.answers.iter().filter(|answer| answer.subject == subject).count();
        assert!(brought > 1, "law D12: one of {brought} answers may be forged");
    }
}
