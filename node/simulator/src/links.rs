//! What is done to the ways between hosts, at the moment it strikes.
//!
//! Not here: what follows for a packet (see `network`).

use crate::fault::{Trouble, Ways, Whom};
use crate::fleet::Fleet;
use crate::host::Place;
use crate::network::Direction;

impl Fleet {
    pub(crate) fn cut(&mut self, from: &[Whom], to: &[Whom], both: bool) {
        let near = self.who(from);
        let far = if to.is_empty() {
            (0..self.hosts.len()).filter(|place| !near.contains(place)).collect()
        } else {
            self.who(to)
        };
        let arrow = if both { "from" } else { "on the way to" };
        let text = format!("cut {} {arrow} {}", self.named(&near), self.named(&far));
        self.note(text);
        self.network.cut(&near, &far);
        if both {
            self.network.cut(&far, &near);
        }
    }

    pub(crate) fn trouble(&mut self, trouble: Trouble, on: &Ways) {
        match on {
            Ways::All => {
                let text = match trouble {
                    Trouble::Latency(span) => format!("every way takes at least {span}"),
                    _ => trouble.to_string(),
                };
                self.note(text);
                self.trouble_everywhere(trouble);
            }
            Ways::Of(whom) => {
                let both = [Direction::Out, Direction::Into];
                self.trouble_links(trouble, whom, ("from and to", &both));
            }
            Ways::From(whom) => self.trouble_links(trouble, whom, ("from", &[Direction::Out])),
            Ways::To(whom) => self.trouble_links(trouble, whom, ("to", &[Direction::Into])),
            Ways::Across(from, to) => {
                let (from, to) = (self.who(from), self.who(to));
                self.note(format!("{trouble} from {} to {}", self.named(&from), self.named(&to)));
                self.network.trouble_sides(&from, &to, trouble);
            }
            Ways::Between(near, far) => {
                let (near, far) = (self.who(near), self.who(far));
                let (these, those) = (self.named(&near), self.named(&far));
                self.note(format!("{trouble} between {these} and {those}"));
                self.network.trouble_sides(&near, &far, trouble);
                self.network.trouble_sides(&far, &near, trouble);
            }
        }
    }

    /// The queue before a link is each host's own, so that everywhere means before everybody.
    fn trouble_everywhere(&mut self, trouble: Trouble) {
        if let Trouble::Bandwidth(_) = trouble {
            for place in 0..self.hosts.len() {
                self.network.trouble_link(place, Direction::Out, trouble);
                self.network.trouble_link(place, Direction::Into, trouble);
            }
        } else {
            self.network.trouble_everywhere(trouble);
        }
    }

    fn trouble_links(
        &mut self,
        trouble: Trouble,
        whom: &[Whom],
        (words, directions): (&str, &[Direction]),
    ) {
        let places = self.who(whom);
        self.note(format!("{trouble} {words} {}", self.named(&places)));
        for place in places {
            for direction in directions {
                self.network.trouble_link(place, *direction, trouble);
            }
        }
    }

    pub(crate) fn named(&self, places: &[Place]) -> String {
        let names: Vec<&str> = places.iter().map(|place| self.hosts[*place].name()).collect();
        names.join(" ")
    }
}
