//! Effects of profiles on mail: each with a phone that needs it, and the same phone without it.

use candybar::content::email::FolderRole;
use candybar::handset::Mode;

use super::peers::{Peers, with_effects};

/// `mail_body_on_move`: the text of a mail is needed again when the mail moves.
#[test]
fn a_mail_that_moves_is_sent_whole_to_phones_that_need_it() {
    for (effect, again) in [(true, true), (false, false)] {
        let effects = format!("session = {{ mail_body_on_move = {effect} }}");
        with_effects(&effects, || {
            let mut peers = Peers::new(1);
            let id = peers.deliver("Tea", 100);
            peers.sync(0, Mode::Slow);
            let sent = peers.role(FolderRole::Sent);
            peers.move_here(id, sent);
            peers.watch_for("Dear Alice");
            let report = peers.sync(0, Mode::TwoWay);
            assert_eq!(report.received.replaces, 1);
            assert_eq!(peers.was_seen(), again, "{effects}");
            let luid = peers.phone_mail(0, "Tea");
            let folder = peers.phone_folder(0, "Sent");
            assert_eq!(peers.phone_item(0, &luid).parent, folder.0, "{effects}");
            assert!(peers.phone_text(0, &luid).contains("Dear Alice"));
            // It is where it belongs, so nothing is sent again.
            let report = peers.sync(0, Mode::TwoWay);
            assert_eq!(report.received.total(), 0, "{effects}");
        });
    }
}

/// `mail_ext`: how a phone is told what of a long mail it does not have.
#[test]
fn what_is_missing_of_a_mail_is_told_in_the_words_of_the_phone() {
    for (effects, told, other) in [
        (
            "content = { mail_ext = \"funambol\" }",
            "x-funambol-body",
            "<truncated>",
        ),
        (
            "content = { mail_ext = \"none\" }",
            "Dear",
            "x-funambol-body",
        ),
    ] {
        with_effects(effects, || {
            let mut peers = Peers::new(1);
            let id = peers.deliver("Tea", 100);
            peers.edit(id, |mail| {
                mail.message =
                    [&mail.message[..], "many words ".repeat(20_000).as_bytes()].concat();
            });
            peers.sync(0, Mode::Slow);
            let luid = peers.phone_mail(0, "Tea");
            let text = peers.phone_text(0, &luid);
            assert!(text.contains(told), "{effects}: {:.300}", text);
            assert!(!text.contains(other), "{effects}");
        });
    }
}
