//! How a mind asks and answers: other hosts by effects, itself without leaving the host.
//!
//! Law E2 (see `event`): what cannot even be asked ends at once, as any call ends.
//! Not here: what is asked and why (each room knows), and who waits for it (see `calls`).

use std::collections::{BTreeMap, VecDeque};

use ledger::command::Command;
use vocabulary::{HostId, Moment, Span};
use wire::{Request, Response};

use crate::calls::Purpose;
use crate::event::{AskId, CallEnd, CallId, Effect};
use crate::mind::Agent;

/// Asks of this host to itself are numbered from here down: the shell numbers its own from 1 up.
const OWN_ASKS_FROM: u64 = u64::MAX;

/// What this host may ask of itself in one event: as many as there are looks at once (law O4), twice.
const SHORT_CUTS_MAX: usize = 128;

/// What this host has asked of itself, in order.
pub(crate) struct ShortCuts {
    /// Own asks under way, by their number (see [`OWN_ASKS_FROM`]); bounded by the calls.
    asks: BTreeMap<AskId, CallId>,
    next: u64,
    queue: VecDeque<ShortCut>,
}

/// A call that does not leave this host.
enum ShortCut {
    Asked(AskId, Request),
    Answered(CallId, Response),
    Unable(Purpose),
}

impl ShortCuts {
    /// Nothing was asked yet.
    pub fn new() -> Self {
        Self { asks: BTreeMap::new(), next: OWN_ASKS_FROM, queue: VecDeque::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn ask(&mut self, call: CallId, request: Request) {
        let ask = AskId(self.next);
        self.next -= 1;
        self.asks.insert(ask, call);
        self.queue.push_back(ShortCut::Asked(ask, request));
    }
}

impl Agent {
    /// Asks another host, or this one itself without leaving it.
    pub(crate) fn call(
        &mut self,
        now: Moment,
        purpose: Purpose,
        to: HostId,
        (request, within): (Request, Span),
    ) {
        if to != self.me {
            return self.open(now, purpose, |id| Effect::Call { id, to, request, within });
        }
        let Some(id) = self.calls.open(purpose.clone()) else {
            return self.fail(now, purpose);
        };
        self.short_cuts.ask(id, request);
    }

    pub(crate) fn dial(
        &mut self,
        now: Moment,
        purpose: Purpose,
        to: HostId,
        (nonce, within): (u128, Span),
    ) {
        self.open(now, purpose, |id| Effect::FreshDial { id, to, nonce, within });
    }

    pub(crate) fn knock(
        &mut self,
        now: Moment,
        purpose: Purpose,
        to: HostId,
        (port, within): (Option<u16>, Span),
    ) {
        self.open(now, purpose, |id| Effect::Knock { id, to, port, within });
    }

    pub(crate) fn propose(
        &mut self,
        now: Moment,
        purpose: Purpose,
        command: Command,
        within: Span,
    ) {
        self.open(now, purpose, |id| Effect::Propose { id, command, within });
    }

    /// A call under a new number; at the bound it fails at once.
    pub(crate) fn open(
        &mut self,
        now: Moment,
        purpose: Purpose,
        effect: impl FnOnce(CallId) -> Effect,
    ) {
        match self.calls.open(purpose.clone()) {
            Some(id) => self.emit(effect(id)),
            None => self.fail(now, purpose),
        }
    }

    /// A call that cannot even be made.
    pub(crate) fn fail(&mut self, _now: Moment, purpose: Purpose) {
        self.short_cuts.queue.push_back(ShortCut::Unable(purpose));
    }

    /// Answers another host, or this one itself.
    pub(crate) fn answer(&mut self, _now: Moment, id: AskId, response: Response) {
        match self.short_cuts.asks.remove(&id) {
            Some(call) => self.short_cuts.queue.push_back(ShortCut::Answered(call, response)),
            None => self.emit(Effect::Answer { id, response }),
        }
    }

    /// What this host asked of itself, in order. Each round of it can ask again, so their number in one event is bounded; what
    /// is left is taken up at the next event.
    pub(crate) fn run_short_cuts(&mut self, now: Moment) {
        for _ in 0..SHORT_CUTS_MAX {
            let Some(short_cut) = self.short_cuts.queue.pop_front() else {
                return;
            };
            match short_cut {
                ShortCut::Asked(id, request) => self.asked(now, id, self.me, request),
                ShortCut::Answered(id, response) => {
                    self.ended(now, id, CallEnd::Response(response));
                }
                ShortCut::Unable(purpose) => self.came(now, purpose, CallEnd::Unable),
            }
        }
    }
}
