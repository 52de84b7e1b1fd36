//! Who may sign, and how many have to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{Block, Day, Plainly};
use crate::policy::words::{Placed, Words};

/// A key that may sign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyWords {
    /// The whole minisign public key, 56 characters.
    #[serde(default)]
    pub(crate) minisign: Option<Placed<String>>,
    /// An SSH public key, whole: `ssh-ed25519 AAAA…`. It may sign locks and commits.
    #[serde(default)]
    pub(crate) ssh: Option<Placed<String>>,
    /// A public key on the curve P-256, P-384 or P-521: the text between the lines of its PEM file. It may sign models
    /// (`model_signing sign key`).
    #[serde(default)]
    pub(crate) ecdsa: Option<Placed<String>>,
    /// The person or service behind it. A threshold counts these, not keys.
    pub(crate) principal: String,
    /// What its signatures count for.
    #[serde(default)]
    pub(crate) roles: Words,
    /// First day on which it counts.
    #[serde(default)]
    pub(crate) from: Option<Placed<Day>>,
    /// Last day on which it counts.
    #[serde(default)]
    pub(crate) until: Option<Placed<Day>>,
    /// That it no longer counts: `true`, or when, why, and what of its earlier signatures.
    #[serde(default)]
    pub(crate) revoked: Option<Plainly<RevokedWords>>,
}

/// Circumstances of a revocation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokedWords {
    /// Day of the revocation.
    pub(crate) at: Day,
    /// Why.
    pub(crate) reason: String,
    /// Whether signatures from before are trusted.
    #[serde(default)]
    pub(crate) earlier: EarlierWords,
}

/// What the signatures from before a revocation are worth.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EarlierWords {
    /// Nothing: the key was stolen.
    #[default]
    Untrusted,
    /// They stay good where they stood before.
    Trusted,
}

impl Block for RevokedWords {
    const EXPECTED: &'static str = "true, or a block with `at` and `reason`";
}

/// What must hold for a run to pass.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequireWords {
    /// Signatures on the lock by as many distinct principals.
    #[serde(default)]
    pub(crate) signatures: Option<Placed<u32>>,
    /// Whether signatures must come from distinct principals. They always must; `false` is refused.
    #[serde(default)]
    pub(crate) distinct_principals: Option<Placed<bool>>,
    /// Whether the author of a change does not count.
    #[serde(default)]
    pub(crate) exclude_author: Option<Placed<bool>>,
    /// Roles of which the signers' keys must have one.
    #[serde(default)]
    pub(crate) roles: Words,
    /// Age in days at which a signature no longer counts.
    #[serde(default)]
    pub(crate) max_age_days: Option<Placed<u32>>,
    /// Makes a loosened policy an error: `true`, or the signatures that a change of the policy needs.
    #[serde(default)]
    pub(crate) policy_change: Option<Placed<Plainly<PolicyChangeWords>>>,
    /// When signatures are asked for: at every change, of what is merged, of a tag, before a run. Always, where it is left
    /// out.
    #[serde(default)]
    pub(crate) signed_at: Words<MomentWords>,
    /// Folders of models that must carry an OpenSSF model signature by a key of the policy, in the folder or beside it
    /// (`model.sig`, or any `*.sig`), or files that must have one beside them. `verify` judges it, and `check` does for what
    /// a change touches; that one is there is asked at the moments of `signed_at`.
    #[serde(default)]
    pub(crate) model_signatures: Words,
    /// Whether every commit that changes data, policy or lock must carry an SSH signature by a key of the policy.
    #[serde(default)]
    pub(crate) signed_commits: Option<Placed<bool>>,
    /// `full`: files that no reader understands fail the run too.
    #[serde(default)]
    pub(crate) coverage: Option<Placed<CoverageWords>>,
}

/// When signatures are asked for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MomentWords {
    /// Every change. Parallel changes of data then have to sign each other's lock.
    Change,
    /// What has been merged: `verify`, or `check --rev`.
    Merge,
    /// A tag.
    Tag,
    /// A fine-tuning run that is about to begin.
    Run,
}

/// Signatures that a change of the policy needs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyChangeWords {
    /// How many.
    pub(crate) signatures: u32,
    /// Roles of which the signers' keys must have one.
    #[serde(default)]
    pub(crate) roles: Words,
}

impl Block for PolicyChangeWords {
    const EXPECTED: &'static str = "true, or a block with `signatures`";
}

/// How much must be readable.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CoverageWords {
    /// All that is recognised as data or declared.
    Data,
    /// Every file.
    Full,
}
