//! A push proxy that speaks the Push Access Protocol 2.0 (WAP-247-PAP), such as Kannel's PPG.
//!
//! It takes the notification or document itself with its media type, and makes the WSP form, the header and the SMS. A push
//! has our reference as its push-id, so the proxy knows one that comes again: code 2007 says that it has it already.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{SecondsFormat, TimeDelta, Utc};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event as XmlEvent};
use ureq::http::Method;

use super::callback::Callbacks;
use super::error::{GatewayError, excerpt};
use super::event::{Callback, CallbackAnswer, Event, Events, Receipt, ReceiptState};
use super::http::{HttpAnswer, HttpClient, HttpRequest, Parameters};
use super::message::{Content, Message, Push, Reference, Unit};
use super::settings::{GatewaySettings, PapSettings};
use super::submit::Report;
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};
use crate::push::wsp::Value;

/// What follows our reference in a push-id.
const ID_SUFFIX: &str = "@candybar";
/// Elements of an answer that are looked at.
const MAX_ELEMENTS: usize = 64;
/// The separator of the parts; more is appended if the content has it.
const BOUNDARY: &str = "candybar-push";

/// A push proxy.
pub(super) struct Pap {
    settings: PapSettings,
    client: HttpClient,
    callbacks: Callbacks,
}

impl Pap {
    pub(super) fn new(
        gateway: &GatewaySettings,
        settings: &PapSettings,
        events: Events,
    ) -> Result<Self, String> {
        Ok(Self {
            client: HttpClient::new(&settings.url, gateway.timeout, &settings.tls)?,
            settings: settings.clone(),
            callbacks: Callbacks::new(gateway, events),
        })
    }

    async fn push(&self, message: &Message, push: &Push) -> Result<String, GatewayError> {
        let id = format!("{}{ID_SUFFIX}", message.reference);
        let control = self.control(&id, message)?;
        let (boundary, body) = multipart(&control, push);
        let content_type =
            format!("multipart/related; boundary={boundary}; type=\"application/xml\"");
        let mut request = HttpRequest::new(Method::POST, &self.settings.url)
            .header("content-type", &content_type)
            .body(body);
        let login = &self.settings.login;
        if !login.username.is_empty() {
            let credentials = format!("{}:{}", login.username, login.password.reveal());
            let credentials = STANDARD.encode(credentials);
            request = request.header("authorization", &format!("Basic {credentials}"));
        }
        read_answer(&self.client.send(request).await?)?;
        Ok(id)
    }

    /// The control entity (WAP-247-PAP, section 9).
    fn control(&self, id: &str, message: &Message) -> Result<String, GatewayError> {
        let Some(number) = &message.to.number else {
            return Err(GatewayError::unsupported("the phone's number is not known"));
        };
        let mut attributes = format!("push-id=\"{id}\"");
        if let Some(before) = message.validity.and_then(deadline) {
            attributes.push_str(&format!(" deliver-before-timestamp=\"{before}\""));
        }
        if message.receipt
            && let Some(url) = self.callbacks.url("result")
        {
            attributes.push_str(&format!(" ppg-notify-requested-to=\"{}\"", escape(&url)));
        }
        let address = format!("WAPPUSH={number}/TYPE=PLMN@{}", self.settings.domain);
        Ok(format!(
            "<?xml version=\"1.0\"?>\r\n\
             <!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \"http://www.wapforum.org/DTD/pap_2.0.dtd\">\r\n\
             <pap product-name=\"candybar\"><push-message {attributes}>\
             <address address-value=\"{}\"/>\
             <quality-of-service delivery-method=\"unconfirmed\" network-required=\"true\" network=\"GSM\" \
             bearer-required=\"true\" bearer=\"SMS\"/>\
             </push-message></pap>\r\n",
            escape(&address)
        ))
    }
}

fn deadline(validity: Duration) -> Option<String> {
    let end = Utc::now().checked_add_signed(TimeDelta::from_std(validity).ok()?)?;
    Some(end.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Media type with parameters, as text.
fn content_type(push: &Push) -> String {
    let wsp = push.wsp();
    let mut text = wsp.content_type.to_string();
    for parameter in &wsp.parameters {
        let value = match &parameter.value {
            Value::Integer(number) => number.to_string(),
            value => value.text().unwrap_or_default().to_owned(),
        };
        text.push_str(&format!("; {}={value}", parameter.name()));
    }
    text
}

/// Both entities, and what stands between them.
fn multipart(control: &str, push: &Push) -> (String, Vec<u8>) {
    let content = &push.wsp().body;
    let mut boundary = BOUNDARY.to_owned();
    while content
        .windows(boundary.len())
        .any(|octets| octets == boundary.as_bytes())
    {
        boundary.push('x');
    }
    let head = format!(
        "--{boundary}\r\nContent-Type: application/xml\r\n\r\n{control}\r\n--{boundary}\r\n\
         Content-Type: {}\r\nX-Wap-Application-Id: {}\r\n\r\n",
        content_type(push),
        push.wsp().application()
    );
    let mut body = head.into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (boundary, body)
}

/// Attributes of the first of these elements.
fn element(xml: &[u8], names: &[&str]) -> Option<Vec<(String, String)>> {
    let xml = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(&xml);
    for _ in 0..MAX_ELEMENTS {
        match reader.read_event() {
            Ok(XmlEvent::Start(start) | XmlEvent::Empty(start))
                if names.iter().any(|name| start.name().as_ref() == *name) =>
            {
                return Some(attributes(&start));
            }
            Ok(XmlEvent::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
    None
}

fn attributes(start: &BytesStart<'_>) -> Vec<(String, String)> {
    start
        .attributes()
        .filter_map(Result::ok)
        .map(|attribute| {
            let name = attribute.key.as_ref().to_owned();
            let raw = attribute.value.into_owned();
            let value = quick_xml::escape::unescape(&raw).map(std::borrow::Cow::into_owned);
            (name, value.unwrap_or(raw))
        })
        .collect()
}

fn value<'a>(attributes: &'a [(String, String)], name: &str) -> &'a str {
    let found = attributes.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

/// Result codes (WAP-247-PAP, section 9.14), which count more than the HTTP status.
fn read_answer(answer: &HttpAnswer) -> Result<(), GatewayError> {
    let result = element(&answer.body, &["response-result", "badmessage-response"]);
    let Some(result) = result else {
        let words = answer.words();
        return Err(match answer.status {
            401 | 403 => GatewayError::misconfigured(format!(
                "the proxy does not let us in ({words}); look at username and password"
            )),
            404 | 405 | 300..=399 => {
                GatewayError::misconfigured(format!("that is not the proxy's address ({words})"))
            }
            429 | 503 => GatewayError::Throttled {
                retry_after: answer.retry_after,
                why: words,
            },
            400..=499 => GatewayError::refused(true, words),
            500..=599 => GatewayError::refused(false, words),
            _ => GatewayError::in_doubt(format!("the answer is none of a push proxy's ({words})")),
        });
    };
    let code: u16 = value(&result, "code").parse().unwrap_or_default();
    let why = format!(
        "PAP code {code} {}",
        excerpt(value(&result, "desc").as_bytes())
    );
    match code {
        // 2007: it has a push of that id already, so it is ours.
        1000..=1999 | 2007 => Ok(()),
        2001 | 3002 => Err(GatewayError::misconfigured(why)),
        2000..=2999 | 3001 | 3003..=3011 => Err(GatewayError::refused(true, why)),
        4001 => Err(GatewayError::Throttled {
            retry_after: answer.retry_after,
            why,
        }),
        0 => Err(GatewayError::in_doubt("the proxy's answer has no code")),
        _ => Err(GatewayError::refused(false, why)),
    }
}

impl SmsGateway for Pap {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Number,
            push: true,
            text: false,
            receipts: self.callbacks.are_possible(),
            incoming: false,
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let Content::Push(push) = &unit.message.content else {
                let why = "a push proxy carries pushes, no texts";
                return Report::failed(GatewayError::unsupported(why));
            };
            match self.push(unit.message, push).await {
                Ok(id) => Report::whole(unit, Some(id)),
                Err(error) => Report::failed(error),
            }
        })
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>) -> BoxFuture<'a, CallbackAnswer> {
        Box::pin(async move {
            if !self.callbacks.admits(&Parameters::read(callback.query)) {
                return CallbackAnswer::forbidden();
            }
            if callback.what != "result" {
                return CallbackAnswer::not_found();
            }
            let Some(receipt) = notification(callback.body) else {
                return CallbackAnswer::bad("this is no result notification\n");
            };
            let id = receipt.gateway_id.clone().unwrap_or_default();
            if !self.callbacks.deliver(Event::Receipt(receipt)).await {
                return CallbackAnswer::later();
            }
            CallbackAnswer {
                status: 200,
                content_type: "application/xml",
                body: format!(
                    "<?xml version=\"1.0\"?>\n<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \
                     \"http://www.wapforum.org/DTD/pap_2.0.dtd\">\n<pap><resultnotification-response \
                     push-id=\"{}\" code=\"1000\" desc=\"OK\"/></pap>\n",
                    escape(&id)
                ),
            }
        })
    }
}

/// A result notification (WAP-247-PAP, section 9.6).
fn notification(body: &[u8]) -> Option<Receipt> {
    let attributes = element(body, &["resultnotification-message"])?;
    let id = value(&attributes, "push-id");
    let message = id.strip_suffix(ID_SUFFIX)?;
    let reference: Reference = format!("{message}.0").parse().ok()?;
    let word = value(&attributes, "message-state");
    let state = match word {
        "delivered" => ReceiptState::Delivered,
        "pending" => ReceiptState::Pending,
        "" => return None,
        _ => ReceiptState::Failed,
    };
    let text = format!(
        "{word}, code {} {}",
        value(&attributes, "code"),
        value(&attributes, "desc")
    );
    Some(Receipt {
        reference: Some(reference),
        gateway_id: Some(id.to_owned()),
        state,
        text: excerpt(text.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> HttpAnswer {
        let body = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE pap PUBLIC \"x\" \"y\"><pap><push-response push-id=\"a\">\
             <progress-note stage=\"error\"/><response-result code =\"{code}\" desc=\"it &amp; that\"/></push-response></pap>"
        );
        HttpAnswer {
            status,
            retry_after: None,
            body: body.into_bytes(),
        }
    }

    #[test]
    fn codes_say_what_became_of_it() {
        for code in ["1000", "1001", "2007"] {
            assert_eq!(read_answer(&answer(202, code)), Ok(()), "{code}");
        }
        let error = |code| read_answer(&answer(202, code)).expect_err(code);
        assert!(matches!(
            error("2002"),
            GatewayError::Rejected {
                permanent: true,
                ..
            }
        ));
        assert!(matches!(
            error("3000"),
            GatewayError::Rejected {
                permanent: false,
                ..
            }
        ));
        assert!(matches!(error("2001"), GatewayError::Misconfigured { .. }));
        assert!(matches!(error("4001"), GatewayError::Throttled { .. }));
        assert!(matches!(error("x"), GatewayError::InDoubt { .. }));
        assert!(
            error("2002").to_string().contains("2002 it & that"),
            "{}",
            error("2002")
        );
        let plain = |status| {
            let answer = HttpAnswer {
                status,
                retry_after: None,
                body: b"<html><p>hello".to_vec(),
            };
            read_answer(&answer).expect_err("no code")
        };
        assert!(matches!(plain(401), GatewayError::Misconfigured { .. }));
        assert!(matches!(
            plain(500),
            GatewayError::Rejected {
                permanent: false,
                ..
            }
        ));
        assert!(
            matches!(plain(200), GatewayError::InDoubt { .. }),
            "it may have it"
        );
    }

    #[test]
    fn notifications_of_results_are_read() {
        let read = |attributes: &str| {
            let body = format!(
                "<?xml version=\"1.0\"?><pap><resultnotification-message {attributes}><address address-value=\"x\"/></resultnotification-message></pap>"
            );
            notification(body.as_bytes())
        };
        let receipt =
            read("push-id=\"m-1@candybar\" code=\"1000\" message-state=\"delivered\" desc=\"ok\"")
                .expect("read");
        assert_eq!(
            receipt.reference,
            Some(Reference {
                message: "m-1".to_owned(),
                part: 0
            })
        );
        assert_eq!(receipt.state, ReceiptState::Delivered);
        let receipt =
            read("push-id=\"m-1@candybar\" message-state=\"undeliverable\"").expect("read");
        assert_eq!(receipt.state, ReceiptState::Failed);
        assert_eq!(
            read("push-id=\"m-1@other\" message-state=\"delivered\""),
            None
        );
        assert_eq!(read("push-id=\"m-1@candybar\""), None);
        assert_eq!(notification(b"\xFF<<"), None);
    }
}
