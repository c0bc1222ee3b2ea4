//! `sessions release`, `discard`, `undo` and `restore`, `account set`: a phone and the real server, which is killed too.

use super::program::{Place, Serving, text};

/// A server, an account and a phone with so many contacts.
fn synced(contacts: usize) -> (Place, Serving) {
    let place = Place::new();
    place
        .run(&["account", "add", "alice", "--password", "x"])
        .ends(0);
    let cards: String = (0..contacts)
        .map(|number| {
            format!("BEGIN:VCARD\r\nVERSION:3.0\r\nN:Nr{number};Eva;;;\r\nFN:Eva Nr{number}\r\nEND:VCARD\r\n")
        })
        .collect();
    let file = place.write("cards.vcf", cards);
    place
        .run(&["import", "alice", "contacts", text(&file)])
        .ends(0);
    let serving = place.serve(&[]);
    sync(&place, &serving, "two-way");
    (place, serving)
}

fn sync(place: &Place, serving: &Serving, mode: &str) {
    let url = format!("http://{}/sync", serving.address);
    place
        .run(&[
            "handset",
            "sync",
            "--url",
            &url,
            "--user",
            "alice",
            "--password",
            "x",
            "--datastore",
            "contacts",
            "--mode",
            mode,
        ])
        .ends(0);
}

fn count(place: &Place) -> usize {
    let items = place
        .run(&["export", "alice", "contacts", "--format", "json"])
        .ends(0)
        .json();
    items.as_array().map_or(0, Vec::len)
}

/// The phone's items, by the names of their LUIDs.
fn delete_on_phone(place: &Place, luids: std::ops::RangeInclusive<usize>) {
    for luid in luids {
        place
            .run(&["handset", "delete", "contacts", &luid.to_string()])
            .ends(0);
    }
}

#[test]
fn held_deletions_wait_for_a_decision_through_a_kill() {
    let (place, serving) = synced(12);
    delete_on_phone(&place, 1..=11);
    sync(&place, &serving, "two-way");
    assert_eq!(count(&place), 12);
    serving.stop("KILL");
    let list = place.run(&["sessions", "alice", "--held"]).ends(0).out;
    assert!(
        list.contains("HELD") && list.contains("received 11 deletions held"),
        "{list}"
    );
    let log = std::fs::read_to_string(place.path("serve.log")).expect("a log");
    assert!(
        log.contains("HELD: the device would delete 11 items"),
        "{log}"
    );
    let held = place
        .run(&["sessions", "alice", "--held", "--json"])
        .ends(0)
        .json();
    let id = held[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(held[0]["held"], "waiting");
    let shown = place.run(&["sessions", "show", &id, "--items"]).ends(0).out;
    assert_eq!(
        shown
            .matches("deletion held: it stays on the server")
            .count(),
        11,
        "{shown}"
    );

    let done = place.run(&["sessions", "discard", &id]).ends(0).out;
    assert!(done.contains("11 to be sent to the device again"), "{done}");
    place
        .run(&["sessions", "release", &id])
        .ends(3)
        .says("discarded already");
    let serving = place.serve(&[]);
    sync(&place, &serving, "two-way");
    let phone = place.run(&["handset", "show"]).ends(0).out;
    assert!(phone.contains("12 items"), "{phone}");

    // Once more, and this time it is meant.
    let luids = luids(&place);
    for luid in &luids[..11] {
        place.run(&["handset", "delete", "contacts", luid]).ends(0);
    }
    sync(&place, &serving, "two-way");
    let held = place
        .run(&["sessions", "alice", "--held", "--json"])
        .ends(0)
        .json();
    let id = held[0]["id"].as_str().expect("an id").to_owned();
    let done = place
        .run(&["sessions", "release", &id, "--json"])
        .ends(0)
        .json();
    assert_eq!(done["deleted"], 11);
    assert_eq!(count(&place), 1);
    let undone = place.run(&["sessions", "undo", &id]).ends(0).out;
    assert!(undone.contains("11 brought back"), "{undone}");
    assert_eq!(count(&place), 12);
    sync(&place, &serving, "two-way");
    let phone = place.run(&["handset", "show"]).ends(0).out;
    assert!(phone.contains("12 items"), "{phone}");
}

fn luids(place: &Place) -> Vec<String> {
    let state = std::fs::read_to_string(place.path("phone.json")).expect("the phone's memory");
    let state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    let items = state["datastores"]["contacts"]["items"]
        .as_object()
        .expect("items");
    items.keys().cloned().collect()
}

#[test]
fn the_loser_of_a_conflict_is_brought_back() {
    let (place, serving) = synced(1);
    place
        .run(&["account", "set", "alice", "--conflict", "best"])
        .ends(2)
        .says("server, client, newer, duplicate, merge, or default");
    let set = place
        .run(&[
            "account",
            "set",
            "alice",
            "--conflict",
            "server",
            "--datastore",
            "contacts",
        ])
        .ends(0)
        .out;
    assert!(set.contains("contacts=server"), "{set}");
    let card = |title: &str| {
        format!(
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Nr0;Eva;;;\r\nFN:Eva Nr0\r\nTITLE:{title}\r\nEND:VCARD\r\n"
        )
    };
    let luid = luids(&place).remove(0);
    let edit = place.write("edit.vcf", card("Captain"));
    let url = format!("http://{}/sync", serving.address);
    let other = [
        "handset",
        "sync",
        "--url",
        &url,
        "--user",
        "alice",
        "--password",
        "x",
        "--datastore",
        "contacts",
        "--state",
        "other.json",
    ];
    place.run(&other).ends(0);
    for (state, title) in [("phone.json", "Captain"), ("other.json", "Admiral")] {
        std::fs::write(&edit, card(title)).expect("written");
        place
            .run(&[
                "handset",
                "edit",
                "contacts",
                &luid,
                text(&edit),
                "--state",
                state,
            ])
            .ends(0);
    }
    sync(&place, &serving, "two-way");
    place.run(&other).ends(0);
    let sessions = place
        .run(&["sessions", "alice", "--last", "1", "--json"])
        .ends(0)
        .json();
    let id = sessions[0]["id"].as_str().expect("an id").to_owned();
    let export = || place.run(&["export", "alice", "contacts"]).ends(0).out;
    assert!(export().contains("TITLE:Captain"), "{}", export());
    let shown = place.run(&["sessions", "show", &id, "--items"]).ends(0).out;
    assert!(
        shown.contains("conflict, the device's version lost, item 1"),
        "{shown}"
    );
    place
        .run(&["sessions", "restore", &id, "zz"])
        .ends(3)
        .says("no version of item zz lost a conflict");
    let done = place.run(&["sessions", "restore", &id, "1"]).ends(0).out;
    assert!(
        done.contains("the device's version of \"Eva Nr0\" is item 1 now"),
        "{done}"
    );
    assert!(export().contains("TITLE:Admiral"), "{}", export());
    place
        .run(&["sessions", "restore", &id, "1", "--beside"])
        .ends(0);
    assert_eq!(count(&place), 2);
}

/// The moments at which an undoing is killed: after so many turns of doing nothing.
const MOMENTS: [u32; 6] = [0, 20, 40, 60, 80, 120];

#[test]
fn an_undoing_that_is_killed_is_finished_by_the_next() {
    const CONTACTS: usize = 900;
    let (place, serving) = synced(CONTACTS);
    // Another phone with the same items deletes a third and changes a third of them.
    let path = place.path("phone.json");
    let state = std::fs::read_to_string(&path).expect("the phone's memory");
    let mut state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    let contacts = &mut state["datastores"]["contacts"];
    let items = contacts["items"].as_object_mut().expect("items");
    let luids: Vec<String> = items.keys().cloned().collect();
    for (luid, at) in luids.iter().zip(0..) {
        if at % 3 == 1 {
            let body = items[luid]["body"]
                .as_str()
                .expect("a body")
                .replace("Eva", "Eve");
            items[luid]["body"] = body.into();
            items[luid]["state"] = "changed".into();
        }
    }
    std::fs::write(&path, state.to_string()).expect("written");
    sync(&place, &serving, "two-way");
    let export = || {
        let items = place
            .run(&["export", "alice", "contacts", "--format", "json"])
            .ends(0)
            .json();
        let titles = items.as_array().expect("items").iter();
        titles
            .filter(|item| {
                item["title"]
                    .as_str()
                    .is_some_and(|title| title.starts_with("Eve"))
            })
            .count()
    };
    assert_eq!(export(), CONTACTS / 3);
    let sessions = place
        .run(&["sessions", "alice", "--last", "1", "--json"])
        .ends(0)
        .json();
    let id = sessions[0]["id"].as_str().expect("an id").to_owned();
    for turns in MOMENTS {
        let mut child = place
            .command(&["sessions", "undo", &id])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        for _ in 0..turns * 1_000_000 {
            std::hint::spin_loop();
        }
        // It may have ended: then there is nothing to kill.
        let _either = child.kill();
        child.wait().expect("it ends");
    }
    let done = place
        .run(&["sessions", "undo", &id, "--json"])
        .ends(0)
        .json();
    let sum = |key: &str| done[key].as_u64().expect("a number");
    assert_eq!(
        sum("restored") + sum("unchanged"),
        CONTACTS as u64 / 3,
        "{done}"
    );
    assert_eq!(done["kept"].as_array().map(Vec::len), Some(0), "{done}");
    assert_eq!(export(), 0);
    sync(&place, &serving, "two-way");
    let phone = std::fs::read_to_string(&path).expect("the phone's memory");
    assert_eq!(phone.matches("Eve Nr").count(), 0);
}
