//! Does the `command` actuator, with real programs under the real `hale guard`, keep the contract of all actuators, and its own?

mod desk;
mod own;

conformance::suite!(desk::Desk::new);
