//! Which hosts the demo's mesh has, where they stand, and what their files say.
//!
//! Not here: starting anything (see `fleet`).

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use vocabulary::{Claims, ClusterName, Domain, GroupName, HostName, Label, LabelFault, Roles};

/// A host's number in [`HOSTS`]; small enough to stand for the host everywhere in the demo.
pub type Place = usize;

/// How many hosts there are.
pub const HOSTS_COUNT: usize = 6;

/// Three zones of two, one keeper in each; every host may heal.
pub const HOSTS: [Planned; HOSTS_COUNT] = [
    Planned::new("a1", "a", true),
    Planned::new("a2", "a", false),
    Planned::new("b1", "b", true),
    Planned::new("b2", "b", false),
    Planned::new("c1", "c", true),
    Planned::new("c2", "c", false),
];

/// The cluster's name.
pub const CLUSTER: &str = "demo";

/// The one group of all hosts.
const GROUP: &str = "web";

/// The one region of all zones.
const REGION: &str = "lab";

/// One host of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its name, which is that of its rack as well: racks hold one host.
    pub name: &'static str,
    /// Its zone.
    pub zone: &'static str,
    /// Whether it carries the ledger.
    pub is_keeper: bool,
}

/// Where one host's files lie.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

/// What a host's configuration must say.
pub struct Reached {
    /// Where its agent listens.
    pub bind: SocketAddr,
    /// For each host but itself, the relay by which it is dialled from here.
    pub relays: Vec<(&'static str, SocketAddr)>,
    /// The relays to the keepers, asked first.
    pub seeds: Vec<SocketAddr>,
}

impl Planned {
    const fn new(name: &'static str, zone: &'static str, is_keeper: bool) -> Self {
        Self { name, zone, is_keeper }
    }

    /// What its certificate says.
    pub fn claims(&self) -> Result<Claims, LabelFault> {
        Ok(Claims {
            cluster: ClusterName::new(CLUSTER)?,
            host: HostName::new(self.name)?,
            domain: Domain {
                region: Label::new(REGION)?,
                zone: Label::new(self.zone)?,
                rack: Label::new(self.name)?,
            },
            group: GroupName::new(GROUP)?,
            roles: Roles { keeper: self.is_keeper, healer: true },
        })
    }
}

/// Which host has this name.
pub fn place_of(name: &str) -> Option<Place> {
    HOSTS.iter().position(|host| host.name == name)
}

/// The hosts of a zone.
pub fn places_in(zone: &str) -> Vec<Place> {
    let all = HOSTS.iter().enumerate();
    all.filter(|(_, host)| host.zone == zone).map(|(place, _)| place).collect()
}

impl Files {
    /// The files of a host in the folder of the whole mesh.
    pub fn of(mesh: &Path, host: &Planned) -> Self {
        Self { folder: mesh.join(host.name) }
    }

    /// The host's own folder: certificate, key, and all below.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `hale.toml`.
    pub fn config(&self) -> PathBuf {
        self.folder.join("hale.toml")
    }

    /// Boot number and ledger.
    pub fn storage(&self) -> PathBuf {
        self.folder.join("storage")
    }

    /// The admin socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("admin.sock")
    }

    /// What its agents have written, one life after the other.
    pub fn log(&self) -> PathBuf {
        self.folder.join("agent.log")
    }

    /// The text of `hale.toml`; paths are relative, so that the folder can be looked at wherever it lies.
    pub fn config_text(&self, reached: &Reached) -> String {
        let bind = reached.bind;
        let seeds: Vec<String> = reached.seeds.iter().map(|at| format!("\"{at}\"")).collect();
        let mut text = format!(
            "\
# Made by `hale demo`; `hale config example` explains every key.
[agent]
bind = \"{bind}\"
advertise = \"{bind}\"
seeds = [{}]

[identity]
certificate = \"host.pem\"
key = \"host.key\"
authority = \"authority.pem\"

[storage]
folder = \"storage\"

[admin]
socket = \"admin.sock\"
",
            seeds.join(", ")
        );
        for (host, address) in &reached.relays {
            // Writing to a string does not fail.
            let _ = write!(text, "\n[[reach]]\nhost = \"{host}\"\naddress = \"{address}\"\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_plan_is_three_zones_of_two_with_one_keeper_each() {
        let zones: BTreeSet<&str> = HOSTS.iter().map(|host| host.zone).collect();
        assert_eq!(zones.len(), 3);
        for zone in zones {
            let places = places_in(zone);
            assert_eq!(places.len(), 2);
            let keepers = places.iter().filter(|place| HOSTS[**place].is_keeper);
            assert_eq!(keepers.count(), 1);
        }
        assert!(HOSTS.iter().all(|host| host.claims().is_ok()));
        assert_eq!(place_of("b2"), Some(3));
        assert_eq!(place_of("z"), None);
    }

    #[test]
    fn a_host_reads_its_own_file_as_it_was_meant() {
        let files = Files::of(Path::new("/tmp/mesh"), &HOSTS[0]);
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let reached = Reached {
            bind: at(1_000),
            relays: vec![("b1", at(1_001)), ("c1", at(1_002))],
            seeds: vec![at(1_001), at(1_002)],
        };
        let text = files.config_text(&reached);
        let config = Config::read("hale.toml", &text, files.folder()).expect("sound");
        assert_eq!(config.agent.bind, at(1_000));
        assert_eq!(config.agent.seeds.len(), 2);
        assert_eq!(config.reach.len(), 2);
        assert_eq!(config.admin.socket, files.socket());
        assert_eq!(config.storage, files.storage());
    }
}
