//! Settings for a phone: what they are made of, and the push that they become (OMA Client Provisioning 1.1; Nokia's and
//! Ericsson's Over The Air Settings 7.0). No IO, no clock.

use serde::{Deserialize, Serialize};

use crate::device::profile::{Provisioning, Traits};
use crate::push::prov::{self, Document, Security, Shape};
use crate::push::wdp::Ports;
use crate::push::{
    AccessPoint, BuildError, Connection, DatastoreSettings, Proxy, Settings, ota, wsp,
};
use crate::sync::Datastore;

/// The form in which a phone takes settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingsKind {
    /// OMA Client Provisioning.
    #[default]
    Cp,
    /// Nokia's and Ericsson's Over The Air Settings 7.0.
    NokiaOta,
}

impl SettingsKind {
    /// The form that a device with these traits takes.
    pub fn of(traits: &Traits) -> Self {
        match traits.provisioning {
            Some(Provisioning::NokiaOta) => Self::NokiaOta,
            Some(Provisioning::Cp) | None => Self::Cp,
        }
    }
}

impl std::str::FromStr for SettingsKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cp" => Ok(Self::Cp),
            "nokia-ota" => Ok(Self::NokiaOta),
            _ => Err("it is cp or nokia-ota".to_owned()),
        }
    }
}

/// An access point that is made with the settings.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessPointOrder {
    /// What the phone calls it.
    pub name: String,
    /// Its name in the network.
    pub apn: String,
    /// User, if the network wants one.
    pub user: String,
    /// Password, if the network wants one.
    pub password: String,
    /// `host:port` of an HTTP proxy.
    pub proxy: String,
}

/// What settings are made of, beside what is known of account and device. It is kept sealed.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsOrder {
    /// The form; `None`: as the profile of the phone with that number has it, else Client Provisioning.
    pub kind: Option<SettingsKind>,
    /// What the phone calls the account.
    pub name: String,
    /// Where it synchronises.
    pub url: String,
    /// Which datastores.
    pub datastores: Vec<Datastore>,
    /// Digits that the user types.
    pub pin: Option<String>,
    /// Number of the card: the phone checks by itself.
    pub imsi: Option<String>,
    /// The user types PIN and signature.
    pub pin_mac: bool,
    /// An access point that the phone has.
    pub existing: Option<String>,
    /// One that is made.
    pub access_point: Option<AccessPointOrder>,
    /// The phone gets the server's password as well, with which it checks notifications.
    pub server_credentials: bool,
    /// Only the access point, for phones that take it apart.
    pub browser: bool,
}

impl SettingsOrder {
    /// How a document is signed; `None`: not at all, which few phones take.
    fn security(&self) -> Option<Security> {
        let (pin, imsi) = (self.pin.clone(), self.imsi.clone());
        match (pin, imsi) {
            (Some(pin), None) if self.pin_mac => Some(Security::UserPinMac { pin }),
            (Some(pin), None) => Some(Security::UserPin { pin }),
            (None, Some(imsi)) => Some(Security::NetworkPin { imsi }),
            (Some(pin), Some(imsi)) => Some(Security::UserNetworkPin { imsi, pin }),
            (None, None) => None,
        }
    }

    fn new_access_point(&self) -> Option<AccessPoint> {
        let order = self.access_point.as_ref()?;
        let proxy = order.proxy.rsplit_once(':').and_then(|(address, port)| {
            Some(Proxy {
                address: address.to_owned(),
                port: port.parse().ok()?,
            })
        });
        Some(AccessPoint {
            name: match &*order.name {
                "" => order.apn.clone(),
                name => name.to_owned(),
            },
            apn: order.apn.clone(),
            user: order.user.clone(),
            password: order.password.clone(),
            proxy,
            ..AccessPoint::default()
        })
    }

    /// The push and where it goes, and the digits that the user has to type.
    pub fn push(
        &self,
        server_id: &str,
        user: &str,
        password: &str,
    ) -> Result<(wsp::Push, Ports, Option<String>), BuildError> {
        if self.browser {
            let access_point = self
                .new_access_point()
                .ok_or(BuildError::Missing("access point"))?;
            return Ok((
                ota::browser_push(&access_point, "")?,
                Ports::OTA_BROWSER,
                None,
            ));
        }
        let kind = self.kind.unwrap_or_default();
        let connection = match (self.new_access_point(), &self.existing) {
            // The old form makes it with settings of their own, and names it here.
            (Some(point), _) if kind == SettingsKind::NokiaOta => Connection::Existing(point.name),
            (Some(point), _) => Connection::New(point),
            (None, Some(name)) => Connection::Existing(name.clone()),
            (None, None) => Connection::Unsaid,
        };
        let settings = Settings {
            name: self.name.clone(),
            server_id: Some(server_id.to_owned()),
            url: self.url.clone(),
            user: user.to_owned(),
            password: password.to_owned(),
            server_password: self.server_credentials.then(|| password.to_owned()),
            datastores: self.datastores.iter().copied().map(datastore).collect(),
            connection,
        };
        match kind {
            SettingsKind::Cp => {
                let mut push = Document::new(&settings, Shape::default())?.push()?;
                let typed = match self.security() {
                    Some(security) => prov::sign(&mut push, &security)?,
                    None => None,
                };
                Ok((push, Ports::PROVISIONING, typed))
            }
            SettingsKind::NokiaOta => {
                let push = ota::sync_push(&settings, ota::Scheme::Md5)?;
                Ok((push, Ports::OTA_SYNC, None))
            }
        }
    }
}

fn datastore(datastore: Datastore) -> DatastoreSettings {
    let (name, types): (_, &[(&str, &str)]) = match datastore {
        Datastore::Contacts => (
            "Contacts",
            &[("text/x-vcard", "2.1"), ("text/vcard", "3.0")],
        ),
        Datastore::Calendar => ("Calendar", &[("text/x-vcalendar", "1.0")]),
        Datastore::Tasks => ("Tasks", &[("text/x-vcalendar", "1.0")]),
        Datastore::Agenda => ("Calendar", &[("text/x-vcalendar", "1.0")]),
        Datastore::Notes => ("Notes", &[("text/plain", "1.0")]),
        Datastore::Mail => ("Mail", &[("application/vnd.omads-email+xml", "1.2")]),
    };
    DatastoreSettings::new(datastore.name(), name, types)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::prov::is_signed_with;

    fn order() -> SettingsOrder {
        SettingsOrder {
            name: "Home".into(),
            url: "http://sync.example.org:8080/sync".into(),
            datastores: vec![Datastore::Contacts, Datastore::Agenda],
            pin: Some("1234".into()),
            ..SettingsOrder::default()
        }
    }

    #[test]
    fn client_provisioning_has_all_that_the_phone_needs() {
        let (push, ports, typed) = order().push("candybar", "alice", "secret").expect("built");
        assert_eq!(
            (ports, typed.as_deref()),
            (Ports::PROVISIONING, Some("1234"))
        );
        let security = Security::UserPin { pin: "1234".into() };
        assert!(is_signed_with(&push, &security));
        let settings = Document::read(&push.body)
            .expect("a document")
            .settings()
            .expect("settings");
        assert_eq!(
            (&*settings.url, &*settings.user, &*settings.password),
            ("http://sync.example.org:8080/sync", "alice", "secret")
        );
        let uris: Vec<&str> = settings
            .datastores
            .iter()
            .map(|known| &*known.uri)
            .collect();
        assert_eq!(uris, ["contacts", "agenda"]);
    }

    #[test]
    fn the_old_form_goes_to_its_own_port() {
        let order = SettingsOrder {
            kind: Some(SettingsKind::NokiaOta),
            access_point: Some(AccessPointOrder {
                apn: "internet".into(),
                proxy: "10.0.0.1:8080".into(),
                ..AccessPointOrder::default()
            }),
            ..order()
        };
        let (push, ports, _) = order.push("candybar", "alice", "secret").expect("built");
        assert_eq!(ports, Ports::OTA_SYNC);
        let settings = ota::read_sync(&push.body).expect("settings");
        assert_eq!(settings.connection, Connection::Existing("internet".into()));
        let browser = SettingsOrder {
            browser: true,
            ..order
        };
        let (push, ports, _) = browser.push("candybar", "alice", "secret").expect("built");
        assert_eq!(ports, Ports::OTA_BROWSER);
        let (point, _) = ota::read_browser(&push.body).expect("an access point");
        assert_eq!((&*point.apn, &*point.name), ("internet", "internet"));
    }

    #[test]
    fn a_wrong_pin_is_refused_without_showing_it() {
        let order = SettingsOrder {
            pin: Some("12a4".into()),
            ..order()
        };
        let error = order
            .push("candybar", "alice", "secret")
            .expect_err("no pin");
        assert!(!error.to_string().contains("12a4"), "{error}");
    }
}
