//! Identifiers. Every one but [`AccountId`] is unique within its account only.

use std::fmt;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub i64);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

id! {
    /// An account; first part of every table's key.
    AccountId;
    /// A device of an account.
    DeviceId;
    /// An item of an account, counted from 1 and never used again. On the wire it is [`ItemId::guid`].
    ItemId;
    /// The account's change counter: each write of an item takes the next number. 0 is before all writes.
    Modseq;
    /// Counts the syncs of one device with one datastore, from 1.
    Round;
    /// Stands for octets that a device sent for an item: the same mark, the same octets. 0 stands for none.
    Mark;
}

impl ItemId {
    /// The GUID that phones see: base 36, so that four characters (the least `MaxGUIDSize` known, Sony Ericsson
    /// P900) last for 1.6 million items of an account.
    pub fn guid(self) -> String {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut rest = self.0.unsigned_abs();
        let mut text = Vec::with_capacity(8);
        loop {
            text.push(DIGITS[(rest % 36) as usize]);
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        text.reverse();
        String::from_utf8(text).expect("digits are ASCII")
    }

    /// The item of a GUID; `None` if the text is no GUID of ours.
    pub fn from_guid(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > 12 {
            return None;
        }
        let number = i64::from_str_radix(text, 36).ok()?;
        (number > 0 && !text.starts_with('+')).then_some(Self(number))
    }
}

impl Modseq {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::ItemId;

    #[test]
    fn guids_are_short_and_come_back() {
        for number in [1, 35, 36, 1_679_615, 1_679_616, i64::MAX / 4] {
            let id = ItemId(number);
            assert_eq!(ItemId::from_guid(&id.guid()), Some(id));
        }
        assert_eq!(ItemId(1_679_615).guid().len(), 4);
        for bad in ["", "-1", "+1", "0", "zzzzzzzzzzzzz", "a b", "é"] {
            assert_eq!(ItemId::from_guid(bad), None, "{bad}");
        }
    }
}
