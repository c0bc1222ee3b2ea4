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
            .replace("      Cred\n", "      Cred\n")
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
