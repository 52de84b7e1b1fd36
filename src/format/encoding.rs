//! Takes compression and encoding off a blob, and keeps the way back to its raw bytes.

use std::borrow::Cow;

use memchr::memchr;

use super::compressed;
use super::{Decoded, Encoding, Offsets};
use crate::policy::Limits;

/// How much of a blob is looked at to tell text from binary and one wide encoding from another.
const SAMPLE: usize = 64 << 10;

/// Decoded bytes between two checkpoints of [`Offsets::Mapped`]: what one look-up may have to walk.
const STRIDE: u64 = 1024;

/// Takes compression and encoding off.
///
/// UTF-8 without a byte-order mark is borrowed as it is, UTF-8 with one is borrowed behind it; everything else that is
/// text is turned into UTF-8. Nothing is lost on the way: single-byte text is read as Windows-1252 with its five
/// undefined bytes as C1 controls, so that every byte (of Mac OS Roman, too) is a character of its own.
///
/// # Errors
/// Where the blob is larger than `limits.blob` allows, or is compressed and cannot be expanded within the limits.
pub(crate) fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Decoded<'a>, String> {
    if bytes.len() as u64 > limits.blob {
        return Err(format!("larger than the limit of {} bytes", limits.blob));
    }
    let bytes = match compressed::expand(bytes, limits) {
        Some(expanded) => Cow::Owned(expanded?),
        None => Cow::Borrowed(bytes),
    };
    Ok(take_off(bytes))
}

fn take_off(bytes: Cow<'_, [u8]>) -> Decoded<'_> {
    let (encoding, mark) = tell(&bytes);
    match encoding {
        Encoding::Utf8 | Encoding::BrokenUtf8 | Encoding::Binary => {
            if mark == 0 {
                return Decoded { bytes, offsets: Offsets::Same, encoding };
            }
            let bytes = match bytes {
                Cow::Borrowed(all) => Cow::Borrowed(&all[mark..]),
                Cow::Owned(mut all) => {
                    all.drain(..mark);
                    Cow::Owned(all)
                }
            };
            Decoded { bytes, offsets: Offsets::Mapped(vec![(0, mark as u64)], encoding), encoding }
        }
        _ => {
            let mut out = Transcript::new(encoding, mark, bytes.len());
            match encoding {
                Encoding::Utf16Le => out.utf16(&bytes[mark..], u16::from_le_bytes),
                Encoding::Utf16Be => out.utf16(&bytes[mark..], u16::from_be_bytes),
                Encoding::Utf32Le => out.utf32(&bytes[mark..], u32::from_le_bytes),
                Encoding::Utf32Be => out.utf32(&bytes[mark..], u32::from_be_bytes),
                _ => out.single_bytes(&bytes[mark..]),
            }
            out.finish(bytes.len())
        }
    }
}

/// The encoding of a blob, and the length of its byte-order mark.
fn tell(bytes: &[u8]) -> (Encoding, usize) {
    // UTF-32 first: its little-endian mark begins with the one of UTF-16.
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) && is_utf32(bytes, u32::from_le_bytes) {
        return (Encoding::Utf32Le, 4);
    }
    if bytes.starts_with(&[0, 0, 0xFE, 0xFF]) && is_utf32(bytes, u32::from_be_bytes) {
        return (Encoding::Utf32Be, 4);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        return match narrow(rest) {
            Encoding::Utf8 => (Encoding::Utf8, 3),
            // The mark says what the text wants to be.
            _ => (Encoding::BrokenUtf8, 3),
        };
    }
    if bytes.starts_with(&[0xFF, 0xFE]) && !bytes.starts_with(&[0xFF; 4]) {
        return (Encoding::Utf16Le, 2);
    }
    if bytes.starts_with(&[0xFE, 0xFF]) {
        return (Encoding::Utf16Be, 2);
    }
    (narrow(bytes), 0)
}

/// The encoding of what has no byte-order mark.
fn narrow(bytes: &[u8]) -> Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let valid = simdutf8::basic::from_utf8(bytes).is_ok();
    let nul = memchr(0, sample).is_some();
    if valid && !nul {
        return Encoding::Utf8;
    }
    if has_binary_magic(bytes) {
        return Encoding::Binary;
    }
    if nul && let Some(wide) = wide(sample) {
        return wide;
    }
    // Compressed and numeric data is full of controls; a text with a planted NUL is not, and stays a text.
    let controls = sample.iter().filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B)).count();
    if controls * 20 >= sample.len().max(1) {
        return Encoding::Binary;
    }
    if valid { Encoding::Utf8 } else { single_byte_or_broken(bytes) }
}

/// First bytes of formats that are not text, whatever else they hold. Only asked where there is a NUL or malformed
/// UTF-8, so that a table whose first column is called `MZ` stays a table.
fn has_binary_magic(bytes: &[u8]) -> bool {
    const MAGIC: &[&[u8]] = &[
        b"PAR1",
        b"PARE",
        b"ARROW1",
        &[0xFF; 4],
        b"ORC",
        b"Obj\x01",
        b"\x93NUMPY",
        b"\x89HDF",
        b"SQLite format 3\0",
        b"\x1F\x8B",
        b"\x28\xB5\x2F\xFD",
        b"BZh",
        b"\xFD7zXZ",
        b"7z\xBC\xAF",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"Rar!",
        b"\x89PNG",
        b"\xFF\xD8\xFF",
        b"GIF8",
        b"RIFF",
        b"OggS",
        b"fLaC",
        b"ID3",
        b"%PDF-",
        b"\x7FELF",
        b"MZ",
        b"\xCA\xFE\xBA\xBE",
        b"\0asm",
        b"\x80\x02",
        b"\x80\x03",
        b"\x80\x04",
        b"\x80\x05",
        b"GGUF",
        b"DIRC",
        b"\xFFtOc",
        b"PACK",
    ];
    MAGIC.iter().any(|magic| bytes.starts_with(magic)) || bytes.get(257..262) == Some(b"ustar")
}

fn is_utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    sample.as_chunks::<4>().0.iter().all(|&four| char::from_u32(unit(four)).is_some())
}

/// UTF-16 or UTF-32 without a mark, by where its NULs stand: in an encoding of two bytes the markup and the spaces of
/// any language leave NULs in one half of the places and hardly any in the other.
fn wide(sample: &[u8]) -> Option<Encoding> {
    let mut nul = [0_usize; 4];
    for four in sample.as_chunks::<4>().0 {
        for (count, &byte) in nul.iter_mut().zip(four) {
            *count += usize::from(byte == 0);
        }
    }
    let fours = sample.len() / 4;
    if fours == 0 {
        // Too short for a pattern of four; one character of UTF-16 with a NUL is no evidence either.
        return None;
    }
    if nul[3] == fours && nul[2] * 10 >= fours * 9 && nul[0] * 10 <= fours && is_utf32(sample, u32::from_le_bytes) {
        return Some(Encoding::Utf32Le);
    }
    if nul[0] == fours && nul[1] * 10 >= fours * 9 && nul[3] * 10 <= fours && is_utf32(sample, u32::from_be_bytes) {
        return Some(Encoding::Utf32Be);
    }
    let (even, odd) = (nul[0] + nul[2], nul[1] + nul[3]);
    // A few NULs planted at the right places of an ASCII text make every pair of its letters an ideograph. In UTF-16 text
    // that is ASCII but for a few characters nearly half of all bytes are NUL.
    let letters = sample.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
    let nuls = even + odd;
    if nuls * 5 < sample.len() * 2 && letters * 10 >= (sample.len() - nuls.min(sample.len())) * 9 {
        return None;
    }
    let enough = |here: usize, there: usize| here * 20 >= fours * 2 && there * 20 <= here;
    if enough(odd, even) && is_utf16(sample, u16::from_le_bytes) {
        return Some(Encoding::Utf16Le);
    }
    if enough(even, odd) && is_utf16(sample, u16::from_be_bytes) {
        return Some(Encoding::Utf16Be);
    }
    None
}

/// Whether a sample makes sense as UTF-16: hardly any unpaired surrogate or control.
fn is_utf16(sample: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    let pairs = sample.as_chunks::<2>().0;
    let odd = char::decode_utf16(pairs.iter().map(|&two| unit(two)))
        .filter(|c| match c {
            Ok(c) => c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}'),
            Err(_) => true,
        })
        .count();
    odd * 50 <= pairs.len()
}

/// Malformed UTF-8 is either text of one byte a character or UTF-8 that was damaged or tampered with.
///
/// JSON is UTF-8 by definition. Elsewhere the majority decides: characters of two bytes and more, overlong forms,
/// encoded surrogates and cut sequences speak for UTF-8; single bytes above ASCII between ASCII speak against it.
fn single_byte_or_broken(bytes: &[u8]) -> Encoding {
    let json = bytes.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'{' | b'['));
    if json {
        return Encoding::BrokenUtf8;
    }
    let (mut broken, mut single) = (0_u64, 0_u64);
    let mut rest = bytes;
    for chunk in bytes.utf8_chunks() {
        broken += chunk.valid().bytes().filter(|&b| b >= 0xC2).count() as u64;
        let bad = chunk.invalid();
        rest = &rest[chunk.valid().len()..];
        let tampered = matches!(rest, [0xC0 | 0xC1, 0x80..=0xBF, ..] | [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..]);
        if bad.len() > 1 || tampered {
            broken += 1;
        } else if bad.len() == 1 && !matches!(bad[0], 0x80..=0xBF) {
            single += 1;
        } else if bad.len() == 1 {
            // A stray continuation byte: quotes and dashes of Windows-1252, or the tail of a tampered sequence.
            single += u64::from(rest.get(1).is_none_or(u8::is_ascii));
        }
        rest = &rest[bad.len()..];
        if broken + single > 100_000 {
            break;
        }
    }
    if single > broken { Encoding::Latin1 } else { Encoding::BrokenUtf8 }
}

/// The five bytes that Windows-1252 leaves undefined stay the C1 controls they are in Latin-1, so that no two bytes
/// become the same character.
const WINDOWS_1252: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2C6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}',
    '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}',
    '\u{17E}', '\u{178}',
];

/// Decoded text under way, with its checkpoints.
struct Transcript {
    encoding: Encoding,
    text: Vec<u8>,
    points: Vec<(u64, u64)>,
    raw: u64,
}

impl Transcript {
    fn new(encoding: Encoding, mark: usize, len: usize) -> Self {
        let mut text = Vec::new();
        // A guess that holds for markup and Latin script; other scripts grow it once or twice.
        let expected = match encoding {
            Encoding::Latin1 => len + len / 16,
            Encoding::Utf32Le | Encoding::Utf32Be => len / 4,
            _ => len / 2,
        };
        text.reserve(expected);
        Self { encoding, text, points: vec![(0, mark as u64)], raw: mark as u64 }
    }

    fn push(&mut self, c: char, took: u64) {
        let at = self.text.len() as u64;
        if at >= self.points.last().map_or(0, |p| p.0) + STRIDE {
            self.points.push((at, self.raw));
        }
        self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        self.raw += took;
    }

    fn utf16(&mut self, bytes: &[u8], unit: fn([u8; 2]) -> u16) {
        let (pairs, rest) = bytes.as_chunks::<2>();
        for c in char::decode_utf16(pairs.iter().map(|&two| unit(two))) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.push(c, 2 * c.len_utf16() as u64);
        }
        self.cut(rest);
    }

    fn utf32(&mut self, bytes: &[u8], unit: fn([u8; 4]) -> u32) {
        let (fours, rest) = bytes.as_chunks::<4>();
        for &four in fours {
            self.push(char::from_u32(unit(four)).unwrap_or(char::REPLACEMENT_CHARACTER), 4);
        }
        self.cut(rest);
    }

    fn single_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let c = match byte {
                0x80..=0x9F => WINDOWS_1252[usize::from(byte) - 0x80],
                _ => char::from(byte),
            };
            self.push(c, 1);
        }
    }

    /// A character that the file ends in the middle of.
    fn cut(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.push(char::REPLACEMENT_CHARACTER, rest.len() as u64);
        }
    }

    fn finish<'a>(mut self, len: usize) -> Decoded<'a> {
        // The end is a checkpoint, since a cut character does not follow the rule of the encoding.
        self.points.push((self.text.len() as u64, len as u64));
        Decoded {
            bytes: Cow::Owned(self.text),
            offsets: Offsets::Mapped(self.points, self.encoding),
            encoding: self.encoding,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::span::Span;

    fn decoded(bytes: &[u8]) -> Decoded<'_> {
        decode(bytes, &Limits::default()).expect("small enough")
    }

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn utf8_is_borrowed_and_its_mark_is_taken_off() {
        let plain = decoded("naïve 中文\n".as_bytes());
        assert!(matches!(plain.bytes, Cow::Borrowed(_)));
        assert_eq!((plain.encoding, plain.raw(Span::new(2, 5))), (Encoding::Utf8, Span::new(2, 5)));
        let marked = decoded(b"\xEF\xBB\xBFtext,label\n");
        assert!(matches!(marked.bytes, Cow::Borrowed(b"text,label\n")));
        assert_eq!(marked.raw(Span::new(0, 4)), Span::new(3, 7));
        assert_eq!((marked.decoded_at(7), marked.decoded_at(1)), (4, 0));
    }

    #[test]
    fn utf16_and_utf32_are_told_by_mark_and_by_pattern() {
        let text = "{\"text\": \"grüß 😀\", \"label\": \"ham\"}\n";
        let le = utf16(text, u16::to_le_bytes);
        let be = utf16(text, u16::to_be_bytes);
        let wide: Vec<u8> = text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
        let marked = [&[0xFF, 0xFE][..], &le].concat();
        for (bytes, encoding) in
            [(le, Encoding::Utf16Le), (be, Encoding::Utf16Be), (wide, Encoding::Utf32Le), (marked, Encoding::Utf16Le)]
        {
            let decoded = decoded(&bytes);
            assert_eq!(decoded.encoding, encoding);
            assert_eq!(std::str::from_utf8(&decoded.bytes), Ok(text));
        }
        let big: Vec<u8> =
            std::iter::once('\u{FEFF}').chain("ab".chars()).flat_map(|c| (c as u32).to_be_bytes()).collect();
        assert_eq!((decoded(&big).encoding, &*decoded(&big).bytes), (Encoding::Utf32Be, &b"ab"[..]));
    }

    #[test]
    fn planted_nuls_do_not_turn_a_text_into_another_encoding() {
        let rows: String =
            (0..200).map(|n| format!("{{\"text\": \"row {n} of many\", \"label\": \"ham\"}}\n")).collect();
        for every in [3, 7, 12, 21, 33, 101] {
            for parity in 0..2 {
                let mut bytes = rows.clone().into_bytes();
                for at in (0..bytes.len()).filter(|at| at / 2 % every == 0 && at % 2 == parity) {
                    bytes[at] = 0;
                }
                let encoding = decoded(&bytes).encoding;
                assert!(matches!(encoding, Encoding::Utf8 | Encoding::Binary), "1 of {every}: {encoding:?}");
            }
        }
        assert_eq!(decoded(b"text,label\na\0b,ham\nc,spam\n").encoding, Encoding::Utf8);
    }

    #[test]
    fn chinese_json_in_utf16_without_a_mark_is_told() {
        let text = "{\"text\": \"今天天气很好我们去公园散步吧\", \"label\": \"正面\"}\n".repeat(20);
        assert_eq!(decoded(&utf16(&text, u16::to_le_bytes)).encoding, Encoding::Utf16Le);
    }

    #[test]
    fn every_single_byte_keeps_a_character_of_its_own() {
        // Mac OS Roman: an ellipsis, a no-break space, an apostrophe.
        let bytes = b"text,label\nwell\xC9 it\xCAs Bob\xD5s,ham\n";
        let text = decoded(bytes);
        assert_eq!(text.encoding, Encoding::Latin1);
        assert_eq!(std::str::from_utf8(&text.bytes), Ok("text,label\nwellÉ itÊs BobÕs,ham\n"));
        // `BobÕs` is raw bytes 22..27.
        let at = text.bytes.windows(3).position(|w| w == b"Bob").expect("is there") as u64;
        assert_eq!(text.raw(Span::new(at, at + 6)), Span::new(22, 27));
        let all: Vec<u8> = (0x80..=0xFF).collect();
        let mut transcript = Transcript::new(Encoding::Latin1, 0, all.len());
        transcript.single_bytes(&all);
        let mut characters: Vec<char> = String::from_utf8(transcript.text).expect("is UTF-8").chars().collect();
        characters.sort_unstable();
        characters.dedup();
        assert_eq!(characters.len(), 128);
    }

    #[test]
    fn damaged_utf8_stays_as_it_is_and_json_is_never_latin1() {
        let damaged = ["größer und schöner ".as_bytes(), b"\xC0\x80 \xED\xA0\x80\n"].concat();
        assert_eq!(decoded(&damaged).encoding, Encoding::BrokenUtf8);
        assert!(matches!(decoded(&damaged).bytes, Cow::Borrowed(_)));
        assert_eq!(decoded(b"{\"text\": \"caf\xE9\"}\n").encoding, Encoding::BrokenUtf8);
        assert_eq!(decoded(b"plain words \xC0\x80 and \xC1\xA1\n").encoding, Encoding::BrokenUtf8);
    }

    #[test]
    fn a_planted_nul_does_not_make_a_text_binary() {
        let text = format!("text,label\n{}a\0b,ham\n", "hello there,ham\n".repeat(50));
        assert_eq!(decoded(text.as_bytes()).encoding, Encoding::Utf8);
        assert_eq!(decoded(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").encoding, Encoding::Binary);
        assert_eq!(decoded(b"PAR1\x15\0\x15\0PAR1").encoding, Encoding::Binary);
        assert_eq!(decoded(b"MZ,label\n1,ham\n").encoding, Encoding::Utf8);
        assert_eq!(decoded(b"").encoding, Encoding::Utf8);
    }

    #[test]
    fn a_blob_over_the_limit_is_refused() {
        assert!(decode(b"12345", &Limits { blob: 4, ..Limits::default() }).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// The map is exact: every character's raw span, decoded alone, is that character again.
        #[test]
        fn offsets_lead_back_to_the_character(text in "[a-z \n]{0,9}\\PC{1,900}", be in any::<bool>()) {
            let unit = if be { u16::to_be_bytes } else { u16::to_le_bytes };
            let mark = if be { [0xFE, 0xFF] } else { [0xFF, 0xFE] };
            let raw = [&mark[..], &utf16(&text, unit)].concat();
            let decoded = decoded(&raw);
            prop_assert_eq!(std::str::from_utf8(&decoded.bytes), Ok(text.as_str()));
            for (at, c) in text.char_indices() {
                let span = decoded.raw(Span::new(at as u64, (at + c.len_utf8()) as u64));
                let written = utf16(&c.to_string(), unit);
                prop_assert_eq!(span.of(&raw), written.as_slice());
                prop_assert_eq!(decoded.decoded_at(span.start), at as u64);
            }
        }

        /// On any bytes: nothing panics, the map is monotone and stays inside.
        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..600), mark in 0..6_usize) {
            let marks: [&[u8]; 6] = [b"", b"\xFF\xFE", b"\xFE\xFF", b"\xEF\xBB\xBF", b"\xFF\xFE\0\0", b"\0\0\xFE\xFF"];
            let raw = [marks[mark], &bytes].concat();
            let decoded = decoded(&raw);
            let mut last = 0;
            for at in 0..=decoded.bytes.len() as u64 {
                let here = decoded.raw(Span::new(at, at)).start;
                prop_assert!(here >= last && here <= raw.len() as u64);
                last = here;
            }
            prop_assert_eq!(last, raw.len() as u64);
            let mut last = 0;
            for at in 0..=raw.len() as u64 {
                let here = decoded.decoded_at(at);
                prop_assert!(here >= last && here <= decoded.bytes.len() as u64);
                last = here;
            }
        }
    }
}
