//! Where do the hosts stand, and what does each one's `hale.toml` say?
//!
//! Three zones, racks of two where the number allows, one keeper in each zone where nobody asks for more.
//! Not here: making any of it (see `fleet`, `network`).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use vocabulary::{
    Claims, ClusterName, Domain, GroupName, HostId, HostName, Label, LabelFault, Roles,
};

/// A host by its number, from 0.
pub type Place = usize;

/// Keepers of every mesh for which no other number is asked: the first hosts.
pub const KEEPERS_COUNT: usize = 3;

/// The mesh's name.
pub const CLUSTER: &str = "lab";

/// The port that `hale config example` names; every host has an address of its own.
const PORT: u16 = 7_946;

const ZONES: [&str; 3] = ["a", "b", "c"];
const RACK_HOSTS: usize = 2;

/// One host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned(pub Place);

impl Planned {
    /// Whether it carries the ledger, of [`KEEPERS_COUNT`] keepers.
    pub fn is_keeper(self) -> bool {
        self.0 < KEEPERS_COUNT
    }

    /// Its name.
    pub fn name(self) -> String {
        format!("h{}", self.0)
    }

    /// Its id in the mesh.
    pub fn id(self) -> Result<HostId, LabelFault> {
        Ok(HostId::derive(&ClusterName::new(CLUSTER)?, &HostName::new(&self.name())?))
    }

    /// What its certificate says, of [`KEEPERS_COUNT`] keepers.
    pub fn claims(self) -> Result<Claims, LabelFault> {
        self.claims_beside(KEEPERS_COUNT)
    }

    /// The same of a mesh with so many keepers.
    pub fn claims_beside(self, keepers: usize) -> Result<Claims, LabelFault> {
        let rack = self.0 / ZONES.len() / RACK_HOSTS;
        Ok(Claims {
            cluster: ClusterName::new(CLUSTER)?,
            host: HostName::new(&self.name())?,
            domain: Domain {
                region: Label::new("lab")?,
                zone: Label::new(ZONES[self.0 % ZONES.len()])?,
                rack: Label::new(&format!("r{rack}"))?,
            },
            group: GroupName::new("web")?,
            roles: Roles { keeper: self.0 < keepers, healer: true },
        })
    }

    /// Its address in its namespace.
    pub fn address(self) -> Ipv4Addr {
        let [high, low] = self.octets();
        Ipv4Addr::new(10, 77, high, low)
    }

    /// The hardware address of its one network card, known to all from the start, so that nobody ever asks for it.
    pub fn hardware(self) -> String {
        let [high, low] = self.octets();
        format!("02:77:00:00:{high:02x}:{low:02x}")
    }

    /// Never the first or the last address of a network.
    fn octets(self) -> [u8; 2] {
        const OF_ONE: usize = 250;
        let octet = |number: usize| u8::try_from(number).expect("at most 200 hosts");
        [octet(self.0 / OF_ONE), octet(self.0 % OF_ONE + 1)]
    }

    /// Where its agent listens.
    pub fn listens(self) -> SocketAddr {
        SocketAddr::from((self.address(), PORT))
    }

    /// Its own folder in that of all.
    pub fn files(self, all: &Path) -> Files {
        Files { folder: all.join(self.name()) }
    }

    /// The text of `hale.toml` in a mesh with so many keepers: nothing but what has no default.
    pub fn config_text(self, keepers: usize) -> String {
        let listens = self.listens();
        let others = (0..keepers).filter(|place| *place != self.0);
        let seeds: Vec<String> =
            others.map(|place| format!("\"{}\"", Planned(place).listens())).collect();
        format!(
            "\
[agent]
bind = \"{listens}\"
advertise = \"{listens}\"
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
        )
    }
}

/// The files of one host.
#[derive(Clone, Debug)]
pub struct Files {
    /// Certificate, key, and all below.
    pub folder: PathBuf,
}

impl Files {
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

    /// What its agents have written.
    pub fn log(&self) -> PathBuf {
        self.folder.join("agent.log")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use daemon::config::Config;

    use super::*;

    #[test]
    fn thirty_hosts_stand_in_three_zones_and_fifteen_racks_of_two() {
        let mut racks: BTreeMap<String, usize> = BTreeMap::new();
        for place in 0..30 {
            let domain = Planned(place).claims().expect("sound").domain;
            *racks.entry(format!("{:?} {:?}", domain.zone, domain.rack)).or_default() += 1;
        }
        assert_eq!(racks.len(), 15);
        assert!(racks.values().all(|hosts| *hosts == RACK_HOSTS));
    }

    #[test]
    fn no_two_hosts_share_an_address() {
        let addresses: BTreeSet<_> = (0..200).map(|place| Planned(place).address()).collect();
        let hardware: BTreeSet<_> = (0..200).map(|place| Planned(place).hardware()).collect();
        assert_eq!((addresses.len(), hardware.len()), (200, 200));
    }

    #[test]
    fn a_host_reads_its_own_file_as_it_was_meant() {
        let (host, folder) = (Planned(4), Path::new("/tmp/lab/h4"));
        let config =
            Config::read("hale.toml", &host.config_text(KEEPERS_COUNT), folder).expect("sound");
        assert_eq!(config.agent.bind, host.listens());
        assert_eq!(config.agent.seeds.len(), KEEPERS_COUNT);
        assert_eq!(config.admin.socket, folder.join("admin.sock"));
    }
}
