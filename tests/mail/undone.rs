//! A session that deleted mail is undone, and Dovecot has it again where it was; what it expunged is named.

use candybar::content::{self, Format, ReadHint};
use candybar::handset::{Luid, Mode, Phone};
use candybar::store::Undone;
use candybar::sync::MailboxState;

use super::announced::{Delivery, MAIL, phone, sync_all};
use super::world::{World, message, settings};
use crate::support::dovecot::Dovecot;

/// What a phone has under that title.
fn luid(phone: &Phone<Delivery>, title: &str) -> Luid {
    let found = phone.items(MAIL).into_iter().find(|(_, item)| {
        let hint = ReadHint {
            format: Format::from_mime(&item.content_type, None),
            ..ReadHint::default()
        };
        content::read(&item.body.0, &hint).is_ok_and(|read| content::title(&read.record) == title)
    });
    let (luid, _) = found.unwrap_or_else(|| panic!("no {title}"));
    luid
}

/// Deletes these on the phone, in one session.
fn delete(phone: &mut Phone<Delivery>, titles: &[&str]) {
    for title in titles {
        let luid = luid(phone, title);
        assert!(phone.delete(MAIL, &luid), "{title}");
    }
    sync_all(phone, Mode::TwoWay);
}

fn undo(world: &World) -> Undone {
    let newest = world.store.recordings(world.account, 1, |_| true);
    let newest = newest.expect("recordings").pop().expect("a session").number;
    let undone = world.store.undo(world.account, newest, None, false);
    undone.expect("it is undone")
}

fn there(world: &World, dovecot: &Dovecot, folder: &str, expected: &[&str]) {
    world.until(&format!("{expected:?} in {folder}"), |_| {
        let mut marks = dovecot.marks("alice", folder);
        marks.sort();
        (marks == expected).then_some(())
    });
}

#[test]
fn mail_that_went_with_its_folder_is_moved_back_at_the_server_and_what_was_expunged_is_named() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let append = |subject: &str| {
        format!(
            "imap.append('Plans', '(\\\\Seen)', None, {:?}.encode())\n",
            message(subject)
        )
    };
    let trash = append("four").replace("Plans", "Trash");
    dovecot.imaplib(
        "alice",
        &format!(
            "imap.create('Plans')\n{}{}{trash}",
            append("one"),
            append("two")
        ),
    );
    dovecot.deliver("alice", &message("three"));
    let mut world = World::new();
    let url = format!("imap://127.0.0.1:{}", dovecot.imap);
    let mailbox = world.join(&url, "alice", "alice-pw");
    world.watch(settings());
    world.until("the first look's end", |world| {
        let state = world.store.mailbox(mailbox.id).expect("the mailbox").state;
        (state == MailboxState::Watched).then_some(())
    });
    let mut phone = phone(&world.store);
    sync_all(&mut phone, Mode::Slow);
    let one = world.mail("one").expect("the mail").0.meta.id;

    // A folder with what is in it: the server has that in the trash, and the folder no more.
    delete(&mut phone, &["Plans"]);
    let trash = ["four: \\Seen", "one: \\Seen", "two: \\Seen"];
    there(&world, &dovecot, "Trash", &trash);
    world.until("the trash on our side", |world| {
        (world.mails().len() == 4).then_some(())
    });
    let undone = undo(&world);
    assert_eq!(
        (
            undone.brought_back,
            undone.out_of_trash,
            undone.here_only.len()
        ),
        (3, 2, 0),
        "{undone:?}"
    );
    there(&world, &dovecot, "Plans", &["one: \\Seen", "two: \\Seen"]);
    there(&world, &dovecot, "Trash", &["four: \\Seen"]);
    let mut subjects = world.subjects();
    subjects.sort();
    assert_eq!(subjects, ["four", "one", "three", "two"]);
    assert_eq!(world.mail("one").expect("the mail").0.meta.id, one);
    // It is one message on both sides: what is marked here is marked there.
    world.edit("one", |mail| mail.flagged = true);
    there(
        &world,
        &dovecot,
        "Plans",
        &["one: \\Flagged \\Seen", "two: \\Seen"],
    );

    // Out of the trash for good: no server has it, and that is said.
    sync_all(&mut phone, Mode::TwoWay);
    let four = world.mail("four").expect("the mail").0.meta.id;
    delete(&mut phone, &["four"]);
    there(&world, &dovecot, "Trash", &[]);
    let carried = world
        .store
        .account_by_id(world.account)
        .expect("the account")
        .modseq;
    world.until("the end of that", |world| {
        let mailbox = world.store.mailbox(mailbox.id).expect("the mailbox");
        (mailbox.carried >= carried).then_some(())
    });
    let undone = undo(&world);
    assert_eq!(
        (undone.brought_back, undone.out_of_trash, &*undone.here_only),
        (1, 0, &[four][..]),
        "{undone:?}"
    );
    assert!(world.mail("four").is_some());
}
