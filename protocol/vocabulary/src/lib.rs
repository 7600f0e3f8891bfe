//! The nouns that two or more rooms share, and the bytes that are signed.
//!
//! A word enters here only when a second room needs it. Every type is plain, ordered, serialisable and holds its own
//! bounds: a value that exists is a value that may be trusted to be within them.
//! Not here: how bytes travel (see `wire`), what may be concluded (see `detection`), what is decided (see `ledger`).

pub mod actuation;
pub mod canonical;
pub mod checking;
pub mod digest;
pub mod host;
pub mod keys;
pub mod looking;
pub mod model_keys;
pub mod name;
pub mod number;
pub mod remedy;
pub mod time;
pub mod verdict;

pub use canonical::{Canonical, CanonicalBytes};
pub use checking::{CheckFrom, CheckGrounds, CheckWord};
pub use digest::Digest;
pub use host::{Address, Boot, Claims, Domain, HostId, Roles, Zone};
pub use keys::{CertificateChain, CertificateFault, PublicKey, Signature, Signer, Verifier};
pub use looking::{
    Anchor, Answer, Attestation, Grade, Life, Path, PathReading, Reading, SelfAnswer, Voice,
};
pub use model_keys::{
    ModelSigner, ModelVerifier, model_authority, model_chain, model_chain_for, model_chain_until,
};
pub use name::{ClusterName, GroupName, HostName, Label, LabelFault};
pub use number::{CaseId, Epoch, Fence, LedgerIndex, RemedyId, Sequence, StoreId};
pub use remedy::{Receipt, ReceiptKind, RemedyClass};
pub use time::{LedgerTime, Moment, Span, WallNote};
pub use verdict::{Grounds, Scope, VerdictKind};
