//! The rest of mails of which only the beginning is stored (OMA DS Email 1.2, truncation).
//!
//! A device that asks for more of a mail than there is gets what there is, and a change tells whoever watches the mailbox to fetch all of
//! it from the mail server. When that came it is a new version of the item: the device gets it in its next sync, without asking
//! again.

use super::LoadFailed;
use super::state::Sent;
use super::turn::Turn;
use crate::content::Format;
use crate::content::email::Mail;
use crate::sync::{Answer, Asked, Change, Item, ItemId, Query};

/// What is to be noted of a mail once it is in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Settled,
    /// The device asks for more than there is.
    Missing(Asked),
    /// It is what the device asked for before.
    Came,
}

impl Turn<'_> {
    /// What the device waits for, loaded once for a message.
    pub(super) fn load_asked(&mut self) -> Result<(), LoadFailed> {
        if self.asked.is_none() {
            let Answer::Asked(asked) = self.loads.load(&Query::Asked)? else {
                return Err(LoadFailed);
            };
            self.asked = Some(asked);
        }
        Ok(())
    }

    fn asked_for(&self, item: ItemId) -> Option<Asked> {
        let mut asked = self.asked.iter().flatten();
        asked.find(|asked| asked.item == item).copied()
    }

    /// What the device asked of a mail before, if all of that is here now.
    pub(super) fn due_rest(&self, item: &Item) -> Option<Asked> {
        let asked = self.asked_for(item.meta.id)?;
        let whole = Mail::state(&item.body).is_ok_and(|(mail, _)| mail.missing == 0);
        whole.then_some(asked)
    }

    /// What sending a mail to the device means for its rest.
    pub(super) fn rest_of(&self, link: usize, kind: Sent, item: &Item) -> Rest {
        if item.meta.format != Format::Mail || !self.sends_message(link, kind, item) {
            return Rest::Settled;
        }
        let Ok((mail, begin)) = Mail::state(&item.body) else {
            return Rest::Settled;
        };
        let asks = || {
            self.shape_of(link, item)
                .wants_rest(&item.body[begin.min(item.body.len())..])
        };
        match mail.missing {
            0 if self.asked_for(item.meta.id).is_some() => Rest::Came,
            0 => Rest::Settled,
            _ if asks() => Rest::Missing(Asked {
                item: item.meta.id,
                whole: self.fetches_items(link),
            }),
            _ => Rest::Settled,
        }
    }

    /// A mail is in the message.
    pub(super) fn note_rest(&mut self, item: ItemId, kind: Sent, rest: Rest) {
        match rest {
            Rest::Settled => {}
            Rest::Missing(asked) => self.changes.push(Change::AskForRest(asked)),
            // A Map says too little of what was added.
            Rest::Came if kind == Sent::Add => self.changes.push(Change::GotRest { item }),
            Rest::Came => {
                self.state.rest_sent.retain(|of| *of != item);
                self.state.rest_sent.push(item);
            }
        }
    }

    /// The device has taken what it was sent.
    pub(super) fn confirm_rest(&mut self, item: ItemId) {
        if let Some(at) = self.state.rest_sent.iter().position(|of| *of == item) {
            self.state.rest_sent.swap_remove(at);
            self.changes.push(Change::GotRest { item });
        }
    }
}
