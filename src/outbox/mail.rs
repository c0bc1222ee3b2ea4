//! Which new mail is worth an SMS: by folder, sender, importance and time of day. What is not waits for the phone's next
//! sync. Pure.
//!
//! Only mail that is new to the phone and unread counts: that a mail was read, moved or deleted elsewhere wakes nobody.

mod own;

use super::policy::{Policy, QuietHours};

pub use own::{MAX_TEXT, OwnRules};

/// Patterns of a list, and folders, that are read.
pub const MAX_PATTERNS: usize = 256;

/// What a rule asks of the importance that a mail's sender gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Importance {
    /// Every mail.
    #[default]
    Any,
    /// Those whose sender says that they are urgent.
    High,
    /// None: only those that always wake.
    Never,
}

impl Importance {
    const ALL: [Self; 3] = [Self::Any, Self::High, Self::Never];

    /// As it is set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::High => "high",
            Self::Never => "never",
        }
    }
}

impl std::str::FromStr for Importance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|importance| importance.name() == text);
        found.ok_or_else(|| "importance is any, high or never".to_owned())
    }
}

/// `[push.mail]` of the configuration, and what is set over it ([`OwnRules`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRules {
    /// Roles or names of folders; none: all folders but those of what was sent, drafted or thrown away.
    pub folders: Vec<String>,
    /// Who has to have written it; none: anybody.
    pub senders: Vec<Pattern>,
    /// Whose mail never wakes.
    pub ignored: Vec<Pattern>,
    /// How important it has to be.
    pub importance: Importance,
    /// When mail waits, beside the quiet hours of everything.
    pub quiet: Option<QuietHours>,
    /// Whose mail does not wait for the end of these.
    pub always: Vec<Pattern>,
}

impl Default for MailRules {
    fn default() -> Self {
        Self {
            folders: vec!["inbox".to_owned()],
            senders: Vec::new(),
            ignored: Vec::new(),
            importance: Importance::Any,
            quiet: None,
            always: Vec::new(),
        }
    }
}

/// An address, or `*@domain` or any other text with `*` for what may stand there; case does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Whether an address fits.
    pub fn fits(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = address.strip_prefix(first) else {
            return false;
        };
        let mut last = None;
        for part in parts {
            if let Some(before) = last.replace(part) {
                let before: &str = before;
                let Some(at) = rest.find(before) else {
                    return false;
                };
                rest = &rest[at + before.len()..];
            }
        }
        match last {
            None => rest.is_empty(),
            Some(last) => rest.ends_with(last),
        }
    }
}

/// Patterns of a text, with commas or blanks between them.
pub fn patterns(text: &str) -> Vec<Pattern> {
    let words = words(text).map(|word| Pattern(word.to_lowercase()));
    words.take(MAX_PATTERNS).collect()
}

/// Names of folders in a text, with commas between them; none for `all`.
pub fn folders(text: &str) -> Vec<String> {
    if text.trim().eq_ignore_ascii_case("all") {
        return Vec::new();
    }
    let names = text.split(',').map(|name| name.trim().to_lowercase());
    let names = names.filter(|name| !name.is_empty());
    names.take(MAX_PATTERNS).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace());
    words.filter(|word| !word.is_empty())
}

/// What counts of a mail that is new to a phone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailFacts {
    /// The folder's role, such as `inbox`; empty if it has none.
    pub role: String,
    /// The folder's name.
    pub folder: String,
    /// Who wrote it.
    pub sender: String,
    /// Its sender says that it is urgent.
    pub urgent: bool,
    /// It was read already, somewhere else.
    pub read: bool,
}

/// What is to be done for a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// Nothing: the phone does not get it at all.
    Outside,
    /// Nothing: the phone gets it when it comes by itself.
    NextSync,
    /// A notification, not before that time (milliseconds since 1970).
    Later(i64),
    /// A notification now.
    Now,
}

/// Folders whose mail nobody waits for.
const QUIET_ROLES: [&str; 4] = ["sent", "drafts", "deleted", "outbox"];

impl MailRules {
    /// What a mail is worth.
    pub fn worth(&self, mail: &MailFacts, policy: &Policy, now: i64) -> Worth {
        let fits = |patterns: &[Pattern]| patterns.iter().any(|one| one.fits(&mail.sender));
        let folder = mail.folder.to_lowercase();
        let role = mail.role.to_lowercase();
        let in_folder = match &*self.folders {
            [] => !QUIET_ROLES.contains(&&*role),
            named => named.iter().any(|name| *name == role || *name == folder),
        };
        if mail.read || !in_folder || fits(&self.ignored) {
            return Worth::NextSync;
        }
        let always = fits(&self.always);
        let wanted = self.senders.is_empty() || fits(&self.senders);
        let important = match self.importance {
            Importance::Any => true,
            Importance::High => mail.urgent,
            Importance::Never => false,
        };
        if !(always || (wanted && important)) {
            return Worth::NextSync;
        }
        let quiet = Policy {
            quiet: self.quiet,
            ..policy.clone()
        };
        match quiet.quiet_until(now) {
            Some(until) if !always => Worth::Later(until),
            _ => Worth::Now,
        }
    }

    /// What several mails are worth together: the most that one of them is, and of what waits the earliest.
    pub fn worth_of(
        &self,
        mails: impl IntoIterator<Item = MailFacts>,
        policy: &Policy,
        now: i64,
    ) -> Worth {
        let mut best = Worth::NextSync;
        for mail in mails {
            best = match (best, self.worth(&mail, policy, now)) {
                (Worth::Later(a), Worth::Later(b)) => Worth::Later(a.min(b)),
                (a, b) => a.max(b),
            };
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of 2026-07-01 in UTC.
    const NOON: i64 = 1_782_907_200_000;

    fn mail(sender: &str) -> MailFacts {
        MailFacts {
            role: "inbox".into(),
            folder: "INBOX".into(),
            sender: sender.into(),
            ..MailFacts::default()
        }
    }

    fn worth(rules: &MailRules, mail: &MailFacts) -> Worth {
        rules.worth(mail, &Policy::default(), NOON)
    }

    #[test]
    fn patterns_are_addresses_with_stars() {
        for (pattern, fits, not) in [
            ("ada@example.org", "Ada@Example.org", "bada@example.org"),
            (
                "*@example.org",
                "ada@example.org",
                "ada@example.org.evil.test",
            ),
            ("boss*", "boss.of.all@x", "the-boss@x"),
            ("*", "", "\0never"),
            ("a*b*c", "aXbYc", "aXcYb"),
            ("*aa*aa", "aaaa", "aaa"),
        ] {
            let [pattern] = &patterns(pattern)[..] else {
                panic!("{pattern}");
            };
            assert!(pattern.fits(fits), "{pattern:?} {fits}");
            if !not.starts_with('\0') {
                assert!(!pattern.fits(not), "{pattern:?} {not}");
            }
        }
        assert_eq!(patterns(" a@b, *@c\n d ").len(), 3);
        assert_eq!(patterns(" ,, ").len(), 0);
        assert_eq!(folders("Inbox, My Work ,"), ["inbox", "my work"]);
        assert!(folders("All").is_empty());
    }

    #[test]
    fn new_mail_of_the_inbox_wakes_and_nothing_else() {
        let rules = MailRules::default();
        assert_eq!(worth(&rules, &mail("ada@example.org")), Worth::Now);
        let read = MailFacts {
            read: true,
            ..mail("ada@example.org")
        };
        assert_eq!(worth(&rules, &read), Worth::NextSync);
        let of = |role: &str, folder: &str| MailFacts {
            role: role.into(),
            folder: folder.into(),
            ..mail("ada@example.org")
        };
        assert_eq!(worth(&rules, &of("sent", "Sent")), Worth::NextSync);
        assert_eq!(worth(&rules, &of("", "Lists")), Worth::NextSync);
        let named = MailRules {
            folders: folders("lists"),
            ..MailRules::default()
        };
        assert_eq!(worth(&named, &of("", "Lists")), Worth::Now);
        assert_eq!(worth(&named, &mail("ada@example.org")), Worth::NextSync);
        let all = MailRules {
            folders: Vec::new(),
            ..MailRules::default()
        };
        assert_eq!(worth(&all, &of("", "Lists")), Worth::Now);
        assert_eq!(worth(&all, &of("deleted", "Trash")), Worth::NextSync);
    }

    #[test]
    fn senders_and_importance_choose() {
        let rules = MailRules {
            senders: patterns("*@example.org"),
            ignored: patterns("noreply@*"),
            importance: Importance::High,
            always: patterns("boss@work.test"),
            ..MailRules::default()
        };
        let urgent = |sender: &str| MailFacts {
            urgent: true,
            ..mail(sender)
        };
        assert_eq!(worth(&rules, &urgent("ada@example.org")), Worth::Now);
        assert_eq!(worth(&rules, &mail("ada@example.org")), Worth::NextSync);
        assert_eq!(worth(&rules, &urgent("ada@other.test")), Worth::NextSync);
        assert_eq!(
            worth(&rules, &urgent("noreply@example.org")),
            Worth::NextSync
        );
        assert_eq!(worth(&rules, &mail("boss@work.test")), Worth::Now);
    }

    #[test]
    fn at_night_mail_waits_but_for_some_senders() {
        let rules = MailRules {
            quiet: "11:00-13:00".parse().ok(),
            always: patterns("boss@work.test"),
            ..MailRules::default()
        };
        let end = NOON + 3_600_000;
        assert_eq!(worth(&rules, &mail("ada@example.org")), Worth::Later(end));
        assert_eq!(worth(&rules, &mail("boss@work.test")), Worth::Now);
        let together = |senders: &[&str]| {
            let mails = senders.iter().map(|sender| mail(sender));
            rules.worth_of(mails, &Policy::default(), NOON)
        };
        assert_eq!(together(&["ada@example.org"]), Worth::Later(end));
        assert_eq!(together(&["ada@example.org", "boss@work.test"]), Worth::Now);
        assert_eq!(together(&[]), Worth::NextSync);
    }
}
