//! Folders: what there is, what each is for, and selecting one.

use imap_proto::{MailboxDatum, NameAttribute, Response, ResponseCode, StatusAttribute};

use super::super::error::MailError;
use super::super::role::{self, Use};
use super::name::shown_name;
use super::session::{Part, Session};
use crate::content::email::FolderRole;

/// Folders of a mailbox that are looked at, at most.
const MAX_FOLDERS: usize = 256;

/// A folder that can be selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mail) struct ListedFolder {
    /// As the server writes it.
    pub(in crate::mail) name: String,
    /// What divides the parts of its name; empty if nothing does.
    pub(in crate::mail) delimiter: String,
    /// Parts of its path, for people.
    pub(in crate::mail) path: Vec<String>,
    /// What it is for.
    pub(in crate::mail) role: Option<FolderRole>,
    /// It holds what nobody asked for, and is not mirrored.
    pub(in crate::mail) junk: bool,
}

impl ListedFolder {
    /// One that was made just now.
    pub(in crate::mail) fn new(name: String, delimiter: &str) -> Self {
        let path = match delimiter.is_empty() {
            true => vec![shown_name(&name)],
            false => name.split(delimiter).map(shown_name).collect(),
        };
        Self {
            name,
            delimiter: delimiter.to_owned(),
            path,
            role: None,
            junk: false,
        }
    }
}

/// A folder that was selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::mail) struct Selected {
    /// UIDs of another validity mean other messages.
    pub(in crate::mail) uid_validity: u32,
    /// New messages have UIDs from here on; 0 if the server does not say.
    pub(in crate::mail) uid_next: u32,
    /// Number of the newest change; 0 if the server has none.
    pub(in crate::mail) highest_modseq: u64,
    /// Messages in it; only told by a look without selecting.
    pub(in crate::mail) messages: u32,
}

impl Session {
    /// The folders that can be selected, without those that only show messages of others.
    pub(in crate::mail) async fn folders(&mut self) -> Result<Vec<ListedFolder>, MailError> {
        let mut found: Vec<ListedFolder> = Vec::new();
        let mut take = |response: &Response<'_>| {
            let Response::MailboxData(MailboxDatum::List(data)) = response else {
                return;
            };
            let shut = data
                .name_attributes
                .iter()
                .any(|attribute| match attribute {
                    NameAttribute::NoSelect | NameAttribute::All | NameAttribute::Flagged => true,
                    NameAttribute::Extension(name) => name.eq_ignore_ascii_case("\\NonExistent"),
                    _ => false,
                });
            if shut || found.len() >= MAX_FOLDERS {
                return;
            }
            let name = data.name.clone().into_owned();
            let delimiter = data.delimiter.as_deref().unwrap_or_default();
            let role = data
                .name_attributes
                .iter()
                .find_map(|attribute| match attribute {
                    NameAttribute::Sent => Some(FolderRole::Sent),
                    NameAttribute::Drafts => Some(FolderRole::Drafts),
                    NameAttribute::Trash => Some(FolderRole::Trash),
                    _ => None,
                });
            let junk = data.name_attributes.contains(&NameAttribute::Junk);
            found.push(ListedFolder {
                role,
                junk,
                ..ListedFolder::new(name, delimiter)
            });
        };
        let list = match self.can("SPECIAL-USE") && self.can("LIST-EXTENDED") {
            true => "LIST \"\" \"*\" RETURN (SPECIAL-USE)",
            false => "LIST \"\" \"*\"",
        };
        self.command(&[Part::Text(list)], &mut take)
            .await?
            .done("LIST")?;
        assign(&mut found);
        Ok(found)
    }

    /// Selects a folder, if it is not selected already.
    pub(in crate::mail) async fn select(&mut self, folder: &str) -> Result<Selected, MailError> {
        self.selected = None;
        self.exists = 0;
        let mut selected = Selected::default();
        let mut take = |response: &Response<'_>| {
            if let Response::Data { outcome, .. } = response {
                match &outcome.code {
                    Some(ResponseCode::UidValidity(number)) => selected.uid_validity = *number,
                    Some(ResponseCode::UidNext(number)) => selected.uid_next = *number,
                    Some(ResponseCode::HighestModSeq(number)) => selected.highest_modseq = *number,
                    _ => {}
                }
            }
        };
        let condstore = self.can("CONDSTORE") || self.can("QRESYNC");
        let parts = [
            Part::Text("SELECT "),
            Part::Argument(folder),
            Part::Text(if condstore { " (CONDSTORE)" } else { "" }),
        ];
        self.command(&parts, &mut take).await?.done("SELECT")?;
        self.selected = Some(folder.to_owned());
        self.others.remove(folder);
        self.news = false;
        if selected.uid_validity == 0 {
            return Err(MailError::Protocol(
                "a folder has no UIDVALIDITY".to_owned(),
            ));
        }
        Ok(selected)
    }

    /// Where a folder stands, without selecting it; `None` if it is gone.
    pub(in crate::mail) async fn status(
        &mut self,
        folder: &str,
    ) -> Result<Option<Selected>, MailError> {
        let mut selected = Selected::default();
        let mut take = |response: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Status { status, .. }) = response {
                for attribute in status {
                    match attribute {
                        StatusAttribute::UidValidity(number) => selected.uid_validity = *number,
                        StatusAttribute::UidNext(number) => selected.uid_next = *number,
                        StatusAttribute::HighestModSeq(number) => selected.highest_modseq = *number,
                        StatusAttribute::Messages(number) => selected.messages = *number,
                        _ => {}
                    }
                }
            }
        };
        let condstore = self.can("CONDSTORE") || self.can("QRESYNC");
        let parts = [
            Part::Text("STATUS "),
            Part::Argument(folder),
            Part::Text(if condstore {
                " (UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ)"
            } else {
                " (UIDVALIDITY UIDNEXT MESSAGES)"
            }),
        ];
        let ended = self.command(&parts, &mut take).await?;
        self.others.remove(folder);
        Ok(ended.ok.then_some(selected))
    }
}

impl Session {
    /// Makes a folder, and has it shown.
    pub(in crate::mail) async fn create(&mut self, folder: &str) -> Result<(), MailError> {
        let parts = [Part::Text("CREATE "), Part::Argument(folder)];
        self.command(&parts, &mut |_| {}).await?.done("CREATE")?;
        self.subscribe(folder, true).await
    }

    /// Gives a folder, and those within it, another name.
    pub(in crate::mail) async fn rename(&mut self, from: &str, to: &str) -> Result<(), MailError> {
        let parts = [
            Part::Text("RENAME "),
            Part::Argument(from),
            Part::Text(" "),
            Part::Argument(to),
        ];
        self.command(&parts, &mut |_| {}).await?.done("RENAME")?;
        Ok(())
    }

    /// Removes a folder with what is in it.
    pub(in crate::mail) async fn delete(&mut self, folder: &str) -> Result<(), MailError> {
        let parts = [Part::Text("DELETE "), Part::Argument(folder)];
        self.command(&parts, &mut |_| {}).await?.done("DELETE")?;
        self.subscribe(folder, false).await
    }

    /// Whether a folder is among those that mail programs show. That a server has no such list does not matter.
    pub(in crate::mail) async fn subscribe(
        &mut self,
        folder: &str,
        shown: bool,
    ) -> Result<(), MailError> {
        let verb = if shown { "SUBSCRIBE " } else { "UNSUBSCRIBE " };
        let parts = [Part::Text(verb), Part::Argument(folder)];
        self.command(&parts, &mut |_| {}).await.map(drop)
    }
}

/// Gives roles by name where the server names none; each role once.
fn assign(folders: &mut [ListedFolder]) {
    for folder in folders.iter_mut() {
        if folder.name.eq_ignore_ascii_case("INBOX") {
            folder.role = Some(FolderRole::Inbox);
        }
    }
    for role in [FolderRole::Sent, FolderRole::Drafts, FolderRole::Trash] {
        let mut holders = folders
            .iter_mut()
            .filter(|folder| folder.role == Some(role));
        if holders.next().is_some() {
            for other in holders {
                other.role = None;
            }
            continue;
        }
        if let Some(folder) = named(folders, Use::Role(role)) {
            folder.role = Some(role);
        }
    }
    if !folders.iter().any(|folder| folder.junk)
        && let Some(folder) = named(folders, Use::Junk)
    {
        folder.junk = true;
    }
}

/// The first folder without a role whose name means this.
fn named(folders: &mut [ListedFolder], wanted: Use) -> Option<&mut ListedFolder> {
    folders.iter_mut().find(|folder| {
        let last = folder.path.last().map_or("", String::as_str);
        folder.role.is_none() && role::of_name(last) == Some(wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, role: Option<FolderRole>) -> ListedFolder {
        ListedFolder {
            name: name.into(),
            delimiter: "/".into(),
            path: name.split('/').map(shown_name).collect(),
            role,
            junk: false,
        }
    }

    #[test]
    fn roles_come_from_the_server_else_from_names() {
        let mut folders = vec![
            folder("inbox", None),
            folder("Sent", None),
            folder("Sent Messages", Some(FolderRole::Sent)),
            folder("Archive/Trash", None),
            folder("Entw&APw-rfe", None),
            folder("Work", None),
            folder("Spam", None),
        ];
        assign(&mut folders);
        let roles: Vec<_> = folders.iter().map(|folder| folder.role).collect();
        assert_eq!(
            roles,
            [
                Some(FolderRole::Inbox),
                None,
                Some(FolderRole::Sent),
                Some(FolderRole::Trash),
                Some(FolderRole::Drafts),
                None,
                None
            ]
        );
        assert!(
            folders
                .iter()
                .all(|folder| folder.junk == (folder.name == "Spam"))
        );
    }
}
