//! What a FleetLock client is told: a status, and where it is refused a kind for its metrics and a sentence for its log.
//!
//! Law FA1: kinds are few and never change: clients count them.
//! Not here: why the ledger refuses (see `ledger::refusal`).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::command::{Outcome, Refused};
use ledger::{Ledger, rules};
use serde::Serialize;

use super::question::QuestionFault;
use crate::admin::mind::NotCommitted;

/// Seconds after which it is worth asking again: rounds look every 1.5 s.
const ASK_AGAIN_AFTER: &str = "30";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    status: StatusCode,
    refusal: Option<Refusal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Refusal {
    kind: &'static str,
    value: std::borrow::Cow<'static, str>,
}

impl Told {
    /// The slot stands, or none does any more.
    pub const DONE: Self = Self { status: StatusCode::OK, refusal: None };

    /// Another method.
    pub const ONLY_POST: Self = Self::of(
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        "this path takes POST alone",
    );

    /// Another path.
    pub const NO_SUCH_PATH: Self = Self::of(
        (StatusCode::NOT_FOUND, "no_such_path"),
        "FleetLock has /v1/pre-reboot and /v1/steady-state; a base URL ends with a slash",
    );

    const fn of((status, kind): (StatusCode, &'static str), value: &'static str) -> Self {
        let refusal = Refusal { kind, value: std::borrow::Cow::Borrowed(value) };
        Self { status, refusal: Some(refusal) }
    }

    fn saying(status: StatusCode, kind: &'static str, value: String) -> Self {
        Self { status, refusal: Some(Refusal { kind, value: value.into() }) }
    }

    /// Nothing can be asked of this ledger yet.
    pub fn not_ready(ledger: &Ledger) -> Option<Self> {
        let why = match (ledger.is_founded(), ledger.rules() >= rules::SECOND) {
            (true, true) => return None,
            (false, _) => "there is no ledger yet: `hale init` founds it",
            (true, false) => {
                "reboot slots are granted under rules 2: every keeper and follower must run this version first"
            }
        };
        Some(Self::of((StatusCode::SERVICE_UNAVAILABLE, "failed_sem_init"), why))
    }

    /// A rule of the ledger says no.
    pub fn refused(refused: &Refused) -> Self {
        let (status, kind) = match refused {
            Refused::Budget { .. }
            | Refused::PerHour { .. }
            | Refused::PerDay { .. }
            | Refused::Floor { .. }
            | Refused::Ramp { .. }
            | Refused::Keepers { .. }
            | Refused::Bound(_) => (StatusCode::CONFLICT, "failed_lock_semaphore_full"),
            Refused::UnknownGroup { .. } => (StatusCode::BAD_REQUEST, "unknown_group"),
            Refused::NotFounded => (StatusCode::SERVICE_UNAVAILABLE, "failed_sem_init"),
            Refused::NotPermitted(_) | Refused::UnknownHost | Refused::Retired => {
                (StatusCode::FORBIDDEN, "not_permitted")
            }
            _ => (StatusCode::CONFLICT, "failed_lock"),
        };
        Self::saying(status, kind, refused.to_string())
    }

    /// The slot is given back, and stands until the host is seen well.
    pub fn not_well(because: Option<Refused>) -> Self {
        let because = because.map_or_else(String::new, |why| format!("; {why}"));
        let value = format!(
            "the slot is given back and ends as soon as the mesh sees the host well{because}: ask again"
        );
        Self::saying(StatusCode::SERVICE_UNAVAILABLE, "not_seen_well", value)
    }

    /// Nobody knows whether it is in the ledger.
    pub fn not_committed(why: NotCommitted) -> Self {
        match why {
            NotCommitted::NoLeader(why) => {
                let value = format!("nothing was done: {why}");
                Self::saying(StatusCode::SERVICE_UNAVAILABLE, "no_majority", value)
            }
            NotCommitted::Refused { why, .. } => {
                Self::saying(StatusCode::SERVICE_UNAVAILABLE, "failed_sem_init", why)
            }
            NotCommitted::Unknown(why) => {
                let value = format!("{why}: it may yet be done, ask again");
                Self::saying(StatusCode::GATEWAY_TIMEOUT, "unknown_end", value)
            }
        }
    }

    /// A ledger of another version may answer in words that we do not know.
    pub fn unexpected(outcome: &Outcome) -> Self {
        let value = format!("the ledger answered {outcome:?}, which this agent does not know");
        Self::saying(StatusCode::BAD_GATEWAY, "unknown_end", value)
    }
}

impl From<QuestionFault> for Told {
    fn from(fault: QuestionFault) -> Self {
        let status = match fault {
            QuestionFault::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::saying(status, "invalid_client_identity", fault.to_string())
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let Some(refusal) = self.refusal else {
            return self.status.into_response();
        };
        let body =
            serde_json::to_vec(&refusal).expect("law J1: two texts are an object in any case");
        let mut answer =
            (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let again = axum::http::HeaderValue::from_static(ASK_AGAIN_AFTER);
            answer.headers_mut().insert(header::RETRY_AFTER, again);
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let post = axum::http::HeaderValue::from_static("POST");
            answer.headers_mut().insert(header::ALLOW, post);
        }
        answer
    }
}
