//! Kannel's sendsms interface (Kannel User's Guide, chapters "SMS push" and "Delivery reports").
//!
//! Parts go one by one, already cut: Kannel adds a header of its own only to what is too long, and ours never is. It gives
//! no id, so the part's reference travels in the receipt's address. The password goes into the query of a GET and into a
//! header of a POST; errors never show it.

use std::time::Duration;

use ureq::http::Method;

use super::callback::Callbacks;
use super::error::{GatewayError, excerpt};
use super::event::{
    Callback, CallbackAnswer, Event, Events, Incoming, Payload, Receipt, ReceiptState,
};
use super::http::{HttpAnswer, HttpClient, HttpRequest, Parameters, hex, parameter};
use super::message::{Reference, Sms, TextSms, Unit};
use super::settings::{GatewaySettings, KannelSettings};
use super::submit::{Report, Submitted, part_by_part};
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};

/// All kinds of receipts: delivered 1, failed 2, waiting 4, taken by the centre 8, refused by it 16.
const DLR_MASK: &str = "31";

/// A Kannel.
pub(super) struct Kannel {
    settings: KannelSettings,
    client: HttpClient,
    callbacks: Callbacks,
}

impl Kannel {
    pub(super) fn new(
        gateway: &GatewaySettings,
        settings: &KannelSettings,
        events: Events,
    ) -> Result<Self, String> {
        Ok(Self {
            client: HttpClient::new(&settings.url, gateway.timeout, &settings.tls)?,
            settings: settings.clone(),
            callbacks: Callbacks::new(gateway, events),
        })
    }

    async fn one(
        &self,
        sms: Sms,
        reference: Reference,
        validity: Option<Duration>,
    ) -> Result<Submitted, GatewayError> {
        let request = if self.settings.post {
            self.post(&sms, &reference, validity)
        } else {
            self.query(&sms, &reference, validity)
        };
        read_answer(&self.client.send(request).await?)
    }

    /// Where Kannel is to report; `%d` and the like are Kannel's to fill in.
    fn dlr_url(&self, sms: &Sms, reference: &Reference) -> Option<String> {
        if !sms.receipt() {
            return None;
        }
        // A percent sign is Kannel's mark for what it fills in; a doubled one is a percent sign.
        let base = self.callbacks.url("receipt")?.replace('%', "%%");
        Some(format!("{base}&ref={reference}&state=%d&text=%A&id=%F"))
    }

    fn query(&self, sms: &Sms, reference: &Reference, validity: Option<Duration>) -> HttpRequest {
        let mut query = String::new();
        let login = &self.settings.login;
        parameter(&mut query, "username", &login.username);
        parameter(&mut query, "password", login.password.reveal());
        parameter(&mut query, "to", sms.to().as_str());
        for (name, value) in [
            ("from", &self.settings.sender),
            ("smsc", &self.settings.smsc),
        ] {
            if !value.is_empty() {
                parameter(&mut query, name, value);
            }
        }
        match sms {
            Sms::Binary(sms) => {
                parameter(&mut query, "coding", "1");
                parameter(&mut query, "udh", &sms.udh);
                parameter(&mut query, "text", &sms.body);
            }
            Sms::Text(sms) => {
                let (coding, charset, octets) = text(sms);
                parameter(&mut query, "coding", coding);
                parameter(&mut query, "charset", charset);
                parameter(&mut query, "text", octets);
            }
        }
        if let Some(minutes) = minutes(validity) {
            parameter(&mut query, "validity", minutes);
        }
        if let Some(url) = self.dlr_url(sms, reference) {
            parameter(&mut query, "dlr-mask", DLR_MASK);
            parameter(&mut query, "dlr-url", url);
        }
        let url = &self.settings.url;
        let join = if url.contains('?') { '&' } else { '?' };
        HttpRequest::new(Method::GET, format!("{url}{join}{query}"))
    }

    fn post(&self, sms: &Sms, reference: &Reference, validity: Option<Duration>) -> HttpRequest {
        let login = &self.settings.login;
        let mut request = HttpRequest::new(Method::POST, &self.settings.url)
            .header("x-kannel-username", &login.username)
            .header("x-kannel-password", login.password.reveal())
            .header("x-kannel-to", sms.to().as_str());
        if !self.settings.sender.is_empty() {
            request = request.header("x-kannel-from", &self.settings.sender);
        }
        if !self.settings.smsc.is_empty() {
            request = request.header("x-kannel-smsc", &self.settings.smsc);
        }
        if let Some(minutes) = minutes(validity) {
            request = request.header("x-kannel-validity", &minutes);
        }
        if let Some(url) = self.dlr_url(sms, reference) {
            request = request
                .header("x-kannel-dlr-mask", DLR_MASK)
                .header("x-kannel-dlr-url", &url);
        }
        match sms {
            Sms::Binary(sms) => request
                .header("content-type", "application/octet-stream")
                .header("x-kannel-coding", "1")
                .header("x-kannel-udh", &hex(&sms.udh))
                .body(sms.body.clone()),
            Sms::Text(sms) => {
                let (coding, charset, octets) = text(sms);
                request
                    .header("content-type", &format!("text/plain; charset={charset}"))
                    .header("x-kannel-coding", coding)
                    .body(octets)
            }
        }
    }
}

/// Coding, character set and octets of a text.
fn text(sms: &TextSms) -> (&'static str, &'static str, Vec<u8>) {
    if TextSms::is_plain(&sms.text) {
        ("0", "UTF-8", sms.text.clone().into_bytes())
    } else {
        let units = sms.text.encode_utf16().flat_map(u16::to_be_bytes);
        ("2", "UTF-16BE", units.collect())
    }
}

/// Kannel counts in minutes.
fn minutes(validity: Option<Duration>) -> Option<String> {
    Some(validity?.as_secs().div_ceil(60).max(1).to_string())
}

/// Kannel says `0: Accepted for delivery` or `3: Queued for later delivery`, with 202.
fn read_answer(answer: &HttpAnswer) -> Result<Submitted, GatewayError> {
    let words = answer.words();
    match answer.status {
        200..=299 => {
            let text = excerpt(&answer.body);
            let taken = ["0:", "3:", "Sent."]
                .iter()
                .any(|start| text.starts_with(start));
            if taken {
                Ok(Submitted::default())
            } else {
                Err(GatewayError::in_doubt(format!(
                    "the answer is not one of Kannel's ({words})"
                )))
            }
        }
        401 | 403 => Err(GatewayError::misconfigured(format!(
            "Kannel does not let us in ({words}); look at username, password and the sendsms-user's allow-ip"
        ))),
        404 | 405 | 300..=399 => Err(GatewayError::misconfigured(format!(
            "that is not the address of sendsms ({words})"
        ))),
        429 | 503 => Err(GatewayError::Throttled {
            retry_after: answer.retry_after,
            why: words,
        }),
        400..=499 => Err(GatewayError::refused(true, words)),
        _ => Err(GatewayError::refused(false, words)),
    }
}

impl SmsGateway for Kannel {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Number,
            push: true,
            text: true,
            receipts: self.callbacks.are_possible(),
            incoming: self.callbacks.are_possible(),
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        let validity = unit.message.validity;
        Box::pin(part_by_part(unit, move |sms, reference| {
            self.one(sms, reference, validity)
        }))
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>) -> BoxFuture<'a, CallbackAnswer> {
        Box::pin(async move {
            let parameters = Parameters::read(callback.query);
            if !self.callbacks.admits(&parameters) {
                return CallbackAnswer::forbidden();
            }
            let event = match callback.what {
                "receipt" => receipt(&parameters).map(Event::Receipt),
                "mo" => incoming(&parameters).map(Event::Incoming),
                _ => return CallbackAnswer::not_found(),
            };
            match event {
                Err(why) => CallbackAnswer::bad(why),
                Ok(event) => self.callbacks.deliver(event).await.into(),
            }
        })
    }
}

fn receipt(parameters: &Parameters) -> Result<Receipt, &'static str> {
    let state = match parameters.text("state") {
        Some("1") => ReceiptState::Delivered,
        Some("2" | "16") => ReceiptState::Failed,
        Some("4" | "8" | "32") => ReceiptState::Pending,
        _ => return Err("state is none of Kannel's numbers\n"),
    };
    let reference = parameters.text("ref").and_then(|text| text.parse().ok());
    let id = parameters
        .text("id")
        .filter(|id| !id.is_empty() && *id != "-");
    if reference.is_none() {
        return Err("ref names no message\n");
    }
    Ok(Receipt {
        reference,
        gateway_id: id.map(|id| excerpt(id.as_bytes())),
        state,
        text: excerpt(parameters.octets("text").unwrap_or_default()),
    })
}

fn incoming(parameters: &Parameters) -> Result<Incoming, &'static str> {
    let from = parameters.text("from").and_then(|text| text.parse().ok());
    let Some(from) = from else {
        return Err("from is no phone number\n");
    };
    let octets = parameters.octets("text").unwrap_or_default();
    let udh = parameters.octets("udh").unwrap_or_default();
    let payload = if parameters.text("coding") == Some("1") || !udh.is_empty() {
        Payload::Binary {
            udh: udh.to_vec(),
            body: octets.to_vec(),
        }
    } else {
        let charset = parameters.text("charset").unwrap_or("UTF-8");
        let encoding = encoding_rs::Encoding::for_label(charset.trim().as_bytes());
        let (text, _, _) = encoding.unwrap_or(encoding_rs::UTF_8).decode(octets);
        Payload::Text(text.into_owned())
    };
    Ok(Incoming {
        from,
        to: excerpt(parameters.octets("to").unwrap_or_default()),
        payload,
    })
}
