//! Mailboxes of Dovecot, watched; an independent IMAP client (Python's imaplib) looks at the other side.

use std::time::Duration;

use candybar::content::email::{FolderRole, Mail};
use candybar::handset::Mode;
use candybar::mail::watch::Settings;
use candybar::sync::MailboxState;

use super::announced::{phone, sync_all};
use super::world::{World, message, settings};
use crate::support::cutter::Cutter;
use crate::support::dovecot::Dovecot;

/// What Dovecot has without the extensions for push mail.
const PLAIN: &str = "IMAP4rev1 LITERAL+ SASL-IR UIDPLUS";
/// With IDLE, and numbers of changes without what was expunged.
const CONDSTORE: &str = "IMAP4rev1 LITERAL+ SASL-IR UIDPLUS IDLE CONDSTORE MOVE SPECIAL-USE";

fn url(port: u16) -> String {
    format!("imap://127.0.0.1:{port}")
}

/// The whole way in both directions, with what the server offers.
fn both_ways(dovecot: &Dovecot, settings: Settings) {
    let mut world = World::new();
    let mailbox = world.join(&url(dovecot.imap), "alice", "alice-pw");
    dovecot.deliver("alice", &message("before"));
    world.watch(settings);
    world.until("the mail from before", |world| world.mail("before"));
    let watched = |world: &World| {
        let state = world.store.mailbox(mailbox.id).expect("the mailbox").state;
        (state == MailboxState::Watched).then_some(())
    };
    world.until("the first look's end", watched);
    for subject in ["one", "two", "three", "four"] {
        dovecot.deliver("alice", &message(subject));
    }
    let (item, mail) = world.until("a mail while it is watched", |world| world.mail("four"));
    assert_eq!(item.meta.parent, world.role(FolderRole::Inbox));
    assert!(mail.message.ends_with(b"The text of four.\r\n"));
    assert_eq!((mail.missing, mail.read), (0, false));

    // What another program marks, moves and deletes is seen here.
    dovecot.imaplib(
        "alice",
        "imap.select()\n\
         find = lambda s: imap.uid('SEARCH', 'HEADER', 'Subject', s)[1][0].decode()\n\
         imap.uid('STORE', find('one'), '+FLAGS', '(\\\\Seen $Forwarded)')\n\
         imap.uid('COPY', find('two'), 'Work')\n\
         imap.uid('STORE', find('two'), '+FLAGS', '(\\\\Deleted)')\n\
         imap.uid('STORE', find('before'), '+FLAGS', '(\\\\Deleted)')\n\
         imap.expunge()\n",
    );
    let two = world.mail("two").expect("the mail").0.meta.id;
    world.until("marks", |world| {
        world
            .mail("one")
            .filter(|(_, mail)| mail.read && mail.forwarded)
    });
    world.until("a deletion", |world| {
        world.mail("before").is_none().then_some(())
    });
    let work = world.until("a move", |world| {
        let work = world.folder("Work");
        let (item, _) = world.mail("two")?;
        (item.meta.parent == work).then_some(work)
    });
    assert_eq!(
        world.mail("two").expect("the mail").0.meta.id,
        two,
        "it is the same item"
    );

    // What a phone marks, moves and deletes is seen there.
    world.edit("one", |mail| {
        mail.flagged = true;
        mail.read = false;
    });
    world.edit("three", |mail| mail.replied = true);
    world.relocate("three", work);
    world.delete("four");
    let sent = Mail {
        read: true,
        ..Mail::received(message("sent by a phone").into_bytes(), 1_772_704_800)
    };
    world.add(&sent, world.role(FolderRole::Sent));
    let there = |folder: &str, expected: &[&str]| {
        world.until(&format!("{expected:?} in {folder}"), |_| {
            (dovecot.marks("alice", folder) == expected).then_some(())
        });
    };
    there("INBOX", &["one: $Forwarded \\Flagged"]);
    there("Work", &["two:", "three: \\Answered"]);
    there("Trash", &["four:"]);
    there("Sent", &["sent by a phone: \\Seen"]);
    // All of it once, and each where it belongs.
    dovecot.deliver("alice", &message("last"));
    world.until("the last mail", |world| world.mail("last"));
    world.until("each mail once", |world| {
        let mut subjects: Vec<String> = world
            .mails()
            .iter()
            .map(|(_, mail)| mail.head().subject)
            .collect();
        subjects.sort();
        (subjects == ["four", "last", "one", "sent by a phone", "three", "two"]).then_some(())
    });
    assert_eq!(
        dovecot.marks("alice", "Sent").len(),
        1,
        "nothing is filed twice"
    );
    world.stop();
}

#[test]
fn mail_and_edits_go_both_ways_with_idle_notify_and_qresync() {
    if let Some(dovecot) = Dovecot::start(&["alice"], None) {
        both_ways(&dovecot, settings());
    }
}

#[test]
fn mail_and_edits_go_both_ways_with_idle_and_condstore() {
    if let Some(dovecot) = Dovecot::start(&["alice"], Some(CONDSTORE)) {
        let settings = Settings {
            poll: Duration::from_secs(1),
            ..settings()
        };
        both_ways(&dovecot, settings);
    }
}

#[test]
fn mail_and_edits_go_both_ways_by_polling_alone() {
    if let Some(dovecot) = Dovecot::start(&["alice"], Some(PLAIN)) {
        let settings = Settings {
            poll: Duration::from_secs(1),
            ..settings()
        };
        both_ways(&dovecot, settings);
    }
}

#[test]
fn notify_tells_of_folders_beside_the_selected_one() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    let mailbox = world.join(&url(dovecot.imap), "alice", "alice-pw");
    // It polls so seldom that only NOTIFY can have told.
    world.watch(settings());
    world.until("the first look's end", |world| {
        let state = world.store.mailbox(mailbox.id).expect("the mailbox").state;
        (state == MailboxState::Watched).then_some(())
    });
    for folder in ["Work", "Drafts", "INBOX"] {
        let script = format!(
            "imap.append('{folder}', None, None, {:?}.encode())\n",
            message(&format!("in {folder}"))
        );
        dovecot.imaplib("alice", &script);
        let (item, _) = world.until(folder, |world| world.mail(&format!("in {folder}")));
        assert_eq!(item.meta.parent, world.folder(folder));
    }
}

#[test]
fn pop3_brings_mail_and_deletes_what_a_phone_deleted() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    world.join(
        &format!("pop3://127.0.0.1:{}", dovecot.pop3),
        "alice",
        "alice-pw",
    );
    let long = format!(
        "{}{}",
        message("long"),
        "0123456789abcdef\r\n".repeat(20_000)
    );
    dovecot.deliver("alice", &long);
    world.watch(Settings {
        poll: Duration::from_secs(1),
        ..settings()
    });
    let (item, mail) = world.until("the long mail", |world| world.mail("long"));
    assert!(mail.missing > 200_000, "{}", mail.missing);
    assert!(mail.message.len() <= 128 << 10);
    world.ask_for_rest(item.meta.id);
    let (_, mail) = world.until("the rest", |world| {
        world.mail("long").filter(|(_, mail)| mail.missing == 0)
    });
    assert!(mail.message.ends_with(b"0123456789abcdef\r\n") && mail.message.len() > long.len());
    for subject in ["one", "two"] {
        dovecot.deliver("alice", &message(subject));
        world.until(subject, |world| world.mail(subject));
    }
    world.delete("one");
    world.until("the deletion at the server", |_| {
        (dovecot.marks("alice", "INBOX").len() == 2).then_some(())
    });
    assert_eq!(world.mails().len(), 2);
    // Into the trash, as phones delete: it is kept there alone.
    sync_all(&mut phone(&world.store), Mode::Slow);
    let trash = world.role(FolderRole::Trash);
    world.relocate("two", trash);
    world.until("the deletion at the server", |_| {
        let left = dovecot.marks("alice", "INBOX");
        matches!(&*left, [one] if one.starts_with("long:")).then_some(())
    });
    let (two, _) = world.mail("two").expect("the mail");
    assert_eq!(two.meta.parent, trash);
}

#[test]
fn the_rest_of_a_large_message_is_fetched_when_it_is_asked_for() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    world.join(&url(dovecot.imap), "alice", "alice-pw");
    let long = format!(
        "{}{}",
        message("long"),
        "0123456789abcdef\r\n".repeat(100_000)
    );
    dovecot.deliver("alice", &long);
    world.watch(settings());
    let (item, mail) = world.until("the long mail", |world| world.mail("long"));
    assert_eq!(mail.message.len(), 128 << 10);
    assert!(mail.missing > 1_600_000, "{}", mail.missing);
    world.ask_for_rest(item.meta.id);
    let (item_again, mail) = world.until("the rest", |world| {
        world.mail("long").filter(|(_, mail)| mail.missing == 0)
    });
    assert!(
        mail.message.len() > long.len(),
        "Dovecot adds header fields"
    );
    assert!(mail.message.ends_with(b"0123456789abcdef\r\n"));
    assert_eq!(item_again.meta.id, item.meta.id);
}

#[test]
fn another_uid_validity_is_the_same_mail() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    world.join(&url(dovecot.imap), "alice", "alice-pw");
    world.watch(settings());
    let append = |subject: &str| {
        format!(
            "imap.append('Work', None, None, {:?}.encode())\n",
            message(subject)
        )
    };
    dovecot.imaplib("alice", &format!("{}{}", append("kept"), append("lost")));
    let kept = world.until("a mail", |world| world.mail("kept")).0.meta.id;
    world.until("a mail", |world| world.mail("lost"));
    world.edit("kept", |mail| mail.flagged = true);
    world.until("the mark", |_| {
        dovecot
            .marks("alice", "Work")
            .contains(&"kept: \\Flagged".to_owned())
            .then_some(())
    });
    world.stop();
    dovecot.imaplib(
        "alice",
        &format!(
            "imap.delete('Work')\nimap.create('Work')\n{}{}",
            append("new"),
            append("kept")
        ),
    );
    world.watch(settings());
    world.until("the new mail", |world| world.mail("new"));
    world.until("what is gone", |world| {
        world.mail("lost").is_none().then_some(())
    });
    let (item, _) = world.mail("kept").expect("the mail");
    assert_eq!(item.meta.id, kept);
    assert_eq!(world.mails().len(), 2);
}

#[test]
fn a_refused_login_is_told_once_and_not_tried_again_soon() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    let mailbox = world.join(&url(dovecot.imap), "alice", "wrong-pw");
    world.watch(settings());
    let refused = world.until("the refusal", |world| {
        let mailbox = world.store.mailbox(mailbox.id).expect("the mailbox");
        (mailbox.state == MailboxState::Refused).then_some(mailbox)
    });
    let why = refused.why.expect("why");
    assert!(
        why.contains("refuses the login") && !why.contains("wrong-pw"),
        "{why}"
    );
    let told = world.until("the mail to the account", |world| {
        let told = world.mails();
        (!told.is_empty()).then_some(told)
    });
    assert_eq!(told.len(), 1);
    assert!(told[0].1.head().subject.contains("alice@localhost"));
    world.stop();
    let soon = chrono::Utc::now().timestamp_millis() + 25 * 60_000;
    let claimed = world
        .store
        .claim_mailboxes("other", soon, soon + 1)
        .expect("claimed");
    assert!(claimed.is_empty(), "the next try is later");
    // The next try is refused as well, and nobody is told again.
    let failures = world
        .store
        .mailbox(mailbox.id)
        .expect("the mailbox")
        .failures;
    let late = chrono::Utc::now().timestamp_millis() + 2 * 86_400_000;
    let claimed = world
        .store
        .claim_mailboxes("other", late, 0)
        .expect("claimed");
    assert_eq!(claimed.len(), 1, "it is due some day");
    world.watch(settings());
    world.until("another refusal", |world| {
        let known = world.store.mailbox(mailbox.id).expect("the mailbox");
        (known.failures > failures).then_some(())
    });
    assert_eq!(world.mails().len(), 1, "the account is told once");
}

#[test]
fn a_large_mailbox_costs_its_window_and_what_changed() {
    const WINDOW: usize = 30;
    /// A look that finds nothing, whatever the mailbox has; there can be one more of them.
    const LOOK: usize = 1_000;
    let costs = |messages: usize| {
        let dovecot = Dovecot::start(&["alice"], None)?;
        dovecot.fill("alice", messages);
        let mut world = World::new();
        let cutter = Cutter::start(dovecot.imap);
        let mailbox = world.join(&url(cutter.port()), "alice", "alice-pw");
        let look = |world: &World, before: i64| {
            world.until("a look's end", |world| {
                let known = world.store.mailbox(mailbox.id).expect("the mailbox");
                (known.checked > before).then_some(known.checked)
            })
        };
        world.watch(Settings {
            count: WINDOW,
            ..settings()
        });
        let checked = look(&world, 0);
        let first = cutter.octets_back();
        assert_eq!(world.mails().len(), WINDOW);
        let newest = format!("number {}", messages - 1);
        assert!(world.mail(&newest).is_some());
        // The link breaks, and nothing has changed.
        cutter.cut();
        cutter.mend();
        let checked = look(&world, checked);
        let unchanged = cutter.octets_back() - first;
        // One new mail.
        let before = cutter.octets_back();
        dovecot.deliver("alice", &message("new"));
        world.until("the new mail", |world| world.mail("new"));
        look(&world, checked);
        Some([first, unchanged, cutter.octets_back() - before])
    };
    let (Some(few), Some(many)) = (costs(200), costs(10_000)) else {
        return;
    };
    for (what, (few, many)) in ["first", "unchanged", "new mail"]
        .iter()
        .zip(few.iter().zip(many))
    {
        assert!(
            many <= few + few / 10 + LOOK,
            "{what}: {few} octets of a small mailbox, {many} of a large one"
        );
    }
    assert!(few[1] < few[0] / 5 && few[2] < few[0] / 5, "{few:?}");
}
