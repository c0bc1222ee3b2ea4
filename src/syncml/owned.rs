//! Messages that outlive the request they were read from.

use std::borrow::Cow;

use super::{
    Alert, Anchor, Chal, Change, Command, ContentType, Cred, CtCap, Data, DataStoreInfo, DevInf,
    Exec, Filter, FilterCap, Get, Group, Header, Item, Location, Map, MapItem, Message, Meta,
    ParamInfo, PropertyInfo, Put, Results, Search, Status, Sync,
};

/// A value without borrowed parts.
trait Owned {
    type Static;
    fn owned(self) -> Self::Static;
}

impl Owned for Cow<'_, str> {
    type Static = Cow<'static, str>;
    fn owned(self) -> Self::Static {
        Cow::Owned(self.into_owned())
    }
}

impl Owned for Cow<'_, [u8]> {
    type Static = Cow<'static, [u8]>;
    fn owned(self) -> Self::Static {
        Cow::Owned(self.into_owned())
    }
}

impl<T: Owned> Owned for Option<T> {
    type Static = Option<T::Static>;
    fn owned(self) -> Self::Static {
        self.map(T::owned)
    }
}

impl<T: Owned> Owned for Vec<T> {
    type Static = Vec<T::Static>;
    fn owned(self) -> Self::Static {
        self.into_iter().map(T::owned).collect()
    }
}

impl<T: Owned> Owned for Box<T> {
    type Static = Box<T::Static>;
    fn owned(self) -> Self::Static {
        Box::new((*self).owned())
    }
}

impl<A: Owned, B: Owned> Owned for (A, B) {
    type Static = (A::Static, B::Static);
    fn owned(self) -> Self::Static {
        (self.0.owned(), self.1.owned())
    }
}

/// Structs: fields that may borrow, then fields that are kept.
macro_rules! owned {
    ($($name:ident { $($part:ident),* ; $($kept:ident),* })*) => {
        $(
            impl Owned for $name<'_> {
                type Static = $name<'static>;
                fn owned(self) -> Self::Static {
                    $name { $($part: self.$part.owned(),)* $($kept: self.$kept,)* }
                }
            }

            impl $name<'_> {
                /// The same value, borrowing nothing.
                pub fn into_owned(self) -> $name<'static> {
                    self.owned()
                }
            }
        )*
    };
}

owned! {
    Message { header, body; last }
    Header { ver_dtd, ver_proto, session_id, msg_id, target, source, resp_uri, cred, meta; no_resp }
    Cred { meta, data; }
    Chal { meta; }
    Location { uri, name, filter; }
    Filter { meta, field, record, filter_type; }
    Item { target, source, target_parent, source_parent, meta, data; more_data }
    Change { cmd_id, cred, meta, items; kind, no_resp, archive, soft }
    Alert { cmd_id, cred, correlator, items; no_resp, code }
    Map { cmd_id, target, source, cred, meta, items; }
    MapItem { target, source; }
    Put { cmd_id, lang, cred, meta, items; no_resp }
    Get { cmd_id, lang, cred, meta, items; no_resp }
    Results { cmd_id, msg_ref, cmd_ref, meta, target_ref, source_ref, items; }
    Status { cmd_id, msg_ref, cmd_ref, cmd, target_refs, source_refs, cred, chal, items; code }
    Sync { cmd_id, cred, target, source, meta, commands; no_resp, number_of_changes }
    Group { cmd_id, meta, commands; kind, no_resp }
    Exec { cmd_id, cred, meta, correlator, items; no_resp }
    Search { cmd_id, cred, target, sources, lang, meta, data; no_resp, no_results }
    Meta { format, kind, mark, anchor, version, next_nonce, emi; size, max_msg_size, max_obj_size, mem, field_level }
    Anchor { last, next; }
    DevInf {
        ver_dtd, man, model, oem, fw_v, sw_v, hw_v, dev_id, dev_typ, datastores, ct_caps, ext;
        utc, large_objects, number_of_changes
    }
    DataStoreInfo {
        source_ref, display_name, rx_pref, rx, tx_pref, tx, ct_caps, filter_rx, filter_caps;
        max_guid_size, memory, hierarchical, sync_types
    }
    ContentType { kind, version; }
    CtCap { content_type, properties; field_level }
    PropertyInfo { name, data_type, values, display_name, params; max_occur, max_size, no_truncate }
    ParamInfo { name, data_type, values, display_name; }
    FilterCap { content_type, keywords, properties; }
}

impl Owned for Data<'_> {
    type Static = Data<'static>;
    fn owned(self) -> Self::Static {
        match self {
            Self::None => Data::None,
            Self::Bytes(bytes) => Data::Bytes(bytes.owned()),
            Self::Meta(meta) => Data::Meta(meta.owned()),
            Self::DevInf(devinf) => Data::DevInf(devinf.owned()),
            Self::Properties(properties) => Data::Properties(properties.owned()),
        }
    }
}

impl Data<'_> {
    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Data<'static> {
        self.owned()
    }
}

impl Owned for Command<'_> {
    type Static = Command<'static>;
    fn owned(self) -> Self::Static {
        match self {
            Self::Change(command) => Command::Change(command.owned()),
            Self::Alert(command) => Command::Alert(command.owned()),
            Self::Group(command) => Command::Group(command.owned()),
            Self::Exec(command) => Command::Exec(command.owned()),
            Self::Get(command) => Command::Get(command.owned()),
            Self::Map(command) => Command::Map(command.owned()),
            Self::Put(command) => Command::Put(command.owned()),
            Self::Results(command) => Command::Results(command.owned()),
            Self::Search(command) => Command::Search(command.owned()),
            Self::Status(command) => Command::Status(command.owned()),
            Self::Sync(command) => Command::Sync(command.owned()),
            Self::Unknown { name, cmd_id } => Command::Unknown {
                name: name.owned(),
                cmd_id: cmd_id.owned(),
            },
        }
    }
}

impl Command<'_> {
    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Command<'static> {
        self.owned()
    }
}
