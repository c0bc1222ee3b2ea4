//! The paths that a Rust source uses, without its comments, strings and tests.
//!
//! No parser: tokens, with the trees of `use` laid flat. That is enough to see who uses whom.

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    /// `::`
    Path,
    Other(u8),
}

/// All paths: `std::fs::File` for `use std::{fs::File}` and for the expression alike.
pub(super) fn paths(source: &str) -> Vec<String> {
    let tokens = without_tests(tokens(source));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at] {
            Token::Name("use") => at = tree(&tokens, at + 1, &[], &mut found),
            Token::Name(_) => {
                let mut path = Vec::new();
                at = path_from(&tokens, at, &mut path);
                found.push(path.join("::"));
            }
            _ => at += 1,
        }
    }
    found
}

/// Reads `a::b::c` and says what comes behind it.
fn path_from<'a>(tokens: &[Token<'a>], mut at: usize, path: &mut Vec<&'a str>) -> usize {
    while let Some(Token::Name(name)) = tokens.get(at) {
        path.push(name);
        at += 1;
        match (tokens.get(at), tokens.get(at + 1)) {
            (Some(Token::Path), Some(Token::Name(_))) => at += 1,
            _ => break,
        }
    }
    at
}

/// Reads one tree of a `use` and says what comes behind it.
fn tree<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    prefix: &[&'a str],
    found: &mut Vec<String>,
) -> usize {
    let mut path = prefix.to_vec();
    if tokens.get(at) == Some(&Token::Path) {
        at += 1;
    }
    at = path_from(tokens, at, &mut path);
    if tokens.get(at) == Some(&Token::Path) {
        at += 1;
    }
    if tokens.get(at) == Some(&Token::Other(b'{')) {
        at += 1;
        while at < tokens.len() && tokens[at] != Token::Other(b'}') {
            if tokens[at] == Token::Other(b',') {
                at += 1;
            } else {
                at = tree(tokens, at, &path, found);
            }
        }
        return at + 1;
    }
    found.push(path.join("::"));
    // `*`, or `as` and a name.
    while at < tokens.len() && ![b',', b'}', b';'].map(Token::Other).contains(&tokens[at]) {
        at += 1;
    }
    at
}

/// Leaves out modules that are compiled for tests only.
fn without_tests(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let attribute = [
        Token::Other(b'#'),
        Token::Other(b'['),
        Token::Name("cfg"),
        Token::Other(b'('),
        Token::Name("test"),
        Token::Other(b')'),
        Token::Other(b']'),
        Token::Name("mod"),
    ];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let body = at + attribute.len() + 1;
        if !tokens[at..].starts_with(&attribute) || tokens.get(body) != Some(&Token::Other(b'{')) {
            kept.push(tokens[at]);
            at += 1;
            continue;
        }
        let mut depth = 0_usize;
        at = body;
        while at < tokens.len() {
            match tokens[at] {
                Token::Other(b'{') => depth += 1,
                Token::Other(b'}') => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
    }
    kept
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match bytes[at] {
            _ if rest.starts_with(b"//") => until(rest, b"\n"),
            _ if rest.starts_with(b"/*") => comment(rest),
            _ if rest.starts_with(b"::") => {
                tokens.push(Token::Path);
                2
            }
            b'"' => string(rest),
            b'\'' => character(rest),
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                let length = name(rest);
                match raw_string(rest, length) {
                    Some(length) => length,
                    None => {
                        tokens.push(Token::Name(&source[at..at + length]));
                        length
                    }
                }
            }
            byte => {
                if !byte.is_ascii_whitespace() && byte.is_ascii() {
                    tokens.push(Token::Other(byte));
                }
                1
            }
        };
    }
    tokens
}

fn name(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| *byte != b'_' && !byte.is_ascii_alphanumeric())
        .unwrap_or(rest.len())
}

/// The length up to the end of a mark, or of everything.
fn until(rest: &[u8], mark: &[u8]) -> usize {
    rest.windows(mark.len())
        .position(|window| window == mark)
        .map_or(rest.len(), |at| at + mark.len())
}

fn comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `br#"…"#` and the like behind a name of this length that is their prefix.
fn raw_string(rest: &[u8], length: usize) -> Option<usize> {
    if ![&b"r"[..], b"br", b"cr"].contains(&&rest[..length]) {
        return None;
    }
    let hashes = rest[length..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if rest.get(length + hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(hashes + 1, b'#');
    let begin = length + hashes + 1;
    Some(begin + until(&rest[begin..], &end))
}

/// A character, or the tick of a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return 3 + until(rest.get(3..).unwrap_or_default(), b"'");
    }
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]);
    let width = text.chars().next().map_or(1, char::len_utf8);
    if rest.get(1 + width) == Some(&b'\'') {
        2 + width
    } else {
        1
    }
}
