//! What phones do with folders and drafts, at Dovecot: an independent IMAP client (Python's imaplib) looks at the other side.

use std::time::Duration;

use candybar::content::email::{FolderRole, Mail};
use candybar::mail::watch::Settings;
use candybar::sync::{ItemId, MailboxState};

use super::world::{World, message, settings};
use crate::support::cutter::Cutter;
use crate::support::dovecot::Dovecot;

/// Prints the names of folders as the server has them, and which mail programs show.
const NAMES: &str = "for verb in ('LIST', 'LSUB'):\n    \
    names = (imap.list() if verb == 'LIST' else imap.lsub())[1]\n    \
    print(verb, *sorted(n.decode().split(' \"/\" ')[1].strip('\"') for n in names if n), sep='|')\n";

/// Prints the texts of all messages of a folder, each in a line.
const TEXTS: &str = "imap.select('\"FOLDER\"', readonly=True)\n\
    for n in imap.search(None, 'ALL')[1][0].split():\n    \
    found = imap.fetch(n, '(BODY.PEEK[TEXT])')[1][0]\n    \
    if isinstance(found, tuple): print(repr(found[1].decode().strip()))\n";

fn url(port: u16) -> String {
    format!("imap://127.0.0.1:{port}")
}

/// The folders that Dovecot does not have from the beginning, all and shown.
fn names(dovecot: &Dovecot) -> (Vec<String>, Vec<String>) {
    let text = dovecot.imaplib("alice", NAMES);
    let own = ["INBOX", "Sent", "Drafts", "Trash", "Work", "Junk"];
    let of = |verb: &str| {
        let line = text.lines().find(|line| line.starts_with(verb));
        let names = line.expect(verb).trim_end().split('|').skip(1);
        let names = names.filter(|name| !own.contains(name) && !name.is_empty());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    (of("LIST"), of("LSUB"))
}

fn texts(dovecot: &Dovecot, folder: &str) -> Vec<String> {
    let text = dovecot.imaplib("alice", &TEXTS.replace("FOLDER", folder));
    text.lines()
        .map(|line| line.trim_matches('\'').to_owned())
        .collect()
}

fn watched(world: &mut World, port: u16) {
    let mailbox = world.join(&url(port), "alice", "alice-pw");
    world.watch(polling());
    world.until("the first look's end", |world| {
        let state = world.store.mailbox(mailbox.id).expect("the mailbox").state;
        (state == MailboxState::Watched).then_some(())
    });
}

/// What the server does not speak of is looked for each second.
fn polling() -> Settings {
    Settings {
        poll: Duration::from_secs(1),
        ..settings()
    }
}

fn draft(text: &str) -> Mail {
    Mail {
        draft: true,
        message: format!("To: bob@example.net\nSubject: Idea\n\n{text}\n").into_bytes(),
        received: Some(1_772_704_800),
        ..Mail::default()
    }
}

#[test]
fn folders_of_a_phone_are_made_renamed_moved_and_deleted_at_the_server() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    watched(&mut world, dovecot.imap);
    for subject in ["one", "two", "three"] {
        dovecot.deliver("alice", &message(subject));
        world.until(subject, |world| world.mail(subject));
    }
    let there = |world: &World, expected: &[&str]| {
        world.until(&format!("{expected:?}"), |_| {
            let (all, shown) = names(&dovecot);
            (all == expected && shown == expected).then_some(())
        });
    };
    // In whatever order they came there.
    let marks = |world: &World, folder: &str, expected: &[&str]| {
        world.until(&format!("{expected:?} in {folder}"), |_| {
            let mut marks = dovecot.marks("alice", folder);
            marks.sort();
            (marks == expected).then_some(())
        });
    };
    // Made, with letters of its own, one within the other; a slash is none that divides.
    let outer = world.add_folder("Pläne & Ziele", ItemId(0));
    let inner = world.add_folder("a/b", outer);
    there(&world, &["Pl&AOQ-ne &- Ziele", "Pl&AOQ-ne &- Ziele/a_b"]);
    world.relocate("one", inner);
    world.relocate("two", outer);
    marks(&world, "Pl&AOQ-ne &- Ziele/a_b", &["one:"]);
    marks(&world, "Pl&AOQ-ne &- Ziele", &["two:"]);
    // What comes there by others is seen here, and told at once.
    let script = format!(
        "imap.append('\"Pl&AOQ-ne &- Ziele/a_b\"', None, None, {:?}.encode())\n",
        message("from outside")
    );
    dovecot.imaplib("alice", &script);
    let (item, _) = world.until("mail in the new folder", |world| world.mail("from outside"));
    assert_eq!(item.meta.parent, inner);

    // The outer one gets another name, then the inner one another place: the mail is the same.
    let one = world.mail("one").expect("the mail").0.meta.id;
    world.rename_folder(outer, "Plans");
    there(&world, &["Plans", "Plans/a_b"]);
    world.move_folder(inner, ItemId(0));
    there(&world, &["Plans", "a_b"]);
    marks(&world, "a_b", &["from outside:", "one:"]);
    let (item, _) = world.mail("one").expect("the mail");
    assert_eq!((item.meta.id, item.meta.parent), (one, inner));
    world.edit("one", |mail| mail.flagged = true);
    marks(&world, "a_b", &["from outside:", "one: \\Flagged"]);

    // It goes with what is in it; that is in the trash.
    world.delete_folder(inner);
    there(&world, &["Plans"]);
    marks(&world, "Trash", &["from outside:", "one: \\Flagged"]);
    // Of one that another program removes nothing is left here.
    world.relocate("two", world.role(FolderRole::Inbox));
    marks(&world, "Plans", &[]);
    world.stop();
    dovecot.imaplib("alice", "imap.delete('Plans')\nimap.unsubscribe('Plans')\n");
    world.watch(polling());
    world.until("the end of the folder", |world| {
        world
            .folder_names()
            .iter()
            .all(|name| name != "Plans")
            .then_some(())
    });
    world.until("each mail once", |world| {
        let mut subjects = world.subjects();
        subjects.sort();
        (subjects == ["from outside", "one", "three", "two"]).then_some(())
    });
}

#[test]
fn a_folder_with_more_than_the_phone_has_stays_and_comes_back() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    // A message of long ago, which is out of the window.
    let script = format!(
        "imap.append('Work', None, '\" 1-Jan-2001 10:00:00 +0000\"', {:?}.encode())\n\
         imap.append('Work', None, None, {:?}.encode())\n",
        message("old"),
        message("new")
    );
    dovecot.imaplib("alice", &script);
    let mut world = World::new();
    watched(&mut world, dovecot.imap);
    world.until("the new mail", |world| world.mail("new"));
    let work = world.folder("Work");
    world.delete_folder(work);
    world.until("the folder again", |world| {
        let again = world.folder_names().iter().any(|name| name == "Work");
        (again && world.folder("Work") != work).then_some(())
    });
    world.until("its mail in the trash", |_| {
        (dovecot.marks("alice", "Trash") == ["new:"]).then_some(())
    });
    assert_eq!(dovecot.marks("alice", "Work"), ["old:"]);
}

#[test]
fn a_name_that_is_there_already_is_not_taken_twice() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    watched(&mut world, dovecot.imap);
    let first = world.add_folder("Plans", ItemId(0));
    world.until("the folder", |_| {
        (names(&dovecot).0 == ["Plans"]).then_some(())
    });
    let second = world.add_folder("Plans", ItemId(0));
    world.until("the other", |_| {
        (names(&dovecot).0 == ["Plans", "Plans 2"]).then_some(())
    });
    dovecot.deliver("alice", &message("one"));
    world.until("a mail", |world| world.mail("one"));
    world.relocate("one", second);
    world.until("the mail in the second", |_| {
        (dovecot.marks("alice", "Plans 2") == ["one:"]).then_some(())
    });
    // One that would get the name of another keeps its own there, and what is in it.
    let third = world.add_folder("Later", ItemId(0));
    world.until("the third", |_| {
        names(&dovecot)
            .0
            .contains(&"Later".to_owned())
            .then_some(())
    });
    world.rename_folder(third, "Plans");
    world.relocate("one", first);
    world.until("the mail in the first", |_| {
        (dovecot.marks("alice", "Plans") == ["one:"]).then_some(())
    });
    assert_eq!(names(&dovecot).0, ["Later", "Plans", "Plans 2"]);
}

#[test]
fn an_edited_draft_takes_the_place_of_the_one_before() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    watched(&mut world, dovecot.imap);
    let drafts = world.role(FolderRole::Drafts);
    let item = world.add(&draft("first"), drafts);
    let there = |world: &World, folder: &str, expected: &[&str]| {
        world.until(&format!("{expected:?} in {folder}"), |_| {
            (texts(&dovecot, folder) == expected).then_some(())
        });
    };
    there(&world, "Drafts", &["first"]);
    for text in ["second", "third"] {
        world.rewrite(item, &draft(text), drafts);
        there(&world, "Drafts", &[text]);
    }
    assert_eq!(dovecot.marks("alice", "Drafts"), ["Idea: \\Draft"]);
    // A mark alone puts nothing there anew.
    let uid = "imap.select('Drafts')\nprint(imap.uid('SEARCH', 'ALL')[1][0].decode())\n";
    let before = dovecot.imaplib("alice", uid);
    world.edit("Idea", |mail| mail.flagged = true);
    world.until("the mark", |_| {
        (dovecot.marks("alice", "Drafts") == ["Idea: \\Draft \\Flagged"]).then_some(())
    });
    assert_eq!(dovecot.imaplib("alice", uid), before);
    // Another program's draft, edited here.
    let script = format!(
        "imap.append('Drafts', '(\\\\Draft)', None, {:?}.encode())\n",
        message("theirs")
    );
    dovecot.imaplib("alice", &script);
    let (theirs, mut mail) = world.until("their draft", |world| world.mail("theirs"));
    mail.message = message("theirs")
        .replace("The text", "Our text")
        .into_bytes();
    world.rewrite(theirs.meta.id, &mail, drafts);
    there(&world, "Drafts", &["third", "Our text of theirs."]);
    // It is sent: what was sent is among that, and no draft is left.
    let outbox = world.outbox();
    world.rewrite(item, &draft("third"), outbox);
    let sent = Mail {
        draft: false,
        read: true,
        message: format!(
            "Message-ID: <sent@example.org>\r\n{}",
            "To: bob@example.net\r\nSubject: Idea\r\n\r\nall of it\r\n"
        )
        .into_bytes(),
        ..draft("")
    };
    world.rewrite(item, &sent, world.role(FolderRole::Sent));
    there(&world, "Sent", &["all of it"]);
    there(&world, "Drafts", &["Our text of theirs."]);
    assert_eq!(dovecot.marks("alice", "Sent"), ["Idea: \\Seen"]);
    assert_eq!(world.mails().len(), 2, "and nothing is doubled here");
}

#[test]
fn folders_and_drafts_are_there_once_after_many_broken_links() {
    const ROUNDS: usize = 40;
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    let cutter = Cutter::start(dovecot.imap);
    watched(&mut world, cutter.port());
    for subject in ["one", "two"] {
        dovecot.deliver("alice", &message(subject));
        world.until(subject, |world| world.mail(subject));
    }
    let drafts = world.role(FolderRole::Drafts);
    let item = world.add(&draft("0"), drafts);
    let (a, b) = (
        world.add_folder("A", ItemId(0)),
        world.add_folder("B", ItemId(0)),
    );
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut made = 0;
    let mut extra = None;
    for round in 0..ROUNDS {
        world.until("a connection", |_| (cutter.made() > made).then_some(()));
        match round % 4 {
            0 => {
                world.rename_folder(a, &format!("A{round}"));
                world.relocate("one", if round % 8 == 0 { a } else { b });
            }
            1 => world.move_folder(b, if round % 8 == 1 { a } else { ItemId(0) }),
            2 => extra = Some(world.add_folder(&format!("X{round}"), b)),
            _ => extra.take().map_or((), |extra| {
                world.relocate("two", extra);
                world.relocate("two", b);
                world.delete_folder(extra);
            }),
        }
        world.rewrite(item, &draft(&format!("{}", round + 1)), drafts);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(random % 60));
        cutter.cut();
        made = cutter.made();
        if round % 10 == 9 {
            // The node dies too, and another one takes over.
            world.kill();
            world.watch(polling());
        }
        cutter.mend();
    }
    let name = format!("A{}", ROUNDS - 4);
    world.until("the folders", |_| {
        (names(&dovecot).0 == [name.clone(), "B".to_owned()]).then_some(())
    });
    world.until("the draft", |_| {
        (texts(&dovecot, "Drafts") == [ROUNDS.to_string()]).then_some(())
    });
    // Nothing is lost, and nothing is there twice.
    world.until("each mail once at the server", |_| {
        let folders = ["INBOX", &*name, "B", "Trash"];
        let all = folders
            .iter()
            .flat_map(|folder| dovecot.marks("alice", folder));
        let mut all: Vec<String> = all.collect();
        all.sort();
        (all == ["one:", "two:"]).then_some(())
    });
    world.until("each once here", |world| {
        let mut subjects = world.subjects();
        subjects.sort();
        let mut folders = world.folder_names();
        folders.retain(|name| name.starts_with(['A', 'B', 'X']));
        folders.sort();
        (subjects == ["Idea", "one", "two"] && folders == [name.clone(), "B".to_owned()])
            .then_some(())
    });
}
