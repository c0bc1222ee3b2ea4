use super::*;
use crate::store::StoreConfig;

fn api() -> Api {
    let store = Store::open(&StoreConfig {
        url: "sqlite::memory:".into(),
        key: None,
    })
    .expect("a store");
    let account = store
        .add_account("alice", &Secret("secret".into()))
        .expect("an account");
    store
        .register_device(account.id, "IMEI:1", 5)
        .expect("a device");
    Api {
        store,
        token: Token::new("token"),
        server_id: "candybar".into(),
        url: Some("http://sync.example.org/sync".into()),
        profiles: Catalogue::embedded(),
        gateways: None,
        max_message: 1000,
    }
}

fn ask(api: &Api, method: &str, path: &str, body: &str) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    api.answer(&Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        authorization: Some("Bearer token".into()),
        body: body.into(),
    })
}

#[test]
fn the_document_and_the_routes_agree() {
    let document = document();
    let mut described = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            described.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut known: Vec<_> = PATHS
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .into();
    described.sort();
    known.sort();
    assert_eq!(described, known);
    let api = api();
    for (method, path) in PATHS {
        let path = path.replace("{id}", "1-99").replace("{name}", "nobody");
        let status = ask(&api, method, &path, "{}").status;
        assert!(
            [200, 404, 400].contains(&status),
            "{method} {path}: {status}"
        );
        assert_eq!(ask(&api, "DELETE", &path, "").status, 405, "{path}");
    }
    // Every schema that is named is there.
    let text = document.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().expect("a name");
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}

#[test]
fn nobody_gets_in_without_the_token() {
    let api = api();
    for authorization in [
        None,
        Some("Bearer "),
        Some("Bearer other"),
        Some("Basic token"),
        Some("token"),
    ] {
        let mut request = Request {
            method: "GET".into(),
            path: "/outbox".into(),
            authorization: authorization.map(str::to_owned),
            ..Request::default()
        };
        assert_eq!(api.answer(&request).status, 401, "{authorization:?}");
        request.path = "/openapi.json".into();
        assert_eq!(
            api.answer(&request).status,
            200,
            "the document is for everybody"
        );
    }
}

#[test]
fn a_push_is_queued_shown_and_cancelled() {
    let api = api();
    let refused = ask(&api, "POST", "/accounts/alice/push", "");
    assert_eq!(refused.status, 409, "nothing can be spoken to: {refused:?}");
    let body = r#"{"device": "IMEI:1", "datastores": ["contacts"]}"#;
    let pushed = ask(&api, "POST", "/accounts/alice/push", body);
    assert_eq!(pushed.status, 200, "{pushed:?}");
    let id = pushed.body["notifications"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let shown = ask(&api, "GET", &format!("/outbox/{id}"), "");
    assert_eq!(shown.body["state"], "waiting");
    assert_eq!(shown.body["datastores"], json!(["contacts"]));
    assert_eq!(shown.body["history"][0]["what"], "asked for by the API");
    let cancelled = ask(&api, "POST", &format!("/outbox/{id}/cancel"), "");
    assert_eq!(cancelled.body["state"], "cancelled");
    assert_eq!(
        ask(&api, "POST", &format!("/outbox/{id}/cancel"), "").status,
        409
    );
    let list = ask(&api, "GET", "/outbox?account=alice&open=true&last=5", "");
    assert_eq!(list.body["notifications"], json!([]));
    assert_eq!(
        ask(&api, "POST", &format!("/outbox/{id}/retry"), "").body["state"],
        "waiting"
    );
    let list = ask(&api, "GET", "/outbox?open=true", "");
    assert_eq!(list.body["notifications"][0]["id"], id.as_str());
}

#[test]
fn wrong_requests_say_what_is_wrong() {
    let api = api();
    for (method, path, body, status, words) in [
        ("POST", "/accounts/alice/push", "{", 400, "body"),
        (
            "POST",
            "/accounts/alice/push",
            r#"{"devices": 1}"#,
            400,
            "devices",
        ),
        ("POST", "/accounts/bob/push", "{}", 404, "no account bob"),
        (
            "POST",
            "/accounts/alice/push",
            r#"{"device": "IMEI:2"}"#,
            404,
            "no device IMEI:2",
        ),
        ("GET", "/outbox/x", "", 400, "no id"),
        ("GET", "/outbox/1-5", "", 404, "no notification"),
        ("GET", "/outbox?last=x", "", 400, "last cannot be x"),
        ("GET", "/outbox?what=x", "", 400, "no parameter what"),
        ("GET", "/outbox?account=bob", "", 404, "bob"),
        (
            "POST",
            "/accounts/alice/provision",
            r#"{"msisdn": "070"}"#,
            400,
            "+",
        ),
        ("POST", "/accounts/alice/provision", "{}", 400, "msisdn"),
        (
            "POST",
            "/accounts/alice/provision",
            r#"{"msisdn": "+46701234567", "settings": {"pin": "x"}}"#,
            409,
            "PIN",
        ),
        ("GET", "/nothing", "", 404, "openapi"),
    ] {
        let answer = ask(&api, method, path, body);
        let why = answer.body["error"].as_str().unwrap_or_default();
        assert_eq!(answer.status, status, "{path} {body}: {why}");
        assert!(why.contains(words), "{path} {body}: {why}");
    }
}

#[test]
fn settings_are_queued_with_a_password_of_their_own() {
    let api = api();
    let body = r#"{"msisdn": "+46 70-123 45 67", "settings": {"pin": "1234"}}"#;
    let answer = ask(&api, "POST", "/accounts/alice/provision", body);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["pin"], "1234");
    assert_eq!(answer.body["notifications"][0]["kind"], "settings");
    assert!(answer.body["password"].as_str().expect("a password").len() >= 16);
}

#[test]
fn a_message_is_stored_when_it_is_answered() {
    let api = api();
    let message = "Subject: hello\r\n\r\nyou\r\n";
    let answer = ask(&api, "POST", "/accounts/alice/mail", message);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let account = api.store.account("alice").expect("alice").id;
    let items = api
        .store
        .items(account, Datastore::Mail, crate::sync::Cursor::default(), 10)
        .expect("items");
    let mail = items
        .iter()
        .find(|item| item.meta.id.guid() == answer.body["item"].as_str().unwrap_or_default())
        .expect("the mail");
    let mail = crate::content::email::Mail::read(&mail.body).expect("a mail");
    assert_eq!(mail.message, message.as_bytes());
    assert!(!mail.read && mail.received.is_some());
    assert_eq!(ask(&api, "POST", "/accounts/bob/mail", message).status, 404);
    assert_eq!(
        ask(&api, "POST", "/accounts/alice/mail", "no message").status,
        400
    );
}

#[test]
fn only_who_is_known_may_send_much() {
    let api = api();
    let limit = |authorization: Option<&str>, path: &str| {
        api.body_limit(&Request {
            method: "POST".into(),
            path: path.into(),
            authorization: authorization.map(str::to_owned),
            ..Request::default()
        })
    };
    assert_eq!(limit(Some("Bearer token"), "/accounts/alice/mail"), 1000);
    assert_eq!(
        limit(Some("Bearer wrong"), "/accounts/alice/mail"),
        MAX_BODY
    );
    assert_eq!(limit(None, "/accounts/alice/mail"), MAX_BODY);
    assert_eq!(
        limit(Some("Bearer token"), "/accounts/alice/push"),
        MAX_BODY
    );
}

#[test]
fn mail_of_phones_is_listed_given_up_and_sent_again() {
    let api = api();
    let account = api.store.account("alice").expect("alice").id;
    let message = "To: bob@example.net\r\nSubject: Tea\r\n\r\nx\r\n";
    ask(&api, "POST", "/accounts/alice/mail", message);
    let next = api.store.account("alice").expect("alice").next_item;
    let item = crate::sync::ItemId(next.0 - 1);
    api.store
        .queue_mail(account, item, 1_000)
        .expect("it is queued");
    let list = ask(&api, "GET", "/outgoing?account=alice&open=true", "");
    let mail = &list.body["mails"][0];
    assert_eq!(mail["subject"], "Tea", "{list:?}");
    assert_eq!(
        (&mail["state"], &mail["account"]),
        (&json!("waiting"), &json!("alice"))
    );
    let path = format!("/outgoing/{}", mail["id"].as_str().expect("an id"));
    let cancelled = ask(&api, "POST", &format!("{path}/cancel"), "");
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let shown = ask(&api, "GET", &path, "");
    assert_eq!(shown.body["recipients"][0]["state"], "refused");
    assert_eq!(
        ask(&api, "POST", &format!("{path}/cancel"), "").status,
        409,
        "it is settled already"
    );
    // Until its sender was told, it is under way.
    assert_eq!(ask(&api, "POST", &format!("{path}/retry"), "").status, 409);
    for (path, status) in [
        ("/outgoing/x", 400),
        ("/outgoing/1-999", 404),
        ("/outgoing?account=eve", 404),
    ] {
        assert_eq!(ask(&api, "GET", path, "").status, status, "{path}");
    }
}
