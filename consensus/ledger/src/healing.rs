//! The commands of healing: who may ask which, and the room that answers it.
//!
//! Law H1: verdicts, those on checks too, offers, unsettled doubts, times of a schedule, the ends of slots, lost voters and votes that the
//! stores have followed come from a voter of the ledger, or one whose vote the stores have not left yet; a lease's commands from its healer;
//! that a host lives twice from itself or a voter; what a FleetLock client asks from its own host or a keeper's; orders from a person, where
//! they are taken (law F10 of `founding`).
//! Everything else is refused.
//! Not here: what is decided (each command's room).

use vocabulary::{HostId, Verifier};

use crate::command::{Command, Outcome, Refused};
use crate::ledger::Ledger;

impl Ledger {
    pub(crate) fn heal(
        &mut self,
        by: HostId,
        command: &Command,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        self.settle();
        match command {
            Command::Verdicts { .. }
            | Command::Surge { .. }
            | Command::Recovered { .. }
            | Command::Unsettled { .. }
            | Command::Unfit { .. }
            | Command::Fit { .. }
            | Command::Occurs { .. }
            | Command::EndSlots { .. }
            | Command::ReplaceVoter { .. }
            | Command::VotesFollowed { .. }
            | Command::Offer { .. } => self.lead(by, command, verifier),
            Command::Accept { case, fence } => self.accept(by, *case, *fence),
            Command::Renew { case, fence } => self.renew(by, *case, *fence),
            Command::Intend { case, fence, grounds } => {
                self.intend(by, (*case, *fence), grounds, verifier)
            }
            Command::Receive { case, receipt } => self.receive(by, *case, receipt),
            Command::Inspected { case, fence, found } => self.inspected(by, (*case, *fence), found),
            Command::Verify { case, fence, grounds } => {
                self.verify(by, (*case, *fence), grounds, verifier)
            }
            Command::Unproven { case, fence, why } => self.unproven(by, (*case, *fence), why),
            Command::Release { case, fence, why } => self.release(by, (*case, *fence), why),
            Command::Dismiss { .. }
            | Command::Revoke { .. }
            | Command::Free { .. }
            | Command::Approve { .. }
            | Command::Deny { .. }
            | Command::Maintain { .. }
            | Command::EndMaintenance { .. }
            | Command::Exempt { .. } => self.for_a_person(by, command),
            Command::OtherLife { host, boot } => self.other_life(by, *host, *boot),
            Command::TakeSlot { .. }
            | Command::ReturnSlot { .. }
            | Command::RevokeSlot { .. }
            | Command::BindClient { .. } => self.for_a_client(by, command),
            Command::Found { .. }
            | Command::Enrol(_)
            | Command::Boot { .. }
            | Command::Left { .. }
            | Command::Retire { .. }
            | Command::Policy { .. }
            | Command::Pause(_)
            | Command::Resume(_)
            | Command::Tick
            | Command::Rules { .. }
            | Command::Authorities { .. }
            | Command::AddHost { .. }
            | Command::MoveVotes { .. }
            | Command::Seal { .. } => unreachable!("the door gives only healing's"),
        }
    }

    /// What a person orders about healing.
    fn for_a_person(&mut self, by: HostId, command: &Command) -> Result<Outcome, Refused> {
        match command {
            Command::Dismiss { case, order } => self.dismiss(by, *case, order),
            Command::Revoke { case, order } => self.revoke(by, *case, order),
            Command::Free { subject, order } => self.free(by, subject, order),
            Command::Approve { case, shown, order } => self.approve(by, (*case, *shown), order),
            Command::Deny { case, order } => self.deny(by, *case, order),
            Command::Maintain { plan, order } => self.maintain(by, plan, order),
            Command::EndMaintenance { window, order } => self.end_maintenance(by, *window, order),
            Command::Exempt { host, is_exempt, order } => {
                self.exempt_host(by, (*host, *is_exempt), order)
            }
            _ => unreachable!("the caller gives only what a person orders"),
        }
    }

    /// What a FleetLock client or a person asks about one.
    fn for_a_client(&mut self, by: HostId, command: &Command) -> Result<Outcome, Refused> {
        match command {
            Command::TakeSlot { client, group } => self.take_slot(by, (client, group)),
            Command::ReturnSlot { client, before } => self.return_slot(by, client, *before),
            Command::RevokeSlot { client, order } => self.revoke_slot(by, client, order),
            Command::BindClient { client, host, order } => {
                self.bind_client(by, (client, *host), order.as_ref())
            }
            _ => unreachable!("the caller gives only what is about a client"),
        }
    }

    /// What only the leader proposes; the ledger knows the voters, not which of them leads.
    fn lead(
        &mut self,
        by: HostId,
        command: &Command,
        verifier: &dyn Verifier,
    ) -> Result<Outcome, Refused> {
        self.member(by)?;
        if !self.may_lead(&by) {
            return Err(Refused::NotPermitted("only a voter of the ledger may ask this".into()));
        }
        match command {
            Command::Verdicts { grounds, findings, doubted } => {
                self.verdicts((by, grounds), (findings, doubted), verifier)
            }
            Command::Surge { doubted } => self.surge(doubted),
            Command::Recovered { cases, grounds } => self.recovered(cases, grounds, verifier),
            Command::Offer { case, healer } => self.offer(*case, *healer),
            Command::Unsettled { grounds, doubted } => self.unsettled(grounds, doubted, verifier),
            Command::Unfit { grounds, findings } => self.unfit(grounds, findings, verifier),
            Command::Fit { cases, grounds } => self.fit(cases, grounds, verifier),
            Command::Occurs { window, at, left } => self.occurs(*window, *at, *left),
            Command::EndSlots { clients, grounds } => self.end_slots(clients, grounds, verifier),
            Command::ReplaceVoter { lost } => self.replace_voter(*lost),
            Command::VotesFollowed { voting } => self.votes_followed(voting),
            _ => unreachable!("the caller gives only the leader's commands"),
        }
    }
}
