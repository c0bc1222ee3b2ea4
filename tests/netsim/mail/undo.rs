//! Sessions with mail that are undone: marks, moves, deletions, folders.

use candybar::content::email::FolderRole;
use candybar::handset::Mode;

use super::peers::{Peers, message};

#[test]
fn marks_moves_and_deletions_are_as_before() {
    let mut peers = Peers::new(2);
    let [read, moved, trashed] =
        ["Read", "Moved", "Trashed"].map(|subject| peers.deliver(subject, 100));
    for phone in 0..2 {
        peers.sync(phone, Mode::Slow);
    }
    let inbox = peers.role(FolderRole::Inbox);
    let drafts = peers.phone_folder(0, "Drafts");
    let luid = |peers: &Peers, subject: &str| peers.phone_mail(0, subject);
    let (of_read, of_moved, of_trashed) = (
        luid(&peers, "Read"),
        luid(&peers, "Moved"),
        luid(&peers, "Trashed"),
    );
    peers.flag_on_phone(0, &of_read, "read");
    peers.move_on_phone(0, &of_moved, &drafts);
    peers.delete_on_phone(0, &of_trashed);
    peers.sync(0, Mode::TwoWay);
    assert!(peers.stored(read).read);
    assert_eq!(peers.parent(trashed), peers.role(FolderRole::Trash));
    peers.sync(1, Mode::TwoWay);

    let undone = peers.undo_of(0);
    assert_eq!(
        (undone.restored, undone.brought_back, undone.deleted),
        (3, 0, 0),
        "{undone:?}"
    );
    assert_eq!((undone.kept, undone.lost), (Vec::new(), Vec::new()));
    assert!(!peers.stored(read).read);
    for id in [moved, trashed] {
        assert_eq!(peers.parent(id), inbox);
    }
    for phone in 0..2 {
        peers.sync(phone, Mode::TwoWay);
        assert_eq!(peers.subjects(phone), ["Moved", "Read", "Trashed"]);
        let inbox = peers.phone_folder(phone, "Inbox");
        for subject in ["Moved", "Read", "Trashed"] {
            let mail = peers.phone_mail(phone, subject);
            assert_eq!(peers.phone_item(phone, &mail).parent, inbox.0, "{subject}");
        }
    }
    assert_eq!(peers.stored(moved).message, message("Moved"));
}

#[test]
fn a_folder_that_was_deleted_comes_back_with_what_was_in_it() {
    let mut peers = Peers::new(2);
    let id = peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    let work = peers.add_folder(0, "Work", "");
    let inner = peers.add_folder(0, "Urgent", &work.0);
    let mail = peers.phone_mail(0, "Tea");
    peers.move_on_phone(0, &mail, &inner);
    peers.sync(0, Mode::TwoWay);
    peers.sync(1, Mode::Slow);
    let parent = peers.parent(id);
    peers.delete_on_phone(0, &work);
    peers.sync(0, Mode::TwoWay);
    peers.sync(1, Mode::TwoWay);
    assert!(peers.is_deleted(id) && peers.is_deleted(parent));

    // The other phone had nothing to say: it is the first one's session that is undone.
    let undone = peers.undo_of(0);
    assert_eq!(
        (undone.brought_back, undone.lost.len()),
        (3, 0),
        "{undone:?}"
    );
    assert!(!peers.is_deleted(id) && !peers.is_deleted(parent));
    assert_eq!(peers.parent(id), parent);
    for phone in 0..2 {
        peers.sync(phone, Mode::TwoWay);
        let (work, inner) = (
            peers.phone_folder(phone, "Work"),
            peers.phone_folder(phone, "Urgent"),
        );
        let mail = peers.phone_mail(phone, "Tea");
        assert_eq!(peers.phone_item(phone, &mail).parent, inner.0);
        assert_eq!(peers.phone_item(phone, &inner).parent, work.0);
        assert!(peers.phone_text(phone, &mail).contains("Dear Alice"));
    }
}

#[test]
fn a_folder_that_was_made_stays_if_others_put_mail_there() {
    let mut peers = Peers::new(1);
    let id = peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    peers.add_folder(0, "Work", "");
    peers.add_folder(0, "Empty", "");
    peers.sync(0, Mode::TwoWay);
    let work = peers.folder_named("Work");
    peers.move_here(id, work);
    let undone = peers.undo();
    assert_eq!((undone.deleted, undone.kept), (1, vec![work]));
    peers.sync(0, Mode::TwoWay);
    let mut names = peers.folder_names(0);
    names.sort();
    assert_eq!(
        names,
        ["Drafts", "Inbox", "Outbox", "Sent", "Trash", "Work"]
    );
    let mail = peers.phone_mail(0, "Tea");
    assert_eq!(
        peers.phone_item(0, &mail).parent,
        peers.phone_folder(0, "Work").0
    );
}

#[test]
fn the_first_session_is_undone_without_taking_the_folders_that_all_have() {
    let mut peers = Peers::new(1);
    peers.sync(0, Mode::Slow);
    let undone = peers.undo();
    assert_eq!((undone.unchanged, undone.deleted), (5, 0), "{undone:?}");
    peers.deliver("Tea", 100);
    peers.sync(0, Mode::TwoWay);
    assert_eq!(peers.subjects(0), ["Tea"]);
}

#[test]
fn a_mail_comes_back_into_its_folder_though_that_is_gone_since() {
    let mut peers = Peers::new(1);
    let id = peers.deliver("Tea", 100);
    peers.sync(0, Mode::Slow);
    let work = peers.add_folder(0, "Work", "");
    let mail = peers.phone_mail(0, "Tea");
    peers.move_on_phone(0, &mail, &work);
    peers.sync(0, Mode::TwoWay);
    let folder = peers.parent(id);
    let inbox = peers.phone_folder(0, "Inbox");
    peers.move_on_phone(0, &mail, &inbox);
    peers.sync(0, Mode::TwoWay);
    peers.delete_here(folder);
    let undone = peers.undo();
    assert_eq!(undone.restored, 1, "{undone:?}");
    assert_eq!(peers.parent(id), folder);
    assert!(!peers.is_deleted(folder));
    peers.sync(0, Mode::TwoWay);
    let mail = peers.phone_mail(0, "Tea");
    assert_eq!(
        peers.phone_item(0, &mail).parent,
        peers.phone_folder(0, "Work").0
    );
}
