//! Large objects: items that are split over messages (OMA DS Protocol, large object handling).

use crate::syncml::{ChangeKind, Code};

use crate::handset::memory::{Doubt, Luid, Octets, PartIn};

/// Resumes after which a part may have come again; of more the first count.
const MAX_DOUBTS: usize = 16;

/// An item that the server sends in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChunkIn {
    pub(super) exchange: usize,
    pub(super) kind: ChangeKind,
    pub(super) target: Option<String>,
    pub(super) source: Option<String>,
    pub(super) content_type: String,
    pub(super) format: Option<String>,
    /// Octets of the whole, as announced with the first part.
    size: u64,
    octets: Vec<u8>,
    /// Octets of the newest part.
    newest: usize,
    /// It began in an earlier session: the newest part may come again.
    resumed: bool,
    /// The server answered the message in which the newest part had its Status.
    pub(super) told: bool,
    /// Parts after which it was resumed.
    doubts: Vec<Doubt>,
}

impl ChunkIn {
    /// Opens a buffer. 411 without a size, 416 if the item is larger than the phone takes.
    pub(super) fn open(size: Option<u64>, limit: u64, like: Self) -> Result<Self, Code> {
        let size = size.ok_or(Code::SIZE_REQUIRED)?;
        if size > limit {
            return Err(Code::REQUESTED_SIZE_TOO_BIG);
        }
        Ok(Self { size, ..like })
    }

    /// The description of an item, without octets.
    pub(super) fn describe(
        exchange: usize,
        kind: ChangeKind,
        target: Option<&str>,
        source: Option<&str>,
        content_type: &str,
        format: Option<&str>,
    ) -> Self {
        Self {
            exchange,
            kind,
            target: target.map(str::to_owned),
            source: source.map(str::to_owned),
            content_type: content_type.to_owned(),
            format: format.map(str::to_owned),
            size: 0,
            octets: Vec::new(),
            newest: 0,
            resumed: false,
            told: false,
            doubts: Vec::new(),
        }
    }

    /// An item that came in part in an earlier session.
    pub(super) fn resumed(exchange: usize, part: PartIn) -> Self {
        Self {
            exchange,
            kind: if part.target.is_some() {
                ChangeKind::Replace
            } else {
                ChangeKind::Add
            },
            target: part.target,
            source: part.source,
            content_type: String::new(),
            format: None,
            size: part.size,
            octets: part.octets.0,
            newest: part.newest,
            resumed: true,
            told: part.told,
            doubts: part.doubts,
        }
    }

    /// What is kept of it.
    pub(super) fn part_in(&self) -> PartIn {
        PartIn {
            target: self.target.clone(),
            source: self.source.clone(),
            size: self.size,
            octets: Octets(self.octets.clone()),
            newest: self.newest,
            told: self.told,
            doubts: self.doubts.clone(),
            code: 0,
        }
    }

    /// The next part belongs to this item.
    pub(super) fn continues(&self, other: &Self) -> bool {
        self.exchange == other.exchange
            && self.kind == other.kind
            && self.target == other.target
            && self.source == other.source
    }

    /// Takes a part; 424 as soon as there is more than was announced.
    pub(super) fn push(&mut self, part: &[u8]) -> Result<(), Code> {
        let begin = self.octets.len().saturating_sub(self.newest);
        let newest = &self.octets[begin..];
        if std::mem::take(&mut self.resumed) && !newest.is_empty() && self.doubts.len() < MAX_DOUBTS
        {
            // A part that looks like it may be another one: the size of the whole tells.
            self.doubts.push(Doubt {
                begin,
                length: newest.len(),
                told: self.told,
                alike: part.starts_with(newest) || newest.starts_with(part),
            });
        }
        self.newest = part.len();
        self.told = false;
        let doubted: usize = self.doubts.iter().map(|doubt| doubt.length).sum();
        if (self.octets.len() + part.len()).saturating_sub(doubted) as u64 > self.size {
            return Err(Code::SIZE_MISMATCH);
        }
        self.octets.extend_from_slice(part);
        Ok(())
    }

    /// The whole item; 424 if it is not as long as was announced, or, by behaviour, one octet shorter.
    pub(super) fn close(mut self, one_more: bool) -> Result<Vec<u8>, Code> {
        let whole = usize::try_from(self.size).map_or(usize::MAX, |size| size);
        let whole = whole.saturating_sub(usize::from(one_more));
        if let Some(excess) = self.octets.len().checked_sub(whole).filter(|of| *of > 0) {
            // Those first of which the server did not know, then those that looked like it.
            self.doubts
                .sort_by_key(|doubt| (doubt.told, !doubt.alike, doubt.begin));
            let mut twice = that_make(excess, &self.doubts).ok_or(Code::SIZE_MISMATCH)?;
            twice.sort_by_key(|doubt| doubt.begin);
            for doubt in twice.into_iter().rev() {
                let end = (doubt.begin + doubt.length).min(self.octets.len());
                self.octets.drain(doubt.begin.min(end)..end);
            }
        }
        if self.octets.len() as u64 + u64::from(one_more) == self.size {
            Ok(self.octets)
        } else {
            Err(Code::SIZE_MISMATCH)
        }
    }
}

/// Doubts whose lengths make a sum, the first ones if there are several.
fn that_make(sum: usize, doubts: &[Doubt]) -> Option<Vec<Doubt>> {
    if sum == 0 {
        return Some(Vec::new());
    }
    let (first, rest) = doubts.split_first()?;
    let with = sum
        .checked_sub(first.length)
        .and_then(|left| that_make(left, rest));
    match with {
        Some(mut with) => {
            with.push(*first);
            Some(with)
        }
        None => that_make(sum, rest),
    }
}

/// An item that the phone sends in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChunkOut {
    pub(super) exchange: usize,
    pub(super) kind: ChangeKind,
    pub(super) luid: Luid,
    pub(super) content_type: String,
    pub(super) format: Option<&'static str>,
    pub(super) octets: Vec<u8>,
    /// Octets that were sent.
    pub(super) offset: usize,
    /// SourceParent: LUID of its folder, or `/`.
    pub(super) parent: Option<String>,
}

impl ChunkOut {
    /// The longest next part of at most `len` octets; if `text`, it ends between characters, and if `torn`, after a CR.
    pub(super) fn part(&self, len: usize, text: bool, torn: bool) -> &[u8] {
        let rest = &self.octets[self.offset..];
        let mut end = len.min(rest.len());
        if torn
            && end < rest.len()
            && let Some(at) = rest[..end].iter().rposition(|byte| *byte == b'\r')
            && at * 2 > end
        {
            return &rest[..=at];
        }
        while text && end < rest.len() && end > 0 && rest[end] & 0xC0 == 0x80 {
            end -= 1;
        }
        &rest[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(size: Option<u64>, limit: u64) -> Result<ChunkIn, Code> {
        let like = ChunkIn::describe(0, ChangeKind::Add, None, Some("g"), "text/plain", None);
        ChunkIn::open(size, limit, like)
    }

    #[test]
    fn parts_make_a_whole_of_the_announced_size() {
        let mut chunk = open(Some(5), 10).expect("small enough");
        assert_eq!(chunk.push(b"abc"), Ok(()));
        assert_eq!(
            chunk.clone().close(false),
            Err(Code::SIZE_MISMATCH),
            "too short"
        );
        assert_eq!(chunk.push(b"def"), Err(Code::SIZE_MISMATCH), "too long");
        assert_eq!(chunk.push(b"de"), Ok(()));
        assert_eq!(chunk.close(false), Ok(b"abcde".to_vec()));
        assert_eq!(open(None, 10), Err(Code::SIZE_REQUIRED));
        assert_eq!(open(Some(11), 10), Err(Code::REQUESTED_SIZE_TOO_BIG));
    }

    /// An object of 12 octets that comes in parts of 4, suspended after each; `again` are the parts that come twice.
    fn suspended(object: &str, again: &[usize]) -> Result<Vec<u8>, Code> {
        let parts: Vec<&str> = (0..3).map(|at| &object[at * 4..at * 4 + 4]).collect();
        let mut chunk = open(Some(12), 100).expect("small enough");
        for (at, part) in parts.iter().enumerate() {
            let times = if again.contains(&at) { 2 } else { 1 };
            for _ in 0..times {
                if at > 0 || chunk.newest > 0 {
                    chunk = ChunkIn::resumed(0, chunk.part_in());
                }
                chunk.push(part.as_bytes())?;
            }
            // What came twice came because the server had not heard of it the first time.
            chunk.told = true;
        }
        chunk.close(false)
    }

    #[test]
    fn parts_that_look_alike_are_told_apart_by_the_size() {
        for object in [
            "abcdefghijkl",
            "xxxxxxxxxxxx",
            "abcdabcdabcd",
            "xxxxxxxxabcd",
            "abcdxxxxxxxx",
        ] {
            for again in [&[][..], &[0], &[1], &[0, 1], &[2], &[0, 1, 2]] {
                assert_eq!(
                    suspended(object, again),
                    Ok(object.as_bytes().to_vec()),
                    "{object} {again:?}"
                );
            }
        }
    }

    #[test]
    fn text_is_split_between_characters() {
        let chunk = ChunkOut {
            exchange: 0,
            kind: ChangeKind::Add,
            luid: Luid("1".into()),
            content_type: "text/plain".into(),
            format: None,
            octets: "aöb".into(),
            offset: 0,
            parent: None,
        };
        assert_eq!(chunk.part(2, true, false), b"a");
        assert_eq!(chunk.part(2, false, false), b"a\xc3");
        assert_eq!(chunk.part(9, true, false), "aöb".as_bytes());
    }
}
