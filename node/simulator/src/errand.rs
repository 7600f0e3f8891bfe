//! What for is a packet sent? So that whoever finds that hosts send too much can tell what weighs.
//!
//! Not here: how much a packet weighs (see `departing`).

use crate::mail::Parcel;

/// What a packet is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Errand {
    /// Observers' probes and the subjects' replies (protocol 2.2).
    Probe,
    /// Membership and health records (protocol 4).
    Gossip,
    /// Exchanges of digests (protocol 4).
    Members,
    /// Doubts told to the leader (protocol 2.6).
    Doubts,
    /// Looks, their questions and attestations (protocol 3.1).
    Round,
    /// Questions by way of a relay (protocol 3.1).
    Relay,
    /// Connections from a fresh port, to see whether anybody is there.
    FreshDial,
    /// Connections that are to stay.
    Dial,
    /// Whatever else.
    Other,
}

impl Errand {
    /// All of them, in their order.
    pub const ALL: [Self; 9] = [
        Self::Probe,
        Self::Gossip,
        Self::Members,
        Self::Doubts,
        Self::Round,
        Self::Relay,
        Self::FreshDial,
        Self::Dial,
        Self::Other,
    ];

    /// What figures call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probe => "probes",
            Self::Gossip => "gossip",
            Self::Members => "digests",
            Self::Doubts => "doubts",
            Self::Round => "rounds",
            Self::Relay => "relays",
            Self::FreshDial => "fresh_dials",
            Self::Dial => "dials",
            Self::Other => "others",
        }
    }

    pub(crate) fn of(parcel: &Parcel) -> Self {
        match parcel {
            Parcel::Datagram(bytes) => Self::of_datagram(variant(bytes)),
            Parcel::Ask { is_fresh: true, .. } | Parcel::Answer { is_fresh: true, .. } => {
                Self::FreshDial
            }
            Parcel::Ask { bytes, .. } => Self::of_request(variant(bytes)),
            Parcel::Answer { bytes, .. } => Self::of_response(variant(bytes)),
            Parcel::Dial | Parcel::Welcome => Self::Dial,
            Parcel::Reset | Parcel::Close => Self::Other,
        }
    }

    fn of_datagram(variant: u8) -> Self {
        if variant == 0 { Self::Gossip } else { Self::Probe }
    }

    fn of_request(variant: u8) -> Self {
        match variant {
            0 => Self::Probe,
            1 => Self::Doubts,
            2 | 3 => Self::Round,
            4 => Self::Relay,
            11 => Self::Members,
            _ => Self::Other,
        }
    }

    fn of_response(variant: u8) -> Self {
        match variant {
            0 => Self::Probe,
            2 | 3 => Self::Round,
            4 => Self::Relay,
            12 => Self::Members,
            _ => Self::Other,
        }
    }
}

/// The number of the message's variant: it stands right behind the version (the golden pages of `wire` hold both there), and to
/// read the whole message again would cost the simulator more than to send it.
fn variant(sealed: &[u8]) -> u8 {
    sealed.get(2).copied().unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use agent::CallId;
    use vocabulary::{Boot, HostId};
    use wire::frame::seal;
    use wire::{Datagram, Request, Response};

    use super::*;

    fn asked(request: &Request) -> Errand {
        Errand::of(&Parcel::Ask { call: CallId(1), bytes: seal(request), is_fresh: false })
    }

    fn answered(response: &Response) -> Errand {
        Errand::of(&Parcel::Answer { call: CallId(1), bytes: seal(response), is_fresh: false })
    }

    #[test]
    fn a_packets_errand_is_read_from_its_bytes() {
        let datagram = |datagram: &Datagram| Errand::of(&Parcel::Datagram(seal(datagram)));
        assert_eq!(datagram(&Datagram::Gossip(vec![1, 2])), Errand::Gossip);
        assert_eq!(datagram(&Datagram::Probe { number: 7, seated: true }), Errand::Probe);
        let (subject, nonce, boot) = (HostId([1; 16]), 1, Boot::default());
        assert_eq!(asked(&Request::Probe), Errand::Probe);
        assert_eq!(asked(&Request::Doubts(Vec::new())), Errand::Doubts);
        assert_eq!(asked(&Request::Ask { nonce }), Errand::Round);
        assert_eq!(asked(&Request::Relay { subject, nonce }), Errand::Relay);
        assert_eq!(asked(&Request::Members(Vec::new())), Errand::Members);
        assert_eq!(asked(&Request::Support), Errand::Other);
        assert_eq!(answered(&Response::Alive { boot }), Errand::Probe);
        assert_eq!(answered(&Response::SubjectSilent), Errand::Relay);
        assert_eq!(answered(&Response::Members(Vec::new())), Errand::Members);
        assert_eq!(answered(&Response::Noted), Errand::Other);
    }

    #[test]
    fn all_errands_stand_in_their_order() {
        for (number, errand) in Errand::ALL.into_iter().enumerate() {
            assert_eq!(errand as usize, number);
        }
    }
}
