//! May another identity take the place of the one in force while the agent runs (protocol 1.3)?
//!
//! Law ID4: only the same host with the same claims follows itself: seats, domains and the keeper's store were laid out for
//! them when the agent started. Another key, other dates and another authority are what a renewal is for.
//! Law ID5: one authority's key stays: an agent that changed all of them at once would believe none of its peers.
//! Not here: whether the files are sound at all (see [`Identity::load`]), and who is told (see `host::credentials`).

use std::fmt;

use vocabulary::{PublicKey, Roles, Signer as _};

use super::{Identity, IdentityFault, certificate};

/// Why the identity in force stays; nothing has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewalFault {
    /// The files hold no sound identity.
    Unsound(IdentityFault),
    /// The new certificate claims something else.
    OtherClaims {
        /// Which claim.
        what: &'static str,
        /// What the files claim.
        found: String,
        /// What is in force.
        in_force: String,
    },
    /// The new authorities have no key in common with those in force.
    OtherAuthorities,
    /// The certificate cannot be used for TLS.
    Unusable(String),
    /// This agent does not read its identity from files.
    NoFiles,
}

/// What a look at the files came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The files hold what is in force already.
    Same,
    /// Another certificate, key or list of authorities.
    Other {
        /// Whether the key is another.
        has_other_key: bool,
    },
}

/// Laws ID4 and ID5.
pub fn judge(in_force: &Identity, next: &Identity) -> Result<Renewal, RenewalFault> {
    let (old, new) = (in_force.claims(), next.claims());
    let claims = [
        ("cluster", old.cluster.to_string(), new.cluster.to_string()),
        ("host", old.host.to_string(), new.host.to_string()),
        ("domain", old.domain.to_string(), new.domain.to_string()),
        ("group", old.group.to_string(), new.group.to_string()),
        ("roles", roles(old.roles), roles(new.roles)),
    ];
    for (what, in_force, found) in claims {
        if found != in_force {
            return Err(RenewalFault::OtherClaims { what, found, in_force });
        }
    }
    let known = keys(in_force);
    if !keys(next).iter().any(|key| known.contains(key)) {
        return Err(RenewalFault::OtherAuthorities);
    }
    let has_other_key = public(in_force) != public(next);
    let is_same = !has_other_key
        && in_force.chain() == next.chain()
        && in_force.authorities() == next.authorities();
    Ok(if is_same { Renewal::Same } else { Renewal::Other { has_other_key } })
}

fn roles(roles: Roles) -> String {
    match (roles.keeper, roles.healer) {
        (false, false) => "none",
        (true, false) => "keeper",
        (false, true) => "healer",
        (true, true) => "keeper, healer",
    }
    .to_owned()
}

fn public(identity: &Identity) -> PublicKey {
    identity.signer().public_key()
}

/// The authorities' keys: an authority whose certificate was renewed is the same authority.
fn keys(identity: &Identity) -> Vec<PublicKey> {
    let parsed = identity.authorities().iter().filter_map(|der| certificate::parse(der).ok());
    parsed.filter_map(|authority| certificate::public_key(&authority).ok()).collect()
}

impl RenewalFault {
    /// The rule by name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unsound(_) => "Unsound",
            Self::OtherClaims { .. } => "OtherClaims",
            Self::OtherAuthorities => "OtherAuthorities",
            Self::Unusable(_) => "Unusable",
            Self::NoFiles => "NoFiles",
        }
    }
}

impl fmt::Display for RenewalFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsound(fault) => write!(out, "{fault}"),
            Self::OtherClaims { what, found, in_force } => write!(
                out,
                "the new certificate is of {what} {found}, in force is {in_force}: a running agent takes another key and \
                 other dates, never other claims; restart it for those"
            ),
            Self::OtherAuthorities => write!(
                out,
                "none of the authorities in force is among the new ones: this host would believe nobody; \
                 keep the old authority beside the new one until every host has a certificate of the new one"
            ),
            Self::Unusable(why) => write!(out, "the certificate cannot be used: {why}"),
            Self::NoFiles => write!(out, "this agent reads its identity from no files"),
        }
    }
}

impl std::error::Error for RenewalFault {}
