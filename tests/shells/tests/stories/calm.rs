//! Founding, and calm: everybody is admitted, and then nothing happens.

use shells::{Setup, World, play};

/// Of calm, after the mesh is whole.
const CALM_SECONDS: u64 = 10;

async fn founds_and_rests(world: &World) {
    world.found().await;
    world.whole().await;
    let whole_ms = world.now_ms();
    let began = std::time::Instant::now();
    for _ in 0..CALM_SECONDS {
        world.run(1_000).await;
        assert_eq!(world.doubts().await, [], "in calm nobody doubts anybody\n{}", world.picture());
        assert!(world.is_settled(), "{}", world.picture());
    }
    let (real, hosts) = (began.elapsed(), world.names().len());
    let packets = world.with_tape(|tape| tape.count());
    println!(
        "{hosts} hosts: whole after {whole_ms} ms; {packets} packets; a second of calm takes {} ms",
        real.as_millis() / u128::from(CALM_SECONDS)
    );
}

#[test]
fn five_hosts_found_a_mesh_and_rest() {
    play(Setup::grid(5, 3, 1), founds_and_rests);
}

#[test]
fn twenty_hosts_found_a_mesh_and_rest() {
    play(Setup::grid(20, 3, 2), founds_and_rests);
}

#[test]
fn fifty_hosts_found_a_mesh_and_rest() {
    play(Setup::grid(50, 3, 3), founds_and_rests);
}
