//! Where data may come from, and what speaks for it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::datasets::TrustWords;
use super::values::Day;
use crate::policy::words::{Placed, Words};

/// A source that data or models may come from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceWords {
    /// What belongs to it: exactly one of `path`, `hub`, `url`, `git`, `s3`.
    #[serde(rename = "match")]
    pub(crate) matches: Placed<MatchWords>,
    /// What a reference to it must be tied to.
    #[serde(default)]
    pub(crate) pin: Option<Placed<PinWords>>,
    /// How far it is trusted. Recorded; not judged yet.
    #[serde(default)]
    pub(crate) trust: Option<Placed<TrustWords>>,
    /// Licence, as an SPDX expression.
    #[serde(default)]
    pub(crate) licence: Option<String>,
    /// Who reviewed it.
    #[serde(default)]
    pub(crate) reviewer: Option<String>,
    /// Day of the review, `2026-10-01`.
    #[serde(default)]
    pub(crate) reviewed: Option<Placed<Day>>,
    /// Last day on which the review counts.
    #[serde(default)]
    pub(crate) expires: Option<Placed<Day>>,
    /// Lets the organisation in `hub` be a pattern, so that whoever registers a name that fits is allowed.
    #[serde(default)]
    pub(crate) allow_org: bool,
    /// Vendor that delivers it, by its name under `vendors`.
    #[serde(default)]
    pub(crate) vendor: Option<Placed<String>>,
    /// File format that is allowed, `safetensors-only`. Recorded; not judged yet.
    #[serde(default)]
    pub(crate) format: Option<String>,
    /// What it may be used for, and where.
    #[serde(default)]
    pub(crate) allow: Option<AllowWords>,
    /// What was seen when it was reviewed.
    #[serde(default)]
    pub(crate) evidence: Option<EvidenceWords>,
    /// Who must have signed it. Recorded; not judged yet.
    #[serde(default)]
    pub(crate) signed_by: Option<SignedByWords>,
    /// How it was collected from the web: never better than untrusted.
    #[serde(default)]
    pub(crate) scrape: Option<ScrapeWords>,
}

/// What belongs to a source: exactly one of `path`, `hub`, `url`, `git`, `s3`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchWords {
    /// Globs of files of this repository.
    #[serde(default)]
    pub(crate) path: Option<Words>,
    /// A hub and a repository there: `huggingface:rajpurkar/squad`, `huggingface:rajpurkar/*`.
    #[serde(default)]
    pub(crate) hub: Option<Placed<String>>,
    /// The beginning of a URL: scheme, host, and whole parts of the path.
    #[serde(default)]
    pub(crate) url: Option<Placed<String>>,
    /// A git remote.
    #[serde(default)]
    pub(crate) git: Option<Placed<String>>,
    /// A bucket and the beginning of its keys, ended by `/`: `acme-train/curated/`.
    #[serde(default)]
    pub(crate) s3: Option<Placed<String>>,
    /// Whether it is a dataset or a model; both where it is left out.
    #[serde(default)]
    pub(crate) kind: Option<KindWords>,
}

/// Kind of a source.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindWords {
    /// A dataset.
    Dataset,
    /// A model.
    Model,
}

/// What a reference must be tied to.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PinWords {
    /// A full commit id.
    Commit,
    /// A SHA-256 of the content.
    Sha256,
    /// The version id of a bucket.
    VersionId,
    /// What `foretaste.lock` holds.
    Lock,
}

impl PinWords {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            PinWords::Commit => "commit",
            PinWords::Sha256 => "sha256",
            PinWords::VersionId => "version_id",
            PinWords::Lock => "lock",
        }
    }
}

/// What a source may be used for, and where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllowWords {
    /// Uses, such as `sft` or `eval`.
    #[serde(default, rename = "use")]
    pub(crate) uses: Words,
    /// Globs of files that may name it.
    #[serde(default)]
    pub(crate) paths: Words,
}

/// What was seen when a source was reviewed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "recorded for the rules about provenance that come next; the words are checked today")]
pub(crate) struct EvidenceWords {
    /// Where the licence was read.
    #[serde(default)]
    licence: Option<String>,
    /// SPDX expression that the licence must satisfy.
    #[serde(default)]
    pub(crate) licence_allow: Option<String>,
    /// Ticket of the review.
    #[serde(default)]
    ticket: Option<String>,
    /// Digest of the scan that was looked at.
    #[serde(default)]
    scan: Option<String>,
}

/// Who must have signed a source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "recorded for the rules about provenance that come next; the words are checked today")]
pub(crate) struct SignedByWords {
    /// Role of the signers' keys.
    #[serde(default)]
    role: Option<String>,
    /// How many.
    #[serde(default)]
    signatures: Option<u32>,
}

/// How data was collected from the web.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "recorded for the rules about provenance that come next; the words are checked today")]
pub(crate) struct ScrapeWords {
    /// Never better than `untrusted`.
    #[serde(default)]
    pub(crate) trust: Option<TrustWords>,
    /// URLs that were read.
    #[serde(default)]
    target: Words,
    /// Tool and snapshot.
    #[serde(default)]
    method: Option<String>,
    /// First and last day.
    #[serde(default)]
    pub(crate) collected: Option<CollectedWords>,
    /// What was made of `robots.txt`.
    #[serde(default)]
    robots: Option<String>,
    /// Filters that were applied.
    #[serde(default)]
    filtering: Words,
    /// SHA-256 of the snapshot.
    #[serde(default)]
    snapshot_sha256: Option<String>,
    /// Largest share of a training mix.
    #[serde(default)]
    pub(crate) max_fraction: Option<f64>,
    /// Checks that it must pass.
    #[serde(default)]
    needs: Words,
}

/// First and last day of a collection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CollectedWords {
    /// First day.
    pub(crate) from: Day,
    /// Last day.
    pub(crate) to: Day,
}
