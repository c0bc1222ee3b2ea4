//! Character sets of text in WBXML documents (IANA MIBenum numbers).

use std::borrow::Cow;

use encoding_rs::Encoding;

/// The character set of strings. Opaque data have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8; also taken for US-ASCII and for unknown (0).
    Utf8,
    /// ISO-8859-1.
    Latin1,
    /// Another one in which an octet 0 is NUL.
    Other(&'static Encoding),
}

impl Charset {
    /// From a MIBenum; `None` if text in it cannot be read here.
    pub fn from_mib(mib: u32) -> Option<Self> {
        let label: &str = match mib {
            0 | 3 | 106 => return Some(Self::Utf8),
            4 => return Some(Self::Latin1),
            5 => "iso-8859-2",
            6 => "iso-8859-3",
            7 => "iso-8859-4",
            8 => "iso-8859-5",
            9 => "iso-8859-6",
            10 => "iso-8859-7",
            11 => "iso-8859-8",
            12 => "iso-8859-9",
            13 => "iso-8859-10",
            17 => "shift_jis",
            18 => "euc-jp",
            38 => "euc-kr",
            111 => "iso-8859-15",
            113 => "gbk",
            114 => "gb18030",
            2025 => "gbk",
            2026 => "big5",
            2084 => "koi8-r",
            2250 => "windows-1250",
            2251 => "windows-1251",
            2252 => "windows-1252",
            2253 => "windows-1253",
            2254 => "windows-1254",
            2255 => "windows-1255",
            2256 => "windows-1256",
            2257 => "windows-1257",
            2258 => "windows-1258",
            _ => return None,
        };
        Encoding::for_label(label.as_bytes()).map(Self::Other)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Latin1 => "ISO-8859-1",
            Self::Other(encoding) => encoding.name(),
        }
    }

    /// Text from octets. Never fails: octets that are not of the set are taken for ISO-8859-1.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => lenient_utf8(bytes),
            Self::Latin1 => encoding_rs::mem::decode_latin1(bytes),
            Self::Other(encoding) => encoding.decode_without_bom_handling(bytes).0,
        }
    }
}

/// Text from what should be UTF-8; octets that are not are taken for ISO-8859-1, because that is what phones send
/// that forgot to convert.
pub(crate) fn lenient_utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|&byte| char::from(byte)));
            }
            Cow::Owned(text)
        }
    }
}
