//! What of a life is watched (see `selfwatch`), and the line that systemd shows of it.
//!
//! Not here: what is too long or too much (see `selfwatch::judge`).

use std::sync::Arc;
use std::time::Duration;

use ledger::Ledger;
use replication::{LedgerPort, Pulse, Queue};
use tokio::time::{Instant, sleep_until};
use vocabulary::Span;
use wire::Leading;

use super::door::Door;
use super::follow::STREAMS;
use super::pager::Pager;
use crate::selfwatch::{Board, SelfWatch, Watched};
use crate::transport::Transport;

/// How often the timers are tried.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// So many tries until the line is told anew: nobody reads it faster.
const TRIES_PER_LINE: u32 = 4;

/// One call of a person takes ten minutes at most (`escalation.time_limit`); a guard that has not ended it by then is broken.
const PAGER_WITHIN: Span = Span::minutes(11);

/// One turn of a task that otherwise waits for others: it takes the transport's lock, and never waits for anything else.
const TURNS_WITHIN: Span = Span::seconds(10);

/// A file system that answers at all answers within this.
const FILES_WITHIN: Span = Span::seconds(30);

/// A keeper has 2 s to take a follower's question.
const ASKING_WITHIN: Span = Span::seconds(30);

/// A round of questions takes 2 s, the command after it 5 s.
const RAISING_WITHIN: Span = Span::seconds(30);

/// Tasks that only wait for others show nothing but whether they are there.
const ONLY_THERE_WITHIN: Span = Span::minutes(1);

/// Of the tasks that are begun at different places of a life.
#[derive(Clone)]
pub(super) struct Pulses {
    /// Writes what is known of the ledger to the disk.
    pub keeping: Arc<Pulse>,
    /// The streams of a ledger that is followed.
    pub streams: [Arc<Pulse>; STREAMS],
    /// Tells what this host's own Raft has applied.
    pub own_raft: Arc<Pulse>,
    /// Asks around for newer rules.
    pub raising: Arc<Pulse>,
    /// Looks at the schedules of maintenance.
    pub schedules: Arc<Pulse>,
    /// Reads the certificate files.
    pub renewing: Arc<Pulse>,
    /// Serves the admin socket.
    pub admin: Arc<Pulse>,
}

/// All that works in a life beside its loop.
pub(super) struct Works<'a> {
    pub transport: &'a Transport,
    pub port: Option<&'a LedgerPort<Ledger>>,
    pub pager: &'a Pager,
    pub queues: [Queue; 2],
    pub pulses: &'a Pulses,
}

/// Puts them on the board.
pub(super) fn show(board: &mut Board, works: Works<'_>) {
    let Works { transport, port, pager, queues, pulses } = works;
    for (name, pulse) in transport.tasks() {
        board.watch(Watched::new(name, TURNS_WITHIN, pulse));
    }
    pulses.show(board);
    // Without a pager the agent still heals: it is said, and no reason for a restart.
    board.watch(Watched::new("the pager", PAGER_WITHIN, pager.pulse()).that_is_only_told());
    board.queue(pager.queue());
    transport.queues().into_iter().chain(queues).for_each(|queue| board.queue(queue));
    if let Some(port) = port {
        board.keeper(port.signs());
    }
}

impl Pulses {
    /// All at rest.
    pub fn new() -> Self {
        let worker = Pulse::of_worker;
        Self {
            keeping: worker(),
            streams: [worker(), worker()],
            own_raft: worker(),
            raising: worker(),
            schedules: worker(),
            renewing: worker(),
            admin: worker(),
        }
    }

    /// A file system that hangs hangs at the next start, too; a restart for the sake of newer rules is not worth it; whoever
    /// cannot ask at the admin socket asks systemd.
    fn show(&self, board: &mut Board) {
        for (name, pulse) in STREAM_NAMES.into_iter().zip(&self.streams) {
            board.watch(Watched::new(name, ASKING_WITHIN, Arc::clone(pulse)));
        }
        for (name, within, pulse) in [
            ("the reader of the certificate files", FILES_WITHIN, &self.renewing),
            ("the writer of the kept ledger", FILES_WITHIN, &self.keeping),
            ("the follower of this keeper's own Raft", ONLY_THERE_WITHIN, &self.own_raft),
            ("the asker for newer rules", RAISING_WITHIN, &self.raising),
            ("the reader of schedules", RAISING_WITHIN, &self.schedules),
            ("the admin socket", ONLY_THERE_WITHIN, &self.admin),
        ] {
            board.watch(Watched::new(name, within, Arc::clone(pulse)).that_is_only_told());
        }
    }
}

const STREAM_NAMES: [&str; STREAMS] =
    ["the first follower of a keeper", "the second follower of a keeper"];

/// Tries the timers, and says how the mesh stands, until the life is over.
pub(super) async fn keep(own: SelfWatch, door: Door, transport: Transport) {
    let mut due = Instant::now() + TRY_EVERY;
    let mut tries = 0_u32;
    while !own.is_over() {
        sleep_until(due).await;
        let late = due.elapsed().as_millis();
        own.timer_fired(Span::milliseconds(u64::try_from(late).unwrap_or(u64::MAX)));
        if tries.is_multiple_of(TRIES_PER_LINE) {
            let leading = *door.leading().borrow();
            own.stands(line(&door.state().borrow(), leading, transport.connected().len()));
        }
        tries = tries.wrapping_add(1);
        due = Instant::now() + TRY_EVERY;
    }
}

/// One plain line; it changes with what is true and not with time.
fn line(ledger: &Ledger, leading: Leading, connected: usize) -> String {
    if !ledger.is_founded() {
        return format!("no ledger is known yet; {connected} hosts connected");
    }
    let roster = ledger.roster();
    let leader = leading.leader.map(|leader| match roster.get(&leader) {
        Some(entry) => format!("{} leads", entry.claims.host),
        None => format!("{leader} leads"),
    });
    let leader = leader.unwrap_or_else(|| "nobody leads".to_owned());
    let (hosts, cases) = (roster.present_count(), ledger.cases().count());
    let brake = if ledger.brake().standing().is_some() { ", BRAKE ON" } else { "" };
    format!("{hosts} hosts, {connected} connected, {leader}, {cases} cases open{brake}")
}

#[cfg(test)]
mod tests {
    use vocabulary::HostId;

    use super::*;
    use crate::admin::tests::fleet::{Fleet, Seen};

    #[test]
    fn the_line_says_hosts_leader_and_cases() {
        let (ledger, nobody) = (Ledger::new(), Leading::default());
        assert_eq!(line(&ledger, nobody, 0), "no ledger is known yet; 0 hosts connected");
        let mut fleet = Fleet::nine();
        assert_eq!(
            line(&fleet.ledger, nobody, 3),
            "9 hosts, 3 connected, nobody leads, 0 cases open"
        );
        fleet.opened("b2", Seen::AgentDown);
        let by = |leader| Leading { leader: Some(leader), term: 1 };
        let leads = by(crate::admin::tests::fleet::id("b1"));
        assert_eq!(line(&fleet.ledger, leads, 8), "9 hosts, 8 connected, b1 leads, 1 cases open");
        assert!(line(&fleet.ledger, by(HostId([9; 16])), 8).contains(" leads, "));
    }
}
