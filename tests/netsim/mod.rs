//! Two engines in memory: virtual phones against the server's engine, over a network that loses, doubles, reorders and
//! cuts messages by a seed. At the end every phone and the server hold the same items, each once.

mod behaviours;
mod filters;
mod mail;
mod sessions;
mod world;

use world::{Shape, World};

use candybar::handset::FaultRates;

/// Seeds of one shape; the whole run is thousands of sessions.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let count = std::env::var("CANDYBAR_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default);
    0..count
}

/// One seed, to look at it: `CANDYBAR_SEED`.
fn only() -> Option<u64> {
    std::env::var("CANDYBAR_SEED").ok()?.parse().ok()
}

fn run(shape: &Shape, count: u64) {
    for seed in seeds(count).filter(|seed| only().is_none_or(|one| one == *seed)) {
        World::new(seed, shape.clone()).live();
    }
}

#[test]
fn a_sound_network() {
    run(
        &Shape {
            faults: FaultRates::default(),
            ..Shape::default()
        },
        400,
    );
}

#[test]
fn a_bad_network() {
    run(
        &Shape {
            faults: FaultRates::all(60),
            ..Shape::default()
        },
        1500,
    );
}

#[test]
fn a_very_bad_network_with_small_messages() {
    run(
        &Shape {
            faults: FaultRates::all(150),
            max_message: 2_000,
            ..Shape::default()
        },
        600,
    );
}

#[test]
fn slow_syncs_in_between() {
    run(
        &Shape {
            faults: FaultRates::all(60),
            slow_syncs: true,
            ..Shape::default()
        },
        800,
    );
}

#[test]
fn xml_and_1_1_and_no_separate_initialisation() {
    run(
        &Shape {
            faults: FaultRates::all(60),
            xml: true,
            old: true,
            without_init: true,
            ..Shape::default()
        },
        400,
    );
}

#[test]
fn maps_that_come_in_the_next_session() {
    run(
        &Shape {
            faults: FaultRates::all(60),
            maps_late: true,
            ..Shape::default()
        },
        400,
    );
}
