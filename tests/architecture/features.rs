//! The table of OMA DS features: the tests that it names exist.

use super::{read, root, sources};

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
    let code: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|path| read(&path))
        .collect();
    let mut named = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "{row}");
        for test in cells[3].split('`').skip(1).step_by(2) {
            named += 1;
            // Some tests are made by a macro, as `name: { ... }`.
            let there =
                code.contains(&format!("fn {test}()")) || code.contains(&format!("    {test}: {{"));
            assert!(there, "there is no test {test}: {row}");
        }
    }
    assert!(named > 25, "{named} tests");
}
