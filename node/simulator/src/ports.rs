//! What the ports of a host give to itself and to others, apart from its agent's own.
//!
//! Every port serves until an order says otherwise; what serves there is another process, and goes on whatever befalls the agent.
//! Not here: knocks on their way (see `perform`), the agent's own port.

use std::collections::BTreeMap;
use std::fmt;

use agent::Knock;

use crate::fault::Whom;
use crate::fleet::Fleet;
use crate::host::Place;

/// What a port gives from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gives {
    /// Bytes.
    Serves,
    /// The kernel accepts, and the process says nothing.
    Hangs,
    /// The kernel refuses: nobody listens.
    Refuses,
    /// Nothing at all, as behind a filter.
    Silent,
}

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knocker {
    /// Whoever knocks.
    Anybody,
    /// The host itself alone.
    Itself,
    /// The others alone.
    Peers,
}

/// A port, and what it gives to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortGives {
    /// Which one.
    pub port: u16,
    /// What.
    pub gives: Gives,
    /// To whom.
    pub to: Knocker,
}

/// All ports of one host that do not simply serve.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(BTreeMap<(u16, bool), Gives>);

impl Gives {
    /// Every word of the language, and what it means.
    pub const WORDS: [(&str, Self); 4] = [
        ("serves", Self::Serves),
        ("hangs", Self::Hangs),
        ("refuses", Self::Refuses),
        ("silent", Self::Silent),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Serves => "serves",
            Self::Hangs => "hangs",
            Self::Refuses => "refuses",
            Self::Silent => "is silent",
        }
    }

    pub(crate) fn knock(self) -> Knock {
        match self {
            Self::Serves => Knock::Answered,
            Self::Hangs => Knock::Accepted,
            Self::Refuses => Knock::Refused,
            Self::Silent => Knock::Silent,
        }
    }
}

impl Ports {
    pub(crate) fn of(&self, port: u16, is_own_knock: bool) -> Gives {
        self.0.get(&(port, is_own_knock)).copied().unwrap_or(Gives::Serves)
    }

    fn set(&mut self, PortGives { port, gives, to }: PortGives) {
        let sides = match to {
            Knocker::Anybody => &[true, false][..],
            Knocker::Itself => &[true],
            Knocker::Peers => &[false],
        };
        for is_own in sides {
            self.0.insert((port, *is_own), gives);
        }
    }
}

impl Fleet {
    pub(crate) fn set_port(&mut self, whom: &[Whom], gives: PortGives) {
        let places = self.who(whom);
        self.note(format!("{}: {gives}", self.named(&places)));
        for place in places {
            self.hosts[place].ports.set(gives);
        }
    }

    /// What a port of a host, by its place in [`Fleet::truths`], gives to itself, or to others.
    pub fn port_gives(&self, place: Place, (port, is_own_knock): (u16, bool)) -> Gives {
        self.hosts[place].ports.of(port, is_own_knock)
    }
}

impl fmt::Display for PortGives {
    /// As a trace says it of the hosts before it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = match self.to {
            Knocker::Anybody => "",
            Knocker::Itself => " to itself",
            Knocker::Peers => " to its peers",
        };
        write!(out, "port {} {}{to}", self.port, self.gives.word())
    }
}
