//! A reader over octets that says where it stands.

use super::{ReadError, ReadErrorKind};

/// Reads octets front to back.
#[derive(Debug, Clone)]
pub(super) struct Octets<'a> {
    input: &'a [u8],
    at: usize,
    /// What is read, for errors.
    what: &'static str,
}

impl<'a> Octets<'a> {
    pub(super) const fn new(input: &'a [u8], what: &'static str) -> Self {
        Self { input, at: 0, what }
    }

    /// What is read from here on, for errors.
    pub(super) const fn within(&mut self, what: &'static str) {
        self.what = what;
    }

    /// Octets read so far.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.input.len()
    }

    pub(super) fn fail(&self, at: usize, kind: ReadErrorKind) -> ReadError {
        ReadError::new(at, kind)
    }

    fn truncated(&self) -> ReadError {
        self.fail(self.input.len(), ReadErrorKind::Truncated(self.what))
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    pub(super) fn octet(&mut self) -> Result<u8, ReadError> {
        let octet = self.peek().ok_or_else(|| self.truncated())?;
        self.at += 1;
        Ok(octet)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], ReadError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or_else(|| self.truncated())?;
        self.at += length;
        Ok(taken)
    }

    pub(super) fn u16(&mut self) -> Result<u16, ReadError> {
        let taken = self.take(2)?;
        Ok(u16::from_be_bytes([taken[0], taken[1]]))
    }

    /// The octets before the next 0, which is read too.
    pub(super) fn text(&mut self) -> Result<&'a [u8], ReadError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let length = memchr::memchr(0, rest).ok_or_else(|| self.truncated())?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    /// A WSP `uintvar`: seven bits per octet, the highest bit says that more follow.
    pub(super) fn uintvar(&mut self) -> Result<u32, ReadError> {
        let from = self.at;
        let mut value: u32 = 0;
        loop {
            let octet = self.octet()?;
            if value >> 25 != 0 {
                return Err(self.fail(from, ReadErrorKind::Number(self.what)));
            }
            value = value << 7 | u32::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = self.input.get(self.at..).unwrap_or_default();
        self.at = self.input.len();
        rest
    }
}
