//! Which script is played, on which hosts, under which policy, and whence each was taken.
//!
//! Law CL7: a fault names the value, what was expected and where it came from: of a script and a policy file with line and
//! column.

use std::collections::BTreeSet;
use std::path::Path;

use ledger::document::{Fault, FaultKind, nearest};
use ledger::policy::Policy;
use simulator::Setup;
use simulator::library::{self, LIBRARY};
use simulator::script::{Script, ScriptFault};
use simulator::setup::Place;
use vocabulary::{Claims, Roles};

use super::Verb;
use crate::admin::answer::{Answer, HostLine, Hosts, PolicyInForce};
use crate::command_line::asking::{At, fresh};
use crate::command_line::exit::{CommandFault, Exit};
use crate::command_line::faults;
use crate::config;

/// What is played.
pub struct Source {
    /// Its name, or its file.
    pub scenario: String,
    /// Ready to be played.
    pub script: Script,
    /// Whence the hosts are.
    pub hosts_from: String,
    /// Whence the policy is.
    pub policy_from: String,
    /// How the command ends if the mesh could only be asked without a majority.
    pub fresh: Result<(), CommandFault>,
}

/// A script's text and its name in faults.
struct Text {
    name: String,
    text: String,
    /// The library's, of one of its scenarios.
    policy: Option<String>,
}

impl Source {
    /// Everything is checked before anything is played.
    pub fn of(verb: &Verb, scenario: &str) -> Result<Self, CommandFault> {
        let given = Text::of(scenario)?;
        let script = Script::read(&given.text).map_err(|fault| given.told(fault, ""))?;
        let (script, from) = match &given.policy {
            Some(policy) => (script.with_policy(Some(policy)), "library"),
            None => (script, "scenario"),
        };
        let mut source = Self {
            scenario: scenario.to_owned(),
            policy_from: script.setup().policy.as_ref().map_or("none", |_| from).to_owned(),
            script,
            hosts_from: "scenario".to_owned(),
            fresh: Ok(()),
        };
        if let Some(count) = verb.hosts {
            source.deal(&given, usize::from(count))?;
        }
        if verb.hosts_from_mesh {
            source.ask_mesh(&given, &verb.at, verb.policy.is_none())?;
        }
        if let Some(file) = &verb.policy {
            source.take_policy(file)?;
        }
        if let Some(seed) = verb.seed {
            source.script = source.script.reseeded(seed);
        }
        source.check_policy()?;
        Ok(source)
    }

    /// As many zones as the script has.
    fn deal(&mut self, given: &Text, count: usize) -> Result<(), CommandFault> {
        let hosts = &self.script.setup().hosts;
        let zones: BTreeSet<_> = hosts.iter().map(|claims| claims.domain.zone.clone()).collect();
        let hosts = Setup::grid(count, zones.len().min(count), 0).hosts;
        self.hosts_from = "--hosts".to_owned();
        self.settle(given, hosts, &format!(" that --hosts {count} gives"))
    }

    fn ask_mesh(
        &mut self,
        given: &Text,
        at: &At,
        is_policy_wanted: bool,
    ) -> Result<(), CommandFault> {
        let hosts: Answer<Hosts> = at.client().ask_and_wait("/v1/hosts?retired=false")?;
        self.fresh = fresh(&hosts);
        let claims = hosts.data.hosts.iter().map(claims).collect::<Result<Vec<_>, _>>()?;
        if claims.is_empty() {
            let sentence = "no host is enrolled in the mesh: the ledger is not founded yet, `hale init --keepers a,b,c` does it once";
            return Err(CommandFault::failed(sentence));
        }
        self.hosts_from = "mesh".to_owned();
        self.settle(given, claims, " of the mesh")?;
        if is_policy_wanted {
            let policy: Answer<PolicyInForce> = at.client().ask_and_wait("/v1/policy")?;
            let PolicyInForce { version, text, .. } = policy.data;
            self.policy_from = match version {
                0 => "none".to_owned(),
                _ => format!("mesh, version {version}"),
            };
            let text = (version > 0).then_some(text);
            self.change(|script| script.with_policy(text.as_deref()));
        }
        Ok(())
    }

    fn settle(
        &mut self,
        given: &Text,
        hosts: Vec<Claims>,
        whose: &str,
    ) -> Result<(), CommandFault> {
        let settled = self.script.clone().with_hosts(hosts);
        self.script = settled.map_err(|fault| given.told(fault, whose))?;
        Ok(())
    }

    fn take_policy(&mut self, file: &Path) -> Result<(), CommandFault> {
        let said = |found: Vec<Fault>| faults::told(Exit::Failed, &found, "");
        let (name, text) = config::text_of(file).map_err(said)?;
        self.policy_from = name;
        self.change(|script| script.with_policy(Some(&text)));
        Ok(())
    }

    /// The ledger would refuse it in one line; here every fault of it stands under its own.
    fn check_policy(&self) -> Result<(), CommandFault> {
        let Some(text) = &self.script.setup().policy else {
            return Ok(());
        };
        let name = match self.policy_from.as_str() {
            "scenario" => format!("policy in {}", self.scenario),
            "library" => "policy of the library".to_owned(),
            named => named.to_owned(),
        };
        let checked = Policy::read(&name, text).map(drop);
        checked.map_err(|found| faults::told(Exit::Failed, &found, text))
    }

    fn change(&mut self, change: impl FnOnce(Script) -> Script) {
        self.script = change(self.script.clone());
    }
}

impl Text {
    /// A name of the library first; what looks like a file's name is one.
    fn of(scenario: &str) -> Result<Self, CommandFault> {
        if let Some(found) = library::named(scenario) {
            let (name, text) = (found.name.to_owned(), found.text.to_owned());
            return Ok(Self { name, text, policy: Some(found.policy()) });
        }
        let is_path = scenario.contains(['/', '.']) || Path::new(scenario).exists();
        if !is_path {
            return Err(unknown(scenario));
        }
        let (name, text) = config::text_of(Path::new(scenario))
            .map_err(|found| faults::told(Exit::Failed, &found, ""))?;
        Ok(Self { name, text, policy: None })
    }

    /// `whose`: of which hosts the script speaks, where they are not its own.
    fn told(&self, fault: ScriptFault, whose: &str) -> CommandFault {
        match fault {
            ScriptFault::Line { at, why } => {
                let fault = Fault {
                    line: u32::try_from(at.line).unwrap_or(u32::MAX),
                    column: u32::try_from(at.column).unwrap_or(u32::MAX),
                    ..Fault::of_file(&self.name, FaultKind::Contradiction, why + whose)
                };
                faults::told(Exit::Failed, &[fault], &self.text)
            }
            ScriptFault::Setup(fault) => {
                let whose = if whose.is_empty() { "" } else { ": the hosts" }.to_owned() + whose;
                CommandFault::failed(format!("{}{whose}: {fault}", self.name))
            }
        }
    }
}

fn unknown(scenario: &str) -> CommandFault {
    let names = LIBRARY.map(|scenario| scenario.name);
    let near = nearest(scenario, names);
    let meant = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let sentence = format!(
        "{scenario:?} is no scenario of the library (`hale simulate --list` names them) and no file{meant}"
    );
    CommandFault::new(Exit::Usage, sentence)
}

/// A host of the mesh as it stands in its roster; a keeper is who votes.
fn claims(line: &HostLine) -> Result<Claims, CommandFault> {
    let is_healer = line.roles.iter().any(|role| role == "healer");
    let place = Place {
        region: line.region.clone(),
        rack: line.rack.clone(),
        group: line.group.clone(),
        roles: Roles { keeper: line.is_voter, healer: is_healer },
        ..Place::new(&line.name, &line.zone)
    };
    place
        .claims()
        .map_err(|fault| CommandFault::failed(format!("host {} of the mesh: {fault}", line.name)))
}
