//! Orders of people, carried to the ledger.
//!
//! Law C1: the ledger decides; what it refuses is told with its name.
//! Not here: who may order (see `peer`), and setting the policy (see `policy_orders`).

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::StatusCode;
use ledger::command::{Command, Order, Outcome, Refused};
use serde::de::DeserializeOwned;
use vocabulary::{CaseId, GroupName, HostId, HostName, Scope};
use wire::Report;

use super::answer::{
    AddOrder, ApproveOrder, DenyOrder, DismissOrder, ExemptOrder, FoundOrder, Ordered, PauseOrder,
    Refusal, ReleaseOrder, ReloadOrder, ReportOrder, ResumeOrder, RetireOrder, RevokeOrder,
    TrustOrder,
};
use super::mind::{Local, Mind, NotCommitted};
use super::policy_orders;
use super::rehearsal::Rehearsal;
use super::render::{self, Scene};
use crate::authority;
use crate::identity::Renewal;
use crate::moments;

/// An order that was not carried out, or nobody knows.
pub(super) struct Unfulfilled {
    pub status: StatusCode,
    pub refusal: Refusal,
}

/// An order as the socket takes it.
#[async_trait]
pub(super) trait Carried: DeserializeOwned + Send + 'static {
    /// Carries it out in this person's name.
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled;

    /// What a person is told where nothing has come of it within so many seconds.
    fn unanswered(within: u64) -> String {
        format!(
            "no answer from the keepers within {within} s: it may yet be committed, look before you repeat it"
        )
    }
}

pub(super) type Fulfilled = Result<Ordered, Unfulfilled>;

/// Carries an order out, or finds out what it would come to.
pub(super) async fn carry(
    order: impl Carried,
    (mind, who): (&Arc<dyn Mind>, String),
    is_dry_run: bool,
) -> Fulfilled {
    if !is_dry_run {
        let mut ordered = order.carry(mind.as_ref(), who).await?;
        if let Some(version) = ordered.version {
            ordered.policy = policy_orders::warned(mind.as_ref(), version).await;
        }
        return Ok(ordered);
    }
    let rehearsal = Rehearsal::of(mind);
    let ordered = order.carry(&rehearsal, who).await?;
    let sentence = format!("dry run, nothing was done; it would be so: {}", ordered.sentence);
    let policy = match rehearsal.played() {
        Some(played) if ordered.version.is_some() => {
            Some(policy_orders::changed(mind, played).await?)
        }
        _ => None,
    };
    Ok(Ordered { sentence, dry_run: true, policy, ..ordered })
}

#[async_trait]
impl Carried for PauseOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let order = Order { who, why: self.why };
        let outcome = propose(mind, Command::Pause(order)).await?;
        done(
            &outcome,
            "healing is stopped: nothing new begins; what was begun is inspected and verified. `hale resume --why ...` lifts it",
        )
    }
}

#[async_trait]
impl Carried for ResumeOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let order = Order { who, why: self.why };
        let outcome = propose(mind, Command::Resume(order)).await?;
        done(
            &outcome,
            "the brake is lifted: healing begins again with one at a time, then 2, 4, ...",
        )
    }
}

#[async_trait]
impl Carried for RetireOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let host = host_named(mind, &self.host)?;
        let name = self.host;
        let order = Order { who, why: self.why };
        let outcome = propose(mind, Command::Retire { host, order }).await?;
        done(
            &outcome,
            &format!(
                "{name} is retired for good: its certificate is refused from now on, its name never comes back"
            ),
        )
    }
}

#[async_trait]
impl Carried for AddOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let name = HostName::new(&self.host).map_err(|why| malformed(why.to_string()))?;
        let order = Order { who, why: self.why };
        let command = Command::AddHost { name: name.clone(), may_enrol: !self.undo, order };
        needs_no_newer_rules(mind, &command, "hosts are added")?;
        let outcome = propose(mind, command).await?;
        let sentence = if self.undo {
            format!("{name} is not added any more")
        } else {
            format!("{name} may enrol: its agent asks by itself, as soon as it runs")
        };
        done(&outcome, &sentence)
    }
}

#[async_trait]
impl Carried for ExemptOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let host = host_named(mind, &self.host)?;
        let (name, is_exempt, order) = (self.host, !self.undo, Order { who, why: self.why });
        let command = Command::Exempt { host, is_exempt, order };
        needs_no_newer_rules(mind, &command, "hosts are exempt")?;
        let outcome = propose(mind, command).await?;
        let sentence = if is_exempt {
            format!(
                "{name} is exempt: nothing begins on it by itself, a person is called for its trouble; \
                 `hale host exempt {name} --undo --why ...` ends that"
            )
        } else {
            format!("{name} is exempt no more: it is healed as any other")
        };
        done(&outcome, &sentence)
    }
}

#[async_trait]
impl Carried for DismissOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let case = CaseId(self.case);
        let order = Order { who, why: self.why };
        let outcome = propose(mind, Command::Dismiss { case, order }).await?;
        done(&outcome, &format!("case {case} is closed, and no lease of it counts any more"))
    }
}

#[async_trait]
impl Carried for ApproveOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let view = mind.view();
        let case = CaseId(self.case);
        let known = view.case(case).ok_or_else(|| refuse(mind, &Refused::UnknownCase))?;
        let (mut shown, lasts) = (view.shown(known), view.policy().timers.approved_for);
        let stands = known.kind.word();
        if self.verdict.as_ref().is_some_and(|seen| *seen != stands) {
            return Err(refuse(mind, &Refused::Stage(format!("{stands} by now"))));
        }
        shown.policy = self.if_version.unwrap_or(shown.policy);
        if let Some(rung) = self.rung {
            let rung = u32::try_from(rung).unwrap_or(u32::MAX);
            let meant = rung.checked_sub(1);
            shown.rung = meant.ok_or_else(|| malformed("rungs are counted from 1".into()))?;
        }
        let command = Command::Approve { case, shown, order: Order { who, why: self.why } };
        needs_no_newer_rules(mind, &command, "remedies are approved")?;
        let subject = render::subject(mind, &known.subject);
        let remedy = view.rung_of(known).map(|rung| rung.command.argv.join(" "));
        let outcome = propose(mind, command).await?;
        let (kind, rung) = (&known.kind, shown.rung.saturating_add(1));
        let remedy = remedy.unwrap_or_default();
        done(
            &outcome,
            &format!(
                "for {subject} {kind} (case {case}) rung {rung}, `{remedy}`, may begin once within {lasts}; `hale deny {case} --why ...` \
                 takes that back until it has begun"
            ),
        )
    }
}

#[async_trait]
impl Carried for DenyOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let case = CaseId(self.case);
        let command = Command::Deny { case, order: Order { who, why: self.why } };
        needs_no_newer_rules(mind, &command, "remedies are denied")?;
        let outcome = propose(mind, command).await?;
        done(
            &outcome,
            &format!(
                "case {case} is a person's: hale begins nothing for it until its host was seen well once, which closes it, or \
                 `hale case dismiss {case} --why ...` does"
            ),
        )
    }
}

#[async_trait]
impl Carried for RevokeOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let case = CaseId(self.case);
        let command = Command::Revoke { case, order: Order { who, why: self.why } };
        needs_no_newer_rules(mind, &command, "leases are revoked")?;
        let outcome = propose(mind, command).await?;
        done(
            &outcome,
            &format!(
                "the lease of case {case} is revoked and counts no more; `hale explain {case}` shows how the case goes on"
            ),
        )
    }
}

#[async_trait]
impl Carried for ReleaseOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let name = self.name;
        let (subject, freed) = if self.is_group {
            let group = GroupName::new(&name).map_err(|why| malformed(why.to_string()))?;
            let freed = format!("group {name} is released: healing in it begins again");
            (Scope::Group(group), freed)
        } else {
            let freed = format!(
                "{name} is released: its case is closed, and if it is in trouble again it is tried from the beginning"
            );
            (Scope::Host(host_named(mind, &name)?), freed)
        };
        let command = Command::Free { subject, order: Order { who, why: self.why } };
        needs_no_newer_rules(mind, &command, "hosts and groups are released")?;
        let outcome = propose(mind, command).await?;
        done(&outcome, &freed)
    }
}

#[async_trait]
impl Carried for TrustOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let cluster = mind.me().cluster;
        let authorities = authority::read(&self.pem, &cluster).map_err(malformed)?;
        let count = authorities.len();
        let command = Command::Authorities { authorities, order: Order { who, why: self.why } };
        needs_no_newer_rules(mind, &command, "authorities are changed")?;
        let outcome = propose(mind, command).await?;
        done(
            &outcome,
            &format!(
                "authorities that vouch for hosts from now on: {count}; who is in the roster stays there"
            ),
        )
    }
}

#[async_trait]
impl Carried for ReloadOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        tracing::info!(who, why = self.why, "a person has the certificate files read");
        let sentence = match mind.reload(false).await {
            Ok(Renewal::Same) => "the certificate files hold what is in use already",
            Ok(Renewal::Other { has_other_key: false }) => {
                "the certificate files are in use: new connections show them, standing ones go on"
            }
            Ok(Renewal::Other { has_other_key: true }) => {
                "the certificate files are in use: new connections show them, standing ones go on; the new key is enrolled and \
                 signs once the roster has it, the old one until then"
            }
            Err(fault) => {
                let sentence = format!("what is in use stays: {fault}");
                let refusal = Refusal::new(fault.name(), sentence);
                return Err(Unfulfilled { status: StatusCode::CONFLICT, refusal });
            }
        };
        done(&Outcome::Done, sentence)
    }

    fn unanswered(within: u64) -> String {
        format!(
            "this agent has not read its certificate files within {within} s: look at the disk they lie on; they may yet be taken into use, \
             and its log says so then"
        )
    }
}

#[async_trait]
impl Carried for ReportOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let most = Report::FAILED_BYTES_MAX;
        if self.failed.trim().is_empty() || self.failed.len() > most {
            return Err(malformed(format!("what was seen is a sentence of 1 to {most} bytes")));
        }
        let subject = host_named(mind, &self.host)?;
        let report = Report { subject, who, failed: self.failed }.cut();
        let is_looked_at = mind.report(report).await.map_err(uncommitted)?;
        let name = self.host;
        let sentence = if is_looked_at {
            format!(
                "the leader has {name} looked at now; what its observers see decides, `hale explain {name}` shows it"
            )
        } else {
            format!(
                "the leader keeps it; for reports {name} is looked at once in 10 s, `hale explain {name}` shows what is known"
            )
        };
        done(&Outcome::Done, &sentence)
    }

    fn unanswered(within: u64) -> String {
        format!(
            "the leader has not answered within {within} s: it may have been told; a report may be repeated"
        )
    }
}

#[async_trait]
impl Carried for FoundOrder {
    async fn carry(self, mind: &dyn Mind, _who: String) -> Fulfilled {
        let names: Result<Vec<HostName>, _> =
            self.keepers.iter().map(|name| HostName::new(name)).collect();
        let names = names.map_err(|why| malformed(why.to_string()))?;
        let keepers = self.keepers.join(" ");
        let outcome = committed(mind, mind.found(names).await)?;
        done(
            &outcome,
            &format!(
                "the ledger is founded; its voters are {keepers}. Agents enrol themselves now, and the mesh only observes until \
             `hale policy apply FILE --why ...`"
            ),
        )
    }

    fn unanswered(within: u64) -> String {
        format!(
            "the founding is not done within {within} s: the ledger may yet be founded, and never twice; `hale status` says whether it is"
        )
    }
}

pub(super) fn host_named(mind: &dyn Mind, name: &str) -> Result<HostId, Unfulfilled> {
    let view = mind.view();
    let mut all = view.roster().all();
    let found = all.find(|(_, entry)| entry.claims.host.as_str() == name);
    found.map(|(host, _)| *host).ok_or_else(|| {
        no_such(format!("no host {name:?} is in the roster: `hale host list` shows them"))
    })
}

pub(super) fn no_such(why: String) -> Unfulfilled {
    Unfulfilled { status: StatusCode::NOT_FOUND, refusal: Refusal::new("NoSuch", why) }
}

/// Law C5: a keeper that does not know the command could not even read the entry.
pub(super) fn needs_no_newer_rules(
    mind: &dyn Mind,
    command: &Command,
    what: &str,
) -> Result<(), Unfulfilled> {
    let (since, standing) = (command.since(), mind.view().rules());
    if since <= standing {
        return Ok(());
    }
    let sentence = format!(
        "{what} under rules {since}, in force are {standing}: every keeper and follower must run this version first"
    );
    Err(Unfulfilled { status: StatusCode::CONFLICT, refusal: Refusal::new("Rules", sentence) })
}

pub(super) fn malformed(why: String) -> Unfulfilled {
    Unfulfilled { status: StatusCode::BAD_REQUEST, refusal: Refusal::new("Malformed", why) }
}

pub(super) async fn propose(mind: &dyn Mind, command: Command) -> Result<Outcome, Unfulfilled> {
    let proposed = mind.propose(command).await;
    committed(mind, proposed)
}

fn committed(
    mind: &dyn Mind,
    proposed: Result<Outcome, NotCommitted>,
) -> Result<Outcome, Unfulfilled> {
    match proposed {
        Ok(Outcome::Refused(refused)) => Err(refuse(mind, &refused)),
        Ok(outcome) => Ok(outcome),
        Err(why) => Err(uncommitted(why)),
    }
}

fn uncommitted(not: NotCommitted) -> Unfulfilled {
    match not {
        NotCommitted::NoLeader(why) => Unfulfilled {
            status: StatusCode::SERVICE_UNAVAILABLE,
            refusal: Refusal::new("NoMajority", format!("nothing was done: {why}")),
        },
        NotCommitted::Refused { name, why } => {
            Unfulfilled { status: StatusCode::CONFLICT, refusal: Refusal::new(name, why) }
        }
        NotCommitted::Unknown(why) => Unfulfilled {
            status: StatusCode::GATEWAY_TIMEOUT,
            refusal: Refusal::new(
                "Unknown",
                format!("{why}: it may yet be committed, look before you repeat it"),
            ),
        },
    }
}

fn refuse(mind: &dyn Mind, refused: &Refused) -> Unfulfilled {
    let (view, me, local) = (mind.view(), mind.me(), Local::default());
    let scene = Scene::new(&view, &local, &me, (mind.standing(), moments::now_exact()));
    Unfulfilled { status: StatusCode::CONFLICT, refusal: render::refusal(&scene, refused) }
}

pub(super) fn done(outcome: &Outcome, sentence: &str) -> Fulfilled {
    match outcome {
        Outcome::Done => {
            let sentence = sentence.to_owned();
            Ok(Ordered { sentence, dry_run: false, version: None, policy: None })
        }
        other => Err(unexpected(other)),
    }
}

/// A ledger of another version may answer in words that we do not know.
pub(super) fn unexpected(outcome: &Outcome) -> Unfulfilled {
    Unfulfilled {
        status: StatusCode::BAD_GATEWAY,
        refusal: Refusal::new(
            "Unknown",
            format!("the ledger answered {outcome:?}, which this agent does not know"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_an_order_without_an_end_is_true_of_that_order() {
        let of_the_ledger = PauseOrder::unanswered(12);
        assert!(of_the_ledger.starts_with("no answer from the keepers within 12 s"));
        assert!(of_the_ledger.contains("may yet be committed"));
        // No keeper has anything to do with files of this host.
        let reload = ReloadOrder::unanswered(12);
        assert!(reload.starts_with("this agent has not read its certificate files within 12 s"));
        assert!(!reload.contains("keepers") && !reload.contains("committed"), "{reload}");
        assert!(FoundOrder::unanswered(12).contains("never twice"));
    }
}
