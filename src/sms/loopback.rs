//! Loopback: a push as the UDP datagram that it is in WDP (WAP-259-WDP, section 6.5), for emulators and the virtual phone.
//!
//! UDP says nothing of its arrival: what is sent counts as taken, and a closed port shows only sometimes.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::error::GatewayError;
use super::message::{Content, Unit};
use super::submit::Report;
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};

/// One phone at a UDP address.
pub(super) struct Loopback {
    address: SocketAddr,
}

impl Loopback {
    pub(super) const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    async fn send(&self, datagram: &[u8]) -> std::io::Result<()> {
        let any: SocketAddr = if self.address.is_ipv4() {
            ([0, 0, 0, 0], 0).into()
        } else {
            ([0_u16; 8], 0).into()
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(self.address).await?;
        let sent = socket.send(datagram).await?;
        if sent == datagram.len() {
            Ok(())
        } else {
            Err(std::io::Error::other("the datagram was cut"))
        }
    }
}

impl SmsGateway for Loopback {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Anyone,
            push: true,
            text: false,
            receipts: false,
            incoming: false,
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let Content::Push(push) = &unit.message.content else {
                let why = "a loopback gateway carries pushes, no texts";
                return Report::failed(GatewayError::unsupported(why));
            };
            match self.send(push.datagram()).await {
                Ok(()) => Report::whole(unit, None),
                Err(error) => Report::failed(GatewayError::unreachable(format!(
                    "UDP to {}: {error}",
                    self.address
                ))),
            }
        })
    }
}
