//! From Dovecot's EXISTS to the request at the gateway.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use candybar::handset::Mode;

use super::clients::{Lmtp, gateway, proxy, watcher};
use super::support::dovecot::Dovecot;
use super::support::program::Program;
use super::{ACCOUNT, LIMIT, join, phone, request};

/// Prints median and 99th percentile of signed milliseconds.
fn show(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!("  {what}: median {:.1} ms, p99 {:.1} ms", at(50), at(99));
}

fn between(from: Instant, to: Instant) -> f64 {
    let way = |duration: Duration| duration.as_secs_f64() * 1000.0;
    match to.checked_duration_since(from) {
        Some(after) => way(after),
        None => -way(from.duration_since(to)),
    }
}

fn next(times: &Receiver<Instant>, what: &str) -> Instant {
    let time = times.recv_timeout(LIMIT);
    time.unwrap_or_else(|_| panic!("{what} does not come"))
}

pub(crate) fn measure(deliveries: usize) {
    let Some(dovecot) = Dovecot::start(&[ACCOUNT.0], None) else {
        return;
    };
    let (gateway, submitted) = gateway();
    let (port, passed) = proxy(dovecot.imap);
    let server = Program::start(
        &format!(
            "[push]\ncoalesce_seconds = 0\nsms_per_device_per_day = 0\nsms_per_account_per_day = 0\n\
             [[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"http://127.0.0.1:{gateway}/cgi-bin/sendsms\"\n\
             username = \"u\"\npassword = \"p\"\nsender = \"12345\"\n"
        ),
        &[ACCOUNT],
    );
    join(&server, port, ACCOUNT.0);
    let mut phone = phone(&server);
    phone.sync(&request(Mode::Slow)).expect("a sync");
    server.command(&[
        "device",
        "set",
        ACCOUNT.0,
        "IMEI:1",
        "--msisdn",
        "+46700000001",
    ]);
    let told = watcher(dovecot.imap, ACCOUNT.0);
    let mut lmtp = Lmtp::connect(dovecot.lmtp);
    let (mut whole, mut own, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..deliveries {
        while passed.try_recv().is_ok() {}
        let begun = Instant::now();
        lmtp.deliver(
            ACCOUNT.0,
            &format!(
                "From: Someone <someone@example.org>\r\nTo: alice@example.org\r\nSubject: number {number}\r\n\
                 Message-ID: <{number}@bench>\r\n\r\nThe text of {number}.\r\n"
            ),
        );
        let exists = next(&told, "EXISTS at the other client");
        let ours = next(&passed, "EXISTS at the watcher");
        let submit = next(&submitted, "the submission");
        whole.push(between(exists, submit));
        own.push(between(ours, submit));
        delivered.push(between(begun, exists));
        phone.sync(&request(Mode::TwoWay)).expect("a sync");
    }
    println!("{deliveries} mails delivered to Dovecot by LMTP, coalesce_seconds = 0");
    show(
        "delivery to EXISTS at another client (Dovecot's own)",
        &mut delivered,
    );
    show("EXISTS there to our request at the gateway", &mut whole);
    show("EXISTS to us to our request at the gateway", &mut own);
}
