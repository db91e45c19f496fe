//! A mail server on a member of the domain.

use crate::exchange::{WELCOME, login};
use crate::lab::domain::Domain;
use crate::lab::pop3::Client;
use crate::lab::realm::PASSWORD;
use crate::lab::world::Lab;
use crate::server::{Server, Setup};
use crate::speaker::Speaker;

/// A local user, whose password no domain controller knows.
pub(crate) const LOCAL: (&str, &str) = ("localuser", "here alone");

/// The domain, the member's server, and their folder.
pub(crate) struct House {
    // In this order they end: the folder is the last to go.
    pub(crate) server: Server,
    pub(crate) domain: Domain,
    pub(crate) lab: Lab,
}

impl House {
    /// Everybody has an account here, and the domain's names of it.
    pub(crate) fn open(settings: &[(&str, &str)]) -> Self {
        let lab = Lab::new();
        let domain = Domain::start(&lab);
        let mut setup = Setup::new()
            .set("ntlm.verify", r#""both""#)
            .set("ntlm.domain", r#""ADTEST""#)
            .set("ntlm.computer", r#""MAIL""#)
            .set("ntlm.local_domains", r#"["HOUSE"]"#)
            .user(LOCAL.0, LOCAL.1, &["HOUSE\\localuser"]);
        for name in [
            "alice",
            "bob",
            "jörg",
            "disabled",
            "expired",
            "old",
            "mustchange",
            "locked",
            "lockable",
        ] {
            // The DNS domain and the UPN are the same name here.
            let names = [format!("ADTEST\\{name}"), format!("{name}@ad.example.test")];
            let aliases = names.iter().map(String::as_str);
            let upn = (name == "bob").then_some("robert.tester@ad.example.test");
            let aliases: Vec<_> = aliases.chain(upn).collect();
            setup = setup.foreigner(name, &aliases);
        }
        for (key, value) in settings {
            setup = setup.set(key, value);
        }
        let server = setup.within(domain.member()).start(&lab);
        Self {
            server,
            domain,
            lab,
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.server.doors.plain)
    }

    /// Logs in; what the server says.
    pub(crate) fn login(&self, speaker: &mut dyn Speaker) -> String {
        login(&mut self.client(), speaker)
    }

    /// Whether a user of the domain gets in, with the right password.
    pub(crate) fn lets_in(&self, user: &str) -> bool {
        let mut hand = crate::by_hand::Hand::new(user, "ADTEST", PASSWORD);
        self.login(&mut hand) == WELCOME
    }
}
