//! Drives `fuzz::fleetlock`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::end_at_panics(), |bytes: &[u8]| fuzz::fleetlock(bytes));
