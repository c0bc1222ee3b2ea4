//! Any message, as far as both carriers can hold it.

use std::borrow::Cow;

use crate::syncml::*;

/// Octets that decide what comes next; when they are used up the simplest comes.
pub(super) struct Choices<'s> {
    seed: std::slice::Iter<'s, u8>,
}

type Text = Cow<'static, str>;

impl<'s> Choices<'s> {
    pub(super) fn new(seed: &'s [u8]) -> Self {
        Self { seed: seed.iter() }
    }

    fn octet(&mut self) -> u8 {
        self.seed.next().copied().unwrap_or(0)
    }

    fn below(&mut self, end: u8) -> u8 {
        self.octet() % end
    }

    fn flag(&mut self) -> bool {
        self.below(3) == 1
    }

    fn option<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn list<T>(&mut self, end: u8, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(end)).map(|_| make(self)).collect()
    }

    fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => u64::from(self.octet()),
            1 => u64::from(self.octet()) << 8 | u64::from(self.octet()),
            2 => u64::from(u32::MAX),
            _ => u64::MAX - 1,
        }
    }

    /// Text with everything that one of the carriers has to quote.
    fn string(&mut self) -> String {
        const PIECES: [&str; 24] = [
            "",
            "a",
            "1",
            " ",
            "\n",
            "\r\n",
            "\t",
            "<",
            ">",
            "&",
            "]]>",
            "\"",
            "'",
            "ü",
            "漢字",
            "\u{1F4DE}",
            "&amp;",
            "<!--",
            "<![CDATA[",
            "./contacts",
            "IMEI:35",
            "text/x-vcard",
            "\r",
            "\u{85}",
        ];
        (0..self.below(5))
            .map(|_| PIECES[usize::from(self.below(PIECES.len() as u8))])
            .collect()
    }

    fn text(&mut self) -> Text {
        self.string().into()
    }

    fn name(&mut self) -> Text {
        format!("n{}", self.string()).into()
    }

    fn bytes(&mut self) -> Cow<'static, [u8]> {
        self.string().into_bytes().into()
    }

    fn location(&mut self) -> Location<'static> {
        Location {
            uri: self.text(),
            name: self.option(Self::text),
            filter: self.option(|c| Box::new(c.filter())),
        }
    }

    fn filter(&mut self) -> Filter<'static> {
        Filter {
            meta: self.meta(),
            field: self.option(|c| {
                let mut item = c.item(0);
                if c.flag() {
                    let mut list = c.list(3, |c| c.property(true));
                    list.push(c.property(true));
                    item.data = Data::Properties(list);
                }
                item
            }),
            record: self.option(|c| c.item(0)),
            filter_type: self.option(Self::text),
        }
    }

    fn anchor(&mut self) -> Anchor<'static> {
        Anchor {
            last: self.option(Self::text),
            next: self.text(),
        }
    }

    fn meta(&mut self) -> Meta<'static> {
        Meta {
            format: self.option(Self::text),
            kind: self.option(Self::text),
            mark: self.option(Self::text),
            size: self.option(Self::number),
            anchor: self.option(Self::anchor),
            version: self.option(Self::text),
            next_nonce: self.option(Self::bytes),
            max_msg_size: self.option(Self::number),
            max_obj_size: self.option(Self::number),
            mem: self.option(|c| Mem {
                shared: c.flag(),
                free: c.number(),
                free_id: c.number(),
            }),
            emi: self.list(3, Self::text),
            field_level: self.flag(),
        }
    }

    fn cred(&mut self) -> Cred<'static> {
        Cred {
            meta: self.meta(),
            data: self.bytes(),
        }
    }

    fn data(&mut self) -> Data<'static> {
        match self.below(4) {
            0 => Data::None,
            1 | 2 => Data::Bytes(self.bytes()),
            _ => Data::Meta(Box::new(Meta {
                anchor: Some(self.anchor()),
                ..self.meta()
            })),
        }
    }

    /// An item; locations have filters, which have items, to some depth.
    fn item(&mut self, depth: u8) -> Item<'static> {
        let place = |c: &mut Self| {
            if depth > 0 {
                c.location()
            } else {
                Location {
                    uri: c.text(),
                    name: c.option(Self::text),
                    filter: None,
                }
            }
        };
        Item {
            target: self.option(place),
            source: self.option(place),
            target_parent: self.option(Self::text),
            source_parent: self.option(Self::text),
            meta: self.option(Self::meta).map(Box::new),
            data: self.data(),
            more_data: self.flag(),
        }
    }

    fn items(&mut self) -> Vec<Item<'static>> {
        self.list(3, |c| c.item(1))
    }

    /// Items of Put and Results, which may be DevInf.
    fn documents(&mut self) -> Vec<Item<'static>> {
        self.list(3, |c| {
            let mut item = c.item(1);
            if c.flag() {
                item.data = Data::DevInf(Box::new(c.devinf()));
            }
            item
        })
    }

    /// A change with one item of these data.
    pub(super) fn change(&mut self, data: Data<'static>) -> Change<'static> {
        const KINDS: [ChangeKind; 5] = [
            ChangeKind::Add,
            ChangeKind::Replace,
            ChangeKind::Delete,
            ChangeKind::Copy,
            ChangeKind::Move,
        ];
        Change {
            kind: KINDS[usize::from(self.below(5))],
            cmd_id: self.text(),
            no_resp: self.flag(),
            archive: self.flag(),
            soft: self.flag(),
            cred: self.option(Self::cred).map(Box::new),
            meta: self.option(Self::meta).map(Box::new),
            items: vec![Item {
                data,
                ..self.item(1)
            }],
        }
    }

    fn command(&mut self, depth: u8) -> Command<'static> {
        match self.below(16) {
            0..=3 => {
                let data = self.data();
                let mut change = self.change(data);
                change.items.extend(self.items());
                Command::Change(change)
            }
            4 => Command::Alert(Alert {
                cmd_id: self.text(),
                no_resp: self.flag(),
                cred: self.option(Self::cred).map(Box::new),
                code: self.option(|c| u32::from(c.octet()) << 7),
                correlator: self.option(Self::text),
                items: self.items(),
            }),
            5 => Command::Exec(Exec {
                cmd_id: self.text(),
                no_resp: self.flag(),
                cred: self.option(Self::cred).map(Box::new),
                meta: self.option(Self::meta).map(Box::new),
                correlator: self.option(Self::text),
                items: self.items(),
            }),
            6 => Command::Get(Get {
                cmd_id: self.text(),
                no_resp: self.flag(),
                lang: self.option(Self::text),
                cred: self.option(Self::cred).map(Box::new),
                meta: self.option(Self::meta).map(Box::new),
                items: self.items(),
            }),
            7 => Command::Put(Put {
                cmd_id: self.text(),
                no_resp: self.flag(),
                lang: self.option(Self::text),
                cred: self.option(Self::cred).map(Box::new),
                meta: self.option(Self::meta).map(Box::new),
                items: self.documents(),
            }),
            8 => Command::Results(Results {
                cmd_id: self.text(),
                msg_ref: self.option(Self::text),
                cmd_ref: self.text(),
                meta: self.option(Self::meta).map(Box::new),
                target_ref: self.option(Self::text),
                source_ref: self.option(Self::text),
                items: self.documents(),
            }),
            9 => Command::Search(Search {
                cmd_id: self.text(),
                no_resp: self.flag(),
                no_results: self.flag(),
                cred: self.option(Self::cred).map(Box::new),
                target: self.option(Self::location),
                sources: self.list(3, Self::location),
                lang: self.option(Self::text),
                meta: self.option(Self::meta).map(Box::new),
                data: self.data(),
            }),
            10 => Command::Map(Map {
                cmd_id: self.text(),
                target: self.location(),
                source: self.location(),
                cred: self.option(Self::cred).map(Box::new),
                meta: self.option(Self::meta).map(Box::new),
                items: self.list(4, |c| MapItem {
                    target: c.text(),
                    source: c.text(),
                }),
            }),
            11 => Command::Unknown {
                name: ["Frobnicate", "Unknown-00-3D", "x.y_z", "Item"][usize::from(self.below(4))]
                    .into(),
                cmd_id: self.name(),
            },
            12 if depth > 0 => Command::Sync(Sync {
                cmd_id: self.text(),
                no_resp: self.flag(),
                cred: self.option(Self::cred).map(Box::new),
                target: self.option(Self::location),
                source: self.option(Self::location),
                meta: self.option(Self::meta).map(Box::new),
                number_of_changes: self.option(Self::number),
                commands: self.list(4, |c| c.command(depth - 1)),
            }),
            13 if depth > 0 => Command::Group(Group {
                kind: if self.flag() {
                    GroupKind::Sequence
                } else {
                    GroupKind::Atomic
                },
                cmd_id: self.text(),
                no_resp: self.flag(),
                meta: self.option(Self::meta).map(Box::new),
                commands: self.list(4, |c| c.command(depth - 1)),
            }),
            _ => Command::Status(Status {
                cmd_id: self.text(),
                msg_ref: self.text(),
                cmd_ref: self.text(),
                cmd: self.text(),
                target_refs: self.list(3, Self::text),
                source_refs: self.list(3, Self::text),
                cred: self.option(Self::cred).map(Box::new),
                chal: self.option(|c| Chal { meta: c.meta() }).map(Box::new),
                code: Code(u16::from(self.octet()) * 3),
                items: self.items(),
            }),
        }
    }

    pub(super) fn message(&mut self) -> Message<'static> {
        Message {
            header: Header {
                ver_dtd: self.text(),
                ver_proto: self.text(),
                session_id: self.text(),
                msg_id: self.text(),
                target: self.location(),
                source: self.location(),
                resp_uri: self.option(Self::text),
                no_resp: self.flag(),
                cred: self.option(Self::cred),
                meta: self.option(Self::meta),
            },
            body: self.list(8, |c| c.command(3)),
            last: self.flag(),
        }
    }

    fn content_type(&mut self) -> ContentType<'static> {
        ContentType {
            kind: self.text(),
            version: self.text(),
        }
    }

    fn param(&mut self) -> ParamInfo<'static> {
        ParamInfo {
            name: self.text(),
            data_type: self.option(Self::text),
            values: self.list(3, Self::text),
            display_name: self.option(Self::text),
        }
    }

    /// A content type with what its version can say of it.
    fn ct_cap(&mut self, nested: bool) -> CtCap<'static> {
        CtCap {
            content_type: ContentType {
                kind: self.name(),
                version: if nested { self.text() } else { "".into() },
            },
            field_level: nested && self.flag(),
            properties: self.list(4, |c| c.property(nested)),
        }
    }

    fn property(&mut self, nested: bool) -> PropertyInfo<'static> {
        PropertyInfo {
            name: self.text(),
            data_type: self.option(Self::text),
            max_occur: if nested {
                self.option(Self::number)
            } else {
                None
            },
            max_size: self.option(Self::number),
            no_truncate: nested && self.flag(),
            values: self.list(3, Self::text),
            display_name: self.option(Self::text),
            params: self.list(3, Self::param),
        }
    }

    pub(super) fn devinf(&mut self) -> DevInf<'static> {
        let version = Version::ALL[usize::from(self.below(3))];
        let nested = version == Version::V12;
        DevInf {
            ver_dtd: version.dtd().into(),
            man: self.option(Self::text),
            model: self.option(Self::text),
            oem: self.option(Self::text),
            fw_v: self.option(Self::text),
            sw_v: self.option(Self::text),
            hw_v: self.option(Self::text),
            dev_id: self.text(),
            dev_typ: self.text(),
            utc: self.flag(),
            large_objects: self.flag(),
            number_of_changes: self.flag(),
            datastores: self.list(3, |c| DataStoreInfo {
                source_ref: c.text(),
                display_name: c.option(Self::text),
                max_guid_size: c.option(Self::number),
                rx_pref: c.option(Self::content_type),
                rx: c.list(3, Self::content_type),
                tx_pref: c.option(Self::content_type),
                tx: c.list(3, Self::content_type),
                ct_caps: c.list(3, |c| c.ct_cap(nested)),
                memory: c.option(|c| Memory {
                    shared: c.flag(),
                    max_mem: c.option(Self::number),
                    max_id: c.option(Self::number),
                }),
                hierarchical: c.flag(),
                sync_types: c.list(8, |c| u32::from(c.octet())),
                filter_rx: c.list(2, Self::content_type),
                filter_caps: c.list(2, |c| FilterCap {
                    content_type: c.content_type(),
                    keywords: c.list(3, Self::text),
                    properties: c.list(3, Self::text),
                }),
            }),
            ct_caps: self.list(3, |c| c.ct_cap(nested)),
            ext: self.list(3, |c| (c.text(), c.list(3, Self::text))),
        }
    }
}
