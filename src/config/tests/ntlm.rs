//! NTLM, winbind and Extended Protection.

use std::time::Duration;

use postern_auth::{ExtendedProtection, NtlmMode, NtlmVerify};

use super::*;

fn with(sections: &str) -> String {
    format!("{SMALL}\n{sections}\n")
}

#[test]
fn what_is_shown_comes_from_the_hosts_name() {
    let names = |text: &str| accepted(text).config.policy.ntlm.names;
    let usual = names(SMALL);
    assert_eq!(usual.computer, "HERE");
    assert_eq!(usual.dns_computer, "here.example.test");
    assert_eq!((&usual.domain, &usual.dns_domain), (&None, &None));
    let long = names(&small_with(
        "hostname = \"a-very-long-name-of-a-host.test\"",
    ));
    assert_eq!(long.computer, "A-VERY-LONG-NAM");
    let said = names(&with(
        "[ntlm]\ndomain = \"CORP\"\ncomputer = \"POP\"\ndns_domain = \"corp.test\"\ndns_computer = \"pop.corp.test\"",
    ));
    assert_eq!(said.domain.as_deref(), Some("CORP"));
    assert_eq!(
        (&*said.computer, &*said.dns_computer),
        ("POP", "pop.corp.test")
    );
    for (key, value, says) in [
        ("domain", "", "is not a NetBIOS name"),
        ("computer", "SIXTEEN-LETTERS-", "is not a NetBIOS name"),
        ("dns_domain", "corp test", "is not a DNS name"),
        ("dns_computer", "", "is not a DNS name"),
    ] {
        let found = refused(&with(&format!("[ntlm]\n{key} = \"{value}\"")));
        assert!(found.contains(says), "{found}");
        assert!(found.contains(&format!("error: ntlm.{key}: ")), "{found}");
    }
}

#[test]
fn who_may_still_use_it_is_networks_and_accounts() {
    let text = with(
        "[ntlm]\nmode = \"off\"\nexcept = [\"10.1.0.0/16\", \"::1\", \"Scanner@Example.test\"]",
    );
    let ntlm = accepted(&text).config.policy.ntlm;
    assert_eq!(ntlm.mode, NtlmMode::Off);
    assert_eq!(ntlm.except_networks.len(), 2);
    assert_eq!(ntlm.except_accounts, ["scanner@example.test"]);
    for wrong in ["", "10.1.0.0/33", "CORP\\\\alice"] {
        let found = refused(&with(&format!("[ntlm]\nexcept = [\"{wrong}\"]")));
        assert!(
            found.contains("neither a network nor an account"),
            "{found}"
        );
    }
}

#[test]
fn listeners_override_protection_and_version() {
    let text =
        with("[login]\nextended_protection = \"audit\"\n[ntlm]\naccept_ntlmv1 = [\"10.1.0.0/16\"]");
    let text = text.replace(
        "tls = \"implicit\"",
        "tls = \"implicit\"\nextended_protection = \"require\"\naccept_ntlmv1 = []",
    );
    let config = accepted(&text).config;
    let [first, second] = &config.listeners[..] else {
        panic!("two listeners");
    };
    assert_eq!(first.rule.extended_protection, ExtendedProtection::Audit);
    assert!(first.rule.accept_ntlmv1[0].contains("10.1.2.3".parse().unwrap()));
    assert_eq!(second.rule.extended_protection, ExtendedProtection::Require);
    assert!(second.rule.accept_ntlmv1.is_empty());
    let default = |text: &str| accepted(text).config.listeners[0].rule.extended_protection;
    assert_eq!(default(SMALL), ExtendedProtection::Allow);
    let exchange = small_with("profile = \"exchange-2016\"");
    assert_eq!(default(&exchange), ExtendedProtection::None);
    let found = refused(&with("[ntlm]\naccept_ntlmv1 = [\"alice\"]"));
    assert!(
        found.contains("ntlm.accept_ntlmv1: \"alice\" is neither an address nor a network"),
        "{found}"
    );
}

#[test]
fn what_responses_must_satisfy_and_who_verifies() {
    let ntlm = |section: &str| accepted(&with(section)).config.policy.ntlm;
    let usual = ntlm("");
    assert_eq!(usual.max_skew, Duration::from_hours(36));
    assert_eq!(usual.verify, NtlmVerify::Local);
    assert_eq!(usual.local_domains, ["", "here"]);
    assert!(!usual.require_mic && !usual.delegate && usual.targets.is_empty());
    let said = ntlm(
        "[ntlm]\nrequire_mic = true\nmax_skew = 0\ntargets = [\"pop/x.test\"]\nverify = \"both\"\nlocal_domains = [\"POP\"]\ndelegate = true",
    );
    assert_eq!(said.max_skew, Duration::ZERO);
    assert_eq!(said.local_domains, ["pop"]);
    assert_eq!(
        (said.verify, said.targets),
        (NtlmVerify::Both, vec!["pop/x.test".to_owned()])
    );
    let found = refused(&with("[ntlm]\ntargets = [\"x.test\"]"));
    assert!(found.contains("is not the name of a service"), "{found}");
}

#[test]
fn a_helper_is_a_path_or_a_whole_command() {
    let helper = |value: &str| run(&with(&format!("[winbind]\nhelper = {value}")));
    for fine in ["\"/usr/bin/ntlm_auth\"", "[\"/bin/sh\", \"-c\", \"x\"]"] {
        assert_eq!(helper(fine).unwrap().config.winbind, None, "nobody asks it");
    }
    let asked = |section: &str| {
        let login = "[login]\nmechanisms = [\"NTLM\"]\n[ntlm]\nverify = \"winbind\"\n";
        accepted(&with(&format!("{login}{section}")))
            .config
            .winbind
            .unwrap()
    };
    let usual = asked("");
    let arguments = ["--helper-protocol=ntlm-server-1", "--allow-mschapv2"];
    assert_eq!(usual.command[0], "/usr/bin/ntlm_auth");
    assert_eq!(usual.command[1..], arguments);
    assert_eq!((usual.helpers, usual.deadline.as_secs()), (4, 10));
    let whole = asked("[winbind]\nhelper = [\"/bin/x\", \"y\"]\nhelpers = 2\ndeadline = \"3s\"");
    assert_eq!(whole.command, ["/bin/x", "y"]);
    assert_eq!((whole.helpers, whole.deadline.as_secs()), (2, 3));
    for wrong in ["\"\"", "\"ntlm_auth\"", "[]"] {
        let found = helper(wrong).expect_err(wrong).to_string();
        assert!(
            found.contains("winbind.helper: the program is not named by its full path"),
            "{found}"
        );
    }
    for wrong in ["3", "[3]"] {
        let found = helper(wrong).expect_err(wrong).to_string();
        assert!(
            found.contains("write path, or list of a path and arguments"),
            "{found}"
        );
    }
}

#[test]
fn extra_certificates_are_files() {
    let text = SMALL.replace("[tls]", "[tls]\nextra_certificates = [\"balancer.pem\"]");
    let tls = accepted(&text).config.tls.unwrap();
    assert_eq!(
        tls.extra_certificates,
        [Path::new("/etc/postern/balancer.pem")]
    );
}

#[test]
fn ntlm_needs_no_tls_where_only_passwords_do() {
    let text = SMALL
        .replace("\"implicit\"", "\"none\"")
        .replace("110\"", "110\"\ntls = \"none\"");
    let login = |mechanisms: &str| {
        format!(
            "{text}\n[login]\ntype = \"plain-text-authentication\"\nmechanisms = [{mechanisms}]\n"
        )
    };
    let warnings = accepted(&login("\"NTLM\"")).warnings;
    let said: Vec<_> = warnings.iter().map(|finding| &*finding.problem).collect();
    assert_eq!(said, ["no listener uses TLS"]);
    assert!(refused(&login("\"PLAIN\"")).contains("nobody could log in"));
}
