//! What a gateway says of a unit: part by part.

use super::error::GatewayError;
use super::message::{Reference, Sms, Unit};

/// A gateway took one SMS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submitted {
    /// The gateway's own name for it, which its receipts have again; some have none.
    pub gateway_id: Option<String>,
}

/// One part that a gateway took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// From 0.
    pub part: u8,
    /// The gateway's own name for it.
    pub gateway_id: Option<String>,
}

/// What became of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What was taken, in order.
    pub accepted: Vec<Accepted>,
    /// Why the part after that was not. `None`: all are taken.
    pub error: Option<GatewayError>,
}

impl Report {
    /// Nothing was taken.
    pub fn failed(error: GatewayError) -> Self {
        Self {
            accepted: Vec::new(),
            error: Some(error),
        }
    }

    /// All missing parts were taken as one.
    pub fn whole(unit: &Unit<'_>, gateway_id: Option<String>) -> Self {
        let accepted = unit.missing.iter().map(|part| Accepted {
            part: *part,
            gateway_id: gateway_id.clone(),
        });
        Self {
            accepted: accepted.collect(),
            error: None,
        }
    }
}

/// Submits a unit SMS by SMS, up to the first that is not taken.
pub(super) async fn part_by_part<F>(
    unit: &Unit<'_>,
    mut one: impl FnMut(Sms, Reference) -> F,
) -> Report
where
    F: Future<Output = Result<Submitted, GatewayError>>,
{
    let mut report = Report::default();
    for part in unit.missing {
        let Some(sms) = unit.message.sms(*part) else {
            report.error = Some(GatewayError::unsupported("the phone's number is not known"));
            break;
        };
        match one(sms, unit.reference(*part)).await {
            Ok(submitted) => report.accepted.push(Accepted {
                part: *part,
                gateway_id: submitted.gateway_id,
            }),
            Err(error) => {
                report.error = Some(error);
                break;
            }
        }
    }
    report
}
