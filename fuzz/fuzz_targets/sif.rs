//! Drives the target `sif` of `tests/fuzz/targets.rs`.

#![no_main]

#[path = "../memory.rs"]
mod memory;
#[allow(dead_code)]
#[path = "../../tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| memory::bounded(|| targets::sif(data)));
