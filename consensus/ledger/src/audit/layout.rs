//! The canonical bytes of each kind of record: once written, never changed; a new kind takes a new number.
//!
//! Not here: bytes on the mesh or on disk (see `wire`).

use vocabulary::{Canonical, CanonicalBytes, ReceiptKind};

use super::ends::{LeaseEnd, SlotEnd};
use super::record::What;
use crate::case::Closure;
use crate::maintenance::Schedule;

impl Canonical for What {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            Self::Founded { .. }
            | Self::Enrolled { .. }
            | Self::Booted { .. }
            | Self::Left { .. }
            | Self::Retired { .. }
            | Self::PolicySet { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::RulesRaised { .. }
            | Self::AuthoritiesSet { .. }
            | Self::HostAdded { .. }
            | Self::HostExempted { .. }
            | Self::GroupStopped { .. }
            | Self::KindStopped { .. }
            | Self::Freed { .. } => lay_of_the_mesh(self, bytes),
            Self::MaintenancePlanned { .. }
            | Self::MaintenanceBegan { .. }
            | Self::MaintenanceEnded { .. } => lay_of_maintenance(self, bytes),
            Self::Verdict { .. }
            | Self::Escalated { .. }
            | Self::Quarantined { .. }
            | Self::Approved { .. }
            | Self::Denied { .. }
            | Self::Shadowed { .. }
            | Self::Closed { .. } => lay_of_a_case(self, bytes),
            Self::Granted { .. } | Self::Accepted { .. } | Self::LeaseOver { .. } => {
                lay_of_a_lease(self, bytes)
            }
            Self::SlotGranted { .. } | Self::SlotOver { .. } | Self::ClientBound { .. } => {
                lay_of_a_slot(self, bytes)
            }
            Self::VotesMoved { .. } | Self::VoteMoved { .. } => lay_of_a_vote(self, bytes),
            Self::Intended { .. } | Self::IntentRefused { .. } | Self::Verified { .. } => {
                lay_of_a_beginning(self, bytes)
            }
            Self::Received { .. } | Self::Inspected { .. } | Self::Unproven { .. } => {
                lay_of_an_end(self, bytes)
            }
        }
    }
}

fn lay_of_the_mesh(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::Founded { cluster, voters } => {
            bytes.variant(0).text(cluster.as_str()).list(voters.iter())
        }
        What::Enrolled { host, name, claims, key } => {
            bytes.variant(1).value(host).text(name.as_str()).text(claims).value(key)
        }
        What::Booted { host, boot } => bytes.variant(2).value(host).value(boot),
        What::Left { host, boot } => bytes.variant(3).value(host).value(boot),
        What::Retired { host, who, why } => bytes.variant(4).value(host).text(who).text(why),
        What::PolicySet { version, digest, who, why } => {
            bytes.variant(5).number(*version).bytes(&digest.0).text(who).text(why)
        }
        What::Paused { who, why } => bytes.variant(6).text(who).text(why),
        What::Resumed { who, why } => bytes.variant(7).text(who).text(why),
        What::RulesRaised { rules } => bytes.variant(20).number(u64::from(*rules)),
        What::AuthoritiesSet { count, digest, who, why } => {
            bytes.variant(21).number(u64::from(*count)).bytes(&digest.0).text(who).text(why)
        }
        What::HostExempted { host, is_exempt, who, why } => {
            bytes.variant(33).value(host).variant(u8::from(*is_exempt)).text(who).text(why)
        }
        What::HostAdded { host, name, may_enrol, who, why } => bytes
            .variant(22)
            .value(host)
            .text(name.as_str())
            .variant(u8::from(*may_enrol))
            .text(who)
            .text(why),
        What::GroupStopped { group, why } => bytes.variant(24).text(group.as_str()).text(why),
        What::Freed { subject, who, why } => bytes.variant(25).value(subject).text(who).text(why),
        What::KindStopped { rule, group, why } => {
            bytes.variant(26).text(rule).text(group.as_str()).text(why)
        }
        _ => unreachable!("the caller gives only what the mesh itself has done"),
    };
}

fn lay_of_maintenance(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::MaintenancePlanned { window, plan, who, why } => bytes
            .variant(29)
            .number(*window)
            .value(&plan.scope)
            .number(plan.lasts.as_milliseconds())
            .value(&plan.schedule)
            .text(who)
            .text(why),
        What::MaintenanceBegan { window, left } => {
            bytes.variant(30).number(*window).number(left.as_milliseconds())
        }
        What::MaintenanceEnded { window, who, why } => {
            bytes.variant(31).number(*window).text(who).text(why)
        }
        _ => unreachable!("the caller gives only what has become of a window"),
    };
}

fn lay_of_a_slot(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::SlotGranted { client, host, group, fence } => {
            bytes.variant(34).text(client.as_str()).value(host).text(group.as_str()).number(fence.0)
        }
        What::SlotOver { client, fence, end } => {
            bytes.variant(35).text(client.as_str()).number(fence.0).value(end)
        }
        What::ClientBound { client, host, who, why } => {
            bytes.variant(36).text(client.as_str()).value(host).text(who).text(why)
        }
        _ => unreachable!("the caller gives only what has become of a slot"),
    };
}

fn lay_of_a_vote(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::VotesMoved { added, removed, who, why } => {
            bytes.variant(37).list(added.iter()).list(removed.iter()).text(who).text(why)
        }
        What::VoteMoved { from, to } => bytes.variant(38).value(from).value(to),
        _ => unreachable!("the caller gives only what has become of a vote"),
    };
}

impl Canonical for SlotEnd {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            Self::Well { anchor } => bytes.variant(0).value(anchor),
            Self::Told => bytes.variant(1),
            Self::Healing { case } => bytes.variant(2).number(case.0),
            Self::Retired => bytes.variant(3),
            Self::Revoked { who, why } => bytes.variant(4).text(who).text(why),
        };
    }
}

impl Canonical for Schedule {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.text(&self.cron).text(&self.time_zone);
    }
}

fn lay_of_a_case(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::Verdict { case, subject, kind, anchor, grounds, against, well, vacant } => bytes
            .variant(8)
            .number(case.0)
            .value(subject)
            .value(kind)
            .value(anchor)
            .bytes(&grounds.0)
            .number(*against)
            .number(*well)
            .number(*vacant),
        What::Escalated { case, why, is_counted } => {
            bytes.variant(12).number(case.0).text(why).variant(u8::from(*is_counted))
        }
        What::Quarantined { case, host } => bytes.variant(23).number(case.0).value(host),
        What::Closed { case, how } => bytes.variant(13).number(case.0).value(how),
        What::Approved { case, rung, argv, through, lasts, who, why } => bytes
            .variant(27)
            .number(case.0)
            .number(*rung)
            .list(argv.iter().map(Text))
            .value(through)
            .number(lasts.as_milliseconds())
            .text(who)
            .text(why),
        What::Shadowed { case, rung, argv, healer } => {
            bytes.variant(32).number(case.0).number(*rung).list(argv.iter().map(Text)).value(healer)
        }
        What::Denied { case, rung, who, why } => {
            bytes.variant(28).number(case.0).number(*rung).text(who).text(why)
        }
        _ => unreachable!("the caller gives only what has become of a case"),
    };
}

fn lay_of_a_lease(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::Granted { case, fence, healer, is_takeover } => bytes
            .variant(9)
            .number(case.0)
            .number(fence.0)
            .value(healer)
            .variant(u8::from(*is_takeover)),
        What::Accepted { case, fence, healer } => {
            bytes.variant(10).number(case.0).number(fence.0).value(healer)
        }
        What::LeaseOver { case, fence, end, is_orphaned } => bytes
            .variant(11)
            .number(case.0)
            .number(fence.0)
            .value(end)
            .variant(u8::from(*is_orphaned)),
        _ => unreachable!("the caller gives only what has become of a lease"),
    };
}

fn lay_of_a_beginning(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::Intended { case, fence, remedy, rung, argv, healer, anchor, grounds } => bytes
            .variant(14)
            .number(case.0)
            .number(fence.0)
            .number(remedy.0)
            .number(*rung)
            .list(argv.iter().map(Text))
            .value(healer)
            .value(anchor)
            .bytes(&grounds.0),
        What::IntentRefused { case, fence, why } => {
            bytes.variant(15).number(case.0).number(fence.0).text(why)
        }
        What::Verified { case, remedy, boot, anchor, grounds } => bytes
            .variant(18)
            .number(case.0)
            .number(remedy.0)
            .value(boot)
            .value(anchor)
            .bytes(&grounds.0),
        _ => unreachable!("the caller gives only what may begin and what has worked"),
    };
}

fn lay_of_an_end(what: &What, bytes: &mut CanonicalBytes) {
    match what {
        What::Received { case, remedy, fence, kind, detail } => bytes
            .variant(16)
            .number(case.0)
            .number(remedy.0)
            .number(fence.0)
            .variant(receipt_number(*kind))
            .text(detail),
        What::Inspected { case, remedy, fence, kind, detail } => bytes
            .variant(17)
            .number(case.0)
            .number(remedy.0)
            .number(fence.0)
            .variant(receipt_number(*kind))
            .text(detail),
        What::Unproven { case, remedy, rung, why } => {
            bytes.variant(19).number(case.0).number(remedy.0).number(*rung).text(why)
        }
        _ => unreachable!("the caller gives only what has come of a remedy"),
    };
}

impl Canonical for LeaseEnd {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            Self::NotAccepted => bytes.variant(0),
            Self::RanOut => bytes.variant(1),
            Self::Released(why) => bytes.variant(2).text(why),
            Self::Revoked { who, why } => bytes.variant(3).text(who).text(why),
        };
    }
}

impl Canonical for Closure {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            Self::Healed => bytes.variant(0),
            Self::Recovered => bytes.variant(1),
            Self::Retired => bytes.variant(2),
            Self::ByPerson(why) => bytes.variant(3).text(why),
            Self::MergedInto(case) => bytes.variant(4).number(case.0),
        };
    }
}

fn receipt_number(kind: ReceiptKind) -> u8 {
    match kind {
        ReceiptKind::Done => 0,
        ReceiptKind::Refused => 1,
        ReceiptKind::Unknown => 2,
    }
}

struct Text<'a>(&'a String);

impl Canonical for Text<'_> {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        bytes.text(self.0);
    }
}
