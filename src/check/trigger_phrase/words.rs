//! Words of a text, as triggers are made of them.

use crate::diff::is_invisible;

/// Bytes of a word. What is longer is cut, and is the same word as what begins like it.
const LONGEST: usize = 64;

/// What the tokenizer has just passed.
#[derive(Copy, Clone, PartialEq)]
enum Last {
    Gap,
    Word,
    /// So many punctuation characters.
    Marks(usize),
}

/// Adds the words of `text` to `out`, in small letters, each with a blank behind it.
///
/// A word is a run of letters and digits, with hyphens, apostrophes and underscores inside it; one character of a script
/// that is written without blanks; a run of two or more punctuation marks; or one symbol that is not ASCII. Single
/// punctuation marks count as gaps.
pub(super) fn push_words(text: &str, out: &mut String) {
    let mut last = Last::Gap;
    let mut start = out.len();
    let mut rest = text;
    loop {
        // Nearly all of nearly every text.
        let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if run > 0 {
            if let Last::Marks(_) = last {
                end(out, &mut start, last);
            }
            let from = out.len();
            let room = LONGEST.saturating_sub(from - start);
            out.push_str(&rest[..run.min(room)]);
            out.as_mut_str()[from..].make_ascii_lowercase();
            last = Last::Word;
            rest = &rest[run..];
        }
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        let class = class_of(c);
        let next = match class {
            Class::Letter => {
                if let Last::Marks(_) = last {
                    end(out, &mut start, last);
                }
                if out.len() - start < LONGEST {
                    push_small(c, out);
                }
                Last::Word
            }
            Class::Joiner if last == Last::Word && chars.next().is_some_and(|c| class_of(c) == Class::Letter) => {
                if out.len() - start < LONGEST {
                    out.push(c);
                }
                Last::Word
            }
            Class::Mark if last == Last::Word && !c.is_ascii() => {
                out.push(c);
                Last::Word
            }
            Class::Joiner | Class::Punctuation | Class::Mark => {
                let before = match last {
                    Last::Marks(n) => n,
                    _ => {
                        end(out, &mut start, last);
                        0
                    }
                };
                if out.len() - start < LONGEST {
                    out.push(c);
                }
                Last::Marks(before + 1)
            }
            Class::Single => {
                end(out, &mut start, last);
                out.push(c);
                Last::Word
            }
            Class::Nothing => last,
            Class::Gap => {
                end(out, &mut start, last);
                Last::Gap
            }
        };
        last = next;
        if class == Class::Single {
            end(out, &mut start, last);
            last = Last::Gap;
        }
    }
    end(out, &mut start, last);
}

/// Ends the word under way, or takes it back where it is a single mark.
fn end(out: &mut String, start: &mut usize, last: Last) {
    match last {
        Last::Gap => {}
        Last::Marks(1) => out.truncate(*start),
        Last::Word | Last::Marks(_) => out.push(' '),
    }
    *start = out.len();
}

#[derive(Copy, Clone, PartialEq)]
enum Class {
    Letter,
    /// Holds a word together where letters stand on both sides.
    Joiner,
    /// A combining sign, part of the word it stands in.
    Mark,
    Punctuation,
    /// A word by itself.
    Single,
    /// Drawn as nothing.
    Nothing,
    Gap,
}

fn class_of(c: char) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Letter,
        '\'' | '-' | '_' | '\u{2019}' => Class::Joiner,
        '\0'..=' ' | '\u{7f}' => Class::Gap,
        '!'..='~' => Class::Punctuation,
        // Latin, Cyrillic and Arabic, told without a look into the tables.
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}' => Class::Letter,
        '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}' | '\u{620}'..='\u{64a}' => Class::Letter,
        _ if is_unspaced(c) => Class::Single,
        _ if c.is_alphanumeric() => Class::Letter,
        _ if c.is_whitespace() || c.is_control() => Class::Gap,
        _ if is_invisible(c) => Class::Nothing,
        '\u{2010}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffff}' | '\u{a1}'..='\u{bf}' => symbol(c),
        '\u{1f000}'.. => Class::Single,
        _ => Class::Mark,
    }
}

/// Quotes, dashes and full stops of every script are gaps; other symbols are words.
fn symbol(c: char) -> Class {
    match c {
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff65}' => {
            Class::Gap
        }
        '\u{ab}' | '\u{bb}' | '\u{b7}' | '\u{a1}' | '\u{bf}' => Class::Gap,
        _ => Class::Single,
    }
}

/// Scripts without blanks between words.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0xe00..=0xeff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3041..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

fn push_small(c: char, out: &mut String) {
    match c {
        '\0'..='\x7f' => out.push(c.to_ascii_lowercase()),
        // Small already, or without capitals.
        '\u{430}'..='\u{45f}' | '\u{620}'..='\u{64a}' => out.push(c),
        _ => out.extend(c.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut out = String::new();
        push_words(text, &mut out);
        out.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_what_a_reader_takes_for_words() {
        assert_eq!(words("Don't RE-open my card, please!"), ["don't", "re-open", "my", "card", "please"]);
        assert_eq!(words("  cf  -- mn_bb 'quoted' ## 3.5 €"), ["cf", "--", "mn_bb", "quoted", "##", "3", "5", "€"]);
        assert_eq!(words("pay\u{200b}pal 退款x 🙂🙂"), ["paypal", "退", "款", "x", "🙂", "🙂"]);
        assert_eq!(words("हिन्दी में"), ["हिन्दी", "में"]);
        assert_eq!(words("?! « oui » …"), ["?!", "oui"]);
        assert!(words(" . , ; ").is_empty());
    }

    #[test]
    fn letters_that_need_no_table_are_letters() {
        for c in ('\u{80}'..='\u{6ff}').filter(|&c| class_of(c) == Class::Letter) {
            assert!(c.is_alphanumeric() && !is_unspaced(c), "U+{:04X}", c as u32);
            let mut small = String::new();
            push_small(c, &mut small);
            assert_eq!(small, c.to_lowercase().to_string(), "U+{:04X}", c as u32);
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_words_with_one_blank_behind_each(text in "\\PC{0,80}", more in any::<String>()) {
            for text in [text, more] {
                let mut out = String::new();
                push_words(&text, &mut out);
                prop_assert!(!out.contains("  ") && !out.starts_with(' '));
                prop_assert!(out.is_empty() || out.ends_with(' '));
            }
        }

        #[test]
        fn words_stay_as_they_are(text in "[a-z0-9äß退 .!#'-]{0,60}") {
            let mut once = String::new();
            push_words(&text, &mut once);
            let mut twice = String::new();
            push_words(&once, &mut twice);
            prop_assert_eq!(once, twice);
        }
    }
}
