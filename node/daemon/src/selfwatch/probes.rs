//! The kernel's figures of this process: how much memory it holds, how many descriptors it has open, how many it may.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::trouble::Share;

/// Memory that the process holds, in bytes.
pub(super) fn memory() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let figure = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = figure.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// Looks of which one counts the descriptors: listing them is the dearest part of a look, and a leak takes its time.
const COUNTED_EACH: u32 = 5;

/// The count of descriptors as it was last taken.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    looks: u32,
    counted: Option<Share>,
}

impl Descriptors {
    /// As last counted, in this look or in one of the last few.
    pub(super) fn look(&mut self, count: impl FnOnce() -> Option<Share>) -> Option<Share> {
        if self.looks.is_multiple_of(COUNTED_EACH) {
            self.counted = count();
        }
        self.looks = self.looks.wrapping_add(1);
        self.counted
    }
}

/// Open descriptors, and the limit that `open` meets; none where there is no limit.
pub(super) fn descriptors() -> Option<Share> {
    let bound = getrlimit(Resource::Nofile).current?;
    // The folder that is read here is open itself.
    let used = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    Some(Share { used: used as u64, bound })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_figure_is_read_from_its_line() {
        let status = "Name:\thale\nVmHWM:\t   31000 kB\nVmRSS:\t   12288 kB\nThreads:\t3\n";
        assert_eq!(resident(status), Some(12 << 20));
        assert_eq!(resident("Name:\thale\n"), None);
        assert_eq!(resident("VmRSS:\tmuch\n"), None);
    }

    #[test]
    fn descriptors_are_counted_at_one_look_of_five() {
        let mut descriptors = Descriptors::default();
        let mut counts = 0;
        let seen: Vec<_> = (0..11)
            .map(|_| {
                descriptors.look(|| {
                    counts += 1;
                    Some(Share { used: counts, bound: 9 })
                })
            })
            .map(|share| share.expect("counted at the first look").used)
            .collect();
        assert_eq!(seen, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]);
    }

    #[test]
    fn this_very_process_has_memory_and_open_files() {
        assert!(memory().is_some_and(|bytes| bytes > 1 << 20));
        let before = descriptors().expect("a limit").used;
        let open: Vec<_> = (0..64).map(|_| fs::File::open("/dev/null").expect("there")).collect();
        // Tests beside this one open and close files of their own.
        assert!(descriptors().expect("a limit").used > before + 32);
        drop(open);
    }
}
