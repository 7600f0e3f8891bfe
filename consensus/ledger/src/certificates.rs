//! When the certificates of the hosts end.
//!
//! Law F6: under the second rules the ledger keeps the end of the certificate that each host has enrolled last, for people and
//! alarms alone: no decision reads it (protocol 5). What is retired is forgotten.
//! Not here: whether a certificate is sound (see `founding`), and who is told (see `daemon`).

use std::sync::Arc;

use vocabulary::{CertificateChain, HostId, Verifier};

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
