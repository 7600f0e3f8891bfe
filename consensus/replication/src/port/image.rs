//! The whole state for followers that are too far behind: worked out once for all that need it at about the same time.
//!
//! Law F3: at most [`IMAGES_MAX`] states are held for followers, however many ask and however slowly they read.
//! Not here: who needs the whole state (see `feed`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vocabulary::{Digest, LedgerIndex};

use crate::machine::Machine;
use crate::piece::{Body, Part, Piece};
use crate::raft::SNAPSHOT_CHUNK_BYTES;
use crate::state::Shown;
use crate::store::Store;

/// One state, ready to be sent.
pub(super) struct Image {
    /// Up to where it stands.
    pub(super) upto: LedgerIndex,
    /// At least one, even if the state has no bytes.
    pub(super) pieces: Vec<Piece>,
    _place: OwnedSemaphorePermit,
}

/// The states that are held for followers of one keeper.
pub(crate) struct Images {
    places: Arc<Semaphore>,
    /// Held by whoever works one out, so that all who come meanwhile take that one.
    making: tokio::sync::Mutex<()>,
    newest: Mutex<Weak<Image>>,
}

/// States held at once: one for whoever begins now, and those that slower followers still read. The largest mesh's is some
/// 15 MB.
pub(crate) const IMAGES_MAX: usize = 3;

/// Time for one follower to take the whole state in; who takes longer begins anew, so that no place is held for ever. A
/// hundred kilobytes a second are enough for the largest mesh.
pub(super) const IMAGE_WITHIN: Duration = Duration::from_secs(150);

impl Default for Images {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(IMAGES_MAX));
        Self { places, making: tokio::sync::Mutex::default(), newest: Mutex::default() }
    }
}

impl Images {
    /// A state that a follower which stands at `after` can go on from; waits while all places are taken.
    pub(super) async fn get<M: Machine>(
        &self,
        (shown, store): (&Shown<M>, &Store),
        after: LedgerIndex,
    ) -> Arc<Image> {
        if let Some(image) = self.fit_for(after) {
            return image;
        }
        let _alone = self.making.lock().await;
        if let Some(image) = self.fit_for(after) {
            return image;
        }
        // Never closed: then there would be no keeper.
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return std::future::pending().await;
        };
        let (upto, machine) = shown.both();
        // With its place: whoever asked may go before it is worked out.
        let image =
            move || Image { upto, pieces: pieces(upto, &machine.to_bytes()), _place: place };
        let image = Arc::new(store.aside(image).await);
        *self.newest() = Arc::downgrade(&image);
        image
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        IMAGES_MAX - self.places.available_permits()
    }

    fn fit_for(&self, after: LedgerIndex) -> Option<Arc<Image>> {
        self.newest().upgrade().filter(|image| image.upto >= after)
    }

    fn newest(&self) -> MutexGuard<'_, Weak<Image>> {
        // Whoever holds this only reads or sets one value.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pieces(upto: LedgerIndex, bytes: &[u8]) -> Vec<Piece> {
    let chunks: Vec<&[u8]> = match bytes.is_empty() {
        true => vec![&[]],
        false => bytes.chunks(SNAPSHOT_CHUNK_BYTES).collect(),
    };
    let parts = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
    let mut before = Digest::default();
    let piece = |(part, chunk): (u32, &[u8])| {
        let part = Part { upto, part, parts, before, bytes: chunk.to_vec() };
        let piece = Piece::of(Body::Image(part));
        before = piece.seal();
        piece
    };
    (0..parts).zip(chunks).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use vocabulary::StoreId;

    use super::*;
    use crate::disk::FileDisk;
    use crate::tests::toy::Toy;

    /// On a disk that may wait a state is worked out beside the thread, and the others come meanwhile.
    #[tokio::test]
    async fn law_f3_whoever_comes_while_a_state_is_worked_out_takes_that_one() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(&folder.path().join("store")).unwrap();
        let store = Store::open(Arc::new(disk), StoreId(7)).await.unwrap();
        let (images, shown) = (Arc::new(Images::default()), Arc::new(Shown::new(Toy::default())));
        let mut asks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (images, shown, store) = (images.clone(), shown.clone(), store.clone());
            asks.spawn(async move { images.get((&shown, &store), LedgerIndex(0)).await });
        }
        let all = asks.join_all().await;
        assert!(all.iter().all(|image| Arc::ptr_eq(image, &all[0])));
        assert_eq!(images.held(), 1);
    }
}
