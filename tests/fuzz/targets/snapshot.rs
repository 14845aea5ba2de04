//! See `src/store/snapshot/fuzzing.rs` of minikin.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| minikin::internals::store::snapshot_fuzzing::snapshot(input));
