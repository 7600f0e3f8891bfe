//! How a thing leaves its host: what it weighs on the wire, and when it comes.
//!
//! Not here: whether the way is open (see `fleet`), what the transport makes of it (see `mail`).

use crate::errand::Errand;
use crate::fleet::{Fleet, Happening};
use crate::mail::{Flight, Parcel};
use crate::network::{Sent, Way};

/// What QUIC, UDP and IPv4 put around a packet's content: 20 and 8 bytes, a short header of 12, frame heads and the seal of 16.
pub(crate) const PACKET_HEAD_BYTES: u64 = 62;

/// What of a stream fits one packet.
const STREAM_PACKET_BYTES: u64 = 1_150;

/// What ends or resets a connection says so.
const CLOSE_BYTES: u64 = 24;

/// One side's half of a handshake under mutual TLS with its hello: about 4 kB both ways together.
const HANDSHAKE: Sent = Sent { packets: 5, bytes: 2_000 };

/// The first packet of a handshake, padded as QUIC wants it, with the heads of UDP and IPv4.
const INITIAL_BYTES: u64 = 1_228;

/// With a first guess of 100 ms for a round trip QUIC sends two more after 300 ms, and again after 900 and 2,100 ms: so many within
/// the 400 to 850 ms that a fresh dial has, and within the 3 s of one that is to stay.
const FRESH_INITIALS: u64 = 3;
/// See [`FRESH_INITIALS`].
const INITIALS: u64 = 7;

impl Parcel {
    /// What leaves the host for it: its own bytes, and what QUIC, UDP and IP put around them.
    fn sent(&self) -> Sent {
        let (packets, bytes) = match self {
            Self::Datagram(bytes) => (1, bytes.len() as u64),
            Self::Ask { bytes, .. } | Self::Answer { bytes, .. } => {
                let bytes = bytes.len() as u64;
                (bytes.div_ceil(STREAM_PACKET_BYTES).max(1), bytes)
            }
            Self::Reset | Self::Close => (1, CLOSE_BYTES),
            Self::Dial | Self::Welcome => (0, 0),
        };
        let is_handshake = matches!(
            self,
            Self::Dial
                | Self::Welcome
                | Self::Ask { is_fresh: true, .. }
                | Self::Answer { is_fresh: true, .. }
        );
        let shake = if is_handshake { HANDSHAKE } else { Sent::default() };
        Sent {
            packets: packets + shake.packets,
            bytes: bytes + packets * PACKET_HEAD_BYTES + shake.bytes,
        }
    }

    /// The same where nobody is there to hear it. What a connection that stands sends again and again is not counted.
    fn sent_in_vain(&self) -> Sent {
        let packets = match self {
            Self::Dial | Self::Welcome => INITIALS,
            Self::Ask { is_fresh: true, .. } | Self::Answer { is_fresh: true, .. } => {
                FRESH_INITIALS
            }
            _ => return self.sent(),
        };
        Sent { packets, bytes: packets * INITIAL_BYTES }
    }
}

impl Fleet {
    /// What each host has sent since the fleet began, in the order of the setup.
    pub fn sent(&self) -> impl Iterator<Item = Sent> {
        self.sent_by_errand().map(|sent| sent.into_iter().sum())
    }

    /// The same, by [`Errand::ALL`].
    pub fn sent_by_errand(&self) -> impl Iterator<Item = [Sent; Errand::ALL.len()]> {
        (0..self.hosts.len()).map(|place| self.network.sent(place))
    }

    /// Nothing answers: what is sent weighs all the same, and a handshake is begun over and over.
    pub(crate) fn depart_in_vain(&mut self, flight: &Flight) {
        if !self.hosts[flight.from].is_mute() {
            let parcel = &flight.parcel;
            self.network.count(flight.from, Errand::of(parcel), parcel.sent_in_vain());
        }
    }

    /// It is on its way, if chance will have it.
    pub(crate) fn depart(&mut self, flight: Flight) {
        let Flight { from, to, ref parcel, .. } = flight;
        let sent = parcel.sent();
        self.network.count(from, Errand::of(parcel), sent);
        let way = Way { from, to, bytes: sent.bytes };
        let mut stream = || self.network.stream(self.now, way);
        let takes = match parcel {
            Parcel::Datagram(_) => {
                let Some(carried) = self.network.datagram(self.now, way) else {
                    return;
                };
                if let Some(again) = carried.again {
                    self.queue.put(self.now.after(again), Happening::Arrive(flight.clone()));
                }
                carried.takes
            }
            Parcel::Reset
            | Parcel::Close
            | Parcel::Answer { .. }
            | Parcel::Ask { is_fresh: false, .. } => stream(),
            // Handshake and hello: two more ways there and back.
            Parcel::Dial | Parcel::Welcome | Parcel::Ask { is_fresh: true, .. } => {
                stream().plus(stream()).plus(stream())
            }
        };
        self.queue.put(self.now.after(takes), Happening::Arrive(flight));
    }
}
