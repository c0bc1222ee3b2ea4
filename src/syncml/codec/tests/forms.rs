//! The forms that one message takes on the wire.

use super::*;

fn only_command(message: Message<'_>) -> Command<'_> {
    let [command] = <[Command<'_>; 1]>::try_from(message.body).unwrap();
    command
}

fn put_data(message: Message<'_>) -> Data<'_> {
    match only_command(message) {
        Command::Put(mut put) => std::mem::take(&mut put.items[0].data),
        Command::Results(mut results) => std::mem::take(&mut results.items[0].data),
        other => panic!("{other:?}"),
    }
}

/// What the DevInf documents of these tests say.
fn small_devinf() -> DevInf<'static> {
    DevInf {
        ver_dtd: "1.2".into(),
        man: Some("Nokia".into()),
        dev_id: "IMEI:3".into(),
        dev_typ: "phone".into(),
        utc: true,
        datastores: vec![DataStoreInfo {
            source_ref: "./Contacts".into(),
            max_guid_size: Some(8),
            sync_types: vec![1, 2],
            ..DataStoreInfo::default()
        }],
        ..DevInf::default()
    }
}

const DEVINF_BODY: &str = r#"4A 65 03 "1.2" 00 01 51 C3 05 "Nokia" 01 49 03 "IMEI:3" 00 01 4B 03 "phone" 00 01 28
    47 5D 03 "./Contacts" 00 01 52 03 "8" 00 01 5F 60 03 "1" 00 01 60 03 "2" 00 01 01 01 01"#;
const DEVINF_XML: &str = "<DevInf xmlns='syncml:devinf'><VerDTD>1.2</VerDTD><Man>Nokia</Man><DevID>IMEI:3</DevID>\
    <DevTyp>phone</DevTyp><UTC/><DataStore><SourceRef>./Contacts</SourceRef><MaxGUIDSize>8</MaxGUIDSize><SyncCap>\
    <SyncType>1</SyncType><SyncType>2</SyncType></SyncCap></DataStore></DevInf>";

/// A Put or Results whose Data holds these octets as opaque data.
fn opaque(command: u8, data: &[u8]) -> Vec<u8> {
    let mut length = vec![0xC3];
    length.extend([0x80 | (data.len() >> 7) as u8, data.len() as u8 & 0x7F]);
    let mut body = hex(&format!(
        r#"02 A4 01 6A 00 6D 6C 5B 03 "1" 00 01 01 6B {command:02X} 4B 03 "1" 00 01 54 4F"#
    ));
    body.extend(length);
    body.extend(data);
    body.extend([0x01; 5]);
    body
}

#[test]
fn devinf_is_read_from_every_form() {
    let limits = Limits::default();
    let document = [hex("02 A4 03 6A 00"), hex(DEVINF_BODY)].concat();
    let by_name = [
        hex(r#"03 00 00 6A 1E "-//SYNCML//DTD DevInf 1.2//EN" 00"#),
        hex(DEVINF_BODY),
    ]
    .concat();
    let xml = format!("<?xml version='1.0'?>\n<!DOCTYPE DevInf>{DEVINF_XML}");
    assert_eq!(
        decode_devinf(&document, Carrier::Wbxml, &limits).unwrap(),
        small_devinf()
    );
    assert_eq!(
        decode_devinf(xml.as_bytes(), Carrier::Xml, &limits).unwrap(),
        small_devinf()
    );

    let forms = [
        ("a document in Put", opaque(0x5F, &document)),
        ("a document in Results", opaque(0x62, &document)),
        ("a document with its type by name", opaque(0x5F, &by_name)),
        ("a body without a header", opaque(0x5F, &hex(DEVINF_BODY))),
        (
            "a document with white space around",
            opaque(0x5F, &[b"\r\n  ".as_slice(), &document, b"\n "].concat()),
        ),
        ("XML in opaque data", opaque(0x5F, xml.as_bytes())),
        (
            "XML without a declaration in opaque data",
            opaque(0x5F, DEVINF_XML.as_bytes()),
        ),
        (
            "XML without a namespace",
            opaque(
                0x5F,
                DEVINF_XML.replace(" xmlns='syncml:devinf'", "").as_bytes(),
            ),
        ),
        (
            "tokens inline",
            wbxml_body(&format!(
                r#"5F 4B 03 "1" 00 01 54 4F {DEVINF_BODY} 01 01 01"#
            )),
        ),
        (
            "tokens inline on a page of their own",
            wbxml_body(&format!(
                r#"5F 4B 03 "1" 00 01 54 4F 00 02 {DEVINF_BODY} 01 01 01 00 00 12"#
            )),
        ),
    ];
    for (name, bytes) in forms {
        assert_eq!(
            put_data(from_wbxml(&bytes)),
            Data::DevInf(Box::new(small_devinf())),
            "{name}"
        );
    }
    let escaped = DEVINF_XML.replace('<', "&lt;");
    let forms = [
        ("elements", DEVINF_XML.to_owned()),
        (
            "elements with white space around",
            format!("\n  {DEVINF_XML}\n "),
        ),
        (
            "elements without a namespace",
            DEVINF_XML.replace(" xmlns='syncml:devinf'", ""),
        ),
        (
            "elements with a prefix",
            DEVINF_XML
                .replace("xmlns=", "xmlns:d=")
                .replace('<', "<d:")
                .replace("<d:/", "</d:"),
        ),
        ("CDATA", format!("<![CDATA[{DEVINF_XML}]]>")),
        ("CDATA with a declaration", format!("<![CDATA[\n{xml}]]>")),
        ("escaped text", escaped),
    ];
    for (name, data) in forms {
        let text = xml_body(&format!(
            "<Put><CmdID>1</CmdID><Item><Data>{data}</Data></Item></Put>"
        ));
        assert_eq!(
            put_data(from_xml(&text)),
            Data::DevInf(Box::new(small_devinf())),
            "{name}"
        );
    }
}

#[test]
fn after_inline_devinf_the_codes_are_those_of_syncml_again() {
    let bytes = wbxml_body(&format!(
        r#"5F 4B 03 "1" 00 01 54 4F {DEVINF_BODY} 01 54 67 57 03 "x" 00 01 01 01 01 01 12"#
    ));
    // The second Item lies in the first, so it is skipped; CmdID, Item and Final are understood after DevInf.
    let message = from_wbxml(&bytes);
    assert!(message.last);
    assert_eq!(put_data(message), Data::DevInf(Box::new(small_devinf())));
}

#[test]
fn devinf_that_cannot_be_read_stays_octets() {
    for broken in [
        hex(DEVINF_BODY),
        b"\x02\xA4\x03\x6A\x00\x4A\x65".to_vec(),
        b"<DevInf><VerDTD>".to_vec(),
    ] {
        let broken = &broken[..broken.len() - 1];
        assert_eq!(
            put_data(from_wbxml(&opaque(0x5F, broken))).bytes(),
            Some(broken)
        );
    }
}

#[test]
fn flat_capabilities_of_1_0_and_1_1_become_the_nested_shape() {
    let text = "<DevInf><VerDTD>1.1</VerDTD><CTCap><CTType>text/x-vcard</CTType><PropName>TEL</PropName><ValEnum>HOME</ValEnum>\
        <Size>40</Size><DisplayName>Phone</DisplayName><ParamName>TYPE</ParamName><ValEnum>CELL</ValEnum><ValEnum>FAX</ValEnum>\
        <ParamName>PREF</ParamName><PropName>N</PropName><CTType>text/x-vcalendar</CTType><PropName>SUMMARY</PropName></CTCap></DevInf>";
    let devinf = decode_devinf(text.as_bytes(), Carrier::Xml, &Limits::default()).unwrap();
    let kinds: Vec<_> = devinf
        .ct_caps
        .iter()
        .map(|cap| (&*cap.content_type.kind, cap.properties.len()))
        .collect();
    assert_eq!(kinds, [("text/x-vcard", 2), ("text/x-vcalendar", 1)]);
    let telephone = &devinf.ct_caps[0].properties[0];
    assert_eq!(
        (&*telephone.name, telephone.max_size, &*telephone.values[0]),
        ("TEL", Some(40), "HOME")
    );
    assert_eq!(telephone.display_name.as_deref(), Some("Phone"));
    let params: Vec<_> = telephone
        .params
        .iter()
        .map(|param| (&*param.name, param.values.len()))
        .collect();
    assert_eq!(params, [("TYPE", 2), ("PREF", 0)]);
    let written = String::from_utf8(encode_devinf(
        &devinf,
        &Form::new(Carrier::Xml, Version::V12),
    ))
    .unwrap();
    assert!(
        written.contains("<Size>40</Size>") && !written.contains("MaxSize"),
        "{written}"
    );
}

#[test]
fn elements_come_in_any_order_and_unknown_ones_are_skipped() {
    let text = xml_body(
        "<Add><Item><Data>x</Data><Vendor><CmdID>9</CmdID></Vendor><Source><LocName>n</LocName><LocURI>7</LocURI></Source></Item>\
         <Meta><X xmlns='urn:x'><Type>no</Type></X><Type xmlns='syncml:metinf'>t</Type></Meta><CmdID>3</CmdID></Add>",
    );
    let Command::Change(change) = only_command(from_xml(&text)) else {
        panic!("not a change")
    };
    assert_eq!(
        (&*change.cmd_id, change.meta.unwrap().kind.as_deref()),
        ("3", Some("t"))
    );
    let source = change.items[0].source.as_ref().unwrap();
    assert_eq!((&*source.uri, source.name.as_deref()), ("7", Some("n")));
    assert_eq!(change.items[0].data.bytes(), Some(b"x".as_slice()));

    // The same with codes that no table has: 3D with and without content, on both pages.
    let bytes = wbxml_body(
        r#"45 54 4F 03 "x" 00 01 7D 4B 03 "9" 00 01 01 67 56 03 "n" 00 01 57 03 "7" 00 01 01 01
           5A 00 01 3D 53 03 "t" 00 01 01 00 00 4B 03 "3" 00 01 01"#,
    );
    assert_eq!(from_wbxml(&bytes), from_xml(&text));
}

#[test]
fn an_unknown_command_keeps_its_name_and_id() {
    let unknown = |name: &'static str| Command::Unknown {
        name: name.into(),
        cmd_id: "4".into(),
    };
    let text = xml_body("<Frobnicate><CmdID>4</CmdID><Item/></Frobnicate>");
    assert_eq!(only_command(from_xml(&text)), unknown("Frobnicate"));
    assert_eq!(
        only_command(from_wbxml(&wbxml_body(r#"7D 4B 03 "4" 00 01 14 01"#))),
        unknown("Unknown-00-3D")
    );
    // A name in the string table.
    let bytes = hex(r#"02 A4 01 6A 05 "Frob" 00 6D 6C 01 6B 44 00 4B 03 "4" 00 01 01 01 01"#);
    assert_eq!(only_command(from_wbxml(&bytes)), unknown("Frob"));
    // A name in the string table that has a code is that element.
    let bytes = hex(r#"02 A4 01 6A 04 "Add" 00 6D 6C 01 6B 44 00 4B 03 "4" 00 01 01 01 01"#);
    assert_eq!(only_command(from_wbxml(&bytes)).name(), "Add");
    // Within Sync an element that has no CmdID is no command.
    let text = xml_body("<Sync><CmdID>1</CmdID><Odd/><Odder><CmdID>4</CmdID></Odder></Sync>");
    let Command::Sync(sync) = only_command(from_xml(&text)) else {
        panic!("not Sync")
    };
    assert_eq!(sync.commands, [unknown("Odder")]);
}

#[test]
fn numbers_are_read_leniently() {
    for (text, expected) in [
        ("10000", Some(10_000)),
        (" 010000 ", Some(10_000)),
        ("\n0\n", Some(0)),
        ("", None),
        ("10k", None),
        ("-1", None),
        ("99999999999999999999999", Some(u64::MAX)),
    ] {
        let xml = format!(
            "<SyncML><SyncHdr><Meta><MaxMsgSize xmlns='syncml:metinf'>{text}</MaxMsgSize></Meta></SyncHdr></SyncML>"
        );
        assert_eq!(
            from_xml(&xml).header.meta.unwrap().max_msg_size,
            expected,
            "{text:?}"
        );
    }
    let code = |text: &str| match only_command(from_xml(&xml_body(&format!(
        "<Status><Data>{text}</Data></Status>"
    )))) {
        Command::Status(status) => status.code.0,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        [
            code("200"),
            code(" 0201\n"),
            code("ok"),
            code("70000"),
            code("")
        ],
        [200, 201, 0, 0, 0]
    );
    let text = xml_body("<Alert><Data> 201</Data></Alert>");
    let Command::Alert(alert) = only_command(from_xml(&text)) else {
        panic!("not an alert")
    };
    assert_eq!(alert.code, Some(201));
}

#[test]
fn memory_that_is_not_said_is_no_limit() {
    let text = "<SyncML><SyncHdr><Meta><Mem xmlns='syncml:metinf'><FreeMem>7</FreeMem></Mem></Meta></SyncHdr></SyncML>";
    let mem = from_xml(text).header.meta.unwrap().mem.unwrap();
    assert_eq!((mem.shared, mem.free, mem.free_id), (false, 7, u64::MAX));
}

#[test]
fn meta_is_read_with_its_wrapper_and_nonces_as_they_come() {
    let bytes = wbxml_body(
        r#"69 49 5A 00 01 4E 53 03 "syncml:auth-md5" 00 01 50 C3 04 01 00 FF "=" 01 01 01 01 00 00 4F 03 "407" 00 01 01"#,
    );
    let Command::Status(status) = only_command(from_wbxml(&bytes)) else {
        panic!("not a status")
    };
    let meta = status.chal.unwrap().meta;
    assert_eq!(meta.kind.as_deref(), Some("syncml:auth-md5"));
    assert_eq!(
        meta.next_nonce.as_deref(),
        Some(b"\x01\x00\xFF=".as_slice())
    );
    assert_eq!(status.code.0, 407);

    // Raw octets go to XML as base64.
    let message = from_wbxml(&bytes);
    let text = String::from_utf8(encode(&message, &Form::new(Carrier::Xml, Version::V11))).unwrap();
    assert!(
        text.contains("<NextNonce xmlns=\"syncml:metinf\">AQD/PQ==</NextNonce>"),
        "{text}"
    );
}

#[test]
fn item_data_keep_every_octet() {
    let data = |inner: &str| {
        let text = xml_body(&format!("<Add><Item><Data>{inner}</Data></Item></Add>"));
        match only_command(from_xml(&text)) {
            Command::Change(change) => change.items[0].data.bytes().map(<[u8]>::to_vec).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(data("a\r\nb\nc\r"), b"a\r\nb\nc\r");
    assert_eq!(data("<![CDATA[a\r\nb\nc\r]]>"), b"a\r\nb\nc\r");
    assert_eq!(data("a&#13;&#xA;b"), b"a\r\nb");
    assert_eq!(data(" a "), b" a ");
    assert_eq!(data("\n a\n"), b"\n a\n");
    assert_eq!(data("<![CDATA[a]]]]><![CDATA[>b]]>&lt;c"), b"a]]>b<c");
    // White space between the tag and the section only lays out the XML.
    assert_eq!(data("\n  <![CDATA[ a\n]]>\n  "), b" a\n");
    // Elements that are not of this protocol are data too, as they stand.
    assert_eq!(
        data("\n<Email a='1'><read>true</read>x</Email>\n"),
        b"<Email a='1'><read>true</read>x</Email>"
    );
    assert_eq!(data(""), b"");
}

#[test]
fn an_absent_data_element_is_not_an_empty_one() {
    let text = xml_body("<Add><Item/><Item><Data/></Item></Add>");
    let wbxml = wbxml_body("45 14 54 0F 01 01");
    for message in [from_xml(&text), from_wbxml(&wbxml)] {
        let Command::Change(change) = only_command(message) else {
            panic!("not a change")
        };
        assert_eq!(change.items[0].data, Data::None);
        assert_eq!(change.items[1].data.bytes(), Some([].as_slice()));
    }
}

#[test]
fn text_loses_only_the_white_space_that_lays_out_xml() {
    let uri = |inner: &str| {
        from_xml(&format!(
            "<SyncML><SyncHdr><Target><LocURI>{inner}</LocURI></Target></SyncHdr></SyncML>"
        ))
        .header
        .target
        .uri
        .into_owned()
    };
    assert_eq!(uri("\n    ./contacts\n  "), "./contacts");
    assert_eq!(uri("\r\n\ta&amp;b\r\n"), "a&b");
    assert_eq!(uri(" a "), " a ");
    assert_eq!(uri("&#10;a&#10;"), "\na\n");
    assert_eq!(uri("<!-- no -->a<?no?>"), "a");
}

#[test]
fn some_peers_say_no_to_a_flag_by_its_text() {
    let text = xml_body(
        "<Add><NoResp>0</NoResp></Add><Add><NoResp></NoResp></Add><Add><NoResp/></Add><Final/>",
    );
    let message = from_xml(&text);
    let flags: Vec<bool> = message.body.iter().map(Command::no_resp).collect();
    assert_eq!((flags, message.last), (vec![false, true, true], true));
}

#[test]
fn the_fields_of_a_filter_are_read_from_every_form() {
    let filter = |data: &str| {
        format!(
            "<SyncML><SyncHdr><VerDTD>1.2</VerDTD><VerProto>SyncML/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>\
             <Target><LocURI>t</LocURI></Target><Source><LocURI>s</LocURI></Source></SyncHdr><SyncBody><Alert><CmdID>1</CmdID>\
             <Data>200</Data><Item><Target><LocURI>./card</LocURI><Filter><Meta><Type xmlns='syncml:metinf'>text/x-vcard</Type></Meta>\
             <Field><Item><Meta><Type xmlns='syncml:metinf'>application/vnd.syncml-devinf+xml</Type></Meta><Data>{data}</Data></Item></Field>\
             <Record><Item><Meta><Type xmlns='syncml:metinf'>syncml:filtertype-cgi</Type></Meta><Data>CLASS&amp;EQ;PRIVATE</Data></Item></Record>\
             <FilterType>INCLUSIVE</FilterType></Filter></Target></Item></Alert><Final/></SyncBody></SyncML>"
        )
    };
    let tel =
        "<Property xmlns='syncml:devinf'><PropName>TEL</PropName><MaxSize>20</MaxSize></Property>";
    let name = "<Property xmlns='syncml:devinf'><PropName>N</PropName></Property>";
    for data in [
        format!("{tel}{name}"),
        format!("<![CDATA[{tel}{name}]]>"),
        format!("<![CDATA[<?xml version='1.0'?>{tel}{name}]]>"),
        format!("<CTCap xmlns='syncml:devinf'>{tel}{name}</CTCap>"),
        format!(
            "<DevInf xmlns='syncml:devinf'><VerDTD>1.2</VerDTD><CTCap>{tel}{name}</CTCap></DevInf>"
        ),
    ] {
        let text = filter(&data);
        let message = decode(text.as_bytes(), Carrier::Xml, &Limits::default()).unwrap();
        let Command::Alert(alert) = &message.body[0] else {
            panic!("{message:?}");
        };
        let found = alert.items[0]
            .target
            .as_ref()
            .unwrap()
            .filter
            .as_deref()
            .unwrap();
        let record = found.record.as_ref().unwrap();
        assert_eq!(record.data.bytes(), Some(&b"CLASS&EQ;PRIVATE"[..]));
        let fields = match &found.field.as_ref().unwrap().data {
            Data::Properties(properties) => properties.clone(),
            other => panic!("{data}: {other:?}"),
        };
        let named: Vec<_> = fields
            .iter()
            .map(|field| (&*field.name, field.max_size))
            .collect();
        assert_eq!(named, [("TEL", Some(20)), ("N", None)], "{data}");
    }
}
