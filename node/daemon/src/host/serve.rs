//! What other hosts ask of the ledger through this one: proposals, linearizable reads, feeds, Raft.
//!
//! Law C5 (see `ledger::rules`): no command of newer rules than those in force is taken from another host.
//! Law C2 (see `ledger::command`): the author of a proposal is whoever the connection's certificate names.
//! Not here: who may ask what (the transport has checked roles), what a command does.

use std::pin::pin;
use std::time::Duration;

use ledger::command::{Command, Proposed};
use ledger::{Ledger, rules};
use replication::{Leadership, LedgerPort, ProposeFault, ReadFault, Sender};
use tokio::time::{MissedTickBehavior, interval};
use vocabulary::{Digest, HostId, LedgerIndex};
use wire::{LeaderHint, Leading, Request, Response, Unavailable};

use super::door::Door;
use super::raising;
use crate::poison::trial::{self, Place};
use crate::transport::Reply;

/// Whether this room answers the request; all others are the mind's.
pub fn is_for_the_ledger(request: &Request) -> bool {
    match request {
        Request::Propose(_)
        | Request::ReadIndex
        | Request::Follow { .. }
        | Request::Raft(_)
        | Request::Standing
        | Request::Support
        | Request::StateAt { .. } => true,
        Request::Probe
        | Request::Doubts(_)
        | Request::Look { .. }
        | Request::Ask { .. }
        | Request::Relay { .. }
        | Request::RoundFor { .. }
        | Request::Members(_)
        | Request::Hears
        | Request::Report(_)
        | Request::Unfit(_)
        | Request::LookAtCheck { .. } => false,
    }
}

/// Answers one request.
pub async fn serve(door: Door, sender: Sender, request: Request, reply: Reply) {
    let from = sender.host;
    trial::stumble(Place::Ledger);
    let Some(port) = door.port().cloned() else {
        return reply.send(Response::Unavailable(Unavailable::NotMine));
    };
    let response = match request {
        Request::Propose(bytes) => propose(&door, &port, (from, &bytes)).await,
        Request::ReadIndex => read_index(&port).await,
        Request::Raft(bytes) => Response::Raft(port.on_raft(&bytes, sender).await),
        Request::Standing => Response::Standing { has_leader: port.has_live_leader() },
        Request::Follow { from: index, audit } if door.feeds() => {
            let known = raising::known_by(&door.inside().transport, from);
            let _fed = door.followers().enter(from);
            let follower = (from, known.unwrap_or(rules::FIRST));
            return feed((&door, &port), follower, (index, audit), reply).await;
        }
        Request::StateAt { index } => Response::StateAt { digest: port.state_at(index) },
        Request::Support => {
            let (rules, below) = raising::support(&door);
            Response::Support { rules, below }
        }
        // All votes may have moved while whoever asks was away: it is told where to ask.
        Request::Follow { .. } => not_leader(door.leading().borrow().leader),
        Request::Probe
        | Request::Doubts(_)
        | Request::Look { .. }
        | Request::Ask { .. }
        | Request::Relay { .. }
        | Request::RoundFor { .. }
        | Request::Members(_)
        | Request::Hears
        | Request::Report(_)
        | Request::Unfit(_)
        | Request::LookAtCheck { .. } => Response::Unavailable(Unavailable::NotMine),
    };
    reply.send(response);
}

async fn propose(door: &Door, port: &LedgerPort<Ledger>, (by, bytes): (HostId, &[u8])) -> Response {
    // Law RU1: rules are raised by the leader itself, who has asked everybody; nobody asks it to.
    let command = wire::decode::<Command>(bytes);
    let Some(command) = command.ok().filter(|command| !matches!(command, Command::Rules { .. }))
    else {
        return Response::Unavailable(Unavailable::Forbidden);
    };
    if command.since() > door.state().borrow().rules() {
        return Response::Unavailable(Unavailable::Forbidden);
    }
    match port.propose(Proposed { by, command }).await {
        Ok((index, outcome)) => Response::Outcome { index, outcome: wire::encode(&outcome) },
        Err(ProposeFault::NotLeader { hint }) => not_leader(hint),
        Err(ProposeFault::Busy) => {
            Response::Unavailable(Unavailable::Busy(String::from("proposals that wait")))
        }
        Err(ProposeFault::TooLarge { .. }) => Response::Unavailable(Unavailable::Forbidden),
        Err(ProposeFault::TimedOut | ProposeFault::Stopped) => {
            Response::Unavailable(Unavailable::TooLate)
        }
    }
}

async fn read_index(port: &LedgerPort<Ledger>) -> Response {
    match port.read_index().await {
        Ok(index) => Response::Index(index),
        Err(ReadFault::NotLeader { hint }) => not_leader(hint),
        Err(ReadFault::NoMajority | ReadFault::Stopped) => {
            Response::Unavailable(Unavailable::NoLeader)
        }
    }
}

fn not_leader(leader: Option<HostId>) -> Response {
    Response::Unavailable(Unavailable::NotLeader(LeaderHint { leader }))
}

fn word_of(known: Leadership) -> Leading {
    Leading { leader: known.leader, term: known.term }
}

/// How often a keeper looks whether others should follow the ledger elsewhere; each second time it says that it is there, if there was
/// nothing else to say.
const FEEDS_LOOK_EVERY: Duration = Duration::from_secs(5);
const LOOKS_UNTIL_WORD: u32 = 2;

/// A follower that has heard nothing for so long asks another keeper: one that vanished ends no stream before its connection has been
/// idle for 90 s.
pub(super) const QUIET_MAX: Duration = Duration::from_secs(25);

/// Feeds one follower at its own pace: pieces as they come, and who leads whenever that changes. Law RU2: while it knows the
/// rules that are in force.
async fn feed(
    (door, port): (&Door, &LedgerPort<Ledger>),
    (follower, known): (HostId, u32),
    (from, audit): (LedgerIndex, Option<Digest>),
    mut reply: Reply,
) {
    let state = port.watch();
    let mut feed = port.follow(from, audit);
    let mut leadership = port.leadership();
    let mut looks = interval(FEEDS_LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut piece = None;
    loop {
        let rules = state.borrow().rules();
        if rules > known {
            tracing::warn!(%follower, known, rules, "a host's agent is older than the rules in force: it is not fed");
            return reply.send(Response::Unavailable(Unavailable::Forbidden));
        }
        let leading = word_of(*leadership.borrow_and_update());
        if reply.push(Response::Entries { leading, piece }).await.is_err() {
            return;
        }
        // Not begun again for a word: its own waits are bounded.
        let mut next = pin!(feed.next());
        let mut quiet = 0;
        piece = loop {
            let is_word_due = tokio::select! {
                biased;
                () = reply.unwanted() => return,
                changed = leadership.changed() => match changed {
                    Ok(()) => true,
                    Err(_) => return,
                },
                next = &mut next => match next {
                    Ok(next) => break Some(next.to_bytes()),
                    Err(fault) => {
                        tracing::debug!(%fault, "a follower's feed ends");
                        return;
                    }
                },
                // Its vote may have gone, and with it whatever would end the feed.
                _ = looks.tick() => match door.feeds() {
                    false => return,
                    true => {
                        quiet += 1;
                        quiet > LOOKS_UNTIL_WORD
                    }
                },
            };
            if is_word_due {
                quiet = 0;
                let leading = word_of(*leadership.borrow_and_update());
                if reply.push(Response::Entries { leading, piece: None }).await.is_err() {
                    return;
                }
            }
        };
    }
}
