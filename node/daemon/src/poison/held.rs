//! The one input that is being handled, in memory alone: by this thread until it lets go, or by a task whenever it runs.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use vocabulary::{Digest, HostId};

/// What kind of input it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Gossip or a probe.
    Datagram,
    /// What another host asks.
    Request,
    /// What another host answers.
    Answer,
    /// The first words on a connection, and the answer to them.
    Hello,
    /// The certificate that the other end of a handshake shows.
    Certificate,
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

/// As long as this lives, this thread handles the input. It cannot be kept over an `.await`, where another task would be taken
/// for it: what awaits is put [around](Input::around).
#[must_use]
#[derive(Debug)]
pub struct Held {
    before: (Option<Input>, bool),
    /// The note lies with the thread, and so must its end.
    _of_one_thread: std::marker::PhantomData<*const ()>,
}

thread_local! {
    static HELD: RefCell<Option<Input>> = const { RefCell::new(None) };
    /// Something else is done beside it.
    static BESIDE: Cell<bool> = const { Cell::new(false) };
}

impl Input {
    /// By which it is known again.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&[self.kind as u8], &self.bytes])
    }

    /// Is handled from now on.
    pub fn hold(self) -> Held {
        let before = (HELD.replace(Some(self)), BESIDE.replace(false));
        Held { before, _of_one_thread: std::marker::PhantomData }
    }

    /// Is handled by this future: whenever it runs, and while it is dropped.
    pub fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        Around { input: self, future: Some(Box::pin(future)) }
    }
}

impl Held {
    /// From here on something else, that is due without it, may be done as well: what fails is perhaps not its doing.
    pub fn beside(&self, is_due: bool) {
        BESIDE.set(is_due);
    }
}

struct Around<F> {
    input: Input,
    /// Until it has ended.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Around<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _held = self.input.clone().hold();
        let future = self.future.as_mut().expect("a future is not polled after its end");
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl<F> Drop for Around<F> {
    fn drop(&mut self) {
        let _held = self.input.clone().hold();
        self.future = None;
    }
}

/// What this thread is handling.
pub fn held_now() -> Option<Input> {
    HELD.try_with(|held| held.try_borrow().ok()?.clone()).ok().flatten()
}

/// Whether something else may be done beside it.
pub fn is_perhaps_another() -> bool {
    BESIDE.get()
}

impl Drop for Held {
    fn drop(&mut self) {
        let (held, is_beside) = std::mem::take(&mut self.before);
        HELD.set(held);
        BESIDE.set(is_beside);
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Datagram => "datagram",
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Hello => "hello",
            Self::Certificate => "certificate",
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
    fn what_is_done_beside_an_input_is_known_to_be_perhaps_another_until_it_is_over() {
        let outer = input("outer").hold();
        outer.beside(true);
        {
            let _inner = input("inner").hold();
            assert!(!is_perhaps_another());
        }
        assert!(is_perhaps_another() && held_now() == Some(input("outer")));
        drop(outer);
        assert!(!is_perhaps_another());
    }

    /// Two tasks of one thread take turns; each is known by its own input, and between them nobody is.
    #[tokio::test]
    async fn what_a_task_handles_is_known_whenever_it_runs_and_only_then() {
        let task = |text: &'static str| {
            input(text).around(async move {
                for _ in 0..3 {
                    assert_eq!(held_now(), Some(input(text)));
                    tokio::task::yield_now().await;
                }
                text
            })
        };
        let (one, other) = tokio::join!(task("one"), async {
            let mut other = Box::pin(task("other"));
            std::future::poll_fn(|context| {
                let polled = other.as_mut().poll(context);
                assert_eq!(held_now(), None);
                polled
            })
            .await
        });
        assert_eq!((held_now(), one, other), (None, "one", "other"));
        let waits = Known("dropped");
        drop(input("dropped").around(async move {
            let _waits = waits;
            std::future::pending::<()>().await;
        }));
    }

    /// Must be dropped under its own name.
    struct Known(&'static str);

    impl Drop for Known {
        fn drop(&mut self) {
            assert_eq!(held_now(), Some(input(self.0)));
        }
    }

    #[test]
    fn the_same_bytes_are_the_same_input_whoever_sends_them_and_of_another_kind_another() {
        let from = |byte| Input { from: Some(HostId([byte; 16])), ..input("x") };
        assert_eq!(from(1).digest(), from(2).digest());
        let other = Input { kind: Kind::Request, ..input("x") };
        assert_ne!(other.digest(), input("x").digest());
    }
}
