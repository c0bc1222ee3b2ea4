//! Every message of `oma-samples/`: read, written again in both carriers, cut, and damaged.

use std::path::Path;

use candybar::syncml::codec::{
    DecodeErrorKind, Form, Limits, decode, encode, encoded_len, header_len,
};
use candybar::syncml::{Carrier, Message, Version};

/// A recorded message.
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) carrier: Carrier,
    pub(super) bytes: Vec<u8>,
}

impl Sample {
    /// All of them, by name.
    pub(super) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oma-samples");
        let mut samples = Vec::new();
        for entry in std::fs::read_dir(&folder).expect("oma-samples/ can be read") {
            let path = entry.expect("oma-samples/ can be read").path();
            let carrier = match path.extension().and_then(|extension| extension.to_str()) {
                Some("xml") => Carrier::Xml,
                Some("wbxml") => Carrier::Wbxml,
                _ => continue,
            };
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let bytes = std::fs::read(&path).expect("a sample can be read");
            samples.push(Self {
                name,
                carrier,
                bytes,
            });
        }
        samples.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(samples.len() >= 40, "only {} samples", samples.len());
        for carrier in [Carrier::Xml, Carrier::Wbxml] {
            assert!(
                samples.iter().any(|sample| sample.carrier == carrier),
                "no sample in {carrier:?}"
            );
        }
        samples
    }

    pub(super) fn message(&self) -> Message<'_> {
        decode(&self.bytes, self.carrier, &Limits::default())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Octets up to the end of the root element.
    fn document(&self) -> &[u8] {
        match self.carrier {
            Carrier::Xml => self.bytes.trim_ascii_end(),
            Carrier::Wbxml => &self.bytes,
        }
    }

    /// Places in the document, evenly spread: every one if there are no more than `most`.
    fn places(&self, most: usize) -> impl Iterator<Item = usize> {
        let end = self.document().len();
        (0..end).step_by(end.div_ceil(most).max(1))
    }
}

#[test]
fn every_sample_survives_both_carriers_in_every_version() {
    for sample in Sample::all() {
        let message = sample.message();
        assert!(
            message.header.version().is_some(),
            "{}: no version",
            sample.name
        );
        assert!(!message.body.is_empty(), "{}: no commands", sample.name);
        for version in Version::ALL {
            for carrier in [Carrier::Xml, Carrier::Wbxml] {
                let form = Form::new(carrier, version);
                let bytes = encode(&message, &form);
                let again = decode(&bytes, carrier, &Limits::default());
                assert_eq!(again.as_ref(), Ok(&message), "{} as {form:?}", sample.name);

                let commands: usize = message
                    .body
                    .iter()
                    .map(|command| encoded_len(command, &form))
                    .sum();
                let measured = header_len(&message.header, &form) + commands;
                let slack = 16 * message.body.len() + if message.last { 0 } else { 16 };
                assert!(
                    measured >= bytes.len(),
                    "{} as {form:?}: {measured} < {}",
                    sample.name,
                    bytes.len()
                );
                assert!(
                    measured <= bytes.len() + slack,
                    "{} as {form:?}: {measured}",
                    sample.name
                );
            }
        }
    }
}

#[test]
fn every_prefix_of_every_sample_is_refused_as_cut_off() {
    // Without optimisation every one would take minutes.
    let most = if cfg!(debug_assertions) {
        300
    } else {
        usize::MAX
    };
    for sample in Sample::all() {
        for end in sample.places(most) {
            let error = decode(&sample.bytes[..end], sample.carrier, &Limits::default())
                .expect_err("a prefix is no message");
            let expected = if end == 0 {
                DecodeErrorKind::Empty
            } else {
                DecodeErrorKind::Truncated
            };
            assert_eq!(
                (error.kind, error.offset as usize),
                (expected, end),
                "{} cut at {end}",
                sample.name
            );
        }
    }
}

#[test]
fn damaged_samples_are_refused_or_read_and_never_panic() {
    let mut refused = 0_u32;
    let mut read = 0_u32;
    for sample in Sample::all() {
        let mut bytes = sample.bytes.clone();
        for at in sample.places(600) {
            let bit = 1 << (at % 8);
            bytes[at] ^= bit;
            match decode(&bytes, sample.carrier, &Limits::default()) {
                Ok(message) => {
                    read += 1;
                    assert!(message.body.len() <= bytes.len());
                }
                Err(error) => {
                    refused += 1;
                    assert!(
                        error.offset as usize <= bytes.len(),
                        "{}: {error}",
                        sample.name
                    );
                }
            }
            bytes[at] ^= bit;
        }
    }
    assert!(refused > 0 && read > 0, "{refused} refused, {read} read");
}
