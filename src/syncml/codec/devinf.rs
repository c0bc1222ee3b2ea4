//! Device information from and to events.
//!
//! 1.0 and 1.1 list content types, properties and parameters flat, in sequence; 1.2 nests them. Both are read wherever
//! they occur; the document's VerDTD decides which is written.

use super::super::{
    ContentType, CtCap, DataStoreInfo, DevInf, FilterCap, Memory, ParamInfo, PropertyInfo, Version,
};
use super::part::{Result, children, flag, number, push};
use super::sink::Sink;
use super::source::Source;
use crate::wbxml::DecodeErrorKind;
use crate::wbxml::tables::{Tag, devinf as d};

/// A document of its own.
pub(super) fn document<'a, S: Source<'a>>(source: &mut S) -> Result<DevInf<'a>> {
    if source.root()? != d::DEVINF {
        return Err(source.error(DecodeErrorKind::Root));
    }
    read(source)
}

/// What the open DevInf element holds.
pub(super) fn read<'a, S: Source<'a>>(source: &mut S) -> Result<DevInf<'a>> {
    let mut devinf = DevInf::default();
    children!(source,
        d::VER_DTD => devinf.ver_dtd = source.text()?,
        d::MAN => devinf.man = Some(source.text()?),
        d::MOD => devinf.model = Some(source.text()?),
        d::OEM => devinf.oem = Some(source.text()?),
        d::FW_V => devinf.fw_v = Some(source.text()?),
        d::SW_V => devinf.sw_v = Some(source.text()?),
        d::HW_V => devinf.hw_v = Some(source.text()?),
        d::DEV_ID => devinf.dev_id = source.text()?,
        d::DEV_TYP => devinf.dev_typ = source.text()?,
        d::UTC => devinf.utc = flag(source)?,
        d::SUPPORT_LARGE_OBJS => devinf.large_objects = flag(source)?,
        d::SUPPORT_NUMBER_OF_CHANGES => devinf.number_of_changes = flag(source)?,
        d::DATA_STORE => devinf.datastores.push(datastore(source)?),
        d::CT_CAP => ct_caps(source, &mut devinf.ct_caps)?,
        d::EXT => {
            let mut name = Default::default();
            let mut values = Vec::new();
            children!(source,
                d::X_NAM => name = source.text()?,
                d::X_VAL => values.push(source.text()?),
            );
            devinf.ext.push((name, values));
        },
    );
    Ok(devinf)
}

/// A document of properties: a DevInf, a CTCap or one Property.
pub(super) fn properties_document<'a, S: Source<'a>>(
    source: &mut S,
) -> Result<Vec<PropertyInfo<'a>>> {
    let root = source.root()?;
    properties_element(source, root)
}

/// The same, within a root that is not part of it.
pub(super) fn wrapped_properties<'a, S: Source<'a>>(
    source: &mut S,
) -> Result<Vec<PropertyInfo<'a>>> {
    source.root()?;
    match source.child()? {
        Some(first) => properties(source, first),
        None => Ok(Vec::new()),
    }
}

/// The properties of all content types of a document.
pub(super) fn all_properties(devinf: DevInf<'_>) -> Vec<PropertyInfo<'_>> {
    let stores = devinf.datastores.into_iter().flat_map(|of| of.ct_caps);
    let caps = devinf.ct_caps.into_iter().chain(stores);
    caps.flat_map(|cap| cap.properties).collect()
}

/// Properties of an open element of DevInf, whatever it is.
fn properties_element<'a, S: Source<'a>>(
    source: &mut S,
    tag: Tag,
) -> Result<Vec<PropertyInfo<'a>>> {
    let mut caps = Vec::new();
    match tag {
        d::DEVINF => return Ok(all_properties(read(source)?)),
        d::CT_CAP => ct_caps(source, &mut caps)?,
        d::PROPERTY => return Ok(vec![property(source)?]),
        d::PROP_NAME => {
            let name = source.text()?;
            return Ok(vec![PropertyInfo {
                name,
                ..PropertyInfo::default()
            }]);
        }
        _ => source.leave_element()?,
    }
    Ok(caps.into_iter().flat_map(|cap| cap.properties).collect())
}

/// The elements of DevInf that stand side by side in the open element, of which `first` has begun.
pub(super) fn properties<'a, S: Source<'a>>(
    source: &mut S,
    first: Tag,
) -> Result<Vec<PropertyInfo<'a>>> {
    let mut properties = properties_element(source, first)?;
    while let Some(tag) = source.child()? {
        properties.append(&mut properties_element(source, tag)?);
    }
    Ok(properties)
}

fn datastore<'a, S: Source<'a>>(source: &mut S) -> Result<DataStoreInfo<'a>> {
    let mut store = DataStoreInfo::default();
    children!(source,
        d::SOURCE_REF => store.source_ref = source.text()?,
        d::DISPLAY_NAME => store.display_name = Some(source.text()?),
        d::MAX_GUID_SIZE => store.max_guid_size = number(&source.text()?),
        d::RX_PREF => store.rx_pref = Some(content_type(source)?),
        d::RX => store.rx.push(content_type(source)?),
        d::TX_PREF => store.tx_pref = Some(content_type(source)?),
        d::TX => store.tx.push(content_type(source)?),
        d::CT_CAP => ct_caps(source, &mut store.ct_caps)?,
        d::DS_MEM => store.memory = Some(memory(source)?),
        d::SUPPORT_HIERARCHICAL_SYNC => store.hierarchical = flag(source)?,
        d::SYNC_CAP => children!(source,
            d::SYNC_TYPE => {
                let kind = number(&source.text()?).and_then(|kind| u32::try_from(kind).ok());
                store.sync_types.extend(kind);
            },
        ),
        d::FILTER_RX => store.filter_rx.push(content_type(source)?),
        d::FILTER_CAP => push(&mut store.filter_caps, filter_cap(source)?),
    );
    Ok(store)
}

fn content_type<'a, S: Source<'a>>(source: &mut S) -> Result<ContentType<'a>> {
    let mut content = ContentType::default();
    children!(source,
        d::CT_TYPE => content.kind = source.text()?,
        d::VER_CT => content.version = source.text()?,
    );
    Ok(content)
}

fn memory<'a, S: Source<'a>>(source: &mut S) -> Result<Memory> {
    let mut memory = Memory::default();
    children!(source,
        d::SHARED_MEM => memory.shared = flag(source)?,
        d::MAX_MEM => memory.max_mem = number(&source.text()?),
        d::MAX_ID => memory.max_id = number(&source.text()?),
    );
    Ok(memory)
}

fn filter_cap<'a, S: Source<'a>>(source: &mut S) -> Result<FilterCap<'a>> {
    let mut cap = FilterCap::default();
    children!(source,
        d::CT_TYPE => cap.content_type.kind = source.text()?,
        d::VER_CT => cap.content_type.version = source.text()?,
        d::FILTER_KEYWORD => cap.keywords.push(source.text()?),
        d::PROP_NAME => cap.properties.push(source.text()?),
    );
    Ok(cap)
}

/// One CTCap: in 1.2 of one content type, before that of any number of them, in sequence.
fn ct_caps<'a, S: Source<'a>>(source: &mut S, caps: &mut Vec<CtCap<'a>>) -> Result<()> {
    let mut cap: Option<CtCap<'a>> = None;
    while let Some(tag) = source.child()? {
        if tag == d::CT_TYPE {
            let kind = source.text()?;
            match &mut cap {
                // Something stood before the CTType.
                Some(cap) if cap.content_type.kind.is_empty() => cap.content_type.kind = kind,
                cap => {
                    let content_type = ContentType {
                        kind,
                        ..Default::default()
                    };
                    caps.extend(cap.replace(CtCap {
                        content_type,
                        ..Default::default()
                    }));
                }
            }
            continue;
        }
        let cap = cap.get_or_insert_default();
        match tag {
            d::VER_CT => cap.content_type.version = source.text()?,
            d::FIELD_LEVEL => cap.field_level = flag(source)?,
            d::PROPERTY => cap.properties.push(property(source)?),
            d::PROP_NAME => {
                let name = source.text()?;
                cap.properties.push(PropertyInfo {
                    name,
                    ..Default::default()
                });
            }
            _ => match cap.properties.last_mut() {
                Some(property) => flat(source, tag, property)?,
                None => source.leave_element()?,
            },
        }
    }
    caps.extend(cap);
    Ok(())
}

/// An element of the flat list: it belongs to the property, or to its last parameter if there is one.
fn flat<'a, S: Source<'a>>(
    source: &mut S,
    tag: Tag,
    property: &mut PropertyInfo<'a>,
) -> Result<()> {
    if tag == d::PARAM_NAME {
        let name = source.text()?;
        property.params.push(ParamInfo {
            name,
            ..Default::default()
        });
        return Ok(());
    }
    let Some(last) = property.params.last_mut() else {
        return property_element(source, tag, property);
    };
    param_element(source, tag, last)
}

fn property<'a, S: Source<'a>>(source: &mut S) -> Result<PropertyInfo<'a>> {
    let mut property = PropertyInfo::default();
    while let Some(tag) = source.child()? {
        property_element(source, tag, &mut property)?;
    }
    Ok(property)
}

fn property_element<'a, S: Source<'a>>(
    source: &mut S,
    tag: Tag,
    property: &mut PropertyInfo<'a>,
) -> Result<()> {
    match tag {
        d::PROP_NAME => property.name = source.text()?,
        d::DATA_TYPE => property.data_type = Some(source.text()?),
        d::MAX_OCCUR => property.max_occur = number(&source.text()?),
        d::MAX_SIZE => property.max_size = number(&source.text()?),
        d::NO_TRUNCATE => property.no_truncate = flag(source)?,
        d::VAL_ENUM => push(&mut property.values, source.text()?),
        d::DISPLAY_NAME => property.display_name = Some(source.text()?),
        d::PROP_PARAM => {
            let mut param = ParamInfo::default();
            while let Some(tag) = source.child()? {
                param_element(source, tag, &mut param)?;
            }
            push(&mut property.params, param);
        }
        _ => source.leave_element()?,
    }
    Ok(())
}

fn param_element<'a, S: Source<'a>>(
    source: &mut S,
    tag: Tag,
    param: &mut ParamInfo<'a>,
) -> Result<()> {
    match tag {
        d::PARAM_NAME => param.name = source.text()?,
        d::DATA_TYPE => param.data_type = Some(source.text()?),
        d::VAL_ENUM => push(&mut param.values, source.text()?),
        d::DISPLAY_NAME => param.display_name = Some(source.text()?),
        _ => source.leave_element()?,
    }
    Ok(())
}

/// Writes the DevInf element. `version` is that of the message; VerDTD of the document comes before it.
pub(super) fn write<K: Sink>(sink: &mut K, devinf: &DevInf<'_>, version: Version) {
    let nested = Version::from_dtd(&devinf.ver_dtd).unwrap_or(version) == Version::V12;
    sink.old_devinf(!nested);
    sink.open(d::DEVINF);
    sink.leaf(d::VER_DTD, &devinf.ver_dtd);
    sink.leaf_if(d::MAN, devinf.man.as_ref());
    sink.leaf_if(d::MOD, devinf.model.as_ref());
    sink.leaf_if(d::OEM, devinf.oem.as_ref());
    sink.leaf_if(d::FW_V, devinf.fw_v.as_ref());
    sink.leaf_if(d::SW_V, devinf.sw_v.as_ref());
    sink.leaf_if(d::HW_V, devinf.hw_v.as_ref());
    sink.leaf(d::DEV_ID, &devinf.dev_id);
    sink.leaf(d::DEV_TYP, &devinf.dev_typ);
    sink.flag(d::UTC, devinf.utc);
    sink.flag(d::SUPPORT_NUMBER_OF_CHANGES, devinf.number_of_changes);
    sink.flag(d::SUPPORT_LARGE_OBJS, devinf.large_objects);
    for store in &devinf.datastores {
        write_datastore(sink, store, nested);
    }
    write_ct_caps(sink, &devinf.ct_caps, nested);
    for (name, values) in &devinf.ext {
        sink.open(d::EXT);
        sink.leaf(d::X_NAM, name);
        for value in values {
            sink.leaf(d::X_VAL, value);
        }
        sink.close(d::EXT);
    }
    sink.close(d::DEVINF);
}

fn write_datastore<K: Sink>(sink: &mut K, store: &DataStoreInfo<'_>, nested: bool) {
    sink.open(d::DATA_STORE);
    sink.leaf(d::SOURCE_REF, &store.source_ref);
    sink.leaf_if(d::DISPLAY_NAME, store.display_name.as_ref());
    sink.number_if(d::MAX_GUID_SIZE, store.max_guid_size);
    for (tag, content) in [(d::RX_PREF, store.rx_pref.as_slice()), (d::RX, &store.rx)] {
        write_content_types(sink, tag, content);
    }
    for (tag, content) in [(d::TX_PREF, store.tx_pref.as_slice()), (d::TX, &store.tx)] {
        write_content_types(sink, tag, content);
    }
    write_ct_caps(sink, &store.ct_caps, nested);
    if let Some(memory) = &store.memory {
        sink.open(d::DS_MEM);
        sink.flag(d::SHARED_MEM, memory.shared);
        sink.number_if(d::MAX_MEM, memory.max_mem);
        sink.number_if(d::MAX_ID, memory.max_id);
        sink.close(d::DS_MEM);
    }
    sink.flag(d::SUPPORT_HIERARCHICAL_SYNC, store.hierarchical);
    sink.open(d::SYNC_CAP);
    for &kind in &store.sync_types {
        sink.number(d::SYNC_TYPE, u64::from(kind));
    }
    sink.close(d::SYNC_CAP);
    write_content_types(sink, d::FILTER_RX, &store.filter_rx);
    for cap in &store.filter_caps {
        sink.open(d::FILTER_CAP);
        sink.leaf(d::CT_TYPE, &cap.content_type.kind);
        sink.leaf(d::VER_CT, &cap.content_type.version);
        for keyword in &cap.keywords {
            sink.leaf(d::FILTER_KEYWORD, keyword);
        }
        for property in &cap.properties {
            sink.leaf(d::PROP_NAME, property);
        }
        sink.close(d::FILTER_CAP);
    }
    sink.close(d::DATA_STORE);
}

fn write_content_types<K: Sink>(sink: &mut K, tag: Tag, types: &[ContentType<'_>]) {
    for content in types {
        sink.open(tag);
        sink.leaf(d::CT_TYPE, &content.kind);
        sink.leaf(d::VER_CT, &content.version);
        sink.close(tag);
    }
}

fn write_ct_caps<K: Sink>(sink: &mut K, caps: &[CtCap<'_>], nested: bool) {
    if nested {
        for cap in caps {
            sink.open(d::CT_CAP);
            sink.leaf(d::CT_TYPE, &cap.content_type.kind);
            if !cap.content_type.version.is_empty() {
                sink.leaf(d::VER_CT, &cap.content_type.version);
            }
            sink.flag(d::FIELD_LEVEL, cap.field_level);
            for property in &cap.properties {
                write_property(sink, property);
            }
            sink.close(d::CT_CAP);
        }
    } else if !caps.is_empty() {
        sink.open(d::CT_CAP);
        for cap in caps {
            sink.leaf(d::CT_TYPE, &cap.content_type.kind);
            for property in &cap.properties {
                write_flat(sink, property);
            }
        }
        sink.close(d::CT_CAP);
    }
}

/// Writes Property elements side by side.
pub(super) fn write_properties<K: Sink>(sink: &mut K, properties: &[PropertyInfo<'_>]) {
    for property in properties {
        write_property(sink, property);
    }
}

fn write_property<K: Sink>(sink: &mut K, property: &PropertyInfo<'_>) {
    sink.open(d::PROPERTY);
    sink.leaf(d::PROP_NAME, &property.name);
    sink.leaf_if(d::DATA_TYPE, property.data_type.as_ref());
    sink.number_if(d::MAX_OCCUR, property.max_occur);
    sink.number_if(d::MAX_SIZE, property.max_size);
    sink.flag(d::NO_TRUNCATE, property.no_truncate);
    for value in &property.values {
        sink.leaf(d::VAL_ENUM, value);
    }
    sink.leaf_if(d::DISPLAY_NAME, property.display_name.as_ref());
    for param in &property.params {
        sink.open(d::PROP_PARAM);
        write_param(sink, param);
        sink.close(d::PROP_PARAM);
    }
    sink.close(d::PROPERTY);
}

/// What 1.0 and 1.1 can say of a property.
fn write_flat<K: Sink>(sink: &mut K, property: &PropertyInfo<'_>) {
    sink.leaf(d::PROP_NAME, &property.name);
    for value in &property.values {
        sink.leaf(d::VAL_ENUM, value);
    }
    sink.leaf_if(d::DATA_TYPE, property.data_type.as_ref());
    sink.number_if(d::MAX_SIZE, property.max_size);
    sink.leaf_if(d::DISPLAY_NAME, property.display_name.as_ref());
    for param in &property.params {
        write_param(sink, param);
    }
}

fn write_param<K: Sink>(sink: &mut K, param: &ParamInfo<'_>) {
    sink.leaf(d::PARAM_NAME, &param.name);
    sink.leaf_if(d::DATA_TYPE, param.data_type.as_ref());
    for value in &param.values {
        sink.leaf(d::VAL_ENUM, value);
    }
    sink.leaf_if(d::DISPLAY_NAME, param.display_name.as_ref());
}
