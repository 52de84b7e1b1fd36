//! Names: those that look like another, and those that are used in another way than before.

use bstr::ByteSlice;
use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use unicode_security::{MixedScript, skeleton};

use super::{Evidence, Past, Signal, domain};
use crate::check::labels::people::{Identity, NEW, folded, mail};
use crate::source::{Commit, Person};

impl Past {
    /// A new name that looks like one that is known.
    pub(super) fn look_alike(&self, identity: Identity, commit: &Commit, evidence: Evidence) -> Option<Signal> {
        if self.before(identity) > 0 {
            return None;
        }
        let (mine, near) = (drawn(&commit.author), bare(&commit.author));
        let alike = self.drawn.get(&mine);
        let (value, alone, words) = if alike.is_some_and(|all| all.iter().any(|(id, b)| *id != identity && *b != near))
        {
            ("same-skeleton", true, "has a name that is drawn like that of a known author and is another")
        } else if evidence.flips > 0
            && near.chars().count() >= 5
            && self.bare.iter().any(|(bare, ids)| {
                *bare != near && within_one_edit(&near, bare) && ids.iter().any(|id| *id != identity)
            })
        {
            ("one-edit", false, "has a name one letter away from that of a known author")
        } else {
            return None;
        };
        let threshold = json!("no known author with another address");
        Some(Signal::new("look-alike-identity", json!(value), threshold, words).alone(alone))
    }

    /// A known name comes from a domain it never came from, or a known address under a name it never had, and changes
    /// labels at once.
    pub(super) fn drift(&self, identity: Identity, commit: &Commit, evidence: Evidence) -> Option<Signal> {
        let mine = mail(&commit.author);
        if evidence.flips == 0 || self.before(identity) < NEW {
            return None;
        }
        let known = &self.people.get(&identity)?.domains;
        if let Some(domain) = domain(&mine).filter(|domain| !domain.ends_with("noreply.github.com"))
            && !known.contains(domain)
        {
            let words = "uses a known name with an address of a domain it never had";
            return Some(Signal::new("identity-drift", json!("new-domain"), json!(known.len()), words));
        }
        let names = &self.mails.get(&mine)?.names;
        let name = folded(&commit.author);
        let is_other = !names.is_empty() && names.iter().all(|known| unlike(known, &name));
        is_other.then(|| {
            let words = "uses a known address under a name it never had";
            Signal::new("identity-drift", json!("new-name"), json!(names.len()), words).context()
        })
    }
}

/// Letters of several scripts in one word.
pub(super) fn look_alike_script(commit: &Commit) -> Option<Signal> {
    let name = commit.author.name.to_str_lossy();
    let words = name.split(|c: char| !c.is_alphanumeric());
    let mixed = words.into_iter().any(|word| !word.is_empty() && !word.is_single_script());
    mixed.then(|| {
        let words = "has a name with letters of several scripts in one word";
        Signal::new("look-alike-identity", json!("mixed-script"), json!("one script a word"), words).alone(true)
    })
}

/// How a name is drawn: characters that look alike are one.
pub(super) fn drawn(person: &Person) -> String {
    let name: String = person.name.to_str_lossy().nfkc().filter(|c| !c.is_whitespace()).collect();
    skeleton(&name).collect()
}

/// Letters and digits of a name: blanks and hyphens are where honest names differ.
pub(super) fn bare(person: &Person) -> String {
    folded(person).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether two names have no part in common: `ada` and `ada lovelace` do, and so do `jdoe` and `john doe`.
fn unlike(a: &str, b: &str) -> bool {
    let joined = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (one, other) = (joined(a), joined(b));
    let words = |name: &str| {
        name.split(|c: char| !c.is_alphanumeric())
            .filter(|w| w.chars().count() > 2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    !words(a).iter().any(|word| other.contains(word.as_str()))
        && !words(b).iter().any(|word| one.contains(word.as_str()))
}

/// Whether one letter put in, taken out or replaced makes one of the other.
fn within_one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => a.get(1..) == b.get(1..),
        std::cmp::Ordering::Less => b.get(1..) == Some(a),
        std::cmp::Ordering::Greater => a.get(1..) == Some(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_part_in_common_are_no_others() {
        assert!(!unlike("ada", "ada lovelace") && !unlike("jdoe", "john doe"));
        assert!(unlike("ada lovelace", "mallory"));
    }
}
