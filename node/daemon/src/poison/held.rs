//! The one input that this thread is handling, in memory alone.

use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use vocabulary::{Digest, HostId};

/// What kind of input it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Gossip or a probe.
    Datagram,
    /// What another host asks.
    Request,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Of what kind.
    pub kind: Kind,
    /// By whom, where it came from the mesh.
    pub from: Option<HostId>,
    /// All of it.
    pub bytes: Bytes,
}

/// As long as this lives, this thread handles the input. Not to be kept over an `.await`: another task would be taken for it.
#[must_use]
#[derive(Debug)]
pub struct Held {
    before: Option<Input>,
    /// The note lies with the thread, and so must its end.
    _of_one_thread: std::marker::PhantomData<*const ()>,
}

thread_local! {
    static HELD: RefCell<Option<Input>> = const { RefCell::new(None) };
}

impl Input {
    /// By which it is known again.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&[self.kind as u8], &self.bytes])
    }

    /// Is handled from now on.
    pub fn hold(self) -> Held {
        let before = HELD.replace(Some(self));
        Held { before, _of_one_thread: std::marker::PhantomData }
    }
}

/// What this thread is handling.
pub fn held_now() -> Option<Input> {
    HELD.try_with(|held| held.try_borrow().ok()?.clone()).ok().flatten()
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(self.before.take());
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Datagram => "datagram",
            Self::Request => "request",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &'static str) -> Input {
        Input { kind: Kind::Datagram, from: None, bytes: Bytes::from_static(text.as_bytes()) }
    }

    #[test]
    fn what_is_handled_is_known_until_it_is_over_and_within_it_the_innermost() {
        assert_eq!(held_now(), None);
        let outer = input("outer").hold();
        {
            let _inner = input("inner").hold();
            assert_eq!(held_now(), Some(input("inner")));
        }
        assert_eq!(held_now(), Some(input("outer")));
        drop(outer);
        assert_eq!(held_now(), None);
    }

    #[test]
    fn the_same_bytes_are_the_same_input_whoever_sends_them_and_of_another_kind_another() {
        let from = |byte| Input { from: Some(HostId([byte; 16])), ..input("x") };
        assert_eq!(from(1).digest(), from(2).digest());
        let other = Input { kind: Kind::Request, ..input("x") };
        assert_ne!(other.digest(), input("x").digest());
    }
}
