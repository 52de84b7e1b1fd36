//! The layout that one record has in common with the next.
//!
//! Records of one file mostly have the same keys in the same order, so what stands between their values is the same,
//! byte for byte. It is kept of a record that was read key by key, and the next ones are held against it: where it
//! fits, only the values are left to be read, and where it does not, the record is read key by key.

use memchr::memchr3;

use super::scalars::{number, plain_escape, zero};
use crate::format::batch::Writer;
use crate::format::{Cell, Coding};

/// Values of a record; what has more is read key by key.
const MOST: usize = 64;
/// Bytes that may stand between two values.
const GLUE: usize = 32;
/// What a stencil that fits is worth, and what one is worth that does not.
const TRUST: u32 = 16;
/// Records that are read key by key before another stencil is made, where the last ones did not fit.
const PAUSE: u32 = 512;

/// What stands between the values of a record.
#[derive(Debug, Default)]
pub(super) struct Stencil {
    steps: Vec<Step>,
    /// What stands behind the last value.
    end: Glue,
    /// Falls with every record that does not fit.
    trust: u32,
    pause: u32,
}

#[derive(Copy, Clone, Debug)]
struct Step {
    before: Glue,
    name: u16,
    index: u32,
}

/// A few bytes, held against a text word by word.
#[derive(Copy, Clone, Debug, Default)]
struct Glue {
    bytes: [u64; GLUE / 8],
    mask: [u64; GLUE / 8],
    len: usize,
}

impl Glue {
    fn new(bytes: &[u8]) -> Option<Self> {
        let mut words = [[0; GLUE]; 2];
        words[0].get_mut(..bytes.len())?.copy_from_slice(bytes);
        words[1][..bytes.len()].fill(u8::MAX);
        let [bytes_of, mask] = words.map(|all| std::array::from_fn(|i| word(&all, i)));
        Some(Self { bytes: bytes_of, mask, len: bytes.len() })
    }

    /// The offset behind it where it stands at `at`, not too near to the end of the text.
    #[inline(always)]
    fn behind(&self, text: &[u8], at: usize) -> Option<usize> {
        let found: &[u8; GLUE] = text.get(at..)?.first_chunk()?;
        let differs = |i: usize| (word(found, i) & self.mask[i]) ^ self.bytes[i];
        // Most are as short as this.
        let mut differ = differs(0) | differs(1);
        if self.len > 16 {
            differ |= differs(2) | differs(3);
        }
        (differ == 0).then_some(at + self.len)
    }
}

#[inline(always)]
fn word(bytes: &[u8; GLUE], i: usize) -> u64 {
    u64::from_le_bytes(bytes.as_chunks().0[i])
}

impl Stencil {
    /// Reads the record at `at` into cells where it fits. Returns the offset behind it; otherwise the cells of the row
    /// under way are to be dropped.
    ///
    /// Nothing is accepted that is worth a flaw, so that reading the same record key by key says all that is to be said.
    pub(super) fn read(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Option<usize> {
        if self.trust == 0 {
            return None;
        }
        let end = self.follow(w, text, at);
        self.trust = match end {
            Some(_) => TRUST,
            None => self.trust - 1,
        };
        end
    }

    fn follow(&self, w: &mut Writer<'_, '_>, text: &[u8], mut at: usize) -> Option<usize> {
        for step in &self.steps {
            let start = step.before.behind(text, at)?;
            let (start, end, coding) = match *text.get(start)? {
                b'"' => {
                    let (end, escaped) = string(text, start + 1)?;
                    at = end + 1;
                    (start + 1, end, if escaped { Coding::Json } else { Coding::Plain })
                }
                first => {
                    let (len, coding) = bare(&text[start..], first)?;
                    at = start + len;
                    (start, at, coding)
                }
            };
            w.cell(Cell { start: start as u64, end: end as u64, name: step.name, index: step.index, coding });
        }
        self.end.behind(text, at)
    }

    /// Takes the layout of a record that was read key by key, without a flaw, at `at..end`.
    pub(super) fn learn(&mut self, text: &[u8], at: usize, end: usize, cells: &[Cell]) {
        if self.trust > 0 {
            return;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        self.pause = PAUSE;
        self.steps.clear();
        let mut done = at;
        if cells.is_empty() || cells.len() > MOST {
            return;
        }
        for cell in cells {
            let quoted = matches!(cell.coding, Coding::Plain | Coding::Json);
            let (start, behind) = (cell.start as usize - usize::from(quoted), cell.end as usize + usize::from(quoted));
            let Some(before) = text.get(done..start).and_then(Glue::new) else { return };
            self.steps.push(Step { before, name: cell.name, index: cell.index });
            done = behind;
        }
        let Some(last) = text.get(done..end).and_then(Glue::new) else { return };
        self.end = last;
        self.trust = TRUST;
    }
}

/// The offset of the quote that closes a string, and whether there are escapes in it. `None` where a line ends in it, and
/// where an escape is worth a flaw.
#[inline]
fn string(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut from = at;
    let mut escaped = false;
    loop {
        let next = mark(text, from)?;
        match text[next] {
            b'"' => return Some((next, escaped)),
            b'\\' => {
                escaped = true;
                from = plain_escape(text, next)?;
            }
            _ => return None,
        }
    }
}

/// The next quote, backslash or line feed. The first bytes are looked at in place: many strings are short.
#[inline]
fn mark(text: &[u8], at: usize) -> Option<usize> {
    let mut from = at;
    for word in text.get(at..)?.as_chunks::<8>().0.iter().take(2) {
        let word = u64::from_le_bytes(*word);
        let hits = zero(word, b'"') | zero(word, b'\\') | zero(word, b'\n');
        if hits != 0 {
            return Some(from + hits.trailing_zeros() as usize / 8);
        }
        from += 8;
    }
    memchr3(b'"', b'\\', b'\n', &text[from..]).map(|n| from + n)
}

/// The length of a number or a word of JSON.
#[inline]
fn bare(rest: &[u8], first: u8) -> Option<(usize, Coding)> {
    match first {
        b'0'..=b'9' | b'-' => number(rest).filter(|&(_, plain)| plain).map(|(len, _)| (len, Coding::Bare)),
        b't' => rest.starts_with(b"true").then_some((4, Coding::Bare)),
        b'f' => rest.starts_with(b"false").then_some((5, Coding::Bare)),
        b'n' => rest.starts_with(b"null").then_some((4, Coding::Null)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::format::batch::Writer;
    use crate::format::json::lines;
    use crate::format::testing::{Seen, with_blob};
    use crate::format::{Kind, decode};
    use crate::lens::Lens;
    use crate::policy::Limits;
    use crate::span::Fresh;

    /// Names, values and flaws of each line, with offsets from its start.
    type Told = Vec<(Vec<(String, String, u64, u64)>, Vec<(&'static str, u64, u64)>)>;

    fn told(lines: &[String]) -> Told {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let limits = Limits::default();
        let decoded = decode(text.as_bytes(), &limits).expect("small");
        let mut seen = Seen::default();
        with_blob("a.jsonl", &decoded, &Lens::default(), &Fresh::All, |blob| {
            let mut writer = Writer::new(blob, Kind::JsonLines, &limits, &mut seen);
            lines::read(&mut writer);
            writer.finish()
        });
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at as u64 + 1));
        let line_of = |at: u64| starts.partition_point(|&start| start <= at) - 1;
        let mut told: Told = vec![Default::default(); lines.len()];
        for row in &seen.rows {
            let line = line_of(row.span.start);
            let fields = row.fields.iter().map(|field| {
                let (start, end) = (field.span.start - starts[line], field.span.end - starts[line]);
                (field.name.clone(), field.text.clone(), start, end)
            });
            told[line].0.extend(fields);
        }
        for flaw in &seen.flaws {
            let line = line_of(flaw.span.start);
            told[line].1.push((flaw.kind, flaw.span.start - starts[line], flaw.span.end - starts[line]));
        }
        told
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => "[a-z é]{0,40}".prop_map(|text| format!("\"{text}\"")),
            2 => prop::sample::select(vec![
                r#""a \"b\" \\""#, r#""\u00e9 \ud83d\ude00""#, r#""\ud83d x""#, r#""\q""#, "\"a\tb\"", "\"open", "1", "-2.5",
                "1e5", "1e999", "01", "true", "null", "nul", "NaN", "-Infinity", "[]", "[1, \"x\"]", "{}", "{\"a\": 1}", "",
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        let behind = prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\r"), 1 => Just(" x")];
        (value(), value(), value(), 0..12_u8, behind).prop_map(|(a, b, c, shape, behind)| {
            let line = match shape {
                0 => format!("{{\"id\": {a}, \"label\": {c}}}"),
                1 => format!("{{\"id\": {a}, \"text\": {b}, \"text\": {c}}}"),
                2 => format!("[{a}, {b}]"),
                3 => format!("  {{\"id\": {a}}}"),
                4 => format!("{{\"id\": {a}, \"of\": {{\"text\": [{b}, {c}]}}}}"),
                _ => format!("{{\"id\": {a}, \"text\": {b}, \"label\": {c}}}"),
            };
            format!("{line}{behind}")
        })
    }

    proptest! {
        #[test]
        fn a_line_says_the_same_behind_others_as_alone(lines in prop::collection::vec(line(), 1..40)) {
            let together = told(&lines);
            for (line, told_together) in lines.iter().zip(together) {
                // A blank line behind it, since near the end of a text nothing is held against a layout.
                let alone = told(&[line.clone(), " ".repeat(80)]);
                prop_assert_eq!(&told_together, &alone[0], "{}", line);
            }
        }
    }

    #[test]
    fn a_layout_is_left_and_found_again() {
        let of = |shape: usize, n: usize| match shape {
            0 => format!("{{\"id\": {n}, \"text\": \"some words here\", \"label\": \"a\"}}"),
            _ => format!("{{\"text\": \"some words here\", \"n\": {n}}}"),
        };
        let lines: Vec<String> = (0..3000).map(|n| of(usize::from(n / 1000 == 1), n)).collect();
        for (n, (fields, flaws)) in told(&lines).into_iter().enumerate() {
            assert_eq!((fields.len(), flaws.len()), (if n / 1000 == 1 { 2 } else { 3 }, 0), "{n}");
        }
    }
}
