//! The ASCII words of a file, which others may look like.

use std::hash::{BuildHasher, BuildHasherDefault};

use rustc_hash::{FxHashMap, FxHasher};

use super::words::LONGEST;

/// Bytes of a file that are read for its words: half of them at its start, half in the middle.
const READ: usize = 4 << 20;
/// Words of one file that are counted.
const WORDS: usize = 1 << 18;
/// So many words with phonetic letters, and one of so many words, make a file of transcriptions.
const PHONETIC: u64 = 100;
const PHONETIC_SHARE: u64 = 50;

/// How often the ASCII words of a file stand in it, by what they look like.
#[derive(Debug, Default)]
pub(super) struct Words {
    counts: FxHashMap<u64, u32>,
    /// All words, and those with phonetic letters.
    all: u64,
    phonetic: u64,
}

impl Words {
    /// Counts the words of a text; of a long one, those of a part.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut words = Self::default();
        if text.len() <= READ {
            words.read(text);
        } else {
            words.read(&text[..READ / 2]);
            let middle = text.len() / 2;
            words.read(&text[middle..(middle + READ / 2).min(text.len())]);
        }
        words
    }

    fn read(&mut self, text: &[u8]) {
        let mut word = String::new();
        let mut at = 0;
        while at < text.len() {
            let start = match text[at..].iter().position(u8::is_ascii_alphanumeric) {
                Some(n) => at + n,
                None => return,
            };
            // The letter of an escape such as `\n` is none of the word behind it.
            let start = start + usize::from(start > 0 && text[start - 1] == b'\\');
            let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'\'' || *b >= 0x80;
            let end = text[start..].iter().position(|b| !part(b)).map_or(text.len(), |n| start + n);
            at = end.max(start);
            let bytes = &text[start..at];
            self.all += 1;
            self.phonetic += u64::from(bytes.windows(2).any(is_phonetic));
            // A word with other letters in it is another word, also where those stand in front.
            if bytes.is_empty() || bytes.len() > LONGEST || !bytes.is_ascii() || start > 0 && text[start - 1] >= 0x80 {
                continue;
            }
            word.clear();
            // As `skeleton` would write it.
            for &b in bytes {
                match b {
                    b'm' => word.push_str("rn"),
                    b'I' | b'1' | b'|' => word.push('l'),
                    b'0' => word.push('o'),
                    b => word.push(char::from(b.to_ascii_lowercase())),
                }
            }
            let key = key(&word);
            if self.counts.len() < WORDS || self.counts.contains_key(&key) {
                let count = self.counts.entry(key).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// Whether the file is one of transcriptions, in which phonetic letters are what is meant.
    pub(super) fn are_phonetic(&self) -> bool {
        self.phonetic >= PHONETIC && self.phonetic * PHONETIC_SHARE >= self.all
    }

    /// How often a word stands in the file that looks like this.
    pub(super) fn count(&self, skeleton: &str) -> u32 {
        self.counts.get(&key(skeleton)).copied().unwrap_or(0)
    }
}

/// Whether two bytes are a letter of U+0250 to U+02AF.
fn is_phonetic(pair: &[u8]) -> bool {
    matches!(pair, &[0xC9, low] if low >= 0x90) || matches!(pair, &[0xCA, low] if low < 0xB0)
}

fn key(word: &str) -> u64 {
    BuildHasherDefault::<FxHasher>::default().hash_one(word)
}
