//! Commands that cannot be carried out: each gets its Status, and what stands beside them is done.

use candybar::syncml::Carrier;

use super::dialogue::{Dialogue, add, alert, alert_222, codes, sync};
use super::target::{ACCOUNT, Target, WITNESS, card};

#[test]
fn unknown_datastores_are_404() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:commands", "1");
    let both = alert(201, "recipes") + &alert(201, "contacts");
    let answer = dialogue.send(&both, true);
    let alerts = codes(&answer, "Alert");
    assert_eq!(alerts[0], 404);
    assert!(matches!(alerts[1], 200 | 508), "{alerts:?}");
    let unknown = sync("recipes", &add(3, "1", &card("Recipe", 1)));
    let known = sync("contacts", &add(4, "2", &card("Known", 1)));
    let answer = dialogue.send(&(unknown + &known), true);
    assert_eq!(codes(&answer, "Sync"), [404, 200]);
    assert_eq!(codes(&answer, "Add"), [404, 201]);
    dialogue.end(answer);
    assert_eq!(target.names(ACCOUNT), ["Known", "Witness"]);
    target.sync();
    target.alive();
}

#[test]
fn commands_that_are_not_supported_have_their_status() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:commands", "1");
    let item = "<Item><Target><LocURI>./contacts</LocURI></Target><Source><LocURI>1</LocURI></Source><Data>x</Data></Item>";
    let outside = format!(
        "<Exec><CmdID>11</CmdID>{item}</Exec>\
         <Search><CmdID>12</CmdID><Source><LocURI>./contacts</LocURI></Source>\
         <Meta><Type xmlns='syncml:metinf'>x</Type></Meta><Data>x</Data></Search>\
         <Explode><CmdID>13</CmdID></Explode>\
         <Add><CmdID>14</CmdID>{item}</Add>\
         <Atomic><CmdID>15</CmdID><Add><CmdID>16</CmdID>{item}</Add></Atomic>\
         <Get><CmdID>17</CmdID><Item><Target><LocURI>./secrets</LocURI></Target></Item></Get>\
         <Alert><CmdID>18</CmdID><Data>999</Data></Alert>\
         <Alert><CmdID>19</CmdID></Alert>"
    );
    let answer = dialogue.send(&(alert(201, "contacts") + &outside), true);
    assert_eq!(codes(&answer, "Exec"), [501]);
    assert_eq!(codes(&answer, "Search"), [406]);
    assert_eq!(codes(&answer, "Explode"), [501]);
    assert_eq!(codes(&answer, "Add"), [405]);
    assert_eq!(codes(&answer, "Atomic"), [405]);
    assert_eq!(codes(&answer, "Get"), [404]);
    let alerts = codes(&answer, "Alert");
    assert_eq!(alerts[1..], [406, 412], "{alerts:?}");
    let good = add(3, "2", &card("Good", 1));
    let inside = format!(
        "<Atomic><CmdID>21</CmdID>{}</Atomic>\
         <Copy><CmdID>23</CmdID>{item}</Copy>\
         <Move><CmdID>24</CmdID>{item}</Move>\
         <Sequence><CmdID>25</CmdID>{good}</Sequence>\
         <Explode><CmdID>26</CmdID></Explode>",
        add(22, "1", &card("Atomic", 1))
    );
    let answer = dialogue.send(&sync("contacts", &inside), true);
    assert_eq!(codes(&answer, "Atomic"), [200]);
    assert_eq!(codes(&answer, "Copy"), [415]);
    assert_eq!(codes(&answer, "Move"), [406]);
    assert_eq!(codes(&answer, "Sequence"), [200]);
    assert_eq!(codes(&answer, "Add"), [201, 201]);
    let explode = codes(&answer, "Explode");
    assert!(explode == [501] || explode == [405], "{explode:?}");
    dialogue.end(answer);
    assert_eq!(target.names(ACCOUNT), ["Atomic", "Good", "Witness"]);
    target.sync();
    target.alive();
}

#[test]
fn a_card_that_is_no_card_is_415_and_the_others_are_taken() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:commands", "1");
    dialogue.begin();
    let event = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nDTSTART:20260101T000000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let items = [
        add(3, "1", &card("First", 1)),
        add(4, "2", "This is no card at all."),
        add(5, "3", ""),
        add(6, "4", event),
        add(7, "5", "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Unfinished"),
        add(8, "6", &card("Last", 2)),
    ];
    let answer = dialogue.send(&sync("contacts", &items.concat()), true);
    let adds = codes(&answer, "Add");
    assert_eq!(adds.len(), 6, "{adds:?}");
    assert_eq!(
        (adds[0], adds[1], adds[3], adds[5]),
        (201, 415, 415, 201),
        "{adds:?}"
    );
    assert_eq!(adds[2], 415, "an empty item");
    assert!(matches!(adds[4], 201 | 415), "{adds:?}");
    dialogue.end(answer);
    let mut names = target.names(ACCOUNT);
    names.retain(|name| name != "Unfinished");
    assert_eq!(names, ["First", "Last", "Witness"]);
    target.sync();
    target.alive();
}

/// Part of a card of that size, for a large object.
fn chunk(number: u32, luid: &str, size: Option<u64>, data: &str, more: bool) -> String {
    let size = size.map(|size| format!("<Size xmlns='syncml:metinf'>{size}</Size>"));
    format!(
        "<Add><CmdID>{number}</CmdID><Meta><Type xmlns='syncml:metinf'>text/x-vcard</Type>{}</Meta>\
         <Item><Source><LocURI>{luid}</LocURI></Source><Data>{data}</Data>{}</Item></Add>",
        size.unwrap_or_default(),
        if more { "<MoreData/>" } else { "" }
    )
}

#[test]
fn an_item_of_20_megabytes_is_refused_however_it_comes() {
    const SIZE: u64 = 20_000_000;
    let target = Target::start();
    // As one message.
    let mut dialogue = Dialogue::new(&target, "IMEI:large", "1");
    dialogue.begin();
    let whole = sync("contacts", &add(3, "1", &"x".repeat(SIZE as usize)));
    let body = dialogue.message(&whole, true);
    let mut connection = target.connect();
    // The server closes before it has read all.
    let head = super::http::head(Carrier::Xml.mime(), body.len());
    connection.send(head.as_bytes());
    assert_eq!(connection.response().status, 413);
    // In chunks, with its true size.
    let data = "x".repeat(500_000);
    let answer = dialogue.send(
        &sync("contacts", &chunk(3, "1", Some(SIZE), &data, true)),
        false,
    );
    assert_eq!(codes(&answer, "Add"), [416]);
    // In chunks that do not say their size, and with a size that is a lie.
    let answer = dialogue.send(&sync("contacts", &chunk(3, "2", None, &data, true)), false);
    assert_eq!(codes(&answer, "Add"), [411]);
    let mut answers = Vec::new();
    for number in 0..SIZE / data.len() as u64 {
        let size = (number == 0).then_some(600_000);
        let answer = dialogue.send(&sync("contacts", &chunk(3, "3", size, &data, true)), false);
        answers.extend(codes(&answer, "Add"));
        if answers.last() != Some(&213) {
            break;
        }
    }
    assert_eq!(answers.last(), Some(&416), "{answers:?}");
    assert!(answers.len() < 12, "{answers:?}");
    // The session has not suffered.
    let answer = dialogue.send(&sync("contacts", &add(3, "4", &card("Small", 1))), true);
    let statuses = dialogue.end(answer);
    assert!(statuses.contains(&("Add".to_owned(), 201)), "{statuses:?}");
    assert_eq!(target.names(ACCOUNT), ["Small", "Witness"]);
    target.sync();
    target.alive();
}

#[test]
fn ten_thousand_tiny_commands_in_one_message_have_ten_thousand_answers() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:tiny", "1");
    dialogue.max_msg_size = "20000".to_owned();
    dialogue.begin();
    let tiny = |count: u32| -> String {
        let one = |number| {
            format!(
                "<Delete><CmdID>{number}</CmdID><Item><Source><LocURI>{number}</LocURI></Source></Item></Delete>"
            )
        };
        (1..=count).map(one).collect()
    };
    let answer = dialogue.send(&sync("contacts", &tiny(10_000)), true);
    let statuses = dialogue.end(answer);
    let deletes: Vec<u16> = statuses
        .iter()
        .filter(|(name, _)| name == "Delete")
        .map(|(_, code)| *code)
        .collect();
    assert_eq!(deletes.len(), 10_000);
    assert!(
        deletes.iter().all(|code| [200, 211, 404].contains(code)),
        "{:?}",
        deletes[0]
    );
    target.sync();
    target.unharmed();
}

#[test]
fn commands_without_what_they_need_are_412_or_ignored() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, WITNESS, "800");
    dialogue.begin();
    let commands = "<Add><CmdID>3</CmdID></Add>\
        <Add><CmdID>4</CmdID><Item/></Add>\
        <Replace><CmdID>5</CmdID><Item><Source/><Data>x</Data></Item></Replace>\
        <Delete><CmdID>6</CmdID><Item><Source><LocURI></LocURI></Source></Item></Delete>\
        <Delete/>";
    let statuses = "<Status><CmdID>7</CmdID><MsgRef>99</MsgRef><CmdRef>99</CmdRef><Cmd>Add</Cmd><Data>200</Data></Status>\
        <Status/><Results/><Map/>\
        <Map><CmdID>8</CmdID><Target><LocURI>./contacts</LocURI></Target><Source><LocURI>./contacts</LocURI></Source>\
        <MapItem><Target><LocURI>zzzz</LocURI></Target><Source><LocURI>1</LocURI></Source></MapItem><MapItem/></Map>";
    let answer = dialogue.send(&(statuses.to_owned() + &sync("contacts", commands)), false);
    for name in ["Add", "Replace", "Delete"] {
        let codes = codes(&answer, name);
        assert!(codes.iter().all(|code| *code == 412), "{name}: {codes:?}");
    }
    let answer = dialogue.send(&alert_222(), true);
    dialogue.end(answer);
    assert_eq!(target.names(ACCOUNT), ["Witness"]);
}
