//! Scenarios that are at hand wherever hale is: what a mesh does when the usual things break.
//!
//! Law B1: a scenario of the library names no host, so that it can be played on any fleet of at least six.
//! Not here: reading other scripts (see `script`), which hosts (see `choosing`).

use crate::script::{Script, ScriptFault};

/// One scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// How it is asked for.
    pub name: &'static str,
    /// The script as it is written.
    pub text: &'static str,
}

/// What the library's scenarios are played under unless another policy is given.
pub const POLICY: &str = include_str!("../scenarios/policy.toml");

/// All of them.
pub const LIBRARY: [Scenario; 10] = [
    Scenario { name: "host-death", text: include_str!("../scenarios/host-death.hale") },
    Scenario { name: "zone-loss", text: include_str!("../scenarios/zone-loss.hale") },
    Scenario { name: "rack-partition", text: include_str!("../scenarios/rack-partition.hale") },
    Scenario { name: "one-way-cut", text: include_str!("../scenarios/one-way-cut.hale") },
    Scenario { name: "lossy-switch", text: include_str!("../scenarios/lossy-switch.hale") },
    Scenario { name: "slow-fleet", text: include_str!("../scenarios/slow-fleet.hale") },
    Scenario { name: "rolling-restart", text: include_str!("../scenarios/rolling-restart.hale") },
    Scenario { name: "bad-deploy", text: include_str!("../scenarios/bad-deploy.hale") },
    Scenario { name: "flapping-host", text: include_str!("../scenarios/flapping-host.hale") },
    Scenario {
        name: "storm-and-recovery",
        text: include_str!("../scenarios/storm-and-recovery.hale"),
    },
];

/// The one of this name.
pub fn named(name: &str) -> Option<Scenario> {
    LIBRARY.into_iter().find(|scenario| scenario.name == name)
}

impl Scenario {
    /// What it shows, in one line: the first of its text.
    pub fn about(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches('#').trim()
    }

    /// The script, under the library's policy.
    pub fn script(&self) -> Result<Script, ScriptFault> {
        Script::read(self.text).map(|script| script.with_policy(Some(POLICY)))
    }
}
