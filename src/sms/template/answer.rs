//! What a provider answers, and what it posts, by the names that the configuration gives.

use serde_json::Value;

use crate::sms::error::GatewayError;
use crate::sms::event::Callback;
use crate::sms::http::{HttpAnswer, Parameters};
use crate::sms::settings::TemplateSettings;
use crate::sms::submit::Submitted;

/// Characters of a provider's id at most.
const MAX_ID: usize = 128;

/// The rules in their order: asked to wait, taken, not let in, refused.
pub(super) fn read(
    settings: &TemplateSettings,
    answer: &HttpAnswer,
) -> Result<Submitted, GatewayError> {
    let words = answer.words();
    let text = String::from_utf8_lossy(&answer.body);
    let has = |part: &str| !part.is_empty() && text.contains(part);
    let status = answer.status;
    if settings.throttled_status.contains(&status) || has(&settings.throttled_text) {
        return Err(GatewayError::Throttled {
            retry_after: answer.retry_after,
            why: words,
        });
    }
    let good_status = match settings.success_status.is_empty() {
        true => (200..=299).contains(&status),
        false => settings.success_status.contains(&status),
    };
    if has(&settings.failure_text) {
        return Err(GatewayError::refused(true, words));
    }
    if good_status && (settings.success_text.is_empty() || has(&settings.success_text)) {
        return Ok(Submitted {
            gateway_id: id(settings, &text),
        });
    }
    Err(match status {
        401 | 403 => GatewayError::misconfigured(format!(
            "the provider does not let us in ({words}); look at username and password"
        )),
        300..=399 | 404 | 405 => {
            GatewayError::misconfigured(format!("that is not the provider's address ({words})"))
        }
        400..=499 => GatewayError::refused(true, words),
        500..=599 => GatewayError::refused(false, words),
        _ => GatewayError::in_doubt(format!("the answer says neither yes nor no ({words})")),
    })
}

/// The provider's id: at a path of JSON, or behind a text up to a blank.
fn id(settings: &TemplateSettings, text: &str) -> Option<String> {
    let found = if !settings.id_path.is_empty() {
        let json: Value = serde_json::from_str(text).ok()?;
        at(&json, &settings.id_path)?
    } else if !settings.id_after.is_empty() {
        let (_, rest) = text.split_once(&settings.id_after)?;
        let word = rest.split(|c: char| c.is_whitespace() || "<\"',;".contains(c));
        word.into_iter().find(|word| !word.is_empty())?.to_owned()
    } else {
        return None;
    };
    (!found.is_empty() && found.chars().count() <= MAX_ID).then_some(found)
}

/// A scalar at a path such as `messages.0.id`.
fn at(json: &Value, path: &str) -> Option<String> {
    let mut value = json;
    for step in path.split('.') {
        value = match value {
            Value::Array(array) => array.get(step.parse::<usize>().ok()?)?,
            other => other.get(step)?,
        };
    }
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// The fields of what was posted: from the query, a form, or JSON.
pub(super) struct Fields {
    query: Parameters,
    form: Option<Parameters>,
    json: Option<Value>,
}

impl Fields {
    pub(super) fn read(callback: &Callback<'_>) -> Self {
        let content_type = callback.content_type.to_ascii_lowercase();
        let body = String::from_utf8_lossy(callback.body);
        let json = (content_type.contains("json") || body.trim_start().starts_with('{'))
            .then(|| serde_json::from_str(&body).ok());
        let is_form = content_type.contains("x-www-form-urlencoded");
        Self {
            query: Parameters::read(callback.query),
            form: is_form.then(|| Parameters::read(&body)),
            json: json.flatten(),
        }
    }

    /// A parameter of the address.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.text(name)
    }

    /// A field wherever it is; a path in JSON.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        let from_json = || self.json.as_ref().and_then(|json| at(json, name));
        let from_form = || Some(self.form.as_ref()?.text(name)?.to_owned());
        let from_query = || Some(self.query.text(name)?.to_owned());
        from_json().or_else(from_form).or_else(from_query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer {
            status,
            retry_after: None,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn ids_are_found() {
        let by_path = TemplateSettings {
            id_path: "messages.0.id".to_owned(),
            ..TemplateSettings::default()
        };
        let found = |settings: &TemplateSettings, body: &str| {
            read(settings, &answer(200, body))
                .expect("taken")
                .gateway_id
        };
        assert_eq!(
            found(&by_path, "{\"messages\":[{\"id\":17}]}").as_deref(),
            Some("17")
        );
        assert_eq!(found(&by_path, "{\"messages\":[]}"), None);
        assert_eq!(found(&by_path, "OK"), None);
        let behind = TemplateSettings {
            id_after: "ID:".to_owned(),
            ..TemplateSettings::default()
        };
        assert_eq!(found(&behind, "OK ID: ab12\r\n").as_deref(), Some("ab12"));
        assert_eq!(found(&behind, &format!("ID:{}", "x".repeat(200))), None);
    }

    #[test]
    fn rules_decide() {
        let rules = TemplateSettings {
            success_status: vec![200],
            success_text: "\"ok\":true".to_owned(),
            throttled_status: vec![429],
            throttled_text: "queue full".to_owned(),
            failure_text: "no such number".to_owned(),
            ..TemplateSettings::default()
        };
        let read = |status, body| read(&rules, &answer(status, body));
        assert!(read(200, "{\"ok\":true}").is_ok());
        assert!(matches!(
            read(201, "{\"ok\":true}"),
            Err(GatewayError::InDoubt { .. })
        ));
        assert!(
            matches!(read(200, "<html>"), Err(GatewayError::InDoubt { .. })),
            "neither yes nor no"
        );
        assert!(matches!(
            read(200, "no such number"),
            Err(GatewayError::Rejected {
                permanent: true,
                ..
            })
        ));
        assert!(matches!(
            read(200, "queue full"),
            Err(GatewayError::Throttled { .. })
        ));
        assert!(matches!(read(429, ""), Err(GatewayError::Throttled { .. })));
        assert!(matches!(
            read(401, ""),
            Err(GatewayError::Misconfigured { .. })
        ));
        assert!(matches!(
            read(302, ""),
            Err(GatewayError::Misconfigured { .. })
        ));
        assert!(matches!(
            read(502, ""),
            Err(GatewayError::Rejected {
                permanent: false,
                ..
            })
        ));
    }

    #[test]
    fn fields_are_found_in_query_form_and_json() {
        let read = |query, content_type, body: &'static str| {
            Fields::read(&Callback {
                what: "receipt",
                query,
                content_type,
                body: body.as_bytes(),
            })
        };
        assert_eq!(read("state=a", "", "").text("state").as_deref(), Some("a"));
        let form = read(
            "state=a",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "state=b%20c",
        );
        assert_eq!(form.text("state").as_deref(), Some("b c"));
        let json = read(
            "",
            "application/json",
            "{\"results\":[{\"status\":{\"name\":\"OK\"}}]}",
        );
        assert_eq!(json.text("results.0.status.name").as_deref(), Some("OK"));
        assert_eq!(json.text("results.1.status"), None);
        assert_eq!(json.text(""), None);
        assert_eq!(read("", "application/json", "{\"a\":").text("a"), None);
    }
}
