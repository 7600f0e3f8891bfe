use vocabulary::{
    Anchor, Answer, Boot, Claims, ClusterName, Digest, Domain, Epoch, Grade, Grounds, GroupName,
    HostId, HostName, Label, LedgerIndex, Moment, PublicKey, Roles, Sequence, Signature, Span,
};

use super::*;
use crate::roster::Entry;

mod away;
mod fitting;
mod joining;

const NO_SIGNATURE: Signature = Signature([0; 32], [0; 32]);

fn at(ms: u64) -> Moment {
    Moment::from_milliseconds(ms)
}

fn label(text: &str) -> Label {
    Label::new(text).expect("sound")
}

/// Six hosts a1 a2 b1 b2 c1 c2: three zones of two, racks of one.
fn roster() -> Roster {
    let cluster = ClusterName::new("test").expect("sound");
    let mut roster = Roster::new(cluster.clone());
    for name in ["a1", "a2", "b1", "b2", "c1", "c2"] {
        let domain = Domain { region: label("r"), zone: label(&name[..1]), rack: label(name) };
        let claims = Claims {
            cluster: cluster.clone(),
            host: HostName::new(name).expect("sound"),
            domain,
            group: GroupName::new("web").expect("sound"),
            roles: Roles::default(),
        };
        let mut entry = Entry::enrolled(claims, PublicKey([0; 32]), LedgerIndex(1));
        entry.boot = Some(Boot { number: 1, nonce: 1 });
        roster.put(entry);
    }
    roster
}

fn host(name: &str) -> HostId {
    let cluster = ClusterName::new("test").expect("sound");
    HostId::derive(&cluster, &HostName::new(name).expect("sound"))
}

fn anchor() -> Anchor {
    Anchor { index: LedgerIndex(7), audit: Digest::of(&[b"audit"]) }
}

fn leading() -> Rounds {
    let roster = Arc::new(roster());
    let seating = Arc::new(Seating::new(&roster));
    let mut rounds = Rounds::new();
    let state = Event::StateChanged { anchor: anchor(), roster, seating };
    rounds.handle(at(0), state.clone());
    rounds.handle(at(0), state);
    rounds
}

/// Ticks go on while anything is in doubt.
fn tick(rounds: &mut Rounds, now: Moment) -> Vec<Effect> {
    let roster = Arc::new(roster());
    let seating = Arc::new(Seating::new(&roster));
    let told = Event::StateChanged { anchor: anchor(), roster, seating };
    rounds.handle(now, told)
}

fn doubt(observer: &str, subjects: &[&str]) -> Event {
    let note = |subject: &&str| DoubtNote {
        subject: host(subject),
        boot: Boot { number: 1, nonce: 1 },
        age_ms: 400,
    };
    Event::Doubted { observer: host(observer), notes: subjects.iter().map(note).collect() }
}

fn looked_at(effects: &[Effect]) -> BTreeSet<HostId> {
    let looks = effects.iter().filter_map(|effect| match effect {
        Effect::Look { to, subject, .. } if to != subject => Some(*subject),
        Effect::Look { .. } | Effect::Ended { .. } | Effect::Overload | Effect::Freshen => None,
    });
    looks.collect()
}

fn attestation(observer: &str, subject: &str) -> Event {
    let attestation = Attestation {
        subject: host(subject),
        subject_boot: Boot { number: 1, nonce: 1 },
        observer: host(observer),
        observer_boot: Boot { number: 1, nonce: 1 },
        key: PublicKey([0; 32]),
        sequence: Sequence(1),
        epoch: Epoch(6),
        anchor: anchor(),
        grade: Grade::Failed,
        paths: Vec::new(),
        ingress: Vec::new(),
        late_ms: 0,
        signature: NO_SIGNATURE,
    };
    Event::Attested { attestation: Box::new(attestation), answer: None }
}

fn word_of(subject: &str) -> Event {
    let answer = SelfAnswer {
        subject: host(subject),
        boot: Boot { number: 1, nonce: 1 },
        key: PublicKey([0; 32]),
        to: Answer::Round(anchor()),
        signature: NO_SIGNATURE,
    };
    Event::Answered { answer: Box::new(answer) }
}

fn ended(effects: &[Effect]) -> Option<(&Grounds, &[HostId])> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ended { grounds, subjects, .. } => Some((&**grounds, subjects.as_slice())),
        Effect::Look { .. } | Effect::Overload | Effect::Freshen => None,
    })
}

#[test]
fn one_doubt_has_every_observer_the_subject_and_its_mates_asked_at_once() {
    let mut rounds = leading();
    let effects = rounds.handle(at(1_000), doubt("b1", &["a1"]));
    let asked: BTreeSet<(HostId, HostId)> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Look { to, subject, .. } => Some((*to, *subject)),
            Effect::Ended { .. } | Effect::Overload | Effect::Freshen => None,
        })
        .collect();
    let mut expected: BTreeSet<_> =
        ["a2", "b1", "b2", "c1", "c2"].map(|to| (host(to), host("a1"))).into();
    expected.insert((host("a1"), host("a1")));
    expected.insert((host("a2"), host("a2")));
    assert_eq!(asked, expected);
}

#[test]
fn a_doubt_by_a_host_without_the_seat_moves_nothing() {
    let mut rounds = leading();
    let stranger = Event::Doubted {
        observer: HostId([9; 16]),
        notes: vec![DoubtNote { subject: host("a1"), boot: Boot::default(), age_ms: 0 }],
    };
    assert_eq!(rounds.handle(at(1_000), stranger), []);
    assert_eq!(rounds.handle(at(1_000), doubt("a1", &["a1"])), [], "nobody observes itself");
}

#[test]
fn a_subject_is_looked_at_once_in_a_second_and_its_set_ends_when_all_have_answered() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    assert_eq!(rounds.handle(at(1_200), doubt("b2", &["a1"])), []);
    for observer in ["b1", "b2", "c1", "c2"] {
        assert_eq!(rounds.handle(at(1_300), attestation(observer, "a1")), []);
    }
    rounds.handle(at(1_300), word_of("a2"));
    let effects = rounds.handle(at(1_400), attestation("a2", "a1"));
    let (grounds, subjects) = ended(&effects).expect("nobody is awaited any more");
    assert_eq!(subjects, [host("a1")]);
    assert_eq!((grounds.attestations.len(), grounds.answers.len()), (5, 1));
    let effects = tick(&mut rounds, at(2_000));
    assert_eq!(looked_at(&effects), BTreeSet::from([host("a1")]), "it is still doubted");
}

#[test]
fn a_set_ends_in_time_whoever_is_silent() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    let end = at(1_000).after(SET_WITHIN);
    assert!(
        ended(&rounds.handle(end.before(Span::milliseconds(1)), Event::DeadlineReached)).is_none()
    );
    assert!(ended(&rounds.handle(end, Event::DeadlineReached)).is_some());
}

#[test]
fn no_witness_brings_the_whole_domain_under_one_anchor() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    let effects = tick(&mut rounds, at(2_300));
    assert_eq!(looked_at(&effects), BTreeSet::from([host("a1"), host("a2")]));
}

#[test]
fn two_doubts_of_one_cause_come_together_within_a_second_of_being_due() {
    let mut rounds = leading();
    let first = rounds.handle(at(1_000), doubt("b1", &["a1"]));
    assert_eq!(looked_at(&first), BTreeSet::from([host("a1")]));
    tick(&mut rounds, at(1_390));
    let second = rounds.handle(at(1_400), doubt("b2", &["a2"]));
    assert_eq!(looked_at(&second), BTreeSet::from([host("a2")]));
    assert_eq!(looked_at(&tick(&mut rounds, at(2_399))), BTreeSet::new());
    let both = rounds.handle(at(2_400), Event::DeadlineReached);
    assert_eq!(looked_at(&both), BTreeSet::from([host("a1"), host("a2")]));
}

#[test]
fn what_one_observer_says_puts_nobody_into_doubt_for_the_surge_count() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    assert_eq!(rounds.doubted(), []);
    rounds.handle(at(1_100), doubt("c1", &["a1"]));
    let doubted = rounds.doubted();
    assert_eq!((doubted.len(), doubted[0].since), (1, at(700)), "law D9: since there are two");
    rounds.handle(at(1_200), doubt("c1", &[]));
    assert_eq!(rounds.doubted(), [], "an observer's list replaces what it said before");
}

#[test]
fn law_d9_one_observers_old_doubt_makes_nobodys_trouble_old() {
    let mut rounds = leading();
    for second in 1..60 {
        rounds.handle(at(second * 1_000), doubt("b1", &["a1", "a2", "c1"]));
    }
    rounds.handle(at(60_000), doubt("c2", &["a1"]));
    let doubted = rounds.doubted();
    assert_eq!((doubted.len(), doubted[0].since), (1, at(59_600)));
}

#[test]
fn law_d6_a_life_that_one_observer_invents_keeps_no_trouble_young() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    for second in 2..40 {
        let boot = Boot { number: second, nonce: u128::from(second) };
        let note = DoubtNote { subject: host("a1"), boot, age_ms: 0 };
        let told = Event::Doubted { observer: host("c1"), notes: vec![note] };
        rounds.handle(at(second * 1_000), told);
        rounds.handle(at(second * 1_000), doubt("b1", &["a1"]));
    }
    assert_eq!(rounds.in_doubt_since(&host("a1")), Some(at(600)));
}

#[test]
fn an_observer_that_is_not_heard_again_doubts_nobody() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    rounds.handle(at(11_000), Event::DeadlineReached);
    assert_eq!(rounds.doubters(&host("a1")), []);
}

#[test]
fn a_new_leader_inherits_nothing() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    rounds.handle(at(1_100), Event::Deposed);
    assert_eq!(rounds.handle(at(9_000), Event::DeadlineReached), []);
    assert!(rounds.doubters(&host("a1")).is_empty());
}

#[test]
fn rounds_hang_on_an_entry_of_the_last_second_and_a_tick_is_asked_for_where_there_is_none() {
    let mut rounds = leading();
    assert_eq!(rounds.handle(at(60_000), doubt("b1", &["a1"])), [Effect::Freshen]);
    assert_eq!(rounds.handle(at(60_100), Event::DeadlineReached), []);
    assert_eq!(
        rounds.handle(at(60_500), Event::DeadlineReached),
        [Effect::Freshen],
        "a tick may be lost"
    );
    let effects = tick(&mut rounds, at(60_510));
    assert_eq!(looked_at(&effects), BTreeSet::from([host("a1")]));
}

#[test]
fn a_liar_that_doubts_everybody_ends_no_set_early() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1", "a2", "b2", "c1", "c2"]));
    let own = ["a1", "a2", "b2", "c1", "c2"].map(|subject| attestation("b1", subject));
    for said in own.into_iter().chain([word_of("b1")]) {
        let effects = rounds.handle(at(1_010), said);
        assert!(ended(&effects).is_none(), "the others are still waited for: {effects:?}");
    }
}

#[test]
fn beyond_fifty_rounds_a_second_there_is_an_overload_and_everybody_has_a_turn() {
    let mut roster = roster();
    for number in 0..114 {
        let mut entry = roster.get(&host("a1")).expect("it belongs").clone();
        entry.claims.host = HostName::new(&format!("d{number}")).expect("sound");
        roster.put(entry);
    }
    let (roster, mut rounds) = (Arc::new(roster), Rounds::new());
    let seating = Arc::new(Seating::new(&roster));
    let (mut seen, mut overloads) = (BTreeSet::new(), 0);
    // The first second is the one in which it begins to lead.
    for second in 0..=3 {
        let told = Event::StateChanged {
            anchor: anchor(),
            roster: Arc::clone(&roster),
            seating: Arc::clone(&seating),
        };
        let mut effects = rounds.handle(at(second * 1_000), told);
        for observer in seating.hosts() {
            let notes = seating.subjects(observer).iter().map(|subject| DoubtNote {
                subject: *subject,
                boot: Boot { number: 1, nonce: 1 },
                age_ms: 0,
            });
            let told = Event::Doubted { observer: *observer, notes: notes.collect() };
            effects.extend(rounds.handle(at(second * 1_000), told));
        }
        for step in 1..10 {
            let now = at(second * 1_000 + step * 100);
            effects.extend(rounds.handle(now, Event::DeadlineReached));
            let next = rounds.next_deadline().expect("they are doubted");
            assert!(next > now, "a deadline that was reached is named again: the mind would spin");
        }
        let looked_at = looked_at(&effects);
        assert!(looked_at.len() <= ROUNDS_PER_SECOND, "law D1");
        overloads += effects.iter().filter(|effect| **effect == Effect::Overload).count();
        seen.extend(looked_at);
    }
    assert!(overloads > 0);
    assert_eq!(seen.len(), 120, "nobody is passed over for ever");
}

/// When the subject is looked at within these seconds, with everybody's doubts repeated and time going on.
fn looked_at_within(
    rounds: &mut Rounds,
    (from, to): (u64, u64),
    doubters: &[&str],
    subject: &str,
) -> Vec<u64> {
    let mut looks = Vec::new();
    for step in from * 10..to * 10 {
        let now = at(step * 100);
        let mut effects = tick(rounds, now);
        for observer in doubters {
            effects.extend(rounds.handle(now, doubt(observer, &[subject])));
        }
        effects.extend(rounds.handle(now, Event::DeadlineReached));
        rounds.handle(now, word_of("a2"));
        if looked_at(&effects).contains(&host(subject)) {
            looks.push(step * 100);
        }
    }
    looks
}

fn upheld(subject: &str) -> Event {
    Event::Upheld { subjects: [host(subject)].into() }
}

#[test]
fn law_d7_a_subject_whose_verdict_stands_rests_until_a_doubt_ends_or_its_verdict_stands_no_more() {
    let mut rounds = leading();
    let all = ["a2", "b1", "b2", "c1", "c2"];
    let looks = looked_at_within(&mut rounds, (1, 6), &all, "a1");
    assert_eq!(looks.len(), 5, "law D1: {looks:?}");
    rounds.handle(at(6_000), upheld("a1"));
    let looks = looked_at_within(&mut rounds, (6, 26), &all, "a1");
    assert!((3..=4).contains(&looks.len()), "law D7: {looks:?}");
    assert_eq!(rounds.resting(), [host("a1")].into());
    // One of them has had an answer.
    let none = Event::Doubted { observer: host("c2"), notes: Vec::new() };
    let effects = rounds.handle(at(26_000), none);
    assert!(looked_at(&effects).contains(&host("a1")), "law D7: one ceases to doubt");
    let looks = looked_at_within(&mut rounds, (26, 31), &all[..4], "a1");
    assert_eq!(looks, [0; 0], "law D7: the others still doubt it");
    rounds.handle(at(31_000), Event::Upheld { subjects: BTreeSet::new() });
    let looks = looked_at_within(&mut rounds, (31, 36), &all[..4], "a1");
    assert!(looks.len() >= 4, "what is upheld no more is looked at each second: {looks:?}");
}

#[test]
fn law_d7_whoever_waits_for_a_round_on_a_subject_that_rests_has_it_at_once() {
    let mut rounds = leading();
    looked_at_within(&mut rounds, (1, 6), &["b1", "c1"], "a1");
    rounds.handle(at(6_000), upheld("a1"));
    looked_at_within(&mut rounds, (6, 8), &["b1", "c1"], "a1");
    let wished = Event::Wished { wish: WishId(7), subject: host("a1") };
    let effects = rounds.handle(at(8_000), wished);
    assert!(looked_at(&effects).contains(&host("a1")), "a healer's last look waits for nothing");
}

#[test]
fn law_d7_whoever_rests_is_looked_at_with_another_that_it_observes() {
    let mut rounds = leading();
    let all = ["a2", "b1", "b2", "c1", "c2"];
    looked_at_within(&mut rounds, (1, 6), &all, "a1");
    rounds.handle(at(6_000), upheld("a1"));
    looked_at_within(&mut rounds, (6, 8), &all, "a1");
    tick(&mut rounds, at(8_000));
    let effects = rounds.handle(at(8_000), doubt("b1", &["a1", "c2"]));
    let together = BTreeSet::from([host("a1"), host("c2")]);
    assert_eq!(looked_at(&effects), together, "its seat is vacant under the same anchor only");
}

/// The six, and zone d of five: racks of two, two and one.
fn with_a_zone_of_five() -> Arc<Roster> {
    let mut roster = roster();
    for (name, rack) in [("d1", "p"), ("d2", "p"), ("d3", "q"), ("d4", "q"), ("d5", "s")] {
        let mut entry = roster.get(&host("a1")).expect("it belongs").clone();
        entry.claims.host = HostName::new(name).expect("sound");
        entry.claims.domain = Domain { region: label("r"), zone: label("d"), rack: label(rack) };
        roster.put(entry);
    }
    Arc::new(roster)
}

/// A tick, and then this.
fn told(rounds: &mut Rounds, roster: &Arc<Roster>, now: Moment, event: Event) -> Vec<Effect> {
    let seating = Arc::new(Seating::new(roster));
    let state = Event::StateChanged { anchor: anchor(), roster: Arc::clone(roster), seating };
    let mut effects = rounds.handle(now, state);
    effects.extend(rounds.handle(now, event));
    effects
}

fn hosts(names: &[&str]) -> BTreeSet<HostId> {
    names.iter().map(|name| host(name)).collect()
}

/// protocol 3.7.
#[test]
fn a_zone_most_of_which_is_in_doubt_is_looked_at_whole_in_the_same_set() {
    let (roster, mut rounds) = (with_a_zone_of_five(), Rounds::new());
    told(&mut rounds, &roster, at(900), Event::DeadlineReached);
    for (ms, by, of) in [(1_000, "a1", "d1"), (1_200, "a2", "d2"), (1_400, "b1", "d3")] {
        let effects = told(&mut rounds, &roster, at(ms), doubt(by, &[of]));
        assert_eq!(looked_at(&effects), hosts(&[of]));
    }
    let effects = told(&mut rounds, &roster, at(1_600), doubt("b2", &["d4"]));
    assert_eq!(looked_at(&effects), hosts(&["d4", "d5"]), "nobody has missed d5 yet");
    let mut ended = BTreeSet::new();
    for ms in (1_700..3_000).step_by(100) {
        for effect in told(&mut rounds, &roster, at(ms), Event::DeadlineReached) {
            if let Effect::Ended { subjects, .. } = effect {
                ended.insert(subjects.into_iter().collect::<BTreeSet<_>>());
            }
        }
    }
    let whole = hosts(&["d1", "d2", "d3", "d4", "d5"]);
    assert!(ended.contains(&whole), "one zone, one anchor: {ended:?}");
}

/// Law V4: one liar has nobody looked at of whom it says nothing.
#[test]
fn what_one_observer_says_of_most_of_a_zone_widens_nothing() {
    let (roster, mut rounds) = (with_a_zone_of_five(), Rounds::new());
    told(&mut rounds, &roster, at(900), Event::DeadlineReached);
    let all = doubt("a1", &["d1", "d2", "d3", "d4"]);
    assert_eq!(looked_at(&told(&mut rounds, &roster, at(1_000), all)).len(), 4);
    let second = told(&mut rounds, &roster, at(1_200), doubt("b1", &["d1"]));
    assert_eq!(looked_at(&second), BTreeSet::new());
}

/// The six, and zone d of so many: racks of two.
fn with_a_large_zone(count: usize) -> Arc<Roster> {
    let mut roster = roster();
    for number in 0..count {
        let mut entry = roster.get(&host("a1")).expect("it belongs").clone();
        entry.claims.host = HostName::new(&format!("d{number}")).expect("sound");
        let rack = label(&format!("p{}", number / 2));
        entry.claims.domain = Domain { region: label("r"), zone: label("d"), rack };
        roster.put(entry);
    }
    Arc::new(roster)
}

/// Of the large zone, these.
fn numbered(numbers: impl Iterator<Item = usize>) -> BTreeSet<HostId> {
    numbers.map(|number| host(&format!("d{number}"))).collect()
}

/// Every observer doubts those of its subjects that are among these; what is looked at for that.
fn all_doubt(
    rounds: &mut Rounds,
    roster: &Arc<Roster>,
    now: Moment,
    subjects: &BTreeSet<HostId>,
) -> BTreeSet<HostId> {
    let seating = Seating::new(roster);
    let mut effects = Vec::new();
    for observer in seating.hosts() {
        let notes = seating.subjects(observer).iter().filter(|subject| subjects.contains(subject));
        let note = |subject: &HostId| DoubtNote {
            subject: *subject,
            boot: Boot { number: 1, nonce: 1 },
            age_ms: 400,
        };
        let notes = notes.map(note).collect();
        effects.extend(rounds.handle(now, Event::Doubted { observer: *observer, notes }));
    }
    effects.extend(told(rounds, roster, now.after(SET_EVERY), Event::DeadlineReached));
    looked_at(&effects)
}

/// Law D5.
#[test]
fn where_not_all_have_room_whole_racks_go_together_and_those_without_a_case_go_first() {
    let (roster, mut rounds) = (with_a_large_zone(80), Rounds::new());
    told(&mut rounds, &roster, at(900), Event::DeadlineReached);
    let all = numbered(0..80);
    // The first observer that speaks begins a set alone; the others' doubts share what room is left.
    let first = all_doubt(&mut rounds, &roster, at(1_000), &all);
    assert_eq!(first.len(), ROUNDS_PER_SECOND);
    told(&mut rounds, &roster, at(2_000), Event::DeadlineReached);
    let next = told(&mut rounds, &roster, at(2_150), Event::DeadlineReached);
    let mut seen = first.clone();
    seen.extend(looked_at(&next));
    let pair = |number: usize| numbered(2 * number..2 * number + 2);
    let split = (0..40).filter(|rack| pair(*rack).intersection(&first).count() == 1).count();
    assert!(split <= 20, "of the racks that were looked at {split} were looked at in part");

    let (judged, others): (Vec<usize>, Vec<usize>) = (0..40).partition(|rack| rack % 3 > 0);
    let domain = |rack: &usize| {
        let of = roster.get(&host(&format!("d{}", 2 * rack))).expect("it belongs");
        Scope::Rack(of.claims.domain.clone())
    };
    let domains = judged.iter().map(domain).collect();
    rounds.handle(at(2_200), Event::Judged { domains });
    let mut looked = BTreeSet::new();
    for ms in (3_150..4_150).step_by(50) {
        let effects = told(&mut rounds, &roster, at(ms), Event::DeadlineReached);
        looked.extend(looked_at(&effects));
    }
    let wanted: BTreeSet<HostId> = others.into_iter().flat_map(pair).collect();
    assert!(wanted.is_subset(&looked), "those without a case go first");
    assert!(looked.len() <= ROUNDS_PER_SECOND, "law D1");
    assert!(looked.len() >= wanted.len() + ROOM_LEFT, "and others have a part of the room");
}

/// Of a second's rounds so many go to others than those without a case, at least.
const ROOM_LEFT: usize = 8;

/// protocol 3.7: a zone of more hosts than a second has rounds for.
#[test]
fn of_a_large_zone_the_mates_of_those_in_doubt_are_looked_at_with_them() {
    let (roster, mut rounds) = (with_a_large_zone(60), Rounds::new());
    told(&mut rounds, &roster, at(900), Event::DeadlineReached);
    let doubted = numbered((0..30).chain([30, 32]));
    let mut looked = all_doubt(&mut rounds, &roster, at(1_000), &doubted);
    for ms in (1_300..1_900).step_by(150) {
        looked.extend(looked_at(&told(&mut rounds, &roster, at(ms), Event::DeadlineReached)));
    }
    assert_eq!(looked, numbered(0..34), "31 and 33 stand beside one in doubt, 34 does not");
}
