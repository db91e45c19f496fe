//! Every input that the fuzzer kept, once more: the same bodies with the same assertions, on the
//! stable toolchain and without the fuzzer. `script/fuzz` looks for new ones.
#![expect(
    clippy::disallowed_methods,
    reason = "outside the server: the inputs are files"
)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "an input that breaks a promise fails"
)]

#[path = "../fuzz/bodies/mod.rs"]
pub mod bodies;

use std::path::Path;

/// Plays all inputs of a target.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let inputs = std::fs::read_dir(&folder).expect("a folder of inputs");
    let mut played = 0;
    for input in inputs {
        let path = input.expect("an input").path();
        let input = std::fs::read(&path).expect("an input");
        let outcome = std::panic::catch_unwind(|| run(&input));
        assert!(outcome.is_ok(), "{} fails", path.display());
        played += 1;
    }
    assert!(played > 0, "{} is empty", folder.display());
}

macro_rules! targets {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target), bodies::$target::run);
        })*

        /// A target that is not played here would rot.
        #[test]
        fn every_target_is_played() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets");
            let mut there: Vec<String> = std::fs::read_dir(folder)
                .expect("the targets")
                .map(|entry| entry.expect("a target").path())
                .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
                .collect();
            there.sort();
            assert_eq!(there, [$(stringify!($target)),*]);
        }
    };
}

targets! {
    ap_req command config keytab ldap line maildir names ntlm_authenticate ntlm_login
    ntlm_negotiate ntlm_pairs sasl session stuffing uidlist users winbind
}
