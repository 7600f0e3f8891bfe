//! Does an agent that is flooded go on, and do its neighbours not even notice?
//!
//! The figures are printed (`--nocapture`); a release build has those that count.

use std::time::{Duration, Instant};

use cluster::floods::Flood;
use cluster::mesh::{Mesh, play};
use daemon::demo::plan::{HOSTS, HOSTS_COUNT, Place};
use tokio::time::sleep;

/// Aim of the issue: what a flood may cost an agent's memory.
const GROWTH_KB_MAX: u64 = 16 * 1_024;

/// The machine's ticks of processor time, each 10 ms.
const TICKS_PER_SECOND: f64 = 100.0;

#[test]
fn a_flooded_agent_answers_its_neighbours_see_no_doubt_and_whoever_floods_is_named() {
    play(async |mut mesh| {
        let before = mesh.calm().await;
        let processes = mesh.processes().await;
        // A keeper, so that the ledger's requests are flooded, too; not the leader, which is asked meanwhile.
        let is_it = |place: &Place| HOSTS[*place].is_keeper && *place != before.leader;
        let flooded = (0..HOSTS_COUNT).find(is_it).expect("two more");
        for flood in Flood::ALL {
            let seen = under(&mesh, flood, (flooded, before.leader)).await;
            println!("{seen}");
            // On a busy machine one observer may miss a probe or two; what one doubts is nothing yet (law V4).
            assert_eq!(seen.doubted, Vec::<String>::new(), "{flood:?}: calm hosts see no doubt");
            assert_eq!(seen.unanswered, 0, "{flood:?}: the flooded agent answers");
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
    /// Whom more than one host doubted at the same time.
    doubted: Vec<String>,
    /// Looks at which one host doubted another.
    doubts: usize,
    unanswered: u32,
    notes: Vec<String>,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { flood, growth_kb, processor, doubts, .. } = self;
        let rate = flood.per_second();
        write!(
            out,
            "flood {flood:?} at {rate}/s: +{growth_kb} kB, {processor:.1} % of a processor, {doubts} lone doubts"
        )
    }
}

async fn under(mesh: &Mesh, flood: Flood, (flooded, other): (Place, Place)) -> Seen {
    let process = mesh.process(flooded).await;
    let (memory, ticks, began) = (memory_kb(process), ticks(process), Instant::now());
    let mut seen = Seen {
        flood,
        growth_kb: 0,
        processor: 0.0,
        doubted: Vec::new(),
        doubts: 0,
        unanswered: 0,
        notes: Vec::new(),
    };
    let watching = async {
        loop {
            let hosts = mesh.stage.sight.hosts(other).await.expect("a calm agent answers");
            for host in hosts.data.hosts {
                seen.doubts += usize::from(!host.doubted_by.is_empty());
                if host.doubted_by.len() > 1 {
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
    tokio::select! {
        () = flood.send(&mesh.folder, address) => {}
        () = watching => unreachable!("it has no end"),
    }
    let spent = f64::from(u32::try_from(self::ticks(process) - ticks).unwrap_or(u32::MAX));
    seen.processor = 100.0 * spent / TICKS_PER_SECOND / began.elapsed().as_secs_f64();
    seen.growth_kb = memory_kb(process).saturating_sub(memory);
    seen
}

fn memory_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a figure");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// User and system time.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let fields = stat.rsplit_once(") ").expect("a name in brackets").1;
    let fields: Vec<&str> = fields.split(' ').collect();
    let figure = |nth: usize| fields[nth].parse::<u64>().expect("a number");
    figure(11) + figure(12)
}
