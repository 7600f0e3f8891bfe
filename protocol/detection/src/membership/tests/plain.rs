//! foca alone, in the same world: no sieve, no looks, no exchange. What ours is compared with.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use vocabulary::{Boot, HostId, Moment, Span};

use super::super::identity::Identity;
use super::super::port::Port;
use super::super::timers::Due;
use super::super::{Effect, Event, OurFoca, Settings, new_foca};
use super::mesh::Peer;

const SPREAD_EVERY: Span = Span::milliseconds(200);
const ALONE_EVERY: Span = Span::seconds(10);

pub struct Plain {
    foca: OurFoca,
    port: Port,
    up: BTreeMap<HostId, Boot>,
}

impl Plain {
    fn run_due(&mut self) {
        for due in self.port.timers.take_due(self.port.now, Span::ZERO) {
            match due {
                Due::Foca(timer) => drop(self.foca.handle_timer(timer, &mut self.port)),
                Due::Spread => drop(self.foca.gossip(&mut self.port)),
                Due::Alone => {
                    if self.foca.num_members() == 0 {
                        self.port.effects.push(Effect::Alone);
                    }
                    self.port.timers.set(self.port.now.after(ALONE_EVERY), Due::Alone);
                }
                Due::Health | Due::Look | Due::Exchange => {}
            }
        }
        let next = self.port.now.after(SPREAD_EVERY);
        self.port.timers.set(next, Due::Spread);
    }

    fn settle(&mut self) {
        if let Some(identity) = self.port.renewed.take() {
            self.port.effects.push(Effect::Renewed { renewal: identity.renewal });
            drop(self.foca.apply_many(std::iter::empty(), true, &mut self.port));
        }
        for host in std::mem::take(&mut self.port.touched) {
            let found = self.foca.iter_members().find(|member| member.id().host == host);
            let effect = match (found.map(|member| member.id().boot), self.up.remove(&host)) {
                (Some(boot), before) => {
                    self.up.insert(host, boot);
                    (before != Some(boot)).then_some(Effect::Up { host, boot })
                }
                (None, before) => before.map(|boot| Effect::Down { host, boot }),
            };
            self.port.effects.extend(effect);
        }
    }
}

impl Peer for Plain {
    fn new(settings: Settings, me: (HostId, Boot), seed: u64) -> Self {
        let mut port = Port::new(settings.probe_period());
        port.timers.set(Moment::default(), Due::Alone);
        port.timers.set(Moment::default(), Due::Spread);
        let mut luck = ChaCha8Rng::seed_from_u64(seed);
        let foca = new_foca(&settings, Identity::first(me.0, me.1), &mut luck);
        Self { foca, port, up: BTreeMap::new() }
    }

    fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        self.port.now = now;
        match event {
            Event::DatagramArrived { bytes, .. } => {
                drop(self.foca.handle_data(&bytes, &mut self.port));
            }
            Event::Introduce { host, boot } => {
                let announced = Identity::first(host, boot);
                if host != self.foca.identity().host {
                    drop(self.foca.announce(announced, &mut self.port));
                }
            }
            Event::DeadlineReached => self.run_due(),
            _ => {}
        }
        self.settle();
        std::mem::take(&mut self.port.effects)
    }

    fn answer(&mut self, _: Moment, _: HostId, _: &[u8]) -> (Vec<u8>, Vec<Effect>) {
        (Vec::new(), Vec::new())
    }

    fn next_deadline(&self) -> Option<Moment> {
        self.port.timers.next()
    }

    fn up(&self) -> &BTreeMap<HostId, Boot> {
        &self.up
    }

    fn identity(&self) -> Identity {
        *self.foca.identity()
    }
}
