//! Signatures of settings, computed again by Python's `hmac`.

use std::process::Command;

use candybar::push::prov::{self, Security};
use candybar::push::wsp::{Value, parameter};

use super::pushes::{IMSI, PIN, document, securities};
use crate::support::peer::present;

/// Makes the key from the PIN and the IMSI in its own way, and prints the signature.
const SCRIPT: &str = "
import hashlib, hmac, sys
kind, pin, imsi, body = sys.argv[1:]
swapped = ''.join(b + a for a, b in zip(*[iter(('9' + imsi) if len(imsi) % 2 else ('1' + imsi + 'F'))] * 2))
key = {
    'NETWPIN': bytes.fromhex(swapped),
    'USERPIN': pin.encode(),
    'USERNETWPIN': bytes.fromhex(swapped) + pin.encode(),
    'USERPINMAC': pin.encode(),
}[kind]
digest = hmac.new(key, bytes.fromhex(body), hashlib.sha1).digest()
print(pin + ''.join(str(octet % 10) for octet in digest[:len(pin)]) if kind == 'USERPINMAC' else digest.hex().upper())
";

#[test]
fn another_implementation_makes_the_same_signatures() {
    if !present("Python", &["python3"]) {
        return;
    }
    for security in securities() {
        let mut push = document().push().expect("a push");
        let typed = prov::sign(&mut push, &security).expect("a signature");
        let pin = match &security {
            Security::UserPinMac { pin } => pin.as_str(),
            _ => PIN,
        };
        let body: String = push
            .body
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        let output = Command::new("python3")
            .args(["-c", SCRIPT, security.sec().name(), pin, IMSI, &body])
            .output()
            .expect("python3 starts");
        let theirs = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        let ours = match push.parameter(parameter::MAC).and_then(Value::text) {
            Some(mac) => mac.to_owned(),
            None => typed.expect("what the user types"),
        };
        assert_eq!(ours, theirs, "{security:?}: {errors}");
    }
}
