//! A provider with an HTTP interface of its own: its request as a template, its answer by rules.
//!
//! One request for each SMS. Values are escaped for the place where they stand: percent-encoded in an address and in a form,
//! as in strings of JSON, as in XML, else as they are. What comes back to our addresses is read by names as well, from a
//! query, a form or JSON.

mod answer;
mod fill;

use ureq::http::Method;

use super::callback::Callbacks;
use super::error::{GatewayError, excerpt};
use super::event::{
    Callback, CallbackAnswer, Event, Events, Incoming, Payload, Receipt, ReceiptState,
};
use super::http::{HttpClient, HttpRequest, Parameters, parameter};
use super::message::{Reference, Sms, Unit};
use super::settings::{GatewaySettings, TemplateSettings};
use super::submit::{Report, Submitted, part_by_part};
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};
use answer::Fields;
use fill::{Escape, Template, Values};

/// A provider.
pub(super) struct TemplateGateway {
    settings: TemplateSettings,
    method: Method,
    url: Template,
    headers: Vec<(String, Template)>,
    body: Option<Template>,
    text_body: Option<Template>,
    /// Of the body, by its Content-Type.
    escape: Escape,
    client: HttpClient,
    callbacks: Callbacks,
}

impl TemplateGateway {
    pub(super) fn new(
        gateway: &GatewaySettings,
        settings: &TemplateSettings,
        events: Events,
    ) -> Result<Self, String> {
        let template = |key: &str, text: &str| {
            Template::read(text).map_err(|unknown| {
                format!(
                    "{key} has {{{unknown}}}, which is no placeholder; there are {}",
                    fill::NAMES.join(", ")
                )
            })
        };
        let mut headers = Vec::new();
        let mut content_type = String::new();
        for line in &settings.headers {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| format!("{line:?} in headers is not NAME: VALUE"))?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if name.parse::<ureq::http::HeaderName>().is_err() {
                return Err(format!("{name:?} in headers is no name of a header"));
            }
            if name == "content-type" {
                content_type = value.to_ascii_lowercase();
            }
            headers.push((name, template("headers", value)?));
        }
        let some = |key: &str, text: &str| match text.is_empty() {
            true => Ok(None),
            false => template(key, text).map(Some),
        };
        // The host must not depend on the message, so the address can be checked without one.
        let client = HttpClient::new(
            &settings.url.replace(['{', '}'], ""),
            gateway.timeout,
            &settings.tls,
        )?;
        Ok(Self {
            method: settings
                .method
                .parse()
                .map_err(|_| "method is no method of HTTP".to_owned())?,
            url: template("url", &settings.url)?,
            headers,
            body: some("body", &settings.body)?,
            text_body: some("text_body", &settings.text_body)?,
            escape: Escape::of(&content_type),
            client,
            callbacks: Callbacks::new(gateway, events),
            settings: settings.clone(),
        })
    }

    async fn one(
        &self,
        sms: Sms,
        reference: Reference,
        parts: u8,
    ) -> Result<Submitted, GatewayError> {
        let receipt_url = self.callbacks.url("receipt").filter(|_| sms.receipt());
        let receipt_url = receipt_url.map(|mut url| {
            parameter(&mut url, "ref", reference.to_string());
            url
        });
        let values = Values {
            sms: &sms,
            reference: &reference,
            parts,
            sender: &self.settings.sender,
            login: &self.settings.login,
            receipt_url: receipt_url.as_deref().unwrap_or_default(),
        };
        let body = match &sms {
            Sms::Binary(_) => self.body.as_ref(),
            Sms::Text(_) => self.text_body.as_ref(),
        };
        let mut request =
            HttpRequest::new(self.method.clone(), self.url.fill(&values, Escape::Percent));
        for (name, template) in &self.headers {
            request = request
                .named_header(name, &template.fill(&values, Escape::None))
                .map_err(GatewayError::misconfigured)?;
        }
        if let Some(body) = body {
            request = request.body(body.fill(&values, self.escape).into_bytes());
        }
        answer::read(&self.settings, &self.client.send(request).await?)
    }

    fn receipt(&self, fields: &Fields) -> Result<Receipt, &'static str> {
        let settings = &self.settings;
        let word = fields
            .text(&settings.receipt_state)
            .ok_or("the state of the message is not there\n")?;
        let among = |words: &[String]| words.iter().any(|known| known.eq_ignore_ascii_case(&word));
        let state = if among(&settings.receipt_delivered) {
            ReceiptState::Delivered
        } else if among(&settings.receipt_failed) {
            ReceiptState::Failed
        } else {
            ReceiptState::Pending
        };
        let reference = fields.query("ref").and_then(|text| text.parse().ok());
        let id = match settings.receipt_id.is_empty() {
            true => None,
            false => fields.text(&settings.receipt_id),
        };
        if reference.is_none() && id.is_none() {
            return Err("the receipt names no message\n");
        }
        Ok(Receipt {
            reference,
            gateway_id: id.map(|id| excerpt(id.as_bytes())),
            state,
            text: excerpt(word.as_bytes()),
        })
    }

    fn incoming(&self, fields: &Fields) -> Result<Incoming, &'static str> {
        let settings = &self.settings;
        let from = fields.text(&settings.incoming_from);
        let from = from.and_then(|from| {
            // Providers leave out the plus sign.
            let digits = from.trim_start_matches('+');
            format!("+{digits}").parse().ok()
        });
        let text = fields.text(&settings.incoming_text);
        Ok(Incoming {
            from: from.ok_or("the phone's number is not there\n")?,
            to: excerpt(
                fields
                    .text(&settings.incoming_to)
                    .unwrap_or_default()
                    .as_bytes(),
            ),
            payload: Payload::Text(text.ok_or("the text is not there\n")?),
        })
    }
}

impl SmsGateway for TemplateGateway {
    fn capabilities(&self) -> Capabilities {
        // A provider without a body has everything in its address.
        let in_url = self.url.names_octets();
        Capabilities {
            addressing: Addressing::Number,
            push: self.body.is_some() || in_url,
            text: self.text_body.is_some(),
            receipts: !self.settings.receipt_state.is_empty(),
            incoming: !self.settings.incoming_from.is_empty(),
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        let parts = unit.message.parts();
        Box::pin(part_by_part(unit, move |sms, reference| {
            self.one(sms, reference, parts)
        }))
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>) -> BoxFuture<'a, CallbackAnswer> {
        Box::pin(async move {
            if !self.callbacks.admits(&Parameters::read(callback.query)) {
                return CallbackAnswer::forbidden();
            }
            let fields = Fields::read(callback);
            let can = self.capabilities();
            let event = match callback.what {
                "receipt" if can.receipts => self.receipt(&fields).map(Event::Receipt),
                "mo" if can.incoming => self.incoming(&fields).map(Event::Incoming),
                _ => return CallbackAnswer::not_found(),
            };
            match event {
                Err(why) => CallbackAnswer::bad(why),
                Ok(event) => self.callbacks.deliver(event).await.into(),
            }
        })
    }
}
