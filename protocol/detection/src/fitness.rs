//! Does a check that the policy names fail on a host that is reached (protocol 3.6 `Unfit`)?
//!
//! Rooms: [`watch`] one host's own runs and its part in rounds; [`rounds`] the leader's part.
//! Not here: reaching a host (see `watch` and `look` beside this room), which checks there are (the policy says), cases.

pub mod rounds;
pub mod watch;
