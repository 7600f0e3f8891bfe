//! How a host comes into the roster and stays known in its present life (protocol 1.2, 1.3).
//!
//! Law N1: a host proposes itself until the committed roster shows its certificate, its boot and its address, and the ledger
//! its certificate's end and the FleetLock client that it is; after that it proposes nothing.
//! Not here: what makes a certificate sound (the ledger says), and raising the boot number (the shell did, before the first packet).

use ledger::bindings::FleetLockId;
use ledger::command::{Command, Outcome, Refused};
use ledger::{Ledger, rules};
use vocabulary::{
    Address, Boot, CertificateChain, HostId, LedgerIndex, Moment, PublicKey, Span, StoreId,
};

/// Between two tries: the answer seldom changes sooner.
const PAUSE: Span = Span::seconds(1);

/// After a refusal: it takes a person, or the end of a case, and every try is an entry of the ledger. It doubles.
const REFUSED_PAUSE: Span = Span::seconds(10);

/// The longest such wait: how long a host may stay away after what was refused would be granted.
const REFUSED_PAUSE_MAX: Span = Span::seconds(120);

/// Of all hosts of a mesh one in so long tells the ledger when its certificate ends, once the rules have a place for it.
const END_TOLD_EVERY: Span = Span::milliseconds(20);

/// Who this host says it is, in this life.
#[derive(Clone, Debug)]
pub struct Presence {
    /// Its id.
    pub me: HostId,
    /// Its certificate.
    pub chain: CertificateChain,
    /// The certificate's key.
    pub key: PublicKey,
    /// When the certificate ends, in seconds of the Unix epoch: for people alone.
    pub ends: Option<u64>,
    /// This life.
    pub boot: Boot,
    /// Where it is reached.
    pub address: Address,
    /// A keeper's store.
    pub store: Option<StoreId>,
    /// The FleetLock client of this host, if its agent was told of one (protocol 6.12).
    pub client: Option<FleetLockId>,
}

/// The host's own way into the roster.
pub struct Enrolment {
    presence: Presence,
    is_asking: bool,
    /// Whether anything was missing when it was last looked for.
    is_wanting: bool,
    not_before: Moment,
    /// How long the next refusal is slept over.
    refused_pause: Span,
    /// When the ledger is to be told of the certificate's end, where that alone is missing.
    end_due: Option<Moment>,
    /// Whether the policy, as this host knows it, wants a person to add this host first (protocol 1.3).
    is_kept_out: bool,
    refusal: Option<Refused>,
    /// The committed state in which nothing was missing: until there is another, nothing is.
    complete_at: Option<LedgerIndex>,
}

impl Enrolment {
    /// Nothing proposed yet.
    pub fn new(presence: Presence) -> Self {
        Self {
            presence,
            is_asking: false,
            is_wanting: false,
            not_before: Moment::default(),
            refused_pause: REFUSED_PAUSE,
            end_due: None,
            is_kept_out: false,
            refusal: None,
            complete_at: None,
        }
    }

    /// Another certificate is in use: what the ledger said of the one before says nothing of this one.
    pub fn renewed(&mut self, chain: CertificateChain, key: PublicKey, ends: Option<u64>) {
        self.presence = Presence { chain, key, ends, ..self.presence.clone() };
        self.not_before = Moment::default();
        self.refused_pause = REFUSED_PAUSE;
        self.end_due = None;
        self.refusal = None;
        self.complete_at = None;
    }

    /// What to propose now, if anything.
    pub fn advance(&mut self, now: Moment, ledger: &Ledger) -> Option<Command> {
        if self.complete_at == Some(ledger.index()) {
            return None;
        }
        self.see_whether_granted(ledger);
        let command = self.missing(ledger).or_else(|| self.end_untold(now, ledger));
        let command = command.or_else(|| self.unbound(ledger));
        self.is_wanting = command.is_some();
        self.complete_at = command.is_none().then(|| ledger.index());
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
        self.end_due = None;
        if matches!(outcome, Some(Outcome::Refused(_))) {
            self.not_before = now.after(self.refused_pause);
            self.refused_pause = self.refused_pause.times(2).min(REFUSED_PAUSE_MAX);
        } else {
            self.not_before = now.after(PAUSE);
            self.refused_pause = REFUSED_PAUSE;
        }
        if let Some(outcome) = outcome {
            self.refusal = match outcome {
                Outcome::Refused(refusal) => Some(refusal),
                Outcome::Done
                | Outcome::Findings(_)
                | Outcome::Leased { .. }
                | Outcome::Intended { .. }
                | Outcome::Window { .. }
                | Outcome::Policy { .. } => None,
            };
        }
    }

    /// Why the ledger does not take this host, for `hale status`.
    pub fn refusal(&self) -> Option<&Refused> {
        self.refusal.as_ref()
    }

    /// What was refused for want of a person's word is asked for again as soon as that word is known here.
    fn see_whether_granted(&mut self, ledger: &Ledger) {
        let was_kept_out = self.is_kept_out;
        self.is_kept_out = !ledger.may_enrol(&self.presence.me);
        if was_kept_out && !self.is_kept_out {
            self.not_before = Moment::default();
            self.refused_pause = REFUSED_PAUSE;
        }
    }

    /// The ledger has a place for the end of this certificate and does not know it. All hosts learn that at one moment, so that
    /// each waits for a turn of its own.
    fn end_untold(&mut self, now: Moment, ledger: &Ledger) -> Option<Command> {
        let me = self.presence.me;
        let is_untold = |end: &u64| ledger.lacks_certificate_end(&me, *end);
        let present = ledger.roster().get(&me).is_some();
        if !present || self.presence.ends.filter(is_untold).is_none() {
            return None;
        }
        let turns = u64::try_from(ledger.roster().present_count()).unwrap_or(u64::MAX).max(1);
        let turn = u64::from(u32::from_be_bytes([me.0[0], me.0[1], me.0[2], me.0[3]])) % turns;
        let due = *self.end_due.get_or_insert(now.after(END_TOLD_EVERY.times(turn)));
        self.not_before = self.not_before.max(due);
        Some(Command::Enrol(self.presence.chain.clone()))
    }

    /// protocol 6.12: that the client is bound to another host is a person's to mend, not this host's.
    fn unbound(&self, ledger: &Ledger) -> Option<Command> {
        let Presence { me, client, .. } = &self.presence;
        let client = client.as_ref().filter(|client| ledger.can_bind(client, me))?;
        let may_bind = ledger.rules() >= rules::SECOND && ledger.roster().get(me).is_some();
        let (client, host) = (client.clone(), Some(*me));
        may_bind.then_some(Command::BindClient { client, host, order: None })
    }

    fn missing(&self, ledger: &Ledger) -> Option<Command> {
        let Presence { me, chain, key, boot, address, store, ends: _, client: _ } = &self.presence;
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
