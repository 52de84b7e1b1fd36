//! The flags and settings of any program.

use std::ops::Range;

use super::line::{Line, NO_FLAG};
use crate::format::Target;
use crate::format::references::collector::Collector;
use crate::format::references::flags::{Flag, flag, is_service};
use crate::format::references::passage::Passage;
use crate::format::references::pin::is_version;
use crate::format::references::spelling::{is_builder, is_hub_id, is_local};
use crate::format::references::verdict::{Named, Way};

impl Line<'_> {
    /// The flags of any program, and settings in the manner of Hydra.
    pub(super) fn flags(&self, program: &str, out: &mut Collector) {
        let framework = self.framework;
        let mut at = 1;
        while at < self.words.len() {
            let text = self.text(at);
            let here = at;
            at += 1;
            if !text.starts_with("--") {
                self.setting(here, framework, out);
                continue;
            }
            let (name, inline) = match text.split_once('=') {
                Some((name, value)) => (name, Some(name.len() + 1..name.len() + 1 + value.len())),
                None => (text, None),
            };
            if name == "--model_args" {
                let value = inline
                    .map(|range| (here, range))
                    .or_else(|| self.words.get(at).map(|word| (at, 0..word.text().len())));
                if let Some((at, range)) = value {
                    self.model_args(at, range, out);
                }
                continue;
            }
            let Some(flag) = flag(name) else { continue };
            let mixer = name.contains("mixer");
            let mut index = 0;
            let single = inline.is_some();
            let mut value = inline.map(|range| (here, range));
            loop {
                let next =
                    self.words.get(at).map(Passage::text).filter(|next| !next.starts_with("--") && !next.contains('='));
                if value.is_none() && !single && next.is_some() {
                    value = Some((at, 0..self.text(at).len()));
                    at += 1;
                }
                let Some((word, range)) = value.take() else { break };
                // A mixer is a list of names and amounts.
                if !mixer || index % 2 == 0 {
                    self.flag(flag, name, word, range, program, out);
                }
                index += 1;
                if single {
                    break;
                }
            }
        }
    }

    fn flag(&self, flag: Flag, name: &str, at: usize, range: Range<usize>, program: &str, out: &mut Collector) {
        let text = self.text(at).to_owned();
        let mut start = range.start;
        let pins: Vec<String> =
            flag.pins.iter().flat_map(|pin| [format!("--{pin}"), format!("--{}", pin.replace('_', "-"))]).collect();
        let pins: Vec<&str> = pins.iter().map(String::as_str).collect();
        // `--revision` alone belongs to the dataset where the command names one.
        let names_data = self.values.range("--dataset"..).next().is_some_and(|(name, _)| name.starts_with("--dataset"));
        let names_model = self.values.range("--model"..).next().is_some_and(|(name, _)| name.starts_with("--model"));
        let shared = flag.kind == Target::Model && names_data;
        let pins = if shared { &pins[..2] } else { &pins[..] };
        for part in text[range.clone()].split(',') {
            let here = start..start + part.len();
            start += part.len() + 1;
            let (resolved, _) = self.around.resolve(&self.words[at], here.clone());
            let name_like =
                resolved.contains("://") || is_hub_id(&resolved) || resolved.contains('$') || is_local(&resolved);
            if !name_like || is_service(&resolved) || is_builder(&resolved) || is_version(&resolved) {
                continue;
            }
            let change = |named: &mut Named<'_>| {
                named.single = flag.single;
                // Where a command names a model, that is what its code is trusted for.
                named.remote_code &= flag.kind == Target::Model || !names_model;
                if program == "trl" {
                    named.framework = "trl";
                }
                if flag.kind == Target::Model && flag.pins.first() == Some(&"model_revision") {
                    named.way = if named.framework == "trl" { Way::Flag("--model_revision") } else { NO_FLAG };
                }
            };
            self.name(flag.kind, at, here, self.value(pins), name, change, out);
        }
    }

    /// `--model_args pretrained=OWNER/NAME,revision=…` of lm-evaluation-harness.
    fn model_args(&self, at: usize, range: Range<usize>, out: &mut Collector) {
        let text = self.text(at)[range.clone()].to_owned();
        let mut start = range.start;
        let mut pairs = Vec::new();
        for part in text.split(',') {
            if let Some((key, value)) = part.split_once('=') {
                pairs.push((key, value, start + key.len() + 1..start + part.len()));
            }
            start += part.len() + 1;
        }
        let pin = pairs.iter().find(|(key, ..)| *key == "revision").map(|(.., range)| (at, range.clone()));
        let trusts =
            pairs.iter().any(|(key, value, _)| *key == "trust_remote_code" && value.eq_ignore_ascii_case("true"));
        for (key, _, range) in pairs.iter().filter(|(key, ..)| matches!(*key, "pretrained" | "peft" | "tokenizer")) {
            let change = |named: &mut Named<'_>| {
                named.framework = "lm-eval";
                named.remote_code |= trusts;
                named.way =
                    Way::Words("Add the 40-digit commit that was reviewed: `--model_args pretrained=…,revision=…`.");
            };
            let pin = if *key == "pretrained" { pin.clone() } else { None };
            self.name(Target::Model, at, range.clone(), pin, "--model_args", change, out);
        }
    }

    /// `data.train.path=OWNER/NAME`.
    fn setting(&self, at: usize, framework: &'static str, out: &mut Collector) {
        let Some((key, value)) = self.text(at).split_once('=') else { return };
        let path = key.trim_start_matches('+');
        let Some((parents, last)) = path.rsplit_once('.') else { return };
        if !matches!(
            last,
            "path"
                | "name"
                | "repo_id"
                | "source"
                | "data_files"
                | "hf_path"
                | "dataset_name"
                | "train_files"
                | "val_files"
        ) {
            return;
        }
        let kind = match parents.rsplit('.').find_map(|word| match word {
            "dataset" | "datasets" | "data" | "train_ds" | "train_dataset" | "eval_dataset" | "validation_ds" => {
                Some(Target::Dataset)
            }
            "model" | "reward_model" | "policy" => Some(Target::Model),
            _ => None,
        }) {
            Some(kind) => kind,
            None => return,
        };
        if !value.contains('/') || is_service(value) {
            return;
        }
        let range = key.len() + 1..key.len() + 1 + value.len();
        let by = path.to_owned();
        // The pin is another word of the same command.
        let pins = [format!("{parents}.revision="), format!("{parents}.hf_revision=")];
        let pin = (0..self.words.len()).find_map(|at| {
            let text = self.text(at);
            let bare = text.trim_start_matches('+');
            let len = pins.iter().find(|pin| bare.starts_with(pin.as_str()))?.len() + (text.len() - bare.len());
            Some((at, len..text.len()))
        });
        self.name(
            kind,
            at,
            range,
            pin,
            &by,
            |named| named.framework = if framework == "shell" { "hydra" } else { framework },
            out,
        );
    }
}
