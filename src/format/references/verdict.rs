//! How firmly a reference is tied to content: the order of tests on a written name, and the ladder of pins.

use std::sync::LazyLock;

use regex::Regex;

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
            Way::Argument(name) => format!("Pass the {commit} that was reviewed: {name}=\"…\"."),
            Way::Key(name) => format!("Add the {commit} that was reviewed to this entry: `{name}: …`."),
            Way::Flag(name) => format!("Add the {commit} that was reviewed to this command: {name} …"),
            Way::Words(words) => words.to_owned(),
        }
    }
}

/// Names of the loaders that the datasets library brings along: the data is what `data_files` names.
pub(super) fn is_builder(name: &str) -> bool {
    const BUILDERS: &[&str] = &[
        "json",
        "csv",
        "parquet",
        "text",
        "arrow",
        "imagefolder",
        "audiofolder",
        "videofolder",
        "webdataset",
        "pandas",
        "xml",
        "generator",
        "sql",
        "hdf5",
    ];
    BUILDERS.contains(&name)
}

/// Tests a name in the order of the lattice; the first test that hits decides. `None` for an empty name.
pub(super) fn judge(named: Named<'_>) -> Option<Reference> {
    let value = named.value.trim();
    if value.is_empty() {
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

fn needs_fix(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Unpinned | Verdict::Weak)
}

fn firmness(pin: Pin<'_>, written: Option<&str>) -> (Option<String>, Verdict) {
    match pin {
        Pin::Dynamic => (None, Verdict::Dynamic),
        _ => (written.map(str::to_owned), of_revision(written)),
    }
}

/// How firm a revision of a hub or of git is. Exactly 40 lower-case hexadecimal digits are a commit, and nothing else
/// is: the hub's own client takes everything else for a branch or a tag.
pub(super) fn of_revision(revision: Option<&str>) -> Verdict {
    let Some(revision) = revision else { return Verdict::Unpinned };
    if is_commit(revision) {
        return Verdict::Pinned;
    }
    if is_dynamic(revision) {
        return Verdict::Dynamic;
    }
    let hexish = (7..=64).contains(&revision.len()) && revision.bytes().all(|b| b.is_ascii_hexdigit());
    if hexish || revision.starts_with("refs/tags/") || is_version(revision) { Verdict::Weak } else { Verdict::Unpinned }
}

/// Whether it is a full commit id as the hub's client knows it.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether it is a SHA-256 digest.
pub(super) fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether it looks like the name of a version: a tag, most likely.
pub(super) fn is_version(text: &str) -> bool {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[vV]?[0-9]+(?:[._-][0-9]+)*(?:[-._]?(?:rc|alpha|beta|a|b|post|dev)[.-]?[0-9]*)?$")
            .expect("the pattern is a constant")
    });
    VERSION.is_match(text)
}

/// Whether a written value is a template, a variable or an expression.
pub(super) fn is_dynamic(value: &str) -> bool {
    static DYNAMIC: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\$\{|\$\(|\$[A-Za-z_@*0-9]|\{\{|\{ ?[A-Za-z_][A-Za-z0-9_.]* ?\}|%\([A-Za-z_]+\)s|<%|\$\[|`")
            .expect("the pattern is a constant")
    });
    DYNAMIC.is_match(value)
}

/// Whether a written value stands for one that the reader is to put there.
pub(super) fn is_placeholder(value: &str) -> bool {
    static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^(?:<[^>]*>.*|\[[^\]]*\]|\.\.\.|…|x{3,}|none|todo|changeme|path[/_-]to[/_-].*|/path/.*",
            r"|(?:your|my|some)[-_ ][a-z_-]+/.*|your[-_ ][a-z_-]+|my[-_ ](?:model|data|org|repo|user)[a-z_-]*|(?:your|my|some)(?:org|name|user|username|team|company|account|repo|model|dataset)?/.*",
            r"|(?:user|username|owner|org|organization|namespace|repo|repo[-_]?owner|hf[-_]?user(?:name)?)/.*",
            r"|.*/your[-_].*|.*<[^>]*>.*|.*\.\.\.)$"
        ))
        .expect("the pattern is a constant")
    });
    PLACEHOLDER.is_match(value)
}

/// Whether a name is a path of this machine: written as one, with the ending of a data file, with more parts than a
/// name on the hub has, or below a folder that training code writes to.
pub(super) fn is_local(value: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "data",
        "dataset",
        "datasets",
        "model",
        "models",
        "output",
        "outputs",
        "checkpoint",
        "checkpoints",
        "ckpt",
        "ckpts",
        "saves",
        "saved",
        "saved_model",
        "saved_models",
        "result",
        "results",
        "run",
        "runs",
        "log",
        "logs",
        "tmp",
        "temp",
        "cache",
        "build",
        "dist",
        "src",
        "example",
        "examples",
        "test",
        "tests",
        "resources",
        "assets",
        "weights",
        "artifacts",
        "experiments",
        "exp",
        "config",
        "configs",
        "local",
        "home",
        "mnt",
        "opt",
        "content",
        "trained_models",
        "pretrained",
        "pretrained_models",
        "finetuned",
        "adapters",
        "merged",
        "processed",
        "raw",
        "fixtures",
        "testdata",
    ];
    if value.starts_with(['/', '.', '~', '\\']) || value.ends_with('/') || value.contains('\\') {
        return true;
    }
    if value.as_bytes().get(1) == Some(&b':') && value.as_bytes()[0].is_ascii_alphabetic() {
        return true;
    }
    let mut parts = value.split('/');
    let first = parts.next().unwrap_or("");
    match parts.count() {
        0 => url::has_data_ending(value),
        1 => url::has_data_ending(value) || FOLDERS.contains(&first.to_ascii_lowercase().as_str()),
        _ => true,
    }
}

/// Whether it is the name of a repository on the hub: one or two parts of letters, digits, `_`, `.` and `-`.
pub(super) fn is_hub_id(value: &str) -> bool {
    let part = |part: &str| {
        part.len() <= 96
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
    };
    let mut parts = value.split('/');
    parts.clone().count() <= 2 && parts.all(part)
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
