//! Where readers put what they find: references, and code of other languages for their readers.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::image::image;
use super::passage::Passage;
use super::spelling::{is_dynamic, is_placeholder};
use super::url::{self, Located};
use super::variables::Variables;
use super::verdict::{Named, Pin, judge, needs_fix};
use crate::format::cards::Card;
use crate::format::{Reference, Target, Verdict};
use crate::span::Span;

/// References of one file are cut here; a file with more is no honest configuration.
const MAX_REFERENCES: usize = 10_000;

/// Languages within languages that are followed.
const MAX_NESTING: u32 = 8;

/// What a file of code or configuration came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The references, in the order of the file. Not only the fresh ones.
    pub(crate) list: Vec<Reference>,
    /// What could not be read, and why, each as one phrase.
    pub(crate) unread: Vec<String>,
    /// What it says of the data beside it, where it is a card.
    pub(crate) card: Option<Card>,
}

/// Code of one language that stands in another. No reader knows another one: what each finds in its own comes back here,
/// and the router hands it on.
#[derive(Debug)]
pub(super) enum Nested {
    /// A program in Python.
    Python(Passage<'static>),
    /// A script, with the variables that are set around it.
    Shell { script: Passage<'static>, framework: &'static str, variables: Rc<Variables> },
    /// The words of one command.
    Command { words: Vec<Passage<'static>>, framework: &'static str },
    /// The text of a Dockerfile.
    Docker(Passage<'static>),
    /// A configuration in YAML.
    Yaml(Passage<'static>),
    /// A configuration in JSON.
    Json(Passage<'static>),
}

impl Nested {
    /// A script with nothing set around it.
    pub(super) fn shell(script: Passage<'static>, framework: &'static str) -> Self {
        Self::Shell { script, framework, variables: Rc::default() }
    }
}

/// Takes references as they are found.
#[derive(Debug, Default)]
pub(super) struct Collector {
    /// Each with how deep in other languages it stands.
    list: Vec<(Reference, u32)>,
    /// Where the revisions stand that leave a name loose.
    loose: BTreeSet<Span>,
    unread: Vec<String>,
    nested: Vec<(Nested, u32)>,
    depth: u32,
    too_deep: bool,
    card: Option<Card>,
}

impl Collector {
    /// Judges a name and takes it.
    pub(super) fn name(&mut self, named: Named<'_>) {
        let at = if let Pin::At(_, span) = &named.pin { Some(*span) } else { None };
        if let Some(reference) = judge(named) {
            self.loose.extend(at.filter(|_| needs_fix(reference.verdict)));
            self.push(reference);
        }
    }

    /// Takes a reference that is judged already. What is firm needs no fix.
    pub(super) fn push(&mut self, mut reference: Reference) {
        if !needs_fix(reference.verdict) {
            reference.fix.clear();
        }
        match self.list.len() {
            n if n < MAX_REFERENCES => self.list.push((reference, self.depth)),
            MAX_REFERENCES if self.unread.is_empty() => {
                self.unread.push(format!("more than {MAX_REFERENCES} references"))
            }
            _ => {}
        }
    }

    /// Takes a name that can only be a file of this repository.
    pub(super) fn local(&mut self, named: Named<'_>) {
        let dynamic = is_dynamic(named.value);
        if named.value.is_empty() || is_placeholder(named.value) {
            return;
        }
        self.push(Reference {
            kind: named.kind,
            hub: "local",
            target: named.value.to_owned(),
            pin: None,
            verdict: if dynamic { Verdict::Dynamic } else { Verdict::Local },
            framework: named.framework,
            by: named.by,
            span: named.span,
            remote_code: named.remote_code,
            fix: String::new(),
        });
    }

    /// Takes an address. `checked` names the check of its content that makes any address firm.
    pub(super) fn located(
        &mut self,
        found: Located,
        checked: Option<&str>,
        span: Span,
        framework: &'static str,
        by: &str,
    ) {
        let firm = checked.is_some() && matches!(found.verdict, Verdict::Weak | Verdict::Unpinned);
        let verdict = if firm { Verdict::Pinned } else { found.verdict };
        self.push(Reference {
            kind: found.kind.unwrap_or(Target::UrlData),
            hub: found.hub,
            target: found.target,
            pin: if firm { checked.map(str::to_owned) } else { found.pin },
            verdict,
            framework,
            by: by.to_owned(),
            span,
            remote_code: false,
            fix: url::fix(found.hub),
        });
    }

    /// Takes the name of a container image.
    pub(super) fn image(&mut self, text: &str, span: Span, framework: &'static str, by: &str) {
        let (target, pin, verdict) = image(text);
        if target.is_empty() {
            return;
        }
        self.push(Reference {
            kind: Target::Image,
            hub: "docker",
            target,
            pin,
            verdict,
            framework,
            by: by.to_owned(),
            span,
            remote_code: false,
            fix: "Name the image by its digest: `image@sha256:…`.".into(),
        });
    }

    /// Takes code of another language that stands in what is read.
    pub(super) fn nest(&mut self, nested: Nested) {
        if self.depth < MAX_NESTING {
            self.nested.push((nested, self.depth + 1));
        } else if !self.too_deep {
            self.too_deep = true;
            self.unread.push(format!("scripts within scripts deeper than {MAX_NESTING} levels"));
        }
    }

    /// The next piece of nested code. What is found until the next call stands that deep.
    pub(super) fn next_nested(&mut self) -> Option<Nested> {
        let (nested, depth) = self.nested.pop()?;
        self.depth = depth;
        Some(nested)
    }

    /// Takes what a card says. A file is one card; blocks within it are examples.
    pub(super) fn card(&mut self, card: Card) {
        if self.depth == 0 {
            self.card.get_or_insert(card);
        }
    }

    /// Takes what could not be read, and why, as one phrase.
    pub(super) fn unread(&mut self, reason: String) {
        self.unread.push(reason);
    }

    /// Everything found, in the order of the file.
    pub(super) fn finish(mut self) -> Found {
        // The innermost reader of a place knows it best; others that come upon the same bytes say it again.
        self.list.sort_by_key(|(reference, depth)| (reference.span.start, reference.span.end, Reverse(*depth)));
        let mut list: Vec<Reference> = self.list.into_iter().map(|(reference, _)| reference).collect();
        // A constant is the root of what is loaded through it, and is told by itself only where nothing is named there.
        list.retain(|reference| {
            reference.hub != "python" || reference.pin.is_none() || !self.loose.contains(&reference.span)
        });
        list.dedup_by(|next, first| next.span == first.span && (next.target == first.target || next.hub == first.hub));
        Found { list, unread: self.unread, card: self.card }
    }
}
