//! The receipt that a fine-tuning run leaves: what was verified, when, under which policy, and what the data was.

use std::collections::BTreeMap;

use globset::{Candidate, GlobSet};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Lock, hex};
use crate::policy::{Policy, SourceMatch};

/// The form that receipts have.
pub(crate) const SCHEMA: &str = "foretaste-receipt/1";

/// Name of the receipt that a run leaves.
pub(crate) fn receipt(run: &str) -> String {
    format!("foretaste.run.{run}.json")
}

/// What a run of the policy trains on, as far as it lies in the repository.
#[derive(Clone, Debug)]
pub(crate) struct Trains {
    pub(crate) run: String,
    sets: Vec<(String, GlobSet)>,
}

/// The same of every run.
pub(crate) fn trains(policy: &Policy) -> Vec<Trains> {
    let globs = |name: &str| {
        let own = policy.datasets.iter().find(|set| &*set.name == name).map(|set| set.files.clone());
        let listed = || policy.sources.iter().find(|source| source.name == name).map(|source| &source.matches);
        own.or_else(|| match listed() {
            Some(SourceMatch::Path(globs)) => Some(globs.clone()),
            _ => None,
        })
    };
    let each = policy.runs.0.iter().map(|(run, words)| Trains {
        run: run.value.clone(),
        sets: words.datasets.0.iter().filter_map(|w| Some((w.value.clone(), globs(&w.value)?))).collect(),
    });
    each.collect()
}

impl Trains {
    /// SHA-256 over the lines of `sha256sum` of the files of each dataset, by its name.
    pub(crate) fn contents(&self, lock: &Lock) -> BTreeMap<String, String> {
        let digest = |globs: &GlobSet| {
            let mut sum = Sha256::new();
            for file in lock.files.iter().filter(|f| globs.is_match_candidate(&Candidate::from_bytes(&f.path))) {
                sum.update(hex(&file.sha256));
                sum.update(b"  ");
                sum.update(&*file.path);
                sum.update(b"\n");
            }
            hex(&<[u8; 32]>::from(sum.finalize()))
        };
        self.sets.iter().map(|(name, globs)| (name.clone(), digest(globs))).collect()
    }
}

/// Why a receipt, although it is signed, does not show that the run was made with what is here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Doubt {
    /// It is of another run or another repository.
    Foreign,
    /// The command failed, or was stopped; its exit code where it had one.
    Failed(Option<i64>),
    /// These datasets are not what they were.
    Outdated(Vec<String>),
}

/// What is to be held against the receipt of a run.
pub(crate) fn doubt(receipt: &[u8], trains: &Trains, lock: &Lock) -> Option<Doubt> {
    let receipt: Value = serde_json::from_slice(receipt).unwrap_or_default();
    let says = |key: &str, value: &str| receipt.get(key).and_then(Value::as_str) == Some(value);
    if !(says("schema", SCHEMA) && says("run", &trains.run) && says("repo", &lock.repo)) {
        return Some(Doubt::Foreign);
    }
    let code = receipt.get("exit_code").and_then(Value::as_i64);
    if code != Some(0) {
        return Some(Doubt::Failed(code));
    }
    let then = |name: &str| receipt.get("data")?.get(name)?.as_str();
    let differs = |(name, now): (String, String)| (then(&name) != Some(&now)).then_some(name);
    let outdated: Vec<String> = trains.contents(lock).into_iter().filter_map(differs).collect();
    (!outdated.is_empty()).then_some(Doubt::Outdated(outdated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::lock::LockedFile;

    #[test]
    fn a_receipt_speaks_of_its_run_its_end_and_its_data() {
        let text =
            "version: 1\ndatasets:\n  a: {files: [\"a/*\"]}\n  b: {files: [\"b/*\"]}\nruns:\n  r: {datasets: [a]}\n";
        let policy = Policy::parse("foretaste.yaml", text, jiff::civil::date(2026, 11, 1), &[]).unwrap();
        let file = |path: &str, byte| LockedFile { path: path.into(), sha256: [byte; 32], ..LockedFile::default() };
        let lock = |a, b| Lock { repo: "x".into(), files: vec![file("a/1", a), file("b/1", b)], ..Lock::default() };
        let trains = &trains(&policy)[0];
        let made = |run: &str, code: Option<i64>| {
            let text = serde_json::json!({"schema": SCHEMA, "run": run, "repo": "x", "exit_code": code,
                "data": trains.contents(&lock(1, 1))});
            text.to_string().into_bytes()
        };
        let judge = |bytes: &[u8], lock: &Lock| doubt(bytes, trains, lock);
        assert_eq!(judge(&made("r", Some(0)), &lock(1, 1)), None);
        assert_eq!(judge(&made("r", Some(0)), &lock(1, 2)), None, "data of other runs may change");
        assert_eq!(judge(&made("r", Some(0)), &lock(2, 1)), Some(Doubt::Outdated(vec!["a".into()])));
        assert_eq!(judge(&made("s", Some(0)), &lock(1, 1)), Some(Doubt::Foreign));
        assert_eq!(judge(&made("r", Some(7)), &lock(1, 1)), Some(Doubt::Failed(Some(7))));
        assert_eq!(judge(&made("r", None), &lock(1, 1)), Some(Doubt::Failed(None)));
        assert_eq!(judge(b"{", &lock(1, 1)), Some(Doubt::Foreign));
    }
}
