//! How a blob is to be seen: what the policy and the path say of it before a byte of it is read.

use std::sync::Arc;

use serde::Serialize;

/// What a field of a record is for.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Names the record.
    Id,
    /// What the model reads.
    Text,
    /// What it learns.
    Label,
    /// Where the record came from.
    Source,
    /// Who gave it.
    User,
    /// When it was given.
    Time,
    /// Anything else.
    #[default]
    Other,
}

/// Roles of the fields of a dataset, as the policy declares them. Names are dotted; `messages[].content` stands for the
/// field in every element of the list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct FieldRoles {
    /// Fields and their roles.
    pub fields: Vec<(String, Role)>,
}

/// Where in the life of a model a file stands. It decides how bad an unpinned reference is.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    /// A training or evaluation configuration, or data.
    Training,
    /// Continuous integration.
    Ci,
    /// Program code.
    #[default]
    Code,
    /// Documentation.
    Docs,
    /// Tests and their fixtures.
    Test,
}

impl Standing {
    /// The word used in reports (`where` in JSON).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Standing::Training => "training",
            Standing::Ci => "ci",
            Standing::Code => "code",
            Standing::Docs => "docs",
            Standing::Test => "test",
        }
    }
}

/// What policy and path say of a blob.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Lens {
    /// Name of the dataset of the policy that the path belongs to.
    pub dataset: Option<Arc<str>>,
    /// Declared roles of its fields; without them they are guessed, and the guess is printed.
    pub roles: Option<FieldRoles>,
    /// Label values that mean "not labelled yet". `""` unless the policy says otherwise; never matched without regard
    /// to case, since `None` is a real class in real datasets.
    pub null: Vec<String>,
    /// Where the file stands.
    pub standing: Standing,
    /// `train`, `validation` or `test`, where a folder or a file name says so.
    pub split: Option<&'static str>,
    /// Whether it is indexed for retrieval (`role: [rag]`), where hidden markup is an attack.
    pub retrieval: bool,
}
