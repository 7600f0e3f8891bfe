//! One member alone with what comes over the wire, most of it such as no honest peer sends.

use foca::{Header, Member, Message, State};
use proptest::prelude::*;
use vocabulary::{Boot, HostId, Moment, Sequence, Span};

use super::super::identity::Identity;
use super::super::packet::Packet;
use super::super::*;
use super::mesh::{boot, host};
use super::unwell;

const US: u16 = 0;
const PEER: u16 = 1;
const OTHER: u16 = 2;

fn life(number: u16) -> Identity {
    Identity::first(host(number), boot(1))
}

fn packet(from: u16, message: Message<Identity>, updates: &[Member<Identity>]) -> Vec<u8> {
    let mut bytes =
        wire::encode(&Header { src: life(from), src_incarnation: 0, dst: life(US), message });
    if !updates.is_empty() {
        bytes.extend_from_slice(&(updates.len() as u16).to_be_bytes());
        for update in updates {
            bytes.extend_from_slice(&wire::encode(update));
        }
    }
    bytes
}

fn with_record(mut bytes: Vec<u8>, record: &[u8]) -> Vec<u8> {
    bytes.extend_from_slice(&(record.len() as u16).to_be_bytes());
    bytes.extend_from_slice(record);
    bytes
}

fn record(number: u16, sequence: u64) -> HealthRecord {
    HealthRecord {
        host: host(number),
        boot: boot(1),
        sequence: Sequence(sequence),
        health: unwell(),
    }
}

/// A member that knows one peer.
fn member() -> Membership {
    let settings = Settings { hosts: 6, ..Settings::default() };
    let mut us = Membership::new(settings, (host(US), boot(1)), 1);
    hand(&mut us, PEER, packet(PEER, Message::Gossip, &[]));
    assert_eq!(us.up().len(), 1);
    us
}

fn hand(us: &mut Membership, from: u16, bytes: Vec<u8>) -> Vec<Effect> {
    let from = host(from);
    us.handle(NOW, Event::DatagramArrived { from, bytes })
}

const NOW: Moment = Moment::from_milliseconds(600_000);

fn drops(us: &Membership) -> Vec<(Dropped, u64)> {
    us.dropped().iter().map(|(why, count)| (*why, *count)).collect()
}

#[test]
fn a_forged_source_is_dropped_and_counted() {
    let mut us = member();
    let forged = packet(OTHER, Message::Gossip, &[Member::down(life(PEER))]);
    assert_eq!(hand(&mut us, PEER, forged), []);
    assert_eq!(drops(&us), [(Dropped::ForgedSource, 1)]);
    let in_our_own_name = packet(US, Message::Gossip, &[]);
    assert_eq!(hand(&mut us, US, in_our_own_name), []);
    assert_eq!(drops(&us), [(Dropped::ForgedSource, 2)]);
    assert_eq!(us.up().len(), 1);
}

#[test]
fn nothing_of_a_packet_with_a_broken_end_is_taken_in() {
    let updates = [Member::alive(life(OTHER)), Member::down(life(PEER))];
    let sound = packet(PEER, Message::Gossip, &updates);
    let unknown_grade = wire::encode(&(host(3), boot(1), 1_u64, vec![(1_u32, 77_u8)]));
    let broken = [
        [sound.clone(), vec![0]].concat(),
        [sound.clone(), vec![0, 9, 1]].concat(),
        with_record(sound.clone(), &[]),
        with_record(sound.clone(), &unknown_grade),
        with_record(sound.clone(), &[0; 201]),
        sound[..sound.len() - 1].to_vec(),
    ];
    for (at, bytes) in broken.into_iter().enumerate() {
        let mut us = member();
        assert_eq!(hand(&mut us, PEER, bytes), [], "packet {at}");
        assert_eq!(drops(&us), [(Dropped::Malformed, 1)], "packet {at}");
        assert_eq!(us.up().keys().collect::<Vec<_>>(), [&host(PEER)]);
    }
    let mut us = member();
    hand(&mut us, PEER, vec![0; PACKET_BYTES_MAX + 1]);
    assert_eq!(drops(&us), [(Dropped::TooLarge, 1)]);
    hand(&mut us, PEER, sound);
    assert!(us.up().contains_key(&host(OTHER)), "whole, it is believed");
}

#[test]
fn nobody_else_says_under_which_boot_or_renewal_we_live() {
    let ours = life(US);
    let lies = [
        Identity { boot: boot(9), ..ours },
        Identity { renewal: 5, ..ours },
        Identity { boot: boot(0), ..ours },
    ];
    for lie in lies {
        for state in [State::Alive, State::Suspect, State::Down] {
            let mut us = member();
            let gossip = packet(PEER, Message::Gossip, &[Member::new(lie, 0, state)]);
            assert_eq!(hand(&mut us, PEER, gossip), []);
            assert_eq!(drops(&us), [(Dropped::AboutUs, 1)]);
        }
    }
}

#[test]
fn being_called_down_by_two_makes_us_renew_but_only_so_often() {
    let mut us = member();
    let mut renewed = Vec::new();
    for at in 0..600 {
        let from = if at % 2 == 0 { PEER } else { OTHER };
        let bytes = undead(from, renewed.last().copied().unwrap_or(0));
        let now = NOW.after(Span::milliseconds(100 * at));
        for effect in us.handle(now, Event::DatagramArrived { from: host(from), bytes }) {
            if let Effect::Renewed { renewal } = effect {
                renewed.push(renewal);
            }
        }
    }
    assert_eq!(renewed, [1, 2, 3], "in a minute");
    assert_eq!(us.dropped()[&Dropped::RenewalHeldBack], 593);
}

#[test]
fn being_called_down_by_one_alone_however_often_makes_us_do_nothing() {
    let mut us = member();
    for _ in 0..600 {
        let down = packet(PEER, Message::Gossip, &[Member::down(life(US))]);
        let effects = [hand(&mut us, PEER, undead(PEER, 0)), hand(&mut us, PEER, down)].concat();
        assert_eq!(effects, [], "law SW11");
    }
    assert_eq!(us.dropped()[&Dropped::Uncorroborated], 1_200);
    assert_eq!(us.up().len(), 1, "but its sender lives");
}

fn undead(from: u16, renewal: u32) -> Vec<u8> {
    let dst = Identity { renewal, ..life(US) };
    wire::encode(&Header { src: life(from), src_incarnation: 0, dst, message: Message::TurnUndead })
}

#[test]
fn a_suspicion_at_an_incarnation_that_we_never_had_is_a_lie_and_costs_nothing() {
    let mut us = member();
    let last = Member::new(life(US), u16::MAX, State::Suspect);
    assert_eq!(hand(&mut us, PEER, packet(PEER, Message::Gossip, &[last.clone(), last])), []);
    assert_eq!(drops(&us), [(Dropped::AboutUs, 2)]);
}

#[test]
fn a_suspicion_is_refuted_but_only_so_often() {
    let mut us = member();
    for incarnation in 0..100 {
        let suspect = Member::new(life(US), incarnation, State::Suspect);
        hand(&mut us, PEER, packet(PEER, Message::Gossip, &[suspect]));
    }
    assert_eq!(us.port.incarnation, 3);
    assert_eq!(us.dropped()[&Dropped::RenewalHeldBack], 1);
}

#[test]
fn nobody_has_us_probe_ourselves() {
    let mut us = member();
    let probe_number = 1;
    let circular = [
        Message::PingReq { target: life(US), probe_number },
        Message::IndirectPing { origin: life(US), probe_number },
        Message::IndirectAck { target: life(US), probe_number },
        Message::ForwardedAck { origin: life(US), probe_number },
    ];
    for message in circular {
        assert_eq!(hand(&mut us, PEER, packet(PEER, message, &[])), []);
    }
    assert_eq!(drops(&us), [(Dropped::Circular, 4)]);
}

#[test]
fn invented_hosts_fill_a_bounded_room_and_keep_no_real_one_out() {
    let mut us = member();
    for batch in 0..200_u16 {
        let invented = (0..20).map(|at| Member::alive(life(1_000 + batch * 20 + at)));
        let updates: Vec<_> = invented.collect();
        hand(&mut us, PEER, packet(PEER, Message::Gossip, &updates));
    }
    let bound = 2 * 6 + 1_024;
    assert!((bound..bound + 20).contains(&us.up().len()), "{}", us.up().len());
    assert!(us.dropped()[&Dropped::Stranger] > 2_000);
    hand(&mut us, OTHER, packet(OTHER, Message::Gossip, &[]));
    assert!(us.up().contains_key(&host(OTHER)));
}

#[test]
fn a_health_record_is_news_once() {
    let mut us = member();
    let gossip = |sequence| {
        let bytes = packet(PEER, Message::Broadcast, &[]);
        with_record(bytes, &record(PEER, sequence).to_bytes())
    };
    let heard = |effects: Vec<Effect>| {
        let heard =
            effects.into_iter().filter(|effect| matches!(effect, Effect::HealthHeard { .. }));
        heard.count()
    };
    assert_eq!(heard(hand(&mut us, PEER, gossip(5))), 1);
    assert_eq!(heard(hand(&mut us, PEER, gossip(5))), 0);
    assert_eq!(heard(hand(&mut us, PEER, gossip(4))), 0);
    assert_eq!(heard(hand(&mut us, PEER, gossip(6))), 1);
    let flood = (7..100).map(|sequence| heard(hand(&mut us, PEER, gossip(sequence))));
    assert_eq!(flood.sum::<usize>(), 4, "six at once, no more");
    assert_eq!(us.dropped()[&Dropped::HealthOverRate], 89);
}

#[test]
fn a_health_record_is_not_starved_by_a_flood_of_membership_updates() {
    let mut us = member();
    for batch in 0..20_u16 {
        let newcomers = (0..20).map(|at| Member::alive(life(100 + batch * 20 + at)));
        let updates: Vec<_> = newcomers.collect();
        hand(&mut us, PEER, packet(PEER, Message::Gossip, &updates));
    }
    us.handle(NOW, Event::HealthChanged { health: unwell() });
    let (mut with_record, mut full_of_updates) = (0, 0);
    for at in 0..10 {
        let now = NOW.after(Span::milliseconds(200 * at));
        for sent in sent_by(us.handle(now, Event::DeadlineReached)) {
            with_record += usize::from(!sent.records.is_empty());
            full_of_updates += usize::from(sent.updates.len() > 20);
        }
    }
    assert_eq!(with_record, 12, "twice for each host of a mesh of 6");
    assert!(full_of_updates > 20, "while updates fill every packet they may");
}

#[test]
fn law_sw21_records_alone_are_told_within_a_budget_and_who_joins_meanwhile_at_once() {
    // No probe is due while this lasts.
    let probe_every = Span::minutes(1);
    let settings = Settings { hosts: 128, probe_every, ..Settings::default() };
    let mut us = Membership::new(settings, (host(US), boot(1)), 1);
    for peer in 1..=100 {
        hand(&mut us, peer, packet(peer, Message::Gossip, &[]));
    }
    let run = |us: &mut Membership, from: u64, to: u64| {
        let (mut bytes_sent, mut told) = (0, 0);
        for tenth in from * 10..to * 10 {
            let now = NOW.after(Span::milliseconds(100).times(tenth));
            for effect in us.handle(now, Event::DeadlineReached) {
                let Effect::Send { bytes, .. } = effect else {
                    continue;
                };
                let packet = Packet::parse(&bytes).expect("our own packet");
                let is_news = |update: &Member<Identity>| update.id().host == host(200);
                told += usize::from(packet.updates.iter().any(is_news));
                bytes_sent += bytes.len() + 62;
            }
        }
        (bytes_sent, told)
    };
    run(&mut us, 0, 8);
    let now = NOW.after(Span::seconds(8));
    for peer in 1..=100 {
        let bytes = packet(peer, Message::Broadcast, &[]);
        let bytes = with_record(bytes, &record(peer, 1).to_bytes());
        us.handle(now, Event::DatagramArrived { from: host(peer), bytes });
    }
    let (bytes, _) = run(&mut us, 8, 18);
    assert!((10_000..8_000 + 10 * 1_000).contains(&bytes), "law SW21: {bytes} bytes in 10 s");
    let now = NOW.after(Span::seconds(18));
    let bytes = packet(200, Message::Gossip, &[]);
    us.handle(now, Event::DatagramArrived { from: host(200), bytes });
    let (_, told) = run(&mut us, 18, 20);
    assert!(told >= 16, "law SW21: who joined is told of {told} times within 2 s");
}

#[test]
fn whoever_renews_goes_on_probing_without_being_spoken_to() {
    let mut us = member();
    hand(&mut us, PEER, undead(PEER, 0));
    hand(&mut us, OTHER, undead(OTHER, 0));
    let mut probes = Vec::new();
    for at in 1..20 {
        let now = NOW.after(Span::seconds(at));
        let sent = sent_by(us.handle(now, Event::DeadlineReached));
        probes.extend(sent.into_iter().filter_map(|sent| match sent.header.message {
            Message::Ping(_) => Some(sent.header.src.renewal),
            _ => None,
        }));
    }
    assert_eq!(probes, [1, 1, 1]);
}

fn sent_by(effects: Vec<Effect>) -> Vec<Packet> {
    let packets = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send { bytes, .. } => Some(Packet::parse(&bytes).expect("our own packet")),
        _ => None,
    });
    packets.collect()
}

fn any_life() -> impl Strategy<Value = Identity> {
    (0..6_u16, 0..3_u64, 0..3_u32).prop_map(|(number, life, renewal)| Identity {
        host: host(number),
        boot: boot(life),
        renewal,
    })
}

fn any_message() -> impl Strategy<Value = Message<Identity>> {
    (0..11_u8, any_life(), any::<u8>()).prop_map(|(kind, other, probe_number)| match kind {
        0 => Message::Ping(probe_number),
        1 => Message::Ack(probe_number),
        2 => Message::PingReq { target: other, probe_number },
        3 => Message::IndirectPing { origin: other, probe_number },
        4 => Message::IndirectAck { target: other, probe_number },
        5 => Message::ForwardedAck { origin: other, probe_number },
        6 => Message::Announce,
        7 => Message::Feed,
        8 => Message::Gossip,
        9 => Message::Broadcast,
        _ => Message::TurnUndead,
    })
}

fn any_update() -> impl Strategy<Value = Member<Identity>> {
    let state = prop_oneof![Just(State::Alive), Just(State::Suspect), Just(State::Down)];
    let incarnation = prop_oneof![0..3_u16, Just(u16::MAX)];
    (any_life(), incarnation, state)
        .prop_map(|(id, incarnation, state)| Member::new(id, incarnation, state))
}

/// A sound packet from anybody about anything, then cut, lengthened or bent.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let header = (any_life(), any_life(), any::<u16>(), any_message());
    let updates = prop::collection::vec(any_update(), 0..6);
    let tail = prop::collection::vec(any::<u8>(), 0..4);
    (header, updates, tail, any::<prop::sample::Index>(), 0..8_u8).prop_map(
        |((src, dst, src_incarnation, message), updates, tail, place, bend)| {
            let mut bytes = wire::encode(&Header { src, src_incarnation, dst, message });
            bytes.extend_from_slice(&(updates.len() as u16).to_be_bytes());
            for update in &updates {
                bytes.extend_from_slice(&wire::encode(update));
            }
            match bend {
                0 => bytes.truncate(place.index(bytes.len())),
                1 => bytes.extend_from_slice(&tail),
                2 => {
                    let at = place.index(bytes.len());
                    bytes[at] ^= 0x40;
                }
                _ => {}
            }
            bytes
        },
    )
}

fn up_of(us: &Membership) -> Vec<(HostId, Boot)> {
    us.up().iter().map(|(host, boot)| (*host, *boot)).collect()
}

proptest! {
    #[test]
    fn any_bytes_are_counted_or_believed_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..1_400)) {
        let mut us = member();
        let before = up_of(&us);
        let effects = hand(&mut us, PEER, bytes);
        prop_assert_eq!(us.dropped().values().sum::<u64>(), 1);
        prop_assert_eq!(effects, []);
        prop_assert_eq!(up_of(&us), before);
    }

    #[test]
    fn any_packets_in_any_order_break_nothing(
        packets in prop::collection::vec((0..6_u16, any_packet(), 0..20_000_u64), 1..40),
    ) {
        let mut us = member();
        let mut now = NOW;
        for (from, bytes, pause_ms) in packets {
            let mut effects = us.handle(now, Event::DatagramArrived { from: host(from), bytes });
            now = now.after(Span::milliseconds(pause_ms));
            while us.next_deadline().is_some_and(|deadline| deadline <= now) {
                effects.extend(us.handle(now, Event::DeadlineReached));
            }
            for effect in effects {
                if let Effect::Send { to, bytes } = effect {
                    prop_assert_ne!(to, host(US));
                    prop_assert!(bytes.len() <= PACKET_BYTES_MAX);
                }
            }
            prop_assert!(!us.up().contains_key(&host(US)));
            prop_assert!(us.port.timers.len() <= 10 + 2 * 6);
            prop_assert_eq!(us.foca.num_members(), us.up().len());
        }
        prop_assert_eq!(us.foca.identity().boot, boot(1));
        prop_assert!(us.foca.identity().renewal <= 3 + 14);
    }
}
