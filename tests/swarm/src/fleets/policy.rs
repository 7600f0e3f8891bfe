//! A policy from chance: any operator's budgets and waits, within what heals a fleet in the time that a trial has.
//!
//! Law D2 (see `drawing`): under a halt, an hourly or a daily limit a case may wait; these are rare, so that most plans are healed.

use super::drawing::Luck;

/// Every trouble has a ladder; how wide and how patient, chance says.
pub(super) fn drawn(luck: &mut Luck) -> String {
    let shares = ["1", "2", "3", "\"20%\"", "\"50%\""];
    let (fleet, zone, group) = (luck.one(&shares), luck.one(&shares), luck.one(&shares));
    let rack = luck.one(&["1", "2"]);
    let floor = luck.one(&["", "", ", floor = \"30%\""]);
    let hours = [&["\"none\""][..], &["1", "2", "4"]][usize::from(luck.is(12))];
    let per_hour = luck.one(hours);
    let days = [&[""][..], &[", per_day = 2", ", per_day = 5"]][usize::from(luck.is(12))];
    let per_day = luck.one(days);
    let halts = [&["\"none\""][..], &["\"20%\"", "\"40%\"", "2"]][usize::from(luck.is(12))];
    let (halt, halt_zone) = (luck.one(halts), luck.one(halts));
    let grace = luck.from(1, 20);
    let harsh = grace % 3;
    let quiet = luck.from(1, 6);
    let term = luck.from(10, 30);
    let (unknown, resume) = (luck.from(20, 90), luck.from(10, 40));
    let (step, settle) = (luck.from(5, 30), luck.from(10, 30));
    let mut text = format!(
        "[budget]
fleet = {{ in_flight = {fleet}, halt_above = {halt}, per_hour = {per_hour}{per_day} }}
zone = {{ in_flight = {zone}, halt_above = {halt_zone} }}
rack = {{ in_flight = {rack} }}
any_group = {{ in_flight = {group}{floor} }}
[timers]
quiet_for = \"{quiet}s\"
lease_term = \"{term}s\"
unknown_for = \"{unknown}s\"
resume_after = \"{resume}s\"
ramp_step_within = \"{step}s\"
settle_for = \"{settle}s\"
unsettled_for = \"1m\"
left_grace = \"{grace}m\"
"
    );
    for (verdict, classes) in [
        ("AgentDown", &["gentle", "gentle"][..]),
        // Two of the latter that fail in a row stop the group (protocol 6.6).
        (
            "HostDown",
            [&["disruptive"; 2], &["disruptive", "destructive"], &["destructive"; 2]][harsh],
        ),
        ("HostHung", &["gentle"]),
    ] {
        text.push_str(&rule(luck, verdict, classes));
    }
    text
}

fn rule(luck: &mut Luck, verdict: &str, classes: &[&str]) -> String {
    let (stands, attempts) = (luck.from(0, 10), luck.one(&["2", "4", "20", "20"]));
    let mode = luck
        .one(&["act", "act", "act", "act", "act", "act", "act", "approve", "approve", "shadow"]);
    let mut text = format!(
        "[[rule]]\nname = \"{verdict}\"\nwhen = {{ verdict = \"{verdict}\" }}\nmode = \"{mode}\"\nfor = \"{stands}s\"
cooldown = \"0s\"\nattempts = {{ at_most = {attempts}, within = \"1h\" }}\nladder = [\n"
    );
    for (rung, class) in classes.iter().enumerate() {
        let (proof, soak) = (luck.from(10, 30), luck.from(1, 5));
        let inspect = luck.one(&["", ", inspect = [\"/bin/see\"]", ", inspect = [\"/bin/see\"]"]);
        let line = format!(
            "  {{ do = \"command\", class = \"{class}\", argv = [\"/bin/rung-{rung}\"]{inspect}, time_limit = \"5s\", verify_within = \"{proof}s\", soak = \"{soak}s\" }},\n"
        );
        text.push_str(&line);
    }
    text.push_str("]\n");
    text
}
