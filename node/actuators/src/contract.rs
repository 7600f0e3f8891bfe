//! The contract that every driver fulfils.

use std::future::Future;
use std::pin::Pin;

use vocabulary::actuation::RemedyOrder;
use vocabulary::{Moment, Receipt};

/// What an actuator promises, boxed so that drivers can stand in one table.
pub type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A driver for one kind of thing. Every call ends within the order's `at_most`, counted from the moment on CLOCK_BOOTTIME at
/// which the order was `given`; nothing begins after that (protocol 7.1). None of them panics on what it is told by the thing it drives.
pub trait Actuator: Send + Sync {
    /// Finds out, without changing anything, what became of this remedy: `Done`, `Refused` (never begun or without
    /// effect: it may be applied again) or `Unknown`.
    fn inspect<'a>(&'a self, order: &'a RemedyOrder, given: Moment) -> Promise<'a, Receipt>;

    /// Carries the remedy out and says what came of it.
    fn apply<'a>(&'a self, order: &'a RemedyOrder, given: Moment) -> Promise<'a, Receipt>;

    /// Looks, after a receipt `Done`, for signs that another fence acted on the same subject in between (protocol 7.4).
    fn confirm<'a>(&'a self, order: &'a RemedyOrder) -> Promise<'a, Finding>;
}

/// What [`Actuator::confirm`] saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Only this fence acted.
    Alone,
    /// Another fence acted as well: a person must look.
    Contested,
    /// The thing cannot tell.
    CannotTell,
}
