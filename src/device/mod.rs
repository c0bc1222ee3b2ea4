//! What a device can hold, read from its DevInf (SyncML DevInf 1.0-1.2), and what it does its own way ([`profile`]).
//!
//! Pure: documents in, [`Holding`] out. A device that sent none gets safe defaults: the legacy forms, local times.

pub mod profile;

use crate::content::{self, Capabilities, Format, Kind, ParamCapability, PropertyCapability};
use crate::sync::Datastore;
use crate::syncml::{CtCap, DataStoreInfo, DevInf, PropertyInfo, Version};

use profile::{Times, Traits};

/// What one datastore of a device can hold, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The form in which it likes to be sent items.
    pub format: Format,
    /// The properties of that form that it knows; empty if it does not say.
    pub capabilities: Capabilities,
    /// It takes times in UTC; otherwise they are sent as local times.
    pub utc: bool,
    /// Times that it sends without a zone are UTC.
    pub unmarked_utc: bool,
    /// It keeps to-dos in this calendar datastore too.
    pub mixed: bool,
    /// Octets of the longest temporary GUID that it takes.
    pub max_guid_size: Option<u64>,
    /// It keeps folders in this datastore.
    pub hierarchical: bool,
    /// It said that it takes the form.
    pub form_told: bool,
}

impl Holding {
    /// For a device that said nothing of this datastore.
    pub fn unknown(datastore: Datastore) -> Self {
        Self {
            format: default_format(datastore),
            capabilities: Capabilities::default(),
            utc: false,
            unmarked_utc: false,
            mixed: false,
            max_guid_size: None,
            hierarchical: false,
            form_told: false,
        }
    }

    /// What `devinf` says of the device's datastore at `uri` (its own address), used as `datastore`.
    pub fn of(devinf: &DevInf<'_>, uri: &str, datastore: Datastore) -> Self {
        Self::with(Some(devinf), uri, datastore, &Traits::default())
    }

    /// The same, put right by what is known of the device beside its DevInf, if it sent one.
    pub fn with(
        devinf: Option<&DevInf<'_>>,
        uri: &str,
        datastore: Datastore,
        traits: &Traits,
    ) -> Self {
        let legacy = traits.legacy_forms == Some(true);
        let mut holding = match devinf {
            Some(devinf) => Self::told(devinf, uri, datastore, legacy),
            None => Self::unknown(datastore),
        };
        match traits.times {
            Some(Times::Local) => holding.utc = false,
            Some(Times::Utc) => holding.utc = true,
            Some(Times::UnmarkedUtc) => (holding.utc, holding.unmarked_utc) = (true, true),
            None => {}
        }
        if traits.ignore_capabilities == Some(true) {
            holding.capabilities = Capabilities::default();
        }
        if traits.ignore_max_size == Some(true) {
            holding.capabilities.forget_sizes();
        }
        holding.complete()
    }

    /// A device that did not say which form it takes gets the one that the address names which it asked for.
    #[must_use]
    pub fn asked_as(mut self, address: &str) -> Self {
        match form_of_address(address) {
            Some(format) if !self.form_told => {
                self.format = format;
                self.capabilities = Capabilities::default();
                self.complete()
            }
            _ => self,
        }
    }

    /// What a form holds that names its fields in its own way.
    fn complete(mut self) -> Self {
        if self.format.is_sif() {
            self.capabilities = content::sif_capabilities(self.format, &self.capabilities);
        }
        self
    }

    fn told(devinf: &DevInf<'_>, uri: &str, datastore: Datastore, legacy: bool) -> Self {
        let mut holding = Self::unknown(datastore);
        holding.utc = devinf.utc;
        let Some(info) = find(devinf, uri, datastore) else {
            return holding;
        };
        holding.max_guid_size = info.max_guid_size;
        holding.hierarchical = info.hierarchical;
        let preferred = info
            .rx_pref
            .iter()
            .chain(&info.rx)
            .find_map(|content_type| {
                Format::from_mime(&content_type.kind, Some(&content_type.version))
                    .filter(|format| *format != Format::Folder)
                    .filter(|format| carries(*format, datastore) && !(legacy && format.is_modern()))
            });
        if let Some(format) = preferred {
            holding.format = format;
            holding.form_told = true;
        }
        let version_1_2 = Version::from_dtd(&devinf.ver_dtd) == Some(Version::V12);
        let nested = !info.ct_caps.is_empty() || version_1_2;
        let ct_caps = if nested {
            &info.ct_caps
        } else {
            &devinf.ct_caps
        };
        if let Some(ct_cap) = ct_cap(ct_caps, holding.format) {
            holding.capabilities = capabilities(ct_cap);
            holding.mixed = datastore == Datastore::Calendar
                && names_component(ct_cap, "VTODO")
                && !devinf.datastores.iter().any(|other| {
                    !same_address(&other.source_ref, uri) && Datastore::resolve(&other.source_ref) == Some(Datastore::Tasks)
                })
                // SyncML 1.1 lists one CTCap for a type, even if two datastores share it.
                && (nested || devinf.datastores.iter().filter(|other| receives(other, holding.format)).count() == 1);
        }
        holding
    }
}

/// The form in which a device that said nothing is sent items.
pub const fn default_format(datastore: Datastore) -> Format {
    match datastore {
        Datastore::Contacts => Format::VCard21,
        Datastore::Calendar | Datastore::Tasks | Datastore::Agenda => Format::VCalendar10,
        Datastore::Notes => Format::PlainText,
        Datastore::Mail => Format::Email,
    }
}

/// The forms that the server takes and gives for a datastore, the preferred one first.
pub const fn formats(datastore: Datastore) -> &'static [Format] {
    match datastore {
        Datastore::Contacts => &[Format::VCard21, Format::VCard30],
        Datastore::Calendar | Datastore::Tasks | Datastore::Agenda => {
            &[Format::VCalendar10, Format::ICalendar20]
        }
        Datastore::Notes => &[Format::PlainText, Format::VNote11],
        Datastore::Mail => &[Format::Email, Format::Message, Format::Folder],
    }
}

/// The form of a device's items that the name of a datastore says: Funambol's servers have one for each form, and their
/// clients ask for them.
fn form_of_address(address: &str) -> Option<Format> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let name = path.trim().trim_end_matches('/').rsplit('/').next()?;
    Some(match name.to_ascii_lowercase().as_str() {
        "scard" => Format::SifContact,
        "scal" => Format::SifEvent,
        "stask" => Format::SifTask,
        "snote" => Format::SifNote,
        _ => return None,
    })
}

/// What kind of item a body is about where it does not say so itself.
pub const fn default_kind(datastore: Datastore) -> Kind {
    match datastore {
        Datastore::Contacts => Kind::Contact,
        Datastore::Calendar | Datastore::Agenda => Kind::Event,
        Datastore::Tasks => Kind::Task,
        Datastore::Notes => Kind::Note,
        Datastore::Mail => Kind::Mail,
    }
}

/// Where an item of a kind lives when it comes in through a datastore.
pub const fn home(kind: Kind) -> Datastore {
    match kind {
        Kind::Contact => Datastore::Contacts,
        Kind::Event => Datastore::Calendar,
        Kind::Task => Datastore::Tasks,
        Kind::Note => Datastore::Notes,
        Kind::Mail | Kind::Folder => Datastore::Mail,
    }
}

/// Whether a form can carry the items of a datastore.
pub(crate) fn carries(format: Format, datastore: Datastore) -> bool {
    formats(datastore).contains(&format)
        || matches!(
            (datastore, format),
            (Datastore::Contacts, Format::VCard40 | Format::SifContact)
                | (Datastore::Calendar, Format::SifEvent)
                | (Datastore::Tasks, Format::SifTask)
                | (Datastore::Notes, Format::SifNote)
        )
}

fn same_address(a: &str, b: &str) -> bool {
    let bare = |uri: &str| -> String {
        let path = uri.split('?').next().unwrap_or_default();
        path.trim_start_matches("./")
            .trim_matches('/')
            .to_ascii_lowercase()
    };
    bare(a) == bare(b)
}

/// The device's datastore by its address, else the first one that holds this kind of item.
fn find<'d, 'a>(
    devinf: &'d DevInf<'a>,
    uri: &str,
    datastore: Datastore,
) -> Option<&'d DataStoreInfo<'a>> {
    devinf
        .datastores
        .iter()
        .find(|info| info.source_ref == uri)
        .or_else(|| {
            devinf
                .datastores
                .iter()
                .find(|info| same_address(&info.source_ref, uri))
        })
        .or_else(|| {
            devinf
                .datastores
                .iter()
                .find(|info| Datastore::resolve(&info.source_ref) == Some(datastore))
        })
}

fn receives(info: &DataStoreInfo<'_>, format: Format) -> bool {
    info.rx_pref.iter().chain(&info.rx).any(|content_type| {
        Format::from_mime(&content_type.kind, Some(&content_type.version)) == Some(format)
    })
}

/// The CTCap of a form; if the versions do not fit, that of its family.
fn ct_cap<'d, 'a>(ct_caps: &'d [CtCap<'a>], format: Format) -> Option<&'d CtCap<'a>> {
    let of = |ct_cap: &&CtCap<'a>| {
        Format::from_mime(
            &ct_cap.content_type.kind,
            Some(&ct_cap.content_type.version),
        ) == Some(format)
    };
    let family = |ct_cap: &&CtCap<'a>| ct_cap.content_type.kind.eq_ignore_ascii_case(format.mime());
    ct_caps
        .iter()
        .find(of)
        .or_else(|| ct_caps.iter().find(family))
}

fn names_component(ct_cap: &CtCap<'_>, component: &str) -> bool {
    ct_cap
        .properties
        .iter()
        .filter(|property| property.name.eq_ignore_ascii_case("BEGIN"))
        .any(|begin| {
            begin
                .values
                .iter()
                .any(|value| value.eq_ignore_ascii_case(component))
        })
}

fn capabilities(ct_cap: &CtCap<'_>) -> Capabilities {
    Capabilities::new(ct_cap.properties.iter().map(property))
}

/// What a Property element says.
pub(crate) fn property(info: &PropertyInfo<'_>) -> PropertyCapability {
    let number = |value: Option<u64>| {
        value
            .and_then(|value| u32::try_from(value).ok())
            .filter(|value| *value > 0)
    };
    PropertyCapability {
        name: info.name.to_string(),
        max_size: number(info.max_size),
        no_truncate: info.no_truncate,
        max_occur: number(info.max_occur),
        values: info.values.iter().map(ToString::to_string).collect(),
        params: info
            .params
            .iter()
            .map(|param| ParamCapability {
                name: param.name.to_string(),
                values: param.values.iter().map(ToString::to_string).collect(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;
