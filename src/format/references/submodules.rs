//! The submodules of a repository.

use super::collector::Collector;
use super::endings::names_data;
use super::passage::Passage;
use crate::format::{Reference, Target, Verdict};

/// The submodules of a repository. Git itself pins them: the commit stands in the tree.
pub(super) fn find(file: &Passage<'_>, out: &mut Collector) {
    let mut at = 0;
    for line in file.text().split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some((key, value)) = line.split_once('=').filter(|(key, _)| key.trim() == "url") else { continue };
        let offset = start + key.len() + 1 + (value.len() - value.trim_start().len());
        let value = value.trim();
        let span = file.span(offset..offset + value.len());
        let data = names_data(value) || value.contains("huggingface.co/datasets");
        out.push(Reference {
            kind: if data { Target::Dataset } else { Target::Code },
            hub: "git",
            target: value.to_owned(),
            pin: None,
            verdict: Verdict::Pinned,
            framework: "git",
            by: "submodule".into(),
            span,
            remote_code: false,
            fix: String::new(),
        });
    }
}
