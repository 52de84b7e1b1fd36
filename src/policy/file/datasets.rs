//! What a dataset may say of itself.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::policy::words::{Placed, Words};

/// A dataset of the repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetWords {
    /// Globs of its files: `data/intents/*.jsonl`; `**` crosses folders.
    pub(crate) files: Words,
    /// Fields that the model reads. Names are dotted; `messages[].content` is the field in every element of a list.
    #[serde(default)]
    pub(crate) text: Words,
    /// Fields that the model learns.
    #[serde(default)]
    pub(crate) label: Words,
    /// Fields that name a record. Without them a record is known by its content.
    #[serde(default)]
    pub(crate) id: Words,
    /// Fields that say who gave a record.
    #[serde(default)]
    pub(crate) user: Words,
    /// Fields that say when a record was given.
    #[serde(default)]
    pub(crate) time: Words,
    /// Fields that say where a record came from.
    #[serde(default)]
    pub(crate) source_field: Words,
    /// Values of a label that mean "not labelled yet". The empty text, unless this says otherwise.
    #[serde(default)]
    pub(crate) null: Option<Words>,
    /// What it is used for.
    #[serde(default)]
    pub(crate) role: Words<UseWords>,
    /// Name of its source under `sources`.
    #[serde(default)]
    pub(crate) source: Option<Placed<String>>,
    /// How far it is trusted. Recorded; not judged yet.
    #[serde(default)]
    pub(crate) trust: Option<Placed<TrustWords>>,
    /// Whether it holds attacks on purpose. Recorded; not judged yet.
    #[serde(default)]
    pub(crate) expects: Option<Placed<ExpectsWords>>,
}

/// What a dataset is used for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UseWords {
    /// Training.
    Train,
    /// Evaluation.
    Eval,
    /// Retrieval: documents that a model is shown when it answers.
    Rag,
    /// Feedback of users.
    Feedback,
}

impl UseWords {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            UseWords::Train => "train",
            UseWords::Eval => "eval",
            UseWords::Rag => "rag",
            UseWords::Feedback => "feedback",
        }
    }
}

/// How far data is trusted.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TrustWords {
    /// Made here.
    FirstParty,
    /// Made by others.
    ThirdParty,
    /// Delivered under contract.
    Vendor,
    /// Collected from anywhere.
    Untrusted,
}

impl TrustWords {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            TrustWords::FirstParty => "first-party",
            TrustWords::ThirdParty => "third-party",
            TrustWords::Vendor => "vendor",
            TrustWords::Untrusted => "untrusted",
        }
    }
}

/// Whether a dataset holds attacks on purpose.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExpectsWords {
    /// It holds none.
    Clean,
    /// It holds attacks, to test defences.
    Adversarial,
}
