//! One command with what is known around it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::format::Target;
use crate::format::references::collector::{Collector, Nested};
use crate::format::references::passage::Passage;
use crate::format::references::shell::around::Around;
use crate::format::references::verdict::{Named, Pin, Way};

pub(super) const COMMIT_FLAG: Way = Way::Flag("--revision");

pub(super) const NO_FLAG: Way = Way::Words(
    "Pin it where it is loaded, or obtain it at the reviewed commit, name the local folder here and lock it with `foretaste lock`.",
);

/// One command with what is known around it.
pub(super) struct Line<'c> {
    pub(super) words: &'c [Passage<'c>],
    pub(super) framework: &'static str,
    pub(super) around: &'c Around,
    /// The first value of every flag.
    pub(super) values: BTreeMap<&'c str, (usize, Range<usize>)>,
    /// Whether code of the other side may run.
    pub(super) trusts: bool,
}

impl<'c> Line<'c> {
    pub(super) fn new(words: &'c [Passage<'c>], framework: &'static str, around: &'c Around) -> Self {
        let (mut values, mut trusts) = (BTreeMap::new(), false);
        for (at, word) in words.iter().enumerate().filter(|(_, word)| word.text().starts_with('-')) {
            let text = word.text();
            let next = words.get(at + 1).map(Passage::text).filter(|next| !next.starts_with('-'));
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some((at, name.len() + 1..text.len(), value))),
                None => (text, next.map(|next| (at + 1, 0..next.len(), next))),
            };
            if matches!(name, "--trust_remote_code" | "--trust-remote-code") {
                trusts |= !value.as_ref().is_some_and(|(.., value)| matches!(*value, "false" | "False" | "0"));
            }
            if let Some((at, range, _)) = value {
                values.entry(name).or_insert((at, range));
            }
        }
        Self { words, framework, around, values, trusts }
    }

    pub(super) fn text(&self, at: usize) -> &str {
        self.words.get(at).map_or("", Passage::text)
    }

    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.words.iter().any(|word| names.contains(&word.text()))
    }

    /// The value of the first of these flags that is there, as `--flag value` or `--flag=value`.
    pub(super) fn value(&self, names: &[&str]) -> Option<(usize, Range<usize>)> {
        names.iter().find_map(|name| self.values.get(name)).cloned()
    }

    /// Words that are neither flags nor the values of flags that take one.
    pub(super) fn positional(&self, from: usize, taking: &[&str]) -> impl Iterator<Item = usize> {
        let mut skip = false;
        (from..self.words.len()).filter(move |&at| {
            let text = self.text(at);
            let value = std::mem::replace(&mut skip, taking.contains(&text));
            !value && !text.starts_with('-') && !text.is_empty()
        })
    }

    pub(super) fn script(&self, at: usize, out: &mut Collector) {
        if let Some(word) = self.words.get(at) {
            let variables = self.around.variables.clone();
            out.nest(Nested::Shell { script: word.clone().into_owned(), framework: self.framework, variables });
        }
    }

    /// A name in a word, with the pin that goes with it.
    #[allow(clippy::too_many_arguments)] // each is one part of a command line
    pub(super) fn name(
        &self,
        kind: Target,
        at: usize,
        range: Range<usize>,
        pin: Option<(usize, Range<usize>)>,
        by: &str,
        change: impl FnOnce(&mut Named<'_>),
        out: &mut Collector,
    ) {
        let Some(word) = self.words.get(at) else { return };
        let (value, span) = self.around.resolve(word, range);
        let pin = pin.and_then(|(at, range)| Some(self.around.resolve(self.words.get(at)?, range)));
        let mut named = Named {
            kind,
            value: &value,
            span,
            pin: pin.as_ref().map_or(Pin::Absent, |(text, span)| Pin::At(text, *span)),
            framework: self.framework,
            by: by.to_owned(),
            remote_code: self.trusts,
            way: NO_FLAG,
            hub: "huggingface",
            templates: true,
            single: true,
        };
        change(&mut named);
        out.name(named);
    }
}
