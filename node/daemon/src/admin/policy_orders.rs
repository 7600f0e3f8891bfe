//! Setting the policy of the mesh.
//!
//! Not here: what a policy changes (see `render::policy_change`).

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::StatusCode;
use ledger::Ledger;
use ledger::command::{Command, Order, Outcome};
use ledger::policy::Policy;

use super::answer::{Ordered, PolicyChange, PolicyOrder, Refusal};
use super::mind::{Local, Mind};
use super::orders::{Carried, Fulfilled, Unfulfilled, propose, unexpected};
use super::rehearsal::Played;
use super::render::{self, Scene};
use crate::moments;

#[async_trait]
impl Carried for PolicyOrder {
    async fn carry(self, mind: &dyn Mind, who: String) -> Fulfilled {
        let before = mind.view();
        let text = self.text.clone();
        let order = Order { who, why: self.why };
        let command = Command::Policy { text: self.text, if_version: self.if_version, order };
        match propose(mind, command).await? {
            Outcome::Policy { version } => Ok(Ordered {
                sentence: format!("policy version {version} is in force in the whole mesh"),
                dry_run: false,
                version: Some(version),
                policy: warned(&before, &text),
            }),
            other => Err(unexpected(&other)),
        }
    }
}

/// What a person should look at; the ledger has taken the text, so that it can be read.
fn warned(before: &Ledger, text: &str) -> Option<PolicyChange> {
    let policy = Policy::read_under(before.rules(), "policy.toml", text).ok()?;
    Some(render::policy_warned(before, &policy))
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
