//! Does an agent that is flooded go on, are others let in meanwhile, and do its neighbours not even notice?
//!
//! The figures are printed (`--nocapture`); a release build has those that count.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use cluster::figures::{Peak, Spending};
use cluster::floods::{Flood, LASTS};
use cluster::mesh::{Mesh, play};
use cluster::stranger::{certified, client_at, greet};
use daemon::demo::plan::CLUSTER;
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use tokio::time::sleep;

/// Aim of the issue: what a flood may cost an agent's memory.
const GROWTH_KB_MAX: u64 = 16 * 1_024;

/// Time for a newcomer to be let in on a busy machine, its own retries included.
const LET_IN_WITHIN: Duration = Duration::from_secs(5);

/// From where newcomers come: an address of hosts of the mesh, and one where nobody is known.
const NEWCOMERS: [Ipv4Addr; 2] = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 11)];

#[test]
fn a_flooded_agent_answers_and_lets_others_in_its_neighbours_are_not_doubted_and_whoever_floods_is_named()
 {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let processes = mesh.processes().await;
        // A keeper, so that the ledger's requests are flooded, too; not the leader, which is asked meanwhile.
        let is_it = |place: &Place| HOSTS[*place].is_keeper && *place != before.leader;
        let flooded = (0..HOSTS_COUNT).find(is_it).expect("two more");
        println!("calm: {:.1} % of a processor", calm(&mesh, flooded).await);
        for flood in Flood::ALL {
            let seen = under(&mesh, flood, (flooded, before.leader)).await;
            println!("{seen}");
            // On a busy machine one observer may miss a probe or two; what one doubts is nothing yet (law V4). How often the
            // flooded one itself was doubted is a figure: that nobody acted on it is shown at the end.
            assert_eq!(seen.doubted, Vec::<String>::new(), "{flood:?}: nobody doubts the others");
            assert_eq!(seen.unanswered, 0, "{flood:?}: the flooded agent answers");
            assert_eq!(seen.shut_out, 0, "{flood:?}: whoever else comes is let in");
            assert!(seen.let_in >= NEWCOMERS.len(), "{flood:?}: newcomers came");
            assert!(seen.growth_kb < GROWTH_KB_MAX, "{flood:?}: {} kB more", seen.growth_kb);
            if let Some(of) = flood.is_called() {
                let named = format!("{} sends more {of} than any host may", flood.by());
                assert!(seen.notes.iter().any(|note| note.contains(&named)), "{:?}", seen.notes);
                let said = mesh.log(flooded).matches(&format!("a host sends more {of} ")).count();
                assert!(said >= 1, "its log names it");
            }
        }
        let after = mesh.calm().await;
        assert_eq!((after.boots, mesh.processes().await), (before.boots.clone(), processes));
        assert_eq!(mesh.opened(&before), [], "no case");
    });
}

/// What was seen of one flood.
struct Seen {
    flood: Flood,
    growth_kb: u64,
    /// Of one processor, in percent.
    processor: f64,
    /// Whom of the others more than one host doubted at the same time.
    doubted: Vec<String>,
    /// Looks at which a host was doubted, the flooded one among them.
    doubts: usize,
    unanswered: u32,
    let_in: usize,
    shut_out: usize,
    notes: Vec<String>,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { flood, growth_kb, processor, doubts, let_in, shut_out, .. } = self;
        let rate = flood.per_second();
        write!(
            out,
            "flood {flood:?} at {rate}/s: +{growth_kb} kB, {processor:.1} % of a processor, {doubts} doubts, {let_in} \
             newcomers let in, {shut_out} not"
        )
    }
}

async fn under(mesh: &Mesh, flood: Flood, (flooded, other): (Place, Place)) -> Seen {
    let process = mesh.process(flooded).await;
    let (peak, spending) = (Peak::of(process), Spending::of(process));
    let mut seen = Seen {
        flood,
        growth_kb: 0,
        processor: 0.0,
        doubted: Vec::new(),
        doubts: 0,
        unanswered: 0,
        let_in: 0,
        shut_out: 0,
        notes: Vec::new(),
    };
    let watching = async {
        loop {
            let hosts = mesh.stage.sight.hosts(other).await.expect("a calm agent answers");
            for host in hosts.data.hosts {
                seen.doubts += usize::from(!host.doubted_by.is_empty());
                if host.doubted_by.len() > 1 && host.name != HOSTS[flooded].name {
                    seen.doubted.push(format!("{} by {:?}", host.name, host.doubted_by));
                }
            }
            match mesh.stage.sight.status(flooded).await {
                Ok(status) => seen.notes.extend(status.data.notes),
                Err(_) => seen.unanswered += 1,
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let address = mesh.stage.fleet.address(flooded);
    let newcomers = async {
        let (mut let_in, mut shut_out) = (0, 0);
        let end = Instant::now() + LASTS;
        while Instant::now() < end {
            for from in NEWCOMERS {
                let is_in = comes(&mesh.folder, from, address).await;
                (let_in, shut_out) = (let_in + usize::from(is_in), shut_out + usize::from(!is_in));
            }
            sleep(Duration::from_millis(500)).await;
        }
        (let_in, shut_out)
    };
    (seen.let_in, seen.shut_out) = tokio::select! {
        ((), newcomers) = async { tokio::join!(flood.send(&mesh.folder, address), newcomers) } => newcomers,
        () = watching => unreachable!("it has no end"),
    };
    seen.processor = spending.percent();
    seen.growth_kb = peak.growth_kb();
    seen
}

/// Whether a host that has never been there is let in from this address.
async fn comes(mesh: &Path, from: Ipv4Addr, to: SocketAddr) -> bool {
    let endpoint = client_at(from, Some(&certified(mesh, "f9", false)));
    let greeted = tokio::time::timeout(LET_IN_WITHIN, greet(&endpoint, to, CLUSTER)).await;
    matches!(greeted, Ok(Ok((_, Ok(_)))))
}

/// What the agent needs of a processor when nobody floods it, in percent.
async fn calm(mesh: &Mesh, of: Place) -> f64 {
    let process = mesh.process(of).await;
    let spending = Spending::of(process);
    // A measure takes its time; nothing is waited for.
    sleep(LASTS).await;
    spending.percent()
}
