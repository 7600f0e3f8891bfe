//! What a FleetLock client says: one header and one JSON object.
//!
//! Law FQ1: the header is exactly `fleet-lock-protocol: true`; the body is read as JSON whatever its type is said to be, since Zincati names none
//! and curl another. Members that are not known are let pass, as every other server does.
//! Not here: what becomes of it (see the parent).

use std::fmt;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use ledger::bindings::FleetLockId;
use serde::Deserialize;

/// A sound body has some 120 bytes.
pub const BODY_BYTES_MAX: usize = 4 * 1024;

/// The header that says that the request is meant.
const HEADER: &str = "fleet-lock-protocol";

/// A group of which nobody could be.
const GROUP_BYTES_MAX: usize = 256;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The client.
    pub client: FleetLockId,
    /// The group that it names.
    pub group: String,
}

/// Why a request is none of FleetLock's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionFault {
    /// The header is missing or says something else.
    Header(Option<String>),
    /// The body is longer than [`BODY_BYTES_MAX`].
    TooLong,
    /// The body did not come.
    Unread(String),
    /// The body is not the object.
    Json(String),
    /// The id is none.
    Client(String),
    /// The group is none: expected letters, digits, dots and hyphens.
    Group(String),
}

#[derive(Deserialize)]
struct Body {
    client_params: Params,
}

#[derive(Deserialize)]
struct Params {
    /// Older servers and their documents call it so.
    #[serde(alias = "node_uuid")]
    id: String,
    group: String,
}

impl Question {
    /// Reads the whole request.
    pub fn read(
        head: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Self, QuestionFault> {
        let said = head.get(HEADER).map(|value| String::from_utf8_lossy(value.as_bytes()));
        if said.as_deref() != Some("true") {
            return Err(QuestionFault::Header(said.map(|said| cut(&said))));
        }
        let body = body.map_err(|why| match why.status() {
            StatusCode::PAYLOAD_TOO_LARGE => QuestionFault::TooLong,
            _ => QuestionFault::Unread(why.body_text()),
        })?;
        Self::from_body(&body)
    }

    /// Reads a body; any bytes are a question or a named fault.
    pub fn from_body(body: &[u8]) -> Result<Self, QuestionFault> {
        let body: Body =
            serde_json::from_slice(body).map_err(|why| QuestionFault::Json(why.to_string()))?;
        let Params { id, group } = body.client_params;
        let client =
            FleetLockId::new(&id).map_err(|fault| QuestionFault::Client(fault.to_string()))?;
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let is_sound = (1..=GROUP_BYTES_MAX).contains(&group.len()) && group.bytes().all(is_letter);
        match is_sound {
            true => Ok(Self { client, group }),
            false => Err(QuestionFault::Group(cut(&group))),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for QuestionFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(None) => write!(out, "header {HEADER}: missing, expected \"true\""),
            Self::Header(Some(said)) => write!(out, "header {HEADER}: {said:?}, expected \"true\""),
            Self::TooLong => write!(out, "body: more than {BODY_BYTES_MAX} bytes"),
            Self::Unread(why) => write!(out, "body: {why}"),
            Self::Json(why) => write!(
                out,
                "body: {why}; expected {{\"client_params\": {{\"id\": \"...\", \"group\": \"...\"}}}}"
            ),
            Self::Client(why) => write!(out, "client_params.id: {why}"),
            Self::Group(given) => write!(
                out,
                "client_params.group: {given:?}, expected 1 to {GROUP_BYTES_MAX} of a-z A-Z 0-9 . -"
            ),
        }
    }
}

impl std::error::Error for QuestionFault {}
