//! Whether an account is in one of the groups that may use POP3.

use ldap3::Scope;

use super::filter::{Attribute, Filter};
use super::schema::Groups;
use super::search::Question;

/// LDAP_MATCHING_RULE_IN_CHAIN (\[MS-ADTS\] 3.1.1.3.4.4.3).
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// The questions of which one must find something, for the entry `dn` whose short name is `short`.
pub(super) fn questions(
    groups: Groups,
    allowed: &[String],
    dn: &str,
    short: &str,
) -> Vec<Question> {
    match groups {
        Groups::InChain | Groups::MemberOf => vec![Question {
            base: dn.to_owned(),
            scope: Scope::Base,
            filter: Filter::Or(member_of(groups, allowed)),
            attributes: vec![NOTHING.to_owned()],
            most: 1,
        }],
        Groups::Member => {
            let members = has_member(dn, short);
            let asked = allowed.iter();
            asked
                .map(|group| of_group(group, members.clone()))
                .collect()
        }
    }
}

/// What an entry has that is in one of these groups, where the entry says so.
pub(super) fn member_of(groups: Groups, allowed: &[String]) -> Vec<Filter> {
    let attribute = Attribute::known("memberOf");
    let member = |group: &String| match groups {
        Groups::InChain => Filter::Rule(attribute.clone(), IN_CHAIN, group.clone()),
        Groups::MemberOf | Groups::Member => Filter::equal(&attribute, group.as_str()),
    };
    allowed.iter().map(member).collect()
}

/// What a group has of which the entry `dn` with the short name `short` is a member.
pub(super) fn has_member(dn: &str, short: &str) -> Filter {
    Filter::Or(vec![
        Filter::equal(&Attribute::known("member"), dn),
        Filter::equal(&Attribute::known("uniqueMember"), dn),
        Filter::equal(&Attribute::known("memberUid"), short),
    ])
}

/// Whether the group fits a filter.
pub(super) fn of_group(group: &str, filter: Filter) -> Question {
    Question {
        base: group.to_owned(),
        scope: Scope::Base,
        filter,
        attributes: vec![NOTHING.to_owned()],
        most: 1,
    }
}

/// RFC 4511 §4.5.1.8: no attributes are wanted.
const NOTHING: &str = "1.1";
