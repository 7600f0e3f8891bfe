//! Which hosts a virtual fleet has, where they stand, and what the weather between them is.
//!
//! Not here: anything that happens to them (see `fault`).

use std::collections::BTreeSet;
use std::fmt;

use vocabulary::{
    Claims, ClusterName, Domain, GroupName, HostName, Label, LabelFault, Roles, Span,
};

/// The cluster of every virtual fleet.
pub const CLUSTER: &str = "virtual";

/// The region of virtual hosts that are not said to stand elsewhere: a second one would change nothing that a zone does not.
const REGION: &str = "lab";

/// What a fleet is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Who there is; the keepers among them found the ledger.
    pub hosts: Vec<Claims>,
    /// The keepers that do not: they have no vote until they are given one.
    pub spares: BTreeSet<HostName>,
    /// The text of `policy.toml`; without one the mesh only observes.
    pub policy: Option<String>,
    /// Between the hosts.
    pub weather: Weather,
    /// All chance comes from here.
    pub seed: u64,
    /// Whether everybody is enrolled and known to everybody before the first moment, so that no join storm comes first.
    pub is_settled: bool,
}

/// What every link is like unless it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// One way takes at least this (default 1 ms).
    pub latency: Span,
    /// And at most so much more (default 2 ms).
    pub jitter: Span,
    /// Of a thousand datagrams so many are lost (default none); streams repeat themselves and come later.
    pub loss_permille: u32,
}

/// Why there is no such fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupFault {
    /// A name is no name.
    Name(LabelFault),
    /// Two hosts bear this name.
    Twice(String),
    /// The ledger has 1, 3, 5 or 7 keepers; so many are there.
    Keepers(usize),
    /// More hosts than [`Setup::HOSTS_MAX`].
    TooMany(usize),
    /// The ledger refuses the policy.
    Policy(String),
}

impl Setup {
    /// Ten thousand are simulated, with room; an address of the virtual network could tell four times as many apart.
    pub const HOSTS_MAX: usize = 16_384;

    /// These hosts in fair weather, under this seed, without a policy.
    pub fn new(hosts: Vec<Claims>, seed: u64) -> Self {
        Self {
            hosts,
            spares: BTreeSet::new(),
            policy: None,
            weather: Weather::default(),
            seed,
            is_settled: false,
        }
    }

    /// The same under this policy.
    #[must_use]
    pub fn with_policy(self, text: &str) -> Self {
        Self { policy: Some(text.to_owned()), ..self }
    }

    /// The same, enrolled and known to one another from the start.
    #[must_use]
    pub fn settled(self) -> Self {
        Self { is_settled: true, ..self }
    }

    /// The topology of `hale demo`: three zones of two, racks of one, a keeper in each zone, every host a healer.
    pub fn demo(seed: u64) -> Self {
        let names = ["a1", "a2", "b1", "b2", "c1", "c2"];
        let hosts = names.map(|name| Place::new(name, &name[..1]).claims());
        let hosts = hosts.into_iter().collect::<Result<Vec<Claims>, _>>();
        let mut hosts = hosts.expect("these names are names");
        for claims in &mut hosts {
            claims.roles.keeper = claims.host.as_str().ends_with('1');
        }
        Self::new(hosts, seed)
    }

    /// So many hosts, dealt in turn over so many zones, two to a rack; the first three are keepers, of fewer the first alone.
    pub fn grid(hosts: usize, zones: usize, seed: u64) -> Self {
        let zones = zones.max(1);
        let claims = (0..hosts).map(|number| {
            let (zone, place) = (number % zones, number / zones);
            let mut claims = Place {
                rack: format!("z{zone}r{}", place / 2),
                ..Place::new(&format!("h{number}"), &format!("z{zone}"))
            }
            .claims()
            .expect("letters and digits are a name");
            claims.roles.keeper = number < if hosts < 3 { 1 } else { 3 };
            claims
        });
        Self::new(claims.collect(), seed)
    }

    /// Whether it is one of the ledger's first voters.
    pub(crate) fn is_founder(&self, claims: &Claims) -> bool {
        claims.roles.keeper && !self.spares.contains(&claims.host)
    }

    pub(crate) fn check(&self) -> Result<(), SetupFault> {
        if self.hosts.len() > Self::HOSTS_MAX {
            return Err(SetupFault::TooMany(self.hosts.len()));
        }
        let mut seen = BTreeSet::new();
        for claims in &self.hosts {
            if !seen.insert(claims.host.clone()) {
                return Err(SetupFault::Twice(claims.host.to_string()));
            }
        }
        let keepers = self.hosts.iter().filter(|claims| self.is_founder(claims)).count();
        if matches!(keepers, 1 | 3 | 5 | 7) { Ok(()) } else { Err(SetupFault::Keepers(keepers)) }
    }
}

impl Default for Weather {
    fn default() -> Self {
        Self { latency: Span::milliseconds(1), jitter: Span::milliseconds(2), loss_permille: 0 }
    }
}

/// Where a host stands and what it is for, before it is checked.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its zone.
    pub zone: String,
    /// Its rack within the zone.
    pub rack: String,
    /// Its group.
    pub group: String,
    /// What it may do.
    pub roles: Roles,
}

impl Place {
    /// A healer of group `web` in a rack of its own.
    pub fn new(name: &str, zone: &str) -> Self {
        Self {
            name: name.to_owned(),
            region: REGION.to_owned(),
            zone: zone.to_owned(),
            rack: name.to_owned(),
            group: "web".to_owned(),
            roles: Roles { keeper: false, healer: true },
        }
    }

    /// What its certificate says.
    pub fn claims(&self) -> Result<Claims, SetupFault> {
        Ok(Claims {
            cluster: ClusterName::new(CLUSTER)?,
            host: HostName::new(&self.name)?,
            domain: Domain {
                region: Label::new(&self.region)?,
                zone: Label::new(&self.zone)?,
                rack: Label::new(&self.rack)?,
            },
            group: GroupName::new(&self.group)?,
            roles: self.roles,
        })
    }
}

impl From<LabelFault> for SetupFault {
    fn from(fault: LabelFault) -> Self {
        Self::Name(fault)
    }
}

impl fmt::Display for SetupFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(fault) => fault.fmt(out),
            Self::Twice(name) => write!(out, "two hosts bear the name {name}"),
            Self::Keepers(found) => {
                write!(out, "a ledger has 1, 3, 5 or 7 keepers, not {found}")
            }
            Self::TooMany(found) => write!(
                out,
                "{found} hosts are more than the {} that are simulated",
                Setup::HOSTS_MAX
            ),
            Self::Policy(why) => write!(out, "the policy is refused: {why}"),
        }
    }
}

impl std::error::Error for SetupFault {}
