//! The scenes of the demonstration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::super::{import, output, password};
use super::push::Inbox;
use super::{ACCOUNT, items};
use crate::content::{self, Format, Property, ReadHint, Record, Target, Value};
use crate::handset::{
    Behaviour, HttpTransport, Luid, Memory, Mode, Phone, Report, Request, Settings, StoredItem,
};
use crate::store::Store;
use crate::sync::{Account, Cursor, Datastore, NotificationId, NotificationState, Secret};

/// The phone's number of itself.
const DEVICE: &str = "IMEI:490154203237518";
/// What the phone synchronises.
const DATASTORES: [&str; 4] = ["contacts", "calendar", "tasks", "notes"];
/// The phone's number.
const NUMBER: &str = "+12025550123";
/// How long what happens by itself may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The number that the phone's user types in.
const NEW_NUMBER: &str = "+12025550199";

/// A folder that goes when the demonstration ends.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random)
            .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
        let name = format!("candybar-demo-{:016x}", u64::from_ne_bytes(random));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{} could not be removed: {error}", self.0.display());
        }
    }
}

/// Who and what takes part.
pub(super) struct Stage {
    pub(super) store: Store,
    pub(super) account: Account,
    password: String,
    address: SocketAddr,
    pub(super) phone: Phone<HttpTransport>,
    scenes: usize,
}

pub(super) fn say(text: impl AsRef<str>) -> anyhow::Result<()> {
    Ok(output::line(format!("   {}", text.as_ref()))?)
}

impl Stage {
    /// Makes the account and the phone.
    pub(super) fn new(store: Store, address: SocketAddr) -> anyhow::Result<Self> {
        let password = password::make()?;
        let account = store.add_account(ACCOUNT, &Secret(password.clone()))?;
        let url = format!("http://{address}/sync");
        // With the server's password the phone gives nonces, with which notifications are signed.
        let mut settings = Settings {
            server_password: Some(password.clone()),
            ..Settings::new(&url, ACCOUNT, &password)
        };
        super::mail::prepare(&mut settings);
        // What the phone does not know it forgets, as early phones do.
        let behaviour = Behaviour {
            lose_unknown_properties: true,
            ..Behaviour::default()
        };
        let transport = HttpTransport::new(Duration::from_secs(60));
        Ok(Self {
            store,
            account,
            password,
            address,
            phone: Phone::new(settings, behaviour, Memory::new(DEVICE), transport),
            scenes: 0,
        })
    }

    pub(super) fn scene(&mut self, title: &str) -> anyhow::Result<()> {
        self.scenes += 1;
        output::line("")?;
        Ok(output::line(format!("{}. {title}", self.scenes))?)
    }

    /// Items come onto the server.
    pub(super) fn make_account(&mut self) -> anyhow::Result<()> {
        self.scene("An account")?;
        say(format!(
            "The account {ACCOUNT} has the password {}.",
            self.password
        ))?;
        for (datastore, file) in [
            (Datastore::Contacts, items::SERVER_CONTACTS),
            (Datastore::Calendar, items::SERVER_CALENDAR),
            (Datastore::Notes, items::SERVER_NOTE),
        ] {
            import::own(&self.store, &self.account, datastore, file.as_bytes())?;
        }
        let counts = self.store.item_counts(self.account.id)?;
        let parts: Vec<_> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(datastore, count)| format!("{count} in {datastore}"))
            .collect();
        ensure!(!parts.is_empty(), "the items were not stored");
        say(format!("Imported from files: {}.", parts.join(", ")))
    }

    /// The phone comes for the first time: a slow sync.
    pub(super) fn first_sync(&mut self) -> anyhow::Result<()> {
        self.scene("A phone comes for the first time")?;
        for contact in items::PHONE_CONTACTS {
            self.phone.add("contacts", contact);
        }
        say(format!(
            "A virtual phone, {DEVICE}, has {} of its own: {}.",
            output::count(items::PHONE_CONTACTS.len(), "contact", "contacts"),
            self.phone_names()?.join(", ")
        ))?;
        say(format!(
            "It synchronises with http://{}/sync (OMA DS 1.2, WBXML, MD5).",
            self.address
        ))?;
        let report = self.sync()?;
        tell(&report)?;
        let (phone, server) = (self.phone_names()?, self.server_names()?);
        ensure!(
            phone == server,
            "the phone has {phone:?}, the server has {server:?}"
        );
        ensure!(
            server.iter().filter(|name| *name == "Ada Lovelace").count() == 1,
            "the contact that was on both sides is there twice"
        );
        say(format!(
            "Both have the same contacts now: {}.",
            phone.join(", ")
        ))?;
        say("Ada Lovelace was on both sides; she was recognised, and is there once.")
    }

    /// A contact changes on the server, which tells the phone by SMS.
    pub(super) fn change_on_server(&mut self, inbox: &Inbox) -> anyhow::Result<()> {
        self.scene("A contact changes on the server, and the server speaks first")?;
        let device = self.store.device(self.account.id, DEVICE)?;
        self.store
            .set_device(self.account.id, device.id, Some(NUMBER), None)?;
        say(format!("The server knows the phone's number, {NUMBER}."))?;
        let tally = import::own(
            &self.store,
            &self.account,
            Datastore::Contacts,
            items::ADA_MOVED.as_bytes(),
        )?;
        ensure!(tally.replaced == 1, "the contact was not replaced");
        let there = number(&self.on_server("Ada Lovelace")?)?;
        let (_, before) = self.on_phone("Ada Lovelace")?;
        say(format!(
            "Ada Lovelace has the number {there} there; the phone still shows {}.",
            number(&before)?
        ))?;
        let pushed = inbox.receive()?;
        say("A second later, for more may have changed, package #0 goes out through a gateway:")?;
        for line in pushed.lines()? {
            say(format!("  {line}"))?;
        }
        let package = pushed.package()?;
        let nonce = &self
            .store
            .device(self.account.id, DEVICE)?
            .notification_nonce;
        ensure!(
            package.is_signed_with(&self.password, nonce),
            "the digest of package #0 is wrong"
        );
        let wanted: Vec<String> = package
            .notice
            .syncs
            .iter()
            .filter_map(|sync| Some(Datastore::resolve(&sync.uri)?.name().to_owned()))
            .collect();
        ensure!(wanted == ["contacts"], "package #0 names {wanted:?}");
        say(format!(
            "The phone reads: {} asks for a two-way sync of {}. The digest is right, so it is really the server.",
            package.notice.server_id,
            wanted.join(", ")
        ))?;
        let report = self.sync_some(&["contacts"])?;
        tell(&report)?;
        let (_, after) = self.on_phone("Ada Lovelace")?;
        let here = number(&after)?;
        ensure!(
            here == there,
            "the phone shows {here}, the server has {there}"
        );
        say(format!("The phone shows {here}. Nobody pressed a key."))?;
        let id = self.synchronised()?;
        say(format!(
            "The server's outbox: notification {id} was sent, and is answered by this sync."
        ))
    }

    /// Waits until the outbox has closed its notification.
    fn synchronised(&self) -> anyhow::Result<NotificationId> {
        let begin = std::time::Instant::now();
        loop {
            let newest = self.store.notifications(Some(self.account.id), 1)?;
            if let Some(newest) = newest.first()
                && newest.state == NotificationState::Synced
            {
                return Ok(newest.id);
            }
            ensure!(
                begin.elapsed() < PATIENCE,
                "the outbox does not know of the sync"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A contact changes on the phone, which does not know all of its fields.
    pub(super) fn change_on_phone(&mut self) -> anyhow::Result<()> {
        self.scene("A contact changes on the phone")?;
        let (luid, mut record) = self.on_phone("Grace Hopper")?;
        ensure!(
            text(&record, "NICKNAME").is_none(),
            "the phone was not expected to hold a nickname"
        );
        say(format!(
            "The phone's user gives Grace Hopper another number: {} becomes {NEW_NUMBER}.",
            number(&record)?
        ))?;
        for property in &mut record.root.properties {
            if property.name == "TEL" {
                property.value = Value::Text(NEW_NUMBER.into());
            }
        }
        let body = content::write(&record, &Target::new(Format::VCard21));
        ensure!(
            self.phone.replace("contacts", &luid, body),
            "the phone does not have the contact"
        );
        let report = self.sync()?;
        tell(&report)?;
        let record = self.on_server("Grace Hopper")?;
        let there = number(&record)?;
        ensure!(there == NEW_NUMBER, "the server has {there}");
        let Some(nickname) = text(&record, "NICKNAME") else {
            bail!("the server lost the nickname");
        };
        say(format!(
            "The server has {there}, and still her nickname, {nickname}, of which this phone knows nothing."
        ))
    }

    /// How to go on with a real phone.
    pub(super) fn invite(&mut self) -> anyhow::Result<()> {
        self.scene("Your turn")?;
        let mut address = self.address.to_string();
        if self.address.ip().is_unspecified() {
            address = format!("THIS-HOST:{}", self.address.port());
        }
        say("The server goes on, until Ctrl-C. Settings for a phone or a client:")?;
        say(format!("  server address  http://{address}/sync"))?;
        say(format!("  user name       {ACCOUNT}"))?;
        say(format!("  password        {}", self.password))?;
        say("  databases       contacts, calendar, tasks, notes, mail")?;
        if self.address.ip().is_loopback() {
            say(
                "Only this machine reaches it; for phones begin again with: candybar demo --listen 0.0.0.0:8080",
            )?;
        }
        say("The virtual phone from another terminal:")?;
        let port = self.address.port();
        say(format!(
            "  candybar handset sync --url http://127.0.0.1:{port}/sync --user {ACCOUNT} --password {}",
            self.password
        ))?;
        say(
            "SyncEvolution, with contacts as files in ./cards (docs/phones.md says what Debian 12 needs):",
        )?;
        say("  mkdir cards")?;
        say(format!(
            "  syncevolution --daemon=no --keyring=no --configure --template none syncURL=http://127.0.0.1:{port}/sync \\"
        ))?;
        say(format!(
            "    username={ACCOUNT} password={} addressbook/backend=file addressbook/database=file://$PWD/cards \\",
            self.password
        ))?;
        say(
            "    addressbook/databaseFormat=text/vcard addressbook/uri=contacts addressbook/sync=two-way candybar addressbook",
        )?;
        say("  syncevolution --daemon=no --keyring=no --sync slow candybar")
    }

    fn sync(&mut self) -> anyhow::Result<Report> {
        self.sync_some(&DATASTORES)
    }

    pub(super) fn sync_some(&mut self, datastores: &[&str]) -> anyhow::Result<Report> {
        let request = Request::new(datastores, Mode::TwoWay, output::now());
        let report = self
            .phone
            .sync(&request)
            .context("the phone could not synchronise")?;
        ensure!(!report.has_failures(), "items were refused: {report}");
        Ok(report)
    }

    fn phone_contacts(&self) -> anyhow::Result<Vec<(Luid, Record)>> {
        let items = self.phone.items("contacts");
        items
            .into_iter()
            .map(|(luid, item)| Ok((luid, phone_record(&item)?)))
            .collect()
    }

    fn phone_names(&self) -> anyhow::Result<Vec<String>> {
        let contacts = self.phone_contacts()?;
        let mut names: Vec<_> = contacts
            .iter()
            .map(|(_, record)| content::title(record))
            .collect();
        names.sort();
        Ok(names)
    }

    fn on_phone(&self, name: &str) -> anyhow::Result<(Luid, Record)> {
        let contacts = self.phone_contacts()?;
        contacts
            .into_iter()
            .find(|(_, record)| content::title(record) == name)
            .with_context(|| format!("the phone has no contact {name}"))
    }

    fn server_contacts(&self) -> anyhow::Result<Vec<Record>> {
        let items =
            self.store
                .items(self.account.id, Datastore::Contacts, Cursor::default(), 100)?;
        items
            .iter()
            .map(|item| {
                let hint = ReadHint {
                    format: Some(item.meta.format),
                    ..ReadHint::default()
                };
                Ok(content::read(&item.body, &hint)?.record)
            })
            .collect()
    }

    fn server_names(&self) -> anyhow::Result<Vec<String>> {
        let mut names: Vec<_> = self.server_contacts()?.iter().map(content::title).collect();
        names.sort();
        Ok(names)
    }

    fn on_server(&self, name: &str) -> anyhow::Result<Record> {
        let contacts = self.server_contacts()?;
        contacts
            .into_iter()
            .find(|record| content::title(record) == name)
            .with_context(|| format!("the server has no contact {name}"))
    }
}

fn phone_record(item: &StoredItem) -> anyhow::Result<Record> {
    let hint = ReadHint {
        format: Format::from_mime(&item.content_type, None),
        ..ReadHint::default()
    };
    Ok(content::read(&item.body.0, &hint)?.record)
}

pub(super) fn tell(report: &Report) -> anyhow::Result<()> {
    for datastore in &report.datastores {
        if datastore.used == Mode::Slow || datastore.sent.total() + datastore.received.total() > 0 {
            say(format!("  {datastore}"))?;
        }
    }
    say(format!(
        "  {} to the server with {} octets, {} octets back",
        output::count(report.messages as usize, "message", "messages"),
        report.octets_sent,
        report.octets_received
    ))
}

fn text<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    let found = |property: &&Property| property.name == name;
    match &record.root.properties.iter().find(found)?.value {
        Value::Text(text) => Some(text),
        Value::Parts(parts) => parts.first()?.first().map(|part| part.as_str()),
        Value::Binary(_) => None,
    }
}

fn number(record: &Record) -> anyhow::Result<String> {
    let number = text(record, "TEL").context("the contact has no number")?;
    Ok(number.to_owned())
}
