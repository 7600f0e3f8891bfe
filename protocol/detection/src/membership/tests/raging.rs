//! Members that change for ever: what one of their peers tells of it.

use foca::{Header, Member, Message};
use vocabulary::{Moment, Span};

use super::super::identity::Identity;
use super::super::packet::Packet;
use super::super::*;
use super::mesh::{boot, host};
use super::unwell;

const BEGUN: Moment = Moment::from_milliseconds(600_000);
const HOSTS: u16 = 128;

/// A packet by which a host says that it goes on under another name.
fn renewal(from: u16, renewal: u32) -> Vec<u8> {
    let src = Identity { renewal, ..Identity::first(host(from), boot(1)) };
    let dst = Identity::first(host(0), boot(1));
    wire::encode(&Header { src, src_incarnation: 0, dst, message: Message::<Identity>::Gossip })
}

#[derive(Default)]
struct Told {
    gossip_bytes: u64,
    probes: u64,
    /// Under which names it told of the first peer.
    of_first: Vec<u32>,
}

impl Told {
    fn take(&mut self, effects: &[Effect]) {
        for effect in effects {
            let Effect::Send { bytes, .. } = effect else {
                continue;
            };
            let packet = Packet::parse(bytes).expect("our own packet");
            match packet.header.message {
                Message::Gossip | Message::Broadcast => {
                    self.gossip_bytes += bytes.len() as u64;
                    let names = packet.updates.iter().map(Member::id);
                    let first = names.filter(|name| name.host == host(1));
                    self.of_first.extend(first.map(|name| name.renewal));
                }
                Message::Ping(_) => self.probes += 1,
                _ => {}
            }
        }
    }
}

#[test]
fn law_sw22_who_hears_of_changes_without_end_falls_silent_goes_on_probing_and_tells_the_newest_then()
 {
    let settings = Settings { hosts: usize::from(HOSTS), ..Settings::default() };
    let mut us = Membership::new(settings, (host(0), boot(1)), 1);
    let others = (1..HOSTS).map(|number| (host(number), boot(1)));
    us.acquaint(BEGUN, &Arc::new(others.collect()));
    (1..HOSTS).for_each(|number| drop(us.handle(BEGUN, Event::Linked { host: host(number) })));
    let (mut told, mut muted) = (Told::default(), Told::default());
    let mut hand = |us: &mut Membership, now: Moment, event: Event| {
        let counted = if us.muted_for(now).is_some() { &mut muted } else { &mut told };
        counted.take(&us.handle(now, event));
    };
    for step in 0..600_u32 {
        let now = BEGUN.after(Span::seconds(1).times(step.into()));
        for number in (1..HOSTS).filter(|number| u32::from(*number) % 10 == step % 10) {
            let bytes = renewal(number, step + 1);
            hand(&mut us, now, Event::DatagramArrived { from: host(number), bytes });
        }
        while let Some(due) = us.next_deadline().filter(|due| *due < now.after(Span::seconds(1))) {
            hand(&mut us, due.max(now), Event::DeadlineReached);
        }
    }
    let bytes = told.gossip_bytes + muted.gossip_bytes;
    assert!(bytes > 1_000_000 && bytes < 1_000_000 + 600 * 4_000, "law SW22: {bytes} bytes");
    assert!(muted.probes > 20, "law SW22: {} probes while it told nothing", muted.probes);
    assert!(
        muted.gossip_bytes < 30_000,
        "law SW22: {} bytes of it while muted",
        muted.gossip_bytes
    );
    assert!(told.of_first.is_sorted(), "the newest word of each host, and no older one after it");
}

#[test]
fn law_sw22_who_tells_nothing_of_members_tells_how_it_is_all_the_same() {
    let settings = Settings { hosts: usize::from(HOSTS), ..Settings::default() };
    let mut us = Membership::new(settings, (host(0), boot(1)), 1);
    let others = (1..HOSTS).map(|number| (host(number), boot(1)));
    us.acquaint(BEGUN, &Arc::new(others.collect()));
    us.handle(BEGUN, Event::DatagramArrived { from: host(1), bytes: renewal(1, 1) });
    let full = Effect::Send { to: host(1), bytes: vec![0; PACKET_BYTES_MAX] };
    us.fuse.spend(BEGUN, &vec![full; 1_000]);
    assert!(!us.fuse.holds(BEGUN) && us.foca.updates_backlog() > 0, "there is something untold");
    let early = BEGUN.after(Span::seconds(1));
    while let Some(due) = us.next_deadline().filter(|due| *due <= early) {
        us.handle(due.max(BEGUN), Event::DeadlineReached);
    }
    let health = unwell();
    let mut told = Told::default();
    told.take(&us.handle(BEGUN.after(Span::seconds(2)), Event::HealthChanged { health }));
    let soon = BEGUN.after(Span::seconds(3));
    while let Some(due) = us.next_deadline().filter(|due| *due <= soon) {
        told.take(&us.handle(due.max(BEGUN), Event::DeadlineReached));
    }
    assert!(us.muted_for(soon).is_some() && told.gossip_bytes > 0, "its record is told");
    assert_eq!(told.of_first, Vec::<u32>::new(), "and nothing of members");
}
