//! Filters of a sync (OMA DS 1.2, Filter; Sync Protocol 1.1 section 2.6, target address filtering).
//!
//! A filter is that of one Alert and holds for one sync of its datastore, however many messages and interruptions it
//! takes. The view remembers under which filter the device got what it has, so the next sync knows what another filter, or
//! none, changes: then every item is looked at, new ones that pass are added, and no slow sync is needed. With the same
//! filter only changes are looked at, and a sync without changes reads no item.
//!
//! EXCLUSIVE: what the device has and does not pass is deleted there, and kept here. INCLUSIVE, and a filter on an address:
//! only what is new to the device has to pass. Fields that a filter leaves out are neither sent nor taken for deleted.

use super::turn::Turn;
use crate::content::{self, Format, Kind, PropertyCapability};
use crate::device;
use crate::filter::{
    self, Address, Expression, Field, Filter, FilterError, FilterType, MAX_FIELDS, Subject,
};
use crate::sync::{Datastore, Entry, Item, Round, Selection};
use crate::syncml::{self, Code, Data};

/// What is to happen with an item that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent as always.
    Send,
    /// Nothing.
    Leave,
    /// It is deleted on the device, and kept here.
    Remove,
    /// It was on its way to the device and is no longer wanted there.
    Forget,
}

impl Turn<'_> {
    /// The datastore that a device means: `?TODO` and `?EVENT` choose from a calendar, and a device whose calendar holds
    /// both sees both.
    pub(super) fn view_at(&self, local: &str, remote: &str) -> Option<Datastore> {
        let view = self.context.settings.resolve(local)?;
        if view != Datastore::Calendar {
            return Some(view);
        }
        if let Ok(Address::Kind(kind)) = Address::read(local) {
            return Some(device::home(kind));
        }
        let devinf = self.context.documents.read(&self.device.devinf);
        let holding = self
            .target_at(devinf.as_deref(), local, remote, view)
            .holding;
        Some(if holding.mixed {
            Datastore::Agenda
        } else {
            view
        })
    }

    /// The filter of an Alert for a datastore; `Err` is the Status if it is not taken.
    pub(super) fn filter_of(
        &mut self,
        view: Datastore,
        local: &str,
        item: &syncml::Item<'_>,
    ) -> Result<Option<Filter>, Code> {
        let element = item.target.as_ref().and_then(|at| at.filter.as_deref());
        let filter = element
            .map(|element| read_element(view, element))
            .transpose();
        let address = Address::read(local).map_err(Refused::from);
        let joined = filter.and_then(|filter| Ok((filter, address?)));
        joined
            .and_then(|(filter, address)| join(filter, address))
            .and_then(|filter| check(view, filter))
            .map(|filter| filter.and_then(|filter| meant(view, filter)))
            .map_err(|refused| {
                let text = format!("the device's filter is refused: {}", refused.why);
                self.note(Some(view), None, text);
                refused.code
            })
    }

    /// Whether a device asks for single mails, that it has in part: all else stays as it is.
    pub(super) fn fetches_items(&self, link: usize) -> bool {
        let filter = self.state.links[link].filter.as_ref();
        self.is_hierarchical(link)
            && filter.is_some_and(|filter| {
                filter.kind == FilterType::Inclusive
                    && filter.record.as_ref().is_some_and(Expression::names_items)
            })
    }

    /// Whether items are looked at one by one before they are sent.
    pub(super) fn is_filtered(&self, link: usize) -> bool {
        let of = &self.state.links[link];
        of.filter.is_some() || of.refilter
    }

    /// What is to happen with an item of a filtered sync. `entry` is what the device has of it in this round, `changes`
    /// the selection of the same sync without a filter.
    pub(super) fn verdict(
        &self,
        link: usize,
        changes: &Selection,
        item: &Item,
        entry: Option<&Entry>,
    ) -> Verdict {
        let of = &self.state.links[link];
        let changed = |round: Round| changes.wants(round, &item.meta, entry);
        let send_if = |send: bool| if send { Verdict::Send } else { Verdict::Leave };
        if item.meta.deleted {
            return send_if(changed(of.round));
        }
        let luid = entry.and_then(|entry| entry.luid.as_deref());
        let passes = self.passes(of.filter.as_ref(), item, luid);
        match (luid, passes) {
            (Some(_), true) => send_if(of.refield || changed(of.round)),
            (Some(_), false) => match of.filter.as_ref().map(|filter| filter.kind) {
                Some(FilterType::Exclusive) => Verdict::Remove,
                _ => send_if(changed(of.round)),
            },
            (None, true) => send_if(entry.is_none() || changed(of.round)),
            (None, false) if entry.is_some_and(|entry| entry.sent.is_some()) => Verdict::Forget,
            (None, false) => Verdict::Leave,
        }
    }

    /// Whether an item passes. One that cannot be read passes: the sender says so.
    pub(super) fn passes(&self, filter: Option<&Filter>, item: &Item, luid: Option<&str>) -> bool {
        let Some(filter) = filter.filter(|filter| filter.record.is_some()) else {
            return true;
        };
        let Some(record) = content::read_stored(&item.body, item.meta.format) else {
            return true;
        };
        filter.passes(&Subject {
            record: &record,
            octets: item.body.len() as u64,
            luid,
            guid: &item.meta.id.guid(),
            time_zone: self.context.settings.time_zone,
        })
    }

    /// Whether the device could know of an item, by the filter of this sync or of the one before: in a refresh from the
    /// device nothing else is taken for deleted.
    pub(super) fn within_view(&self, link: usize, item: &Item) -> bool {
        let of = &self.state.links[link];
        self.passes(of.filter.as_ref().or(of.held.as_ref()), item, None)
    }
}

/// A filter as it is meant for the items of a datastore; `None` if it lets all pass.
fn meant(view: Datastore, mut filter: Filter) -> Option<Filter> {
    if view == Datastore::Mail {
        filter.record = filter.record.and_then(Expression::for_mail);
    }
    (filter.record.is_some() || filter.fields.is_some()).then_some(filter)
}

/// A filter that is not taken.
struct Refused {
    code: Code,
    why: String,
}

impl Refused {
    fn new(code: Code, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { code, why }
    }
}

impl From<FilterError> for Refused {
    fn from(error: FilterError) -> Self {
        let code = match error {
            FilterError::Grammar(..) => Code::BAD_CGI_SCRIPT,
            FilterError::Unsupported(_) => Code::FEATURE_NOT_SUPPORTED,
        };
        Self::new(code, error.to_string())
    }
}

/// Reads a Filter element.
fn read_element(view: Datastore, element: &syncml::Filter<'_>) -> Result<Filter, Refused> {
    if let Some(media) = element.meta.kind.as_deref() {
        let known = device::formats(view)
            .iter()
            .chain(&[
                Format::VCard40,
                Format::SifContact,
                Format::SifEvent,
                Format::SifTask,
                Format::SifNote,
            ])
            .any(|format| device::carries(*format, view) && names(media, format.mime()));
        if !known {
            return Err(Refused::new(
                Code::UNSUPPORTED_MEDIA_TYPE,
                format!("{view} has no items of type {media:.64}"),
            ));
        }
    }
    let kind = FilterType::parse(element.filter_type.as_deref()).ok_or_else(|| {
        Refused::new(
            Code::BAD_CGI_SCRIPT,
            "FilterType is neither INCLUSIVE nor EXCLUSIVE",
        )
    })?;
    let record = match &element.record {
        Some(item) => read_record(item)?,
        None => None,
    };
    let fields = match &element.field {
        Some(item) => read_fields(item)?,
        None => None,
    };
    Ok(Filter {
        kind,
        record,
        fields,
    })
}

/// Whether a media type is that one, parameters left out.
fn names(media: &str, mime: &str) -> bool {
    let bare = media.split(';').next().unwrap_or_default().trim();
    bare.eq_ignore_ascii_case(mime)
}

fn type_of<'m>(item: &'m syncml::Item<'_>) -> Option<&'m str> {
    item.meta.as_ref().and_then(|meta| meta.kind.as_deref())
}

fn read_record(item: &syncml::Item<'_>) -> Result<Option<Expression>, Refused> {
    if let Some(grammar) = type_of(item).filter(|kind| !names(kind, filter::GRAMMAR)) {
        return Err(Refused::new(
            Code::BAD_CGI_SCRIPT,
            format!("the grammar {grammar:.64} is not known"),
        ));
    }
    let text = match &item.data {
        Data::None => Some(""),
        data => data
            .bytes()
            .and_then(|bytes| std::str::from_utf8(bytes).ok()),
    };
    let text = text.ok_or_else(|| Refused::new(Code::BAD_CGI_SCRIPT, "the Record is no text"))?;
    Ok(Expression::parse(text)?)
}

fn read_fields(item: &syncml::Item<'_>) -> Result<Option<Vec<PropertyCapability>>, Refused> {
    let properties = match &item.data {
        Data::None => return Ok(None),
        Data::Properties(properties) => properties,
        _ => {
            return Err(Refused::new(
                Code::BAD_CGI_SCRIPT,
                "the Field lists no properties",
            ));
        }
    };
    if properties.len() > MAX_FIELDS {
        return Err(Refused::new(
            Code::FEATURE_NOT_SUPPORTED,
            format!("more than {MAX_FIELDS} fields"),
        ));
    }
    Ok(Some(properties.iter().map(device::property).collect()))
}

/// The Filter element and the address together: both have to pass.
fn join(filter: Option<Filter>, address: Address) -> Result<Option<Filter>, Refused> {
    let Address::Filtered(expression) = address else {
        return Ok(filter);
    };
    let Some(filter) = filter else {
        return Ok(Some(Filter {
            kind: FilterType::Inclusive,
            record: Some(expression),
            fields: None,
        }));
    };
    let record = match &filter.record {
        Some(record) => Expression::parse(&format!("({record})&AND;({expression})"))?,
        None => Some(expression),
    };
    Ok(Some(Filter { record, ..filter }))
}

/// Refuses what the datastore's items cannot answer: an EXCLUSIVE filter on a misspelt field would empty the device.
fn check(view: Datastore, filter: Option<Filter>) -> Result<Option<Filter>, Refused> {
    // What lets everything pass is no filter.
    let Some(filter) = filter.filter(|filter| filter.record.is_some() || filter.fields.is_some())
    else {
        return Ok(None);
    };
    let Some(record) = &filter.record else {
        return Ok(Some(filter));
    };
    let kinds: Vec<Kind> = [
        Kind::Contact,
        Kind::Event,
        Kind::Task,
        Kind::Note,
        Kind::Mail,
    ]
    .into_iter()
    .filter(|kind| view.collections().contains(&device::home(*kind)))
    .collect();
    let timed = kinds
        .iter()
        .any(|kind| matches!(kind, Kind::Event | Kind::Task | Kind::Mail));
    if record.has_window() && !timed {
        let error = FilterError::Unsupported(format!("SINCE or BEFORE, but {view} have no times"));
        return Err(error.into());
    }
    for field in record.fields() {
        if let Field::Property(name, _) = field
            && !name.starts_with("X-")
            && !super::devinf::filterable(view).any(|known| known.eq_ignore_ascii_case(name))
        {
            let error = FilterError::Unsupported(format!("the property {name}"));
            return Err(error.into());
        }
    }
    Ok(Some(filter))
}
