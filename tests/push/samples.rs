//! `oma-samples/*.hex`: one of each push, a short message on each line, as `candybar decode` reads it.
//!
//! With `CANDYBAR_WRITE_SAMPLES=1` the files are written instead.

use std::path::{Path, PathBuf};

use candybar::push::sms::read_text;
use candybar::push::wdp::Reassembly;
use candybar::push::wsp::Push;

use super::pushes::{Made, all};

pub(super) fn path(made: &Made) -> PathBuf {
    let name = format!("oma-samples/candybar-push-{}.hex", made.name);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn lines(made: &Made) -> String {
    let mut text = String::new();
    for segment in made.segments() {
        for octet in segment.udh.iter().chain(&segment.body) {
            text.push_str(&format!("{octet:02X}"));
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_push_has_its_sample() {
    let write = std::env::var_os("CANDYBAR_WRITE_SAMPLES").is_some();
    for made in all() {
        let path = path(&made);
        let about = format!(
            "Server, {}. A user data header with its data on each line, in hex. Made by candybar's own test; tshark and, but for \
             sync settings and signatures, libwbxml or libsynthesis read it alike.\n",
            made.about
        );
        if write {
            std::fs::write(&path, lines(&made)).expect("a sample is written");
            std::fs::write(path.with_extension("md"), &about).expect("a line is written");
        }
        let sample = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(sample, lines(&made), "{}", made.name);
        let line = std::fs::read_to_string(path.with_extension("md"));
        assert_eq!(line.expect("its line"), about, "{}", made.name);
    }
}

#[test]
fn every_sample_is_what_was_meant() {
    for made in all() {
        let text = std::fs::read_to_string(path(&made)).expect("a sample");
        let messages = read_text(&text).expect("short messages");
        let mut reassembly = Reassembly::new();
        let mut whole = Vec::new();
        for message in &messages {
            let came = reassembly.add("", &message.udh, message.octets());
            whole.extend(came.expect("a segment"));
        }
        let [datagram] = &whole[..] else {
            panic!("{}: {} datagrams", made.name, whole.len())
        };
        assert_eq!(datagram.ports, Some(made.ports), "{}", made.name);
        let push = Push::read(&datagram.payload).expect("a push");
        assert!(push == made.push, "{}", made.name);
    }
}

#[test]
fn damaged_samples_are_refused_or_read_and_never_panic() {
    for made in all() {
        let mut octets = made.push.octets().expect("a push");
        let (mut read, mut refused) = (0, 0);
        for at in 0..octets.len() {
            let bit = 1 << (at % 8);
            octets[at] ^= bit;
            let inbox = candybar::handset::Inbox::default();
            match inbox.open(&octets) {
                Ok(_) => read += 1,
                Err(error) => {
                    refused += 1;
                    assert!(
                        error.offset as usize <= octets.len(),
                        "{}: {error}",
                        made.name
                    );
                }
            }
            octets[at] ^= bit;
        }
        assert!(
            read > 0 && refused > 0,
            "{}: {read} read, {refused} refused",
            made.name
        );
    }
}
