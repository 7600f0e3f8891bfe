//! From the text of a script to its setup and its steps.
//!
//! Law L1 (see the parent): every line is understood whole, or it is a fault that names it.

use vocabulary::{Claims, Span};

use super::{RULE, Script, ScriptFault, Show, Step, Until};
use crate::actuator::Habit;
use crate::fault::{Fault, Whom};
use crate::setup::{Place, Setup};

/// Longer runs than a day of virtual time are a slip of the hand.
const RUN_MAX: Span = Span::minutes(24 * 60);

/// What is being read.
struct Reader {
    setup: Setup,
    keepers: Vec<String>,
    healers: Option<Vec<String>>,
    is_from_founding: bool,
    steps: Vec<Step>,
}

type Fallible<T> = Result<T, String>;

pub(super) fn read(text: &str) -> Result<Script, ScriptFault> {
    let mut reader = Reader {
        setup: Setup::new(Vec::new(), 1),
        keepers: Vec::new(),
        healers: None,
        is_from_founding: false,
        steps: Vec::new(),
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
            reader.read_policy(lines.by_ref().map(|(_, line)| line), &mut own)
        } else {
            reader.read_line(line)
        };
        result.map_err(|why| ScriptFault::Line { number: number + 1, why })?;
    }
    let golden: String = lines.map(|(_, line)| format!("{line}\n")).collect();
    reader.finish(own, golden)
}

impl Reader {
    fn read_line(&mut self, line: &str) -> Fallible<()> {
        let line = line.split('#').next().unwrap_or_default();
        line.split(';')
            .map(str::trim)
            .filter(|order| !order.is_empty())
            .try_for_each(|order| self.read_order(order))
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
            self.steps.push(Step::Strike(Fault::Policy(text)));
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
            "healers" => {
                self.healers.get_or_insert_default().extend(owned(&words));
                Ok(())
            }
            "seed" => {
                self.setup.seed = rest.parse().map_err(|_| format!("{rest:?} is no number"))?;
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
            "join" if rest.is_empty() => self.step(Step::Strike(Fault::Join)),
            "loss" => self.step(Step::Strike(Fault::Loss(permille(rest)?))),
            "cut" => self.step(Step::Strike(read_cut(&words)?)),
            _ => self.step(Step::Strike(read_strike(word, &words)?)),
        }
    }

    fn step(&mut self, step: Step) -> Fallible<()> {
        self.steps.push(step);
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
                Some((key, _)) => return Err(format!("{key:?} is none of zone, rack, group")),
                None => names.push(*word),
            }
        }
        for name in names {
            let place = Place {
                rack: rack.unwrap_or(name).to_owned(),
                group: group.to_owned(),
                ..Place::new(name, zone)
            };
            let claims = place.claims().map_err(|fault| fault.to_string())?;
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
                _ => return Err(format!("{word:?} is none of latency=, jitter=, loss=")),
            }
        }
        Ok(())
    }

    fn finish(mut self, text: String, golden: String) -> Result<Script, ScriptFault> {
        let known: Vec<String> = self.setup.hosts.iter().map(name_of).collect();
        let meant = self.keepers.iter().chain(self.healers.iter().flatten());
        if let Some(stranger) = meant.clone().find(|name| !known.contains(name)) {
            return Err(ScriptFault::Line {
                number: text.lines().count(),
                why: format!("{stranger:?} is none of the hosts"),
            });
        }
        for claims in &mut self.setup.hosts {
            let name = name_of(claims);
            claims.roles.keeper = self.keepers.contains(&name);
            claims.roles.healer =
                self.healers.as_ref().is_none_or(|healers| healers.contains(&name));
        }
        self.setup.check().map_err(ScriptFault::Setup)?;
        Ok(Script {
            setup: self.setup,
            is_from_founding: self.is_from_founding,
            steps: self.steps,
            text,
            golden,
        })
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
                other => {
                    return Err(format!(
                        "{other:?} is none of doubt, verdict, lease, remedy, proof, closed, brake"
                    ));
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
        other => Err(format!(
            "{other:?} is none of works, does-nothing, refuses, receipt-lost, fails, hangs"
        )),
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
        other => return Err(format!("{other:?} is no word of this language")),
    };
    read_whom(words).map(strike)
}

fn read_whom(words: &[&str]) -> Fallible<Vec<Whom>> {
    if words.is_empty() {
        return Err("nobody is named".into());
    }
    let whom = words.iter().map(|word| match word.split_once('=') {
        Some(("zone", name)) => Ok(Whom::Zone(name.to_owned())),
        Some(("rack", name)) => Ok(Whom::Rack(name.to_owned())),
        Some((key, _)) => Err(format!("{key:?} is neither zone nor rack")),
        None if *word == "leader" => Ok(Whom::Leader),
        None if *word == "healer" => Ok(Whom::Healer),
        None => Ok(Whom::Named((*word).to_owned())),
    });
    whom.collect()
}

/// `250ms`, `30s` or `5m`.
fn span(text: &str) -> Fallible<Span> {
    let count = |unit: &str| text.strip_suffix(unit)?.parse().ok();
    // `ms` before `s` and `m`: neither of these parses what stands before the other letter.
    let read = count("ms")
        .map(Span::milliseconds)
        .or_else(|| count("s").map(Span::seconds))
        .or_else(|| count("m").map(Span::minutes));
    read.filter(|span| *span <= RUN_MAX)
        .ok_or_else(|| format!("{text:?} is no span: expected 250ms, 30s or 5m, at most a day"))
}

/// `5%` or `0.5%`, as parts of a thousand.
fn permille(text: &str) -> Fallible<u32> {
    let fault = || format!("{text:?} is no share: expected 5% or 0.5%");
    let number = text.strip_suffix('%').ok_or_else(fault)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u32 = whole.parse().map_err(|_| fault())?;
    let part: u32 = part.parse().map_err(|_| fault())?;
    if whole <= 100 && part <= 9 { Ok(whole * 10 + part) } else { Err(fault()) }
}

fn name_of(claims: &Claims) -> String {
    claims.host.to_string()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
