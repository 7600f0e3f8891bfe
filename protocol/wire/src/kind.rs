//! Who may send what: the role of the sender is checked per kind of message, not per connection (protocol 1.7).
//!
//! Law W4: what is not permitted here is refused.

use vocabulary::Roles;

use crate::message::Request;

/// The kinds of request, as the role table knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Request::Probe`].
    Probe,
    /// [`Request::Doubts`].
    Doubts,
    /// [`Request::Look`].
    Look,
    /// [`Request::Ask`].
    Ask,
    /// [`Request::Relay`].
    Relay,
    /// [`Request::RoundFor`].
    RoundFor,
    /// [`Request::Propose`].
    Propose,
    /// [`Request::ReadIndex`].
    ReadIndex,
    /// [`Request::Follow`].
    Follow,
    /// [`Request::Raft`].
    Raft,
    /// [`Request::Standing`].
    Standing,
    /// [`Request::Members`].
    Members,
    /// [`Request::Support`].
    Support,
    /// [`Request::StateAt`].
    StateAt,
    /// [`Request::Hears`].
    Hears,
    /// [`Request::Report`].
    Report,
    /// [`Request::Unfit`].
    Unfit,
    /// [`Request::LookAtCheck`].
    LookAtCheck,
}

/// A refusal by the role table, for logs and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked.
    pub kind: Kind,
    /// What the asker's certificate allows.
    pub roles: Roles,
}

impl Kind {
    /// Every kind, for the table test.
    pub const ALL: [Self; 18] = [
        Self::Probe,
        Self::Doubts,
        Self::Look,
        Self::Ask,
        Self::Relay,
        Self::RoundFor,
        Self::Propose,
        Self::ReadIndex,
        Self::Follow,
        Self::Raft,
        Self::Standing,
        Self::Members,
        Self::Support,
        Self::StateAt,
        Self::Hears,
        Self::Report,
        Self::Unfit,
        Self::LookAtCheck,
    ];

    /// The kind of a request.
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Probe => Self::Probe,
            Request::Doubts(_) => Self::Doubts,
            Request::Look { .. } => Self::Look,
            Request::Ask { .. } => Self::Ask,
            Request::Relay { .. } => Self::Relay,
            Request::RoundFor { .. } => Self::RoundFor,
            Request::Propose(_) => Self::Propose,
            Request::ReadIndex => Self::ReadIndex,
            Request::Follow { .. } => Self::Follow,
            Request::Raft(_) => Self::Raft,
            Request::Standing => Self::Standing,
            Request::Members(_) => Self::Members,
            Request::Support => Self::Support,
            Request::StateAt { .. } => Self::StateAt,
            Request::Hears => Self::Hears,
            Request::Report(_) => Self::Report,
            Request::Unfit(_) => Self::Unfit,
            Request::LookAtCheck { .. } => Self::LookAtCheck,
        }
    }
}

/// Whether a host with these roles may ask for this kind; which command it may propose is the ledger's own rule.
pub fn admits(kind: Kind, roles: Roles) -> Result<(), Refusal> {
    let permitted = match kind {
        Kind::Raft
        | Kind::Standing
        | Kind::Look
        | Kind::LookAtCheck
        | Kind::Support
        | Kind::StateAt
        | Kind::Hears => roles.keeper,
        Kind::RoundFor => roles.healer || roles.keeper,
        Kind::Probe
        | Kind::Doubts
        | Kind::Ask
        | Kind::Relay
        | Kind::Propose
        | Kind::ReadIndex
        | Kind::Follow
        | Kind::Members
        | Kind::Report
        | Kind::Unfit => true,
    };
    if permitted { Ok(()) } else { Err(Refusal { kind, roles }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_table_is_what_the_protocol_says_for_every_kind_and_role() {
        let roles = |keeper, healer| Roles { keeper, healer };
        let table = |roles: Roles| -> Vec<Kind> {
            Kind::ALL.into_iter().filter(|kind| admits(*kind, roles).is_ok()).collect()
        };
        use Kind::{
            Ask, Doubts, Follow, Members, Probe, Propose, ReadIndex, Relay, Report, RoundFor, Unfit,
        };
        let plain =
            vec![Probe, Doubts, Ask, Relay, Propose, ReadIndex, Follow, Members, Report, Unfit];
        let mut healer = plain.clone();
        healer.insert(4, RoundFor);
        assert_eq!(table(roles(false, false)), plain);
        assert_eq!(table(roles(false, true)), healer);
        assert_eq!(table(roles(true, false)), Kind::ALL);
        assert_eq!(table(roles(true, true)), Kind::ALL);
    }
}
