//! Which ends of certificates an agent knows, and from where.

use ledger::command::{Command, Outcome};
use vocabulary::{ModelSigner, model_chain_until};

use super::fleet::{Fleet, claims, id};
use super::model::{ModelMind, Served};
use crate::admin::answer::{Certs, Status};
use crate::identity::alarm::Ending;
use crate::moments;

const DAY: u64 = 86_400;

#[tokio::test]
async fn an_end_is_told_with_its_source_and_one_that_is_near_is_a_note_of_every_host() {
    let (mut fleet, now) = (Fleet::nine(), moments::now());
    let claims = claims("b1");
    let chain = model_chain_until(&claims, &ModelSigner::new(&claims.host), now + 6 * DAY + 60);
    assert_eq!(fleet.send("b1", Command::Enrol(chain)), Outcome::Done);
    let mind = ModelMind::new(fleet);
    {
        let mut local = mind.local.lock().expect("no panic");
        // What b1 has shown in an older handshake is older than what it has enrolled.
        local.endings = [(id("b1"), now + 300 * DAY), (id("c1"), now - 2 * DAY - 60)].into();
        local.own_ending = Some(now + 90 * DAY + 60);
        let what = "the authority of test (serial 01)".to_owned();
        local.authorities = vec![Ending { what, until: now + 400 * DAY }];
    }
    let served = Served::over(mind);
    let certs = served.client.ask::<Certs>("/v1/certs").await.expect("it answers").data.certs;
    let told: Vec<_> = certs
        .iter()
        .map(|cert| (cert.of.as_str(), cert.state.as_str(), cert.from.as_str()))
        .take(5)
        .collect();
    assert_eq!(
        told,
        [
            ("c1", "ended", "connection"),
            ("b1", "week", "ledger"),
            ("a1", "ok", "file"),
            ("the authority of test (serial 01)", "ok", "file"),
            ("a2", "unknown", "nowhere"),
        ]
    );
    let status = served.client.ask::<Status>("/v1/status").await.expect("it answers").data;
    let note = "2 certificates end within 30 days, `hale certs`: c1 2 days ago b1 in 6 days";
    assert!(status.notes.iter().any(|said| said == note), "{:?}", status.notes);
}
