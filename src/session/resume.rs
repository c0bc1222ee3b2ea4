//! Suspend and resume (OMA DS Protocol 1.2, Alerts 224 and 225).
//!
//! A client suspends, or is cut off; in its next session it resumes. The sync then goes on in its round: what either side
//! was told and confirmed stays so, what has no Status is sent again, with the same GUID. A large object goes on behind
//! its last confirmed chunk. Anchors move at the end only, as ever.

use serde::{Deserialize, Serialize};

use super::LoadFailed;
use super::alert::Wanted;
use super::send::Filling;
use super::state::{Awaited, Counts, Finished, Incoming, Link, Outgoing, Phase, Stage, State};
use super::turn::Turn;
use crate::sync::{
    Answer, Datastore, Entry, Generation, Item, ItemId, KnownQuery, Modseq, Query, ViewState,
};
use crate::syncml::{Alert, Code, Command, Version};

/// Messages in a row that only ask for the next one, after which a resumed client is taken to have nothing to send:
/// Symbian sends no empty Sync then.
const BARE_MESSAGES: u32 = 3;

/// What an earlier session left, for a client that resumes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Interrupted {
    /// Each with whether it went through. Other members name them by position.
    pub links: Vec<(Link, bool)>,
    pub awaited: Vec<Awaited>,
    pub incoming: Option<Incoming>,
    #[serde(default)]
    pub finished: Option<Finished>,
    pub outgoing: Option<Outgoing>,
}

impl Interrupted {
    /// What the device's last session leaves, and what the one before left and this one did not touch.
    pub(super) fn of(mut state: State) -> Self {
        let went_through = state.phase == Phase::Done && !state.suspended;
        let older = state.interrupted.take().unwrap_or_default();
        if state.links.is_empty() {
            return older;
        }
        let older: Vec<_> = older
            .links
            .into_iter()
            .filter(|(link, _)| state.links.iter().all(|newer| newer.view != link.view))
            .collect();
        let links = state.links.into_iter().map(|link| (link, went_through));
        Self {
            links: links.chain(older).collect(),
            awaited: state.awaited,
            incoming: state.incoming,
            finished: state.finished,
            outgoing: state.outgoing.or(state.closing),
        }
    }

    /// Some sync did not go through that is none of these.
    pub(super) fn is_open_beside(&self, links: &[Link]) -> bool {
        self.links.iter().any(|(left, went_through)| {
            !went_through && links.iter().all(|link| link.view != left.view)
        })
    }

    /// The sync of a view that a client can resume: no other has begun since, and the client is where it was.
    fn resumable(&self, view: Datastore, state: &ViewState, last: &str) -> Option<usize> {
        let knows = |generation: &Option<Generation>| {
            generation
                .as_ref()
                .is_some_and(|of| of.client_anchor == last)
        };
        self.links.iter().position(|(link, went_through)| {
            // One that went through is resumed by a client that did not see its end. One in which the client was to name all
            // that it has, and had not begun to, is begun anew: SyncEvolution would resume it with nothing.
            link.view == view
                && (!link.mode.names_everything() || link.has_begun())
                && link.round == state.round
                && (last.is_empty() && !went_through
                    || !last.is_empty() && last == link.client_last
                    || !last.is_empty() && last == link.client_next
                    || knows(&link.basis))
        })
    }
}

impl Turn<'_> {
    /// Alert 224: the client ends this session and will resume it.
    pub(super) fn suspend(&mut self, alert: &Alert<'_>, position: u32) {
        let code = if self.state.version < Version::V12 {
            Code::FEATURE_NOT_SUPPORTED
        } else {
            self.suspended_at = Some(position);
            Code::OK
        };
        if !alert.no_resp {
            self.answer(position, &alert.cmd_id, "Alert", code);
        }
    }

    /// The command stands behind the Alert that suspends the session.
    pub(super) fn is_cancelled(&self, position: u32) -> bool {
        self.suspended_at.is_some_and(|at| position > at)
    }

    /// The session ends here; its syncs do not.
    pub(super) fn leave_unfinished(&mut self) {
        self.state.suspended = true;
        self.state.phase = Phase::Done;
        self.state.opening = false;
    }

    /// The sync of an earlier session that this Alert resumes, to go on with; `fresh` is how it would begin anew.
    pub(super) fn resumed(&mut self, state: &ViewState, last: &str, fresh: &Link) -> Option<Link> {
        let left = self.state.interrupted.as_ref()?;
        let from = left.resumable(fresh.view, state, last)?;
        let index = self
            .state
            .links
            .iter()
            .position(|link| link.view == fresh.view);
        let index = index.unwrap_or(self.state.links.len());
        let (old, _) = &left.links[from];
        if let Some(out) = left.outgoing.clone().filter(|out| out.link == from) {
            self.state.outgoing = Some(Outgoing {
                link: index,
                offset: out.confirmed,
                ..out
            });
        }
        if let Some(begun) = left.incoming.clone().filter(|begun| begun.link == from) {
            self.state.incoming = Some(Incoming {
                link: index,
                resumed: true,
                ..begun
            });
        }
        if let Some(finished) = left.finished.clone().filter(|of| of.link == from) {
            self.state.finished = Some(Finished {
                link: index,
                ..finished
            });
        }
        let under_way = self.state.outgoing.as_ref().map(|out| out.item);
        let mut again: Vec<ItemId> = left
            .awaited
            .iter()
            .filter(|awaited| awaited.link == from && Some(awaited.item) != under_way)
            .map(|awaited| awaited.item)
            .chain(old.again.iter().copied())
            .collect();
        again.sort_unstable();
        again.dedup();
        // A filter that is not said again is as it was.
        let filtered = if fresh.filter.is_some() { fresh } else { old };
        Some(Link {
            filter: filtered.filter.clone(),
            held: filtered.held.clone(),
            refilter: filtered.refilter,
            refield: filtered.refield,
            mode: old.mode,
            round: old.round,
            basis: old.basis.clone(),
            unconfirmed: old.unconfirmed,
            unmapped: old.unmapped.clone(),
            repeated: old.repeated.clone(),
            has_all: old.has_all,
            client_last: if last.is_empty() {
                old.client_last.clone()
            } else {
                last.to_owned()
            },
            considered: Modseq(0),
            counts: Counts::default(),
            resumed: true,
            begun: old.has_begun(),
            again,
            ..fresh.clone()
        })
    }

    /// What a client wants that resumes; a note says so.
    pub(super) fn note_resumed(&mut self, link: &Link, wanted: Wanted, view: Datastore) {
        if wanted != Wanted::Resume {
            return;
        }
        if link.resumed {
            self.note(Some(view), None, "the device resumes its last session");
        } else {
            let text = "slow sync: there is no session that the device could resume";
            self.note_slow(view, text);
        }
    }

    /// Before the first Sync: what the client has confirmed or changed meanwhile is not sent again.
    pub(super) fn prune_again(&mut self, link: usize) -> Result<(), LoadFailed> {
        let mut again = std::mem::take(&mut self.state.links[link].again);
        if !again.is_empty() {
            self.load_known(KnownQuery {
                view: self.state.links[link].view,
                luids: Vec::new(),
                items: again.clone(),
                keys: Vec::new(),
            })?;
            again.retain(|id| {
                let entry = self.items.get(id).and_then(|held| held.entry.as_ref());
                entry.is_some_and(|entry| entry.sent.is_some())
            });
            self.state.links[link].again = again;
        }
        Ok(())
    }

    /// Sends again what had no Status in the session that is resumed. False if the message is full.
    pub(super) fn send_again(&mut self, filling: &mut Filling) -> Result<bool, LoadFailed> {
        let link = filling.link;
        self.prune_again(link)?;
        let again = std::mem::take(&mut self.state.links[link].again);
        if again.is_empty() {
            return Ok(true);
        }
        let Answer::Items(loaded) = self.loads.load(&Query::Items(again))? else {
            return Err(LoadFailed);
        };
        let items: Vec<(Item, Option<Entry>)> = loaded
            .into_iter()
            .filter_map(|item| {
                let held = self.items.get(&item.meta.id)?;
                let body = held.body.clone().unwrap_or(item.body);
                let item = Item {
                    meta: held.meta.clone(),
                    body,
                };
                Some((item, held.entry.clone()))
            })
            .collect();
        for (at, (item, entry)) in items.iter().enumerate() {
            let full = self.is_full(filling, item.clone(), entry.clone());
            if full || self.state.outgoing.is_some() {
                let rest = &items[at + usize::from(!full)..];
                self.state.links[link].again = rest.iter().map(|(item, _)| item.meta.id).collect();
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A resumed client that sent another bare message is taken to have nothing to send; see [`BARE_MESSAGES`].
    pub(super) fn has_nothing_to_send(&self) -> bool {
        let mut links = self.state.links.iter();
        self.state.phase == Phase::Receiving
            && self.state.idle + 1 >= BARE_MESSAGES
            && self.state.incoming.is_none()
            && links.all(|link| link.resumed || link.stage != Stage::Alerted)
            && self.state.links.iter().any(|link| link.resumed)
    }
}

/// The message has nothing but Statuses and requests for the next message.
pub(super) fn is_bare(body: &[Command<'_>]) -> bool {
    body.iter().all(|command| match command {
        Command::Status(_) => true,
        Command::Alert(alert) => alert.code == Some(222),
        _ => false,
    })
}
