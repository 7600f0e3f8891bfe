//! Is a founding, and the loss of a leader, told without an error? An error line is for a person.

use cluster::mesh::{Mesh, plain, play};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT};

/// Lines that call a person, in all logs.
fn errors(mesh: &Mesh) -> Vec<String> {
    let logs = (0..HOSTS_COUNT).map(|place| (HOSTS[place].name, mesh.log(place)));
    let lines = logs.flat_map(|(name, log)| {
        let lines: Vec<String> = log.lines().map(|line| format!("{name}: {line}")).collect();
        lines
    });
    lines.filter(|line| line.contains(" ERROR ")).collect()
}

/// What is wrong with an order is told by a rule's name and exit code 4, which a script does not take for a mesh without a
/// majority.
#[test]
fn a_mesh_is_founded_once_and_whoever_founds_it_again_is_told_which_rule_refuses() {
    play(async |mut mesh| {
        let calm = mesh.calm().await;
        for (place, rule) in [(calm.leader, "AlreadyFounded: "), (plain(&calm), "NotAKeeper: ")] {
            let printed = mesh.types(place, &["init", "--keepers", "a1,b1,c1"]).await;
            assert_eq!(printed.code, Some(4), "{printed:?}");
            assert!(printed.fault.contains(rule), "{printed:?}");
        }
    });
}

#[test]
fn three_keepers_found_and_six_hosts_join_without_an_error_and_a_leader_is_lost_without_one() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        assert_eq!(errors(&mesh), [""; 0]);
        let name = HOSTS[before.leader].name;
        mesh.stage.fleet.kill(before.leader).await.expect("killed");
        mesh.calm_when("another leads and has healed it", |calm| {
            calm.boots[name] > before.boots[name]
        })
        .await;
        assert_eq!(errors(&mesh), [""; 0]);
    });
}
