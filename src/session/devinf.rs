//! Device information in both directions (SyncML DevInf 1.0-1.2).

use std::borrow::Cow;

use super::settings::Settings;
use crate::content::{self, Format};
use crate::device;
use crate::device::profile::{DevInfParams, Traits};
use crate::filter;
use crate::sync::Datastore;
use crate::syncml::codec::{Form, encode_devinf};
use crate::syncml::{
    Carrier, ContentType, CtCap, Data, DataStoreInfo, DevInf, FilterCap, Item, Location, ParamInfo,
    PropertyInfo, Version,
};

/// Datastores that the server has now.
const OFFERED: [Datastore; 5] = [
    Datastore::Contacts,
    Datastore::Calendar,
    Datastore::Tasks,
    Datastore::Notes,
    Datastore::Mail,
];

/// The device's document as it is kept: XML, whatever carried it.
pub(super) fn keep(devinf: &DevInf<'_>) -> Vec<u8> {
    let version = Version::from_dtd(&devinf.ver_dtd).unwrap_or_default();
    encode_devinf(devinf, &Form::new(Carrier::Xml, version))
}

/// The server's own document as an item of Results or Put.
///
/// Datastores that the client addressed have the address that it used: newer Nokias compare it with the one in their
/// Alert, CGI part included.
pub(super) fn own(
    settings: &Settings,
    form: &Form,
    addressed: &[Addressed],
    detail: Detail,
    traits: &Traits,
) -> Item<'static> {
    let version = form.version;
    let content_type = |format: Format| ContentType {
        kind: format.mime().into(),
        version: format.version().into(),
    };
    let mut flat: Vec<CtCap<'static>> = Vec::new();
    let datastores = OFFERED
        .iter()
        .filter(|datastore| {
            let hidden = |of: &Vec<Datastore>| of.contains(datastore);
            // Phones that do not know mail fail at its types.
            addressed.iter().any(|of| of.is(**datastore))
                || **datastore != Datastore::Mail
                    && detail == Detail::Full
                    && !traits.devinf_hides.as_ref().is_some_and(hidden)
        })
        .map(|datastore| {
            let addressed = addressed.iter().find(|of| of.is(*datastore));
            let uri = addressed.map_or_else(|| datastore.name().to_owned(), |of| of.uri.clone());
            let mut formats = device::formats(*datastore).to_vec();
            // The form that the device likes best comes first: the modern ones hold more.
            if let Some(liked) = addressed.and_then(|of| of.format) {
                match formats.iter().position(|format| *format == liked) {
                    Some(place) => formats[..=place].rotate_right(1),
                    // Only those who use SIF are told of it.
                    None if liked.is_sif() => formats.insert(0, liked),
                    None => {}
                }
            }
            let described = if detail == Detail::Addresses {
                &[][..]
            } else {
                &formats[..]
            };
            let ct_caps: Vec<_> = described
                .iter()
                .map(|format| ct_cap(*format, content_type(*format)))
                .map(|mut cap| {
                    if traits.devinf_params == Some(DevInfParams::Names) {
                        name_params(&mut cap);
                    }
                    cap
                })
                .collect();
            if version < Version::V12 {
                for cap in &ct_caps {
                    if !flat
                        .iter()
                        .any(|known| known.content_type == cap.content_type)
                    {
                        flat.push(cap.clone());
                    }
                }
            }
            DataStoreInfo {
                source_ref: Cow::Owned(uri),
                display_name: Some(datastore.name().into()),
                max_guid_size: Some(12),
                rx_pref: formats.first().map(|format| content_type(*format)),
                rx: formats
                    .iter()
                    .skip(1)
                    .map(|format| content_type(*format))
                    .collect(),
                tx_pref: formats.first().map(|format| content_type(*format)),
                tx: formats
                    .iter()
                    .skip(1)
                    .map(|format| content_type(*format))
                    .collect(),
                ct_caps: if version < Version::V12 {
                    Vec::new()
                } else {
                    ct_caps
                },
                hierarchical: version >= Version::V12 && *datastore == Datastore::Mail,
                sync_types: (1..=6).collect(),
                filter_rx: match (version, detail) {
                    (Version::V12, Detail::Full | Detail::Addressed) => vec![ContentType {
                        kind: filter::GRAMMAR.into(),
                        version: filter::GRAMMAR_VERSION.into(),
                    }],
                    _ => Vec::new(),
                },
                filter_caps: described
                    .iter()
                    .filter(|_| version == Version::V12)
                    .map(|format| filter_cap(*format, content_type(*format)))
                    .collect(),
                ..DataStoreInfo::default()
            }
        })
        .collect();
    let devinf = DevInf {
        ver_dtd: version.dtd().into(),
        man: Some("candybar".into()),
        model: Some("candybar".into()),
        sw_v: Some(env!("CARGO_PKG_VERSION").into()),
        dev_id: Cow::Owned(settings.server_id.clone()),
        dev_typ: "server".into(),
        utc: version > Version::V10,
        large_objects: version > Version::V10,
        number_of_changes: version > Version::V10,
        datastores,
        ct_caps: flat,
        ..DevInf::default()
    };
    Item {
        source: Some(Location::new(version.devinf_uri())),
        data: Data::DevInf(Box::new(devinf)),
        ..Item::default()
    }
}

/// What a filter may ask of the items of a form.
fn filter_cap(format: Format, content_type: ContentType<'static>) -> FilterCap<'static> {
    let timed = matches!(
        format,
        Format::VCalendar10 | Format::ICalendar20 | Format::Email
    );
    let window = ["SINCE", "BEFORE"].into_iter().filter(|_| timed);
    FilterCap {
        content_type,
        keywords: window.chain(["MAXSIZE"]).map(Cow::Borrowed).collect(),
        properties: properties(format)
            .iter()
            .map(|name| (*name).into())
            .collect(),
    }
}

/// The properties that a filter on a datastore may name, as any of its forms has them.
pub(super) fn filterable(datastore: Datastore) -> impl Iterator<Item = &'static str> {
    let formats = device::formats(datastore).iter();
    formats.flat_map(|format| properties(*format)).copied()
}

/// The properties of a form.
const fn properties(format: Format) -> &'static [&'static str] {
    match format {
        Format::VCard21 | Format::VCard30 | Format::VCard40 => CONTACT,
        Format::VCalendar10 => VCALENDAR,
        Format::ICalendar20 => ICALENDAR,
        Format::Email | Format::Mail => MAIL,
        Format::Folder => FOLDER,
        Format::Message => &[],
        // The text itself.
        Format::PlainText => &["BODY"],
        Format::VNote11 => NOTE,
        // Filters name the fields of the other forms.
        Format::SifContact | Format::SifEvent | Format::SifTask | Format::SifNote => &[],
    }
}

/// A datastore of this session, as the device knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addressed {
    pub view: Datastore,
    /// The address that the device used.
    pub uri: String,
    /// The form that the device prefers, if it said so.
    pub format: Option<Format>,
}

impl Addressed {
    /// An agenda goes by the name of its calendar.
    fn is(&self, datastore: Datastore) -> bool {
        self.view.collections().first() == Some(&datastore)
    }
}

/// How much of itself the server tells: phones with small messages get less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All datastores with all that they hold.
    Full,
    /// The datastores of this session with all that they hold.
    Addressed,
    /// The addresses and forms of this session's datastores.
    Addresses,
}

impl Detail {
    /// Most first.
    pub(super) const ALL: [Self; 3] = [Self::Full, Self::Addressed, Self::Addresses];
}

/// What the server knows of a form. It keeps whatever it is sent; the list is what a device may rely on.
fn ct_cap(format: Format, content_type: ContentType<'static>) -> CtCap<'static> {
    let version = |text: &'static str| PropertyInfo {
        name: "VERSION".into(),
        values: vec![text.into()],
        ..PropertyInfo::default()
    };
    let framed = |root: &'static str, components: &[&'static str], names: &[&'static str]| {
        let values: Vec<Cow<'static, str>> = std::iter::once(root)
            .chain(components.iter().copied())
            .map(Cow::Borrowed)
            .collect();
        let mut properties: Vec<_> = ["BEGIN", "END"]
            .into_iter()
            .map(|name| PropertyInfo {
                name: name.into(),
                values: values.clone(),
                ..PropertyInfo::default()
            })
            .collect();
        properties.push(version(format.version()));
        properties.extend(names.iter().map(|name| property(name)));
        properties
    };
    let properties = match format {
        Format::VCard21 | Format::VCard30 | Format::VCard40 => framed("VCARD", &[], CONTACT),
        Format::VCalendar10 => framed("VCALENDAR", &["VEVENT", "VTODO"], VCALENDAR),
        Format::ICalendar20 => framed(
            "VCALENDAR",
            &[
                "VEVENT",
                "VTODO",
                "VALARM",
                "VTIMEZONE",
                "STANDARD",
                "DAYLIGHT",
            ],
            ICALENDAR,
        ),
        Format::VNote11 => framed("VNOTE", &[], NOTE),
        Format::Email => MAIL.iter().map(property).collect(),
        Format::Folder => FOLDER.iter().map(property).collect(),
        Format::PlainText | Format::Message | Format::Mail => Vec::new(),
        Format::SifContact | Format::SifEvent | Format::SifTask | Format::SifNote => {
            content::sif_names(format)
                .map(|name| property(&name))
                .collect()
        }
    };
    CtCap {
        content_type,
        field_level: false,
        properties,
    }
}

/// Tells the values of TYPE as parameters of their own.
fn name_params(cap: &mut CtCap<'static>) {
    for property in &mut cap.properties {
        let told = std::mem::take(&mut property.params);
        property.params = told
            .into_iter()
            .flat_map(|param| param.values)
            .map(|name| ParamInfo {
                name,
                ..ParamInfo::default()
            })
            .collect();
    }
}

fn property(name: &&'static str) -> PropertyInfo<'static> {
    let types: &[&'static str] = match *name {
        "TEL" => &[
            "HOME", "WORK", "CELL", "FAX", "PAGER", "VOICE", "PREF", "CAR", "VIDEO", "MSG",
        ],
        "EMAIL" => &["HOME", "WORK", "INTERNET", "PREF"],
        "ADR" | "LABEL" | "URL" => &["HOME", "WORK", "PREF"],
        _ => &[],
    };
    let params = if types.is_empty() {
        Vec::new()
    } else {
        vec![ParamInfo {
            name: "TYPE".into(),
            values: types.iter().map(|value| Cow::Borrowed(*value)).collect(),
            ..ParamInfo::default()
        }]
    };
    PropertyInfo {
        name: Cow::Borrowed(*name),
        params,
        ..PropertyInfo::default()
    }
}

const CONTACT: &[&str] = &[
    "N",
    "FN",
    "NICKNAME",
    "TEL",
    "EMAIL",
    "ADR",
    "LABEL",
    "ORG",
    "TITLE",
    "ROLE",
    "URL",
    "BDAY",
    "NOTE",
    "PHOTO",
    "LOGO",
    "SOUND",
    "CATEGORIES",
    "CLASS",
    "KEY",
    "UID",
    "REV",
    "X-EPOCSECONDNAME",
    "X-NICKNAME",
];
const VCALENDAR: &[&str] = &[
    "TZ",
    "DAYLIGHT",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "DTSTART",
    "DTEND",
    "DUE",
    "COMPLETED",
    "STATUS",
    "PRIORITY",
    "CLASS",
    "CATEGORIES",
    "RRULE",
    "EXDATE",
    "RDATE",
    "AALARM",
    "DALARM",
    "ATTENDEE",
    "TRANSP",
    "DCREATED",
    "LAST-MODIFIED",
    "SEQUENCE",
    "UID",
    "URL",
    "X-EPOCAGENDAENTRYTYPE",
];
const ICALENDAR: &[&str] = &[
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "DTSTART",
    "DTEND",
    "DURATION",
    "DUE",
    "COMPLETED",
    "PERCENT-COMPLETE",
    "STATUS",
    "PRIORITY",
    "CLASS",
    "CATEGORIES",
    "RRULE",
    "EXDATE",
    "RDATE",
    "RECURRENCE-ID",
    "TRIGGER",
    "ACTION",
    "REPEAT",
    "ATTENDEE",
    "ORGANIZER",
    "TRANSP",
    "CREATED",
    "DTSTAMP",
    "LAST-MODIFIED",
    "SEQUENCE",
    "UID",
    "URL",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "TZNAME",
];
/// The elements of the Email object.
const MAIL: &[&str] = &[
    "read",
    "forwarded",
    "replied",
    "received",
    "created",
    "modified",
    "deleted",
    "flagged",
    "emailitem",
];
/// The elements of the Folder object.
const FOLDER: &[&str] = &["name", "created", "modified", "accessed", "role"];
const NOTE: &[&str] = &[
    "SUMMARY",
    "BODY",
    "DCREATED",
    "LAST-MODIFIED",
    "CATEGORIES",
    "CLASS",
    "LUID",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn document(addressed: &[Addressed], detail: Detail) -> DevInf<'static> {
        let form = Form::new(Carrier::Wbxml, Version::V12);
        match own(
            &Settings::default(),
            &form,
            addressed,
            detail,
            &Traits::default(),
        )
        .data
        {
            Data::DevInf(devinf) => *devinf,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_form_that_the_device_likes_comes_first() {
        let modern = Addressed {
            view: Datastore::Calendar,
            uri: "./cal?EVENT".to_owned(),
            format: Some(Format::ICalendar20),
        };
        let devinf = document(&[modern], Detail::Full);
        let preferred = |uri: &str| {
            let store = devinf
                .datastores
                .iter()
                .find(|store| store.source_ref == uri);
            store
                .and_then(|store| store.rx_pref.clone())
                .map(|of| of.kind.into_owned())
        };
        assert_eq!(preferred("./cal?EVENT").as_deref(), Some("text/calendar"));
        assert_eq!(preferred("contacts").as_deref(), Some("text/x-vcard"));
    }

    #[test]
    fn filters_are_announced_to_1_2_alone() {
        let caps = |version| {
            let form = Form::new(Carrier::Xml, version);
            let item = own(
                &Settings::default(),
                &form,
                &[],
                Detail::Full,
                &Traits::default(),
            );
            let Data::DevInf(devinf) = item.data else {
                panic!("no DevInf")
            };
            let rx = |store: &DataStoreInfo<'_>| {
                store
                    .filter_rx
                    .iter()
                    .map(|of| of.kind.to_string())
                    .collect()
            };
            let store = devinf
                .datastores
                .iter()
                .find(|store| store.source_ref == "calendar");
            let store = store.expect("a calendar");
            let keywords = store
                .filter_caps
                .iter()
                .map(|cap| cap.keywords.join(" "))
                .collect();
            (rx(store), keywords)
        };
        let none: (Vec<String>, Vec<String>) = Default::default();
        assert_eq!(caps(Version::V11), none);
        let (rx, keywords): (Vec<String>, Vec<String>) = caps(Version::V12);
        assert_eq!(rx, ["syncml:filtertype-cgi"]);
        assert_eq!(keywords, ["SINCE BEFORE MAXSIZE", "SINCE BEFORE MAXSIZE"]);
        assert!(filterable(Datastore::Contacts).any(|name| name == "CLASS"));
        assert!(filterable(Datastore::Notes).any(|name| name == "BODY"));
    }

    #[test]
    fn less_detail_is_smaller_and_still_names_the_datastores_of_the_session() {
        let contacts = [Addressed {
            view: Datastore::Contacts,
            uri: "card".to_owned(),
            format: None,
        }];
        let octets = |detail| {
            encode_devinf(
                &document(&contacts, detail),
                &Form::new(Carrier::Wbxml, Version::V12),
            )
            .len()
        };
        let sizes: Vec<_> = Detail::ALL.into_iter().map(octets).collect();
        assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
        assert!(
            sizes[2] < 400,
            "the least fits into the smallest messages: {sizes:?}"
        );
        for detail in Detail::ALL {
            assert!(
                document(&contacts, detail)
                    .datastores
                    .iter()
                    .any(|store| store.source_ref == "card")
            );
        }
    }
}
