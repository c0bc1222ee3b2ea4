//! Recorded commands as the server of now can take them.

use std::collections::{BTreeMap, VecDeque};

use crate::syncml::{Alert, Code, Command, Location, Status};

use super::report::Answered;
use super::statuses::Debts;

pub(super) fn counter(first: u32) -> impl FnMut() -> String {
    let mut next = first;
    move || {
        next += 1;
        (next - 1).to_string()
    }
}

pub(super) fn next_message(code: u32) -> Command<'static> {
    Command::Alert(Alert {
        cmd_id: "999999".into(),
        code: Some(code),
        ..Alert::default()
    })
}

/// Nothing but Statuses and requests for the next message.
pub(super) fn is_leftover(body: &[Command<'_>]) -> bool {
    body.iter().all(|command| match command {
        Command::Status(_) => true,
        Command::Alert(alert) => alert.code == Some(222),
        _ => false,
    })
}

/// What a command is about.
pub(super) type Told = (String, String, String);

/// The recorded commands as the server of now can take them, and what is told of each.
pub(super) fn anew(
    debts: &mut Debts,
    recorded: &[Command<'static>],
    notes: &mut Vec<String>,
) -> (Vec<Command<'static>>, Vec<Told>) {
    let mut codes: BTreeMap<String, VecDeque<Code>> = BTreeMap::new();
    let mut luids: VecDeque<String> = VecDeque::new();
    let (mut statuses, mut maps) = (0_usize, 0_usize);
    for command in recorded {
        match command {
            Command::Status(status) => {
                statuses += usize::from(status.cmd_ref != "0");
                codes
                    .entry(status.cmd.to_string())
                    .or_default()
                    .push_back(status.code);
            }
            Command::Map(map) => {
                maps += map.items.len();
                luids.extend(map.items.iter().map(|item| item.source.to_string()));
            }
            _ => {}
        }
    }
    let used: Vec<u64> = recorded
        .iter()
        .filter_map(|command| command.cmd_id().trim().parse().ok())
        .collect();
    let first = used.into_iter().max().unwrap_or(0).max(99) + 1;
    let first = u32::try_from(first).unwrap_or(1_000_000);
    let mut body = debts.statuses(&mut codes, counter(first));
    let given = body.len().saturating_sub(1);
    if statuses > given {
        notes.push(format!(
            "{} Statuses left out: the server did not send those commands",
            statuses - given
        ));
    }
    let added = debts.added.len();
    if maps > added {
        notes.push(format!(
            "{} MapItems left out: the server did not add those items",
            maps - added
        ));
    }
    let mut told = Vec::new();
    let with_maps = maps > 0
        || recorded
            .iter()
            .any(|command| matches!(command, Command::Map(_)));
    if with_maps {
        let maps = debts.maps(luids, counter(first.saturating_add(100_000)));
        told.extend(
            maps.iter()
                .map(|map| (map.cmd_id().to_owned(), "Map".to_owned(), String::new())),
        );
        body.extend(maps);
    }
    for command in recorded {
        match command {
            Command::Status(_) | Command::Map(_) => {}
            Command::Results(results) => match debts.get.take() {
                Some((msg_ref, cmd_ref)) => {
                    let mut results = results.clone();
                    results.msg_ref = Some(msg_ref.into());
                    results.cmd_ref = cmd_ref.into();
                    told.push((
                        results.cmd_id.to_string(),
                        "Results".to_owned(),
                        String::new(),
                    ));
                    body.push(Command::Results(results));
                }
                None => notes.push("Results left out: the server did not ask".to_owned()),
            },
            other => {
                tell(other, &mut told);
                body.push(other.clone());
            }
        }
    }
    (body, told)
}

pub(super) fn tell(command: &Command<'_>, told: &mut Vec<Told>) {
    let mut open = vec![command];
    while let Some(command) = open.pop() {
        let uri = |location: Option<&Location<'_>>| {
            location.map(|of| of.uri.to_string()).unwrap_or_default()
        };
        let mut add = |subject: String| {
            if !command.no_resp() {
                told.push((
                    command.cmd_id().to_owned(),
                    command.name().to_owned(),
                    subject,
                ));
            }
        };
        match command {
            Command::Sync(sync) => {
                add(uri(sync.target.as_ref()));
                open.extend(sync.commands.iter().rev());
            }
            Command::Group(group) => {
                add(String::new());
                open.extend(group.commands.iter().rev());
            }
            Command::Change(change) => {
                for item in &change.items {
                    add(uri(item.source.as_ref().or(item.target.as_ref())));
                }
            }
            Command::Alert(alert) => {
                let code = alert.code.map(|code| code.to_string()).unwrap_or_default();
                let target = alert
                    .items
                    .first()
                    .map(|item| uri(item.target.as_ref()))
                    .unwrap_or_default();
                add(format!("{code} {target}").trim().to_owned());
            }
            _ => add(String::new()),
        }
    }
}

/// Gives a Status to the command that it belongs to: of several items the one that it names, else the next.
pub(super) fn note_status(answers: &mut [Answered], status: &Status<'_>) {
    let fits = |answer: &Answered| answer.code.is_none() && answer.cmd_id == *status.cmd_ref;
    let named = |answer: &Answered| {
        let mut refs = status.source_refs.iter().chain(&status.target_refs);
        fits(answer) && refs.any(|uri| answer.subject == *uri)
    };
    let index = answers
        .iter()
        .position(named)
        .or_else(|| answers.iter().position(fits));
    if let Some(index) = index {
        answers[index].code = Some(status.code.0);
        answers[index].text = status.code.text();
    }
}
