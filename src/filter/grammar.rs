//! The CGI grammar of filters (type `syncml:filtertype-cgi`, version 1.0; OMA DS 1.2, and the addresses of Sync Protocol
//! 1.1), to and from expressions.
//!
//! ```text
//! expression  term { ("&AND;" | "&OR;") term }      AND binds more closely than OR; "&", "&amp;" and "|" are taken too
//! term        "(" expression ")" | comparison | "TODO" | "EVENT"
//! comparison  field operator value
//! field       name [ "[" number "]" ] | "&LUID;"
//! operator    "&" [ "i" ] ("EQ" | "NE" | "GT" | "GE" | "LT" | "LE" | "CON" | "NCON") ";"
//! value       "&NULL;" | text up to "&", "|" or ")", with %-escapes
//! ```
//!
//! SINCE and BEFORE of one conjunction make one window: an item has to take place between them, not once after the one
//! and once before the other. The parser does not recurse: open parentheses are kept in a list of limited length.

use std::fmt;

use super::{Comparison, Expression, Field, FilterError, Operator};
use crate::content::{Kind, Time};

/// Octets of a filter.
pub const MAX_TEXT: usize = 4_096;
/// Comparisons of a filter.
pub const MAX_TERMS: usize = 64;
/// Parentheses within parentheses.
const MAX_DEPTH: usize = 16;
/// Octets of the name of a field.
const MAX_NAME: usize = 64;

type Result<T> = std::result::Result<T, FilterError>;

impl Expression {
    /// Reads a filter; `None` if there is nothing in it, which lets everything pass.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        if text.len() > MAX_TEXT {
            return Err(FilterError::Unsupported(format!(
                "more than {MAX_TEXT} octets"
            )));
        }
        let Some(expression) = (Parser { text, at: 0 }).run()? else {
            return Ok(None);
        };
        // It is kept by its canonical text, whose escapes and parentheses can be more than those that came.
        let canonical = expression.to_string();
        let kept = canonical.len() <= MAX_TEXT
            && (Parser {
                text: &canonical,
                at: 0,
            })
            .run()
            .is_ok_and(|again| again.as_ref() == Some(&expression));
        if !kept {
            let error = format!("more than {MAX_TEXT} octets, or more nesting than can be kept");
            return Err(FilterError::Unsupported(error));
        }
        Ok(Some(expression))
    }
}

/// Whether there is a comparison in it at all.
pub(super) fn has_operator(text: &str) -> bool {
    text.match_indices('&')
        .any(|(at, _)| operator(&text[at..]).is_some())
}

/// The operator at the start, whether it folds case, and its length.
fn operator(text: &str) -> Option<(Operator, bool, usize)> {
    let inner = text.strip_prefix('&')?;
    let name = inner.get(..inner.find(';').filter(|end| *end <= 5)?)?;
    let length = name.len() + 2;
    let known = |name: &str| {
        Operator::ALL
            .into_iter()
            .find(|operator| operator.name().eq_ignore_ascii_case(name))
    };
    if let Some(operator) = known(name) {
        return Some((operator, false, length));
    }
    let folded = name.strip_prefix(['i', 'I']).and_then(known)?;
    Some((folded, true, length))
}

/// One level of parentheses: alternatives, each of them a conjunction.
#[derive(Default)]
struct Level {
    alternatives: Vec<Expression>,
    all: Vec<Expression>,
    /// One of the alternatives limits nothing.
    open: bool,
}

impl Level {
    /// The conjunction so far is one alternative.
    fn or(&mut self) {
        let all = std::mem::take(&mut self.all);
        match conjunction(all) {
            Some(alternative) => self.alternatives.push(alternative),
            None => self.open = true,
        }
    }

    fn close(mut self) -> Option<Expression> {
        self.or();
        if self.open {
            return None;
        }
        let mut flat = Vec::with_capacity(self.alternatives.len());
        for alternative in self.alternatives {
            match alternative {
                Expression::Any(mut more) => flat.append(&mut more),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 | 1 => flat.pop(),
            _ => Some(Expression::Any(flat)),
        }
    }
}

/// All of them in one, with one window.
fn conjunction(list: Vec<Expression>) -> Option<Expression> {
    let mut flat = Vec::with_capacity(list.len());
    for expression in list {
        match expression {
            Expression::All(mut more) => flat.append(&mut more),
            other => flat.push(other),
        }
    }
    let (mut since, mut before) = (None::<Time>, None::<Time>);
    let mut place = None;
    let mut all = Vec::with_capacity(flat.len());
    for expression in flat {
        let Expression::Window {
            since: from,
            before: to,
        } = expression
        else {
            all.push(expression);
            continue;
        };
        let merged = |a: Option<Time>, b: Option<Time>, pick: fn(Time, Time) -> Time| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        };
        since = merged(since, from, Time::later);
        before = merged(before, to, Time::earlier);
        place.get_or_insert(all.len());
    }
    if let Some(place) = place
        && (since.is_some() || before.is_some())
    {
        all.insert(place, Expression::Window { since, before });
    }
    match all.len() {
        0 | 1 => all.pop(),
        _ => Some(Expression::All(all)),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn run(mut self) -> Result<Option<Expression>> {
        let mut levels = vec![Level::default()];
        let mut terms = 0;
        self.blanks();
        if self.rest().is_empty() {
            return Ok(None);
        }
        loop {
            self.blanks();
            if self.take("(") {
                if levels.len() > MAX_DEPTH {
                    return Err(FilterError::Unsupported(format!(
                        "more than {MAX_DEPTH} parentheses within each other"
                    )));
                }
                levels.push(Level::default());
                continue;
            }
            terms += 1;
            if terms > MAX_TERMS {
                return Err(FilterError::Unsupported(format!(
                    "more than {MAX_TERMS} comparisons"
                )));
            }
            let term = self.term()?;
            let last = levels.len() - 1;
            levels[last].all.extend(term);
            loop {
                self.blanks();
                if !self.take(")") {
                    break;
                }
                let Some(inner) = levels.pop().filter(|_| !levels.is_empty()) else {
                    return Err(self.error("a parenthesis that was never opened"));
                };
                let last = levels.len() - 1;
                levels[last].all.extend(inner.close());
            }
            if self.rest().is_empty() {
                break;
            }
            if self.take("&OR;") || self.take("|") {
                let last = levels.len() - 1;
                levels[last].or();
            } else if !(self.take("&AND;") || self.take("&amp;") || self.take("&")) {
                return Err(self.error("AND, OR or the end is expected"));
            }
        }
        match (levels.pop(), levels.is_empty()) {
            (Some(level), true) => Ok(level.close()),
            _ => Err(self.error("a parenthesis is not closed")),
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn error(&self, what: &'static str) -> FilterError {
        FilterError::Grammar(self.at, what)
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Steps over a word, in any case.
    fn take(&mut self, word: &str) -> bool {
        let found = self
            .rest()
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word));
        if found {
            self.at += word.len();
        }
        found
    }

    /// One comparison; `None` if it limits nothing.
    fn term(&mut self) -> Result<Option<Expression>> {
        let (name, index) = if self.take("&LUID;") {
            ("LUID".to_owned(), None)
        } else {
            self.name()?
        };
        self.blanks();
        let Some((operator, fold, length)) = operator(self.rest()) else {
            let word = self.rest().is_empty() || self.rest().starts_with(['&', '|', ')']);
            return match name.as_str() {
                "TODO" | "VTODO" if word => Ok(Some(Expression::Kind(Kind::Task))),
                "EVENT" | "VEVENT" if word => Ok(Some(Expression::Kind(Kind::Event))),
                _ => Err(self.error("an operator is expected")),
            };
        };
        self.at += length;
        let start = self.at;
        let value = self.value()?;
        match name.as_str() {
            "SINCE" | "BEFORE" => self.window(&name, operator, value.as_deref(), start),
            "MAXSIZE" => match (operator, value.as_deref().map(|text| text.trim().parse())) {
                (Operator::Equal | Operator::LessOrEqual, Some(Ok(octets))) => {
                    Ok(Some(Expression::MaxSize(octets)))
                }
                _ => Err(FilterError::Grammar(
                    start,
                    "MAXSIZE takes &EQ; and a number",
                )),
            },
            "MAXCOUNT" | "NOATT" | "DBOPTIONS" => Err(FilterError::Unsupported(name)),
            _ => {
                let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
                if value.is_none() && ordered {
                    return Err(FilterError::Grammar(
                        start,
                        "&NULL; goes with &EQ; and &NE; only",
                    ));
                }
                let field = match name.as_str() {
                    "LUID" => Field::Luid,
                    "GUID" => Field::Guid,
                    _ => Field::Property(name, index),
                };
                Ok(Some(Expression::Compare(Comparison {
                    field,
                    operator,
                    fold,
                    value,
                })))
            }
        }
    }

    fn window(
        &self,
        name: &str,
        operator: Operator,
        value: Option<&str>,
        start: usize,
    ) -> Result<Option<Expression>> {
        let since = name == "SINCE";
        let fits = match operator {
            Operator::Equal => true,
            Operator::Greater | Operator::GreaterOrEqual => since,
            Operator::Less | Operator::LessOrEqual => !since,
            _ => false,
        };
        if !fits {
            return Err(FilterError::Grammar(
                start,
                "SINCE and BEFORE take &EQ; and a time",
            ));
        }
        // Mail clients say so if they want no limit.
        if value.is_some_and(|value| value.trim().eq_ignore_ascii_case("ALL")) {
            return Ok(None);
        }
        let time = value
            .and_then(Time::parse)
            .ok_or(FilterError::Grammar(start, "a date or a time is expected"))?;
        let (since, before) = if since {
            (Some(time), None)
        } else {
            (None, Some(time))
        };
        Ok(Some(Expression::Window { since, before }))
    }

    /// The name of a field, in upper case, and its index.
    fn name(&mut self) -> Result<(String, Option<u16>)> {
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let rest = self.rest();
        let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.error("the name of a field is expected"));
        }
        if length > MAX_NAME {
            return Err(self.error("the name of a field is too long"));
        }
        let name = rest[..length].to_ascii_uppercase();
        self.at += length;
        if !self.take("[") {
            return Ok((name, None));
        }
        let rest = self.rest();
        let index = rest
            .find(']')
            .and_then(|end| Some((rest[..end].trim().parse::<u16>().ok()?, end)));
        match index {
            Some((index, end)) if index > 0 => {
                self.at += end + 1;
                Ok((name, Some(index)))
            }
            _ => Err(self.error("the number of an occurrence is expected")),
        }
    }

    /// A value; `None` is `&NULL;`.
    fn value(&mut self) -> Result<Option<String>> {
        if self.take("&NULL;") {
            return Ok(None);
        }
        let rest = self.rest();
        let end = rest.find(['&', '|', ')']).unwrap_or(rest.len());
        let raw = &rest[..end];
        let start = self.at;
        self.at += end;
        let mut octets = Vec::with_capacity(raw.len());
        let mut bytes = raw.as_bytes();
        while let Some((&byte, more)) = bytes.split_first() {
            let digit = |at: usize| more.get(at).and_then(|byte| char::from(*byte).to_digit(16));
            match (byte, digit(0), digit(1)) {
                (b'%', Some(high), Some(low)) => {
                    octets.push((high * 16 + low) as u8);
                    bytes = &more[2..];
                }
                _ => {
                    octets.push(byte);
                    bytes = more;
                }
            }
        }
        String::from_utf8(octets)
            .map(Some)
            .map_err(|_| FilterError::Grammar(start, "a value is not UTF-8"))
    }
}

/// Writes a value so that it reads back.
fn escaped(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    for c in value.chars() {
        match c {
            '&' | '|' | ')' | '(' | '%' => write!(f, "%{:02X}", c as u32)?,
            c if c.is_control() && c.is_ascii() => write!(f, "%{:02X}", c as u32)?,
            c => write!(f, "{c}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Expression {
    /// The canonical text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, list: &[Self], operator: &str| {
            for (at, expression) in list.iter().enumerate() {
                if at > 0 {
                    f.write_str(operator)?;
                }
                match expression {
                    Self::All(_) | Self::Any(_) => write!(f, "({expression})")?,
                    _ => write!(f, "{expression}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::All(all) => list(f, all, "&AND;"),
            Self::Any(any) => list(f, any, "&OR;"),
            Self::Compare(comparison) => write!(f, "{comparison}"),
            Self::Window { since, before } => {
                if let Some(since) = since {
                    write!(f, "SINCE&EQ;{since}")?;
                }
                if since.is_some() && before.is_some() {
                    f.write_str("&AND;")?;
                }
                if let Some(before) = before {
                    write!(f, "BEFORE&EQ;{before}")?;
                }
                Ok(())
            }
            Self::MaxSize(octets) => write!(f, "MAXSIZE&EQ;{octets}"),
            Self::Kind(Kind::Task) => f.write_str("TODO"),
            Self::Kind(_) => f.write_str("EVENT"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Field::Luid => f.write_str("&LUID;")?,
            Field::Guid => f.write_str("GUID")?,
            Field::Property(name, None) => f.write_str(name)?,
            Field::Property(name, Some(index)) => write!(f, "{name}[{index}]")?,
        }
        let fold = if self.fold { "i" } else { "" };
        write!(f, "&{fold}{};", self.operator.name())?;
        match &self.value {
            None => f.write_str("&NULL;"),
            Some(value) => escaped(f, value),
        }
    }
}
