//! Dates of the Gregorian calendar in UTC, from the system's time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Period;

const DAY: u64 = 86_400;

/// A moment in UTC. What lies before 1970 counts as 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Since 1970-01-01.
    days: u64,
    second: u64,
    millisecond: u32,
}

impl Moment {
    pub(crate) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            days: since.as_secs() / DAY,
            second: since.as_secs() % DAY,
            millisecond: since.subsec_millis(),
        }
    }

    /// `yyyy-mm-ddThh:mm:ss.fffZ`.
    pub(crate) fn text(self) -> String {
        let (year, month, day) = civil(self.days);
        let (hour, minute, second) = (self.second / 3600, self.second / 60 % 60, self.second % 60);
        let millisecond = self.millisecond;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }

    /// `yyyymmdd`.
    pub(crate) fn date(self) -> String {
        let (year, month, day) = civil(self.days);
        format!("{year:04}{month:02}{day:02}")
    }

    /// The name of the period that this lies in: its first day, or hour.
    pub(crate) fn period(self, period: Period) -> String {
        match period {
            Period::Hourly => format!("{}{:02}", self.date(), self.second / 3600),
            Period::Daily => self.date(),
            Period::Weekly => {
                // 1970-01-01 was a Thursday.
                let monday = self.days.saturating_sub((self.days + 3) % 7);
                let days = monday;
                Self { days, ..self }.date()
            }
            Period::Monthly => {
                let (year, month, _) = civil(self.days);
                format!("{year:04}{month:02}")
            }
        }
    }
}

/// Year, month and day. Years begin in March here, so that the leap day is the last of them, and
/// 400 of them have 146097 days.
fn civil(days: u64) -> (u64, u64, u64) {
    // 0000-03-01 lies 719468 days before 1970-01-01.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months of March to July, and of August to December, have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let january = u64::from(month >= 10);
    (era * 400 + year + january, month + 3 - 12 * january, day)
}
