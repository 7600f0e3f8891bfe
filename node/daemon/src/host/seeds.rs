//! The hosts that are asked first, by address or by name.
//!
//! Law SE1: of each seed at most one name is being looked up at a time: a resolver that does not answer holds up one thread per
//! seed, however often the mesh is looked for.
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
pub struct Sought {
    seed: Seed,
    is_looked_up: AtomicBool,
}

impl Seeds {
    /// Nobody asks for any of them yet.
    pub fn new(seeds: &[Seed]) -> Self {
        let sought =
            |seed: &Seed| Sought { seed: seed.clone(), is_looked_up: AtomicBool::new(false) };
        Self(seeds.iter().take(SEEDS_MAX).map(sought).collect())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The addresses of one of them; none where they are being looked up already.
    pub async fn addresses(&self, number: usize) -> Vec<SocketAddr> {
        match self.0.get(number) {
            Some(sought) => sought.once_at_a_time(resolve(&sought.seed)).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }
}

impl Sought {
    /// Law SE1: does it, unless it is being done.
    async fn once_at_a_time<T>(&self, looking: impl Future<Output = T>) -> Option<T> {
        let _looks = Looks::begin(&self.is_looked_up)?;
        Some(looking.await)
    }
}

/// As long as this lives, nobody else looks.
struct Looks<'a>(&'a AtomicBool);

impl<'a> Looks<'a> {
    fn begin(is_looked_up: &'a AtomicBool) -> Option<Self> {
        // Made only where nobody looks: dropped, it would say that nobody does.
        (!is_looked_up.swap(true, Ordering::Relaxed)).then(|| Self(is_looked_up))
    }
}

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
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
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn law_se1_a_resolver_that_does_not_answer_is_asked_once_and_again_when_it_has() {
        let seeds = Seeds::new(&[Seed { host: "a1".to_owned(), port: 7_946 }]);
        let seed = &seeds.0[0];
        let (answer, answered) = oneshot::channel();
        let mut first = Box::pin(seed.once_at_a_time(answered));
        let second = async {
            for _ in 0..100 {
                let asked = seed.once_at_a_time(async { panic!("law SE1") }).await;
                assert!(asked.is_none());
            }
        };
        tokio::select! {
            biased;
            _ = &mut first => panic!("nobody has answered"),
            () = second => {}
        }
        answer.send("an address").expect("it waits");
        assert_eq!(first.await, Some(Ok("an address")));
        assert_eq!(seed.once_at_a_time(async { 7 }).await, Some(7));
    }
}
