//! Whether the right people signed the lock, and the change of the policy.

use serde_json::json;

use super::{Integrity, RULES, SIGNATURE, lock_mark, push};
use crate::finding::{Finding, Mark, content_hash};
use crate::policy::lock::{Lock, Locked, Moment};
use crate::policy::signature::count::{Counted, Need, count};
use crate::policy::signature::rotation::{rotation, subject};
use crate::policy::signature::{Kind, Subject, Trust, verify};
use crate::rule::Severity;

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

    /// Runs of the policy of which nobody left a receipt that holds.
    fn receipts(&self, lock: &Lock, locked: &Locked<'_>, findings: &mut Vec<Finding>) {
        for receipt in locked.receipts {
            let run = &receipt.run;
            let Some(file) = &receipt.file else {
                let message = format!("the run {run} has left no receipt");
                let mut finding = Finding::new(&RULES[SIGNATURE], format!("receipt {run}"), message);
                finding.severity = Severity::Warning;
                finding.help = format!("begin it with `foretaste verify --run {run} --key KEY -- COMMAND`");
                push(finding, "run-without-receipt", vec![lock_mark(locked)], findings);
                continue;
            };
            let path = file.path.as_ref();
            let subject =
                Subject { kind: Kind::Run, repo: &lock.repo, file: path, bytes: &file.bytes, seq: 0, day: None };
            // An SSH signature holds neither the name of the run nor that of the repository: the receipt itself has to.
            let mut why = "nobody has signed it".to_owned();
            let own = is_of(&file.bytes, run, &lock.repo);
            if !own {
                why = "it is of another run or another repository".to_owned();
            }
            let holds = own
                && receipt.signatures.iter().any(|signature| {
                    let (keys, as_of, standing) = (self.keys.as_slice(), self.as_of, signature.standing);
                    let trust = Trust { keys, as_of, max_age_days: None, standing };
                    verify(signature.path.as_ref(), &signature.bytes, &subject, &trust)
                        .map_err(|refused| why = refused.why)
                        .is_ok()
                });
            if !holds {
                let message = format!("the receipt of the run {run} does not hold: {why}");
                let mut finding = Finding::new(&RULES[SIGNATURE], format!("receipt {run}"), message);
                finding.help = format!("repeat the run with `foretaste verify --run {run} --key KEY -- COMMAND`");
                let mark = Mark { content: content_hash(&file.bytes), ..Mark::name(file.blob) };
                push(finding, "receipt-bad", vec![mark], findings);
            }
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

/// Whether a receipt is that of this run in this repository.
fn is_of(receipt: &[u8], run: &str, repo: &str) -> bool {
    let receipt: serde_json::Value = serde_json::from_slice(receipt).unwrap_or_default();
    let says = |key: &str, value: &str| receipt.get(key).and_then(serde_json::Value::as_str) == Some(value);
    says("schema", "foretaste-receipt/1") && says("run", run) && says("repo", repo)
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
