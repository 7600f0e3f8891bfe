//! Panics that are somebody's answer: what reads damaged bytes or steps an unlawful entry may panic, and its panic is a fault
//! of that step, not the end of the agent (protocol 1.8, 1.9).

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Does the job; its panic comes back as words.
pub fn contained<T>(job: impl FnOnce() -> T) -> Result<T, String> {
    let _inside = Inside::enter();
    catch_unwind(AssertUnwindSafe(job)).map_err(|panic| words(&*panic).to_owned())
}

/// Whether a panic here and now is somebody's answer: a panic hook leaves it alone.
pub fn is_contained() -> bool {
    DEPTH.get() > 0
}

struct Inside;

impl Inside {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_words_and_is_known_as_contained_while_it_lasts() {
        assert!(!is_contained());
        assert_eq!(contained(is_contained), Ok(true));
        let nested = contained(|| {
            let inner = contained(|| panic!("law {}", 7));
            (inner, is_contained())
        });
        let inner: Result<(), String> = Err("law 7".to_owned());
        assert_eq!(nested, Ok((inner, true)));
        assert!(!is_contained());
    }
}
