//! Document types as data: code pages, public identifiers, and the names of elements.
//!
//! Every code page of every document type has its own number here, the *space*, so that a [`Tag`] means the same
//! element wherever it is met: DevInf's page 0 is not SyncML's.

use std::borrow::Cow;

/// Defines one code page: constants, names by token, and tokens by name.
macro_rules! page {
    ($space:literal, $($token:literal $name:literal $constant:ident;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: $crate::wbxml::Tag = $crate::wbxml::Tag::new($space, $token);
        )*

        /// Name of a token, if this page has it.
        pub(super) const fn name(token: u8) -> Option<&'static str> {
            match token {
                $($token => Some($name),)*
                _ => None,
            }
        }

        /// Token of a name, if this page has it.
        pub(super) fn find(name: &str) -> Option<$crate::wbxml::Tag> {
            match name {
                $($name => Some($constant),)*
                _ => None,
            }
        }
    };
}

pub mod devinf;
pub mod emn;
pub mod metinf;
pub mod ota_browser;
pub mod ota_sync;
pub mod prov;
pub mod si;
pub mod sl;
pub mod syncml;

/// An element by its code, unique across document types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(u16);

impl Tag {
    /// An element that has a name but no code.
    pub(crate) const UNNAMED: Self = Self(u16::MAX);

    /// From the number of its code page here and its token (5 to 63).
    pub const fn new(space: u8, token: u8) -> Self {
        Self((space as u16) << 8 | token as u16)
    }

    /// The number of its code page here.
    pub const fn space(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Its token within the code page.
    pub const fn token(self) -> u8 {
        (self.0 & 0xFF) as u8
    }

    /// Its name, if a table has it.
    pub const fn name(self) -> Option<&'static str> {
        match self.space() {
            syncml::SPACE => syncml::name(self.token()),
            metinf::SPACE => metinf::name(self.token()),
            devinf::SPACE => devinf::name(self.token()),
            si::SPACE => si::name(self.token()),
            sl::SPACE => sl::name(self.token()),
            emn::SPACE => emn::name(self.token()),
            prov::SPACE => prov::name(self.token()),
            prov::SPACE_1 => prov::name_1(self.token()),
            ota_sync::SPACE => ota_sync::name(self.token()),
            ota_browser::SPACE => ota_browser::name(self.token()),
            _ => None,
        }
    }

    /// Its name, or one made from the codes.
    pub fn text(self) -> Cow<'static, str> {
        match self.name() {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("Unknown-{:02X}-{:02X}", self.space(), self.token())),
        }
    }

    /// The element of a name in one space.
    pub fn find(space: u8, name: &str) -> Option<Self> {
        match space {
            syncml::SPACE => syncml::find(name),
            metinf::SPACE => metinf::find(name),
            // 1.0 and 1.1 call it so.
            devinf::SPACE if name == "Size" => Some(devinf::MAX_SIZE),
            devinf::SPACE => devinf::find(name),
            si::SPACE => si::find(name),
            sl::SPACE => sl::find(name),
            emn::SPACE => emn::find(name),
            prov::SPACE => prov::find(name),
            ota_sync::SPACE => ota_sync::find(name),
            ota_browser::SPACE => ota_browser::find(name),
            _ => None,
        }
    }

    /// The element of a name in one space, in any case. Slower than [`Self::find`].
    pub(crate) fn find_in_any_case(space: u8, name: &str) -> Option<Self> {
        (0x05..0x40)
            .map(|token| Self::new(space, token))
            .find(|tag| {
                tag.name()
                    .is_some_and(|known| known.eq_ignore_ascii_case(name))
            })
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

/// A token of an attribute code page and the text it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrStart {
    /// Attribute code page.
    pub page: u8,
    /// Token below 0x80.
    pub token: u8,
    /// Name of the attribute.
    pub name: &'static str,
    /// What its value begins with.
    pub prefix: &'static str,
}

/// A token of an attribute code page and the part of a value it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrValue {
    /// Attribute code page.
    pub page: u8,
    /// Token from 0x85 up.
    pub token: u8,
    /// The text.
    pub text: &'static str,
}

const fn attr_start(page: u8, token: u8, name: &'static str, prefix: &'static str) -> AttrStart {
    AttrStart {
        page,
        token,
        name,
        prefix,
    }
}

const fn attr_value(page: u8, token: u8, text: &'static str) -> AttrValue {
    AttrValue { page, token, text }
}

/// A document type.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// What people call it.
    pub name: &'static str,
    /// Numeric public identifiers, any of which names it.
    pub public_ids: &'static [u32],
    /// A part of its formal public identifiers that no other type has.
    pub formal: &'static str,
    /// The space of each code page, by page number.
    pub pages: &'static [u8],
    /// Its root element.
    pub root: Tag,
    /// Attribute names.
    pub attr_starts: &'static [AttrStart],
    /// Parts of attribute values.
    pub attr_values: &'static [AttrValue],
    /// Tokens may stand for parts of a value, as `http://www.` does; else they are written for whole values only.
    pub partial: bool,
    /// Attributes whose values are dates, in opaque data of decimal digits.
    pub dates: &'static [&'static str],
}

/// What document types without attributes have.
const NO_ATTRIBUTES: Language = Language {
    name: "",
    public_ids: &[],
    formal: "",
    pages: &[],
    root: Tag::UNNAMED,
    attr_starts: &[],
    attr_values: &[],
    partial: false,
    dates: &[],
};

/// SyncML messages of every version; page 2 is DevInf where a toolkit puts it inline.
pub static SYNCML: Language = Language {
    name: "SyncML",
    public_ids: &[0x0FD1, 0x0FD3, 0x1201],
    formal: "DTD SyncML",
    pages: &[syncml::SPACE, metinf::SPACE, devinf::SPACE],
    root: syncml::SYNCML,
    ..NO_ATTRIBUTES
};

/// Device information of every version.
pub static DEVINF: Language = Language {
    name: "DevInf",
    public_ids: &[0x0FD2, 0x0FD4, 0x1203],
    formal: "DTD DevInf",
    pages: &[devinf::SPACE],
    root: devinf::DEVINF,
    ..NO_ATTRIBUTES
};

/// Meta information as a document.
pub static METINF: Language = Language {
    name: "MetInf",
    public_ids: &[0x1202],
    formal: "DTD MetInf",
    pages: &[metinf::SPACE],
    root: metinf::METINF,
    ..NO_ATTRIBUTES
};

/// Service indications.
pub static SI: Language = Language {
    name: "SI",
    public_ids: &[0x05],
    formal: "DTD SI",
    pages: &[si::SPACE],
    root: si::SI,
    attr_starts: si::ATTR_STARTS,
    attr_values: si::ATTR_VALUES,
    partial: true,
    dates: &["created", "si-expires"],
};

/// Service loadings.
pub static SL: Language = Language {
    name: "SL",
    public_ids: &[0x06],
    formal: "DTD SL",
    pages: &[sl::SPACE],
    root: sl::SL,
    attr_starts: sl::ATTR_STARTS,
    attr_values: sl::ATTR_VALUES,
    partial: true,
    dates: &[],
};

/// Email notifications.
pub static EMN: Language = Language {
    name: "EMN",
    public_ids: &[0x0D],
    formal: "DTD EMN",
    pages: &[emn::SPACE],
    root: emn::EMN,
    attr_starts: emn::ATTR_STARTS,
    attr_values: emn::ATTR_VALUES,
    partial: true,
    dates: &["timestamp"],
};

/// Provisioning documents.
pub static PROV: Language = Language {
    name: "PROV",
    public_ids: &[0x0B],
    formal: "DTD PROV",
    pages: &[prov::SPACE, prov::SPACE_1],
    root: prov::DOCUMENT,
    attr_starts: prov::ATTR_STARTS,
    attr_values: prov::ATTR_VALUES,
    partial: false,
    dates: &[],
};

/// Sync settings of Nokia's and Ericsson's OTA. They have no public identifier: the caller has to know.
pub static OTA_SYNC: Language = Language {
    name: "SyncSettings",
    pages: &[ota_sync::SPACE],
    root: ota_sync::SYNC_SETTINGS,
    ..NO_ATTRIBUTES
};

/// Browser settings of Nokia's and Ericsson's OTA. They have no public identifier: the caller has to know.
pub static OTA_BROWSER: Language = Language {
    name: "CHARACTERISTIC-LIST",
    pages: &[ota_browser::SPACE],
    root: ota_browser::LIST,
    attr_starts: ota_browser::ATTR_STARTS,
    ..NO_ATTRIBUTES
};

/// Every document type that can be found by its public identifier.
pub static LANGUAGES: &[&Language] = &[&SYNCML, &DEVINF, &METINF, &SI, &SL, &EMN, &PROV];

/// The space of pages that the document type does not have.
pub(super) const NO_SPACE: u8 = u8::MAX;

impl Language {
    /// By numeric public identifier.
    pub fn by_number(id: u32) -> Option<&'static Self> {
        LANGUAGES
            .iter()
            .copied()
            .find(|language| language.public_ids.contains(&id))
    }

    /// By formal public identifier, in any case.
    pub fn by_text(id: &str) -> Option<&'static Self> {
        let id = id.to_ascii_lowercase();
        LANGUAGES
            .iter()
            .copied()
            .find(|language| id.contains(&language.formal.to_ascii_lowercase()))
    }

    /// The space of a code page.
    pub(super) fn space(&self, page: u8) -> u8 {
        self.pages
            .get(usize::from(page))
            .copied()
            .unwrap_or(NO_SPACE)
    }

    /// The code page of a space.
    pub(super) fn page(&self, space: u8) -> u8 {
        self.pages
            .iter()
            .position(|&s| s == space)
            .map_or(0, |page| page as u8)
    }
}
