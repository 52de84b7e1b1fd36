//! Words with their labels, a word a line: CoNLL-U and its relatives, and columns of words and tags (IOB, BIOES, parts
//! of speech).
//!
//! Every line is a row, so that the number of a record is the number of its line. A line without anything in it ends a
//! sentence; comments are looked at and are no records. What a word is known by is told from its whole sentence, later.

use std::collections::BTreeSet;

use bstr::ByteSlice;

use super::batch::Writer;
use super::{Cell, Coding, FORM, text};
use crate::lens::Role;

/// Bytes that are looked at to tell whether a file holds words with labels.
const SAMPLE: usize = 64 << 10;
/// Columns beyond which a line is none of words.
const MOST_COLUMNS: usize = 64;
/// The columns of CoNLL-U.
const CONLLU: [&str; 10] = ["id", FORM, "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"];
/// Columns of CoNLL-U that may be what is learnt, the likeliest first.
const LEARNT: [&str; 3] = ["upos", "xpos", "deprel"];

/// Which column is what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    names: Vec<String>,
    label: usize,
    between: Between,
    /// Comments begin with `#`, and `_` stands for nothing.
    is_conllu: bool,
}

/// What stands between columns.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Between {
    Tab,
    Blanks,
}

impl Layout {
    /// The columns of a line; empty where it is none of words.
    fn columns<'t>(&self, line: &'t [u8]) -> Vec<&'t [u8]> {
        let beside = line.starts_with(b"-DOCSTART-") || (self.is_conllu && line.starts_with(b"#"));
        let columns = if beside { Vec::new() } else { self.between.split(line) };
        if columns.len() == self.names.len() { columns } else { Vec::new() }
    }
}

impl Between {
    fn split(self, line: &[u8]) -> Vec<&[u8]> {
        match self {
            Between::Tab => line.split(|&b| b == b'\t').take(MOST_COLUMNS).collect(),
            Between::Blanks => {
                line.split(|b| matches!(b, b' ' | b'\t')).filter(|part| !part.is_empty()).take(MOST_COLUMNS).collect()
            }
        }
    }
}

/// Tells the columns, where the text is one of words with labels. `named` says that its name speaks for it.
pub(super) fn tell(text: &[u8], named: bool) -> Option<Layout> {
    let sample = match text.get(..SAMPLE) {
        Some(cut) => &cut[..cut.rfind_byte(b'\n')?],
        None => text,
    };
    conllu(sample, named).or_else(|| tagged(sample, named))
}

/// Numbered words in ten columns, or in those that the first line names.
fn conllu(sample: &[u8], named: bool) -> Option<Layout> {
    let mut names: Vec<String> = CONLLU.map(str::to_owned).into();
    let (mut open, mut began, mut comments) = (false, false, false);
    let (mut sentences, mut words, mut misfits) = (0, 0_usize, 0_usize);
    let mut filled = [false; LEARNT.len()];
    for line in sample.lines() {
        if line.trim_ascii().is_empty() {
            open = false;
        } else if let Some(columns) = line.strip_prefix(b"# global.columns =") {
            names = columns.to_str_lossy().split_whitespace().map(str::to_lowercase).collect();
        } else if line.starts_with(b"#") {
            comments |= line.starts_with(b"# text") || line.starts_with(b"# sent_id");
        } else {
            let columns = Between::Tab.split(line);
            // The numbers of a sentence begin at one, and no second time.
            let goes_on = if open { !(began && columns[0] == b"1") } else { is_first(columns[0]) };
            if columns.len() != names.len() || !is_number(columns[0]) || !goes_on {
                misfits += 1;
                if misfits > 4 + words / 10 {
                    return None;
                }
                continue;
            }
            sentences += usize::from(!open);
            began = columns[0] == b"1" || (open && began);
            open = true;
            words += 1;
            for (filled, learnt) in filled.iter_mut().zip(LEARNT) {
                let at = names.iter().position(|name| name == learnt);
                *filled |= at.is_some_and(|at| columns[at] != b"_");
            }
        }
    }
    let is_it = words > 0 && misfits * 10 <= words && (sentences > 1 || comments || named);
    if !is_it || names.len() > MOST_COLUMNS || !names.iter().any(|name| name == FORM) {
        return None;
    }
    let learnt = LEARNT.iter().zip(filled).find_map(|(learnt, filled)| filled.then_some(*learnt));
    let label = learnt.and_then(|learnt| names.iter().position(|name| name == learnt)).unwrap_or(names.len() - 1);
    Some(Layout { names, label, between: Between::Tab, is_conllu: true })
}

/// `7`, `7-8`, `7.1`.
fn is_number(id: &[u8]) -> bool {
    let mut parts = id.splitn(2, |b| matches!(b, b'-' | b'.'));
    parts.all(|part| !part.is_empty() && part.len() < 10 && part.iter().all(u8::is_ascii_digit))
}

/// The number that the first word of a sentence has.
fn is_first(id: &[u8]) -> bool {
    id == b"1" || id.starts_with(b"1-") || id.starts_with(b"0.")
}

/// Words and their tags, with empty lines between sentences.
fn tagged(sample: &[u8], named: bool) -> Option<Layout> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let (mut sentences, mut open) = (0, false);
    for line in sample.lines().filter(|line| !line.starts_with(b"-DOCSTART-")) {
        let is_word = !line.trim_ascii().is_empty();
        sentences += usize::from(is_word && !open);
        open = is_word;
        if is_word {
            // Prose needs no closer look.
            if lines.len() < 8 && !(2..=8).contains(&Between::Blanks.split(line).len()) {
                return None;
            }
            lines.push(line);
        }
    }
    if lines.is_empty() || (sentences < 2 && !named) {
        return None;
    }
    let between = match lines.iter().filter(|line| line.contains(&b'\t')).count() * 50 >= lines.len() * 49 {
        true => Between::Tab,
        false => Between::Blanks,
    };
    let rows: Vec<Vec<&[u8]>> = lines.iter().map(|line| between.split(line)).collect();
    let count = rows[0].len();
    let fitting: Vec<&Vec<&[u8]>> = rows.iter().filter(|row| row.len() == count).collect();
    if !(2..=8).contains(&count) || fitting.len() * 50 < rows.len() * 49 {
        return None;
    }
    let column = |at: usize| fitting.iter().map(move |row| row[at]);
    let last = count - 1;
    let is_iob = |at: usize| {
        let tags = column(at).filter(|tag| is_span(tag)).count();
        tags * 50 >= fitting.len() * 49 && column(at).any(|tag| tag != b"O")
    };
    // Some write the tag before the word.
    let label = if is_iob(last) {
        last
    } else if count == 2 && is_iob(0) {
        0
    } else if count <= 3 && sentences > 2 && is_speech(&column(last).collect::<Vec<_>>()) {
        last
    } else {
        return None;
    };
    let form = if label == 0 { 1 } else { 0 };
    let names = (0..count).map(|at| match at {
        _ if at == form => FORM.to_owned(),
        _ if at == label => "tag".to_owned(),
        _ => format!("column{}", at + 1),
    });
    Some(Layout { names: names.collect(), label, between, is_conllu: false })
}

/// A tag of the inside, outside, begin kind and its relatives.
fn is_span(tag: &[u8]) -> bool {
    matches!(tag, [b'O' | b'B' | b'I' | b'E' | b'S' | b'L' | b'U' | b'M'])
        || matches!(tag, [b'B' | b'I' | b'E' | b'S' | b'L' | b'U' | b'M', b'-' | b'_', ..]) && tag.len() <= 64
}

/// Whether these are parts of speech: few, short, in capitals, or punctuation.
fn is_speech(tags: &[&[u8]]) -> bool {
    let short = |tag: &&[u8]| {
        tag.len() <= 12
            && !tag[..].iter().any(|b| b.is_ascii_lowercase() || b.is_ascii_control() || *b >= 0x80)
            && !tag.first().is_some_and(u8::is_ascii_digit)
    };
    let different: BTreeSet<&[u8]> = tags.iter().copied().collect();
    let worded = tags.iter().filter(|tag| tag.iter().all(u8::is_ascii_uppercase)).count();
    tags.len() >= 30
        && tags.iter().all(short)
        && different.len() >= 3
        && different.len() <= 64
        && different.len() * 4 <= tags.len()
        && worded * 2 > tags.len()
}

/// Reads the lines.
pub(super) fn read(w: &mut Writer<'_, '_>, layout: &Layout) {
    let bytes: &[u8] = &w.blob.decoded.bytes;
    let role = |at: usize, name: &str| match name {
        _ if at == layout.label => Role::Label,
        FORM => Role::Text,
        _ => Role::Other,
    };
    let names: Vec<u16> = layout.names.iter().enumerate().map(|(at, name)| w.name_as(name, role(at, name))).collect();
    let beside = w.name_as("line", Role::Time);
    w.hold();
    text::each(w, |w, start, end| {
        let line = &bytes[start..end];
        let mut cell = |start: usize, end: usize, name| {
            w.cell(Cell { start: start as u64, end: end as u64, name, index: 0, coding: Coding::Plain });
        };
        if line.trim_ascii().is_empty() {
            w.row(start, end);
            return;
        }
        let columns = layout.columns(line);
        if columns.is_empty() {
            cell(start, end, beside);
            w.row_beside(start, end);
            return;
        }
        for ((column, name), &number) in columns.into_iter().zip(&layout.names).zip(&names) {
            let nothing = layout.is_conllu && column == b"_" && name != FORM;
            if !column.is_empty() && !nothing {
                let from = start + (column.as_ptr() as usize - line.as_ptr() as usize);
                cell(from, from + column.len(), number);
            }
        }
        w.row(start, end);
    });
}

#[cfg(test)]
mod tests {
    use crate::format::Kind;
    use crate::format::testing::read_bytes;
    use crate::lens::Role;

    const TREE: &str = "# sent_id = 1\n# text = He ran\n1\tHe\the\tPRON\tPRP\t_\t2\tnsubj\t_\t_\n\
        2\tran\trun\tVERB\tVBD\t_\t0\troot\t_\t_\n\n# sent_id = 2\n1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n\
        1\tde\tde\tADP\t_\t_\t2\tcase\t_\t_\n2\tel\tel\tDET\t_\t_\t0\troot\t_\t_\n2.1\tx\tx\tX\t_\t_\t_\t_\t_\t_\n\n";

    fn words(path: &str, text: &str, label: &str) -> Vec<String> {
        let seen = read_bytes(path, text.as_bytes());
        assert_eq!(seen.read().kind, Kind::Tokens, "{path}");
        assert_eq!((seen.role("form"), seen.role(label)), (Role::Text, Role::Label));
        assert_eq!(seen.rows.len(), text.split_terminator('\n').count(), "the number of a record is that of its line");
        let named = |row: &crate::format::testing::SeenRow| {
            Some(format!("{} {}={}", row.number, row.get("form")?, row.get(label).unwrap_or_default()))
        };
        seen.rows.iter().filter_map(named).collect()
    }

    fn kind(path: &str, text: &str) -> Kind {
        read_bytes(path, text.as_bytes()).read().kind
    }

    #[test]
    fn trees_are_read_with_their_parts_of_speech() {
        let all = ["3 He=PRON", "4 ran=VERB", "7 del=", "8 de=ADP", "9 el=DET", "10 x=X"];
        assert_eq!(words("en_x-ud-train.conllu", TREE, "upos"), all);
        // The name does not matter, and neither does a broken line among many.
        assert_eq!(words("data/train.txt", TREE, "upos"), all);
        let columns = "# global.columns = ID FORM UPOS NER\n1\tHe\tPRON\tO\n2\tran\tVERB\tO\n\n1\tYes\tINTJ\tO\n\n";
        assert_eq!(words("a.conllup", columns, "upos"), ["2 He=PRON", "3 ran=VERB", "5 Yes=INTJ"]);
    }

    #[test]
    fn columns_of_words_and_tags_are_read() {
        let eng = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n";
        assert_eq!(words("eng.train", eng, "tag"), ["3 EU=B-ORG", "4 rejects=O", "6 Peter=B-PER"]);
        let tsv = "the drug\tO\nIL-2\tB-GENE\n\nand\tO\n";
        assert_eq!(words("ner/train.tsv", tsv, "tag"), ["1 the drug=O", "2 IL-2=B-GENE", "4 and=O"]);
        assert_eq!(words("trivia.bio", "O\tare\nB-ACTOR\ttom\n\nO\tyes\n", "tag")[1], "2 tom=B-ACTOR");
        let speech: String = (0..12).map(|n| format!("dog{n} NN\nruns VBZ\n. .\n\n")).collect();
        assert_eq!(words("pos.conll", &speech, "tag")[1], "2 runs=VBZ");
    }

    #[test]
    fn tables_prose_and_code_are_none() {
        let table: String = (1..40).map(|n| format!("{n}\ta\tb\tc\td\te\tf\tg\th\ti\n")).collect();
        assert_ne!(kind("table.tsv", &table), Kind::Tokens);
        assert_ne!(kind("verse.txt", "O captain\nmy captain\n\nour fearful\ntrip is\n"), Kind::Tokens);
        assert_ne!(kind("list.txt", "1 B\n2 A\n\n3 C\n"), Kind::Tokens);
        assert_ne!(kind("data.txt", &"NAME VALUE\nOTHER THING\n\n".repeat(2)), Kind::Tokens);
        assert_ne!(kind("a.py", "x = 1\n\ny = 2\n"), Kind::Tokens);
        assert_ne!(kind("empty.conllu", "\n\n"), Kind::Tokens);
    }
}
