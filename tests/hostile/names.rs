//! Ids and numbers as nobody writes them: of 10 kB, with line breaks and zeros, beyond all bounds.

use candybar::syncml::Carrier;
use candybar::syncml::codec::{Limits, decode};

use super::dialogue::{Dialogue, add, alert, read, sync};
use super::target::{self, ACCOUNT, Target, card};

#[test]
fn luids_of_10_kilobytes_are_refused_one_by_one() {
    let target = Target::start();
    // The phone takes less than such a LUID in one message.
    for (session, size) in [("1", "100000"), ("2", "4000")] {
        let mut dialogue = Dialogue::new(&target, &format!("IMEI:luid{session}"), session);
        dialogue.max_msg_size = size.to_owned();
        dialogue.begin();
        let long = "x".repeat(10_000);
        let (first, second) = (format!("First{session}"), format!("Second{session}"));
        let items = [
            add(3, "1", &card(&first, 1)),
            add(4, &long, &card("Long", 1)),
            add(5, "2", &card(&second, 1)),
        ];
        let answer = dialogue.send(&sync("contacts", &items.concat()), true);
        let statuses = dialogue.end(answer);
        let mut adds: Vec<u16> = statuses
            .iter()
            .filter(|(name, _)| name == "Add")
            .map(|(_, code)| *code)
            .collect();
        adds.sort_unstable();
        assert_eq!(adds, [201, 201, 412], "MaxMsgSize {size}");
    }
    assert_eq!(
        target.names(ACCOUNT),
        ["First1", "First2", "Second1", "Second2", "Witness"]
    );
    target.sync();
    target.alive();
}

#[test]
fn long_and_odd_ids_do_no_harm() {
    let target = Target::start();
    let long = "x".repeat(10_000);
    for odd in [
        long.as_str(),
        "",
        " ",
        "1&#10;2026-01-01T00:00:00Z  INFO forged",
        "1&#13;&#10;forged",
        "&#9;",
        "&#x1F4F1;",
        "%s%n%00",
        "../../candybar.db",
        "'; DROP TABLE item; --",
    ] {
        for which in 0..3 {
            let mut dialogue = Dialogue::new(&target, "IMEI:odd", "1");
            dialogue.msg = 1;
            match which {
                0 => dialogue.session = odd.to_owned(),
                1 => dialogue.device = odd.to_owned(),
                _ => dialogue.server = odd.to_owned(),
            }
            let response = dialogue.respond(&alert(201, "contacts"), true);
            assert!(
                matches!(response.status, 200 | 400),
                "{odd}: {}",
                response.text()
            );
            if odd.len() > 1_000 && which < 2 {
                assert_eq!(response.status, 400, "{}", response.text());
            }
            if response.status == 200 {
                read(&response);
            }
        }
    }
    // XML has no zeros.
    for zero in ["&#0;", "\0", "&#x0;"] {
        let mut dialogue = Dialogue::new(&target, "IMEI:odd", "1");
        dialogue.msg = 1;
        dialogue.session = format!("1{zero}2");
        let response = dialogue.respond(&alert(201, "contacts"), true);
        assert!(matches!(response.status, 200 | 400), "{}", response.text());
    }
    let log = target.program().log();
    let forged: Vec<&str> = log
        .lines()
        .filter(|line| line.starts_with("forged") || line.contains("Z  INFO forged"))
        .filter(|line| !line.contains('"'))
        .collect();
    assert!(forged.is_empty(), "{forged:?}");
    target.unharmed();
}

#[test]
fn a_session_id_with_zeros_comes_back_or_is_refused() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:zero", "SESSION");
    dialogue.msg = 1;
    let message = dialogue.message(&alert(201, "contacts"), true);
    let limits = Limits::default();
    let message = decode(message.as_bytes(), Carrier::Xml, &limits).expect("a message");
    let form = candybar::syncml::Form::new(Carrier::Wbxml, candybar::syncml::Version::V12);
    let octets = candybar::syncml::encode(&message, &form);
    let inline = b"\x03SESSION\0";
    let at = octets
        .windows(inline.len())
        .position(|window| window == inline)
        .expect("an inline string");
    // The id, the end of its element, and more than the header may have.
    let opaque = b"\xC3\x0A1\0\x01\x01\x01\x01\0\n\r2";
    let octets = [&octets[..at], opaque, &octets[at + inline.len()..]].concat();
    let response = target.post(Carrier::Wbxml, &octets);
    assert!(matches!(response.status, 200 | 400), "{}", response.text());
    if response.status == 200 {
        let answer = decode(&response.body, Carrier::Wbxml, &limits).expect("a message");
        assert_eq!(answer.header.target.uri, "IMEI:zero");
        assert!(!answer.body.is_empty(), "{answer:?}");
    }
    target.unharmed();
}

#[test]
fn absurd_message_sizes_end_in_a_sync() {
    let target = Target::start();
    for (number, size) in [
        "0",
        "1",
        "500",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "many",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let mut dialogue = Dialogue::new(&target, &format!("IMEI:size{number}"), "1");
        dialogue.max_msg_size = size.to_owned();
        dialogue.begin();
        let name = format!("Size{number}");
        let answer = dialogue.send(&sync("contacts", &add(3, "1", &card(&name, 1))), true);
        let statuses = dialogue.end(answer);
        assert!(
            statuses.contains(&("Add".to_owned(), 201)),
            "{size:?}: {statuses:?}"
        );
        assert!(target.names(ACCOUNT).contains(&name));
    }
    target.sync();
    target.alive();
    assert_eq!(target.names(ACCOUNT), target.names_of_witness());
}

#[test]
fn long_texts_that_are_said_again_do_not_fill_the_answers() {
    let target = Target::start();
    let long = "x".repeat(10_000);
    for (number, size) in ["4000", "2000"].into_iter().enumerate() {
        let device = format!("IMEI:long{number}");
        let mut dialogue = Dialogue::new(&target, &device, "1");
        dialogue.max_msg_size = size.to_owned();
        // An address of the server that no answer could hold.
        dialogue.server = format!("http://candybar/{long}");
        dialogue.msg = 1;
        assert_eq!(dialogue.respond(&alert(201, "contacts"), true).status, 400);
        // One that it can.
        dialogue.msg = 0;
        dialogue.server = format!("http://candybar/{}", &long[..400]);
        dialogue.begin();
        let odd = format!(
            "<{long}><CmdID>1</CmdID></{long}>\
             <Exec><CmdID>{long}</CmdID></Exec>\
             <Get><CmdID>4</CmdID><Item><Target><LocURI>{long}</LocURI></Target></Item></Get>{}",
            alert(200, &long)
        );
        let name = format!("Long{number}");
        let items = sync("contacts", &add(5, "1", &card(&name, 1)));
        let answer = dialogue.send(&(odd + &items), true);
        let statuses = dialogue.end(answer);
        for (command, code) in [("Exec", 501), ("Get", 404), ("Alert", 414), ("Add", 201)] {
            let status = (command.to_owned(), code);
            assert!(
                statuses.contains(&status),
                "{status:?} is not in {statuses:?}"
            );
        }
        assert!(target.names(ACCOUNT).contains(&name));
    }
    target.sync();
    target.alive();
}

#[test]
fn a_device_with_odd_bytes_in_every_name_syncs() {
    let target = Target::start();
    let odd = "IMEI:\u{e9}\n\t'\"<&>\u{1F4F1}";
    let mut phone = target.phone(ACCOUNT, odd);
    phone.add("contacts", card("Odd", 1));
    target::sync(&mut phone, candybar::handset::Mode::TwoWay);
    assert_eq!(target::names_on(&phone), ["Odd", "Witness"]);
    let listed = target
        .program()
        .command(&["device", "list", ACCOUNT.0, "--json"]);
    assert!(listed.contains("IMEI:"), "{listed}");
    target.sync();
    target.alive();
}
