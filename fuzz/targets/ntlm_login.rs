//! Fuzzes `bodies::ntlm_login`, where it is said what the input is and what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::ntlm_login::run(input));
