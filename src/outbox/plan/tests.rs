use super::*;

const NOW: i64 = 1_800_000_000_000;

fn route(gateway: &str, channel: Channel) -> Route {
    Route {
        gateway: gateway.into(),
        channel,
        spent: 0,
    }
}

/// A change of a while ago, for a phone with one SMS gateway.
fn changed() -> Facts {
    Facts {
        notification: Notification {
            created: NOW - 60_000,
            ..Notification::default()
        },
        changed: vec![Datastore::Contacts],
        routes: vec![route("kannel", Channel::Sms)],
        ..Facts::default()
    }
}

/// A notification that the gateway took a minute ago.
fn submitted() -> Facts {
    let mut facts = changed();
    facts.notification.state = NotificationState::Sent;
    facts.notification.submitted = Some(NOW - 60_000);
    facts.notification.gateway = Some("kannel".into());
    facts.notification.used = 1;
    facts
}

fn next(facts: &Facts) -> Step {
    plan(facts, &Policy::default(), NOW)
}

#[track_caller]
fn waits(step: Step, until: i64, words: &str) {
    match step {
        Step::Wait { until: at, why } => {
            assert_eq!(at - NOW, until - NOW);
            assert!(why.unwrap_or_default().contains(words));
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn sends(step: Step, gateways: &[&str]) {
    let wanted = gateways.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(step, Step::Send { gateways: wanted });
}

#[track_caller]
fn ends(step: Step, as_what: NotificationState) {
    match step {
        Step::Finish { state, .. } => assert_eq!(state, as_what),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_is_sent_when_its_window_is_over() {
    let mut facts = changed();
    sends(next(&facts), &["kannel"]);
    facts.notification.created = NOW - 1_000;
    waits(next(&facts), NOW + 4_000, "more may change");
}

#[test]
fn what_a_session_brought_is_not_sent() {
    let mut facts = changed();
    facts.in_session = true;
    waits(next(&facts), NOW + SESSION_LOOK, "in a session");
    facts.changed.clear();
    waits(next(&facts), NOW + SESSION_LOOK, "in a session");
    facts.in_session = false;
    ends(next(&facts), NotificationState::Dropped);
}

#[test]
fn somebody_s_wish_waits_for_the_session_alone() {
    let policy = Policy {
        quiet: Some("00:00-23:59".parse().expect("hours")),
        ..Policy::default()
    };
    let mut facts = changed();
    facts.changed.clear();
    facts.ignored = 3;
    facts.last_submitted = Some(NOW - 1);
    facts.covered_until = Some(NOW + 1);
    facts.notification.created = NOW;
    facts.notification.kind = NotificationKind::Push;
    sends(plan(&facts, &policy, NOW), &["kannel"]);
    facts.in_session = true;
    waits(plan(&facts, &policy, NOW), NOW + SESSION_LOOK, "session");
    facts.notification.kind = NotificationKind::Settings;
    sends(plan(&facts, &policy, NOW), &["kannel"]);
}

#[test]
fn quiet_hours_hold_changes() {
    let policy = Policy {
        quiet: Some("00:00-23:59".parse().expect("hours")),
        ..Policy::default()
    };
    match plan(&changed(), &policy, NOW) {
        Step::Wait { until, why } => {
            assert_eq!(why.as_deref(), Some("quiet hours"));
            assert_eq!(policy.quiet_until(NOW), Some(until));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_that_is_under_way_covers_the_next() {
    let mut facts = changed();
    facts.covered_until = Some(NOW + 7);
    waits(next(&facts), NOW + 7, "another notification");
    facts.covered_until = Some(NOW);
    sends(next(&facts), &["kannel"]);
}

#[test]
fn a_phone_that_does_not_come_is_asked_less_and_less() {
    let mut facts = changed();
    facts.last_submitted = Some(NOW);
    sends(next(&facts), &["kannel"]);
    for (ignored, minutes) in [
        (1, 20),
        (2, 40),
        (3, 80),
        (4, 160),
        (5, 320),
        (6, 360),
        (60, 360),
    ] {
        facts.ignored = ignored;
        waits(next(&facts), NOW + minutes * 60_000, "did not come");
    }
    facts.last_submitted = Some(NOW - 6 * 3_600_000);
    sends(next(&facts), &["kannel"]);
}

#[test]
fn budgets_hold_until_tomorrow_and_only_what_costs() {
    let policy = Policy::default();
    let cases: [fn(&mut Facts); 2] = [
        |facts| facts.spent_device = 50,
        |facts| facts.spent_account = 200,
    ];
    for (case, words) in cases.into_iter().zip(["device", "account"]) {
        let mut facts = changed();
        case(&mut facts);
        waits(next(&facts), policy.tomorrow(NOW), words);
        facts.routes.insert(0, route("ctp", Channel::Connection));
        sends(next(&facts), &["ctp"]);
    }
    let gateway = Policy {
        sms_per_gateway: 10,
        ..Policy::default()
    };
    let mut facts = changed();
    facts.routes[0].spent = 10;
    waits(plan(&facts, &gateway, NOW), policy.tomorrow(NOW), "gateway");
    facts.routes.push(route("other", Channel::Sms));
    sends(plan(&facts, &gateway, NOW), &["other"]);
}

#[test]
fn without_a_gateway_a_change_waits_and_a_wish_fails() {
    let mut facts = changed();
    facts.routes.clear();
    waits(next(&facts), NOW + NO_GATEWAY_PAUSE, "no gateway");
    facts.notification.kind = NotificationKind::Push;
    ends(next(&facts), NotificationState::Failed);
}

#[test]
fn what_is_too_old_says_what_held_it() {
    let mut facts = changed();
    facts.notification.created = NOW - 86_400_000;
    facts.notification.why = Some("kannel: not reached".into());
    match next(&facts) {
        Step::Finish { state, why } => {
            assert_eq!(state, NotificationState::Expired);
            assert!(why.contains("kannel: not reached"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sync_that_follows_closes_it() {
    let mut facts = submitted();
    waits(next(&facts), NOW + 540_000, "");
    facts.in_session = true;
    waits(next(&facts), NOW + SESSION_LOOK, "");
    facts.answered = true;
    ends(next(&facts), NotificationState::Synced);
}

#[test]
fn a_phone_that_does_not_come_gets_the_next_channel_once() {
    let mut facts = submitted();
    facts.notification.gateway = Some("ctp".into());
    facts.routes = vec![
        route("ctp", Channel::Connection),
        route("kannel", Channel::Sms),
        route("smpp", Channel::Sms),
        route("emulator", Channel::Loopback),
    ];
    facts.notification.submitted = Some(NOW - 600_000);
    sends(next(&facts), &["kannel", "smpp", "emulator"]);
    facts.notification.used = 2;
    ends(next(&facts), NotificationState::Unanswered);
    facts.notification.used = 1;
    facts.spent_device = 50;
    facts.routes.pop();
    ends(next(&facts), NotificationState::Unanswered);
}

#[test]
fn a_receipt_can_say_that_it_will_not_arrive() {
    let mut facts = submitted();
    facts.receipts = Receipts {
        parts: 1,
        failed: 1,
        ..Receipts::default()
    };
    ends(next(&facts), NotificationState::Failed);
    facts.routes.push(route("ctp", Channel::Connection));
    sends(next(&facts), &["ctp"]);
}

#[test]
fn a_phone_that_is_off_is_not_written_to_again() {
    let mut facts = submitted();
    facts.notification.submitted = Some(NOW - 600_000);
    facts.receipts = Receipts {
        parts: 1,
        pending: 1,
        ..Receipts::default()
    };
    waits(next(&facts), NOW - 600_000 + 86_400_000, "not reached");
    facts.receipts.pending = 0;
    facts.receipts.delivered = 1;
    ends(next(&facts), NotificationState::Unanswered);
}

#[test]
fn what_is_in_doubt_is_sent_again_if_nothing_is_heard() {
    let mut facts = submitted();
    facts.notification.used = 0;
    facts.notification.attempts = 1;
    waits(next(&facts), NOW + 540_000, "");
    facts.notification.submitted = Some(NOW - 600_000);
    sends(next(&facts), &["kannel"]);
    facts.notification.attempts = 3;
    ends(next(&facts), NotificationState::Unanswered);
    facts.notification.attempts = 1;
    facts.receipts = Receipts {
        parts: 1,
        delivered: 1,
        ..Receipts::default()
    };
    ends(next(&facts), NotificationState::Unanswered);
}

#[test]
fn settings_end_with_their_receipt_or_with_the_first_sync() {
    let mut facts = submitted();
    facts.notification.kind = NotificationKind::Settings;
    facts.receipts = Receipts {
        parts: 2,
        delivered: 1,
        ..Receipts::default()
    };
    waits(next(&facts), NOW - 60_000 + 86_400_000, "");
    facts.receipts.delivered = 2;
    ends(next(&facts), NotificationState::Delivered);
    facts.receipts = Receipts::default();
    facts.settled = true;
    ends(next(&facts), NotificationState::Synced);
    facts.settled = false;
    facts.notification.submitted = Some(NOW - 86_400_000);
    ends(next(&facts), NotificationState::Unanswered);
}

#[test]
fn a_phone_without_a_sync_client_is_told_and_that_is_all() {
    let mut facts = submitted();
    facts.text_only = true;
    waits(next(&facts), NOW + 540_000, "");
    facts.receipts = Receipts {
        parts: 1,
        delivered: 1,
        ..Receipts::default()
    };
    ends(next(&facts), NotificationState::Delivered);
    facts.receipts = Receipts::default();
    facts.notification.submitted = Some(NOW - 600_000);
    ends(next(&facts), NotificationState::Delivered);
    facts.notification.used = 0;
    facts.notification.attempts = 1;
    sends(next(&facts), &["kannel"]);
    facts.receipts.parts = 1;
    facts.receipts.failed = 1;
    ends(next(&facts), NotificationState::Failed);
}

#[test]
fn pauses_double_and_differ() {
    let refusal = Refusal {
        permanent: false,
        retry_after: None,
        why: "not reached".into(),
    };
    let pause = |attempts, jitter| {
        let notification = Notification {
            attempts,
            ..Notification::default()
        };
        match refused(&notification, &refusal, NOW, jitter) {
            Step::Wait { until, .. } => until - NOW,
            other => panic!("{other:?}"),
        }
    };
    let pauses: Vec<i64> = [0, 1, 2, 7, 8, 1000]
        .map(|attempts| pause(attempts, 500))
        .into();
    assert_eq!(pauses, [2_000, 4_000, 8_000, 256_000, 300_000, 300_000]);
    assert!(pause(3, 0) < pause(3, 999));
    let asked = Refusal {
        retry_after: Some(77_000),
        ..refusal.clone()
    };
    let first = Notification::default();
    waits(refused(&first, &asked, NOW, 0), NOW + 77_000, "not reached");
    let never = Refusal {
        permanent: true,
        ..refusal
    };
    ends(refused(&first, &never, NOW, 0), NotificationState::Failed);
}
