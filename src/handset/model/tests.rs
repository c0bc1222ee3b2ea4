//! The embedded models.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::syncml::{Carrier, Version};

#[test]
fn the_list_has_every_file_of_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("handset-models");
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder of the models")
        .map(|entry| entry.expect("listed").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let listed: BTreeSet<String> = Model::names().map(str::to_owned).collect();
    assert_eq!(listed, there);
}

#[test]
fn every_model_can_be_read_and_names_its_sources() {
    for name in Model::names() {
        let model = Model::named(name).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            !model.sources.is_empty() && !model.title.is_empty(),
            "{name}"
        );
        assert!(model.datastores().count() >= 2, "{name}");
        let settings = model.settings("http://server/", "u", "p");
        for store in model.datastores() {
            let capability = &settings.devinf.datastores[store];
            assert!(!capability.content_types.is_empty(), "{name} {store}");
            assert!(
                !settings.datastores[store].local.is_empty(),
                "{name} {store}"
            );
        }
        for store in settings.storage.rules.keys() {
            assert!(
                settings.datastores.contains_key(store),
                "{name}: rules for {store}"
            );
        }
    }
}

#[test]
fn a_model_is_what_its_base_is_but_for_what_it_says() {
    let base = Model::named("sony-ericsson-k800i").expect("a model");
    let model = Model::named("Sony-Ericsson-K750i").expect("names in any case");
    let (base, own) = (base.settings("", "", ""), model.settings("", "", ""));
    assert_eq!((own.version, base.version), (Version::V11, Version::V12));
    assert_eq!(own.carrier, Carrier::Wbxml);
    assert_eq!(
        own.devinf.datastores["contacts"],
        base.devinf.datastores["contacts"]
    );
    assert!(model.behaviour.last_equals_next && model.behaviour.numbered_anchors);
    assert!(model.behaviour.breaks.size_of_whole);
}

#[test]
fn device_ids_are_written_as_the_phone_does() {
    let imei = "490154203237518";
    let id = |name| Model::named(name).expect("a model").device_id(imei);
    assert_eq!(id("nokia-s40"), "IMEI:490154203237518");
    assert_eq!(id("sony-ericsson-p900"), "490154-20-323751-8");
    assert_eq!(id("nokia-9210"), imei);
}

#[test]
fn what_is_no_model_is_said() {
    assert_eq!(
        Model::named("tin-can"),
        Err(ModelError::Unknown("tin-can".into()))
    );
}

#[test]
fn the_documentation_names_every_model() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/handset.md");
    let text = std::fs::read_to_string(path).expect("docs/handset.md");
    let missing: Vec<_> = Model::names()
        .filter(|name| !text.contains(&format!("| `{name}` |")))
        .collect();
    assert!(missing.is_empty(), "docs/handset.md lacks {missing:?}");
}
