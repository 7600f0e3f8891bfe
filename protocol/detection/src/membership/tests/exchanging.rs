//! Two members tell each other what gossip has lost.

use expect_test::expect_file;
use foca::Member;
use proptest::prelude::*;
use vocabulary::{Boot, HostId, Moment, Span};

use super::super::digest::{
    Answer, Ask, PARTS, Parts, STATES_MAX, State, Summaries, Summary, within,
};
use super::super::identity::Identity;
use super::super::*;
use super::bent::bent;
use super::golden::{Page, every};
use super::mesh::{Mesh, boot, host};
use super::roster_of;

const NOW: Moment = Moment::from_milliseconds(600_000);

fn state(number: u8) -> State {
    let boot = Boot { number: 300, nonce: 5 };
    State { host: HostId([number; 16]), boot, renewal: 2, incarnation: 3, is_down: number == 9 }
}

fn parts() -> Parts {
    let mut parts = Parts::default();
    [0, 5, 9, 255].into_iter().for_each(|part| parts.insert(part));
    parts
}

fn states() -> Vec<State> {
    vec![state(5), state(9)]
}

#[test]
fn the_bytes_of_an_exchange_are_those_of_the_page() {
    let mut page = Page::of(expect_file!["bytes/exchange.txt"]);
    let page = &mut page;
    every!(page, State { State { .. } => [state(5)] });
    every!(page, Ask {
        Ask::Digest { .. } => [Ask::Digest { members: 300, hash: 77 }],
        Ask::States { .. } => [Ask::States { parts: parts(), own: state(1), states: states() }],
    });
    every!(page, Answer {
        Answer::Same => [Answer::Same],
        Answer::Hashes(_) => [Answer::Hashes(vec![77; 2])],
        Answer::States { .. } => [Answer::States { own: state(1), states: states() }],
        Answer::Refused => [Answer::Refused],
    });
    page.check();
}

#[test]
fn law_sw14_a_failed_probe_that_brings_back_the_other_of_two_machines_makes_the_summary_doubtful() {
    let name = |nonce| Identity::first(host(1), Boot { number: 1, nonce });
    let mut us = Membership::new(Settings::default(), (host(0), boot(1)), 1);
    let members = [(host(1), name(9).boot), (host(2), boot(1))];
    us.acquaint(NOW, &Arc::new(members.into_iter().collect()));
    let pings_it = |effect: &Effect| {
        let Effect::Send { to, bytes } = effect else {
            return false;
        };
        let packet = Packet::parse(bytes).expect("our own packet");
        *to == host(1) && matches!(packet.header.message, foca::Message::Ping(_))
    };
    let mut now = NOW;
    while !next(&mut us, &mut now).iter().any(pings_it) {}
    us.forget(Some(name(9)));
    us.apply([Member::alive(name(1))], false);
    let ask = Ask::Digest { members: 0, hash: 0 }.to_bytes();
    let ask_it = |us: &mut Membership, now, by| us.answer(now, host(by), &ask).0;
    let before = ask_it(&mut us, now, 2);
    let knows = |us: &Membership| us.foca.iter_members().any(|member| *member.id() == name(9));
    while !knows(&us) {
        next(&mut us, &mut now);
    }
    assert_ne!(ask_it(&mut us, now, 3), before, "its name is another one now");
}

/// The next thing that is due.
fn next(us: &mut Membership, now: &mut Moment) -> Vec<Effect> {
    *now = us.next_deadline().expect("it probes").max(*now);
    assert!(now.since(NOW) < Span::minutes(1), "within a few probes");
    us.handle(*now, Event::DeadlineReached)
}

#[test]
fn a_summary_that_is_kept_follows_every_change_of_any_state() {
    let mut kept = Summaries::default();
    let mut states = vec![state(5), state(9), state(200)];
    let own = state(77);
    let all = |states: &[State]| Summary::of(states.iter().copied().chain([own]));
    let changes: [fn(&mut Vec<State>); 6] = [
        |_| {},
        |states| states[1].incarnation += 1,
        |states| states[1].renewal += 1,
        |states| states[0].boot.nonce ^= 1 << 100,
        |states| states[2].is_down = !states[2].is_down,
        |states| states.rotate_left(1),
    ];
    for change in changes {
        change(&mut states);
        kept.doubt();
        assert_eq!(*kept.of(own, || states.iter().copied()), all(&states));
    }
    states.pop();
    kept.doubt();
    assert_eq!(*kept.of(own, || states.iter().copied()), all(&states));
    let renewed = State { renewal: 1, ..own };
    let after = Summary::of(states.iter().copied().chain([renewed]));
    assert_eq!(*kept.of(renewed, || states.iter().copied()), after, "our own is looked at always");
}

#[test]
fn the_hash_over_a_view_is_the_same_on_every_host_and_version() {
    let Ask::Digest { members, hash } = Summary::of([state(5), state(9), state(200)]).ask() else {
        panic!("a digest");
    };
    assert_eq!(Summary::of([state(200), state(5)]).ask(), Ask::Digest { members: 2, hash });
    assert_eq!((members, hash), (2, 13_432_611_039_009_370_630), "pinned");
}

#[test]
fn the_largest_exchange_fits_its_frame() {
    let boot = Boot { number: u64::MAX, nonce: u128::MAX };
    let largest = State {
        host: HostId([255; 16]),
        boot,
        renewal: u32::MAX,
        incarnation: u16::MAX,
        is_down: true,
    };
    let states = vec![largest; STATES_MAX];
    let ask = Ask::States { parts: parts(), own: largest, states: states.clone() }.to_bytes();
    let answer = Answer::States { own: largest, states }.to_bytes();
    for bytes in [&ask, &answer] {
        assert!(bytes.len() + 16 < wire::frame::STREAM_BYTES_MAX, "{} bytes", bytes.len());
    }
    assert!(Ask::from_bytes(&ask).is_ok() && Answer::from_bytes(&answer).is_ok());
    let states = vec![state(1); STATES_MAX + 1];
    let own = state(1);
    let beyond = Ask::States { parts: parts(), own, states: states.clone() }.to_bytes();
    assert!(Ask::from_bytes(&beyond).is_err(), "law SW13");
    assert!(Answer::from_bytes(&Answer::States { own, states }.to_bytes()).is_err());
    assert!(Answer::from_bytes(&Answer::Hashes(vec![0; PARTS - 1]).to_bytes()).is_err());
}

#[test]
fn of_more_states_than_fit_another_part_comes_first_each_time() {
    let all: Vec<State> = (0..=255).map(state).collect();
    let every_part = Summary::of([]).differing(&[1; PARTS]);
    let told = within(&all, &every_part, 200);
    assert_eq!((told[0].part(), told[55].part(), told[56].part()), (200, 255, 0));
    assert_eq!(within(&all, &parts(), 0).len(), 4);
}

#[test]
fn what_a_member_has_missed_it_learns_by_exchange() {
    let mut mesh = Mesh::settled(12, 41);
    for number in [2, 4] {
        let member = mesh.hosts.get_mut(&host(number)).expect("it lives");
        for lost in 6..11 {
            member.forget(Some(Identity::first(host(lost), boot(1))));
        }
        assert!(member.up().len() >= 6);
    }
    mesh.tell(host(2), Event::RosterChanged { roster: roster_of(12) });
    mesh.tell(host(4), Event::RosterChanged { roster: roster_of(12) });
    assert!(!mesh.is_complete());
    mesh.run(Span::seconds(35));
    assert!(mesh.is_complete());
}

#[test]
fn whoever_lacked_a_member_asks_the_next_partner_soon_and_whoever_lacked_none_does_not() {
    let settings = Settings { hosts: 6, ..Settings::default() };
    let mut us = Membership::new(settings, (host(0), boot(1)), 1);
    let partner = HostId([1; 16]);
    let mut asks_soon_after = |minute: u64, brought: Vec<State>| {
        let at = NOW.after(Span::minutes(minute));
        us.port.now = at;
        us.exchange();
        us.exchanges.begin(partner);
        let answer = Answer::States { own: state(1), states: brought }.to_bytes();
        us.handle(at, Event::Exchanged { with: partner, answer: Some(answer) });
        let effects = us.handle(at.after(Span::seconds(5)), Event::DeadlineReached);
        effects.iter().any(|effect| matches!(effect, Effect::Exchange { .. }))
    };
    assert!(asks_soon_after(0, vec![]), "whoever joins asks soon anyhow");
    assert!(!asks_soon_after(1, vec![]), "law SW14");
    assert!(asks_soon_after(2, vec![state(2)]), "one was new");
    assert!(!asks_soon_after(3, vec![state(2)]), "law SW14: none was");
}

#[test]
fn whoever_knows_fewer_than_the_roster_has_asks_soon_as_it_grows() {
    let mut us = Membership::new(Settings::default(), (host(0), boot(1)), 1);
    let (partner, states) = (HostId([1; 16]), Vec::new());
    let differs = Answer::States { own: state(1), states }.to_bytes();
    let mut asks_soon_after = |minute: u64, answer: &[u8], hosts: usize| {
        let at = NOW.after(Span::minutes(minute));
        us.port.now = at;
        us.exchange();
        us.exchanges.begin(partner);
        us.handle(at, Event::Exchanged { with: partner, answer: Some(answer.to_vec()) });
        us.handle(at, Event::RosterChanged { roster: roster_of(hosts) });
        let effects = us.handle(at.after(Span::seconds(5)), Event::DeadlineReached);
        effects.iter().any(|effect| matches!(effect, Effect::Exchange { .. }))
    };
    let same = Answer::Same.to_bytes();
    assert!(asks_soon_after(0, &differs, 2), "whoever joins asks soon anyhow");
    assert!(!asks_soon_after(1, &differs, 2), "law SW14: it knows all two");
    assert!(asks_soon_after(2, &same, 3), "law SW14: the roster has grown beyond whom it knows");
    assert!(!asks_soon_after(3, &same, 3), "law SW14: it has not, and nothing differs");
    assert!(
        !asks_soon_after(4, &differs, 3),
        "law SW14: nor where a partner only says that it does"
    );
    assert!(!asks_soon_after(5, &same, 2), "law SW14: a roster that shrinks tells nothing");
}

#[test]
fn law_sw8_of_what_a_partner_tells_only_strangers_need_room() {
    let mut us = Membership::new(Settings::default(), (host(0), boot(1)), 1);
    let room = us.settings.members_max();
    let mut tell = |count: usize| {
        let known = |number| State { host: host(number), ..state(1) };
        let hosts = u16::try_from(count).expect("a small list");
        let ask = Ask::States {
            parts: parts(),
            own: state(1),
            states: (1_000..1_000 + hosts).map(known).collect(),
        };
        us.answer(NOW, HostId([1; 16]), &ask.to_bytes());
        us.up().len()
    };
    assert_eq!(tell(room - 100), room - 99);
    assert_eq!(tell(room - 1), room, "whom it knows already takes no room");
    assert_eq!(tell(room), room, "law SW8");
}

#[test]
fn a_death_that_gossip_did_not_tell_is_learnt_by_exchange() {
    let mut mesh = Mesh::settled(12, 42);
    mesh.kill(host(5));
    let dead = Identity::first(host(5), boot(1));
    // Two know it and have told it as often as gossip tells; nobody heard.
    for number in [2, 4] {
        let member = mesh.hosts.get_mut(&host(number)).expect("it lives");
        member.apply([Member::down(dead)], false);
        mesh.tell(host(number), Event::RosterChanged { roster: roster_of(12) });
    }
    mesh.run(Span::seconds(20));
    assert!(mesh.view_of(host(5)).len() <= 9, "the first ones know");
}

#[test]
fn members_at_rest_exchange_two_numbers_and_no_more() {
    let mut mesh = Mesh::settled(30, 43);
    mesh.run(Span::minutes(5));
    mesh.streamed = 0;
    mesh.run(Span::minutes(10));
    let each = mesh.streamed / (30 * 600);
    println!("{} bytes in ten minutes by 30 hosts", mesh.streamed);
    assert!(each < 2, "{each} B/s");
}

#[test]
fn an_asker_beyond_its_ration_is_refused_and_others_are_not() {
    let settings = Settings { hosts: 6, ..Settings::default() };
    let mut us = Membership::new(settings, (host(0), boot(1)), 1);
    let ask = Ask::Digest { members: 1, hash: 1 }.to_bytes();
    let mut is_refused = |from: u16| {
        let (answer, effects) = us.answer(NOW, host(from), &ask);
        assert_eq!(effects, []);
        Answer::from_bytes(&answer) == Ok(Answer::Refused)
    };
    let refused = (0..100).filter(|_| is_refused(1)).count();
    assert_eq!(refused, 94, "law SW14");
    assert!(!is_refused(2));
}

#[test]
fn whoever_exchanges_in_anothers_name_is_not_heard() {
    let settings = Settings { hosts: 6, ..Settings::default() };
    let mut us = Membership::new(settings, (host(0), boot(1)), 1);
    let ask = Ask::States { parts: parts(), own: state(3), states: states() }.to_bytes();
    us.answer(NOW, HostId([4; 16]), &ask);
    assert!(us.up().is_empty());
    us.answer(NOW, HostId([3; 16]), &ask);
    assert_eq!(us.up().len(), 2, "itself and the one that it knows alive");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_exchange_bent_in_any_way_is_answered_and_breaks_nothing(
        bytes in bent(vec![
            Ask::Digest { members: 3, hash: 7 }.to_bytes(),
            Ask::States { parts: parts(), own: state(1), states: states() }.to_bytes(),
            Answer::States { own: state(1), states: states() }.to_bytes(),
            Answer::Hashes(vec![7; PARTS]).to_bytes(),
        ]),
    ) {
        let settings = Settings { hosts: 6, ..Settings::default() };
        let mut us = Membership::new(settings, (host(0), boot(1)), 1);
        let (answer, _) = us.answer(NOW, HostId([1; 16]), &bytes);
        prop_assert!(Answer::from_bytes(&answer).is_ok());
        us.exchanges.begin(host(1));
        us.handle(NOW, Event::Exchanged { with: host(1), answer: Some(bytes) });
        prop_assert!(us.up().len() <= 4);
        prop_assert_eq!(us.foca.num_members(), us.up().len());
    }
}
