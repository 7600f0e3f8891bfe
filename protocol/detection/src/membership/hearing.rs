//! Whose health record may be heard at all, and of which life: what the roster and the host itself say of it.
//!
//! Law SW19: nothing is kept or told on of the health of a host that does not belong: of none but those of the roster, and before
//! the founding of none but members. A host that the roster does not know yet is heard of by itself alone.
//! Not here: which of its records stands (see `records`).

use std::sync::Arc;

use vocabulary::{Boot, HostId};

use super::records::Judgement;
use super::{Dropped, Effect, Membership};
use crate::health::HealthRecord;
use crate::roster::{HOSTS_MAX, Roster};

impl Membership {
    /// foca has taken the packet in and believes its sender alive; the records are judged by us alone.
    pub(super) fn hear(&mut self, from: HostId, record: &HealthRecord) {
        let (me, now) = (*self.foca.identity(), self.port.now);
        if record.host == me.host {
            return self.own.contradict(now, (from, me.boot), record);
        }
        let is_own_word = from == record.host;
        let Some(life) = self.life_of(&record.host, is_own_word) else {
            return self.count(Dropped::Stranger);
        };
        match self.heard.judge(now, (from, life), record) {
            Judgement::News => {
                self.tell(record);
                self.port.effects.push(Effect::HealthHeard { record: record.clone(), is_own_word });
            }
            Judgement::Known | Judgement::Held => {}
            Judgement::OverRate => self.count(Dropped::HealthOverRate),
            Judgement::OutOfPlace => self.count(Dropped::HealthOutOfPlace),
        }
    }

    /// Whether anything is kept of this host's health (law SW19): one of the roster, or a member that the roster does not know.
    pub fn belongs(&self, host: &HostId) -> bool {
        let entry = self.roster.as_ref().and_then(|roster| roster.get_even_retired(host));
        entry.map_or_else(|| self.up.contains_key(host), |entry| !entry.is_retired)
    }

    /// Who belongs now, and in which lives.
    pub(super) fn take_roster(&mut self, roster: Arc<Roster>) {
        let hosts = roster.present_count();
        let has_grown = hosts > self.settings.hosts;
        self.settings.hosts = hosts.clamp(1, HOSTS_MAX);
        self.port.probe_period = self.settings.probe_period();
        self.fuse.resize(self.settings.hosts, self.settings.told());
        let outcome = self.foca.set_config(self.settings.foca());
        self.check(outcome);
        let me = *self.foca.identity();
        let is_ours =
            |roster: &Roster| roster.get(&me.host).is_some_and(|own| own.boot == Some(me.boot));
        if is_ours(&roster) && !self.roster.as_deref().is_some_and(is_ours) {
            // Law SW18: who knew us by the ledger alone took us for our former life.
            self.own.repeat();
        }
        // Law SW19: before the founding it is empty, and members are all there is.
        self.roster = (hosts > 0).then_some(roster);
        if has_grown && self.alone.is_none() && self.lacks_some() {
            self.exchange_soon();
        }
        let mut heard = std::mem::take(&mut self.heard);
        heard.retain(|host| self.belongs(host));
        self.heard = heard;
    }

    /// Law SW19: in which life a host may be heard of, if at all.
    fn life_of(&self, host: &HostId, is_own_word: bool) -> Option<Boot> {
        let spoken = self.sieve.life_spoken(host);
        let hearsay = || self.up.get(host).copied();
        let Some(roster) = &self.roster else {
            return spoken.or_else(hearsay);
        };
        match roster.get_even_retired(host) {
            Some(entry) if entry.is_retired => None,
            Some(entry) => entry.boot.max(spoken).or_else(hearsay),
            None => spoken.filter(|_| is_own_word),
        }
    }
}
