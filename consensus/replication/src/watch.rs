//! A value that many wait on. As tokio's own, but that whoever began to wait first is woken first: tokio's wakes by lot, and what a
//! keeper sends to its followers would go out in another order in each run of the same test.
//!
//! Law WA1: waiters are woken in the order in which they began to wait.
//! Not here: every value in between: only the newest is kept.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::Notify;

/// No version: values are not set so often.
const UNSEEN: u64 = u64::MAX;

/// Sets the value; clones set the same one, and the end of the last of them is told to all who wait.
#[derive(Debug)]
pub struct Sender<T>(Arc<End<T>>);

/// What the last sender takes with it.
#[derive(Debug)]
struct End<T>(Arc<Shared<T>>);

/// Reads the value and waits for the next one.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version it has seen.
    seen: u64,
}

/// The sender is gone: no other value comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

#[derive(Debug)]
struct Shared<T> {
    kept: RwLock<Kept<T>>,
    news: Notify,
}

#[derive(Debug)]
struct Kept<T> {
    value: T,
    version: u64,
    is_closed: bool,
}

/// A look at the value; must not be held across a wait.
#[derive(Debug)]
pub struct Look<'a, T>(RwLockReadGuard<'a, Kept<T>>);

/// Both ends of a value.
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> Sender<T> {
    /// With this value, which nobody waits for.
    pub fn new(value: T) -> Self {
        let kept = RwLock::new(Kept { value, version: 0, is_closed: false });
        Self(Arc::new(End(Arc::new(Shared { kept, news: Notify::new() }))))
    }

    /// Another reader, for whom the present value is not news.
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.0.0.look().0.version;
        Receiver { shared: Arc::clone(&self.0.0), seen }
    }

    /// The value.
    pub fn borrow(&self) -> Look<'_, T> {
        self.0.0.look()
    }

    /// Sets the value; the one before.
    pub fn send_replace(&self, value: T) -> T {
        let mut before = value;
        self.send_if_modified(|kept| {
            std::mem::swap(kept, &mut before);
            true
        });
        before
    }

    /// Changes the value; it is news if that is said.
    pub fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let mut kept = self.0.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = change(&mut kept.value);
        kept.version += u64::from(is_news);
        drop(kept);
        if is_news {
            self.0.0.news.notify_waiters();
        }
        is_news
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Receiver<T> {
    /// The value; it stays news if it is.
    pub fn borrow(&self) -> Look<'_, T> {
        self.shared.look()
    }

    /// The value, which is no news from now on.
    pub fn borrow_and_update(&mut self) -> Look<'_, T> {
        let look = self.shared.look();
        self.seen = look.0.version;
        look
    }

    /// The present value is news to this reader.
    pub fn mark_changed(&mut self) {
        self.seen = UNSEEN;
    }

    /// Waits until there is news; dropped on the way, it has missed nothing.
    pub async fn changed(&mut self) -> Result<(), Closed> {
        loop {
            let told = self.shared.news.notified();
            tokio::pin!(told);
            // From here on it has its place in the row.
            told.as_mut().enable();
            let (version, is_closed) = {
                let look = self.shared.look();
                (look.0.version, look.0.is_closed)
            };
            if version != self.seen {
                self.seen = version;
                return Ok(());
            }
            if is_closed {
                return Err(Closed);
            }
            told.await;
        }
    }

    /// Waits until the value is as wanted, which it may be already.
    pub async fn wait_for(
        &mut self,
        mut is_wanted: impl FnMut(&T) -> bool,
    ) -> Result<Look<'_, T>, Closed> {
        loop {
            let is_it = is_wanted(&self.borrow_and_update());
            if is_it {
                return Ok(self.shared.look());
            }
            self.changed().await?;
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), seen: self.seen }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        self.0.kept.write().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.0.news.notify_waiters();
    }
}

impl<T> Shared<T> {
    fn look(&self) -> Look<'_, T> {
        // A change that panicked half way is a fault of ours that has been told already.
        Look(self.kept.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> std::ops::Deref for Look<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_first_is_woken_first() {
        let (sender, receiver) = channel(0);
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiters = tokio::task::JoinSet::new();
        for number in 0..32 {
            let (mut receiver, order) = (receiver.clone(), order.clone());
            waiters.spawn(async move {
                receiver.changed().await.expect("the sender lives");
                order.lock().expect("no panic").push(number);
            });
        }
        tokio::task::yield_now().await;
        sender.send_replace(1);
        while waiters.join_next().await.is_some() {}
        assert_eq!(*order.lock().expect("no panic"), (0..32).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_newest_value_is_news_once_and_the_senders_end_is_told() {
        let (sender, mut receiver) = channel(0);
        assert_eq!((sender.send_replace(1), sender.send_replace(2)), (0, 1));
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(*receiver.borrow(), 2);
        assert!(!sender.send_if_modified(|_| false));
        receiver.mark_changed();
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(receiver.wait_for(|value| *value == 2).await.as_deref(), Ok(&2));
        let waiting =
            tokio::spawn(async move { receiver.wait_for(|value| *value == 3).await.is_err() });
        tokio::task::yield_now().await;
        drop(sender);
        assert!(waiting.await.expect("no panic"));
    }
}
