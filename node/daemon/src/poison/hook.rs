//! What is done when something of the loop's thread panics.
//!
//! Law PO1. A panic that is somebody's answer (`replication::contained`) is left to whoever waits for it, and so is one of
//! openraft's own: Raft says by itself that it has ended, and the agent goes on as a follower.

use std::backtrace::Backtrace;
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::thread::{self, ThreadId};

use super::held::{held_now, is_perhaps_another};
use super::quarantine::keep;
use crate::command_line::Exit;

/// From now on a panic of this thread ends the process; `folder` is where what it was handling is kept.
pub fn arm(folder: PathBuf) {
    let of_the_loop = thread::current().id();
    panic::set_hook(Box::new(move |panic| {
        if ends_the_agent(of_the_loop, panic) {
            say(&folder, panic);
            std::process::exit(Exit::Bug as i32);
        }
        if !replication::is_contained() {
            tracing::error!("a fault of hale's own, beside the loop: {}", in_words(panic));
        }
    }));
}

fn ends_the_agent(of_the_loop: ThreadId, panic: &PanicHookInfo<'_>) -> bool {
    let is_openrafts = panic.location().is_some_and(|place| place.file().contains("/openraft-"));
    thread::current().id() == of_the_loop && !replication::is_contained() && !is_openrafts
}

fn say(folder: &Path, panic: &PanicHookInfo<'_>) {
    let said = in_words(panic);
    tracing::error!("a fault of hale's own ends this agent; nothing is released: {said}");
    if let Some(input) = held_now() {
        match keep(folder, (&input, is_perhaps_another()), &said) {
            Ok((path, seen)) => {
                tracing::error!(path = %path.display(), seen, "what it was handling is kept");
            }
            Err(fault) => tracing::error!(%fault, "what it was handling could not be kept"),
        }
    }
    // Only where RUST_BACKTRACE asks for it.
    tracing::error!("{}", Backtrace::capture());
}

fn in_words(panic: &PanicHookInfo<'_>) -> String {
    let said = panic.payload_as_str().unwrap_or("no words");
    panic.location().map_or_else(|| said.to_owned(), |place| format!("{said}, at {place}"))
}
