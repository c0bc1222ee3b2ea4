//! Mail and its folders end to end: virtual phones against the server's engine.

mod effects;
mod peers;
mod rest;
mod undo;
mod xml;

use candybar::content::email::{FolderRole, Mail};
use candybar::handset::{FaultRates, Luid, Mode};
use candybar::sync::{ItemId, Windows};
use candybar::syncml::Code;
use peers::{Peers, message};

#[test]
fn folders_come_before_what_is_in_them() {
    let mut peers = Peers::new(1);
    peers.deliver("Tea", 100);
    peers.deliver("Cake", 200);
    let report = peers.sync(0, Mode::Slow);
    assert_eq!(report.received.adds, 5 + 2);
    let mut names = peers.folder_names(0);
    names.sort();
    assert_eq!(names, ["Drafts", "Inbox", "Outbox", "Sent", "Trash"]);
    let inbox = peers.phone_folder(0, "Inbox");
    for subject in ["Tea", "Cake"] {
        let luid = peers.phone_mail(0, subject);
        assert_eq!(peers.phone_item(0, &luid).parent, inbox.0);
    }
    let again = peers.sync(0, Mode::TwoWay);
    assert_eq!(
        (again.received.total(), again.sent.total()),
        (0, 0),
        "{again:?}"
    );
}

#[test]
fn flags_go_both_ways_and_the_message_goes_once() {
    let mut peers = Peers::new(1);
    let id = peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    let luid = peers.phone_mail(0, "Tea");
    peers.flag_on_phone(0, &luid, "read");
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.sent.replaces, 1);
    let stored = peers.stored(id);
    assert!(stored.read && !stored.flagged);
    assert_eq!(stored.message, message("Tea"));

    peers.edit(id, |mail| mail.flagged = true);
    peers.watch_for("Dear Alice");
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.received.replaces, 1);
    assert!(!peers.was_seen(), "the message was sent again");
    let body = peers.phone_text(0, &luid);
    assert!(body.contains("<read>true</read>") && body.contains("<flagged>true</flagged>"));
    assert!(
        body.contains("Dear Alice"),
        "the phone keeps the message: {body}"
    );
}

#[test]
fn a_phone_never_changes_the_message_of_a_received_mail() {
    let mut peers = Peers::new(1);
    let id = peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    let luid = peers.phone_mail(0, "Tea");
    let forged = peers
        .phone_text(0, &luid)
        .replace("Dear Alice", "Dear Mallory")
        .replace("<read>false", "<read>true");
    peers.replace_on_phone(0, &luid, &forged);
    peers.sync(0, Mode::TwoWay);
    let stored = peers.stored(id);
    assert_eq!(stored.message, message("Tea"));
    assert!(stored.read);
}

/// A mail as somebody writes it on a phone: it has neither id nor date.
fn written(to: &str, text: &str) -> String {
    format!(
        "<Email><read>true</read><emailitem><![CDATA[From: alice@example.org\r\nTo: {to}\r\n\
         Subject: Re: Lunch\r\n\r\n{text}\r\n]]></emailitem></Email>"
    )
}

#[test]
fn mails_written_on_phones_are_never_taken_for_one() {
    let mut peers = Peers::new(2);
    for phone in 0..2 {
        peers.sync(phone, Mode::Slow);
    }
    let write = |peers: &mut Peers, phone: usize, to: &str, text: &str, mode: Mode| {
        let outbox = peers.phone_folder(phone, "Outbox");
        let luid = peers.add_mail(phone, "Lunch", &outbox);
        peers.replace_on_phone(phone, &luid, &written(to, text));
        let report = peers.sync(phone, mode);
        assert!(report.failures.is_empty(), "{report:?}");
    };
    write(&mut peers, 0, "bob@example.org", "Yes.", Mode::TwoWay);
    write(&mut peers, 1, "bob@example.org", "No.", Mode::TwoWay);
    write(&mut peers, 1, "eve@example.org", "No.", Mode::Slow);
    assert_eq!(peers.mails_in(FolderRole::Outbox).len(), 3);
}

#[test]
fn a_mail_is_moved_on_either_side() {
    let mut peers = Peers::new(2);
    let id = peers.deliver("Tea", 100);
    for phone in 0..2 {
        peers.sync(phone, Mode::Slow);
    }
    let luid = peers.phone_mail(0, "Tea");
    let sent = peers.phone_folder(0, "Sent");
    peers.move_on_phone(0, &luid, &sent);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!((report.sent.replaces, report.failures.len()), (1, 0));
    assert_eq!(peers.parent(id), peers.role(FolderRole::Sent));

    peers.watch_for("Dear Alice");
    let report = peers.sync(1, Mode::TwoWay);
    assert_eq!(report.received.replaces, 1);
    assert!(!peers.was_seen(), "a Move has no message");
    let luid = peers.phone_mail(1, "Tea");
    let folder = peers.phone_folder(1, "Sent");
    assert_eq!(peers.phone_item(1, &luid).parent, folder.0);

    let inbox = peers.role(FolderRole::Inbox);
    peers.move_here(id, inbox);
    peers.sync(0, Mode::TwoWay);
    let luid = peers.phone_mail(0, "Tea");
    assert_eq!(
        peers.phone_item(0, &luid).parent,
        peers.phone_folder(0, "Inbox").0
    );
}

#[test]
fn a_phone_makes_moves_renames_and_deletes_folders() {
    let mut peers = Peers::new(2);
    let id = peers.deliver("Tea", 100);
    for phone in 0..2 {
        peers.sync(phone, Mode::Slow);
    }
    let work = peers.add_folder(0, "Work", "");
    let inner = peers.add_folder(0, "Urgent", &work.0);
    let mail = peers.phone_mail(0, "Tea");
    peers.move_on_phone(0, &mail, &inner);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!((report.sent.adds, report.failures.len()), (2, 0));
    peers.sync(1, Mode::TwoWay);
    let (there, within) = (
        peers.phone_folder(1, "Work"),
        peers.phone_folder(1, "Urgent"),
    );
    assert_eq!(peers.phone_item(1, &within).parent, there.0);
    let mail = peers.phone_mail(1, "Tea");
    assert_eq!(peers.phone_item(1, &mail).parent, within.0);

    // The second phone renames the inner folder and puts it at the top.
    let renamed = peers.phone_text(1, &within).replace("Urgent", "Later");
    peers.replace_on_phone(1, &within, &renamed);
    peers.move_on_phone(1, &within, &Luid::default());
    peers.sync(1, Mode::TwoWay);
    peers.sync(0, Mode::TwoWay);
    let later = peers.phone_folder(0, "Later");
    assert_eq!((&later, &*peers.phone_item(0, &later).parent), (&inner, ""));

    // It goes, with what is in it.
    peers.delete_on_phone(0, &later);
    peers.sync(0, Mode::TwoWay);
    assert!(peers.is_deleted(id));
    peers.sync(1, Mode::TwoWay);
    assert_eq!(peers.find_mail(1, "Tea"), None);
    assert_eq!(peers.folder_names(1).len(), 5 + 1);
}

#[test]
fn a_folder_cannot_be_within_itself_nor_anything_in_a_folder_that_is_not_known() {
    let mut peers = Peers::new(1);
    peers.sync(0, Mode::Slow);
    let outer = peers.add_folder(0, "Outer", "");
    let inner = peers.add_folder(0, "Inner", &outer.0);
    peers.sync(0, Mode::TwoWay);
    peers.force_parent(0, &outer, &inner.0);
    let report = peers.try_sync(0, Mode::TwoWay);
    assert_eq!(report.failures[0].code, Code::FORBIDDEN, "{report:?}");
    peers.force_parent(0, &outer, "");
    peers.sync(0, Mode::TwoWay);

    let lost = peers.add_folder(0, "Lost", "");
    peers.force_parent(0, &lost, "77777");
    let report = peers.try_sync(0, Mode::TwoWay);
    assert_eq!(report.failures[0].code, Code::NOT_FOUND, "{report:?}");
}

#[test]
fn a_folder_that_the_server_needs_comes_back() {
    let mut peers = Peers::new(1);
    peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    let inbox = peers.phone_folder(0, "Inbox");
    peers.delete_on_phone(0, &inbox);
    let report = peers.try_sync(0, Mode::TwoWay);
    assert_eq!(report.failures[0].code, Code::PERMISSION_DENIED);
    peers.try_sync(0, Mode::TwoWay);
    assert_eq!(peers.folder_names(0).len(), 5);
}

#[test]
fn a_mail_that_is_deleted_goes_to_the_trash_and_from_there_for_good() {
    let mut peers = Peers::new(2);
    let id = peers.deliver("Tea", 100);
    for phone in 0..2 {
        peers.sync(phone, Mode::Slow);
    }
    let luid = peers.phone_mail(0, "Tea");
    peers.delete_on_phone(0, &luid);
    peers.sync(0, Mode::TwoWay);
    assert_eq!(peers.parent(id), peers.role(FolderRole::Trash));
    assert!(!peers.is_deleted(id));
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(
        report.received.total(),
        0,
        "whoever deletes does not get it again"
    );

    peers.sync(1, Mode::TwoWay);
    let luid = peers.phone_mail(1, "Tea");
    assert_eq!(
        peers.phone_item(1, &luid).parent,
        peers.phone_folder(1, "Trash").0
    );
    peers.delete_on_phone(1, &luid);
    peers.sync(1, Mode::TwoWay);
    assert!(peers.is_deleted(id));
}

#[test]
fn a_mail_that_is_put_into_the_outbox_lies_there() {
    let mut peers = Peers::new(1);
    peers.sync(0, Mode::Slow);
    let outbox = peers.phone_folder(0, "Outbox");
    peers.add_mail(0, "Answer", &outbox);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!((report.sent.adds, report.failures.len()), (1, 0));
    let out = peers.mails_in(FolderRole::Outbox);
    assert_eq!(out.len(), 1);
    let mail = peers.stored(out[0]);
    assert_eq!(mail.head().subject, "Answer");
    assert_eq!(mail.message, message("Answer"));
    assert!(mail.received.is_some(), "it has a place in its folder");
    assert!(peers.is_queued(out[0]), "and is to be sent");
    // Sent, and filed: the phone sees it move.
    let sent = peers.role(FolderRole::Sent);
    peers.move_here(out[0], sent);
    peers.sync(0, Mode::TwoWay);
    let luid = peers.phone_mail(0, "Answer");
    assert_eq!(
        peers.phone_item(0, &luid).parent,
        peers.phone_folder(0, "Sent").0
    );
}

#[test]
fn what_comes_into_the_outbox_is_to_be_sent_and_nothing_else() {
    let mut peers = Peers::new(1);
    let tea = peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    let (drafts, outbox) = (
        peers.phone_folder(0, "Drafts"),
        peers.phone_folder(0, "Outbox"),
    );
    let idea = peers.add_mail(0, "Idea", &drafts);
    // A folder of that name is none of that role.
    let other = peers.add_folder(0, "Outbox", &drafts.0);
    peers.add_mail(0, "Elsewhere", &other);
    peers.sync(0, Mode::TwoWay);
    let idea_here = peers.mails_in(FolderRole::Drafts)[0];
    assert!(!peers.is_queued(idea_here) && !peers.is_queued(tea));
    peers.move_on_phone(0, &idea, &outbox);
    peers.sync(0, Mode::TwoWay);
    assert!(peers.is_queued(idea_here));
    assert_eq!(peers.queued(), 1);
}

#[test]
fn a_phone_has_what_is_within_its_window() {
    let mut peers = Peers::new(1);
    for number in 0..40 {
        peers.deliver(&format!("Mail {number}"), number);
    }
    peers.window("count=10,days=0");
    peers.sync(0, Mode::Slow);
    assert_eq!(peers.subjects(0), peers.newest(30..40));
    // New mail pushes the oldest out, which stays here.
    let id = peers.deliver("Mail 40", 40);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!((report.received.adds, report.received.deletes), (1, 1));
    assert_eq!(peers.subjects(0), peers.newest(31..41));
    assert_eq!(peers.mails_in(FolderRole::Inbox).len(), 41);
    // A wider one brings more, a narrower one less, without a slow sync.
    peers.window("count=15,days=0");
    peers.sync(0, Mode::TwoWay);
    assert_eq!(peers.subjects(0), peers.newest(26..41));
    peers.window("count=3,days=0");
    peers.sync(0, Mode::TwoWay);
    assert_eq!(peers.subjects(0), peers.newest(38..41));
    assert!(!peers.is_deleted(id));
    // By days: the clock is far beyond all of them.
    peers.window("days=1");
    peers.sync(0, Mode::TwoWay);
    assert!(peers.subjects(0).is_empty());
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.received.total(), 0);
}

#[test]
fn a_folder_has_a_window_of_its_own() {
    let mut peers = Peers::new(1);
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(peers.deliver(&format!("Mail {number}"), number));
    }
    let sent = peers.role(FolderRole::Sent);
    peers.move_here(ids[0], sent);
    peers.move_here(ids[1], sent);
    peers.window("days=0,sent.count=0");
    peers.sync(0, Mode::Slow);
    assert_eq!(peers.subjects(0), peers.newest(2..4));
}

#[test]
fn a_phone_without_folders_has_the_inbox() {
    let mut peers = Peers::flat();
    let id = peers.deliver("Tea", 100);
    let other = peers.deliver("Cake", 200);
    let sent = peers.role(FolderRole::Sent);
    peers.move_here(other, sent);
    let report = peers.sync(0, Mode::Slow);
    assert_eq!(report.received.adds, 1);
    assert!(peers.folder_names(0).is_empty());
    assert_eq!(peers.subjects(0), ["Tea"]);
    peers.move_here(id, sent);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.received.deletes, 1);
    assert!(!peers.is_deleted(id));
}

#[test]
fn what_a_phone_without_folders_writes_stays_on_it() {
    let mut peers = Peers::flat();
    peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    peers.add_mail(0, "Answer", &Luid::default());
    peers.sync(0, Mode::TwoWay);
    assert_eq!(peers.mails_in(FolderRole::Drafts).len(), 1);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.received.total(), 0);
    assert_eq!(peers.subjects(0), ["Answer", "Tea"]);
}

#[test]
fn a_draft_may_be_edited() {
    let mut peers = Peers::new(2);
    for phone in 0..2 {
        peers.sync(phone, Mode::Slow);
    }
    let drafts = peers.phone_folder(0, "Drafts");
    let luid = peers.add_mail(0, "Idea", &drafts);
    peers.sync(0, Mode::TwoWay);
    peers.sync(1, Mode::TwoWay);
    let edited = peers.phone_text(0, &luid).replace("Dear", "Dearest");
    peers.replace_on_phone(0, &luid, &edited);
    peers.sync(0, Mode::TwoWay);
    peers.sync(1, Mode::TwoWay);
    let there = peers.phone_mail(1, "Idea");
    assert!(peers.phone_text(1, &there).contains("Dearest Alice"));
}

#[test]
fn a_slow_sync_finds_everything_again_and_doubles_nothing() {
    let mut peers = Peers::new(1);
    peers.deliver("Tea", 100);
    peers.deliver("Cake", 200);
    peers.sync(0, Mode::Slow);
    let folder = peers.add_folder(0, "Work", "");
    let mail = peers.phone_mail(0, "Cake");
    peers.move_on_phone(0, &mail, &folder);
    peers.sync(0, Mode::TwoWay);
    let before = peers.count();
    let report = peers.sync(0, Mode::Slow);
    assert_eq!(report.received.total(), 0, "{report:?}");
    assert_eq!(peers.count(), before);
    assert_eq!(peers.phone_item(0, &mail).parent, folder.0);
}

#[test]
fn a_phone_asks_for_one_mail_and_the_others_stay() {
    let mut peers = Peers::new(1);
    peers.deliver("Tea", 100);
    peers.deliver("Cake", 200);
    peers.sync(0, Mode::Slow);
    let luid = peers.phone_mail(0, "Tea");
    peers.want(Some(&format!("&LUID;&EQ;{luid}")), true);
    peers.watch_for("Dear Alice");
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!((report.received.replaces, report.received.total()), (1, 1));
    assert!(peers.was_seen(), "all of it is sent");
    peers.want(None, false);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.received.total(), 0, "{report:?}");
}

#[test]
fn a_long_mail_is_cut_and_all_of_it_comes_when_it_is_asked_for() {
    let mut peers = Peers::new(1);
    peers.window("bytes=200,days=0");
    let text = "Lorem ipsum dolor sit amet.\r\n".repeat(40) + "The end\r\n";
    let id = peers.deliver("Tea", 100);
    peers.edit(id, |mail| mail.message.extend(text.as_bytes()));
    peers.sync(0, Mode::Slow);
    let luid = peers.phone_mail(0, "Tea");
    let cut = peers.phone_text(0, &luid);
    assert!(
        cut.contains("Dear Alice") && !cut.contains("The end"),
        "{cut}"
    );
    assert!(cut.contains("<truncated>"), "{cut}");
    // What the phone has in part does not change what is here.
    peers.flag_on_phone(0, &luid, "read");
    peers.sync(0, Mode::TwoWay);
    let stored = peers.stored(id);
    assert!(stored.read && stored.message.ends_with(b"The end\r\n"));

    peers.want(Some(&format!("&LUID;&EQ;{luid}")), true);
    peers.sync(0, Mode::TwoWay);
    assert!(peers.phone_text(0, &luid).contains("The end"));
    peers.want(None, false);
    peers.sync(0, Mode::TwoWay);
    assert!(peers.phone_text(0, &luid).contains("The end"), "it stays");
}

#[test]
fn a_phone_asks_for_mail_since_a_time() {
    let mut peers = Peers::new(1);
    peers.deliver("Old", 1_600_000_000);
    peers.deliver("New", 1_690_000_000);
    peers.window("days=0");
    peers.want(Some("modified&EQ;20230101T000000Z"), false);
    peers.sync(0, Mode::Slow);
    assert_eq!(peers.subjects(0), ["New"]);
    peers.want(Some("modified&EQ;all"), false);
    peers.sync(0, Mode::TwoWay);
    assert_eq!(peers.subjects(0), ["New", "Old"]);
}

#[test]
fn a_refresh_from_the_phone_touches_only_what_it_had() {
    let mut peers = Peers::new(1);
    for number in 0..30 {
        peers.deliver(&format!("Mail {number}"), number);
    }
    peers.window("count=5,days=0");
    peers.sync(0, Mode::Slow);
    let luid = peers.phone_mail(0, "Mail 29");
    peers.forget_on_phone(0, &luid);
    peers.sync(0, Mode::RefreshFromClient);
    assert_eq!(peers.mails_in(FolderRole::Trash).len(), 1);
    assert_eq!(peers.mails_in(FolderRole::Inbox).len(), 29);
}

#[test]
fn a_large_mailbox_costs_a_small_phone_its_window() {
    let measure = |mails: i64| {
        let mut peers = Peers::new(1);
        peers.deliver_many(mails);
        peers.window("count=20,days=0");
        let begin = std::time::Instant::now();
        let report = peers.sync(0, Mode::Slow);
        let first = begin.elapsed();
        assert_eq!(report.received.adds, 20 + 5);
        assert_eq!(peers.count(), mails.unsigned_abs() + 5);
        let begin = std::time::Instant::now();
        let report = peers.sync(0, Mode::TwoWay);
        assert_eq!(report.received.total(), 0);
        eprintln!(
            "{mails} mails: first {first:?}, no change {:?}",
            begin.elapsed()
        );
    };
    measure(100);
    measure(10_000);
}

#[test]
fn mail_gets_through_a_bad_network() {
    for seed in 1..=12 {
        let mut peers = Peers::over(seed, FaultRates::all(40));
        let mut ids: Vec<ItemId> = Vec::new();
        for number in 0..6 {
            ids.push(peers.deliver(&format!("Mail {number}"), number));
        }
        peers.window("count=5,days=0");
        for round in 0..4 {
            peers.sync_somehow(0);
            let number = 10 + round;
            ids.push(peers.deliver(&format!("Mail {number}"), number));
            peers.edit(ids[round as usize + 3], |mail: &mut Mail| mail.read = true);
            let trash = peers.role(FolderRole::Trash);
            peers.move_here(ids[round as usize + 2], trash);
        }
        peers.settle(0);
        peers.assert_same(0, seed);
    }
}

#[test]
fn limits_of_windows_are_words() {
    let windows: Windows = "days=14,count=50,bytes=4096,sent.count=0".parse().unwrap();
    assert_eq!(
        windows.to_string(),
        "days=14,count=50,bytes=4096,sent.count=0"
    );
}
