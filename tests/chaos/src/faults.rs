//! Doing each gust, and undoing it.
//!
//! Law W2 (see `weather`): when a gust is over nothing is done to anybody any more: who was stopped goes on, cuts are gone, disks have room,
//! clocks are right. What it has broken stays broken: the dead are hale's to heal.
//! Not here: whether it may blow (see `world`).

use std::rc::Rc;
use std::time::Duration;

use lab::LabFault;
use lab::network::Cut;
use lab::plan::{Place, Planned};
use rustix::process::Signal;
use tokio::time::{Instant, sleep, sleep_until};

use crate::judge::Clock;
use crate::weather::{Gust, Kind};
use crate::world::{Ambush, World};

/// Lets one gust blow, from its begin to its end; its number tells its cuts from others'.
pub async fn blow(world: Rc<World>, number: usize, gust: Gust) -> Result<(), LabFault> {
    let over = Instant::now() + gust.lasts;
    let is_done = match gust.kind {
        Kind::Killed => {
            let mut is_done = false;
            for place in &gust.on {
                is_done |= killed(&world, *place).await?;
            }
            is_done
        }
        Kind::Crashed => crashed(&world, gust.on[0], over).await?,
        Kind::Stopped => stopped(&world, gust.on[0], over).await?,
        Kind::Silenced => silenced(&world, gust.on[0], over).await?,
        Kind::Partition => partition(&world, (number, &gust), over).await?,
        Kind::OneWay => one_way(&world, (number, &gust), over).await?,
        Kind::Loss => loss(&world, gust.measure, over).await?,
        Kind::FullDisk => match gust.on.first() {
            Some(place) => full_disk(&world, *place, over).await?,
            None => false,
        },
        Kind::ClockShift => match gust.on.first() {
            Some(place) => clock_shift(&world, (*place, gust.measure), over).await?,
            None => false,
        },
        Kind::Rolling => rolling(&world, &gust.on, over).await?,
        Kind::LeaderKilled => match leader(&world).await {
            Some(leader) => crashed(&world, leader, over).await?,
            None => false,
        },
        Kind::LeaderStopped => match leader(&world).await {
            Some(leader) => stopped(&world, leader, over).await?,
            None => false,
        },
        Kind::HealerKilled | Kind::HealerStopped => return ambush(&world, &gust, over).await,
        Kind::SlowRemedies => {
            world.is_slow.set(true);
            sleep_until(over).await;
            world.is_slow.set(false);
            true
        }
    };
    world.count(gust.kind, is_done);
    world.note(&format!("over, {}: {gust}", if is_done { "done" } else { "passed over" }));
    Ok(())
}

async fn killed(world: &World, place: Place) -> Result<bool, LabFault> {
    if !world.may_take(&[place]) {
        return Ok(false);
    }
    world.note(&format!("{} is killed", Planned(place).name()));
    let _turn = world.turns[place].lock().await;
    world.ends(place, Signal::KILL).await?;
    Ok(true)
}

async fn crashed(world: &World, place: Place, over: Instant) -> Result<bool, LabFault> {
    if !killed(world, place).await? {
        return Ok(false);
    }
    sleep_until(over).await;
    started(world, place).await?;
    Ok(true)
}

/// As a service manager would start it, if nobody has meanwhile.
async fn started(world: &World, place: Place) -> Result<(), LabFault> {
    let _turn = world.turns[place].lock().await;
    if world.runs(place) { Ok(()) } else { world.starts(place) }
}

async fn stopped(world: &World, place: Place, over: Instant) -> Result<bool, LabFault> {
    if !world.may_take(&[place]) {
        return Ok(false);
    }
    world.note(&format!("{} is stopped", Planned(place).name()));
    still(world, place, over).await?;
    Ok(true)
}

/// A remedy may have ended it meanwhile, and started another one.
async fn still(world: &World, place: Place, over: Instant) -> Result<(), LabFault> {
    let process = world.fleet.borrow().process(place).ok();
    world.conditions.borrow_mut()[place].is_stopped = true;
    world.signal(place, Signal::STOP)?;
    sleep_until(over).await;
    if world.fleet.borrow().process(place).ok() == process {
        world.conditions.borrow_mut()[place].is_stopped = false;
        world.signal(place, Signal::CONT)?;
    }
    Ok(())
}

async fn silenced(world: &World, place: Place, over: Instant) -> Result<bool, LabFault> {
    if !world.may_take(&[place]) {
        return Ok(false);
    }
    world.note(&format!("{} is silenced", Planned(place).name()));
    world.set_silent(place, true)?;
    sleep_until(over).await;
    world.set_silent(place, false)?;
    Ok(true)
}

async fn partition(
    world: &World,
    (number, gust): (usize, &Gust),
    over: Instant,
) -> Result<bool, LabFault> {
    if !world.may_cut(&gust.on) {
        return Ok(false);
    }
    let others: Vec<Place> =
        (0..world.size.hosts).filter(|place| !gust.on.contains(place)).collect();
    let cut = |world: &World, is_cut| {
        let mut conditions = world.conditions.borrow_mut();
        gust.on.iter().for_each(|place| conditions[*place].is_cut = is_cut);
    };
    world.note(&format!("cut off: {:?}", gust.on));
    cut(world, true);
    world.cuts.borrow_mut().insert(number, Cut::between(&gust.on, &others).to_vec());
    world.spoil()?;
    sleep_until(over).await;
    cut(world, false);
    world.cuts.borrow_mut().remove(&number);
    world.spoil()?;
    Ok(true)
}

/// A few hosts are not heard by some others, or by many.
async fn one_way(
    world: &World,
    (number, gust): (usize, &Gust),
    over: Instant,
) -> Result<bool, LabFault> {
    if !world.may_take(&gust.on) {
        return Ok(false);
    }
    let cut = Cut { from: gust.on.clone(), to: gust.to.clone() };
    world.note(&format!("nothing passes from {:?} to {:?}", cut.from, cut.to));
    gust.on.iter().for_each(|place| world.conditions.borrow_mut()[*place].is_cut = true);
    world.cuts.borrow_mut().insert(number, vec![cut]);
    world.spoil()?;
    sleep_until(over).await;
    gust.on.iter().for_each(|place| world.conditions.borrow_mut()[*place].is_cut = false);
    world.cuts.borrow_mut().remove(&number);
    world.spoil()?;
    Ok(true)
}

async fn loss(world: &World, permille: u64, over: Instant) -> Result<bool, LabFault> {
    if world.lost_permille.get() > 0 {
        return Ok(false);
    }
    world.note(&format!("{permille} of a thousand packets are lost"));
    world.lost_permille.set(u16::try_from(permille).unwrap_or_default());
    world.spoil()?;
    sleep_until(over).await;
    world.lost_permille.set(0);
    world.spoil()?;
    Ok(true)
}

async fn full_disk(world: &World, place: Place, over: Instant) -> Result<bool, LabFault> {
    if !world.may_take(&[place]) {
        return Ok(false);
    }
    world.note(&format!("the disk of {} is full", Planned(place).name()));
    let fault = LabFault::of("fill a disk");
    let files = world.fleet.borrow().files(place);
    world.conditions.borrow_mut()[place].is_full = true;
    world.ground.fill(&files).map_err(&fault)?;
    sleep_until(over).await;
    world.ground.make_room(&files).map_err(&fault)?;
    // A keeper whose disk has failed votes no more until a person has its agent started again (protocol 1.8).
    if place < world.size.keepers {
        let _turn = world.turns[place].lock().await;
        world.ends(place, Signal::TERM).await?;
        world.starts(place)?;
    }
    world.conditions.borrow_mut()[place].is_full = false;
    Ok(true)
}

async fn clock_shift(
    world: &World,
    (place, shifts): (Place, u64),
    over: Instant,
) -> Result<bool, LabFault> {
    if !world.ground.has_clocks() {
        return Ok(false);
    }
    let ahead_s = shifts * Clock::SHIFT_MS / 1_000;
    world.note(&format!("the clock of {} is {ahead_s} s ahead", Planned(place).name()));
    let fault = LabFault::of("shift a clock");
    let files = world.fleet.borrow().files(place);
    world.ground.turn_clock(&files, ahead_s).map_err(&fault)?;
    sleep_until(over).await;
    world.ground.turn_clock(&files, 0).map_err(&fault)?;
    Ok(true)
}

async fn rolling(world: &World, places: &[Place], over: Instant) -> Result<bool, LabFault> {
    let mut is_done = false;
    for place in places {
        if Instant::now() > over {
            break;
        }
        if !world.may_take(&[*place]) {
            continue;
        }
        world.note(&format!("{} is restarted", Planned(*place).name()));
        {
            let _turn = world.turns[*place].lock().await;
            world.ends(*place, Signal::TERM).await?;
            world.starts(*place)?;
        }
        is_done = true;
        sleep(BETWEEN_RESTARTS).await;
    }
    Ok(is_done)
}

/// A careful operator waits between two.
const BETWEEN_RESTARTS: Duration = Duration::from_secs(2);

/// Waits for a remedy, whose desk springs it (see `desk`).
async fn ambush(world: &World, gust: &Gust, over: Instant) -> Result<(), LabFault> {
    let after = Duration::from_millis(gust.measure);
    if world.ambush.get().is_some() {
        world.count(gust.kind, false);
        return Ok(());
    }
    world.ambush.set(Some(Ambush { kind: gust.kind, after, until: over }));
    sleep_until(over).await;
    // It may have sprung, and another one lie in wait by now.
    if world.ambush.get().is_some_and(|ambush| ambush.until == over) {
        world.ambush.set(None);
        world.count(gust.kind, false);
        world.note(&format!("no remedy came by: {gust}"));
    }
    Ok(())
}

/// What an ambush does to the healer of a remedy.
pub async fn spring(world: Rc<World>, healer: Place, ambush: Ambush) -> Result<(), LabFault> {
    sleep(ambush.after).await;
    let is_done = match ambush.kind {
        Kind::HealerKilled => killed(&world, healer).await?,
        _ => stopped(&world, healer, ambush.until).await?,
    };
    world.count(ambush.kind, is_done);
    Ok(())
}

async fn leader(world: &World) -> Option<Place> {
    let sockets: Vec<_> =
        (0..world.size.keepers).map(|at| world.fleet.borrow().files(at).socket()).collect();
    for socket in sockets {
        let client = daemon::admin::client::Client::new(socket).within(Duration::from_secs(1));
        let Ok(status) = client.ask::<daemon::admin::answer::Status>("/v1/status").await else {
            continue;
        };
        let named = status.data.keepers.leader;
        let leader = (0..world.size.keepers).find(|place| named == Some(Planned(*place).name()));
        if leader.is_some() {
            return leader;
        }
    }
    None
}
