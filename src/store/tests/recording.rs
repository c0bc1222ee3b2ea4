//! Recordings: written with their message or not at all.

mod undone_mail;

use super::*;
use crate::store::Held;
use crate::sync::RecordingWrite;

fn recording(trace: &str) -> RecordingWrite {
    RecordingWrite {
        device: "IMEI:1".into(),
        holds: false,
        modseq_before: Modseq(0),
        content_type: "application/vnd.syncml+xml".into(),
        summary: "[]".into(),
        written: vec![2],
        trace: trace.into(),
        request: b"request".to_vec(),
        keeps_reply: true,
    }
}

/// The next message of a session, or the first one.
fn message(session: &str, step: i64, number: i64, trace: &str) -> SessionWrite {
    let mut write = first_session(session, step as u8);
    write.state.step = step;
    write.state.msg_id = step.to_string();
    write.state.recording = number;
    write.state.ended = step == 3;
    write.supersede = step == 1;
    write.recording = Some(recording(trace));
    write
}

fn commit(
    store: &Store,
    account: AccountId,
    device: DeviceId,
    write: SessionWrite,
) -> Result<(), StoreError> {
    let mut draft = Draft::begin(store, account, device);
    draft.0.session = Some(write);
    draft.commit(store)
}

#[test]
fn messages_go_to_the_recording_of_their_session() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        for step in 1..=3 {
            let number = i64::from(step > 1);
            commit(
                store,
                account,
                device,
                message("7", step, number, &format!("t{step}")),
            )
            .unwrap();
            let mut reader = store.reader().unwrap();
            assert_eq!(reader.last_reply(account, device, "7").unwrap(), b"reply");
        }
        let mut second = message("8", 1, 0, "held");
        second.recording.as_mut().unwrap().holds = true;
        second.recording.as_mut().unwrap().keeps_reply = false;
        commit(store, account, device, second).unwrap();

        let found = store.recordings(account, 9, |_| true).unwrap();
        let brief: Vec<_> = found
            .iter()
            .map(|of| (of.number, &*of.session, of.messages, of.ended, of.held))
            .collect();
        assert_eq!(
            brief,
            [
                (2, "8", 1, false, Held::Waiting),
                (1, "7", 3, true, Held::Nothing)
            ]
        );
        assert_eq!(store.recordings(account, 1, |_| true).unwrap(), found[..1]);
        let ended = store.recordings(account, 9, |of| of.ended).unwrap();
        assert_eq!(ended, found[1..]);
        assert_eq!(store.recording(account, 1).unwrap(), found[1]);
        assert!(matches!(
            store.recording(account, 3),
            Err(StoreError::NotFound)
        ));

        let messages = store.recorded_messages(account, 1).unwrap();
        let traces: Vec<_> = messages.iter().map(|of| &*of.trace).collect();
        assert_eq!(traces, [b"t1", b"t2", b"t3"]);
        assert!(
            messages
                .iter()
                .all(|of| of.request == b"request" && of.reply == b"reply")
        );
        assert_eq!(store.recorded_messages(account, 2).unwrap()[0].reply, b"");

        // The session remembers which recording is its own. Its reply is kept once, in one of the two.
        let mut reader = store.reader().unwrap();
        assert_eq!(reader.last_reply(account, device, "8").unwrap(), b"reply");
        let query = crate::sync::PeerQuery {
            account_id: Some(account),
            device: "IMEI:1".into(),
            session: "8".into(),
            ..crate::sync::PeerQuery::default()
        };
        assert_eq!(reader.peer(&query).unwrap().session.unwrap().recording, 2);
    });
}

#[test]
fn a_message_that_is_not_written_is_not_recorded() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        commit(store, account, device, message("7", 1, 0, "first")).unwrap();
        let again = commit(store, account, device, message("7", 1, 0, "again"));
        assert!(matches!(again, Err(StoreError::Conflict)));
        let late = commit(store, account, device, message("7", 3, 1, "late"));
        assert!(matches!(late, Err(StoreError::Conflict)));
        assert_eq!(store.recordings(account, 9, |_| true).unwrap().len(), 1);
        assert_eq!(store.recorded_messages(account, 1).unwrap().len(), 1);
    });
}

#[test]
fn recordings_outlive_a_forgotten_device_but_not_the_account() {
    on_every_store(|store| {
        let (alice, device) = account_and_device(store);
        commit(store, alice, device, message("7", 1, 0, "x")).unwrap();
        store.forget_device(alice, device).unwrap();
        assert_eq!(store.recording(alice, 1).unwrap().device_uri, "IMEI:1");
        store.remove_account(alice).unwrap();
        assert!(matches!(
            store.recording(alice, 1),
            Err(StoreError::NotFound)
        ));
        assert_eq!(store.recorded_messages(alice, 1).unwrap(), []);
    });
}

#[test]
fn what_is_kept_long_enough_is_taken_away() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let ids: Vec<ItemId> = (0..3)
            .map(|_| draft.add(Datastore::Contacts, "x"))
            .collect();
        for id in &ids {
            draft.entry(Datastore::Contacts, seen(*id, &id.to_string(), 1, 1));
        }
        draft.commit(store).unwrap();
        // All that the drafts write happened in 1970.
        let mut draft = Draft::begin(store, account, device);
        draft.write(ids[0], Datastore::Contacts, "y");
        draft.delete(ids[1]);
        draft.delete(ids[2]);
        draft.0.changes.push(Change::DropEntry {
            view: Datastore::Contacts,
            item: ids[1],
        });
        draft.commit(store).unwrap();
        for session in ["1", "2", "3"] {
            let mut write = message(session, 1, 0, "x");
            write.recording.as_mut().unwrap().holds = session == "1";
            commit(store, account, device, write).unwrap();
        }
        let keep = crate::store::Keep {
            recording_days: 36_500,
            recordings: 0,
            revision_days: 36_500,
            tombstone_days: 36_500,
            session_days: 3_650_000,
        };
        let pruned = store.prune(&keep).unwrap();
        // The one that waits for the operator stays, and that of a session whose device may ask for its last reply again.
        let left: Vec<i64> = store
            .recordings(account, 9, |_| true)
            .unwrap()
            .iter()
            .map(|of| of.number)
            .collect();
        assert_eq!(left, [3, 1]);
        assert_eq!(
            (pruned.recordings, pruned.revisions, pruned.tombstones),
            (1, 0, 0)
        );
        assert!(store.recorded_messages(account, 2).unwrap().is_empty());
        let mut reader = store.reader().unwrap();
        assert_eq!(reader.last_reply(account, device, "3").unwrap(), b"reply");
        drop(reader);

        let keep = crate::store::Keep {
            recording_days: 1,
            recordings: 100,
            revision_days: 1,
            tombstone_days: 1,
            session_days: 1,
        };
        let pruned = store.prune(&keep).unwrap();
        assert_eq!(pruned.recordings, 1);
        assert_eq!(pruned.sessions, 1);
        assert!(pruned.revisions <= 3);
        let known = items(store, account, &Query::Items(ids.clone()));
        let there: Vec<ItemId> = known.iter().map(|item| item.meta.id).collect();
        assert!(there.contains(&ids[0]), "what lives stays");
        assert!(there.contains(&ids[2]), "the device still has it");
        assert_eq!(pruned.tombstones, usize::from(!there.contains(&ids[1])));
        assert_eq!(store.prune(&keep).unwrap(), crate::store::Pruned::default());
    });
}
