//! Datasets and models that code, configuration and documents name.

use serde::Serialize;

use super::{Blob, Kind};
use crate::lens::Standing;
use crate::span::Span;

/// What a reference names.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A dataset.
    Dataset,
    /// A model.
    Model,
    /// Code that is run: a metric, a loader script.
    Code,
    /// A container image.
    Image,
    /// Data behind a URL or in a bucket.
    UrlData,
}

/// How firmly a reference is tied to content.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// To an immutable content id.
    Pinned,
    /// Not in the code, but `foretaste.lock` holds the resolved commit.
    Locked,
    /// To something that can be moved: a tag, a short hash.
    Weak,
    /// To nothing, or a branch.
    Unpinned,
    /// Not known before it runs.
    Dynamic,
    /// A path inside the repository.
    Local,
    /// No dataset or model at all.
    NotADataset,
}

impl Verdict {
    /// The word used in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pinned => "pinned",
            Verdict::Locked => "locked",
            Verdict::Weak => "weak",
            Verdict::Unpinned => "unpinned",
            Verdict::Dynamic => "dynamic",
            Verdict::Local => "local",
            Verdict::NotADataset => "not-a-dataset",
        }
    }
}

impl Target {
    /// The word used in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Target::Dataset => "dataset",
            Target::Model => "model",
            Target::Code => "code",
            Target::Image => "image",
            Target::UrlData => "url-data",
        }
    }
}

/// A dataset or model named by code, configuration or a URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// What is named.
    pub kind: Target,
    /// Where it lives: `huggingface`, `github`, `url`, `s3`, `local`, ….
    pub hub: &'static str,
    /// Its name there, as written.
    pub target: String,
    /// The revision that is asked for, as written.
    pub pin: Option<String>,
    /// How firm that is.
    pub verdict: Verdict,
    /// The framework whose configuration or call it is: `axolotl`, `datasets`, `shell`.
    pub framework: &'static str,
    /// The call or key that names it: `load_dataset`, `datasets[].path`.
    pub by: String,
    /// Where, in the decoded blob.
    pub span: Span,
    /// Whether it lets code of the other side run (`trust_remote_code`).
    pub remote_code: bool,
    /// How to pin it in this framework, as one sentence.
    pub fix: String,
}

impl Reference {
    /// Whether it names a dataset, a model or a file elsewhere, whatever ties it down: what can be listed and locked. A
    /// revision that others take as their default, and the branch of a submodule, name no place of their own.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.verdict, Verdict::Pinned | Verdict::Locked | Verdict::Weak | Verdict::Unpinned)
            && !matches!(self.hub, "python" | "submodule")
    }

    /// Where it stands: a block in Markdown and a card are documentation wherever they lie.
    pub(crate) fn standing(&self, file: Standing, kind: Option<Kind>) -> Standing {
        match file {
            Standing::Test => Standing::Test,
            _ if kind == Some(Kind::Markdown) || matches!(self.framework, "hf-card" | "croissant") => Standing::Docs,
            standing => standing,
        }
    }
}

/// The references of one blob.
#[derive(Debug)]
pub(crate) struct References<'a> {
    /// The blob they come from.
    pub blob: Blob<'a>,
    /// What it is.
    pub kind: Kind,
    /// The references, in the order of the file.
    pub list: &'a [Reference],
}
