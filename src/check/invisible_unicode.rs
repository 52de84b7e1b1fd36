//! `invisible-unicode`: characters that a reader does not see and a model does.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::check::{Check, Configured, Merge, Observation};
use crate::finding::{Finding, MOST_FOR_INFO};
use crate::policy::Policy;
use crate::rule::Rule;

mod around;
mod bidi;
mod causes;
mod context;
mod controls;
pub(crate) mod cure;
mod decode;
mod deeper;
mod describe;
mod fields;
mod layers;
mod machine;
mod manual;
mod names;
mod prefilter;
mod runs;
pub(super) mod signal;
mod stacked;
mod tables;
mod variants;
mod walk;
mod words;

#[cfg(test)]
mod fuzz;

use causes::{Causes, Kin};
use context::Groups;
use machine::{Modes, Tally};
use manual::RULES;
use signal::Signal;

/// The settings of `invisible-unicode`.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Also show what is only worth knowing: odd spaces, private-use characters, soft hyphens, mojibake.
    show_info: bool,
    /// Let no context excuse a character that is drawn as nothing.
    strict: bool,
    /// Languages of the data, as tags such as `fa` or `en-GB`. Only the orthography of these excuses hidden characters;
    /// empty for every language.
    languages: Vec<String>,
}

/// The check.
#[derive(Debug)]
pub(crate) struct InvisibleUnicode {
    modes: Modes,
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    causes: BTreeMap<Kin, Causes>,
    excused: Tally,
    signal: Signal,
}

impl Merge for Seen {
    fn merge(&mut self, other: Self) {
        Merge::merge(&mut self.causes, other.causes);
        self.excused.add(&other.excused);
        self.signal.merge(other.signal);
    }
}

impl Configured for InvisibleUnicode {
    type Settings = Settings;

    fn new(settings: Settings, policy: &Policy) -> Self {
        let languages = if settings.languages.is_empty() { &policy.languages } else { &settings.languages };
        let lenient = match languages.as_slice() {
            [] => Groups::ALL,
            tags => tags.iter().fold(Groups::NONE, |all, tag| all | context::groups_of_language(tag)),
        };
        Self { modes: Modes { info: settings.show_info || policy.show_info, strict: settings.strict, lenient } }
    }
}

impl Check for InvisibleUnicode {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        let wide = || Self { modes: Modes { info: true, ..self.modes } };
        match observation {
            Observation::Records(records) if records.blob.decoded.bytes.len() <= MOST_FOR_INFO => {
                wide().records(seen, records);
            }
            Observation::Records(records) => self.records(seen, records),
            Observation::Files(files) => wide().names(seen, files),
            Observation::People(people) => wide().people(seen, people),
            _ => {}
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        seen.signal.findings(&RULES[0], findings);
        for (kin, causes) in seen.causes {
            causes.findings(&kin, seen.excused.of(kin.class), findings);
        }
    }
}

#[cfg(test)]
mod tests;
