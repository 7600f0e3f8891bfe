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
    /// The checks that it wants of the library's policy.
    checks: &'static str,
}

/// What the library's scenarios are played under unless another policy is given; some add checks ([`Scenario::policy`]).
pub const POLICY: &str = include_str!("../scenarios/policy.toml");

/// All of them.
pub const LIBRARY: [Scenario; 11] = [
    plain("host-death", include_str!("../scenarios/host-death.hale")),
    plain("zone-loss", include_str!("../scenarios/zone-loss.hale")),
    plain("rack-partition", include_str!("../scenarios/rack-partition.hale")),
    plain("one-way-cut", include_str!("../scenarios/one-way-cut.hale")),
    plain("lossy-switch", include_str!("../scenarios/lossy-switch.hale")),
    plain("slow-fleet", include_str!("../scenarios/slow-fleet.hale")),
    plain("rolling-restart", include_str!("../scenarios/rolling-restart.hale")),
    plain("bad-deploy", include_str!("../scenarios/bad-deploy.hale")),
    plain("flapping-host", include_str!("../scenarios/flapping-host.hale")),
    plain("storm-and-recovery", include_str!("../scenarios/storm-and-recovery.hale")),
    Scenario {
        checks: include_str!("../scenarios/stuck-service.toml"),
        ..plain("stuck-service", include_str!("../scenarios/stuck-service.hale"))
    },
];

/// The one of this name.
pub fn named(name: &str) -> Option<Scenario> {
    LIBRARY.into_iter().find(|scenario| scenario.name == name)
}

const fn plain(name: &'static str, text: &'static str) -> Scenario {
    Scenario { name, text, checks: "" }
}

impl Scenario {
    /// What it is played under unless another policy is given.
    pub fn policy(&self) -> String {
        format!("{POLICY}{}", self.checks)
    }

    /// What it shows, in one line: the first of its text.
    pub fn about(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches('#').trim()
    }

    /// The script, under the library's policy.
    pub fn script(&self) -> Result<Script, ScriptFault> {
        Script::read(self.text).map(|script| script.with_policy(Some(&self.policy())))
    }
}
