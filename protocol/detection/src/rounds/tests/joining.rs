//! Who joins a set that is under way, who does not, and whose word counts for whoever has joined (protocol 3.5, 3.7).

use super::*;

/// The subjects that the next set to end was about.
fn next_end(rounds: &mut Rounds) -> (Moment, Vec<HostId>) {
    loop {
        let now = rounds.next_deadline().expect("a set is under way");
        let effects = rounds.handle(now, Event::DeadlineReached);
        if let Some((_, subjects)) = ended(&effects) {
            return (now, subjects.to_vec());
        }
    }
}

#[test]
fn a_stable_subject_waits_a_second_at_most_for_others_of_its_zone_and_for_nobody_else() {
    let mut rounds = leading();
    rounds.handle(at(900), doubt("c1", &["a1"]));
    tick(&mut rounds, at(1_100));
    rounds.handle(at(1_200), doubt("c2", &["a2"]));
    rounds.handle(at(1_400), doubt("b1", &["c2"]));
    assert_eq!(
        next_end(&mut rounds),
        (at(2_500), vec![host("a1"), host("a2")]),
        "one zone, one anchor"
    );
    assert_eq!(next_end(&mut rounds).1, [host("c2")], "another zone, a set of its own");
}

#[test]
fn a_wish_joins_no_set_whose_anchor_is_older_than_the_wish() {
    let mut rounds = leading();
    rounds.handle(at(900), doubt("c1", &["a1"]));
    let subject = host("a2");
    let wish = WishId(7);
    rounds.handle(at(1_000), Event::Wished { wish, subject });
    tick(&mut rounds, at(1_100));
    assert_eq!(next_end(&mut rounds), (at(2_200), vec![host("a1")]));
}

#[test]
fn law_d8_who_spoke_before_a_mate_came_into_doubt_bears_no_witness_unless_it_speaks_again() {
    for speaks_again in [false, true] {
        let mut rounds = leading();
        rounds.handle(at(1_000), doubt("b1", &["a1"]));
        rounds.handle(at(1_050), word_of("a1"));
        // Now all of zone a is cut off, and a2 is missed first.
        tick(&mut rounds, at(1_500));
        let effects = rounds.handle(at(1_600), doubt("b1", &["a1", "a2"]));
        assert_eq!(looked_at(&effects), BTreeSet::from([host("a2")]), "it joins the same set");
        let own = |effect: &Effect| matches!(effect, Effect::Look { to, subject, .. } if to == subject && *to == host("a1"));
        assert!(effects.iter().any(own), "its witness is asked again");
        rounds.handle(at(1_650), attestation("b1", "a2"));
        rounds.handle(at(1_650), attestation("b1", "a1"));
        if speaks_again {
            rounds.handle(at(1_660), word_of("a1"));
        }
        let effects = rounds.handle(at(2_900), Event::DeadlineReached);
        let (grounds, _) = ended(&effects).expect("the set has ended");
        let about = |subject: &str| {
            grounds.attestations.iter().filter(|said| said.subject == host(subject)).count()
        };
        assert_eq!((about("a1"), about("a2")), (1, usize::from(speaks_again)));
    }
}

#[test]
fn law_d8_who_was_left_out_of_a_set_is_looked_at_in_one_of_its_own_so_that_no_mate_withholds_a_verdict()
 {
    for was_left_out in [false, true] {
        let mut rounds = leading();
        if was_left_out {
            rounds.handle(at(1_000), doubt("b1", &["a1"]));
            rounds.handle(at(1_050), word_of("a1"));
            tick(&mut rounds, at(1_500));
            rounds.handle(at(1_600), doubt("b1", &["a1", "a2"]));
            rounds.handle(at(2_900), Event::DeadlineReached);
            rounds.handle(at(2_950), doubt("b1", &[]));
        }
        tick(&mut rounds, at(10_000));
        rounds.handle(at(10_000), doubt("b1", &["a1"]));
        rounds.handle(at(10_300), doubt("b1", &["a1", "a2"]));
        let first = if was_left_out { vec![host("a1")] } else { vec![host("a1"), host("a2")] };
        assert_eq!(next_end(&mut rounds).1, first);
    }
}
