//! What is marked on a message, as a mail server and a phone both know it.

/// Marks of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

/// Each mark with its IMAP name.
const NAMES: [(Flags, &str); 6] = [
    (Flags::READ, "\\Seen"),
    (Flags::REPLIED, "\\Answered"),
    (Flags::FLAGGED, "\\Flagged"),
    (Flags::DELETED, "\\Deleted"),
    (Flags::DRAFT, "\\Draft"),
    (Flags::FORWARDED, "$Forwarded"),
];

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// It was read.
    pub const READ: Self = Self(1);
    /// It was answered.
    pub const REPLIED: Self = Self(2);
    /// It is marked by the user.
    pub const FLAGGED: Self = Self(4);
    /// It is to be deleted.
    pub const DELETED: Self = Self(8);
    /// It is being written.
    pub const DRAFT: Self = Self(16);
    /// It was forwarded.
    pub const FORWARDED: Self = Self(32);

    /// From the number in the database.
    pub const fn from_number(number: i64) -> Self {
        Self((number & 0x3F) as u8)
    }

    /// The number in the database.
    pub const fn number(self) -> i64 {
        self.0 as i64
    }

    /// From an IMAP server's names; others are left out.
    pub(super) fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().fold(Self::NONE, |flags, name| {
            let known = NAMES
                .iter()
                .find(|(_, known)| known.eq_ignore_ascii_case(name));
            // Some servers have it without the dollar.
            let known = match known {
                None if name.eq_ignore_ascii_case("Forwarded") => Self::FORWARDED,
                None => Self::NONE,
                Some((flag, _)) => *flag,
            };
            flags.with(known)
        })
    }

    /// IMAP's names with blanks between.
    pub(super) fn names(self) -> String {
        let names: Vec<&str> = NAMES
            .iter()
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, name)| *name)
            .collect();
        names.join(" ")
    }

    /// Whether it has all of these.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// With these too.
    #[must_use]
    pub const fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }

    /// Without these.
    #[must_use]
    pub const fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// These marks if that is so, else none.
    #[must_use]
    pub const fn when(self, so: bool) -> Self {
        if so { self } else { Self::NONE }
    }

    /// What both sides made of `base`: what ours changed is ours, the rest is theirs.
    #[must_use]
    pub const fn merged(base: Self, ours: Self, theirs: Self) -> Self {
        let changed = base.0 ^ ours.0;
        Self((ours.0 & changed) | (theirs.0 & !changed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_keep_what_they_changed() {
        let base = Flags::READ.with(Flags::FLAGGED);
        let ours = Flags::READ.with(Flags::FLAGGED).with(Flags::REPLIED);
        let theirs = Flags::FLAGGED.with(Flags::FORWARDED);
        let merged = Flags::merged(base, ours, theirs);
        assert_eq!(
            merged,
            Flags::FLAGGED.with(Flags::REPLIED).with(Flags::FORWARDED)
        );
        assert_eq!(Flags::merged(base, base, theirs), theirs);
        assert_eq!(Flags::merged(base, ours, base), ours);
    }

    #[test]
    fn names_come_back() {
        for number in 0..64 {
            let flags = Flags::from_number(number);
            let names = flags.names();
            assert_eq!(Flags::of_names(names.split(' ')), flags, "{names}");
        }
        assert_eq!(
            Flags::of_names(["\\Recent", "$Junk", "\\seen"]),
            Flags::READ
        );
    }
}
