//! What a leader makes of a set that it could not end in time.

use super::*;

#[test]
fn law_d10_a_set_that_its_leader_ends_long_after_its_time_bears_nothing_and_is_held_again() {
    let wish = WishId(7);
    for (away, is_of_use) in [(0, true), (900, true), (1_100, false), (30_000, false)] {
        let mut rounds = leading();
        rounds.handle(at(1_000), doubt("b1", &["a1"]));
        rounds.handle(at(1_050), attestation("b1", "a1"));
        rounds.handle(at(1_050), word_of("a1"));
        let subject = host("c2");
        rounds.handle(at(1_060), Event::Wished { wish, subject });
        tick(&mut rounds, at(1_200));
        let awake = at(2_600 + away);
        let mut effects = rounds.handle(awake, Event::DeadlineReached);
        assert_eq!(ended(&effects).is_some(), is_of_use, "away for {away} ms");
        effects.extend(tick(&mut rounds, awake));
        if !is_of_use {
            let again = BTreeSet::from([host("a1"), subject]);
            assert_eq!(looked_at(&effects), again, "in another set, for whoever waits, too");
            let late =
                rounds.handle(awake.after(Span::milliseconds(1_300)), Event::DeadlineReached);
            let waits = |effect: &Effect| matches!(effect, Effect::Ended { wishes, .. } if *wishes == [wish]);
            assert!(late.iter().any(waits), "{late:?}");
        }
    }
}
