//! Hosts on which nothing begins by itself, because a person has said so (protocol 6.11).
//!
//! Law EX1: on an exempt host no lease is granted and no remedy begins; what has begun is inspected and verified. A person ends an exemption,
//! and nothing else but that the host is retired.
//! Not here: calling a person for its trouble (see `stuck`), windows that end by themselves (see `maintenance`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vocabulary::{HostId, WallNote};

use crate::audit::What;
use crate::case::Case;
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// Why a host is exempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// Who ordered it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When, for people.
    pub since: WallNote,
}

impl Ledger {
    /// Why nothing begins on this host by itself, if a person has said so.
    pub fn exemption_of(&self, host: &HostId) -> Option<&Exemption> {
        self.state.added.exempt.get(host)
    }

    /// The exempt hosts, at most as many as the mesh has.
    pub fn exempt(&self) -> impl Iterator<Item = (&HostId, &Exemption)> {
        self.state.added.exempt.iter()
    }

    /// A person exempts a host, or takes that back.
    pub(crate) fn exempt_host(
        &mut self,
        by: HostId,
        (host, is_exempt): (HostId, bool),
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.since_rules(rules::SECOND)?;
        self.ordered(by, order)?;
        self.member(host)?;
        match (self.exemption_of(&host).is_some(), is_exempt) {
            (true, true) => return Ok(Outcome::Done),
            (false, false) => return Err(Refused::Nothing),
            (true, false) => self.forget_exemption(&host),
            (false, true) => {
                let Order { who, why } = order.clone();
                let exemption = Exemption { who, why, since: self.state.wall };
                Arc::make_mut(&mut self.state.added.exempt).insert(host, exemption);
            }
        }
        let Order { who, why } = order.clone();
        self.record(What::HostExempted { host, is_exempt, who, why });
        Ok(Outcome::Done)
    }

    /// Law EX1.
    pub(crate) fn exempt_hold(&self, case: &Case) -> Option<Refused> {
        let host = case.host()?;
        let Exemption { who, why, .. } = self.exemption_of(&host)?.clone();
        let host = self.state.roster.get(&host)?.claims.host.clone();
        Some(Refused::Exempt { host, who, why })
    }

    /// It is retired, or a person has taken it back.
    pub(crate) fn forget_exemption(&mut self, host: &HostId) {
        if self.state.added.exempt.contains_key(host) {
            Arc::make_mut(&mut self.state.added.exempt).remove(host);
        }
    }
}
