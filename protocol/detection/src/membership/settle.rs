//! What follows from any event, whatever it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foca::{Member, Message};
use vocabulary::{Boot, HostId, Span};

use super::identity::Identity;
use super::packet::Packet;
use super::records::Heard;
use super::sought::Sought;
use super::timers::{Due, Kind};
use super::{Effect, Membership, new_foca};

/// How long to wait between two rounds of gossip while there is something to tell.
const SPREAD_EVERY: Span = Span::milliseconds(200);

/// First wait before [`Effect::Alone`] is said again; doubles up to [`ALONE_EVERY_MAX`].
pub(super) const ALONE_EVERY_MIN: Span = Span::seconds(1);
/// Longest wait between two [`Effect::Alone`].
const ALONE_EVERY_MAX: Span = Span::seconds(30);

impl Membership {
    /// What follows from any event, whatever it was.
    pub(super) fn settle(&mut self) {
        if self.has_left {
            return;
        }
        self.settle_renewal();
        self.settle_company();
        self.settle_members();
        self.settle_own_health();
        self.settle_timers();
        self.mute();
        let has_news = self.foca.updates_backlog() > 0 || self.foca.custom_broadcast_backlog() > 0;
        if has_news && self.alone.is_none() {
            let muted = self.fuse.muted_for(self.port.now);
            let has_records = self.foca.custom_broadcast_backlog() > 0;
            let wait = muted.filter(|_| !has_records).unwrap_or(SPREAD_EVERY);
            self.port.timers.bring_forward(self.port.now.after(wait), Due::Spread);
        }
    }

    /// A renewed foca stops probing until the next update reaches it, so it gets an empty one.
    fn settle_renewal(&mut self) {
        if let Some(identity) = self.port.renewed.take() {
            let renewal = identity.renewal;
            self.port.incarnation = 0;
            self.port.effects.push(Effect::Renewed { renewal });
            self.apply([], true);
        }
    }

    fn settle_company(&mut self) {
        let has_members = self.foca.num_members() > 0;
        match self.alone {
            None if !has_members => {
                self.begin_again();
                self.alone = Some(ALONE_EVERY_MIN);
                self.say_alone();
            }
            Some(_) if has_members => {
                self.alone = None;
                self.port.timers.unset(Kind::Alone);
                self.exchange_soon();
                self.port.effects.push(Effect::Joined);
            }
            None | Some(_) => {}
        }
    }

    /// Whoever has lost everybody was likely cut off itself, and has called everybody down in vain. It would greet healthy
    /// peers as dead, gossip that to the first one that answers, and make each of them renew. So it trusts none of its own
    /// findings and begins again, under a renewal that stands against what was said of it meanwhile.
    fn begin_again(&mut self) {
        let before = *self.foca.identity();
        let identity = foca::Identity::renew(&before).unwrap_or(before);
        self.foca = new_foca(&self.settings, identity, &mut self.luck);
        self.summaries.doubt();
        self.port.timers.unset_foca();
        self.port.timers.unset(Kind::Exchange);
        self.port.incarnation = 0;
        self.heard = Heard::default();
        self.sieve.begin_again();
        self.looks.clear();
        self.exchanges.end();
        self.port.effects.push(Effect::Renewed { renewal: identity.renewal });
    }

    pub(super) fn say_alone(&mut self) {
        if let Some(wait) = self.alone {
            self.port.effects.push(Effect::Alone);
            self.alone = Some(wait.times(2).min(ALONE_EVERY_MAX));
            let next = self.port.now.after(wait);
            self.port.timers.set(next, Due::Alone);
        }
    }

    /// foca tells of changes piecemeal (renamed, then down, then up): what counts is the state it ends in.
    fn settle_members(&mut self) {
        let touched = std::mem::take(&mut self.port.touched);
        let boots = self.boots_of(&touched);
        for host in touched {
            let known = self.up.get(&host).copied();
            match (known, boots.get(&host).copied()) {
                (_, Some(boot)) if known != Some(boot) => {
                    Arc::make_mut(&mut self.up).insert(host, boot);
                    self.own.repeat();
                    self.port.effects.push(Effect::Up { host, boot });
                }
                (Some(boot), None) => {
                    Arc::make_mut(&mut self.up).remove(&host);
                    self.port.effects.push(Effect::Down { host, boot });
                }
                (_, _) => {}
            }
        }
    }

    /// The boots in which those of these hosts that seem alive do: one walk through all members, if anybody is asked for.
    fn boots_of(&self, hosts: &BTreeSet<HostId>) -> BTreeMap<HostId, Boot> {
        if hosts.is_empty() {
            return BTreeMap::new();
        }
        let (members, sought) = (self.foca.iter_members().map(Member::id), Sought::new(hosts));
        let asked = members.filter(|member| sought.holds(&member.host));
        asked.map(|member| (member.host, member.boot)).collect()
    }

    /// Whom we alone have found to be down need not renew for it: only what two say is worth a demand (law SW11).
    fn mute(&mut self) {
        let sieve = &self.sieve;
        self.port.effects.retain(|effect| !is_demand(effect, |to| sieve.is_alone_about(to)));
    }

    /// Law SW15: of what is to be sent now.
    pub(super) fn demand_nothing_of(&mut self, host: HostId) {
        self.port.effects.retain(|effect| !is_demand(effect, |to| *to == host));
    }

    fn settle_timers(&mut self) {
        match self.looks.next() {
            Some(next) => self.port.timers.set(next, Due::Look),
            None => self.port.timers.unset(Kind::Look),
        }
    }

    fn settle_own_health(&mut self) {
        let Identity { host, boot, .. } = *self.foca.identity();
        if let Some(record) = self.own.speak(self.port.now, host, boot) {
            self.tell(&record);
        }
        match self.own.next() {
            Some(next) => self.port.timers.set(next, Due::Health),
            None => self.port.timers.unset(Kind::Health),
        }
    }
}

/// Whether a host of which this is so is asked to renew.
fn is_demand(effect: &Effect, is_asked: impl Fn(&HostId) -> bool) -> bool {
    match effect {
        Effect::Send { to, bytes } if is_asked(to) => {
            let packet = Packet::parse(bytes);
            packet.is_ok_and(|packet| packet.header.message == Message::TurnUndead)
        }
        _ => false,
    }
}
