//! NTLM: who may use it, the names that are shown, who verifies; and how winbind is asked.

use std::time::Duration;

use postern_auth::{Network, NtlmNames, NtlmPolicy, NtlmVerify, Policy, WinbindSettings};
use toml::Spanned;

use super::server::is_hostname;
use super::{Resolver, or, texts, word, words};
use crate::config::Listener;
use crate::config::command::Command;
use crate::config::file::{self, Maybe};
use crate::config::quantity::Span;

/// The longest NetBIOS name.
const MAX_NETBIOS: usize = 15;
/// What Samba's program needs to be told.
const ARGUMENTS: [&str; 2] = ["--helper-protocol=ntlm-server-1", "--allow-mschapv2"];
const HELPER: &str = "/usr/bin/ntlm_auth";
const HELPERS: u64 = 4;
const DEADLINE: Duration = Duration::from_secs(10);

impl Resolver<'_> {
    pub(super) fn ntlm(&mut self, written: &file::Ntlm, hostname: &str) -> NtlmPolicy {
        let names = self.ntlm_names(written, hostname);
        let usual = NtlmPolicy::new(names);
        let (except_networks, except_accounts) = self.except(&written.except);
        NtlmPolicy {
            mode: word(&written.mode, words::ntlm_mode, usual.mode),
            except_networks,
            except_accounts,
            require_mic: or(&written.require_mic, usual.require_mic),
            max_skew: or(&written.max_skew, Span(usual.max_skew)).0,
            targets: self.targets(&written.targets),
            verify: word(&written.verify, words::ntlm_verify, usual.verify),
            local_domains: match &written.local_domains {
                Some(list) => texts(list.get_ref())
                    .map(|(domain, _)| domain.to_lowercase())
                    .collect(),
                None => usual.local_domains,
            },
            delegate: or(&written.delegate, usual.delegate),
            names: usual.names,
        }
    }

    /// What the server says of itself. Of the host's name everybody knows already.
    fn ntlm_names(&mut self, written: &file::Ntlm, hostname: &str) -> NtlmNames {
        let first = hostname.split('.').next().unwrap_or_default();
        let computer: String = first.chars().take(MAX_NETBIOS).collect();
        let domain = self.netbios("ntlm.domain", &written.domain);
        let dns_domain = self.dns("ntlm.dns_domain", &written.dns_domain);
        NtlmNames {
            domain,
            computer: self
                .netbios("ntlm.computer", &written.computer)
                .unwrap_or_else(|| computer.to_ascii_uppercase()),
            dns_domain,
            dns_computer: self
                .dns("ntlm.dns_computer", &written.dns_computer)
                .unwrap_or_else(|| hostname.to_owned()),
        }
    }

    fn netbios(&mut self, key: &str, written: &Maybe<String>) -> Option<String> {
        let name = written.as_ref()?;
        if !is_netbios(name.get_ref()) {
            let problem = format!("{:?} is not a NetBIOS name", name.get_ref());
            let remedy = "write 1 to 15 ASCII letters, digits and hyphens, such as \"EXAMPLE\"";
            self.error(key, name.span(), &problem, remedy);
        }
        Some(name.get_ref().clone())
    }

    fn dns(&mut self, key: &str, written: &Maybe<String>) -> Option<String> {
        let name = written.as_ref()?;
        if !is_hostname(name.get_ref()) {
            let problem = format!("{:?} is not a DNS name", name.get_ref());
            let remedy = "write a full name such as \"example.test\"";
            self.error(key, name.span(), &problem, remedy);
        }
        Some(name.get_ref().clone())
    }

    /// Networks, and whatever else is in the list: names of accounts.
    fn except(&mut self, written: &Maybe<Vec<Spanned<String>>>) -> (Vec<Network>, Vec<String>) {
        let (mut networks, mut accounts) = (Vec::new(), Vec::new());
        let list = written.iter().flat_map(|list| texts(list.get_ref()));
        for (text, span) in list {
            match text.parse::<Network>() {
                Ok(network) => networks.push(network),
                // No account has a slash in its name.
                Err(_) if text.is_empty() || text.contains(['/', '\\']) => {
                    let problem = format!("{text:?} is neither a network nor an account");
                    let remedy = "write a network such as \"10.20.0.0/16\", or the canonical name of an account";
                    self.error("ntlm.except", span, &problem, remedy);
                }
                Err(_) => accounts.push(text.to_lowercase()),
            }
        }
        (networks, accounts)
    }

    /// A list of networks, if there is one.
    pub(super) fn networks(
        &mut self,
        key: &str,
        written: &Maybe<Vec<Spanned<String>>>,
    ) -> Option<Vec<Network>> {
        let mut networks = Vec::new();
        for (text, span) in texts(written.as_ref()?.get_ref()) {
            match text.parse() {
                Ok(network) => networks.push(network),
                Err(problem) => {
                    let problem = format!("{text:?} is {problem}");
                    let remedy =
                        "write addresses or networks, such as [\"10.20.30.40\", \"10.1.0.0/16\"]";
                    self.error(key, span, &problem, remedy);
                }
            }
        }
        Some(networks)
    }

    fn targets(&mut self, written: &Maybe<Vec<Spanned<String>>>) -> Vec<String> {
        let mut targets = Vec::new();
        for (text, span) in written.iter().flat_map(|list| texts(list.get_ref())) {
            if !text.contains('/') || text.chars().any(char::is_whitespace) {
                let problem = format!("{text:?} is not the name of a service");
                let remedy = "write the service, a slash and the host: \"pop/pop.example.test\"";
                self.error("ntlm.targets", span, &problem, remedy);
            }
            targets.push(text.to_owned());
        }
        targets
    }

    /// How winbind is asked, if anybody asks it.
    pub(super) fn winbind(
        &mut self,
        written: &file::File,
        policy: &Policy,
        listeners: &[Listener],
    ) -> Option<WinbindSettings> {
        let mut rules = listeners.iter().map(|listener| &listener.rule);
        let is_used = policy.ntlm.verify != NtlmVerify::Local
            && rules.any(|rule| rule.mechanisms.iter().any(|name| name == "NTLM"));
        let section = &written.winbind;
        let settings = WinbindSettings {
            command: self.helper(&section.helper),
            helpers: usize::try_from(or(&section.helpers, HELPERS)).unwrap_or(1),
            deadline: or(&section.deadline, Span(DEADLINE)).0,
        };
        is_used.then_some(settings)
    }

    fn helper(&mut self, written: &Maybe<Command>) -> Vec<String> {
        let with_arguments = |program: &str| {
            let arguments = ARGUMENTS.map(str::to_owned);
            std::iter::once(program.to_owned())
                .chain(arguments)
                .collect()
        };
        let Some(helper) = written else {
            return with_arguments(HELPER);
        };
        let command: Vec<String> = match helper.get_ref() {
            Command::Program(program) => with_arguments(program),
            Command::Whole(words) => words.clone(),
        };
        if !command
            .first()
            .is_some_and(|program| program.starts_with('/'))
        {
            let problem = "the program is not named by its full path";
            let remedy =
                "write helper = \"/usr/bin/ntlm_auth\"; Debian has it in the package winbind";
            self.error("winbind.helper", helper.span(), problem, remedy);
        }
        command
    }
}

/// What every server and client takes for one. Windows forbids a few characters more than these
/// rules do, and has them in no name.
fn is_netbios(name: &str) -> bool {
    let letter = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    (1..=MAX_NETBIOS).contains(&name.len()) && name.bytes().all(letter)
}
