//! See the function of this name in `src`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| minikin_fuzz::rpc_v2_request(input));
