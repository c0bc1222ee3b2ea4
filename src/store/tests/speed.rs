//! Measures the hot path: `cargo test --release --lib store::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

const ITEMS: usize = 20_000;
const BATCH: usize = 250;

/// A moment on the clock and in this process's use of the processor.
struct Start(Instant, f64);

impl Start {
    fn now() -> Self {
        Self(Instant::now(), processor_seconds())
    }
}

/// Of all threads; 0 where the system does not tell.
fn processor_seconds() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    threads
        .filter_map(|thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<f64>().ok()
        })
        .sum::<f64>()
        / 1e9
}

fn print(what: &str, rows: usize, start: Start) {
    let each = |seconds: f64| seconds * 1e6 / rows as f64;
    let passed = each(start.0.elapsed().as_secs_f64());
    let used = each(processor_seconds() - start.1);
    println!("{what:<44} {passed:>8.2} microseconds, {used:>8.2} of the processor");
}

fn card(number: usize) -> String {
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Family{number};Given;;;\r\nFN:Given Family{number}\r\n\
         TEL;TYPE=CELL:+46700{number:06}\r\nEMAIL:given{number}@example.org\r\n\
         ADR;TYPE=HOME:;;Street {number};City;;12345;Country\r\nNOTE:{}\r\nEND:VCARD\r\n",
        "some words ".repeat(20)
    )
}

#[test]
#[ignore = "prints figures; of use in a release build on a quiet machine"]
fn figures() {
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let store = file_store(&folder);
    let (account, device) = account_and_device(&store);
    let view = Datastore::Contacts;
    let cards: Vec<String> = (0..ITEMS).map(card).collect();

    let start = Start::now();
    for batch in cards.chunks(BATCH) {
        let mut draft = Draft::begin(&store, account, device);
        for body in batch {
            let id = draft.add(view, body);
            // Keys of people are hashes: they come in no order.
            if let Some(Change::PutItem(write)) = draft.0.changes.last_mut() {
                write.meta.key = MatchKey(id.0.wrapping_mul(-7_046_029_254_386_353_131));
            }
            draft.entry(
                view,
                seen(id, &format!("{}", id.0 * 7), draft.0.modseq.0, 1),
            );
        }
        draft.commit(&store).unwrap();
    }
    print("put item and entry, with fsync each 250", ITEMS, start);

    let start = Start::now();
    for batch in 0..ITEMS / BATCH {
        let mut draft = Draft::begin(&store, account, device);
        for number in 1..=BATCH {
            let id = (batch * BATCH + number) as i64;
            draft.entry(view, seen(ItemId(id), &format!("{}", id * 7), id, 2));
        }
        draft.commit(&store).unwrap();
    }
    print("update entry, with fsync each 250", ITEMS, start);

    let ask = |what: &str, make: &dyn Fn(i64) -> KnownQuery| {
        let start = Start::now();
        for batch in 0..ITEMS / BATCH {
            let found = known(&store, account, device, make((batch * BATCH) as i64));
            assert_eq!(found.len(), BATCH);
        }
        print(what, ITEMS, start);
    };
    let range = |from: i64| from + 1..=from + BATCH as i64;
    ask("known by LUID", &|from| KnownQuery {
        luids: range(from).map(|id| (id * 7).to_string()).collect(),
        ..by_ids(view, &[])
    });
    ask("known by id", &|from| {
        by_ids(view, &range(from).map(ItemId).collect::<Vec<_>>())
    });
    ask("known by match key", &|from| KnownQuery {
        keys: range(from)
            .map(|id| MatchKey(id.wrapping_mul(-7_046_029_254_386_353_131)))
            .collect(),
        ..by_ids(view, &[])
    });

    let scan = |what: &str, query: OutgoingQuery| {
        let mut query = OutgoingQuery {
            max_items: BATCH as u32,
            ..query
        };
        let start = Start::now();
        let mut rows = 0;
        loop {
            let page = outgoing(&store, account, device, query);
            rows += page.items.len();
            if !page.more {
                break;
            }
            let last = &page.items[page.items.len() - 1].0.meta;
            query.after = Cursor {
                modseq: last.modseq,
                item: last.id,
            };
        }
        assert_eq!(rows, ITEMS);
        print(what, ITEMS, start);
    };
    scan(
        "outgoing with body (everything)",
        OutgoingQuery {
            selection: Selection::All,
            unsettled: true,
            ..changes(view, 3, 0)
        },
    );
    let other = store.register_device(account, "IMEI:2", 1).unwrap().id;
    let start = Start::now();
    let page = outgoing(
        &store,
        account,
        other,
        OutgoingQuery {
            max_items: ITEMS as u32,
            ..changes(view, 1, 0)
        },
    );
    assert_eq!(page.items.len(), ITEMS);
    print("outgoing with body (changes, no entries)", ITEMS, start);

    let start = Start::now();
    for _ in 0..100_000 {
        let none = changes(view, 3, ITEMS as i64);
        assert!(outgoing(&store, account, device, none).items.is_empty());
    }
    print("outgoing, nothing changed (per query)", 100_000, start);

    let start = Start::now();
    for _ in 0..100_000 {
        let query = crate::sync::PeerQuery {
            account: Some("alice".into()),
            device: "IMEI:1".into(),
            session: "1".into(),
            ..crate::sync::PeerQuery::default()
        };
        assert!(
            store
                .reader()
                .unwrap()
                .peer(&query)
                .unwrap()
                .device
                .is_some()
        );
    }
    print("peer (per message)", 100_000, start);

    let start = Start::now();
    for step in 0..300 {
        let mut draft = Draft::begin(&store, account, device);
        draft.entry(view, seen(ItemId(1), "7", 1, step));
        draft.commit(&store).unwrap();
    }
    print("one commit of one entry (per commit)", 300, start);

    let start = Start::now();
    let mut draft = Draft::begin(&store, account, device);
    for (index, body) in cards.iter().enumerate() {
        let id = ItemId(index as i64 + 1);
        draft.write(id, view, body);
        draft.entry(
            view,
            seen(id, &format!("{}", id.0 * 7), draft.0.modseq.0, 3),
        );
    }
    draft.commit(&store).unwrap();
    print("change item (keeps a revision) and entry", ITEMS, start);
}

/// Many sessions at once, each with an account and a device of its own.
#[test]
#[ignore = "prints figures; of use in a release build on a quiet machine"]
fn sessions_share_the_fsync() {
    for threads in [1, 8, 32] {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let store = file_store(&folder);
        let commits = 3200 / threads;
        let peers: Vec<_> = (0..threads)
            .map(|number| {
                let account = account(&store, &number.to_string());
                let device = store.register_device(account, "IMEI:1", 1).unwrap().id;
                (account, device)
            })
            .collect();
        let start = Start::now();
        std::thread::scope(|scope| {
            for (account, device) in &peers {
                let store = &store;
                scope.spawn(move || {
                    for step in 1..=commits as i64 {
                        let mut draft = Draft::begin(store, *account, *device);
                        draft.entry(Datastore::Notes, seen(ItemId(1), "1", 1, step));
                        let mut session = first_session("1", 1);
                        session.state.step = step;
                        session.state.reply = vec![0; 2000];
                        draft.0.session = Some(session);
                        draft.commit(store).unwrap();
                    }
                });
            }
        });
        let what = format!("message of a session, {threads} at once");
        print(&what, threads * commits, start);
        for (account, device) in peers {
            assert_eq!(
                store
                    .entry_count(account, device, Datastore::Notes)
                    .unwrap(),
                1
            );
        }
    }
}
