//! What one process costs, as the kernel says.

use std::time::Instant;

/// The machine's ticks of processor time, each 10 ms.
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory that the process holds, in kB.
pub fn memory_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a figure");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// What it needs of a processor from here on.
pub struct Spending {
    process: u32,
    ticks: u64,
    began: Instant,
}

impl Spending {
    /// Nothing is spent yet.
    pub fn of(process: u32) -> Self {
        Self { process, ticks: ticks(process), began: Instant::now() }
    }

    /// So far, in percent of one processor.
    pub fn percent(&self) -> f64 {
        let spent = u32::try_from(ticks(self.process) - self.ticks).unwrap_or(u32::MAX);
        100.0 * f64::from(spent) / TICKS_PER_SECOND / self.began.elapsed().as_secs_f64()
    }
}

/// User and system time.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let fields = stat.rsplit_once(") ").expect("a name in brackets").1;
    let fields: Vec<&str> = fields.split(' ').collect();
    let figure = |nth: usize| fields[nth].parse::<u64>().expect("a number");
    figure(11) + figure(12)
}
