//! Settings of the LDAP directory.

use std::time::Duration;

use super::{Kind, Section, Setting, Standing, span, text};
use crate::config::meant::{LDAP_BIND_CONNECTIONS, LDAP_SEARCH_CONNECTIONS, LDAP_TIMEOUT};

const HOUR: u64 = 3_600_000;

/// A setting that has no counterpart elsewhere worth naming.
const fn setting(
    key: &'static str,
    kind: Kind,
    default: Standing,
    example: &'static str,
    doc: &'static str,
) -> Setting {
    Setting {
        key,
        kind,
        default,
        example,
        doc,
        exchange: None,
        dovecot: None,
    }
}

pub(super) const LDAP: Section = Section {
    name: "ldap",
    repeated: false,
    doc: "Accounts of an LDAP directory or Active Directory, asked after the local ones. While it is in trouble its \
          users are told to come later, and local users go on.",
    settings: &[
        Setting {
            key: "ldap.preset",
            kind: Kind::Choice(&["ad", "exchange-schema", "openldap", "freeipa"]),
            default: Standing::Absent("no directory is asked, and the other keys have no meaning"),
            example: "\"ad\"",
            doc: "What kind of directory it is. `ad` needs `ldap.domain` and a service account and nothing else; \
                  `exchange-schema` also reads what Exchange wrote: the home server, delegates, whether POP3 is \
                  on, and whether there is a mailbox.",
            exchange: None,
            dovecot: Some("passdb ldap, userdb ldap"),
        },
        setting(
            "ldap.domain",
            Kind::Text,
            Standing::Absent("short names are whole names, and only the typed name is looked for"),
            "\"ad.example.test\"",
            "The domain of the short names, as in DNS. The account `alice` is `alice@ad.example.test`, and may be \
             typed in either form. The servers and the base follow from it.",
        ),
        setting(
            "ldap.realms",
            Kind::List,
            Standing::Absent("under `ad` the first part of the domain"),
            "[\"ADTEST\"]",
            "What may stand before a backslash or after an `@` instead of the domain: the NetBIOS name of the \
             domain. A name with another realm is an address, or nobody's.",
        ),
        Setting {
            key: "ldap.servers",
            kind: Kind::List,
            default: Standing::Absent("those that the domain's DNS tells"),
            example: "[\"ldaps://dc1.ad.example.test\", \"ldaps://dc2.ad.example.test\"]",
            doc: "`ldaps://host[:port]`, `ldap://host[:port]` or `ldapi:///path`, in order of preference. The first \
                  that is in order is asked; one that failed is looked at in the background and gets its place \
                  back. Port 3269 is the global catalog. Referrals to other servers are never followed. Where none is \
                  named, the SRV records of `ldap.domain` tell them (`_ldap._tcp.dc._msdcs` under `ad`, `_ldap._tcp`), by \
                  priority and weight, from the resolver in /etc/resolv.conf; the certificate of such a server must \
                  have the name of the domain beside its own.",
            exchange: None,
            dovecot: Some("ldap_uris"),
        },
        Setting {
            key: "ldap.starttls",
            kind: Kind::Switch,
            default: Standing::Value(|_| true.to_string()),
            example: "true",
            doc: "Whether TLS begins before anything else is said to an `ldap://` server. Without it passwords \
                  travel in the clear. Servers that DNS tells are asked under TLS always: on the port that it tells, or \
                  without this by LDAPS on 636.",
            exchange: None,
            dovecot: Some("ldap_starttls"),
        },
        setting(
            "ldap.authorities",
            Kind::Path,
            Standing::Absent("the authorities of the system"),
            "\"/etc/postern/tls/directory-ca.pem\"",
            "Who may have issued the certificates of the servers, in PEM. A certificate must have the name that \
             stands in `ldap.servers`.",
        ),
        setting(
            "ldap.certificate",
            Kind::Path,
            Standing::Absent("we show none"),
            "\"/etc/postern/tls/ldap-client.pem\"",
            "Our certificate for servers that ask for one, in PEM; with `ldap.private_key`.",
        ),
        setting(
            "ldap.private_key",
            Kind::Path,
            Standing::Absent("we show none"),
            "\"/etc/postern/tls/ldap-client.key\"",
            "Its key, in PEM.",
        ),
        setting(
            "ldap.service",
            Kind::Choice(&["password", "external", "anonymous"]),
            Standing::Value(|_| text("password")),
            "\"password\"",
            "As whom accounts are looked up. `password`: `ldap.bind_name` and `ldap.password_file`. `external`: as \
             whom our certificate, or the socket's other end, says that we are.",
        ),
        Setting {
            key: "ldap.bind_name",
            kind: Kind::Text,
            default: Standing::Absent("needed with `ldap.service = \"password\"`"),
            example: "\"postern@ad.example.test\"",
            doc: "The service account: the name of its entry, or in Active Directory `user@domain`. It reads \
                  accounts and needs no other right.",
            exchange: None,
            dovecot: Some("ldap_auth_dn"),
        },
        setting(
            "ldap.password_file",
            Kind::Path,
            Standing::Absent("needed with `ldap.service = \"password\"`"),
            "\"/etc/postern/ldap-password\"",
            "A file with its password in one line. Nobody but root and the service user may read it.",
        ),
        Setting {
            key: "ldap.base",
            kind: Kind::Text,
            default: Standing::Absent("the domain as `DC=` parts"),
            example: "\"DC=ad,DC=example,DC=test\"",
            doc: "Below which entry the accounts are.",
            exchange: None,
            dovecot: Some("ldap_base"),
        },
        Setting {
            key: "ldap.filter",
            kind: Kind::Text,
            default: Standing::Absent("the preset's"),
            example: "\"(&(objectCategory=person)(objectClass=user))\"",
            doc: "Which entries are accounts (RFC 4515). The typed name is looked for among them; it is not part \
                  of this text.",
            exchange: None,
            dovecot: Some("passdb_ldap_filter"),
        },
        Setting {
            key: "ldap.verify",
            kind: Kind::Choice(&["bind", "read"]),
            default: Standing::Value(|_| text("bind")),
            example: "\"bind\"",
            doc: "How a password is verified. `bind`: by the directory. `read`: by comparing with `userPassword`, \
                  which the service account must be able to read ({CRYPT}, {SSHA}, {SSHA512}, {ARGON2} and their \
                  relations).",
            exchange: None,
            dovecot: Some("passdb_ldap_bind"),
        },
        Setting {
            key: "ldap.user_bind_name",
            kind: Kind::Text,
            default: Standing::Absent("the name of the entry that was found"),
            example: "\"{user}@ad.example.test\"",
            doc: "The name that users' binds are made with. `{name}` is the account's name, `{user}` the part of it \
                  before `@`.",
            exchange: None,
            dovecot: Some("passdb_ldap_bind_userdn"),
        },
        setting(
            "ldap.groups",
            Kind::List,
            Standing::Absent("everybody may use POP3"),
            "[\"CN=POP3 users,CN=Users,DC=ad,DC=example,DC=test\"]",
            "The names of groups of which an account must be in one. Under `ad` groups in groups count.",
        ),
        setting(
            "ldap.site_servers",
            Kind::List,
            Standing::Absent("`ldap.attributes.site` names the site itself"),
            "[\"EX01=london\", \"EX02=paris\"]",
            "The sites of home servers, where `ldap.attributes.site` names a server.",
        ),
        setting(
            "ldap.site_of_server",
            Kind::Choice(&["list", "directory"]),
            Standing::Value(|_| text("list")),
            "\"list\"",
            "Who tells the site of a home server. `list`: `ldap.site_servers`. `directory`: Active Directory, by what \
             Exchange wrote of the server (`msExchServerSite`), or by the site below which the server itself stands. \
             A server's site is asked for once in an hour.",
        ),
        setting(
            "ldap.unknown_site",
            Kind::Choice(&["refuse", "here"]),
            Standing::Value(|_| text("refuse")),
            "\"refuse\"",
            "What holds when `ldap.attributes.site` says nothing, or names a server of no site. `refuse`: the \
             mailbox is in another site (`login.cross_site` decides), `?` in the log. `here`: it is in this one.",
        ),
        setting(
            "ldap.timeout",
            Kind::Span(100, 60_000),
            Standing::Value(|_| span(LDAP_TIMEOUT)),
            "\"5s\"",
            "The time within which the directory answers, whatever happens, or the client is told to come later.",
        ),
        setting(
            "ldap.search_connections",
            Kind::Number(1, 256),
            Standing::Value(|_| LDAP_SEARCH_CONNECTIONS.to_string()),
            "8",
            "The most connections to one server for finding accounts. They are kept open.",
        ),
        setting(
            "ldap.bind_connections",
            Kind::Number(1, 256),
            Standing::Value(|_| LDAP_BIND_CONNECTIONS.to_string()),
            "4",
            "The most connections to one server for verifying passwords.",
        ),
    ],
};

pub(super) const ATTRIBUTES: Section = Section {
    name: "ldap.attributes",
    repeated: false,
    doc: "Which attributes say what, where it is not as the preset has it.",
    settings: &[
        setting(
            "ldap.attributes.name",
            Kind::Text,
            Standing::Absent("`sAMAccountName` or `uid`"),
            "\"sAMAccountName\"",
            "The short name, unique in the directory.",
        ),
        setting(
            "ldap.attributes.addresses",
            Kind::List,
            Standing::Absent("`userPrincipalName`, `mail` and `proxyAddresses`, or `mail`"),
            "[\"userPrincipalName\", \"mail\", \"proxyAddresses\"]",
            "Attributes with addresses that may be typed instead of the name. In `proxyAddresses` those that begin \
             with `smtp:` count.",
        ),
        Setting {
            key: "ldap.attributes.pop3",
            kind: Kind::Text,
            default: Standing::Absent(
                "`protocolSettings` under `exchange-schema`; else POP3 is on",
            ),
            example: "\"protocolSettings\"",
            doc: "Whether POP3 is on for the mailbox: a boolean, or Exchange's protocolSettings.",
            exchange: Some("Set-CASMailbox -PopEnabled"),
            dovecot: None,
        },
        Setting {
            key: "ldap.attributes.exact_size",
            kind: Kind::Text,
            default: Standing::Absent("`messages.exact_size` holds for all"),
            example: "\"popExactSize\"",
            doc: "A boolean that overrides `messages.exact_size` for the account.",
            exchange: Some("Set-CASMailbox -PopEnableExactRFC822Size"),
            dovecot: None,
        },
        setting(
            "ldap.attributes.maildrop",
            Kind::Text,
            Standing::Absent("Maildirs are where `maildrop.path` says"),
            "\"mailMessageStore\"",
            "The absolute path of the account's own Maildir.",
        ),
        setting(
            "ldap.attributes.delegates",
            Kind::Text,
            Standing::Absent("`publicDelegates` under `exchange-schema`; else there are none"),
            "\"publicDelegates\"",
            "Who may open the mailbox with their own password: names of entries or of accounts.",
        ),
        setting(
            "ldap.attributes.mailbox",
            Kind::Text,
            Standing::Absent(
                "`msExchMailboxGuid` under `exchange-schema`; else everybody has a mailbox",
            ),
            "\"msExchMailboxGuid\"",
            "An attribute that an account without a mailbox does not have.",
        ),
        setting(
            "ldap.attributes.id",
            Kind::Text,
            Standing::Absent("`objectGUID`, `entryUUID` or `ipaUniqueID`"),
            "\"entryUUID\"",
            "What the directory gives to an entry once and to no other, in one value. By it the sessions of an \
             account that is gone end when somebody new gets its name (`login.recheck`). An entry that does not \
             show it is known by its name alone. It must be the same on all `ldap.servers`.",
        ),
        setting(
            "ldap.attributes.site",
            Kind::Text,
            Standing::Absent(
                "`msExchHomeServerName` under `exchange-schema`, with `ldap.site_servers` or `ldap.site_of_server`; else all mailboxes are here",
            ),
            "\"msExchHomeServerName\"",
            "Where the mailbox lives: the name of a site, or with `ldap.site_servers` or `ldap.site_of_server` of a server.",
        ),
    ],
};

pub(super) const CACHE: Section = Section {
    name: "ldap.cache",
    repeated: false,
    doc: "For how long answers of the directory are kept, to spare it. As delivered nothing is kept, and what the \
          directory says holds at once. A name that reaches nobody, an account that may not log in and a wrong \
          password are never kept.",
    settings: &[
        Setting {
            key: "ldap.cache.accounts",
            kind: Kind::Span(0, HOUR),
            default: Standing::Value(|_| span(Duration::ZERO)),
            example: "\"1m\"",
            doc: "How long an account that was found, with its groups, site and delegates, is taken as it was. An \
                  account that is disabled can log in for so long. 0 switches it off.",
            exchange: None,
            dovecot: Some("auth_cache_ttl"),
        },
        Setting {
            key: "ldap.cache.passwords",
            kind: Kind::Span(0, HOUR),
            default: Standing::Value(|_| span(Duration::ZERO)),
            example: "\"5m\"",
            doc: "How long a password that was right is right without asking again, for this account alone. A changed \
                  entry (a new password, a lock) ends it at the next login if the service account may read when it \
                  changed; so does a wrong password. Otherwise an old password works for so long. 0 switches it off.",
            exchange: None,
            dovecot: Some("auth_cache_ttl"),
        },
    ],
};
