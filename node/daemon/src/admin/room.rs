//! Room at the admin socket: how many connections, whose, and how many requests on them.
//!
//! Law W4: bodies, connections, requests and times are bounded, and whoever may order finds room when those who only ask have
//! taken all of theirs. One of those cannot take all of it either.
//! Not here: who may what (see `peer`).

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::peer::Leave;
use crate::bucket::{Bucket, Rate};

/// Connections at a time: people and programs of one host, not clients of a service.
pub(super) const CONNECTIONS_MAX: usize = 32;

/// Of these, for those who only ask; the others are kept for those who may order.
pub(super) const ASKING_MAX: usize = 24;

/// Of these, for one user who only asks.
pub(super) const OF_ONE_USER_MAX: usize = 8;

/// Of all, for those who may nothing: they are told so.
pub(super) const STRANGERS_MAX: usize = 2;

/// Requests of all who may not order, and of one of them; what is beyond waits. An answer costs a millisecond of the host on a
/// large mesh, and a screen that watches asks for a few a second.
const REQUESTS_OF_ALL: Rate = Rate { per_second: 50, at_once: 100 };
const REQUESTS_OF_ONE: Rate = Rate { per_second: 20, at_once: 50 };

/// Connections that are accepted: each costs some twenty microseconds, even where there is no room.
const ACCEPTED: Rate = Rate { per_second: 2_000, at_once: 256 };

/// Users whose pace is remembered when their connections have ended: more than have an account on a sound host.
const USERS_MAX: usize = 64;

/// Room for all.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    asking: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    accepted: Bucket,
    paces: Arc<Mutex<Paces>>,
}

/// A place of one connection; given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Place {
    _permits: Arc<Vec<OwnedSemaphorePermit>>,
    /// Whose pace is kept; whoever may order has none.
    paced: Option<(u32, Arc<Mutex<Paces>>)>,
}

#[derive(Debug)]
struct Paces {
    all: Bucket,
    users: LruCache<u32, User>,
}

#[derive(Debug)]
struct User {
    connections: Arc<Semaphore>,
    pace: Bucket,
}

impl Room {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let most = NonZeroUsize::new(USERS_MAX).unwrap_or(NonZeroUsize::MIN);
        let paces = Paces { all: Bucket::full(REQUESTS_OF_ALL, now), users: LruCache::new(most) };
        Self {
            all: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            asking: Arc::new(Semaphore::new(ASKING_MAX)),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
            accepted: Bucket::full(ACCEPTED, now),
            paces: Arc::new(Mutex::new(paces)),
        }
    }

    /// Waits where connections come faster than they may.
    pub(super) async fn pace(&mut self) {
        pause(self.accepted.wait(Instant::now())).await;
    }

    /// A place for whoever may this, if there is one.
    pub(super) fn take(&self, leave: Leave, uid: u32) -> Option<Place> {
        let mut wanted = Vec::new();
        match leave {
            Leave::Order => {}
            Leave::Ask => {
                wanted.push(held(&self.paces).user(uid));
                wanted.push(Arc::clone(&self.asking));
            }
            Leave::Nothing => wanted.push(Arc::clone(&self.strangers)),
        }
        wanted.push(Arc::clone(&self.all));
        let permits: Result<Vec<_>, _> =
            wanted.into_iter().map(Semaphore::try_acquire_owned).collect();
        let paced = (leave < Leave::Order).then(|| (uid, Arc::clone(&self.paces)));
        Some(Place { _permits: Arc::new(permits.ok()?), paced })
    }
}

impl Place {
    /// Waits until one request more is within the rates.
    pub(super) async fn pace(&self) {
        let Some((uid, paces)) = &self.paced else {
            return;
        };
        let wait = held(paces).wait(*uid, Instant::now());
        pause(wait).await;
    }
}

impl Paces {
    fn of(&mut self, uid: u32, now: Instant) -> &mut User {
        let new = || User {
            connections: Arc::new(Semaphore::new(OF_ONE_USER_MAX)),
            pace: Bucket::full(REQUESTS_OF_ONE, now),
        };
        self.users.get_or_insert_mut(uid, new)
    }

    fn user(&mut self, uid: u32) -> Arc<Semaphore> {
        Arc::clone(&self.of(uid, Instant::now()).connections)
    }

    fn wait(&mut self, uid: u32, now: Instant) -> Duration {
        let own = self.of(uid, now).pace.wait(now);
        // What he waits for himself he does not take from the others meanwhile.
        own.max(self.all.wait(now))
    }
}

async fn pause(wait: Duration) {
    if wait > Duration::ZERO {
        sleep(wait).await;
    }
}

fn held(paces: &Mutex<Paces>) -> MutexGuard<'_, Paces> {
    // Plain figures: whole at every moment.
    paces.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(room: &Room, leave: Leave, uid: u32, most: usize) -> Vec<Place> {
        (0..most).map_while(|_| room.take(leave, uid)).collect()
    }

    /// Law W4.
    #[tokio::test]
    async fn one_user_does_not_take_all_places_and_askers_not_those_of_whoever_may_order() {
        let room = Room::new();
        let first = taken(&room, Leave::Ask, 1_000, 99);
        assert_eq!(first.len(), OF_ONE_USER_MAX);
        let others: Vec<_> =
            (1_001..1_099).flat_map(|uid| taken(&room, Leave::Ask, uid, 99)).collect();
        assert_eq!(first.len() + others.len(), ASKING_MAX);
        assert_eq!(taken(&room, Leave::Nothing, 7, 99).len(), STRANGERS_MAX);
        assert_eq!(taken(&room, Leave::Order, 0, 99).len(), CONNECTIONS_MAX - ASKING_MAX);
        drop(first);
        assert_eq!(taken(&room, Leave::Ask, 1_000, 99).len(), OF_ONE_USER_MAX, "and given back");
        drop(others);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_beyond_the_rate_wait_and_whoever_may_order_never_does() {
        let room = Room::new();
        let asking = room.take(Leave::Ask, 1_000).expect("room");
        let began = Instant::now();
        for _ in 0..REQUESTS_OF_ONE.at_once + 10 * REQUESTS_OF_ONE.per_second {
            asking.pace().await;
        }
        let took = began.elapsed();
        assert!((9_900..10_300).contains(&took.as_millis()), "{took:?}");
        // A new connection is no new pace.
        drop(asking);
        let again = room.take(Leave::Ask, 1_000).expect("room");
        again.pace().await;
        assert!(began.elapsed() > took);
        let (ordering, began) = (room.take(Leave::Order, 0).expect("room"), Instant::now());
        for _ in 0..9_999 {
            ordering.pace().await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_are_accepted_at_their_rate() {
        let (mut room, began) = (Room::new(), Instant::now());
        for _ in 0..ACCEPTED.at_once + ACCEPTED.per_second {
            room.pace().await;
        }
        let took = began.elapsed();
        // A paused clock knows milliseconds alone.
        assert!((990..3_000).contains(&took.as_millis()), "{took:?}");
    }
}
