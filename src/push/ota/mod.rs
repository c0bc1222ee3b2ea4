//! Settings of the phones before Client Provisioning: Nokia's and Ericsson's Over The Air Settings 7.0. Sync settings
//! (sections 9 to 12) go to port 49996, and need an access point in the phone; browser settings (sections 6 to 8)
//! go to port 49999 and can make one.
//!
//! Both are WBXML 1.1 without a public identifier and without opaque data. The order of elements is fixed.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::document::Element;
use super::settings::{
    AccessPoint, Connection, ContentType, DatastoreSettings, Login, Proxy, Settings, join_port,
    split_port,
};
use super::wsp::{MediaType, Parameter, Push, Value, parameter};
use super::{BuildError, ReadError, ReadErrorKind};
use crate::wbxml::tables::{OTA_BROWSER, OTA_SYNC};

const VERSION: u8 = 0x01;
const NO_PUBLIC_ID: u32 = 0x01;
const UTF_8: u32 = 106;
/// Media type of browser settings, which has no number.
pub const BROWSER_SETTINGS: &str = "application/x-wap-prov.browser-settings";
/// AuthLevel: credentials of SyncML.
const SYNCML_LEVEL: &str = "1";
/// ConType: a logical access point, by its name.
const LOGICAL_ACCESS_POINT: &str = "3";

/// Octets that fields can have (section 10).
mod most {
    pub(super) const HOST: usize = 150;
    pub(super) const PORT: usize = 5;
    pub(super) const NAME: usize = 50;
    pub(super) const URI: usize = 100;
    pub(super) const USER: usize = 80;
    pub(super) const PASSWORD: usize = 60;
    pub(super) const REFERENCE: usize = 20;
    pub(super) const APN: usize = 100;
    pub(super) const LOGIN: usize = 32;
    pub(super) const PPP_PASSWORD: usize = 20;
    pub(super) const PROXY: usize = 21;
    pub(super) const HOME: usize = 100;
}

/// How the phone proves its password to the server (AuthScheme).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scheme {
    /// Not hidden.
    Basic,
    /// MD5.
    #[default]
    Md5,
}

fn leaf(
    name: &'static str,
    field: &'static str,
    text: &str,
    most: usize,
) -> Result<Element, BuildError> {
    if text.len() > most {
        return Err(BuildError::TooLong {
            field,
            octets: text.len(),
            most,
        });
    }
    Ok(Element::leaf(name, text))
}

fn push(content_type: MediaType, body: Vec<u8>) -> Push {
    let charset = Parameter::new(parameter::CHARSET, Value::Integer(UTF_8));
    Push {
        transaction: 1,
        content_type,
        parameters: vec![charset],
        body,
        ..Push::default()
    }
}

/// Sync settings as WBXML. A connection is named by its access point; a new one is made by [`browser_settings`].
pub fn sync_settings(settings: &Settings, scheme: Scheme) -> Result<Vec<u8>, BuildError> {
    sync_document(settings, scheme)?.wbxml(&OTA_SYNC, VERSION, NO_PUBLIC_ID)
}

fn sync_document(settings: &Settings, scheme: Scheme) -> Result<Element, BuildError> {
    settings.check()?;
    let mut root = Element::new("SyncSettings");
    root.children.push(Element::leaf("Version", "1.0"));
    let (host, port) = split_port(&settings.url);
    root.children
        .push(leaf("HostAddr", "server's address", &host, most::HOST)?);
    if let Some(port) = port {
        root.children
            .push(leaf("Port", "port", &port.to_string(), most::PORT)?);
    }
    for datastore in &settings.datastores {
        root.children.push(remote_datastore(datastore)?);
    }
    if !settings.name.is_empty() {
        root.children.push(leaf(
            "Name",
            "name of the settings",
            &settings.name,
            most::NAME,
        )?);
    }
    if !settings.user.is_empty() {
        let mut auth = Element::new("Auth");
        auth.children.push(Element::leaf("AuthLevel", SYNCML_LEVEL));
        let scheme = match scheme {
            Scheme::Basic => "1",
            Scheme::Md5 => "2",
        };
        auth.children.push(Element::leaf("AuthScheme", scheme));
        auth.children
            .push(leaf("Username", "user", &settings.user, most::USER)?);
        // The limit is that of the password before base64.
        leaf("Cred", "password", &settings.password, most::PASSWORD)?;
        let cred = STANDARD.encode(&settings.password);
        auth.children.push(Element::leaf("Cred", cred));
        root.children.push(auth);
    }
    let reference = match &settings.connection {
        Connection::Unsaid => None,
        Connection::Existing(name) => Some(name),
        Connection::New(access_point) => Some(&access_point.name),
    };
    if let Some(name) = reference {
        let mut connection = Element::new("ConRef");
        connection
            .children
            .push(Element::leaf("ConType", LOGICAL_ACCESS_POINT));
        connection.children.push(leaf(
            "RefID",
            "name of the access point",
            name,
            most::REFERENCE,
        )?);
        root.children.push(connection);
    }
    Ok(root)
}

fn remote_datastore(datastore: &DatastoreSettings) -> Result<Element, BuildError> {
    let mut remote = Element::new("RemoteDB");
    if datastore.content_types.is_empty() {
        return Err(BuildError::Missing("media type of a datastore"));
    }
    for content_type in &datastore.content_types {
        remote
            .children
            .push(Element::leaf("CTType", &*content_type.media));
        for version in &content_type.versions {
            remote.children.push(Element::leaf("CTVer", &**version));
        }
    }
    remote.children.push(leaf(
        "URI",
        "address of a datastore",
        &datastore.uri,
        most::URI,
    )?);
    if !datastore.name.is_empty() {
        remote.children.push(leaf(
            "Name",
            "name of a datastore",
            &datastore.name,
            most::NAME,
        )?);
    }
    Ok(remote)
}

/// Sync settings as a push, for [`super::wdp::Ports::OTA_SYNC`].
pub fn sync_push(settings: &Settings, scheme: Scheme) -> Result<Push, BuildError> {
    Ok(push(
        MediaType::SYNC_SETTINGS,
        sync_settings(settings, scheme)?,
    ))
}

/// Reads sync settings. Of several credentials those of SyncML count.
pub fn read_sync(input: &[u8]) -> Result<Settings, ReadError> {
    let root = Element::read(input, &OTA_SYNC)?;
    let text =
        |element: &Element, name: &str| element.child_text(name).unwrap_or_default().to_owned();
    let host = root
        .child_text("HostAddr")
        .ok_or_else(|| ReadError::new(0, ReadErrorKind::Missing("HostAddr")))?;
    let port = root.child_text("Port").and_then(|port| port.parse().ok());
    let datastores = root.named("RemoteDB").map(|remote| {
        let mut content_types: Vec<ContentType> = Vec::new();
        for child in &remote.children {
            let value = child.text.trim().to_owned();
            match (&*child.name, content_types.last_mut()) {
                ("CTType", _) => content_types.push(ContentType {
                    media: value,
                    versions: Vec::new(),
                }),
                ("CTVer", Some(last)) => last.versions.push(value),
                _ => {}
            }
        }
        DatastoreSettings {
            uri: text(remote, "URI"),
            name: text(remote, "Name"),
            content_types,
        }
    });
    let auth = root.named("Auth").find(|auth| {
        let level = auth.child_text("AuthLevel");
        level.is_none_or(|level| level == SYNCML_LEVEL)
    });
    let cred = auth.and_then(|auth| auth.child_text("Cred")).unwrap_or("");
    let password = STANDARD
        .decode(cred)
        .ok()
        .and_then(|octets| String::from_utf8(octets).ok())
        .ok_or_else(|| ReadError::new(0, ReadErrorKind::Value("Cred")))?;
    let reference = root
        .named("ConRef")
        .next()
        .and_then(|connection| connection.child_text("RefID"));
    Ok(Settings {
        name: text(&root, "Name"),
        server_id: None,
        url: join_port(host, port),
        user: auth.map(|auth| text(auth, "Username")).unwrap_or_default(),
        password,
        server_password: None,
        datastores: datastores.collect(),
        connection: reference.map_or(Connection::Unsaid, |name| {
            Connection::Existing(name.to_owned())
        }),
    })
}

fn parm(name: &str, value: impl Into<String>) -> Element {
    Element::new("PARM").with("NAME", name).with("VALUE", value)
}

/// Browser settings that make a GPRS access point, as WBXML. Phones of that time reach HTTP by a proxy: without one
/// there are no such settings. `home` is the page with which the browser begins.
pub fn browser_settings(access_point: &AccessPoint, home: &str) -> Result<Vec<u8>, BuildError> {
    browser_document(access_point, home)?.wbxml(&OTA_BROWSER, VERSION, NO_PUBLIC_ID)
}

fn browser_document(access_point: &AccessPoint, home: &str) -> Result<Element, BuildError> {
    let proxy = access_point
        .proxy
        .as_ref()
        .ok_or(BuildError::Missing("proxy of the access point"))?;
    for (field, text, most) in [
        ("access point name", &access_point.apn, most::APN),
        ("user of the access point", &access_point.user, most::LOGIN),
        (
            "password of the access point",
            &access_point.password,
            most::PPP_PASSWORD,
        ),
        (
            "name of the access point",
            &access_point.name,
            most::REFERENCE,
        ),
        ("proxy of the access point", &proxy.address, most::PROXY),
    ] {
        leaf("", field, text, most)?;
    }
    leaf("", "first page", home, most::HOME)?;
    let mut address = Element::new("CHARACTERISTIC").with("TYPE", "ADDRESS");
    address.children = vec![
        parm("BEARER", "GPRS"),
        parm("PROXY", &proxy.address),
        parm("PORT", proxy.port.to_string()),
        parm("GPRS_ACCESSPOINTNAME", &access_point.apn),
    ];
    if !access_point.user.is_empty() || !access_point.password.is_empty() {
        address.children.extend([
            parm("PPP_AUTHTYPE", access_point.login.name()),
            parm("PPP_AUTHNAME", &access_point.user),
            parm("PPP_AUTHSECRET", &access_point.password),
            parm("PPP_LOGINTYPE", "AUTOMATIC"),
        ]);
    }
    let mut root = Element::new("CHARACTERISTIC-LIST");
    root.children.push(address);
    if !home.is_empty() {
        let url = Element::new("CHARACTERISTIC").with("TYPE", "URL");
        root.children.push(url.with("VALUE", home));
    }
    let mut name = Element::new("CHARACTERISTIC").with("TYPE", "NAME");
    name.children.push(parm("NAME", &access_point.name));
    root.children.push(name);
    Ok(root)
}

/// Browser settings as a push, for [`super::wdp::Ports::OTA_BROWSER`].
pub fn browser_push(access_point: &AccessPoint, home: &str) -> Result<Push, BuildError> {
    let body = browser_settings(access_point, home)?;
    Ok(push(MediaType::new(BROWSER_SETTINGS), body))
}

/// Reads the GPRS access point of browser settings, and the first page.
pub fn read_browser(input: &[u8]) -> Result<(AccessPoint, String), ReadError> {
    let root = Element::read(input, &OTA_BROWSER)?;
    let of_kind = |kind: &'static str| {
        root.named("CHARACTERISTIC")
            .filter(move |element| element.attr("TYPE") == Some(kind))
    };
    let value = |element: &Element, name: &str| {
        element
            .named("PARM")
            .find(|parm| parm.attr("NAME") == Some(name))
            .and_then(|parm| parm.attr("VALUE"))
            .map(str::to_owned)
    };
    let address = of_kind("ADDRESS")
        .find(|address| value(address, "BEARER").as_deref() == Some("GPRS"))
        .ok_or_else(|| ReadError::new(0, ReadErrorKind::Missing("GPRS access point")))?;
    let text = |name| value(address, name).unwrap_or_default();
    let name = of_kind("NAME").next().and_then(|name| value(name, "NAME"));
    let home = of_kind("URL").next().and_then(|url| url.attr("VALUE"));
    let access_point = AccessPoint {
        name: name.unwrap_or_default(),
        apn: text("GPRS_ACCESSPOINTNAME"),
        user: text("PPP_AUTHNAME"),
        password: text("PPP_AUTHSECRET"),
        login: Login::from_name(&text("PPP_AUTHTYPE")),
        proxy: value(address, "PROXY").map(|address| Proxy {
            address,
            port: text("PORT").parse().unwrap_or_default(),
        }),
    };
    Ok((access_point, home.unwrap_or_default().to_owned()))
}
