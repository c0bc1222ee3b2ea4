//! The scene with mail: one comes, wakes the phone, is read there and answered.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::super::output;
use super::push::Inbox;
use super::scene::{PATIENCE, Stage, say, tell};
use super::{ACCOUNT, items};
use crate::content::email::{Folder, Head, Mail};
use crate::content::{self, Format, ReadHint};
use crate::handset::{Addresses, Luid, Settings, StoredItem};
use crate::mail::Intake;
use crate::mail::settings::MailboxSettings;
use crate::sync::{Account, Cursor, Datastore, MailboxKind, Secret};

/// The phone's name of its mail.
const MAIL: &str = "mail";
/// Who writes to the phone's user; an account of this server as well.
const FRIEND: &str = "ada";

/// The phone has mail too.
pub(super) fn prepare(settings: &mut Settings) {
    let addresses = Addresses::same("./mail");
    settings.datastores.insert(MAIL.to_owned(), addresses);
}

fn address(account: &str) -> String {
    format!("{account}@example.org")
}

impl Stage {
    /// A mail comes into a mailbox of this server; the phone's user reads and answers it.
    pub(super) fn mail_comes(&mut self, inbox: &Inbox) -> anyhow::Result<()> {
        self.scene("Mail comes, and is answered on the phone")?;
        let friend = self
            .store
            .add_account(FRIEND, &Secret(super::super::password::make()?))?;
        for account in [&self.account, &friend] {
            self.mailbox(account)?;
        }
        say(format!(
            "{} and {} are mailboxes of this server; with IMAP, POP3 or LMTP they could be anywhere.",
            address(ACCOUNT),
            address(FRIEND)
        ))?;
        tell(&self.sync_some(&[MAIL])?)?;
        say("The phone has the folders now. Ada writes:")?;
        Intake::new(self.store.clone()).deliver(
            self.account.id,
            items::MAIL.as_bytes(),
            output::now(),
        )?;
        let package = inbox.receive()?.package()?;
        let wanted = package.notice.syncs.iter();
        let wanted: Vec<_> = wanted
            .filter_map(|sync| Datastore::resolve(&sync.uri))
            .collect();
        ensure!(wanted == [Datastore::Mail], "package #0 names {wanted:?}");
        say("Package #0 wakes the phone for its mail, and the phone fetches it:")?;
        tell(&self.sync_some(&[MAIL])?)?;
        let (mail, head) = self.on_phone_in("Inbox")?;
        say(format!("  From: {}", from(&head)?))?;
        say(format!("  Subject: {}", head.subject))?;
        for line in text_of(&mail).lines() {
            say(format!("  {line}"))?;
        }
        let answer = format!(
            "To: {}\r\nSubject: Re: {}\r\n\r\nAt four, then. Sent from a phone of 2005.\r\n",
            from(&head)?,
            head.subject
        );
        say(
            "The phone's user answers; the phone puts the answer into its outbox, and synchronises:",
        )?;
        self.write(&answer)?;
        tell(&self.sync_some(&[MAIL])?)?;
        let answer = self.came_to(&friend)?;
        let head = answer.head();
        ensure!(
            head.in_reply_to == [items::MAIL_ID],
            "the answer does not say what it answers: {head:?}"
        );
        say(format!(
            "{} has it: from {}, \"{}\", with the thread that the phone knows nothing of.",
            address(FRIEND),
            from(&head)?,
            head.subject
        ))?;
        tell(&self.sync_some(&[MAIL])?)?;
        let (_, sent) = self.on_phone_in("Sent")?;
        ensure!(sent.subject == head.subject, "{sent:?} is among the sent");
        say("On the phone it has gone from the outbox to what was sent.")
    }

    fn mailbox(&self, account: &Account) -> anyhow::Result<()> {
        let none = serde_json::to_string(&MailboxSettings {
            incoming: None,
            outgoing: None,
        })?;
        let address = address(&account.name);
        self.store
            .add_mailbox(account.id, MailboxKind::Local, &address, &Secret(none))?;
        Ok(())
    }

    /// The phone's user writes a mail.
    fn write(&mut self, message: &str) -> anyhow::Result<()> {
        let outbox = self.folder_on_phone("Outbox")?;
        let body = format!("<Email><emailitem><![CDATA[{message}]]></emailitem></Email>");
        let luid = self.phone.add_as(MAIL, Format::Email.mime(), body);
        let memory = self.phone.client_mut().memory_mut();
        let moved = memory.datastore_mut(MAIL).move_to(&luid, &outbox.0);
        ensure!(moved, "the phone has no outbox");
        Ok(())
    }

    fn folder_on_phone(&self, name: &str) -> anyhow::Result<Luid> {
        let items = self.phone.items(MAIL);
        let found = items.into_iter().find(|(_, item)| {
            let folder = (item.content_type == Format::Folder.mime())
                .then(|| Folder::read(&item.body.0).ok())
                .flatten();
            folder.is_some_and(|folder| folder.name == name)
        });
        found
            .map(|(luid, _)| luid)
            .with_context(|| format!("the phone has no folder {name}"))
    }

    /// The mail of a folder on the phone.
    fn on_phone_in(&self, folder: &str) -> anyhow::Result<(Mail, Head)> {
        let folder = self.folder_on_phone(folder)?;
        let items = self.phone.items(MAIL);
        let found = items.values().find(|item| item.parent == folder.0);
        let mail = read(found.context("the phone has no mail there")?)?;
        let head = mail.head();
        Ok((mail, head))
    }

    /// Waits for the mail that comes to an account.
    fn came_to(&self, account: &Account) -> anyhow::Result<Mail> {
        let begin = Instant::now();
        loop {
            let items = self
                .store
                .items(account.id, Datastore::Mail, Cursor::default(), 100)?;
            let mail = items.iter().find(|item| item.meta.format == Format::Mail);
            if let Some(item) = mail {
                return Ok(Mail::read(&item.body)?);
            }
            ensure!(begin.elapsed() < PATIENCE, "the answer does not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn from(head: &Head) -> anyhow::Result<String> {
    let from = head.from.first().context("the mail has no sender")?;
    Ok(from.address.clone())
}

fn read(item: &StoredItem) -> anyhow::Result<Mail> {
    let hint = ReadHint {
        format: Some(Format::Email),
        ..ReadHint::default()
    };
    let record = content::read(&item.body.0, &hint)?.record;
    match Mail::of(record) {
        Some(mail) => Ok(mail),
        None => bail!("the phone has something that is no mail"),
    }
}

/// What stands behind the header.
fn text_of(mail: &Mail) -> String {
    let message = String::from_utf8_lossy(&mail.message);
    let body = message.split_once("\r\n\r\n").map(|(_, body)| body);
    body.unwrap_or_default().trim().to_owned()
}
