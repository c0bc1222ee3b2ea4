//! What travels over a CTP connection: length of two octets (without itself), version, code, then parameters of code, length
//! of one octet, value.
//!
//! Clients are known that read only lengths below 128 rightly; a notification with so few octets reaches all of them.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Version 1.0.
const VERSION: u8 = 0x10;
/// Octets of a message at most, as far as we take it.
const MAX_MESSAGE: usize = 4096;
/// Octets of a value at most.
pub(super) const MAX_VALUE: usize = 255;
/// Parameters of a message at most.
const MAX_PARAMETERS: usize = 16;

/// Codes of messages and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u8);

impl Code {
    pub(super) const AUTH: Self = Self(0x01);
    pub(super) const READY: Self = Self(0x02);
    pub(super) const BYE: Self = Self(0x03);
    pub(super) const OK: Self = Self(0x20);
    pub(super) const SYNC: Self = Self(0x29);
    pub(super) const NOT_AUTHENTICATED: Self = Self(0x41);
    pub(super) const UNAUTHORIZED: Self = Self(0x42);
    pub(super) const ERROR: Self = Self(0x50);
}

/// Codes of parameters.
pub(super) mod parameter {
    pub(in super::super) const DEVICE: u8 = 0x01;
    pub(in super::super) const USER: u8 = 0x02;
    pub(in super::super) const CREDENTIALS: u8 = 0x03;
    pub(in super::super) const NONCE: u8 = 0x06;
    pub(in super::super) const NOTIFICATION: u8 = 0x07;
    pub(in super::super) const DESCRIPTION: u8 = 0x08;
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) code: Code,
    pub(super) parameters: Vec<(u8, Vec<u8>)>,
}

impl Frame {
    pub(super) const fn new(code: Code) -> Self {
        Self {
            code,
            parameters: Vec::new(),
        }
    }

    /// A value of more than [`MAX_VALUE`] octets is cut.
    pub(super) fn with(mut self, code: u8, value: &[u8]) -> Self {
        let value = &value[..value.len().min(MAX_VALUE)];
        self.parameters.push((code, value.to_vec()));
        self
    }

    pub(super) fn value(&self, code: u8) -> Option<&[u8]> {
        let found = self.parameters.iter().find(|(known, _)| *known == code);
        found.map(|(_, value)| &**value)
    }

    /// The value as text of at least one character.
    pub(super) fn text(&self, code: u8) -> Option<&str> {
        let text = str::from_utf8(self.value(code)?).ok()?;
        Some(text).filter(|text| !text.is_empty())
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let mut out = vec![0, 0, VERSION, self.code.0];
        for (code, value) in &self.parameters {
            out.push(*code);
            out.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(value);
        }
        let length = u16::try_from(out.len() - 2).unwrap_or(u16::MAX);
        out[..2].copy_from_slice(&length.to_be_bytes());
        out
    }

    /// Reads what follows the length; the text says what is wrong.
    fn read(octets: &[u8]) -> Result<Self, &'static str> {
        let [version, code, ..] = octets else {
            return Err("the message is too short");
        };
        if version >> 4 != VERSION >> 4 {
            return Err("the version is not known");
        }
        let mut frame = Self::new(Code(*code));
        let mut rest = &octets[2..];
        while let [code, length, behind @ ..] = rest {
            let length = usize::from(*length);
            if behind.len() < length || frame.parameters.len() >= MAX_PARAMETERS {
                return Err("a parameter is cut off, or there are too many");
            }
            frame.parameters.push((*code, behind[..length].to_vec()));
            rest = &behind[length..];
        }
        if rest.is_empty() {
            Ok(frame)
        } else {
            Err("a parameter is cut off")
        }
    }

    /// The next message of a stream; `None` at its end. Not to be dropped half way.
    pub(super) async fn receive(
        stream: &mut (impl AsyncRead + Unpin),
    ) -> std::io::Result<Option<Result<Self, &'static str>>> {
        let mut length = [0; 2];
        if let Err(error) = stream.read_exact(&mut length).await {
            return match error.kind() {
                std::io::ErrorKind::UnexpectedEof => Ok(None),
                _ => Err(error),
            };
        }
        let length = usize::from(u16::from_be_bytes(length));
        if length > MAX_MESSAGE {
            return Ok(Some(Err("the message is too long")));
        }
        let mut octets = vec![0; length];
        stream.read_exact(&mut octets).await?;
        Ok(Some(Self::read(&octets)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_known_octets() {
        assert_eq!(Frame::new(Code::READY).octets(), [0x00, 0x02, 0x10, 0x02]);
        assert_eq!(Frame::new(Code::OK).octets(), [0x00, 0x02, 0x10, 0x20]);
        let sync = Frame::new(Code::SYNC).with(parameter::NOTIFICATION, &[0xAA, 0xBB]);
        assert_eq!(
            sync.octets(),
            [0x00, 0x06, 0x10, 0x29, 0x07, 0x02, 0xAA, 0xBB]
        );
        assert_eq!(Frame::read(&sync.octets()[2..]), Ok(sync));
    }

    #[test]
    fn every_prefix_and_any_rubbish_is_refused_or_read() {
        let auth = Frame::new(Code::AUTH)
            .with(parameter::DEVICE, b"IMEI:1")
            .with(parameter::USER, b"alice");
        let octets = auth.octets();
        for end in 2..octets.len() {
            let read = Frame::read(&octets[2..end]);
            assert!(read != Ok(auth.clone()), "{end}");
        }
        assert!(Frame::read(&[0x20, 1]).is_err(), "another version");
        let many = [[9, 0]; 17].concat();
        assert!(Frame::read(&[&[0x10, 1][..], &many].concat()).is_err());
    }
}
