//! From readings to verdicts.
//!
//! Rooms: [`roster`] who belongs and with which keys; `seats` who watches whom; `membership` SWIM's opinion (foca);
//! `watch` calm probing, private retry, doubt; `look` one observer's part in a round; `rounds` the leader's part;
//! `verdict` what voices add up to; `fitness` what words on one check add up to; `surge` too much trouble at once.
//! Not here: cases, budgets and leases (see `ledger`), and sending anything: every room returns effects.

pub mod calibration;
pub mod fitness;
pub mod health;
pub mod late;
pub mod look;
pub mod membership;
pub mod reply;
pub mod roster;
pub mod rounds;
pub mod seats;
pub mod surge;
pub mod verdict;
pub mod watch;
