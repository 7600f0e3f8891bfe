//! From the text of a script to its setup and its steps.
//!
//! Law L1 (see the parent): every line is understood whole, or it is a fault that names it.

use vocabulary::{Claims, GroupName, Span};

use super::links::{is_trouble, read_links};
use super::plights::{is_plight, read_lie, read_plight, read_port, read_service};
use super::{Placed, RULE, Script, ScriptFault, Show, Spot, Step, Until};
use crate::actuator::Habit;
use crate::fault::{Fault, Whom};
use crate::setup::{Place, Setup};

/// Longer runs than a day of virtual time are a slip of the hand.
const RUN_MAX: Span = Span::minutes(24 * 60);

/// What is being read.
struct Reader {
    setup: Setup,
    keepers: Vec<String>,
    spares: Vec<String>,
    healers: Option<Vec<String>>,
    is_from_founding: bool,
    steps: Vec<Placed>,
    /// Where the order begins that is being read.
    at: Spot,
}

/// Why an order is not understood, and which of its words is to blame; none: all of it.
pub(super) struct Wrong {
    word: String,
    why: String,
}

pub(super) type Fallible<T> = Result<T, Wrong>;

pub(super) fn read(text: &str) -> Result<Script, ScriptFault> {
    let mut reader = Reader {
        setup: Setup::new(Vec::new(), 1),
        keepers: Vec::new(),
        spares: Vec::new(),
        healers: None,
        is_from_founding: false,
        steps: Vec::new(),
        at: Spot::default(),
    };
    let mut lines = text.lines().enumerate();
    let mut own = String::new();
    while let Some((number, line)) = lines.by_ref().next() {
        if line.trim_end() == RULE {
            break;
        }
        own.push_str(line);
        own.push('\n');
        let is_policy = line.trim() == "policy";
        let result = if is_policy {
            let rest = lines.by_ref().map(|(_, line)| line);
            reader.read_policy(rest, &mut own).map_err(|wrong| (1, wrong.why))
        } else {
            reader.read_line(number + 1, line)
        };
        result.map_err(|(column, why)| ScriptFault::Line {
            at: Spot { line: number + 1, column },
            why,
        })?;
    }
    let golden: String = lines.map(|(_, line)| format!("{line}\n")).collect();
    reader.finish(own, golden)
}

impl Reader {
    /// The orders of one line; where one is not understood, the column of the word to blame.
    fn read_line(&mut self, number: usize, line: &str) -> Result<(), (usize, String)> {
        let line = line.split('#').next().unwrap_or_default();
        let mut before = 0;
        for part in line.split(';') {
            let order = part.trim();
            let blanks = part.chars().take_while(|letter| letter.is_whitespace()).count();
            self.at = Spot { line: number, column: before + blanks + 1 };
            if !order.is_empty() {
                let begins = self.at.column;
                self.read_order(order)
                    .map_err(|wrong| (begins + letters_before(&wrong.word, order), wrong.why))?;
            }
            before += part.chars().count() + 1;
        }
        Ok(())
    }

    fn read_policy<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a str>,
        own: &mut String,
    ) -> Fallible<()> {
        let mut text = String::new();
        for line in lines {
            own.push_str(line);
            own.push('\n');
            if line.trim() == "end" {
                return self.take_policy(text);
            }
            text.push_str(line);
            text.push('\n');
        }
        Err("a policy ends with a line `end`".into())
    }

    /// Before the first step it is the founders' policy; later a person sets it.
    fn take_policy(&mut self, text: String) -> Fallible<()> {
        if self.steps.is_empty() {
            self.setup.policy = Some(text);
        } else {
            self.step(Step::Strike(Fault::Policy(text)))?;
        }
        Ok(())
    }

    fn read_order(&mut self, order: &str) -> Fallible<()> {
        let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
        let rest = rest.trim();
        let words: Vec<&str> = rest.split_whitespace().collect();
        match word {
            "hosts" => self.add_hosts(&words),
            "keepers" => {
                self.keepers.extend(owned(&words));
                Ok(())
            }
            "spares" => {
                self.spares.extend(owned(&words));
                Ok(())
            }
            "healers" => {
                self.healers.get_or_insert_default().extend(owned(&words));
                Ok(())
            }
            "seed" => {
                self.setup.seed = number(rest)?;
                Ok(())
            }
            "weather" => self.set_weather(&words),
            "from" if rest == "founding" => {
                self.is_from_founding = true;
                Ok(())
            }
            "run" => self.step(read_run(&words)?),
            "show" => self.step(Step::Show(read_show(&words)?)),
            "remedies" => self.step(Step::Strike(read_remedies(&words)?)),
            "pause" => self.step(Step::Strike(Fault::Pause(rest.to_owned()))),
            "resume" => self.step(Step::Strike(Fault::Resume(rest.to_owned()))),
            "revoke-slots" if rest.is_empty() => self.step(Step::Strike(Fault::RevokeSlots)),
            "join" if rest.is_empty() => self.step(Step::Strike(Fault::Join)),
            word if is_trouble(word) => self.step(Step::Strike(read_links(word, &words)?)),
            "ledger" => self.step(Step::Strike(read_service(&words)?)),
            "cut" => self.step(Step::Strike(read_cut(&words)?)),
            _ => match words.as_slice() {
                [whom @ .., "every", text] => {
                    self.step(Step::InTurn(read_strike(word, whom)?, span(text)?))
                }
                whom => self.step(Step::Strike(read_strike(word, whom)?)),
            },
        }
    }

    fn step(&mut self, step: Step) -> Fallible<()> {
        self.steps.push(Placed { at: self.at, step });
        Ok(())
    }

    fn add_hosts(&mut self, words: &[&str]) -> Fallible<()> {
        let (mut zone, mut rack, mut group) = ("a", None, "web");
        let mut names = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some(("zone", name)) => zone = name,
                Some(("rack", name)) => rack = Some(name),
                Some(("group", name)) => group = name,
                Some((key, _)) => {
                    return Err(Wrong::of(word, format!("{key:?} is none of zone, rack, group")));
                }
                None => names.push(*word),
            }
        }
        for name in names {
            let place = Place {
                rack: rack.unwrap_or(name).to_owned(),
                group: group.to_owned(),
                ..Place::new(name, zone)
            };
            let claims = place.claims().map_err(|fault| Wrong::of(name, fault.to_string()))?;
            self.setup.hosts.push(claims);
        }
        Ok(())
    }

    fn set_weather(&mut self, words: &[&str]) -> Fallible<()> {
        for word in words {
            match word.split_once('=') {
                Some(("latency", text)) => self.setup.weather.latency = span(text)?,
                Some(("jitter", text)) => self.setup.weather.jitter = span(text)?,
                Some(("loss", text)) => self.setup.weather.loss_permille = permille(text)?,
                _ => {
                    let why = format!("{word:?} is none of latency=, jitter=, loss=");
                    return Err(Wrong::of(word, why));
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, text: String, golden: String) -> Result<Script, ScriptFault> {
        let known: Vec<String> = self.setup.hosts.iter().map(name_of).collect();
        let meant = self.keepers.iter().chain(&self.spares).chain(self.healers.iter().flatten());
        if let Some(stranger) = meant.clone().find(|name| !known.contains(name)) {
            return Err(ScriptFault::Line {
                at: Spot { line: text.lines().count(), column: 1 },
                why: format!("{stranger:?} is none of the hosts"),
            });
        }
        for claims in &mut self.setup.hosts {
            let name = name_of(claims);
            let is_spare = self.spares.contains(&name);
            if is_spare && !self.keepers.contains(&name) {
                self.setup.spares.insert(claims.host.clone());
            }
            claims.roles.keeper = is_spare || self.keepers.contains(&name);
            claims.roles.healer =
                self.healers.as_ref().is_none_or(|healers| healers.contains(&name));
        }
        let script = Script {
            setup: self.setup,
            is_from_founding: self.is_from_founding,
            steps: self.steps,
            text,
            golden,
        };
        script.check()?;
        Ok(script)
    }
}

fn read_run(words: &[&str]) -> Fallible<Step> {
    match words {
        [text] => Ok(Step::Run(span(text)?)),
        ["until", what, "within", text] => {
            let until = match *what {
                "doubt" => Until::Doubt,
                "verdict" => Until::Verdict,
                "lease" => Until::Lease,
                "remedy" => Until::Remedy,
                "proof" => Until::Proof,
                "closed" => Until::Closed,
                "brake" => Until::Brake,
                "settled" => Until::Settled,
                other => {
                    let why = format!(
                        "{other:?} is none of doubt, verdict, lease, remedy, proof, closed, brake, settled"
                    );
                    return Err(Wrong::of(other, why));
                }
            };
            Ok(Step::RunUntil(until, span(text)?))
        }
        _ => Err("expected `run SPAN` or `run until WHAT within SPAN`".into()),
    }
}

fn read_show(words: &[&str]) -> Fallible<Show> {
    match words {
        ["cases"] => Ok(Show::Cases),
        ["budgets"] => Ok(Show::Budgets),
        ["journal"] => Ok(Show::Journal),
        ["eyes", host] => Ok(Show::Eyes((*host).to_owned())),
        ["health", host] => Ok(Show::Health((*host).to_owned())),
        _ => Err("expected cases, budgets, journal, eyes HOST or health HOST".into()),
    }
}

fn read_remedies(words: &[&str]) -> Fallible<Fault> {
    if let ["take", text] = words {
        return Ok(Fault::RemedyTakes(span(text)?));
    }
    let habits = words.iter().map(|word| match *word {
        "works" => Ok(Habit::Works),
        "does-nothing" => Ok(Habit::DoesNothing),
        "refuses" => Ok(Habit::Refuses),
        "receipt-lost" => Ok(Habit::ReceiptLost),
        "fails" => Ok(Habit::Fails),
        "hangs" => Ok(Habit::Hangs),
        other => {
            let why = format!(
                "{other:?} is none of works, does-nothing, refuses, receipt-lost, fails, hangs"
            );
            Err(Wrong::of(other, why))
        }
    });
    habits.collect::<Fallible<Vec<Habit>>>().map(Fault::Remedies)
}

fn read_cut(words: &[&str]) -> Fallible<Fault> {
    let place = words.iter().position(|word| matches!(*word, "from" | "to"));
    let (near, far, both) = match place {
        Some(place) => (&words[..place], &words[place + 1..], words[place] == "from"),
        None => (words, &words[..0], true),
    };
    Ok(Fault::Cut {
        from: read_whom(near)?,
        to: if place.is_some() { read_whom(far)? } else { Vec::new() },
        both,
    })
}

fn read_votes(words: &[&str]) -> Fallible<Fault> {
    let mut sides = words.splitn(2, |word| *word == "to");
    match (sides.next(), sides.next()) {
        (Some(from), Some(to)) => {
            Ok(Fault::MoveVotes { from: read_whom(from)?, to: read_whom(to)? })
        }
        _ => Err("expected `move-votes WHOM to WHOM`".into()),
    }
}

fn read_strike(word: &str, words: &[&str]) -> Fallible<Fault> {
    let strike = match word {
        "kill" => Fault::Kill,
        "start" => Fault::Start,
        "clone" => Fault::Clone,
        "freeze" => Fault::Freeze,
        "thaw" => Fault::Thaw,
        "silence" => Fault::Silence,
        "unsilence" => Fault::Unsilence,
        "poweroff" => Fault::PowerOff,
        "leave" => Fault::Leave,
        "restart" => Fault::Restart,
        "release" => match words {
            [one] if one.starts_with("group=") => return read_group(one).map(Fault::ReleaseGroup),
            _ => Fault::Release,
        },
        "approve" => Fault::Approve,
        "deny" => Fault::Deny,
        "take-slot" => Fault::TakeSlot,
        "return-slot" => Fault::ReturnSlot,
        "maintain" => return read_maintenance(words),
        "move-votes" => return read_votes(words),
        "lie" => return read_lie(words),
        "port" => return read_port(words),
        word if is_plight(word) => return read_plight(word, words),
        other => return Err(Wrong::of(other, format!("{other:?} is no word of this language"))),
    };
    read_whom(words).map(strike)
}

/// `maintain b2 5m`: whom, and for how long.
fn read_maintenance(words: &[&str]) -> Fallible<Fault> {
    let [whom @ .., lasts] = words else {
        return Err("expected whom, and for how long".into());
    };
    Ok(Fault::Maintain { whom: read_whom(whom)?, lasts: span(lasts)? })
}

fn read_group(word: &str) -> Fallible<GroupName> {
    let name = word.trim_start_matches("group=");
    GroupName::new(name).map_err(|why| Wrong::of(word, format!("{name:?} is no group: {why}")))
}

pub(super) fn read_whom(words: &[&str]) -> Fallible<Vec<Whom>> {
    if words.is_empty() {
        return Err("nobody is named".into());
    }
    let whom = words.iter().map(|word| match word.split_once('=') {
        Some(("zone", name)) => Ok(Whom::Zone(name.to_owned())),
        Some(("rack", name)) => Ok(Whom::Rack(name.to_owned())),
        Some((key, _)) => Err(Wrong::of(word, format!("{key:?} is neither zone nor rack"))),
        None if word.ends_with('%') => permille(word).map(Whom::Share),
        None if word.contains(':') => read_nth(word),
        None if *word == "leader" => Ok(Whom::Leader),
        None if *word == "healer" => Ok(Whom::Healer),
        None => Ok(Whom::Named((*word).to_owned())),
    });
    whom.collect()
}

/// `host:1`, `zone:2` or `rack:3`.
fn read_nth(word: &str) -> Fallible<Whom> {
    let fault = || Wrong::of(word, format!("{word:?} is none of host:1, zone:1, rack:1"));
    let (kind, count) = word.split_once(':').ok_or_else(fault)?;
    let count = count.parse().map_err(|_| fault())?;
    match kind {
        "host" => Ok(Whom::NthHost(count)),
        "zone" => Ok(Whom::NthZone(count)),
        "rack" => Ok(Whom::NthRack(count)),
        _ => Err(fault()),
    }
}

fn number(text: &str) -> Fallible<u64> {
    text.parse().map_err(|_| Wrong::of(text, format!("{text:?} is no number")))
}

/// `250ms`, `30s` or `5m`.
pub(super) fn span(text: &str) -> Fallible<Span> {
    let count = |unit: &str| text.strip_suffix(unit)?.parse().ok();
    // `ms` before `s` and `m`: neither of these parses what stands before the other letter.
    let read = count("ms")
        .map(Span::milliseconds)
        .or_else(|| count("s").map(Span::seconds))
        .or_else(|| count("m").map(Span::minutes));
    read.filter(|span| *span <= RUN_MAX).ok_or_else(|| {
        let why = format!("{text:?} is no span: expected 250ms, 30s or 5m, at most a day");
        Wrong::of(text, why)
    })
}

/// `5%` or `0.5%`, as parts of a thousand.
pub(super) fn permille(text: &str) -> Fallible<u32> {
    let fault = || Wrong::of(text, format!("{text:?} is no share: expected 5% or 0.5%"));
    let number = text.strip_suffix('%').ok_or_else(fault)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u32 = whole.parse().map_err(|_| fault())?;
    let part: u32 = part.parse().map_err(|_| fault())?;
    if whole <= 100 && part <= 9 { Ok(whole * 10 + part) } else { Err(fault()) }
}

fn name_of(claims: &Claims) -> String {
    claims.host.to_string()
}

/// How many letters of the order stand before this word of it.
fn letters_before(word: &str, order: &str) -> usize {
    let at = order.find(word).unwrap_or(0);
    order[..at].chars().count()
}

impl Wrong {
    pub(super) fn of(word: &str, why: String) -> Self {
        Self { word: word.to_owned(), why }
    }
}

impl From<&str> for Wrong {
    fn from(why: &str) -> Self {
        Self::of("", why.to_owned())
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
