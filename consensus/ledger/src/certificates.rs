//! When the certificates of the hosts end, and which authorities vouch for them.
//!
//! Law F6: under the second rules the ledger keeps the end of the certificate that each host has enrolled last, for people and
//! alarms alone: no decision reads it (protocol 5). What is retired is forgotten.
//! Law F7: authorities are changed by a person alone, and never all at once: one that vouches today is among those of tomorrow.
//! Who is in the roster stays there, whoever has vouched for it.
//! Not here: whether a certificate is sound (see `founding`), and who is told (see `daemon`).

use std::sync::Arc;

use vocabulary::{CertificateChain, Digest, HostId, Verifier};

use crate::audit::What;
use crate::command::{Order, Outcome, Refused};
use crate::founding::Founding;
use crate::ledger::Ledger;
use crate::rules;

impl Ledger {
    /// When the host's certificate ends, in seconds of the Unix epoch, as far as it has been told.
    pub fn certificate_end(&self, host: &HostId) -> Option<u64> {
        self.state.added.certificate_ends.get(host).copied()
    }

    /// Whether the host ought to enrol its certificate again so that its end, this one, is known.
    pub fn lacks_certificate_end(&self, host: &HostId, end: u64) -> bool {
        self.state.rules >= rules::SECOND && self.certificate_end(host) != Some(end)
    }

    /// Law F7.
    pub(crate) fn trust(
        &mut self,
        by: HostId,
        authorities: &[Vec<u8>],
        order: &Order,
    ) -> Result<Outcome, Refused> {
        self.ordered(by, order)?;
        let founding = self.state.founding.clone().ok_or(Refused::NotFounded)?;
        if self.state.rules < rules::SECOND {
            let why = "authorities are changed under rules 2, which are not in force yet";
            return Err(Refused::NotPermitted(why.into()));
        }
        Founding::bounded(authorities)?;
        if !authorities.iter().any(|authority| founding.authorities.contains(authority)) {
            return Err(Refused::NotPermitted(
                "none of these authorities vouches today; name the new one beside the old one first".into(),
            ));
        }
        if *authorities == founding.authorities {
            return Ok(Outcome::Done);
        }
        let all: Vec<&[u8]> = authorities.iter().map(Vec::as_slice).collect();
        self.record(What::AuthoritiesSet {
            count: u32::try_from(all.len()).unwrap_or(u32::MAX),
            digest: Digest::of(&all),
            who: order.who.clone(),
            why: order.why.clone(),
        });
        let authorities = authorities.to_vec();
        self.state.founding =
            Some(Arc::new(Founding { authorities, ..Founding::clone(&founding) }));
        Ok(Outcome::Done)
    }

    /// Law F6: a certificate has been found sound. At most as many as hosts.
    pub(crate) fn note_certificate_end(
        &mut self,
        host: HostId,
        chain: &CertificateChain,
        verifier: &dyn Verifier,
    ) {
        if self.state.rules < rules::SECOND {
            return;
        }
        let known = self.certificate_end(&host);
        let end = verifier.end(chain);
        if end != known {
            let ends = Arc::make_mut(&mut self.state.added.certificate_ends);
            match end {
                Some(end) => ends.insert(host, end),
                None => ends.remove(&host),
            };
        }
    }

    /// Law F6.
    pub(crate) fn forget_certificate_end(&mut self, host: &HostId) {
        if self.certificate_end(host).is_some() {
            Arc::make_mut(&mut self.state.added.certificate_ends).remove(host);
        }
    }
}
