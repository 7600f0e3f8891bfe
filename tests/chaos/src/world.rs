//! The hosts as they truly are: what is done to each at this moment, and what may still be done.
//!
//! Law O1: a majority of the keepers, and three quarters of all hosts, are spared at any time: a gust that would take more is passed
//! over, and counted. A zone, a third of all, is cut off only where that leaves a majority of the keepers too, and few other hosts are out.
//! What hale itself takes, by a remedy on a host that lives, is not foreseen.
//! Law O2: an agent that ends though nobody ended it is written down with its last words.
//! Not here: what a gust does (see `faults`), what a remedy does (see `desk`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::fleet::Size;
use lab::network::{Cut, Port, Trouble};
use lab::plan::{Place, Planned};
use lab::{Fleet, LabFault};
use rustix::process::Signal;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::ground::Ground;
use crate::weather::Kind;

/// How often the end of a process is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process that was killed is gone at once; longer than this only a kernel holds it.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Hosts of which one may be out at a time: a quarter of all.
const OUT_OF: usize = 4;

/// Hosts that may be out as a zone is cut off.
const BESIDE_A_CUT_MAX: usize = 4;

/// What is done to a host at this moment.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Its agent stands still.
    pub is_stopped: bool,
    /// Its card passes nothing.
    pub is_silent: bool,
    /// Its disk is full.
    pub is_full: bool,
    /// It is on the smaller side of a cut.
    pub is_cut: bool,
    /// Its agent was ended, by us or by a remedy, and not started again.
    pub is_ended: bool,
}

/// What waits for the next remedy: its healer is hit so long after the begin.
#[derive(Clone, Copy, Debug)]
pub struct Ambush {
    /// Killed or stopped.
    pub kind: Kind,
    /// When.
    pub after: Duration,
    /// A stopped one goes on then.
    pub until: Instant,
}

/// How many gusts of a kind were done, and how many passed over.
pub type Counts = BTreeMap<Kind, (usize, usize)>;

/// Everything that a run shares; one thread alone is in it, and no borrow is held over an await.
pub struct World {
    /// The agents and their network.
    pub fleet: RefCell<Fleet>,
    /// What they stand on.
    pub ground: Ground,
    /// How large it is.
    pub size: Size,
    /// Journals, audits, and what the run itself has to say.
    pub folder: PathBuf,
    /// By place.
    pub conditions: RefCell<Vec<Condition>>,
    /// What waits for the next remedy.
    pub ambush: Cell<Option<Ambush>>,
    /// Remedies take longer than they may.
    pub is_slow: Cell<bool>,
    /// Gusts so far.
    pub counts: RefCell<Counts>,
    /// What agents did that none may.
    pub misdeeds: RefCell<Vec<String>>,
    /// Packets of a thousand that are lost.
    pub lost_permille: Cell<u16>,
    /// What stands of cuts, each under the number of its gust.
    pub cuts: RefCell<BTreeMap<usize, Vec<Cut>>>,
    /// One at a time ends and starts a host's agent.
    pub turns: Vec<Mutex<()>>,
    /// The last life of each agent that was told as ended, so that each is told once.
    told: RefCell<BTreeMap<Place, u64>>,
    starts: RefCell<Vec<u64>>,
    begun: Instant,
}

impl World {
    /// A world in calm.
    pub fn new(fleet: Fleet, ground: Ground, (size, folder): (Size, &Path)) -> Self {
        Self {
            fleet: RefCell::new(fleet),
            ground,
            size,
            folder: folder.to_owned(),
            conditions: RefCell::new(vec![Condition::default(); size.hosts]),
            ambush: Cell::default(),
            is_slow: Cell::default(),
            counts: RefCell::default(),
            misdeeds: RefCell::default(),
            lost_permille: Cell::default(),
            cuts: RefCell::default(),
            turns: (0..size.hosts).map(|_| Mutex::default()).collect(),
            told: RefCell::default(),
            starts: RefCell::new(vec![0; size.hosts]),
            begun: Instant::now(),
        }
    }

    /// The folder of all journals.
    pub fn journals(&self) -> PathBuf {
        self.folder.join("journals")
    }

    /// Writes down what was done, for whoever looks into a breach.
    pub fn note(&self, what: &str) {
        let line = format!("{:.2} s: {what}\n", self.begun.elapsed().as_secs_f32());
        let file =
            fs::OpenOptions::new().create(true).append(true).open(self.folder.join("run.log"));
        // A run whose notes cannot be kept is judged all the same.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }

    /// Counts a gust as done, or as passed over.
    pub fn count(&self, kind: Kind, is_done: bool) {
        let mut counts = self.counts.borrow_mut();
        let (done, passed) = counts.entry(kind).or_default();
        if is_done { *done += 1 } else { *passed += 1 }
    }

    /// Which hosts cannot do their part now.
    pub fn out(&self) -> Vec<Place> {
        let conditions = self.conditions.borrow();
        let is_out = |place: &Place| {
            let Condition { is_stopped, is_silent, is_full, is_cut, is_ended } = conditions[*place];
            is_stopped || is_silent || is_full || is_cut || is_ended || !self.runs(*place)
        };
        (0..self.size.hosts).filter(is_out).collect()
    }

    /// law O1: whether these may be taken as well.
    pub fn may_take(&self, places: &[Place]) -> bool {
        let out = self.out();
        let is_new = |place: &&Place| !out.contains(place);
        let keepers = |places: &[Place]| {
            places.iter().filter(is_new).filter(|place| **place < self.size.keepers).count()
        };
        let out_keepers = out.iter().filter(|place| **place < self.size.keepers).count();
        let minority = (self.size.keepers - 1) / 2;
        let new = places.iter().filter(is_new).count();
        new > 0
            && (keepers(places) == 0 || keepers(places) + out_keepers <= minority)
            && new + out.len() <= self.size.hosts / OUT_OF
    }

    /// law O1, of a cut: what is out on either side and the smaller side leave a majority of the keepers, and few others are out.
    pub fn may_cut(&self, side: &[Place]) -> bool {
        let out = self.out();
        let is_keeper = |place: &&Place| **place < self.size.keepers;
        let beyond = out.iter().filter(|place| !side.contains(place)).filter(is_keeper).count();
        let cut = side.iter().filter(is_keeper).count();
        beyond + cut <= (self.size.keepers - 1) / 2 && out.len() <= BESIDE_A_CUT_MAX
    }

    /// Whether a host's agent runs, still or not.
    pub fn runs(&self, place: Place) -> bool {
        self.fleet.borrow().process(place).is_ok()
    }

    /// A signal to a host's agent.
    pub fn signal(&self, place: Place, signal: Signal) -> Result<(), LabFault> {
        self.fleet.borrow().signal(place, signal)
    }

    /// What is wrong with the network, made so.
    pub fn spoil(&self) -> Result<(), LabFault> {
        let cut: Vec<Cut> = self.cuts.borrow().values().flatten().cloned().collect();
        let trouble = Trouble { lost_permille: self.lost_permille.get(), cut };
        self.fleet.borrow().spoil(&trouble)
    }

    /// Silences a host or lets it be heard again.
    pub fn set_silent(&self, place: Place, is_silent: bool) -> Result<(), LabFault> {
        self.conditions.borrow_mut()[place].is_silent = is_silent;
        self.fleet.borrow().set(place, if is_silent { Port::Silent } else { Port::Open })
    }

    /// Ends a host's agent; returns when it is gone.
    pub async fn ends(&self, place: Place, signal: Signal) -> Result<(), LabFault> {
        {
            let mut conditions = self.conditions.borrow_mut();
            (conditions[place].is_ended, conditions[place].is_stopped) = (true, false);
        }
        self.signal(place, signal)?;
        let mut end = Instant::now() + GONE_WITHIN;
        while self.runs(place) {
            if Instant::now() > end {
                // One that does not leave by itself is ended as a service manager would end it.
                self.signal(place, Signal::KILL)?;
                end += GONE_WITHIN;
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Starts a host's agent, which is gone.
    pub fn starts(&self, place: Place) -> Result<(), LabFault> {
        self.fleet.borrow_mut().start(place)?;
        self.starts.borrow_mut()[place] += 1;
        self.conditions.borrow_mut()[place].is_ended = false;
        Ok(())
    }

    /// law O2.
    pub fn look_for_ends(&self) {
        for place in 0..self.size.hosts {
            let is_ours = self.conditions.borrow()[place].is_ended;
            let life = self.starts.borrow()[place] + 1;
            if is_ours || self.runs(place) || self.told.borrow().get(&place) == Some(&life) {
                continue;
            }
            self.told.borrow_mut().insert(place, life);
            let log =
                fs::read_to_string(self.fleet.borrow().files(place).log()).unwrap_or_default();
            let last = log.lines().last().unwrap_or_default();
            let name = Planned(place).name();
            self.note(&format!("{name} ended by itself: {last}"));
            if !last.contains("No space left on device") {
                self.misdeeds.borrow_mut().push(format!("{name} ended by itself: {last}"));
            }
        }
    }
}
