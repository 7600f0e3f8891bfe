//! How the committed state, and the news of who leads, come to every host; and linearizable reads.
//!
//! Law F1: a host never goes back: what is older than what it has is dropped.
//! Not here: what is committed (see `keepers`).

use std::sync::Arc;

use agent::{CallEnd, CallId, Event};
use ledger::Ledger;
use vocabulary::{LedgerIndex, Span};

use crate::fleet::{Fleet, Happening};
use crate::host::{OpenKind, Place};
use crate::keepers::LEASE;

/// A follower without any keeper forgets who led after this.
const FORGETS_AFTER: Span = Span::seconds(2);

/// Somebody's linearizable read.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    pub by: Place,
    pub life: u64,
    pub call: CallId,
    pub index: Option<LedgerIndex>,
}

impl Fleet {
    /// A read is answered by a leader that has just heard a majority, and when the host itself has come so far.
    pub(crate) fn question(&mut self, question: Question) {
        if let Some(index) = question.index {
            let life = self.hosts[question.by].life.as_mut();
            let Some(life) = life.filter(|life| life.boot.number == question.life) else {
                return;
            };
            if let Some(open) = life.open.get_mut(&question.call) {
                open.kind = OpenKind::Read { index: Some(index) };
            }
            return self.end_reads(question.by);
        }
        let ways = self
            .keepers
            .leader
            .filter(|leader| self.has_majority(*leader))
            .and_then(|leader| Some((leader, self.way_between(question.by, leader)?)));
        let Some((leader, ways)) = ways.filter(|_| !self.is_answer_lost()) else {
            return;
        };
        let answered = Question { index: Some(self.keepers.ledger.index()), ..question };
        // To a majority and back, then to the asker.
        let takes = self.ways((leader, question.by), ways.saturating_add(2));
        self.queue.put(self.now.after(takes), Happening::Question(answered));
    }

    fn end_reads(&mut self, place: Place) {
        let Some(life) = &self.hosts[place].life else {
            return;
        };
        let (number, upto) = (life.boot.number, life.upto);
        let ready: Vec<CallId> = life
            .open
            .iter()
            .filter(|(_, open)| {
                matches!(open.kind, OpenKind::Read { index: Some(index) } if index <= upto)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in ready {
            self.end_call(place, number, id, CallEnd::Read { index: upto });
        }
    }

    /// What the leader knows comes to a host through any keeper that has it.
    pub(crate) fn bring_news(&mut self, place: Place) {
        if !self.hosts[place].is_awake() {
            return;
        }
        let ways = self
            .keepers
            .leader
            .filter(|leader| self.hosts[*leader].is_running() && self.hosts[place].is_running())
            .and_then(|leader| Some((leader, self.way_between(leader, place)?)));
        let now = self.now;
        if ways.is_some() {
            self.keepers.had_source[place] = now;
        }
        let silence = now.since(self.keepers.had_source[place]);
        let patience = if self.hosts[place].claims.roles.keeper { LEASE } else { FORGETS_AFTER };
        let Some(life) = &self.hosts[place].life else {
            return;
        };
        let (number, told, upto) = (life.boot.number, life.told_leader, life.upto);
        match ways {
            Some((leader, ways)) => {
                let takes = self.ways((leader, place), ways);
                let ledger = Arc::clone(&self.keepers.ledger);
                let is_abreast = upto >= ledger.index() && told == Some(leader);
                let ways = Some(ways).filter(|_| is_abreast && self.is_sound(place));
                self.keepers.note_abreast(place, ways);
                if upto < ledger.index() {
                    let comes = Happening::LedgerComes(place, number, ledger);
                    self.queue.put(now.after(takes), comes);
                }
                if told != Some(leader) {
                    let news = Happening::LeaderNews(place, number, Some(leader));
                    self.queue.put(now.after(takes), news);
                }
            }
            None if told.is_some() && (self.keepers.leader.is_none() || silence > patience) => {
                self.queue.put(now, Happening::LeaderNews(place, number, None));
            }
            None => {}
        }
    }

    pub(crate) fn ledger_comes(&mut self, place: Place, number: u64, ledger: Arc<Ledger>) {
        let host = &mut self.hosts[place];
        let Some(life) = host
            .life
            .as_mut()
            .filter(|life| life.boot.number == number && life.upto < ledger.index())
        else {
            return;
        };
        life.upto = ledger.index();
        host.kept = Some(Arc::clone(&ledger));
        self.tell(place, Event::LedgerAdvanced { ledger });
        self.end_reads(place);
    }

    pub(crate) fn leader_news(&mut self, place: Place, number: u64, leader: Option<Place>) {
        let Some(life) = self.hosts[place]
            .life
            .as_mut()
            .filter(|life| life.boot.number == number && life.told_leader != leader)
        else {
            return;
        };
        life.told_leader = leader;
        self.keepers.note_abreast(place, None);
        let leader = leader.map(|leader| self.hosts[leader].id);
        self.tell(place, Event::LeadershipChanged { leader });
    }
}
