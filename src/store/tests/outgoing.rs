//! Which items are to be sent, and that finding them costs what they cost.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};
use proptest::prelude::*;

use super::super::outgoing::STATEMENTS;
use super::*;

const VIEW: Datastore = Datastore::Contacts;

/// Items 1 to 8 with numbers 1 to 8; then 8 and 7 are deleted (numbers 9 and 10).
///
/// Entries: 1 has it as it is; 2 has an older one; 3 was sent in round 1; 4 was sent in round 2; 5 has none;
/// 6 was named in round 2 and has an older one; 7 has it; 8 has none.
fn with_all_cases(store: &Store) -> (AccountId, DeviceId) {
    let (account, device) = account_and_device(store);
    let mut draft = Draft::begin(store, account, device);
    let ids: Vec<ItemId> = (1..=8)
        .map(|number| draft.add(VIEW, &format!("item {number}")))
        .collect();
    draft.delete(ids[7]);
    draft.delete(ids[6]);
    draft.add(Datastore::Notes, "elsewhere");
    draft.entry(VIEW, seen(ids[0], "1", 1, 1));
    draft.entry(VIEW, seen(ids[1], "2", 1, 1));
    draft.entry(VIEW, sent(ids[2], 3, 1));
    draft.entry(VIEW, sent(ids[3], 4, 2));
    draft.entry(VIEW, seen(ids[5], "6", 5, 2));
    draft.entry(VIEW, seen(ids[6], "7", 7, 1));
    draft.commit(store).unwrap();
    (account, device)
}

#[test]
fn changes_are_what_is_above_the_base_and_what_was_never_confirmed() {
    on_every_store(|store| {
        let (account, device) = with_all_cases(store);
        let ids = |round, base| outgoing_ids(store, account, device, changes(VIEW, round, base));
        assert_eq!(ids(2, 0), [2, 3, 5, 6, 7]);
        assert_eq!(ids(3, 0), [2, 3, 4, 5, 6, 7]);
        assert_eq!(ids(2, 5), [3, 6, 7], "3 is below the base");
        assert_eq!(ids(3, 5), [3, 4, 6, 7]);
        assert_eq!(ids(2, 10), [3]);
        assert_eq!(ids(1, 10), [] as [i64; 0]);

        let page = outgoing(store, account, device, changes(VIEW, 2, 0));
        assert_eq!(page.modseq, Modseq(11));
        let (last, entry) = page.items.last().unwrap();
        assert!(last.meta.deleted && last.body.is_empty());
        assert_eq!(*entry, Some(seen(ItemId(7), "7", 7, 1)));
        assert_eq!(page.items[2].0.body, b"item 5"[..]);
        assert_eq!(page.items[2].1, None);
    });
}

#[test]
fn everything_that_the_device_did_not_name() {
    on_every_store(|store| {
        let (account, device) = with_all_cases(store);
        let ids = |round, selection| {
            let query = OutgoingQuery {
                selection,
                ..changes(VIEW, round, 0)
            };
            outgoing_ids(store, account, device, query)
        };
        assert_eq!(ids(2, Selection::All), [1, 2, 3, 5, 6]);
        assert_eq!(ids(3, Selection::All), [1, 2, 3, 4, 5, 6]);
        assert_eq!(ids(1, Selection::All), [2, 5, 7]);
        let every = |base| Selection::Every { base: Modseq(base) };
        assert_eq!(ids(2, every(0)), [1, 2, 3, 5, 6, 7]);
        assert_eq!(ids(3, every(5)), [3, 4, 6, 7]);
        assert_eq!(ids(3, every(11)), [3, 4], "without changes nothing is read");
        assert_eq!(ids(2, Selection::Unclaimed), [1, 2, 3, 5]);
        assert_eq!(ids(3, Selection::Unclaimed), [1, 2, 3, 4, 5, 6]);
    });
}

#[test]
fn pages_join_without_gap_or_double() {
    on_every_store(|store| {
        let (account, device) = with_all_cases(store);
        for selection in [
            Selection::Changes { base: Modseq(5) },
            Selection::Changes { base: Modseq(0) },
            Selection::Every { base: Modseq(3) },
            Selection::All,
            Selection::Unclaimed,
        ] {
            let whole = OutgoingQuery {
                selection,
                ..changes(VIEW, 3, 0)
            };
            let expected = outgoing_ids(store, account, device, whole);
            for (max_items, max_octets) in [(1, u64::MAX), (2, u64::MAX), (100, 1), (100, 7)] {
                let mut ids = Vec::new();
                let mut query = OutgoingQuery {
                    max_items,
                    max_octets,
                    ..whole
                };
                loop {
                    let left = count(store, account, device, query);
                    assert_eq!(left as usize, expected.len() - ids.len());
                    let page = outgoing(store, account, device, query);
                    let last = &page.items.last().unwrap().0.meta;
                    query.after = Cursor {
                        modseq: last.modseq,
                        item: last.id,
                    };
                    ids.extend(page.items.iter().map(|(item, _)| item.meta.id.0));
                    if !page.more {
                        break;
                    }
                }
                assert_eq!(ids, expected, "{selection:?} by {max_items}, {max_octets}");
            }
        }
    });
}

#[test]
fn pages_stay_right_while_others_write() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let ids: Vec<ItemId> = (0..6).map(|_| draft.add(VIEW, "as it was")).collect();
        draft.commit(store).unwrap();
        let mut query = OutgoingQuery {
            max_items: 2,
            ..changes(VIEW, 1, 0)
        };
        let mut given = Vec::new();
        for page_number in 0.. {
            let page = outgoing(store, account, device, query);
            let Some((last, _)) = page.items.last() else {
                break;
            };
            query.after = Cursor {
                modseq: last.meta.modseq,
                item: last.meta.id,
            };
            let mut draft = Draft::begin(store, account, device);
            for (item, _) in &page.items {
                given.push(item.meta.id);
                draft.entry(VIEW, sent(item.meta.id, item.meta.modseq.0, 1));
            }
            // Another front changes one that was given and one that was not, and adds one.
            if page_number == 0 {
                draft.write(ids[0], VIEW, "changed");
                draft.write(ids[3], VIEW, "changed");
                draft.add(VIEW, "new");
            }
            draft.commit(store).unwrap();
        }
        let mut expected: Vec<ItemId> = [0, 1, 2, 4, 5, 3].map(|index| ids[index]).to_vec();
        expected.push(ItemId(7));
        assert_eq!(given, expected);
        // What changed after it was given comes in the next round, if the device does not confirm this version.
        assert_eq!(
            outgoing_ids(store, account, device, changes(VIEW, 2, 9))[0],
            2
        );
    });
}

#[test]
fn an_agenda_joins_events_and_tasks() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        for number in 0..6 {
            let datastore = [Datastore::Calendar, Datastore::Tasks, Datastore::Notes][number % 3];
            draft.add(datastore, "body");
        }
        draft.commit(store).unwrap();
        for selection in [
            Selection::Changes { base: Modseq(0) },
            Selection::Every { base: Modseq(0) },
            Selection::All,
            Selection::Unclaimed,
        ] {
            let query = OutgoingQuery {
                selection,
                ..changes(Datastore::Agenda, 1, 0)
            };
            assert_eq!(outgoing_ids(store, account, device, query), [1, 2, 4, 5]);
            let page = OutgoingQuery {
                max_items: 3,
                ..query
            };
            assert!(outgoing(store, account, device, page).more);
        }
    });
}

/// One of the states that an item and its entry can be in.
#[derive(Debug, Clone)]
struct Case {
    deleted: bool,
    changed: bool,
    entry: Option<(i64, Option<i64>, i64)>,
}

fn case() -> impl Strategy<Value = Case> {
    let entry = (0..40_i64, proptest::option::of(1..40_i64), 1..4_i64);
    let states = (any::<bool>(), any::<bool>(), proptest::option::of(entry));
    states.prop_map(|(deleted, changed, entry)| Case {
        deleted,
        changed,
        entry,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_database_selects_what_the_rule_wants(
        cases in proptest::collection::vec(case(), 1..12),
        base in 0..30_i64,
    ) {
        let store = memory_store();
        let (account, device) = account_and_device(&store);
        let mut draft = Draft::begin(&store, account, device);
        let ids: Vec<ItemId> = cases.iter().map(|_| draft.add(VIEW, "as it was")).collect();
        for (id, case) in ids.iter().zip(&cases) {
            if case.changed {
                draft.write(*id, VIEW, "changed");
            }
            if case.deleted {
                draft.delete(*id);
            }
            if let Some((seen, sent, round)) = case.entry {
                draft.entry(VIEW, Entry {
                    sent: sent.map(Modseq),
                    ..super::seen(*id, &id.to_string(), seen, round)
                });
            }
        }
        draft.commit(&store).unwrap();
        let round = Round(3);
        for selection in [
            Selection::Changes { base: Modseq(base) },
            Selection::Every { base: Modseq(base) },
            Selection::All,
            Selection::Unclaimed,
        ] {
            let mut expected: Vec<Known> = known(&store, account, device, by_ids(VIEW, &ids));
            expected.retain(|known| selection.wants(round, &known.item, known.entry.as_ref()));
            expected.sort_by_key(|known| (known.item.modseq, known.item.id));
            let expected: Vec<i64> = expected.iter().map(|known| known.item.id.0).collect();
            let query = OutgoingQuery { selection, ..changes(VIEW, round.0, 0) };
            prop_assert_eq!(outgoing_ids(&store, account, device, query), expected);
        }
    }
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[test]
fn no_query_scans_a_table_or_sorts_what_the_index_orders() {
    let store = memory_store();
    for (name, text) in STATEMENTS {
        let plan = store
            .write(0, move |connection| {
                let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}"));
                let plan: Vec<Plan> = explain.load(sqlite(connection))?;
                Ok(plan.into_iter().map(|row| row.detail).collect::<Vec<_>>())
            })
            .unwrap();
        assert!(!plan.is_empty());
        assert!(
            !text.contains("LIMIT ?"),
            "{name} would be planned anew each time"
        );
        let unconfirmed = name.starts_with("Unconfirmed");
        for detail in &plan {
            assert!(!detail.contains("SCAN"), "{name}: {plan:#?}");
            assert!(
                unconfirmed || !detail.contains("TEMP B-TREE"),
                "{name}: {plan:#?}"
            );
        }
        let uses = |index: &str| plan.iter().any(|detail| detail.contains(index));
        if unconfirmed {
            assert!(
                uses("PRIMARY KEY (account=? AND device=? AND view=?)"),
                "{name}: {plan:#?}"
            );
        } else {
            assert!(
                uses("item_modseq (account=? AND datastore=? AND (modseq,id)>(?,?))"),
                "{name}: {plan:#?}"
            );
        }
    }
}
