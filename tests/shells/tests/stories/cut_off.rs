//! Does an agent without a majority know it, and say so where it stands? Each world is cut once, and what is cut off is asked as
//! an operator there asks: what the admin socket answers, and the screen that `hale status` makes of it.
//!
//! Not here: what the others conclude of them (see `faults`), and the socket itself (see `tests/cluster`).

use daemon::admin::answer::{Answer, Explained, Status};
use daemon::admin::mind::NotCommitted;
use daemon::admin::render;
use daemon::command_line::asking::{At, Screen};
use daemon::command_line::{explain, status};
use ledger::command::{Command, Order};
use shells::{Habit, Setup, World, play};

use crate::faults::ready;

/// From the cut to the word.
const SAYS_WITHIN_MS: u64 = 10_000;

/// A case, its lease and its remedy take a third of it where a majority is.
const LONG_MS: u64 = 15_000;

/// Nine hosts in three zones, of which h0, h1 and h2 are keepers, under a policy that heals.
fn nine(seed: u64) -> Setup {
    Setup::grid(9, 3, seed).with_policy(&scenarios::policy(1))
}

/// What `hale` prints at a terminal.
fn screen() -> Screen {
    let at = At::of_socket("/run/hale/admin.sock");
    Screen { no_header: false, utc: false, ..Screen::plain(at) }
}

async fn answers(world: &World, host: &str) -> Answer<Status> {
    world.answer(host, render::status).await.expect("its agent answers")
}

/// That no majority stands behind what it knows, in every way in which an operator may read it.
fn says_so(answer: &Answer<Status>) -> bool {
    let page = status::text(answer, &screen());
    let told = [
        ", NO MAJORITY behind it\n",
        "no majority of the keepers answers this agent: the answer is ",
        "old, and nothing new can begin on this side\n",
    ];
    let is_told = told.map(|words| page.contains(words));
    assert_eq!(is_told, [!answer.fresh; 3], "the screen and `fresh` are one word: {page}");
    !answer.fresh
}

/// Cuts these off and waits until each of those says so.
async fn cut_and_told(world: &World, cut: &[&str], told: &[&str]) {
    for host in told {
        assert!(!says_so(&answers(world, host).await), "{host} has a majority before the cut");
    }
    world.cut_off(cut);
    let began = world.now_ms();
    for host in told {
        while !says_so(&answers(world, host).await) {
            let after = world.now_ms() - began;
            assert!(after < SAYS_WITHIN_MS, "{host} says nothing of it after {after} ms");
            world.run(100).await;
        }
        let after = world.now_ms() - began;
        assert!(after <= SAYS_WITHIN_MS, "{host} said so no sooner than after {after} ms");
        println!("{host} has said so {after} ms after the cut at the latest");
    }
}

/// Nothing is concluded, ordered or carried out by one of these, and they say so all the while.
async fn begin_nothing(world: &World, cut: &[&str]) {
    let cases: Vec<usize> = cut.iter().map(|host| world.view(host).cases().count()).collect();
    for _ in 0..LONG_MS / 1_000 {
        world.run(1_000).await;
        for (host, before) in cut.iter().zip(&cases) {
            assert!(says_so(&answers(world, host).await), "{host} says so all the while");
            let now = world.view(host).cases().count();
            assert_eq!(now, *before, "{host} concludes nothing\n{}", world.picture());
        }
        let ids: Vec<_> = cut.iter().map(|host| world.id(host)).collect();
        let journal = world.journal();
        assert!(journal.iter().all(|line| !ids.contains(&line.healer)), "{journal:?}");
    }
    for host in cut {
        let order = Order { who: "a test".into(), why: "whether anything moves".into() };
        let told = world.propose(host, Command::Pause(order)).await;
        let is_none = matches!(told, Err(NotCommitted::NoLeader(_) | NotCommitted::Unknown(_)));
        assert!(is_none, "an order at {host} came to {told:?}");
    }
}

/// What `hale explain` prints of a host.
async fn explained(world: &World, by: &str, host: &'static str) -> String {
    let work_out = |scene: &render::Scene<'_>| render::explain(scene, host).expect("it is known");
    let answer: Answer<Explained> = world.answer(by, work_out).await.expect("its agent answers");
    explain::text(&answer, &screen())
}

/// One is cut off alone, under remedies of the others that change nothing: it lives the same life all the while.
fn alone(seed: u64, who: fn(&World) -> String) {
    play(nine(seed), async |world| {
        ready(world).await;
        world.expect_remedies([Habit::DoesNothing; 100]);
        let host = who(world);
        cut_and_told(world, &[&host], &[&host]).await;
        begin_nothing(world, &[&host]).await;
    });
}

#[test]
fn a_leader_that_is_cut_off_alone_says_so_within_ten_seconds_and_begins_nothing() {
    alone(51, |world| world.leader().expect("somebody leads"));
}

#[test]
fn a_keeper_that_follows_and_is_cut_off_alone_says_so_within_ten_seconds_and_begins_nothing() {
    alone(52, |world| {
        let leader = world.leader().expect("somebody leads");
        let mut keepers = ["h0", "h1", "h2"].into_iter();
        keepers.find(|name| *name != leader).expect("two of three follow").to_owned()
    });
}

#[test]
fn a_plain_host_that_is_cut_off_alone_says_so_within_ten_seconds_and_begins_nothing() {
    alone(53, |_| "h7".to_owned());
}

/// One of them is killed as they are cut off, so that there is something to heal.
#[test]
fn a_lone_minority_says_so_at_every_host_within_ten_seconds_and_heals_not_even_its_own_dead() {
    play(nine(54), async |world| {
        ready(world).await;
        let minority = ["h2", "h5"];
        world.kill("h8");
        cut_and_told(world, &["h2", "h5", "h8"], &minority).await;
        begin_nothing(world, &minority).await;
        let page = explained(world, "h2", "h8").await;
        let why = "no keeper leads, so nobody calls a round: without a majority there are no verdicts (protocol 3.9)";
        assert!(page.starts_with("host h8  doubted  ") && page.contains(why), "{page}");
        assert_eq!(world.journal(), [], "nor does anybody heal a zone that is dark");
    });
}
