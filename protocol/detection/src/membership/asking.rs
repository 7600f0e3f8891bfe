//! What we ask other hosts on streams before we believe, or to learn what we have missed: our own looks, and exchanges.
//!
//! The laws stand in `looks`, `digest` and `exchange`.

use std::collections::BTreeSet;

use foca::{Member, Timer};
use rand_core::Rng;
use vocabulary::{Boot, HostId, Moment, Span};

use super::digest::{self, Answer, Ask, PARTS, Parts, State, Summary};
use super::ears::DEAF_AFTER;
use super::identity::Identity;
use super::looks::Why;
use super::sieve::{Dropped, Notes, Standpoint};
use super::timers::Due;
use super::{Effect, Membership, exchange};
use crate::watch::LookEnd;

/// A partner that did not answer is followed by another one after so long.
const TRY_ANOTHER_AFTER: Span = Span::seconds(5);

impl Membership {
    /// What another host asks of us by [`wire::Request::Members`], and what follows from what it told us. Always answered.
    pub fn answer(&mut self, now: Moment, from: HostId, bytes: &[u8]) -> (Vec<u8>, Vec<Effect>) {
        self.port.now = now;
        self.ears.hear(now);
        let answer = if self.has_left || !self.exchanges.admits(now, from) {
            Answer::Refused
        } else {
            match Ask::from_bytes(bytes) {
                Ok(ask) => self.answer_to(from, ask),
                Err(_) => {
                    self.count(Dropped::Malformed);
                    Answer::Refused
                }
            }
        };
        self.settle();
        (answer.to_bytes(), std::mem::take(&mut self.port.effects))
    }

    fn answer_to(&mut self, from: HostId, ask: Ask) -> Answer {
        match ask {
            Ask::Digest { members, hash } => self.summary().answer(members, hash),
            Ask::States { parts, own, states } => {
                let ours = self.states_within(&parts);
                self.learn(from, own, &states);
                Answer::States { own: self.own_state(), states: ours }
            }
        }
    }

    /// foca is about to call a member down: not before we have looked ourselves (law SW12).
    pub(super) fn suspect(&mut self, timer: Timer<Identity>) {
        let Timer::ChangeSuspectToDown { member_id, .. } = &timer else {
            return;
        };
        let host = member_id.host;
        if self.ears.put_off(self.port.now, host) {
            return self.put_off(timer);
        }
        if self.doubted.contains(&host) || !self.looks.begin(host, Why::Suspected(timer.clone())) {
            self.find_alone(timer);
        } else {
            self.port.effects.push(Effect::Look { host });
        }
    }

    /// Others' words whose turn has come.
    pub(super) fn look_due(&mut self) {
        let now = self.port.now;
        for host in self.looks.take_due(now) {
            let Some(known) = self.member(&host) else {
                continue;
            };
            if let Some(accused) = self.sieve.hearsay.accused(now, &host) {
                self.look(host, Why::Accused(accused));
            } else if known.state() == foca::State::Down {
                self.look(host, Why::Heard);
            } else if let Some(name) = self.sieve.hearsay.renamed(now, known.id()) {
                // Its answer says under which name it lives.
                self.announce(name);
            }
        }
    }

    fn look(&mut self, host: HostId, why: Why) {
        if self.looks.begin(host, why) {
            self.port.effects.push(Effect::Look { host });
        }
    }

    /// One look has ended.
    pub(super) fn looked(&mut self, host: HostId, end: LookEnd) {
        let (why, now) = (self.looks.end(&host), self.port.now);
        match (end, why) {
            (LookEnd::Answered(boot), Some(_)) => self.answered(host, boot),
            (LookEnd::Silent | LookEnd::Unable, Some(Why::Suspected(timer)))
                if self.ears.put_off(now, host) =>
            {
                self.put_off(timer);
            }
            (LookEnd::Silent, Some(Why::Accused(_))) if self.ears.put_off(now, host) => {
                self.look_again(host);
            }
            (LookEnd::Silent | LookEnd::Refused, Some(Why::Accused(accused))) => {
                self.sieve.agree(&host);
                self.apply([Member::down(accused)], true);
            }
            // A look that could not be made leaves foca's finding as it was, and another's word as it was.
            (_, Some(Why::Suspected(timer))) => self.find_alone(timer),
            (LookEnd::Unable, Some(Why::Accused(_))) | (_, Some(Why::Heard) | None) => {}
        }
    }

    /// Law SW23: this host would say of all what it would say of this one.
    fn put_off(&mut self, timer: Timer<Identity>) {
        self.port.timers.set(self.port.now.after(DEAF_AFTER), Due::Foca(timer));
    }

    fn look_again(&mut self, host: HostId) {
        if self.member(&host).is_some_and(|member| member.state() != foca::State::Down) {
            self.looks.want(self.port.now, host, &mut self.luck);
        }
    }

    /// Whom we have looked at lives. If we hold that life for down, that is void (law SW16), whatever we looked for.
    fn answered(&mut self, host: HostId, boot: Boot) {
        self.ears.hear(self.port.now);
        self.ears.forget(&host);
        let is_held_down = |member: &Member<Identity>| {
            member.state() == foca::State::Down && { member.id().boot } == boot
        };
        match self.member(&host).filter(is_held_down) {
            Some(held) => self.take_back(&held),
            None => {
                self.sieve.acquit(&host);
                self.introduce(host, boot);
            }
        }
    }

    fn take_back(&mut self, held: &Member<Identity>) {
        let name = *held.id();
        self.sieve.take_back(&name.host);
        self.forget(Some(name));
        self.apply([Member::new(name, held.incarnation(), foca::State::Alive)], true);
    }

    /// foca calls a member down by what we have found ourselves.
    fn find_alone(&mut self, timer: Timer<Identity>) {
        let Timer::ChangeSuspectToDown { member_id, .. } = &timer else {
            return;
        };
        let member = *member_id;
        self.ears.forget(&member.host);
        let is_accused = self.sieve.hearsay.accused(self.port.now, &member.host) == Some(member);
        self.run_foca(timer);
        if !is_accused && self.identity_of(&member.host).is_none_or(|known| known == member) {
            self.sieve.found_alone(member);
        }
    }

    /// The next exchange begins, with somebody connected if there is anybody.
    pub(super) fn exchange(&mut self) {
        let wait = exchange::next_wait(&mut self.luck);
        self.port.timers.set(self.port.now.after(wait), Due::Exchange);
        self.gather_company();
        let connected = self.port.company.pop();
        self.port.company.clear();
        let Some(partner) = connected.or_else(|| self.anybody()) else {
            return;
        };
        self.exchanges.begin(partner.host);
        let ask = self.summary().ask();
        self.ask(partner.host, &ask);
    }

    /// What the partner has answered.
    pub(super) fn exchanged(&mut self, with: HostId, answer: Option<&[u8]>) {
        if answer.is_some() {
            self.ears.hear(self.port.now);
        }
        if !self.exchanges.is_with(with) {
            return;
        }
        match answer.map(Answer::from_bytes) {
            Some(Ok(Answer::Hashes(hashes))) => {
                let parts = self.summary().differing(&hashes);
                let (own, states) = (self.own_state(), self.states_within(&parts));
                self.ask(with, &Ask::States { parts, own, states });
            }
            Some(Ok(Answer::States { own, states })) => {
                self.exchanges.end();
                self.learn(with, own, &states);
            }
            Some(Ok(Answer::Same)) => self.exchanges.end(),
            Some(Ok(Answer::Refused)) | None => self.try_another(),
            Some(Err(_)) => {
                self.count(Dropped::Malformed);
                self.try_another();
            }
        }
    }

    fn try_another(&mut self) {
        self.exchanges.end();
        let next = self.port.now.after(TRY_ANOTHER_AFTER);
        self.port.timers.set(next, Due::Exchange);
    }

    fn ask(&mut self, with: HostId, ask: &Ask) {
        let bytes = ask.to_bytes();
        self.port.effects.push(Effect::Exchange { with, bytes });
    }

    /// What a partner knows passes the same sieve as gossip does; of itself it speaks with its own certificate.
    fn learn(&mut self, from: HostId, own: State, states: &[State]) {
        if own.host != from || from == self.foca.identity().host {
            return self.count(Dropped::ForgedSource);
        }
        let spoken_of = states.iter().map(|state| state.host).chain([from]).collect();
        let index = self.members_among(&spoken_of);
        let me = self.foca.identity().host;
        let is_stranger =
            |state: &&State| !state.is_down && state.host != me && !index.contains_key(&state.host);
        let strangers: BTreeSet<HostId> =
            states.iter().filter(is_stranger).map(|state| state.host).collect();
        let speaker = (own.identity(), own.incarnation);
        let updates = states.iter().map(State::member).collect();
        let mut notes = Notes::default();
        let now = self.port.now;
        let standpoint = Standpoint {
            now,
            me: self.foca.identity(),
            incarnation: self.port.incarnation,
            known: &|host| index.get(host).cloned(),
            is_doubted: &|host| self.doubted.contains(host),
            is_full: self.foca.iter_membership_state().len() + strangers.len()
                > self.settings.members_max(),
        };
        let heard = self.sieve.hear_speaker(&standpoint, speaker, true);
        let mut believed = self.sieve.sift_updates(&standpoint, (speaker.0, updates), &mut notes);
        self.take_notes(notes);
        match heard {
            Ok(wrong) => {
                self.forget(wrong);
                believed.insert(0, Member::new(speaker.0, speaker.1, foca::State::Alive));
            }
            Err(why) => return self.count(why),
        }
        let had = self.foca.num_members();
        self.apply(believed, true);
        // Who lacked one lacks more: a newcomer does not wait for what the next exchange has.
        if self.foca.num_members() > had {
            self.exchange_soon();
        }
    }

    /// Whether the roster has more hosts than this one has heard of, the dead among them.
    pub(super) fn lacks_some(&self) -> bool {
        let others = self.foca.iter_membership_state().len();
        self.roster.as_ref().is_some_and(|roster| roster.present_count() > others + 1)
    }

    /// The next exchange is no later than a newcomer's first.
    pub(super) fn exchange_soon(&mut self) {
        let wait = exchange::first_wait(&mut self.luck);
        self.port.timers.bring_forward(self.port.now.after(wait), Due::Exchange);
    }

    fn summary(&mut self) -> &Summary {
        let (own, foca) = (self.own_state(), &self.foca);
        self.summaries.of(own, || foca.iter_membership_state().map(State::of))
    }

    fn states_within(&mut self, parts: &Parts) -> Vec<State> {
        let from = usize::try_from(self.luck.next_u64() % PARTS as u64).unwrap_or_default();
        digest::within(&self.states(), parts, from)
    }

    /// All members, the dead among them, and ourselves.
    fn states(&self) -> Vec<State> {
        let members = self.foca.iter_membership_state().map(State::of);
        members.chain([self.own_state()]).collect()
    }

    fn own_state(&self) -> State {
        let alive = foca::State::Alive;
        State::of(&Member::new(*self.foca.identity(), self.port.incarnation, alive))
    }

    pub(super) fn member(&self, host: &HostId) -> Option<Member<Identity>> {
        let mut members = self.foca.iter_membership_state();
        members.find(|member| member.id().host == *host).cloned()
    }

    fn identity_of(&self, host: &HostId) -> Option<Identity> {
        self.member(host).map(|member| *member.id())
    }

    fn anybody(&mut self) -> Option<Identity> {
        let count = self.foca.num_members();
        let chosen = self.luck.next_u64().checked_rem(count as u64)?;
        let mut members = self.foca.iter_members().map(Member::id);
        members.nth(usize::try_from(chosen).unwrap_or_default()).copied()
    }
}

impl State {
    fn of(member: &Member<Identity>) -> Self {
        let Identity { host, boot, renewal } = *member.id();
        let is_down = member.state() == foca::State::Down;
        Self { host, boot, renewal, incarnation: member.incarnation(), is_down }
    }

    fn identity(&self) -> Identity {
        let Self { host, boot, renewal, .. } = *self;
        Identity { host, boot, renewal }
    }

    fn member(&self) -> Member<Identity> {
        let state = if self.is_down { foca::State::Down } else { foca::State::Alive };
        Member::new(self.identity(), self.incarnation, state)
    }
}
