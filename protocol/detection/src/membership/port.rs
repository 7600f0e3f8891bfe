//! Where foca's wishes land: packets become effects, timers go to our own queue, changes are noted for later.
//!
//! foca draws whom it gossips with from all members. Where a connection stands to somebody else, its packet goes there
//! instead: what is told is the same, and no handshake is spent on it (ARCHITECTURE 5).

use std::collections::BTreeSet;
use std::time::Duration;

use foca::{Header, Incarnation, Message, Notification, Runtime, Timer};
use vocabulary::{HostId, Moment, Span};

use super::Effect;
use super::identity::Identity;
use super::packet::PACKET_BYTES_MAX;
use super::settings::span;
use super::timers::{Due, Timers};

/// foca's runtime during one event.
#[derive(Debug)]
pub(super) struct Port {
    pub now: Moment,
    /// The probe period of the mesh's present size, which foca's own setting cannot follow.
    pub probe_period: Span,
    pub timers: Timers,
    pub effects: Vec<Effect>,
    /// Hosts of which foca said anything during this event.
    pub touched: BTreeSet<HostId>,
    /// We go on under this identity since this event.
    pub renewed: Option<Identity>,
    /// Under which incarnation foca speaks; only its packets tell.
    pub incarnation: Incarnation,
    /// Connected members, in the order in which they are next told what there is to tell.
    pub company: Vec<Identity>,
}

impl Port {
    pub fn new(probe_period: Span) -> Self {
        Self {
            now: Moment::default(),
            probe_period,
            timers: Timers::default(),
            effects: Vec::new(),
            touched: BTreeSet::new(),
            renewed: None,
            incarnation: Incarnation::default(),
            company: Vec::new(),
        }
    }

    /// The packet for somebody connected, if it is gossip and there is somebody.
    fn steer(&mut self, mut header: Header<Identity>, rest: &[u8]) -> Option<Effect> {
        if !matches!(header.message, Message::Gossip | Message::Broadcast) {
            return None;
        }
        header.dst = self.company.pop()?;
        let bytes = [&wire::encode(&header), rest].concat();
        let to = header.dst.host;
        (bytes.len() <= PACKET_BYTES_MAX).then_some(Effect::Send { to, bytes })
    }
}

impl Runtime<Identity> for Port {
    fn notify(&mut self, notification: Notification<'_, Identity>) {
        match notification {
            Notification::MemberUp(member)
            | Notification::MemberDown(member)
            | Notification::Rename(_, member) => {
                self.touched.insert(member.host);
            }
            Notification::Rejoin(identity) => self.renewed = Some(*identity),
            // Read from foca's state after the event, or of no interest.
            Notification::Active
            | Notification::Idle
            | Notification::Defunct
            | Notification::DataReceived(_)
            | Notification::DataSent(_)
            | Notification::ProbeFailed(_, _) => {}
        }
    }

    fn send_to(&mut self, to: Identity, packet: &[u8]) {
        let own = wire::decode_prefix::<Header<Identity>>(packet);
        let (header, length) = own.expect("law SW2: foca's header is in our own bytes");
        self.incarnation = header.src_incarnation;
        let rest = packet.get(length..).unwrap_or_default();
        let steered = self.steer(header, rest);
        let straight = || Effect::Send { to: to.host, bytes: packet.to_vec() };
        self.effects.push(steered.unwrap_or_else(straight));
    }

    fn submit_after(&mut self, timer: Timer<Identity>, after: Duration) {
        let after = match timer {
            Timer::ProbeRandomMember(_) => self.probe_period,
            _ => span(after),
        };
        self.timers.set(self.now.after(after), Due::Foca(timer));
    }
}
