//! Why a call did not succeed, and why a connection ended; the numbers that peers give each other as reasons.

use std::fmt;

use quinn::{ConnectionError, ReadError, ReadToEndError, VarInt, WriteError};
use vocabulary::HostId;
use wire::HelloRefusal;

use super::distrust::not_in_force;

/// Why a call has no answer. Unless a variant says otherwise the other side may or may not have acted on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// Nobody has said where this host is; nothing was sent.
    NoAddress,
    /// The host is retired; nothing was sent.
    Denied,
    /// A bound of our own is reached, this one; nothing was sent.
    Busy(&'static str),
    /// The time that the caller gave ran out.
    TooLate,
    /// The address cannot be dialled from here; nothing was sent.
    NotDialled(String),
    /// One side does not believe the other's certificate; nothing was sent.
    Untrusted(String),
    /// A certificate does not hold by the other side's clock: it has ended, or does not hold yet, or a clock is wrong;
    /// nothing was sent.
    NotInForce {
        /// Whose certificate.
        whose: Side,
        /// What TLS says of it.
        why: String,
    },
    /// Another host answered at the address; nothing was sent.
    Stranger(HostId),
    /// The hello was refused; nothing was sent.
    Refused(HelloRefusal),
    /// The connection ended before the answer came.
    Lost(Parting),
    /// The peer gave up this one stream, with this number of [`StreamEnd`].
    Rejected(u64),
    /// The answer is not a message of ours.
    Garbled(wire::Fault),
    /// The very bytes of the answer have ended this agent twice (protocol 1.9); they were not read.
    Quarantined,
    /// The host's agent is older than the question; nothing was sent, and the connection stands.
    TooNew {
        /// The version of the wire that brought the question.
        since: u16,
        /// What the connection speaks.
        spoken: u16,
    },
    /// This agent is stopping; nothing was sent.
    Closing,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// This host.
    Ours,
    /// The other one.
    Theirs,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The peer's agent stopped in good order, or ours did.
    Left,
    /// A newer life or a newer connection of the same host took its place.
    Replaced,
    /// It made room for one that matters more.
    Evicted,
    /// The roster denies one side.
    Denied,
    /// Too many faults of form.
    Misbehaved,
    /// What it was opened for is done.
    Done,
    /// Nothing came from the peer for too long: it is dead, cut off, or was not spoken to.
    Silent,
    /// The peer's agent does not know the connection any more: it has started anew.
    Restarted,
    /// QUIC itself failed.
    Broken(String),
}

/// The reasons that we write into a closed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    Left = 1,
    Replaced = 2,
    Evicted = 3,
    Denied = 4,
    Misbehaved = 5,
    Refused = 6,
    Stranger = 7,
    NoHello = 8,
    Done = 9,
}

/// The reasons that are written into one reset stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The bytes were no message.
    Garbled = 1,
    /// There were more bytes than such a message may have.
    TooLarge = 2,
    /// It took too long to send or to take in.
    TooSlow = 3,
    /// The agent has no answer.
    Unanswered = 4,
    /// The caller does not want the answer any more.
    Cancelled = 5,
    /// The host sends more than any host may.
    TooMany = 6,
    /// These very bytes have ended the agent twice (protocol 1.9).
    Quarantined = 7,
}

/// Why the transport could not be started.
#[derive(Debug)]
pub enum StartFault {
    /// The socket could not be opened.
    Socket {
        /// Where it was to listen.
        address: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The certificate cannot be used for TLS.
    Tls(String),
}

impl From<ConnectionError> for Parting {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::TimedOut => Self::Silent,
            ConnectionError::Reset => Self::Restarted,
            ConnectionError::ApplicationClosed(close) => Self::from_code(close.error_code),
            ConnectionError::LocallyClosed => Self::Left,
            other => Self::Broken(other.to_string()),
        }
    }
}

impl Parting {
    fn from_code(code: VarInt) -> Self {
        match code.into_inner() {
            1 => Self::Left,
            2 => Self::Replaced,
            3 => Self::Evicted,
            4 => Self::Denied,
            5 => Self::Misbehaved,
            9 => Self::Done,
            other => Self::Broken(format!("closed by the peer with code {other}")),
        }
    }
}

impl CallFault {
    /// Whether one side will not have the other, whatever the network does: a certificate, or the hello, was refused.
    pub fn is_distrust(&self) -> bool {
        matches!(self, Self::Untrusted(_) | Self::NotInForce { .. } | Self::Refused(_))
    }

    /// A handshake that failed for the sake of a certificate is told from one that failed on the way.
    pub(super) fn of_handshake(error: ConnectionError) -> Self {
        const CRYPTO: u64 = 0x100;
        let code = match &error {
            ConnectionError::TransportError(fault) => u64::from(fault.code),
            ConnectionError::ConnectionClosed(close) => u64::from(close.error_code),
            _ => 0,
        };
        if let Some(fault) = not_in_force(&error, code) {
            fault
        } else if (CRYPTO..CRYPTO + 0x100).contains(&code) {
            Self::Untrusted(error.to_string())
        } else {
            Self::Lost(error.into())
        }
    }
}

impl From<WriteError> for CallFault {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopped(code) => Self::Rejected(code.into_inner()),
            WriteError::ConnectionLost(lost) => Self::of_handshake(lost),
            WriteError::ClosedStream | WriteError::ZeroRttRejected => Self::Lost(Parting::Done),
        }
    }
}

impl From<ReadError> for CallFault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Reset(code) => Self::Rejected(code.into_inner()),
            ReadError::ConnectionLost(lost) => Self::of_handshake(lost),
            ReadError::ClosedStream
            | ReadError::IllegalOrderedRead
            | ReadError::ZeroRttRejected => Self::Lost(Parting::Done),
        }
    }
}

impl From<ReadToEndError> for CallFault {
    fn from(error: ReadToEndError) -> Self {
        match error {
            ReadToEndError::Read(read) => read.into(),
            ReadToEndError::TooLong => Self::Garbled(wire::Fault::TooLarge),
        }
    }
}

impl From<Close> for VarInt {
    fn from(close: Close) -> Self {
        VarInt::from_u32(close as u32)
    }
}

impl From<StreamEnd> for VarInt {
    fn from(end: StreamEnd) -> Self {
        VarInt::from_u32(end as u32)
    }
}

impl fmt::Display for CallFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => write!(out, "nobody has said where this host is"),
            Self::Denied => write!(out, "the host is retired"),
            Self::Busy(what) => write!(out, "a bound of this agent is reached: {what}"),
            Self::TooLate => write!(out, "the time for it ran out"),
            Self::NotDialled(why) => write!(out, "the address cannot be dialled: {why}"),
            Self::Untrusted(why) => write!(out, "a certificate was not believed: {why}"),
            Self::NotInForce { whose: Side::Theirs, why } => write!(
                out,
                "the other side's certificate does not hold by this host's clock ({why}): renew it there, or set the clock \
                 here right"
            ),
            Self::NotInForce { whose: Side::Ours, why } => write!(
                out,
                "the other side says that this host's certificate does not hold by its clock ({why}): renew it here, or set \
                 the clocks right"
            ),
            Self::Stranger(found) => write!(out, "another host, {found}, answered there"),
            Self::Refused(refusal) => write!(out, "the hello was refused: {refusal:?}"),
            Self::Lost(parting) => write!(out, "the connection ended: {parting}"),
            Self::Rejected(code) => write!(out, "the peer gave up the stream with code {code}"),
            Self::Garbled(fault) => write!(out, "the answer is not one: {fault}"),
            Self::Quarantined => {
                write!(out, "the answer has ended this agent before and is not read any more")
            }
            Self::TooNew { since, spoken } => write!(
                out,
                "the peer's agent speaks version {spoken} of the wire and the question is of version {since}"
            ),
            Self::Closing => write!(out, "this agent is stopping"),
        }
    }
}

impl fmt::Display for Parting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => write!(out, "an agent stopped in good order"),
            Self::Replaced => write!(out, "a newer connection took its place"),
            Self::Evicted => write!(out, "it made room for another"),
            Self::Denied => write!(out, "the roster denies it"),
            Self::Misbehaved => write!(out, "too many faults of form"),
            Self::Done => write!(out, "what it was opened for is done"),
            Self::Silent => write!(out, "nothing came for too long"),
            Self::Restarted => write!(out, "the peer's agent has started anew"),
            Self::Broken(why) => write!(out, "{why}"),
        }
    }
}

impl fmt::Display for StartFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket { address, why } => write!(out, "cannot listen on UDP {address}: {why}"),
            Self::Tls(why) => write!(out, "the certificate cannot be used for TLS: {why}"),
        }
    }
}

impl std::error::Error for CallFault {}
impl std::error::Error for StartFault {}
