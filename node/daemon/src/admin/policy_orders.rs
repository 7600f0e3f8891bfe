//! Setting the policy of the mesh: a new text, or that of an earlier version.
//!
//! Law PO1: a rollback is an order like any other: the text of that version, checked again, as the next version.
//! Not here: what a policy changes (see `render::policy_change`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use ledger::Ledger;
use ledger::command::{Command, Order, Outcome};
use ledger::policy::Policy;
use ledger::rules;

use super::answer::{Ordered, PolicyChange, PolicyOrder, Refusal, RollbackOrder};
use super::mind::{Local, Mind};
use super::orders::{Carried, Fulfilled, Unfulfilled, malformed, propose, unexpected};
use super::rehearsal::Played;
use super::render::{self, Scene};
use crate::moments;

#[async_trait]
impl Carried for PolicyOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let order = Order { who, why: self.why };
        let command = Command::Policy { text: self.text, if_version: self.if_version, order };
        match propose(mind, command).await? {
            Outcome::Policy { version } => Ok(Ordered {
                sentence: format!("policy version {version} is in force in the whole mesh"),
                dry_run: false,
                version: Some(version),
                policy: None,
            }),
            other => Err(unexpected(&other)),
        }
    }
}

#[async_trait]
impl Carried for RollbackOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let Self { version, why, if_version } = self;
        if why.trim().is_empty() {
            return Err(malformed("a rollback says why: the audit keeps it".to_owned()));
        }
        mind.refresh().await;
        let text = text_of(&mind.view(), version)?;
        let order =
            PolicyOrder { text, why: format!("rollback to version {version}: {why}"), if_version };
        order.carry(mind, who).await.map_err(|unfulfilled| of_version(version, unfulfilled))
    }
}

/// The text of a version that can be read back and is not in force.
fn text_of(view: &Ledger, version: u64) -> Result<String, Unfulfilled> {
    let kept = render::policy_text(view, version)
        .map_err(|refusal| Unfulfilled { status: StatusCode::NOT_FOUND, refusal })?;
    let (shelf, newest) = (view.policy_shelf(), view.policy_shelf().version());
    let in_force = shelf.current().map_or("", |note| &note.text);
    if kept != in_force {
        return Ok(kept);
    }
    let sentence = match version == newest {
        true => format!("version {version} of the policy is in force already"),
        false => format!("the text of version {version} is in force already, as version {newest}"),
    };
    Err(Unfulfilled { status: StatusCode::CONFLICT, refusal: Refusal::new("Nothing", sentence) })
}

/// A person who has named a version has no file to look into.
fn of_version(version: u64, unfulfilled: Unfulfilled) -> Unfulfilled {
    let Unfulfilled { status, refusal: Refusal { name, sentence } } = unfulfilled;
    let sentence = match name.as_str() {
        "PolicyFaults" => format!(
            "the text of version {version} is not taken under the rules of today, `hale policy show --version {version}` prints it to be \
             mended and applied: {sentence}"
        ),
        _ => sentence,
    };
    Unfulfilled { status, refusal: Refusal { name, sentence } }
}

/// So long an order that is carried out waits for what a person should look at in it.
const WARNED_WITHIN: Duration = Duration::from_secs(3);

/// How often this agent is asked meanwhile whether it knows the version.
const ASKED_EVERY: Duration = Duration::from_millis(20);

/// What a person should look at in a version that has been set just now, beside the version that it took the place of; `None` where it could
/// not be worked out in time. It is worked out beside the agent's loop.
pub(super) async fn warned(mind: &dyn Mind, version: u64) -> Option<PolicyChange> {
    tokio::time::timeout(WARNED_WITHIN, warned_of(mind, version)).await.ok().flatten()
}

async fn warned_of(mind: &dyn Mind, version: u64) -> Option<PolicyChange> {
    let mut view = mind.view();
    while view.policy_shelf().version() < version {
        tokio::time::sleep(ASKED_EVERY).await;
        mind.refresh().await;
        view = mind.view();
    }
    let worked = tokio::task::spawn_blocking(move || {
        let read = |version: u64| {
            let text = render::policy_text(&view, version).ok()?;
            // A version that is older than the rules in force was taken under those before them.
            let read = |rules| Policy::read_under(rules, "policy.toml", &text).ok();
            read(view.rules()).or_else(|| read(rules::FIRST))
        };
        let from = version.checked_sub(1)?;
        Some(render::policy_warned(&view, (from, &read(from)?), &read(version)?))
    });
    worked.await.ok().flatten()
}

/// All that a rehearsed policy changes. Worked out beside the agent's loop, as every answer is.
pub(super) async fn changed(
    mind: &Arc<dyn Mind>,
    played: Played,
) -> Result<PolicyChange, Unfulfilled> {
    let (me, at) = (mind.me(), (mind.standing(), moments::now_exact()));
    let worked = tokio::task::spawn_blocking(move || {
        let local = Local::default();
        let before = Scene::new(&played.before, &local, &me, at);
        let after = Scene::new(&played.after, &local, &me, at);
        render::policy_change(&before, &after)
    });
    worked.await.map_err(|why| {
        let sentence =
            format!("this is a bug of hale: what it changes could not be worked out ({why})");
        let refusal = Refusal::new("Bug", sentence);
        Unfulfilled { status: StatusCode::INTERNAL_SERVER_ERROR, refusal }
    })
}
