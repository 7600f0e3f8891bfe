//! What of a peer's words may reach foca at all.
//!
//! foca believes any single sender: that a host is down, that we are, that somebody lives under a name he never bore.
//! Everything is looked at here, before `handle_data`, because an error inside foca's codec would drop the whole datagram.
//!
//! Law SW5: the sender's certificate owns the identity; nobody speaks in another's name (protocol 4). What a host says of its
//! own boot, renewal and incarnation stands against all that was heard of it.
//! Law SW6: only we say under which boot and renewal we live, and at which incarnation.
//! Law SW7: others make us renew, or refute, at a bounded rate, and no host renews at others faster than it may (protocol 4).
//! Law SW8: hearsay of strangers adds members up to a bound; who speaks with a certificate of its own always enters.
//! Law SW15: a demand to renew that is not heeded is never answered with a demand. foca relies on every one being heeded: two that
//! call each other down would else send them to and fro as fast as the network carries them.
//! Law SW11 stands in `hearsay`. Not here: who is right about a host's death (see `verdict`): membership is a hint.

use std::collections::BTreeMap;

use foca::{Incarnation, Member, Message, State};
use serde::{Deserialize, Serialize};
use vocabulary::{Boot, HostId, Moment, Span};

use super::bucket::Bucket;
use super::hearsay::Hearsay;
use super::identity::Identity;
use super::packet::{Packet, PacketFault};

/// A partition that heals costs each host one renewal, two when both sides meet at once.
const RENEWALS_BURST: u64 = 3;

/// One host that hears nobody calls everybody down, again and again (127 forced renewals among 128 hosts were measured);
/// once a minute keeps that below the noise.
const RENEWAL_REFILL: Span = Span::minutes(1);

/// Refuting a suspicion is told to everybody, like a renewal, and a lie costs as much. Whoever suspects us in earnest and
/// misses the refutation looks at us before it calls us down (see `looks`).
const REFUTATIONS_BURST: u64 = 3;

/// Changes of its own name or incarnation that a host may tell us at once: it restarts, renews, refutes. Each goes to every host.
const CHANGES_BURST: u64 = 8;
/// See [`CHANGES_BURST`].
const CHANGES_REFILL: Span = Span::seconds(10);

/// Hosts whose pace is kept before those that have rested are forgotten.
const PACES_KEPT: usize = 256;

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
    /// An update about us under a boot, renewal or incarnation that is not ours (law SW6).
    AboutUs,
    /// A demand that we renew or refute, beyond the rate (law SW7).
    RenewalHeldBack,
    /// Hearsay of an unknown host while too many are known (law SW8), or the health record of a host that does not belong
    /// (law SW19).
    Stranger,
    /// A health record faster than its host may send (law SW4).
    HealthOverRate,
    /// A datagram that foca refused after all.
    Refused,
    /// The word of one sender alone, held until a second one says the same (law SW11).
    Uncorroborated,
    /// A host that changes its own name faster than it may (law SW7).
    ChangesOverRate,
    /// A health record of another life than its host is known to live, or beyond what it can have told (law SW18).
    HealthOutOfPlace,
}

/// What peers have said and done so far, as far as it decides what they may say next.
#[derive(Debug)]
pub(super) struct Sieve {
    renewals: Bucket,
    refutations: Bucket,
    pub hearsay: Hearsay,
    /// The highest name and incarnation under which each host has itself spoken to us; of members only.
    spoken: BTreeMap<HostId, Rank>,
    /// Whom we alone have found to be down: its own answer is enough to take that back.
    alone: BTreeMap<HostId, Identity>,
    /// Of hosts that changed lately.
    paces: BTreeMap<HostId, Bucket>,
}

type Rank = (Identity, Incarnation);

/// What the sieve must know of us.
pub(super) struct Standpoint<'a> {
    pub now: Moment,
    pub me: &'a Identity,
    pub incarnation: Incarnation,
    /// foca's opinion of a host, of those that were spoken of.
    pub known: &'a dyn Fn(&HostId) -> Option<Member<Identity>>,
    /// Whether our own observer doubts it: our own look (law SW11).
    pub is_doubted: &'a dyn Fn(&HostId) -> bool,
    /// Whether hearsay of a stranger may not enter (law SW8).
    pub is_full: bool,
}

/// What is left of a packet.
#[derive(Debug)]
pub(super) struct Sifted {
    pub packet: Packet,
    /// What foca must forget of the sender before it hears it.
    pub forget: Option<Identity>,
}

/// What was left out, and about whom a look of our own would help.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub dropped: Vec<Dropped>,
    pub to_look_at: Vec<HostId>,
    /// It speaks under the name that we hold for down (law SW16).
    pub is_held_down: bool,
    /// It asked us to renew, and we do not.
    pub is_demand_unheeded: bool,
}

impl Sieve {
    /// With all renewals still to spend.
    pub fn new() -> Self {
        Self {
            renewals: Bucket::full(RENEWALS_BURST, RENEWAL_REFILL),
            refutations: Bucket::full(REFUTATIONS_BURST, RENEWAL_REFILL),
            hearsay: Hearsay::default(),
            spoken: BTreeMap::new(),
            alone: BTreeMap::new(),
            paces: BTreeMap::new(),
        }
    }

    /// What of this packet may be believed; names each thing left out, the last one if nothing is left.
    pub fn sift(
        &mut self,
        standpoint: &Standpoint<'_>,
        (from, packet): (HostId, Packet),
        notes: &mut Notes,
    ) -> Option<Sifted> {
        match self.admit(standpoint, (from, packet), notes) {
            Ok((mut packet, forget)) => {
                let said = (packet.header.src, std::mem::take(&mut packet.updates));
                packet.updates = self.sift_updates(standpoint, said, notes);
                Some(Sifted { packet, forget })
            }
            Err(why) => {
                notes.dropped.push(why);
                None
            }
        }
    }

    /// What of a speaker's updates may be believed.
    pub fn sift_updates(
        &mut self,
        standpoint: &Standpoint<'_>,
        (speaker, updates): (Identity, Vec<Member<Identity>>),
        notes: &mut Notes,
    ) -> Vec<Member<Identity>> {
        let mut is_told_of_us = false;
        let mut believed = Vec::new();
        for update in updates {
            let host = update.id().host;
            let judged = if host == standpoint.me.host {
                self.judge_of_us(standpoint, speaker.host, update, &mut is_told_of_us)
            } else if host == speaker.host {
                // Its goodbye. Of its former names its header has told already.
                Ok((*update.id() == speaker).then_some(update))
            } else {
                self.judge_of_others(standpoint, speaker.host, update)
            };
            match judged {
                Ok(update) => believed.extend(update),
                Err(Dropped::Uncorroborated) => {
                    notes.dropped.push(Dropped::Uncorroborated);
                    notes.to_look_at.push(host);
                }
                Err(why) => notes.dropped.push(why),
            }
        }
        believed
    }

    /// A host speaks for itself: what foca must forget of it first, or why it is not heard (laws SW5 and SW7). Only an
    /// answer shows that it hears as well, and takes back what was said of its death.
    pub fn hear_speaker(
        &mut self,
        standpoint: &Standpoint<'_>,
        speaker: Rank,
        is_answer: bool,
    ) -> Result<Option<Identity>, Dropped> {
        let host = speaker.0.host;
        let known = (standpoint.known)(&host);
        let rank = known.as_ref().map(|known| (*known.id(), known.incarnation()));
        let is_change = rank.is_some_and(|rank| rank < speaker);
        if is_change && !self.pace(standpoint.now, host) {
            return Err(Dropped::ChangesOverRate);
        }
        let spoken = self.spoken.entry(host).or_insert(speaker);
        if *spoken > speaker {
            // Late: it has said newer things of itself.
            return Ok(None);
        }
        *spoken = speaker;
        let mut is_to_forget = rank.is_some_and(|rank| rank > speaker);
        if is_answer {
            self.hearsay.forget(&host);
            is_to_forget |= self.alone.remove(&host) == Some(speaker.0);
        }
        Ok(known.filter(|_| is_to_forget).map(|known| *known.id()))
    }

    /// We alone have found this host to be down.
    pub fn found_alone(&mut self, host: Identity) {
        self.alone.insert(host.host, host);
    }

    /// Whether nobody else has called this host down, so that it need not renew for it.
    pub fn is_alone_about(&self, host: &HostId) -> bool {
        self.alone.contains_key(host)
    }

    /// Others agree after all.
    pub fn agree(&mut self, host: &HostId) {
        self.alone.remove(host);
        self.hearsay.forget(host);
    }

    /// Our own look was answered: what was said of its death is void.
    pub fn acquit(&mut self, host: &HostId) {
        self.hearsay.forget(host);
    }

    /// Whom we held for down has answered our own look: what we have found is void, too (law SW16).
    pub fn take_back(&mut self, host: &HostId) {
        self.acquit(host);
        self.alone.remove(host);
    }

    /// In which life this host has itself spoken to us last.
    pub fn life_spoken(&self, host: &HostId) -> Option<Boot> {
        self.spoken.get(host).map(|(identity, _)| identity.boot)
    }

    /// All members are forgotten; what we may be made to do is not.
    pub fn begin_again(&mut self) {
        self.hearsay = Hearsay::default();
        self.spoken.clear();
        self.alone.clear();
    }

    /// The host is forgotten by the membership too.
    pub fn forget(&mut self, host: &HostId) {
        self.hearsay.forget(host);
        self.spoken.remove(host);
        self.alone.remove(host);
    }

    fn admit(
        &mut self,
        standpoint: &Standpoint<'_>,
        (from, mut packet): (HostId, Packet),
        notes: &mut Notes,
    ) -> Result<(Packet, Option<Identity>), Dropped> {
        let header = &packet.header;
        let is_announced_to_us =
            header.message == Message::Announce && header.dst.host == standpoint.me.host;
        if header.src.host != from || from == standpoint.me.host {
            return Err(Dropped::ForgedSource);
        } else if header.dst != *standpoint.me && !is_announced_to_us {
            return Err(Dropped::Misaddressed);
        } else if third_party(&header.message) == Some(standpoint.me.host) {
            return Err(Dropped::Circular);
        }
        let is_answer = matches!(header.message, Message::Ack(_) | Message::Feed);
        let speaker = (header.src, header.src_incarnation);
        let forget = self.hear_speaker(standpoint, speaker, is_answer)?;
        let known = (standpoint.known)(&from);
        notes.is_held_down = forget.is_none()
            && known.is_some_and(|known| known.state() == State::Down && *known.id() == speaker.0);
        if packet.header.message == Message::TurnUndead && !self.obeys(standpoint, from)? {
            notes.dropped.push(Dropped::Uncorroborated);
            notes.is_demand_unheeded = true;
            // What is left of it: its sender lives.
            packet.header.message = Message::Gossip;
        }
        Ok((packet, forget))
    }

    /// Whether we renew because this host, too, calls us down (laws SW7 and SW11).
    fn obeys(&mut self, standpoint: &Standpoint<'_>, from: HostId) -> Result<bool, Dropped> {
        let down = Member::down(*standpoint.me);
        let agreed = self.hearsay.weigh(standpoint.now, from, &down);
        if agreed.is_none_or(|agreed| agreed.state() != State::Down) {
            return Ok(false);
        }
        if !self.renewals.take(standpoint.now) {
            return Err(Dropped::RenewalHeldBack);
        }
        self.hearsay.forget(&standpoint.me.host);
        Ok(true)
    }

    fn judge_of_us(
        &mut self,
        standpoint: &Standpoint<'_>,
        from: HostId,
        update: Member<Identity>,
        is_told_of_us: &mut bool,
    ) -> Result<Option<Member<Identity>>, Dropped> {
        // A second one about us would meet an identity that the first has already renewed.
        let is_again = std::mem::replace(is_told_of_us, true);
        let is_invented =
            update.id() != standpoint.me || update.incarnation() > standpoint.incarnation;
        if is_again
            || (is_invented && update.state() != State::Down)
            || update.id() != standpoint.me
        {
            return Err(Dropped::AboutUs);
        }
        match update.state() {
            State::Down if self.obeys(standpoint, from)? => Ok(Some(update)),
            State::Down => Err(Dropped::Uncorroborated),
            State::Suspect if update.incarnation() == standpoint.incarnation => {
                // foca renews when suspected at the last incarnation, which it cannot refute.
                let is_last = update.incarnation() == Incarnation::MAX;
                let bucket = if is_last { &mut self.renewals } else { &mut self.refutations };
                let is_paid = bucket.take(standpoint.now);
                is_paid.then_some(Some(update)).ok_or(Dropped::RenewalHeldBack)
            }
            // Refuted already, or what we know ourselves.
            State::Suspect | State::Alive => Ok(None),
        }
    }

    fn judge_of_others(
        &mut self,
        standpoint: &Standpoint<'_>,
        from: HostId,
        update: Member<Identity>,
    ) -> Result<Option<Member<Identity>>, Dropped> {
        let told = *update.id();
        let is_down = update.state() == State::Down;
        let Some(known) = (standpoint.known)(&told.host) else {
            // A stranger's death tells nothing.
            let alive = Member::new(told, update.incarnation(), State::Alive);
            let is_welcome = is_down || !standpoint.is_full;
            return is_welcome.then(|| (!is_down).then_some(alive)).ok_or(Dropped::Stranger);
        };
        let rank = (*known.id(), known.incarnation());
        if known.state() == State::Down && *known.id() == told {
            if is_down {
                self.alone.remove(&told.host);
            }
            return Ok(None);
        }
        // Suspicion is its owner's affair: it looks again before it calls a host down (see `looks`).
        let is_news =
            if is_down { told >= *known.id() } else { (told, update.incarnation()) > rank };
        if !is_news {
            return Ok(None);
        }
        if is_down && told == *known.id() && (standpoint.is_doubted)(&told.host) {
            return Ok(Some(update));
        }
        match self.hearsay.weigh(standpoint.now, from, &update) {
            Some(agreed) => Ok(Some(agreed)),
            None => Err(Dropped::Uncorroborated),
        }
    }

    fn pace(&mut self, now: Moment, host: HostId) -> bool {
        if self.paces.len() >= PACES_KEPT {
            self.paces.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = self.paces.entry(host);
        bucket.or_insert_with(|| Bucket::full(CHANGES_BURST, CHANGES_REFILL)).take(now)
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
