//! Claims about the transport, made over real UDP on loopback with real certificates.

mod admission;
mod credulous;
mod fleet;
mod hostile;
mod lives;
mod memory;
mod muffled;
mod mute;
mod raw;
mod traffic;
mod versions;
