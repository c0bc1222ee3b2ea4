//! What opens a session: header, credentials, device information, Alerts.

use crate::handset::credentials::base64;
use crate::syncml::codec::{Form, encode_devinf};
use crate::syncml::{
    Alert, Anchor, Carrier, Command, Data, DevInf, Filter, Get, Header, Item, Location, Meta,
    PropertyInfo, Put, Version,
};

use super::Client;
use super::packer::{Prepared, Sent};

impl Client {
    pub(super) fn header(&self) -> Header<'static> {
        let Self {
            settings, session, ..
        } = self;
        let password = if self.behaviour.wrong_password {
            format!("{}-wrong", settings.password)
        } else {
            settings.password.clone()
        };
        let nonce = self.memory.nonce.as_ref().map_or(&[][..], |nonce| &nonce.0);
        let cred = session
            .scheme
            .filter(|_| !session.authenticated)
            .map(|scheme| scheme.cred(settings.version, &settings.user, &password, nonce));
        let named = !settings.user.is_empty() && !self.behaviour.no_user_name;
        let meta = Meta {
            max_msg_size: Some(settings.max_msg_size),
            max_obj_size: self.object_limit(),
            ..Meta::default()
        };
        Header {
            ver_dtd: settings.version.dtd().into(),
            ver_proto: settings.version.proto().into(),
            session_id: session.id.clone().into(),
            msg_id: session.msg_id.to_string().into(),
            target: Location::new(settings.target_uri.clone()),
            source: Location {
                uri: self.memory.device_id.clone().into(),
                name: named.then(|| settings.user.clone().into()),
                filter: None,
            },
            cred,
            meta: Some(meta),
            ..Header::default()
        }
    }

    /// MaxObjSize: said by phones that know large objects.
    fn object_limit(&self) -> Option<u64> {
        let settings = &self.settings;
        let knows = settings.version > Version::V10 && settings.devinf.large_objects;
        knows.then_some(settings.max_obj_size)
    }

    /// A mark of the device information as it would be sent now.
    pub(super) fn devinf_mark(&self) -> String {
        use md5::Digest as _;
        let form = Form::new(Carrier::Wbxml, self.settings.version);
        base64(&md5::Md5::digest(encode_devinf(&self.devinf(), &form)))
    }

    fn devinf(&self) -> DevInf<'static> {
        let Self {
            settings, memory, ..
        } = self;
        settings
            .devinf
            .document(settings.version, &memory.device_id, &settings.datastores)
    }

    /// The device information as Put and Results carry it.
    pub(super) fn devinf_item(&self) -> Item<'static> {
        Item {
            source: Some(Location::new(self.settings.version.devinf_uri())),
            data: Data::DevInf(Box::new(self.devinf())),
            ..Item::default()
        }
    }

    /// What the phone wants of a datastore, if that is not everything.
    fn filter(&self, datastore: &str) -> Option<Filter<'static>> {
        let wanted = self.settings.filters.get(datastore)?;
        let typed = |kind: &str, data| Item {
            meta: Some(Box::new(Meta {
                kind: Some(kind.to_owned().into()),
                ..Meta::default()
            })),
            data,
            ..Item::default()
        };
        let property = |name: &String| PropertyInfo {
            name: name.clone().into(),
            ..PropertyInfo::default()
        };
        let fields: Vec<_> = wanted.fields.iter().map(property).collect();
        let media = self.settings.devinf.preferred_type(datastore).to_owned();
        Some(Filter {
            meta: Meta {
                kind: Some(media.into()),
                ..Meta::default()
            },
            field: (!fields.is_empty()).then(|| {
                typed(
                    self.settings.carrier.devinf_mime(),
                    Data::Properties(fields),
                )
            }),
            record: wanted
                .record
                .as_ref()
                .map(|text| typed("syncml:filtertype-cgi", Data::text(text.clone()))),
            filter_type: Some(
                if wanted.inclusive {
                    "INCLUSIVE"
                } else {
                    "EXCLUSIVE"
                }
                .into(),
            ),
        })
    }

    /// Package 1: device information if it is new to the server, an Alert for each datastore.
    pub(super) fn queue_initialisation(&mut self) {
        let settings = &self.settings;
        let kind = Some(settings.carrier.devinf_mime().into());
        let meta = Some(Meta {
            kind,
            ..Meta::default()
        });
        let mut commands = Vec::new();
        let known = !self.behaviour.devinf_each_time
            && self.memory.devinf_sent.as_deref() == Some(&*self.devinf_mark());
        if !known && !self.behaviour.devinf_when_asked {
            let items = vec![self.devinf_item()];
            let put = Put {
                meta: meta.clone().map(Box::new),
                items,
                ..Put::default()
            };
            commands.push((Command::Put(put), Sent::Put));
            if settings.ask_devinf {
                let target = Some(Location::new(settings.version.devinf_uri()));
                let items = vec![Item {
                    target,
                    ..Item::default()
                }];
                let get = Get {
                    meta: meta.map(Box::new),
                    items,
                    ..Get::default()
                };
                commands.push((Command::Get(get), Sent::Other));
            }
        }
        for (index, exchange) in self.session.exchanges.iter().enumerate() {
            let mut last = exchange
                .last
                .clone()
                .or_else(|| self.behaviour.first_last.clone());
            if self.behaviour.last_equals_next {
                last = Some(exchange.next.clone());
            }
            let (mut target, source) = self.locations(index);
            target.filter = self.filter(&exchange.name).map(Box::new);
            let alert = Alert {
                code: Some(if exchange.resumed {
                    225
                } else {
                    exchange.used.code()
                }),
                items: vec![Item {
                    target: Some(target),
                    source: Some(source),
                    meta: Some(Box::new(Meta {
                        anchor: Some(Anchor {
                            last: last.map(Into::into),
                            next: exchange.next.clone().into(),
                        }),
                        max_obj_size: self.object_limit(),
                        ..Meta::default()
                    })),
                    ..Item::default()
                }],
                ..Alert::default()
            };
            commands.push((Command::Alert(alert), Sent::Alert(index)));
        }
        let prepared = commands
            .into_iter()
            .map(|(command, sent)| Prepared { command, sent });
        self.session.queue.extend(prepared);
    }
}
