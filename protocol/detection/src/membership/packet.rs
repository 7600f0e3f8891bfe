//! foca's packets in our own bytes, read whole before foca sees any of them.
//!
//! Law SW2: a packet is a value or a fault; a fault anywhere in it leaves no trace (foca alone would apply the first half of
//! a packet whose second half is broken).
//! Layout: header; then, unless the message is `Broadcast`, a big-endian count and that many updates; then health records,
//! each behind its big-endian length.

use std::collections::BTreeSet;

use bytes::{Buf, BufMut};
use foca::{BroadcastHandler, Codec, Header, Invalidates, Member, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vocabulary::HostId;

use super::identity::Identity;
use crate::health::HealthRecord;

/// What `wire` puts around a packet: two bytes of version, the variant, three bytes of length.
const FRAME_BYTES: usize = 6;

/// Largest packet, so that its frame is within protocol 4's 1,150 bytes.
pub const PACKET_BYTES_MAX: usize = wire::DATAGRAM_BYTES_MAX - FRAME_BYTES;

/// One packet, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub header: Header<Identity>,
    pub updates: Vec<Member<Identity>>,
    pub records: Vec<HealthRecord>,
}

/// Why bytes are no packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PacketFault {
    TooLarge,
    Malformed,
}

/// The bytes of headers and members.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketCodec;

/// What foca is told of health records: whose each one is. Which are news is decided before (see `records`).
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordKeys;

/// Whose record it is; a newer one takes its place in the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordKey(HostId);

impl Packet {
    /// Reads all of the bytes, or none.
    pub fn parse(bytes: &[u8]) -> Result<Self, PacketFault> {
        if bytes.len() > PACKET_BYTES_MAX {
            return Err(PacketFault::TooLarge);
        }
        let mut rest = bytes;
        let header: Header<Identity> = take(&mut rest)?;
        let mut packet = Self { header, updates: Vec::new(), records: Vec::new() };
        match packet.header.message {
            Message::Announce | Message::TurnUndead => {}
            Message::Broadcast => packet.records = take_records(&mut rest)?,
            _ if rest.is_empty() => {}
            _ => {
                for _ in 0..take_length(&mut rest)? {
                    packet.updates.push(take(&mut rest)?);
                }
                packet.records = take_records(&mut rest)?;
            }
        }
        if rest.is_empty() { Ok(packet) } else { Err(PacketFault::Malformed) }
    }

    /// Of whom it speaks: its source, and whoever its updates are about.
    pub fn hosts(&self) -> BTreeSet<HostId> {
        let updated = self.updates.iter().map(|update| update.id().host);
        updated.chain([self.header.src.host]).collect()
    }

    /// Header and updates for foca; the records go another way.
    pub fn without_records(&self) -> Vec<u8> {
        let mut bytes = wire::encode(&self.header);
        if !self.updates.is_empty() {
            let count = u16::try_from(self.updates.len()).expect("law SW2: a packet's own count");
            bytes.put_u16(count);
            for update in &self.updates {
                bytes.extend_from_slice(&wire::encode(update));
            }
        }
        bytes
    }
}

impl Codec<Identity> for PacketCodec {
    type Error = PacketFault;

    fn encode_header(
        &mut self,
        header: &Header<Identity>,
        buffer: impl BufMut,
    ) -> Result<(), PacketFault> {
        put(header, buffer)
    }

    fn decode_header(&mut self, buffer: impl Buf) -> Result<Header<Identity>, PacketFault> {
        get(buffer)
    }

    fn encode_member(
        &mut self,
        member: &Member<Identity>,
        buffer: impl BufMut,
    ) -> Result<(), PacketFault> {
        put(member, buffer)
    }

    fn decode_member(&mut self, buffer: impl Buf) -> Result<Member<Identity>, PacketFault> {
        get(buffer)
    }
}

impl BroadcastHandler<Identity> for RecordKeys {
    type Key = RecordKey;
    type Error = PacketFault;

    fn receive_item(
        &mut self,
        bytes: &[u8],
        _sender: Option<&Identity>,
    ) -> Result<Option<RecordKey>, PacketFault> {
        let record = HealthRecord::from_bytes(bytes).map_err(|_| PacketFault::Malformed)?;
        Ok(Some(RecordKey(record.host)))
    }
}

impl Invalidates for RecordKey {
    fn invalidates(&self, other: &Self) -> bool {
        self == other
    }
}

fn take<T: DeserializeOwned>(rest: &mut &[u8]) -> Result<T, PacketFault> {
    let (value, used) = wire::decode_prefix(rest).map_err(|_| PacketFault::Malformed)?;
    *rest = rest.get(used..).ok_or(PacketFault::Malformed)?;
    Ok(value)
}

fn take_length(rest: &mut &[u8]) -> Result<usize, PacketFault> {
    let (length, left) = rest.split_first_chunk().ok_or(PacketFault::Malformed)?;
    *rest = left;
    Ok(usize::from(u16::from_be_bytes(*length)))
}

fn take_records(rest: &mut &[u8]) -> Result<Vec<HealthRecord>, PacketFault> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = take_length(rest)?;
        let (bytes, left) = rest.split_at_checked(length).ok_or(PacketFault::Malformed)?;
        records.push(HealthRecord::from_bytes(bytes).map_err(|_| PacketFault::Malformed)?);
        *rest = left;
    }
    Ok(records)
}

fn put<T: Serialize>(value: &T, mut buffer: impl BufMut) -> Result<(), PacketFault> {
    let bytes = wire::encode(value);
    if bytes.len() > buffer.remaining_mut() {
        return Err(PacketFault::TooLarge);
    }
    buffer.put_slice(&bytes);
    Ok(())
}

fn get<T: DeserializeOwned>(mut buffer: impl Buf) -> Result<T, PacketFault> {
    let (value, used) = wire::decode_prefix(buffer.chunk()).map_err(|_| PacketFault::Malformed)?;
    buffer.advance(used);
    Ok(value)
}

impl std::fmt::Display for PacketFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::TooLarge => "the packet is too large",
            Self::Malformed => "the bytes are no packet",
        })
    }
}

impl std::error::Error for PacketFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Boot;

    #[test]
    fn a_framed_packet_is_never_over_the_datagram_bound() {
        let packet = wire::Datagram::Gossip(vec![7; PACKET_BYTES_MAX]);
        assert_eq!(wire::frame::seal(&packet).len(), wire::DATAGRAM_BYTES_MAX);
    }

    #[test]
    fn a_packet_cut_anywhere_is_a_fault() {
        let boot = Boot { number: 3, nonce: u128::MAX };
        let life = |host| Identity::first(HostId([host; 16]), boot);
        let packet = Packet {
            header: Header {
                src: life(1),
                src_incarnation: 0,
                dst: life(2),
                message: Message::Gossip,
            },
            updates: vec![Member::alive(life(3)), Member::down(life(4))],
            records: Vec::new(),
        };
        let bytes = packet.without_records();
        assert_eq!(Packet::parse(&bytes), Ok(packet.clone()));
        let header_bytes = wire::encode(&packet.header).len();
        for length in (0..bytes.len()).filter(|length| *length != header_bytes) {
            assert_eq!(
                Packet::parse(&bytes[..length]),
                Err(PacketFault::Malformed),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn law_sw2_a_message_that_says_nothing_more_has_nothing_behind_it() {
        let life = Identity::first(HostId([1; 16]), Boot { number: 3, nonce: 1 });
        for message in [Message::Announce, Message::TurnUndead] {
            let header = Header { src: life, src_incarnation: 0, dst: life, message };
            let mut bytes = wire::encode(&header);
            assert!(Packet::parse(&bytes).is_ok());
            bytes.push(0);
            assert_eq!(Packet::parse(&bytes), Err(PacketFault::Malformed));
        }
    }
}
