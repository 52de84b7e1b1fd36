//! What a written value is by its spelling alone: a template, a placeholder, a path, a name on a hub, a builder.

use std::sync::LazyLock;

use bstr::ByteSlice;
use regex::Regex;

use super::endings::has_data_ending;

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
        0 => has_data_ending(value),
        1 => has_data_ending(value) || FOLDERS.contains(&first.to_ascii_lowercase().as_str()),
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

/// Whether a file speaks of datasets and models at all, so that one that is too large to be parsed is only unread where
/// something can be lost.
pub(super) fn may_name_something(bytes: &[u8]) -> bool {
    [
        &b"load_dataset"[..],
        b"from_pretrained",
        b"model_name_or_path",
        b"base_model",
        b"hf_hub_url",
        b"snapshot_download",
        b"hf_hub_download",
        b"dataset_path",
        b"dataset_name",
        b"huggingface.co/datasets",
        b"hf://",
    ]
    .iter()
    .any(|needle| bytes.contains_str(needle))
}
