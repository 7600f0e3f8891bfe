//! Raises the ledger's rules once everybody who applies its entries supports them (protocol 1.6).
//!
//! Law RU1: the leader asks for newer rules only when every voter has said twice in a row that it and all who follow the
//! ledger through it support them; a voter that does not answer has not said so.
//! Law RU2: under newer rules nobody is fed who does not know them: such a host would understand an entry otherwise.
//! Not here: what the rules change (see `ledger::rules`), who follows (see `serve`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger::command::Command;
use ledger::rules;
use replication::Pulse;
use replication::tasks::{self, tethered};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use vocabulary::HostId;
use wire::{Request, Response};

use super::door::{Door, held};
use crate::transport::{CallFault, Transport};

/// How often the leader asks while its rules are not in force: a handful of questions to a handful of voters.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// A voter that takes longer than this is asked again the next time.
const ASK_WITHIN: Duration = Duration::from_secs(2);

/// So many rounds of questions in a row find nobody who holds the rules back: an agent that is just being restarted is not
/// there to follow.
const ROUNDS: u32 = 2;

/// How long a command that raises the rules may take.
const PROPOSE_WITHIN: Duration = Duration::from_secs(5);

/// Hosts that an answer names: enough for a person to begin with.
pub const NAMED_MAX: usize = 16;

/// Who holds newer rules back, as the leader knows it; empty on whoever does not lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Voters and followers whose agents know no newer rules.
    pub older: BTreeSet<HostId>,
    /// Voters that have not answered.
    pub silent: BTreeSet<HostId>,
}

/// Whom this keeper feeds now.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<Mutex<BTreeMap<HostId, u32>>>);

/// One feed; dropped, it is over.
pub struct Fed {
    followers: Followers,
    host: HostId,
}

/// What one voter said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Supports {
        rules: u32,
        below: Vec<HostId>,
    },
    /// Its agent does not even know the question.
    IsOlder,
    Nothing,
}

/// Starts to ask; ends with the runtime. On a host that carries no ledger nothing is to be asked.
pub(super) fn start(door: &Door, pulse: &Arc<Pulse>) {
    if door.port().is_some() {
        let (door, asking) = (door.clone(), Arc::clone(pulse));
        tasks::spawn(pulse.of_task(async move { ask_around(&door, &asking).await }));
    }
}

/// What this host can say for itself and for those that follow through it.
pub fn support(door: &Door) -> (u32, Vec<HostId>) {
    let mut newest = rules::NEWEST;
    let mut below = Vec::new();
    for host in door.followers().hosts() {
        // Whoever is not connected any more is not fed either.
        let known = known_by(&door.inside().transport, host).unwrap_or(rules::NEWEST);
        newest = newest.min(known);
        if known < rules::NEWEST {
            below.push(host);
        }
    }
    below.truncate(NAMED_MAX);
    (newest, below)
}

/// The newest rules that a connected host's agent knows, by the version of the wire that it speaks.
pub fn known_by(transport: &Transport, host: HostId) -> Option<u32> {
    transport.version(host).map(rules::known_to)
}

impl HeldBack {
    /// Whether nobody does.
    pub fn is_nobody(&self) -> bool {
        self.older.is_empty() && self.silent.is_empty()
    }

    fn add(&mut self, voter: HostId, said: Said) {
        match said {
            Said::Supports { rules, .. } if rules >= rules::NEWEST => {}
            Said::Supports { below, .. } if !below.is_empty() => self.older.extend(below),
            Said::Supports { .. } | Said::IsOlder => drop(self.older.insert(voter)),
            Said::Nothing => drop(self.silent.insert(voter)),
        }
    }
}

impl Followers {
    /// A feed begins.
    pub fn enter(&self, host: HostId) -> Fed {
        *held(&self.0).entry(host).or_default() += 1;
        Fed { followers: self.clone(), host }
    }

    fn hosts(&self) -> Vec<HostId> {
        held(&self.0).keys().copied().collect()
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        let mut feeds = held(&self.followers.0);
        let left = feeds.get(&self.host).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            feeds.remove(&self.host);
        } else {
            feeds.insert(self.host, left);
        }
    }
}

async fn ask_around(door: &Door, pulse: &Pulse) {
    let mut looks = interval(ASK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rounds = 0;
    loop {
        looks.tick().await;
        let Some(voters) = to_be_asked(door) else {
            rounds = 0;
            door.tell_held_back(HeldBack::default());
            continue;
        };
        pulse.begin();
        let held_back = ask(door, &voters).await;
        rounds = if held_back.is_nobody() { rounds + 1 } else { 0 };
        if door.tell_held_back(held_back.clone()) && !held_back.is_nobody() {
            tracing::info!(older = ?held_back.older, silent = ?held_back.silent, "rules {} are held back", rules::NEWEST);
        }
        if rounds >= ROUNDS {
            let command = Command::Rules { rules: rules::NEWEST };
            let raised = door.propose(command, PROPOSE_WITHIN).await;
            tracing::info!(?raised, "rules {} are supported by all and asked for", rules::NEWEST);
        }
        pulse.end();
    }
}

/// The voters, if this host leads a ledger whose rules are older than what it knows.
fn to_be_asked(door: &Door) -> Option<Vec<HostId>> {
    let leads = door.port()?.leadership().borrow().am_leader;
    let ledger = Arc::clone(&door.state().borrow());
    (leads && ledger.is_founded() && ledger.rules() < rules::NEWEST)
        .then(|| ledger.voters().to_vec())
}

async fn ask(door: &Door, voters: &[HostId]) -> HeldBack {
    let me = door.inside().me;
    let (rules, below) = support(door);
    let mut held_back = HeldBack::default();
    held_back.add(me, Said::Supports { rules, below });
    let mut calls = JoinSet::new();
    for voter in voters.iter().copied().filter(|voter| *voter != me) {
        let transport = door.inside().transport.clone();
        calls.spawn(tethered(async move {
            let answer = transport.request(voter, Request::Support, ASK_WITHIN).await;
            (voter, heard(answer))
        }));
    }
    while let Some(call) = calls.join_next().await {
        // A call that panicked takes the runtime's word for it; the voter is asked again in the next round.
        if let Ok((voter, said)) = call {
            held_back.add(voter, said);
        }
    }
    held_back
}

fn heard(answer: Result<Response, CallFault>) -> Said {
    match answer {
        Ok(Response::Support { rules, below }) => Said::Supports { rules, below },
        Err(CallFault::TooNew { .. }) => Said::IsOlder,
        Ok(_) | Err(_) => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(byte: u8) -> HostId {
        HostId([byte; 16])
    }

    fn held_back(said: Vec<(u8, Said)>) -> HeldBack {
        let mut held_back = HeldBack::default();
        said.into_iter().for_each(|(voter, said)| held_back.add(host(voter), said));
        held_back
    }

    #[test]
    fn rules_are_held_back_by_whoever_is_older_and_by_whoever_does_not_answer() {
        let all = |rules| Said::Supports { rules, below: Vec::new() };
        let newest = rules::NEWEST;
        assert!(
            held_back(vec![(1, all(newest)), (2, all(newest)), (3, all(newest + 1))]).is_nobody()
        );
        let mixed = held_back(vec![
            (1, all(newest)),
            (2, Said::IsOlder),
            (3, Said::Nothing),
            (4, Said::Supports { rules: newest - 1, below: vec![host(9)] }),
            (5, all(newest - 1)),
        ]);
        assert_eq!(mixed.older, BTreeSet::from([host(2), host(5), host(9)]));
        assert_eq!(mixed.silent, BTreeSet::from([host(3)]));
    }

    #[test]
    fn an_older_agent_is_told_from_one_that_cannot_be_reached() {
        assert_eq!(heard(Err(CallFault::TooNew { since: 2, spoken: 1 })), Said::IsOlder);
        assert_eq!(heard(Err(CallFault::TooLate)), Said::Nothing);
        assert_eq!(heard(Ok(Response::Noted)), Said::Nothing);
    }

    #[test]
    fn a_host_follows_until_the_last_of_its_feeds_is_over() {
        let followers = Followers::default();
        let (first, second) = (followers.enter(host(1)), followers.enter(host(1)));
        drop(first);
        assert_eq!(followers.hosts(), [host(1)]);
        drop(second);
        assert!(followers.hosts().is_empty());
    }
}
