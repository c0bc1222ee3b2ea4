//! The phone's own device information (SyncML DevInf DTD), with plausible defaults.
//!
//! 1.0 and 1.1 list the properties flat beside the datastores, parameters by their values (`HOME`, `CELL`); 1.2 nests
//! them into each datastore, with one TYPE parameter and its values.

use std::collections::BTreeMap;

use crate::syncml::{
    ContentType, CtCap, DataStoreInfo, DevInf, Memory, ParamInfo, PropertyInfo, Version,
};

use super::properties::is_frame;
use super::settings::Addresses;

/// One property that the phone can hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PropertyCapability {
    /// PropName, such as `TEL`.
    pub name: String,
    /// Longest value, octets.
    pub max_size: Option<u64>,
    /// Most occurrences (1.2 only).
    pub max_occur: Option<u64>,
    /// A longer value is not cut (1.2 only).
    pub no_truncate: bool,
    /// Allowed values.
    pub values: Vec<String>,
    /// Values of TYPE, such as `HOME`.
    pub types: Vec<String>,
}

impl PropertyCapability {
    /// A property with a name only.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    fn enumerated(name: &str, values: &[&str]) -> Self {
        Self {
            values: owned(values),
            ..Self::new(name)
        }
    }

    fn typed(name: &str, types: &[&str]) -> Self {
        Self {
            types: owned(types),
            ..Self::new(name)
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Content type of a folder.
pub(super) const FOLDER: &str = "application/vnd.omads-folder+xml";

/// What the phone says about one datastore.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatastoreCapability {
    /// DisplayName.
    pub display_name: String,
    /// Content types with their versions; the first is preferred.
    pub content_types: Vec<(String, String)>,
    /// Longest server id that the phone can keep, octets.
    pub max_guid_size: Option<u64>,
    /// Most items.
    pub max_items: Option<u64>,
    /// SyncType numbers.
    pub sync_types: Vec<u32>,
    /// SupportHierarchicalSync: it has folders (1.2).
    pub hierarchical: bool,
    /// CTCap of the preferred content type; empty means that the phone does not tell.
    pub properties: Vec<PropertyCapability>,
}

/// The phone's device information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Man
    pub manufacturer: String,
    /// Mod
    pub model: String,
    /// FwV
    pub firmware: Option<String>,
    /// SwV
    pub software: Option<String>,
    /// HwV
    pub hardware: Option<String>,
    /// DevTyp
    pub device_type: String,
    /// UTC: the phone takes UTC times (1.1).
    pub utc: bool,
    /// SupportLargeObjs (1.1).
    pub large_objects: bool,
    /// SupportNumberOfChanges (1.1).
    pub number_of_changes: bool,
    /// By datastore name.
    pub datastores: BTreeMap<String, DatastoreCapability>,
}

impl Default for DeviceInfo {
    fn default() -> Self {
        let mut datastores = BTreeMap::new();
        datastores.insert(
            "contacts".to_owned(),
            datastore(
                "Contacts",
                &[("text/x-vcard", "2.1"), ("text/vcard", "3.0")],
                contact(),
            ),
        );
        datastores.insert(
            "calendar".to_owned(),
            datastore("Calendar", &[("text/x-vcalendar", "1.0")], calendar(EVENT)),
        );
        datastores.insert(
            "tasks".to_owned(),
            datastore("Tasks", &[("text/x-vcalendar", "1.0")], calendar(TASK)),
        );
        datastores.insert(
            "notes".to_owned(),
            datastore("Notes", &[("text/plain", "1.0")], Vec::new()),
        );
        let mail = datastore(
            "Mail",
            &[("application/vnd.omads-email+xml", "1.2"), (FOLDER, "1.2")],
            Vec::new(),
        );
        datastores.insert(
            "mail".to_owned(),
            DatastoreCapability {
                hierarchical: true,
                ..mail
            },
        );
        Self {
            manufacturer: "Candybar".to_owned(),
            model: "Handset".to_owned(),
            firmware: Some("1.0".to_owned()),
            software: Some("1.0".to_owned()),
            hardware: Some("1.0".to_owned()),
            device_type: "phone".to_owned(),
            utc: true,
            large_objects: true,
            number_of_changes: true,
            datastores,
        }
    }
}

fn datastore(
    name: &str,
    types: &[(&str, &str)],
    properties: Vec<PropertyCapability>,
) -> DatastoreCapability {
    DatastoreCapability {
        display_name: name.to_owned(),
        content_types: types
            .iter()
            .map(|(kind, version)| ((*kind).into(), (*version).into()))
            .collect(),
        max_guid_size: Some(64),
        max_items: None,
        sync_types: (1..=7).collect(),
        hierarchical: false,
        properties,
    }
}

fn contact() -> Vec<PropertyCapability> {
    use PropertyCapability as P;
    let mut properties = vec![
        P::enumerated("BEGIN", &["VCARD"]),
        P::enumerated("END", &["VCARD"]),
        P::enumerated("VERSION", &["2.1"]),
    ];
    properties.extend(["N", "FN", "TITLE", "ORG", "NOTE", "BDAY", "REV", "PHOTO"].map(P::new));
    properties.push(P::typed(
        "TEL",
        &["HOME", "WORK", "CELL", "FAX", "PAGER", "VOICE", "PREF"],
    ));
    properties.push(P::typed("EMAIL", &["INTERNET", "HOME", "WORK"]));
    properties.push(P::typed("ADR", &["HOME", "WORK"]));
    properties.push(P::typed("URL", &["HOME", "WORK"]));
    properties
}

const EVENT: (&str, &[&str]) = (
    "VEVENT",
    &[
        "UID",
        "SUMMARY",
        "DESCRIPTION",
        "LOCATION",
        "DTSTART",
        "DTEND",
        "RRULE",
        "EXDATE",
        "AALARM",
        "CATEGORIES",
        "CLASS",
        "PRIORITY",
        "LAST-MODIFIED",
    ],
);

const TASK: (&str, &[&str]) = (
    "VTODO",
    &[
        "UID",
        "SUMMARY",
        "DESCRIPTION",
        "DTSTART",
        "DUE",
        "COMPLETED",
        "STATUS",
        "PRIORITY",
        "AALARM",
        "CATEGORIES",
        "CLASS",
        "LAST-MODIFIED",
    ],
);

fn calendar((component, names): (&str, &[&str])) -> Vec<PropertyCapability> {
    use PropertyCapability as P;
    let mut properties = vec![
        P::enumerated("BEGIN", &["VCALENDAR", component]),
        P::enumerated("END", &["VCALENDAR", component]),
        P::enumerated("VERSION", &["1.0"]),
    ];
    properties.extend(names.iter().map(|name| P::new(name)));
    properties
}

impl DeviceInfo {
    /// Another maker and model.
    #[must_use]
    pub fn named(mut self, manufacturer: &str, model: &str) -> Self {
        manufacturer.clone_into(&mut self.manufacturer);
        model.clone_into(&mut self.model);
        self
    }

    /// A datastore that holds these properties only (beside BEGIN, END and VERSION).
    #[must_use]
    pub fn limited(mut self, datastore: &str, properties: &[&str]) -> Self {
        let store = self.datastores.entry(datastore.to_owned()).or_default();
        store.properties.retain(|property| {
            is_frame(&property.name)
                || properties
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(&property.name))
        });
        for name in properties {
            if !store
                .properties
                .iter()
                .any(|p| p.name.eq_ignore_ascii_case(name))
            {
                store.properties.push(PropertyCapability::new(name));
            }
        }
        self
    }

    /// Names of the properties that a datastore can hold; empty if the phone does not tell.
    pub(super) fn property_names(&self, datastore: &str) -> Vec<&str> {
        self.datastores
            .get(datastore)
            .map_or_else(Vec::new, |store| {
                store
                    .properties
                    .iter()
                    .map(|property| property.name.as_str())
                    .collect()
            })
    }

    /// Whether a datastore has folders.
    pub fn is_hierarchical(&self, datastore: &str) -> bool {
        let store = self.datastores.get(datastore);
        store.is_some_and(|store| store.hierarchical)
    }

    /// The preferred content type of a datastore.
    pub fn preferred_type(&self, datastore: &str) -> &str {
        self.datastores
            .get(datastore)
            .and_then(|store| store.content_types.first())
            .map_or("text/plain", |(kind, _)| kind)
    }

    /// The document for a version, listing those of the addressed datastores that the phone describes.
    pub fn document(
        &self,
        version: Version,
        device_id: &str,
        addresses: &BTreeMap<String, Addresses>,
    ) -> DevInf<'static> {
        let newer = version > Version::V10;
        let mut document = DevInf {
            ver_dtd: version.dtd().into(),
            man: Some(self.manufacturer.clone().into()),
            model: Some(self.model.clone().into()),
            fw_v: self.firmware.clone().map(Into::into),
            sw_v: self.software.clone().map(Into::into),
            hw_v: self.hardware.clone().map(Into::into),
            dev_id: device_id.to_owned().into(),
            dev_typ: self.device_type.clone().into(),
            utc: newer && self.utc,
            large_objects: newer && self.large_objects,
            number_of_changes: newer && self.number_of_changes,
            ..DevInf::default()
        };
        for (name, store) in &self.datastores {
            let Some(address) = addresses.get(name) else {
                continue;
            };
            let mut types = store
                .content_types
                .iter()
                .map(|(kind, version)| ContentType {
                    kind: kind.clone().into(),
                    version: version.clone().into(),
                });
            let preferred = types.next();
            let others: Vec<_> = types.collect();
            let cap = preferred.clone().map(|content_type| CtCap {
                content_type,
                field_level: false,
                properties: store
                    .properties
                    .iter()
                    .map(|p| property(p, version))
                    .collect(),
            });
            let mut info = DataStoreInfo {
                source_ref: address.local.clone().into(),
                display_name: (!store.display_name.is_empty())
                    .then(|| store.display_name.clone().into()),
                max_guid_size: store.max_guid_size,
                rx_pref: preferred.clone(),
                rx: others.clone(),
                tx_pref: preferred,
                tx: others,
                memory: store.max_items.map(|max_id| Memory {
                    shared: false,
                    max_mem: None,
                    max_id: Some(max_id),
                }),
                hierarchical: store.hierarchical && version == Version::V12,
                sync_types: store.sync_types.clone(),
                ..DataStoreInfo::default()
            };
            if let Some(cap) = cap.filter(|cap| !cap.properties.is_empty()) {
                if version == Version::V12 {
                    info.ct_caps.push(cap);
                } else {
                    flatten(&mut document.ct_caps, cap);
                }
            }
            document.datastores.push(info);
        }
        document
    }
}

/// Adds a CTCap to the flat list of 1.0 and 1.1, where a content type occurs once for all datastores.
fn flatten(list: &mut Vec<CtCap<'static>>, cap: CtCap<'static>) {
    let Some(known) = list
        .iter_mut()
        .find(|known| known.content_type.kind == cap.content_type.kind)
    else {
        list.push(cap);
        return;
    };
    for property in cap.properties {
        match known
            .properties
            .iter_mut()
            .find(|other| other.name == property.name)
        {
            Some(other) => {
                for value in property.values {
                    if !other.values.contains(&value) {
                        other.values.push(value);
                    }
                }
            }
            None => known.properties.push(property),
        }
    }
}

fn property(capability: &PropertyCapability, version: Version) -> PropertyInfo<'static> {
    let types = capability.types.iter().cloned();
    let params = if version == Version::V12 {
        let values: Vec<_> = types.map(Into::into).collect();
        let param = ParamInfo {
            name: "TYPE".into(),
            values,
            ..ParamInfo::default()
        };
        if param.values.is_empty() {
            Vec::new()
        } else {
            vec![param]
        }
    } else {
        types
            .map(|name| ParamInfo {
                name: name.into(),
                ..ParamInfo::default()
            })
            .collect()
    };
    PropertyInfo {
        name: capability.name.clone().into(),
        max_size: capability.max_size,
        max_occur: capability.max_occur.filter(|_| version == Version::V12),
        no_truncate: capability.no_truncate && version == Version::V12,
        values: capability.values.iter().cloned().map(Into::into).collect(),
        params,
        ..PropertyInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handset::settings::Settings;

    fn document(info: &DeviceInfo, version: Version) -> DevInf<'static> {
        info.document(version, "IMEI:1", &Settings::default().datastores)
    }

    #[test]
    fn capabilities_are_nested_in_1_2_and_flat_before() {
        let info = DeviceInfo::default();
        let nested = document(&info, Version::V12);
        assert!(nested.ct_caps.is_empty());
        let contacts = nested
            .datastores
            .iter()
            .find(|s| s.source_ref == "./contacts");
        let cap = &contacts.expect("listed").ct_caps[0];
        assert_eq!(cap.content_type.kind, "text/x-vcard");
        let tel = cap
            .properties
            .iter()
            .find(|p| p.name == "TEL")
            .expect("phones have numbers");
        assert_eq!(tel.params.len(), 1);
        assert!(tel.params[0].name == "TYPE" && tel.params[0].values.contains(&"CELL".into()));

        let flat = document(&info, Version::V11);
        assert!(flat.datastores.iter().all(|store| store.ct_caps.is_empty()));
        let kinds: Vec<_> = flat
            .ct_caps
            .iter()
            .map(|cap| &*cap.content_type.kind)
            .collect();
        assert_eq!(
            kinds,
            ["text/x-vcalendar", "text/x-vcard"],
            "each type once"
        );
        let begin = &flat.ct_caps[0].properties[0];
        assert_eq!(begin.values, ["VCALENDAR", "VEVENT", "VTODO"]);
        let tel = flat.ct_caps[1]
            .properties
            .iter()
            .find(|p| p.name == "TEL")
            .expect("as above");
        assert!(tel.params.iter().any(|param| param.name == "CELL"));
        assert!(
            flat.utc && !document(&info, Version::V10).utc,
            "1.0 has no UTC element"
        );
    }

    #[test]
    fn a_limited_phone_lists_few_properties() {
        let info = DeviceInfo::default().limited("contacts", &["N", "TEL", "X-MINE"]);
        let names = info.property_names("contacts");
        assert_eq!(names, ["BEGIN", "END", "VERSION", "N", "TEL", "X-MINE"]);
    }
}
