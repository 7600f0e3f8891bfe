//! How large a fleet can be played, and how long does it take? Prints; asserts nothing.

use simulator::{Fault, Fleet, Setup, Whom};
use vocabulary::Span;

fn main() {
    for hosts in [100, 300] {
        let began = std::time::Instant::now();
        let mut fleet = Fleet::new(Setup::grid(hosts, 5, 1)).expect("sound");
        fleet.run(Span::seconds(60));
        let calm = began.elapsed();
        let enrolled = fleet.ledger().roster().present_count();
        let doubted = fleet.is_any_doubted();
        fleet.strike(Fault::Kill(vec![Whom::Named("h50".into())]));
        fleet.run_until(Span::seconds(20), |fleet| fleet.ledger().cases().next().is_some());
        println!(
            "N = {hosts}: 60 s of calm in {calm:?}, {enrolled} enrolled, doubted {doubted}, index {}, verdict after {} ms, breaches {:?}",
            fleet.ledger().index(),
            fleet.now().as_milliseconds() - 60_000,
            fleet.breaches()
        );
    }
}
