//! What the device does its own way: its profile, and what follows from it for a datastore.

use std::cell::RefCell;
use std::rc::Rc;

use chrono_tz::Tz;

use super::devinf;
use super::state::{LEAST_MAX_MESSAGE, Make};
use super::turn::Turn;
use crate::content::{self, Capabilities, Floating, Format, Heads, Kind, Merged, ReadHint, Record};
use crate::device;
use crate::device::profile::{Identity, Resolved, Traits};
use crate::filter::Filter;
use crate::sync::Datastore;
use crate::syncml::{ContentType, DataStoreInfo, DevInf};

/// Characters of an HTTP header that are kept.
const MAX_HEADER: usize = 200;

impl Turn<'_> {
    /// Finds the device's profile by all that is known of it, and takes it over. `told` is what it just told of itself.
    pub(super) fn recognise(&mut self, told: Option<&DevInf<'_>>) {
        let short = |text: &str| text.chars().take(MAX_HEADER).collect::<String>();
        if let Some(agent) = self.context.user_agent {
            self.device.user_agent = Some(short(agent));
        }
        if let Some(header) = self.context.profile_header {
            self.device.profile_header = Some(short(header));
        }
        match told {
            Some(devinf) => self.state.make = Some(make(devinf)),
            None if self.state.make.is_none() => {
                let devinf = self.context.documents.read(&self.device.devinf);
                self.state.make = devinf.as_deref().map(make);
            }
            None => {}
        }
        let make = self.state.make.as_ref();
        let identity = Identity {
            by_hand: self.device.profile.as_deref(),
            user_agent: self.device.user_agent.as_deref(),
            profile_header: self.device.profile_header.as_deref(),
            manufacturer: make.and_then(|make| make.manufacturer.as_deref()),
            model: make.and_then(|make| make.model.as_deref()),
            software: make.and_then(|make| make.software.as_deref()),
            device: &self.device.uri,
        };
        self.own = Rc::new(self.context.settings.profiles.resolve(&identity));
        self.targets.clear();
        let traits = &self.own.traits;
        self.reply
            .limit(message_limit(self.state.max_message, traits));
        self.reply.bare_errors = traits.bare_errors == Some(true);
        if let Some(namespace) = traits.root_namespace {
            self.state.root_namespace = namespace;
            self.reply.form = self.state.form();
        }
        if let Some(name) = self.own.unknown.clone().filter(|_| told.is_none()) {
            self.note(
                None,
                None,
                format!("the profile {name} was set by hand, but does not exist"),
            );
        }
    }

    /// A device that tells nothing of its forms shows by what it sends which one it takes: it is noted as if it had said so.
    pub(super) fn learn_form(&mut self, link: usize, format: Format) {
        let (view, remote) = {
            let of = &self.state.links[link];
            (of.view, of.remote.clone())
        };
        let told = self.context.documents.read(&self.device.devinf);
        let mut known = told.as_deref().cloned().unwrap_or_else(|| DevInf {
            ver_dtd: self.state.version.dtd().into(),
            dev_id: self.device.uri.clone().into(),
            utc: true,
            ..DevInf::default()
        });
        if known.datastores.iter().any(|of| of.source_ref == remote) {
            return;
        }
        let content_type = ContentType {
            kind: format.mime().into(),
            version: format.version().into(),
        };
        known.datastores.push(DataStoreInfo {
            source_ref: remote.into(),
            rx_pref: Some(content_type.clone()),
            tx_pref: Some(content_type),
            ..DataStoreInfo::default()
        });
        let document = devinf::keep(&known);
        self.device.devinf = document;
        self.targets.clear();
        self.note(
            Some(view),
            None,
            format!(
                "the device said nothing of its forms: it gets {}, as it sends",
                format.mime()
            ),
        );
    }

    /// What a datastore of the device can hold; `local` is our address that it asked for, `remote` its own.
    pub(super) fn target_at(
        &self,
        devinf: Option<&DevInf<'_>>,
        local: &str,
        remote: &str,
        view: Datastore,
    ) -> Target {
        let holding = device::Holding::with(devinf, remote, view, &self.own.traits);
        Target {
            holding: holding.asked_as(local),
            number_of_changes: devinf.is_some_and(|devinf| devinf.number_of_changes),
            large_objects: devinf.is_some_and(|devinf| devinf.large_objects),
            narrowed: None,
            heads: RefCell::default(),
            own: self.own.clone(),
            time_zone: self.context.settings.time_zone,
            now: self.context.now,
        }
    }
}

fn make(devinf: &DevInf<'_>) -> Make {
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
    Make {
        manufacturer: text(&devinf.man),
        model: text(&devinf.model),
        software: text(&devinf.sw_v),
    }
}

/// Octets of a message for a device that announced so many.
fn message_limit(announced: u64, traits: &Traits) -> u64 {
    let share = u64::from(traits.message_percent.unwrap_or(100));
    let limit = u64::from(traits.max_message.unwrap_or(u32::MAX));
    (announced / 100 * share + announced % 100 * share / 100)
        .max(LEAST_MAX_MESSAGE)
        .min(limit)
}

/// What a session knows of the device's datastore.
#[derive(Debug)]
pub(super) struct Target {
    pub holding: device::Holding,
    pub number_of_changes: bool,
    pub large_objects: bool,
    /// With a filter of fields: what counts when the device sends, and what is sent to it.
    narrowed: Option<(Capabilities, Capabilities)>,
    /// Of what is sent.
    pub heads: RefCell<Heads>,
    own: Rc<Resolved>,
    time_zone: Tz,
    now: i64,
}

impl Target {
    /// The same within the fields that filters leave: `held` is the filter under which the device got what it has. A field
    /// that either of the two leaves out is not taken for deleted.
    pub(super) fn narrowed(mut self, held: Option<&Filter>, filter: Option<&Filter>) -> Self {
        let fields = |filter: Option<&Filter>| filter.and_then(|filter| filter.fields.clone());
        let (held, wanted) = (fields(held), fields(filter));
        if held.is_some() || wanted.is_some() {
            let within = |of: &Capabilities, fields: &Option<_>| match fields {
                Some(fields) => of.only(Vec::as_slice(fields)),
                None => of.clone(),
            };
            let sent = within(&self.holding.capabilities, &wanted);
            self.narrowed = Some((within(&sent, &held), sent));
        }
        self
    }

    /// What the device can tell of an item, if it said anything.
    pub(super) fn capabilities(&self) -> Option<&Capabilities> {
        let capabilities = match &self.narrowed {
            Some((read, _)) => read,
            None => &self.holding.capabilities,
        };
        (!capabilities.is_empty()).then_some(capabilities)
    }

    /// What the device is to be sent of an item, if it said anything.
    pub(super) fn capabilities_to_send(&self) -> Option<&Capabilities> {
        let capabilities = match &self.narrowed {
            Some((_, sent)) => sent,
            None => &self.holding.capabilities,
        };
        (!capabilities.is_empty()).then_some(capabilities)
    }

    /// The form in which the device is sent items.
    pub(super) fn form(&self) -> content::Target<'_> {
        content::Target {
            format: self.holding.format,
            capabilities: self.capabilities_to_send(),
            utc: self.holding.utc,
            time_zone: self.time_zone,
            dialect: self.own.dialect(),
            mail: content::email::Shape::default(),
            now: self.now,
        }
    }

    /// The form in which the device is sent an item that is stored in a form.
    pub(super) fn format_of(&self, stored: Format) -> Format {
        if stored == Format::Folder {
            stored
        } else {
            self.holding.format
        }
    }

    /// How what the device sends is read.
    pub(super) fn hint(&self) -> ReadHint<'_> {
        let floating = if self.holding.unmarked_utc {
            Floating::Utc
        } else if !self.holding.utc && self.time_zone != Tz::UTC {
            Floating::Local
        } else {
            Floating::Keep
        };
        ReadHint {
            time_zone: self.time_zone,
            floating,
            dialect: self.own.dialect(),
            now: self.now,
            ..ReadHint::default()
        }
    }

    /// What the device was shown of an item, if that is not all: written for it and read back.
    fn shown(&self, stored: &Record) -> Option<Record> {
        let has_lines = matches!(stored.kind, Kind::Contact | Kind::Event | Kind::Task);
        if !self.holding.format.is_sif() {
            self.own.dialect().filter(|_| has_lines)?;
        }
        let body = content::write(stored, &self.form());
        let hint = ReadHint {
            format: Some(self.holding.format),
            kind: Some(stored.kind),
            ..self.hint()
        };
        content::read(&body, &hint).ok().map(|parsed| parsed.record)
    }

    /// Applies the device's edit to the stored item.
    pub(super) fn overlay(&self, stored: &Record, incoming: &Record) -> Record {
        match self.shown(stored) {
            Some(shown) => {
                let edit = content::restored(stored, incoming, &shown);
                content::overlay(stored, &edit, self.capabilities())
            }
            None => content::overlay(stored, incoming, self.capabilities()),
        }
    }

    /// Whether the device's item says the same as the stored one, as far as the device can tell.
    pub(super) fn same(&self, stored: &Record, incoming: &Record) -> bool {
        match self.shown(stored) {
            Some(shown) => {
                let edit = content::restored(stored, incoming, &shown);
                content::same(stored, &edit, self.capabilities())
            }
            None => content::same(stored, incoming, self.capabilities()),
        }
    }

    /// The same for two that nobody said are one. What is not told of a mail is as it was, so its message has to be the same too.
    pub(super) fn is_twin(&self, stored: &Record, incoming: &Record) -> bool {
        let message = stored.kind != Kind::Mail || content::matches(stored, incoming);
        message && self.same(stored, incoming)
    }

    /// Merges the device's edit with that of the server. `base` is what both had.
    pub(super) fn merge(
        &self,
        base: Option<&Record>,
        stored: &Record,
        incoming: &Record,
    ) -> Merged {
        let seen = base.unwrap_or(stored);
        match self.shown(seen) {
            Some(shown) => {
                let edit = content::restored(seen, incoming, &shown);
                content::merge(base, stored, &edit, self.capabilities())
            }
            None => content::merge(base, stored, incoming, self.capabilities()),
        }
    }
}
