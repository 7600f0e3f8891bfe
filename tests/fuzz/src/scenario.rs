//! A scenario file: the words of a person, and what becomes of a virtual fleet by them.

use std::ops::ControlFlow;

use simulator::script::{Script, ScriptFault};
use simulator::{Breach, Fault, Fleet};

/// Fleets that are played; larger ones are read alone (law FZ2).
const HOSTS_MAX: usize = 6;

/// Events that are played from the founding on: enough to be enrolled, to doubt and to be struck (law FZ2).
const EVENTS_MAX: usize = 600;

/// Longest fault: it may quote a word, and a word may be a line.
const FAULT_BYTES_FIXED: usize = 1024;

/// The text. Bytes that are no text are none: a file is refused before.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Script::read(text) {
        Err(fault) => told(&fault, text),
        Ok(script) => {
            kept(&script);
            // The beginning of a calm fleet takes forty seconds of virtual time, unwatched: what is played is struck as it is founded.
            let script = Script::read(&format!("from founding\n{text}"));
            played(&script.expect("a line that is understood, before lines that are"));
        }
    }
}

/// Law L1 of `script`: a line that is not understood is a fault that names it.
fn told(fault: &ScriptFault, text: &str) {
    let said = fault.to_string();
    assert!(!said.is_empty(), "law L1: a fault says something");
    assert!(!said.contains(char::is_control), "no fault breaks a line: {said:?}");
    assert!(said.len() <= FAULT_BYTES_FIXED + 8 * text.len(), "a fault of {} bytes", said.len());
    if let ScriptFault::Line { at, .. } = fault {
        let lines = text.lines().count();
        assert!((1..=lines).contains(&at.line), "it names one of {lines} lines: {said}");
        let letters = text.lines().nth(at.line - 1).map_or(0, |line| line.chars().count());
        assert!((1..=letters.max(1)).contains(&at.column), "a column of {letters}: {said}");
    }
}

/// What is written anew with its own trace is the same script, and the same of its own hosts.
fn kept(script: &Script) {
    let whole = script.with_trace(script.golden());
    let again = Script::read(&whole).expect("a script with its trace is a script");
    // By lines: where a file's last line ends in a lone carriage return, this and the break behind it are one.
    let written = again.with_trace(again.golden());
    assert!(written.lines().eq(whole.lines()), "it is written as it was read");
    let hosts = script.setup().hosts.clone();
    let same = script.clone().with_hosts(hosts).expect("it speaks of its own hosts");
    assert_eq!(same.with_trace(same.golden()), whole, "its own hosts change nothing");
}

/// Law L2 of `script`, and the laws that the simulator watches from outside, where nobody lies.
fn played(script: &Script) {
    if script.setup().hosts.len() > HOSTS_MAX {
        return;
    }
    let Some((trace, breaches)) = play(script) else {
        return;
    };
    assert_eq!(play(script).map(|(trace, _)| trace), Some(trace), "law L2: one script, one trace");
    let is_honest = !script.faults().any(|fault| matches!(fault, Fault::Lie { .. }));
    assert!(!is_honest || breaches.is_empty(), "a law is broken: {breaches:#?}");
}

/// The first events; nothing where there is no such fleet.
fn play(script: &Script) -> Option<(String, Vec<Breach>)> {
    let mut left = EVENTS_MAX;
    let mut watch = |_: &Fleet| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    match script.play_watched(&mut watch) {
        Ok(fleet) => {
            let trace = fleet.trace().iter().map(|line| format!("{line}\n")).collect();
            Some((trace, fleet.breaches().to_vec()))
        }
        Err(fault) => {
            assert!(!fault.to_string().is_empty(), "a fault says something");
            None
        }
    }
}
