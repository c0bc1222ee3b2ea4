//! What mail is new to a device, and what it is worth. Mail that a device will not get, for it is outside of what the device
//! has of a folder (the newest, by days and number), is not new to it.

use super::Outbox;
use crate::outbox::mail::{OwnRules, Worth};
use crate::outbox::message;
use crate::outbox::wanted::{self, FolderOf, MOST_JUDGED};
use crate::store::{News, NotificationFacts, Reader, StoreError};
use crate::sync::{Answer, Datastore, Known, Query};

impl Outbox {
    /// What the mail that is new to a device is worth; `now` is in milliseconds since 1970.
    pub(super) fn worth_of_mail(
        &self,
        facts: &NotificationFacts,
        now: i64,
    ) -> Result<Worth, StoreError> {
        let settings = &self.0.settings;
        let filter = facts
            .filters
            .iter()
            .find(|(view, _)| *view == Datastore::Mail);
        let mut news = self.new_mail(facts, now)?;
        if news.is_empty() {
            return Ok(Worth::Outside);
        }
        if news.len() > MOST_JUDGED {
            // They are not looked at one by one.
            return Ok(Worth::Now);
        }
        if let Some((_, filter)) = filter {
            news.retain(|one| {
                wanted::passes(filter, std::slice::from_ref(one), settings.policy.zone)
            });
            if news.is_empty() {
                return Ok(Worth::Outside);
            }
        }
        let mails = news.iter().filter_map(wanted::mail_facts);
        let rules = self.rules(facts)?;
        Ok(rules.worth_of(mails, &settings.policy, now))
    }

    /// The rules of a device: its own, over those of its account, over those of the configuration.
    fn rules(
        &self,
        facts: &NotificationFacts,
    ) -> Result<crate::outbox::mail::MailRules, StoreError> {
        let stored = self.0.store.mail_rules(facts.account.id, facts.device.id)?;
        let mut rules = self.0.settings.mail.clone();
        for text in [stored.account, stored.device].into_iter().flatten() {
            let own: OwnRules = text.parse().map_err(StoreError::Corrupt)?;
            rules = own.over(&rules);
        }
        Ok(rules)
    }

    /// Living mail above the base of the device's view that the device does not have and is to get; at most
    /// [`MOST_JUDGED`], and one more if there is more.
    fn new_mail(&self, facts: &NotificationFacts, now: i64) -> Result<Vec<News>, StoreError> {
        let (account, device) = (facts.account.id, facts.device.id);
        let settings = &self.0.settings;
        let views = self.0.store.views(account, device)?;
        let view = views.into_iter().find(|(view, _)| *view == Datastore::Mail);
        let Some(base) = view.and_then(|(_, state)| Some(state.confirmed?.base)) else {
            return Ok(Vec::new());
        };
        let mut reader = self.0.store.reader()?;
        let mut load = |query: &Query| reader.load(account, Some(device), query);
        let Answer::Outgoing(found) = load(&Query::Folders(Datastore::Mail))? else {
            return Ok(Vec::new());
        };
        let folders: Vec<FolderOf> = found
            .items
            .iter()
            .map(|(item, _)| FolderOf::read(item.meta.id, &item.body))
            .collect();
        let windows = facts.device.mail_window.over(&settings.mail_windows);
        let flat = !message::knows_folders(&facts.device);
        let query = wanted::within(&folders, &windows, flat, now.div_euclid(1000));
        let Answer::Known(known) = load(&Query::Newest(query))? else {
            return Ok(Vec::new());
        };
        let new = |known: &Known| known.entry.is_none() && known.item.modseq > base;
        let ids = known.iter().filter(|known| new(known));
        let ids: Vec<_> = ids
            .map(|known| known.item.id)
            .take(MOST_JUDGED + 1)
            .collect();
        news(&mut reader, facts, ids, found.items)
    }
}

/// The mails with these ids, with their folders.
fn news(
    reader: &mut Reader,
    facts: &NotificationFacts,
    ids: Vec<crate::sync::ItemId>,
    folders: Vec<(crate::sync::Item, Option<crate::sync::Entry>)>,
) -> Result<Vec<News>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (account, device) = (facts.account.id, facts.device.id);
    let Answer::Items(items) = reader.load(account, Some(device), &Query::Items(ids))? else {
        return Ok(Vec::new());
    };
    let folder = |id| {
        let found = folders.iter().find(|(folder, _)| folder.meta.id == id);
        found.map(|(folder, _)| folder.body.to_vec())
    };
    let news = items.into_iter().map(|item| News {
        folder: folder(item.meta.parent),
        known: false,
        asked: false,
        item,
    });
    Ok(news.collect())
}
