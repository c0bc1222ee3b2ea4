//! Events to messages.

use std::borrow::Cow;

use super::super::{
    Alert, Anchor, Chal, Change, ChangeKind, Code, Command, Cred, Data, Exec, Filter, Get, Group,
    GroupKind, Header, Item, Location, Map, MapItem, Mem, Message, Meta, Put, Results, Search,
    Status, Sync,
};
use super::source::{Content, Source};
use super::{devinf, known, nested_devinf};
use crate::wbxml::tables::{Tag, devinf as d, metinf as m, syncml as s};
use crate::wbxml::{DecodeError, DecodeErrorKind};

type Result<T> = std::result::Result<T, DecodeError>;

/// Takes the children of the open element one by one, and skips those that are not listed.
macro_rules! children {
    ($source:ident, $($tag:path => $take:expr,)*) => {
        while let Some(tag) = $source.child()? {
            match tag {
                $($tag => $take,)*
                _ => $source.leave_element()?,
            }
        }
    };
}
pub(super) use children;

/// Adds to a list that usually has one entry.
#[inline]
pub(super) fn push<T>(list: &mut Vec<T>, entry: T) {
    if list.capacity() == 0 {
        list.reserve_exact(1);
    }
    list.push(entry);
}

/// A number: blanks around it and leading zeros are taken; `None` if it is none, the largest if it is too large.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.bytes().fold(0_u64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

/// An element that says something by being there; some peers write `0` or `false` into it.
pub(super) fn flag<'a, S: Source<'a>>(source: &mut S) -> Result<bool> {
    let text = source.text()?;
    Ok(!matches!(text.trim(), "0" | "false"))
}

fn short(text: &str) -> Option<u32> {
    number(text).and_then(|value| u32::try_from(value).ok())
}

pub(super) fn message<'a, S: Source<'a>>(source: &mut S) -> Result<Message<'a>> {
    if source.root()? != s::SYNCML {
        return Err(source.error(DecodeErrorKind::Root));
    }
    let mut found = None;
    let mut body = Vec::new();
    let mut last = false;
    children!(source,
        s::SYNC_HDR => found = Some(header(source)?),
        s::SYNC_BODY => while let Some(tag) = source.child()? {
            if tag == s::FINAL {
                last = flag(source)?;
            } else {
                body.push(command(source, tag)?);
            }
        },
    );
    match found {
        Some(header) => Ok(Message { header, body, last }),
        None => Err(source.error(DecodeErrorKind::NoHeader)),
    }
}

fn header<'a, S: Source<'a>>(source: &mut S) -> Result<Header<'a>> {
    let mut header = Header::default();
    children!(source,
        s::VER_DTD => header.ver_dtd = source.text()?,
        s::VER_PROTO => header.ver_proto = source.text()?,
        s::SESSION_ID => header.session_id = source.text()?,
        s::MSG_ID => header.msg_id = source.text()?,
        s::TARGET => header.target = location(source)?,
        s::SOURCE => header.source = location(source)?,
        s::RESP_URI => header.resp_uri = Some(source.text()?),
        s::NO_RESP => header.no_resp = flag(source)?,
        s::CRED => header.cred = Some(cred(source)?),
        s::META => header.meta = Some(meta(source)?),
    );
    Ok(header)
}

fn location<'a, S: Source<'a>>(source: &mut S) -> Result<Location<'a>> {
    let mut location = Location::default();
    children!(source,
        s::LOC_URI => location.uri = source.text()?,
        s::LOC_NAME => location.name = Some(source.text()?),
        s::FILTER => location.filter = Some(Box::new(filter(source)?)),
    );
    Ok(location)
}

fn uri<'a, S: Source<'a>>(source: &mut S) -> Result<Cow<'a, str>> {
    let mut uri = Cow::Borrowed("");
    children!(source, s::LOC_URI => uri = source.text()?,);
    Ok(uri)
}

fn filter<'a, S: Source<'a>>(source: &mut S) -> Result<Filter<'a>> {
    let mut filter = Filter::default();
    children!(source,
        s::META => filter.meta = meta(source)?,
        s::FIELD => filter.field = only_item(source)?,
        s::RECORD => filter.record = only_item(source)?,
        s::FILTER_TYPE => filter.filter_type = Some(source.text()?),
    );
    Ok(filter)
}

fn only_item<'a, S: Source<'a>>(source: &mut S) -> Result<Option<Item<'a>>> {
    let mut found = None;
    children!(source, s::ITEM => found = Some(item(source)?),);
    Ok(found)
}

fn cred<'a, S: Source<'a>>(source: &mut S) -> Result<Cred<'a>> {
    let mut cred = Cred::default();
    children!(source,
        s::META => cred.meta = meta(source)?,
        s::DATA => cred.data = octets(source)?,
    );
    Ok(cred)
}

fn chal<'a, S: Source<'a>>(source: &mut S) -> Result<Chal<'a>> {
    let mut chal = Chal::default();
    children!(source, s::META => chal.meta = meta(source)?,);
    Ok(chal)
}

/// The octets of the open element, elements left out.
fn octets<'a, S: Source<'a>>(source: &mut S) -> Result<Cow<'a, [u8]>> {
    loop {
        match source.content()? {
            Content::Bytes(bytes) => return Ok(bytes),
            Content::Element(_) => source.leave_element()?,
        }
    }
}

fn meta<'a, S: Source<'a>>(source: &mut S) -> Result<Meta<'a>> {
    let mut meta = Meta::default();
    while let Some(tag) = source.child()? {
        meta_element(source, tag, &mut meta)?;
    }
    Ok(meta)
}

fn meta_element<'a, S: Source<'a>>(source: &mut S, tag: Tag, meta: &mut Meta<'a>) -> Result<()> {
    match tag {
        // Some write the document element of Meta-Information too.
        m::METINF => {
            while let Some(tag) = source.child()? {
                if tag == m::METINF {
                    source.leave_element()?;
                } else {
                    meta_element(source, tag, meta)?;
                }
            }
        }
        m::FORMAT => meta.format = Some(source.text()?),
        m::TYPE => meta.kind = Some(source.text()?),
        m::MARK => meta.mark = Some(source.text()?),
        m::SIZE => meta.size = number(&source.text()?),
        m::ANCHOR => meta.anchor = Some(anchor(source)?),
        m::VERSION => meta.version = Some(source.text()?),
        m::NEXT_NONCE => meta.next_nonce = Some(octets(source)?),
        m::MAX_MSG_SIZE => meta.max_msg_size = number(&source.text()?),
        m::MAX_OBJ_SIZE => meta.max_obj_size = number(&source.text()?),
        m::MEM => meta.mem = Some(mem(source)?),
        m::EMI => push(&mut meta.emi, source.text()?),
        m::FIELD_LEVEL => meta.field_level = flag(source)?,
        _ => source.leave_element()?,
    }
    Ok(())
}

fn anchor<'a, S: Source<'a>>(source: &mut S) -> Result<Anchor<'a>> {
    let mut anchor = Anchor::default();
    children!(source,
        m::LAST => anchor.last = Some(source.text()?),
        m::NEXT => anchor.next = source.text()?,
    );
    Ok(anchor)
}

fn mem<'a, S: Source<'a>>(source: &mut S) -> Result<Mem> {
    // What is not said is no limit.
    let mut mem = Mem {
        shared: false,
        free: u64::MAX,
        free_id: u64::MAX,
    };
    children!(source,
        m::SHARED_MEM => mem.shared = flag(source)?,
        m::FREE_MEM => mem.free = number(&source.text()?).unwrap_or(u64::MAX),
        m::FREE_ID => mem.free_id = number(&source.text()?).unwrap_or(u64::MAX),
    );
    Ok(mem)
}

fn data<'a, S: Source<'a>>(source: &mut S) -> Result<Data<'a>> {
    match source.content()? {
        Content::Bytes(bytes) => Ok(Data::Bytes(bytes)),
        Content::Element(d::DEVINF) => {
            let devinf = devinf::read(source)?;
            source.leave_element()?;
            Ok(Data::DevInf(Box::new(devinf)))
        }
        Content::Element(first) => {
            let mut meta = Meta::default();
            meta_element(source, first, &mut meta)?;
            while let Some(tag) = source.child()? {
                meta_element(source, tag, &mut meta)?;
            }
            Ok(Data::Meta(Box::new(meta)))
        }
    }
}

fn item<'a, S: Source<'a>>(source: &mut S) -> Result<Item<'a>> {
    let mut item = Item::default();
    children!(source,
        s::TARGET => item.target = Some(location(source)?),
        s::SOURCE => item.source = Some(location(source)?),
        s::TARGET_PARENT => item.target_parent = Some(uri(source)?),
        s::SOURCE_PARENT => item.source_parent = Some(uri(source)?),
        s::META => item.meta = Some(meta(source)?),
        s::DATA => item.data = data(source)?,
        s::MORE_DATA => item.more_data = flag(source)?,
    );
    Ok(item)
}

pub(super) fn command<'a, S: Source<'a>>(source: &mut S, tag: Tag) -> Result<Command<'a>> {
    Ok(match tag {
        s::ADD => Command::Change(change(source, ChangeKind::Add)?),
        s::REPLACE => Command::Change(change(source, ChangeKind::Replace)?),
        s::DELETE => Command::Change(change(source, ChangeKind::Delete)?),
        s::COPY => Command::Change(change(source, ChangeKind::Copy)?),
        s::MOVE => Command::Change(change(source, ChangeKind::Move)?),
        s::STATUS => Command::Status(status(source)?),
        s::SYNC => Command::Sync(sync(source)?),
        s::MAP => Command::Map(map(source)?),
        s::ALERT => Command::Alert(alert(source)?),
        s::PUT => Command::Put(put(source)?),
        s::GET => Command::Get(get(source)?),
        s::RESULTS => Command::Results(results(source)?),
        s::ATOMIC => Command::Group(group(source, GroupKind::Atomic)?),
        s::SEQUENCE => Command::Group(group(source, GroupKind::Sequence)?),
        s::EXEC => Command::Exec(exec(source)?),
        s::SEARCH => Command::Search(search(source)?),
        _ => {
            let name = if tag == Tag::UNNAMED {
                source.name()
            } else {
                tag.text()
            };
            let cmd_id = unknown(source)?.unwrap_or_default();
            Command::Unknown { name, cmd_id }
        }
    })
}

/// The CmdID of a command that does not exist.
fn unknown<'a, S: Source<'a>>(source: &mut S) -> Result<Option<Cow<'a, str>>> {
    let mut cmd_id = None;
    children!(source, s::CMD_ID => cmd_id = Some(source.text()?),);
    Ok(cmd_id)
}

/// A command within Sync, Atomic or Sequence. An element without a CmdID is none: it is skipped.
fn inner_command<'a, S: Source<'a>>(
    source: &mut S,
    tag: Tag,
    commands: &mut Vec<Command<'a>>,
) -> Result<()> {
    match command(source, tag)? {
        Command::Unknown { cmd_id, .. } if cmd_id.is_empty() => {}
        command => commands.push(command),
    }
    Ok(())
}

fn change<'a, S: Source<'a>>(source: &mut S, kind: ChangeKind) -> Result<Change<'a>> {
    let mut change = Change {
        kind,
        cmd_id: Cow::Borrowed(""),
        no_resp: false,
        archive: false,
        soft: false,
        cred: None,
        meta: None,
        items: Vec::new(),
    };
    children!(source,
        s::CMD_ID => change.cmd_id = source.text()?,
        s::NO_RESP => change.no_resp = flag(source)?,
        s::ARCHIVE => change.archive = flag(source)?,
        s::SFT_DEL => change.soft = flag(source)?,
        s::CRED => change.cred = Some(cred(source)?),
        s::META => change.meta = Some(meta(source)?),
        s::ITEM => push(&mut change.items, item(source)?),
    );
    Ok(change)
}

fn alert<'a, S: Source<'a>>(source: &mut S) -> Result<Alert<'a>> {
    let mut alert = Alert::default();
    children!(source,
        s::CMD_ID => alert.cmd_id = source.text()?,
        s::NO_RESP => alert.no_resp = flag(source)?,
        s::CRED => alert.cred = Some(cred(source)?),
        s::DATA => alert.code = short(&source.text()?),
        s::CORRELATOR => alert.correlator = Some(source.text()?),
        s::ITEM => push(&mut alert.items, item(source)?),
    );
    Ok(alert)
}

fn map<'a, S: Source<'a>>(source: &mut S) -> Result<Map<'a>> {
    let mut map = Map::default();
    children!(source,
        s::CMD_ID => map.cmd_id = source.text()?,
        s::TARGET => map.target = location(source)?,
        s::SOURCE => map.source = location(source)?,
        s::CRED => map.cred = Some(cred(source)?),
        s::META => map.meta = Some(meta(source)?),
        s::MAP_ITEM => map.items.push(map_item(source)?),
    );
    Ok(map)
}

fn map_item<'a, S: Source<'a>>(source: &mut S) -> Result<MapItem<'a>> {
    let mut item = MapItem::default();
    children!(source,
        s::TARGET => item.target = uri(source)?,
        s::SOURCE => item.source = uri(source)?,
    );
    Ok(item)
}

fn put<'a, S: Source<'a>>(source: &mut S) -> Result<Put<'a>> {
    let mut put = Put::default();
    children!(source,
        s::CMD_ID => put.cmd_id = source.text()?,
        s::NO_RESP => put.no_resp = flag(source)?,
        s::LANG => put.lang = Some(source.text()?),
        s::CRED => put.cred = Some(cred(source)?),
        s::META => put.meta = Some(meta(source)?),
        s::ITEM => push(&mut put.items, item(source)?),
    );
    documents(source, &mut put.items, put.meta.as_ref());
    Ok(put)
}

fn get<'a, S: Source<'a>>(source: &mut S) -> Result<Get<'a>> {
    let mut get = Get::default();
    children!(source,
        s::CMD_ID => get.cmd_id = source.text()?,
        s::NO_RESP => get.no_resp = flag(source)?,
        s::LANG => get.lang = Some(source.text()?),
        s::CRED => get.cred = Some(cred(source)?),
        s::META => get.meta = Some(meta(source)?),
        s::ITEM => push(&mut get.items, item(source)?),
    );
    Ok(get)
}

fn results<'a, S: Source<'a>>(source: &mut S) -> Result<Results<'a>> {
    let mut results = Results::default();
    children!(source,
        s::CMD_ID => results.cmd_id = source.text()?,
        s::MSG_REF => results.msg_ref = Some(source.text()?),
        s::CMD_REF => results.cmd_ref = source.text()?,
        s::META => results.meta = Some(meta(source)?),
        s::TARGET_REF => results.target_ref = Some(source.text()?),
        s::SOURCE_REF => results.source_ref = Some(source.text()?),
        s::ITEM => push(&mut results.items, item(source)?),
    );
    documents(source, &mut results.items, results.meta.as_ref());
    Ok(results)
}

/// Reads the DevInf documents that came as octets.
fn documents<'a, S: Source<'a>>(source: &mut S, items: &mut [Item<'a>], outer: Option<&Meta<'a>>) {
    for item in items {
        let Data::Bytes(bytes) = &item.data else {
            continue;
        };
        let kind = item
            .meta
            .as_ref()
            .or(outer)
            .and_then(|meta| meta.kind.as_deref())
            .unwrap_or_default();
        let place = item.source.as_ref().map_or("", |source| &source.uri);
        let named = |name: &str| name.to_ascii_lowercase().contains("devinf");
        if !named(kind) && !named(place) {
            continue;
        }
        let limits = source.limits();
        let mut elements = 0;
        let devinf = match bytes {
            Cow::Borrowed(bytes) => nested_devinf(bytes, &limits, &mut elements),
            Cow::Owned(bytes) => {
                nested_devinf(bytes, &limits, &mut elements).map(super::DevInf::into_owned)
            }
        };
        source.spend(elements);
        if let Some(devinf) = devinf {
            item.data = Data::DevInf(Box::new(devinf));
        }
    }
}

fn status<'a, S: Source<'a>>(source: &mut S) -> Result<Status<'a>> {
    let mut status = Status::default();
    children!(source,
        s::CMD_ID => status.cmd_id = source.text()?,
        s::MSG_REF => status.msg_ref = source.text()?,
        s::CMD_REF => status.cmd_ref = source.text()?,
        s::CMD => status.cmd = source.text()?,
        s::TARGET_REF => push(&mut status.target_refs, source.text()?),
        s::SOURCE_REF => push(&mut status.source_refs, source.text()?),
        s::CRED => status.cred = Some(cred(source)?),
        s::CHAL => status.chal = Some(chal(source)?),
        s::DATA => status.code = Code(short(&source.text()?).and_then(|code| u16::try_from(code).ok()).unwrap_or(0)),
        s::ITEM => push(&mut status.items, item(source)?),
    );
    Ok(status)
}

fn sync<'a, S: Source<'a>>(source: &mut S) -> Result<Sync<'a>> {
    let mut sync = Sync::default();
    while let Some(tag) = source.child()? {
        match tag {
            s::CMD_ID => sync.cmd_id = source.text()?,
            s::NO_RESP => sync.no_resp = flag(source)?,
            s::CRED => sync.cred = Some(cred(source)?),
            s::TARGET => sync.target = Some(location(source)?),
            s::SOURCE => sync.source = Some(location(source)?),
            s::META => sync.meta = Some(meta(source)?),
            s::NUMBER_OF_CHANGES => sync.number_of_changes = number(&source.text()?),
            _ => inner_command(source, tag, &mut sync.commands)?,
        }
    }
    Ok(sync)
}

fn group<'a, S: Source<'a>>(source: &mut S, kind: GroupKind) -> Result<Group<'a>> {
    let mut group = Group {
        kind,
        cmd_id: Cow::Borrowed(""),
        no_resp: false,
        meta: None,
        commands: Vec::new(),
    };
    while let Some(tag) = source.child()? {
        match tag {
            s::CMD_ID => group.cmd_id = source.text()?,
            s::NO_RESP => group.no_resp = flag(source)?,
            s::META => group.meta = Some(meta(source)?),
            _ => inner_command(source, tag, &mut group.commands)?,
        }
    }
    Ok(group)
}

fn exec<'a, S: Source<'a>>(source: &mut S) -> Result<Exec<'a>> {
    let mut exec = Exec::default();
    children!(source,
        s::CMD_ID => exec.cmd_id = source.text()?,
        s::NO_RESP => exec.no_resp = flag(source)?,
        s::CRED => exec.cred = Some(cred(source)?),
        s::META => exec.meta = Some(meta(source)?),
        s::CORRELATOR => exec.correlator = Some(source.text()?),
        s::ITEM => push(&mut exec.items, item(source)?),
    );
    Ok(exec)
}

fn search<'a, S: Source<'a>>(source: &mut S) -> Result<Search<'a>> {
    let mut search = Search::default();
    children!(source,
        s::CMD_ID => search.cmd_id = source.text()?,
        s::NO_RESP => search.no_resp = flag(source)?,
        s::NO_RESULTS => search.no_results = flag(source)?,
        s::CRED => search.cred = Some(cred(source)?),
        s::TARGET => search.target = Some(location(source)?),
        s::SOURCE => push(&mut search.sources, location(source)?),
        s::LANG => search.lang = Some(source.text()?),
        s::META => search.meta = Some(meta(source)?),
        s::DATA => search.data = data(source)?,
    );
    Ok(search)
}

/// The tag under which an unknown command is written, if its name has one.
pub(super) fn command_tag(name: &str) -> Option<Tag> {
    known(name)
}
