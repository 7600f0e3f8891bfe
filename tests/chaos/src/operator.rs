//! An operator who orders things all the while, at whichever keeper, and remembers what was acknowledged.
//!
//! Law P1: each order has a reason of its own, by which its record is found again.
//! Law P2: a pause never stands for long, whatever becomes of it: it is followed by resumes until one is acknowledged or refused.
//! Law P3: while the weather lasts somebody tends to whatever hale has handed to a person: leases that count on are revoked, quarantines
//! lifted, dead agents started by hand; else a long run would end with most hosts given up. So does somebody whose case waits for voices that
//! nobody can give any more, since too many of its observers have been restarted since it died: hale hands that over after five
//! minutes, which no policy shortens. What is so in calm is left as it is, where nobody asks otherwise (`--tended`).
//! Not here: whether what was acknowledged is still there (see `judge`).

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use daemon::admin::answer::{
    AddOrder, CaseLine, Cases, Ordered, PauseOrder, PolicyOrder, ReleaseOrder, ReportOrder,
    ResumeOrder, RevokeOrder, Status,
};
use daemon::admin::client::{Client, ClientFault};
use lab::plan::{Place, Planned};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tokio::time::sleep;

use crate::judge::{Answered, Limits, Order};
use crate::world::World;

/// What the policy allows at once: little, so that the dead have to wait for one another.
pub const LIMITS: Limits = Limits { fleet: 2, zone: 1, rack: 1, group: 2 };

/// Between two orders, in milliseconds.
const PAUSE_MS: (u64, u64) = (700, 2_200);

/// How long a pause stands where it can be lifted.
const STANDS: Duration = Duration::from_millis(1_500);

/// How often somebody looks for what was handed to a person: slower than hale heals.
const TENDS_EVERY: Duration = Duration::from_secs(8);

/// A case that is so old and has not the voices is looked after; younger ones may get them with the next look.
const MUTE_FOR_MS: u64 = 30_000;

/// A surge that stands is a person's: this one looks, and resumes, after so many orders.
const LOOKS_EVERY: u64 = 6;

/// An order that is not answered by then is one of which nobody knows.
const WITHIN: Duration = Duration::from_secs(8);

/// Of so many orders each kind has its share (see `Operator::next`).
const KINDS: u64 = 10;

/// The person, and what is remembered.
pub struct Operator {
    world: Rc<World>,
    orders: RefCell<Vec<Order>>,
    luck: RefCell<ChaCha8Rng>,
    number: Cell<u64>,
    policy: String,
}

impl Operator {
    /// Knows the policy that its remedies and inspections make.
    pub fn new(world: Rc<World>, seed: u64, policy: String) -> Self {
        let luck = RefCell::new(ChaCha8Rng::seed_from_u64(seed ^ 0x0be7));
        Self { world, orders: RefCell::default(), luck, number: Cell::default(), policy }
    }

    /// What was ordered so far, with what came of it.
    pub fn orders(&self) -> Vec<Order> {
        self.orders.borrow().clone()
    }

    /// Orders until it is dropped.
    pub async fn work(&self) {
        loop {
            let pause = self.draw(PAUSE_MS);
            sleep(Duration::from_millis(pause)).await;
            let place = self.any(self.world.size.keepers);
            self.next(place).await;
            if self.number.get().is_multiple_of(LOOKS_EVERY) {
                self.lift(place).await;
            }
        }
    }

    /// law P3: until it is dropped.
    pub async fn tends(&self) {
        loop {
            sleep(TENDS_EVERY).await;
            self.tends_once().await;
        }
    }

    /// law P3: whatever is a person's at this moment.
    pub async fn tends_once(&self) {
        let keeper = self.any(self.world.size.keepers);
        let client = self.client(keeper);
        let (Ok(cases), Ok(status)) =
            (client.ask::<Cases>("/v1/cases").await, client.ask::<Status>("/v1/status").await)
        else {
            return;
        };
        let now_ms = status.data.ledger.time_ms;
        let is_persons = |case: &&CaseLine| {
            let is_mute = case.awaits.contains("the grounds do not bear it");
            let is_old = now_ms.saturating_sub(case.opened_ms) > MUTE_FOR_MS;
            is_handed_over(case) || is_mute && is_old
        };
        for case in cases.data.cases.iter().filter(is_persons) {
            self.tend(keeper, case).await;
        }
    }

    /// law P3.
    async fn tend(&self, keeper: Place, case: &CaseLine) {
        let (id, name) = (case.id, case.subject.name.clone());
        if is_handed_over(case) && case.lease.is_some() {
            let make = |why| RevokeOrder { case: id, why };
            self.order(keeper, ("LeaseOver", "/v1/lease/revoke"), make).await;
        }
        if case.stage == "quarantined" {
            let make = |why| ReleaseOrder { name: name.clone(), is_group: false, why };
            self.order(keeper, ("Freed", "/v1/release"), make).await;
        }
        let world = &self.world;
        for place in (0..world.size.hosts).filter(|place| is_about(case, *place)) {
            let _turn = world.turns[place].lock().await;
            if !world.runs(place) {
                let name = Planned(place).name();
                world.note(&format!("case {id} is a person's, who starts {name}"));
                if let Err(fault) = world.starts(place) {
                    world.note(&format!("which failed: {fault}"));
                }
            }
        }
    }

    async fn next(&self, place: Place) {
        let number = self.number.get();
        match self.draw((0, KINDS - 1)) {
            0 => self.pauses(place).await,
            1 | 2 => {
                self.applies(place).await;
            }
            3 | 4 => self.reports().await,
            _ => {
                let host = format!("guest-{number}");
                let make = |why| AddOrder { host, undo: false, why };
                self.order(place, ("HostAdded", "/v1/host/add"), make).await;
            }
        }
    }

    /// Sets the policy in force, at this host.
    pub async fn applies(&self, place: Place) -> Answered {
        let text = self.policy.clone();
        let make = |why| PolicyOrder { text, why, if_version: None };
        self.order(place, ("PolicySet", "/v1/policy"), make).await
    }

    /// law P2.
    async fn pauses(&self, place: Place) {
        self.order(place, ("Paused", "/v1/pause"), |why| PauseOrder { why }).await;
        sleep(STANDS).await;
        self.resumes(place).await;
    }

    /// law P2: at one host after another.
    async fn resumes(&self, first: Place) {
        let mut place = first;
        while self.order(place, ("Resumed", "/v1/resume"), |why| ResumeOrder { why }).await
            == Answered::Unknown
        {
            place = self.any(self.world.size.keepers);
        }
    }

    /// Lifts a brake that stands, as this host knows it.
    pub async fn lift(&self, place: Place) {
        let status = self.client(place).ask::<Status>("/v1/status").await;
        if status.is_ok_and(|status| status.data.brake.is_on) {
            self.resumes(place).await;
        }
    }

    /// A report leaves no record: it may only have a round held. Any host takes it.
    async fn reports(&self) {
        let place = self.any(self.world.size.hosts);
        let host = Planned(self.any(self.world.size.hosts)).name();
        let order = ReportOrder { host, failed: "its page does not load".into() };
        let _ = self.client(place).order::<Ordered>("/v1/report", &order).await;
    }

    /// law P1.
    async fn order<O: Serialize>(
        &self,
        place: Place,
        (kind, path): (&str, &str),
        make: impl FnOnce(String) -> O,
    ) -> Answered {
        self.number.set(self.number.get() + 1);
        let why = format!("chaos order {}", self.number.get());
        let answer = match self.client(place).order::<Ordered>(path, &make(why.clone())).await {
            Ok(_) => Answered::Acknowledged,
            Err(ClientFault::Refused(refusal)) => {
                self.world.note(&format!("{why}, {kind}, is refused: {}", refusal.sentence));
                Answered::Refused
            }
            // An agent that is not there has not heard it; it is counted with those of which nobody knows.
            Err(_) => Answered::Unknown,
        };
        self.orders.borrow_mut().push(Order { kind: kind.to_owned(), why, answer });
        answer
    }

    fn client(&self, place: Place) -> Client {
        Client::new(self.world.fleet.borrow().files(place).socket()).within(WITHIN)
    }

    fn any(&self, below: usize) -> Place {
        self.luck.borrow_mut().random_range(0..below)
    }

    fn draw(&self, (from, to): (u64, u64)) -> u64 {
        self.luck.borrow_mut().random_range(from..=to)
    }
}

/// The host's own case, or that of its whole rack or zone.
fn is_about(case: &CaseLine, place: Place) -> bool {
    let (kind, path) = (case.subject.kind.as_str(), &case.subject.name);
    Planned(place).claims().is_ok_and(|claims| match kind {
        "host" => claims.host.as_str() == path,
        "rack" => claims.domain.to_string() == *path,
        "zone" => claims.domain.zone().to_string() == *path,
        _ => false,
    })
}

fn is_handed_over(case: &CaseLine) -> bool {
    ["escalated", "quarantined"].contains(&&*case.stage)
}

/// Every verdict that a rule can answer is answered by the recording target; waits are short enough for a run of minutes.
pub fn policy(program: &Path, folder: &Path) -> String {
    let (program, desk) = (program.display(), crate::desk::socket(folder));
    let (desk, journals) = (desk.display(), folder.join("journals"));
    let journals = journals.display();
    let rule = |verdict: &str, class: &str| {
        format!(
            "
[[rule]]
name = \"{verdict}\"
when = {{ verdict = \"{verdict}\" }}
mode = \"act\"
for = \"1s\"
cooldown = \"1s\"
attempts = {{ at_most = 20, within = \"1h\" }}

[[rule.ladder]]
do = \"command\"
class = \"{class}\"
argv = [\"{program}\", \"remedy\", \"--desk\", \"{desk}\", \"--journals\", \"{journals}\"]
inspect = [\"{program}\", \"inspect\", \"--journals\", \"{journals}\"]
time_limit = \"8s\"
verify_within = \"40s\"
soak = \"1s\"
"
        )
    };
    let Limits { fleet, zone, rack, group } = LIMITS;
    format!(
        "\
[budget]
fleet     = {{ in_flight = {fleet}, halt_above = \"none\", per_hour = 10000 }}
zone      = {{ in_flight = {zone}, halt_above = \"none\" }}
rack      = {{ in_flight = {rack} }}
any_group = {{ in_flight = {group} }}

[timers]
quiet_for = \"2s\"
lease_term = \"16s\"
resume_after = \"15s\"
settle_for = \"20s\"
unsettled_for = \"40s\"
unknown_for = \"40s\"
ramp_step_within = \"20s\"
{}{}{}",
        rule("AgentDown", "gentle"),
        rule("HostDown", "disruptive"),
        rule("HostHung", "gentle"),
    )
}
