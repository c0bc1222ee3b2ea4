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
