//! What hidden characters spell: the schemes that are known to carry text in them, read back.
//!
//! Once a scheme is known it reads back exactly; which scheme it was is a guess. So every decoder makes candidates and
//! ranks them by how much like text they are, and nothing about the severity of a finding depends on the outcome.

mod bits;

use super::context;
use super::tables::is_selector;

/// At most this many characters of a payload are shown.
const SHOWN: usize = 200;
/// At most this many hidden characters are decoded: enough for what is shown in the widest scheme.
const DECODED: usize = 4096;
/// A run of bits shorter than this may look like text by chance.
const MIN_BITS: usize = 16;

/// What a run of hidden characters spells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Payload {
    /// Id of the scheme in the catalogue: `S1` for tags, `S2` for selectors that carry bytes, ….
    pub(super) scheme: &'static str,
    /// The text, with what is not printable escaped, cut to 200 characters. Empty where nothing readable came out.
    pub(super) text: String,
    /// Number of bits that the run carries, where the scheme is one of bits.
    pub(super) bits: Option<usize>,
    /// What it is, where it is more than words: a link, base64, an archive.
    pub(super) kind: Option<&'static str>,
    /// The text that is shown in its place, where the scheme has one.
    pub(super) base: String,
}

impl Payload {
    /// A payload that is this text.
    pub(super) fn new(scheme: &'static str, text: &str) -> Self {
        Self { scheme, text: shown(text), kind: kind_of(text.as_bytes()), ..Self::default() }
    }

    /// A payload that is these bytes.
    fn of_bytes(scheme: &'static str, bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::new(scheme, text),
            Err(_) => Self { scheme, text: shown_bytes(bytes), kind: kind_of(bytes), ..Self::default() },
        }
    }
}

/// A reading of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Candidate {
    pub(super) scheme: &'static str,
    pub(super) bytes: Vec<u8>,
    score: Score,
}

impl Candidate {
    /// A reading of which so many hundredths must be printable to be text.
    fn new(scheme: &'static str, bytes: Vec<u8>, least_printable: usize) -> Self {
        let score = std::str::from_utf8(&bytes).map_or(Score(None), |text| Score::of(text, least_printable));
        Self { scheme, bytes, score }
    }
}

/// How much like text a reading is: letters, digits and spaces of ASCII, then of any script, in thousandths. `None` of
/// it where too much is unprintable.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Score(Option<(u32, u32)>);

impl Score {
    fn of(text: &str, least_printable: usize) -> Self {
        let (mut all, mut printable, mut ascii, mut word) = (0_usize, 0_usize, 0_usize, 0_usize);
        for c in text.chars() {
            all += 1;
            printable += usize::from(is_printable(c) || matches!(c, '\n' | '\t'));
            ascii += usize::from(c.is_ascii_alphabetic() || c == ' ');
            word += usize::from(c.is_alphanumeric() || c == ' ');
        }
        if all == 0 || printable * 100 < all * least_printable {
            return Score(None);
        }
        let share = |n: usize| u32::try_from(n * 1000 / all).unwrap_or(1000);
        Score(Some((share(ascii), share(word))))
    }
}

fn is_printable(c: char) -> bool {
    use icu_properties::props::GeneralCategory as G;
    !matches!(
        context::category(c),
        G::Control
            | G::Format
            | G::Surrogate
            | G::PrivateUse
            | G::Unassigned
            | G::LineSeparator
            | G::ParagraphSeparator
    ) && c != '\u{FFFD}'
}

/// Makes text fit to be shown: at most 200 characters, nothing unprintable.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == SHOWN {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) && !super::tables::is_default_ignorable(c) => out.push(c),
            c => out.push_str(&format!("<U+{:04X}>", c as u32)),
        }
    }
    out
}

/// Bytes that are no text, as they are written in programs; as short as text.
fn shown_bytes(bytes: &[u8]) -> String {
    let mut out = bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string();
    if bytes.len() > SHOWN {
        out.push('…');
    }
    out
}

/// What a run spells, by the kind of characters that it has most of.
pub(super) fn run(hidden: &[char]) -> Option<Payload> {
    /// Fewer bytes that are no text are residue of emoji.
    const FEWEST: usize = 4;
    let hidden = &hidden[..hidden.len().min(DECODED)];
    if hidden.len() < 2 {
        return None;
    }
    let all = candidates(hidden);
    let bits = bits::number(hidden).filter(|_| !is_plane(hidden));
    let best = all.first().filter(|best| best.score.0.is_some() && bits.is_none_or(|bits| bits >= MIN_BITS));
    // An archive begins with bytes that hardly come by chance.
    let is_text = |best: &&Candidate| std::str::from_utf8(&best.bytes).is_ok_and(is_words);
    let archive = || all.iter().find(|candidate| archive(&candidate.bytes).is_some());
    if let Some(best) = best.filter(is_text).or_else(archive).or(best) {
        return Some(Payload { bits, ..Payload::of_bytes(best.scheme, &best.bytes) }).filter(|p| !p.text.is_empty());
    }
    match bits {
        Some(_) => Some(Payload { scheme: bits::scheme(hidden), bits, ..Payload::default() }),
        None => {
            let of_bytes = all.first().filter(|_| hidden.len() >= FEWEST && hidden.iter().any(|c| *c != hidden[0]))?;
            Some(Payload::of_bytes(of_bytes.scheme, &of_bytes.bytes))
        }
    }
}

/// All readings of a run, the likeliest first; among equals in the order of how common they are.
pub(super) fn candidates(hidden: &[char]) -> Vec<Candidate> {
    let mut all = if is_plane(hidden) { of_plane(hidden) } else { bits::candidates(hidden) };
    all.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    all
}

/// Whether a run is one of tags and selectors.
fn is_plane(hidden: &[char]) -> bool {
    let of_plane = |c: &&char| is_selector(**c) || (**c as u32) >> 16 == 0xE;
    hidden.iter().filter(of_plane).count() * 2 > hidden.len()
}

/// Readings of tags and selectors: tags stand for the character below them (S1), selectors for a byte each (S2) or a code
/// point each (S3). The last two lie sixteen apart.
fn of_plane(hidden: &[char]) -> Vec<Candidate> {
    let text = |scheme, text: Option<String>, least| text.map(|text| Candidate::new(scheme, text.into_bytes(), least));
    let bytes = |hidden: &[char]| selector_bytes(hidden).map(|bytes| Candidate::new("S2", bytes, 90));
    let code_points = text("S3", selector_code_points(hidden), 90);
    if !hidden.iter().all(|&c| is_selector(c)) {
        let tags = text("S1", Some(tags_text(hidden)).filter(|text| !text.is_empty()), 0);
        return tags.into_iter().chain(code_points).collect();
    }
    let behind_emoji = match hidden {
        // The emoji in front may have a selector of its own.
        [first @ ('\u{FE0E}' | '\u{FE0F}'), rest @ ..] if !rest.is_empty() && !rest.contains(first) => bytes(rest),
        _ => None,
    };
    bytes(hidden).into_iter().chain(behind_emoji).chain(code_points).collect()
}

/// The text of tags.
fn tags_text(hidden: &[char]) -> String {
    hidden
        .iter()
        .filter_map(|&c| match c as u32 {
            0xE0001 | 0xE007F => None,
            n @ 0xE0000..=0x10FFFF => char::from_u32(n - 0xE0000),
            _ => None,
        })
        .collect()
}

/// The bytes that selectors stand for under S2.
pub(super) fn selector_bytes(hidden: &[char]) -> Option<Vec<u8>> {
    hidden
        .iter()
        .map(|&c| match c as u32 {
            n @ 0xFE00..=0xFE0F => Some((n - 0xFE00) as u8),
            n @ 0xE0100..=0xE01EF => Some((n - 0xE0100 + 16) as u8),
            _ => None,
        })
        .collect()
}

/// The code points that selectors stand for under S3.
fn selector_code_points(hidden: &[char]) -> Option<String> {
    hidden
        .iter()
        .map(|&c| match c as u32 {
            n @ 0xE0100..=0x10FFFF => char::from_u32(n - 0xE0100),
            _ => None,
        })
        .collect()
}

/// Spaces of two kinds that spell words; one of the kinds may be the plain space.
pub(super) fn spaces(spaces: &[char]) -> Option<Payload> {
    run(spaces).filter(|payload| is_words(&payload.text))
}

/// Whether a text is words beyond the reach of chance: four characters and more, nearly all of them letters, digits and
/// spaces of ASCII.
pub(super) fn is_words(text: &str) -> bool {
    let all = text.chars().count();
    let word = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').count();
    all >= 4 && word * 10 >= all * 9
}

/// What bytes are, where they are more than words.
pub(super) fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let trimmed = bytes.trim_ascii();
    let links: [&[u8]; 4] = [b"http://", b"https://", b"ftp://", b"data:"];
    if links.iter().any(|scheme| memchr::memmem::find(trimmed, scheme).is_some()) {
        return Some("url");
    }
    let base64 = trimmed.len() >= 24
        && trimmed.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'))
        && trimmed.iter().any(u8::is_ascii_digit)
        && trimmed.iter().any(u8::is_ascii_uppercase)
        && trimmed.iter().any(u8::is_ascii_lowercase);
    archive(bytes).or(base64.then_some("base64"))
}

/// The archive or program that bytes begin like.
fn archive(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 13] = [
        (b"\x1F\x8B\x08", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"7z\xBC\xAF\x27\x1C", "7z"),
        (b"\xFD7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"\x28\xB5\x2F\xFD", "zstd"),
        (b"\x04\x22\x4D\x18", "lz4"),
        (b"Rar!\x1A\x07", "rar"),
        (b"%PDF-", "pdf"),
        (b"\x89PNG\r\n", "png"),
        (b"\x7FELF", "elf"),
        (b"\0asm", "wasm"),
        (b"\xCA\xFE\xBA\xBE", "java-class"),
    ];
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests;
