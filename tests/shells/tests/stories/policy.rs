//! The policy of these stories: an operator's, with waits as short as a story.

/// One host at a time is started again, whatever is wrong with it.
pub const POLICY: &str = r#"
[budget]
fleet = { in_flight = 1, halt_above = "none", per_hour = "none" }
zone = { in_flight = 1, halt_above = "none" }
any_group = { in_flight = 1 }

[timers]
quiet_for = "2s"
lease_term = "12s"
unknown_for = "60s"
resume_after = "20s"
ramp_step_within = "20s"

[[rule]]
name = "agent down"
when = { verdict = "AgentDown" }
mode = "act"
for = "0s"
cooldown = "0s"
attempts = { at_most = 20, within = "1h" }
ladder = [
  { do = "command", class = "gentle", argv = ["/bin/start"], inspect = ["/bin/start", "-i"], time_limit = "5s", verify_within = "15s", soak = "2s" },
  { do = "command", class = "disruptive", argv = ["/bin/boot"], inspect = ["/bin/boot", "-i"], time_limit = "5s", verify_within = "15s", soak = "2s" },
]

[[rule]]
name = "host down"
when = { verdict = "HostDown" }
mode = "act"
for = "2s"
cooldown = "0s"
attempts = { at_most = 20, within = "1h" }
ladder = [
  { do = "command", class = "disruptive", argv = ["/bin/boot"], inspect = ["/bin/boot", "-i"], time_limit = "5s", verify_within = "15s", soak = "2s" },
]

[[rule]]
name = "host hung"
when = { verdict = "HostHung" }
mode = "act"
for = "2s"
cooldown = "0s"
attempts = { at_most = 20, within = "1h" }
ladder = [
  { do = "command", class = "gentle", argv = ["/bin/start"], inspect = ["/bin/start", "-i"], time_limit = "5s", verify_within = "15s", soak = "2s" },
]
"#;
