//! Those who deliver data, and the runs that learn from it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::values::Day;
use crate::policy::words::{Placed, Words};

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
