//! From an empty folder to a mesh that is well and may heal.
//!
//! Not here: how hosts are made and started (see `fleet`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{self, Instant};

use super::fleet::Fleet;
use super::history::History;
use super::journal::Journal;
use super::plan::{HOSTS, HOSTS_COUNT, Place, place_of};
use super::policy;
use super::proofs::Proof;
use super::sight::Sight;
use super::stage::Stage;
use super::starter::{Hands, Start, Starter};
use super::story::Story;
use crate::admin::answer::{FoundOrder, PolicyOrder};

/// Keepers find one another within a second or two of their start.
const FOUNDED_WITHIN: Duration = Duration::from_secs(15);

/// Enrolments are batched, one epoch each 5 s at most (protocol 1.3).
const ENROLLED_WITHIN: Duration = Duration::from_secs(30);

/// How often an order is given again that found no ear yet.
const AGAIN_EVERY: Duration = Duration::from_millis(250);

/// Who is asked first.
const FIRST: Place = 0;

/// Opens the mesh, or says why not and hands the story back.
pub async fn open(
    program: &Path,
    folder: &Path,
    story: Story,
) -> Result<(Stage, Starter), (Story, String)> {
    let laid = lay(program, folder).await;
    let (fleet, journal, starter) = match laid {
        Ok(laid) => laid,
        Err(fault) => return Err((story, fault)),
    };
    let mut stage = Stage {
        sight: Sight::of(&fleet),
        fleet,
        journal,
        story,
        history: History::default(),
        witness: FIRST,
    };
    let text = policy::text(program, &starter_socket(folder));
    match raise(&mut stage, folder, &text).await {
        Ok(()) => Ok((stage, starter)),
        Err(proof) => Err((stage.story, format!("{}: {}", proof.claim, proof.seen))),
    }
}

/// The starter's socket within the mesh's folder: a policy that is not the demo's own names it too.
pub fn starter_socket(folder: &Path) -> PathBuf {
    folder.join("starter.sock")
}

/// The journal within the folder.
const JOURNAL: &str = "journal.jsonl";

async fn lay(program: &Path, folder: &Path) -> Result<(Arc<Fleet>, Arc<Journal>, Starter), String> {
    let fleet = Fleet::lay(folder, program).await;
    let fleet = Arc::new(fleet.map_err(|fault| fault.to_string())?);
    let journal = Journal::begin(&folder.join(JOURNAL));
    let journal = Arc::new(journal.map_err(|why| format!("could not begin a journal: {why}"))?);
    let starter = Starter::at(&starter_socket(folder), fleet.clone(), journal.clone());
    let starter = starter.map_err(|why| format!("could not listen for remedies: {why}"))?;
    Ok((fleet, journal, starter))
}

async fn raise(stage: &mut Stage, folder: &Path, policy: &str) -> Result<(), Proof> {
    stage.story.head("Opening: six agents on loopback, in three zones of two");
    stage.story.line("Real processes, QUIC and certificates; relays of the demo's own carry every link, so that it can cut them.");
    stage.story.line("Lines marked `audit` are the mesh's own history, told as it grows.");
    stage.story.say(format!(
        "certificates, configurations, logs and the journal of remedies are in {}",
        folder.display()
    ));
    for (place, host) in HOSTS.iter().enumerate() {
        let process = stage.fleet.start(place).await;
        let process = process.map_err(|fault| Proof::overdue("agents start", fault.to_string()))?;
        let keeper = if host.is_keeper { ", keeper" } else { "" };
        stage
            .story
            .say(format!("{} listens, process {process}, zone {}{keeper}", host.name, host.zone));
    }
    found(stage).await?;
    let calm = stage.calm(ENROLLED_WITHIN).await?;
    stage.story.say(format!(
        "all six agents say that all is well; {} leads in term {}; the mesh only observes",
        HOSTS[calm.leader].name, calm.term
    ));
    apply(stage, policy).await
}

/// `hale init`, given again until the keepers have found one another.
async fn found(stage: &mut Stage) -> Result<(), Proof> {
    let keepers = HOSTS.iter().filter(|host| host.is_keeper);
    let order = FoundOrder { keepers: keepers.map(|host| host.name.to_owned()).collect() };
    let names = order.keepers.join(",");
    let until = Instant::now() + FOUNDED_WITHIN;
    loop {
        let why = match stage.sight.order(FIRST, "/v1/init", &order).await {
            Ok(ordered) => {
                let said = ordered.data.sentence;
                stage.story.say(format!("hale init --keepers {names}: {said}"));
                return Ok(());
            }
            Err(why) => why.to_string(),
        };
        if Instant::now() > until {
            return Err(Proof::overdue("the ledger is founded", why));
        }
        time::sleep(AGAIN_EVERY).await;
    }
}

/// `hale policy apply`.
async fn apply(stage: &mut Stage, text: &str) -> Result<(), Proof> {
    stage.story.say("hale policy apply, of this policy:");
    stage.story.line("");
    for line in text.lines() {
        stage.story.line(&format!("          {line}"));
    }
    stage.story.line("");
    let order = PolicyOrder {
        text: text.to_owned(),
        why: "the demo's own policy".to_owned(),
        if_version: None,
    };
    let ordered = stage.sight.order(FIRST, "/v1/policy", &order).await;
    let ordered =
        ordered.map_err(|why| Proof::overdue("the policy is applied", why.to_string()))?;
    stage.story.say(ordered.data.sentence);
    stage.follow().await
}

impl Hands for Fleet {
    fn start_anew<'a>(&'a self, subject: &'a str) -> Start<'a> {
        Box::pin(async move {
            let place = place_of(subject).filter(|place| *place < HOSTS_COUNT);
            let place = place.ok_or_else(|| format!("the demo has no host {subject}"))?;
            let process = Fleet::start_anew(self, place).await;
            let process = process.map_err(|fault| fault.to_string())?;
            Ok(format!("the agent of {subject} listens, process {process}"))
        })
    }
}
