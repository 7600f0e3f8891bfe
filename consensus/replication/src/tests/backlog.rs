//! A keeper that is far behind catches up over a slow way (law LN1).

use std::time::Duration;

use super::mesh::Mesh;
use crate::settings::Settings;

/// 8 Mbit/s: what fills one Raft message takes a second, ten heartbeats.
const KILOBYTE_TAKES: Duration = Duration::from_millis(1);

/// Twice what one message holds.
const WORDS: usize = 256;

#[tokio::test(start_paused = true)]
async fn law_ln1_a_keeper_far_behind_catches_up_over_a_way_that_carries_no_full_message_in_time() {
    let mesh = Mesh::founded(3, Settings::default()).await;
    let behind =
        (1..=3).rev().find(|number| Some(*number) != mesh.who_leads()).expect("two follow");
    for other in (1..=3).filter(|other| *other != behind) {
        mesh.cut(behind, other);
    }
    let long = "x".repeat(8 * 1_024);
    let mut last = mesh.say("the first").await;
    for number in 0..WORDS {
        last = mesh.say(&format!("{number} {long}")).await;
    }
    mesh.slow(behind, KILOBYTE_TAKES);
    mesh.mend();
    mesh.applied(behind, last).await;
    // And while others go on.
    let next = mesh.say("the next").await;
    mesh.applied(behind, next).await;
    assert_eq!(mesh.said(behind).len(), WORDS + 2);
}
