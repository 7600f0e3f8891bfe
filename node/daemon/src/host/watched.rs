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

/// All that works in a life beside its loop.
pub(super) fn show(
    board: &mut Board,
    (transport, port): (&Transport, Option<&LedgerPort<Ledger>>),
    pager: &Pager,
    queues: [Queue; 2],
) {
    for (name, pulse) in transport.tasks() {
        board.watch(Watched::new(name, TURNS_WITHIN, pulse));
    }
    let calling: Arc<Pulse> = pager.pulse();
    let read = Box::new(move || calling.read());
    // Without a pager the agent still heals: it is said, and no reason for a restart.
    board.watch(Watched { name: "the pager", within: PAGER_WITHIN, is_vital: false, read });
    board.queue(pager.queue());
    transport.queues().into_iter().chain(queues).for_each(|queue| board.queue(queue));
    if let Some(port) = port {
        board.keeper(port.signs());
    }
}

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
