//! Whether the judged commits and tags carry signatures that count.

use std::collections::BTreeMap;

use serde_json::json;

use super::{RULES, SIGNATURE, push};
use crate::check::unpinned_reference::short;
use crate::finding::{Finding, MAX_MARKS, Mark, content_hash};
use crate::policy::signature::commit::{Kind, Unsealed};

/// One finding for each way in which signatures do not count. Where the policy does not ask for signed commits, one
/// that is there and broken, or by a stolen key, is told all the same.
pub(super) fn findings(unsealed: &[Unsealed], findings: &mut Vec<Finding>) {
    let mut ways: BTreeMap<(Kind, &'static str, &str), Vec<&Unsealed>> = BTreeMap::new();
    let told = |one: &&Unsealed| one.asked || matches!(one.refused.finding, "signature-bad" | "signature-revoked-key");
    for one in unsealed.iter().filter(told) {
        ways.entry((one.kind, one.refused.finding, &one.refused.why)).or_default().push(one);
    }
    for ((kind, name, why), list) in ways {
        let id = match list[0].name.as_str() {
            "" => list[0].id[..list[0].id.len().min(10)].to_owned(),
            name => short(name),
        };
        let what = match (kind, list.len()) {
            (_, 1) => format!("the signature of {} {id} does not count", kind.as_str()),
            (_, n) => format!("the signatures of {n} {}s do not count, {id} first", kind.as_str()),
        };
        let mut finding = Finding::new(&RULES[SIGNATURE], format!("{} {name} {why}", kind.as_str()), what);
        finding.message = match name {
            "signature-missing" if list.len() == 1 => {
                format!("{} {id} is not signed, and the policy asks for it", kind.as_str())
            }
            "signature-missing" => {
                format!("{} {}s are not signed, {id} first, and the policy asks for it", list.len(), kind.as_str())
            }
            _ => format!("{}: {why}", finding.message),
        };
        finding.help = help(kind, name).into();
        let named = list.iter().map(|one| match kind {
            Kind::Commit => json!({"id": one.id, "author": one.author}),
            Kind::Tag => json!({"id": one.id, "name": one.name}),
        });
        let key = if kind == Kind::Commit { "commits" } else { "tags" };
        finding.evidence.insert(key, json!(named.take(MAX_MARKS).collect::<Vec<_>>()));
        let mark = |one: &&Unsealed| {
            let mut mark = Mark::name(one.blob).with_note(why);
            mark.content = content_hash(one.id.as_bytes());
            mark.commit = (kind == Kind::Commit).then(|| one.id.clone());
            mark
        };
        push(finding, name, list.iter().map(mark).collect(), findings);
    }
}

/// What to do, in one sentence.
fn help(kind: Kind, name: &str) -> &'static str {
    match (kind, name) {
        (Kind::Tag, "signature-expired-key") => {
            "an old tag cannot be told from a backdated one: let a holder of a valid key of the policy make a new one with \
             `git tag -s`"
        }
        (Kind::Tag, _) => {
            "let a holder of an SSH key of the policy look at what the tag names and make it again with `git tag -s`"
        }
        (_, "signature-missing") => {
            "let its author sign it with an SSH key of the policy (`git commit --amend -S`, with `gpg.format` set to ssh), \
             or leave it out"
        }
        (_, "signature-not-judged") => {
            "sign it again with an ed25519 or ecdsa-sha2-nistp256 SSH key that the policy lists; OpenPGP and X.509 are not \
             read"
        }
        (_, "signature-unknown-key") => {
            "have it signed by a key that the trusted policy lists; a new key is listed by a change of its own that lands \
             first"
        }
        (_, "signature-expired-key") => {
            "sign it again with a key that is valid today; the date of a commit is only a claim"
        }
        (_, "signature-revoked-key") => "do not take it over: find out who made it, since the key is in other hands",
        _ => "do not take it over: find out who altered it after it was signed, and have it made again",
    }
}
