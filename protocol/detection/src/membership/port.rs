//! Where foca's wishes land: packets become effects, timers go to our own queue, changes are noted for later.

use std::collections::BTreeSet;
use std::time::Duration;

use foca::{Notification, Runtime, Timer};
use vocabulary::{HostId, Moment, Span};

use super::Effect;
use super::identity::Identity;
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
        }
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
        self.effects.push(Effect::Send { to: to.host, bytes: packet.to_vec() });
    }

    fn submit_after(&mut self, timer: Timer<Identity>, after: Duration) {
        let after = match timer {
            Timer::ProbeRandomMember(_) => self.probe_period,
            _ => span(after),
        };
        self.timers.set(self.now.after(after), Due::Foca(timer));
    }
}
