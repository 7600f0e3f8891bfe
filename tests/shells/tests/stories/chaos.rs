//! Whatever is done to whole daemons, no law breaks; and once it stops, every trouble ends (law G1).

use ledger::command::{Command, Order, Refused};
use shells::{DiskFault, Habit, Luck, Setup, Weather, World, play};
use vocabulary::CaseId;

/// How often one world is struck.
const STRIKES: usize = 14;

/// Within so many seconds of the last strike every case has ended or is a person's.
const CALM_SECONDS: u64 = 400;

fn order(why: &str) -> Order {
    Order { who: "chaos".into(), why: why.into() }
}

fn strike(world: &World, luck: &mut Luck) -> String {
    let names = world.names();
    let pick = |luck: &mut Luck| names[luck.below(names.len() as u64) as usize].clone();
    let host = pick(luck);
    match luck.below(16) {
        0..3 => world.kill(&host),
        3 => world.power_off(&host),
        4 | 5 => world.freeze(&host),
        6 => world.thaw(&host),
        7 => {
            let other = pick(luck);
            world.cut_one_way(&[&host], &[&other]);
            return format!("cut {host} > {other}");
        }
        8 => {
            let zone = luck.below(3);
            let cut = [zone, zone + 3, zone + 6].map(|number| format!("h{number}"));
            world.cut_off(&cut.each_ref().map(String::as_str));
            return format!("cut off {cut:?}");
        }
        9 | 10 => {
            world.mend();
            return "mend".into();
        }
        11 => {
            let leader = world.leader().unwrap_or_else(|| host.clone());
            world.kill(&leader);
            return format!("kill the leader, {leader}");
        }
        12 => world.start(&host),
        13 => {
            let habits = [Habit::DoesNothing, Habit::Refuses, Habit::ReceiptLost, Habit::Hangs];
            let habit = habits[luck.below(4) as usize];
            world.expect_remedies([habit]);
            return format!("the next remedy: {habit:?}");
        }
        14 => {
            let keeper = format!("h{}", luck.below(3));
            world.fail_disk(&keeper, DiskFault::Syncs);
            return format!("the disk of {keeper} fails");
        }
        _ => {
            let storm = Weather {
                jitter_ms: 3,
                loss_permille: 10,
                twice_permille: 10,
                overtaken_permille: 10,
                ..Weather::default()
            };
            world.set_weather(storm);
            return "a storm".into();
        }
    }
    host
}

/// A host inside a domain that is a person's case waits for that person (protocol 3.5).
fn is_a_persons(world: &World, case: CaseId) -> bool {
    world.ledger().holds(case).iter().any(|hold| matches!(hold.rule, Refused::CaseOpen(_)))
}

fn is_any_stuck(world: &World) -> bool {
    let ledger = world.ledger();
    let mut live = ledger.cases().filter(|case| case.is_live());
    live.any(|case| !is_a_persons(world, case.id))
}

async fn struck_and_calm(world: &World, seed: u64) {
    let mut luck = Luck::new(seed);
    world.found().await;
    world.whole().await;
    world.run(10_000).await;
    for _ in 0..STRIKES {
        let at = world.now_ms();
        let struck = strike(world, &mut luck);
        println!("{at} ms: {struck}");
        world.run(100 + luck.below(6_000)).await;
    }
    world.mend();
    world.set_weather(Weather::default());
    for name in world.names() {
        world.thaw(&name);
    }
    // An operator starts the keepers; one whose disk has failed is started anew on another.
    for keeper in ["h0", "h1", "h2"] {
        world.kill(keeper);
        world.start(keeper);
    }
    world.until(60, "a leader", |world| world.leader_of("h0").is_some()).await;
    world.run(10_000).await;
    // Refused where there is no brake.
    world.propose("h0", Command::Resume(order("calm"))).await.expect("a leader takes it");
    world.until(CALM_SECONDS, "every case to end", |world| !is_any_stuck(world)).await;
    for name in world.names() {
        world.start(&name);
    }
    world.until(60, "the mesh to be whole", World::is_whole).await;
}

#[test]
fn no_law_breaks_in_whole_daemons_and_every_trouble_ends() {
    let number = |key: &str, default: u64| {
        std::env::var(key).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let first = number("SHELLS_FIRST", 1);
    for seed in first..first + number("SHELLS_SEEDS", 1) {
        let setup = Setup::grid(9, 3, seed).with_policy(&scenarios::policy(1));
        play(setup, async |world| struck_and_calm(world, seed).await);
    }
}
