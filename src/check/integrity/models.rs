//! Whether models are what their own signatures say, and whose these are.

use bstr::BString;
use serde_json::json;

use super::{RULES, SIGNATURE, push};
use crate::check::unpinned_reference::short;
use crate::finding::{Finding, MAX_MARKS, Mark, content_hash};
use crate::policy::signature::oms::{Differs, Judged};
use crate::rule::Severity;

pub(super) fn findings(models: &[Judged], findings: &mut Vec<Finding>) {
    for model in models {
        let name = if model.folder.is_empty() { "the top folder" } else { model.folder.as_str() };
        let cause = format!("model {} {}", model.folder, model.bundle.as_deref().unwrap_or_default());
        let mut mark = Mark::name(model.blob);
        mark.content = content_hash(cause.as_bytes());
        match &model.verdict {
            Err(refused) => {
                let message = format!("the model in {name} is not signed so that it counts: {}", refused.why);
                let mut finding = Finding::new(&RULES[SIGNATURE], format!("{cause} {}", refused.finding), message);
                finding.help = "let a holder of an `ecdsa` key of the policy look at the model and sign it with \
                                `model_signing sign key`"
                    .into();
                push(finding, refused.finding, vec![mark], findings);
            }
            Ok((signed, differs)) => {
                differing(&cause, name, differs, &mark, findings);
                if !model.bound {
                    let message = format!(
                        "the signature of the model in {name} would hold for any other version that {} signed, too",
                        signed.principal
                    );
                    let mut finding = Finding::new(&RULES[SIGNATURE], format!("{cause} unbound"), message);
                    finding.severity = Severity::Note;
                    finding.help = format!(
                        "`foretaste lock {}` says which version it is, so that an older one does not pass for it",
                        model.bundle.as_deref().unwrap_or_default()
                    );
                    push(finding, "model-not-locked", vec![mark.clone()], findings);
                }
                if !differs.ignored.is_empty() {
                    let message = format!(
                        "the signature of the model in {name} by {} leaves out {}, which nobody vouches for",
                        signed.principal,
                        some(&differs.ignored)
                    );
                    let mut finding = Finding::new(&RULES[SIGNATURE], format!("{cause} ignored"), message);
                    finding.severity = Severity::Note;
                    finding.help =
                        "remove these files, lock them with `foretaste lock PATH`, or sign the model again with \
                                    `--no-ignore-git-paths`"
                            .into();
                    finding.evidence.insert("ignored", paths(&differs.ignored));
                    push(finding, "model-signature-ignores", vec![mark], findings);
                }
            }
        }
    }
}

fn differing(cause: &str, name: &str, differs: &Differs, mark: &Mark, findings: &mut Vec<Finding>) {
    let kinds = [
        ("changed", &differs.changed),
        ("added", &differs.added),
        ("missing", &differs.missing),
        ("a link now", &differs.links),
    ];
    let told: Vec<String> = kinds
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(kind, list)| format!("{} {kind} ({})", list.len(), some(list)))
        .collect();
    if told.is_empty() {
        return;
    }
    let message = format!("the model in {name} is not what was signed: {}", told.join(", "));
    let mut finding = Finding::new(&RULES[SIGNATURE], format!("{cause} differs"), message);
    finding.help =
        "fetch the model again from where it was signed; if the change is meant, have it signed again".into();
    for (kind, list) in kinds {
        finding.evidence.insert(if kind == "a link now" { "links" } else { kind }, paths(list));
    }
    push(finding, "model-mismatch", vec![mark.clone()], findings);
}

fn paths(list: &[BString]) -> serde_json::Value {
    json!(list.iter().take(MAX_MARKS).map(ToString::to_string).collect::<Vec<_>>())
}

/// The first of some paths.
fn some(list: &[BString]) -> String {
    let more = if list.len() > 1 { ", …" } else { "" };
    list.first().map_or_else(String::new, |first| format!("{}{more}", short(&first.to_string())))
}
