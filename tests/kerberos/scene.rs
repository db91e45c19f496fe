//! A realm, a server that has its keytab, and logins by a scripted client.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::lab::Subject;
use crate::lab::kerberos::{Initiator, Realm};
use crate::lab::mail::awkward;
use crate::lab::pop3::Client;
use crate::lab::postern::Postern;
use crate::lab::visit::{Proof, Transport, Visit};
use crate::lab::world::{ALICE, Lab};

/// Who is who: alice@EXAMPLE.TEST is the account alice.
pub(crate) const RULES: &str = r#"
[[gssapi.realm]]
name = "EXAMPLE.TEST"
login = "{user}"
"#;

/// The same in any realm.
fn rules(realm: &Realm) -> String {
    RULES.replace("EXAMPLE.TEST", realm.name)
}

/// A server in a realm.
pub(crate) struct Scene {
    // First, so that it ends before its folder vanishes.
    pub(crate) postern: Postern,
    pub(crate) lab: Lab,
    pub(crate) realm: Realm,
}

impl Scene {
    pub(crate) fn start() -> Self {
        Self::start_with(RULES)
    }

    /// With lines behind those of `[gssapi]`.
    pub(crate) fn start_with(rules: &str) -> Self {
        Self::in_lab(lab(), rules)
    }

    /// With this rule of Extended Protection.
    pub(crate) fn protected(rule: &str) -> Self {
        let mut lab = lab();
        lab.extended_protection = rule.to_owned();
        Self::in_lab(lab, RULES)
    }

    /// In a realm that is there.
    pub(crate) fn of(realm: Realm) -> Self {
        Self::of_keytab(realm, "pop.keytab")
    }

    /// The same, with this keytab of it.
    pub(crate) fn of_keytab(realm: Realm, keytab: &str) -> Self {
        let rules = rules(&realm);
        Self::in_realm(lab_in(&realm), realm, keytab, &rules)
    }

    fn in_lab(lab: Lab, rules: &str) -> Self {
        Self::in_realm(lab, Realm::start(), "pop.keytab", rules)
    }

    fn in_realm(lab: Lab, realm: Realm, keytab: &str, rules: &str) -> Self {
        give_keytab(&lab, &realm, keytab);
        let postern = Postern::start_with(&lab, &format!("\n{}", section(&lab, rules)));
        Self {
            postern,
            lab,
            realm,
        }
    }

    /// A second server in a process and a folder of its own, which shares the replay cache alone.
    pub(crate) fn second(&self) -> (Postern, Lab) {
        let lab = lab_in(&self.realm);
        give_keytab(&lab, &self.realm, "pop.keytab");
        let section = sharing(&lab, &self.lab.dir("replays"), &rules(&self.realm));
        (Postern::start_with(&lab, &format!("\n{section}")), lab)
    }

    /// Logs in by the mechanism with what a client says; gives the server's last line.
    pub(crate) fn login(
        &self,
        client: &mut Client,
        mechanism: &str,
        initiator: &mut Initiator,
    ) -> String {
        answer(client, mechanism, initiator)
    }

    /// The same in the clear, with alice's ticket for the server unless the arguments say otherwise.
    pub(crate) fn gssapi(&self, arguments: &[&str]) -> String {
        let mut client = Client::connect(self.postern.doors.plain);
        let usual = [self.realm.service()];
        let usual = usual.each_ref().map(String::as_str);
        let service = if arguments.first().is_some_and(|first| first.contains('@')) {
            &[][..]
        } else {
            &usual
        };
        let mut initiator = self.realm.client(&[service, arguments].concat());
        self.login(&mut client, "GSSAPI", &mut initiator)
    }

    /// The mechanisms that CAPA names.
    pub(crate) fn offered(&self) -> String {
        let mut client = Client::connect(self.postern.doors.plain);
        let capa = String::from_utf8(client.body("CAPA")).expect("text");
        let line = capa.lines().find(|line| line.starts_with("SASL "));
        line.unwrap_or_default().to_owned()
    }

    /// The login record with this reason.
    pub(crate) fn record(&self, reason: &str) -> String {
        self.postern
            .told("login", &[&format!("\"reason\":\"{reason}\"")])
    }
}

/// What the server says in the end to a login by the mechanism.
pub(crate) fn answer(client: &mut Client, mechanism: &str, initiator: &mut Initiator) -> String {
    let mut reply = client.ask(&format!("AUTH {mechanism}"));
    while let Some(challenge) = reply.strip_prefix("+ ") {
        // The first challenge is empty, and the client has something to say unasked.
        if !challenge.is_empty() {
            initiator.hears(challenge);
        }
        reply = client.ask(&initiator.says());
    }
    reply
}

/// A lab at the one address that has a principal of an MIT KDC: `pop/localhost`.
pub(crate) fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.address = std::net::Ipv4Addr::LOCALHOST;
    lab
}

/// A lab at the address that has a principal of the realm.
fn lab_in(realm: &Realm) -> Lab {
    let mut lab = Lab::new();
    lab.address = realm.address;
    lab
}

/// The section `[gssapi]`, and what stands behind it.
pub(crate) fn section(lab: &Lab, rules: &str) -> String {
    let replays = lab.dir("replays");
    lab.give(&replays);
    sharing(lab, &replays, rules)
}

/// The same, with the replay cache in this folder.
fn sharing(lab: &Lab, replays: &Path, rules: &str) -> String {
    format!(
        "[gssapi]\nkeytab = \"{}\"\nreplay_cache = \"{}/cache\"\n{rules}",
        keytab(lab).display(),
        replays.display(),
    )
}

pub(crate) fn keytab(lab: &Lab) -> PathBuf {
    lab.path().join("server.keytab")
}

/// Gives the server a keytab of the realm, as an administrator replaces one: by a new file.
pub(crate) fn give_keytab(lab: &Lab, realm: &Realm, name: &str) {
    install(lab, &realm.path(name));
}

pub(crate) fn install(lab: &Lab, from: &Path) {
    let fresh = lab.write("fresh.keytab", fs::read(from).expect("a keytab"));
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).expect("chmod");
    lab.give(&fresh);
    fs::rename(fresh, keytab(lab)).expect("rename");
}

/// A visit to a server in the realm, by a client that has a ticket of alice.
pub(crate) fn visit(transport: Transport, realm: &Realm) -> Visit {
    let (lab, mails) = (lab_in(realm), awkward());
    give_keytab(&lab, realm, "pop.keytab");
    lab.maildir(ALICE).deliver_all(&mails);
    let postern = Postern::start_with(&lab, &format!("\n{}", section(&lab, &rules(realm))));
    let fetched = lab.dir("fetched");
    Visit {
        subject: Subject::Postern(postern),
        lab,
        user: ALICE,
        mails,
        transport,
        fetched,
        host: realm.host.to_owned(),
        proof: Proof::Ticket {
            principal: format!("alice@{}", realm.name),
            words: realm.words().to_vec(),
        },
    }
}
