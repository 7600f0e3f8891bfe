//! The same seed gives the same packets, in this process and in another; another seed gives others.

use std::process::Command;

use shells::tape::Tape;
use shells::world::play_on;
use shells::{Setup, Weather, World};
use vocabulary::Digest;

use crate::policy::POLICY;

/// Where the trace of the seed below is printed, for the process that compares.
const MARK: &str = "the trace is ";

/// A minute of ten hosts in bad weather: a death and its healing, a freeze, a cut, and the leader's end.
async fn a_bad_minute(world: &World) -> (Digest, Vec<String>) {
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
    world.run(3_000).await;
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
    world
        .with_tape(|tape| (tape.digest(), tape.packets().iter().map(ToString::to_string).collect()))
}

fn minute(seed: u64) -> (Digest, Vec<String>) {
    play_on(Tape::keeping(), Setup::grid(10, 3, seed).with_policy(POLICY), a_bad_minute)
}

/// The first packets of another world.
fn beginning(seed: u64) -> Vec<String> {
    play_on(Tape::keeping(), Setup::grid(10, 3, seed), async |world| {
        world.run(4_000).await;
        world.with_tape(|tape| tape.packets().iter().map(ToString::to_string).collect())
    })
}

#[test]
fn one_seed_gives_one_trace_and_another_seed_another() {
    let (one, again) = (minute(7), minute(7));
    let parted = one.1.iter().zip(&again.1).position(|(one, again)| one != again);
    if let Some(at) = parted {
        let from = at.saturating_sub(5);
        let upto = (at + 5).min(one.1.len()).min(again.1.len());
        panic!(
            "the runs part at packet {at} of {}:\n{:#?}\n{:#?}",
            one.1.len(),
            &one.1[from..upto],
            &again.1[from..upto]
        );
    }
    assert_eq!(one.0, again.0, "of {} and {} packets", one.1.len(), again.1.len());
    assert_ne!(one.1[..500], beginning(8)[..500]);
    assert!(one.1.len() > 10_000, "{} packets are no bad minute", one.1.len());
    assert_eq!(told_by_another_process(), one.0.to_string());
}

/// Not a claim of its own: the story above, as another process tells it.
#[test]
fn a_process_of_its_own_prints_the_trace() {
    if std::env::var("SHELLS_TRACE").is_ok() {
        println!("{MARK}{}", minute(7).0);
    }
}

fn told_by_another_process() -> String {
    let me = std::env::current_exe().expect("this very test");
    let told = Command::new(me)
        .args(["--exact", "trace::a_process_of_its_own_prints_the_trace", "--nocapture"])
        .env("SHELLS_TRACE", "1")
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = text.lines().find_map(|line| Some(line.split_once(MARK)?.1.to_owned()));
    line.unwrap_or_else(|| panic!("no trace in {text}"))
}
