//! Hosts that come later, where the policy wants a person's word beside the certificate.

use ledger::command::{Command, Order, Outcome};
use shells::{Setup, World, play};
use vocabulary::HostName;

const ADDED: &str = "enrolment.hosts = \"added\"\n";

fn order(why: &str) -> Order {
    Order { who: "a test".into(), why: why.into() }
}

/// Whether it belongs, in this life of it, to whoever has come furthest.
fn belongs(world: &World, host: &str) -> bool {
    let ledger = world.ledger();
    ledger.roster().get(&world.id(host)).is_some_and(|entry| entry.boot.is_some())
}

async fn refusals(world: &World, host: &str) -> Vec<String> {
    world.local(host).await.unwrap_or_default().refusals
}

#[test]
fn a_certified_host_is_refused_with_the_order_that_lets_it_in_and_comes_by_itself_once_that_is_given()
 {
    play(Setup::grid(6, 3, 31), async |world| {
        world.kill("h5");
        world.found().await;
        let others = ["h0", "h1", "h2", "h3", "h4"];
        let have_come = |world: &World| others.iter().all(|host| belongs(world, host));
        world.until(60, "the others to belong", have_come).await;
        let policy =
            Command::Policy { text: ADDED.into(), if_version: None, order: order("strict") };
        assert_eq!(world.propose("h1", policy).await, Ok(Outcome::Policy { version: 1 }));

        world.start("h5");
        world.run(30_000).await;
        assert!(!belongs(world, "h5"));
        let told = refusals(world, "h5").await.join("; ");
        assert!(told.contains("`hale host add h5 --why ...`"), "its own status says it: {told}");
        let add = |name: &str, why: &str| Command::AddHost {
            name: HostName::new(name).expect("sound"),
            may_enrol: true,
            order: order(why),
        };
        assert_eq!(world.propose("h0", add("h9", "another one")).await, Ok(Outcome::Done));
        world.run(130_000).await;
        assert!(!belongs(world, "h5"), "the word is for the name that it names");

        assert_eq!(world.propose("h0", add("h5", "it is ours")).await, Ok(Outcome::Done));
        let came_ms = world.until(10, "it to come", |world| belongs(world, "h5")).await;
        println!("in the roster {came_ms} ms after the word");
        world.whole().await;
        assert_eq!(refusals(world, "h5").await, Vec::<String>::new());
        assert!(world.pages().is_empty(), "{:?}", world.pages());
    });
}
