//! Items as a phone keeps them that stores fields and not text: lines of properties that it does not know are lost.

/// The property frames an item and is no field.
pub(super) fn is_frame(name: &str) -> bool {
    ["BEGIN", "END", "VERSION"]
        .iter()
        .any(|frame| frame.eq_ignore_ascii_case(name))
}

/// Keeps the lines of an item whose property is in the list, as a phone that stores fields and not text.
///
/// Works for every form that has content lines: folded lines and quoted-printable soft breaks belong to the property
/// before them. An empty list keeps everything.
pub(super) fn keep_properties(body: &[u8], names: &[&str]) -> Vec<u8> {
    if names.is_empty() {
        return body.to_vec();
    }
    let mut kept = Vec::with_capacity(body.len());
    let (mut keep, mut soft_break) = (true, false);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let continued = soft_break
            || line
                .first()
                .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if !continued && !text.is_empty() {
            let end = text
                .iter()
                .position(|byte| matches!(byte, b':' | b';'))
                .unwrap_or(text.len());
            let head = String::from_utf8_lossy(&text[..end]);
            let name = head.rsplit('.').next().unwrap_or_default().trim();
            keep = is_frame(name) || names.iter().any(|known| known.eq_ignore_ascii_case(name));
            let value = text
                .iter()
                .position(|byte| *byte == b':')
                .unwrap_or(text.len());
            let params = text[..value].to_ascii_uppercase();
            soft_break = contains(&params, b"QUOTED-PRINTABLE") && text.ends_with(b"=");
        } else if soft_break {
            soft_break = text.ends_with(b"=");
        }
        if keep {
            kept.extend_from_slice(line);
        }
    }
    kept
}

/// The octets occur in the text.
pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_unknown_properties_are_lost() {
        let names = ["BEGIN", "N", "TEL", "X-MINE"];
        let card = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:A;B\r\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nTEL:no=\r\nb\r\n\
                    PHOTO;ENCODING=BASE64:\r\n AAAA\r\n\r\nitem1.TEL;CELL:1\r\nX-Mine:2\r\nEND:VCARD\r\n";
        let kept = String::from_utf8(keep_properties(card.as_bytes(), &names)).expect("was text");
        assert_eq!(
            kept,
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN:A;B\r\nitem1.TEL;CELL:1\r\nX-Mine:2\r\nEND:VCARD\r\n"
        );
        assert_eq!(keep_properties(card.as_bytes(), &[]), card.as_bytes());
    }
}
