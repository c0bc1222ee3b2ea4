//! Mail on the command line: virtual phones with folders, windows of a device.

use super::program::Place;

const MAIL: &str = "<Email><read>true</read><emailitem><![CDATA[From: alice@example.org\r\nTo: bob@example.org\r\n\
                    Subject: Tea\r\nMessage-ID: <tea@example.org>\r\n\r\nDear Bob\r\n]]></emailitem></Email>";

#[test]
fn mail_goes_from_one_phone_to_the_other_through_the_server() {
    let place = Place::new();
    place.write("tea.xml", MAIL);
    let server = place.serve(&[]);
    place
        .run(&["account", "add", "alice", "--password", "s3cret"])
        .ends(0);
    let url = format!("http://{}/sync", server.address);
    let sync = |state: &str| {
        let run = place.run(&[
            "handset",
            "sync",
            "--url",
            &url,
            "--user",
            "alice",
            "--password",
            "s3cret",
            "--datastore",
            "mail",
            "--state",
            state,
            "--json",
        ]);
        run.ends(0).json()["datastores"][0].clone()
    };
    assert_eq!(sync("one.json")["received"]["adds"], 5, "the folders");
    let show = |state: &str| {
        place
            .run(&["handset", "show", "--state", state])
            .ends(0)
            .out
    };
    let folder = |state: &str, role: &str| {
        let text = show(state);
        let lines: Vec<&str> = text.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.contains(&format!("<role>{role}</role>")));
        let head = lines[..at.expect("the folder")]
            .iter()
            .rev()
            .find(|line| !line.starts_with(' '));
        let luid = head.and_then(|line| line.split(' ').next());
        luid.expect("its LUID").to_owned()
    };
    let drafts = folder("one.json", "drafts");
    let added = place.run(&[
        "handset", "add", "mail", "tea.xml", "--folder", &drafts, "--state", "one.json",
    ]);
    let luid = added.ends(0).out.trim().to_owned();
    assert_eq!(sync("one.json")["sent"]["adds"], 1);
    assert_eq!(sync("two.json")["received"]["adds"], 6);
    let there = show("two.json");
    let drafts_there = folder("two.json", "drafts");
    assert!(there.contains("Subject: Tea"), "{there}");
    assert!(
        there.contains(&format!("in folder {drafts_there})")),
        "{there}"
    );

    let sent = folder("one.json", "sent");
    place
        .run(&[
            "handset", "move", "mail", &luid, &sent, "--state", "one.json",
        ])
        .ends(0);
    sync("one.json");
    sync("two.json");
    let sent_there = folder("two.json", "sent");
    let there = show("two.json");
    assert!(
        there.contains(&format!("in folder {sent_there})")),
        "{there}"
    );
    place
        .run(&[
            "handset", "move", "mail", &luid, "999", "--state", "one.json",
        ])
        .ends(2)
        .says("is not on the phone");
}

#[test]
fn a_device_has_windows_of_its_own() {
    let place = Place::new();
    place
        .run(&["account", "add", "alice", "--password", "s3cret"])
        .ends(0);
    place.run(&["device", "add", "alice", "IMEI:1"]).ends(0);
    let set =
        |limits: &str| place.run(&["device", "set", "alice", "IMEI:1", "--mail-window", limits]);
    set("days=7,sent.count=0").ends(0);
    let shown = place
        .run(&["device", "show", "alice", "IMEI:1"])
        .ends(0)
        .out;
    assert!(shown.contains("days=7,sent.count=0"), "{shown}");
    set("weeks=7").ends(2).says("days, count, bytes");
    set("").ends(0);
    let shown = place
        .run(&["device", "show", "alice", "IMEI:1"])
        .ends(0)
        .out;
    assert!(shown.contains("as configured"), "{shown}");
}
