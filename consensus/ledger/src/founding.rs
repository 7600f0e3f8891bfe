//! Who belongs: founding, enrolment, boots, farewells, burials.
//!
//! Law F1: a ledger is founded once (protocol 1.4).
//! Law F2: the authority's signature is checked here, by every keeper (protocol 1.3).
//! Law F3: a retired host never comes back; a boot number never falls (protocol 1.2).
//! Law F10: a person's order is taken from a keeper's host alone, under rules 2.
//! Law F12: no key enrols by which one signature holds for many messages, under rules 2.
//! Not here: when whoever has enrolled belongs (see `enrolling`).

use std::collections::BTreeMap;
use std::sync::Arc;

use detection::roster::{self, Roster};
use serde::{Deserialize, Serialize};
use vocabulary::{
    Address, Boot, CaseId, CertificateChain, CertificateFault, Claims, ClusterName, HostId,
    LedgerTime, PublicKey, StoreId, Verifier,
};

use crate::audit::What;
use crate::case::{Case, Closure, Stage};
use crate::command::{Order, Outcome, Refused};
use crate::ledger::Ledger;
use crate::rules;

/// What was settled when the ledger was founded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founding {
    /// Whose ledger it is.
    pub cluster: ClusterName,
    /// The DER certificates of the cluster's authorities; a person may change them later (see `certificates`).
    pub authorities: Vec<Vec<u8>>,
    /// The voters, in the order they were named.
    pub voters: Vec<HostId>,
}

/// The agents that said goodbye and have not come back (protocol 3.6 `Left`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Departures(BTreeMap<HostId, Departure>);

/// One farewell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Departure {
    pub at: LedgerTime,
    /// The ticket that was opened when the grace was over.
    pub case: Option<CaseId>,
}

type FoundingTerms<'a> = (&'a ClusterName, &'a [Vec<u8>], &'a [CertificateChain]);

impl Founding {
    /// Raft groups beyond seven voters only slow down; even numbers only add a voter to lose (glossary: keeper).
    pub const VOTERS: [usize; 4] = [1, 3, 5, 7];
    /// A rotation needs two; room for a slow one.
    pub const AUTHORITIES_MAX: usize = 4;

    /// Whether so many authorities of such sizes are kept.
    pub(crate) fn bounded(authorities: &[Vec<u8>]) -> Result<(), Refused> {
        let is_sound = |bytes: &Vec<u8>| (1..=CertificateChain::BYTES_MAX).contains(&bytes.len());
        let bound = 1..=Self::AUTHORITIES_MAX;
        if bound.contains(&authorities.len()) && authorities.iter().all(is_sound) {
            return Ok(());
        }
        let most = Self::AUTHORITIES_MAX;
        Err(Refused::Malformed(format!("1 to {most} authority certificates are expected")))
    }
}

impl Departures {
    /// Whether the grace of any is still running.
    pub fn is_any_awaited(&self) -> bool {
        self.0.values().any(|departure| departure.case.is_none())
    }

    pub fn get(&self, host: &HostId) -> Option<&Departure> {
        self.0.get(host)
    }

    /// Everybody who said goodbye and is not back.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> {
        self.0.keys().copied()
    }

    pub fn awaited(&self) -> impl Iterator<Item = (HostId, LedgerTime)> {
        self.0
            .iter()
            .filter(|(_, departure)| departure.case.is_none())
            .map(|(host, departure)| (*host, departure.at))
    }

    pub fn ticketed(&mut self, host: HostId, case: CaseId) {
        if let Some(departure) = self.0.get_mut(&host) {
            departure.case = Some(case);
        }
    }
}

impl Ledger {
    pub(crate) fn found(
        &mut self,
        by: HostId,
        (cluster, authorities, keepers): FoundingTerms<'_>,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        if self.state.founding.is_some() {
            return Err(Refused::AlreadyFounded);
        }
        Founding::bounded(authorities)?;
        let founders = founders(cluster, authorities, keepers, verifier)?;
        let voters: Vec<HostId> = founders.iter().map(|(claims, _)| claims.id()).collect();
        if !voters.contains(&by) {
            return Err(Refused::NotPermitted(
                "a ledger is founded from one of its first keepers".into(),
            ));
        }
        self.state.roster = Arc::new(Roster::new(cluster.clone()));
        self.state.founding = Some(Arc::new(Founding {
            cluster: cluster.clone(),
            authorities: authorities.to_vec(),
            voters: voters.clone(),
        }));
        self.record(What::Founded { cluster: cluster.clone(), voters });
        self.put_claims(founders);
        Ok(Outcome::Done)
    }

    pub(crate) fn enrol(
        &mut self,
        by: HostId,
        chain: &CertificateChain,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        let founding = self.state.founding.clone().ok_or(Refused::NotFounded)?;
        let (claims, key) = read(&founding.cluster, &founding.authorities, chain, verifier)?;
        // Law F12.
        if self.rules() >= rules::SECOND && !key.is_sound() {
            return Err(Refused::Certificate(CertificateFault::WeakKey));
        }
        let host = claims.id();
        // Another's certificate is public: an old one must not move its host back.
        if host != by {
            return Err(Refused::NotPermitted("a host enrols only itself".into()));
        }
        match self.state.roster.get_even_retired(&host) {
            None => {
                self.needs_no_addition(&claims)?;
                let waits = self.state.enrolling.get(&host).is_some();
                if !waits && !self.is_added(&host) {
                    self.room_for_one()?;
                }
            }
            Some(entry) if entry.is_retired => return Err(Refused::Retired),
            Some(entry) if entry.claims == claims && speaks(entry, &key) => {
                self.note_certificate_end(host, chain, verifier);
                self.await_no_epoch(&host);
                return Ok(Outcome::Done);
            }
            Some(entry) => {
                if let Some(hold) = self.move_hold(entry, &claims) {
                    return Err(hold);
                }
            }
        }
        self.note_certificate_end(host, chain, verifier);
        self.await_epoch(claims, key);
        Ok(Outcome::Done)
    }

    pub(crate) fn boot(
        &mut self,
        by: HostId,
        boot: Boot,
        address: Address,
        store: Option<StoreId>,
    ) -> Result<Outcome, Refused> {
        let entry = self.member(by)?;
        if store.is_some() && !entry.claims.roles.keeper {
            return Err(Refused::NotPermitted("only a keeper has a store".into()));
        }
        let is_new = match entry.boot {
            Some(known) if boot.number < known.number => {
                self.heard_again(by, boot);
                return Err(Refused::BootTooLow(known));
            }
            // protocol 1.2: two nonces under one number are two machines.
            Some(known) if boot.number == known.number && boot.nonce != known.nonce => {
                self.two_machines(by, (known, boot));
                return Err(Refused::Duplicate(known));
            }
            Some(known) => boot.number > known.number,
            None => true,
        };
        Arc::make_mut(&mut self.state.roster).set_boot(&by, boot, address, store);
        if is_new {
            self.record(What::Booted { host: by, boot });
            self.outlived(by);
            self.welcome_back(by);
        }
        Ok(Outcome::Done)
    }

    pub(crate) fn left(&mut self, by: HostId, boot: Boot) -> Result<Outcome, Refused> {
        match self.member(by)?.boot {
            Some(known) if known == boot => {}
            Some(known) => return Err(Refused::BootTooLow(known)),
            None => return Err(Refused::Nothing),
        }
        if self.state.departures.get(&by).is_some() {
            return Ok(Outcome::Done);
        }
        let departure = Departure { at: self.state.time, case: None };
        let departures = Arc::make_mut(&mut self.state.departures);
        departures.0.insert(by, departure);
        self.record(What::Left { host: by, boot });
        self.settled_by_goodbye(&by);
        self.end_domains_that_are_back();
        Ok(Outcome::Done)
    }

    pub(crate) fn retire(
        &mut self,
        by: HostId,
        host: HostId,
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.ordered(by, order)?;
        let roster = &self.state.roster;
        if roster.get_even_retired(&host).is_none() {
            return Err(Refused::UnknownHost);
        }
        if roster.get(&host).is_none() {
            return Err(Refused::Retired);
        }
        if self.voters().contains(&host) {
            return Err(Refused::NotPermitted(
                "a voter of the ledger cannot be retired; `hale keeper remove` takes its vote first".into(),
            ));
        }
        if self.had_a_vote(&host) {
            return Err(Refused::NotPermitted(
                "its store votes still; once `hale keeper list` shows it as a spare it can be retired".into(),
            ));
        }
        let case = self.state.cases.of_host(&host).cloned();
        if let Some(case) = &case {
            // Its lease counts until the end of the remedy is known (law B2).
            if case.pending().is_some() {
                return Err(Refused::CaseOpen(case.id));
            }
            self.close(Case::clone(case), Closure::Retired);
        }
        Arc::make_mut(&mut self.state.roster).retire(&host);
        Arc::make_mut(&mut self.state.departures).0.remove(&host);
        self.forget_certificate_end(&host);
        self.forget_exemption(&host);
        self.forget_slots(&host);
        self.forget_bindings(&host, order);
        self.record(What::Retired { host, who: order.who.clone(), why: order.why.clone() });
        self.end_domains_that_are_back();
        Ok(Outcome::Done)
    }

    /// The entry of a host that belongs.
    pub(crate) fn member(&self, host: HostId) -> Result<&roster::Entry, Refused> {
        match self.state.roster.get_even_retired(&host) {
            None => Err(Refused::UnknownHost),
            Some(entry) if entry.is_retired => Err(Refused::Retired),
            Some(entry) => Ok(entry),
        }
    }

    /// Checks a person's order: from a host that may bring one, signed with a name and a reason.
    ///
    /// Law F10. Whoever holds the certificate of any other host could else set a policy, and
    /// with it the programs that healers run.
    pub(crate) fn ordered(&self, by: HostId, order: &Order) -> Result<(), Refused> {
        let is_keeper = self.member(by)?.claims.roles.keeper;
        if !is_keeper && self.rules() >= rules::SECOND {
            return Err(Refused::NotPermitted(self.where_orders_are_taken()));
        }
        let (who, why) = (order.who.len(), order.why.len());
        if (1..=Order::WHO_BYTES_MAX).contains(&who) && (1..=Order::WHY_BYTES_MAX).contains(&why) {
            return Ok(());
        }
        Err(Refused::Malformed(format!(
            "an order names who asks (1 to {} bytes, {who} given) and why (1 to {} bytes, {why} given)",
            Order::WHO_BYTES_MAX,
            Order::WHY_BYTES_MAX,
        )))
    }

    fn where_orders_are_taken(&self) -> String {
        let name = |host: &HostId| Some(self.state.roster.get(host)?.claims.host.to_string());
        let keepers: Vec<String> = self.voters().iter().filter_map(name).collect();
        format!("orders are taken on keepers' hosts alone: give it on {}", keepers.join(", "))
    }

    /// protocol 1.3: a change of domain or group is refused while a case on the host is open, or it may be rebooting.
    pub(crate) fn move_hold(&self, entry: &roster::Entry, claims: &Claims) -> Option<Refused> {
        let moves = entry.claims.domain != claims.domain || entry.claims.group != claims.group;
        let host = Some(claims.id()).filter(|_| moves)?;
        let case = self.state.cases.of_host(&host).map(|case| Refused::CaseOpen(case.id));
        let slot = self.slot_of_host(&host);
        case.or(slot.map(|(client, _)| Refused::SlotHeld { client: client.to_string() }))
    }

    /// A host that said goodbye is back: its ticket is over.
    fn welcome_back(&mut self, host: HostId) {
        if self.state.departures.get(&host).is_none() {
            return;
        }
        let departure = Arc::make_mut(&mut self.state.departures).0.remove(&host);
        let ticket = departure.and_then(|departure| departure.case);
        let ticket = ticket.and_then(|id| self.state.cases.get(id).cloned());
        if let Some(case) = ticket.filter(|case| matches!(case.stage, Stage::Open)) {
            self.close(Case::clone(&case), Closure::Recovered);
        }
    }
}

impl Order {
    /// A user name or id.
    pub const WHO_BYTES_MAX: usize = 64;
    /// A few sentences.
    pub const WHY_BYTES_MAX: usize = 500;
}

fn speaks(entry: &roster::Entry, key: &PublicKey) -> bool {
    entry.keys.iter().any(|(_, own)| own == key)
}

fn founders(
    cluster: &ClusterName,
    authorities: &[Vec<u8>],
    keepers: &[CertificateChain],
    verifier: &dyn Verifier,
) -> Result<Vec<(Claims, PublicKey)>, Refused> {
    if !Founding::VOTERS.contains(&keepers.len()) {
        return Err(Refused::Malformed(format!(
            "a ledger has 1, 3, 5 or 7 voters, {} are named",
            keepers.len()
        )));
    }
    let mut founders: Vec<(Claims, PublicKey)> = Vec::new();
    for chain in keepers {
        let (claims, key) = read(cluster, authorities, chain, verifier)?;
        let host = &claims.host;
        if !claims.roles.keeper {
            return Err(Refused::NotPermitted(format!(
                "the certificate of {host} does not name it a keeper"
            )));
        }
        if founders.iter().any(|(known, _)| known.id() == claims.id()) {
            return Err(Refused::Malformed(format!("{host} is named twice")));
        }
        founders.push((claims, key));
    }
    Ok(founders)
}

fn read(
    cluster: &ClusterName,
    authorities: &[Vec<u8>],
    chain: &CertificateChain,
    verifier: &dyn Verifier,
) -> Result<(Claims, PublicKey), Refused> {
    let size = chain.0.iter().map(Vec::len).sum::<usize>();
    if chain.0.is_empty() || size > CertificateChain::BYTES_MAX {
        return Err(Refused::Certificate(CertificateFault::Size));
    }
    let (claims, key) = verifier.claims(authorities, chain).map_err(Refused::Certificate)?;
    if claims.cluster != *cluster {
        return Err(Refused::Certificate(CertificateFault::Claims(format!(
            "it belongs to cluster {}, this is {cluster}",
            claims.cluster
        ))));
    }
    Ok((claims, key))
}
