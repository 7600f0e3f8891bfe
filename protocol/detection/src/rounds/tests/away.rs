//! What a leader makes of a set that it could not end in time, and of an anchor that was there before it led.

use super::*;

#[test]
fn law_d10_a_set_that_its_leader_ends_long_after_its_time_bears_nothing_and_is_held_again() {
    let wish = WishId(7);
    for (away, is_of_use) in [(0, true), (4_900, true), (5_100, false), (30_000, false)] {
        let mut rounds = leading();
        rounds.handle(at(1_000), doubt("b1", &["a1"]));
        rounds.handle(at(1_050), attestation("b1", "a1"));
        rounds.handle(at(1_050), word_of("a1"));
        rounds.handle(at(1_060), Event::Wished { wish, subject: host("a1") });
        let awake = at(2_300 + away);
        let mut effects = rounds.handle(awake, Event::DeadlineReached);
        let subjects = ended(&effects).map(|(_, subjects)| subjects.to_vec());
        assert_eq!(subjects, is_of_use.then(|| vec![host("a1")]), "away for {away} ms");
        effects.extend(tick(&mut rounds, awake));
        assert_eq!(looked_at(&effects), BTreeSet::from([host("a1")]), "in another set");
        let later = rounds.handle(awake.after(SET_WITHIN), Event::DeadlineReached);
        let answers =
            |effect: &Effect| matches!(effect, Effect::Ended { wishes, .. } if *wishes == [wish]);
        assert!(later.iter().any(answers), "whoever waits has its round: {later:?}");
    }
}

#[test]
fn of_the_wishes_for_one_subject_the_oldest_are_given_up_at_their_bound() {
    let mut rounds = leading();
    rounds.handle(at(1_000), doubt("b1", &["a1"]));
    let subject = host("a1");
    for number in 0..3 * u64::try_from(WISHES_MAX).expect("small") {
        rounds.handle(at(1_001), Event::Wished { wish: WishId(number), subject });
    }
    assert_eq!(rounds.wanted[&subject].len(), WISHES_MAX);
    assert_eq!(rounds.wanted[&subject].last(), Some(&WishId(191)));
}

#[test]
fn law_d11_who_begins_to_lead_has_an_entry_of_its_own_before_it_asks_anybody() {
    let mut rounds = leading();
    for _ in 0..2 {
        rounds.handle(at(5_000), Event::Deposed);
        assert_eq!(tick(&mut rounds, at(60_000)), [], "this is what was there before");
        let effects = rounds.handle(at(60_001), doubt("b1", &["a1"]));
        assert_eq!(effects, [Effect::Freshen]);
        let looked_at = looked_at(&tick(&mut rounds, at(60_050)));
        assert_eq!(looked_at, BTreeSet::from([host("a1")]));
    }
}
