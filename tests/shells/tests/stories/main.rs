//! Stories of whole daemons in virtual time. Each world has a seed; a failed story prints it.

mod calm;
mod chaos;
mod faults;
mod keepers;
mod membership;
mod newcomers;
mod policy;
mod trace;
