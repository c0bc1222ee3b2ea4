//! A process that is killed at any moment loses nothing that it was told is written.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};

use super::*;
use crate::sync::PeerQuery;

const FOLDER: &str = "CANDYBAR_TEST_CRASH_FOLDER";
const WRITERS: usize = 3;
const KILLS: usize = 30;
/// Items of one commit.
const ITEMS: i64 = 4;

fn config(folder: &std::path::Path) -> StoreConfig {
    StoreConfig {
        url: format!("sqlite:{}", folder.join("test.db").display()),
        key: None,
    }
}

/// The other process: commits for as long as it lives, and tells after each.
#[test]
#[ignore = "is run by the test below, in a process of its own"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = Store::open(&config(folder.as_ref())).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                let account = store.account(&format!("writer {writer}")).unwrap().id;
                let device = store.device(account, "IMEI:1").unwrap().id;
                for step in written(store, account) + 1.. {
                    commit(store, account, device, step);
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "ack {writer} {step}").unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

/// New items with entries, a change of an older item, a step of the session.
fn commit(store: &Store, account: AccountId, device: DeviceId, step: i64) {
    let mut draft = Draft::begin(store, account, device);
    for number in 0..ITEMS {
        let id = draft.add(Datastore::Contacts, &body(step, number));
        draft.entry(Datastore::Contacts, seen(id, &id.to_string(), step, 1));
    }
    draft.write(
        ItemId(1),
        Datastore::Contacts,
        &format!("changed by {step}"),
    );
    let mut session = first_session("1", 1);
    session.state.step = step;
    draft.0.session = Some(session);
    draft.commit(store).unwrap();
}

fn body(step: i64, number: i64) -> String {
    format!("item {number} of commit {step} {}", "x".repeat(500))
}

/// The number of commits that are there; panics unless each is there as a whole.
fn written(store: &Store, account: AccountId) -> i64 {
    let query = PeerQuery {
        account_id: Some(account),
        device: "IMEI:1".into(),
        session: "1".into(),
        ..PeerQuery::default()
    };
    let mut reader = store.reader().unwrap();
    let peer = reader.peer(&query).unwrap();
    let steps = peer.session.map_or(0, |session| session.step);
    let now = peer.account.unwrap();
    assert_eq!(now.modseq.0, steps * (ITEMS + 1));
    assert_eq!(now.next_item.0, steps * ITEMS + 1);
    let device = peer.device.unwrap().id;
    let ids: Vec<ItemId> = (1..now.next_item.0).map(ItemId).collect();
    let Ok(Answer::Items(items)) = reader.load(account, None, &Query::Items(ids.clone())) else {
        panic!("no items");
    };
    assert_eq!(items.len(), ids.len());
    for item in items {
        let index = item.meta.id.0 - 1;
        let expected = match index {
            0 => format!("changed by {steps}"),
            _ => body(index / ITEMS + 1, index % ITEMS),
        };
        assert_eq!(item.body, expected.as_bytes());
    }
    drop(reader);
    let entries = known(store, account, device, by_ids(Datastore::Contacts, &ids));
    assert!(entries.iter().all(|known| known.entry.is_some()));
    for step in 1..steps {
        let version = Query::Revisions(vec![(ItemId(1), Modseq(step * (ITEMS + 1)))]);
        let expected = format!("changed by {step}");
        assert_eq!(items_of(store, account, &version), expected.as_bytes());
    }
    steps
}

fn items_of(store: &Store, account: AccountId, query: &Query) -> Vec<u8> {
    items(store, account, query).remove(0).body.into()
}

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

#[test]
fn a_killed_process_loses_no_commit_that_it_was_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let store = Store::open(&config).unwrap();
    let accounts: Vec<AccountId> = (0..WRITERS)
        .map(|writer| {
            let account = account(&store, &format!("writer {writer}"));
            store.register_device(account, "IMEI:1", 1).unwrap();
            account
        })
        .collect();
    drop(store);

    let mut before = [0; WRITERS];
    for kill in 0..KILLS {
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "store::tests::crash::child",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut told = before;
        let mut line = String::new();
        // The kill comes after a random number of answers and then a random moment, or at the start.
        let mut answers = usize::from(random[0] % 24);
        let mut killed = answers == 0;
        if killed {
            child.kill().unwrap();
        }
        loop {
            line.clear();
            if out.read_line(&mut line).unwrap() == 0 {
                break;
            }
            // The last line may be cut.
            let Some(("", rest)) = line
                .strip_suffix('\n')
                .and_then(|line| line.split_once("ack "))
            else {
                continue;
            };
            let (writer, step) = rest.split_once(' ').unwrap();
            told[writer.parse::<usize>().unwrap()] = step.parse().unwrap();
            answers = answers.saturating_sub(1);
            if answers == 0 && !killed {
                for _ in 0..u32::from(random[1]) * 2000 {
                    std::hint::spin_loop();
                }
                child.kill().unwrap();
                killed = true;
            }
        }
        let status = child.wait().unwrap();
        assert!(killed && !status.success(), "{status}");

        let store = Store::open(&config).unwrap();
        for (writer, account) in accounts.iter().enumerate() {
            let found = written(&store, *account);
            let told = told[writer];
            assert!(
                found == told || found == told + 1,
                "kill {kill}: told of {told}, found {found}"
            );
            before[writer] = found;
        }
        let check = store
            .write(0, |connection| {
                let pragma = diesel::sql_query("PRAGMA integrity_check");
                let row: Check = pragma.get_result(sqlite(connection))?;
                Ok(row.integrity_check)
            })
            .unwrap();
        assert_eq!(check, "ok");
    }
    assert!(before.iter().all(|steps| *steps > 10), "{before:?}");
}
