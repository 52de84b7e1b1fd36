//! What `foretaste fix` needs to know of records: where hidden characters can be cut out of their bytes, and what of a
//! text a reader sees.

use std::borrow::Cow;

use super::machine::{Machine, Modes};
use super::manual::RULES;
use super::prefilter::Prefilter;
use super::walk::{Back, container, decoded, is_columnar, stretches};
use super::{InvisibleUnicode, Settings, controls, tables};
use crate::check::Configured;
use crate::check::places::{is_json, text_of};
use crate::format::{Coding, Records};
use crate::policy::{Policy, PolicyError};
use crate::span::Span;

/// Finds what can be cut, by the rule's own settings.
#[derive(Debug)]
pub(crate) struct Cure {
    modes: Modes,
    /// Also what only the bold cut.
    bold: bool,
}

/// Bytes of a batch that can be cut.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cut {
    /// Index of its row in the batch; `None` outside of every record.
    pub(crate) row: Option<usize>,
    /// Its bytes in [`Records::text`]. Of a columnar file the whole cell, since there is nothing to cut in place.
    pub(crate) span: Span,
    /// Whether no honest text loses anything by it.
    pub(crate) safe: bool,
    /// Whether a space takes its place.
    pub(crate) space: bool,
    /// Hidden characters in it.
    pub(crate) characters: u64,
}

impl Cure {
    /// A cure by the settings that the policy has for `invisible-unicode`. A `bold` one also looks for no-break spaces.
    pub(crate) fn new(policy: &Policy, bold: bool) -> Result<Self, PolicyError> {
        let settings = policy.settings::<Settings>(RULES[0].id)?;
        let check = InvisibleUnicode::new(settings, policy);
        // Strictness says how bad something is, not whether a language can do without it.
        Ok(Self { modes: Modes { info: true, strict: false, ..check.modes }, bold })
    }

    /// Hands on every cut of a batch, in the order of its bytes.
    pub(crate) fn cuts(&self, records: &Records<'_>, take: &mut dyn FnMut(Cut)) {
        let mut machine = Machine::new(self.modes);
        if is_columnar(records) {
            return self.columns(&mut machine, records, take);
        }
        let mut hits = Prefilter { escapes: is_json(records.kind), wide: self.bold }.hits(text_of(records));
        stretches(records, &mut hits, &mut |stretch, _| {
            let coding = match stretch.field.map(|field| field.coding()) {
                // A nested value that was kept as it is written is like what stands between values.
                None | Some(Coding::Bare) => container(records.kind),
                Some(coding) => coding,
            };
            let row = stretch.record.and_then(|record| usize::try_from(record.number() - records.first - 1).ok());
            self.text(&mut machine, records, stretch.span, coding, row, take);
        });
    }

    fn text(
        &self,
        machine: &mut Machine,
        records: &Records<'_>,
        span: Span,
        coding: Coding,
        row: Option<usize>,
        take: &mut dyn FnMut(Cut),
    ) {
        let raw = span.of(records.text);
        let text = decoded(coding, raw);
        let was_decoded = matches!(text, Cow::Owned(_));
        let filter = Prefilter { escapes: false, wide: self.bold };
        let remedies = machine.remedies(&text, &mut filter.hits(&text), 0, span.start == 0 && !was_decoded);
        let mut back = Back::new(coding, raw, span.start, was_decoded);
        for remedy in remedies {
            let span = back.lead(remedy.range);
            take(Cut { row, span, safe: remedy.safe, space: remedy.space, characters: remedy.characters });
        }
    }

    /// Cells of columnar files have no bytes of their own; what is found in them is only told.
    fn columns(&self, machine: &mut Machine, records: &Records<'_>, take: &mut dyn FnMut(Cut)) {
        let filter = Prefilter { escapes: false, wide: self.bold };
        if filter.hits(records.text).first_from(0).is_none() {
            return;
        }
        for (row, record) in records.iter().enumerate() {
            for field in record.fields() {
                let raw = field.raw();
                for remedy in machine.remedies(raw, &mut filter.hits(raw), 0, false) {
                    let span = Span::new(field.cell().start, field.cell().end);
                    let row = Some(row);
                    take(Cut { row, span, safe: remedy.safe, space: remedy.space, characters: remedy.characters });
                }
            }
        }
    }
}

/// What a reader sees of a text: no character that is drawn as nothing, no control, no terminal sequence. Said apart from
/// what is cut, so that the one can be held against the other.
pub(crate) fn visible(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut skip_to = 0;
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        let end = at + c.len_utf8();
        let sequence = match (c, bytes.get(end)) {
            ('\u{1B}', Some(b'[')) => controls::control_sequence(bytes, end + 1),
            ('\u{1B}', Some(b']')) => controls::string_sequence(bytes, end + 1),
            ('\u{9B}', _) => controls::control_sequence(bytes, end),
            ('\u{9D}', _) => controls::string_sequence(bytes, end),
            _ => None,
        };
        if let Some(to) = sequence {
            skip_to = to;
            continue;
        }
        let blank = matches!(c, '\t' | '\n' | '\r' | '\u{B}' | '\u{C}');
        let noncharacter = (c as u32) & 0xFFFE == 0xFFFE || matches!(c, '\u{FDD0}'..='\u{FDEF}');
        let overflow = matches!(c as u32, 0xE1000..=0xEFFFF);
        match c {
            '\u{A0}' => out.push(' '),
            c if blank => out.push(c),
            c if c.is_control() || noncharacter || overflow || tables::is_default_ignorable(c) => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::with_blob;
    use crate::format::{Sink, decode, read};
    use crate::lens::Lens;
    use crate::policy::Limits;
    use crate::span::Fresh;

    struct Cuts<'c>(&'c Cure, Vec<(Option<u64>, Span)>);

    impl Sink for Cuts<'_> {
        fn records(&mut self, records: &Records<'_>) {
            let list = &mut self.1;
            self.0.cuts(records, &mut |cut| list.push((cut.row.map(|row| records.first + row as u64), cut.span)));
        }
        fn references(&mut self, _: &crate::format::References<'_>) {}
    }

    fn cuts(path: &str, text: &str) -> Vec<(Option<u64>, String)> {
        let policy = Policy::builtin(jiff::civil::date(2026, 1, 1));
        let cure = Cure::new(&policy, true).expect("the settings of nobody");
        let limits = Limits::default();
        let decoded = decode(text.as_bytes(), &limits).expect("within the limits");
        let mut sink = Cuts(&cure, Vec::new());
        with_blob(path, &decoded, &Lens::default(), &Fresh::All, |blob| read(blob, &limits, &mut sink))
            .expect("a format that can be read");
        sink.1
            .into_iter()
            .map(|(row, span)| (row, String::from_utf8_lossy(span.of(text.as_bytes())).into_owned()))
            .collect()
    }

    #[test]
    fn escapes_are_cut_as_they_are_written() {
        let text = "{\"text\": \"a\\u200Bb\\udb40\\udc41 c\", \"label\": \"x\"}\n{\"text\": \"d\u{E0041}e\\n\", \"label\": \"x\"}\n";
        let expected = [(Some(0), "\\u200B"), (Some(0), "\\udb40\\udc41"), (Some(1), "\u{E0041}")];
        assert_eq!(cuts("a.jsonl", text), expected.map(|(row, cut)| (row, cut.to_owned())));
        // A backslash that is itself escaped begins nothing.
        assert_eq!(cuts("a.jsonl", "{\"text\": \"a\\\\u200bb\", \"label\": \"x\"}\n"), []);
    }

    #[test]
    fn quoted_fields_and_keys_are_looked_at_where_they_stand() {
        let text = "text,label\n\"say \"\"a\u{2062}b\"\"\",x\n\"c\u{2063}d\",y\n";
        let expected = [(Some(0), "\u{2062}"), (Some(1), "\u{2063}")];
        assert_eq!(cuts("a.csv", text), expected.map(|(row, cut)| (row, cut.to_owned())));
        let text = "{\"te\u{2062}xt\": \"a\", \"label\": \"x\"}\n{\"te\u{2062}xt\": \"b\", \"label\": \"x\"}\n";
        assert_eq!(cuts("a.jsonl", text).len(), 2);
        let text = "te\u{2062}xt,label\na,x\nb,y\n";
        assert_eq!(cuts("a.csv", text), [(None, "\u{2062}".to_owned())]);
    }

    #[test]
    fn what_is_seen_has_nothing_hidden_in_it() {
        assert_eq!(visible("pay\u{200B}pal\u{E0041}\u{FEFF}\0\u{7F}"), "paypal");
        assert_eq!(visible("a\u{1B}[8mb\u{1B}[0m\u{1B}]8;;u\u{7}c"), "abc");
        assert_eq!(visible("a\u{A0}b\nc\td"), "a b\nc\td");
        assert_eq!(visible("\u{1B}Hello \u{FFFF}\u{E5000}"), "Hello ");
    }
}
