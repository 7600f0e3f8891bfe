//! What operators do to a mesh that works.

use std::fs;
use std::future::pending;

use daemon::admin::answer::{Answer, Hosts};
use daemon::authority::Term;
use daemon::authority::renew::{self, HostRenewal};
use lab::plan::Place;
use rustix::process::Signal;

use crate::world::{World, play};

#[test]
fn a_rolling_restart_of_all_agents_condemns_nobody() {
    play("rolling", async |mut world| {
        world.calm().await;
        for place in 0..world.fleet.count() {
            world.fleet.restart(place).await.unwrap_or_else(|fault| panic!("{fault}"));
            world.is_well_again().await;
        }
        world.nothing_came_of_it().await;
        world.explains_as_never_judged(0, &world.all()).await;
    });
}

/// Every agent is asked for everything it knows all the while, as fast as it answers.
#[test]
fn all_agents_take_other_certificates_and_keys_under_load_and_nobody_is_condemned() {
    play("reload", async |mut world| {
        world.calm().await;
        let count = world.fleet.count();
        let reloads = async {
            for place in 0..count {
                renew(&world, place);
                world.fleet.signal(place, Signal::HUP).expect("told");
            }
        };
        let asks = async {
            loop {
                for place in 0..count {
                    let _: Result<Answer<Hosts>, _> = world.fleet.ask(place, "/v1/hosts").await;
                }
            }
        };
        tokio::select! {
            () = async { reloads.await; world.has_enrolled(count).await } => {}
            () = asks => pending().await,
        }
        world.is_well_again().await;
        world.nothing_came_of_it().await;
        world.explains_as_never_judged(0, &world.all()).await;
    });
}

/// A certificate for another key, put in the place of the old one as an operator would.
fn renew(world: &World, place: Place) {
    let own = world.fleet.files(place).folder;
    let next = own.join("next");
    let renewal = HostRenewal {
        from: own.join("host.pem"),
        signed_by: None,
        has_new_key: true,
        term: Term::from_now(1),
    };
    renew::host(&renewal, &world.fleet.authority(), &next).expect("renewed");
    for file in ["host.key", "host.pem"] {
        fs::rename(next.join(file), own.join(file)).expect("in its place");
    }
}
