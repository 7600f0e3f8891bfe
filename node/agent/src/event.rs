//! What the agent's mind is told and what it asks of its shell.
//!
//! Law E1: effects are performed in order.
//! Law E2: every [`CallId`] that goes out comes back exactly once, as [`Event::Ended`], within the time it was given.

use std::sync::Arc;

use detection::verdict::LATE_MAX_MS;
use ledger::Ledger;
use ledger::command::{Command, Outcome};
use vocabulary::actuation::RemedyOrder;
use vocabulary::{Address, Boot, HostId, LedgerIndex, Receipt, Span};
use wire::{Datagram, Report, Request, Response};

use crate::keyring::Renewed;
use crate::life::LifeEnd;

/// What a socket has dropped is later than anything that an attestation may count on.
pub const DROPPED_COUNTS_AS: Span = Span::milliseconds(LATE_MAX_MS as u64 + 1);

/// One thing asked of another host or of the ledger; drawn here, returned by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// One thing asked of this host by another; drawn by the shell, returned by [`Effect::Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskId(pub u64);

/// What the mind is told.
#[derive(Clone, Debug)]
pub enum Event {
    /// A datagram came; `from` is what the connection's certificate says.
    Datagram {
        /// Who sent it.
        from: HostId,
        /// What it says.
        datagram: Datagram,
    },
    /// Another host asks; the role table has let it pass.
    Asked {
        /// To be given back with the answer.
        id: AskId,
        /// Who asks.
        from: HostId,
        /// What.
        request: Request,
    },
    /// Somebody on this host says that a host fails (protocol 2.8); answered as an ask is.
    Reported {
        /// To be given back with the answer.
        id: AskId,
        /// Who says it of whom.
        report: Report,
    },
    /// A call of ours has ended.
    Ended {
        /// Which one.
        id: CallId,
        /// How.
        end: CallEnd,
    },
    /// A host has been admitted on a standing connection, or has admitted us.
    Connected {
        /// Who.
        host: HostId,
        /// In which life.
        boot: Boot,
        /// Where it says it is reached.
        address: Address,
    },
    /// The last standing connection to a host has ended.
    Closed {
        /// Who.
        host: HostId,
    },
    /// A host does not admit this one: it knows a higher boot of it (protocol 1.2).
    BootTooLow {
        /// Who says so.
        by: HostId,
        /// Whether its certificate makes it a keeper.
        is_keeper: bool,
        /// What it knows.
        known: Boot,
    },
    /// This host has turned another away: the ledger knows another life of it (protocol 1.2). The host itself was there to hear it.
    TurnedAway {
        /// Whom.
        host: HostId,
        /// The life that its certificate brought.
        boot: Boot,
    },
    /// The committed state has grown.
    LedgerAdvanced {
        /// All of it.
        ledger: Arc<Ledger>,
    },
    /// Somebody leads, or nobody does.
    LeadershipChanged {
        /// Who leads, as far as this host knows; this host itself only while it holds the leader's own lease.
        leader: Option<HostId>,
    },
    /// The shell's loop was this late at its worst since the last such event (protocol 2.7).
    LoopLate {
        /// By how much.
        late: Span,
    },
    /// What came to this host waited so long in its sockets, or was dropped there, since the last such event (protocol 2.7).
    SocketsLate {
        /// By how much; of what was dropped, [`DROPPED_COUNTS_AS`].
        late: Span,
    },
    /// Another certificate of this host is in use: it is enrolled, and its key signs once the roster has it (protocol 1.3).
    Renewed(Renewed),
    /// The moment of `next_deadline` has come.
    DeadlineReached,
    /// SIGTERM: say goodbye (protocol 3.6 `Left`).
    Leave,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEnd {
    /// To `Call`: the other side answered.
    Response(Response),
    /// To `FreshDial`: what the other side answered over the new connection; `Answered` if it is sound.
    Dialled(Response),
    /// To `Knock`: what the port gave.
    Knocked(Knock),
    /// To `Propose`: the ledger's answer, committed at this index.
    Committed {
        /// The entry.
        index: LedgerIndex,
        /// What the ledger said.
        outcome: Outcome,
    },
    /// To `ReadIndex`: the local ledger holds all that was acknowledged before the question.
    Read {
        /// Up to here.
        index: LedgerIndex,
    },
    /// To `Apply`: what came of the remedy.
    Applied(Receipt),
    /// To `Inspect`: what the actuator found.
    Inspected(Receipt),
    /// Nothing came in time, or no connection could be had. Of a proposal: nobody knows whether it is committed.
    Failed,
    /// This host could not even try (no address, a bound of its own): proves nothing about the other.
    Unable,
}

/// What a TCP port gave within its time (protocol 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// Bytes came.
    Answered,
    /// The kernel refused.
    Refused,
    /// Accepted, and no bytes came.
    Accepted,
    /// Nothing came.
    Silent,
}

/// What the mind asks of its shell.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send on the standing connection; dropped if there is none and none can be had cheaply.
    SendDatagram {
        /// To whom.
        to: HostId,
        /// What.
        datagram: Datagram,
    },
    /// Ask on a stream of the standing connection, dialling if there is none.
    Call {
        /// Comes back with the end.
        id: CallId,
        /// Whom.
        to: HostId,
        /// What.
        request: Request,
        /// Ends as `Failed` after this.
        within: Span,
    },
    /// Ask `Request::Ask` over a new connection from a new source port (protocol 2.3).
    FreshDial {
        /// Comes back with the end.
        id: CallId,
        /// Whom.
        to: HostId,
        /// To be signed by the subject.
        nonce: u128,
        /// Ends as `Failed` after this.
        within: Span,
    },
    /// Knock at a TCP port of the host's address (protocol 2.4).
    Knock {
        /// Comes back with the end.
        id: CallId,
        /// Whom.
        to: HostId,
        /// The policy's port; `None`: the agent's own.
        port: Option<u16>,
        /// Ends as `Silent` after this.
        within: Span,
    },
    /// Answer what was asked.
    Answer {
        /// From the event.
        id: AskId,
        /// The answer.
        response: Response,
    },
    /// Put a command into the ledger, through whichever keeper leads.
    Propose {
        /// Comes back with the end.
        id: CallId,
        /// What.
        command: Command,
        /// Ends as `Failed` after this.
        within: Span,
    },
    /// Make sure that the local ledger holds all that was acknowledged until now.
    ReadIndex {
        /// Comes back with the end.
        id: CallId,
        /// Ends as `Failed` after this.
        within: Span,
    },
    /// Carry a remedy out, under the guard of protocol 7.5.
    Apply {
        /// Comes back with the end.
        id: CallId,
        /// What, on whom, until when.
        order: RemedyOrder,
    },
    /// Find out what became of a remedy, changing nothing.
    Inspect {
        /// Comes back with the end.
        id: CallId,
        /// The order as it was given, with the inspector's own time left.
        order: RemedyOrder,
    },
    /// Call a person: run the policy's pager command and write the line to the log.
    Page(Page),
    /// The hosts whose connections are worth keeping (ARCHITECTURE 5).
    KeepWarm(Vec<HostId>),
    /// Where a host is reached from now on.
    Locate {
        /// Who.
        host: HostId,
        /// Where.
        address: Address,
    },
    /// No member is left: redial seeds and roster (protocol 4).
    Redial,
    /// The mesh has another life of this host: this one ends, and neither voices nor heals (protocol 1.2).
    EndLife(LifeEnd),
    /// Give the ledger's lead up, so that another keeper takes it (protocol 1.5).
    StandDown,
    /// The goodbye is said; the shell may end.
    Gone,
}

/// A person is needed: by which case, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The case; none where it is the mesh itself that is in trouble.
    pub case: Option<vocabulary::CaseId>,
    /// One line that names it.
    pub line: String,
}
