//! When do the certificates of this host end, and when is that said (ARCHITECTURE 5)?
//!
//! Law AL1: from 30 days before its end every loaded certificate, authorities included, is told of: in `hale status` all the
//! time, in the log at the start, at 30, 7 and 1 days, at its end, and once a day in between.
//! Law AL2: no two lines on one certificate within a day, unless it has come a step nearer to its end: an alarm is no flood.
//! Pure: `now` is an argument. A wall clock that jumps costs a line too many or a day of silence, nothing else.

use std::collections::BTreeMap;

use super::{Identity, certificate};
use crate::moments;

/// An alarm starts so long before a certificate ends.
pub const ALARM_SECONDS: u64 = 30 * DAY;

const DAY: u64 = 24 * 3_600;

/// One loaded certificate and its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ending {
    /// Whose: `this host's certificate`, `the authority of prod (serial 0a:1b)`.
    pub what: String,
    /// The last second at which it holds, of the Unix epoch.
    pub until: u64,
}

/// What was said of each certificate, and when. At most the certificates that are loaded.
#[derive(Debug, Default)]
pub struct Alarm(BTreeMap<Ending, (Nearness, u64)>);

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// More than 30 days.
    Far,
    /// 30 days or less.
    Month,
    /// 7 days or less.
    Week,
    /// 1 day or less.
    Day,
    /// It has ended.
    Ended,
}

impl Identity {
    /// The end of every certificate that is loaded.
    pub fn endings(&self) -> Vec<Ending> {
        let own =
            Ending { what: "this host's certificate".to_owned(), until: self.validity().until };
        let authorities = self.authorities().iter().filter_map(|der| {
            let parsed = certificate::parse(der).ok()?;
            let serial = parsed.raw_serial_as_string();
            let what = match certificate::authority_cluster(&parsed) {
                Some(cluster) => format!("the authority of {cluster} (serial {serial})"),
                None => format!("an authority (serial {serial})"),
            };
            Some(Ending { what, until: certificate::validity(&parsed).until })
        });
        std::iter::once(own).chain(authorities).collect()
    }
}

impl Ending {
    /// How near its end is now.
    pub fn nearness(&self, now: u64) -> Nearness {
        match self.until.saturating_sub(now) {
            _ if now > self.until => Nearness::Ended,
            left if left <= DAY => Nearness::Day,
            left if left <= 7 * DAY => Nearness::Week,
            left if left <= ALARM_SECONDS => Nearness::Month,
            _ => Nearness::Far,
        }
    }

    /// The sentence for a person, from 30 days before the end.
    pub fn note(&self, now: u64) -> Option<String> {
        let Self { what, until } = self;
        let (left, at) = (in_words(*until, now), moments::utc(*until));
        match self.nearness(now) {
            Nearness::Far => None,
            Nearness::Ended => Some(format!(
                "{what} ended {left} ago, at {at}, by this host's clock: standing connections go on, new ones are refused; \
                 put a new one in its place, the agent takes it without a restart"
            )),
            _ => {
                Some(format!("{what} ends in {left}, at {at}: `hale ca renew` makes the next one"))
            }
        }
    }
}

impl Alarm {
    /// What is to be written into the log now.
    pub fn due(&mut self, now: u64, endings: &[Ending]) -> Vec<(Nearness, String)> {
        self.0.retain(|known, _| endings.contains(known));
        let mut due = Vec::new();
        for ending in endings {
            let nearness = ending.nearness(now);
            let said = self.0.get(ending).copied();
            let is_news = said.is_none_or(|(before, at)| {
                nearness > before || now < at || now >= at.saturating_add(DAY)
            });
            if let Some(note) = ending.note(now).filter(|_| is_news) {
                self.0.insert(ending.clone(), (nearness, now));
                due.push((nearness, note));
            }
        }
        due
    }
}

/// The time between two seconds, as a person would say it: `6 days`, `17 hours`, `3 minutes`.
pub fn in_words(one: u64, other: u64) -> String {
    let seconds = one.abs_diff(other);
    let (count, unit) = match seconds {
        0..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / DAY, "day"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 29 February 2028, noon.
    const LEAP_DAY: u64 = 1_835_438_400;

    fn ending(until: u64) -> Vec<Ending> {
        vec![Ending { what: "this host's certificate".to_owned(), until }]
    }

    /// The lines of a log in which somebody looks every ten seconds, each with the seconds that are left at it.
    fn told(until: u64, from: u64, seconds: u64) -> Vec<(i64, Nearness)> {
        let (mut alarm, mut told) = (Alarm::default(), Vec::new());
        for now in (from..from + seconds).step_by(10) {
            let left = until.cast_signed() - now.cast_signed();
            told.extend(alarm.due(now, &ending(until)).into_iter().map(|(near, _)| (left, near)));
        }
        told
    }

    #[test]
    fn law_al1_thirty_days_seven_one_and_the_end_are_told_and_each_day_between() {
        let until = LEAP_DAY;
        let told = told(until, until - 40 * DAY, 43 * DAY);
        let month = |left: &(i64, Nearness)| left.1 == Nearness::Month;
        assert_eq!(told[0], (ALARM_SECONDS.cast_signed(), Nearness::Month), "nothing before");
        assert_eq!(told.iter().filter(|line| month(line)).count(), 23);
        let first = |near| told.iter().find(|line| line.1 == near).map(|line| line.0);
        assert_eq!(first(Nearness::Week), Some(7 * DAY.cast_signed()));
        assert_eq!(first(Nearness::Day), Some(DAY.cast_signed()));
        assert_eq!(first(Nearness::Ended), Some(-10));
        assert_eq!(told.len(), 23 + 6 + 2 + 3, "law AL2: {told:?}");
    }

    #[test]
    fn a_start_tells_at_once_and_a_certificate_in_its_place_is_another() {
        let now = LEAP_DAY;
        let mut alarm = Alarm::default();
        assert_eq!(alarm.due(now, &ending(now + 3 * DAY)).len(), 1);
        assert_eq!(alarm.due(now + 10, &ending(now + 3 * DAY)), []);
        assert_eq!(alarm.due(now + 20, &ending(now + 400 * DAY)), []);
        assert_eq!(alarm.due(now + 30, &ending(now + 3 * DAY)).len(), 1, "it was set back");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_the_alarm() {
        let now = LEAP_DAY;
        let mut alarm = Alarm::default();
        assert_eq!(alarm.due(now, &ending(now + 3 * DAY)).len(), 1);
        assert_eq!(alarm.due(now - 20 * DAY, &ending(now + 3 * DAY)).len(), 1);
    }

    #[test]
    fn days_are_counted_over_a_leap_day() {
        let (noon, until) = (LEAP_DAY - DAY, LEAP_DAY + DAY);
        let note = ending(until)[0].note(noon).expect("two days");
        assert!(note.contains("ends in 2 days, at 2028-03-01T12:00:00Z"), "{note}");
        let note = ending(LEAP_DAY)[0].note(LEAP_DAY + 366 * DAY).expect("it ended");
        assert!(note.contains("ended 366 days ago, at 2028-02-29T12:00:00Z"), "{note}");
        assert_eq!(ending(LEAP_DAY)[0].note(LEAP_DAY - 31 * DAY), None);
        assert_eq!(ending(LEAP_DAY)[0].nearness(LEAP_DAY), Nearness::Day, "the last second holds");
    }
}
