//! Somebody of the domain whom the directory of the mail server does not show, and who is called what is
//! somebody else's address: the domain vouches for him, and no mailbox is his.

use crate::branch::{Branch, Way};
use crate::lab::domain::Domain;
use crate::lab::realm::PASSWORD;
use crate::lab::world::Lab;

/// Below here are the accounts of the mail server; mallory is in the domain, and not here.
const BASE: &str = r#""CN=Users,DC=ad,DC=example,DC=test""#;

const STRANGERS: &str = "
    samba-tool ou create OU=contractors &&
    samba-tool user create mallory Right-1234 --userou=OU=contractors &&
    samba-tool user create peter Right-1234 --userou=OU=contractors";

/// mallory's user principal name is a proxy address of alice's, peter's is her mail address.
const NAMES: [(&str, &str, &str); 4] = [
    ("alice", "proxyAddresses", "smtp:a.liddell@ad.example.test"),
    ("alice", "mail", "wonder@ad.example.test"),
    ("mallory", "userPrincipalName", "a.liddell@ad.example.test"),
    ("peter", "userPrincipalName", "wonder@ad.example.test"),
];

#[test]
fn a_name_that_is_somebody_elses_address_opens_no_mailbox() {
    let lab = Lab::new();
    let domain = Domain::start(&lab);
    domain.on_controller(&["sh", "-c", STRANGERS]);
    for (account, attribute, value) in NAMES {
        domain.change(account, attribute, value);
    }
    let branch = Branch::open(&domain, &[("ldap.base", BASE)]);
    let wrong = branch.password(Way::User, "alice", "wrong");
    for name in ["a.liddell@ad.example.test", "wonder@ad.example.test"] {
        // Whoever has alice's password may type her addresses; the stranger's password is not hers.
        for way in Way::PASSWORDS {
            assert_eq!(branch.password(way, name, PASSWORD).to_string(), ALICE);
        }
        let mut endings = vec![branch.password(Way::Ntlm, name, PASSWORD)];
        let (user, _) = name.split_once('@').expect("a principal name");
        domain.kinit(&[user]);
        endings.extend([Way::Gssapi, Way::Spnego].map(|way| branch.ticket(&domain, way)));
        for ending in endings {
            assert_eq!(ending.line, wrong.line, "{name}: {}", ending.record);
            assert_eq!(ending.reason(), "no-account", "{}", ending.record);
            let detail = ending.field("detail");
            assert!(detail.contains("no account has the name"), "{detail}");
            assert_eq!(ending.field("account"), "-");
        }
    }
    // By his own name he is nobody either, and alice is herself.
    for (name, outcome) in [("ADTEST\\mallory", "no-account"), ("ADTEST\\alice", ALICE)] {
        let ending = branch.password(Way::Ntlm, name, PASSWORD);
        assert_eq!(ending.to_string(), outcome, "{}", ending.record);
    }
}

const ALICE: &str = "alice@ad.example.test";
