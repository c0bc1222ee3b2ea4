//! Protocol versions and the two carriers, with every name that the wire gives them.

/// SyncML / OMA DS protocol version.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Version {
    /// SyncML 1.0 (1.0.1).
    #[serde(rename = "1.0")]
    V10,
    /// SyncML 1.1 (1.1.1, 1.1.2).
    #[serde(rename = "1.1")]
    V11,
    /// OMA DS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    V12,
}

impl Version {
    /// All versions, oldest first.
    pub const ALL: [Self; 3] = [Self::V10, Self::V11, Self::V12];

    /// From VerDTD (`1.2`).
    pub fn from_dtd(text: &str) -> Option<Self> {
        match text.trim() {
            "1.0" | "1.0.1" => Some(Self::V10),
            "1.1" | "1.1.1" | "1.1.2" => Some(Self::V11),
            "1.2" | "1.2.1" | "1.2.2" => Some(Self::V12),
            _ => None,
        }
    }

    /// From VerProto (`SyncML/1.2`).
    pub fn from_proto(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, version) = text.split_once('/')?;
        name.eq_ignore_ascii_case("SyncML")
            .then(|| Self::from_dtd(version))
            .flatten()
    }

    /// VerDTD.
    pub const fn dtd(self) -> &'static str {
        match self {
            Self::V10 => "1.0",
            Self::V11 => "1.1",
            Self::V12 => "1.2",
        }
    }

    /// VerProto.
    pub const fn proto(self) -> &'static str {
        match self {
            Self::V10 => "SyncML/1.0",
            Self::V11 => "SyncML/1.1",
            Self::V12 => "SyncML/1.2",
        }
    }

    /// XML namespace of the root element.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V10 => "SYNCML:SYNCML1.0",
            Self::V11 => "SYNCML:SYNCML1.1",
            Self::V12 => "SYNCML:SYNCML1.2",
        }
    }

    /// Address of the device information in Put, Get and Results.
    pub const fn devinf_uri(self) -> &'static str {
        match self {
            Self::V10 => "./devinf10",
            Self::V11 => "./devinf11",
            Self::V12 => "./devinf12",
        }
    }
}

/// How a message is written: the two representations carry the same events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// `application/vnd.syncml+xml`
    Xml,
    /// `application/vnd.syncml+wbxml`
    Wbxml,
}

impl Carrier {
    /// From an HTTP Content-Type; parameters and case are ignored.
    pub fn from_mime(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/vnd.syncml+xml") {
            Some(Self::Xml)
        } else if essence.eq_ignore_ascii_case("application/vnd.syncml+wbxml") {
            Some(Self::Wbxml)
        } else {
            None
        }
    }

    /// Content type of messages.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Xml => "application/vnd.syncml+xml",
            Self::Wbxml => "application/vnd.syncml+wbxml",
        }
    }

    /// Content type of device information inside such messages.
    pub const fn devinf_mime(self) -> &'static str {
        match self {
            Self::Xml => "application/vnd.syncml-devinf+xml",
            Self::Wbxml => "application/vnd.syncml-devinf+wbxml",
        }
    }
}
