//! What a phone has to know to sync, whatever the form in which it is told.

use std::fmt;

use super::BuildError;

/// Settings of a sync account on a phone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// What the phone calls it.
    pub name: String,
    /// How the phone is to know the server: what notifications say. Client Provisioning only.
    pub server_id: Option<String>,
    /// Address of the server, `http://…`.
    pub url: String,
    /// Account.
    pub user: String,
    /// Password.
    pub password: String,
    /// With which password the server proves itself to the phone. Client Provisioning only.
    pub server_password: Option<String>,
    /// What can be synced.
    pub datastores: Vec<DatastoreSettings>,
    /// How the phone reaches the network.
    pub connection: Connection,
}

/// A datastore on the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatastoreSettings {
    /// Its address.
    pub uri: String,
    /// What the phone calls it.
    pub name: String,
    /// Media types that it takes, the preferred one first.
    pub content_types: Vec<ContentType>,
}

/// A media type with its versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentType {
    /// Such as `text/x-vcard`.
    pub media: String,
    /// Such as `2.1`. The old form only.
    pub versions: Vec<String>,
}

impl DatastoreSettings {
    /// A datastore with media types and their versions.
    pub fn new(uri: &str, name: &str, content_types: &[(&str, &str)]) -> Self {
        Self {
            uri: uri.to_owned(),
            name: name.to_owned(),
            content_types: content_types
                .iter()
                .map(|(media, version)| ContentType {
                    media: (*media).to_owned(),
                    versions: Vec::from_iter(
                        Some(*version)
                            .filter(|version| !version.is_empty())
                            .map(str::to_owned),
                    ),
                })
                .collect(),
        }
    }
}

/// How a phone reaches the network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Connection {
    /// As the user chooses.
    #[default]
    Unsaid,
    /// By an access point that the phone has, by its name or id; `INTERNET` is any.
    Existing(String),
    /// By an access point that is made with the settings.
    New(AccessPoint),
}

/// A GPRS access point.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AccessPoint {
    /// What the phone calls it.
    pub name: String,
    /// Access point name in the network.
    pub apn: String,
    /// User, if the network wants one.
    pub user: String,
    /// Password, if the network wants one.
    pub password: String,
    /// How they are proved.
    pub login: Login,
    /// A proxy for HTTP.
    pub proxy: Option<Proxy>,
}

/// How user and password of an access point are proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Login {
    /// PAP
    #[default]
    Pap,
    /// CHAP
    Chap,
}

impl Login {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pap => "PAP",
            Self::Chap => "CHAP",
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        if name.trim().eq_ignore_ascii_case("CHAP") {
            Self::Chap
        } else {
            Self::Pap
        }
    }
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxy {
    /// IPv4 address.
    pub address: String,
    /// Port.
    pub port: u16,
}

/// Without the password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("server_id", &self.server_id)
            .field("url", &self.url)
            .field("user", &self.user)
            .field("datastores", &self.datastores)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Without the password.
impl fmt::Debug for AccessPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessPoint")
            .field("name", &self.name)
            .field("apn", &self.apn)
            .field("user", &self.user)
            .field("login", &self.login)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Both forms need an address and a datastore.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let scheme = ["http://", "https://"];
        if !scheme.iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(BuildError::Value(
                "the server's address has to begin with http:// or https://",
            ));
        }
        if self.datastores.is_empty() {
            return Err(BuildError::Missing("list of datastores"));
        }
        if self.datastores.iter().any(|store| store.uri.is_empty()) {
            return Err(BuildError::Missing("address of a datastore"));
        }
        if let Connection::New(access_point) = &self.connection
            && access_point.apn.is_empty()
        {
            return Err(BuildError::Missing("access point name"));
        }
        Ok(())
    }
}

/// An address without its port, and the port.
pub(super) fn split_port(url: &str) -> (String, Option<u16>) {
    let from = url.find("://").map_or(0, |at| at + 3);
    let to = url[from..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| from + at);
    let authority = &url[from..to];
    let port = authority
        .rfind(':')
        .filter(|&colon| !authority[colon..].contains(']'))
        .and_then(|colon| Some((colon, authority[colon + 1..].parse().ok()?)));
    match port {
        Some((colon, port)) => (
            format!("{}{}{}", &url[..from], &authority[..colon], &url[to..]),
            Some(port),
        ),
        None => (url.to_owned(), None),
    }
}

/// An address with a port, unless it has one.
pub(super) fn join_port(url: &str, port: Option<u16>) -> String {
    let (Some(port), (_, None)) = (port, split_port(url)) else {
        return url.to_owned();
    };
    let from = url.find("://").map_or(0, |at| at + 3);
    let to = url[from..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| from + at);
    format!("{}:{port}{}", &url[..to], &url[to..])
}
