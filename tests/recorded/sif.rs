//! A client of SIF that tells nothing of itself.

use candybar::handset::{Behaviour, Mode, Rules};
use candybar::syncml::{Command, Data, Message};

use super::world::{Handset, STORE, World};

fn without_device_information(message: &mut Message<'_>) {
    for command in &mut message.body {
        let items = match command {
            Command::Put(put) => &mut put.items,
            Command::Results(results) => &mut results.items,
            _ => continue,
        };
        for item in items {
            // What cannot be read is left out.
            item.data = Data::Bytes(b"\x02\x03j".to_vec().into());
        }
    }
}

fn client(world: &World) -> Handset {
    let mut client = world.phone_changed(1, Behaviour::default(), without_device_information);
    let settings = client.client_mut().settings_mut();
    let rules = Rules {
        sif: true,
        ..Rules::default()
    };
    settings.storage.rules.insert(STORE.to_owned(), rules);
    let contacts = settings.devinf.datastores.get_mut(STORE);
    contacts.expect("it has contacts").content_types =
        vec![("text/x-s4j-sifc".to_owned(), "1.0".to_owned())];
    client
}

fn bodies(client: &Handset) -> Vec<String> {
    let items = client.items(STORE).into_values();
    items
        .map(|item| String::from_utf8_lossy(&item.body.0).into_owned())
        .collect()
}

#[test]
fn a_client_that_says_nothing_gets_what_it_sends() {
    let world = World::new();
    world.put("Bert", "+46 2");
    let mut client = client(&world);
    client.add(
        STORE,
        "<contact><LastName>Anna</LastName><MobileTelephoneNumber>1</MobileTelephoneNumber></contact>",
    );
    world.sync(&mut client, Mode::TwoWay);
    // Also in a session in which it sends nothing.
    world.put("Cilly", "+46 3");
    world.sync(&mut client, Mode::TwoWay);
    let found = bodies(&client);
    assert_eq!(found.len(), 3, "{found:#?}");
    for name in ["Anna", "Bert", "Cilly"] {
        let element = format!("<LastName>{name}</LastName>");
        assert!(
            found.iter().any(|body| body.contains(&element)),
            "{found:#?}"
        );
    }
    assert_eq!(world.held()["Anna"], "1");
    // An edit of one field keeps the others.
    let (luid, _) = client
        .items(STORE)
        .into_iter()
        .find(|(_, item)| String::from_utf8_lossy(&item.body.0).contains("Bert"))
        .expect("it is there");
    client.replace(
        STORE,
        &luid,
        "<contact><LastName>Bert</LastName><FileAs>Bert</FileAs><Hobby>Chess</Hobby>\
         <MobileTelephoneNumber>+46 22</MobileTelephoneNumber></contact>",
    );
    world.sync(&mut client, Mode::TwoWay);
    assert_eq!(world.held()["Bert"], "+46 22");
    let report = world.sync(&mut client, Mode::TwoWay);
    assert_eq!(report.datastores[0].received.total(), 0);
    assert_eq!(report.datastores[0].sent.total(), 0);
}
