//! Words of several scripts, found by the places where their letters meet.
//!
//! In a text that is not mainly Latin nothing else matters, and such texts are many: whole languages are. Vector code
//! names the places where a character beside a foreign letter may be another part of the same word, and only the words
//! around these are walked. Letters that are rare, or told by more than their first byte, are named themselves.

use super::words::{Table, Token, token_around};
use crate::format::sieve::within;

/// Bytes that are tested together.
const BLOCK: usize = 64;
/// Bytes before a block and behind it that its tests look at.
const BEFORE: usize = 2;
const BEHIND: usize = 1;

/// The words of a text that have foreign letters and letters of another script beside them.
pub(super) fn mixed(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut table = Table::new();
    let (mut block, mut mask, mut done) = (0, 0_u64, 0);
    std::iter::from_fn(move || {
        loop {
            while mask == 0 {
                if block >= text.len() {
                    return None;
                }
                mask = seams(text.as_bytes(), block);
                block += BLOCK;
            }
            let at = block - BLOCK + mask.trailing_zeros() as usize;
            mask &= mask - 1;
            if at < done {
                continue;
            }
            let (end, token) = token_around(text, at, done, &mut table);
            done = end;
            if let Some(token) = token.filter(Token::is_mixed) {
                return Some(token);
            }
        }
    })
}

/// A bit for each byte of a block at which a character begins that meets a letter of another script, or may be one.
fn seams(text: &[u8], start: usize) -> u64 {
    let mut padded = [b' '; BEFORE + BLOCK + BEHIND];
    let window = start.checked_sub(BEFORE).and_then(|from| text[from..].first_chunk());
    let window = window.unwrap_or_else(|| {
        let from = start.saturating_sub(BEFORE);
        let known = &text[from..text.len().min(start + BLOCK + BEHIND)];
        padded[BEFORE - (start - from)..][..known.len()].copy_from_slice(known);
        &padded
    });
    let (w, x, y, z) = (&window[..BLOCK], &window[1..=BLOCK], &window[2..BLOCK + 2], &window[3..BLOCK + 3]);
    let mut tests = [0; BLOCK];
    let mut least = u8::MAX;
    for i in 0..BLOCK {
        tests[i] = meets(w[i], x[i], y[i]).min(rare(y[i], z[i]));
        least = least.min(tests[i]);
    }
    if least != 0 {
        return 0;
    }
    tests.iter().rev().fold(0, |mask, &test| mask << 1 | u64::from(test == 0))
}

/// Zero where the character that begins with `y` meets the one that ends with `x` and may begin with `w`, one of them
/// Greek or Cyrillic and the other a part of a word that is neither. Marks count as Greek here, and all that is not ASCII
/// as a part of a word.
#[inline(always)]
fn meets(w: u8, x: u8, y: u8) -> u8 {
    const FIRST: u8 = 0xCC;
    const LAST: u8 = 0xD3;
    let (foreign_before, foreign) = (within(w, FIRST, LAST), within(y, FIRST, LAST));
    let beyond_ascii = (x & 0x80) ^ 0x80;
    // Four lead bytes are Greek and its marks, the next four are Cyrillic.
    let is_same = 1 - (((w.wrapping_sub(FIRST)) ^ (y.wrapping_sub(FIRST))) & 0xFC).min(1);
    let other = (within(y, 0xC2, 0xF4) | is_same).min(word(y));
    (beyond_ascii | (foreign | is_same).min(foreign_before | other)).min(foreign | word(x))
}

/// Zero at an ASCII letter, a digit and an apostrophe.
#[inline(always)]
fn word(b: u8) -> u8 {
    within(b | 0x20, b'a', b'z').min(within(b, b'0', b'9')).min(b ^ b'\'')
}

/// Zero at the first byte of a foreign letter that is neither Greek nor Cyrillic, and of the extended ones of these.
#[inline(always)]
fn rare(y: u8, z: u8) -> u8 {
    within(y, 0xC9, 0xCA)
        .min(within(y, 0xD4, 0xD5))
        .min((y ^ 0xD6) | within(z, 0x80, 0x87))
        .min((y ^ 0xE1) | within(z, 0x8E, 0x8F).min(within(z, 0xBC, 0xBF)))
        .min((y ^ 0xEA) | within(z, 0xAD, 0xAE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::words::tokens;
    use super::*;

    fn slowly(text: &str) -> Vec<Token<'_>> {
        tokens(text).filter(Token::is_mixed).collect()
    }

    #[test]
    fn letters_of_every_script_are_seen_to_meet() {
        let foreign = ['ж', 'Я', 'ԁ', 'ψ', 'ἄ', 'ա', 'ֆ', 'Ꭰ', 'ꭰ', 'ɑ', 'ʀ'];
        // All that is told by two bytes, and some of what is told by three.
        for c in (0x21..0x600).chain((0x600..0x1_0450).step_by(29)).filter_map(char::from_u32) {
            let pad = " ".repeat(if (c as u32).is_multiple_of(2) { 0 } else { BLOCK - 2 });
            for f in foreign {
                for text in [format!("{pad}{f}{c} и"), format!("{pad}{c}{f}"), format!("{pad}{f}\u{301}{c}’{f}")] {
                    assert_eq!(mixed(&text).collect::<Vec<_>>(), slowly(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn words_side_by_side_are_walked_by_nobody() {
        let text = "где мой заказ (please help), 请帮帮我 شكرا на старый адрес; πόσο κάνει; 5 раз и 100% ".repeat(4);
        let blocks = (0..text.len()).step_by(BLOCK);
        assert_eq!(blocks.map(|at| seams(text.as_bytes(), at).count_ones()).sum::<u32>(), 0);
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_none_is_added(
            text in "([a-cZ0'’ .\u{301}é«ª]|[жЯ]|[ԁψἄաֆᎠꭰɑµ]|[א中ก가शſ\u{94D}]|😂| {60}){0,160}"
        ) {
            prop_assert_eq!(mixed(&text).collect::<Vec<_>>(), slowly(&text));
        }
    }
}
