//! See `src/store/format/fuzzing.rs` of minikin.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| minikin::internals::store::fuzzing::stored(input));
