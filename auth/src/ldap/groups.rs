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
    let of_account = |filter: &dyn Fn(&String) -> Filter| {
        vec![Question {
            base: dn.to_owned(),
            scope: Scope::Base,
            filter: Filter::Or(allowed.iter().map(filter).collect()),
            attributes: vec![NOTHING.to_owned()],
            most: 1,
        }]
    };
    let member_of = Attribute::known("memberOf");
    match groups {
        Groups::InChain => {
            of_account(&|group| Filter::Rule(member_of.clone(), IN_CHAIN, group.clone()))
        }
        Groups::MemberOf => of_account(&|group| Filter::equal(&member_of, group.as_str())),
        Groups::Member => {
            let members = having(dn, short);
            let of_group = |group: &String| Question {
                base: group.clone(),
                scope: Scope::Base,
                filter: members.clone(),
                attributes: vec![NOTHING.to_owned()],
                most: 1,
            };
            allowed.iter().map(of_group).collect()
        }
    }
}

/// Groups that have this member, named as a whole or by its short name.
pub(super) fn having(dn: &str, short: &str) -> Filter {
    Filter::Or(vec![
        Filter::equal(&Attribute::known("member"), dn),
        Filter::equal(&Attribute::known("uniqueMember"), dn),
        Filter::equal(&Attribute::known("memberUid"), short),
    ])
}

/// RFC 4511 §4.5.1.8: no attributes are wanted.
pub(super) const NOTHING: &str = "1.1";
