//! The bytes of gossip: foca's headers and members among them, so that another foca is seen before it is let in.

use expect_test::expect_file;
use foca::{Header, Member, Message, State};
use proptest::prelude::*;
use vocabulary::{Boot, Grade, HostId, Sequence};

use super::super::identity::Identity;
use super::super::packet::Packet;
use super::bent::bent;
use super::golden::{Page, every};
use crate::health::{CheckKey, Health, HealthRecord};

type Said = Message<Identity>;
type Head = Header<Identity>;
type Update = Member<Identity>;

fn life(host: u8, renewal: u32) -> Identity {
    Identity { host: HostId([host; 16]), boot: Boot { number: 300, nonce: 5 }, renewal }
}

fn head(message: Said) -> Head {
    Header { src: life(1, 2), src_incarnation: 3, dst: life(4, 0), message }
}

fn record() -> HealthRecord {
    HealthRecord {
        host: HostId([1; 16]),
        boot: Boot { number: 300, nonce: 5 },
        sequence: Sequence(9),
        health: Health::new(
            [(CheckKey(258), Grade::Failed), (CheckKey(7), Grade::Degraded)],
            [HostId([6; 16])],
            true,
        ),
    }
}

fn put_gossip(page: &mut Page) {
    let (probe_number, target, origin) = (77, life(6, 1), life(7, 1));
    every!(page, Said {
        Message::Ping(_) => [Message::Ping(probe_number)],
        Message::Ack(_) => [Message::Ack(probe_number)],
        Message::PingReq { .. } => [Message::PingReq { target, probe_number }],
        Message::IndirectPing { .. } => [Message::IndirectPing { origin, probe_number }],
        Message::IndirectAck { .. } => [Message::IndirectAck { target, probe_number }],
        Message::ForwardedAck { .. } => [Message::ForwardedAck { origin, probe_number }],
        Message::Announce => [Message::Announce],
        Message::Feed => [Message::Feed],
        Message::Gossip => [Message::Gossip],
        Message::Broadcast => [Message::Broadcast],
        Message::TurnUndead => [Message::TurnUndead],
    });
    every!(page, State {
        State::Alive => [State::Alive],
        State::Suspect => [State::Suspect],
        State::Down => [State::Down],
    });
    every!(page, Head { Header { .. } => [head(Message::Gossip)] });
    every!(page, Update { _ => [Member::new(life(6, 1), 3, State::Suspect)] });
    every!(page, HealthRecord { HealthRecord { .. } => [record()] });
}

fn page() -> Page {
    let mut page = Page::of(expect_file!["bytes/gossip.txt"]);
    put_gossip(&mut page);
    page
}

#[test]
fn the_bytes_of_gossip_are_those_of_the_page() {
    page().check();
}

#[test]
fn gossip_of_the_first_version_is_laid_and_read_as_then() {
    page().holds(include_str!("bytes/1/gossip.txt"));
}

fn a_packet() -> Vec<u8> {
    let record = record().to_bytes();
    let length = u8::try_from(record.len()).expect("a record is small");
    let update = wire::encode(&Member::new(life(6, 1), 3, State::Down));
    [wire::encode(&head(Message::Feed)), vec![0, 1], update, vec![0, length], record].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_health_record_bent_in_any_way_is_one_within_its_bounds_or_a_named_fault(
        bytes in bent(vec![record().to_bytes()]),
    ) {
        match HealthRecord::from_bytes(&bytes) {
            Ok(read) => prop_assert_eq!(HealthRecord::from_bytes(&read.to_bytes()), Ok(read)),
            Err(why) => prop_assert!(!why.to_string().is_empty()),
        }
    }

    #[test]
    fn a_packet_bent_in_any_way_is_read_whole_or_not_at_all(bytes in bent(vec![a_packet()])) {
        if let Ok(packet) = Packet::parse(&bytes) {
            prop_assert!(packet.without_records().len() <= bytes.len());
        }
    }
}

#[test]
fn a_packet_is_its_header_a_count_its_updates_and_records_behind_their_lengths() {
    let update = Member::new(life(6, 1), 3, State::Down);
    let mut bytes = wire::encode(&head(Message::Gossip));
    bytes.extend([0, 1]);
    bytes.extend(wire::encode(&update));
    let record = record();
    let own = record.to_bytes();
    bytes.extend([0, u8::try_from(own.len()).expect("a record is small")]);
    bytes.extend(own);
    let packet =
        Packet { header: head(Message::Gossip), updates: vec![update], records: vec![record] };
    assert_eq!(Packet::parse(&bytes), Ok(packet));
}
