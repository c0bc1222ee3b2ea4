//! Which items and fields the virtual phone asks for: filters of OMA DS 1.2, and on addresses before that.

use std::collections::BTreeMap;

use super::UsageError;
use crate::handset::{Addresses, Settings, Wanted};
use crate::syncml::Version;

/// What the phone wants; everything if nothing is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct WantedArgs {
    /// Only items that pass, such as 'SINCE&EQ;20260101T000000Z&AND;BEFORE&EQ;20260201T000000Z' or 'CLASS&NE;PRIVATE'.
    /// NAME=FILTER is for one datastore; without a name it is for all that are synced.
    #[arg(long = "filter", value_name = "FILTER")]
    filters: Vec<String>,
    /// Only these fields, such as N,TEL; or NAME=FIELDS (protocol 1.2).
    #[arg(long = "filter-fields", value_name = "FIELDS")]
    fields: Vec<String>,
    /// What does not pass may stay on the phone; otherwise the server takes it away. Before protocol 1.2 it always stays.
    #[arg(long)]
    filter_inclusive: bool,
}

impl WantedArgs {
    /// Puts the filters into the settings of a phone that syncs these datastores.
    pub(super) fn apply(&self, settings: &mut Settings, names: &[&str]) -> Result<(), UsageError> {
        let mut wanted: BTreeMap<&str, Wanted> = BTreeMap::new();
        let mut each = |text: &str, put: &dyn Fn(&mut Wanted, &str)| {
            let (chosen, value) = match text.split_once('=') {
                Some((name, value)) if super::known(name).is_ok() => (Some(name), value),
                _ => (None, text),
            };
            let of = names.iter().filter(|name| {
                chosen.is_none_or(|chosen| name.eq_ignore_ascii_case(chosen.trim()))
            });
            for name in of {
                let wanted = wanted.entry(*name).or_default();
                wanted.inclusive = self.filter_inclusive;
                put(wanted, value);
            }
        };
        for text in &self.filters {
            each(text, &|wanted, value| {
                wanted.record = Some(value.to_owned())
            });
        }
        for text in &self.fields {
            each(text, &|wanted, value| {
                let names = value.split(',').map(str::trim);
                let names = names.filter(|name| !name.is_empty());
                wanted.fields.extend(names.map(ToOwned::to_owned));
            });
        }
        if settings.version >= Version::V12 {
            let wanted = wanted.into_iter();
            settings.filters = wanted.map(|(name, of)| (name.to_owned(), of)).collect();
            return Ok(());
        }
        for (name, of) in wanted {
            if !of.fields.is_empty() {
                return Err(UsageError::Fields(settings.version));
            }
            let address = settings
                .datastores
                .entry(name.to_owned())
                .or_insert_with(|| Addresses::same(name));
            if let Some(record) = of.record {
                let joint = if address.remote.contains('?') {
                    "&AND;"
                } else {
                    "?"
                };
                address.remote += joint;
                address.remote += &record;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(version: Version, args: &WantedArgs) -> Result<Settings, UsageError> {
        let mut settings = Settings {
            version,
            ..Settings::default()
        };
        args.apply(&mut settings, &["contacts", "calendar"])?;
        Ok(settings)
    }

    #[test]
    fn filters_are_elements_in_1_2_and_part_of_the_address_before() {
        let args = WantedArgs {
            filters: vec![
                "CLASS&NE;PRIVATE".to_owned(),
                "calendar=SINCE&EQ;20260101T000000Z".to_owned(),
            ],
            ..WantedArgs::default()
        };
        let new = settings(Version::V12, &args).expect("settings");
        let record = |name: &str| new.filters[name].record.as_deref();
        assert_eq!(record("contacts"), Some("CLASS&NE;PRIVATE"));
        assert_eq!(record("calendar"), Some("SINCE&EQ;20260101T000000Z"));
        assert_eq!(new.datastores["contacts"].remote, "./contacts");
        let old = settings(Version::V11, &args).expect("settings");
        assert!(old.filters.is_empty());
        assert_eq!(
            old.datastores["contacts"].remote,
            "./contacts?CLASS&NE;PRIVATE"
        );
        assert_eq!(
            old.datastores["calendar"].remote,
            "./calendar?SINCE&EQ;20260101T000000Z"
        );
    }

    #[test]
    fn fields_need_1_2() {
        let args = WantedArgs {
            fields: vec!["contacts=N, TEL".to_owned()],
            filter_inclusive: true,
            ..WantedArgs::default()
        };
        let new = settings(Version::V12, &args).expect("settings");
        assert_eq!(new.filters["contacts"].fields, ["N", "TEL"]);
        assert!(new.filters["contacts"].inclusive);
        assert!(!new.filters.contains_key("calendar"));
        let error = settings(Version::V11, &args).expect_err("no such thing in 1.1");
        assert!(error.to_string().contains("1.2"), "{error}");
    }
}
