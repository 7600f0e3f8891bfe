//! What powers machines off and on: the baseboards of all hosts, behind one socket.
//!
//! Law D1: who asks and goes away before it was told is broken off: nothing more of it happens, and the journal says so.
//! Law D2: a machine that is powered off and on has its card back, and an agent that was started anew.
//! Not here: whether that may be done: the desk compares nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use lab::LabFault;
use lab::plan::{Place, Planned};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinSet, spawn_local};
use tokio::time::sleep;

use crate::faults;
use crate::journal::{self, Seen};
use crate::target::{Ask, DONE, NOTED};
use crate::world::World;

/// A request or an answer is one short line.
const LINE_BYTES_MAX: u64 = 4_096;

/// More at once than any budget allows, so that a broken budget is seen and not hidden.
const ASKING_MAX: usize = 32;

/// A machine takes so long to be off and on again, by the number of the remedy, in milliseconds: from, and how much more at most.
const POWER_MS: (u64, u64) = (400, 2_600);

/// Longer than the policy gives a remedy (see `operator`).
const TOO_LONG: Duration = Duration::from_secs(12);

/// Where it listens.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("desk.sock")
}

/// Listens before any remedy can ask.
pub fn listen(folder: &Path) -> io::Result<UnixListener> {
    UnixListener::bind(socket(folder))
}

/// Serves remedies until it is dropped.
pub async fn serve(world: Rc<World>, listener: UnixListener) {
    let mut asking = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if asking.len() < ASKING_MAX => {
                if let Ok((stream, _)) = accepted {
                    asking.spawn_local(serve_one(world.clone(), stream));
                }
            }
            Some(_) = asking.join_next() => {}
        }
    }
}

async fn serve_one(world: Rc<World>, stream: UnixStream) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read.take(LINE_BYTES_MAX));
    let mut line = String::new();
    if lines.read_line(&mut line).await.is_err() {
        return;
    }
    let Ok(ask) = serde_json::from_str::<Ask>(&line) else {
        world.note(&format!("the desk was asked something else: {line:?}"));
        return;
    };
    world.note(&format!("remedy {} begins on {}", ask.begin.remedy, ask.begin.host));
    spring_ambush(&world, &ask);
    let is_noted = tokio::select! {
        worked = work(&world, &ask) => match worked {
            Ok(()) => told(&mut lines, &mut write).await,
            Err(fault) => {
                world.note(&format!("remedy {} fails: {fault}", ask.begin.remedy));
                false
            }
        },
        // law D1: it says nothing before it was told; whatever comes is its end.
        _ = lines.read_line(&mut line) => false,
    };
    if !is_noted {
        world.note(&format!("remedy {} is broken off", ask.begin.remedy));
        if let Err(fault) = journal::append(&world.journals(), &ask.begin.now(Seen::Broken)) {
            world.note(&format!("and cannot be written down: {fault}"));
        }
    }
}

/// law D2.
async fn work(world: &World, ask: &Ask) -> Result<(), LabFault> {
    let (least, more) = POWER_MS;
    let power = Duration::from_millis(least + ask.begin.remedy * 977 % more);
    sleep(if world.is_slow.get() { TOO_LONG } else { power }).await;
    let place = (0..world.size.hosts).find(|place| Planned(*place).name() == ask.begin.host);
    let place = place.ok_or_else(|| LabFault::new("no machine has this name"))?;
    let _turn = world.turns[place].lock().await;
    world.ends(place, Signal::KILL).await?;
    world.set_silent(place, false)?;
    world.starts(place)
}

/// Whether its end stands in the journal.
async fn told(
    lines: &mut BufReader<tokio::io::Take<OwnedReadHalf>>,
    write: &mut OwnedWriteHalf,
) -> bool {
    let mut noted = String::new();
    write.write_all(format!("{DONE}\n").as_bytes()).await.is_ok()
        && lines.read_line(&mut noted).await.is_ok()
        && noted.trim() == NOTED
}

fn spring_ambush(world: &Rc<World>, ask: &Ask) {
    let Some(healer) = healer_of(world, ask.process) else {
        world.note(&format!("nobody knows the healer of remedy {}", ask.begin.remedy));
        return;
    };
    if let Some(ambush) = world.ambush.take() {
        let (world, name) = (world.clone(), Planned(healer).name());
        world.note(&format!("{name} heals, and is waited for: {ambush:?}"));
        spawn_local(async move {
            let sprung = faults::spring(world.clone(), healer, ambush).await;
            if let Err(fault) = sprung {
                world.note(&format!("an ambush failed: {fault}"));
            }
        });
    }
}

/// The remedy's parent is the guard, whose parent is the agent.
fn healer_of(world: &World, process: u32) -> Option<Place> {
    let agent = parent(parent(process)?)?;
    (0..world.size.hosts).find(|place| world.fleet.borrow().process(*place).ok() == Some(agent))
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
