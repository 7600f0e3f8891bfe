//! How systemd is told: datagrams to the socket that it names in `NOTIFY_SOCKET`; without one nobody is told.
//!
//! Such a datagram waits where systemd itself is stuck, so only the sentry's own thread sends any (law SW1).

use sd_notify::NotifyState;
use vocabulary::Span;

use super::voice::Word;

/// After which silence systemd ends this very process, if it does.
pub(super) fn watchdog() -> Option<Span> {
    let within = sd_notify::watchdog_enabled()?;
    Some(Span::milliseconds(u64::try_from(within.as_millis()).unwrap_or(u64::MAX)))
}

/// Says it, for all that it is worth: an agent without systemd is as good an agent.
pub(super) fn say(word: &Word) {
    let said = match word {
        Word::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Word::Status(line) => sd_notify::notify(&[NotifyState::Status(line)]),
        Word::Watchdog => sd_notify::notify(&[NotifyState::Watchdog]),
        Word::Reloading => NotifyState::monotonic_usec_now()
            .and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now])),
        Word::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    };
    if let Err(fault) = said {
        tracing::debug!(%fault, ?word, "systemd could not be told");
    }
}
