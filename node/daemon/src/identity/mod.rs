//! Who this host is: its certificate, its key, its authorities.

pub mod certificate;
