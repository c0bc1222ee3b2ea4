//! The forms in which items travel, and their content types.
//!
//! Names and aliases as in the DevInf of phones and servers: vCard 2.1/3.0/4.0, vCalendar 1.0, iCalendar 2.0 (RFC 5545),
//! vNote 1.1 (IrMC 1.1) plain text, SIF 1.1 (Funambol), and mail (OMA DS Email and Folder 1.2, RFC 5322). What a body says of itself (its VERSION line) wins over its label.

use super::charset;
use super::line::Form;

/// A form in which an item can be read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// vCard 2.1 (`text/x-vcard`).
    VCard21,
    /// vCard 3.0, RFC 2426 (`text/vcard`).
    VCard30,
    /// vCard 4.0, RFC 6350 (`text/vcard`).
    VCard40,
    /// vCalendar 1.0 (`text/x-vcalendar`).
    VCalendar10,
    /// iCalendar 2.0, RFC 5545 (`text/calendar`).
    ICalendar20,
    /// vNote 1.1 (`text/x-vnote`).
    VNote11,
    /// Text whose first line is its title (`text/plain`).
    PlainText,
    /// A mail as it is stored; it never travels.
    Mail,
    /// The Email object of OMA DS 1.2 (`application/vnd.omads-email+xml`).
    Email,
    /// The Folder object of OMA DS 1.2 (`application/vnd.omads-folder+xml`).
    Folder,
    /// A bare message, RFC 5322 (`message/rfc822`).
    Message,
    /// SIF-C 1.1: contacts (`text/x-s4j-sifc`).
    SifContact,
    /// SIF-E 1.1: events (`text/x-s4j-sife`).
    SifEvent,
    /// SIF-T 1.1: tasks (`text/x-s4j-sift`).
    SifTask,
    /// SIF-N 1.1: notes (`text/x-s4j-sifn`).
    SifNote,
}

impl Format {
    /// Finds the format for a content type and a version as DevInf or CTCap names them; parameters and case do not count.
    pub fn from_mime(mime: &str, version: Option<&str>) -> Option<Self> {
        let mut segments = mime.split(';');
        let essence = segments
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let parameter = segments.find_map(|segment| {
            let (name, value) = segment.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("version")
                .then(|| value.trim().trim_matches('"'))
        });
        let version = version
            .or(parameter)
            .map(str::trim)
            .filter(|version| !version.is_empty());
        Some(match essence.as_str() {
            "text/x-vcard" | "text/vcard" | "text/directory" | "text/x-vcard21"
            | "text/x-vcard30" | "application/vcard" => match version {
                Some(version) if version.starts_with('2') => Self::VCard21,
                Some(version) if version.starts_with('3') => Self::VCard30,
                Some(version) if version.starts_with('4') => Self::VCard40,
                _ if matches!(essence.as_str(), "text/x-vcard" | "text/x-vcard21") => Self::VCard21,
                _ => Self::VCard30,
            },
            "text/x-vcalendar" | "text/vcalendar" | "text/calendar" | "text/x-icalendar"
            | "application/ics" => match version {
                Some(version) if version.starts_with('1') => Self::VCalendar10,
                Some(version) if version.starts_with('2') => Self::ICalendar20,
                _ if essence.ends_with("vcalendar") => Self::VCalendar10,
                _ => Self::ICalendar20,
            },
            "text/x-vnote" | "text/vnote" => Self::VNote11,
            "text/plain" | "text" => Self::PlainText,
            "application/vnd.omads-email+xml" | "application/vnd.omads-email" => Self::Email,
            "application/vnd.omads-folder+xml" | "application/vnd.omads-folder" => Self::Folder,
            "message/rfc822" | "message/rfc2822" | "message/x-rfc822" => Self::Message,
            "text/x-s4j-sifc" | "text/x-sifc" => Self::SifContact,
            "text/x-s4j-sife" | "text/x-sife" => Self::SifEvent,
            "text/x-s4j-sift" | "text/x-sift" => Self::SifTask,
            "text/x-s4j-sifn" | "text/x-sifn" => Self::SifNote,
            _ => return None,
        })
    }

    /// vCard 3.0, 4.0 and iCalendar 2.0.
    pub fn is_modern(self) -> bool {
        matches!(self, Self::VCard30 | Self::VCard40 | Self::ICalendar20)
    }

    /// The content type in its usual spelling.
    pub fn mime(self) -> &'static str {
        match self {
            Self::VCard21 => "text/x-vcard",
            Self::VCard30 | Self::VCard40 => "text/vcard",
            Self::VCalendar10 => "text/x-vcalendar",
            Self::ICalendar20 => "text/calendar",
            Self::VNote11 => "text/x-vnote",
            Self::PlainText => "text/plain",
            Self::Mail => "application/x-candybar-mail",
            Self::Email => "application/vnd.omads-email+xml",
            Self::Folder => "application/vnd.omads-folder+xml",
            Self::Message => "message/rfc822",
            Self::SifContact => "text/x-s4j-sifc",
            Self::SifEvent => "text/x-s4j-sife",
            Self::SifTask => "text/x-s4j-sift",
            Self::SifNote => "text/x-s4j-sifn",
        }
    }

    /// The version as DevInf's VerCT and the VERSION line name it.
    pub fn version(self) -> &'static str {
        match self {
            Self::VCard21 => "2.1",
            Self::VCard30 => "3.0",
            Self::VCard40 => "4.0",
            Self::VCalendar10
            | Self::PlainText
            | Self::Message
            | Self::Mail
            | Self::SifContact
            | Self::SifEvent
            | Self::SifTask
            | Self::SifNote => "1.0",
            Self::ICalendar20 => "2.0",
            Self::VNote11 => "1.1",
            Self::Email | Self::Folder => "1.2",
        }
    }

    /// The forms of mail and its folders, which have no lines of properties.
    pub fn is_mail(self) -> bool {
        matches!(
            self,
            Self::Mail | Self::Email | Self::Folder | Self::Message
        )
    }

    /// The forms of SIF, which are XML and travel in base64.
    pub fn is_sif(self) -> bool {
        matches!(
            self,
            Self::SifContact | Self::SifEvent | Self::SifTask | Self::SifNote
        )
    }

    /// What a body says of itself; none if it begins with no component of a known kind.
    ///
    /// A vCard without a VERSION counts as 2.1, a VCALENDAR as 1.0: what says nothing is old.
    pub fn sniff(body: &[u8]) -> Option<Self> {
        let body = charset::unwide(body, None);
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
        if body.trim_ascii_start().starts_with(b"<") {
            return super::sif::sniff(body);
        }
        let mut lines = body
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .map(<[u8]>::trim_ascii);
        let first = lines.find(|line| !line.is_empty())?;
        let name = strip(first, b"BEGIN:")?.trim_ascii();
        let mut depth = 1_u32;
        let mut version = None;
        for line in lines {
            if depth == 1
                && let Some(value) =
                    strip(line, b"VERSION").filter(|rest| matches!(rest.first(), Some(b':' | b';')))
            {
                let colon = value.iter().position(|byte| *byte == b':')?;
                version = value[colon + 1..].trim_ascii().first().copied();
                break;
            } else if strip(line, b"BEGIN:").is_some() {
                depth += 1;
            } else if strip(line, b"END:").is_some() {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
        }
        match (name.to_ascii_uppercase().as_slice(), version) {
            (b"VCARD", Some(b'3')) => Some(Self::VCard30),
            (b"VCARD", Some(b'4')) => Some(Self::VCard40),
            (b"VCARD", _) => Some(Self::VCard21),
            (b"VCALENDAR", Some(b'2')) => Some(Self::ICalendar20),
            (b"VCALENDAR", _) => Some(Self::VCalendar10),
            (b"VNOTE", _) => Some(Self::VNote11),
            _ => None,
        }
    }

    /// The family of line syntax.
    pub(super) fn form(self) -> Form {
        match self {
            Self::VCard21 | Self::VCalendar10 | Self::VNote11 => Form::Legacy,
            Self::VCard30
            | Self::VCard40
            | Self::ICalendar20
            | Self::PlainText
            | Self::Mail
            | Self::Email
            | Self::Folder
            | Self::Message
            | Self::SifContact
            | Self::SifEvent
            | Self::SifTask
            | Self::SifNote => Form::Modern,
        }
    }
}

fn strip<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_have_many_spellings() {
        for (mime, version, expected) in [
            ("text/x-vcard", None, Some(Format::VCard21)),
            (
                "TEXT/X-VCARD; charset=UTF-8",
                Some("2.1"),
                Some(Format::VCard21),
            ),
            ("text/x-vcard", Some("3.0"), Some(Format::VCard30)),
            ("text/vcard", None, Some(Format::VCard30)),
            ("text/vcard;version=4.0", None, Some(Format::VCard40)),
            ("text/vcard; version=\"2.1\"", None, Some(Format::VCard21)),
            ("text/directory; profile=vCard", None, Some(Format::VCard30)),
            ("text/x-vcalendar", Some(""), Some(Format::VCalendar10)),
            ("text/x-vcalendar", Some("2.0"), Some(Format::ICalendar20)),
            ("text/calendar", None, Some(Format::ICalendar20)),
            ("text/calendar", Some("1.0"), Some(Format::VCalendar10)),
            (" text/x-vnote ", Some("1.1"), Some(Format::VNote11)),
            (
                "text/plain;charset=iso-8859-1",
                Some("1.0"),
                Some(Format::PlainText),
            ),
            (
                "application/vnd.omads-email+xml",
                Some("1.2"),
                Some(Format::Email),
            ),
            (
                "Application/Vnd.OMADS-Folder+XML",
                None,
                Some(Format::Folder),
            ),
            ("message/rfc822", None, Some(Format::Message)),
            (
                "message/rfc2822; charset=utf-8",
                None,
                Some(Format::Message),
            ),
            ("message/x-rfc822", Some("1.0"), Some(Format::Message)),
            ("application/x-candybar-mail", None, None),
            ("image/png", None, None),
            ("", None, None),
        ] {
            assert_eq!(
                Format::from_mime(mime, version),
                expected,
                "{mime} {version:?}"
            );
        }
    }

    #[test]
    fn a_body_says_what_it_is() {
        for (body, expected) in [
            (
                &b"BEGIN:VCARD\r\nVERSION:2.1\r\nEND:VCARD"[..],
                Some(Format::VCard21),
            ),
            (
                b"\xEF\xBB\xBF\r\n begin:vcard\nN:a\nversion;x=y: 3.0\nEND:VCARD",
                Some(Format::VCard30),
            ),
            (
                b"BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nVERSION:3.0\nEND:VCARD\nVERSION:4.0\nEND:VCARD",
                Some(Format::VCard40),
            ),
            (
                b"BEGIN:VCARD\nN:a\nEND:VCARD\nBEGIN:VCARD\nVERSION:3.0\n",
                Some(Format::VCard21),
            ),
            (
                b"BEGIN:VCALENDAR\rVERSION:1.0\rEND:VCALENDAR",
                Some(Format::VCalendar10),
            ),
            (b"BEGIN:VCALENDAR\nVERSION:2.0", Some(Format::ICalendar20)),
            (b"BEGIN:VNOTE\n", Some(Format::VNote11)),
            (
                b"B\0E\0G\0I\0N\0:\0V\0N\0O\0T\0E\0\n\0",
                Some(Format::VNote11),
            ),
            (b"Buy milk", None),
            (b"BEGIN:X", None),
            (b"", None),
        ] {
            assert_eq!(
                Format::sniff(body),
                expected,
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }
}
