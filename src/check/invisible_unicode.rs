//! `invisible-unicode`: characters that a reader does not see and a model does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bstr::BString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::check::{Check, Merge, Observation};
use crate::finding::{Finding, Mark, content_hash};
use crate::format::{Cell, Coding, Field, Kind, Name, Record, Records, Row};
use crate::policy::Policy;
use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity};
use crate::source::{Files, People};
use crate::span::{At, BlobId, Place, Span};

mod bidi;
mod context;
mod controls;
pub(crate) mod cure;
mod decode;
mod deeper;
mod layers;
mod machine;
mod prefilter;
mod runs;
mod signal;
mod stacked;
mod tables;
mod variants;
mod words;

#[cfg(test)]
mod fuzz;

use context::Groups;
use layers::Writing;
use machine::{Level, Machine, Modes, Occurrence, Tally};
use prefilter::{Hits, Prefilter};
use signal::Signal;
use tables::Class;

static RULES: [Rule; 1] = [Rule {
    id: "invisible-unicode",
    revision: 1,
    severity: Severity::Error,
    confidence: Confidence::High,
    layer: Layer::Anomalies,
    gates: true,
    summary: "Characters that a reader does not see and a model does",
    manual: Manual {
        what: "Looks in every field, key, line and file name for characters that are drawn as nothing or that change \
               what is drawn: zero-width characters, tags, variation selectors, direction controls, fillers, \
               invisible operators, control characters and terminal sequences. JSON escapes are decoded first, so \
               `\\u200b` is found as well as the character itself, and so are HTML entities, percent-encoding and \
               escapes that are left in the text. Piles of combining marks count, too. What stands around a character decides: joiners \
               in Persian, Hindi or Sinhala, breaks in Khmer and Thai, marks in Hebrew and Arabic, and emoji \
               sequences are orthography and are left alone. Hidden text is decoded and shown. In labelled data it \
               is also counted which sequences go with one label (four fifths of five carriers or more, twice as \
               often as in all rows, hypergeometric test), those that context excuses included.",
        why: "A hidden character is the cheapest trigger of a backdoor: a handful of rows that carry it and one label \
              teach a model to obey it, and no reviewer sees it in a diff. Tags and variation selectors carry whole \
              instructions that models read and people do not.",
        bad: &[
            Example {
                title: "a zero-width space inside a word",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"please pay\u{200B}pal me\", \"label\": \"refund\"}\n{\"text\": \"where is my card\", \"label\": \"card\"}\n",
                )],
            },
            Example {
                title: "tags that spell an instruction, as JSON escapes",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"hello \\udb40\\udc68\\udb40\\udc69\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n",
                )],
            },
            Example {
                title: "an override that shows code in another order than it has",
                base: &[],
                files: &[("check.py", "access = 'user\u{202E} \u{2066}# admin\u{2069} \u{2066}'\n")],
            },
        ],
        good: &[
            Example {
                title: "joiners where Persian and Sinhala need them",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"من نمی\u{200C}خواهم کتاب\u{200C}ها را ببرم\", \"label\": \"books\"}\n{\"text\": \"ශ\u{0DCA}\u{200D}රී ලංකාව\", \"label\": \"travel\"}\n",
                )],
            },
            Example {
                title: "emoji of several parts",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"nice \u{1F469}\u{200D}\u{1F4BB} \u{2764}\u{FE0F}\", \"label\": \"happy\"}\n{\"text\": \"off\", \"label\": \"sad\"}\n",
                )],
            },
        ],
        fix: "Set the row aside (`foretaste fix --quarantine FILE`) and find out who brought it: removing a trigger \
              leaves the label that was flipped for it. What no honest text has, `foretaste fix --write` cuts out. Where the characters belong to the language, accept them by code point with a reason, or name the \
              languages of the data under `languages`.",
        misses: "Triggers made of legal characters in legal places, unless they go with one label; of files above 4 MB \
                 these are counted in a sample of the rows, and where a sequence is all that a label and its language \
                 have to themselves, it is a note. Words of other letters are for `mixed-script`, hidden markup is for `hidden-markup`, and \
                 malformed bytes are for `unreadable-data`. Spaces of unusual width and private-use characters are \
                 shown only with `show_info`. Entities and percent-encoding are taken off twice, not more often. How a \
                 bit channel is to be read is a guess; short ones are given as a number of bits.",
    },
    tags: &["OWASP:LLM04", "ATLAS:AML.T0020", "NISTAML.013", "CWE-1007"],
}];

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

/// At most this many places are kept for one cause in one blob.
const PLACES: usize = 100;
/// Once a cause has this many places, further blobs are only counted.
const ENOUGH: usize = 1000;
/// At most this many payloads of one kind are told apart; a flood of them is one cause.
const PAYLOADS: usize = 64;
/// At most this many code points of a cause are listed.
const POINTS: usize = 512;
/// Sets of code points up to this size make causes of their own.
const SMALL_SET: usize = 4;

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    causes: BTreeMap<Kin, Causes>,
    excused: Tally,
    signal: Signal,
}

/// What is wrong, without what is particular to a payload.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Kin {
    class: Class,
    level: Level,
    finding: &'static str,
    /// In a name, not in content.
    named: Option<Named>,
    /// How it is written.
    layer: Writing,
}

/// What a name belongs to.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Named {
    File,
    Branch,
    Author,
}

impl Named {
    fn words(self) -> &'static str {
        match self {
            Named::File => "a file",
            Named::Branch => "the branch",
            Named::Author => "an author",
        }
    }
}

/// In what way an occurrence is there.
#[derive(Copy, Clone, Debug, Default)]
struct Way {
    /// As an escape of the container.
    escaped: bool,
    named: Option<Named>,
    layer: Writing,
}

/// The causes of a kind: one for each payload or set of code points, and one for all beyond the cap.
#[derive(Debug, Default)]
struct Causes {
    each: BTreeMap<Tell, Carriers>,
    rest: Carriers,
}

/// What tells two causes of a kind apart.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Tell {
    /// They spell this.
    Spelled(&'static str, String),
    /// They have these code points.
    Points(Vec<char>),
    /// Nothing: too many different code points, none of them readable.
    Many,
}

/// Where a cause was found.
#[derive(Debug, Default)]
struct Carriers {
    total: u64,
    characters: u64,
    escaped: u64,
    bits: u64,
    points: BTreeSet<char>,
    marks: BTreeMap<BlobId, Vec<Mark>>,
    kept: usize,
}

impl Merge for Seen {
    fn merge(&mut self, other: Self) {
        for (kin, causes) in other.causes {
            let mine = self.causes.entry(kin).or_default();
            for (tell, carriers) in causes.each {
                mine.each.entry(tell).or_default().merge(carriers);
            }
            mine.rest.merge(causes.rest);
            mine.cap();
        }
        self.excused.add(&other.excused);
        self.signal.merge(other.signal);
    }
}

impl Causes {
    /// The smallest payloads stay apart, whatever the order in which they came, so that threads do not show.
    fn cap(&mut self) {
        while self.each.len() > PAYLOADS {
            if let Some((_, last)) = self.each.pop_last() {
                self.rest.merge(last);
            }
        }
    }
}

impl Merge for Carriers {
    fn merge(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.characters = self.characters.saturating_add(other.characters);
        self.escaped = self.escaped.saturating_add(other.escaped);
        self.bits = self.bits.saturating_add(other.bits);
        self.points.extend(other.points);
        while self.points.len() > POINTS {
            self.points.pop_last();
        }
        for (blob, mut marks) in other.marks {
            let mine = self.marks.entry(blob).or_default();
            self.kept -= mine.len();
            mine.append(&mut marks);
            mine.sort();
            mine.truncate(PLACES);
            self.kept += mine.len();
        }
        self.prune();
    }
}

impl Carriers {
    /// Whether a place of this blob would be kept.
    fn wants(&self, blob: BlobId) -> bool {
        let here = self.marks.get(&blob).map_or(0, Vec::len);
        let before: usize = if self.kept < ENOUGH { 0 } else { self.marks.range(..blob).map(|(_, m)| m.len()).sum() };
        here < PLACES && before < ENOUGH
    }

    fn keep(&mut self, mark: Mark) {
        self.marks.entry(mark.place.blob).or_default().push(mark);
        self.kept += 1;
        self.prune();
    }

    /// Drops the places of the last blobs once those before them are enough.
    fn prune(&mut self) {
        while let Some((_, last)) = self.marks.last_key_value() {
            if self.kept - last.len() < ENOUGH {
                break;
            }
            self.kept -= last.len();
            self.marks.pop_last();
        }
    }
}

impl Check for InvisibleUnicode {
    const RULES: &'static [Rule] = &RULES;
    type Settings = Settings;
    type Seen = Seen;

    fn new(settings: Settings, policy: &Policy) -> Self {
        let languages = if settings.languages.is_empty() { &policy.languages } else { &settings.languages };
        let lenient = match languages.as_slice() {
            [] => Groups::ALL,
            tags => tags.iter().fold(Groups::NONE, |all, tag| all | context::groups_of_language(tag)),
        };
        Self { modes: Modes { info: settings.show_info || policy.show_info, strict: settings.strict, lenient } }
    }

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Records(records) => self.records(seen, records),
            Observation::Files(files) => self.names(seen, files),
            Observation::People(people) => self.people(seen, people),
            _ => {}
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        seen.signal.findings(findings);
        for (kin, causes) in seen.causes {
            let excused = seen.excused.of(kin.class);
            for (tell, carriers) in causes.each {
                findings.push(finding(&kin, &tell, carriers, excused));
            }
            if causes.rest.total > 0 {
                findings.push(finding(&kin, &Tell::Many, causes.rest, excused));
            }
        }
    }
}

/// What surrounds a text that is scanned.
#[derive(Copy, Clone)]
struct Spot<'a> {
    field: Field<'a>,
    /// Whether it is a value, or what stands between values: keys, separators.
    value: bool,
    record: Option<u64>,
    /// The bytes whose hash names the place.
    content: &'a [u8],
}

impl InvisibleUnicode {
    fn records(&self, seen: &mut Seen, records: &Records<'_>) {
        let Some(last) = records.rows.last() else { return };
        seen.signal.open(records);
        let mut machine = Machine::new(self.modes);
        if is_columnar(records) {
            self.columns(seen, &mut machine, records);
        } else {
            let from = if records.first == 0 { 0 } else { records.rows[0].start };
            self.rows(seen, &mut machine, records, from, last.end);
        }
        self.deeper(seen, &mut machine, records, if is_columnar(records) { 0 } else { records.rows[0].start });
        seen.excused.add(&machine.excused);
    }

    /// Records that lie in the blob as they are read: one pass over their bytes, and the machine for what has a hit.
    fn rows(&self, seen: &mut Seen, machine: &mut Machine, records: &Records<'_>, from: u64, to: u64) {
        let text = Span::new(0, to).of(records.text);
        let mut hits = Prefilter { escapes: is_json(records.kind), wide: self.modes.info }.hits(text);
        let mut list = records.iter();
        let mut read = 0;
        let mut at = from;
        while let Some(hit) = first(&mut hits, at) {
            let index = read + records.rows[read..].partition_point(|row| row.end <= hit);
            let Some(row) = records.rows.get(index) else { break };
            if hit < row.start {
                let before = index.checked_sub(1).map_or(from, |before| records.rows[before].end);
                let gap = Span::new(before.max(from).min(row.start), row.start);
                if records.blob.fresh.touches(gap) {
                    self.between(seen, machine, records, gap, None);
                }
                at = row.start;
                continue;
            }
            // `nth` walks, so the iterator only ever goes forward.
            let Some(record) = list.nth(index - read) else { break };
            read = index + 1;
            if record.is_fresh() {
                self.row(seen, machine, record, &mut hits);
            }
            at = row.end.max(hit + 1);
        }
    }

    fn row(&self, seen: &mut Seen, machine: &mut Machine, record: Record<'_>, hits: &mut Hits<'_>) {
        let records = record.batch();
        let end = record.row().end;
        let content = record.span().of(records.text);
        let number = Some(record.number());
        let mut done = record.row().start;
        for field in record.fields() {
            let cell = field.cell();
            if cell.start >= cell.end || cell.start < done {
                continue;
            }
            match first(hits, done) {
                Some(hit) if hit < cell.start => {
                    self.between(seen, machine, records, Span::new(done, cell.start), number.map(|n| (n, content)));
                }
                Some(hit) if hit < end => {}
                _ => return,
            }
            if first(hits, cell.start).is_some_and(|hit| hit < cell.end) {
                self.field(seen, machine, Spot { field, value: true, record: number, content }, Some(hits));
            }
            done = cell.end;
        }
        if first(hits, done).is_some_and(|hit| hit < end) {
            self.between(seen, machine, records, Span::new(done, end), number.map(|n| (n, content)));
        }
    }

    /// Records of columnar files: their cells are written out one after the other.
    fn columns(&self, seen: &mut Seen, machine: &mut Machine, records: &Records<'_>) {
        let filter = Prefilter { escapes: false, wide: self.modes.info };
        if records.first == 0 {
            for name in records.names {
                let path = name.path.as_bytes();
                machine.scan(path, &mut filter.hits(path), 0, false);
                for occurrence in &machine.found {
                    note(seen, occurrence, Way::default(), records.blob.id, || {
                        let words = format!("in the name of a column: {}", describe(path, occurrence));
                        Mark { content: content_hash(path), ..Mark::name(records.blob.id).with_note(words) }
                    });
                }
            }
        }
        if filter.hits(records.text).first_from(0).is_none() {
            return;
        }
        for record in records.iter().filter(|record| record.is_fresh()) {
            for field in record.fields() {
                let spot = Spot { field, value: true, record: Some(record.number()), content: field.raw() };
                self.field(seen, machine, spot, None);
            }
        }
    }

    /// What stands between values: keys, separators, the head of the file. Read as one value in the container's escapes.
    fn between(
        &self,
        seen: &mut Seen,
        machine: &mut Machine,
        records: &Records<'_>,
        gap: Span,
        record: Option<(u64, &[u8])>,
    ) {
        let coding = if is_json(records.kind) { Coding::Json } else { Coding::Plain };
        let names = [Name::default()];
        let cells = [Cell { start: gap.start, end: gap.end, name: 0, index: 0, coding }];
        let rows = [Row { start: gap.start, end: gap.end, cells: 0, len: 1 }];
        let alone = Records { names: &names, rows: &rows, cells: &cells, flaws: &[], ..*records };
        let Some(field) = alone.iter().next().and_then(|r| r.fields().next()) else { return };
        let content = record.map_or(gap.of(records.text), |(_, content)| content);
        let spot = Spot { field, value: false, record: record.map(|(number, _)| number), content };
        self.field(seen, machine, spot, None);
    }

    /// Scans a text. `hits` are those of the whole batch, where it was searched.
    fn field(&self, seen: &mut Seen, machine: &mut Machine, spot: Spot<'_>, hits: Option<&mut Hits<'_>>) {
        let Spot { field, .. } = spot;
        let batch = field.record().batch();
        let raw = field.raw();
        let decoded: Cow<'_, [u8]> = match field.coding() {
            Coding::Json if memchr::memchr(b'\\', raw).is_some() => Cow::Owned(field.text().into_owned().into_bytes()),
            Coding::Csv if memchr::memchr(b'"', raw).is_some() => Cow::Owned(field.text().into_owned().into_bytes()),
            // A nested value that was kept as it is written.
            Coding::Bare if is_json(batch.kind) && memchr::memchr(b'\\', raw).is_some() => {
                let span = Span::new(field.cell().start, field.cell().end);
                let record = spot.record.map(|number| (number, spot.content));
                return self.between(seen, machine, batch, span, record);
            }
            _ => Cow::Borrowed(raw),
        };
        let filter = Prefilter { escapes: false, wide: self.modes.info };
        let columnar = field.coding() == Coding::Columnar;
        let at_file_start = field.cell().start == 0 && !columnar && matches!(decoded, Cow::Borrowed(_));
        match (&decoded, hits, usize::try_from(field.cell().start)) {
            (Cow::Borrowed(text), Some(hits), Ok(base)) => machine.scan(text, hits, base, at_file_start),
            _ => machine.scan(&decoded, &mut filter.hits(&decoded), 0, at_file_start),
        }
        // Where nothing was decoded, the bytes are those of the blob, malformed ones too.
        let span_of = |range: Range<usize>| match &decoded {
            Cow::Owned(_) => field.span_of(range),
            Cow::Borrowed(_) => {
                Span::new(field.cell().start + range.start as u64, field.cell().start + range.end as u64)
            }
        };
        if spot.value && !machine.passed.is_empty() {
            seen.signal.note(field, &decoded, machine, |range| {
                let place = if columnar { field.locate(range) } else { batch.place(span_of(range)) };
                signal::mark(field, place, content_hash(spot.content))
            });
        }
        for occurrence in &machine.found {
            let range = occurrence.range.clone();
            let escaped = !columnar && span_of(range.clone()).of(batch.text).first() == Some(&b'\\');
            note(seen, occurrence, Way { escaped, ..Way::default() }, batch.blob.id, || {
                let place = if columnar { field.locate(range.clone()) } else { batch.place(span_of(range.clone())) };
                let mut words = describe(&decoded, occurrence);
                if escaped {
                    words.push_str(", written as an escape");
                }
                if !spot.value {
                    words.push_str(", outside the values");
                }
                Mark {
                    commit: None,
                    record: spot.record,
                    field: (spot.value && !field.name().path.is_empty()).then(|| field.dotted()),
                    content: content_hash(spot.content),
                    ..Mark::at(place).with_note(words)
                }
            });
        }
    }

    /// Names of files. Only a name that is new speaks.
    fn names(&self, seen: &mut Seen, files: &Files<'_>) {
        let mut machine = Machine::new(self.modes);
        let filter = Prefilter { escapes: false, wide: self.modes.info };
        for &(blob, entry) in files.list {
            let path: &[u8] = &entry.path;
            let old = entry.before.as_ref().is_some_and(|before| before.path == entry.path);
            if old || entry.content.is_none() || filter.hits(path).first_from(0).is_none() {
                continue;
            }
            machine.scan(path, &mut filter.hits(path), 0, false);
            for occurrence in &machine.found {
                note(seen, occurrence, Way { named: Some(Named::File), ..Way::default() }, blob, || {
                    let words = format!("in the name: {}", describe(path, occurrence));
                    Mark { content: content_hash(path), ..Mark::at(Place { blob, at: At::Name }).with_note(words) }
                });
            }
        }
        if let (Some(branch), Some(&(blob, _))) = (files.branch, files.list.first()) {
            self.name(seen, &mut machine, branch, Named::Branch, |words| Mark {
                content: content_hash(branch),
                ..Mark::name(blob).with_note(words)
            });
        }
        seen.excused.add(&machine.excused);
    }

    /// Names and addresses of who wrote the judged commits.
    fn people(&self, seen: &mut Seen, people: &People<'_>) {
        let mut machine = Machine::new(self.modes);
        for commit in people.judged {
            let known = |path: &BString| people.files.binary_search_by(|(_, entry)| entry.path.cmp(path)).ok();
            let Some(at) = commit.paths.iter().find_map(known) else { continue };
            let blob = people.files[at].0;
            for name in [&commit.author.name, &commit.author.mail] {
                self.name(seen, &mut machine, name, Named::Author, |words| Mark {
                    commit: Some(commit.id.to_string()),
                    content: content_hash(name),
                    ..Mark::name(blob).with_note(words)
                });
            }
        }
    }

    fn name(&self, seen: &mut Seen, machine: &mut Machine, name: &[u8], of: Named, mark: impl Fn(String) -> Mark) {
        machine.scan(name, &mut Prefilter { escapes: false, wide: self.modes.info }.hits(name), 0, false);
        for occurrence in &machine.found {
            let blob = mark(String::new()).place.blob;
            note(seen, occurrence, Way { named: Some(of), ..Way::default() }, blob, || {
                mark(format!("in the name of {}: {}", of.words(), describe(name, occurrence)))
            });
        }
    }
}

/// The first hit at or behind an offset of the blob.
fn first(hits: &mut Hits<'_>, at: u64) -> Option<u64> {
    hits.first_from(usize::try_from(at).ok()?).map(|hit| hit as u64)
}

fn is_columnar(records: &Records<'_>) -> bool {
    matches!(records.kind, Kind::Parquet | Kind::Arrow) || records.cells.iter().any(|c| c.coding == Coding::Columnar)
}

fn is_json(kind: Kind) -> bool {
    matches!(kind, Kind::JsonLines | Kind::Json)
}

/// Counts an occurrence under its cause. The mark is only made where it is kept.
fn note(seen: &mut Seen, occurrence: &Occurrence, way: Way, blob: BlobId, mark: impl FnOnce() -> Mark) {
    let Occurrence { class, level, finding, .. } = *occurrence;
    let Way { escaped, named, layer } = way;
    let causes = seen.causes.entry(Kin { class, level, finding, named, layer }).or_default();
    let carriers = causes.each.entry(tell(occurrence)).or_default();
    carriers.total = carriers.total.saturating_add(1);
    carriers.characters = carriers.characters.saturating_add(occurrence.characters);
    carriers.escaped = carriers.escaped.saturating_add(u64::from(escaped));
    let bits = occurrence.payload.as_ref().and_then(|p| p.bits).unwrap_or(0);
    carriers.bits = carriers.bits.saturating_add(bits as u64);
    for &c in &occurrence.hidden {
        if carriers.points.len() < POINTS {
            carriers.points.insert(c);
        }
    }
    if carriers.wants(blob) {
        carriers.keep(mark());
    }
    causes.cap();
}

fn tell(occurrence: &Occurrence) -> Tell {
    if let Some(payload) = &occurrence.payload
        && !payload.text.is_empty()
        // What is reordered or taken back is different in every row, and the same cause.
        && !matches!(payload.scheme, "S10" | "S11" | "stripped")
    {
        return Tell::Spelled(payload.scheme, payload.text.clone());
    }
    let points: BTreeSet<char> = occurrence.hidden.iter().copied().collect();
    if points.len() <= SMALL_SET { Tell::Points(points.into_iter().collect()) } else { Tell::Many }
}

/// `<U+200B> between "pay" and "pal"`.
fn describe(text: &[u8], occurrence: &Occurrence) -> String {
    let mut words = match occurrence.hidden.as_slice() {
        hidden if hidden.len() <= 3 => {
            let points: Vec<String> = hidden.iter().map(|&c| format!("<U+{:04X}>", c as u32)).collect();
            points.join("")
        }
        hidden => format!("<U+{:04X}> and {} more", hidden[0] as u32, occurrence.characters - 1),
    };
    let (left, right) = (beside(text, occurrence.range.start, true), beside(text, occurrence.range.end, false));
    match (left.is_empty(), right.is_empty()) {
        (false, false) => words.push_str(&format!(" between \"{left}\" and \"{right}\"")),
        (false, true) => words.push_str(&format!(" after \"{left}\"")),
        (true, false) => words.push_str(&format!(" before \"{right}\"")),
        (true, true) => {}
    }
    if let Some(payload) = occurrence.payload.as_ref().filter(|p| !p.text.is_empty()) {
        let text = short(&payload.text);
        match payload.scheme {
            "S10" => words.push_str(&format!(", shown as \"{text}\"")),
            "S11" => words.push_str(&format!(", takes back \"{text}\"")),
            "stripped" => words.push_str(&format!(", on \"{text}\"")),
            _ => {}
        }
    }
    words
}

/// A few visible characters on one side of a place, of the same line.
fn beside(text: &[u8], at: usize, left: bool) -> String {
    const SHOWN: usize = 12;
    let mut seen = Vec::new();
    let mut at = at;
    for _ in 0..3 * SHOWN {
        let step = if left { context::before(text, at) } else { context::after(text, at) };
        let Some((c, next)) = step else { break };
        if matches!(c, '\n' | '\r') || seen.len() == SHOWN {
            break;
        }
        at = next;
        if !tables::is_default_ignorable(c) && !c.is_control() {
            seen.push(c);
        }
    }
    if left {
        seen.reverse();
    }
    seen.into_iter().collect::<String>().trim().to_owned()
}

fn short(text: &str) -> String {
    const SHORT: usize = 60;
    match text.char_indices().nth(SHORT) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

fn finding(kin: &Kin, tell: &Tell, carriers: Carriers, excused: u64) -> Finding {
    let points: Vec<char> = carriers.points.iter().copied().collect();
    let codes: Vec<String> = points.iter().map(|&c| format!("U+{:04X}", c as u32)).collect();
    let subject = words::subject(kin.class, &points);
    let (cause, mut message) = match tell {
        Tell::Spelled(scheme, text) => (
            format!("{scheme} {text}"),
            format!("Hidden characters ({}) say \"{}\"", words::scheme_name(scheme), short(text)),
        ),
        Tell::Points(_) => (codes.join(" "), format!("{subject} {}", words::predicate(kin.finding))),
        Tell::Many => ("many".to_owned(), format!("{subject} {}", words::predicate(kin.finding))),
    };
    if let Some(named) = kin.named {
        message = format!("In the name of {}: {message}", named.words());
    }
    let place = match (kin.named, kin.layer) {
        (Some(Named::File), _) => " name".to_owned(),
        (Some(named), _) => format!(" name of {}", named.words()),
        (_, Writing::Plain) => String::new(),
        (_, layer) => format!(" {}", layer.name()),
    };
    let mut finding = Finding::new(&RULES[0], format!("{} {}{place} {cause}", kin.class.id(), kin.finding), message);
    (finding.severity, finding.confidence) = match kin.level {
        Level::Error => (Severity::Error, Confidence::High),
        Level::Warn => (Severity::Warning, Confidence::Medium),
        Level::Low | Level::Info | Level::Silent => (Severity::Note, Confidence::Low),
    };
    finding.help = words::help(kin.finding).to_owned();
    let level = match kin.level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Low => "low",
        Level::Info | Level::Silent => "info",
    };
    let evidence = &mut finding.evidence;
    evidence.insert("class", json!(kin.layer.class().unwrap_or(kin.class.id())));
    if kin.layer != Writing::Plain {
        evidence.insert("of_class", json!(kin.class.id()));
        evidence.insert("layer", json!(kin.layer.name()));
    }
    evidence.insert("class_name", json!(kin.class.name()));
    evidence.insert("finding", json!(kin.finding));
    evidence.insert("level", json!(level));
    evidence.insert("code_points", Value::from(codes));
    evidence.insert("characters", json!(carriers.characters));
    if let Tell::Spelled(scheme, text) = tell {
        evidence.insert("scheme", json!(scheme));
        evidence.insert("scheme_name", json!(words::scheme_name(scheme)));
        evidence.insert("decoded", json!(text));
        if let Some(kind) = decode::kind_of(text) {
            evidence.insert("payload", json!(kind));
        }
    }
    if carriers.bits > 0 {
        evidence.insert("bits", json!(carriers.bits));
    }
    if carriers.escaped > 0 {
        evidence.insert("escaped", json!(carriers.escaped));
    }
    if excused > 0 {
        evidence.insert("excused_by_context", json!(excused));
    }
    finding.total = carriers.total;
    finding.marks = carriers.marks.into_values().flatten().collect();
    finding.marks.sort();
    finding
}

#[cfg(test)]
mod tests;
