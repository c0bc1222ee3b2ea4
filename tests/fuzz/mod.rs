//! A short run of every fuzz target, with the stable compiler and no tool: samples are changed by a seed, a bounded number
//! of times, and what once broke a reader is read again. Long runs: `fuzz/run`, see CONTRIBUTING.md.
//!
//! `CANDYBAR_FUZZ` is the number of inputs for each target.

mod mutation;
mod seeds;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use mutation::Random;

/// Inputs for each target, if nothing else is said.
const INPUTS: u64 = 3_000;
/// Octets of the longest input.
const MOST_OCTETS: usize = 4_096;

fn inputs() -> u64 {
    std::env::var("CANDYBAR_FUZZ")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(INPUTS)
}

fn target(name: &str) -> fn(&[u8]) {
    let found = targets::ALL.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no target {name}")).1
}

fn run(name: &str) {
    let target = target(name);
    let samples = seeds::of(name);
    assert!(!samples.is_empty(), "{name} has no samples");
    let check = |input: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
            let place =
                std::env::temp_dir().join(format!("candybar-fuzz-{name}-{}", std::process::id()));
            let kept = std::fs::write(&place, input).map(|()| place.display().to_string());
            panic!("{name} breaks on {input:02X?}; kept as {kept:?}");
        }
    };
    for sample in &samples {
        check(sample);
    }
    let mut random = Random(1);
    for _ in 0..inputs() {
        let mut input = samples[random.below(samples.len())].clone();
        for _ in 0..=random.below(6) {
            mutation::mutate(&mut input, &samples, &mut random);
        }
        input.truncate(MOST_OCTETS);
        check(&input);
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*

        #[test]
        fn no_target_is_left_out() {
            let here = [$(stringify!($name)),*];
            assert_eq!(targets::ALL.map(|(name, _)| name), here);
            let folder = seeds::root().join("fuzz/fuzz_targets");
            let mut driven: Vec<_> = std::fs::read_dir(folder)
                .expect("the targets of libFuzzer")
                .map(|entry| PathBuf::from(entry.expect("an entry").file_name()))
                .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
                .collect();
            driven.sort();
            let mut here: Vec<_> = here.map(ToOwned::to_owned).to_vec();
            here.sort();
            assert_eq!(driven, here);
        }
    };
}

targets! { wbxml xml syncml vcard calendar note sif mail filter san wsp push }

/// Writes the samples to `fuzz/corpus`, where libFuzzer begins: `cargo test --test main fuzz::corpus -- --ignored`.
#[test]
#[ignore = "writes files that long runs begin with"]
fn corpus() {
    for (name, _) in targets::ALL {
        let folder = seeds::root().join("fuzz/corpus").join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (number, sample) in seeds::of(name).iter().enumerate() {
            std::fs::write(folder.join(format!("sample-{number}")), sample).expect("written");
        }
    }
}

/// Inputs that broke a reader once: `tests/fuzz/found/TARGET-WHAT`.
#[test]
fn what_was_found_is_mended() {
    let folder = seeds::root().join("tests/fuzz/found");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of findings") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        if name == "README.md" {
            continue;
        }
        let (name, _) = name.split_once('-').expect("TARGET-WHAT");
        target(name)(&std::fs::read(&path).expect("readable"));
        count += 1;
    }
    println!("{count} inputs");
}
