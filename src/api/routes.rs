//! Addresses of the API, and the document that describes them.

use serde_json::{Value, json};

/// What an address does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Document,
    List,
    Show,
    Retry,
    Cancel,
    Push,
    Provision,
    Gateways,
    Mail,
    MailRules,
    SetMailRules,
    Outgoing,
    ShowOutgoing,
    RetryOutgoing,
    CancelOutgoing,
}

/// Method and path under `/api/v1` of every address; `{…}` stands for one name.
pub const PATHS: [(&str, &str); 15] = [
    ("GET", "/openapi.json"),
    ("GET", "/outbox"),
    ("GET", "/outbox/{id}"),
    ("POST", "/outbox/{id}/retry"),
    ("POST", "/outbox/{id}/cancel"),
    ("POST", "/accounts/{name}/push"),
    ("POST", "/accounts/{name}/provision"),
    ("GET", "/gateways"),
    ("POST", "/accounts/{name}/mail"),
    ("GET", "/accounts/{name}/mail-push"),
    ("POST", "/accounts/{name}/mail-push"),
    ("GET", "/outgoing"),
    ("GET", "/outgoing/{id}"),
    ("POST", "/outgoing/{id}/retry"),
    ("POST", "/outgoing/{id}/cancel"),
];

/// In the order of [`PATHS`].
const ACTIONS: [Action; PATHS.len()] = [
    Action::Document,
    Action::List,
    Action::Show,
    Action::Retry,
    Action::Cancel,
    Action::Push,
    Action::Provision,
    Action::Gateways,
    Action::Mail,
    Action::MailRules,
    Action::SetMailRules,
    Action::Outgoing,
    Action::ShowOutgoing,
    Action::RetryOutgoing,
    Action::CancelOutgoing,
];

/// What was found at an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// With the name in the path, if it has one.
    Action(Action, String),
    OtherMethod,
    Nothing,
}

/// What a method does at a path.
pub(super) fn find(method: &str, path: &str) -> Found {
    let mut found = Found::Nothing;
    for ((known, pattern), action) in PATHS.into_iter().zip(ACTIONS) {
        let Some(name) = matches(pattern, path) else {
            continue;
        };
        if known == method {
            return Found::Action(action, name);
        }
        found = Found::OtherMethod;
    }
    found
}

fn matches(pattern: &str, path: &str) -> Option<String> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut name = String::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(name),
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {
                name = decoded(given);
            }
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

/// Text without its %-escapes.
pub(super) fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let digit = |octet: &u8| char::from(*octet).to_digit(16);
                digit(high).zip(digit(low))
            }
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                octets.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            None => {
                octets.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn answers(of: &str, more: &[(&str, &str)]) -> Value {
    let mut answers = json!({
        "200": {
            "description": "Done.",
            "content": { "application/json": { "schema": schema(of) } },
        },
    });
    for (status, description) in [
        ("401", "The bearer token is missing or wrong."),
        ("503", "The database does not answer."),
    ]
    .iter()
    .chain(more)
    {
        answers[*status] = json!({
            "description": description,
            "content": { "application/json": { "schema": schema("Error") } },
        });
    }
    answers
}

fn parameter(name: &str, place: &str, kind: &str, description: &str) -> Value {
    json!({
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": { "type": kind },
    })
}

fn takes(of: &str) -> Value {
    json!({ "required": false, "content": { "application/json": { "schema": schema(of) } } })
}

/// The OpenAPI document.
pub fn document() -> Value {
    let id = parameter("id", "path", "string", "Of a notification, such as 1-17.");
    let name = parameter("name", "path", "string", "Of an account.");
    let not_found = ("404", "There is no such thing.");
    let refused = ("409", "It is there, and cannot be done.");
    let bad = (
        "400",
        "The request is not what it should be; the error says why.",
    );
    let mut document = json!({
        "openapi": "3.0.3",
        "info": {
            "title": "candybar",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the server says to phones first: notifications, settings, and what came of them.",
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "token": [] }],
        "paths": {},
    });
    let paths = &mut document["paths"];
    paths["/openapi.json"]["get"] = json!({
        "summary": "This document.",
        "security": [],
        "responses": { "200": { "description": "The document.", "content": { "application/json": {} } } },
    });
    paths["/outbox"]["get"] = json!({
        "summary": "Notifications, the newest first.",
        "parameters": [
            parameter("account", "query", "string", "Only those of this account."),
            parameter("open", "query", "boolean", "Only those that are not finished."),
            parameter("last", "query", "integer", "How many; 100 if it is not said."),
        ],
        "responses": answers("Notifications", &[bad, not_found]),
    });
    paths["/outbox/{id}"]["get"] = json!({
        "summary": "A notification with its history.",
        "parameters": [id],
        "responses": answers("Notification", &[bad, not_found]),
    });
    for (verb, summary) in [
        (
            "retry",
            "Tries a finished notification again, or at once one that waits.",
        ),
        ("cancel", "Cancels a notification."),
    ] {
        paths[format!("/outbox/{{id}}/{verb}")]["post"] = json!({
            "summary": summary,
            "parameters": [id],
            "responses": answers("Notification", &[bad, not_found, refused]),
        });
    }
    paths["/accounts/{name}/push"]["post"] = json!({
        "summary": "Wakes a device, or all of the account that can be spoken to.",
        "parameters": [name],
        "requestBody": takes("Push"),
        "responses": answers("Notifications", &[bad, not_found, refused]),
    });
    paths["/accounts/{name}/provision"]["post"] = json!({
        "summary": "Sends a phone its settings, with a password that is made for it.",
        "parameters": [name],
        "requestBody": takes("Provision"),
        "responses": answers("Provisioned", &[bad, not_found, refused]),
    });
    paths["/accounts/{name}/mail"]["post"] = json!({
        "summary": "Puts a message (RFC 5322) into the account's inbox. When this is answered, the message is stored.",
        "parameters": [name],
        "requestBody": { "required": true, "content": {
            "message/rfc822": { "schema": { "type": "string", "format": "binary" } } } },
        "responses": answers("Delivered", &[bad, not_found, ("413", "The message is too large.")]),
    });
    paths["/accounts/{name}/mail-push"] = json!({
        "get": {
            "summary": "Which new mail wakes the account's phones: its own rules, and those of devices over them.",
            "parameters": [parameter("name", "path", "string", "Of an account.")],
            "responses": answers("MailRules", &[not_found]),
        },
        "post": {
            "summary": "Sets such rules, of the account or of one device; empty ones are removed.",
            "parameters": [parameter("name", "path", "string", "Of an account.")],
            "requestBody": takes("SetMailRules"),
            "responses": answers("MailRules", &[bad, not_found]),
        },
    });
    let list = [
        parameter("account", "query", "string", "Only those of this account."),
        parameter(
            "open",
            "query",
            "boolean",
            "Only those that are not finished.",
        ),
        parameter(
            "last",
            "query",
            "integer",
            "How many; 100 if it is not said.",
        ),
    ];
    let id = parameter("id", "path", "string", "Of an outgoing mail, such as 1-42.");
    paths["/outgoing"]["get"] = json!({
        "summary": "Mail of phones that is to be sent, or was: of each account what is not finished first, then the newest.",
        "parameters": list,
        "responses": answers("OutgoingMails", &[bad, not_found]),
    });
    paths["/outgoing/{id}"]["get"] = json!({
        "summary": "A mail with what became of each recipient.",
        "parameters": [id],
        "responses": answers("OutgoingMail", &[bad, not_found]),
    });
    for (verb, summary) in [
        (
            "retry",
            "Sends a mail again to those that do not have it, or may not have it; one that waits is tried at once.",
        ),
        ("cancel", "Gives a mail up that waits; its sender is told."),
    ] {
        paths[format!("/outgoing/{{id}}/{verb}")]["post"] = json!({
            "summary": summary,
            "parameters": [id],
            "responses": answers("OutgoingMail", &[bad, not_found, refused]),
        });
    }
    paths["/gateways"]["get"] = json!({
        "summary": "The ways out to phones.",
        "responses": answers("Gateways", &[]),
    });
    document["components"] = components();
    document
}

fn components() -> Value {
    let text = || json!({ "type": "string" });
    let or_null = |kind: &str| json!({ "type": kind, "nullable": true });
    let time = || json!({ "type": "string", "format": "date-time", "nullable": true });
    let datastores = || {
        json!({ "type": "array", "items": { "type": "string",
            "enum": ["contacts", "calendar", "tasks", "notes", "mail", "agenda"] } })
    };
    let list = |of: &str| json!({ "type": "array", "items": schema(of) });
    json!({
        "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        "schemas": {
            "Error": { "type": "object", "properties": { "error": text() } },
            "Notification": { "type": "object", "properties": {
                "id": text(), "account": text(), "device": text(),
                "kind": { "type": "string", "enum": ["change", "push", "settings"] },
                "state": { "type": "string", "enum": ["waiting", "sending", "sent", "synced", "delivered",
                    "unanswered", "failed", "expired", "cancelled", "dropped"] },
                "created": time(), "due": time(), "submitted": time(), "finished": time(),
                "attempts": { "type": "integer" }, "gateway": or_null("string"),
                "datastores": datastores(), "why": or_null("string"),
                "history": { "type": "array", "items": { "type": "object", "properties": {
                    "at": time(), "state": text(), "what": text() } } },
                "parts": { "type": "array", "items": { "type": "object", "properties": {
                    "attempt": { "type": "integer" }, "part": { "type": "integer" }, "gateway": text(),
                    "gateway_id": or_null("string"), "at": time(),
                    "receipt": { "type": "string", "enum": ["none", "pending", "delivered", "failed"] } } } },
            } },
            "Notifications": { "type": "object", "properties": { "notifications": list("Notification") } },
            "Push": { "type": "object", "properties": { "device": text(), "datastores": datastores() } },
            "Provision": { "type": "object", "required": ["msisdn"], "properties": {
                "msisdn": text(), "profile": text(),
                "settings": { "type": "object", "properties": {
                    "kind": { "type": "string", "enum": ["cp", "nokia-ota"] },
                    "name": text(), "url": text(), "datastores": datastores(),
                    "pin": text(), "imsi": text(), "pin_mac": { "type": "boolean" }, "existing": text(),
                    "server_credentials": { "type": "boolean" },
                    "access_point": { "type": "object", "properties": {
                        "name": text(), "apn": text(), "user": text(), "password": text(), "proxy": text() } },
                } },
            } },
            "Provisioned": { "type": "object", "properties": {
                "device": text(), "kind": { "type": "string", "enum": ["cp", "nokia-ota"] },
                "password": text(), "pin": or_null("string"),
                "notifications": list("Notification") } },
            "Delivered": { "type": "object", "properties": { "account": text(), "item": text() } },
            "MailRules": { "type": "object", "properties": { "account": text(), "rules": text(),
                "devices": { "type": "object", "additionalProperties": text() } } },
            "SetMailRules": { "type": "object", "required": ["rules"], "properties": { "device": text(), "rules": {
                "type": "string", "example": "senders=*@example.org;quiet_hours=22:00-07:00" } } },
            "OutgoingMail": { "type": "object", "properties": {
                "id": text(), "account": text(), "subject": or_null("string"),
                "state": { "type": "string", "enum": ["waiting", "under way", "sent", "in part", "in doubt", "refused", "gone"] },
                "created": time(), "due": time(), "finished": time(), "attempts": { "type": "integer" }, "why": or_null("string"),
                "recipients": { "type": "array", "items": { "type": "object", "properties": {
                    "address": text(), "why": or_null("string"),
                    "state": { "type": "string", "enum": ["waiting", "sent", "refused", "unknown"] } } } } } },
            "OutgoingMails": { "type": "object", "properties": { "mails": list("OutgoingMail") } },
            "Gateways": { "type": "object", "properties": { "gateways": { "type": "array", "items": {
                "type": "object", "properties": { "name": text(), "kind": text(),
                    "up": { "type": "boolean" }, "why": or_null("string") } } } } },
        },
    })
}
