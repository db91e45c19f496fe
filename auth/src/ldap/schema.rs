//! Which attributes of a directory say what about an account.
//!
//! A preset is a starting point: every attribute can be named otherwise.

use super::filter::{Attribute, WrittenFilter};

/// What the attributes of a directory mean.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Which entries are accounts.
    pub people: WrittenFilter,
    /// The attribute with the short name, unique in the directory: `uid`, `sAMAccountName`. The
    /// account's canonical name is made of it.
    pub name: Attribute,
    /// Attributes with addresses, whole names that may be typed instead, and what stands before
    /// the address in each.
    pub addresses: Vec<Address>,
    /// The attribute with the user principal name, where a directory has such names: whole, unique,
    /// and given to its owner alone.
    pub principal: Option<Attribute>,
    /// The domain of the short names, in lower case: `alice` is `alice@domain` here. Without one
    /// the short name is the whole name.
    pub domain: Option<String>,
    /// Other realms in which short names may be typed, such as a Windows domain's NetBIOS name.
    pub realms: Vec<String>,
    /// Whether accounts may be logged in to by POP3.
    pub pop3: Option<Attribute>,
    /// Whether sizes are exact for the account.
    pub exact_size: Option<Attribute>,
    /// Where the Maildir is: an absolute path.
    pub maildrop: Option<Attribute>,
    /// Who may open the mailbox: names of entries, or of accounts.
    pub delegates: Option<Attribute>,
    /// An attribute that whoever has a mailbox has.
    pub mailbox: Option<Attribute>,
    /// What tells an entry from every other, also from one that gets its name later: given once, never
    /// changed, and one value.
    pub id: Option<Attribute>,
    /// How groups are asked for.
    pub groups: Groups,
}

/// An attribute with addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The attribute.
    pub attribute: Attribute,
    /// What stands before the address: `smtp:` in proxyAddresses.
    pub prefix: &'static str,
}

/// How it is found out whether an account is a member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Active Directory follows groups in groups itself (LDAP_MATCHING_RULE_IN_CHAIN).
    InChain,
    /// The account's `memberOf`; FreeIPA has groups in groups in it, too.
    MemberOf,
    /// The group's `member`, `uniqueMember` or `memberUid`.
    Member,
}

/// What is known of a kind of directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Active Directory without Exchange's schema.
    Ad,
    /// Active Directory with what Exchange has added.
    ExchangeSchema,
    /// OpenLDAP and others with inetOrgPerson.
    OpenLdap,
    /// FreeIPA, and 389 Directory Server as it sets it up.
    FreeIpa,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [
        Self::Ad,
        Self::ExchangeSchema,
        Self::OpenLdap,
        Self::FreeIpa,
    ];

    /// Its word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ad => "ad",
            Self::ExchangeSchema => "exchange-schema",
            Self::OpenLdap => "openldap",
            Self::FreeIpa => "freeipa",
        }
    }

    /// The preset of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == word)
    }

    /// Whether it is an Active Directory, where everything follows from the domain.
    pub fn is_ad(self) -> bool {
        matches!(self, Self::Ad | Self::ExchangeSchema)
    }

    /// The attribute that says where a mailbox lives, where there is a usual one.
    pub fn site(self) -> Option<Attribute> {
        match self {
            Self::ExchangeSchema => Some(Attribute::known("msExchHomeServerName")),
            Self::Ad | Self::OpenLdap | Self::FreeIpa => None,
        }
    }

    /// What its attributes mean.
    pub fn schema(self) -> Schema {
        let known = |name| Attribute::known(name);
        let address = |name, prefix| Address {
            attribute: Attribute::known(name),
            prefix,
        };
        let schema = Schema {
            people: WrittenFilter::known("(objectClass=inetOrgPerson)"),
            name: known("uid"),
            addresses: vec![address("mail", "")],
            principal: None,
            domain: None,
            realms: Vec::new(),
            pop3: None,
            exact_size: None,
            maildrop: None,
            delegates: None,
            mailbox: None,
            id: Some(known("entryUUID")),
            groups: Groups::Member,
        };
        let ad = Schema {
            // Users, and not computers, which are users too. The category is indexed.
            people: WrittenFilter::known("(&(objectCategory=person)(objectClass=user))"),
            name: known("sAMAccountName"),
            addresses: vec![
                address("userPrincipalName", ""),
                address("mail", ""),
                address("proxyAddresses", "smtp:"),
            ],
            principal: Some(known("userPrincipalName")),
            id: Some(known("objectGUID")),
            groups: Groups::InChain,
            ..schema.clone()
        };
        match self {
            Self::OpenLdap => schema,
            Self::FreeIpa => Schema {
                people: WrittenFilter::known("(objectClass=posixAccount)"),
                addresses: vec![address("mail", ""), address("krbPrincipalName", "")],
                id: Some(known("ipaUniqueID")),
                groups: Groups::MemberOf,
                ..schema
            },
            Self::Ad => ad,
            Self::ExchangeSchema => Schema {
                pop3: Some(known("protocolSettings")),
                delegates: Some(known("publicDelegates")),
                mailbox: Some(known("msExchMailboxGuid")),
                ..ad
            },
        }
    }
}

/// Where mailboxes live.
#[derive(Clone, Debug)]
pub struct SiteRule {
    /// The attribute that says so: the site's name, or the name of a server.
    pub attribute: Attribute,
    /// The sites of servers; without any, the attribute names the site itself.
    pub servers: Vec<(String, String)>,
    /// Whether Active Directory tells the site of the server that the attribute names.
    pub in_directory: bool,
    /// What holds for a mailbox whose site is not known.
    pub unknown: UnknownSite,
}

/// What holds for a mailbox whose site is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownSite {
    /// It is somewhere else.
    Elsewhere,
    /// It is here.
    Here,
}
