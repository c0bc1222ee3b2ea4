//! Alert 221: the reply that a busy server owed (Sync Protocol 1.1 section 2.12).

use super::state::State;
use crate::syncml::codec::{encode, encoded_len};
use crate::syncml::{Code, Command, Message, Status};

/// The reply to a message, as the reply to the poll that asks for it: the client's Statuses will name the poll's number.
pub(super) fn answer(
    state: &mut State,
    poll: &Message<'_>,
    mut reply: Message<'static>,
) -> Message<'static> {
    let number = poll.header.msg_id.to_string();
    for awaited in &mut state.awaited {
        if awaited.msg == *reply.header.msg_id {
            awaited.msg.clone_from(&number);
        }
    }
    reply.header.msg_id = number.clone().into();
    let mut newest = 0_u32;
    for command in &mut reply.body {
        newest = newest.max(command.cmd_id().trim().parse().unwrap_or(0));
        if let Command::Status(status) = command
            && status.cmd_ref == "0"
        {
            status.msg_ref = number.clone().into();
        }
        if let Command::Sync(sync) = command {
            let inner = sync.commands.iter().map(Command::cmd_id);
            newest = inner
                .filter_map(|id| id.trim().parse().ok())
                .fold(newest, u32::max);
        }
    }
    let alerts = poll.body.iter().filter(|command| {
        matches!(command, Command::Alert(alert) if alert.code == Some(221) && !alert.no_resp)
    });
    let form = state.form();
    let mut used = encode(&reply, &form).len() as u64;
    for (alert, cmd_id) in alerts.zip(newest + 1..) {
        let status = Command::Status(Status {
            cmd_id: cmd_id.to_string().into(),
            msg_ref: number.clone().into(),
            cmd_ref: alert.cmd_id().to_owned().into(),
            cmd: "Alert".into(),
            code: Code::OK,
            ..Status::default()
        });
        used += encoded_len(&status, &form) as u64;
        // A reply that fills the client's message goes without.
        if used <= state.max_message {
            let at = usize::from(!reply.body.is_empty());
            reply.body.insert(at, status);
        }
    }
    reply
}
