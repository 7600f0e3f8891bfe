//! Whether the silence of others says anything: a host to which all are silent is deaf sooner than they are all dead.
//!
//! Law SW23: who has heard of nobody for [`DEAF_AFTER`] calls nobody down, and looks again as long after. Two hosts whose input stalls
//! would else agree about a third one that is well, and everybody believe two. It does so after all once the silence has lasted
//! [`DEAF_MOST`], since whoever is cut off for good has to end alone and dial whomever it can; and once it has put one finding off for
//! [`PUT_OFF_MOST`], so that nobody keeps a dead host up by speaking seldom.

use std::collections::BTreeMap;

use vocabulary::{HostId, Moment, Span};

/// Longer than a look lasts (3 s). In a mesh of three each hears the probes of the living other one twice a second.
pub(super) const DEAF_AFTER: Span = Span::seconds(4);

/// Longer than the stalls of Lifeguard's experiment, 32 s.
const DEAF_MOST: Span = Span::seconds(60);

/// Of one suspect; longer than any stall by turns that was measured.
const PUT_OFF_MOST: Span = Span::seconds(120);

/// When anything was last heard of anybody, and which findings are put off; at most as many as there are members.
#[derive(Debug, Default)]
pub(super) struct Ears {
    heard_at: Moment,
    put_off: BTreeMap<HostId, PutOff>,
}

/// One finding.
#[derive(Clone, Copy, Debug)]
struct PutOff {
    since: Moment,
    /// When it last was; one that was not for [`DEAF_MOST`] is of another trouble.
    last: Moment,
}

impl Ears {
    /// Somebody speaks, asks or answers, whatever it is.
    pub fn hear(&mut self, now: Moment) {
        self.heard_at = self.heard_at.max(now);
    }

    /// Whether a finding about this host is put off now.
    pub fn put_off(&mut self, now: Moment, host: HostId) -> bool {
        let silence = now.since(self.heard_at);
        if silence <= DEAF_AFTER || silence >= DEAF_MOST {
            return false;
        }
        self.put_off.retain(|_, finding| now.since(finding.last) < DEAF_MOST);
        let finding = self.put_off.entry(host).or_insert(PutOff { since: now, last: now });
        finding.last = now;
        now.since(finding.since) < PUT_OFF_MOST
    }

    /// The host has answered, or is called down.
    pub fn forget(&mut self, host: &HostId) {
        self.put_off.remove(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_sw23_one_finding_is_put_off_for_two_minutes_however_seldom_somebody_speaks() {
        let (mut ears, host) = (Ears::default(), HostId([1; 16]));
        let begun = Moment::from_milliseconds(600_000);
        let mut put_off = Vec::new();
        for seconds in 0..300 {
            let now = begun.after(Span::seconds(seconds));
            if seconds % 50 == 0 {
                ears.hear(now);
            }
            if ears.put_off(now, host) {
                put_off.push(seconds);
            }
        }
        assert_eq!((put_off.first(), put_off.last()), (Some(&5), Some(&124)));
        let later = |seconds| begun.after(Span::seconds(seconds));
        assert!(!ears.put_off(later(299), host), "it is put off no more");
        ears.forget(&host);
        assert!(ears.put_off(later(299), host), "it has answered meanwhile");
        ears.hear(later(900));
        assert!(ears.put_off(later(905), host), "of another trouble");
        assert_eq!(ears.put_off.len(), 1, "what is over is forgotten");
    }
}
