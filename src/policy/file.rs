//! The words of `foretaste.yaml`, as people write them.
//!
//! These structs are also where the JSON Schema comes from (`foretaste schema`), so their comments are what an editor
//! shows while somebody writes a policy.

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};

use crate::policy::node::short;
use crate::policy::words::{Anything, Named, Placed, Words};

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
    pub(crate) revoked: Option<Revoked>,
}

/// That a key no longer counts.
#[derive(Clone, Debug)]
pub(crate) enum Revoked {
    /// `true` or `false`.
    Plainly(bool),
    /// With the circumstances.
    Told(RevokedWords),
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

impl<'de> Deserialize<'de> for Revoked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = Revoked;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("true, or a block with `at` and `reason`")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Revoked, E> {
                Ok(Revoked::Plainly(value))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Revoked, A::Error> {
                RevokedWords::deserialize(de::value::MapAccessDeserializer::new(map)).map(Revoked::Told)
            }
        }
        deserializer.deserialize_any(Take)
    }
}

impl JsonSchema for Revoked {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Revoked".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let told = generator.subschema_for::<RevokedWords>();
        json_schema!({"anyOf": [{"type": "boolean"}, told]})
    }
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
    pub(crate) policy_change: Option<Placed<PolicyChange>>,
    /// When signatures are asked for: at every change, of what is merged, of a tag, before a run. Always, where it is left
    /// out.
    #[serde(default)]
    pub(crate) signed_at: Words<MomentWords>,
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

/// What a change of the policy needs.
#[derive(Clone, Debug)]
pub(crate) enum PolicyChange {
    /// `true` or `false`.
    Plainly(bool),
    /// Signatures.
    Signed(PolicyChangeWords),
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

impl<'de> Deserialize<'de> for PolicyChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = PolicyChange;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("true, or a block with `signatures`")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<PolicyChange, E> {
                Ok(PolicyChange::Plainly(value))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PolicyChange, A::Error> {
                PolicyChangeWords::deserialize(de::value::MapAccessDeserializer::new(map)).map(PolicyChange::Signed)
            }
        }
        deserializer.deserialize_any(Take)
    }
}

impl JsonSchema for PolicyChange {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PolicyChange".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let signed = generator.subschema_for::<PolicyChangeWords>();
        json_schema!({"anyOf": [{"type": "boolean"}, signed]})
    }
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

/// A firm that delivers data.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VendorWords {
    /// Whom to ask.
    #[serde(default)]
    pub(crate) contact: Option<String>,
    /// Globs of what it delivers.
    #[serde(default)]
    pub(crate) data: Words,
    /// How access of its people is controlled.
    #[serde(default)]
    pub(crate) access_control: Option<String>,
    /// Whether its annotators are screened.
    #[serde(default)]
    pub(crate) annotator_screening: Option<bool>,
    /// Its quality assurance.
    #[serde(default)]
    pub(crate) qa: Option<QaWords>,
    /// Firms that it gives work to; an empty list says that there are none.
    #[serde(default)]
    pub(crate) sub_processors: Option<Words>,
    /// Everybody through whose hands the data goes, from the annotator to this repository.
    #[serde(default)]
    pub(crate) chain: Option<Words>,
    /// Clause of the contract about provenance.
    #[serde(default)]
    pub(crate) provenance_clause: Option<String>,
    /// Hours within which it tells of an incident.
    #[serde(default)]
    pub(crate) notification_hours: Option<u32>,
    /// What accompanies a delivery, such as `signed-manifest`.
    #[serde(default)]
    pub(crate) sends: Option<String>,
    /// Its key, by name under `keys`.
    #[serde(default)]
    pub(crate) key: Option<Placed<String>>,
    /// Who reviewed it.
    #[serde(default)]
    pub(crate) reviewer: Option<String>,
    /// Day of the review.
    #[serde(default)]
    pub(crate) reviewed: Option<Day>,
    /// Last day on which the review counts.
    #[serde(default)]
    pub(crate) expires: Option<Day>,
}

/// Quality assurance of a vendor.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "recorded for the rules about vendors that come next; the words are checked today")]
pub(crate) struct QaWords {
    /// Share of records that two people label, in percent.
    #[serde(default)]
    double_label_pct: Option<f64>,
    /// Share of records with a known answer, in percent.
    #[serde(default)]
    gold_pct: Option<f64>,
}

/// A fine-tuning run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunWords {
    /// Its configuration file.
    #[serde(default)]
    pub(crate) config: Option<Placed<String>>,
    /// The model it starts from: `owner/name`, or the name of a source.
    #[serde(default)]
    pub(crate) base_model: Option<Placed<String>>,
    /// Its datasets, by their names under `datasets` or `sources`.
    #[serde(default)]
    pub(crate) datasets: Words,
    /// What it makes: a path, or a name.
    #[serde(default)]
    pub(crate) output: Option<String>,
    /// SHA-256 of what it made, as 64 lower-case hex digits.
    #[serde(default)]
    pub(crate) output_sha256: Option<Placed<String>>,
    /// Who reviewed it.
    #[serde(default)]
    pub(crate) reviewer: Option<String>,
}

impl RunWords {
    /// The path of its configuration.
    pub(crate) fn config(&self) -> Option<&str> {
        self.config.as_ref().map(|config| config.value.as_str())
    }
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

/// A day, written `2026-10-01`.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Day(pub(crate) Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The parser of dates also takes times and week dates; a policy has one way to write a day.
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| if matches!(i, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
        match text.parse() {
            Ok(date) if shape => Ok(Day(date)),
            _ => Err(de::Error::custom(format!(
                "takes a day of the calendar, written 2026-10-01; here is `{}`",
                short(&text)
            ))),
        }
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
    }
}

/// A number of bytes, written `1048576`, `1 MiB` or `1 MB`.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Size(pub(crate) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match text[digits.len()..].trim() {
            "" | "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            "kB" | "KB" => Some(1_000),
            "MB" => Some(1_000_000),
            "GB" => Some(1_000_000_000),
            _ => None,
        };
        let size = digits.parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
        size.filter(|n| *n > 0).map(Size).ok_or_else(|| {
            de::Error::custom(format!("takes a number of bytes such as 1048576 or 1 MiB; here is `{}`", short(&text)))
        })
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^[0-9]+ ?([KMG]iB|[kKMG]?B)?$"}
        ]})
    }
}
