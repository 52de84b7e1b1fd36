//! What a record is known by: a key of its content, its identifier, and its label.

use super::hash::{hash, mix};
use super::normal::{Normaliser, escaped};
use crate::format::coding::decode_into;
use crate::format::{Cell, Coding, FORM, Field, Kind, Name, Record, Records};
use crate::lens::{Role, class_of};

/// A record as the diff sees it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyed<'k> {
    /// Hash of its normalised content, apart from label, identifier, source, user and time. `None` where it has none.
    pub(crate) key: Option<u64>,
    /// Hash of its identifier.
    pub(crate) id: Option<u64>,
    /// Its label.
    pub(crate) label: LabelOf<'k>,
}

/// The label of one record.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum LabelOf<'k> {
    /// The file has no field for labels.
    None,
    /// Not labelled yet.
    Null,
    /// A class, as it is written; several labels are joined.
    Class(&'k [u8]),
    /// A preference: whether the first of the two answers, in an order of their content, is the chosen one.
    Pair(bool),
}

/// What the keyer does with a field.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Use {
    Skip,
    Id,
    Label,
    Content,
    /// Counts as content where a record has no field of that kind.
    Fallback,
    Chosen,
    Rejected,
}

fn used_as(name: &Name) -> Use {
    let segments = || name.path.split(['.', '[', ']']);
    let named = |one: &str, other: &str| segments().any(|s| s == one || s == other);
    match name.role {
        Role::Label => Use::Label,
        Role::Id => Use::Id,
        Role::Source | Role::User | Role::Time => Use::Skip,
        _ if named("chosen", "preferred_output") => Use::Chosen,
        _ if named("rejected", "non_preferred_output") => Use::Rejected,
        Role::Text => Use::Content,
        Role::Other => Use::Fallback,
    }
}

/// Whether a field says something of all records around it: that they have labels, and who gave them.
pub(super) fn decides(name: &Name) -> bool {
    name.role == Role::User || matches!(used_as(name), Use::Label | Use::Chosen)
}

/// Makes keys of records, with memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Keyer {
    uses: Vec<(Use, u64)>,
    labelled: bool,
    /// The class that the file gives all its records, and whether it is a list.
    class: Option<(Box<[u8]>, bool)>,
    /// The key of each row of a batch of words, 0 where it holds none; told by the whole sentence.
    words: Option<(u64, Vec<u64>)>,
    normaliser: Normaliser,
    label: Vec<u8>,
    text: String,
    /// Nobody asks for identifiers.
    without_ids: bool,
}

/// Adds up fields so that their order does not count: tables are read by the names of their columns.
#[derive(Copy, Clone, Default)]
struct Sum {
    first: u64,
    first_salt: u64,
    all: u64,
    fields: u32,
}

impl Sum {
    fn add(&mut self, salt: u64, value: u64) {
        // Most records have one text.
        match self.fields {
            0 => (self.first, self.first_salt) = (value, salt),
            1 => self.all = mix(self.first ^ self.first_salt).wrapping_add(mix(value ^ salt)),
            _ => self.all = self.all.wrapping_add(mix(value ^ salt)),
        }
        self.fields += 1;
    }

    /// A single field counts without its name: a text stays the same text when its column is renamed or its file
    /// becomes another format.
    fn finish(self) -> Option<u64> {
        match self.fields {
            0 => None,
            1 => Some(self.first),
            _ => Some(mix(self.all)),
        }
    }
}

impl Keyer {
    /// One that makes no identifiers.
    pub(super) fn without_ids() -> Self {
        Self { without_ids: true, ..Self::default() }
    }

    /// Reads the names of a batch. Must be called before its records are keyed.
    pub(crate) fn prepare(&mut self, records: &Records<'_>) {
        self.uses.clear();
        self.labelled = false;
        for name in records.names {
            let what = match used_as(name) {
                Use::Id if self.without_ids => Use::Skip,
                what => what,
            };
            self.labelled |= what == Use::Label;
            self.uses.push((what, hash(name.path.as_bytes())));
        }
        let class = class_of(records.blob.path).filter(|_| records.kind == Kind::Text && !self.labelled);
        self.class = class.map(|class| (class.name.into(), class.is_list));
        self.words = (records.kind == Kind::Tokens).then(|| (records.first, self.words_of(records)));
    }

    /// A word is known by the words of its sentence and by its place among them.
    fn words_of(&mut self, records: &Records<'_>) -> Vec<u64> {
        let mut keys = vec![0; records.rows.len()];
        let form = records.names.iter().position(|name| name.path == FORM);
        let (mut sentence, mut words) = (0_u64, Vec::new());
        let end = |sentence: &mut u64, words: &mut Vec<usize>, keys: &mut [u64]| {
            for (place, row) in words.drain(..).enumerate() {
                keys[row] = mix(*sentence ^ mix(keys[row]).wrapping_add(place as u64)).max(1);
            }
            *sentence = 0;
        };
        for (row, record) in records.iter().enumerate() {
            if record.row().len == 0 {
                end(&mut sentence, &mut words, &mut keys);
            }
            let word = record.fields().find(|field| Some(usize::from(field.cell().name)) == form);
            if let Some(word) = word {
                keys[row] = hash(self.normaliser.value(word.coding(), word.raw()));
                sentence = mix(sentence.rotate_left(1) ^ keys[row]);
                words.push(row);
            }
        }
        end(&mut sentence, &mut words, &mut keys);
        keys
    }

    /// Whether records of the batch that was prepared have labels, or two answers of which one is preferred.
    pub(crate) fn is_labelled(&self) -> bool {
        self.labelled || self.class.is_some() || self.uses.iter().any(|&(what, _)| what == Use::Chosen)
    }

    /// Whether the file is a list of what is let through, or is not.
    pub(crate) fn is_list(&self) -> bool {
        self.class.as_ref().is_some_and(|&(_, is_list)| is_list)
    }

    /// The key of a record of the batch that was prepared.
    pub(crate) fn key(&mut self, record: Record<'_>, null: &[String]) -> Keyed<'_> {
        let (mut content, mut id, mut chosen, mut rejected) = <(Sum, Sum, Sum, Sum)>::default();
        let mut labels = Labels::default();
        self.label.clear();
        for field in record.fields() {
            let cell = field.cell();
            let Some(&(what, name)) = self.uses.get(usize::from(cell.name)) else { continue };
            match what {
                Use::Skip | Use::Fallback => {}
                Use::Content => self.add(&mut content, salt(name, cell), cell, field.raw()),
                Use::Chosen => self.add_turn(&mut chosen, cell, field.raw()),
                Use::Rejected => self.add_turn(&mut rejected, cell, field.raw()),
                Use::Id if cell.coding == Coding::Null => {}
                Use::Id => id.add(salt(name, cell), hash(field.raw())),
                Use::Label => self.add_label(&mut labels, cell, field.raw()),
            }
        }
        if content.fields == 0 && chosen.fields == 0 && rejected.fields == 0 {
            for field in record.fields() {
                let cell = field.cell();
                if let Some(&(Use::Fallback, name)) = self.uses.get(usize::from(cell.name)) {
                    self.add(&mut content, salt(name, cell), cell, field.raw());
                }
            }
        }
        let (prompt, id) = (content.finish(), id.finish());
        if let Some((first, keys)) = &self.words {
            let row = usize::try_from(record.number() - 1 - first).unwrap_or(usize::MAX);
            return match keys.get(row) {
                Some(&key) if key != 0 => Keyed { key: Some(key), id: None, label: self.label(labels, null) },
                _ => Keyed { key: None, id: None, label: LabelOf::None },
            };
        }
        if prompt.is_none() && self.class.is_some() {
            return Keyed { key: None, id, label: LabelOf::None };
        }
        match (chosen.finish(), rejected.finish()) {
            (Some(chosen), Some(rejected)) => {
                let both = mix(chosen.min(rejected)) ^ mix(chosen.max(rejected)).rotate_left(1);
                let key = prompt.map_or(both, |prompt| mix(both ^ prompt));
                Keyed { key: Some(key), id, label: LabelOf::Pair(chosen < rejected) }
            }
            // One answer alone is a text like any other.
            (answer, other) => {
                let key = match (prompt, answer.or(other)) {
                    (Some(prompt), Some(answer)) => Some(mix(answer ^ mix(prompt))),
                    (prompt, answer) => prompt.or(answer),
                };
                Keyed { key, id, label: self.label(labels, null) }
            }
        }
    }

    /// The label of a record of the batch that was prepared, without its key: half of the pairs of a preference set
    /// count as one class and half as the other, whichever they are.
    pub(crate) fn label_only(&mut self, record: Record<'_>, null: &[String]) -> LabelOf<'_> {
        let mut labels = Labels::default();
        self.label.clear();
        for field in record.fields() {
            let cell = field.cell();
            if let Some(&(Use::Label, _)) = self.uses.get(usize::from(cell.name)) {
                self.add_label(&mut labels, cell, field.raw());
            }
        }
        // Empty lines and comments are no records.
        let is_beside = (self.words.is_some() && !labels.said) || (self.class.is_some() && record.row().len == 0);
        if is_beside { LabelOf::None } else { self.label(labels, null) }
    }

    /// The fields that make up the content of a record of the batch that was prepared.
    pub(crate) fn content<'r>(&self, record: Record<'r>) -> impl Iterator<Item = Field<'r>> {
        let used = |field: &Field<'_>| self.uses.get(usize::from(field.cell().name)).map(|&(what, _)| what);
        // A word alone says nothing of what flipped words share.
        let words = self.words.is_some();
        let is_content = move |what| !words && matches!(what, Some(Use::Content | Use::Chosen | Use::Rejected));
        let any = record.fields().any(|field| is_content(used(&field)) && !field.raw().is_empty());
        record.fields().filter(move |field| match used(field) {
            Some(Use::Fallback) => !any && !words,
            what => is_content(what),
        })
    }

    /// Adds the normalised content of a record of the batch that was prepared to `text`, one field after the other.
    pub(crate) fn text(&mut self, record: Record<'_>, text: &mut String) {
        let mut normaliser = std::mem::take(&mut self.normaliser);
        for field in self.content(record) {
            let value = normaliser.value(field.coding(), field.raw());
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&String::from_utf8_lossy(value));
        }
        self.normaliser = normaliser;
    }

    fn add(&mut self, sum: &mut Sum, salt: u64, cell: &Cell, raw: &[u8]) {
        let value = self.normaliser.value(cell.coding, raw);
        if !value.is_empty() {
            sum.add(salt, hash(value));
        }
    }

    /// The turns of an answer count in their order, whatever they are called.
    fn add_turn(&mut self, sum: &mut Sum, cell: &Cell, raw: &[u8]) {
        let turn = mix(u64::from(sum.fields));
        self.add(sum, turn, cell, raw);
    }

    fn add_label(&mut self, labels: &mut Labels, cell: &Cell, raw: &[u8]) {
        if let Some(last) = labels.last.replace(cell.name) {
            self.label.extend_from_slice(if last == cell.name { b", " } else { b"; " });
        }
        let before = self.label.len();
        if escaped(cell.coding, raw) {
            self.text.clear();
            decode_into(cell.coding, raw, &mut self.text);
            self.label.extend_from_slice(self.text.as_bytes());
        } else if cell.coding != Coding::Null {
            self.label.extend_from_slice(raw);
        }
        labels.said |= self.label.len() > before;
    }

    fn label(&self, labels: Labels, null: &[String]) -> LabelOf<'_> {
        if let Some((class, _)) = &self.class {
            LabelOf::Class(class)
        } else if !self.labelled {
            LabelOf::None
        } else if !labels.said || null.iter().any(|null| null.as_bytes() == self.label) {
            LabelOf::Null
        } else {
            LabelOf::Class(&self.label)
        }
    }
}

/// The labels of a record while they are joined.
#[derive(Copy, Clone, Default)]
struct Labels {
    last: Option<u16>,
    said: bool,
}

/// Tells fields and elements of lists apart.
fn salt(name: u64, cell: &Cell) -> u64 {
    name.wrapping_add(u64::from(cell.index).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
