//! One character behind a layer: an entity, percent-encoded bytes, a backslash escape.

/// Whether a place lies inside double quotes of its line.
pub(super) fn is_quoted(text: &[u8], at: usize) -> bool {
    const REACH: usize = 4096;
    let line = memchr::memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1).max(at.saturating_sub(REACH));
    let mut quoted = false;
    let mut escaped = false;
    for &b in &text[line..at] {
        match b {
            b'\\' if quoted && !escaped => {
                escaped = true;
                continue;
            }
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = false;
    }
    quoted
}

/// The entity at `at`, also that of an escaped ampersand: what is unescaped twice ends up the same.
pub(super) fn entity(text: &[u8], at: usize) -> Option<(char, usize)> {
    const AMPERSANDS: [&[u8]; 4] = [b"amp;", b"#38;", b"#x26;", b"#X26;"];
    let mut body = at + 1;
    if let Some(again) = AMPERSANDS.iter().find(|again| text[body..].starts_with(again)) {
        body += again.len();
    }
    if text.get(body) != Some(&b'#') {
        return named(text, body);
    }
    let (digits, radix) = match text.get(body + 1)? {
        b'x' | b'X' => (body + 2, 16),
        _ => (body + 1, 10),
    };
    let mut value = 0_u32;
    let mut end = digits;
    while let Some(digit) = text.get(end).and_then(|&b| char::from(b).to_digit(radix)) {
        value = value.checked_mul(radix)?.checked_add(digit)?;
        end += 1;
    }
    // Browsers read 128 to 159 as Windows-1252, in which they are visible.
    if end == digits || matches!(value, 0x80..=0x9F) {
        return None;
    }
    Some((char::from_u32(value)?, end + usize::from(text.get(end) == Some(&b';'))))
}

/// Entities with invisible values. Names tell capitals.
const NAMES: [(&str, char); 31] = [
    ("ApplyFunction;", '\u{2061}'),
    ("InvisibleComma;", '\u{2063}'),
    ("InvisibleTimes;", '\u{2062}'),
    ("MediumSpace;", '\u{205F}'),
    ("NegativeMediumSpace;", '\u{200B}'),
    ("NegativeThickSpace;", '\u{200B}'),
    ("NegativeThinSpace;", '\u{200B}'),
    ("NegativeVeryThinSpace;", '\u{200B}'),
    ("NoBreak;", '\u{2060}'),
    ("NonBreakingSpace;", '\u{A0}'),
    ("ThickSpace;", '\u{205F}'),
    ("ThinSpace;", '\u{2009}'),
    ("VeryThinSpace;", '\u{200A}'),
    ("ZeroWidthSpace;", '\u{200B}'),
    ("af;", '\u{2061}'),
    ("emsp13;", '\u{2004}'),
    ("emsp14;", '\u{2005}'),
    ("emsp;", '\u{2003}'),
    ("ensp;", '\u{2002}'),
    ("hairsp;", '\u{200A}'),
    ("ic;", '\u{2063}'),
    ("it;", '\u{2062}'),
    ("lrm;", '\u{200E}'),
    ("nbsp", '\u{A0}'),
    ("numsp;", '\u{2007}'),
    ("puncsp;", '\u{2008}'),
    ("rlm;", '\u{200F}'),
    ("shy", '\u{AD}'),
    ("thinsp;", '\u{2009}'),
    ("zwj;", '\u{200D}'),
    ("zwnj;", '\u{200C}'),
];

fn named(text: &[u8], body: usize) -> Option<(char, usize)> {
    let rest = &text[body..];
    let (name, c) = NAMES.iter().find(|(name, _)| rest.starts_with(name.as_bytes()))?;
    let end = body + name.len();
    Some((*c, end + usize::from(!name.ends_with(';') && text.get(end) == Some(&b';'))))
}

/// The character of several percent-encoded bytes. One of a single byte is visible, or a separator of URLs.
pub(super) fn percent(text: &[u8], at: usize) -> Option<(char, usize)> {
    let byte = |n: usize| match text.get(at + 3 * n..at + 3 * n + 3)? {
        [b'%', high, low] => {
            let digit = |b: &u8| char::from(*b).to_digit(16);
            Some((digit(high)? << 4 | digit(low)?) as u8)
        }
        _ => None,
    };
    let first = byte(0)?;
    let len = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [first, 0, 0, 0];
    for (n, slot) in bytes.iter_mut().enumerate().take(len).skip(1) {
        *slot = byte(n)?;
    }
    let c = std::str::from_utf8(&bytes[..len]).ok()?.chars().next()?;
    Some((c, at + 3 * len))
}

/// The character of a backslash escape of the common languages.
pub(super) fn backslash(text: &[u8], at: usize) -> Option<(char, usize)> {
    let hex = |from: usize, len: usize| {
        let digits = text.get(from..from + len)?;
        digits.iter().try_fold(0_u32, |n, &d| Some(n << 4 | char::from(d).to_digit(16)?))
    };
    let scalar = |value: u32, end: usize| Some((char::from_u32(value)?, end));
    match *text.get(at + 1)? {
        b'u' if text.get(at + 2) == Some(&b'{') => {
            let len = text[at + 3..].iter().take(7).position(|&b| b == b'}')?;
            scalar(hex(at + 3, len).filter(|_| len > 0)?, at + 4 + len)
        }
        b'u' => match (hex(at + 2, 4)?, text.get(at + 6..at + 8)) {
            (high @ 0xD800..=0xDBFF, Some(b"\\u")) => match hex(at + 8, 4)? {
                low @ 0xDC00..=0xDFFF => scalar(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00), at + 12),
                _ => None,
            },
            (value, _) => scalar(value, at + 6),
        },
        b'U' => scalar(hex(at + 2, 8)?, at + 10),
        b'x' => match hex(at + 2, 2)? {
            // A letter of Latin-1 or half of something else: which, only the language knows.
            value @ (0x1B | 0xAD) => scalar(value, at + 4),
            _ => None,
        },
        b'0' if text.get(at + 2..at + 4) == Some(b"33") => scalar(0x1B, at + 4),
        b'e' => scalar(0x1B, at + 2),
        _ => None,
    }
}
