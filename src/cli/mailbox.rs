//! `candybar mailbox`: where an account's mail comes from.

mod check;
mod list;
mod outgoing;

use std::path::PathBuf;

use serde_json::json;

use super::failure::{Code, Failure};
use super::{Global, output, setup};
use crate::mail::settings::{Credential, Incoming, Login, MailboxSettings, Protocol};
use crate::mail::{MailError, discover, settings};
use crate::store::{Store, StoreError};
use crate::sync::{Account, Mailbox, MailboxKind, Secret};

/// Longest address, octets (RFC 5321).
const LONGEST_ADDRESS: usize = 254;
/// Longest password of a mail server, octets.
const LONGEST_PASSWORD: usize = 1024;

/// Flags of `mailbox`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a mailbox to an account
    Add(Box<Add>),
    /// Print the mailboxes of an account, or of all
    List {
        /// User name
        name: Option<String>,
    },
    /// Log in at a mailbox's servers, and say what they can do
    Check {
        /// User name
        name: String,
        /// Address of the mailbox, if there are several
        address: Option<String>,
    },
    /// Print mail that is to be sent, or was; send it again, or give it up
    Outgoing(outgoing::Args),
    /// Give a mailbox another password or token
    Set {
        /// User name
        name: String,
        /// Address of the mailbox
        address: String,
        #[command(flatten)]
        credential: Given,
    },
    /// Forget a mailbox; its mail stays where it is
    Remove {
        /// User name
        name: String,
        /// Address of the mailbox
        address: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// User name
    name: String,
    /// The mail address; with nothing else said, the servers are found by it
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// IMAP server: imaps://USER@HOST, or imap://USER@HOST with STARTTLS
    #[arg(long, value_name = "URL", group = "from")]
    imap: Option<String>,
    /// POP3 server: pop3s://USER@HOST, or pop3://USER@HOST with STARTTLS
    #[arg(long, value_name = "URL", group = "from")]
    pop3: Option<String>,
    /// No server: mail is handed over by LMTP or HTTP
    #[arg(long, group = "from")]
    local: bool,
    /// Server for mail that is sent: smtps://USER@HOST, or smtp://USER@HOST with STARTTLS
    #[arg(long, value_name = "URL")]
    smtp: Option<String>,
    /// User name at the mail server [default: of the URL, else the address]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// PEM file with the authorities that the servers' certificates come from
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Add it even if the login fails now
    #[arg(long)]
    unchecked: bool,
    #[command(flatten)]
    credential: Given,
}

/// What a login shows, as it was given.
#[derive(Debug, clap::Args)]
struct Given {
    /// The password at the mail server; other users of this machine may see it in the list of processes
    #[arg(long, value_name = "PASSWORD", group = "credential")]
    password: Option<String>,
    /// File whose first line is the password; - reads standard input
    #[arg(long, value_name = "FILE", group = "credential")]
    password_file: Option<PathBuf>,
    /// File whose first line is an OAuth2 access token; it is read for each login
    #[arg(long, value_name = "FILE", group = "credential")]
    token_file: Option<PathBuf>,
    /// Command that prints an OAuth2 access token; it is run by the server for each login
    #[arg(long, value_name = "COMMAND", group = "credential")]
    token_command: Option<String>,
}

impl Given {
    fn token(&self) -> Option<()> {
        (self.token_file.is_some() || self.token_command.is_some()).then_some(())
    }

    fn read(&self) -> anyhow::Result<Option<Credential>> {
        if let Some(path) = &self.token_file {
            let absolute = std::path::absolute(path)?;
            return Ok(Some(Credential::TokenFile(absolute)));
        }
        if let Some(command) = &self.token_command {
            return Ok(Some(Credential::TokenCommand(command.clone())));
        }
        let text = match (&self.password, &self.password_file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => super::password::first_line(path)?,
            (None, None) => return Ok(None),
        };
        let wrong = if text.is_empty() {
            "the password is empty"
        } else if text.len() > LONGEST_PASSWORD {
            "the password is longer than 1024 octets"
        } else if text.chars().any(char::is_control) {
            "the password has a control character in it"
        } else {
            return Ok(Some(Credential::Password(text)));
        };
        Err(Failure::new(Code::Usage, wrong).into())
    }
}

/// Runs one of them.
pub(super) fn run(args: Args, global: &Global) -> anyhow::Result<Code> {
    let (_, store) = setup::store(global)?;
    match args.command {
        Command::Add(add) => self::add(&add, &store, global),
        Command::List { name } => list::list(&store, name.as_deref(), global),
        Command::Outgoing(args) => outgoing::run(&args, &store, global),
        Command::Check { name, address } => {
            let account = setup::account(&store, &name)?;
            check::check(&store, &account, address.as_deref(), global)
        }
        Command::Set {
            name,
            address,
            credential,
        } => {
            let account = setup::account(&store, &name)?;
            let mailbox = mailbox(&store, &account, &address)?;
            set(&store, &mailbox, &credential, global)
        }
        Command::Remove { name, address } => {
            let account = setup::account(&store, &name)?;
            let mailbox = mailbox(&store, &account, &address)?;
            store.remove_mailbox(mailbox.id)?;
            if global.json {
                output::json(&json!({ "removed": mailbox.address }))?;
            } else {
                output::line(format!(
                    "{} no longer has the mailbox {}",
                    account.name, mailbox.address
                ))?;
            }
            Ok(Code::Done)
        }
    }
}

/// The mailbox of that address.
fn mailbox(store: &Store, account: &Account, address: &str) -> anyhow::Result<Mailbox> {
    let wanted = address.to_lowercase();
    let mailboxes = store.mailboxes(account.id)?;
    let found = mailboxes.into_iter().find(|known| known.address == wanted);
    found.ok_or_else(|| {
        Failure::new(
            Code::Refused,
            format!("{} has no mailbox {address}", account.name),
        )
        .hint(format!(
            "candybar mailbox list {} shows what there is",
            account.name
        ))
        .into()
    })
}

fn settings_of(mailbox: &Mailbox) -> anyhow::Result<MailboxSettings> {
    Ok(serde_json::from_str(&mailbox.settings.0)?)
}

fn usage(error: MailError) -> Failure {
    Failure::new(Code::Usage, error.to_string())
}

fn add(args: &Add, store: &Store, global: &Global) -> anyhow::Result<Code> {
    let account = setup::account(store, &args.name)?;
    let (kind, address, settings) = if args.local {
        let default = || format!("{}@localhost", account.name);
        let address = args.address.clone().unwrap_or_else(default);
        let outgoing = match &args.smtp {
            Some(url) => Some(relay(args, url)?),
            None => None,
        };
        let settings = MailboxSettings {
            incoming: None,
            outgoing,
        };
        (MailboxKind::Local, address, settings)
    } else {
        servers(args)?
    };
    check_address(&address)?;
    let known = store.mailboxes(account.id)?;
    if known
        .iter()
        .any(|known| known.address == address.to_lowercase())
    {
        return Err(exists(&account, &address).into());
    }
    let found = match (&settings.incoming, args.unchecked) {
        (Some(incoming), false) => check::login(incoming).map_err(|error| {
            Failure::new(Code::Failed, format!("the mailbox is not added: {error}"))
                .hint("with --unchecked it is added all the same, and tried again by the server")
        })?,
        _ => Vec::new(),
    };
    let sealed = Secret(serde_json::to_string(&settings)?);
    let mailbox = store
        .add_mailbox(account.id, kind, &address, &sealed)
        .map_err(|error| match error {
            StoreError::Exists => anyhow::Error::from(exists(&account, &address)),
            StoreError::Full => anyhow::Error::from(Failure::new(
                Code::Refused,
                format!(
                    "{} has as many mailboxes as an account can have",
                    account.name
                ),
            )),
            error => error.into(),
        })?;
    if global.json {
        output::json(&list::to_json(&mailbox, &account.name))?;
        return Ok(Code::Done);
    }
    output::line(format!(
        "{} has the mailbox {}",
        account.name, mailbox.address
    ))?;
    for line in list::servers(&mailbox) {
        output::line(format!("  {line}"))?;
    }
    if !found.is_empty() {
        output::line(format!("  the server has: {}", found.join(", ")))?;
    }
    if kind == MailboxKind::Local {
        output::line(
            "  mail for it comes by LMTP (mail.lmtp in the configuration) or by POST /api/v1/accounts/NAME/mail",
        )?;
    } else {
        output::line("  a running server begins to watch it within a second")?;
    }
    Ok(Code::Done)
}

fn exists(account: &Account, address: &str) -> Failure {
    Failure::new(
        Code::Refused,
        format!("there is a mailbox {address} already"),
    )
    .hint(format!(
        "candybar mailbox set {} {address} --password-file FILE changes its password",
        account.name
    ))
}

/// Servers that were named, or are found by the address.
fn servers(args: &Add) -> anyhow::Result<(MailboxKind, String, MailboxSettings)> {
    let named = match (&args.imap, &args.pop3, &args.address) {
        (Some(url), _, _) => (Protocol::Imap, url),
        (None, Some(url), _) => (Protocol::Pop3, url),
        (None, None, Some(address)) => return found(args, address),
        (None, None, None) => {
            return Err(Failure::new(
                Code::Usage,
                "say where the mail comes from: --address ADDRESS, --imap URL, --pop3 URL or --local",
            )
            .into());
        }
    };
    let (protocol, url) = named;
    let credential = given(args)?;
    let login = |url: &str, protocol: Protocol, other: Option<&String>| -> anyhow::Result<Login> {
        let (address, user) = settings::Address::of_url(url, protocol).map_err(usage)?;
        let named = args.user.clone().or(user).or_else(|| other.cloned());
        let user = named.or_else(|| args.address.clone()).ok_or_else(|| {
            Failure::new(Code::Usage, "whose mailbox is it?")
                .hint("put the user into the URL (imaps://USER@HOST), or say --user or --address")
        })?;
        login_at(args, address, user, &credential)
    };
    let incoming = login(url, protocol, None)?;
    let outgoing = match &args.smtp {
        Some(url) => Some(login(url, Protocol::Smtp, Some(&incoming.user))?),
        None => None,
    };
    let address = match &args.address {
        Some(address) => address.clone(),
        None if incoming.user.contains('@') => incoming.user.clone(),
        None => format!("{}@{}", incoming.user, incoming.address.host),
    };
    Ok(mailbox_of(address, protocol, incoming, outgoing))
}

/// Servers that are found by the address.
fn found(args: &Add, address: &str) -> anyhow::Result<(MailboxKind, String, MailboxSettings)> {
    check_address(address)?;
    let servers = discover::servers(address, &discover::Net::new()).ok_or_else(|| {
        Failure::new(
            Code::Failed,
            format!("the servers of {address} are not found: its provider publishes no settings"),
        )
        .hint("name them: --imap imaps://HOST --smtp smtps://HOST; the provider's help pages have them")
    })?;
    eprintln!("found by {}", servers.source);
    if servers.incoming.token && args.credential.token().is_none() {
        return Err(Failure::new(
            Code::Usage,
            "this server wants an OAuth2 token, not a password",
        )
        .hint("give it with --token-command COMMAND or --token-file FILE")
        .into());
    }
    let credential = given(args)?;
    let login = |found: discover::Found| {
        let user = args.user.clone().unwrap_or(found.user);
        login_at(args, found.address, user, &credential)
    };
    let protocol = servers.incoming.protocol;
    let incoming = login(servers.incoming)?;
    let outgoing = match (&args.smtp, servers.outgoing) {
        (Some(url), _) => {
            let (address, user) = settings::Address::of_url(url, Protocol::Smtp).map_err(usage)?;
            let user = args.user.clone().or(user);
            let user = user.unwrap_or_else(|| incoming.user.clone());
            Some(login_at(args, address, user, &credential)?)
        }
        (None, Some(found)) => Some(login(found)?),
        (None, None) => None,
    };
    Ok(mailbox_of(address.to_owned(), protocol, incoming, outgoing))
}

/// What the login shows; there has to be something.
fn given(args: &Add) -> anyhow::Result<Credential> {
    Ok(args.credential.read()?.ok_or_else(|| {
        Failure::new(Code::Usage, "the mail server wants a password or token").hint(
            "give it with --password-file FILE (- reads standard input), --token-file or --token-command",
        )
    })?)
}

fn login_at(
    args: &Add,
    mut address: settings::Address,
    user: String,
    credential: &Credential,
) -> anyhow::Result<Login> {
    if let Some(path) = &args.ca_file {
        address.ca_file = Some(std::path::absolute(path)?);
    }
    Ok(Login {
        address,
        user,
        credential: credential.clone(),
    })
}

/// Where a local mailbox's mail is sent; a server that is told no user asks for no login.
fn relay(args: &Add, url: &str) -> anyhow::Result<Login> {
    let (address, user) = settings::Address::of_url(url, Protocol::Smtp).map_err(usage)?;
    let user = args.user.clone().or(user).unwrap_or_default();
    let credential = if user.is_empty() {
        Credential::Password(String::new())
    } else {
        given(args)?
    };
    login_at(args, address, user, &credential)
}

fn mailbox_of(
    address: String,
    protocol: Protocol,
    login: Login,
    outgoing: Option<Login>,
) -> (MailboxKind, String, MailboxSettings) {
    let kind = match protocol {
        Protocol::Pop3 => MailboxKind::Pop3,
        _ => MailboxKind::Imap,
    };
    let incoming = Some(Incoming { protocol, login });
    (kind, address, MailboxSettings { incoming, outgoing })
}

fn check_address(address: &str) -> Result<(), Failure> {
    let good = address.len() <= LONGEST_ADDRESS
        && address.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !address
                    .chars()
                    .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ','))
        });
    match good {
        true => Ok(()),
        false => Err(Failure::new(
            Code::Usage,
            format!("{} is no mail address", address.escape_debug()),
        )),
    }
}

fn set(store: &Store, mailbox: &Mailbox, given: &Given, global: &Global) -> anyhow::Result<Code> {
    let credential = given.read()?.ok_or_else(|| {
        Failure::new(
            Code::Usage,
            "say what is new: --password-file FILE, --token-file or --token-command",
        )
    })?;
    let mut settings = settings_of(mailbox)?;
    if settings.incoming.is_none() && settings.outgoing.is_none() {
        return Err(Failure::new(Code::Refused, "a local mailbox has no password").into());
    }
    if let Some(incoming) = &mut settings.incoming {
        incoming.login.credential = credential.clone();
    }
    if let Some(outgoing) = &mut settings.outgoing {
        outgoing.credential = credential;
    }
    store.set_mailbox(mailbox.id, &Secret(serde_json::to_string(&settings)?))?;
    if global.json {
        output::json(&json!({ "changed": mailbox.address }))?;
    } else {
        output::line(format!(
            "{} is tried with that within a second",
            mailbox.address
        ))?;
    }
    Ok(Code::Done)
}

#[cfg(test)]
mod tests {
    use super::check_address;

    #[test]
    fn addresses_that_cannot_be_are_refused() {
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b\r\nX: y",
            "<a@b>",
            "a@b,c@d",
        ] {
            check_address(bad).expect_err(bad);
        }
        for good in ["a@b", "åsa@exämple.org", "\"a@b\"@c"] {
            check_address(good).expect(good);
        }
    }
}
