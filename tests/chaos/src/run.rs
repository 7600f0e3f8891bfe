//! One run, in its order: a mesh, the weather, calm, the judge.
//!
//! Law X2: whatever ends a run, a fault, a panic or a signal, its agents, namespaces and mounts go with it.
//! Law X3: calm has a bound, and what is not over by then is judged as it stands.
//! Not here: the parts themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use daemon::admin::answer::{Cases, Hosts, Status};
use daemon::demo::folder::Folder;
use lab::fleet::Size;
use lab::plan::Place;
use lab::{Fleet, LabFault};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::ground::Ground;
use crate::judge::{Answered, Clock, Judgement, judge};
use crate::operator::{Operator, policy};
use crate::weather::{Gust, drawn};
use crate::world::World;
use crate::{desk, faults, gathering, journal, report};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How long the weather lasts.
    pub length: Duration,
    /// What draws it.
    pub seed: u64,
    /// How large the mesh is.
    pub size: Size,
    /// The `hale` that is tried.
    pub hale: PathBuf,
    /// Whether somebody goes on tending to what waits for a person once calm has begun (law P3 of `operator`), so that calm is short.
    pub is_tended: bool,
    /// Whether all files stay in any case.
    pub is_kept: bool,
}

/// law X3: at most a quarter of all hosts is out as calm begins. Each is healed within a minute on a busy machine; where too few observers
/// are left that ever reached it, hale hands it over after five, two at a time.
const CALM_WITHIN: Duration = Duration::from_mins(12);

/// All stays over for so long before it counts as calm.
const CALM_FOR: Duration = Duration::from_secs(3);

/// How often it is looked whether it is calm, and whether an agent has ended by itself.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The rules that the policy and the orders need.
const NEWEST_RULES: u64 = 2;

/// They come into force after a while.
const RULES_WITHIN: Duration = Duration::from_mins(2);

/// How often a minute is told.
const MINUTE: Duration = Duration::from_mins(1);

/// Plays and judges; whether hale kept its word.
pub async fn play(wish: &Wish) -> Result<bool, LabFault> {
    let mut folder = Folder::make().map_err(LabFault::of("make a folder"))?;
    let played = play_in(wish, folder.path()).await;
    if wish.is_kept || !matches!(played, Ok(true)) {
        folder.keep();
        println!(
            "seed {}; journals, audits and the run's log: {}",
            wish.seed,
            folder.path().display()
        );
    }
    played
}

async fn play_in(wish: &Wish, folder: &Path) -> Result<bool, LabFault> {
    let clock = Clock { mono_ms: journal::mono_ms(), wall_ms: journal::wall_ms() };
    let world = raised(wish, folder).await?;
    let listener = desk::listen(folder).map_err(LabFault::of("open the desk"))?;
    let own = std::env::current_exe().map_err(LabFault::of("find this program"))?;
    let operator = Operator::new(world.clone(), wish.seed, policy(&own, folder));
    let mut beside = JoinSet::new();
    beside.spawn_local(desk::serve(world.clone(), listener));
    beside.spawn_local(watched(world.clone()));
    let told = tokio::select! {
        told = weathered(wish, &world, &operator) => told,
        // Neither ends by itself.
        Some(ended) = beside.join_next() => Err(LabFault::of("serve remedies")(
            ended.err().map_or_else(|| "it ended".to_owned(), |panic| panic.to_string()),
        )),
    };
    told.map_err(|fault| kept(&world, fault))?;
    operator.tends_once().await;
    let unrest = calm(&world, &operator, wish.is_tended).await;
    let orders = operator.orders();
    let picture = gathering::gather(&world, &wish.hale, (clock, unrest, orders.clone())).await;
    let picture = picture.map_err(|fault| kept(&world, fault))?;
    drop(beside);
    let judgement = judge(&picture);
    print!("{}", report::table(&world.counts.borrow(), &orders, &judgement));
    let is_sound = judgement.breaches.is_empty();
    if wish.is_kept || !is_sound {
        kept_with(&world, &judgement)?;
    }
    Ok(is_sound)
}

async fn raised(wish: &Wish, folder: &Path) -> Result<Rc<World>, LabFault> {
    fs::create_dir(folder.join("journals")).map_err(LabFault::of("make a folder"))?;
    let ground = Ground::lay(folder, &wish.hale, wish.size)?;
    if !ground.has_clocks() {
        println!("libfaketime is not installed: no clock is shifted");
    }
    let begun = Instant::now();
    let fleet = Fleet::raise_sized("chaos", wish.size, ground.script()).await?;
    let Size { hosts, keepers } = wish.size;
    println!("{hosts} hosts, {keepers} keepers, raised in {} s", begun.elapsed().as_secs());
    Ok(Rc::new(World::new(fleet, ground, (wish.size, folder))))
}

/// law O2 of `world`.
async fn watched(world: Rc<World>) {
    loop {
        world.look_for_ends();
        sleep(LOOK_EVERY).await;
    }
}

async fn weathered(wish: &Wish, world: &Rc<World>, operator: &Operator) -> Result<(), LabFault> {
    let gusts = drawn(wish.seed, wish.length, wish.size);
    let plan: Vec<String> = gusts.iter().map(Gust::to_string).collect();
    fs::write(world.folder.join("weather.txt"), plan.join("\n"))
        .map_err(LabFault::of("keep the weather"))?;
    ready(world, operator).await?;
    println!("seed {}: {} gusts in {} s", wish.seed, gusts.len(), wish.length.as_secs());
    tokio::select! {
        blown = blown(world, (gusts, wish.length)) => blown,
        () = operator.work() => Ok(()),
        () = operator.tends() => Ok(()),
        () = minutes(world, operator) => Ok(()),
    }
}

/// The rules are in force under which a person may order everything, and the policy stands.
async fn ready(world: &Rc<World>, operator: &Operator) -> Result<(), LabFault> {
    let end = Instant::now() + RULES_WITHIN;
    loop {
        let status = gathering::ask::<Status>(world, 0, "/v1/status").await;
        let is_newest = status.is_some_and(|status| status.data.ledger.rules >= NEWEST_RULES);
        if is_newest && operator.applies(0).await == Answered::Acknowledged {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(LabFault::new(
                "the newest rules are not in force, or nobody acknowledges the policy",
            ));
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn blown(world: &Rc<World>, (gusts, length): (Vec<Gust>, Duration)) -> Result<(), LabFault> {
    let begun = Instant::now();
    let mut blowing = JoinSet::new();
    for (number, gust) in gusts.into_iter().enumerate() {
        sleep_until(begun + gust.at).await;
        blowing.spawn_local(faults::blow(world.clone(), number, gust));
    }
    while let Some(blown) = blowing.join_next().await {
        blown.map_err(LabFault::of("let a gust blow"))??;
    }
    sleep_until(begun + length).await;
    Ok(())
}

async fn minutes(world: &World, operator: &Operator) {
    let mut minute = 0;
    loop {
        sleep(MINUTE).await;
        minute += 1;
        println!("minute {minute}: {}", report::minute(world, &operator.orders()));
    }
}

/// Waits until all is over or a person's, and lifts whatever brake still stands; why it has not come, where it
/// has not.
async fn calm(world: &World, operator: &Operator, is_tended: bool) -> Option<String> {
    let begun = Instant::now();
    let (mut since, mut last) = (None, String::new());
    while begun.elapsed() < CALM_WITHIN {
        match unrest(world).await {
            None => {
                let since = *since.get_or_insert_with(Instant::now);
                if since.elapsed() >= CALM_FOR {
                    println!("calm after {} s", begun.elapsed().as_secs());
                    return None;
                }
            }
            Some(unrest) => (since, last) = (None, unrest),
        }
        operator.lift(0).await;
        if is_tended {
            operator.tends_once().await;
        }
        sleep(LOOK_EVERY).await;
    }
    Some(format!("not within {} s: {last}", CALM_WITHIN.as_secs()))
}

/// Why it is not calm yet, as some keeper with a majority sees it.
async fn unrest(world: &World) -> Option<String> {
    let mut why = "no keeper answers".to_owned();
    for keeper in 0..world.size.keepers {
        match unrest_at(world, keeper).await {
            Ok(()) => return None,
            Err(unrest) => why = unrest,
        }
    }
    Some(why)
}

async fn unrest_at(world: &World, keeper: Place) -> Result<(), String> {
    let missing = || format!("h{keeper} does not answer");
    let hosts = gathering::ask::<Hosts>(world, keeper, "/v1/hosts").await.ok_or_else(missing)?;
    let cases = gathering::ask::<Cases>(world, keeper, "/v1/cases").await.ok_or_else(missing)?;
    let status = gathering::ask::<Status>(world, keeper, "/v1/status").await.ok_or_else(missing)?;
    if !cases.fresh || status.data.brake.is_on {
        return Err(format!("h{keeper}: {}", status.data.brake.why.unwrap_or_default()));
    }
    let is_persons = |stage: &str| ["escalated", "quarantined"].contains(&stage);
    let mut open = cases.data.cases.iter().filter(|case| case.closed.is_none());
    if let Some(case) = open.find(|case| !is_persons(&case.stage)) {
        return Err(format!("case {} on {}: {}", case.id, case.subject.name, case.awaits));
    }
    let well = ["ok", "case", "quarantined"];
    if let Some(host) = hosts.data.hosts.iter().find(|host| !well.contains(&&*host.state)) {
        return Err(format!("{} is {}", host.name, host.state));
    }
    // A keeper that runs and has not caught up is awaited as well.
    let longest = gathering::records_longest(world).await;
    for other in (0..world.size.keepers).filter(|keeper| world.runs(*keeper)) {
        let status = gathering::ask::<Status>(world, other, "/v1/status").await;
        let held = status.map_or(0, |status| status.data.ledger.head.number);
        if held < longest {
            return Err(format!("h{other} holds {held} records of {longest}"));
        }
    }
    Ok(())
}

fn kept(world: &World, fault: LabFault) -> LabFault {
    let mut fleet = world.fleet.borrow_mut();
    LabFault::new(&format!("{fault}; agents' logs: {}", fleet.keep().display()))
}

fn kept_with(world: &World, judgement: &Judgement) -> Result<(), LabFault> {
    let all: Vec<String> = judgement.breaches.iter().map(ToString::to_string).collect();
    fs::write(world.folder.join("breaches.txt"), all.join("\n"))
        .map_err(LabFault::of("keep the breaches"))?;
    print!("{}", report::breaches(&judgement.breaches));
    println!("agents' logs: {}", world.fleet.borrow_mut().keep().display());
    Ok(())
}
