//! The same seed gives the same packets, in this process and in another; another seed gives others.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use shells::tape::Tape;
use shells::world::play_on;
use shells::{Setup, Weather, World};

/// Stands before each packet that another process prints.
const MARK: &str = "packet ";

/// A minute of ten hosts in bad weather: a death and its healing, a freeze amid a flood of forged knocks, a cut, and the leader's
/// end.
async fn a_bad_minute(world: &World) -> Vec<String> {
    let drizzle = Weather { jitter_ms: 2, loss_permille: 5, ..Weather::default() };
    let storm = Weather { twice_permille: 20, overtaken_permille: 20, ..drizzle };
    world.set_weather(drizzle);
    world.found().await;
    world.whole().await;
    world.run(3_000).await;
    world.kill("h7");
    world.run(10_000).await;
    world.set_weather(storm);
    world.freeze("h5");
    world.run(1_500).await;
    world.forge_knocks("h5", 250);
    world.run(1_500).await;
    world.thaw("h5");
    world.cut_one_way(&["h8"], &["h3", "h4"]);
    world.run(8_000).await;
    world.mend();
    world.set_weather(drizzle);
    if let Some(leader) = world.leader() {
        world.kill(&leader);
        world.run(5_000).await;
        world.start(&leader);
    }
    world.run(60_000_u64.saturating_sub(world.now_ms())).await;
    packets(world)
}

fn packets(world: &World) -> Vec<String> {
    world.with_tape(|tape| tape.packets().iter().map(ToString::to_string).collect())
}

fn minute(seed: u64) -> Vec<String> {
    play_on(
        Tape::keeping(),
        Setup::grid(10, 3, seed).with_policy(&scenarios::policy(1)),
        a_bad_minute,
    )
}

/// The first packets of another world.
fn beginning(seed: u64) -> Vec<String> {
    play_on(Tape::keeping(), Setup::grid(10, 3, seed), async |world| {
        world.run(4_000).await;
        packets(world)
    })
}

#[test]
fn one_seed_gives_one_trace_and_another_seed_another() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let printed = folder.path().join("printed");
    let other = another_process(File::create(&printed).expect("room"));
    let (one, again) = (minute(7), minute(7));
    are_one(&one, &again);
    are_one(&one, &printed_by(other, &printed));
    assert_ne!(one[..500], beginning(8)[..500]);
    assert!(one.len() > 10_000, "{} packets are no bad minute", one.len());
    assert!(one.iter().any(|packet| packet.contains(" b0 ")), "nobody had to prove its address");
}

fn are_one(one: &[String], other: &[String]) {
    let parted = one.iter().zip(other).position(|(one, other)| one != other);
    if let Some(at) = parted {
        let around = |packets: &[String]| {
            packets[at.saturating_sub(5)..packets.len().min(at + 5)].join("\n")
        };
        let (count, one, other) = (one.len(), around(one), around(other));
        panic!("the runs part at packet {at} of {count}:\n{one}\n\n{other}");
    }
    assert_eq!(one.len(), other.len(), "one ends before the other");
}

/// Not a claim of its own: the story above, as another process tells it.
#[test]
fn a_process_of_its_own_prints_the_trace() {
    if std::env::var("SHELLS_TRACE").is_ok() {
        minute(7).iter().for_each(|packet| println!("{MARK}{packet}"));
    }
}

fn another_process(into: File) -> Child {
    let me = std::env::current_exe().expect("this very test");
    Command::new(me)
        .args(["--exact", "trace::a_process_of_its_own_prints_the_trace", "--nocapture"])
        .env("SHELLS_TRACE", "1")
        .stdout(into)
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs")
}

fn printed_by(mut process: Child, printed: &std::path::Path) -> Vec<String> {
    let ended = process.wait().expect("it is ours");
    let text = std::fs::read_to_string(printed).expect("text");
    assert!(ended.success(), "{text}");
    text.lines().filter_map(|line| Some(line.split_once(MARK)?.1.to_owned())).collect()
}
