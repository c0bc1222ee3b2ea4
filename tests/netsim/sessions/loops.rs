//! Sessions and items that go round in circles.

use candybar::syncml::ChangeKind::Add;
use candybar::syncml::{Alert, Command};

use super::super::world::card;
use super::Server;
use super::raw::{Talk, change, statuses};

#[test]
fn a_phone_that_only_ever_asks_for_more_is_told_to_stop() {
    let server = Server::new();
    let mut talk = Talk::begin(&server, "1", 201);
    let ask = || {
        Command::Alert(Alert {
            cmd_id: "1".into(),
            code: Some(222),
            ..Alert::default()
        })
    };
    for number in 0..200 {
        let answer = talk.send(vec![ask()], false);
        assert_eq!(statuses(&answer), [("Alert".to_owned(), 200)]);
        if answer.last {
            let header = answer.body.iter().find_map(|command| match command {
                Command::Status(status) if status.cmd == "SyncHdr" => Some(status.code.0),
                _ => None,
            });
            assert_eq!(header, Some(506));
            assert!(number > 10, "patience is due: {number}");
            return;
        }
    }
    panic!("the session does not end");
}

/// A phone that was notified may alert with the code of the notification.
#[test]
fn a_phone_may_repeat_the_code_of_the_notification() {
    for code in 206..=210 {
        let server = Server::new();
        let mut first = Talk::begin(&server, "1", 201);
        first.sync(vec![Command::Change(change(
            2,
            Add,
            "One",
            Some(&card("One", "1")),
        ))]);
        first.end();
        let (talk, answer) = Talk::begin_with(&server, "2", code);
        let alerts = answer.body.iter().filter_map(|command| match command {
            Command::Alert(alert) => alert.code,
            _ => None,
        });
        assert_eq!(statuses(&answer)[0], ("Alert".to_owned(), 200), "{code}");
        assert_eq!(
            alerts.collect::<Vec<_>>(),
            [if code == 206 { 200 } else { code - 5 }],
            "{code}"
        );
        drop(talk);
    }
}
