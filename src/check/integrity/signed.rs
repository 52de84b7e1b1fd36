//! Whether the right people signed the lock, and the change of the policy.

use serde_json::json;

use super::{Integrity, RULES, SIGNATURE, lock_mark, push};
use crate::finding::{Finding, Mark, content_hash};
use crate::policy::lock::{Lock, Locked, Moment};
use crate::policy::signature::count::{Counted, Need, count};
use crate::policy::signature::rotation::{rotation, subject};
use crate::policy::signature::{Trust, verify};

impl Integrity {
    /// Verifies every signature file and counts those who signed.
    pub(super) fn signatures(&self, locked: &Locked<'_>, findings: &mut Vec<Finding>) {
        let Ok(lock) = locked.lock else { return };
        if !locked.enforced {
            return;
        }
        let asked = self.require.signatures_at(locked.moment);
        if !self.keys.is_empty() || asked > 0 {
            let counted = self.verified(lock, locked, asked > 0, findings);
            if asked > 0 {
                self.policy_named(lock, locked, findings);
                self.threshold(locked, asked, &counted, findings);
            }
        }
        self.rotation(locked, findings);
        if matches!(locked.moment, Moment::Merge | Moment::Tag) {
            self.receipts(lock, locked, findings);
        }
    }

    /// Judges each file. One that is there and bad is always told; one that was there before the change and does not
    /// fit the lock any more only where signatures are asked for.
    fn verified(&self, lock: &Lock, locked: &Locked<'_>, asked: bool, findings: &mut Vec<Finding>) -> Counted {
        let mut signed = Vec::new();
        // What is bound to another repository counts for nothing here, whoever made it; the lock itself is told.
        let here = self.repo.as_ref().is_none_or(|repo| *repo == lock.repo);
        for file in locked.signatures.iter().filter(|_| here) {
            let trust = Trust {
                keys: &self.keys,
                as_of: self.as_of,
                max_age_days: self.require.max_age_days,
                standing: file.standing && locked.same,
            };
            match verify(file.path.as_ref(), &file.bytes, &subject(lock, locked.text), &trust) {
                Ok(signature) => signed.push(signature),
                Err(_) if file.standing && !asked => {}
                Err(refused) => {
                    let cause = format!("{} {}", refused.finding, file.path);
                    let message = format!("the signature does not hold: {}", refused.why);
                    let mut finding = Finding::new(&RULES[SIGNATURE], cause, message);
                    finding.help = "remove the file, or sign the lock as it is now with `foretaste sign`".into();
                    let mut mark = Mark::name(file.blob);
                    mark.content = content_hash(&file.bytes);
                    push(finding, refused.finding, vec![mark], findings);
                }
            }
        }
        count(&signed, &Need { roles: &self.require.roles, authors: locked.authors })
    }

    /// A lock that is signed covers the policy, too, so that it must name the one that is there.
    fn policy_named(&self, lock: &Lock, locked: &Locked<'_>, findings: &mut Vec<Finding>) {
        if lock.policy == locked.policy || self.repo.as_ref().is_some_and(|repo| *repo != lock.repo) {
            return;
        }
        let message = "foretaste.yaml is not the one that foretaste.lock was written under";
        let mut finding = Finding::new(&RULES[SIGNATURE], "policy", message);
        finding.help = "run `foretaste lock` once more, then let it be signed".into();
        push(finding, "lock-stale", vec![lock_mark(locked)], findings);
    }

    fn threshold(&self, locked: &Locked<'_>, asked: u32, counted: &Counted, findings: &mut Vec<Finding>) {
        let signed = counted.principals.len() as u64;
        if signed >= u64::from(asked) {
            return;
        }
        let message =
            format!("the policy asks for signatures by {}, and {} this lock", people(asked), signers(signed, "signed"));
        let mut finding = Finding::new(&RULES[SIGNATURE], "threshold", message);
        finding.help = "let holders of keys in the policy run `foretaste sign`, and commit the signature files".into();
        finding.evidence.insert("required", json!(asked));
        finding.evidence.insert("asked_at", json!(locked.moment.as_str()));
        tell(&mut finding, counted);
        let name = if signed == 0 { "signature-missing" } else { "threshold-not-met" };
        push(finding, name, vec![lock_mark(locked)], findings);
    }

    /// A change of the policy that too few have signed, under the old policy or the new one.
    fn rotation(&self, locked: &Locked<'_>, findings: &mut Vec<Finding>) {
        let Some(rotation) = rotation(locked, &self.keys, &self.require, self.as_of) else { return };
        if rotation.is_enough() {
            return;
        }
        let ((old, by_old), (new, by_new)) = (&rotation.old, &rotation.new);
        let message = if !rotation.named {
            "the change alters foretaste.yaml, and foretaste.lock does not name the new one".to_owned()
        } else {
            format!(
                "the change alters foretaste.yaml, which needs signatures by {}; by the keys before it {}, by the keys \
                 after it {}",
                people(*old),
                signers(by_old.principals.len() as u64, "signed"),
                signers(by_new.principals.len() as u64, "signed"),
            )
        };
        let mut finding = Finding::new(&RULES[SIGNATURE], "anchor", message);
        finding.help = "run `foretaste lock`, and let holders of keys, old and new, run `foretaste sign`".into();
        finding.evidence.insert("required", json!(old));
        finding.evidence.insert("required_after", json!(new));
        finding.evidence.insert("signed_by_after", json!(by_new.principals));
        tell(&mut finding, by_old);
        push(finding, "anchor-changed", vec![lock_mark(locked)], findings);
    }
}

fn tell(finding: &mut Finding, counted: &Counted) {
    finding.evidence.insert("signed_by", json!(counted.principals));
    if !counted.left_out.is_empty() {
        let left: Vec<_> = counted.left_out.iter().map(|(who, why)| json!({"principal": who, "why": why})).collect();
        finding.evidence.insert("not_counted", json!(left));
        let who: Vec<&str> = counted.left_out.iter().map(|(who, _)| who.as_str()).take(3).collect();
        finding.help.push_str(&format!(" ({} signed and does not count)", who.join(", ")));
    }
}

fn people(count: u32) -> String {
    match count {
        1 => "one person".to_owned(),
        n => format!("{n} different people"),
    }
}

fn signers(count: u64, verb: &str) -> String {
    if count == 0 { format!("nobody who counts {verb}") } else { format!("{count} {verb}") }
}
