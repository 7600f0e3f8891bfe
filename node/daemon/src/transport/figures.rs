//! What the transport counts: for `hale status` and for whoever hunts a fault.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Everything counted since the start of the agent.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Figures {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub $name: AtomicU64,)*
        }

        impl Counters {
            pub(super) fn read(&self) -> Figures {
                Figures { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

figures! {
    /// Datagrams given to QUIC.
    datagrams_sent,
    /// Datagrams dropped before they were sent: no connection, no budget, too large.
    datagrams_unsent,
    /// Datagrams received and handed on.
    datagrams_received,
    /// Datagrams received and dropped because the agent's loop is behind.
    datagrams_dropped,
    /// Datagrams and requests that were no message, or too large for one.
    garbled,
    /// Input that is not taken any more (protocol 1.9); certificates are counted with the handshakes that failed.
    quarantined,
    /// Requests that the role table refused (protocol 1.7).
    forbidden,
    /// Requests answered `Busy` for want of room.
    busy,
    /// Datagrams, requests and bytes beyond what one host may send.
    excessive,
    /// Requests received and handed on.
    requests_received,
    /// Requests sent.
    requests_sent,
    /// Dials begun, of all kinds.
    dials,
    /// Dials that came to nothing.
    dials_failed,
    /// Handshakes that others began and that came to nothing: no certificate, a wrong one, no hello.
    handshakes_failed,
    /// Handshakes ignored because too many were under way.
    handshakes_ignored,
    /// Connections that made room for others.
    evicted,
    /// Connections closed for misbehaviour.
    misbehaved,
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
