//! What is done to the hosts of the fleet, at the moment it strikes.
//!
//! Not here: what follows (see `fleet`), the ways between hosts (see `links`), remedies (see `actuator`),
//! reboot slots (see `rebooting`).

use std::collections::BTreeSet;

use agent::Event;
use vocabulary::{Claims, Scope, Span};

use crate::choosing::chosen;
use crate::fault::{Fault, Plight, Whom};
use crate::fleet::{Fleet, Happening};
use crate::host::Place;

/// How long a machine takes from the order to start to the agent's first word.
const BOOT_TAKES: Span = Span::milliseconds(300);

/// From SIGTERM to the next start of the service: longer than an agent takes to say goodbye (2 s at most).
const RESTART_TAKES: Span = Span::milliseconds(2_700);

impl Fleet {
    /// Something is done to the fleet, now.
    pub fn strike(&mut self, fault: Fault) {
        self.keepers.forget_abreast();
        match fault {
            Fault::Kill(whom) => self.each("kill", &whom, |fleet, place| fleet.kill(place)),
            Fault::Start(whom) => self.each("start", &whom, |fleet, place| fleet.start(place)),
            Fault::Clone(whom) => self.each("clone", &whom, |fleet, place| fleet.copy(place)),
            Fault::Freeze(whom) => self.each("freeze", &whom, |fleet, place| fleet.freeze(place)),
            Fault::Thaw(whom) => self.each("thaw", &whom, |fleet, place| fleet.thaw(place)),
            Fault::Silence(whom) => self.each("silence", &whom, |fleet, place| {
                fleet.hosts[place].is_silent = true;
            }),
            Fault::Unsilence(whom) => self.each("unsilence", &whom, |fleet, place| {
                fleet.hosts[place].is_silent = false;
            }),
            Fault::PowerOff(whom) => self.each("power off", &whom, |fleet, place| {
                fleet.kill(place);
                fleet.hosts[place].is_off = true;
            }),
            Fault::Leave(whom) => self.each("leave", &whom, Self::leave),
            Fault::Restart(whom) => self.each("restart", &whom, Self::restart),
            Fault::Release(whom) => self.each("release", &whom, Self::order_release_of),
            Fault::Approve(whom) => self.each("approve", &whom, Self::order_approval),
            Fault::Maintain { whom, lasts } => {
                self.each("maintain", &whom, |fleet, place| fleet.order_maintenance(place, lasts));
            }
            Fault::Deny(whom) => self.each("deny", &whom, Self::order_denial),
            Fault::TakeSlot(whom) => self.each("take slot", &whom, Self::take_slot),
            Fault::ReturnSlot(whom) => self.each("return slot", &whom, Self::return_slot),
            Fault::RevokeSlots => self.order_revocations(),
            Fault::MoveVotes { from, to } => self.order_votes(&from, &to),
            Fault::ReleaseGroup(group) => {
                self.note(format!("release group={group}"));
                self.order_release(Scope::Group(group));
            }
            Fault::Cut { from, to, both } => self.cut(&from, &to, both),
            Fault::Join => {
                self.note("every link carries again".into());
                self.network.join();
            }
            Fault::Links { trouble, on } => self.trouble(trouble, &on),
            Fault::Remedies(habits) => self.actuator.habits.extend(habits),
            Fault::RemedyTakes(span) => self.actuator.takes = span,
            Fault::Befall { whom, plight } => self.hold_up(&whom, plight),
            Fault::Port { whom, gives } => self.set_port(&whom, gives),
            Fault::Lie { whom, lie } => {
                let places = self.who(&whom);
                self.note(format!("{}: {lie}", self.named(&places)));
                places.into_iter().for_each(|place| self.lie(place, lie));
            }
            Fault::Service(trouble) => {
                self.note(trouble.to_string());
                self.trouble_service(trouble);
            }
            Fault::Pause(why) => self.order_pause(why),
            Fault::Resume(why) => self.order_resume(why),
            Fault::Policy(text) => self.order_policy(text),
        }
        self.laws_after_event();
        self.tally_hosts();
    }

    fn hold_up(&mut self, whom: &[Whom], plight: Plight) {
        let places = self.who(whom);
        self.note(format!("{}: {plight}", self.named(&places)));
        places.into_iter().for_each(|place| self.befall(place, plight));
    }

    fn each(&mut self, word: &str, whom: &[Whom], mut act: impl FnMut(&mut Self, Place)) {
        let places = self.who(whom);
        self.note(format!("{word} {}", self.named(&places)));
        for place in places {
            act(self, place);
        }
    }

    /// The names of those who are meant now, in the order of the setup.
    pub fn meant(&self, whom: &[Whom]) -> Vec<String> {
        self.who(whom).into_iter().map(|place| self.hosts[place].name().to_owned()).collect()
    }

    pub(crate) fn who(&self, whom: &[Whom]) -> Vec<Place> {
        let places: BTreeSet<Place> = whom.iter().flat_map(|one| self.who_is(one)).collect();
        places.into_iter().collect()
    }

    /// The same for each host that is meant, in the order of the choice.
    pub(crate) fn one_by_one(&self, fault: &Fault) -> Vec<Fault> {
        let mut places: Vec<Place> = Vec::new();
        for place in fault.whom().into_iter().flat_map(|one| self.who_is(&one)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let named = |place: Place| Whom::Named(self.hosts[place].name().to_owned());
        places.into_iter().map(|place| fault.of(named(place))).collect()
    }

    fn who_is(&self, whom: &Whom) -> Vec<Place> {
        let hosts = || self.hosts.iter().enumerate();
        match whom {
            Whom::Leader => self.keepers.leader.into_iter().collect(),
            Whom::Healer => self.newest_healer().into_iter().collect(),
            // A copy bears a name of its own.
            Whom::Named(name) => {
                hosts().filter(|(_, host)| host.name() == name).map(|(place, _)| place).collect()
            }
            Whom::Zone(_)
            | Whom::Rack(_)
            | Whom::NthHost(_)
            | Whom::NthZone(_)
            | Whom::NthRack(_)
            | Whom::Share(_) => {
                let claims: Vec<&Claims> = hosts().map(|(_, host)| &host.claims).collect();
                chosen(&claims, whom).unwrap_or_default()
            }
        }
    }

    fn newest_healer(&self) -> Option<Place> {
        let leases = self.ledger().cases().filter_map(|case| case.counted_lease());
        let newest = leases.max_by_key(|lease| lease.fence)?;
        self.places.get(&newest.healer)
    }

    /// The process is gone at once: nothing is said, and what it ran is ended by its guards.
    pub(crate) fn kill(&mut self, place: Place) {
        let life = self.hosts[place].life_number();
        self.hosts[place].life = None;
        self.hosts[place].held_up.forget();
        self.keepers.forget_abreast();
        if let Some(life) = life {
            self.end_remedies_of(place, life);
        }
        self.tally_life(place);
    }

    pub(crate) fn start(&mut self, place: Place) {
        self.hosts[place].is_off = false;
        self.keepers.forget_abreast();
        self.queue.put(self.now.after(BOOT_TAKES), Happening::Begin(place));
    }

    fn leave(&mut self, place: Place) {
        self.hosts[place].is_away = true;
        self.tell(place, Event::Leave);
    }

    fn restart(&mut self, place: Place) {
        self.leave(place);
        self.queue.put(self.now.after(RESTART_TAKES), Happening::Begin(place));
    }

    /// The copy stands at a place of its own; whoever asks for the host by its name finds the original.
    fn copy(&mut self, place: Place) {
        let copy = self.hosts[place].copied();
        self.hosts.push(copy);
        self.keepers.add_host(self.now);
        self.network.add_host();
        self.start(self.hosts.len() - 1);
    }

    pub(crate) fn freeze(&mut self, place: Place) {
        let now = self.now;
        if let Some(life) = &mut self.hosts[place].life {
            life.is_frozen = true;
            life.frozen_at = now;
        }
    }

    /// What holds a whole machine still, holds its agent too.
    fn thaw(&mut self, place: Place) {
        if self.hosts[place].held_up.still_until.is_none() {
            self.go_on(place, true);
        }
    }

    /// It goes on with what its socket held back, and finds out how late it is, if its clock has counted the time.
    pub(crate) fn go_on(&mut self, place: Place, is_counted: bool) {
        let now = self.now;
        let is_told_first = self.network.draw(2) == 0;
        let Some(life) = &mut self.hosts[place].life else {
            return;
        };
        if !life.is_frozen {
            return;
        }
        life.is_frozen = false;
        let number = life.boot.number;
        let late = Event::LoopLate { late: now.since(life.frozen_at) };
        let (flights, news) = (std::mem::take(&mut life.held_back), std::mem::take(&mut life.news));
        life.wake_at = Some(now);
        if is_counted && is_told_first {
            self.queue.put(now, Happening::Tell(place, number, Box::new(late.clone())));
        }
        for flight in flights {
            self.queue.put(now, Happening::Arrive(flight));
        }
        for event in news {
            self.queue.put(now, Happening::Tell(place, number, Box::new(event)));
        }
        if is_counted && !is_told_first {
            self.queue.put(now, Happening::Tell(place, number, Box::new(late)));
        }
        self.queue.put(now, Happening::Wake(place, number));
    }
}
