//! Where the acts are played: the fleet, the view into it, the journal, and waiting for something to become true.
//!
//! Law S1: every wait has an end, and one that ends in vain is a proof that did not hold, with what was seen instead.
//! Not here: what is waited for (see `acts`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::audit::Record;
use tokio::time::{self, Instant};
use vocabulary::{ClusterName, HostId, HostName};

use super::fleet::Fleet;
use super::history::History;
use super::journal::{Journal, Line};
use super::plan::{CLUSTER, HOSTS, HOSTS_COUNT, Place, place_of};
use super::proofs::{self, Proof};
use super::sight::Sight;
use super::story::Story;

/// Often enough to tell things as they happen, seldom enough to cost the mesh nothing.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Everything that an act needs.
pub struct Stage {
    /// The hosts.
    pub fleet: Arc<Fleet>,
    /// What their agents say.
    pub sight: Sight,
    /// What the demo itself saw of remedies.
    pub journal: Arc<Journal>,
    /// Who listens.
    pub story: Story,
    /// The verified audit so far, told as it grew.
    pub history: History,
    /// Whose agent is asked while an act goes on.
    pub witness: Place,
}

/// The mesh with nothing to do: every agent says that every host is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calm {
    /// Who leads.
    pub leader: Place,
    /// In which term.
    pub term: u64,
    /// The number of each host's life, by name.
    pub boots: BTreeMap<String, u64>,
    /// The newest record of the audit.
    pub head: u64,
    /// How many lines the journal has.
    pub lines: usize,
}

/// What one agent says of a calm mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    leader: Place,
    term: u64,
    boots: BTreeMap<String, u64>,
}

/// What keeps the mesh from being calm, in words.
type Unrest = String;

impl Stage {
    /// Waits until every agent says that every host is well, that no case is open, no brake on, and who leads, and until each
    /// has reached every host that it watches.
    pub async fn calm(&mut self, within: Duration) -> Result<Calm, Proof> {
        let until = Instant::now() + within;
        loop {
            let unrest = match self.is_calm().await {
                Ok(calm) => return Ok(calm),
                Err(unrest) => unrest,
            };
            if Instant::now() > until {
                let claim =
                    format!("within {} s all six agents say that all is well", within.as_secs());
                return Err(Proof::overdue(claim, self.said_by_all(unrest).await));
            }
            self.follow().await?;
            time::sleep(LOOK_EVERY).await;
        }
    }

    async fn is_calm(&self) -> Result<Calm, Unrest> {
        let mut agreed: Option<Seen> = None;
        let mut term = 0;
        for (place, host) in HOSTS.iter().enumerate() {
            let seen = self.calm_by(place).await?;
            // Only a keeper is told of terms.
            term = term.max(seen.term);
            let one = agreed.get_or_insert_with(|| seen.clone());
            if (one.leader, &one.boots) != (seen.leader, &seen.boots) {
                return Err(format!(
                    "{} and {} differ: {one} and {seen}",
                    HOSTS[0].name, host.name
                ));
            }
        }
        let seen = agreed.ok_or("nobody was asked")?;
        for (place, host) in HOSTS.iter().enumerate() {
            let blind = self.sight.blind_to(place).await;
            let blind = blind.map_err(|why| format!("{}: {why}", host.name))?;
            if !blind.is_empty() {
                return Err(format!("{} has not reached {} yet", host.name, blind.join(", ")));
            }
        }
        Ok(Calm {
            leader: seen.leader,
            term,
            boots: seen.boots,
            head: self.history.head().number,
            lines: self.journal.count(),
        })
    }

    async fn calm_by(&self, place: Place) -> Result<Seen, Unrest> {
        let name = HOSTS[place].name;
        let fault = |why: &dyn std::fmt::Display| format!("{name}: {why}");
        let status = self.sight.status(place).await.map_err(|why| fault(&why))?;
        if !status.fresh {
            return Err(fault(&"no majority stands behind its answer"));
        }
        let status = status.data;
        if status.cases_open > 0 {
            return Err(fault(&format_args!("{} cases are open", status.cases_open)));
        }
        if status.brake.is_on {
            return Err(fault(&status.brake.why.unwrap_or_default()));
        }
        let leader = status.keepers.leader.as_deref().and_then(place_of);
        let leader = leader.ok_or_else(|| fault(&"knows no leader"))?;
        let hosts = self.sight.hosts(place).await.map_err(|why| fault(&why))?;
        let hosts = hosts.data.hosts;
        if let Some(host) = hosts.iter().find(|host| host.state != "ok") {
            let by = host.doubted_by.join(", ");
            return Err(fault(&format_args!("{} is {} (doubted by: {by})", host.name, host.state)));
        }
        let boots: BTreeMap<String, u64> =
            hosts.into_iter().filter_map(|host| Some((host.name, host.boot?))).collect();
        if boots.len() < HOSTS_COUNT {
            return Err(fault(&format_args!("knows {} hosts", boots.len())));
        }
        Ok(Seen { leader, term: status.keepers.term, boots })
    }

    /// Reads what the witness has recorded since, verifies and tells it.
    pub async fn follow(&mut self) -> Result<(), Proof> {
        let above = self.history.head().number;
        // An agent that does not answer now is asked again; that it answers at all is proven at the end.
        let Ok(page) = self.sight.audit(self.witness, above).await else {
            return Ok(());
        };
        let (records, sentences): (Vec<Record>, Vec<String>) = page.into_iter().unzip();
        if let Err(broken) = self.history.extend(records) {
            let claim = "the audit chains without a break";
            return Err(Proof::new(claim, false, broken.to_string()));
        }
        for sentence in sentences {
            self.story.say(format!("audit: {sentence}"));
        }
        Ok(())
    }

    /// Follows the audit until it shows what is claimed.
    pub async fn until<T>(
        &mut self,
        claim: &str,
        within: Duration,
        shows: impl Fn(&History) -> Option<T>,
    ) -> Result<T, Proof> {
        let until = Instant::now() + within;
        loop {
            self.follow().await?;
            if let Some(shown) = shows(&self.history) {
                return Ok(shown);
            }
            if Instant::now() > until {
                let claim = format!("within {} s {claim}", within.as_secs());
                return Err(Proof::overdue(claim, self.unrest().await));
            }
            time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether any of these hosts is in doubt, as the witness has heard.
    pub async fn is_doubted(&self, places: &[Place]) -> bool {
        let Ok(hosts) = self.sight.hosts(self.witness).await else {
            return false;
        };
        let mut hosts = hosts.data.hosts.iter();
        hosts.any(|host| {
            let is_one = places.iter().any(|place| HOSTS[*place].name == host.name);
            is_one && (!host.doubted_by.is_empty() || matches!(&*host.state, "doubted" | "case"))
        })
    }

    /// What kept the mesh from being calm, and what each agent says of it now: one alone may be behind.
    async fn said_by_all(&self, unrest: Unrest) -> String {
        let mut said = vec![unrest];
        for (place, host) in HOSTS.iter().enumerate() {
            said.push(match self.calm_by(place).await {
                Ok(seen) => format!("now {} says that all is well: {seen}", host.name),
                Err(unrest) => format!("now {unrest}"),
            });
        }
        said.join("; ")
    }

    /// What keeps the mesh from being calm, for a proof that did not hold.
    async fn unrest(&self) -> String {
        match self.calm_by(self.witness).await {
            Ok(_) => format!("{} says that all is well", HOSTS[self.witness].name),
            Err(unrest) => unrest,
        }
    }

    /// What the journal has of an act, of one host or of all.
    pub fn lines(&self, since: &Calm, of: Option<Place>) -> Vec<Line> {
        let lines = self.journal.lines().into_iter().skip(since.lines);
        lines
            .filter(|line| of.is_none_or(|place| line.errand.subject == HOSTS[place].name))
            .collect()
    }

    /// The number of a host's life as each of the six agents says.
    pub async fn boots_of(&self, place: Place) -> Vec<Option<u64>> {
        let mut told = Vec::new();
        for asked in 0..HOSTS_COUNT {
            let boots = self.sight.boots(asked).await.unwrap_or_default();
            told.push(boots.get(HOSTS[place].name).copied());
        }
        told
    }

    /// Law A1, of all agents.
    pub async fn one_history(&self) -> Proof {
        let mut told = Vec::new();
        for (place, host) in HOSTS.iter().enumerate() {
            told.push((host.name, self.sight.history(place).await));
        }
        proofs::one_history(&told, &self.history)
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let boots = self.boots.iter();
        let boots: Vec<String> = boots.map(|(host, boot)| format!("{host} {boot}")).collect();
        let leader = HOSTS[self.leader].name;
        write!(out, "leader {leader}, boots {}", boots.join(" "))
    }
}

/// The id under which ledger and audit know a host.
pub fn id_of(place: Place) -> HostId {
    let cluster = ClusterName::new(CLUSTER).expect("the plan's names are sound, as its test shows");
    let host = HostName::new(HOSTS[place].name).expect("the plan's names are sound");
    HostId::derive(&cluster, &host)
}
