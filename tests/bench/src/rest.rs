//! What does an agent cost while nothing happens?
//!
//! Read from `/proc/PID`: `status` (RSS), `smaps_rollup` (PSS), `stat` (processor time, in ticks of 10 ms) and `net/dev`
//! (what the one card of its namespace has sent, less the Ethernet headers).
//! Not here: what it costs while something happens.

use std::fs;
use std::time::Duration;

use tokio::time::{self, Instant};

use super::figures::{Aim, Figure, Unit};
use lab::network::CARD;
use lab::plan::{Place, Planned};
use lab::{Fleet, LabFault};

/// After founding and handshakes, before the watch begins: several of the calm's slowest rounds (protocol 2.2).
const SETTLES: Duration = Duration::from_secs(30);

/// The kernel counts a process's time in these for everyone outside, whatever its own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a card counts of a packet and no IP header knows.
const ETHERNET_BYTES: u64 = 14;

/// What had been spent at one moment.
pub(super) struct Spent {
    at: Instant,
    ticks: u64,
    sent: u64,
}

/// Watches a mesh at rest and returns four figures of agents and four of keepers.
pub async fn measure(fleet: &Fleet, watched: Duration) -> Result<Vec<Figure>, LabFault> {
    fleet.calm().await?;
    eprintln!("bench: at rest for {} s", (SETTLES + watched).as_secs());
    time::sleep(SETTLES).await;
    let mut figures = Vec::new();
    for (who, memory) in [("agent", 15.0), ("keeper", 25.0)] {
        let figure = |name, unit, aim| Figure::begun(name, who, fleet.count(), unit).aimed(aim);
        figures.extend([
            figure("memory_rss", Unit::Megabytes, Aim::Each(memory)),
            figure("memory_pss", Unit::Megabytes, Aim::None),
            figure("processor", Unit::PercentOfCore, Aim::Each(0.3)),
            // A keeper also carries the ledger; the aim is for one that does not.
            figure(
                "sent",
                Unit::BytesPerSecond,
                if who == "agent" { Aim::Each(1_000.0) } else { Aim::None },
            ),
        ]);
    }
    let places = 0..fleet.count();
    let before: Vec<Spent> = places.map(|place| spent(fleet, place)).collect::<Result<_, _>>()?;
    time::sleep(watched).await;
    for (place, before) in before.iter().enumerate() {
        let samples = samples(fleet, place, before)?;
        let first = if Planned(place).is_keeper() { 4 } else { 0 };
        for (figure, sample) in figures[first..].iter_mut().zip(samples) {
            figure.samples.push(Some(sample));
        }
    }
    // A figure of a mesh that was not at rest is none.
    fleet.calm().await?;
    Ok(figures.into_iter().map(Figure::ended).collect())
}

/// In the order of the figures.
fn samples(fleet: &Fleet, place: Place, before: &Spent) -> Result<[f64; 4], LabFault> {
    let after = spent(fleet, place)?;
    let ticks = exact(after.ticks.saturating_sub(before.ticks));
    Ok([
        megabytes(fleet, place, "status", "VmRSS:")?,
        megabytes(fleet, place, "smaps_rollup", "Pss:")?,
        ticks / after.seconds_since(before) / TICKS_PER_SECOND * 100.0,
        after.sent_since(before),
    ])
}

impl Spent {
    /// IP bytes a second between the two.
    pub fn sent_since(&self, before: &Self) -> f64 {
        exact(self.sent.saturating_sub(before.sent)) / self.seconds_since(before)
    }

    fn seconds_since(&self, before: &Self) -> f64 {
        self.at.duration_since(before.at).as_secs_f64()
    }
}

/// By one agent, up to now.
pub(super) fn spent(fleet: &Fleet, place: Place) -> Result<Spent, LabFault> {
    let ticks = processor_ticks(&read(fleet, place, "stat")?);
    let sent = sent_ip_bytes(&read(fleet, place, "net/dev")?);
    let garbled = || LabFault::new("/proc says something else than it should");
    Ok(Spent {
        at: Instant::now(),
        ticks: ticks.ok_or_else(garbled)?,
        sent: sent.ok_or_else(garbled)?,
    })
}

fn megabytes(fleet: &Fleet, place: Place, file: &str, key: &str) -> Result<f64, LabFault> {
    let kibibytes = kibibytes(&read(fleet, place, file)?, key);
    let missing = || LabFault::new("/proc says no memory");
    Ok(exact(kibibytes.ok_or_else(missing)?) * 1_024.0 / 1e6)
}

fn read(fleet: &Fleet, place: Place, file: &str) -> Result<String, LabFault> {
    let path = format!("/proc/{}/{file}", fleet.process(place)?);
    fs::read_to_string(path).map_err(LabFault::of("read /proc"))
}

/// User and system time: fields 14 and 15; the name before them may hold blanks, and ends at the last parenthesis.
fn processor_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Bytes and packets sent: fields 9 and 10 after the card's name.
fn sent_ip_bytes(devices: &str) -> Option<u64> {
    let mut cards = devices.lines().filter_map(|line| line.split_once(':'));
    let (_, counted) = cards.find(|(card, _)| card.trim() == CARD)?;
    let mut fields = counted.split_whitespace().skip(8);
    let bytes: u64 = fields.next()?.parse().ok()?;
    let packets: u64 = fields.next()?.parse().ok()?;
    bytes.checked_sub(packets.checked_mul(ETHERNET_BYTES)?)
}

fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// What an agent spends in an hour stays far below 2^32.
fn exact(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_a_name_with_blanks_and_parentheses() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 41 1 0 0 20 0 3 0 99 1 1";
        assert_eq!(processor_ticks(stat), Some(42));
        assert_eq!(processor_ticks("7 (hale"), None);
    }

    #[test]
    fn ip_bytes_are_what_the_card_sent_less_a_header_for_each_packet() {
        let devices = "\
Inter-|   Receive  |  Transmit
    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0
  eth0: 500 5 0 0 0 0 0 0 1140 10 0 0 0 0 0 0
";
        assert_eq!(sent_ip_bytes(devices), Some(1_000));
        assert_eq!(sent_ip_bytes("    lo: 9 9"), None);
    }

    #[test]
    fn memory_is_read_by_its_key() {
        assert_eq!(kibibytes("VmHWM:\t  9 kB\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12));
        assert_eq!(kibibytes("", "VmRSS:"), None);
    }
}
