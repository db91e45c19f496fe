//! The LDAP directory: whether what the settings name is there, by the schema of the server itself.
//!
//! A directory out of reach is a warning, as a reload must be possible while it is; with `--strict` it
//! is an error. What a server does not say (many hide their schema) is not looked at.

use std::sync::Arc;

use postern_auth::{
    Attribute, LdapDirectory, LdapSettings, LdapTrouble, Pool, Subschema, Survey, UnknownSite,
};
use tokio::task::JoinSet;

use crate::config::{Config, Finding};
use crate::serve;

/// Asks every server; says in a line each what was seen.
pub(super) fn check(config: &Config, strict: bool, findings: &mut Vec<Finding>) -> Vec<String> {
    let settings = match serve::ldap_settings(config) {
        Ok(Some(settings)) => settings,
        Ok(None) => return Vec::new(),
        Err(error) => {
            let remedy = "write the service account's password into it in one line, and let root and the \
                          service user alone read it";
            findings.push(Finding::error(error.to_string(), remedy).key("ldap.password_file"));
            return Vec::new();
        }
    };
    match surveys(&settings) {
        Ok(surveys) => judge(&settings, surveys, strict, findings),
        Err(problem) => {
            let remedy = "correct what it names, then `postern check` again";
            findings.push(Finding::error(problem, remedy).key("ldap"));
            Vec::new()
        }
    }
}

type Seen = Result<Survey, LdapTrouble>;

/// Every server by itself, all at the same time: within the time that one question may take.
fn surveys(settings: &LdapSettings) -> Result<Vec<Seen>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let pool = Arc::new(Pool::new("check", 1, 8, 8).map_err(|error| words(&error))?);
    let mut each = Vec::new();
    for server in &settings.servers {
        let alone = LdapSettings {
            servers: vec![server.clone()],
            ..settings.clone()
        };
        let directory = LdapDirectory::new(alone, Arc::clone(&pool));
        each.push(directory.map_err(|error| words(&error))?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| words(&error))?;
    let mut seen: Vec<_> = runtime.block_on(async {
        let mut looks = JoinSet::new();
        for (number, directory) in each.into_iter().enumerate() {
            looks.spawn(async move { (number, directory.survey().await) });
        }
        looks.join_all().await
    });
    seen.sort_by_key(|(number, _)| *number);
    Ok(seen.into_iter().map(|(_, survey)| survey).collect())
}

/// What follows. Servers of one directory say the same, so the first that answers is believed.
fn judge(
    settings: &LdapSettings,
    surveys: Vec<Seen>,
    strict: bool,
    findings: &mut Vec<Finding>,
) -> Vec<String> {
    let mut contents = Vec::new();
    let mut first = true;
    for survey in surveys {
        match survey {
            Ok(survey) => {
                if std::mem::take(&mut first) {
                    one(settings, &survey, findings);
                }
                contents.push(line(&survey));
            }
            Err(trouble) => {
                let remedy = "see that it runs and can be reached from here; until then its users are told to \
                              come later, or another server is asked";
                let problem = trouble.to_string();
                let finding = if strict {
                    Finding::error(problem, remedy)
                } else {
                    Finding::warning(problem, remedy)
                };
                findings.push(finding.key("ldap.servers"));
            }
        }
    }
    contents
}

fn line(survey: &Survey) -> String {
    let Survey { server, people, .. } = survey;
    let schema = if survey.schema.is_empty() {
        "it does not show its schema"
    } else {
        "its schema was read"
    };
    let more = if survey.more { "more than " } else { "" };
    match &survey.person {
        Some(person) => format!("{server}: {schema}, {more}{people} people, such as {person}"),
        None => format!("{server}: {schema}, nobody found"),
    }
}

fn one(settings: &LdapSettings, survey: &Survey, findings: &mut Vec<Finding>) {
    if !survey.base {
        let problem = format!("{} has no entry {}", survey.server, settings.base);
        let remedy = "correct it, or give the service account the right to read below it";
        findings.push(Finding::error(problem, remedy).key("ldap.base"));
    } else if survey.people == 0 {
        let filter = settings.schema.people.as_str();
        let problem = format!(
            "nobody is found below {:?} by {filter}: either there is nobody, or the service account may not \
             see them",
            settings.base
        );
        let remedy =
            "correct ldap.base or ldap.filter, or give the service account the right to read";
        findings.push(Finding::error(problem, remedy).key("ldap.filter"));
    } else if survey.named == 0 {
        let problem = format!(
            "none of {} people has an attribute {} that the service account may read",
            survey.people,
            settings.schema.name.as_str()
        );
        let remedy = "correct it, or give the service account the right to read it";
        findings.push(Finding::error(problem, remedy).key("ldap.attributes.name"));
    }
    if survey.passwords == Some(0) && survey.people > 0 {
        let problem =
            "passwords are compared with userPassword, which the service account may not read";
        let remedy = "give it the right, or set ldap.verify = \"bind\"";
        findings.push(Finding::error(problem, remedy).key("ldap.verify"));
    }
    identity(settings, survey, findings);
    realms(settings, survey, findings);
    for group in &survey.missing_groups {
        let problem = format!(
            "there is no group {group}, or the service account may not see it: nobody is in it"
        );
        let remedy =
            "write the whole name of its entry, or give the service account the right to read it";
        findings.push(Finding::warning(problem, remedy).key("ldap.groups"));
    }
    if !survey.schema.is_empty() {
        names(settings, &survey.schema, findings);
        filter(settings, &survey.schema, findings);
    }
}

/// Whether one can tell an account from another that gets its name. An attribute that the directory does
/// not know at all is told with the others.
fn identity(settings: &LdapSettings, survey: &Survey, findings: &mut Vec<Finding>) {
    let Some(id) = &settings.schema.id else {
        return;
    };
    let known = survey.schema.is_empty() || survey.schema.has_attribute(id);
    if known && survey.identified == Some(0) && survey.people > 0 {
        let problem = format!(
            "none of {} people has an attribute {} that the service account may read, so {REPLACED}",
            survey.people,
            id.as_str()
        );
        let remedy = "give it the right to read it, or name another attribute that is given once";
        findings.push(Finding::warning(problem, remedy).key("ldap.attributes.id"));
    }
}

/// Whether the word before the backslash is what Windows calls the domain.
fn realms(settings: &LdapSettings, survey: &Survey, findings: &mut Vec<Finding>) {
    let (Some(name), Some(domain)) = (&survey.netbios, &settings.schema.domain) else {
        return;
    };
    let realms = &settings.schema.realms;
    if [domain]
        .into_iter()
        .chain(realms)
        .any(|realm| realm.eq_ignore_ascii_case(name))
    {
        return;
    }
    let instead = match realms.as_slice() {
        [] => "and no other name is known here".to_owned(),
        others => format!("and is taken for {} here", others.join(", ")),
    };
    let problem = format!(
        "Windows calls the domain {domain} {name}, {instead}: nobody is found as {name}\\user, nor by NTLM"
    );
    let remedy = format!("write realms = [\"{name}\"]");
    findings.push(Finding::warning(problem, remedy).key("ldap.realms"));
}

/// An attribute of the settings: its key, its name, and what follows when the directory does not know it.
type Named<'a> = (&'static str, Option<&'a Attribute>, &'static str);

fn named(settings: &LdapSettings) -> impl Iterator<Item = Named<'_>> {
    let ours = &settings.schema;
    let elsewhere = |unknown| unknown == UnknownSite::Elsewhere;
    let site = settings.site.as_ref();
    let follows = if site.is_some_and(|rule| elsewhere(rule.unknown)) {
        "every mailbox is in another site"
    } else {
        "every mailbox is here"
    };
    let addresses = ours.addresses.iter().map(|address| {
        let key = "ldap.attributes.addresses";
        (key, Some(&address.attribute), "no address in it is found")
    });
    let named: [Named<'_>; 8] = [
        ("ldap.attributes.name", Some(&ours.name), NOBODY),
        ("ldap.attributes.mailbox", ours.mailbox.as_ref(), NOBODY),
        (
            "ldap.attributes.pop3",
            ours.pop3.as_ref(),
            "POP3 is on for everybody",
        ),
        (
            "ldap.attributes.exact_size",
            ours.exact_size.as_ref(),
            "messages.exact_size holds for everybody",
        ),
        (
            "ldap.attributes.maildrop",
            ours.maildrop.as_ref(),
            "every Maildir is where maildrop.path says",
        ),
        (
            "ldap.attributes.delegates",
            ours.delegates.as_ref(),
            "nobody is a delegate",
        ),
        ("ldap.attributes.id", ours.id.as_ref(), REPLACED),
        (
            "ldap.attributes.site",
            site.map(|rule| &rule.attribute),
            follows,
        ),
    ];
    named.into_iter().chain(addresses)
}

/// Attributes that the server does not know, each with what follows from it.
fn names(settings: &LdapSettings, schema: &Subschema, findings: &mut Vec<Finding>) {
    for (key, attribute, follows) in named(settings) {
        let Some(attribute) = attribute.filter(|name| !schema.has_attribute(name)) else {
            continue;
        };
        let problem = format!(
            "the directory knows no attribute {:?}, so {follows}",
            attribute.as_str()
        );
        let remedy =
            "write the name as the directory's schema has it, or choose another `ldap.preset`";
        let finding = if follows == NOBODY {
            Finding::error(problem, remedy)
        } else {
            Finding::warning(problem, remedy)
        };
        findings.push(finding.key(key));
    }
}

/// What follows when entries have no identity.
const REPLACED: &str = "the sessions of an account that is gone go on when another gets its name";

/// What follows when nobody has what everybody needs.
const NOBODY: &str = "nobody can log in";

/// What the filter mentions and the server does not know. Whether anybody is found was seen before.
fn filter(settings: &LdapSettings, schema: &Subschema, findings: &mut Vec<Finding>) {
    let mentioned = settings.schema.people.mentioned();
    let attributes = mentioned.attributes.iter();
    let attributes = attributes
        .filter(|name| !schema.has_attribute(name))
        .map(|name| format!("attribute {:?}", name.as_str()));
    let classes = mentioned.classes.iter();
    let classes = classes
        .filter(|name| !schema.has_class(name))
        .map(|name| format!("object class {name:?}"));
    for unknown in attributes.chain(classes) {
        let problem =
            format!("the directory knows no {unknown}, so this part of the filter finds nothing");
        let remedy = "write the name as the directory's schema has it";
        findings.push(Finding::warning(problem, remedy).key("ldap.filter"));
    }
}
