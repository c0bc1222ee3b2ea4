//! The table of OMA DS features: the tests that it names exist.

use super::{read, root, sources};

/// All sources and tests in one text.
fn code() -> String {
    ["src", "tests"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|path| read(&path))
        .collect()
}

/// Whether there is a test of that name. Some are made by a macro, as `name: { ... }` or `name: "model"`.
fn is_test(code: &str, name: &str) -> bool {
    code.contains(&format!("fn {name}()"))
        || code.contains(&format!("    {name}: {{"))
        || code.contains(&format!("    {name}: \""))
}

#[test]
fn the_table_of_features_names_tests_that_exist() {
    let table = read(&root().join("docs/oma-ds.md"));
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| feature") && !line.starts_with("| ---")
        })
        .collect();
    assert!(rows.len() > 25, "{} rows", rows.len());
    let code = code();
    let mut named = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "{row}");
        for test in cells[3].split('`').skip(1).step_by(2) {
            named += 1;
            assert!(is_test(&code, test), "there is no test {test}: {row}");
        }
    }
    assert!(named > 25, "{named} tests");
}

/// Every effect on sessions has a test that shows it, and no row is of an effect that there is not.
#[test]
fn every_effect_on_sessions_has_a_test() {
    let traits = read(&root().join("src/device/profile/traits.rs"));
    let (_, fields) = traits
        .split_once("pub struct Traits {")
        .expect("the effects");
    let (fields, _) = fields.split_once("\n    }").expect("their end");
    let effects: Vec<&str> = fields
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| line.split_once(": ").map(|(name, _)| name))
        .collect();
    assert!(effects.len() > 15, "{effects:?}");
    let page = read(&root().join("docs/profiles.md"));
    let code = code();
    for effect in &effects {
        let begin = format!("| `{effect}` | ");
        let row = page.lines().find(|line| line.starts_with(&begin));
        let row = row.unwrap_or_else(|| panic!("docs/profiles.md has no row of {effect}"));
        let tests: Vec<&str> = row.split('`').skip(3).step_by(2).collect();
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            assert!(is_test(&code, test), "there is no test {test}: {row}");
        }
    }
    let (_, table) = page.split_once("| effect | test |").expect("the table");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with("| "));
    assert_eq!(rows.count(), effects.len());
}
