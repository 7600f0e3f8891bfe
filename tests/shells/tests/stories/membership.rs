//! Membership among whole daemons: one host in trouble changes nobody's view of the others (law M2).

use shells::{Setup, World, play};

use crate::faults::ready;

/// Hosts that this one does not hold for alive, of those given.
async fn missing(world: &World, host: &str, of: &[&str]) -> Vec<String> {
    let up = world.local(host).await.unwrap_or_default().up;
    let others = of.iter().filter(|other| **other != host);
    others.filter(|other| !up.contains(&world.id(other))).map(ToString::to_string).collect()
}

#[test]
fn law_m2_a_host_that_hears_nothing_changes_nobodys_view_of_the_others() {
    play(Setup::grid(9, 3, 41), async |world| {
        ready(world).await;
        let names = world.names();
        let well: Vec<&str> = names.iter().map(String::as_str).filter(|it| *it != "h7").collect();
        for host in &well {
            assert_eq!(
                missing(world, host, &well).await,
                Vec::<String>::new(),
                "of {host}, before"
            );
        }
        world.cut_one_way(&well, &["h7"]);
        // For a minute it calls nobody down (law SW23), then nearly all.
        for second in 0..120 {
            world.run(1_000).await;
            for host in &well {
                let missing = missing(world, host, &well).await;
                assert_eq!(missing, Vec::<String>::new(), "of {host}, after {second} s");
            }
        }
        let of_the_well = |doubt: &(String, String)| doubt.0 != "h7" && doubt.1 != "h7";
        let doubts = world.doubts().await;
        assert!(!doubts.iter().any(of_the_well), "nor doubts another: {doubts:?}");
        let blind = missing(world, "h7", &well).await;
        println!("what h7 itself holds for dead, and tells everybody: {blind:?}");
        assert!(blind.len() > well.len() / 2, "it was deaf all the while: {blind:?}");
    });
}
