//! OMA Client Provisioning: the settings of a phone (Provisioning Content 1.1, Provisioning Bootstrap 1.1; the
//! application registration of data synchronisation, `w5`).
//!
//! ```text
//! NAPDEF       a new access point           PXLOGICAL   its proxy
//! APPLICATION  APPID w5, PROVIDER-ID, TO-NAPID or TO-PROXY, NAME, ADDR or APPADDR
//!   RESOURCE   for each datastore: URI, NAME, AACCEPT
//!   APPAUTH    AAUTHNAME, AAUTHSECRET; another one, AAUTHLEVEL CLIENT, with what the server proves itself with
//! ```
//!
//! An address with a port goes into APPADDR with PORT, because clients take ADDR for the default port.

mod security;
#[cfg(test)]
mod tests;

pub use security::{PIN_DIGITS, Sec, Security, is_signed_with, sign};

use std::fmt;

use super::document::Element;
use super::settings::{
    AccessPoint, Connection, ContentType, DatastoreSettings, Login, Proxy, Settings, join_port,
    split_port,
};
use super::wsp::{MediaType, Push};
use super::{BuildError, ReadError, ReadErrorKind};
use crate::wbxml::tables::PROV;

const PUBLIC_ID: u32 = 0x0B;
const DOCTYPE: &str = "<!DOCTYPE wap-provisioningdoc PUBLIC \"-//WAPFORUM//DTD PROV 1.0//EN\" \"http://www.wapforum.org/DTD/prov.dtd\">";
/// The application id of data synchronisation.
const DATA_SYNC: &str = "w5";
/// The level of the credentials that the server shows to the client.
const CLIENT: &str = "CLIENT";
const NAP: &str = "NAP1";
const PROXY: &str = "PROXY1";
const PHYSICAL_PROXY: &str = "PHYSICAL1";

/// What clients want differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// The address goes into APPADDR also without a port.
    pub appaddr: bool,
    /// APPAUTH says that the credentials are for the server (AAUTHLEVEL APPSRV).
    pub auth_level: bool,
}

/// A provisioning document.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Element);

/// Without its content, which has passwords.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").finish_non_exhaustive()
    }
}

fn parm(name: &str, value: impl Into<String>) -> Element {
    Element::new("parm").with("name", name).with("value", value)
}

fn characteristic(kind: &str, children: Vec<Element>) -> Element {
    let mut element = Element::new("characteristic").with("type", kind);
    element.children = children;
    element
}

impl Document {
    /// The document that sets a phone up.
    pub fn new(settings: &Settings, shape: Shape) -> Result<Self, BuildError> {
        settings.check()?;
        let mut root = Element::new("wap-provisioningdoc").with("version", "1.0");
        if let Connection::New(access_point) = &settings.connection {
            root.children.extend(network(access_point));
        }
        root.children.push(application(settings, shape));
        Ok(Self(root))
    }

    /// As WBXML 1.3.
    pub fn wbxml(&self) -> Result<Vec<u8>, BuildError> {
        self.0.wbxml(&PROV, 0x03, PUBLIC_ID)
    }

    /// As XML, which gateways with a provisioning function of their own take.
    pub fn xml(&self) -> Result<String, BuildError> {
        self.0.xml(&PROV, Some(DOCTYPE))
    }

    /// As a push without a signature: phones accept it from few senders.
    pub fn push(&self) -> Result<Push, BuildError> {
        Ok(Push {
            transaction: 1,
            content_type: MediaType::PROV,
            body: self.wbxml()?,
            ..Push::default()
        })
    }

    /// Reads a document of either carrier.
    pub fn read(input: &[u8]) -> Result<Self, ReadError> {
        Element::read(input, &PROV).map(Self)
    }

    /// The settings of data synchronisation in it.
    pub fn settings(&self) -> Result<Settings, ReadError> {
        let of_kind = |kind: &'static str| characteristics(&self.0, kind);
        let application = of_kind("APPLICATION")
            .find(|application| {
                value(application, "APPID").is_some_and(|id| id.eq_ignore_ascii_case(DATA_SYNC))
            })
            .ok_or_else(|| ReadError::new(0, ReadErrorKind::Missing("application w5")))?;
        let text = |element: &Element, name: &str| value(element, name).unwrap_or_default();
        let datastores = characteristics(application, "RESOURCE").map(|resource| {
            let accepted = text(resource, "AACCEPT");
            DatastoreSettings {
                uri: text(resource, "URI"),
                name: text(resource, "NAME"),
                content_types: accepted
                    .split(',')
                    .map(str::trim)
                    .filter(|media| !media.is_empty())
                    .map(|media| ContentType {
                        media: media.to_owned(),
                        versions: Vec::new(),
                    })
                    .collect(),
            }
        });
        let auth = characteristics(application, "APPAUTH").find(|auth| {
            value(auth, "AAUTHLEVEL").is_none_or(|level| level.eq_ignore_ascii_case("APPSRV"))
        });
        let credential = |name| auth.map(|auth| text(auth, name)).unwrap_or_default();
        let server = characteristics(application, "APPAUTH").find(|auth| {
            value(auth, "AAUTHLEVEL").is_some_and(|level| level.eq_ignore_ascii_case(CLIENT))
        });
        Ok(Settings {
            name: text(application, "NAME"),
            server_id: value(application, "PROVIDER-ID"),
            url: address(application)?,
            user: credential("AAUTHNAME"),
            password: credential("AAUTHSECRET"),
            server_password: server.and_then(|auth| value(auth, "AAUTHSECRET")),
            datastores: datastores.collect(),
            connection: self.connection(application),
        })
    }

    fn connection(&self, application: &Element) -> Connection {
        let proxy_id = value(application, "TO-PROXY");
        let proxy = proxy_id.as_ref().and_then(|id| {
            let mut proxies = characteristics(&self.0, "PXLOGICAL");
            proxies.find(|proxy| value(proxy, "PROXY-ID").as_ref() == Some(id))
        });
        let physical = proxy.and_then(|proxy| characteristics(proxy, "PXPHYSICAL").next());
        let nap_id = physical
            .and_then(|physical| value(physical, "TO-NAPID"))
            .or_else(|| value(application, "TO-NAPID"));
        let Some(nap_id) = nap_id.or(proxy_id) else {
            return Connection::Unsaid;
        };
        let mut naps = characteristics(&self.0, "NAPDEF");
        let Some(nap) = naps.find(|nap| value(nap, "NAPID").as_ref() == Some(&nap_id)) else {
            return Connection::Existing(nap_id);
        };
        let text = |element: &Element, name: &str| value(element, name).unwrap_or_default();
        let auth = characteristics(nap, "NAPAUTHINFO").next();
        let credential = |name| auth.map(|auth| text(auth, name)).unwrap_or_default();
        Connection::New(AccessPoint {
            name: text(nap, "NAME"),
            apn: text(nap, "NAP-ADDRESS"),
            user: credential("AUTHNAME"),
            password: credential("AUTHSECRET"),
            login: Login::from_name(&credential("AUTHTYPE")),
            proxy: physical.map(|physical| Proxy {
                address: text(physical, "PXADDR"),
                port: port(physical)
                    .or_else(|| proxy.and_then(port))
                    .unwrap_or_default(),
            }),
        })
    }
}

fn network(access_point: &AccessPoint) -> Vec<Element> {
    let mut nap = vec![
        parm("NAPID", NAP),
        parm("BEARER", "GSM-GPRS"),
        parm("NAME", &access_point.name),
        parm("NAP-ADDRESS", &access_point.apn),
        parm("NAP-ADDRTYPE", "APN"),
    ];
    if !access_point.user.is_empty() || !access_point.password.is_empty() {
        nap.push(characteristic(
            "NAPAUTHINFO",
            vec![
                parm("AUTHTYPE", access_point.login.name()),
                parm("AUTHNAME", &access_point.user),
                parm("AUTHSECRET", &access_point.password),
            ],
        ));
    }
    let mut all = vec![characteristic("NAPDEF", nap)];
    if let Some(proxy) = &access_point.proxy {
        all.push(characteristic(
            "PXLOGICAL",
            vec![
                parm("PROXY-ID", PROXY),
                parm("NAME", &access_point.name),
                characteristic(
                    "PXPHYSICAL",
                    vec![
                        parm("PHYSICAL-PROXY-ID", PHYSICAL_PROXY),
                        parm("PXADDR", &proxy.address),
                        parm("PXADDRTYPE", "IPV4"),
                        parm("TO-NAPID", NAP),
                        characteristic("PORT", vec![parm("PORTNBR", proxy.port.to_string())]),
                    ],
                ),
            ],
        ));
    }
    all
}

fn application(settings: &Settings, shape: Shape) -> Element {
    let mut children = vec![parm("APPID", DATA_SYNC)];
    if let Some(server_id) = &settings.server_id {
        children.push(parm("PROVIDER-ID", server_id));
    }
    match &settings.connection {
        Connection::Unsaid => {}
        Connection::Existing(id) => children.push(parm("TO-NAPID", id)),
        Connection::New(access_point) if access_point.proxy.is_some() => {
            children.push(parm("TO-PROXY", PROXY));
        }
        Connection::New(_) => children.push(parm("TO-NAPID", NAP)),
    }
    children.push(parm("NAME", &settings.name));
    let (url, port) = split_port(&settings.url);
    if port.is_none() && !shape.appaddr {
        children.push(parm("ADDR", url));
    } else {
        let mut address = vec![parm("ADDR", url)];
        if let Some(port) = port {
            let number = vec![parm("PORTNBR", port.to_string())];
            address.push(characteristic("PORT", number));
        }
        children.push(characteristic("APPADDR", address));
    }
    for datastore in &settings.datastores {
        let media: Vec<&str> = datastore
            .content_types
            .iter()
            .map(|content_type| &*content_type.media)
            .collect();
        let mut resource = vec![parm("URI", &datastore.uri)];
        if !datastore.name.is_empty() {
            resource.push(parm("NAME", &datastore.name));
        }
        if !media.is_empty() {
            resource.push(parm("AACCEPT", media.join(",")));
        }
        children.push(characteristic("RESOURCE", resource));
    }
    if !settings.user.is_empty() {
        let mut auth = Vec::new();
        if shape.auth_level || settings.server_password.is_some() {
            auth.push(parm("AAUTHLEVEL", "APPSRV"));
        }
        auth.push(parm("AAUTHNAME", &settings.user));
        auth.push(parm("AAUTHSECRET", &settings.password));
        children.push(characteristic("APPAUTH", auth));
    }
    if let Some(password) = &settings.server_password {
        let auth = vec![
            parm("AAUTHLEVEL", CLIENT),
            parm(
                "AAUTHNAME",
                settings.server_id.as_deref().unwrap_or_default(),
            ),
            parm("AAUTHSECRET", password),
        ];
        children.push(characteristic("APPAUTH", auth));
    }
    characteristic("APPLICATION", children)
}

fn characteristics<'a>(
    element: &'a Element,
    kind: &'static str,
) -> impl Iterator<Item = &'a Element> {
    element.named("characteristic").filter(move |child| {
        child
            .attr("type")
            .is_some_and(|k| k.eq_ignore_ascii_case(kind))
    })
}

/// The value of a parameter.
fn value(element: &Element, name: &str) -> Option<String> {
    element
        .named("parm")
        .find(|parm| {
            parm.attr("name")
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
        })
        .map(|parm| parm.attr("value").unwrap_or_default().to_owned())
}

fn port(element: &Element) -> Option<u16> {
    let number = characteristics(element, "PORT")
        .next()
        .and_then(|port| value(port, "PORTNBR"));
    // Some documents have it beside the address.
    let number = number.or_else(|| value(element, "PORTNBR"));
    number.and_then(|number| number.trim().parse().ok())
}

fn address(application: &Element) -> Result<String, ReadError> {
    if let Some(address) = value(application, "ADDR") {
        return Ok(address);
    }
    let appaddr = characteristics(application, "APPADDR").next();
    appaddr
        .and_then(|appaddr| Some(join_port(&value(appaddr, "ADDR")?, port(appaddr))))
        .ok_or_else(|| ReadError::new(0, ReadErrorKind::Missing("ADDR")))
}
