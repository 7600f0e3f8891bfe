//! Who and where a host is: its id, its boots, its domain, and what its certificate claims.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::canonical::{Canonical, CanonicalBytes};
use crate::digest::Digest;
use crate::name::{ClusterName, GroupName, HostName, Label};

/// A host for the mesh: the first 16 bytes of SHA-256(cluster, 0, name) (protocol 1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostId(pub [u8; 16]);

/// One life of a host's agent: a number raised with fsync at every start, and a random nonce (protocol 1.2). Packed: as many are
/// held as there are hosts, several times over, and the nonce's own alignment would make each a third larger.
#[repr(Rust, packed(8))]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Boot {
    /// Raised before the first packet of each start.
    pub number: u64,
    /// Tells two machines apart that claim one number.
    pub nonce: u128,
}

/// Where a host stands: region / zone / rack, read from its certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Domain {
    /// The region.
    pub region: Label,
    /// The zone within the region.
    pub zone: Label,
    /// The rack within the zone.
    pub rack: Label,
}

/// A zone by its full path: zones of two regions may share a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Zone {
    /// The region.
    pub region: Label,
    /// The zone within the region.
    pub zone: Label,
}

/// What a host may do beyond being watched and watching.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Roles {
    /// May run the ledger's Raft.
    pub keeper: bool,
    /// May hold leases and see remedies through.
    pub healer: bool,
}

/// What a certificate says of its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claims {
    /// The mesh it belongs to.
    pub cluster: ClusterName,
    /// Its name.
    pub host: HostName,
    /// Where it stands.
    pub domain: Domain,
    /// What it is for.
    pub group: GroupName,
    /// What it may do.
    pub roles: Roles,
}

/// Where a host's agent listens: UDP for QUIC, and the same TCP port for the second channel.
pub type Address = SocketAddr;

/// Why a URI does not say what a host certificate must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimsFault(pub String);

impl HostId {
    /// protocol 1.1: first 16 bytes of SHA-256(cluster, 0, name).
    pub fn derive(cluster: &ClusterName, host: &HostName) -> Self {
        let digest = Digest::of(&[cluster.as_str().as_bytes(), &[0], host.as_str().as_bytes()]);
        let mut id = [0; 16];
        id.copy_from_slice(&digest.0[..16]);
        Self(id)
    }
}

impl Domain {
    /// The zone, by its full path.
    pub fn zone(&self) -> Zone {
        Zone { region: self.region.clone(), zone: self.zone.clone() }
    }

    /// Whether both stand in one zone.
    pub fn is_in_zone_of(&self, other: &Self) -> bool {
        self.zone == other.zone && self.region == other.region
    }
}

impl Claims {
    /// The id that follows from cluster and name.
    pub fn id(&self) -> HostId {
        HostId::derive(&self.cluster, &self.host)
    }

    /// `hale://CLUSTER/REGION/ZONE/RACK/HOST?group=G&roles=keeper+healer`, the one URI SAN of a host certificate.
    pub fn to_uri(&self) -> String {
        let roles = match (self.roles.keeper, self.roles.healer) {
            (false, false) => "",
            (true, false) => "&roles=keeper",
            (false, true) => "&roles=healer",
            (true, true) => "&roles=keeper+healer",
        };
        let Domain { region, zone, rack } = &self.domain;
        format!(
            "hale://{}/{region}/{zone}/{rack}/{}?group={}{roles}",
            self.cluster, self.host, self.group
        )
    }

    /// Reads what [`Claims::to_uri`] writes, and nothing else: one spelling per claim.
    pub fn from_uri(uri: &str) -> Result<Self, ClaimsFault> {
        let fault = |why: &str| {
            ClaimsFault(format!("{why} in {:?}", uri.chars().take(200).collect::<String>()))
        };
        let rest = uri.strip_prefix("hale://").ok_or_else(|| fault("no hale:// scheme"))?;
        let (path, query) = rest.split_once('?').ok_or_else(|| fault("no group"))?;
        let parts: Vec<&str> = path.split('/').collect();
        let [cluster, region, zone, rack, host] = parts[..] else {
            return Err(fault("expected CLUSTER/REGION/ZONE/RACK/HOST"));
        };
        let label = |text: &str| Label::new(text).map_err(|why| ClaimsFault(why.to_string()));
        let group = query.strip_prefix("group=").ok_or_else(|| fault("no group"))?;
        let (group, roles) = match group.split_once("&roles=") {
            None => (group, Roles::default()),
            Some((group, roles)) => {
                (group, Roles::from_uri(roles).ok_or_else(|| fault("unknown roles"))?)
            }
        };
        Ok(Self {
            cluster: ClusterName(label(cluster)?),
            host: HostName(label(host)?),
            domain: Domain { region: label(region)?, zone: label(zone)?, rack: label(rack)? },
            group: GroupName(label(group)?),
            roles,
        })
    }
}

impl Roles {
    fn from_uri(text: &str) -> Option<Self> {
        match text {
            "keeper" => Some(Self { keeper: true, healer: false }),
            "healer" => Some(Self { keeper: false, healer: true }),
            "keeper+healer" => Some(Self { keeper: true, healer: true }),
            _ => None,
        }
    }
}

impl Canonical for HostId {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.bytes(&self.0);
    }
}

impl Canonical for Boot {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.number(self.number).bytes(&self.nonce.to_be_bytes());
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for HostId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "host:")?;
        self.0[..4].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}", self.region, self.zone, self.rack)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.region, self.zone)
    }
}

impl fmt::Display for ClaimsFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for ClaimsFault {}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(roles: Roles) -> Claims {
        let label = |text| Label::new(text).expect("sound");
        Claims {
            cluster: ClusterName(label("prod-eu")),
            host: HostName(label("web-a-07")),
            domain: Domain { region: label("eu"), zone: label("eu-a"), rack: label("r1") },
            group: GroupName(label("web")),
            roles,
        }
    }

    #[test]
    fn claims_survive_the_way_through_a_uri() {
        for (keeper, healer) in [(false, false), (true, false), (false, true), (true, true)] {
            let claims = claims(Roles { keeper, healer });
            assert_eq!(Claims::from_uri(&claims.to_uri()), Ok(claims));
        }
    }

    #[test]
    fn a_uri_with_anything_else_in_it_is_refused() {
        for uri in [
            "spiffe://prod-eu/eu/eu-a/r1/web?group=web",
            "hale://prod-eu/eu/eu-a/web?group=web",
            "hale://prod-eu/eu/eu-a/r1/web",
            "hale://prod-eu/eu/eu-a/r1/web?group=web&roles=root",
            "hale://prod-eu/eu/eu-a/r1/web?group=web&roles=keeper&roles=healer",
            "hale://prod-eu/eu/eu-a/r1/we b?group=web",
        ] {
            assert!(Claims::from_uri(uri).is_err(), "{uri} passed");
        }
    }

    #[test]
    fn one_name_in_two_clusters_is_two_hosts() {
        let host = HostName::new("a").expect("sound");
        let id = |cluster| HostId::derive(&ClusterName::new(cluster).expect("sound"), &host);
        assert_ne!(id("one"), id("two"));
    }
}
