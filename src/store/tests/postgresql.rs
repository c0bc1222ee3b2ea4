//! What only PostgreSQL can show.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use super::*;

/// Runs a check with a schema of its own, which is dropped if the check passes. The check also gets a connection
/// beside it and the name that the store's connections go by.
pub(super) fn in_a_schema(url: &str, check: impl Fn(&StoreConfig, &mut PgConnection, &str)) {
    let mut tag = [0; 8];
    getrandom::fill(&mut tag).unwrap();
    let name = format!("candybar_{:016x}", u64::from_be_bytes(tag));
    let mut connection = PgConnection::establish(url).unwrap();
    connection
        .batch_execute(&format!("CREATE SCHEMA {name}"))
        .unwrap();
    let mark = if url.contains('?') { '&' } else { '?' };
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        url: format!("{url}{mark}application_name={name}&options=-csearch_path%3D{name}"),
        key: Some(folder.path().join("candybar.key")),
    };
    check(&config, &mut connection, &name);
    connection
        .batch_execute(&format!(
            "SET client_min_messages = warning; DROP SCHEMA {name} CASCADE"
        ))
        .unwrap();
}

#[test]
fn lost_connections_are_made_anew() {
    let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
        eprintln!("SKIPPED: TEST_DATABASE_URL is not set");
        return;
    };
    in_a_schema(&url, |config, beside, name| {
        let store = Store::open(config).unwrap();
        let (account, device) = account_and_device(&store);
        for round in 1..4 {
            let mut draft = Draft::begin(&store, account, device);
            let item = draft.add(Datastore::Notes, "x");
            beside
                .batch_execute(&format!(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                     WHERE application_name = '{name}'"
                ))
                .unwrap();
            draft.commit(&store).unwrap();
            let found = items(&store, account, &Query::Items(vec![item]));
            assert_eq!(found[0].meta.modseq, Modseq(round));
        }
    });
}
