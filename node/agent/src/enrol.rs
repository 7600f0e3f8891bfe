//! How a host comes into the roster and stays known in its present life (protocol 1.2, 1.3).
//!
//! Law N1: a host proposes itself until the committed roster shows its certificate, its boot and its address; after that it
//! proposes nothing.
//! Not here: what makes a certificate sound (the ledger says), and raising the boot number (the shell did, before the first packet).

use ledger::Ledger;
use ledger::command::{Command, Outcome, Refused};
use vocabulary::{Address, Boot, CertificateChain, HostId, Moment, PublicKey, Span, StoreId};

/// Between two tries: the answer seldom changes sooner.
const PAUSE: Span = Span::seconds(1);

/// After a refusal: it takes a person, or the end of a case, and every try is an entry of the ledger.
const REFUSED_PAUSE: Span = Span::seconds(10);

/// Who this host says it is, in this life.
#[derive(Clone, Debug)]
pub struct Presence {
    /// Its id.
    pub me: HostId,
    /// Its certificate.
    pub chain: CertificateChain,
    /// The certificate's key.
    pub key: PublicKey,
    /// This life.
    pub boot: Boot,
    /// Where it is reached.
    pub address: Address,
    /// A keeper's store.
    pub store: Option<StoreId>,
}

/// The host's own way into the roster.
pub struct Enrolment {
    presence: Presence,
    is_asking: bool,
    /// Whether anything was missing when it was last looked for.
    is_wanting: bool,
    not_before: Moment,
    refusal: Option<Refused>,
}

impl Enrolment {
    /// Nothing proposed yet.
    pub fn new(presence: Presence) -> Self {
        Self {
            presence,
            is_asking: false,
            is_wanting: false,
            not_before: Moment::default(),
            refusal: None,
        }
    }

    /// Another certificate is in use: what the ledger said of the one before says nothing of this one.
    pub fn renewed(&mut self, chain: CertificateChain, key: PublicKey) {
        self.presence.chain = chain;
        self.presence.key = key;
        self.refusal = None;
    }

    /// What to propose now, if anything.
    pub fn advance(&mut self, now: Moment, ledger: &Ledger) -> Option<Command> {
        let command = self.missing(ledger);
        self.is_wanting = command.is_some();
        let command = command.filter(|_| !self.is_asking && now >= self.not_before)?;
        self.is_asking = true;
        Some(command)
    }

    /// When to try again without any event.
    pub fn next_deadline(&self) -> Option<Moment> {
        (self.is_wanting && !self.is_asking).then_some(self.not_before)
    }

    /// The ledger has answered, or has not.
    pub fn ended(&mut self, now: Moment, outcome: Option<Outcome>) {
        self.is_asking = false;
        let is_refused = matches!(outcome, Some(Outcome::Refused(_)));
        self.not_before = now.after(if is_refused { REFUSED_PAUSE } else { PAUSE });
        if let Some(outcome) = outcome {
            self.refusal = match outcome {
                Outcome::Refused(refusal) => Some(refusal),
                Outcome::Done
                | Outcome::Findings(_)
                | Outcome::Leased { .. }
                | Outcome::Intended { .. }
                | Outcome::Policy { .. } => None,
            };
        }
    }

    /// Why the ledger does not take this host, for `hale status`.
    pub fn refusal(&self) -> Option<&Refused> {
        self.refusal.as_ref()
    }

    fn missing(&self, ledger: &Ledger) -> Option<Command> {
        let Presence { me, chain, key, boot, address, store } = &self.presence;
        if !ledger.is_founded()
            || ledger.roster().get_even_retired(me).is_some_and(|entry| entry.is_retired)
        {
            return None;
        }
        let entry = ledger.roster().get(me);
        let speaks = entry.is_some_and(|entry| entry.keys.iter().any(|(_, own)| own == key));
        if !speaks {
            // protocol 1.3: what waits for the next epoch is not asked for again.
            let waits = ledger.is_enrolling(me, key);
            return (!waits).then(|| Command::Enrol(chain.clone()));
        }
        let is_known = entry.is_some_and(|entry| {
            entry.boot == Some(*boot) && entry.address == Some(*address) && entry.store == *store
        });
        if is_known {
            None
        } else {
            Some(Command::Boot { boot: *boot, address: *address, store: *store })
        }
    }
}
