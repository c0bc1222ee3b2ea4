//! Threads of quoting, trimmed: what a person has read before is told in one line.

/// Lines of one quotation that stay.
const KEPT: usize = 2;
/// Fewest lines of a quotation that are worth to be trimmed.
const LEAST: usize = 4;
/// Stands for what was left out.
const MARK: &str = "[...]";

/// A text with its quotations trimmed, and whether something was left out.
pub(super) fn trimmed(text: &str) -> (String, bool) {
    let lines: Vec<&str> = text.lines().collect();
    let end = forwarded(&lines).unwrap_or(lines.len());
    let mut cut = end < lines.len();
    let mut out: Vec<&str> = Vec::with_capacity(end);
    let mut at = 0;
    while at < end {
        let quoted = lines[at..end]
            .iter()
            .take_while(|line| is_quoted(line))
            .count();
        if quoted == 0 {
            out.push(lines[at]);
            at += 1;
            continue;
        }
        let rest_is_quoted = lines[at + quoted..end]
            .iter()
            .all(|line| line.trim().is_empty());
        if quoted < LEAST {
            out.extend(&lines[at..at + quoted]);
        } else {
            // Below an answer that stands on top, nothing of it is needed.
            let kept = if rest_is_quoted && has_words(&out) {
                0
            } else {
                KEPT
            };
            out.extend(&lines[at..at + kept]);
            out.push(MARK);
            cut = true;
        }
        at += quoted;
    }
    if end < lines.len() {
        out.push(MARK);
    }
    if !cut {
        return (text.to_owned(), false);
    }
    (out.join("\n"), true)
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn has_words(lines: &[&str]) -> bool {
    lines.iter().filter(|line| !line.trim().is_empty()).count() > 1
}

/// Where an old message begins that is not marked by `>`: a line of dashes with words, or a block of header fields. It must not be the first thing.
fn forwarded(lines: &[&str]) -> Option<usize> {
    let field = |line: &str| -> bool {
        let name = line
            .trim_start_matches(['*', ' '])
            .split(':')
            .next()
            .unwrap_or_default();
        let bold = name.trim_end_matches('*').to_ascii_lowercase();
        let names = [
            "from", "sent", "to", "cc", "subject", "date", "von", "gesendet", "an", "betreff",
            "datum", "från", "skickat", "till", "ämne",
        ];
        line.contains(':') && names.contains(&bold.as_str())
    };
    let begins = |at: usize| {
        let line = lines[at].trim();
        let dashed = line.starts_with("---")
            && line.ends_with("---")
            && line.chars().any(char::is_alphabetic);
        let next = lines
            .iter()
            .skip(at)
            .take(5)
            .filter(|line| field(line))
            .count();
        (dashed && lines.len() - at > LEAST) || (field(lines[at]) && next >= 3)
    };
    (1..lines.len()).find(|at| begins(*at) && has_words(&lines[..*at]))
}
