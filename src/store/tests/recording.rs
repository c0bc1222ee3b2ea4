//! Recordings: written with their message or not at all.

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

        // The session remembers which recording is its own.
        let mut reader = store.reader().unwrap();
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
