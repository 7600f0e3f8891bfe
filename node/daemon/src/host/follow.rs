//! Follows the ledger: through this host's own Raft where a leader speaks to it, else through two keepers at once, so that the
//! loss of one, even of one that is frozen and ends no stream, is not felt (protocol 1.5). Of their words on who leads the one
//! of the higher term counts: a keeper that is cut off would else take back what the other has said.
//!
//! Not here: what a piece holds (see `replication::Follower`).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger::rules;
use replication::{Piece, Pulse, TakeFault, tasks};
use tokio::time::{sleep, timeout};
use vocabulary::HostId;
use wire::{LeaderHint, Leading, Request, Response, Unavailable};

use super::door::{Door, held};
use super::home::Home;
use super::keeping;
use super::raising;
use super::serve::QUIET_MAX;
use super::watched::Pulses;
use crate::transport::Answered;

/// Keepers followed at once.
pub(super) const STREAMS: usize = 2;

/// A keeper that does not take the question in this time is passed over.
const ASK_WITHIN: Duration = Duration::from_secs(2);

/// First and longest wait after a stream that brought nothing; doubles.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
const AGAIN_AT_MOST: Duration = Duration::from_secs(5);

/// After so many streams in a row that brought nothing, one is asked of a keeper that is no voter as far as is known here.
const IN_VAIN_MAX: u32 = 6;

/// The way of one stream to the ledger.
struct Way {
    door: Door,
    /// What is kept of it.
    home: Arc<dyn Home>,
    /// Whether the stream's question is taken.
    pulse: Arc<Pulse>,
}

/// Starts to follow; ends with the runtime.
pub fn start(door: &Door, home: &Arc<dyn Home>, pulses: &Pulses) {
    if let Some(port) = door.port().cloned() {
        let door = door.clone();
        tasks::spawn(pulses.own_raft.of_task(async move {
            let (mut state, mut leadership) = (port.watch(), port.leadership());
            loop {
                if !door.follows_others() {
                    door.let_rest(None);
                    let ledger = Arc::clone(&state.borrow_and_update());
                    let known = *leadership.borrow_and_update();
                    let me = door.inside().me;
                    // This host leads only while it knows that a majority still follows it.
                    let other = known.leader.filter(|leader| *leader != me);
                    let leader = if known.am_leader { Some(me) } else { other };
                    tell_leader(&door, Leading { leader, term: known.term });
                    tell_state(&door, ledger);
                }
                let gone = tokio::select! {
                    biased;
                    changed = state.changed() => changed.is_err(),
                    changed = leadership.changed() => changed.is_err(),
                };
                if gone {
                    return;
                }
            }
        }));
    }
    let followed = Arc::new(Mutex::new(Followed::default()));
    for slot in 0..STREAMS {
        let followed = Arc::clone(&followed);
        let pulse = Arc::clone(&pulses.streams[slot]);
        let way = Way { door: door.clone(), home: Arc::clone(home), pulse };
        let alive = Arc::clone(&way.pulse);
        tasks::spawn(alive.of_task(async move { follow(&way, slot, &followed).await }));
    }
}

/// What the streams have together.
#[derive(Default)]
struct Followed {
    /// Whom each stream follows.
    keepers: [Option<HostId>; STREAMS],
    /// The last word of each stream that runs.
    words: [Option<Leading>; STREAMS],
}

impl Followed {
    /// Who leads, as far as the streams that run say: a later term first; in one term whoever knows the leader.
    fn leading(&self) -> Option<Leading> {
        self.words.iter().flatten().copied().max_by_key(|word| (word.term, word.leader.is_some()))
    }
}

/// One of the streams: another keeper than the other one has, for as long as it brings anything.
async fn follow(way: &Way, slot: usize, followed: &Mutex<Followed>) {
    let door = &way.door;
    let mut turn = slot;
    let mut wait = AGAIN_AFTER * u32::try_from(slot + 1).unwrap_or(1);
    let (mut in_vain, mut strays) = (0, slot);
    let mut hint: Option<HostId> = None;
    loop {
        sleep(wait).await;
        if !door.follows_others() {
            wait = AGAIN_AFTER;
            continue;
        }
        wait = (wait * 2).min(AGAIN_AT_MOST);
        let taken = held(followed).keepers;
        let hinted = hint.take().filter(|keeper| choose(&[*keeper], 0, &taken).is_some());
        let is_hinted = hinted.is_some();
        let keeper = if is_hinted {
            hinted
        } else if in_vain < IN_VAIN_MAX {
            (turn, in_vain) = (turn + 1, in_vain + 1);
            choose(&door.keepers(), turn, &taken)
        } else {
            (strays, in_vain) = (strays + 1, 0);
            choose(&door.connected_keepers(), strays, &taken)
        };
        let Some(keeper) = keeper.filter(|keeper| *keeper != door.inside().me) else {
            continue;
        };
        held(followed).keepers[slot] = Some(keeper);
        let hear = |word| {
            let told = {
                let mut followed = held(followed);
                followed.words[slot] = word;
                followed.leading()
            };
            door.let_rest(told);
            // Whoever its own Raft speaks to knows it from there.
            if let (Some(leading), true) = (told, door.follows_others()) {
                tell_leader(door, leading);
            }
        };
        match listen(way, keeper, &hear).await {
            Heard::Ledger => (wait, in_vain) = (AGAIN_AFTER, 0),
            // One hint leads to whoever leads; two in a row lead round.
            Heard::Elsewhere(leader) if !is_hinted => (wait, hint) = (AGAIN_AFTER, Some(leader)),
            Heard::Elsewhere(_) | Heard::Nothing => {}
        }
        // Its word ends with it. Without any stream the last word stands: nobody knows better.
        held(followed).keepers[slot] = None;
        hear(None);
    }
}

fn choose(keepers: &[HostId], turn: usize, taken: &[Option<HostId>]) -> Option<HostId> {
    let is_free = |host: &HostId| !taken.contains(&Some(*host));
    let free: Vec<HostId> = keepers.iter().copied().filter(is_free).collect();
    free.get(turn % free.len().max(1)).copied()
}

/// What a stream has brought.
enum Heard {
    /// A piece of the ledger at least.
    Ledger,
    /// Who leads, from a keeper that feeds nobody.
    Elsewhere(HostId),
    /// Nothing.
    Nothing,
}

/// Follows one keeper until its stream ends.
async fn listen(way: &Way, keeper: HostId, hear: &impl Fn(Option<Leading>)) -> Heard {
    let (door, home) = (&way.door, &way.home);
    let (from, audit) = held(&door.inside().follower).wanted();
    let request = Request::Follow { from, audit };
    way.pulse.begin();
    let asked = door.inside().transport.follow(keeper, request, ASK_WITHIN).await;
    way.pulse.end();
    let Ok(mut replies) = asked else { return Heard::Nothing };
    // An older keeper says nothing while it has nothing to say.
    let speaks = raising::known_by(&door.inside().transport, keeper) >= Some(rules::SECOND);
    let quiet_max = if speaks { QUIET_MAX } else { Duration::MAX };
    let mut heard = Heard::Nothing;
    while let Ok(Ok(Some(Answered { response, input }))) = timeout(quiet_max, replies.next()).await
    {
        if !door.follows_others() {
            return Heard::Ledger;
        }
        let (leading, piece) = match response {
            Response::Entries { leading, piece } => (leading, piece),
            Response::Unavailable(Unavailable::NotLeader(LeaderHint { leader: Some(leader) })) => {
                return Heard::Elsewhere(leader);
            }
            _ => return heard,
        };
        hear(Some(leading));
        let Some(bytes) = piece else { continue };
        let taken = {
            let _held = input.hold();
            take(door, &bytes)
        };
        door.stands_still(taken.as_ref().err().filter(|fault| will_not_mend(fault)));
        match taken {
            Ok(Taken::On) => {}
            Ok(Taken::Anew) => keeping::set_aside(&**home, "a keeper has another ledger"),
            Err(fault) => {
                tracing::debug!(%keeper, %fault, "a piece of the ledger is not taken");
                return heard;
            }
        }
        heard = Heard::Ledger;
    }
    heard
}

/// protocol 1.9: what every keeper would send alike.
fn will_not_mend(fault: &TakeFault) -> bool {
    match fault {
        TakeFault::State(_) | TakeFault::Poison(_) | TakeFault::Foreign(_) => true,
        TakeFault::Piece(_) | TakeFault::Gap { .. } | TakeFault::Parts | TakeFault::TooLarge => {
            false
        }
    }
}

/// How a piece was taken.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// What is known goes on from it.
    On,
    /// What this host had kept was of another ledger: it begins anew.
    Anew,
}

/// What the other stream has brought already is passed over.
fn take(door: &Door, bytes: &[u8]) -> Result<Taken, TakeFault> {
    let mut follower = held(&door.inside().follower);
    let (stood, was_confirmed) = (follower.upto(), !follower.is_unconfirmed());
    let is_known = Piece::from_bytes(bytes).is_ok_and(|piece| piece.upto() <= stood);
    if is_known && was_confirmed {
        return Ok(Taken::On);
    }
    let taken = follower.take(bytes);
    let ledger = Arc::clone(&follower.watch().borrow());
    let is_anew = follower.upto() < stood;
    drop(follower);
    if is_anew {
        // Against the law of `tell_state`: what was told was never this ledger's.
        door.inside().state.send_replace(ledger);
        return taken.map(|_| Taken::Anew);
    }
    taken?;
    tell_state(door, ledger);
    Ok(Taken::On)
}

fn tell_leader(door: &Door, leading: Leading) {
    door.inside().leading.send_if_modified(|known| {
        let is_news = *known != leading;
        *known = leading;
        is_news
    });
}

fn tell_state(door: &Door, ledger: Arc<ledger::Ledger>) {
    door.inside().state.send_if_modified(|known| {
        // A keeper that begins to follow others begins with less than it has shown.
        let is_news = known.index() < ledger.index();
        if is_news {
            *known = ledger;
        }
        is_news
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(leader: Option<u8>, term: u64) -> Option<Leading> {
        Some(Leading { leader: leader.map(|leader| HostId([leader; 16])), term })
    }

    #[test]
    fn of_two_keepers_words_the_later_term_counts_and_in_one_term_the_one_that_knows() {
        let told = |words| Followed { words, ..Followed::default() }.leading();
        for (first, second, best) in [
            // A keeper that is cut off still names the leader of a term that is over, or of none.
            (word(Some(1), 4), word(Some(2), 5), word(Some(2), 5)),
            (word(Some(1), 4), word(None, 5), word(None, 5)),
            (word(None, 5), word(Some(2), 5), word(Some(2), 5)),
            (None, word(None, 3), word(None, 3)),
            (None, None, None),
        ] {
            assert_eq!(told([first, second]), best);
            assert_eq!(told([second, first]), best, "whoever speaks last");
        }
    }
}
