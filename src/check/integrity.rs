//! `digest-mismatch` and `bad-signature`: whether the data is what was locked, and whether the right people signed that.

mod digests;
mod elsewhere;
mod manual;
mod models;
mod receipts;
mod sealed;
mod signed;

use bstr::BString;
use jiff::civil::Date;
use serde_json::json;

use super::{Check, Configured, Merge, NoSettings, Observation};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::policy::lock::Locked;
use crate::policy::lock::receipt::{self, Trains};
use crate::policy::{Key, Policy, Require};
use crate::rule::Rule;
use manual::RULES;

const DIGEST: usize = 0;
const SIGNATURE: usize = 1;

/// See the manuals of its rules.
#[derive(Debug)]
pub(crate) struct Integrity {
    keys: Vec<Key>,
    require: Require,
    as_of: Date,
    /// What the policy calls the repository.
    repo: Option<String>,
    trains: Vec<Trains>,
}

/// Findings about the lock are made at once: it is seen once, and whole.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    findings: Vec<Finding>,
    /// LFS objects that are not what their pointer says.
    forged: Vec<(BString, Mark)>,
    /// Names elsewhere: what code ties down, and what the lock holds.
    named: elsewhere::Named,
    held: elsewhere::Held,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.forged.append(&mut other.forged);
        self.named.merge(other.named);
        self.held.merge(other.held);
    }
}

impl Configured for Integrity {
    type Settings = NoSettings;

    fn new(_: NoSettings, policy: &Policy) -> Self {
        let (keys, repo) = (policy.keys.clone(), policy.repo.clone());
        Self { keys, require: policy.require.clone(), as_of: policy.as_of, repo, trains: receipt::trains(policy) }
    }
}

impl Check for Integrity {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Lock(locked) => {
                digests::compare(locked, self.repo.as_deref(), &mut seen.findings);
                self.signatures(locked, &mut seen.findings);
                if let Ok(lock) = locked.lock {
                    elsewhere::publishers(lock, locked, &mut seen.findings);
                    seen.held = elsewhere::Held::of(lock);
                }
            }
            Observation::References(references) => seen.named.observe(references),
            Observation::Models(models) => models::findings(models, &mut seen.findings),
            Observation::Unsealed(list) => sealed::findings(list, &mut seen.findings),
            Observation::Records(records) => {
                for flaw in records.flaws.iter().filter(|flaw| flaw.kind == "lfs-mismatch") {
                    let mut mark = Mark::name(records.blob.id).with_note(flaw.detail.clone());
                    mark.content = content_hash(&records.blob.decoded.bytes);
                    seen.forged.push((records.blob.path.to_owned(), mark));
                }
            }
            _ => {}
        }
    }

    fn finish(&self, mut seen: Seen, findings: &mut Vec<Finding>) {
        findings.append(&mut seen.findings);
        seen.named.finish(&seen.held, findings);
        seen.forged.sort();
        for (path, mark) in seen.forged {
            let message = "the local LFS object is not what its pointer says";
            let mut finding = Finding::new(&RULES[DIGEST], format!("lfs {path}"), message);
            finding.help =
                "delete the object, fetch it again with git lfs, and find out where this one came from".into();
            push(finding, "hash-mismatch", vec![mark], findings);
        }
    }
}

fn push(mut finding: Finding, name: &'static str, marks: Vec<Mark>, findings: &mut Vec<Finding>) {
    finding.evidence.insert("finding", json!(name));
    finding.total = marks.len() as u64;
    finding.marks = first_of_each_blob(marks);
    findings.push(finding);
}

fn lock_mark(locked: &Locked<'_>) -> Mark {
    let mut mark = Mark::name(locked.blob);
    mark.content = content_hash(locked.text);
    mark
}
