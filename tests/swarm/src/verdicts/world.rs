//! A fleet in its layout: roster, seats, keys, and every word its hosts may sign for one anchor, signed and checked once.

use std::collections::HashMap;

use detection::roster::{Entry, Roster};
use detection::seats::Seating;
use detection::verdict::{Court, Fleet, Heard, HeardAnswer};
use vocabulary::{
    Anchor, Answer, Attestation, Boot, Claims, ClusterName, Digest, Domain, Epoch, Grade,
    GroupName, HostId, HostName, Label, LedgerIndex, Path, PathReading, PublicKey, Reading, Roles,
    SelfAnswer, Sequence, Signature, Signer as _,
};

use super::keyed::{KeyRing, Secret};
use super::layouts::Layout;

/// A fleet; its hosts are numbered in the order of zones and racks.
pub struct World {
    /// Rack sizes of each zone.
    pub layout: Layout,
    /// Who belongs.
    pub roster: Roster,
    /// Who watches whom.
    pub seating: Seating,
    /// The id of each host.
    pub hosts: Vec<HostId>,
    /// The zone of each host.
    pub zone: Vec<usize>,
    /// The rack of each host, numbered over all zones.
    pub rack: Vec<usize>,
    /// Who holds the seats at each host.
    pub observers: Vec<Vec<usize>>,
    /// Everybody's keys.
    pub keys: KeyRing,
    secrets: Vec<Secret>,
    heard: HashMap<Word, Heard>,
    answers: Vec<HeardAnswer>,
}

/// What one observer signs of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// Who signs.
    pub observer: usize,
    /// About whom.
    pub subject: usize,
    /// What it says.
    pub view: View,
    /// Which of its own observers have reached it, by their place in [`World::observers`].
    pub ingress: u16,
}

/// What an observer sees, or pretends to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The agent answered.
    Well,
    /// The agent answered through a relay alone.
    WellByRelay,
    /// Nothing came.
    Silent,
    /// The kernel refused.
    Refused,
    /// The kernel accepted and nothing came.
    Accepted,
    /// It says it cannot tell.
    Unknown,
}

impl World {
    /// The fleet of a layout.
    pub fn new(layout: &Layout) -> Self {
        let label = |text: String| Label::new(&text).expect("a sound name");
        let cluster = ClusterName(label("swarm".into()));
        let mut roster = Roster::new(cluster.clone());
        let (mut hosts, mut zones, mut racks, mut secrets) = (vec![], vec![], vec![], vec![]);
        let mut rack_number = 0;
        for (zone, sizes) in layout.iter().enumerate() {
            for size in sizes {
                for _ in 0..*size {
                    let number = hosts.len();
                    let secret = Secret::numbered(number);
                    let claims = Claims {
                        cluster: cluster.clone(),
                        host: HostName(label(format!("h{number}"))),
                        domain: Domain {
                            region: label("r".into()),
                            zone: label(format!("z{zone}")),
                            rack: label(format!("k{rack_number}")),
                        },
                        group: GroupName(label("g".into())),
                        roles: Roles::default(),
                    };
                    let id = claims.id();
                    let mut entry = Entry::enrolled(claims, secret.public_key(), LedgerIndex(1));
                    entry.boot = Some(boot(number));
                    roster.put(entry);
                    hosts.push(id);
                    zones.push(zone);
                    racks.push(rack_number);
                    secrets.push(secret);
                }
                rack_number += 1;
            }
        }
        let seating = Seating::new(&roster);
        let numbers: HashMap<HostId, usize> = hosts.iter().copied().zip(0..).collect();
        let row = |host| seating.observers(host).iter().map(|id| numbers[id]).collect();
        let observers: Vec<Vec<usize>> = hosts.iter().map(row).collect();
        let mut world = Self {
            layout: layout.clone(),
            observers,
            seating,
            roster,
            zone: zones,
            rack: racks,
            keys: KeyRing::of(secrets.iter().copied()),
            secrets,
            heard: HashMap::new(),
            answers: Vec::new(),
            hosts,
        };
        world.answers = (0..world.hosts.len()).map(|host| world.check_answer(host)).collect();
        world
    }

    /// The one anchor of all rounds here.
    pub fn anchor() -> Anchor {
        Anchor { index: LedgerIndex(9), audit: Digest([5; 32]) }
    }

    /// Roster and seats.
    pub fn fleet(&self) -> Fleet<'_> {
        Fleet { roster: &self.roster, seating: &self.seating }
    }

    /// What attestations are checked against.
    pub fn court(&self) -> Court<'_> {
        Court { fleet: self.fleet(), verifier: &self.keys }
    }

    /// A word as its author signed it and as the court has checked it.
    pub fn heard(&mut self, word: Word) -> Heard {
        if let Some(heard) = self.heard.get(&word) {
            return *heard;
        }
        let attestation = self.attestation(word);
        let heard = self.court().hear(&Self::anchor(), &attestation).expect("soundly signed");
        self.heard.insert(word, heard);
        heard
    }

    /// A host's own answer, checked.
    pub fn answer(&self, host: usize) -> HeardAnswer {
        self.answers[host]
    }

    /// A word, signed.
    pub fn attestation(&self, word: Word) -> Attestation {
        let Word { observer, subject, view, ingress } = word;
        let reached = |(seat, _): &(usize, &usize)| ingress & (1 << seat) != 0;
        let ingress = self.observers[observer].iter().enumerate().filter(reached);
        Attestation {
            subject: self.hosts[subject],
            subject_boot: boot(subject),
            observer: self.hosts[observer],
            observer_boot: boot(observer),
            key: PublicKey([0; 32]),
            sequence: Sequence(u64::try_from(subject).expect("small") + 1),
            epoch: self.roster.epoch,
            anchor: Self::anchor(),
            grade: view.grade(),
            paths: view.paths(),
            ingress: ingress.map(|(_, &host)| self.hosts[host]).collect(),
            late_ms: 0,
            signature: Signature([0; 32], [0; 32]),
        }
        .signed("swarm", &self.secrets[observer])
    }

    /// A host's own answer, signed.
    pub fn self_answer(&self, host: usize) -> SelfAnswer {
        SelfAnswer {
            subject: self.hosts[host],
            boot: boot(host),
            key: PublicKey([0; 32]),
            to: Answer::Round(Self::anchor()),
            signature: Signature([0; 32], [0; 32]),
        }
        .signed("swarm", &self.secrets[host])
    }

    /// The epoch of the roster.
    pub fn epoch(&self) -> Epoch {
        self.roster.epoch
    }

    fn check_answer(&self, host: usize) -> HeardAnswer {
        let answer = self.self_answer(host);
        self.court().hear_answer(&Self::anchor(), &answer).expect("soundly signed")
    }
}

impl View {
    fn grade(self) -> Grade {
        match self {
            Self::Well | Self::WellByRelay => Grade::Ok,
            Self::Silent | Self::Refused | Self::Accepted => Grade::Failed,
            Self::Unknown => Grade::Unknown,
        }
    }

    fn paths(self) -> Vec<PathReading> {
        let (direct, relay, port) = match self {
            Self::Well => (Reading::Answered, Reading::Answered, Reading::Answered),
            Self::WellByRelay => (Reading::Silent, Reading::Answered, Reading::Silent),
            Self::Silent | Self::Unknown => (Reading::Silent, Reading::Silent, Reading::Silent),
            Self::Refused => (Reading::Silent, Reading::Silent, Reading::Refused),
            Self::Accepted => (Reading::Silent, Reading::Silent, Reading::Accepted),
        };
        let read = |path, reading| PathReading { path, reading };
        vec![
            read(Path::Warm, direct),
            read(Path::Stream, direct),
            read(Path::FreshDial, direct),
            read(Path::NearRelay, relay),
            read(Path::FarRelay, Reading::Silent),
            read(Path::AgentPort, port),
        ]
    }
}

fn boot(host: usize) -> Boot {
    Boot { number: 3, nonce: u128::try_from(host).expect("small") }
}
