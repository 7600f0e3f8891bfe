//! Strict documents: TOML text in, a checked value or every fault at once out.
//!
//! One definition of each key ([`Key`], [`Section`]) drives the reader, the example file and the reference page, so that
//! none of them can say what another does not. Used for `policy.toml` here and for `hale.toml` in the daemon.
//! Law D1: any text gives a value or at least one named fault, never a panic.
//! Law D2: no key is ignored: one that is unknown, or known and not yet honoured, is a fault.
//! Not here: the keys themselves (see `policy::keys`), colours, files.

mod fault;
mod form;
mod key;
mod page;
mod place;
mod reader;

pub use fault::{Fault, FaultKind, nearest};
pub use form::{
    Choice, Count, Duration, Flag, Form, Given, Hosts, ListOf, Misfit, Name, OrNone, Program, Text,
    duration_text, read_duration,
};
pub use key::{Described, Key, OptionalKey, Presence, RequiredKey, Section, Shape};
pub use page::{example, reference};
pub use reader::{DOCUMENT_BYTES_MAX, FAULTS_MAX, Reader, Table, read};
