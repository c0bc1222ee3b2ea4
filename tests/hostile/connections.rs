//! Many connections, and slow ones.

use candybar::syncml::Carrier;

use super::dialogue::{Dialogue, alert, codes, read};
use super::http::{head, post};
use super::target::Target;

#[test]
fn slow_connections_hold_nobody_up_and_are_closed() {
    let target = Target::with("[http]\nrequest_timeout_seconds = 2\n");
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut connection = target.connect();
        match number % 3 {
            // Half a head.
            0 => connection.send(b"POST /sync HTTP/1.1\r\nX-Slow: "),
            // Half a body.
            1 => connection.send((head(Carrier::Xml.mime(), 1_000) + "<SyncML>").as_bytes()),
            // Nothing.
            _ => {}
        }
        slow.push(connection);
    }
    target.unharmed();
    for (number, connection) in slow.iter_mut().enumerate() {
        let status = connection.try_response().map(|response| response.status);
        let right = match number % 3 {
            1 => status == Some(408),
            _ => matches!(status, None | Some(408)),
        };
        assert!(right, "connection {number}: {status:?}");
    }
    target.alive();
}

#[test]
fn two_hundred_connections_at_once_are_all_answered() {
    let target = Target::start();
    let mut connections: Vec<_> = (0..200).map(|_| target.connect()).collect();
    for (number, connection) in connections.iter_mut().enumerate() {
        let mut dialogue = Dialogue::new(&target, &format!("IMEI:many{number}"), "1");
        dialogue.msg = 1;
        let body = dialogue.message(&alert(201, "contacts"), true);
        connection.send(&post(Carrier::Xml.mime(), body.as_bytes()));
    }
    for connection in &mut connections {
        let response = connection.response();
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(codes(&read(&response), "SyncHdr"), [212]);
    }
    target.unharmed();
}
