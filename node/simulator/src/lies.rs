//! What leaves a host whose agent lies: its certificate is sound and so are its signatures, but they are under what is not so.
//!
//! Law N1: a liar signs with its own key alone; it can lend its voice to anything and nobody else's to anything.
//! Law N2: liars that lie alike say the same of each subject in a round: they need no word between them.
//! Not here: who believes it (nobody ought to), and which hosts lie (a script says so).

use std::fmt;

use agent::{AskId, CallId, Effect};
use vocabulary::{
    Attestation, CheckWord, Grade, HostId, ModelSigner, Path, PathReading, Reading, SelfAnswer,
};
use wire::{DoubtNote, Report, Request, Response, UnfitNote};

use crate::fleet::Fleet;
use crate::host::Place;
use crate::setup::CLUSTER;

/// A slanderer tells the leader that it doubts everybody in every such beat of the keepers: ten make a second.
const BEATS_BETWEEN: u64 = 10;

/// So often it says the same in the same instant where it floods.
const FLOODED: usize = 40;

/// How old a slanderer says that its doubts are: older than any wait that a leader has for young ones, and than what is news to
/// whoever counts a surge.
const AGE_MS: u64 = 60_000;

/// What a liar asks past its own mind: no mind ever draws so high a number, so nobody waits for the end.
pub(crate) const FORGED_CALL: CallId = CallId(u64::MAX);

/// How a host lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Everybody whom it is asked about is dead or fails its checks, and it says so of everybody.
    Accuses,
    /// Everybody whom it is asked about is well.
    Praises,
    /// It answers no round and carries no question.
    Hides,
    /// It gives what it signed for the round before.
    Repeats,
    /// It accuses, forty times over, and reports everybody.
    Floods,
    /// It puts verdicts in others' names before the ledger, and orders of leases that are not its own.
    Forges,
    /// Each time another of these, by chance.
    Wavers,
    /// It lies no more.
    Ends,
}

/// What a liar keeps.
#[derive(Clone, Debug)]
pub(crate) struct Liar {
    lie: Lie,
    /// What it would have signed of the round before.
    last: Option<Box<Attestation>>,
    /// And of the check before.
    last_word: Option<Box<CheckWord>>,
    beats: u64,
}

impl Fleet {
    /// From now on this host lies so.
    pub(crate) fn lie(&mut self, place: Place, lie: Lie) {
        let liar = Liar { lie, last: None, last_word: None, beats: 0 };
        self.hosts[place].liar = Some(Box::new(liar)).filter(|_| lie != Lie::Ends);
    }

    /// What becomes of what this host's mind wants; nothing of what it swallows.
    pub(crate) fn bent(&mut self, place: Place, effect: Effect) -> Option<Effect> {
        // Chance is asked only about what is lied about.
        if !matches!(
            effect,
            Effect::Answer { .. }
                | Effect::Call { request: Request::Doubts(_) | Request::Unfit(_), .. }
        ) {
            return Some(effect);
        }
        match (self.lie_now(place), effect) {
            (Some(lie), Effect::Answer { id, response }) => {
                self.bent_answer(place, lie, (id, response))
            }
            (Some(Lie::Accuses | Lie::Floods), Effect::Call { id, to, within, request }) => {
                let request = match request {
                    Request::Unfit(_) => Request::Unfit(self.unfit_of_all()),
                    _ => Request::Doubts(self.doubts_of_all(place)),
                };
                Some(Effect::Call { id, to, request, within })
            }
            (_, effect) => Some(effect),
        }
    }

    /// At each beat: a slanderer tells the leader whom it doubts, asked or not, and a forger asks for what is not its to ask.
    pub(crate) fn slander(&mut self) {
        for place in 0..self.hosts.len() {
            let Some(liar) = &mut self.hosts[place].liar else {
                continue;
            };
            liar.beats += 1;
            let (beats, turn) = (liar.beats, liar.beats / BEATS_BETWEEN);
            let turn = usize::try_from(turn).unwrap_or(0);
            if !beats.is_multiple_of(BEATS_BETWEEN) || !self.hosts[place].is_running() {
                continue;
            }
            match self.lie_now(place) {
                Some(Lie::Accuses) => self.slander_once(place),
                Some(Lie::Floods) => {
                    for _ in 0..FLOODED {
                        self.slander_once(place);
                    }
                    self.report_all(place);
                }
                Some(Lie::Forges) => self.forge(place, turn),
                _ => {}
            }
        }
    }

    /// How it lies this time.
    fn lie_now(&mut self, place: Place) -> Option<Lie> {
        match self.hosts[place].liar.as_ref()?.lie {
            Lie::Wavers => {
                let all = [Lie::Accuses, Lie::Praises, Lie::Hides, Lie::Repeats, Lie::Forges];
                let drawn = usize::try_from(self.network.draw(all.len() as u64)).unwrap_or(0);
                Some(all[drawn])
            }
            lie => Some(lie),
        }
    }

    fn bent_answer(
        &mut self,
        place: Place,
        lie: Lie,
        (id, response): (AskId, Response),
    ) -> Option<Effect> {
        let me = self.hosts[place].id;
        let response = match response {
            Response::Attested { attestation, answer } => {
                self.bent_word(place, lie, (attestation, answer))
            }
            Response::CheckWord(word) => self.bent_check(place, lie, word),
            // A question that it was to carry to another.
            Response::Answered(answer) if answer.subject != me => Some(Response::SubjectSilent),
            other => Some(other),
        };
        if response.is_none()
            && let Some(life) = &mut self.hosts[place].life
        {
            life.asks.remove(&id);
        }
        response.map(|response| Effect::Answer { id, response })
    }

    fn bent_word(
        &mut self,
        place: Place,
        lie: Lie,
        (attestation, answer): (Box<Attestation>, Option<Box<SelfAnswer>>),
    ) -> Option<Response> {
        let signer = ModelSigner::new(&self.hosts[place].claims.host);
        let liar = self.hosts[place].liar.as_mut()?;
        let last = liar.last.replace(attestation.clone());
        let say = |attestation| Some(Response::Attested { attestation, answer: None });
        match lie {
            Lie::Accuses | Lie::Floods => {
                let dead = painted(*attestation, Grade::Failed);
                say(Box::new(dead.signed(CLUSTER, &signer)))
            }
            Lie::Praises => {
                let well = painted(*attestation, Grade::Ok);
                say(Box::new(well.signed(CLUSTER, &signer)))
            }
            Lie::Hides => None,
            Lie::Repeats => say(last.unwrap_or(attestation)),
            Lie::Forges | Lie::Wavers | Lie::Ends => {
                Some(Response::Attested { attestation, answer })
            }
        }
    }

    /// The same of a check.
    fn bent_check(&mut self, place: Place, lie: Lie, word: Box<CheckWord>) -> Option<Response> {
        let signer = ModelSigner::new(&self.hosts[place].claims.host);
        let liar = self.hosts[place].liar.as_mut()?;
        let last = liar.last_word.replace(word.clone());
        let graded =
            |grade| Box::new(CheckWord { grade, ..*word.clone() }.signed(CLUSTER, &signer));
        let word = match lie {
            Lie::Accuses | Lie::Floods => graded(Grade::Failed),
            Lie::Praises => graded(Grade::Ok),
            Lie::Hides => return None,
            Lie::Repeats => last.unwrap_or(word),
            Lie::Forges | Lie::Wavers | Lie::Ends => word,
        };
        Some(Response::CheckWord(word))
    }

    fn slander_once(&mut self, place: Place) {
        let doubts = self.doubts_of_all(place);
        self.say_to_leader(place, &Request::Doubts(doubts));
        let notes = self.unfit_of_all();
        if !notes.is_empty() {
            self.say_to_leader(place, &Request::Unfit(notes));
        }
    }

    fn report_all(&mut self, place: Place) {
        for note in self.doubts_of_all(place) {
            let report =
                Report { subject: note.subject, who: "a liar".into(), failed: "everything".into() };
            self.say_to_leader(place, &Request::Report(report));
        }
    }

    /// Past its own mind, which never learns what came of it.
    fn say_to_leader(&mut self, place: Place, request: &Request) {
        if let Some(leader) = self.keepers.leader.filter(|leader| *leader != place) {
            self.send_ask(place, leader, (FORGED_CALL, request));
        }
    }

    fn unfit_of_all(&self) -> Vec<UnfitNote> {
        let ledger = &self.keepers.ledger;
        let all = ledger.roster().present().flat_map(|(host, entry)| {
            let checks = ledger.checks_of(host).into_iter();
            checks.map(|check| UnfitNote {
                subject: *host,
                boot: entry.boot.unwrap_or_default(),
                check: check.name.clone(),
            })
        });
        all.collect()
    }

    fn doubts_of_all(&self, place: Place) -> Vec<DoubtNote> {
        let me = self.hosts[place].id;
        let present = self.keepers.ledger.roster().present();
        let others = present.filter(|(host, _)| **host != me);
        let note = |(host, boot): (HostId, _)| DoubtNote { subject: host, boot, age_ms: AGE_MS };
        others.filter_map(|(host, entry)| Some(note((*host, entry.boot?)))).collect()
    }
}

/// The same look with other readings. How a subject is said to be dead follows from the round (law N2).
pub(crate) fn painted(mut attestation: Attestation, grade: Grade) -> Attestation {
    let port = match attestation.anchor.index.0 % 3 {
        0 => Reading::Refused,
        1 => Reading::Accepted,
        _ => Reading::Silent,
    };
    let is_well = grade == Grade::Ok;
    let of = |path| {
        let dead = if path == Path::AgentPort { port } else { Reading::Silent };
        PathReading { path, reading: if is_well { Reading::Answered } else { dead } }
    };
    attestation.grade = grade;
    attestation.paths = [Path::Warm, Path::Stream, Path::FreshDial, Path::AgentPort].map(of).into();
    attestation.late_ms = 0;
    attestation
}

impl Lie {
    /// Every word for one.
    pub(crate) const WORDS: [(&'static str, Self); 8] = [
        ("accuses", Self::Accuses),
        ("praises", Self::Praises),
        ("hides", Self::Hides),
        ("repeats", Self::Repeats),
        ("floods", Self::Floods),
        ("forges", Self::Forges),
        ("wavers", Self::Wavers),
        ("ends", Self::Ends),
    ];
}

impl fmt::Display for Lie {
    /// As a trace says it of the hosts before it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Accuses => "says of everybody that it is dead",
            Self::Praises => "says of everybody that it is well",
            Self::Hides => "answers no round and carries no question",
            Self::Repeats => "says what it said in the round before",
            Self::Floods => "says of everybody that it is dead, over and over",
            Self::Forges => "forges verdicts and the orders of leases",
            Self::Wavers => "lies now so and now so",
            Self::Ends => "lies no more",
        })
    }
}
