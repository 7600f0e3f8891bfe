//! Asks the demo's agents what any operator may ask, at their admin sockets.
//!
//! Not here: waiting for an answer to change (see `stage`), judging one (see `proofs`).

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::audit::Record;
use serde::Serialize;

use super::fleet::Fleet;
use super::history::History;
use super::plan::{HOSTS, HOSTS_COUNT, Place};
use crate::admin::answer::{Answer, AuditPage, Certs, Explained, Hosts, Ordered, PathSeen, Status};
use crate::admin::client::{Client, ClientFault};

/// An agent on this machine answers within this, or is frozen.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// An order is committed by a majority first.
const ORDERED_WITHIN: Duration = Duration::from_secs(8);

/// Pages of one audit: many times what the demo writes.
const PAGES_MAX: usize = 64;

/// The admin sockets of all hosts.
pub struct Sight {
    clients: [Client; HOSTS_COUNT],
}

impl Sight {
    /// Of the hosts of this fleet.
    pub fn of(fleet: &Fleet) -> Self {
        let client = |place| Client::new(fleet.files(place).socket()).within(ANSWERS_WITHIN);
        Self { clients: std::array::from_fn(client) }
    }

    /// The mesh on one screen, as this host's agent sees it.
    pub async fn status(&self, place: Place) -> Result<Answer<Status>, ClientFault> {
        self.clients[place].ask("/v1/status").await
    }

    /// All hosts, as this host's agent sees them.
    pub async fn hosts(&self, place: Place) -> Result<Answer<Hosts>, ClientFault> {
        self.clients[place].ask("/v1/hosts").await
    }

    /// When certificates end, as this host's agent knows it.
    pub async fn certs(&self, place: Place) -> Result<Answer<Certs>, ClientFault> {
        self.clients[place].ask("/v1/certs").await
    }

    /// The hosts, retired ones too, to which this host's agent has a connection.
    pub async fn connected(&self, place: Place) -> Result<Vec<String>, ClientFault> {
        let hosts: Answer<Hosts> = self.clients[place].ask("/v1/hosts?retired=true").await?;
        let connected = hosts.data.hosts.into_iter().filter(|host| host.is_connected);
        Ok(connected.map(|host| host.name).collect())
    }

    /// The number of each host's life, as this host's agent knows it.
    pub async fn boots(&self, place: Place) -> Result<BTreeMap<String, u64>, ClientFault> {
        let hosts = self.hosts(place).await?.data.hosts.into_iter();
        Ok(hosts.filter_map(|host| Some((host.name, host.boot?))).collect())
    }

    /// The hosts that this one watches and has not reached on any path yet: their silence would prove nothing to it
    /// (protocol 2.5).
    pub async fn blind_to(&self, place: Place) -> Result<Vec<&'static str>, ClientFault> {
        let mut blind = Vec::new();
        for host in HOSTS.iter().filter(|host| host.name != HOSTS[place].name) {
            let path = format!("/v1/explain/{}", host.name);
            let explained: Answer<Explained> = self.clients[place].ask(&path).await?;
            let observers = explained.data.host.into_iter().flat_map(|host| host.observers);
            let mut own = observers.filter(|seen| seen.observer == HOSTS[place].name);
            let is_of_the_agent =
                |seen: &PathSeen| ["warm", "stream", "fresh dial"].contains(&seen.path.as_str());
            let has_answered =
                |seen: &PathSeen| is_of_the_agent(seen) && seen.reading == "answered";
            if own.any(|seen| !seen.paths.iter().any(has_answered)) {
                blind.push(host.name);
            }
        }
        Ok(blind)
    }

    /// Gives an order to this host's agent, as an operator who sits there would.
    pub async fn order(
        &self,
        place: Place,
        path: &str,
        order: &impl Serialize,
    ) -> Result<Answer<Ordered>, ClientFault> {
        let patient = self.clients[place].clone().within(ORDERED_WITHIN);
        patient.order(path, order).await
    }

    /// One page of the audit above this number, each record with the sentence that the agent has for it.
    pub async fn audit(&self, place: Place, above: u64) -> Result<Vec<(Record, String)>, String> {
        let path = format!("/v1/audit?since={above}");
        let page: Answer<AuditPage> =
            self.clients[place].ask(&path).await.map_err(|fault| fault.to_string())?;
        let records = page.data.records.into_iter();
        records
            .map(|record| {
                let unsealed = record.unseal().map_err(|fault| fault.to_string())?;
                let of = record.case.map(|case| format!("case {case}: "));
                let sentence = format!("{}{}", of.unwrap_or_default(), record.sentence);
                Ok((unsealed, sentence))
            })
            .collect()
    }

    /// The whole audit of one agent, chained again from its first record to the head that it claims.
    pub async fn history(&self, place: Place) -> Result<History, String> {
        let mut history = History::default();
        for _ in 0..PAGES_MAX {
            let page = self.audit(place, history.head().number).await?;
            if page.is_empty() {
                return Ok(history);
            }
            let records = page.into_iter().map(|(record, _)| record).collect();
            history.extend(records).map_err(|broken| broken.to_string())?;
        }
        Err(format!("the audit of {} does not end within {PAGES_MAX} pages", HOSTS[place].name))
    }
}
