//! The policy of the demo's mesh: an operator's policy, but for waits that are short enough to watch.

use std::path::Path;

/// The document; the demo prints it before it applies it.
///
/// `program` is this very binary and `socket` the starter's: the remedy asks the demo to start the agent anew.
pub fn text(program: &Path, socket: &Path) -> String {
    // A path as a TOML text: Rust's escapes of quote, backslash and control characters are TOML's, all but those of the
    // rarest characters, which no temporary folder has.
    let (program, socket) =
        (format!("{:?}", program.to_string_lossy()), format!("{:?}", socket.to_string_lossy()));
    let rung = |class: &str| {
        format!(
            "\
[[rule.ladder]]
do = \"command\"
class = \"{class}\"
argv = [{program}, \"demo-remedy\", {socket}]
inspect = [{program}, \"demo-remedy\", \"--inspect\", {socket}]
time_limit = \"10s\"
verify_within = \"20s\"
soak = \"2s\"                        # 10s without this line
"
        )
    };
    let (gentle, disruptive) = (rung("gentle"), rung("disruptive"));
    format!(
        "\
# One host under repair at a time, anywhere in the mesh.
[budget]
fleet     = {{ in_flight = 1, halt_above = \"60%\", per_hour = 100 }}
zone      = {{ in_flight = 1, halt_above = \"50%\" }}
group.web = {{ in_flight = 1, floor = \"30%\" }}

# The agent is dead and its host lives: start it again.
[[rule]]
name = \"agent down\"
when = {{ verdict = \"AgentDown\" }}
mode = \"act\"
cooldown = \"1s\"                    # 10m without this line

{gentle}
# Nothing of the host answers: end what is left of it and start it anew.
[[rule]]
name = \"host down\"
when = {{ verdict = \"HostDown\" }}
mode = \"act\"
for = \"2s\"                         # 30s without this line
cooldown = \"1s\"

{disruptive}
# Waits short enough to watch.
[timers]
quiet_for = \"2s\"                   # 5s without this line
lease_term = \"20s\"                 # 30s
ramp_step_within = \"30s\"           # 10m
"
    )
}

#[cfg(test)]
mod tests {
    use ledger::policy::Policy;
    use vocabulary::{Span, VerdictKind};

    use super::*;

    #[test]
    fn the_policy_reads_allows_one_host_at_a_time_and_answers_what_the_acts_do() {
        let text = text(Path::new("/opt/a \"b\"/hale"), Path::new("/tmp/x/s.sock"));
        let policy = Policy::read("policy.toml", &text).expect("sound");
        assert_eq!(policy.budget.fleet.in_flight.of(6), 1);
        assert!(
            !policy.budget.fleet.halt_above.is_some_and(|halt| halt.is_crossed(3, 6)),
            "three dead hosts are stopped by the surge alone, so that lifting it is seen to matter"
        );
        for verdict in [VerdictKind::AgentDown, VerdictKind::HostDown] {
            let rule = policy.rules.iter().find(|rule| rule.verdict == verdict);
            let rule = rule.expect("a rule for it");
            assert!(rule.acts());
            assert!(rule.stands_for(&rule.ladder[0]) <= Span::seconds(2));
            assert_eq!(rule.ladder[0].command.argv[0], "/opt/a \"b\"/hale");
        }
    }
}
