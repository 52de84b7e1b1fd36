//! Whether every run of the policy has left a receipt, of this run, over this data, by somebody whose key counts.

use super::{Integrity, RULES, SIGNATURE, lock_mark, push};
use crate::finding::{Finding, Mark, content_hash};
use crate::policy::lock::receipt::{Doubt, doubt};
use crate::policy::lock::{Lock, Locked, Receipt};
use crate::policy::signature::{Kind, Subject, Trust, verify};
use crate::rule::Severity;

impl Integrity {
    /// Runs of the policy of which nobody left a receipt that holds.
    pub(super) fn receipts(&self, lock: &Lock, locked: &Locked<'_>, findings: &mut Vec<Finding>) {
        for receipt in locked.receipts {
            let run = &receipt.run;
            let again = format!("`foretaste verify --run {run} --key KEY -- COMMAND`");
            let mut tell = |name, severity, message: String, help: String, mark| {
                let mut finding = Finding::new(&RULES[SIGNATURE], format!("receipt {run}"), message);
                (finding.severity, finding.help) = (severity, help);
                push(finding, name, vec![mark], findings);
            };
            let Some(file) = &receipt.file else {
                let message = format!("the run {run} has left no receipt");
                let help = format!("begin it with {again}");
                tell("run-without-receipt", Severity::Warning, message, help, lock_mark(locked));
                continue;
            };
            let mark = Mark { content: content_hash(&file.bytes), ..Mark::name(file.blob) };
            let trains = self.trains.iter().find(|trains| trains.run == *run);
            let doubt = trains.map_or(Some(Doubt::Foreign), |trains| doubt(&file.bytes, trains, lock));
            let unsigned = self.unsigned(receipt, lock);
            match (doubt, unsigned) {
                // An SSH signature holds neither the name of the run nor that of the repository: the receipt has to.
                (Some(Doubt::Foreign), _) => {
                    let message = format!(
                        "the receipt of the run {run} does not hold: it is of another run or another repository"
                    );
                    tell("receipt-bad", Severity::Error, message, format!("repeat the run with {again}"), mark);
                }
                (_, Some(why)) => {
                    let message = format!("the receipt of the run {run} does not hold: {why}");
                    tell("receipt-bad", Severity::Error, message, format!("repeat the run with {again}"), mark);
                }
                (Some(Doubt::Failed(code)), None) => {
                    let end = code.map_or_else(|| "was stopped".to_owned(), |code| format!("ended with code {code}"));
                    let message = format!("the run {run} {end}, so that its receipt shows no finished run");
                    let help = format!("repeat it with {again}");
                    tell("receipt-of-failed-run", Severity::Warning, message, help, mark);
                }
                (Some(Doubt::Outdated(sets)), None) => {
                    let sets = sets.iter().map(|set| format!("`{set}`")).collect::<Vec<_>>().join(", ");
                    let message =
                        format!("since the receipt of the run {run} was written, its data has changed: {sets}");
                    let help = format!("repeat the run with {again}, or keep what it made apart from this data");
                    tell("receipt-outdated", Severity::Warning, message, help, mark);
                }
                (None, None) => {}
            }
        }
    }

    /// Why none of the signatures of a receipt counts; `None` where one does.
    fn unsigned(&self, receipt: &Receipt, lock: &Lock) -> Option<String> {
        let file = receipt.file.as_ref()?;
        let (kind, path) = (Kind::Run, file.path.as_ref());
        let subject = Subject { kind, repo: &lock.repo, file: path, bytes: &file.bytes, seq: 0, day: None };
        let mut why = "nobody has signed it".to_owned();
        for signature in &receipt.signatures {
            let (keys, as_of, standing) = (self.keys.as_slice(), self.as_of, signature.standing);
            let trust = Trust { keys, as_of, max_age_days: None, standing };
            match verify(signature.path.as_ref(), &signature.bytes, &subject, &trust) {
                Ok(_) => return None,
                Err(refused) => why = refused.why,
            }
        }
        Some(why)
    }
}
