//! Why there is no verdict on a subject: the rule that says no, with its figures, in one sentence for `explain`.

use std::fmt;

use vocabulary::{HostId, Scope};

/// The first rule that stands between a subject and a verdict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoVerdict {
    /// protocol 3.4: with one or two hosts nobody can be judged by peers.
    FleetTooSmall {
        /// How many hosts there are.
        hosts: usize,
    },
    /// No word about it was offered: it was not looked at, or it is no host of the mesh.
    NotLookedAt,
    /// Words about it were offered and none of them counts; each has its own [`super::Void`].
    AllVoid {
        /// How many.
        offered: usize,
    },
    /// protocol 3.1: it answered for itself.
    SubjectAnswered,
    /// It signed an attestation about others for this very anchor: it lives.
    SubjectAttested,
    /// protocol 3.5: it belongs to a domain case.
    InDomain(Scope),
    /// protocol 3.4: more than f see it well.
    Contrary {
        /// How many see it well.
        have: usize,
        /// f.
        tolerated: usize,
    },
    /// protocol 3.4: too few voices against it.
    TooFewVoices {
        /// How many count.
        have: usize,
        /// How many are needed.
        need: usize,
        /// How many of its seats are vacant.
        vacant: usize,
    },
    /// Proofs of life, too many for `HostDown`, too few among the voices for `AgentDown`.
    LifeUnclear {
        /// All proofs of life.
        proofs: usize,
        /// Those among voices that count.
        voices: usize,
        /// f.
        tolerated: usize,
    },
    /// protocol 3.5: every other host of its rack or zone is silent too, and the domain is not proven down.
    WholeDomainInDoubt(Scope),
    /// protocol 3.5: no other host of its rack (of its zone, if it is alone in the rack) attested or is proven alive.
    NoWitness {
        /// Who could be one.
        asked: Vec<HostId>,
    },
    /// protocol 3.4: the filled seats stand in several zones, the voices all in one.
    OneZoneOnly,
    /// protocol 3.4: likewise for racks of one zone.
    OneRackOnly,
}

impl fmt::Display for NoVerdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FleetTooSmall { hosts } => {
                write!(out, "{hosts} hosts cannot judge each other: it takes three")
            }
            Self::NotLookedAt => write!(out, "it was not looked at in this round"),
            Self::AllVoid { offered } => {
                write!(out, "none of the {offered} words about it counts")
            }
            Self::SubjectAnswered => write!(out, "it answered for itself"),
            Self::SubjectAttested => write!(out, "it attested about others in this round"),
            Self::InDomain(scope) => write!(out, "it belongs to the case on {}", Place(scope)),
            Self::Contrary { have, tolerated } => {
                write!(out, "{have} observers see it well, {tolerated} may be mistaken")
            }
            Self::TooFewVoices { have, need, vacant } => write!(
                out,
                "{have} voices against it, {need} are needed ({vacant} seats are vacant)"
            ),
            Self::LifeUnclear { proofs, voices, tolerated } => write!(
                out,
                "{proofs} proofs of life, {voices} of them by voices that count: more than {tolerated} \
                 of these prove the host alive, at most {tolerated} of all leave it dead"
            ),
            Self::WholeDomainInDoubt(scope) => {
                write!(out, "all of {} is silent, which looks like a cut", Place(scope))
            }
            Self::NoWitness { asked } => {
                write!(out, "none of {} hosts beside it attested or is proven alive", asked.len())
            }
            Self::OneZoneOnly => {
                write!(out, "its observers stand in several zones, all voices in one")
            }
            Self::OneRackOnly => {
                write!(out, "its observers stand in several racks, all voices in one")
            }
        }
    }
}

/// A rack or zone by its path.
struct Place<'a>(&'a Scope);

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Scope::Host(host) => write!(out, "host {host}"),
            Scope::Rack(rack) => write!(out, "rack {rack}"),
            Scope::Zone(zone) => write!(out, "zone {zone}"),
            Scope::Group(group) => write!(out, "group {group}"),
            Scope::Fleet => write!(out, "the fleet"),
        }
    }
}
