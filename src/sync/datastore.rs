//! Datastores and their addresses.

/// A datastore of an account.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Datastore {
    /// People.
    Contacts,
    /// Appointments.
    Calendar,
    /// To-dos.
    Tasks,
    /// Notes.
    Notes,
    /// Mail.
    Mail,
    /// Appointments and to-dos in one, for phones that keep both in one list. A view only: no item lives here.
    Agenda,
}

impl Datastore {
    /// All of them; the position is [`Self::number`] - 1.
    pub const ALL: [Self; 6] = [
        Self::Contacts,
        Self::Calendar,
        Self::Tasks,
        Self::Notes,
        Self::Mail,
        Self::Agenda,
    ];

    /// The address, and the name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Calendar => "calendar",
            Self::Tasks => "tasks",
            Self::Notes => "notes",
            Self::Mail => "mail",
            Self::Agenda => "agenda",
        }
    }

    /// The number in the database.
    pub const fn number(self) -> i32 {
        match self {
            Self::Contacts => 1,
            Self::Calendar => 2,
            Self::Tasks => 3,
            Self::Notes => 4,
            Self::Mail => 5,
            Self::Agenda => 6,
        }
    }

    /// From the number in the database.
    pub fn from_number(number: i32) -> Option<Self> {
        usize::try_from(number)
            .ok()?
            .checked_sub(1)
            .and_then(|index| Self::ALL.get(index))
            .copied()
    }

    /// The datastores whose items a sync with this address sees.
    pub const fn collections(self) -> &'static [Self] {
        match self {
            Self::Contacts => &[Self::Contacts],
            Self::Calendar => &[Self::Calendar],
            Self::Tasks => &[Self::Tasks],
            Self::Notes => &[Self::Notes],
            Self::Mail => &[Self::Mail],
            Self::Agenda => &[Self::Calendar, Self::Tasks],
        }
    }

    /// The datastore that a peer means by an address: any case, relative or absolute, with or without `./`, a
    /// trailing slash or a CGI part (`?TODO`). `None` for a name that no one uses for a datastore.
    pub fn resolve(uri: &str) -> Option<Self> {
        let path = uri
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .trim()
            .trim_end_matches('/');
        let name = path.rsplit('/').next().unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(&[
            "contacts",
            "contact",
            "card",
            "cards",
            "addressbook",
            "con",
            "pb",
            "phonebook",
            "people",
            "scard",
        ]) {
            Some(Self::Contacts)
        } else if is(&["calendar", "cal", "event", "events", "scal", "appointments"]) {
            Some(Self::Calendar)
        } else if is(&["tasks", "task", "todo", "todos", "stask"]) {
            Some(Self::Tasks)
        } else if is(&["notes", "note", "memo", "memos", "snote"]) {
            Some(Self::Notes)
        } else if is(&["mail", "email", "mails", "emails"]) {
            Some(Self::Mail)
        } else if is(&["agenda", "caltask", "calendar+tasks"]) {
            Some(Self::Agenda)
        } else {
            None
        }
    }
}

impl std::fmt::Display for Datastore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Datastore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::resolve(text).ok_or_else(|| {
            format!("there is no datastore {text}; there are contacts, calendar, tasks, notes, mail and agenda")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Datastore;

    #[test]
    fn addresses_of_phones_resolve() {
        for (uri, expected) in [
            ("./card", Some(Datastore::Contacts)),
            ("/Contacts/", Some(Datastore::Contacts)),
            (
                "http://sync.example.org:8080/sync/ADDRESSBOOK",
                Some(Datastore::Contacts),
            ),
            ("./Contacts?CLASS&EQ;PRIVATE", Some(Datastore::Contacts)),
            ("cal", Some(Datastore::Calendar)),
            ("./Calendar?TODO", Some(Datastore::Calendar)),
            ("caltask", Some(Datastore::Agenda)),
            ("", None),
            ("./", None),
            ("bookmarks", None),
        ] {
            assert_eq!(Datastore::resolve(uri), expected, "{uri}");
        }
    }

    #[test]
    fn numbers_come_back() {
        for datastore in Datastore::ALL {
            assert_eq!(Datastore::from_number(datastore.number()), Some(datastore));
        }
        assert_eq!(Datastore::from_number(0), None);
        assert_eq!(Datastore::from_number(7), None);
    }
}
