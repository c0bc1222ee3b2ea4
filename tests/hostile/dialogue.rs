//! A session by hand: XML messages whose every part a test can choose, and the answers as they are decoded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, Command, Message};

use super::http::Response;
use super::target::{ACCOUNT, Target};

/// One session of a device.
pub(super) struct Dialogue<'t> {
    target: &'t Target,
    /// Text of the elements, with character references where XML needs them.
    pub(super) device: String,
    pub(super) session: String,
    pub(super) server: String,
    pub(super) msg: u64,
    /// User and password; `None` sends no credentials.
    pub(super) credentials: Option<(String, String)>,
    pub(super) max_msg_size: String,
    /// What comes after `/sync`.
    pub(super) query: String,
}

impl<'t> Dialogue<'t> {
    /// A session of an account's device that has not begun.
    pub(super) fn new(target: &'t Target, device: &str, session: &str) -> Self {
        Self {
            target,
            device: device.to_owned(),
            session: session.to_owned(),
            server: "http://candybar/sync".to_owned(),
            msg: 0,
            credentials: Some((ACCOUNT.0.to_owned(), ACCOUNT.1.to_owned())),
            max_msg_size: "100000".to_owned(),
            query: String::new(),
        }
    }

    /// A message with these commands and the MsgID that is set, as XML.
    pub(super) fn message(&self, commands: &str, last: bool) -> String {
        let credentials = self.credentials.as_ref().map(|(user, password)| {
            let data = STANDARD.encode(format!("{user}:{password}"));
            format!(
                "<Cred><Meta><Format xmlns='syncml:metinf'>b64</Format><Type xmlns='syncml:metinf'>syncml:auth-basic</Type></Meta><Data>{data}</Data></Cred>"
            )
        });
        format!(
            "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>SyncML/1.2</VerProto>\
             <SessionID>{}</SessionID><MsgID>{}</MsgID><Target><LocURI>{}</LocURI></Target>\
             <Source><LocURI>{}</LocURI></Source>{}\
             <Meta><MaxMsgSize xmlns='syncml:metinf'>{}</MaxMsgSize></Meta></SyncHdr>\
             <SyncBody>{commands}{}</SyncBody></SyncML>",
            self.session,
            self.msg,
            self.server,
            self.device,
            credentials.unwrap_or_default(),
            self.max_msg_size,
            if last { "<Final/>" } else { "" },
        )
    }

    /// Sends the message with the MsgID that is set.
    pub(super) fn respond(&self, commands: &str, last: bool) -> Response {
        let body = self.message(commands, last);
        let mut connection = self.target.connect();
        let head = format!(
            "POST /sync{} HTTP/1.1\r\nHost: candybar\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            self.query,
            Carrier::Xml.mime(),
            body.len()
        );
        connection.send(head.as_bytes());
        connection.send(body.as_bytes());
        connection.response()
    }

    /// Sends the next message, which has to be answered by a message.
    pub(super) fn send(&mut self, commands: &str, last: bool) -> Message<'static> {
        self.msg += 1;
        self.send_again(commands, last)
    }

    /// As [`Self::send`], with the MsgID that is set.
    pub(super) fn send_again(&self, commands: &str, last: bool) -> Message<'static> {
        let response = self.respond(commands, last);
        assert_eq!(response.status, 200, "{}", response.text());
        read(&response)
    }

    /// Package 1 and 2 of a slow sync of contacts.
    pub(super) fn begin(&mut self) {
        let answer = self.send(&alert(201, "contacts"), true);
        assert_eq!(codes(&answer, "SyncHdr"), [212]);
        let alerts = codes(&answer, "Alert");
        assert!(alerts == [200] || alerts == [508], "{answer:?}");
    }

    /// Goes on until the server has nothing more to say, and answers its commands with 200. Items that it sends are
    /// taken. Every Status that came, from this answer on: name of the command and code.
    pub(super) fn end(&mut self, answer: Message<'static>) -> Vec<(String, u16)> {
        let mut statuses = all_codes(&answer);
        let mut answer = answer;
        for _ in 0..1_000 {
            let reply = statuses_for(&answer);
            if answer.last && reply.is_empty() {
                return statuses;
            }
            let commands = if reply.is_empty() { alert_222() } else { reply };
            answer = self.send(&commands, answer.last);
            statuses.extend(all_codes(&answer));
        }
        panic!("the session does not end: {answer:?}");
    }
}

/// The message of an answer.
pub(super) fn read(response: &Response) -> Message<'static> {
    assert_eq!(response.header("content-type"), Some(Carrier::Xml.mime()));
    decode(&response.body, Carrier::Xml, &Limits::default())
        .unwrap_or_else(|error| panic!("{error} in the answer {}", response.text()))
        .into_owned()
}

/// The codes of the Statuses for commands of that name, in order.
pub(super) fn codes(message: &Message<'_>, name: &str) -> Vec<u16> {
    let statuses = all_codes(message).into_iter();
    statuses
        .filter(|(of, _)| of == name)
        .map(|(_, code)| code)
        .collect()
}

/// All Statuses: name of the command and code.
fn all_codes(message: &Message<'_>) -> Vec<(String, u16)> {
    let commands = message.body.iter();
    commands
        .filter_map(|command| match command {
            Command::Status(status) => Some((status.cmd.to_string(), status.code.0)),
            _ => None,
        })
        .collect()
}

/// Status 200 for every command of a message that wants one.
fn statuses_for(message: &Message<'_>) -> String {
    let mut text = String::new();
    let mut number = 0;
    let msg = &message.header.msg_id;
    let mut rest: Vec<&Command<'_>> = message.body.iter().rev().collect();
    while let Some(command) = rest.pop() {
        if let Command::Sync(sync) = command {
            rest.extend(sync.commands.iter().rev());
        }
        let polls = matches!(command, Command::Alert(alert) if alert.code == Some(222));
        if polls || matches!(command, Command::Status(_)) {
            continue;
        }
        number += 1;
        text += &format!(
            "<Status><CmdID>{number}</CmdID><MsgRef>{msg}</MsgRef><CmdRef>{}</CmdRef><Cmd>{}</Cmd><Data>200</Data></Status>",
            command.cmd_id(),
            command.name()
        );
    }
    text
}

/// Alert for a datastore, without anchors of a sync before.
pub(super) fn alert(code: u32, datastore: &str) -> String {
    format!(
        "<Alert><CmdID>1</CmdID><Data>{code}</Data><Item><Target><LocURI>./{datastore}</LocURI></Target>\
         <Source><LocURI>./{datastore}</LocURI></Source>\
         <Meta><Anchor xmlns='syncml:metinf'><Last></Last><Next>1</Next></Anchor></Meta></Item></Alert>"
    )
}

/// Next message, please.
pub(super) fn alert_222() -> String {
    "<Alert><CmdID>1</CmdID><Data>222</Data><Item><Target><LocURI>./contacts</LocURI></Target>\
     <Source><LocURI>./contacts</LocURI></Source></Item></Alert>"
        .to_owned()
}

/// Sync of a datastore with these commands.
pub(super) fn sync(datastore: &str, commands: &str) -> String {
    format!(
        "<Sync><CmdID>2</CmdID><Target><LocURI>./{datastore}</LocURI></Target>\
         <Source><LocURI>./{datastore}</LocURI></Source>{commands}</Sync>"
    )
}

/// Add of a card.
pub(super) fn add(number: u32, luid: &str, body: &str) -> String {
    format!(
        "<Add><CmdID>{number}</CmdID><Meta><Type xmlns='syncml:metinf'>text/x-vcard</Type></Meta>\
         <Item><Source><LocURI>{luid}</LocURI></Source><Data><![CDATA[{body}]]></Data></Item></Add>"
    )
}
