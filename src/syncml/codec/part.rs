//! Events to what commands are made of: locations, credentials, meta information, items.

use std::borrow::Cow;

use super::super::{Anchor, Chal, Cred, Data, Filter, Item, Location, Mem, Meta, PropertyInfo};
use super::source::{Content, Source};
use super::{devinf, nested_properties};
use crate::wbxml::DecodeError;
use crate::wbxml::tables::{Tag, devinf as d, metinf as m, syncml as s};

pub(super) type Result<T> = std::result::Result<T, DecodeError>;

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

/// Adds an entry to a list that usually has one.
#[inline]
pub(super) fn next<T: Default>(list: &mut Vec<T>) -> &mut T {
    let at = list.len();
    push(list, T::default());
    &mut list[at]
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

pub(super) fn short(text: &str) -> Option<u32> {
    number(text).and_then(|value| u32::try_from(value).ok())
}

pub(super) fn location<'a, S: Source<'a>>(
    source: &mut S,
    location: &mut Location<'a>,
) -> Result<()> {
    children!(source,
        s::LOC_URI => location.uri = source.text()?,
        s::LOC_NAME => location.name = Some(source.text()?),
        s::FILTER => filter(source, location.filter.insert(Box::default()))?,
    );
    Ok(())
}

pub(super) fn uri<'a, S: Source<'a>>(source: &mut S) -> Result<Cow<'a, str>> {
    let mut uri = Cow::Borrowed("");
    children!(source, s::LOC_URI => uri = source.text()?,);
    Ok(uri)
}

fn filter<'a, S: Source<'a>>(source: &mut S, filter: &mut Filter<'a>) -> Result<()> {
    children!(source,
        s::META => meta(source, &mut filter.meta)?,
        s::FIELD => only_item(source, &mut filter.field)?,
        s::RECORD => only_item(source, &mut filter.record)?,
        s::FILTER_TYPE => filter.filter_type = Some(source.text()?),
    );
    if let Some(field) = &mut filter.field {
        listed_fields(source, field);
    }
    Ok(())
}

/// Reads the properties of a Field filter that came as a document of their own.
fn listed_fields<'a, S: Source<'a>>(source: &mut S, field: &mut Item<'a>) {
    let bytes = match &mut field.data {
        Data::Bytes(bytes) => bytes,
        Data::DevInf(devinf) => {
            field.data = Data::Properties(devinf::all_properties(std::mem::take(&mut **devinf)));
            return;
        }
        _ => return,
    };
    let limits = source.limits();
    let mut elements = 0;
    let properties = match bytes {
        Cow::Borrowed(bytes) => nested_properties(bytes, &limits, &mut elements),
        Cow::Owned(bytes) => nested_properties(bytes, &limits, &mut elements)
            .map(|list| list.into_iter().map(PropertyInfo::into_owned).collect()),
    };
    source.spend(elements);
    if let Some(properties) = properties {
        field.data = Data::Properties(properties);
    }
}

fn only_item<'a, S: Source<'a>>(source: &mut S, found: &mut Option<Item<'a>>) -> Result<()> {
    children!(source, s::ITEM => item(source, found.insert(Item::default()))?,);
    Ok(())
}

pub(super) fn cred<'a, S: Source<'a>>(source: &mut S, cred: &mut Cred<'a>) -> Result<()> {
    children!(source,
        s::META => meta(source, &mut cred.meta)?,
        s::DATA => cred.data = octets(source)?,
    );
    Ok(())
}

pub(super) fn chal<'a, S: Source<'a>>(source: &mut S, chal: &mut Chal<'a>) -> Result<()> {
    children!(source, s::META => meta(source, &mut chal.meta)?,);
    Ok(())
}

/// The octets of the open element, elements left out.
pub(super) fn octets<'a, S: Source<'a>>(source: &mut S) -> Result<Cow<'a, [u8]>> {
    loop {
        match source.content()? {
            Content::Bytes(bytes) => return Ok(bytes),
            Content::Element(_) => source.leave_element()?,
        }
    }
}

pub(super) fn meta<'a, S: Source<'a>>(source: &mut S, meta: &mut Meta<'a>) -> Result<()> {
    while let Some(tag) = source.child()? {
        meta_element(source, tag, meta)?;
    }
    Ok(())
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

pub(super) fn data<'a, S: Source<'a>>(source: &mut S) -> Result<Data<'a>> {
    match source.content()? {
        Content::Bytes(bytes) => Ok(Data::Bytes(bytes)),
        Content::Element(d::DEVINF) => {
            let devinf = devinf::read(source)?;
            source.leave_element()?;
            Ok(Data::DevInf(Box::new(devinf)))
        }
        Content::Element(first) if first.space() == d::SPACE => {
            Ok(Data::Properties(devinf::properties(source, first)?))
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

pub(super) fn item<'a, S: Source<'a>>(source: &mut S, item: &mut Item<'a>) -> Result<()> {
    children!(source,
        s::TARGET => location(source, item.target.insert(Default::default()))?,
        s::SOURCE => location(source, item.source.insert(Default::default()))?,
        s::TARGET_PARENT => item.target_parent = Some(uri(source)?),
        s::SOURCE_PARENT => item.source_parent = Some(uri(source)?),
        s::META => meta(source, item.meta.insert(Default::default()))?,
        s::DATA => item.data = data(source)?,
        s::MORE_DATA => item.more_data = flag(source)?,
    );
    Ok(())
}
