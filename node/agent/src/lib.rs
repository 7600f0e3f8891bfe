//! One host's mind: detection and healing composed, `handle(now, event) -> effects`.
//!
//! Rooms: [`event`] what it is told and asks; `mind` the one door; `asking` how it asks, others and itself; `following` what follows
//! from a grown ledger; [`fitness`] checks beside reach; `gossiping`, `watching`, `attesting` the host as member, observer and subject;
//! [`lead`] what only the leader does, `rebooting` with slots that were given back; [`heal`] what only a healer does; [`enrol`] the way into the roster; [`keyring`] with which of its keys it signs;
//! [`life`] whether the mesh takes this life, `turned_away` another host's; `ending` its last words; [`reports`] what others than observers say; `leaderless` what a keeper
//! does when nobody leads; [`view`] what it can show of itself.
//! Law E1, E2: see [`event`]. Law H1 to H3: see [`heal`].
//! Not here: any clock, socket, file or thread (see `daemon`), and what a rule permits (see `ledger`).

mod approving;
mod asking;
mod attesting;
pub mod calls;
mod ending;
pub mod enrol;
pub mod event;
pub mod fitness;
mod following;
mod gossiping;
pub mod heal;
mod healing;
pub mod keyring;
pub mod lead;
mod leaderless;
mod leading;
pub mod life;
mod mind;
pub mod offer;
mod paging;
mod rebooting;
pub mod reports;
mod sealing;
mod stand_down;
mod turned_away;
pub mod view;
mod votes;
mod waiting;
mod watching;

pub use event::{AskId, CallEnd, CallId, DROPPED_COUNTS_AS, Effect, Event, Knock, Page};
pub use keyring::Renewed;
pub use life::LifeEnd;
pub use mind::{Agent, Settings};
