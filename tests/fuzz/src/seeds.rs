//! Where the fuzzers begin: real values, as hosts send them, persons type them and keepers leave them on their disks.
//!
//! The golden pages hold one value of every kind, the virtual fleet what hosts sign in earnest, the library of scenarios and the
//! policy's own example what people write. `just fuzz` writes them to where it
//! begins.
//! Not here: what the fuzzers have found since (see [`crate::corpus`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use detection::membership::{Effect, Event, Membership, Settings};
use ledger::command::{Command, Entry, Proposed};
use ledger::policy::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;
use simulator::library::LIBRARY;
use vocabulary::{Grade, Moment, Span, WallNote};
use wire::{Datagram, Framed, Hello, HelloRefusal, Request, Response, Welcome};

use crate::fleet::{self, Fleet, NINE, POLICY, Seen, boot, id};
use crate::life::LIFE;

/// One file of the corpus: its name, and its bytes.
pub type Seed = (String, Vec<u8>);

/// The pages of messages, and of commands.
const MESSAGES: &str = include_str!("../../../protocol/wire/tests/bytes/messages.txt");
const COMMANDS: &str = include_str!("../../../consensus/ledger/tests/bytes/commands.txt");

/// All seeds of the target of this name.
pub fn of(target: &str) -> Vec<Seed> {
    match target {
        "frame" => frames(),
        "message" => messages(),
        "attestation" => words(),
        "command" => commands(),
        "policy" => policies(),
        "scenario" => scenarios(),
        "store" => disks(),
        "fleetlock" => questions(),
        _ => Vec::new(),
    }
}

/// As Zincati writes it, and as its server's documents do.
fn questions() -> Vec<Seed> {
    let of = |id: &str, group: &str| {
        format!(r#"{{"client_params":{{"{id}":"c988","group":"{group}"}}}}"#)
    };
    let all = [("zincati", of("id", "default")), ("airlock", of("node_uuid", "workers"))];
    all.map(|(name, text)| (name.to_owned(), text.into_bytes())).into()
}

fn frames() -> Vec<Seed> {
    let mut seeds = sealed::<Datagram>("Datagram", 0);
    seeds.extend(sealed::<Hello>("Hello", 1));
    seeds.extend(sealed::<Result<Welcome, HelloRefusal>>("HelloAnswer", 2));
    seeds.extend(sealed::<Request>("Request", 3));
    seeds.extend(sealed::<Response>("Response", 4));
    seeds
}

fn sealed<T: Serialize + DeserializeOwned + Framed>(kind: &str, number: u8) -> Vec<Seed> {
    let rows = rows(MESSAGES, kind).into_iter();
    let framed = |bytes: &[u8]| {
        let message: T = wire::decode(bytes).expect("a row of the golden page");
        [&[number], &wire::frame::seal(&message)[..]].concat()
    };
    rows.map(|(name, bytes)| (name, framed(&bytes))).collect()
}

fn messages() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (number, kind) in ["Datagram", "Request", "Response"].iter().enumerate() {
        let rows = rows(MESSAGES, kind).into_iter();
        seeds.extend(rows.map(|(name, bytes)| (name, heard(number as u8, 1, &bytes))));
    }
    let gossip = gossip();
    let talk = |kind: u8| gossip.iter().filter(move |(of, ..)| *of == kind);
    for kind in [3, 4] {
        let all: Vec<u8> =
            talk(kind).take(12).flat_map(|(_, from, bytes)| heard(kind, *from, bytes)).collect();
        seeds.push((format!("talk-{kind}"), all));
    }
    seeds.push(("rumour".to_owned(), rumour()));
    seeds.push(("piece".to_owned(), heard(5, 1, &LIFE.piece)));
    seeds
}

fn heard(kind: u8, from: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&[kind, from][..], &length.to_le_bytes(), bytes].concat()
}

/// What eight hosts say to the ninth in a minute: gossip, and what they ask of it.
fn gossip() -> Vec<(u8, u8, Vec<u8>)> {
    let members = Arc::new(BTreeMap::from(NINE.map(|name| (id(name), boot(1)))));
    let mut said = Vec::new();
    for (number, name) in NINE.iter().enumerate().skip(1) {
        let settings = Settings { hosts: NINE.len(), ..Settings::default() };
        let mut one = Membership::new(settings, (id(name), boot(2)), number as u64);
        one.acquaint(Moment::default(), &members);
        let introduced = Event::Introduce { host: id("a1"), boot: boot(1) };
        let mut effects = one.handle(Moment::default(), introduced);
        for second in 1..60 {
            let now = Moment::from_milliseconds(second * 1_000);
            effects.extend(one.handle(now, Event::DeadlineReached));
        }
        effects.extend(one.handle(Moment::from_milliseconds(61_000), Event::Leave));
        let own = number as u8;
        said.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Send { bytes, .. } => Some((3, own, bytes)),
            Effect::Exchange { bytes, .. } => Some((4, own, bytes)),
            _ => None,
        }));
    }
    said
}

/// One host tells that another one has left, which did not say so to us.
fn rumour() -> Vec<u8> {
    let members = Arc::new(BTreeMap::from(NINE.map(|name| (id(name), boot(1)))));
    let [mut teller, mut leaver] = [7, 8].map(|number: u8| {
        let settings = Settings { hosts: NINE.len(), ..Settings::default() };
        let name = NINE[usize::from(number)];
        let mut one = Membership::new(settings, (id(name), boot(1)), u64::from(number));
        one.acquaint(Moment::default(), &members);
        one
    });
    let mut now = Moment::from_milliseconds(1_000);
    let mut said = Vec::new();
    for effect in leaver.handle(now, Event::Leave) {
        if let Effect::Send { bytes, .. } = effect {
            said.extend(teller.handle(now, Event::DatagramArrived { from: id(NINE[8]), bytes }));
        }
    }
    for _ in 0..20 {
        now = now.after(Span::seconds(1));
        said.extend(teller.handle(now, Event::DeadlineReached));
    }
    let told = said.into_iter().filter_map(|effect| match effect {
        Effect::Send { bytes, .. } => Some(heard(3, 7, &bytes)),
        _ => None,
    });
    told.take(20).flatten().collect()
}

fn words() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (number, kind) in [(0, "Attestation"), (1, "SelfAnswer")] {
        let rows = rows(MESSAGES, kind).into_iter();
        seeds.extend(rows.map(|(name, bytes)| (name, [&[number, 0], &bytes[..]].concat())));
    }
    let mut fleet = Fleet::checking("both");
    let checked = fleet.check_round("b2", Some(Grade::Failed), &[Grade::Failed, Grade::Ok]);
    let word = wire::encode(&checked.words[0]);
    seeds.push(("check-word".to_owned(), [&[2, 0], &word[..]].concat()));
    seeds.push(("check".to_owned(), [&[6, 4], &wire::encode(&checked)[..]].concat()));
    let rounds = [
        ("down", vec![("b2", Seen::AgentDown)]),
        ("hung", vec![("b2", Seen::HostHung)]),
        ("well", vec![("b2", Seen::Well)]),
        ("dark", vec![("b2", Seen::HostDown)]),
    ];
    for (name, subjects) in rounds {
        let mut grounds = fleet.round(&subjects);
        grounds.answers.truncate(3);
        grounds.attestations.truncate(8);
        let bytes = wire::encode(&grounds);
        for kind in [3, 4, 5] {
            seeds.push((format!("{name}-{kind}"), [&[kind, 1], &bytes[..]].concat()));
        }
    }
    seeds
}

fn commands() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, bytes) in rows(COMMANDS, "Command") {
        let command = wire::decode(&bytes).expect("a row of the golden page");
        seeds.push((name, entry(4, vec![by("a1", command)])));
    }
    for (name, mut fleet) in [("healing", Fleet::healing()), ("checking", Fleet::checking("both"))]
    {
        let lived = fleet.log.len();
        if name == "checking" {
            let grounds = fleet.check_round("b2", Some(Grade::Failed), &[Grade::Failed]);
            fleet.unfit("b2", grounds).expect("its observers say so");
        } else {
            fleet.begun("b2", Seen::AgentDown, "c2");
        }
        let log = fleet.log.split_off(lived);
        let world = if name == "checking" { 3 } else { 2 };
        for (number, (_, one)) in log.into_iter().enumerate().filter(|(_, one)| is_told(&one.1)) {
            seeds.push((
                format!("{name}-{number}"),
                [&[world, 1], &wire::encode(&one)[..]].concat(),
            ));
        }
    }
    let founding: Vec<u8> =
        Fleet::nine().log.iter().take(5).flat_map(|(_, entry)| wire::encode(entry)).collect();
    seeds.push(("founding".to_owned(), [&[0, 0], &founding[..]].concat()));
    seeds
}

/// Ticks are all alike.
fn is_told(entry: &Entry) -> bool {
    entry.commands.iter().any(|proposed| proposed.command != Command::Tick)
}

fn by(name: &str, command: Command) -> Proposed {
    Proposed { by: id(name), command }
}

fn entry(world: u8, commands: Vec<Proposed>) -> Vec<u8> {
    let entry = Entry { elapsed: Span::seconds(1), wall: WallNote(0), commands };
    [&[world, 1], &wire::encode(&entry)[..]].concat()
}

fn policies() -> Vec<Seed> {
    let texts = [
        ("healing", POLICY.to_owned()),
        ("replacing", fleet::replacing()),
        ("checking", fleet::checking("both")),
        ("example", without_comments(&Policy::example())),
        ("enrolment", "[enrolment]\nhosts = \"added\"\n".to_owned()),
        ("ports", "[second_channel]\nports = [22, 80]\n[timers]\nlease_term = \"3s\"\n".to_owned()),
        (
            "broken",
            "[timers]\nquiet_for = \nleft_grace = \"1x\"\n[[rule]\nname = \"a\"\n".to_owned(),
        ),
        ("strange", "\"a\\n\\u001b[2Jb\" = 1\n[budget.group.\"\\u001b\"]\n".to_owned()),
    ];
    texts.map(|(name, text)| (name.to_owned(), text.into_bytes())).into()
}

/// The page of every key is longer than a file of the corpus may be; its remarks are no keys.
fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

fn scenarios() -> Vec<Seed> {
    let library = LIBRARY.iter().map(|one| (one.name.to_owned(), one.text.as_bytes().to_vec()));
    let small = [
        ("words", include_str!("seeds/words.txt")),
        ("troubles", include_str!("seeds/troubles.txt")),
        ("wrong", "hosts a1\nkeepers a1 b1\nrun 5\n"),
    ];
    library.chain(small.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))).collect()
}

/// What the fuzzer found of such a list.
const FREED: [u8; 24] = *b"\x00\x02\x78\x01\x00\x00\x00\x09\xff\xfd\x01\x00\x06\xff\xff\xc1\xc1\x78\x60\x65\x72\x42\xc1\x31";

/// Nothing is done to a disk, or little.
fn disks() -> Vec<Seed> {
    let image = &LIFE.images[0];
    let mut seeds: Vec<Seed> = [("closed", 0), ("killed", 1), ("none", 2)]
        .map(|(name, which)| (name.to_owned(), vec![which]))
        .into();
    for which in [0, 1] {
        for (name, edit) in [
            ("header", vec![0, 0, 0, 9, 1]),
            ("log", vec![0, 40, 0, 7, 4]),
            ("page", vec![1, 80, 0, 0, 4, 1, 2, 3, 4]),
            ("lost", vec![2, 120, 0, 0, 6]),
            ("cut", vec![3, 100, 0, 0, 0]),
        ] {
            seeds.push((format!("{name}-{which}"), [&[which], &edit[..]].concat()));
        }
    }
    // redb frees pages as it closes: here its list of them names pages that there are none of.
    seeds.push(("freed".to_owned(), FREED.to_vec()));
    let head = image.len().min(512);
    seeds.push(("head".to_owned(), [&[2], &image[..head]].concat()));
    seeds
}

/// The rows of a golden page that are of this kind: `Request::Look 2` is of `Request`.
fn rows(page: &str, kind: &str) -> Vec<Seed> {
    let mut rows: Vec<Seed> = Vec::new();
    for line in page.lines() {
        match line.strip_prefix("  ") {
            None => rows.push((line.to_owned(), Vec::new())),
            Some(text) => {
                if let (Some((_, bytes)), Some(more)) = (rows.last_mut(), from_hex(text)) {
                    bytes.extend(more);
                }
            }
        }
    }
    let is_of_kind = |name: &str| name.split([':', ' ']).next() == Some(kind);
    rows.retain(|(name, _)| is_of_kind(name));
    rows.into_iter()
        .map(|(name, bytes)| (name.to_lowercase().replace("::", "-").replace(' ', "-"), bytes))
        .collect()
}

/// A line of a value's own words is no hex: it holds a capital letter, a bracket or a space.
fn from_hex(line: &str) -> Option<Vec<u8>> {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if line.len() % 2 == 1 || !line.as_bytes().iter().all(is_hex) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).ok();
    (0..line.len()).step_by(2).map(byte).collect()
}
