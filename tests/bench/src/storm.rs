//! What do the others send while ten machines die at once?
//!
//! Every packet of ten hosts in ten racks is dropped at the switch in one moment; what all others send in the ten seconds after it is
//! read from their own cards. Last of all that is measured: of fifty hosts so many at once are a surge, which waits for a person.
//! Not here: what a virtual fleet sends (see `tests/experiments`), with which these figures are compared.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time;

use super::figures::{Aim, Figure, Unit};
use super::rest::{self, Spent};
use lab::network::Port;
use lab::plan::{KEEPERS_COUNT, Place, Planned};
use lab::{Fleet, LabFault};

/// How many die, each in a rack of its own.
const DIE: usize = 10;

/// The smallest mesh in which so many are the minority that an operator would call a storm.
pub const HOSTS_MIN: usize = 40;

/// Whoever doubts them has dialled each anew by then, and the leader has held its first rounds.
const LASTS: Duration = Duration::from_secs(10);

/// Silences ten; what each other host has sent since, agents and keepers apart.
pub async fn measure(fleet: &Fleet) -> Result<Vec<Figure>, LabFault> {
    fleet.calm().await?;
    let figure = |who| Figure::begun("sent_in_storm", who, fleet.count(), Unit::BytesPerSecond);
    // The aim is of the hundredth part that sends most: with fewer than a hundred hosts, of each.
    let (mut agents, mut keepers) = (figure("agent").aimed(Aim::Each(4_000.0)), figure("keeper"));
    let dead = apart(fleet.count())?;
    let others: Vec<Place> = (0..fleet.count()).filter(|place| !dead.contains(place)).collect();
    eprintln!("bench: {DIE} of {} are silenced together", fleet.count());
    dead.iter().try_for_each(|place| fleet.set(*place, Port::Silent))?;
    let before = others.iter().map(|place| rest::spent(fleet, *place));
    let before: Vec<Spent> = before.collect::<Result<_, _>>()?;
    time::sleep(LASTS).await;
    for (place, before) in others.into_iter().zip(before) {
        let sample = Some(rest::spent(fleet, place)?.sent_since(&before));
        let figure = if Planned(place).is_keeper() { &mut keepers } else { &mut agents };
        figure.samples.push(sample);
    }
    Ok(vec![agents.ended(), keepers.ended()])
}

/// The first hosts that are no keepers and of which no two stand in one rack.
fn apart(count: usize) -> Result<Vec<Place>, LabFault> {
    let mut racks = BTreeSet::new();
    let mut places = Vec::new();
    for place in KEEPERS_COUNT..count {
        let claims = Planned(place).claims().map_err(LabFault::of("place a host"))?;
        if places.len() < DIE && racks.insert(claims.domain) {
            places.push(place);
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_that_are_no_keepers_stand_in_ten_racks() {
        let places = apart(HOSTS_MIN).expect("hosts");
        assert_eq!(places, [3, 4, 5, 6, 7, 8, 12, 13, 14, 18]);
        assert!(places.iter().all(|place| !Planned(*place).is_keeper()));
    }
}
