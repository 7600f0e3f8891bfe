//! Seeded trouble: cuts, kills and power cuts on three and five keepers while words are said.
//!
//! openraft 0.9 has no chaos test of its own; this is it. What is judged: every acknowledged word is there once, in the
//! order it was acknowledged, on every keeper, and no two keepers ever show different histories.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::mesh::Mesh;
use super::toy::{luck, word};
use crate::disk::MemoryDisk;
use crate::settings::Settings;

struct Trouble {
    mesh: Arc<Mesh>,
    count: u8,
    down: BTreeMap<u8, MemoryDisk>,
    settings: Settings,
}

impl Trouble {
    async fn begin(count: u8) -> Self {
        let settings = Settings {
            snapshot_every: 25,
            entries_kept: 5,
            propose_within: Duration::from_secs(1),
            ..Settings::default()
        };
        let mesh = Mesh::founded(count, settings.clone()).await;
        let down = BTreeMap::new();
        Self { mesh, count, down, settings }
    }

    async fn strike(&mut self, draw: &mut impl FnMut(u64) -> u64) {
        let one = 1 + draw(u64::from(self.count)) as u8;
        let other = 1 + draw(u64::from(self.count)) as u8;
        match draw(6) {
            0 | 1 if one != other => self.mesh.cut(one, other),
            2 => (1..=self.count)
                .filter(|other| *other != one)
                .for_each(|other| self.mesh.cut(one, other)),
            3 | 4 => {
                // A majority stays up, so that there is something to say.
                let is_spare = (self.down.len() + 1) * 2 < usize::from(self.count);
                if is_spare && !self.down.contains_key(&one) {
                    let is_power = draw(2) == 0;
                    let left = match is_power {
                        true => self.mesh.lose_power(one, draw(u64::MAX)).await,
                        false => self.mesh.kill(one).await,
                    };
                    self.down.insert(one, left);
                } else {
                    self.raise().await;
                }
            }
            _ => self.mesh.mend(),
        }
    }

    async fn raise(&mut self) {
        if let Some((number, disk)) = self.down.pop_first() {
            let settings = self.settings.clone();
            self.mesh.start(number, disk, settings).await.unwrap();
        }
    }

    async fn calm(&mut self) {
        while !self.down.is_empty() {
            self.raise().await;
        }
        self.mesh.mend();
    }

    /// No two histories differ where both have words.
    fn judge(&self, seed: u64) {
        let histories: Vec<Vec<String>> = (1..=self.count)
            .filter(|number| !self.down.contains_key(number))
            .map(|number| self.mesh.said(number))
            .collect();
        for (one, other) in histories.iter().zip(histories.iter().skip(1)) {
            let both = one.len().min(other.len());
            assert_eq!(one[..both], other[..both], "seed {seed}");
        }
    }
}

/// Says one word after the other to whoever leads; the acknowledged ones, in order.
async fn speak(mesh: Arc<Mesh>, until: Instant, acknowledged: Arc<Mutex<Vec<String>>>) {
    let mut number = 0;
    while Instant::now() < until {
        number += 1;
        let said = format!("word {number}");
        let leader = mesh.who_leads();
        let port = leader.and_then(|leader| mesh.keeper(super::toy::host(leader)));
        let answer = match port {
            Some(keeper) => keeper.port.propose(word(&said)).await.is_ok(),
            None => false,
        };
        if answer {
            acknowledged.lock().unwrap().push(said);
        }
        sleep(Duration::from_millis(80)).await;
    }
}

async fn live_through(seed: u64, count: u8) -> usize {
    println!("seed {seed}");
    let mut draw = luck(seed);
    let mut trouble = Trouble::begin(count).await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let until = Instant::now() + Duration::from_secs(30);
    let speaker = tokio::spawn(speak(trouble.mesh.clone(), until, acknowledged.clone()));
    while Instant::now() < until {
        trouble.strike(&mut draw).await;
        sleep(Duration::from_millis(50 + draw(2_500))).await;
        trouble.judge(seed);
    }
    speaker.await.unwrap();
    trouble.calm().await;
    let last = trouble.mesh.say("the end").await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    for number in 1..=count {
        trouble.mesh.applied(number, last).await;
        let said = trouble.mesh.said(number);
        let mut rest = said.iter();
        for word in &acknowledged {
            assert!(
                rest.any(|own| own == word),
                "seed {seed}: keeper {number} has lost {word:?} or has it out of order"
            );
        }
        let mut once = said.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), said.len(), "seed {seed}: a word stands twice");
    }
    trouble.judge(seed);
    for number in 1..=count {
        trouble.mesh.kill(number).await;
    }
    acknowledged.len()
}

/// So many seeds from `first` on; `HALE_SEEDS` asks for more (the nightly run), `HALE_SEED` for others.
fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("HALE_SEEDS").ok();
    let from = std::env::var("HALE_SEED").ok().and_then(|from| from.parse().ok());
    let first = from.unwrap_or(first);
    first..first + asked.and_then(|asked| asked.parse().ok()).unwrap_or(count)
}

#[tokio::test(start_paused = true)]
async fn three_keepers_lose_nothing_acknowledged_whatever_breaks() {
    for seed in seeds(0, 3) {
        let acknowledged = live_through(seed, 3).await;
        assert!(acknowledged > 40, "seed {seed}: only {acknowledged}");
    }
}

#[tokio::test(start_paused = true)]
async fn five_keepers_lose_nothing_acknowledged_whatever_breaks() {
    for seed in seeds(136, 2) {
        let acknowledged = live_through(seed, 5).await;
        assert!(acknowledged > 40, "seed {seed}: only {acknowledged}");
    }
}
