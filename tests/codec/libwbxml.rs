//! libwbxml's `wbxml2xml` and `xml2wbxml` as the second opinion.

use std::io::Write as _;
use std::process::{Command as Process, Stdio};

use candybar::syncml::codec::{Form, Limits, decode, encode};
use candybar::syncml::{Carrier, Command, Data, Item, Message, Meta};

use super::samples::Sample;
use crate::support::peer::present;

/// What a program makes of its input.
fn filter(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Process::new(program)
        .args(arguments)
        .args(["-o", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input is ours");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the program ends");
    writer
        .join()
        .expect("the input is written")
        .expect("the input is written");
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// libwbxml names the type of nested DevInf by the carrier that it writes.
fn same_devinf_type(message: Message<'_>) -> Message<'static> {
    fn meta(meta: &mut Option<Box<Meta<'_>>>) {
        let Some(kind) = meta.as_mut().and_then(|meta| meta.kind.as_mut()) else {
            return;
        };
        if *kind == Carrier::Wbxml.devinf_mime() {
            *kind = Carrier::Xml.devinf_mime().into();
        }
    }
    fn items(items: &mut [Item<'_>]) {
        for item in items {
            meta(&mut item.meta);
        }
    }
    let mut message = message.into_owned();
    for command in &mut message.body {
        match command {
            Command::Put(put) => {
                meta(&mut put.meta);
                items(&mut put.items);
            }
            Command::Get(get) => {
                meta(&mut get.meta);
                items(&mut get.items);
            }
            Command::Results(results) => {
                meta(&mut results.meta);
                items(&mut results.items);
            }
            _ => {}
        }
    }
    message
}

/// libwbxml puts a carriage return before every line feed of item data, also where one stands already.
fn without_returns(message: Message<'_>) -> Message<'static> {
    fn commands(list: &mut [Command<'_>]) {
        for command in list {
            match command {
                Command::Sync(sync) => commands(&mut sync.commands),
                Command::Change(change) => {
                    for item in &mut change.items {
                        if let Data::Bytes(bytes) = &mut item.data {
                            bytes.to_mut().retain(|&octet| octet != b'\r');
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let mut message = same_devinf_type(message);
    commands(&mut message.body);
    message
}

fn xml_by_libwbxml(wbxml: &[u8]) -> Vec<u8> {
    filter("wbxml2xml", &["-m", "0", "-k"], wbxml)
}

#[test]
fn wbxml2xml_reads_every_sample_as_we_do() {
    if !present("libwbxml", &["wbxml2xml"]) {
        return;
    }
    for sample in Sample::all()
        .into_iter()
        .filter(|sample| sample.carrier == Carrier::Wbxml)
    {
        let xml = xml_by_libwbxml(&sample.bytes);
        let theirs = decode(&xml, Carrier::Xml, &Limits::default());
        let theirs = theirs.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        assert_eq!(
            same_devinf_type(theirs),
            same_devinf_type(sample.message()),
            "{}",
            sample.name
        );
    }
}

#[test]
fn wbxml2xml_reads_what_we_write() {
    if !present("libwbxml", &["wbxml2xml"]) {
        return;
    }
    for sample in Sample::all() {
        let message = sample.message();
        let version = message.header.version().unwrap_or_default();
        let wbxml = encode(&message, &Form::new(Carrier::Wbxml, version));
        let xml = xml_by_libwbxml(&wbxml);
        let theirs = decode(&xml, Carrier::Xml, &Limits::default());
        let theirs = theirs.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        assert_eq!(
            same_devinf_type(theirs),
            same_devinf_type(message),
            "{}",
            sample.name
        );
    }
}

#[test]
fn xml2wbxml_reads_what_we_write() {
    if !present("libwbxml", &["xml2wbxml"]) {
        return;
    }
    for sample in Sample::all() {
        let message = sample.message();
        let version = message.header.version().unwrap_or_default();
        // It finds the document type by the namespace of the root, in every version.
        let xml = encode(
            &message,
            &Form {
                root_namespace: true,
                ..Form::new(Carrier::Xml, version)
            },
        );
        let wbxml = filter("xml2wbxml", &["-k"], &xml);
        let theirs = decode(&wbxml, Carrier::Wbxml, &Limits::default());
        let theirs = theirs.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        assert_eq!(
            without_returns(theirs),
            without_returns(message),
            "{}",
            sample.name
        );
    }
}
