//! Alerts: which datastores are synced, how, and whether the anchors fit (Sync Protocol 1.1 sections 2.2, 2.9-2.12, 5.5).

use std::borrow::Cow;

use chrono::DateTime;

use super::LoadFailed;
use super::hierarchy::has_folders;
use super::repeated::Repeated;
use super::state::{Link, Mode, Owed, Phase, Stage};
use super::turn::Turn;
use super::unmapped::Unmapped;
use crate::filter::Filter;
use crate::sync::recording::{Event, What};
use crate::sync::{Answer, Change, Generation, Query};
use crate::syncml::{Alert, Anchor, Code, Command, Data, Item, Location, Meta, Version};

/// Datastores of one session.
const MAX_LINKS: usize = 16;
/// Octets of an anchor or an address that a phone may have us keep.
const MAX_TEXT: usize = 512;

/// What an Alert for a datastore asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A sync of this type.
    Sync(Mode),
    /// To go on with the sync of the session before.
    Resume,
}

impl Turn<'_> {
    pub(super) fn alert(&mut self, alert: &Alert<'_>, position: u32) -> Result<(), LoadFailed> {
        let Some(code) = alert.code else {
            self.answer(position, &alert.cmd_id, "Alert", Code::INCOMPLETE_COMMAND);
            return Ok(());
        };
        let wanted = match (Mode::from_alert(code), code) {
            (Some(mode), _) => Wanted::Sync(mode),
            (None, 224) => {
                self.suspend(alert, position);
                return Ok(());
            }
            (None, 225) if self.state.version >= Version::V12 => Wanted::Resume,
            (None, _) => {
                let status = match code {
                    // Display, result alert, next message, end of data.
                    100 | 221..=223 => Code::OK,
                    _ => Code::FEATURE_NOT_SUPPORTED,
                };
                if !alert.no_resp {
                    self.answer(position, &alert.cmd_id, "Alert", status);
                }
                return Ok(());
            }
        };
        if alert.items.is_empty() {
            self.answer(position, &alert.cmd_id, "Alert", Code::INCOMPLETE_COMMAND);
            return Ok(());
        }
        for item in &alert.items {
            let uri = |location: &Option<Location<'_>>| {
                location
                    .as_ref()
                    .map(|location| location.uri.to_string())
                    .unwrap_or_default()
            };
            let (target, source) = (uri(&item.target), uri(&item.source));
            let anchor = item.meta.as_ref().and_then(|meta| meta.anchor.as_ref());
            let next = anchor.map(|anchor| anchor.next.to_string());
            let code = self.begin(wanted, &target, &source, anchor, item)?;
            if !alert.no_resp {
                let owed = Owed {
                    msg_ref: self.msg_ref.clone(),
                    cmd_ref: alert.cmd_id.to_string(),
                    cmd: "Alert".to_owned(),
                    target_ref: Some(target),
                    source_ref: Some(source),
                    code,
                    anchor_next: next
                        .filter(|_| code.is_success() || code == Code::REFRESH_REQUIRED),
                };
                self.reply.owe(position, owed);
            }
        }
        Ok(())
    }

    /// Begins the sync of a datastore; gives the Status.
    fn begin(
        &mut self,
        wanted: Wanted,
        target: &str,
        source: &str,
        anchor: Option<&Anchor<'_>>,
        item: &Item<'_>,
    ) -> Result<Code, LoadFailed> {
        if self.state.phase != Phase::Initialising && self.state.phase != Phase::Receiving {
            return Ok(Code::COMMAND_NOT_ALLOWED);
        }
        // Sony Ericsson C510 leaves the target empty.
        let local = if target.trim_matches(['.', '/']).is_empty() {
            source
        } else {
            target
        };
        let too_long = [target, source].iter().any(|uri| uri.len() > MAX_TEXT)
            || anchor.is_some_and(|anchor| {
                anchor.next.len() > MAX_TEXT
                    || anchor
                        .last
                        .as_ref()
                        .is_some_and(|last| last.len() > MAX_TEXT)
            });
        if too_long {
            return Ok(Code::URI_TOO_LONG);
        }
        let Some(view) = self.view_at(local, source) else {
            self.note(
                None,
                None,
                format!("the device asked for an unknown datastore {local:?}"),
            );
            return Ok(Code::NOT_FOUND);
        };
        let filter = match self.filter_of(view, local, item) {
            Ok(filter) => filter,
            Err(code) => return Ok(code),
        };
        if self.state.links.len() >= MAX_LINKS {
            return Ok(Code::COMMAND_NOT_ALLOWED);
        }
        if let Some(meta) = &item.meta
            && let Some(octets) = meta.max_obj_size
        {
            self.state.max_object = octets;
        }
        let mut state = self.view_state(view);
        let last = anchor
            .and_then(|anchor| anchor.last.as_deref())
            .unwrap_or_default();
        let knows = |generation: &Option<Generation>| {
            generation
                .as_ref()
                .filter(|generation| !last.is_empty() && generation.client_anchor == last)
                .cloned()
        };
        if wanted == Wanted::Sync(Mode::Slow) {
            self.trace.push(&Event {
                text: "slow sync: the device asks for it",
                ..Event::new(What::SlowSync, Some(view))
            });
        }
        // An anchor that is sent as Last and as Next says nothing of the sync before; the last confirmed one counts.
        let says_nothing = !last.is_empty() && anchor.is_some_and(|anchor| anchor.next == last);
        let basis = knows(&state.confirmed)
            .or_else(|| knows(&state.previous))
            .or_else(|| state.confirmed.clone().filter(|_| says_nothing));
        let mode = match wanted {
            Wanted::Sync(mode) => mode,
            // If it cannot.
            Wanted::Resume => Mode::Slow,
        };
        if mode == Mode::RefreshFromServer && self.would_wipe(view)? {
            return Ok(Code::FORBIDDEN);
        }
        let slow = mode.needs_anchors() && basis.is_none();
        let held = basis
            .as_ref()
            .or(state.confirmed.as_ref())
            .and_then(|generation| Filter::from_text(generation.filter.as_deref()?));
        let fields = |filter: &Option<Filter>| filter.as_ref().and_then(|of| of.fields.clone());
        let newest = state
            .confirmed
            .as_ref()
            .map(|generation| generation.server_anchor.as_str());
        let server_next = next_anchor(newest, self.context.now);
        let round = crate::sync::Round(state.round.0 + 1);
        let mut link = Link {
            view,
            local: local.to_owned(),
            remote: source.to_owned(),
            mode: if slow { Mode::Slow } else { mode },
            stage: Stage::Alerted,
            round,
            basis,
            client_next: anchor
                .map(|anchor| anchor.next.to_string())
                .unwrap_or_default(),
            server_next,
            alert_owed: true,
            sync_sent: false,
            unconfirmed: 0,
            unmapped: Unmapped::default(),
            repeated: None,
            has_all: false,
            begun_at: self.modseq,
            considered: crate::sync::Modseq(0),
            full: false,
            refilter: filter != held,
            refield: fields(&filter) != fields(&held),
            filter,
            held,
            counts: super::state::Counts::default(),
            withheld: None,
            free_items: None,
            free_octets: None,
            client_last: last.to_owned(),
            resumed: false,
            begun: false,
            again: Vec::new(),
        };
        if link.mode == Mode::Slow && !has_folders(view) {
            link.repeated = Some(Repeated::default());
        }
        let overlaps = |other: &Link| {
            other.view != view
                && other
                    .view
                    .collections()
                    .iter()
                    .any(|one| view.collections().contains(one))
        };
        if self.state.links.iter().any(overlaps) {
            return Ok(Code::COMMAND_NOT_ALLOWED);
        }
        let resumed = match wanted {
            Wanted::Resume => self.resumed(&state, last, &link),
            Wanted::Sync(_) => None,
        };
        let slow = slow || (wanted == Wanted::Resume && resumed.is_none());
        let link = resumed.unwrap_or(link);
        self.note_resumed(&link, wanted, view);
        state.round = link.round;
        self.put_view_state(view, state);
        let index = match self.state.links.iter().position(|other| other.view == view) {
            Some(index) => {
                self.state.links[index] = link;
                index
            }
            None => {
                self.state.links.push(link);
                self.state.links.len() - 1
            }
        };
        self.targets.remove(&index);
        // Resumed: what has had no Map, or was repeated, is looked for in the view from here on.
        self.write_unmapped(index)?;
        if self.state.links[index].resumed {
            self.end_repetition(view);
        }
        if slow && wanted == Wanted::Resume {
            self.forced.push(index);
            Ok(Code::REFRESH_REQUIRED)
        } else if slow {
            self.forced.push(index);
            let text = if last.is_empty() {
                "slow sync: the device has no anchor"
            } else {
                "slow sync: the device's anchor is not that of a sync that ended here"
            };
            self.note_slow(view, text);
            Ok(Code::REFRESH_REQUIRED)
        } else {
            Ok(Code::OK)
        }
    }

    /// Our Alert for each datastore, as far as they fit. True if none is left.
    pub(super) fn alerts_of_links(&mut self) -> bool {
        for index in 0..self.state.links.len() {
            let link = &self.state.links[index];
            if !link.alert_owed {
                continue;
            }
            // Without separate initialisation and with fitting anchors there is nothing to say.
            let last = link
                .basis
                .as_ref()
                .map(|generation| generation.server_anchor.clone());
            let meta = Meta {
                anchor: Some(Anchor {
                    // Some devices dislike an empty one.
                    last: Some(last.map_or(Cow::Borrowed("0"), Cow::Owned)),
                    next: Cow::Owned(link.server_next.clone()),
                }),
                max_obj_size: (self.state.version > Version::V10)
                    .then_some(self.context.settings.max_object),
                ..Meta::default()
            };
            let alert = Alert {
                code: Some(link.mode.alert()),
                items: vec![Item {
                    target: Some(Location::new(link.remote.clone())),
                    source: Some(Location::new(link.local.clone())),
                    meta: Some(Box::new(meta)),
                    ..Item::default()
                }],
                ..Alert::default()
            };
            if self.reply.push(Command::Alert(alert)).is_none() {
                return false;
            }
            self.state.links[index].alert_owed = false;
        }
        true
    }

    /// Alert 100 for each text that waits for the user, as far as they fit: the rest is for the next session.
    pub(super) fn announce(&mut self) -> Result<(), LoadFailed> {
        self.state.announced = true;
        let Answer::Announcements(texts) = self.loads.load(&Query::Announcements)? else {
            return Err(LoadFailed);
        };
        let mut shown = None;
        for (number, text) in texts {
            let alert = Alert {
                code: Some(100),
                items: vec![Item {
                    data: Data::Bytes(text.into_bytes().into()),
                    ..Item::default()
                }],
                ..Alert::default()
            };
            if self.reply.push(Command::Alert(alert)).is_none() {
                break;
            }
            self.note(None, None, "a text is shown to the user");
            shown = Some(number);
        }
        if let Some(upto) = shown {
            self.changes.push(Change::DropAnnouncements { upto });
        }
        Ok(())
    }

    /// Asks for the next message of the client's package, or offers the next of ours.
    pub(super) fn next_message(&mut self) {
        let device = self.device.uri.clone();
        let alert = Alert {
            code: Some(222),
            items: vec![Item {
                target: Some(Location::new(device)),
                source: Some(Location::new(self.context.settings.server_id.clone())),
                ..Item::default()
            }],
            ..Alert::default()
        };
        // Octets for it are kept free in every reply; a peer with a smaller limit than our least gets it all the same.
        if self.reply.push(Command::Alert(alert.clone())).is_none() {
            self.reply.push_reserved(Command::Alert(Alert {
                cmd_id: "9999".into(),
                items: Vec::new(),
                ..alert
            }));
        }
    }
}

/// Our Next: the time, but never one that was used before for this view.
fn next_anchor(newest: Option<&str>, now: i64) -> String {
    let text = |seconds: i64| {
        DateTime::from_timestamp(seconds, 0)
            .unwrap_or_default()
            .format("%Y%m%dT%H%M%SZ")
            .to_string()
    };
    let mut seconds = now;
    let mut anchor = text(seconds);
    // Anchors sort as text; the newest can be ahead by as many syncs as there were within a second.
    while newest.is_some_and(|newest| newest >= anchor.as_str()) && seconds < now + 86_400 {
        seconds += 1;
        anchor = text(seconds);
    }
    anchor
}

#[cfg(test)]
mod tests {
    use super::next_anchor;

    #[test]
    fn anchors_never_repeat() {
        let first = next_anchor(None, 1_000_000_000);
        assert_eq!(first, "20010909T014640Z");
        assert_eq!(next_anchor(Some(&first), 1_000_000_000), "20010909T014641Z");
        assert_eq!(next_anchor(Some(&first), 1_000_000_777), "20010909T015937Z");
    }
}
