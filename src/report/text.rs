//! A blob as the text that people see, and the way from its raw bytes into that text.

use crate::format::{Decoded, decode};
use crate::policy::Limits;
use crate::span::Span;

/// How much of a blob is looked at for signs of an encoding.
const SAMPLE: usize = 64 << 10;
/// What is looked at on either side of a place: more than any excerpt shows.
const AROUND: usize = 512;
/// First bytes of what is compressed, or begins with a byte-order mark.
const MARKED: [&[u8]; 6] =
    [b"\x1F\x8B", b"\x28\xB5\x2F\xFD", b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF", b"\0\0\xFE\xFF"];

/// A blob as text.
pub(super) enum Text<'a> {
    /// Its raw bytes are its text.
    Raw(&'a [u8]),
    /// Its encoding or compression was taken off.
    Decoded {
        /// The text, with the way back to the raw bytes.
        text: Decoded<'a>,
        /// Whether offsets are those of a decompressed stream.
        decompressed: bool,
    },
}

impl<'a> Text<'a> {
    /// The text of `raw`, of which `spans` are to be shown.
    ///
    /// To tell the encoding of a file the whole of it must be read, and a place in a file of gigabytes shall cost no
    /// more than counting its lines. So a file without any sign of another encoding, and whose bytes are UTF-8 wherever
    /// they are shown, is taken as it is: line feeds and columns are the same in every encoding that leaves no sign.
    pub(super) fn new(raw: &'a [u8], spans: impl Iterator<Item = Span>) -> Self {
        let marked = MARKED.iter().any(|mark| raw.starts_with(mark));
        let wide = || memchr::memchr(0, &raw[..raw.len().min(SAMPLE)]).is_some();
        if !marked && !wide() && { spans }.all(|span| is_utf8_around(raw, span)) {
            return Text::Raw(raw);
        }
        // What was judged was within the limits of its policy; here they only bound what a file may have become since.
        let limits = Limits { blob: u64::MAX, ratio: u64::MAX, ..Limits::default() };
        match decode(raw, &limits) {
            Ok(text) => Text::Decoded { text, decompressed: MARKED[..2].iter().any(|magic| raw.starts_with(magic)) },
            Err(_) => Text::Raw(raw),
        }
    }

    /// The text.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Text::Raw(raw) => raw,
            Text::Decoded { text, .. } => &text.bytes,
        }
    }

    /// Whether it is the raw bytes as they stand.
    pub(super) fn is_raw(&self) -> bool {
        matches!(self, Text::Raw(_))
    }

    /// Leads a span of raw bytes into the text.
    pub(super) fn span(&self, raw: Span) -> Span {
        match self {
            Text::Raw(_) => raw,
            Text::Decoded { text, .. } => {
                let start = text.decoded_at(raw.start);
                Span::new(start, text.decoded_at(raw.end).max(start))
            }
        }
    }

    /// Whether offsets are those of a decompressed stream.
    pub(super) fn is_decompressed(&self) -> bool {
        matches!(self, Text::Decoded { decompressed: true, .. })
    }
}

/// Whether the surroundings of a span are UTF-8, up to characters that were cut at their ends.
fn is_utf8_around(raw: &[u8], span: Span) -> bool {
    let clamp = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(raw.len());
    let (start, end) = (clamp(span.start), clamp(span.end.min(span.start.saturating_add(AROUND as u64))));
    let (first, last) = (start.saturating_sub(AROUND), raw.len().min(end.max(start) + AROUND));
    let window = &raw[first..last];
    let cut = window.iter().take(3).take_while(|&&byte| byte & 0xC0 == 0x80).count();
    let window = if first > 0 { &window[cut..] } else { window };
    match simdutf8::compat::from_utf8(window) {
        Ok(_) => true,
        Err(error) => last < raw.len() && error.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &[u8], span: Span) -> String {
        let text = Text::new(raw, std::iter::once(span));
        String::from_utf8_lossy(text.span(span).of(text.bytes())).into_owned()
    }

    #[test]
    fn plain_text_is_taken_as_it_is() {
        let text = "ä".repeat(2000);
        assert!(matches!(Text::new(text.as_bytes(), std::iter::once(Span::new(2000, 2002))), Text::Raw(_)));
        assert_eq!(shown("aäb".as_bytes(), Span::new(1, 3)), "ä");
    }

    #[test]
    fn places_in_other_encodings_lead_into_the_text() {
        let utf16: Vec<u8> = "\u{FEFF}a\nb€c".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(shown(&utf16, Span::new(8, 10)), "€");
        assert_eq!(shown(b"caf\xe9 noir\n", Span::new(3, 4)), "é");
        assert_eq!(shown(b"\xEF\xBB\xBFid,text\n", Span::new(3, 5)), "id");
    }

    #[test]
    fn places_in_compressed_files_count_the_decompressed_stream() {
        use std::io::Write;
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(b"one\ntwo three\n").expect("writing to memory");
        let raw = out.finish().expect("writing to memory");
        let text = Text::new(&raw, std::iter::once(Span::new(8, 13)));
        assert_eq!(text.span(Span::new(8, 13)).of(text.bytes()), b"three");
        assert!(text.is_decompressed());
    }

    #[test]
    fn what_is_broken_is_taken_as_it_is() {
        assert_eq!(shown(b"\x1F\x8Bbroken", Span::new(2, 8)), "broken");
    }
}
