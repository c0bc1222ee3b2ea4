//! The HTTP API: `/api/v1/…`, for programs of the operator. JSON in and out, bearer token; the document that describes it is
//! at `/api/v1/openapi.json`.
//!
//! It knows no HTTP library: a request comes as a value and its answer goes as one. It blocks.

mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::device::profile::Catalogue;
use crate::mail::outgoing::{self, OutgoingError, OutgoingId, OutgoingMail};
use crate::mail::{Intake, IntakeError};
use crate::outbox::desk::{self, DeskError};
use crate::outbox::mail::OwnRules;
use crate::outbox::settings::SettingsOrder;
use crate::sms::settings::Secret as Token;
use crate::sms::{CircuitState, Gateways};
use crate::store::Store;
use crate::sync::{Account, Datastore, NotificationId, Secret};
use routes::{Action, Found};

pub use routes::{PATHS, document};

/// Octets of a request at most, if it is no message.
const MAX_BODY: usize = 64 << 10;

/// A request under `/api/v1`.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// In upper case.
    pub method: String,
    /// What follows `/api/v1`, with its slash.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// The header Authorization.
    pub authorization: Option<String>,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// The API over a store.
#[derive(Clone)]
pub struct Api {
    /// What is asked.
    pub store: Store,
    /// What callers have to show.
    pub token: Token,
    /// How phones know the server.
    pub server_id: String,
    /// Where phones synchronise, unless a caller says another address.
    pub url: Option<String>,
    /// What phones do their own way.
    pub profiles: Arc<Catalogue>,
    /// The ways out.
    pub gateways: Option<Gateways>,
    /// Octets of a message that is handed over, at most.
    pub max_message: usize,
}

/// Why a request is not answered with what it asked for.
enum Fault {
    BadRequest(String),
    Desk(DeskError),
}

impl From<DeskError> for Fault {
    fn from(error: DeskError) -> Self {
        Self::Desk(error)
    }
}

impl From<OutgoingError> for Fault {
    fn from(error: OutgoingError) -> Self {
        Self::Desk(match error {
            OutgoingError::NotFound(why) => DeskError::NotFound(why),
            OutgoingError::Refused(why) => DeskError::Refused(why),
            OutgoingError::Store(error) => error.into(),
        })
    }
}

impl From<crate::store::StoreError> for Fault {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Desk(error.into())
    }
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct PushBody {
    device: Option<String>,
    datastores: Vec<Datastore>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvisionBody {
    msisdn: String,
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    settings: SettingsOrder,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailRulesBody {
    #[serde(default)]
    device: Option<String>,
    rules: String,
}

impl Api {
    /// Octets that the body of a request may have; the request has no body yet. Who is not known sends little.
    pub fn body_limit(&self, request: &Request) -> usize {
        match routes::find(&request.method, &request.path) {
            Found::Action(Action::Mail, _) if self.is_known(request) => self.max_message,
            _ => MAX_BODY,
        }
    }

    fn is_known(&self, request: &Request) -> bool {
        let shown = request.authorization.as_deref().unwrap_or_default();
        let shown = shown.strip_prefix("Bearer ").unwrap_or_default().trim();
        self.token.is(shown.as_bytes())
    }

    /// Answers a request.
    pub fn answer(&self, request: &Request) -> Answer {
        let found = routes::find(&request.method, &request.path);
        if let Found::Action(Action::Document, _) = found {
            return ok(document());
        }
        if !self.is_known(request) {
            return fault(401, "the bearer token is missing or wrong");
        }
        let (action, name) = match found {
            Found::Action(action, name) => (action, name),
            Found::OtherMethod => return fault(405, "this address has no such method"),
            Found::Nothing => {
                return fault(404, "there is no such address; see /api/v1/openapi.json");
            }
        };
        match self.act(action, &name, request) {
            Ok(value) => ok(value),
            Err(Fault::BadRequest(why)) => fault(400, &why),
            Err(Fault::Desk(error @ DeskError::NotFound(_))) => fault(404, &error.to_string()),
            Err(Fault::Desk(error @ DeskError::Refused(_))) => fault(409, &error.to_string()),
            Err(Fault::Desk(DeskError::Store(error))) => {
                tracing::error!("the API cannot use the database: {error}");
                fault(503, "the database does not answer")
            }
        }
    }

    fn act(&self, action: Action, name: &str, request: &Request) -> Result<Value, Fault> {
        let store = &self.store;
        match action {
            Action::Document => Ok(document()),
            Action::List => self.list(&request.query),
            Action::Show => Ok(desk::detail(store, id(name)?)?),
            Action::Retry => {
                desk::retry(store, id(name)?)?;
                Ok(desk::detail(store, id(name)?)?)
            }
            Action::Cancel => {
                desk::cancel(store, id(name)?)?;
                Ok(desk::detail(store, id(name)?)?)
            }
            Action::Push => {
                let body: PushBody = body(request)?;
                let account = desk::account(store, name)?;
                let device = body.device.as_deref();
                let asked_by = "asked for by the API";
                let queued = desk::push(store, &account, device, &body.datastores, asked_by)?;
                let queued = queued.iter().map(|(device, notification)| {
                    desk::to_json(notification, &account.name, &device.uri)
                });
                Ok(json!({ "notifications": queued.collect::<Vec<_>>() }))
            }
            Action::Provision => self.provision(name, body(request)?),
            Action::Gateways => Ok(self.states()),
            Action::MailRules => Ok(desk::mail_rules(store, &desk::account(store, name)?)?),
            Action::SetMailRules => {
                let body: MailRulesBody = body(request)?;
                let account = desk::account(store, name)?;
                let rules: OwnRules = body.rules.parse().map_err(Fault::BadRequest)?;
                desk::set_mail_rules(store, &account, body.device.as_deref(), &rules)?;
                Ok(desk::mail_rules(store, &account)?)
            }
            Action::Outgoing => self.outgoing(&request.query),
            Action::ShowOutgoing => self.outgoing_mail(&outgoing::show(store, mail_id(name)?)?),
            Action::RetryOutgoing => {
                let now = chrono::Utc::now().timestamp_millis();
                self.outgoing_mail(&outgoing::retry(store, mail_id(name)?, now)?)
            }
            Action::CancelOutgoing => {
                let now = chrono::Utc::now().timestamp_millis();
                self.outgoing_mail(&outgoing::cancel(store, mail_id(name)?, now)?)
            }
            Action::Mail => {
                let account = desk::account(store, name)?;
                let now = chrono::Utc::now().timestamp();
                let delivered = Intake::new(store.clone()).deliver(account.id, &request.body, now);
                match delivered {
                    Ok(item) => Ok(json!({ "account": account.name, "item": item.guid() })),
                    Err(IntakeError::NoMessage(why)) => Err(Fault::BadRequest(why.to_owned())),
                    Err(IntakeError::Store(error)) => Err(error.into()),
                }
            }
        }
    }

    fn list(&self, query: &str) -> Result<Value, Fault> {
        let (account, open, last) = self.listed(query)?;
        let found = desk::list(&self.store, account.as_ref(), open, last)?;
        let found = found
            .iter()
            .map(|(notification, account, device)| desk::to_json(notification, account, device));
        Ok(json!({ "notifications": found.collect::<Vec<_>>() }))
    }

    /// Which of a list are asked for: of an account, only open ones, how many.
    fn listed(&self, query: &str) -> Result<(Option<Account>, bool, usize), Fault> {
        let (mut account, mut open, mut last) = (None, false, 100);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let wrong = || Fault::BadRequest(format!("{name} cannot be {value}"));
            match name {
                "account" => account = Some(desk::account(&self.store, &routes::decoded(value))?),
                "open" => open = value.parse().map_err(|_| wrong())?,
                "last" => last = value.parse().map_err(|_| wrong())?,
                _ => return Err(Fault::BadRequest(format!("there is no parameter {name}"))),
            }
        }
        Ok((account, open, last))
    }

    /// Mail of phones on its way.
    fn outgoing(&self, query: &str) -> Result<Value, Fault> {
        let (account, open, last) = self.listed(query)?;
        let accounts = match account {
            Some(account) => vec![account],
            None => self.store.accounts()?,
        };
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let found = outgoing::list(&self.store, &ids, open, last)?;
        let shown = found.iter().map(|mail| {
            let mut all = accounts.iter();
            let of = all.find(|account| account.id == mail.queued.account);
            outgoing::to_json(mail, of.map_or("", |account| &account.name))
        });
        Ok(json!({ "mails": shown.collect::<Vec<_>>() }))
    }

    fn outgoing_mail(&self, mail: &OutgoingMail) -> Result<Value, Fault> {
        let account = self.store.account_by_id(mail.queued.account)?;
        Ok(outgoing::to_json(mail, &account.name))
    }

    fn provision(&self, name: &str, body: ProvisionBody) -> Result<Value, Fault> {
        let account = desk::account(&self.store, name)?;
        let number: crate::sms::Msisdn = body
            .msisdn
            .parse()
            .map_err(|error: crate::sms::NumberError| Fault::BadRequest(error.to_string()))?;
        if !number.is_international() {
            let why = "the number begins with + and the country code";
            return Err(Fault::BadRequest(why.to_owned()));
        }
        let mut order = body.settings;
        if order.kind.is_none() {
            let (profile, number) = (body.profile.as_deref(), number.as_str());
            let profiles = &self.profiles;
            let kind = desk::settings_kind(&self.store, profiles, &account, number, profile)?;
            order.kind = Some(kind);
        }
        if order.url.is_empty() {
            order.url = self.url.clone().ok_or_else(|| {
                Fault::BadRequest("settings.url is missing, and public_url is not set".to_owned())
            })?;
        }
        if order.name.is_empty() {
            order.name.clone_from(&self.server_id);
        }
        if order.datastores.is_empty() {
            let four = Datastore::ALL.into_iter().take(4);
            order.datastores = four.collect();
        }
        let password = Secret(password()?);
        let (device, queued, typed) = desk::provision(
            &self.store,
            &account,
            &self.server_id,
            number.as_str(),
            &password,
            &order,
            "asked for by the API",
        )?;
        let queued = queued
            .iter()
            .map(|notification| desk::to_json(notification, &account.name, &device.uri));
        Ok(json!({
            "device": device.uri,
            "kind": order.kind,
            "password": password.0,
            "pin": typed,
            "notifications": queued.collect::<Vec<_>>(),
        }))
    }

    fn states(&self) -> Value {
        let states = self.gateways.as_ref().map(Gateways::states);
        let states = states.unwrap_or_default();
        let states = states.iter().map(|state| {
            let (up, why) = match &state.circuit {
                CircuitState::Closed => (true, None),
                CircuitState::Open { why, .. } => (false, Some(why)),
            };
            json!({
                "name": state.name,
                "kind": state.kind,
                "up": up,
                "why": why,
                "accepted": state.accepted,
                "refused": state.refused,
                "throttled": state.throttled,
                "failed": state.failed,
                "in_doubt": state.in_doubt,
            })
        });
        json!({ "gateways": states.collect::<Vec<_>>() })
    }
}

fn ok(body: Value) -> Answer {
    Answer { status: 200, body }
}

fn fault(status: u16, why: &str) -> Answer {
    Answer {
        status,
        body: json!({ "error": why }),
    }
}

fn id(name: &str) -> Result<NotificationId, Fault> {
    name.parse().map_err(Fault::BadRequest)
}

fn mail_id(name: &str) -> Result<OutgoingId, Fault> {
    name.parse().map_err(Fault::BadRequest)
}

fn body<T: for<'d> Deserialize<'d>>(request: &Request) -> Result<T, Fault> {
    let body: &[u8] = match &*request.body {
        [] => b"{}",
        body => body,
    };
    serde_json::from_slice(body)
        .map_err(|error| Fault::BadRequest(format!("the body is not what it should be: {error}")))
}

/// A password that nobody has to type.
fn password() -> Result<String, Fault> {
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random)
        .map_err(|error| crate::store::StoreError::Unavailable(error.to_string()))?;
    Ok(random.iter().map(|octet| format!("{octet:02x}")).collect())
}
