//! Claims about a subject's answers.

use vocabulary::model_keys::{ModelSigner, ModelVerifier};
use vocabulary::{HostName, LedgerIndex, Verifier};

use super::*;

fn host(number: u8) -> HostId {
    HostId([number; 16])
}

fn at(milliseconds: u64) -> Moment {
    Moment::from_milliseconds(milliseconds)
}

fn anchor(index: u64) -> Anchor {
    Anchor { index: LedgerIndex(index), ..Anchor::default() }
}

fn subject(observers: u8) -> Reply {
    let name = HostName::new("web-1").expect("sound");
    let mut reply = Reply::new(Identity {
        cluster: ClusterName::new("test").expect("sound"),
        host: host(0),
        boot: Boot { number: 3, nonce: 9 },
        signer: Arc::new(ModelSigner::new(&name)),
    });
    reply.handle(
        at(0),
        Event::ObserversChanged {
            observers: (1..=observers).map(host).collect(),
            step: Span::milliseconds(300),
        },
    );
    reply
}

fn slot(reply: &mut Reply, now: Moment, from: HostId) -> Span {
    match reply.handle(now, Event::Probed { from, number: 5 })[..] {
        [Effect::SendReply { next_slot, number: 5, .. }] => next_slot,
        ref other => panic!("expected one reply, found {other:?}"),
    }
}

fn answer(reply: &mut Reply, now: Moment, event: Event) -> Option<SelfAnswer> {
    match reply.handle(now, event).remove(0) {
        Effect::Answered(answer) => Some(*answer),
        Effect::Busy => None,
        other => panic!("expected a signed answer, found {other:?}"),
    }
}

#[test]
fn observers_that_follow_their_slots_look_one_step_apart() {
    let mut reply = subject(10);
    // All ten begin in the same moment.
    let mut next: BTreeMap<HostId, Moment> = (1..=10).map(|n| (host(n), at(12_345))).collect();
    let mut looks = Vec::new();
    for _ in 0..100 {
        let (&from, &now) = next.iter().min_by_key(|(_, at)| **at).expect("ten");
        looks.push(now);
        let wait = slot(&mut reply, now, from);
        assert!(wait >= Span::milliseconds(1_500) && wait < Span::milliseconds(4_500));
        next.insert(from, now.after(wait));
    }
    let gaps: Vec<u64> =
        looks[20..].windows(2).map(|pair| pair[1].since(pair[0]).as_milliseconds()).collect();
    assert!(gaps.iter().all(|gap| *gap == 300), "{gaps:?}");
}

#[test]
fn a_stranger_is_answered_but_enters_no_list() {
    let mut reply = subject(2);
    assert_eq!(slot(&mut reply, at(0), host(9)), Span::milliseconds(600));
    assert_eq!(reply.ingress(at(0)), []);
}

#[test]
fn the_ingress_list_holds_the_observers_of_the_last_ten_seconds() {
    let mut reply = subject(3);
    slot(&mut reply, at(0), host(1));
    reply.handle(at(5_000), Event::ProbedByStream { from: host(2) });
    assert_eq!(reply.ingress(at(10_000)), [host(1), host(2)]);
    assert_eq!(reply.ingress(at(10_001)), [host(2)]);
    reply.handle(
        at(10_001),
        Event::ObserversChanged { observers: vec![host(3)], step: Span::milliseconds(300) },
    );
    assert_eq!(reply.ingress(at(10_001)), []);
}

#[test]
fn what_is_signed_is_the_nonce_or_the_anchor_that_was_asked_in_this_life_and_mesh() {
    let mut reply = subject(3);
    let from = host(1);
    let by_nonce = answer(&mut reply, at(0), Event::Asked { from, nonce: 77 }).expect("signed");
    assert_eq!(by_nonce.to, Answer::Nonce(77));
    let anchor = anchor(4);
    let by_round = answer(&mut reply, at(0), Event::LookedAt { from, anchor }).expect("signed");
    assert_eq!(by_round.to, Answer::Round(anchor));
    for answer in [by_nonce, by_round] {
        assert_eq!(answer.boot.number, 3);
        let signed = answer.signed_bytes("test");
        assert!(ModelVerifier.is_signed_by(&answer.key, &signed, &answer.signature));
        let elsewhere = answer.signed_bytes("other");
        assert!(!ModelVerifier.is_signed_by(&answer.key, &elsewhere, &answer.signature));
    }
}

#[test]
fn one_asker_that_floods_uses_up_its_own_ration_and_nobody_elses() {
    let mut reply = subject(3);
    let flood = (0..1_000).filter(|nonce| {
        let event = Event::Asked { from: host(1), nonce: *nonce };
        answer(&mut reply, at(5_000), event).is_some()
    });
    assert_eq!(flood.count(), SIGNED_PER_ASKER as usize);
    let honest = Event::Asked { from: host(2), nonce: 1 };
    assert!(answer(&mut reply, at(5_000), honest).is_some());
    let later = Event::Asked { from: host(1), nonce: 1 };
    assert!(answer(&mut reply, at(6_000), later).is_some());
}

#[test]
fn all_askers_together_stay_within_the_ration_and_a_known_round_costs_nothing() {
    let mut reply = subject(3);
    let round = Event::LookedAt { from: host(1), anchor: anchor(1) };
    let first = answer(&mut reply, at(5_000), round.clone());
    let signed = (0..=255).flat_map(|asker| (0..16).map(move |nonce| (asker, nonce))).filter(
        |(asker, nonce)| {
            let event = Event::Asked { from: host(*asker), nonce: *nonce };
            answer(&mut reply, at(5_000), event).is_some()
        },
    );
    assert_eq!(signed.count(), SIGNED_IN_ALL as usize - 1);
    assert_eq!(answer(&mut reply, at(5_000), round), first);
}
