//! Events to messages.

use std::borrow::Cow;

use super::super::{
    Alert, Change, ChangeKind, Code, Command, Data, Exec, Get, Group, GroupKind, Header, Item, Map,
    MapItem, Message, Put, Results, Search, Status, Sync,
};
use super::part::{
    Result, chal, children, cred, data, flag, item, location, meta, next, number, push, short, uri,
};
use super::source::Source;
use super::{known, nested_devinf};
use crate::wbxml::DecodeErrorKind;
use crate::wbxml::tables::{Tag, syncml as s};

pub(super) fn message<'a, S: Source<'a>>(source: &mut S) -> Result<Message<'a>> {
    if source.root()? != s::SYNCML {
        return Err(source.error(DecodeErrorKind::Root));
    }
    let mut message = Message::default();
    let mut has_header = false;
    children!(source,
        s::SYNC_HDR => {
            has_header = true;
            header(source, &mut message.header)?;
        },
        s::SYNC_BODY => while let Some(tag) = source.child()? {
            if tag == s::FINAL {
                message.last = flag(source)?;
            } else {
                command(source, tag, &mut message.body)?;
            }
        },
    );
    if !has_header {
        return Err(source.error(DecodeErrorKind::NoHeader));
    }
    Ok(message)
}

fn header<'a, S: Source<'a>>(source: &mut S, header: &mut Header<'a>) -> Result<()> {
    children!(source,
        s::VER_DTD => header.ver_dtd = source.text()?,
        s::VER_PROTO => header.ver_proto = source.text()?,
        s::SESSION_ID => header.session_id = source.text()?,
        s::MSG_ID => header.msg_id = source.text()?,
        s::TARGET => location(source, &mut header.target)?,
        s::SOURCE => location(source, &mut header.source)?,
        s::RESP_URI => header.resp_uri = Some(source.text()?),
        s::NO_RESP => header.no_resp = flag(source)?,
        s::CRED => cred(source, header.cred.insert(Default::default()))?,
        s::META => meta(source, header.meta.insert(Default::default()))?,
    );
    Ok(())
}

/// Adds a command to a list, and fills it in there: commands are too large to be moved about.
fn command<'a, S: Source<'a>>(source: &mut S, tag: Tag, list: &mut Vec<Command<'a>>) -> Result<()> {
    macro_rules! fill {
        ($variant:ident, $value:expr, $read:ident) => {{
            list.push(Command::$variant($value));
            match list.last_mut() {
                Some(Command::$variant(command)) => $read(source, command),
                _ => Ok(()),
            }
        }};
    }
    match tag {
        s::ADD => fill!(Change, empty_change(ChangeKind::Add), change),
        s::REPLACE => fill!(Change, empty_change(ChangeKind::Replace), change),
        s::DELETE => fill!(Change, empty_change(ChangeKind::Delete), change),
        s::COPY => fill!(Change, empty_change(ChangeKind::Copy), change),
        s::MOVE => fill!(Change, empty_change(ChangeKind::Move), change),
        s::STATUS => fill!(Status, Status::default(), status),
        s::SYNC => fill!(Sync, Sync::default(), sync),
        s::MAP => fill!(Map, Map::default(), map),
        s::ALERT => fill!(Alert, Alert::default(), alert),
        s::PUT => fill!(Put, Put::default(), put),
        s::GET => fill!(Get, Get::default(), get),
        s::RESULTS => fill!(Results, Results::default(), results),
        s::ATOMIC => fill!(Group, empty_group(GroupKind::Atomic), group),
        s::SEQUENCE => fill!(Group, empty_group(GroupKind::Sequence), group),
        s::EXEC => fill!(Exec, Exec::default(), exec),
        s::SEARCH => fill!(Search, Search::default(), search),
        _ => {
            let name = if tag == Tag::UNNAMED {
                source.name()
            } else {
                tag.text()
            };
            let cmd_id = unknown(source)?.unwrap_or_default();
            list.push(Command::Unknown { name, cmd_id });
            Ok(())
        }
    }
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
    command(source, tag, commands)?;
    if matches!(commands.last(), Some(Command::Unknown { cmd_id, .. }) if cmd_id.is_empty()) {
        commands.pop();
    }
    Ok(())
}

const fn empty_change<'a>(kind: ChangeKind) -> Change<'a> {
    Change {
        kind,
        cmd_id: Cow::Borrowed(""),
        no_resp: false,
        archive: false,
        soft: false,
        cred: None,
        meta: None,
        items: Vec::new(),
    }
}

const fn empty_group<'a>(kind: GroupKind) -> Group<'a> {
    Group {
        kind,
        cmd_id: Cow::Borrowed(""),
        no_resp: false,
        meta: None,
        commands: Vec::new(),
    }
}

fn change<'a, S: Source<'a>>(source: &mut S, change: &mut Change<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => change.cmd_id = source.text()?,
        s::NO_RESP => change.no_resp = flag(source)?,
        s::ARCHIVE => change.archive = flag(source)?,
        s::SFT_DEL => change.soft = flag(source)?,
        s::CRED => cred(source, change.cred.insert(Default::default()))?,
        s::META => meta(source, change.meta.insert(Default::default()))?,
        s::ITEM => item(source, next(&mut change.items))?,
    );
    Ok(())
}

fn alert<'a, S: Source<'a>>(source: &mut S, alert: &mut Alert<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => alert.cmd_id = source.text()?,
        s::NO_RESP => alert.no_resp = flag(source)?,
        s::CRED => cred(source, alert.cred.insert(Default::default()))?,
        s::DATA => alert.code = short(&source.text()?),
        s::CORRELATOR => alert.correlator = Some(source.text()?),
        s::ITEM => item(source, next(&mut alert.items))?,
    );
    Ok(())
}

fn map<'a, S: Source<'a>>(source: &mut S, map: &mut Map<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => map.cmd_id = source.text()?,
        s::TARGET => location(source, &mut map.target)?,
        s::SOURCE => location(source, &mut map.source)?,
        s::CRED => cred(source, map.cred.insert(Default::default()))?,
        s::META => meta(source, map.meta.insert(Default::default()))?,
        s::MAP_ITEM => map.items.push(map_item(source)?),
    );
    Ok(())
}

fn map_item<'a, S: Source<'a>>(source: &mut S) -> Result<MapItem<'a>> {
    let mut item = MapItem::default();
    children!(source,
        s::TARGET => item.target = uri(source)?,
        s::SOURCE => item.source = uri(source)?,
    );
    Ok(item)
}

fn put<'a, S: Source<'a>>(source: &mut S, put: &mut Put<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => put.cmd_id = source.text()?,
        s::NO_RESP => put.no_resp = flag(source)?,
        s::LANG => put.lang = Some(source.text()?),
        s::CRED => cred(source, put.cred.insert(Default::default()))?,
        s::META => meta(source, put.meta.insert(Default::default()))?,
        s::ITEM => item(source, next(&mut put.items))?,
    );
    documents(source, &mut put.items);
    Ok(())
}

fn get<'a, S: Source<'a>>(source: &mut S, get: &mut Get<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => get.cmd_id = source.text()?,
        s::NO_RESP => get.no_resp = flag(source)?,
        s::LANG => get.lang = Some(source.text()?),
        s::CRED => cred(source, get.cred.insert(Default::default()))?,
        s::META => meta(source, get.meta.insert(Default::default()))?,
        s::ITEM => item(source, next(&mut get.items))?,
    );
    Ok(())
}

fn results<'a, S: Source<'a>>(source: &mut S, results: &mut Results<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => results.cmd_id = source.text()?,
        s::MSG_REF => results.msg_ref = Some(source.text()?),
        s::CMD_REF => results.cmd_ref = source.text()?,
        s::META => meta(source, results.meta.insert(Default::default()))?,
        s::TARGET_REF => results.target_ref = Some(source.text()?),
        s::SOURCE_REF => results.source_ref = Some(source.text()?),
        s::ITEM => item(source, next(&mut results.items))?,
    );
    documents(source, &mut results.items);
    Ok(())
}

/// Reads the DevInf documents that came as octets.
fn documents<'a, S: Source<'a>>(source: &mut S, items: &mut [Item<'a>]) {
    for item in items {
        let Data::Bytes(bytes) = &item.data else {
            continue;
        };
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

fn status<'a, S: Source<'a>>(source: &mut S, status: &mut Status<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => status.cmd_id = source.text()?,
        s::MSG_REF => status.msg_ref = source.text()?,
        s::CMD_REF => status.cmd_ref = source.text()?,
        s::CMD => status.cmd = source.text()?,
        s::TARGET_REF => push(&mut status.target_refs, source.text()?),
        s::SOURCE_REF => push(&mut status.source_refs, source.text()?),
        s::CRED => cred(source, status.cred.insert(Default::default()))?,
        s::CHAL => chal(source, status.chal.insert(Default::default()))?,
        s::DATA => status.code = Code(short(&source.text()?).and_then(|code| u16::try_from(code).ok()).unwrap_or(0)),
        s::ITEM => item(source, next(&mut status.items))?,
    );
    Ok(())
}

fn sync<'a, S: Source<'a>>(source: &mut S, sync: &mut Sync<'a>) -> Result<()> {
    while let Some(tag) = source.child()? {
        match tag {
            s::CMD_ID => sync.cmd_id = source.text()?,
            s::NO_RESP => sync.no_resp = flag(source)?,
            s::CRED => cred(source, sync.cred.insert(Default::default()))?,
            s::TARGET => location(source, sync.target.insert(Default::default()))?,
            s::SOURCE => location(source, sync.source.insert(Default::default()))?,
            s::META => meta(source, sync.meta.insert(Default::default()))?,
            s::NUMBER_OF_CHANGES => sync.number_of_changes = number(&source.text()?),
            _ => inner_command(source, tag, &mut sync.commands)?,
        }
    }
    Ok(())
}

fn group<'a, S: Source<'a>>(source: &mut S, group: &mut Group<'a>) -> Result<()> {
    while let Some(tag) = source.child()? {
        match tag {
            s::CMD_ID => group.cmd_id = source.text()?,
            s::NO_RESP => group.no_resp = flag(source)?,
            s::META => meta(source, group.meta.insert(Default::default()))?,
            _ => inner_command(source, tag, &mut group.commands)?,
        }
    }
    Ok(())
}

fn exec<'a, S: Source<'a>>(source: &mut S, exec: &mut Exec<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => exec.cmd_id = source.text()?,
        s::NO_RESP => exec.no_resp = flag(source)?,
        s::CRED => cred(source, exec.cred.insert(Default::default()))?,
        s::META => meta(source, exec.meta.insert(Default::default()))?,
        s::CORRELATOR => exec.correlator = Some(source.text()?),
        s::ITEM => item(source, next(&mut exec.items))?,
    );
    Ok(())
}

fn search<'a, S: Source<'a>>(source: &mut S, search: &mut Search<'a>) -> Result<()> {
    children!(source,
        s::CMD_ID => search.cmd_id = source.text()?,
        s::NO_RESP => search.no_resp = flag(source)?,
        s::NO_RESULTS => search.no_results = flag(source)?,
        s::CRED => cred(source, search.cred.insert(Default::default()))?,
        s::TARGET => location(source, search.target.insert(Default::default()))?,
        s::SOURCE => location(source, next(&mut search.sources))?,
        s::LANG => search.lang = Some(source.text()?),
        s::META => meta(source, search.meta.insert(Default::default()))?,
        s::DATA => search.data = data(source)?,
    );
    Ok(())
}

/// The tag under which an unknown command is written, if its name has one.
pub(super) fn command_tag(name: &str) -> Option<Tag> {
    known(name)
}
