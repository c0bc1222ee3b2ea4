//! Where the phone of the demonstration gets its short messages: a UDP port, as emulators have one.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::scene::PATIENCE;
use crate::push::wdp::{self, Ports, Reference};
use crate::push::{san, wsp};
use crate::sms::Prefix;
use crate::sms::settings::{GatewayKind, GatewaySettings};

/// The phone's port.
pub(super) struct Inbox {
    socket: UdpSocket,
    address: SocketAddr,
}

/// What came.
pub(super) struct Pushed {
    datagram: Vec<u8>,
}

impl Inbox {
    pub(super) fn open() -> anyhow::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").context("the phone gets no port")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// The gateway that leads there.
    pub(super) fn gateway(&self) -> GatewaySettings {
        GatewaySettings {
            name: "loopback".to_owned(),
            prefixes: vec![Prefix::any()],
            window: 1,
            per_second: 0,
            timeout: Duration::from_secs(10),
            callback_url: None,
            token: None,
            kind: GatewayKind::Loopback {
                address: self.address,
            },
        }
    }

    /// Waits for a push.
    pub(super) fn receive(&self) -> anyhow::Result<Pushed> {
        let mut octets = vec![0; 65_535];
        let length = self
            .socket
            .recv(&mut octets)
            .context("the phone got no push")?;
        octets.truncate(length);
        Ok(Pushed { datagram: octets })
    }
}

impl Pushed {
    /// As the short messages that carry it in a network: header and octets.
    pub(super) fn lines(&self) -> anyhow::Result<Vec<String>> {
        let segments = wdp::segments(&self.datagram, Ports::PUSH, Reference::Octet(1))?;
        let hex = |octets: &[u8]| -> String {
            octets.iter().map(|octet| format!("{octet:02X}")).collect()
        };
        let lines = segments.iter().enumerate().map(|(index, segment)| {
            format!(
                "SMS {} of {}, {} octets: UDH {}, data {}",
                index + 1,
                segments.len(),
                segment.udh.len() + segment.body.len(),
                hex(&segment.udh),
                hex(&segment.body)
            )
        });
        Ok(lines.collect())
    }

    /// Package #0 in it.
    pub(super) fn package(&self) -> anyhow::Result<san::Received> {
        let push = wsp::Push::read(&self.datagram)?;
        ensure!(
            push.content_type == wsp::MediaType::DS_NOTIFICATION,
            "the push is no notification"
        );
        Ok(san::read(&push.body)?)
    }
}
