//! Twelve real agents on hosts of their own: is nobody condemned for what a network or a slow machine does, and is found and healed
//! what is truly gone?
//!
//! Each story has namespaces of its own and needs root; `HALE_HOSTS` sets another number of hosts (`just cluster`: 50).
//! Law T1 (see `cluster::mesh`): a claim rests on agents' answers, on the committed audit, and on what the remedy wrote down itself.
//! Not here: what modelled hosts do under the same faults (see `tests/experiments`).

mod explained;
mod gone;
mod network;
mod upkeep;
mod world;
