//! Kerberos: the keytab, the services, and whose principal is which login.

use postern_auth::{
    GssapiSettings, Login, LoginPattern, Principal, PrincipalRule, PrincipalRules, RealmRule,
    ServiceName,
};

use super::{Resolver, or, texts};
use crate::config::option::SERVICES;
use crate::config::{Listener, file};

/// The mechanisms that need a keytab.
const NEEDING: [&str; 2] = ["GSSAPI", "GSS-SPNEGO"];

impl Resolver<'_> {
    /// What Kerberos needs to know; none when there is no keytab.
    pub(super) fn gssapi(
        &mut self,
        file: &file::File,
        listeners: &[Listener],
    ) -> Option<GssapiSettings> {
        let written = &file.gssapi;
        let services = self.services(written);
        let rules = PrincipalRules {
            realms: self.realms(written),
            principals: self.principals(written),
        };
        let replay_cache = written.replay_cache.as_ref().and_then(|_| {
            let remedy = "name a file in a folder of the service user";
            self.path("gssapi.replay_cache", &written.replay_cache, remedy)
        });
        let mut rules_of = listeners.iter().map(|listener| &listener.rule);
        let needs = |name: &String| NEEDING.contains(&name.as_str());
        let is_used = rules_of.any(|rule| rule.mechanisms.iter().any(needs));
        let remedy = "under [gssapi], write keytab = \"/etc/postern/pop.keytab\"";
        match (&written.keytab, is_used) {
            (Some(keytab), false) => {
                let problem = "there is a keytab, but GSSAPI is in no list of mechanisms";
                let remedy = "write login.mechanisms = [\"GSSAPI\", \"PLAIN\"]";
                self.warning("gssapi.keytab", keytab.span(), problem, remedy);
            }
            (None, true) => {
                let problem = "GSSAPI and GSS-SPNEGO need a keytab, and none is named";
                self.missing("gssapi.keytab", problem, remedy);
            }
            (Some(_), true) | (None, false) => {}
        }
        written.keytab.as_ref()?;
        Some(GssapiSettings {
            keytab: self.path("gssapi.keytab", &written.keytab, remedy)?,
            services,
            replay_cache,
            weak_keys: or(&written.weak_keys, false),
            rules,
        })
    }

    fn services(&mut self, written: &file::Gssapi) -> Vec<ServiceName> {
        let key = "gssapi.services";
        let Some(list) = &written.services else {
            return SERVICES
                .iter()
                .filter_map(|name| ServiceName::parse(name))
                .collect();
        };
        let remedy = "write a service such as \"pop\", or one of a host: \"pop/mail.example.test\"";
        if list.get_ref().is_empty() {
            self.error(
                key,
                list.span(),
                "without a service no ticket counts",
                remedy,
            );
        }
        let mut services = Vec::new();
        for (name, span) in texts(list.get_ref()) {
            match ServiceName::parse(name) {
                Some(service) => services.push(service),
                None => {
                    let problem = format!("{name:?} is not the name of a service");
                    self.error(key, span, &problem, remedy);
                }
            }
        }
        services
    }

    fn realms(&mut self, written: &file::Gssapi) -> Vec<RealmRule> {
        let mut realms: Vec<RealmRule> = Vec::new();
        for (number, item) in written.realm.iter().enumerate() {
            let key = |name: &str| format!("gssapi.realm[{number}].{name}");
            let item = item.get_ref();
            let Some(name) = &item.name else {
                let remedy = "write name = \"EXAMPLE.TEST\"";
                self.missing(&key("name"), "the key is missing", remedy);
                continue;
            };
            let realm = name.get_ref();
            let is_new = realms.iter().all(|other| other.realm != *realm);
            if !is_new || realm.is_empty() || realm.contains('@') {
                let problem = format!("{realm:?} is not the name of a realm, or stands here twice");
                let remedy = "write each realm once, as the KDC writes it: \"EXAMPLE.TEST\"";
                self.error(&key("name"), name.span(), &problem, remedy);
            }
            let login = item
                .login
                .as_ref()
                .map_or(Some(LoginPattern::default()), |login| {
                    let pattern = LoginPattern::parse(login.get_ref());
                    if pattern.is_none() {
                        let problem = "{user} must stand in it once, and {realm} at most once";
                        let remedy = "write \"{user}\" or \"{user}@example.test\"";
                        self.error(&key("login"), login.span(), problem, remedy);
                    }
                    pattern
                });
            realms.extend(login.map(|login| RealmRule {
                realm: realm.clone(),
                login,
                ignore_case: or(&item.ignore_case, false),
            }));
        }
        realms
    }

    fn principals(&mut self, written: &file::Gssapi) -> Vec<PrincipalRule> {
        let mut principals: Vec<PrincipalRule> = Vec::new();
        for (number, item) in written.principal.iter().enumerate() {
            let key = |name: &str| format!("gssapi.principal[{number}].{name}");
            let item = item.get_ref();
            let (Some(name), Some(login)) = (&item.name, &item.login) else {
                let remedy = "write name = \"svc/host@REALM\" and login = \"account\"";
                self.missing(&key("name"), "name or login is missing", remedy);
                continue;
            };
            if Login::parse(login.get_ref()).is_err() {
                let problem =
                    "this is no login: it is empty, too long or has control characters in it";
                let remedy = "write the name of an account";
                self.error(&key("login"), login.span(), problem, remedy);
            }
            let principal = Principal::parse(name.get_ref());
            let is_new = |one: &Principal| principals.iter().all(|other| other.principal != *one);
            match principal.filter(is_new) {
                Some(principal) => principals.push(PrincipalRule {
                    principal,
                    login: login.get_ref().clone(),
                }),
                None => {
                    let problem = format!(
                        "{:?} is not a whole principal, or stands here twice",
                        name.get_ref()
                    );
                    let remedy =
                        "write it as klist shows it, with its realm: \"alice@EXAMPLE.TEST\"";
                    self.error(&key("name"), name.span(), &problem, remedy);
                }
            }
        }
        principals
    }
}
