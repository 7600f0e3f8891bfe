//! The identity in force of a running agent, and the one way in which another takes its place (protocol 1.3).
//!
//! Law CR1: it changes as a whole or not at all: whoever shows a certificate, signs or enrols has the same identity from one
//! moment to the next; a key signs when the roster knows it (see `agent::keyring`).
//! Law CR2: no standing connection ends for it.
//! Not here: files and signals (see `renewing`), and whether one may follow another (see `identity::renewal`).

use std::sync::{Arc, Mutex};

use agent::Renewed;
use replication::watch;

use super::door::held;
use super::mind::OwnSigner;
use crate::identity::{Identity, Renewal, RenewalFault, renewal};
use crate::transport::Transport;

/// The identity in force; cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    in_force: Arc<Mutex<Arc<Identity>>>,
    transport: Transport,
    to_loop: watch::Sender<Option<Renewed>>,
}

impl Credentials {
    /// What the agent has started with.
    pub(super) fn new(identity: Arc<Identity>, transport: Transport) -> Self {
        let to_loop = watch::Sender::new(None);
        Self { in_force: Arc::new(Mutex::new(identity)), transport, to_loop }
    }

    /// Who this host is, and with which certificate, now.
    pub fn in_force(&self) -> Arc<Identity> {
        Arc::clone(&held(&self.in_force))
    }

    /// For the loop: the newest certificate that came after the start. One that another overtakes is not missed.
    pub(super) fn renewals(&self) -> watch::Receiver<Option<Renewed>> {
        self.to_loop.subscribe()
    }

    /// What [`Credentials::take`] would come to.
    pub fn rehearse(&self, next: &Identity) -> Result<Renewal, RenewalFault> {
        renewal::judge(&self.in_force(), next)
    }

    /// Takes another identity of this host into use: new handshakes show it from now on, and the mesh is told.
    pub fn take(&self, next: Identity) -> Result<Renewal, RenewalFault> {
        let renewal = self.rehearse(&next)?;
        if renewal == Renewal::Same {
            return Ok(renewal);
        }
        let next = Arc::new(next);
        self.transport
            .renew(Arc::clone(&next))
            .map_err(|fault| RenewalFault::Unusable(fault.to_string()))?;
        *held(&self.in_force) = Arc::clone(&next);
        let chain = next.chain().clone();
        self.to_loop.send_replace(Some(Renewed { chain, signer: Arc::new(OwnSigner(next)) }));
        Ok(renewal)
    }
}
