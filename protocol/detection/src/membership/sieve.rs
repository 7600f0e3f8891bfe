//! What of a peer's words may reach foca at all.
//!
//! foca believes any single sender: that a host is down, that we are, that we live under a name we never bore. Everything
//! is looked at here, before `handle_data`, because an error inside foca's codec would drop the whole datagram.
//!
//! Law SW5: the sender's certificate owns the identity; nobody speaks in another's name (protocol 4).
//! Law SW6: only we say under which boot and renewal we live.
//! Law SW7: others make us renew at a bounded rate (protocol 4).
//! Law SW8: hearsay of strangers adds members up to a bound; who speaks with a certificate of its own always enters.
//! Not here: who is right about a host's death (see `verdict`): membership is a hint.

use foca::{Incarnation, Message, State};
use serde::{Deserialize, Serialize};
use vocabulary::{HostId, Moment, Span};

use super::bucket::Bucket;
use super::identity::Identity;
use super::packet::{Packet, PacketFault};

/// A partition that heals costs each host one renewal, two when both sides meet at once.
const RENEWALS_BURST: u64 = 3;

/// One host that hears nobody calls everybody down, again and again (127 forced renewals among 128 hosts were measured);
/// once a minute keeps that below the noise.
const RENEWAL_REFILL: Span = Span::minutes(1);

/// What a peer said and we did not take in; counted, for metrics and for the tests of the laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dropped {
    /// A datagram over the bound.
    TooLarge,
    /// A datagram that is no packet, whole or in part.
    Malformed,
    /// A datagram whose header names another source than the certificate that brought it (law SW5).
    ForgedSource,
    /// A datagram for another life of ours, or another host: late, or lost.
    Misaddressed,
    /// A datagram that asks us to reach ourselves through ourselves.
    Circular,
    /// An update about us under a boot or renewal that is not ours (law SW6).
    AboutUs,
    /// A demand that we renew, beyond the rate (law SW7).
    RenewalHeldBack,
    /// Hearsay of an unknown host while too many are known (law SW8), or its health record.
    Stranger,
    /// A health record faster than its host may send (law SW4).
    HealthOverRate,
    /// A datagram that foca refused after all.
    Refused,
}

/// Remembers how often we were made to renew.
#[derive(Debug)]
pub(super) struct Sieve {
    renewals: Bucket,
}

/// What the sieve must know of us.
pub(super) struct Standpoint<'a> {
    pub now: Moment,
    pub me: &'a Identity,
    /// Whether hearsay of this host may enter (law SW8).
    pub is_admitted: &'a dyn Fn(&HostId) -> bool,
}

impl Sieve {
    /// With all renewals still to spend.
    pub fn new() -> Self {
        Self { renewals: Bucket::full(RENEWALS_BURST, RENEWAL_REFILL) }
    }

    /// What of these bytes may be believed; names each thing left out in `dropped`, the last one if nothing is left.
    ///
    /// protocol 4: the rule of the second, independent sender belongs here too, beside [`Sieve::admits_update`].
    pub fn sift(
        &mut self,
        standpoint: &Standpoint<'_>,
        from: HostId,
        bytes: &[u8],
        dropped: &mut Vec<Dropped>,
    ) -> Option<Packet> {
        match self.admit(standpoint, from, bytes) {
            Ok(mut packet) => {
                let mut is_told_of_us = false;
                packet.updates.retain(|update| {
                    let verdict = self.admits_update(standpoint, update, &mut is_told_of_us);
                    dropped.extend(verdict.err());
                    verdict.is_ok()
                });
                Some(packet)
            }
            Err(why) => {
                dropped.push(why);
                None
            }
        }
    }

    fn admit(
        &mut self,
        standpoint: &Standpoint<'_>,
        from: HostId,
        bytes: &[u8],
    ) -> Result<Packet, Dropped> {
        let packet = Packet::parse(bytes)?;
        let header = &packet.header;
        let is_announced_to_us =
            header.message == Message::Announce && header.dst.host == standpoint.me.host;
        if header.src.host != from || from == standpoint.me.host {
            Err(Dropped::ForgedSource)
        } else if header.dst != *standpoint.me && !is_announced_to_us {
            Err(Dropped::Misaddressed)
        } else if third_party(&header.message) == Some(standpoint.me.host) {
            Err(Dropped::Circular)
        } else if header.message == Message::TurnUndead && !self.renewals.take(standpoint.now) {
            Err(Dropped::RenewalHeldBack)
        } else {
            Ok(packet)
        }
    }

    fn admits_update(
        &mut self,
        standpoint: &Standpoint<'_>,
        update: &foca::Member<Identity>,
        is_told_of_us: &mut bool,
    ) -> Result<(), Dropped> {
        let told = update.id();
        if told.host != standpoint.me.host {
            let is_admitted = (standpoint.is_admitted)(&told.host);
            return is_admitted.then_some(()).ok_or(Dropped::Stranger);
        }
        // A second one about us would meet an identity that the first has already renewed.
        if told != standpoint.me || std::mem::replace(is_told_of_us, true) {
            return Err(Dropped::AboutUs);
        }
        // foca renews when called down, and when suspected at the last incarnation, which it cannot refute.
        let asks_renewal = match update.state() {
            State::Down => true,
            State::Suspect => update.incarnation() == Incarnation::MAX,
            State::Alive => false,
        };
        let is_paid = !asks_renewal || self.renewals.take(standpoint.now);
        is_paid.then_some(()).ok_or(Dropped::RenewalHeldBack)
    }
}

impl From<PacketFault> for Dropped {
    fn from(fault: PacketFault) -> Self {
        match fault {
            PacketFault::TooLarge => Self::TooLarge,
            PacketFault::Malformed => Self::Malformed,
        }
    }
}

/// The host on whose behalf, or about whom, an indirect probe is.
fn third_party(message: &Message<Identity>) -> Option<HostId> {
    match message {
        Message::PingReq { target, .. } | Message::IndirectAck { target, .. } => Some(target.host),
        Message::IndirectPing { origin, .. } | Message::ForwardedAck { origin, .. } => {
            Some(origin.host)
        }
        Message::Ping(_)
        | Message::Ack(_)
        | Message::Announce
        | Message::Feed
        | Message::Gossip
        | Message::Broadcast
        | Message::TurnUndead => None,
    }
}
