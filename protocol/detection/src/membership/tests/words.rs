//! What one sender says of another member: held, until a second one or our own look agrees.

use foca::{Header, Member, Message};
use vocabulary::{HostId, Moment, Span};

use super::super::identity::Identity;
use super::super::packet::Packet;
use super::super::*;
use super::mesh::{boot, host};

const US: u16 = 0;
const SUBJECT: u16 = 1;
const START: Moment = Moment::from_milliseconds(600_000);

fn life(number: u16) -> Identity {
    Identity::first(host(number), boot(1))
}

fn up(number: u16) -> Effect {
    Effect::Up { host: host(number), boot: boot(1) }
}

fn down(number: u16) -> Effect {
    Effect::Down { host: host(number), boot: boot(1) }
}

fn says(us: &mut Membership, from: Identity, updates: &[Member<Identity>]) -> Vec<Effect> {
    speaks(us, (from, 0, Message::Gossip), updates)
}

fn speaks(
    us: &mut Membership,
    (src, src_incarnation, message): (Identity, u16, Message<Identity>),
    updates: &[Member<Identity>],
) -> Vec<Effect> {
    let dst = life(US);
    let mut bytes = wire::encode(&Header { src, src_incarnation, dst, message });
    if !updates.is_empty() {
        bytes.extend((updates.len() as u16).to_be_bytes());
        updates.iter().for_each(|update| bytes.extend(wire::encode(update)));
    }
    let now = us.port.now.max(START);
    told(us.handle(now, Event::DatagramArrived { from: src.host, bytes }))
}

/// What is sent to this host in answer to such a packet.
fn answers(us: &mut Membership, message: Message<Identity>, to: u16) -> Vec<Message<Identity>> {
    let header = Header { src: life(to), src_incarnation: 0, dst: life(US), message };
    let now = us.port.now.max(START);
    let event = Event::DatagramArrived { from: host(to), bytes: wire::encode(&header) };
    let sent = us.handle(now, event).into_iter().filter_map(|effect| match effect {
        Effect::Send { to: whom, bytes } if whom == host(to) => Packet::parse(&bytes).ok(),
        _ => None,
    });
    sent.map(|packet| packet.header.message).collect()
}

fn told(effects: Vec<Effect>) -> Vec<Effect> {
    effects.into_iter().filter(|effect| !matches!(effect, Effect::Send { .. })).collect()
}

/// A member that has heard five others speak.
fn member() -> Membership {
    member_among(6)
}

/// A member that has heard all others of so many speak.
fn member_among(hosts: u16) -> Membership {
    let settings = Settings { hosts: usize::from(hosts), ..Settings::default() };
    let mut us = Membership::new(settings, (host(US), boot(1)), 1);
    for number in 1..hosts {
        says(&mut us, life(number), &[]);
    }
    assert_eq!(us.up().len(), usize::from(hosts) - 1);
    us
}

/// Lets time pass; gives what is wanted beside packets.
fn wait(us: &mut Membership, span: Span) -> Vec<Effect> {
    let end = us.port.now.after(span);
    let mut effects = Vec::new();
    while let Some(next) = us.next_deadline().filter(|next| *next <= end) {
        effects.extend(told(us.handle(next.max(us.port.now), Event::DeadlineReached)));
    }
    us.port.now = end;
    effects
}

fn looks(effects: &[Effect]) -> Vec<HostId> {
    let looks = effects.iter().filter_map(|effect| match effect {
        Effect::Look { host } => Some(*host),
        _ => None,
    });
    looks.collect()
}

fn looked(us: &mut Membership, number: u16, end: LookEnd) -> Vec<Effect> {
    let now = us.port.now;
    told(us.handle(now, Event::Looked { host: host(number), end }))
}

/// Two that call each other down, where neither's demand is heeded, would answer demand with demand for ever.
#[test]
fn a_demand_that_is_not_heeded_is_not_answered_with_a_demand() {
    let mut us = member();
    let death = [Member::down(life(SUBJECT))];
    says(&mut us, life(2), &death);
    assert_eq!(says(&mut us, life(3), &death), [down(SUBJECT)]);
    assert_eq!(answers(&mut us, Message::TurnUndead, SUBJECT), []);
    let told = answers(&mut us, Message::Gossip, SUBJECT);
    assert_eq!(told, [Message::TurnUndead], "it learns what is thought of it all the same");
}

#[test]
fn a_death_stands_when_a_second_sender_tells_of_it_and_not_before() {
    let mut us = member();
    let death = [Member::down(life(SUBJECT))];
    for _ in 0..20 {
        assert_eq!(says(&mut us, life(2), &death), [], "law SW11");
    }
    assert_eq!(says(&mut us, life(3), &death), [down(SUBJECT)]);
}

#[test]
fn a_word_of_five_minutes_ago_is_nobodys_second() {
    let mut us = member();
    let death = [Member::down(life(SUBJECT))];
    assert_eq!(says(&mut us, life(2), &death), []);
    us.port.now = us.port.now.after(Span::minutes(5));
    assert_eq!(says(&mut us, life(3), &death), []);
}

#[test]
fn whom_our_own_observer_doubts_is_down_on_the_first_word() {
    let mut us = member();
    us.handle(START, Event::DoubtsChanged { doubted: [host(SUBJECT)].into() });
    assert_eq!(says(&mut us, life(2), &[Member::down(life(SUBJECT))]), [down(SUBJECT)]);
}

#[test]
fn our_own_look_settles_the_word_of_one() {
    for (end, outcome) in [
        (LookEnd::Silent, vec![down(SUBJECT)]),
        (LookEnd::Answered(boot(1)), vec![]),
        (LookEnd::Unable, vec![]),
    ] {
        let mut us = member();
        says(&mut us, life(2), &[Member::down(life(SUBJECT))]);
        let wanted = wait(&mut us, Span::seconds(10));
        assert_eq!(looks(&wanted), [host(SUBJECT)]);
        says(&mut us, life(4), &[]);
        assert_eq!(looked(&mut us, SUBJECT, end), outcome, "{end:?}");
        let second = says(&mut us, life(3), &[Member::down(life(SUBJECT))]);
        let is_open = end == LookEnd::Unable;
        assert_eq!(second, if is_open { vec![down(SUBJECT)] } else { vec![] }, "{end:?}");
    }
}

#[test]
fn law_sw23_to_whom_all_are_silent_calls_nobody_down_for_one_of_them_and_looks_again() {
    let mut us = member();
    says(&mut us, life(2), &[Member::down(life(SUBJECT))]);
    assert_eq!(looks(&wait(&mut us, Span::seconds(10))), [host(SUBJECT)]);
    assert_eq!(looked(&mut us, SUBJECT, LookEnd::Silent), [], "so are all the others");
    assert_eq!(looks(&wait(&mut us, Span::seconds(10))), [host(SUBJECT)]);
    says(&mut us, life(4), &[]);
    assert_eq!(looked(&mut us, SUBJECT, LookEnd::Silent), [down(SUBJECT)], "the others are not");
}

#[test]
fn law_sw23_whom_foca_suspects_is_looked_at_again_where_all_were_silent_meanwhile() {
    let mut us = member();
    let suspected = |us: &mut Membership| loop {
        let others: Vec<u16> = (1..6).collect();
        others.iter().for_each(|number| drop(says(us, life(*number), &[])));
        if let Some(found) = looks(&wait(us, Span::seconds(3))).first() {
            return others.into_iter().find(|number| host(*number) == *found).expect("a member");
        }
    };
    let subject = suspected(&mut us);
    wait(&mut us, Span::seconds(2));
    assert_eq!(looked(&mut us, subject, LookEnd::Silent), [], "all were silent for five seconds");
    let other = if subject == 4 { 5 } else { 4 };
    wait(&mut us, Span::seconds(3));
    says(&mut us, life(other), &[]);
    assert!(
        looks(&wait(&mut us, Span::seconds(2))).contains(&host(subject)),
        "it is looked at again"
    );
    says(&mut us, life(other), &[]);
    assert_eq!(looked(&mut us, subject, LookEnd::Silent), [down(subject)]);
}

#[test]
fn a_liar_takes_no_place_from_two_that_are_honest() {
    let mut us = member();
    let lie = |renewal| [Member::alive(Identity { renewal, ..life(SUBJECT) })];
    let death = [Member::down(life(SUBJECT))];
    for renewal in 1..100 {
        assert_eq!(says(&mut us, life(2), &lie(renewal)), []);
    }
    assert_eq!(says(&mut us, life(3), &death), []);
    for renewal in 100..200 {
        assert_eq!(says(&mut us, life(2), &lie(renewal)), []);
    }
    assert_eq!(us.sieve.hearsay.len(), 2, "one place for each sender");
    assert_eq!(says(&mut us, life(4), &death), [down(SUBJECT)]);
}

#[test]
fn a_name_that_one_sender_invents_is_held_and_two_make_it_known() {
    let mut us = member();
    let newer = Identity { boot: boot(2), ..life(SUBJECT) };
    let newest = Identity { boot: boot(9), ..life(SUBJECT) };
    assert_eq!(says(&mut us, life(2), &[Member::alive(newest)]), []);
    let effects = says(&mut us, life(3), &[Member::alive(newer)]);
    let renamed = Effect::Up { host: host(SUBJECT), boot: boot(2) };
    assert_eq!(effects, [renamed], "what both say: it has come at least so far");
}

#[test]
fn a_hosts_own_word_stands_against_any_name_that_others_gave_it() {
    let mut us = member();
    let invented = Identity { boot: boot(999), renewal: u32::MAX, ..life(9) };
    says(&mut us, life(2), &[Member::alive(invented)]);
    assert_eq!(us.up()[&host(9)], boot(999), "of a stranger any name will do");
    assert_eq!(says(&mut us, life(9), &[]), [up(9)], "law SW5");
    assert_eq!(says(&mut us, life(2), &[Member::alive(invented)]), [], "and now it is none");
    assert_eq!(us.up()[&host(9)], boot(1));
}

#[test]
fn a_host_that_changes_its_name_faster_than_it_may_is_not_heard() {
    let mut us = member();
    for renewal in 0..100 {
        says(&mut us, Identity { renewal, ..life(SUBJECT) }, &[]);
    }
    assert_eq!(us.dropped()[&Dropped::ChangesOverRate], 91, "law SW7: eight at once");
}

#[test]
fn what_we_alone_have_found_is_taken_back_by_an_answer_and_asks_for_no_renewal() {
    let mut us = member();
    let mut found = None;
    while found.is_none() {
        found = looks(&wait(&mut us, Span::seconds(5))).first().copied();
    }
    let subject = (1..6).find(|number| Some(host(*number)) == found).expect("one of the five");
    assert_eq!(looked(&mut us, subject, LookEnd::Silent), [down(subject)]);
    let now = us.port.now;
    let bytes = |message| {
        let (src, dst) = (life(subject), life(US));
        wire::encode(&Header { src, src_incarnation: 0, dst, message })
    };
    let from = host(subject);
    let gossip = bytes(Message::Gossip);
    let effects = us.handle(now, Event::DatagramArrived { from, bytes: gossip });
    assert_eq!(effects, [], "it speaks, but may not hear; nor is it told to renew");
    let feed = bytes(Message::Feed);
    let effects = told(us.handle(now, Event::DatagramArrived { from, bytes: feed }));
    assert_eq!(effects, [up(subject)]);
}

#[test]
fn law_sw16_whom_we_hold_for_down_is_looked_at_once_it_speaks_and_an_answer_of_that_life_takes_it_back()
 {
    let death = [Member::down(life(SUBJECT))];
    for (end, is_taken_back) in [
        (LookEnd::Answered(boot(1)), true),
        (LookEnd::Answered(boot(2)), false),
        (LookEnd::Silent, false),
        (LookEnd::Unable, false),
    ] {
        let mut us = member();
        says(&mut us, life(2), &death);
        assert_eq!(says(&mut us, life(3), &death), [down(SUBJECT)]);
        // The first word was to be looked into before the second came.
        wait(&mut us, Span::seconds(10));
        looked(&mut us, SUBJECT, LookEnd::Silent);
        let silent = looks(&wait(&mut us, Span::minutes(1)));
        assert!(!silent.contains(&host(SUBJECT)), "the dead cost no look");
        says(&mut us, life(SUBJECT), &[]);
        let soon = looks(&wait(&mut us, Span::seconds(29)));
        assert!(!soon.contains(&host(SUBJECT)), "a renewal comes first");
        let later = looks(&wait(&mut us, Span::seconds(11)));
        assert!(later.contains(&host(SUBJECT)));
        let told = looked(&mut us, SUBJECT, end);
        assert_eq!(told, if is_taken_back { vec![up(SUBJECT)] } else { vec![] }, "{end:?}");
    }
}

/// Else one liar would switch law SW16 off: each look would be at what it says, and none at what we hold.
#[test]
fn an_answered_look_takes_back_what_we_hold_whatever_it_was_begun_for() {
    let mut us = member();
    let death = [Member::down(life(SUBJECT))];
    says(&mut us, life(2), &death);
    assert_eq!(says(&mut us, life(3), &death), [down(SUBJECT)]);
    let higher = Identity { renewal: 1, ..life(SUBJECT) };
    for _ in 0..20 {
        says(&mut us, life(SUBJECT), &[]);
        says(&mut us, life(4), &[Member::down(higher)]);
        if looks(&wait(&mut us, Span::seconds(3))).contains(&host(SUBJECT)) {
            assert_eq!(looked(&mut us, SUBJECT, LookEnd::Answered(boot(1))), [up(SUBJECT)]);
            return;
        }
    }
    panic!("law SW16: it speaks, and nobody looks");
}

#[test]
fn a_liar_that_accuses_everybody_delays_no_look_at_whom_we_hold_for_down_and_who_speaks() {
    let mut us = member_among(120);
    let death = [Member::down(life(SUBJECT))];
    says(&mut us, life(2), &death);
    assert_eq!(says(&mut us, life(3), &death), [down(SUBJECT)]);
    wait(&mut us, Span::seconds(10));
    looked(&mut us, SUBJECT, LookEnd::Silent);
    let everybody: Vec<_> = (5..120).map(|number| Member::down(life(number))).collect();
    let mut seen = false;
    for _ in 0..15 {
        for some in everybody.chunks(20) {
            says(&mut us, life(4), some);
        }
        says(&mut us, life(SUBJECT), &[]);
        for look in looks(&wait(&mut us, Span::seconds(3))) {
            seen |= look == host(SUBJECT);
            let now = us.port.now;
            us.handle(now, Event::Looked { host: look, end: LookEnd::Answered(boot(1)) });
        }
    }
    assert!(seen, "law SW16: within 40 s");
    assert!(us.up().contains_key(&host(SUBJECT)));
}

#[test]
fn gossip_goes_where_a_connection_stands() {
    let mut us = member();
    for number in [2, 4] {
        us.handle(START, Event::Linked { host: host(number) });
    }
    us.handle(START, Event::Unlinked { host: host(4) });
    let mut to_linked = 0;
    for round in 1..5 {
        let now = START.after(Span::milliseconds(200 * round));
        let sent = us.handle(now, Event::DeadlineReached);
        for effect in &sent {
            if let Effect::Send { to, bytes } = effect {
                let packet = packet::Packet::parse(bytes).expect("our own packet");
                assert_eq!(packet.header.dst.host, *to, "it is addressed to whom it goes");
                to_linked += usize::from(*to == host(2));
            }
        }
    }
    assert!(to_linked >= 4, "one of the three in each round, {to_linked}");
}
