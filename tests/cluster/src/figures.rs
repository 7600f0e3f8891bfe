//! What one process costs, as the kernel says.

use std::time::Instant;

/// The machine's ticks of processor time, each 10 ms.
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory that the process holds, in kB.
pub fn memory_kb(process: u32) -> u64 {
    status_kb(process, "VmRSS:")
}

fn status_kb(process: u32, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a figure");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The most memory that a process has held since this began, in kB.
pub struct Peak {
    process: u32,
    before: u64,
}

impl Peak {
    /// From here on; the kernel forgets what it has seen so far.
    pub fn of(process: u32) -> Self {
        std::fs::write(format!("/proc/{process}/clear_refs"), "5").expect("it is ours");
        Self { process, before: memory_kb(process) }
    }

    /// How much more it has held than at the beginning.
    pub fn growth_kb(&self) -> u64 {
        status_kb(self.process, "VmHWM:").saturating_sub(self.before)
    }
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
