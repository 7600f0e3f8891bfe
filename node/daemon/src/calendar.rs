//! Times of a calendar: which time that a schedule names has come, and which comes next (protocol 6.9).
//!
//! Law CN1: a time is that of the named zone, whatever zone the machine is in; a single time of a day that the zone's clock skips comes as
//! soon as it goes on, and one that it shows twice comes once, at the first. Of several times within such an hour some may be left out.
//! Not here: what a time begins (see the ledger's `maintenance`), and when it is looked at (see `host::schedules`).

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use ledger::maintenance::Schedule;
use vocabulary::Span;

/// A schedule that was understood.
#[derive(Clone, Debug)]
pub struct Calendar {
    cron: Cron,
    zone: TimeZone,
}

/// What a schedule is.
const FIELDS: &str =
    "five fields (minute, hour, day of the month, month, day of the week) as in \"0 2 * * sat\"";

/// So many of its times are looked at for two that lie too close together.
const GAPS: usize = 64;

impl Calendar {
    /// Reads a schedule; else why it names no time.
    pub fn read(schedule: &Schedule) -> Result<Self, String> {
        let Schedule { cron, time_zone } = schedule;
        let is_plain = |byte: u8| {
            byte.is_ascii_digit() || byte.is_ascii_alphabetic() || b" *,-/".contains(&byte)
        };
        let words = cron.split(|letter: char| !letter.is_ascii_alphabetic());
        let are_names = words.filter(|word| !word.is_empty()).all(|word| word.len() == 3);
        if !cron.bytes().all(is_plain) || !are_names {
            return Err(format!("{cron:?} is no schedule, expected {FIELDS}"));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let read = parser
            .parse(cron)
            .map_err(|why| format!("{cron:?} is no schedule, expected {FIELDS}: {why}"))?;
        let zone = TimeZone::get(time_zone).map_err(|_| {
            format!(
                "{time_zone:?} is no time zone, expected a name as \"UTC\" or \"Europe/Berlin\""
            )
        })?;
        Ok(Self { cron: read, zone })
    }

    /// The newest time at or before this second of 1970, in the same count.
    pub fn last(&self, now: u64) -> Option<u64> {
        seconds(&self.cron.find_previous_occurrence(&self.at(now)?, true).ok()?)
    }

    /// The first time after this second of 1970, in the same count.
    pub fn next(&self, now: u64) -> Option<u64> {
        seconds(&self.cron.find_next_occurrence(&self.at(now)?, false).ok()?)
    }

    /// The time whose window is open now, and how much of it is left.
    pub fn open(&self, lasts: Span, now: u64) -> Option<(u64, Span)> {
        let at = self.last(now)?;
        let left = lasts.less(Span::seconds(now.saturating_sub(at)));
        (left > Span::ZERO).then_some((at, left))
    }

    /// The shortest time between two of its next times.
    pub fn shortest_gap(&self, now: u64) -> Option<Span> {
        let times = std::iter::successors(self.next(now), |at| self.next(*at)).take(GAPS);
        let times: Vec<u64> = times.collect();
        let gaps = times.windows(2).map(|pair| Span::seconds(pair[1].saturating_sub(pair[0])));
        gaps.min()
    }

    fn at(&self, now: u64) -> Option<Zoned> {
        let moment = Timestamp::from_second(i64::try_from(now).ok()?).ok()?;
        Some(moment.to_zoned(self.zone.clone()))
    }
}

fn seconds(moment: &Zoned) -> Option<u64> {
    u64::try_from(moment.timestamp().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moments;

    fn calendar(cron: &str, time_zone: &str) -> Calendar {
        let schedule = Schedule { cron: cron.to_owned(), time_zone: time_zone.to_owned() };
        Calendar::read(&schedule).expect("a schedule")
    }

    fn fault(cron: &str, time_zone: &str) -> String {
        let schedule = Schedule { cron: cron.to_owned(), time_zone: time_zone.to_owned() };
        Calendar::read(&schedule).expect_err("no schedule")
    }

    fn at(text: &str) -> u64 {
        moments::from_utc(text).expect("a moment") / 1_000
    }

    fn next(calendar: &Calendar, now: &str) -> String {
        moments::utc(calendar.next(at(now)).expect("it names one"))
    }

    #[test]
    fn a_time_is_that_of_its_zone_in_summer_and_in_winter() {
        let nights = calendar("0 2 * * sat", "Europe/Berlin");
        assert_eq!(next(&nights, "2026-12-01T12:00:00Z"), "2026-12-05T01:00:00Z");
        assert_eq!(next(&nights, "2026-07-01T12:00:00Z"), "2026-07-04T00:00:00Z");
    }

    #[test]
    fn law_cn1_a_time_that_the_clock_skips_comes_as_it_goes_on_and_one_that_it_shows_twice_comes_once()
     {
        let nights = calendar("30 2 * * *", "Europe/Berlin");
        assert_eq!(next(&nights, "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(next(&nights, "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(next(&nights, "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn a_window_is_open_from_its_time_for_its_length() {
        let nights = calendar("0 2 * * *", "UTC");
        let hour = Span::minutes(60);
        assert_eq!(nights.open(hour, at("2026-12-01T01:59:59Z")), None);
        let began = at("2026-12-01T02:00:00Z");
        assert_eq!(nights.open(hour, began), Some((began, hour)));
        assert_eq!(nights.open(hour, began + 3_599), Some((began, Span::seconds(1))));
        assert_eq!(nights.open(hour, began + 3_600), None);
    }

    #[test]
    fn what_is_no_schedule_is_told_with_what_was_expected() {
        assert!(
            fault("0 2 * *", "UTC").starts_with("\"0 2 * *\" is no schedule, expected five fields")
        );
        assert!(fault("0 0 2 * * sat", "UTC").contains("is no schedule"), "seconds");
        for other in ["@daily", "0 2 L * *", "0 2 15W * *", "0 2 * * sat#2", "0 2 ? * *"] {
            assert!(fault(other, "UTC").contains("expected five fields"), "{other}");
        }
        assert_eq!(
            fault("0 2 * * sat", "Berlin"),
            "\"Berlin\" is no time zone, expected a name as \"UTC\" or \"Europe/Berlin\""
        );
    }

    #[test]
    fn the_shortest_gap_is_that_of_the_times_that_come() {
        let now = at("2026-12-01T00:00:00Z");
        assert_eq!(calendar("0 2,5 * * *", "UTC").shortest_gap(now), Some(Span::minutes(180)));
        assert_eq!(calendar("0 2 * * *", "UTC").shortest_gap(now), Some(Span::minutes(24 * 60)));
    }

    #[test]
    fn days_that_come_seldom_are_found_too() {
        let now = at("2026-12-01T00:00:00Z");
        let leap = calendar("0 2 29 feb *", "Europe/Berlin");
        assert_eq!(next(&leap, "2026-12-01T00:00:00Z"), "2028-02-29T01:00:00Z");
        assert!(leap.shortest_gap(now) > Some(Span::minutes(365 * 24 * 60)));
    }

    #[test]
    fn a_day_that_never_comes_has_no_time() {
        assert_eq!(calendar("0 2 30 2 *", "UTC").next(at("2026-12-01T00:00:00Z")), None);
    }
}
