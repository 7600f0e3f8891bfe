//! The weather over the demo's mesh: which links are cut, which hosts are gone, which agents live.
//!
//! Law K1: a relay is silent while its link or either of its hosts is cut off; else it refuses while its target's agent is dead;
//! else it carries.
//! Not here: how a relay does each of these (see `relay`).

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use tokio::sync::Mutex;

use super::plan::{HOSTS_COUNT, Place};
use super::relay::{Mode, Relay};

/// One relay for every host that dials and every other that is dialled, and the weather over them.
pub struct Links {
    relays: Vec<(Place, Place, Relay)>,
    weather: Mutex<Weather>,
}

/// What is true of the mesh's hosts and links at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Weather {
    living: BTreeSet<Place>,
    gone: BTreeSet<Place>,
    /// One side of a cut: no link crosses its border. Empty: no cut.
    island: BTreeSet<Place>,
}

impl Links {
    /// Relays between agents that listen at these addresses; no agent lives yet.
    pub async fn between(agents: &[SocketAddr; HOSTS_COUNT]) -> io::Result<Self> {
        let mut relays = Vec::new();
        for from in 0..HOSTS_COUNT {
            for (to, target) in agents.iter().enumerate() {
                if from != to {
                    relays.push((from, to, Relay::to(*target).await?));
                }
            }
        }
        Ok(Self { relays, weather: Mutex::default() })
    }

    /// The relays by which a host dials each of the others.
    pub fn from(&self, place: Place) -> impl Iterator<Item = (Place, SocketAddr)> {
        let of = self.relays.iter().filter(move |(from, _, _)| *from == place);
        of.map(|(_, to, relay)| (*to, relay.address()))
    }

    /// The host's agent listens.
    pub async fn agent_lives(&self, place: Place) -> io::Result<()> {
        let mut weather = self.weather.lock().await;
        weather.living.insert(place);
        self.follow(&weather).await
    }

    /// The host's agent is dead; its kernel, if the host is there, refuses for it.
    pub async fn agent_died(&self, place: Place) -> io::Result<()> {
        let mut weather = self.weather.lock().await;
        weather.living.remove(&place);
        self.follow(&weather).await
    }

    /// Nothing of the host answers any more, and nothing reaches it.
    pub async fn host_goes(&self, place: Place) -> io::Result<()> {
        let mut weather = self.weather.lock().await;
        weather.gone.insert(place);
        self.follow(&weather).await
    }

    /// The host is there again, with or without an agent.
    pub async fn host_returns(&self, place: Place) -> io::Result<()> {
        let mut weather = self.weather.lock().await;
        weather.gone.remove(&place);
        self.follow(&weather).await
    }

    /// These hosts reach one another and nobody else.
    pub async fn cut_off(&self, island: &[Place]) -> io::Result<()> {
        let mut weather = self.weather.lock().await;
        weather.island = island.iter().copied().collect();
        self.follow(&weather).await
    }

    /// The cut is mended.
    pub async fn rejoin(&self) -> io::Result<()> {
        self.cut_off(&[]).await
    }

    /// All relays turn at once: a cable is not cut one host after the other.
    async fn follow(&self, weather: &Weather) -> io::Result<()> {
        let mut turning = Vec::new();
        for (from, to, relay) in &self.relays {
            turning.push(relay.turn(weather.over(*from, *to)).await);
        }
        for turn in turning {
            turn.held().await?;
        }
        Ok(())
    }
}

impl Weather {
    /// law K1.
    fn over(&self, from: Place, to: Place) -> Mode {
        let is_cut = self.island.contains(&from) != self.island.contains(&to);
        if is_cut || self.gone.contains(&from) || self.gone.contains(&to) {
            Mode::Silent
        } else if self.living.contains(&to) {
            Mode::Open
        } else {
            Mode::Refusing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(places: &[Place]) -> BTreeSet<Place> {
        places.iter().copied().collect()
    }

    #[test]
    fn a_link_carries_only_between_hosts_that_are_there_on_one_side_to_an_agent_that_lives() {
        let mut weather = Weather { living: set(&[0, 1, 2, 3, 4]), ..Weather::default() };
        assert_eq!(weather.over(5, 0), Mode::Open);
        assert_eq!(weather.over(0, 5), Mode::Refusing);
        weather.island = set(&[2, 3]);
        assert_eq!(weather.over(2, 3), Mode::Open);
        assert_eq!(weather.over(0, 1), Mode::Open);
        assert_eq!(weather.over(2, 4), Mode::Silent);
        assert_eq!(weather.over(4, 2), Mode::Silent);
        weather.gone = set(&[5]);
        assert_eq!(weather.over(0, 5), Mode::Silent, "gone says more than dead");
        assert_eq!(weather.over(5, 0), Mode::Silent);
    }

    #[tokio::test]
    async fn every_host_has_a_relay_of_its_own_to_every_other() {
        let agents = [(); HOSTS_COUNT].map(|()| super::super::ports::free().expect("free"));
        let links = Links::between(&agents).await.expect("relays");
        let addresses: BTreeSet<SocketAddr> = (0..HOSTS_COUNT)
            .flat_map(|place| links.from(place))
            .map(|(_, address)| address)
            .collect();
        assert_eq!(addresses.len(), HOSTS_COUNT * (HOSTS_COUNT - 1));
        assert!(links.from(3).all(|(to, _)| to != 3));
    }
}
