//! Whom a person has added: hosts that may enrol where the policy wants a person's word beside the certificate (protocol 1.3).
//!
//! Law F8: where the policy says so, a host that is not in the roster is taken in only while a person's addition of its name
//! stands, on the day it asks and on the day it enters. Who is in the roster stays there, whatever the policy says later.
//! Law F9: an addition is spent by the host that comes, or taken back by a person; hosts, those that wait and those that are
//! added are together at most as many as hosts of one mesh.
//! Not here: what else makes an enrolment sound (see `founding`), and whether the policy says so (see `in_force`).

use std::sync::Arc;

use detection::roster;
use vocabulary::{Claims, HostId, HostName};

use crate::audit::What;
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::policy::MayEnrol;
use crate::rules;

impl Ledger {
    /// The hosts that a person has added and that have not come yet, in the order of their ids.
    pub fn added(&self) -> impl Iterator<Item = &HostName> {
        self.state.added.hosts.values()
    }

    /// Whether this host is among them.
    pub fn is_added(&self, host: &HostId) -> bool {
        self.state.added.hosts.contains_key(host)
    }

    /// Whether nothing but its certificate is asked of this host.
    pub fn may_enrol(&self, host: &HostId) -> bool {
        match self.policy().hosts_may_enrol {
            MayEnrol::Certified => true,
            MayEnrol::Added => self.state.roster.get(host).is_some() || self.is_added(host),
        }
    }

    /// Law F8.
    pub(crate) fn needs_no_addition(&self, claims: &Claims) -> Result<(), Refused> {
        if self.may_enrol(&claims.id()) {
            return Ok(());
        }
        Err(Refused::NotAdded(claims.host.clone()))
    }

    /// A person adds a host, or takes that back. An addition stands under any policy, so that it can be made beforehand.
    pub(crate) fn add_host(
        &mut self,
        by: HostId,
        (name, may_enrol): (&HostName, bool),
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        let founding = self.state.founding.as_ref().ok_or(Refused::NotFounded)?;
        let host = HostId::derive(&founding.cluster, name);
        match (self.is_added(&host), may_enrol) {
            (true, true) => return Ok(Outcome::Done),
            (false, false) => return Err(Refused::Nothing),
            (true, false) => self.forget_addition(&host),
            (false, true) => match self.state.roster.get_even_retired(&host) {
                Some(entry) if entry.is_retired => return Err(Refused::Retired),
                Some(_) => return Ok(Outcome::Done),
                None => self.keep_addition(host, name)?,
            },
        }
        let (name, who, why) = (name.clone(), order.who.clone(), order.why.clone());
        self.record(What::HostAdded { host, name, may_enrol, who, why });
        Ok(Outcome::Done)
    }

    /// Law F9: it has come, or may not any more.
    pub(crate) fn forget_addition(&mut self, host: &HostId) {
        if self.is_added(host) {
            Arc::make_mut(&mut self.state.added.hosts).remove(host);
        }
    }

    /// Law F9: whether there is room for one more host, come or to come.
    pub(crate) fn room_for_one(&self) -> Result<(), Refused> {
        let come = self.state.roster.all().count() + self.state.enrolling.count();
        if come + self.state.added.hosts.len() < roster::HOSTS_MAX {
            return Ok(());
        }
        let most = roster::HOSTS_MAX;
        Err(Refused::Bound(format!("hosts of one mesh: {most}")))
    }

    fn keep_addition(&mut self, host: HostId, name: &HostName) -> Result<(), Refused> {
        self.room_for_one()?;
        Arc::make_mut(&mut self.state.added.hosts).insert(host, name.clone());
        Ok(())
    }
}
