//! Bodies as they come from the device, and how they are read (Representation Protocol, Data and Meta).
//!
//! A body is parsed once. The very octets that the device sent last are not parsed at all.

use std::borrow::Cow;
use std::cell::OnceCell;

use base64::Engine as _;
use rustc_hash::FxHashMap;
use twox_hash::XxHash3_64;

use super::apply::Op;
use super::profile::Target;
use super::turn::Turn;
use crate::content::email::Folder;
use crate::content::{self, Digest, Floating, Format, Kind, MatchKey, ReadHint, Record};
use crate::device;
use crate::sync::{ItemId, ItemMeta, Mark};
use crate::syncml::{Code, Meta};

/// What came for an item.
pub(super) enum Content<'m> {
    /// Nothing: it is to be deleted or moved.
    Absent,
    /// A body that was not looked into yet.
    Unread(Unread<'m>),
    /// The very octets that the device sent last, of an item that nobody changed since.
    Unchanged(ItemId),
    /// A body that was read.
    Body(Incoming<'m>),
}

/// A body as it came.
pub(super) struct Unread<'m> {
    body: Cow<'m, [u8]>,
    media: Option<Format>,
    mark: Mark,
}

/// A body that came and was read.
pub(super) struct Incoming<'m> {
    pub body: Cow<'m, [u8]>,
    pub format: Format,
    pub kind: Kind,
    pub digest: Digest,
    pub key: MatchKey,
    pub mark: Mark,
    /// The body says all without knowing the device: it can be kept as it is.
    pub plain: bool,
    hint: ReadHint<'static>,
    /// Most bodies are new or known: nobody asks for their fields again, so these are not kept.
    record: OnceCell<Record>,
}

impl Incoming<'_> {
    /// The item.
    pub(super) fn record(&self) -> &Record {
        self.record.get_or_init(|| {
            content::read(&self.body, &self.hint)
                .expect("a body that was read can be read again")
                .record
        })
    }
}

impl Incoming<'static> {
    /// A stored body as if it came; `None` if it cannot be read.
    pub(super) fn of_stored(meta: &ItemMeta, body: &[u8]) -> Option<Self> {
        let kind = matches!(meta.format, Format::PlainText | Format::VNote11).then_some(Kind::Note);
        let hint = ReadHint {
            format: Some(meta.format),
            kind,
            ..ReadHint::default()
        };
        let parsed = content::read(body, &hint).ok()?;
        Some(Self {
            plain: true,
            digest: meta.digest,
            key: meta.key,
            mark: Mark::default(),
            format: meta.format,
            kind: parsed.record.kind,
            body: Cow::Owned(body.to_vec()),
            hint,
            record: OnceCell::new(),
        })
    }
}

impl Incoming<'static> {
    /// A folder of our own making.
    pub(super) fn of_folder(folder: &Folder) -> Option<Self> {
        let body = folder.write();
        let hint = ReadHint {
            format: Some(Format::Folder),
            kind: Some(Kind::Folder),
            ..ReadHint::default()
        };
        let parsed = content::read(&body, &hint).ok()?;
        Some(Self {
            plain: true,
            digest: content::digest(&parsed.record),
            key: content::match_key(&parsed.record),
            mark: Mark::default(),
            format: Format::Folder,
            kind: Kind::Folder,
            body: Cow::Owned(body),
            hint,
            record: OnceCell::new(),
        })
    }
}

/// The mark of the octets of a body and of what says how to read them. It compares what a device sends with what the same device
/// sent: XXH3 is enough, and costs a tenth of a cryptographic hash.
fn mark(body: &[u8], media: Option<Format>) -> Mark {
    let form = media.map_or(0xFF, |format| format as u64);
    let hash = XxHash3_64::oneshot_with_seed(form, body);
    // 0 stands for no octets.
    Mark(hash.cast_signed() | 1)
}

impl Turn<'_> {
    /// Reads a body.
    fn incoming<'m>(
        &mut self,
        link: usize,
        target: &Target,
        unread: Unread<'m>,
        luid: &str,
    ) -> Result<Incoming<'m>, Code> {
        let view = self.state.links[link].view;
        let hint = ReadHint {
            format: unread.media,
            kind: Some(device::default_kind(view)),
            ..target.hint()
        };
        let parsed = content::read(&unread.body, &hint).map_err(|error| {
            self.note(
                Some(view),
                Some(luid),
                format!("an item cannot be read: {error}"),
            );
            Code::UNSUPPORTED_MEDIA_TYPE
        })?;
        if !view
            .collections()
            .contains(&device::home(parsed.record.kind))
        {
            self.note(
                Some(view),
                Some(luid),
                format!("a {:?} does not belong into {view}", parsed.record.kind),
            );
            return Err(Code::UNSUPPORTED_MEDIA_TYPE);
        }
        let form = parsed.format;
        if form.is_sif() && !target.holding.form_told && target.holding.format != form {
            self.learn_form(link, form);
        }
        for warning in &parsed.warnings {
            self.note(Some(view), Some(luid), format!("odd content: {warning}"));
        }
        let digest = content::digest(&parsed.record);
        let key = content::match_key(&parsed.record);
        let kind = parsed.record.kind;
        // What is read by a dialect is kept: almost every such item is compared.
        let record = match hint.dialect {
            Some(_) => OnceCell::from(parsed.record),
            None => OnceCell::new(),
        };
        Ok(Incoming {
            // A mail has a stored form of its own.
            plain: hint.floating == Floating::Keep
                && hint.dialect.is_none()
                && kind != Kind::Mail
                && !parsed.format.is_sif(),
            digest,
            key,
            mark: unread.mark,
            format: parsed.format,
            kind,
            body: unread.body,
            hint: ReadHint {
                charset: None,
                dialect: None,
                ..hint
            },
            record,
        })
    }

    /// Tells bodies that are as they were from others, and reads those.
    pub(super) fn read_bodies(&mut self, link: usize, target: &Target, ops: &mut [Op<'_>]) {
        let collections = self.state.links[link].view.collections();
        let mut unchanged: FxHashMap<&str, Option<(ItemId, Mark)>> = FxHashMap::default();
        for (id, held) in &self.items {
            if let Some(entry) = &held.entry
                && let Some(luid) = &entry.luid
                && entry.mark != Mark::default()
                && entry.failures == 0
                && entry.sent.is_none()
                && entry.seen == held.meta.modseq
                && !held.meta.deleted
                && collections.contains(&held.meta.datastore)
            {
                unchanged.insert(luid, Some((*id, entry.mark)));
            }
        }
        let known: Vec<Option<ItemId>> = ops
            .iter()
            .map(|op| {
                // A LUID that comes twice is known the first time only; what comes first then counts for nothing.
                let (id, mark) = unchanged.get_mut(op.luid.as_str())?.take()?;
                match &op.content {
                    Ok(Content::Unread(unread)) if unread.mark == mark => Some(id),
                    _ => None,
                }
            })
            .collect();
        for (op, known) in ops.iter_mut().zip(known) {
            op.content = match std::mem::replace(&mut op.content, Ok(Content::Absent)) {
                Ok(Content::Unread(unread)) => match known {
                    Some(id) => Ok(Content::Unchanged(id)),
                    None => self
                        .incoming(link, target, unread, &op.luid)
                        .map(Content::Body),
                },
                other => other,
            };
        }
    }
}

/// A body, freed of base64, with the form that it is labelled with.
pub(super) fn unread<'m>(
    data: Cow<'m, [u8]>,
    media: Option<&str>,
    metas: [Option<&Meta<'_>>; 2],
) -> Result<Unread<'m>, Code> {
    let metas = || metas.iter().flatten();
    let encoded = metas().find_map(|meta| meta.format.as_deref());
    let body = if encoded.is_some_and(|format| format.eq_ignore_ascii_case("b64")) {
        let compact: Vec<u8> = data
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let decoded = base64::engine::general_purpose::STANDARD.decode(compact);
        Cow::Owned(decoded.map_err(|_| Code::UNSUPPORTED_MEDIA_TYPE)?)
    } else {
        data
    };
    let version = metas().find_map(|meta| meta.version.as_deref());
    let media = media.and_then(|media| Format::from_mime(media, version));
    Ok(Unread {
        mark: mark(&body, media),
        body,
        media,
    })
}
