//! See `ytrace_lang::testing::fuzzing::whole`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ytrace_lang::testing::fuzzing::whole(data));
