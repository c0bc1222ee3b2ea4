//! What phones change gets to Dovecot once, wherever the link breaks and whatever another program does meanwhile: an independent IMAP
//! client (Python's imaplib) looks at the other side.

use candybar::content::email::FolderRole;
use candybar::mail::watch::Settings;
use candybar::sync::{ItemId, MailboxState};

use super::world::{World, message, settings};
use crate::support::cutter::{Cutter, Moment};
use crate::support::dovecot::Dovecot;

/// A server that tells nothing by itself.
const QUIET: &str = "IMAP4rev1 UIDPLUS MOVE CONDSTORE";
/// A server that cannot move.
const NO_MOVE: &str = "IMAP4rev1 UIDPLUS";

/// Watches, and waits for the first look's end.
fn watched(world: &mut World, port: u16, user: &str, settings: Settings) {
    let url = format!("imap://127.0.0.1:{port}");
    let mailbox = world.join(&url, user, &format!("{user}-pw"));
    world.watch(settings);
    looked(world, mailbox.id);
}

fn looked(world: &World, mailbox: candybar::sync::MailboxId) {
    world.until("the first look's end", |world| {
        let state = world.store.mailbox(mailbox).expect("the mailbox").state;
        (state == MailboxState::Watched).then_some(())
    });
}

fn there(world: &World, dovecot: &Dovecot, user: &str, folder: &str, expected: &[&str]) {
    world.until(&format!("{expected:?} in {folder}"), |_| {
        let mut marks = dovecot.marks(user, folder);
        marks.sort();
        (marks == expected).then_some(())
    });
}

/// Moves, marks and deletes, with the link cut at this command.
fn cut_at(capability: Option<&str>, command: &str, moment: Moment) {
    let Some(dovecot) = Dovecot::start(&["alice"], capability) else {
        return;
    };
    let mut world = World::new();
    let cutter = Cutter::start(dovecot.imap);
    for subject in ["one", "two", "three"] {
        dovecot.deliver("alice", &message(subject));
    }
    watched(&mut world, cutter.port(), "alice", settings());
    let ids: Vec<ItemId> = ["one", "two"]
        .map(|subject| world.mail(subject).expect("the mail").0.meta.id)
        .into();
    let cut = || {
        world.until("the end of the link", |_| cutter.is_cut().then_some(()));
        cutter.mend();
    };
    // Out of the inbox, into it again, and into the trash.
    cutter.cut_at(command, moment);
    world.relocate("one", world.folder("Work"));
    cut();
    there(&world, &dovecot, "alice", "Work", &["one:"]);
    there(&world, &dovecot, "alice", "INBOX", &["three:", "two:"]);
    cutter.cut_at(command, moment);
    world.edit("one", |mail| mail.read = true);
    world.relocate("one", world.role(FolderRole::Inbox));
    cut();
    let inbox = ["one: \\Seen", "three:", "two:"];
    there(&world, &dovecot, "alice", "INBOX", &inbox);
    there(&world, &dovecot, "alice", "Work", &[]);
    cutter.cut_at(command, moment);
    world.delete("three");
    cut();
    there(
        &world,
        &dovecot,
        "alice",
        "INBOX",
        &inbox[..1]
            .iter()
            .chain(&inbox[2..])
            .copied()
            .collect::<Vec<_>>(),
    );
    there(&world, &dovecot, "alice", "Trash", &["three:"]);
    // The trash is on the phones as any folder, and the others are the mails that they were.
    world.until("each mail once", |world| {
        let mut subjects = world.subjects();
        subjects.sort();
        (subjects == ["one", "three", "two"]).then_some(())
    });
    let now: Vec<ItemId> = ["one", "two"]
        .map(|subject| world.mail(subject).expect("the mail").0.meta.id)
        .into();
    assert_eq!(now, ids);
    let inbox = world.role(FolderRole::Inbox);
    assert_eq!(world.mail("one").expect("the mail").0.meta.parent, inbox);
    world.stop();
}

#[test]
fn a_move_that_does_not_get_to_the_server_is_made_again() {
    cut_at(None, " UID MOVE ", Moment::Before);
}

#[test]
fn a_move_whose_answer_is_lost_is_known_and_not_made_again() {
    cut_at(None, " UID MOVE ", Moment::Behind);
}

#[test]
fn a_copy_that_does_not_get_to_the_server_is_made_again() {
    cut_at(Some(NO_MOVE), " UID COPY ", Moment::Before);
}

#[test]
fn a_copy_whose_answer_is_lost_is_not_made_twice() {
    cut_at(Some(NO_MOVE), " UID COPY ", Moment::Behind);
}

#[test]
fn a_copy_whose_original_could_not_be_removed_is_not_made_twice() {
    cut_at(Some(NO_MOVE), " UID EXPUNGE ", Moment::Before);
}

#[test]
fn what_another_program_moved_or_deleted_first_is_moved_once_or_gone() {
    let Some(dovecot) = Dovecot::start(&["alice"], Some(QUIET)) else {
        return;
    };
    for subject in ["one", "two", "three"] {
        dovecot.deliver("alice", &message(subject));
    }
    let mut world = World::new();
    watched(&mut world, dovecot.imap, "alice", settings());
    let one = world.mail("one").expect("the mail").0.meta.id;
    let plans = world.add_folder("Plans", ItemId(0));
    world.relocate("three", plans);
    there(&world, &dovecot, "alice", "Plans", &["three:"]);
    // The watcher does not know of this when the phone moves both.
    dovecot.imaplib(
        "alice",
        "imap.select('INBOX')\nimap.copy('1', 'Work')\n\
         imap.store('1:2', '+FLAGS', '\\\\Deleted')\nimap.expunge()\n",
    );
    world.relocate("two", plans);
    world.relocate("one", plans);
    there(&world, &dovecot, "alice", "Plans", &["one:", "three:"]);
    there(&world, &dovecot, "alice", "Work", &[]);
    world.until("what is left", |world| {
        let mut subjects = world.subjects();
        subjects.sort();
        (subjects == ["one", "three"]).then_some(())
    });
    let (item, _) = world.mail("one").expect("the mail");
    assert_eq!((item.meta.id, item.meta.parent), (one, plans));
}

#[test]
fn mail_gets_into_a_folder_that_changes_again_before_it_is_at_the_server() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    dovecot.deliver("alice", &message("one"));
    let mut world = World::new();
    watched(&mut world, dovecot.imap, "alice", settings());
    world.stop();
    let folder = world.add_folder("Plans", ItemId(0));
    world.relocate("one", folder);
    world.rename_folder(folder, "Trips");
    world.watch(settings());
    there(&world, &dovecot, "alice", "Trips", &["one:"]);
    there(&world, &dovecot, "alice", "INBOX", &[]);
}

#[test]
fn a_folder_whose_making_does_not_get_to_the_server_stays_and_is_made() {
    for moment in [Moment::Before, Moment::Behind] {
        let Some(dovecot) = Dovecot::start(&["alice"], None) else {
            return;
        };
        dovecot.deliver("alice", &message("one"));
        let mut world = World::new();
        let cutter = Cutter::start(dovecot.imap);
        watched(&mut world, cutter.port(), "alice", settings());
        cutter.cut_at(" CREATE ", moment);
        let folder = world.add_folder("Plans", ItemId(0));
        world.until("the end of the link", |_| cutter.is_cut().then_some(()));
        cutter.mend();
        world.relocate("one", folder);
        there(&world, &dovecot, "alice", "Plans", &["one:"]);
        assert_eq!(world.folder("Plans"), folder);
    }
}

#[test]
fn a_folder_that_was_made_anew_gets_what_a_phone_changed() {
    let Some(dovecot) = Dovecot::start(&["alice"], Some(QUIET)) else {
        return;
    };
    let append = |subject: &str| {
        format!(
            "imap.append('Work', None, None, {:?}.encode())\n",
            message(subject)
        )
    };
    let both = format!("{}{}", append("one"), append("two"));
    dovecot.imaplib("alice", &both);
    let mut world = World::new();
    watched(&mut world, dovecot.imap, "alice", settings());
    // The same UIDs are those of other messages now, and nobody tells.
    let anew = format!(
        "imap.delete('Work')\nimap.create('Work')\n{}{}",
        append("two"),
        append("one")
    );
    dovecot.imaplib("alice", &anew);
    world.edit("one", |mail| mail.read = true);
    there(&world, &dovecot, "alice", "Work", &["one: \\Seen", "two:"]);
    assert_eq!(world.mails().len(), 2);
}

#[test]
fn what_a_server_could_not_move_is_tried_again_with_the_next_connection() {
    let Some(dovecot) = Dovecot::start(&["alice"], Some(QUIET)) else {
        return;
    };
    dovecot.imaplib("alice", "imap.create('Plans')\n");
    dovecot.deliver("alice", &message("one"));
    dovecot.deliver("alice", &message("two"));
    let mut world = World::new();
    watched(&mut world, dovecot.imap, "alice", settings());
    dovecot.lock("alice", "Plans", true);
    world.relocate("one", world.folder("Plans"));
    // It is refused; what comes behind it is done.
    world.edit("two", |mail| mail.read = true);
    there(&world, &dovecot, "alice", "INBOX", &["one:", "two: \\Seen"]);
    world.stop();
    dovecot.lock("alice", "Plans", false);
    world.watch(settings());
    there(&world, &dovecot, "alice", "Plans", &["one:"]);
    there(&world, &dovecot, "alice", "INBOX", &["two: \\Seen"]);
}

#[test]
fn folders_and_mail_of_two_mailboxes_stay_with_each() {
    let Some(dovecot) = Dovecot::start(&["alice", "bob"], None) else {
        return;
    };
    dovecot.imaplib("bob", "imap.create('Club')\n");
    dovecot.deliver("alice", &message("first"));
    dovecot.deliver("bob", &message("second"));
    let mut world = World::new();
    watched(&mut world, dovecot.imap, "alice", settings());
    watched(&mut world, dovecot.imap, "bob", settings());
    world.until("both mails", |world| {
        (world.mail("first").is_some() && world.mail("second").is_some()).then_some(())
    });
    let names = |user: &str| {
        let text = dovecot.imaplib(
            user,
            "print(*sorted(n.decode().split(' \"/\" ')[1] for n in imap.list()[1]), sep='|')\n",
        );
        let own = ["INBOX", "Sent", "Drafts", "Trash", "Work", "Club"];
        let names = text.trim_end().split('|').map(str::to_owned);
        names
            .filter(|name| !own.contains(&&**name))
            .collect::<Vec<_>>()
    };
    let has = |world: &World, user: &str, expected: &[&str]| {
        world.until(&format!("{expected:?} of {user}"), |_| {
            (names(user) == expected).then_some(())
        });
    };
    // Within a folder of the second mailbox: there. At the top, or within the inbox that both share: at the first.
    world.add_folder("Trips", world.folder("Club"));
    has(&world, "bob", &["Club/Trips"]);
    let plans = world.add_folder("Plans", ItemId(0));
    has(&world, "alice", &["Plans"]);
    world.add_folder("Later", world.role(FolderRole::Inbox));
    has(&world, "alice", &["INBOX/Later", "Plans"]);
    assert_eq!(names("bob"), ["Club/Trips"]);
    // Mail stays in its mailbox: the folder is made there too when something is put into it.
    world.relocate("first", plans);
    there(&world, &dovecot, "alice", "Plans", &["first:"]);
    world.relocate("second", plans);
    there(&world, &dovecot, "bob", "Plans", &["second:"]);
    assert_eq!(names("alice"), ["INBOX/Later", "Plans"]);
    has(&world, "bob", &["Club/Trips", "Plans"]);
    assert_eq!(world.mails().len(), 2);
    // A new name is one at both.
    world.rename_folder(plans, "Ideas");
    there(&world, &dovecot, "alice", "Ideas", &["first:"]);
    there(&world, &dovecot, "bob", "Ideas", &["second:"]);
    assert_eq!(world.folder("Ideas"), plans);
}
