//! Thresholds: how many different people stood up for something.

use std::collections::BTreeSet;

use super::Signed;

/// Whose signatures count.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Need<'a> {
    /// Roles of which a key must have one; any where it is empty.
    pub(crate) roles: &'a [String],
    /// People who wrote the change, who do not count; empty where they do.
    pub(crate) authors: &'a [String],
}

/// Who signed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counted {
    /// Those who count, each once whatever keys they hold.
    pub(crate) principals: BTreeSet<String>,
    /// Those who signed and do not count, and why.
    pub(crate) left_out: BTreeSet<(String, &'static str)>,
}

/// Counts principals, not keys and not files.
pub(crate) fn count(signed: &[Signed], need: &Need<'_>) -> Counted {
    let mut counted = Counted::default();
    for signature in signed {
        let principal = same(&signature.principal);
        if !need.roles.is_empty() && !signature.roles.iter().any(|role| need.roles.contains(role)) {
            counted.left_out.insert((principal, "the key has none of the roles that count"));
        } else if need.authors.iter().any(|author| same(author) == principal) {
            counted.left_out.insert((principal, "the author of the change does not count"));
        } else {
            counted.principals.insert(principal);
        }
    }
    // With a second key in the right role a person counts after all.
    let Counted { principals, left_out } = &mut counted;
    left_out.retain(|(principal, _)| !principals.contains(principal));
    counted
}

/// One person in one spelling: the case of a mail address makes no other person.
pub(crate) fn same(person: &str) -> String {
    person.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by(principal: &str, roles: &[&str]) -> Signed {
        Signed {
            key: format!("{principal}-{}", roles.join("-")),
            principal: principal.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        }
    }

    #[test]
    fn one_person_with_two_keys_is_one_person() {
        let signed = [by("alice@x", &["a"]), by("Alice@X ", &["b"]), by("bob@x", &[])];
        assert_eq!(count(&signed, &Need::default()).principals.len(), 2);
    }

    #[test]
    fn authors_and_keys_without_the_role_are_left_out_with_the_reason() {
        let signed = [by("alice@x", &["reviewer"]), by("bob@x", &["owner"]), by("carol@x", &["reviewer"])];
        let (roles, authors) = (["reviewer".to_owned()], ["ALICE@x".to_owned()]);
        let counted = count(&signed, &Need { roles: &roles, authors: &authors });
        assert_eq!(counted.principals.into_iter().collect::<Vec<_>>(), ["carol@x"]);
        assert_eq!(counted.left_out.len(), 2);
        let again = [by("bob@x", &["owner"]), by("bob@x", &["reviewer"])];
        let counted = count(&again, &Need { roles: &roles, authors: &[] });
        assert_eq!((counted.principals.len(), counted.left_out.len()), (1, 0));
    }

    proptest! {
        #[test]
        fn no_one_counts_twice_and_nobody_is_lost(people in proptest::collection::vec(0_u8..5, 0..12)) {
            let signed: Vec<Signed> = people.iter().map(|n| by(&format!("p{n}@x"), &[])).collect();
            let distinct: BTreeSet<u8> = people.iter().copied().collect();
            prop_assert_eq!(count(&signed, &Need::default()).principals.len(), distinct.len());
        }
    }
}
