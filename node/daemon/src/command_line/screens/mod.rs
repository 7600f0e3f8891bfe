//! What an operator sees, whole screens of it, from ledgers that went through real entries.

mod checks;
mod doubts;
mod healing;
mod keepers;
mod mesh;
mod persons;
mod policy;

use expect_test::Expect;
use vocabulary::Span;

use super::asking::{At, Screen};
use super::list::List;
use super::table::{Clock, Table};
use super::{cases, explain, fleetlock, hosts, leases, maintenance, status};
use crate::admin::answer::{Answer, Body};
use crate::admin::mind::{Local, Standing};
use crate::admin::render::{self, Scene};
use crate::admin::tests::fleet::{Fleet, claims, id};

/// One operator at one agent.
struct Desk {
    fleet: Fleet,
    local: Local,
    standing: Standing,
}

impl Desk {
    fn at(fleet: Fleet) -> Self {
        let up = fleet.hosts.iter().map(|claims| claims.id()).collect();
        let connected = std::collections::BTreeSet::new();
        Self {
            fleet,
            local: Local { up, connected, ..Local::default() },
            standing: Standing {
                age: Span::milliseconds(400),
                has_majority: true,
                leader: Some(id("b1")),
                term: 41,
            },
        }
    }

    fn answer<B: Body>(&self, ask: impl FnOnce(&Scene<'_>) -> B) -> Answer<B> {
        let ledger = &self.fleet.ledger;
        let wall_ms = ledger.wall().0 + 400;
        let me = claims("a1");
        let scene = Scene::new(ledger, &self.local, &me, (self.standing, wall_ms));
        scene.answer(ask(&scene))
    }

    fn status(&self) -> String {
        status::text(&self.answer(render::status), &screen())
    }

    fn cases(&self, all: bool) -> String {
        listed(&self.answer(|scene| render::cases(scene, all)), cases::listed)
    }

    fn leases(&self) -> String {
        listed(&self.answer(render::leases), |leases, _| leases::listed(leases))
    }

    fn fleetlock(&self) -> String {
        listed(&self.answer(render::clients), fleetlock::listed)
    }

    fn keepers(&self) -> String {
        listed(&self.answer(render::keepers), super::keepers::listed)
    }

    fn maintenance(&self) -> String {
        listed(&self.answer(render::maintenance), maintenance::listed)
    }

    fn hosts(&self) -> String {
        listed(&self.answer(|scene| render::hosts(scene, true)), hosts::table)
    }

    fn explain(&self, what: &str) -> String {
        let explained = |scene: &Scene<'_>| render::explain(scene, what).expect("it is known");
        explain::text(&self.answer(explained), &screen())
    }
}

fn screen() -> Screen {
    let at = At::of_socket("/run/hale/admin.sock");
    Screen { no_header: false, utc: false, ..Screen::plain(at) }
}

fn listed<B: Body>(answer: &Answer<B>, list: fn(&B, Clock) -> Result<Table, String>) -> String {
    List::whole(screen()).text(answer, list).expect("as it comes")
}

fn shows(text: &str, expected: &Expect) {
    expected.assert_eq(text);
}
