//! The hosts that are asked first, by address or by name.
//!
//! Law SE1: each seed is sought by one search at a time, from its name to the last of its addresses: a resolver that does not
//! answer holds up one thread per seed, and addresses that do not answer one dial per seed, however often the mesh is looked for.
//! Not here: when seeds are dialled (see `agent`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Seed;

/// Seeds dialled in one go; a longer list is no list of seeds.
const SEEDS_MAX: usize = 64;

/// Addresses of one seed that are tried.
const ADDRESSES_MAX: usize = 64;

/// All seeds of one host; cheap to clone.
#[derive(Clone)]
pub struct Seeds(Arc<[Sought]>);

/// One seed.
struct Sought {
    seed: Seed,
    is_sought: AtomicBool,
}

impl Seeds {
    /// Nobody asks for any of them yet.
    pub fn new(seeds: &[Seed]) -> Self {
        let sought = |seed: &Seed| Sought { seed: seed.clone(), is_sought: AtomicBool::new(false) };
        Self(seeds.iter().take(SEEDS_MAX).map(sought).collect())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Begins to seek one of them; nothing where it is being sought already.
    pub fn seek(&self, number: usize) -> Option<Search<'_>> {
        let sought = self.0.get(number)?;
        // Made only where nobody seeks: dropped, it would say that nobody does.
        (!sought.is_sought.swap(true, Ordering::Relaxed)).then(|| Search(sought))
    }
}

/// As long as this lives, nobody else seeks the same (law SE1).
pub struct Search<'a>(&'a Sought);

impl Search<'_> {
    /// Where it may be.
    pub async fn addresses(&self) -> Vec<SocketAddr> {
        resolve(&self.0.seed).await
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        self.0.is_sought.store(false, Ordering::Relaxed);
    }
}

async fn resolve(seed: &Seed) -> Vec<SocketAddr> {
    match tokio::net::lookup_host((seed.host.as_str(), seed.port)).await {
        Ok(addresses) => addresses.take(ADDRESSES_MAX).collect(),
        Err(fault) => {
            tracing::warn!(seed = %seed.host, %fault, "a seed's name cannot be resolved");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_se1_a_seed_is_sought_once_at_a_time_and_again_when_that_is_over() {
        let seed = |host: &str| Seed { host: host.to_owned(), port: 7_946 };
        let seeds = Seeds::new(&[seed("a1"), seed("b1")]);
        let search = seeds.seek(0).expect("nobody seeks it");
        assert!((0..100).all(|_| seeds.seek(0).is_none()));
        assert!(seeds.seek(1).is_some(), "another is another matter");
        drop(search);
        assert!(seeds.seek(0).is_some());
        assert!(seeds.seek(2).is_none(), "there is none");
    }
}
