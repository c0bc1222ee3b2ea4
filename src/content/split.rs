//! Cutting a file of many items into bodies of one item each, for import.
//!
//! vCards and vNotes stand one after another. A VCALENDAR holds many events and tasks: those of one UID (a series and its
//! exceptions) stay together, with the VTIMEZONEs that they name and the calendar's own properties. Text is one note.

use std::borrow::Cow;

use memchr::{memchr2, memmem};
use rustc_hash::FxHashMap;

use super::charset;

/// Cuts a file into items; what stands between items is left out. Bodies are not checked further.
pub fn split(file: &[u8]) -> Vec<Cow<'_, [u8]>> {
    match charset::unwide(file, None) {
        Cow::Borrowed(file) => items(file),
        Cow::Owned(file) => items(&file)
            .into_iter()
            .map(|item| Cow::Owned(item.into_owned()))
            .collect(),
    }
}

/// A line that is no continuation, with its place in the file; `end` is behind its line end.
struct Line<'a> {
    start: usize,
    end: usize,
    text: &'a [u8],
}

fn lines(file: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = file.get(start..).filter(|rest| !rest.is_empty())?;
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let newline = if rest[length..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        let end = (start + length + newline).min(file.len());
        let line = Line {
            start,
            end,
            text: &rest[..length],
        };
        start = end;
        Some(line)
    })
}

/// The name after `BEGIN:` or `END:`.
fn after<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (head, name) = line.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then(|| name.trim_ascii())
}

fn items(file: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut begin = (0, false);
    let mut any = false;
    for line in lines(file) {
        if let Some(name) = after(line.text, b"BEGIN:") {
            if depth == 0 {
                begin = (line.start, name.eq_ignore_ascii_case(b"VCALENDAR"));
                any = true;
            }
            depth += 1;
        } else if depth > 0 && after(line.text, b"END:").is_some() {
            depth -= 1;
            if depth == 0 {
                let block = &file[begin.0..line.end];
                if begin.1 {
                    calendar(block, &mut items);
                } else {
                    items.push(Cow::Borrowed(block));
                }
            }
        }
    }
    if depth > 0 {
        // Cut off; its reader says so.
        items.push(Cow::Borrowed(&file[begin.0..]));
    } else if !any && !file.trim_ascii().is_empty() {
        items.push(Cow::Borrowed(file));
    }
    items
}

#[derive(Default)]
struct Child<'a> {
    bytes: &'a [u8],
    zone: bool,
    /// UID of an item, TZID of a zone.
    id: Vec<u8>,
}

/// Cuts one VCALENDAR by UID.
fn calendar<'a>(block: &'a [u8], items: &mut Vec<Cow<'a, [u8]>>) {
    let mut head: Vec<u8> = Vec::new();
    let mut children: Vec<Child<'a>> = Vec::new();
    let (mut depth, mut start, mut zone) = (0_usize, 0, false);
    let mut id: Option<Vec<u8>> = None;
    let mut in_id = false;
    for line in lines(block) {
        let begin = after(line.text, b"BEGIN:");
        if depth == 2 && in_id && matches!(line.text.first(), Some(b' ' | b'\t')) {
            id.get_or_insert_default()
                .extend_from_slice(&line.text[1..]);
            continue;
        }
        in_id = false;
        if let Some(name) = begin {
            depth += 1;
            if depth == 2 {
                (start, zone, id) = (line.start, name.eq_ignore_ascii_case(b"VTIMEZONE"), None);
            }
            if depth == 1 {
                head.extend_from_slice(&block[line.start..line.end]);
            }
        } else if after(line.text, b"END:").is_some() {
            if depth == 2 {
                let id = id.take().unwrap_or_default();
                children.push(Child {
                    bytes: &block[start..line.end],
                    zone,
                    id: id.trim_ascii().to_vec(),
                });
            }
            depth = depth.saturating_sub(1);
        } else if depth == 1 {
            head.extend_from_slice(&block[line.start..line.end]);
        } else if depth == 2 && id.is_none() {
            let word: &[u8] = if zone { b"TZID" } else { b"UID" };
            let named = after(line.text, word)
                .is_some_and(|rest| matches!(rest.first(), Some(b':' | b';')));
            if named && let Some(colon) = line.text.iter().position(|byte| *byte == b':') {
                id = Some(line.text[colon + 1..].to_vec());
                in_id = true;
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut by_id: FxHashMap<&[u8], usize> = FxHashMap::default();
    for (index, child) in children.iter().enumerate().filter(|(_, child)| !child.zone) {
        if child.id.is_empty() {
            groups.push(vec![index]);
        } else {
            let group = *by_id.entry(&child.id).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(index);
        }
    }
    if groups.len() == 1 {
        return items.push(Cow::Borrowed(block));
    }
    for group in groups {
        let mut body = head.clone();
        let members = || group.iter().map(|index| children[*index].bytes);
        for zone in children.iter().filter(|child| child.zone) {
            if members().any(|member| names_zone(member, &zone.id)) {
                body.extend_from_slice(zone.bytes);
            }
        }
        members().for_each(|member| body.extend_from_slice(member));
        body.extend_from_slice(b"END:VCALENDAR\r\n");
        items.push(Cow::Owned(body));
    }
}

/// Whether a component has that TZID as a parameter. Folding can hide a name, so that a folded one counts.
fn names_zone(component: &[u8], id: &[u8]) -> bool {
    memmem::find_iter(component, b"TZID=").any(|at| {
        let rest = &component[at + 5..];
        let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
        rest.starts_with(id) || rest[..rest.len().min(id.len())].contains(&b'\n')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: &[&str]) {
        let items: Vec<String> = split(file.as_bytes())
            .iter()
            .map(|i| String::from_utf8_lossy(i).into_owned())
            .collect();
        assert_eq!(items, expected);
    }

    #[test]
    fn cards_and_texts_are_cut() {
        let (a, b) = (
            "BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nEND:VCARD\nEND:VCARD\n",
            "begin:vcard\r\nFN:b\r\nend:vcard\r\n",
        );
        check(&format!("{a}\n{b}"), &[a, b]);
        check("\u{FEFF}Milk\nEggs\n", &["Milk\nEggs\n"]);
        check(" \n", &[]);
        check("", &[]);
        check(
            "BEGIN:VNOTE\rEND:VNOTE\rBEGIN:VNOTE\rBODY:x",
            &["BEGIN:VNOTE\rEND:VNOTE\r", "BEGIN:VNOTE\rBODY:x"],
        );
        let wide: Vec<u8> = b.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(split(&wide), [Cow::Borrowed(b.as_bytes())]);
    }

    #[test]
    fn a_calendar_is_cut_by_uid_with_its_zones() {
        let zone = |id: &str| {
            format!("BEGIN:VTIMEZONE\nTZID:{id}\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE\n")
        };
        let event = |uid: &str, more: &str| {
            format!("BEGIN:VEVENT\nUID:{uid}\n{more}BEGIN:VALARM\nEND:VALARM\nEND:VEVENT\n")
        };
        let (a, b) = (
            event("1", "DTSTART;TZID=A/B:x\n"),
            event("2", "DTSTART:x\n"),
        );
        let exception = event("1", "RECURRENCE-ID;TZID=\"C\":x\n");
        let long = event("3\n 4", "").replace("EVENT", "TODO");
        let (bare, end) = ("BEGIN:VTODO\nSUMMARY:x\nEND:VTODO\n", "END:VCALENDAR\r\n");
        let head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:p\n";
        let file = format!(
            "{head}{}{a}{}{b}{exception}{bare}{bare}{long}{}{end}",
            zone("A/B"),
            zone("C"),
            zone("D")
        );
        check(
            &file,
            &[
                &format!("{head}{}{}{a}{exception}{end}", zone("A/B"), zone("C")),
                &format!("{head}{b}{end}"),
                &format!("{head}{bare}{end}"),
                &format!("{head}{bare}{end}"),
                &format!("{head}{long}{end}"),
            ],
        );
        check(&format!("{head}{b}{end}"), &[&format!("{head}{b}{end}")]);
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(text in "(BEGIN:V|END:V|CALENDAR|CARD|TIMEZONE|TZID=|UID:|\r|\n|\n |\"|x){0,80}", bytes: Vec<u8>) {
            for file in [text.as_bytes(), &bytes] {
                let total: usize = split(file).iter().map(|item| item.len()).sum();
                proptest::prop_assert!(total <= file.len().saturating_mul(file.len() + 1) + 64);
            }
        }
    }
}
