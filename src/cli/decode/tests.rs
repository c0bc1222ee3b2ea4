//! What is shown of whole and broken documents.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    octets(hex.as_bytes().to_vec()).unwrap()
}

#[test]
fn hex_is_taken_in_the_ways_people_write_it() {
    let expected = vec![0x02, 0xA4, 0x01, 0x6A];
    for input in [
        "02A4016A",
        "02 a4 01 6a\n",
        "0x02, 0xA4, 0x01, 0x6A",
        "02:A4:01:6A",
        "\\x02\\xa4\\x01\\x6a",
        "02a4-016a",
    ] {
        assert_eq!(bytes(input), expected, "{input}");
    }
    assert!(octets(b"02 A".to_vec()).is_err());
    // Not hex: the octets themselves.
    assert_eq!(octets(b"\x02\xA4".to_vec()).unwrap(), b"\x02\xA4");
    assert_eq!(octets(b"<a/>".to_vec()).unwrap(), b"<a/>");
}

#[test]
fn a_document_is_shown_as_tree_xml_and_json() {
    let document = Document::read(&bytes(
        "02 A4 01 6A 00 6D 6C 71 03 31 2E 32 00 01 01 6B 69 4F C3 05 61 0D 0A 62 3C 01 0E 01 12 01 01",
    ));
    assert!(document.problems().is_empty());
    assert_eq!(
        document.text(),
        "WBXML 1.2, language SyncML, public id 0x1201, charset UTF-8\n\
         SyncML\n  SyncHdr\n    VerDTD: 1.2\n  SyncBody\n    Status\n      Data: 5 octets\n        | a\n        | b<\n      Cred\n    Final\n"
    );
    assert_eq!(
        document.xml(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD></SyncHdr>\
         <SyncBody><Status><Data>a&#13;\nb&lt;</Data><Cred/></Status><Final/></SyncBody></SyncML>"
    );
    let json = document.json();
    assert_eq!(json["public_id"], "0x1201");
    assert_eq!(
        json["root"]["children"][1]["children"][0]["children"][0]["text"],
        "a\r\nb<"
    );
}

#[test]
fn devinf_within_a_message_is_part_of_the_tree() {
    let devinf = "C3 0C 02 A4 03 6A 00 4A 65 03 31 00 01 01";
    let message = |data: &str| {
        Document::read(&bytes(&format!(
            "02 A4 01 6A 00 6D 6B 5F 54 4F {data} 01 01 01 01 01"
        )))
    };
    for data in [devinf, "C3 07 4A 65 03 31 00 01 01", "4A 65 03 31 00 01 01"] {
        let document = message(data);
        assert!(document.problems().is_empty(), "{data}");
        let tree = document.text();
        assert!(
            tree.ends_with("        Data\n          DevInf\n            VerDTD: 1\n"),
            "{tree}"
        );
    }
    // A broken one is shown as far as it goes, and so is the message around it.
    let document = message("C3 0B 02 A4 03 6A 00 4A 65 03 31 00 01");
    let [problem] = document.problems() else {
        panic!("{:?}", document.problems())
    };
    assert!(problem.nested);
    assert_eq!(
        problem.to_string(),
        "the DevInf document within is broken: the document is cut off at offset 11"
    );
    assert!(document.text().ends_with("VerDTD: 1\n"));
    // Data that are no DevInf stay data.
    assert!(message("C3 02 4A 65").text().ends_with("Data: Je\n"));
}

#[test]
fn octets_and_control_characters_are_shown_as_hex() {
    let document = Document::read(&bytes(
        "02 A4 01 6A 00 6D 4F C3 03 00 FF 1B 01 4F 03 61 7F 62 00 01 01",
    ));
    assert_eq!(
        document.text().lines().skip(2).collect::<Vec<_>>(),
        [
            "  Data: 3 octets, hex",
            "    | 00 FF 1B",
            "  Data: a\\u{7f}b"
        ]
    );
    assert_eq!(document.json()["root"]["children"][0]["base64"], "AP8b");
}

#[test]
fn a_devinf_document_is_shown_alone() {
    let document = Document::read(&bytes(
        "02 A4 03 6A 00 4A 65 03 31 2E 31 00 01 5C 03 39 00 01 01",
    ));
    assert_eq!(
        document.text(),
        "WBXML 1.2, language DevInf, public id 0x1203, charset UTF-8\nDevInf\n  VerDTD: 1.1\n  MaxSize: 9\n"
    );
    assert!(
        document.xml().ends_with(
            "<DevInf xmlns=\"syncml:devinf\"><VerDTD>1.1</VerDTD><Size>9</Size></DevInf>"
        )
    );
    let xml = Document::read(
        b"\xEF\xBB\xBF <DevInf xmlns='syncml:devinf'>\n <VerDTD>1.1</VerDTD>\n</DevInf>",
    );
    assert_eq!(
        xml.text(),
        "DevInf xmlns=\"syncml:devinf\"\n  VerDTD: 1.1\n"
    );
}
