//! One bound session (SMPP 3.4, chapters 2 and 4): requests and answers by sequence number, `enquire_link` when it is quiet,
//! and what the centre brings.
//!
//! A request that was written and not answered is in doubt when the session ends or its time is over; one that was not
//! written is certainly not there. What the centre brings is answered when it is kept.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{DeliverSmResp, SubmitSm};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder, Framed};

use super::{pdu, receipt};
use crate::sms::error::GatewayError;
use crate::sms::event::{Event, Events};

/// Octets of a PDU at most.
const MAX_PDU: usize = 64 << 10;
/// Messages of the centre that are worked on at once; more are refused for now.
const MAX_BROUGHT: usize = 64;
/// Requests that wait to be written.
const QUEUE: usize = 16;

/// Anything that octets go over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// PDUs, and those that cannot be read: one of them does not end the session.
pub(super) struct Codec {
    inner: CommandCodec,
}

/// What arrived.
pub(super) enum Frame {
    Command(Box<Command>),
    /// The header alone could be read.
    Unreadable {
        id: u32,
        sequence: u32,
    },
}

impl Codec {
    pub(super) fn new() -> Self {
        Self {
            inner: CommandCodec::new().without_max_length(),
        }
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = std::io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, std::io::Error> {
        let Some(header) = source.get(..16) else {
            return Ok(None);
        };
        let word = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (length, id, sequence) = (word(0) as usize, word(4), word(12));
        if !(16..=MAX_PDU).contains(&length) {
            return Err(std::io::Error::other("what came is no SMPP"));
        }
        if source.len() < length {
            return Ok(None);
        }
        let mut pdu = source.split_to(length);
        match self.inner.decode(&mut pdu) {
            Ok(Some(command)) => Ok(Some(Frame::Command(Box::new(command)))),
            _ => {
                self.inner = CommandCodec::new().without_max_length();
                Ok(Some(Frame::Unreadable { id, sequence }))
            }
        }
    }
}

impl Encoder<Command> for Codec {
    type Error = std::io::Error;

    fn encode(&mut self, command: Command, out: &mut BytesMut) -> Result<(), std::io::Error> {
        self.inner
            .encode(command, out)
            .map_err(|error| std::io::Error::other(error.to_string()))
    }
}

/// One message to be written, and who waits for the answer.
pub(super) struct Request {
    pdu: SubmitSm,
    answer: oneshot::Sender<Result<String, GatewayError>>,
}

/// A session to give messages to.
#[derive(Clone)]
pub(super) struct Handle(mpsc::Sender<Request>);

impl Handle {
    /// The centre's id of the message.
    pub(super) async fn submit(&self, pdu: SubmitSm) -> Result<String, GatewayError> {
        let (answer, answered) = oneshot::channel();
        let lost = || GatewayError::unreachable("the link was lost before the message went out");
        let request = Request { pdu, answer };
        self.0.send(request).await.map_err(|_| lost())?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// A message that was written.
struct Pending {
    answer: oneshot::Sender<Result<String, GatewayError>>,
    until: Instant,
}

/// How a session is led.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long the centre may take to answer.
    pub(super) timeout: Duration,
    /// Silence after which we ask whether it is still there.
    pub(super) enquire: Duration,
    /// Receipts name messages in hexadecimal.
    pub(super) receipt_ids_are_hex: bool,
}

/// A bound session.
pub(super) struct Session<S> {
    framed: Framed<S, Codec>,
    requests: mpsc::Receiver<Request>,
    pending: HashMap<u32, Pending>,
    sequence: u32,
    brought: JoinSet<(u32, bool)>,
    events: Events,
    pace: Pace,
    heard: Instant,
    enquired: Option<Instant>,
}

impl<S: Stream> Session<S> {
    /// Over a stream that is bound; `sequence` is the last number that was used.
    pub(super) fn new(
        framed: Framed<S, Codec>,
        sequence: u32,
        events: Events,
        pace: Pace,
    ) -> (Self, Handle) {
        let (sender, requests) = mpsc::channel(QUEUE);
        let session = Self {
            framed,
            requests,
            pending: HashMap::new(),
            sequence,
            brought: JoinSet::new(),
            events,
            pace,
            heard: Instant::now(),
            enquired: None,
        };
        (session, Handle(sender))
    }

    /// Leads the session to its end, and says why it ended.
    pub(super) async fn run(&mut self) -> String {
        loop {
            let wake = self.wake();
            let step = tokio::select! {
                frame = self.framed.next() => self.received(frame).await,
                Some(request) = self.requests.recv() => self.request(request).await,
                Some(Ok((sequence, kept))) = self.brought.join_next() => {
                    self.answer(sequence, kept).await
                }
                () = tokio::time::sleep_until(wake) => self.time().await,
            };
            if let Err(why) = step {
                return why;
            }
        }
    }

    /// Says good-bye; does not wait for the answer.
    pub(super) async fn unbind(&mut self) {
        let sequence = self.next_sequence();
        let _unused = self
            .reply(sequence, CommandStatus::EsmeRok, Pdu::Unbind)
            .await;
        let _unused = self.framed.close().await;
    }

    /// The next time at which something is due.
    fn wake(&self) -> Instant {
        let quiet = match self.enquired {
            Some(enquired) => enquired + self.pace.timeout,
            None => self.heard + self.pace.enquire,
        };
        let answers = self.pending.values().map(|pending| pending.until).min();
        answers.map_or(quiet, |until| until.min(quiet))
    }

    async fn time(&mut self) -> Result<(), String> {
        let now = Instant::now();
        let late: Vec<u32> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.until <= now)
            .map(|(sequence, _)| *sequence)
            .collect();
        for sequence in late {
            if let Some(pending) = self.pending.remove(&sequence) {
                let error = GatewayError::in_doubt("no answer within the time");
                let _unused = pending.answer.send(Err(error));
            }
        }
        match self.enquired {
            Some(enquired) if enquired + self.pace.timeout <= now => {
                Err("it does not answer enquire_link".to_owned())
            }
            None if self.heard + self.pace.enquire <= now => {
                self.enquired = Some(now);
                let sequence = self.next_sequence();
                self.reply(sequence, CommandStatus::EsmeRok, Pdu::EnquireLink)
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn request(&mut self, request: Request) -> Result<(), String> {
        let sequence = self.next_sequence();
        let pending = Pending {
            answer: request.answer,
            until: Instant::now() + self.pace.timeout,
        };
        // Known before it is written: one that is written in part may have arrived.
        self.pending.insert(sequence, pending);
        let command = Command::new(CommandStatus::EsmeRok, sequence, request.pdu);
        self.send(command).await
    }

    async fn received(
        &mut self,
        frame: Option<Result<Frame, std::io::Error>>,
    ) -> Result<(), String> {
        self.heard = Instant::now();
        self.enquired = None;
        let command = match frame {
            None => return Err("the centre closed the connection".to_owned()),
            Some(Err(error)) => return Err(error.to_string()),
            Some(Ok(Frame::Unreadable { id, sequence })) => {
                return self.unreadable(id, sequence).await;
            }
            Some(Ok(Frame::Command(command))) => *command,
        };
        let sequence = command.sequence_number();
        match (command.id(), command.pdu()) {
            (CommandId::EnquireLink, _) => {
                self.reply(sequence, CommandStatus::EsmeRok, Pdu::EnquireLinkResp)
                    .await
            }
            (CommandId::Unbind, _) => {
                let _unused = self
                    .reply(sequence, CommandStatus::EsmeRok, Pdu::UnbindResp)
                    .await;
                Err("the centre ended the session".to_owned())
            }
            (CommandId::SubmitSmResp, body) => {
                let id = match body {
                    Some(Pdu::SubmitSmResp(body)) => body.message_id().as_str().to_owned(),
                    _ => String::new(),
                };
                self.decided(sequence, command.status(), id);
                Ok(())
            }
            (CommandId::GenericNack, _) => {
                self.decided(sequence, command.status(), String::new());
                Ok(())
            }
            (CommandId::DeliverSm, Some(Pdu::DeliverSm(body))) => {
                self.bring(
                    sequence,
                    receipt::event(body, self.pace.receipt_ids_are_hex),
                )
                .await
            }
            (
                CommandId::EnquireLinkResp | CommandId::UnbindResp | CommandId::AlertNotification,
                _,
            ) => Ok(()),
            (id, _) => {
                // A request that we do not know is said so; an answer to nothing is left alone.
                let is_request = u32::from(id) & 0x8000_0000 == 0;
                if is_request {
                    self.reply(sequence, CommandStatus::EsmeRinvcmdid, Pdu::GenericNack)
                        .await
                } else {
                    Ok(())
                }
            }
        }
    }

    /// An answer that cannot be read leaves its message in doubt; a message that cannot be read is refused for good.
    async fn unreadable(&mut self, id: u32, sequence: u32) -> Result<(), String> {
        if id & 0x8000_0000 != 0 {
            if let Some(pending) = self.pending.remove(&sequence) {
                let error = GatewayError::in_doubt("the centre's answer cannot be read");
                let _unused = pending.answer.send(Err(error));
            }
            return Ok(());
        }
        tracing::warn!("the centre sent a PDU 0x{id:08X} that cannot be read; it is refused");
        if id == u32::from(CommandId::DeliverSm) {
            let body = Pdu::from(DeliverSmResp::default());
            return self.reply(sequence, CommandStatus::EsmeRxPAppn, body).await;
        }
        self.reply(sequence, CommandStatus::EsmeRinvcmdid, Pdu::GenericNack)
            .await
    }

    /// The centre's word on a message.
    fn decided(&mut self, sequence: u32, status: CommandStatus, id: String) {
        let Some(pending) = self.pending.remove(&sequence) else {
            return;
        };
        let decided = match status {
            CommandStatus::EsmeRok => Ok(id),
            refused => Err(pdu::refusal(refused)),
        };
        // Whoever waited may have given up.
        let _unused = pending.answer.send(decided);
    }

    /// Hands on what the centre brings; it is answered when it is kept.
    async fn bring(&mut self, sequence: u32, event: Option<Event>) -> Result<(), String> {
        let Some(event) = event else {
            tracing::warn!(
                "the centre brought a message that is neither a receipt nor from a phone's number"
            );
            return self.answer(sequence, true).await;
        };
        if self.brought.len() >= MAX_BROUGHT {
            let body = Pdu::from(DeliverSmResp::default());
            return self
                .reply(sequence, CommandStatus::EsmeRthrottled, body)
                .await;
        }
        let events = self.events.clone();
        self.brought.spawn(async move {
            let kept = events.deliver(event).await;
            (sequence, kept)
        });
        Ok(())
    }

    async fn answer(&mut self, sequence: u32, kept: bool) -> Result<(), String> {
        let status = if kept {
            CommandStatus::EsmeRok
        } else {
            CommandStatus::EsmeRxTAppn
        };
        let body = Pdu::from(DeliverSmResp::default());
        self.reply(sequence, status, body).await
    }

    fn next_sequence(&mut self) -> u32 {
        // The numbers that requests may have end here.
        self.sequence = if self.sequence >= 0x7FFF_FFFF {
            1
        } else {
            self.sequence + 1
        };
        self.sequence
    }

    async fn reply(
        &mut self,
        sequence: u32,
        status: CommandStatus,
        pdu: Pdu,
    ) -> Result<(), String> {
        self.send(Command::new(status, sequence, pdu)).await
    }

    /// A centre that does not read for too long is as good as gone.
    async fn send(&mut self, command: Command) -> Result<(), String> {
        let sent = tokio::time::timeout(self.pace.timeout, self.framed.send(command)).await;
        match sent {
            Ok(sent) => sent.map_err(|error| error.to_string()),
            Err(_) => Err("it does not read what is sent".to_owned()),
        }
    }
}

impl<S> Drop for Session<S> {
    fn drop(&mut self) {
        for (_, pending) in self.pending.drain() {
            let error = GatewayError::in_doubt("the link was lost before the answer");
            let _unused = pending.answer.send(Err(error));
        }
    }
}
