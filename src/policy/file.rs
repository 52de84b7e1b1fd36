//! The words of `foretaste.yaml`, as people write them.
//!
//! These structs are also where the JSON Schema comes from (`foretaste schema`), so their comments are what an editor
//! shows while somebody writes a policy.

mod datasets;
mod keys;
mod runs;
mod sources;
mod values;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::policy::words::{Anything, Named, Placed, Words};

pub(crate) use datasets::{DatasetWords, TrustWords};
pub(crate) use keys::{CoverageWords, EarlierWords, KeyWords, MomentWords, RequireWords};
pub(crate) use runs::{RunWords, VendorWords};
pub(crate) use sources::{KindWords, MatchWords, SourceWords};
pub(crate) use values::{Day, Plainly, Size};

/// The policy of a repository for its training data: which data there is, where it may come from, who may sign it,
/// and what the rules of foretaste make of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Version of this format: 1.
    #[schemars(schema_with = "version_schema")]
    pub(crate) version: Placed<String>,
    /// Name of the repository, bound into every signature: `github.com/acme/data`.
    #[serde(default)]
    pub(crate) repo: Option<Placed<String>>,
    /// The data, by names of your own.
    #[serde(default)]
    pub(crate) datasets: Named<DatasetWords>,
    /// Where data and models may come from. Once one is listed, any other is denied.
    #[serde(default)]
    pub(crate) sources: Named<SourceWords>,
    /// Keys that may sign.
    #[serde(default)]
    pub(crate) keys: Named<KeyWords>,
    /// What must hold for a run to pass.
    #[serde(default)]
    pub(crate) require: RequireWords,
    /// Rules by their ids: a severity, or a block with a severity and the rule's own settings.
    #[serde(default)]
    pub(crate) rules: Named<Anything>,
    /// Firms that deliver data: the register.
    #[serde(default)]
    pub(crate) vendors: Named<VendorWords>,
    /// Fine-tuning runs and what goes into them.
    #[serde(default)]
    pub(crate) runs: Named<RunWords>,
    /// What is accepted although a rule finds it.
    #[serde(default)]
    pub(crate) exceptions: Vec<Placed<ExceptionWords>>,
    /// Globs of paths that are left out. They are counted in every report.
    #[serde(default)]
    pub(crate) exclude: Words,
    /// People whom rules about people should know.
    #[serde(default)]
    pub(crate) people: PeopleWords,
    /// Languages of the data, as codes like `en` or `fa`. They narrow rules that are lenient for the sake of other
    /// languages.
    #[serde(default)]
    pub(crate) languages: Words,
    /// Caps on what is read. What is larger is reported as unread.
    #[serde(default)]
    pub(crate) limits: LimitsWords,
}

fn version_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"const": 1})
}

/// Something that is accepted although a rule finds it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExceptionWords {
    /// Id of the rule.
    pub(crate) rule: Placed<String>,
    /// Globs of the files in which it is accepted.
    #[serde(default)]
    pub(crate) files: Words,
    /// Fingerprints of findings or of single places, as a report prints them.
    #[serde(default)]
    pub(crate) fingerprint: Words,
    /// Code points that are accepted, in hexadecimal digits: `200C`.
    #[serde(default)]
    #[schemars(schema_with = "code_points_schema")]
    pub(crate) code_points: Words,
    /// At most this many places.
    #[serde(default)]
    pub(crate) count: Option<Placed<u64>>,
    /// Why it is accepted.
    pub(crate) reason: Placed<String>,
    /// Who answers for it.
    pub(crate) owner: Placed<String>,
    /// Last day on which it counts.
    pub(crate) until: Placed<Day>,
}

fn code_points_schema(_: &mut SchemaGenerator) -> Schema {
    // An editor reads 2060 as a number.
    json_schema!({"type": "array", "items": {"type": ["string", "integer"]}})
}

/// People whom rules about people should know.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleWords {
    /// Mail addresses of automation. Recorded; not judged yet.
    #[serde(default)]
    pub(crate) bots: Words,
    /// Mail addresses of people who are no newcomers whatever the history says. Recorded; not judged yet.
    #[serde(default)]
    pub(crate) maintainers: Words,
}

/// Caps on what is read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsWords {
    /// Bytes of one file after decompression, as a number or like `512 MiB`.
    #[serde(default)]
    pub(crate) blob: Option<Placed<Size>>,
    /// Bytes of one record.
    #[serde(default)]
    pub(crate) record: Option<Placed<Size>>,
    /// Bytes of one configuration or source file that is parsed for references.
    #[serde(default)]
    pub(crate) config: Option<Placed<Size>>,
    /// Nesting of JSON, YAML and TOML, at most 128.
    #[serde(default)]
    pub(crate) depth: Option<Placed<u32>>,
    /// Decompressed bytes for each compressed one.
    #[serde(default)]
    pub(crate) ratio: Option<Placed<u64>>,
    /// Fields of one record.
    #[serde(default)]
    pub(crate) fields: Option<Placed<u32>>,
}
