//! Decodes what may be a hit.

use super::super::context::after;
use super::super::tables::{class_of, wide_class_of};
use super::Prefilter;

/// Whether the candidate at `at` is what it seems.
#[inline]
pub(super) fn is_hit(text: &[u8], at: usize, filter: Prefilter) -> bool {
    match text[at] {
        // What most candidates of most texts are: a joiner, a break or a mark of direction.
        0xE2 if matches!(text.get(at + 1..at + 3), Some([0x80, 0x8B..=0x8F])) => true,
        _ => is_other_hit(text, at, filter),
    }
}

fn is_other_hit(text: &[u8], at: usize, filter: Prefilter) -> bool {
    match text[at] {
        b'\\' if filter.wide => filter.escapes && is_escape_hit::<true>(text, at),
        b'\\' => filter.escapes && is_escape_hit::<false>(text, at),
        0x00..0x80 => is_control_hit(text, at),
        _ => {
            // A malformed sequence comes back as the replacement character, with the length of one byte to three.
            after(text, at).is_some_and(|(c, end)| {
                let class = if filter.wide { wide_class_of(c) } else { class_of(c) };
                class.is_some()
                    && end == at + c.len_utf8()
                    && (c != '\u{FFFD}' || text[at..].starts_with(b"\xEF\xBF\xBD"))
            })
        }
    }
}

/// A carriage return is a hit where no line feed follows and text does.
pub(super) fn is_control_hit(text: &[u8], at: usize) -> bool {
    text[at] != b'\r' || text.get(at + 1).is_some_and(|&b| b != b'\n')
}

/// Whether the backslash at `at` starts a JSON escape of something that is looked for.
pub(super) fn is_escape_hit<const WIDE: bool>(text: &[u8], at: usize) -> bool {
    let interesting = match text.get(at + 1) {
        Some(b'b') => true,
        // Followed by the escape of a line feed, or last in its string, it is a line end.
        Some(b'r') => !matches!(text.get(at + 2..), Some([b'\\', b'n', ..] | [b'"', ..]) | None),
        Some(b'u') => escaped_character::<WIDE>(text, at)
            .is_some_and(|c| if WIDE { wide_class_of(c) } else { class_of(c) }.is_some()),
        _ => false,
    };
    // An escaped backslash escapes nothing itself.
    interesting && text[..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 0
}

/// The character of a `\uXXXX` at `at`, with the pair's second half where it is a surrogate. Escapes of nearly all
/// letters are told by their first two digits, and are `None`.
fn escaped_character<const WIDE: bool>(text: &[u8], at: usize) -> Option<char> {
    let byte = |at: usize| {
        let [high, low] = *text.get(at..)?.first_chunk()?;
        let (high, low) = (DIGITS[usize::from(high)], DIGITS[usize::from(low)]);
        ((high | low) < 16).then_some(u32::from(high << 4 | low))
    };
    let high = byte(at + 2)?;
    if !WIDE
        && matches!(high, 0x01..=0x02 | 0x04..=0x05 | 0x07..=0x10 | 0x12..=0x16 | 0x19..=0x1F | 0x21..=0x27 | 0x29..=0x30 | 0x32..=0xD7)
    {
        return None;
    }
    match high << 8 | byte(at + 4)? {
        first @ 0xD800..=0xDBFF if text.get(at + 6..at + 8) == Some(b"\\u") => {
            match byte(at + 8)? << 8 | byte(at + 10)? {
                second @ 0xDC00..=0xDFFF => char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)),
                _ => None,
            }
        }
        scalar => char::from_u32(scalar),
    }
}

/// The value of each hexadecimal digit; 255 for every other byte.
static DIGITS: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let mut n = 0;
    while n < 16 {
        table[b"0123456789abcdef"[n] as usize] = n as u8;
        table[b"0123456789ABCDEF"[n] as usize] = n as u8;
        n += 1;
    }
    table
};
