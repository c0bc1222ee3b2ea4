//! Which mails of a folder a small device has: the newest, by days, number and octets of their text.

use std::fmt;
use std::str::FromStr;

use crate::content::email::FolderRole;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Most mails of one folder that a device may have.
pub const MAX_COUNT: u32 = 5_000;

/// What limits a folder on a device. What is not set is as for all folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Received within so many days; 0: however long ago.
    pub days: Option<u32>,
    /// So many at most.
    pub count: Option<u32>,
    /// Octets of a mail's text; 0: all of it.
    pub bytes: Option<u32>,
}

/// The limits of all folders, and those that folders of a role have of their own. As text:
/// `days=14,count=50,bytes=4096,sent.count=0`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Windows(Vec<(Option<FolderRole>, Window)>);

impl Window {
    /// What holds where nobody chose anything.
    pub const DEFAULT: Self = Self {
        days: Some(30),
        count: Some(50),
        bytes: Some(4096),
    };

    /// This one, and the other's limits where it has none.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            days: self.days.or(below.days),
            count: self.count.or(below.count),
            bytes: self.bytes.or(below.bytes),
        }
    }

    /// Mails received at this time or later are within; seconds since 1970.
    pub fn since(&self, now: i64) -> i64 {
        match self.days {
            None | Some(0) => i64::MIN,
            Some(days) => now.saturating_sub(i64::from(days) * DAY),
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Windows {
    /// The same limits for all folders.
    pub fn all(window: Window) -> Self {
        let mut windows = Self::default();
        windows.set(None, window);
        windows
    }

    /// The limits of folders of a role, of the user's own folders with `None`.
    pub fn of(&self, role: Option<FolderRole>) -> Window {
        let own = role.map_or_else(Window::default, |role| self.own(Some(role)));
        own.over(self.own(None))
    }

    /// These, and the others' limits where they have none.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        let mut windows = below.clone();
        for (role, window) in &self.0 {
            // What is said here of all folders is said of each.
            if role.is_none() {
                for (_, of) in &mut windows.0 {
                    *of = window.over(*of);
                }
            }
            windows.set(*role, window.over(windows.own(*role)));
        }
        windows
    }

    /// Whether nothing is limited here.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn own(&self, role: Option<FolderRole>) -> Window {
        let found = self.0.iter().find(|(of, _)| *of == role);
        found.map(|(_, window)| *window).unwrap_or_default()
    }

    fn set(&mut self, role: Option<FolderRole>, window: Window) {
        self.0.retain(|(of, _)| *of != role);
        if !window.is_empty() {
            self.0.push((role, window));
        }
        self.0.sort_unstable_by_key(|(of, _)| *of);
    }
}

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (role, window) in &self.0 {
            for (name, value) in [
                ("days", window.days),
                ("count", window.count),
                ("bytes", window.bytes),
            ] {
                let Some(value) = value else { continue };
                match role {
                    Some(role) => write!(f, "{comma}{}.{name}={value}", role.name())?,
                    None => write!(f, "{comma}{name}={value}")?,
                }
                comma = ",";
            }
        }
        Ok(())
    }
}

impl FromStr for Windows {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut windows = Self::default();
        let parts = text.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part} is no limit: it is like count=50"))?;
            let (role, name) = match name.split_once('.') {
                Some((role, name)) => {
                    let role = FolderRole::from_name(role).ok_or_else(|| {
                        let names = FolderRole::ALL.map(FolderRole::name).join(", ");
                        format!("there is no folder {role}; there are {names}")
                    })?;
                    (Some(role), name)
                }
                None => (None, name),
            };
            let value: u32 = value
                .trim()
                .parse()
                .map_err(|_| format!("{value} is no number"))?;
            let mut window = windows.own(role);
            match name.trim() {
                "days" => window.days = Some(value),
                "count" if value > MAX_COUNT => {
                    return Err(format!("count is at most {MAX_COUNT}"));
                }
                "count" => window.count = Some(value),
                "bytes" => window.bytes = Some(value),
                other => return Err(format!("{other} is not one of days, count, bytes")),
            }
            windows.set(role, window);
        }
        Ok(windows)
    }
}

#[cfg(test)]
mod tests {
    use super::{FolderRole, Window, Windows};

    #[test]
    fn limits_of_a_device_stand_over_those_of_the_server() {
        let server = Windows::all(Window::DEFAULT);
        let device: Windows = "count=10, sent.count=0,sent.days=7".parse().unwrap();
        assert_eq!(device.to_string(), "count=10,sent.days=7,sent.count=0");
        assert_eq!(device.to_string().parse(), Ok(device.clone()));
        let both = device.over(&server);
        let inbox = both.of(Some(FolderRole::Inbox));
        assert_eq!((inbox.days, inbox.count), (Some(30), Some(10)));
        assert_eq!(both.of(None), inbox);
        let sent = both.of(Some(FolderRole::Sent));
        assert_eq!((sent.days, sent.count), (Some(7), Some(0)));
        assert_eq!(sent.bytes, Some(4096));
        let plain: Windows = "count=3".parse().unwrap();
        let of = plain.over(&"inbox.count=9,count=5".parse().unwrap());
        assert_eq!(of.of(Some(FolderRole::Inbox)).count, Some(3));
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for bad in [
            "5",
            "count",
            "count=x",
            "size=5",
            "photos.count=1",
            "count=99999999",
        ] {
            bad.parse::<Windows>().expect_err(bad);
        }
        assert!("".parse::<Windows>().unwrap().is_empty());
    }

    #[test]
    fn zero_days_is_for_ever() {
        let days = |days| Window {
            days,
            ..Window::default()
        };
        assert_eq!(days(Some(0)).since(1_000_000), i64::MIN);
        assert_eq!(days(Some(1)).since(1_000_000), 1_000_000 - 86_400);
    }
}
