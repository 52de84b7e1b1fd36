//! How firmly a reference is tied to content: the order of tests on a written name.

use super::pin::of_revision;
use super::spelling::{is_dynamic, is_hub_id, is_local, is_placeholder};
use super::url::{self, Asked};
use crate::format::{Reference, Target, Verdict};
use crate::span::Span;

/// A name as some code or configuration writes it, before it is judged.
#[derive(Clone, Debug)]
pub(super) struct Named<'v> {
    /// What the key or call names, unless the name itself says otherwise.
    pub(super) kind: Target,
    /// The name.
    pub(super) value: &'v str,
    /// Where the name stands.
    pub(super) span: Span,
    /// The revision asked for.
    pub(super) pin: Pin<'v>,
    /// Framework.
    pub(super) framework: &'static str,
    /// Key or call.
    pub(super) by: String,
    /// Whether code of the other side may run.
    pub(super) remote_code: bool,
    /// How this framework pins.
    pub(super) way: Way,
    /// The hub that a plain name is looked up in.
    pub(super) hub: &'static str,
    /// Whether template syntax in the name makes it dynamic. In Python the syntax tree has said so already.
    pub(super) templates: bool,
    /// Whether a name without an owner is a name on the hub here.
    pub(super) single: bool,
}

/// The revision that goes with a name.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Pin<'v> {
    /// None is written.
    Absent,
    /// Written.
    At(&'v str, Span),
    /// Known only when it runs.
    Dynamic,
}

/// How a framework pins, for the fix.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// By an argument of the call.
    #[cfg(feature = "python")]
    Argument(&'static str),
    /// By a key of the same entry.
    Key(&'static str),
    /// By a flag of the same command.
    Flag(&'static str),
    /// It cannot, or in a way of its own: a whole sentence.
    Words(&'static str),
}

/// TRL, alignment-handbook, open-instruct and LLaMA-Factory have no field for the revision of a dataset.
pub(super) const NO_FIELD: Way = Way::Words(
    "This framework cannot pin a dataset by itself: obtain it at a reviewed commit, point this entry at the local folder and lock it with `foretaste lock`.",
);

/// TRL can go through the Parquet builder.
pub(super) const TRL_DATA: Way = Way::Words(
    "TRL has no revision field for data: use `datasets: [{path: parquet, data_files: hf://datasets/OWNER/NAME@COMMIT/**/*.parquet}]`, or a local folder that is locked.",
);

impl Way {
    /// What to do, as one sentence.
    fn sentence(self, kind: Target) -> String {
        let commit = if kind == Target::Image { "digest" } else { "40-digit commit" };
        match self {
            #[cfg(feature = "python")]
            Way::Argument(name) => format!("Pass the {commit} that was reviewed: {name}=\"…\"."),
            Way::Key(name) => format!("Add the {commit} that was reviewed to this entry: `{name}: …`."),
            Way::Flag(name) => format!("Add the {commit} that was reviewed to this command: {name} …"),
            Way::Words(words) => words.to_owned(),
        }
    }
}

/// Tests a name in the order of the lattice; the first test that hits decides. `None` for an empty name.
pub(super) fn judge(named: Named<'_>) -> Option<Reference> {
    let value = named.value.trim();
    // A switch where others have a name: `reward_model: true`.
    if value.is_empty() || matches!(value, "true" | "True" | "false" | "False") {
        return None;
    }
    let mut out = Reference {
        kind: named.kind,
        hub: named.hub,
        target: value.to_owned(),
        pin: None,
        verdict: Verdict::NotADataset,
        framework: named.framework,
        by: named.by,
        span: named.span,
        remote_code: named.remote_code,
        fix: String::new(),
    };
    let written = match named.pin {
        Pin::At(pin, _) => Some(pin.trim()).filter(|pin| !pin.is_empty()),
        Pin::Absent | Pin::Dynamic => None,
    };
    if named.templates && is_dynamic(value) {
        out.verdict = Verdict::Dynamic;
        return Some(out);
    }
    if is_placeholder(value) {
        // Kept as a note: an owner called `my-org` can be registered by anybody.
        return Some(out);
    }
    if let Some(found) = url::locate(value, Asked::Data) {
        out.hub = found.hub;
        out.target = found.target;
        out.kind = found.kind.unwrap_or(match named.kind {
            Target::Dataset => Target::UrlData,
            other => other,
        });
        (out.pin, out.verdict) = (found.pin, found.verdict);
        // A revision beside a name on the hub counts; beside any other address it does nothing.
        if out.hub == named.hub && out.pin.is_none() && out.verdict == Verdict::Unpinned {
            (out.pin, out.verdict) = firmness(named.pin, written);
        }
        if needs_fix(out.verdict) {
            out.fix = if out.hub == named.hub { named.way.sentence(out.kind) } else { url::fix(out.hub) };
        }
        return Some(out);
    }
    if is_local(value) {
        (out.hub, out.verdict) = ("local", Verdict::Local);
        return Some(out);
    }
    if !is_hub_id(value) || (!named.single && !value.contains('/')) {
        return Some(out);
    }
    (out.pin, out.verdict) = firmness(named.pin, written);
    if needs_fix(out.verdict) {
        out.fix = named.way.sentence(out.kind);
    }
    Some(out)
}

pub(super) fn needs_fix(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Unpinned | Verdict::Weak)
}

fn firmness(pin: Pin<'_>, written: Option<&str>) -> (Option<String>, Verdict) {
    match pin {
        Pin::Dynamic => (None, Verdict::Dynamic),
        _ => (written.map(str::to_owned), of_revision(written)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(value: &str, pin: Option<&str>) -> (&'static str, String, &'static str) {
        let span = Span::new(0, 1);
        let found = judge(Named {
            kind: Target::Dataset,
            value,
            span,
            pin: pin.map_or(Pin::Absent, |pin| Pin::At(pin, span)),
            framework: "axolotl",
            by: "datasets[].path".into(),
            remote_code: false,
            way: Way::Key("revision"),
            hub: "huggingface",
            templates: true,
            single: true,
        });
        found.map_or(("none", String::new(), ""), |r| (r.verdict.as_str(), r.target, r.hub))
    }

    #[test]
    fn the_first_test_that_hits_decides() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        for (value, pin, expected) in [
            ("", None, "none"),
            ("true", None, "none"),
            ("${DATASET_PATH}", None, "dynamic"),
            ("{{ dataset }}", None, "dynamic"),
            ("$DATA", None, "dynamic"),
            ("<your-hf-dataset-id>", None, "not-a-dataset"),
            ("path/to/data", None, "not-a-dataset"),
            ("your-org/your-data", None, "not-a-dataset"),
            ("username/data", None, "not-a-dataset"),
            ("your/data", None, "not-a-dataset"),
            ("myorg/data", None, "not-a-dataset"),
            ("someone13574/data", None, "unpinned"),
            ("mychen76/data", None, "unpinned"),
            ("alice/my-data", None, "unpinned"),
            ("./data/train", None, "local"),
            ("/mnt/data", None, "local"),
            ("~/data", None, "local"),
            ("C:\\data", None, "local"),
            ("train.jsonl", None, "local"),
            ("train.csv.gz", None, "local"),
            ("a/b/c", None, "local"),
            ("data/train", None, "local"),
            ("teknium/GPT4-LLM-Cleaned", None, "unpinned"),
            ("squad", None, "unpinned"),
            ("teknium/GPT4-LLM-Cleaned", Some("main"), "unpinned"),
            ("teknium/GPT4-LLM-Cleaned", Some("refs/pr/7"), "unpinned"),
            ("teknium/GPT4-LLM-Cleaned", Some("it-mid-training"), "unpinned"),
            ("teknium/GPT4-LLM-Cleaned", Some("6299b5a"), "weak"),
            ("teknium/GPT4-LLM-Cleaned", Some("v1.2"), "weak"),
            ("teknium/GPT4-LLM-Cleaned", Some("0123456789ABCDEF0123456789ABCDEF01234567"), "weak"),
            ("teknium/GPT4-LLM-Cleaned", Some("0123456789abcdef0123456789abcdef0123456"), "weak"),
            ("teknium/GPT4-LLM-Cleaned", Some("${REV}"), "dynamic"),
            ("teknium/GPT4-LLM-Cleaned", Some(""), "unpinned"),
            ("teknium/GPT4-LLM-Cleaned", Some(sha), "pinned"),
            ("a dataset of ours", None, "not-a-dataset"),
        ] {
            assert_eq!(verdict(value, pin).0, expected, "{value} at {pin:?}");
        }
    }

    #[test]
    fn a_revision_beside_an_address_does_nothing() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(verdict("s3://bucket/train", Some(sha)), ("unpinned", "s3://bucket/train".into(), "s3"));
        assert_eq!(verdict("https://data.example.net/x.csv", Some(sha)).0, "unpinned");
        assert_eq!(verdict("hf://datasets/o/n@main/x.parquet", Some(sha)), ("unpinned", "o/n".into(), "huggingface"));
        assert_eq!(verdict("https://huggingface.co/datasets/o/n", Some(sha)), ("pinned", "o/n".into(), "huggingface"));
    }
}
