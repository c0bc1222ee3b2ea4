//! One phone's connection: it shows who it is, says that it is ready, and again every few minutes; we push in between.
//!
//! The first answer to credentials is always a new nonce: phones keep none. Two tries, as the protocol has it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::frame::{Code, Frame, parameter};
use super::{Entry, Order, Shared};
use crate::sms::event::Event;
use crate::sms::message::DeviceAddress;

/// How long a phone may take to show who it is, and then to say that it is ready.
const FIRST_STEPS: Duration = Duration::from_secs(30);
/// How long an answer may take to be written.
const WRITE: Duration = Duration::from_secs(20);
/// How often credentials are looked at: the first time without the right nonce.
const TRIES: u32 = 2;
/// The wait before wrong credentials are refused for good.
const REFUSAL: Duration = Duration::from_secs(2);
/// Octets of a name at most.
const MAX_NAME: usize = 255;

/// What a phone's reader hands over; `None` at the end.
type Received = Option<Result<Frame, &'static str>>;

/// Leads a connection to its end.
pub(super) async fn lead(stream: TcpStream, shared: &Shared) {
    let _unused = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.into_split();
    let Some(device) = admitted(&mut reader, &mut writer, shared).await else {
        return;
    };
    // A task of its own reads, so that no message is dropped half way when a push comes.
    let (sender, received) = mpsc::channel(4);
    let reading = tokio::spawn(async move {
        while let Ok(frame) = Frame::receive(&mut reader).await {
            let is_last = frame.is_none();
            if sender.send(frame).await.is_err() || is_last {
                break;
            }
        }
    });
    hold(received, &mut writer, shared, &device).await;
    reading.abort();
}

async fn send(writer: &mut OwnedWriteHalf, frame: &Frame) -> bool {
    let octets = frame.octets();
    matches!(timeout(WRITE, writer.write_all(&octets)).await, Ok(Ok(())))
}

async fn fault(writer: &mut OwnedWriteHalf, why: &str) {
    let frame = Frame::new(Code::ERROR).with(parameter::DESCRIPTION, why.as_bytes());
    send(writer, &frame).await;
}

/// Lets the phone show who it is; `None` if it is not let in.
async fn admitted(
    reader: &mut OwnedReadHalf,
    writer: &mut OwnedWriteHalf,
    shared: &Shared,
) -> Option<DeviceAddress> {
    let mut nonce = nonce()?;
    for attempt in 0..=TRIES {
        let frame = timeout(FIRST_STEPS, Frame::receive(reader))
            .await
            .ok()?
            .ok()??;
        let frame = match frame {
            Ok(frame) => frame,
            Err(why) => {
                fault(writer, why).await;
                return None;
            }
        };
        if frame.code != Code::AUTH {
            fault(writer, "authenticate first").await;
            return None;
        }
        let named = (frame.text(parameter::USER), frame.text(parameter::DEVICE));
        let (Some(account), Some(device)) = named else {
            fault(writer, "user name and device id are needed").await;
            return None;
        };
        let shown = frame.value(parameter::CREDENTIALS).unwrap_or_default();
        let (right, why) = match entry(shared, account, device).await {
            Ok(Entry::Passwords(passwords)) => {
                let is_shown = |password: &String| {
                    let expected = credentials(account, password, nonce.as_bytes());
                    same(shown, expected.as_bytes())
                };
                // All of them, so that it takes as long whichever it is.
                let shown = passwords.iter().filter(|password| is_shown(password));
                (shown.count() > 0, "the password is wrong")
            }
            Ok(Entry::Unknown(why)) => (false, why),
            Err(why) => {
                tracing::error!("phones cannot be let in: {why}");
                fault(writer, "try again later").await;
                return None;
            }
        };
        let address = DeviceAddress {
            account: account.chars().take(MAX_NAME).collect(),
            device: device.chars().take(MAX_NAME).collect(),
        };
        nonce = self::nonce()?;
        let answer = |code| Frame::new(code).with(parameter::NONCE, nonce.as_bytes());
        if right {
            return send(writer, &answer(Code::OK)).await.then_some(address);
        }
        if attempt + 1 >= TRIES {
            tracing::warn!(
                account.name = address.account,
                device.id = address.device,
                "a phone that wants pushes over TCP was refused: {why}"
            );
            tokio::time::sleep(REFUSAL).await;
            send(writer, &answer(Code::UNAUTHORIZED)).await;
            return None;
        }
        if !send(writer, &answer(Code::NOT_AUTHENTICATED)).await {
            return None;
        }
    }
    None
}

/// Holds the connection and pushes over it.
async fn hold(
    mut received: mpsc::Receiver<Received>,
    writer: &mut OwnedWriteHalf,
    shared: &Shared,
    device: &DeviceAddress,
) {
    let mut entered: Option<(u64, mpsc::Receiver<Order>)> = None;
    loop {
        let patience = match entered {
            Some(_) => shared.settings.heartbeat,
            None => FIRST_STEPS,
        };
        let order = async {
            match &mut entered {
                Some((_, orders)) => orders.recv().await,
                None => std::future::pending().await,
            }
        };
        let frame = tokio::select! {
            frame = received.recv() => frame.flatten(),
            order = order => match order {
                Some(order) => {
                    if deliver(writer, order).await {
                        continue;
                    }
                    break;
                }
                // The phone has another connection now.
                None => break,
            },
            () = tokio::time::sleep(patience) => {
                fault(writer, "nothing was heard for too long").await;
                break;
            }
        };
        match frame {
            Some(Ok(frame)) if frame.code == Code::READY => {
                if !send(writer, &Frame::new(Code::OK)).await {
                    break;
                }
                if entered.is_none() {
                    entered = Some(shared.enter(device));
                    let (events, device) = (shared.events.clone(), device.clone());
                    tokio::spawn(async move { events.deliver(Event::Connected(device)).await });
                }
            }
            // An answer to a push; nothing follows from it.
            Some(Ok(frame)) if frame.code == Code::OK => {}
            Some(Ok(frame)) if frame.code == Code::BYE => {
                send(writer, &Frame::new(Code::OK)).await;
                break;
            }
            Some(Ok(_)) => {
                fault(writer, "that is not expected now").await;
                break;
            }
            Some(Err(why)) => {
                fault(writer, why).await;
                break;
            }
            None => break,
        }
    }
    if let Some((number, _)) = entered {
        shared.leave(device, number);
    }
}

async fn deliver(writer: &mut OwnedWriteHalf, order: Order) -> bool {
    let frame = Frame::new(Code::SYNC).with(parameter::NOTIFICATION, &order.notification);
    let written = send(writer, &frame).await;
    if written {
        // Whoever waited may have given up.
        let _unused = order.written.send(());
    }
    written
}

/// Asks the directory in a blocking thread.
async fn entry(shared: &Shared, account: &str, device: &str) -> Result<Entry, String> {
    let _place = shared
        .questions
        .acquire()
        .await
        .map_err(|error| error.to_string())?;
    let directory = std::sync::Arc::clone(&shared.directory);
    let (account, device) = (account.to_owned(), device.to_owned());
    tokio::task::spawn_blocking(move || directory.entry(&account, &device))
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
}

/// As in SyncML's MD5 scheme, with the nonce's octets as they are.
pub(super) fn credentials(account: &str, password: &str, nonce: &[u8]) -> String {
    let inner = STANDARD.encode(Md5::digest(format!("{account}:{password}")));
    let mut outer = Md5::new();
    outer.update(inner);
    outer.update(b":");
    outer.update(nonce);
    STANDARD.encode(outer.finalize())
}

/// Takes as long wherever they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// Sixteen characters, so that they come through whatever a client does with octets.
fn nonce() -> Option<String> {
    let mut octets = [0; 12];
    getrandom::fill(&mut octets).ok()?;
    Some(STANDARD.encode(octets))
}
