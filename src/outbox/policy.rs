//! What the operator allows: waiting times, quiet hours, budgets. Pure.

use chrono::{Datelike as _, TimeZone as _};

use super::plan::minute_of_day;

const MINUTE: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// `[push]` of the configuration; times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long a change waits for others.
    pub coalesce: i64,
    /// How long a phone may take to come.
    pub answer: i64,
    /// How long it is tried to send a notification, and how long its receipt is waited for.
    pub expire: i64,
    /// When changes do not wake phones.
    pub quiet: Option<QuietHours>,
    /// The zone of quiet hours and of the days of budgets.
    pub zone: chrono_tz::Tz,
    /// SMS to a device a day; 0: as many as it takes.
    pub sms_per_device: u32,
    /// SMS to an account's devices a day; 0: as many as it takes.
    pub sms_per_account: u32,
    /// SMS through a gateway a day; 0: as many as it takes.
    pub sms_per_gateway: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            coalesce: 5_000,
            answer: 600_000,
            expire: 86_400_000,
            quiet: None,
            zone: chrono_tz::UTC,
            sms_per_device: 50,
            sms_per_account: 200,
            sms_per_gateway: 0,
        }
    }
}

/// A part of the day, in minutes since midnight; it may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The first minute.
    pub from: u16,
    /// The minute after the last.
    pub to: u16,
}

impl std::str::FromStr for QuietHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let minutes = |time: &str| {
            let (hours, minutes) = time.trim().split_once(':')?;
            let two = |digits: &str| {
                let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
                plain.then(|| digits.parse::<u16>().ok()).flatten()
            };
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        text.split_once('-')
            .and_then(|(from, to)| {
                Some(Self {
                    from: minutes(from)?,
                    to: minutes(to)?,
                })
            })
            .filter(|hours| hours.from != hours.to)
            .ok_or_else(|| "it is a part of the day, such as 22:00-07:00".to_owned())
    }
}

impl std::fmt::Display for QuietHours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            to / 60,
            to % 60
        )
    }
}

impl Policy {
    /// When the quiet hours end, if it is quiet now.
    pub fn quiet_until(&self, now: i64) -> Option<i64> {
        let quiet = self.quiet?;
        let (from, to) = (i64::from(quiet.from), i64::from(quiet.to));
        let minute = minute_of_day(self.zone, now)?;
        let is_quiet = if from < to {
            (from..to).contains(&minute)
        } else {
            minute >= from || minute < to
        };
        // If the clocks change meanwhile, it is looked at again then.
        is_quiet.then(|| self.next(now, minute, to))
    }

    /// When the next day begins.
    pub fn tomorrow(&self, now: i64) -> i64 {
        let minute = minute_of_day(self.zone, now).unwrap_or(0);
        self.next(now, minute, 0)
    }

    fn next(&self, now: i64, minute: i64, wanted: i64) -> i64 {
        let minutes = (wanted - minute).rem_euclid(DAY_MINUTES);
        let minutes = if minutes == 0 { DAY_MINUTES } else { minutes };
        now - now.rem_euclid(MINUTE) + minutes * MINUTE
    }

    /// The day's number since 1970, for budgets.
    pub fn day(&self, now: i64) -> i64 {
        const FIRST: i64 = 719_163;
        match self.zone.timestamp_millis_opt(now).single() {
            Some(local) => i64::from(local.num_days_from_ce()) - FIRST,
            None => now.div_euclid(DAY_MINUTES * MINUTE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-07-01 at that time in UTC.
    fn at(time: &str) -> i64 {
        let text = format!("2026-07-01T{time}Z");
        chrono::DateTime::parse_from_rfc3339(&text)
            .expect(time)
            .timestamp_millis()
    }

    fn policy(quiet: &str, zone: chrono_tz::Tz) -> Policy {
        Policy {
            quiet: Some(quiet.parse().expect(quiet)),
            zone,
            ..Policy::default()
        }
    }

    #[test]
    fn quiet_hours_go_over_midnight_in_the_zone_of_the_server() {
        let night = policy("22:00-07:00", chrono_tz::UTC);
        for (now, until) in [
            ("21:59:59", None),
            ("22:00:00", Some(at("07:00:00") + 86_400_000)),
            ("23:59:59", Some(at("07:00:00") + 86_400_000)),
            ("00:00:00", Some(at("07:00:00"))),
            ("06:59:59", Some(at("07:00:00"))),
            ("07:00:00", None),
        ] {
            assert_eq!(night.quiet_until(at(now)), until, "{now}");
        }
        let noon = policy("12:00-13:30", chrono_tz::Europe::Stockholm);
        assert_eq!(noon.quiet_until(at("10:15:20")), Some(at("11:30:00")));
        assert_eq!(noon.quiet_until(at("11:30:00")), None);
        assert_eq!(Policy::default().quiet_until(at("00:00:00")), None);
    }

    #[test]
    fn days_begin_at_midnight_of_the_zone() {
        let stockholm = policy("01:00-02:00", chrono_tz::Europe::Stockholm);
        let (before, after) = (at("21:59:59"), at("22:00:00"));
        assert_eq!(stockholm.day(before) + 1, stockholm.day(after));
        assert_eq!(stockholm.tomorrow(before), after);
        assert_eq!(stockholm.tomorrow(after), after + 86_400_000);
        assert_eq!(Policy::default().day(0), 0);
        assert_eq!(Policy::default().day(86_400_000), 1);
    }

    #[test]
    fn what_is_no_part_of_the_day_is_refused() {
        for bad in [
            "",
            "22-7",
            "22:00",
            "24:00-07:00",
            "22:60-07:00",
            "7:00-8:00",
            "07:00-07:00",
            "a-b",
        ] {
            bad.parse::<QuietHours>().expect_err(bad);
        }
    }
}
