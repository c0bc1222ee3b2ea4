//! Messages to events, in the orders of the DTDs.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{
    Alert, Anchor, Chal, Change, ChangeKind, Command, Cred, Data, Exec, Filter, Group, GroupKind,
    Header, Item, Location, Map, Mem, Message, Meta, Results, Search, Status, Sync,
};
use super::read::command_tag;
use super::sink::Sink;
use crate::wbxml::tables::{Tag, metinf as m, syncml as s};

pub(super) fn message<K: Sink>(sink: &mut K, message: &Message<'_>) {
    parts(sink, &message.header, &message.body, message.last);
}

pub(super) fn parts<K: Sink>(sink: &mut K, head: &Header<'_>, body: &[Command<'_>], last: bool) {
    sink.open(s::SYNCML);
    header(sink, head);
    if body.is_empty() && !last {
        sink.empty(s::SYNC_BODY);
    } else {
        sink.open(s::SYNC_BODY);
        commands(sink, body);
        sink.flag(s::FINAL, last);
        sink.close(s::SYNC_BODY);
    }
    sink.close(s::SYNCML);
}

fn header<K: Sink>(sink: &mut K, header: &Header<'_>) {
    sink.open(s::SYNC_HDR);
    sink.leaf(s::VER_DTD, &header.ver_dtd);
    sink.leaf(s::VER_PROTO, &header.ver_proto);
    sink.leaf(s::SESSION_ID, &header.session_id);
    sink.leaf(s::MSG_ID, &header.msg_id);
    location(sink, s::TARGET, &header.target);
    location(sink, s::SOURCE, &header.source);
    sink.leaf_if(s::RESP_URI, header.resp_uri.as_ref());
    sink.flag(s::NO_RESP, header.no_resp);
    cred(sink, header.cred.as_ref());
    meta_if(sink, header.meta.as_ref());
    sink.close(s::SYNC_HDR);
}

fn location<K: Sink>(sink: &mut K, tag: Tag, location: &Location<'_>) {
    sink.open(tag);
    sink.leaf(s::LOC_URI, &location.uri);
    sink.leaf_if(s::LOC_NAME, location.name.as_ref());
    if let Some(content) = &location.filter {
        filter(sink, content);
    }
    sink.close(tag);
}

fn location_if<K: Sink>(sink: &mut K, tag: Tag, place: Option<&Location<'_>>) {
    if let Some(place) = place {
        location(sink, tag, place);
    }
}

fn uri<K: Sink>(sink: &mut K, tag: Tag, uri: &str) {
    sink.open(tag);
    sink.leaf(s::LOC_URI, uri);
    sink.close(tag);
}

fn filter<K: Sink>(sink: &mut K, filter: &Filter<'_>) {
    sink.open(s::FILTER);
    meta(sink, &filter.meta);
    for (tag, content) in [(s::FIELD, &filter.field), (s::RECORD, &filter.record)] {
        if let Some(content) = content {
            sink.open(tag);
            item(sink, content);
            sink.close(tag);
        }
    }
    sink.leaf_if(s::FILTER_TYPE, filter.filter_type.as_ref());
    sink.close(s::FILTER);
}

fn cred<K: Sink>(sink: &mut K, cred: Option<&Cred<'_>>) {
    let Some(cred) = cred else { return };
    sink.open(s::CRED);
    coded(sink, Some(&cred.meta), &cred.data, |sink, data| {
        octets(sink, s::DATA, data)
    });
    sink.close(s::CRED);
}

/// Meta and octets; in base64 and saying so if the carrier cannot hold them.
fn coded<K: Sink>(
    sink: &mut K,
    meta: Option<&Meta<'_>>,
    bytes: &[u8],
    write: impl FnOnce(&mut K, &[u8]),
) {
    if sink.holds(bytes) {
        meta_if(sink, meta);
        return write(sink, bytes);
    }
    let mut meta = meta.cloned().unwrap_or_default();
    let text = STANDARD.encode(bytes);
    meta.format = Some(Cow::Borrowed("b64"));
    meta.size = meta.size.map(|_| text.len() as u64);
    meta_if(sink, Some(&meta));
    write(sink, text.as_bytes());
}

/// Octets that are text as a rule.
fn octets<K: Sink>(sink: &mut K, tag: Tag, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => sink.leaf(tag, text),
        Err(_) => data_element(sink, tag, bytes),
    }
}

fn data_element<K: Sink>(sink: &mut K, tag: Tag, bytes: &[u8]) {
    if bytes.is_empty() {
        return sink.empty(tag);
    }
    sink.open(tag);
    sink.data(bytes);
    sink.close(tag);
}

fn meta_if<K: Sink>(sink: &mut K, content: Option<&Meta<'_>>) {
    if let Some(content) = content {
        meta(sink, content);
    }
}

fn meta<K: Sink>(sink: &mut K, meta: &Meta<'_>) {
    if *meta == Meta::default() {
        return sink.empty(s::META);
    }
    sink.open(s::META);
    meta_elements(sink, meta);
    sink.close(s::META);
}

fn meta_elements<K: Sink>(sink: &mut K, meta: &Meta<'_>) {
    sink.flag(m::FIELD_LEVEL, meta.field_level);
    sink.leaf_if(m::FORMAT, meta.format.as_ref());
    sink.leaf_if(m::TYPE, meta.kind.as_ref());
    sink.leaf_if(m::MARK, meta.mark.as_ref());
    sink.number_if(m::SIZE, meta.size);
    if let Some(content) = &meta.anchor {
        anchor(sink, content);
    }
    sink.leaf_if(m::VERSION, meta.version.as_ref());
    if let Some(nonce) = &meta.next_nonce {
        if sink.holds(nonce) {
            octets(sink, m::NEXT_NONCE, nonce);
        } else {
            sink.leaf(m::NEXT_NONCE, &STANDARD.encode(nonce));
        }
    }
    sink.number_if(m::MAX_MSG_SIZE, meta.max_msg_size);
    sink.number_if(m::MAX_OBJ_SIZE, meta.max_obj_size);
    for emi in &meta.emi {
        sink.leaf(m::EMI, emi);
    }
    if let Some(content) = &meta.mem {
        mem(sink, content);
    }
}

fn anchor<K: Sink>(sink: &mut K, anchor: &Anchor<'_>) {
    sink.open(m::ANCHOR);
    sink.leaf_if(m::LAST, anchor.last.as_ref());
    sink.leaf(m::NEXT, &anchor.next);
    sink.close(m::ANCHOR);
}

fn mem<K: Sink>(sink: &mut K, mem: &Mem) {
    let said = |value: u64| Some(value).filter(|&value| value != u64::MAX);
    let (free, free_id) = (said(mem.free), said(mem.free_id));
    if !mem.shared && free.is_none() && free_id.is_none() {
        return sink.empty(m::MEM);
    }
    sink.open(m::MEM);
    sink.flag(m::SHARED_MEM, mem.shared);
    sink.number_if(m::FREE_MEM, free);
    sink.number_if(m::FREE_ID, free_id);
    sink.close(m::MEM);
}

fn item<K: Sink>(sink: &mut K, item: &Item<'_>) {
    if *item == Item::default() {
        return sink.empty(s::ITEM);
    }
    sink.open(s::ITEM);
    location_if(sink, s::TARGET, item.target.as_ref());
    location_if(sink, s::SOURCE, item.source.as_ref());
    if let Some(parent) = &item.target_parent {
        uri(sink, s::TARGET_PARENT, parent);
    }
    if let Some(parent) = &item.source_parent {
        uri(sink, s::SOURCE_PARENT, parent);
    }
    data(sink, item.meta.as_deref(), &item.data);
    sink.flag(s::MORE_DATA, item.more_data);
    sink.close(s::ITEM);
}

/// Meta and Data.
fn data<K: Sink>(sink: &mut K, meta: Option<&Meta<'_>>, data: &Data<'_>) {
    match data {
        Data::None => meta_if(sink, meta),
        Data::Bytes(bytes) => coded(sink, meta, bytes, |sink, bytes| {
            data_element(sink, s::DATA, bytes)
        }),
        Data::Meta(content) => {
            meta_if(sink, meta);
            sink.open(s::DATA);
            meta_elements(sink, content);
            sink.close(s::DATA);
        }
        Data::DevInf(devinf) => {
            meta_if(sink, meta);
            sink.open(s::DATA);
            sink.devinf(devinf);
            sink.close(s::DATA);
        }
        Data::Properties(properties) => {
            meta_if(sink, meta);
            sink.open(s::DATA);
            sink.properties(properties);
            sink.close(s::DATA);
        }
    }
}

fn items<K: Sink>(sink: &mut K, items: &[Item<'_>]) {
    for content in items {
        item(sink, content);
    }
}

fn commands<K: Sink>(sink: &mut K, commands: &[Command<'_>]) {
    for content in commands {
        command(sink, content);
    }
}

pub(super) fn command<K: Sink>(sink: &mut K, command: &Command<'_>) {
    match command {
        Command::Change(content) => change(sink, content),
        Command::Alert(content) => alert(sink, content),
        Command::Group(content) => group(sink, content),
        Command::Exec(content) => exec(sink, content),
        Command::Map(content) => map(sink, content),
        Command::Get(get) => {
            let head = Head {
                cmd_id: &get.cmd_id,
                no_resp: get.no_resp,
                lang: get.lang.as_ref(),
            };
            request(
                sink,
                s::GET,
                &head,
                get.cred.as_deref(),
                get.meta.as_deref(),
                &get.items,
            );
        }
        Command::Put(put) => {
            let head = Head {
                cmd_id: &put.cmd_id,
                no_resp: put.no_resp,
                lang: put.lang.as_ref(),
            };
            request(
                sink,
                s::PUT,
                &head,
                put.cred.as_deref(),
                put.meta.as_deref(),
                &put.items,
            );
        }
        Command::Results(content) => results(sink, content),
        Command::Search(content) => search(sink, content),
        Command::Status(content) => status(sink, content),
        Command::Sync(content) => sync(sink, content),
        Command::Unknown { name, cmd_id } => match command_tag(name) {
            Some(tag) => {
                sink.open(tag);
                sink.leaf(s::CMD_ID, cmd_id);
                sink.close(tag);
            }
            None => {
                sink.open_named(name);
                sink.leaf(s::CMD_ID, cmd_id);
                sink.close_named(name);
            }
        },
    }
}

fn change<K: Sink>(sink: &mut K, change: &Change<'_>) {
    let tag = match change.kind {
        ChangeKind::Add => s::ADD,
        ChangeKind::Replace => s::REPLACE,
        ChangeKind::Delete => s::DELETE,
        ChangeKind::Copy => s::COPY,
        ChangeKind::Move => s::MOVE,
    };
    sink.open(tag);
    sink.leaf(s::CMD_ID, &change.cmd_id);
    sink.flag(s::NO_RESP, change.no_resp);
    sink.flag(s::ARCHIVE, change.archive);
    sink.flag(s::SFT_DEL, change.soft);
    cred(sink, change.cred.as_deref());
    meta_if(sink, change.meta.as_deref());
    items(sink, &change.items);
    sink.close(tag);
}

fn alert<K: Sink>(sink: &mut K, alert: &Alert<'_>) {
    sink.open(s::ALERT);
    sink.leaf(s::CMD_ID, &alert.cmd_id);
    sink.flag(s::NO_RESP, alert.no_resp);
    cred(sink, alert.cred.as_deref());
    sink.number_if(s::DATA, alert.code.map(u64::from));
    sink.leaf_if(s::CORRELATOR, alert.correlator.as_ref());
    items(sink, &alert.items);
    sink.close(s::ALERT);
}

fn group<K: Sink>(sink: &mut K, group: &Group<'_>) {
    let tag = match group.kind {
        GroupKind::Atomic => s::ATOMIC,
        GroupKind::Sequence => s::SEQUENCE,
    };
    sink.open(tag);
    sink.leaf(s::CMD_ID, &group.cmd_id);
    sink.flag(s::NO_RESP, group.no_resp);
    meta_if(sink, group.meta.as_deref());
    commands(sink, &group.commands);
    sink.close(tag);
}

fn exec<K: Sink>(sink: &mut K, exec: &Exec<'_>) {
    sink.open(s::EXEC);
    sink.leaf(s::CMD_ID, &exec.cmd_id);
    sink.flag(s::NO_RESP, exec.no_resp);
    cred(sink, exec.cred.as_deref());
    meta_if(sink, exec.meta.as_deref());
    sink.leaf_if(s::CORRELATOR, exec.correlator.as_ref());
    items(sink, &exec.items);
    sink.close(s::EXEC);
}

fn map<K: Sink>(sink: &mut K, map: &Map<'_>) {
    sink.open(s::MAP);
    sink.leaf(s::CMD_ID, &map.cmd_id);
    location(sink, s::TARGET, &map.target);
    location(sink, s::SOURCE, &map.source);
    cred(sink, map.cred.as_deref());
    meta_if(sink, map.meta.as_deref());
    for pair in &map.items {
        sink.open(s::MAP_ITEM);
        uri(sink, s::TARGET, &pair.target);
        uri(sink, s::SOURCE, &pair.source);
        sink.close(s::MAP_ITEM);
    }
    sink.close(s::MAP);
}

/// What Get and Put begin with.
struct Head<'h> {
    cmd_id: &'h str,
    no_resp: bool,
    lang: Option<&'h Cow<'h, str>>,
}

fn request<K: Sink>(
    sink: &mut K,
    tag: Tag,
    head: &Head<'_>,
    credentials: Option<&Cred<'_>>,
    meta: Option<&Meta<'_>>,
    content: &[Item<'_>],
) {
    sink.open(tag);
    sink.leaf(s::CMD_ID, head.cmd_id);
    sink.flag(s::NO_RESP, head.no_resp);
    sink.leaf_if(s::LANG, head.lang);
    cred(sink, credentials);
    meta_if(sink, meta);
    items(sink, content);
    sink.close(tag);
}

fn results<K: Sink>(sink: &mut K, results: &Results<'_>) {
    sink.open(s::RESULTS);
    sink.leaf(s::CMD_ID, &results.cmd_id);
    sink.leaf_if(s::MSG_REF, results.msg_ref.as_ref());
    sink.leaf(s::CMD_REF, &results.cmd_ref);
    meta_if(sink, results.meta.as_deref());
    sink.leaf_if(s::TARGET_REF, results.target_ref.as_ref());
    sink.leaf_if(s::SOURCE_REF, results.source_ref.as_ref());
    items(sink, &results.items);
    sink.close(s::RESULTS);
}

fn search<K: Sink>(sink: &mut K, search: &Search<'_>) {
    sink.open(s::SEARCH);
    sink.leaf(s::CMD_ID, &search.cmd_id);
    sink.flag(s::NO_RESP, search.no_resp);
    sink.flag(s::NO_RESULTS, search.no_results);
    cred(sink, search.cred.as_deref());
    location_if(sink, s::TARGET, search.target.as_ref());
    for place in &search.sources {
        location(sink, s::SOURCE, place);
    }
    sink.leaf_if(s::LANG, search.lang.as_ref());
    data(sink, search.meta.as_deref(), &search.data);
    sink.close(s::SEARCH);
}

fn chal<K: Sink>(sink: &mut K, chal: &Chal<'_>) {
    sink.open(s::CHAL);
    meta(sink, &chal.meta);
    sink.close(s::CHAL);
}

fn status<K: Sink>(sink: &mut K, status: &Status<'_>) {
    sink.open(s::STATUS);
    sink.leaf(s::CMD_ID, &status.cmd_id);
    sink.leaf(s::MSG_REF, &status.msg_ref);
    sink.leaf(s::CMD_REF, &status.cmd_ref);
    sink.leaf(s::CMD, &status.cmd);
    for target in &status.target_refs {
        sink.leaf(s::TARGET_REF, target);
    }
    for source in &status.source_refs {
        sink.leaf(s::SOURCE_REF, source);
    }
    cred(sink, status.cred.as_deref());
    if let Some(content) = &status.chal {
        chal(sink, content);
    }
    sink.number(s::DATA, u64::from(status.code.0));
    items(sink, &status.items);
    sink.close(s::STATUS);
}

fn sync<K: Sink>(sink: &mut K, sync: &Sync<'_>) {
    sink.open(s::SYNC);
    sink.leaf(s::CMD_ID, &sync.cmd_id);
    sink.flag(s::NO_RESP, sync.no_resp);
    cred(sink, sync.cred.as_deref());
    location_if(sink, s::TARGET, sync.target.as_ref());
    location_if(sink, s::SOURCE, sync.source.as_ref());
    meta_if(sink, sync.meta.as_deref());
    sink.number_if(s::NUMBER_OF_CHANGES, sync.number_of_changes);
    commands(sink, &sync.commands);
    sink.close(s::SYNC);
}
