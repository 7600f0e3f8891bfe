//! One agent dies and is healed.

use simulator::{Fault, Fleet, Setup, Whom};
use vocabulary::Span;

const POLICY: &str = r#"
[budget]
fleet = { in_flight = 1, halt_above = "none" }
zone = { in_flight = 1, halt_above = "none" }
any_group = { in_flight = 1 }

[timers]
quiet_for = "2s"

[[rule]]
name = "agent down"
when = { verdict = "AgentDown" }
mode = "act"
for = "0s"
cooldown = "0s"
ladder = [
  { do = "command", class = "gentle", argv = ["/bin/start"], inspect = ["/bin/start", "--was-it-done"], time_limit = "10s", verify_within = "30s", soak = "3s" },
]
"#;

#[test]
fn a_killed_agent_is_started_again_and_proven_well() {
    let mut fleet = Fleet::new(Setup::demo(1).with_policy(POLICY)).expect("sound");
    fleet.begin_trace();
    fleet.run(Span::seconds(30));
    fleet.strike(Fault::Kill(vec![Whom::Named("b2".into())]));
    fleet.run(Span::seconds(60));
    for line in fleet.trace() {
        println!("{line}");
    }
    assert_eq!(fleet.breaches(), []);
    assert!(fleet.ledger().cases().next().is_none());
    assert_eq!(fleet.ledger().closed_cases().count(), 1);
}
