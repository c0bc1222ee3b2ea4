//! What the users of two phones do between the sessions of a scenario.

use crate::support::datastore::{Datastore, Edit};

/// Which of the two phones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    A,
    B,
}

/// Edits of the seeds, one item changed and one deleted in each datastore, and two new items each.
pub(crate) fn of_seeds(hand: Hand) -> Vec<(Datastore, Edit)> {
    use Datastore::{Calendar, Contacts, Notes, Tasks};
    let (changes, deletes) = match hand {
        Hand::A => (
            [
                (Contacts, "Prokurist", "Prokurist", "Prokuristin"),
                (Calendar, "Betriebsausflug", "Spreewald", "Harz\\, Brocken"),
                (
                    Tasks,
                    "Steuererklärung",
                    "PERCENT-COMPLETE:40",
                    "PERCENT-COMPLETE:80",
                ),
                (Notes, "Schließfach", "Links unten", "Rechts oben"),
            ],
            [
                (Contacts, "22456"),
                (Calendar, "Stammtisch"),
                (Tasks, "Milch kaufen"),
                (Notes, "Nur eine Zeile"),
            ],
        ),
        Hand::B => (
            [
                (Contacts, "田中", "1234 5678", "8765 4321"),
                (Calendar, "電話会議", "1234#", "9876#"),
                (Tasks, "zurückrufen", "PRIORITY:5", "PRIORITY:3"),
                (
                    Notes,
                    "Einkaufszettel",
                    "- 2 l Milch",
                    "- 3 l Hafermilch; fettarm",
                ),
            ],
            [
                (Contacts, "Schmidt"),
                (Calendar, "Geburtstag"),
                (Tasks, "部屋"),
                (Notes, "旅行メモ"),
            ],
        ),
    };
    let mut edits: Vec<(Datastore, Edit)> = Vec::new();
    edits.extend(
        changes.map(|(datastore, marker, from, to)| (datastore, Edit::change(marker, from, to))),
    );
    edits.extend(deletes.map(|(datastore, marker)| (datastore, Edit::delete(marker))));
    edits.extend(Datastore::ALL.map(|datastore| added(datastore, 1, hand)));
    edits.extend(Datastore::ALL.map(|datastore| added(datastore, 2, hand)));
    edits
}

/// In each datastore: a new item, the one added a round ago changed, the one added two rounds ago deleted.
///
/// The first round is 3: [`of_seeds`] adds the items of 1 and 2.
pub(crate) fn of_round(round: u32, hand: Hand) -> Vec<(Datastore, Edit)> {
    Datastore::ALL
        .into_iter()
        .flat_map(|datastore| {
            let changed = Edit::change(&key(round - 1, hand), "unverändert", "geändert");
            [
                added(datastore, round, hand),
                (datastore, changed),
                (datastore, Edit::delete(&key(round - 2, hand))),
            ]
        })
        .collect()
}

/// The items that were changed in a round, changed once more.
pub(crate) fn again(round: u32, hand: Hand) -> Vec<(Datastore, Edit)> {
    let change = || Edit::change(&key(round - 1, hand), "geändert", "noch einmal geändert");
    Datastore::ALL
        .into_iter()
        .map(|datastore| (datastore, change()))
        .collect()
}

/// The new item of a round.
fn added(datastore: Datastore, round: u32, hand: Hand) -> (Datastore, Edit) {
    let key = key(round, hand);
    let body = match datastore {
        Datastore::Contacts => format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nN:{key};Zoë;;;\r\nFN:Zoë {key}\r\n\
             TEL;TYPE=CELL:+49 151 {round}\r\nNOTE:unverändert\\nseit heute\r\nEND:VCARD\r\n"
        ),
        Datastore::Calendar => format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//candybar//tests//EN\r\nBEGIN:VEVENT\r\nUID:event-{key}\r\n\
             DTSTAMP:20260101T000000Z\r\nSUMMARY:Termin {key}\r\nDESCRIPTION:unverändert\r\n\
             DTSTART:202605{round:02}T080000Z\r\nDTEND:202605{round:02}T090000Z\r\nCLASS:PUBLIC\r\nTRANSP:OPAQUE\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n"
        ),
        Datastore::Tasks => format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//candybar//tests//EN\r\nBEGIN:VTODO\r\nUID:task-{key}\r\n\
             DTSTAMP:20260101T000000Z\r\nSUMMARY:Aufgabe {key}\r\nDESCRIPTION:unverändert\r\nPRIORITY:{round}\r\n\
             STATUS:NEEDS-ACTION\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
        ),
        Datastore::Notes => format!("Notiz {key}\nunverändert\n"),
    };
    (datastore, Edit::add(&key, body))
}

/// The text by which the item of a round is known.
fn key(round: u32, hand: Hand) -> String {
    format!("Runde{round}{hand:?}")
}
