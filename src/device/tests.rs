use super::Holding;
use crate::content::Format;
use crate::sync::Datastore;
use crate::syncml::{ContentType, CtCap, DataStoreInfo, DevInf, PropertyInfo};

fn content_type(kind: &str, version: &str) -> ContentType<'static> {
    ContentType {
        kind: kind.to_owned().into(),
        version: version.to_owned().into(),
    }
}

fn begin(components: &[&str]) -> PropertyInfo<'static> {
    PropertyInfo {
        name: "BEGIN".into(),
        values: components
            .iter()
            .map(|name| name.to_string().into())
            .collect(),
        ..PropertyInfo::default()
    }
}

fn store(
    uri: &str,
    kind: &str,
    version: &str,
    caps: Vec<PropertyInfo<'static>>,
) -> DataStoreInfo<'static> {
    DataStoreInfo {
        source_ref: uri.to_owned().into(),
        rx_pref: Some(content_type(kind, version)),
        ct_caps: if caps.is_empty() {
            Vec::new()
        } else {
            vec![CtCap {
                content_type: content_type(kind, version),
                properties: caps,
                ..CtCap::default()
            }]
        },
        ..DataStoreInfo::default()
    }
}

#[test]
fn a_silent_device_gets_the_legacy_forms_and_local_times() {
    let holding = Holding::of(&DevInf::default(), "./x", Datastore::Contacts);
    assert_eq!(holding, Holding::unknown(Datastore::Contacts));
    assert_eq!(holding.format, Format::VCard21);
    assert!(!holding.utc && holding.capabilities.is_empty());
}

#[test]
fn the_preferred_form_counts_unless_we_do_not_have_it() {
    let mut devinf = DevInf {
        utc: true,
        ver_dtd: "1.2".into(),
        ..DevInf::default()
    };
    devinf
        .datastores
        .push(store("./Contacts", "text/vcard", "3.0", Vec::new()));
    devinf
        .datastores
        .push(store("./Notes", "application/x-memo", "1", Vec::new()));
    let contacts = Holding::of(&devinf, "contacts/", Datastore::Contacts);
    assert_eq!(contacts.format, Format::VCard30);
    assert!(contacts.utc);
    assert_eq!(
        Holding::of(&devinf, "./Notes", Datastore::Notes).format,
        Format::PlainText
    );
}

#[test]
fn a_calendar_with_to_dos_and_no_datastore_for_them_is_mixed() {
    let both = vec![begin(&["VCALENDAR", "VEVENT", "VTODO"])];
    let mut devinf = DevInf {
        ver_dtd: "1.2".into(),
        ..DevInf::default()
    };
    devinf
        .datastores
        .push(store("./Calendar", "text/x-vcalendar", "1.0", both.clone()));
    assert!(Holding::of(&devinf, "./Calendar", Datastore::Calendar).mixed);
    devinf
        .datastores
        .push(store("./Tasks", "text/x-vcalendar", "1.0", both));
    assert!(!Holding::of(&devinf, "./Calendar", Datastore::Calendar).mixed);
}

#[test]
fn flat_capabilities_of_1_1_belong_to_every_datastore_of_that_type() {
    let mut devinf = DevInf {
        ver_dtd: "1.1".into(),
        ..DevInf::default()
    };
    devinf
        .datastores
        .push(store("card", "text/x-vcard", "2.1", Vec::new()));
    devinf.ct_caps.push(CtCap {
        content_type: content_type("text/x-vcard", ""),
        properties: vec![PropertyInfo {
            name: "TEL".into(),
            max_size: Some(40),
            ..PropertyInfo::default()
        }],
        ..CtCap::default()
    });
    let holding = Holding::of(&devinf, "card", Datastore::Contacts);
    assert!(holding.capabilities.holds("TEL") && !holding.capabilities.holds("NOTE"));
    assert_eq!(
        holding
            .capabilities
            .find("TEL")
            .and_then(|tel| tel.max_size),
        Some(40)
    );
}

#[test]
fn a_client_without_device_information_gets_the_form_of_its_address() {
    let asked = |address: &str, datastore| {
        let holding = Holding::with(
            None,
            "contact",
            datastore,
            &super::profile::Traits::default(),
        );
        holding.asked_as(address)
    };
    for (address, datastore, format) in [
        ("./scard", Datastore::Contacts, Format::SifContact),
        (
            "http://sync.example.org/SCAL/",
            Datastore::Calendar,
            Format::SifEvent,
        ),
        ("stask?x", Datastore::Tasks, Format::SifTask),
        ("snote", Datastore::Notes, Format::SifNote),
        ("card", Datastore::Contacts, Format::VCard21),
    ] {
        let holding = asked(address, datastore);
        assert_eq!(holding.format, format, "{address}");
        assert_eq!(
            holding.capabilities.is_empty(),
            !format.is_sif(),
            "{address}"
        );
    }
    assert!(
        asked("scard", Datastore::Contacts)
            .capabilities
            .holds("NOTE")
    );
    assert!(
        !asked("scard", Datastore::Contacts)
            .capabilities
            .holds("X-SHOE-SIZE")
    );
}

#[test]
fn what_a_client_prefers_counts_more_than_the_address() {
    let devinf = DevInf {
        ver_dtd: "1.2".into(),
        datastores: vec![DataStoreInfo {
            source_ref: "contact".into(),
            rx_pref: Some(ContentType {
                kind: "text/x-vcard".into(),
                version: "2.1".into(),
            }),
            ..DataStoreInfo::default()
        }],
        ..DevInf::default()
    };
    let holding = Holding::with(
        Some(&devinf),
        "contact",
        Datastore::Contacts,
        &super::profile::Traits::default(),
    );
    assert_eq!(holding.asked_as("scard").format, Format::VCard21);
}

#[test]
fn the_elements_that_a_client_lists_are_all_that_it_holds() {
    let property = |name: &'static str, size| PropertyInfo {
        name: name.into(),
        max_size: size,
        ..PropertyInfo::default()
    };
    let content_type = || ContentType {
        kind: "text/x-s4j-sifc".into(),
        version: "1.0".into(),
    };
    let devinf = DevInf {
        ver_dtd: "1.2".into(),
        datastores: vec![DataStoreInfo {
            source_ref: "contact".into(),
            rx_pref: Some(content_type()),
            ct_caps: vec![CtCap {
                content_type: content_type(),
                field_level: false,
                properties: vec![
                    property("LastName", None),
                    property("Body", Some(20)),
                    property("MobileTelephoneNumber", None),
                ],
            }],
            ..DataStoreInfo::default()
        }],
        ..DevInf::default()
    };
    let holding = Holding::of(&devinf, "contact", Datastore::Contacts);
    assert_eq!(holding.format, Format::SifContact);
    let names: Vec<_> = holding
        .capabilities
        .properties()
        .iter()
        .map(|of| (of.name.as_str(), of.max_size))
        .collect();
    assert_eq!(names, [("N", None), ("NOTE", Some(20)), ("TEL", None)]);
}
