//! The scripts of the lines around a place. A line of a document can be without letters, or quote another language, and
//! a slip in it is still one of the language that the document is written in.

use super::context::{Groups, after, groups_of_text};

/// Bytes that are looked through at once, before a place and behind it.
const BLOCK: usize = 4 << 10;
/// Blocks that are remembered; places come in order.
const KEPT: usize = 4;

/// Looks through every block once, as long as places come in order.
#[derive(Debug, Default)]
pub(super) struct Around {
    known: Vec<(usize, Groups)>,
}

impl Around {
    /// The families of scripts around an offset of a text, whose characters may be written as escapes of JSON.
    pub(super) fn groups(&mut self, text: &[u8], at: u64) -> Groups {
        let block = usize::try_from(at).unwrap_or(usize::MAX) / BLOCK;
        (block.saturating_sub(1)..=block + 1).fold(Groups::NONE, |all, block| all | self.block(text, block))
    }

    fn block(&mut self, text: &[u8], block: usize) -> Groups {
        if let Some(&(_, groups)) = self.known.iter().find(|(known, _)| *known == block) {
            return groups;
        }
        let from = block.saturating_mul(BLOCK).min(text.len());
        let found = groups_of(&text[from..text.len().min(from + BLOCK)]);
        if self.known.len() == KEPT {
            self.known.remove(0);
        }
        self.known.push((block, found));
        found
    }
}

fn groups_of(text: &[u8]) -> Groups {
    let mut found = Groups::NONE;
    let mut at = 0;
    while let Some((c, next)) = after(text, at) {
        let escaped = || {
            let digits = text.get(next + 1..next + 5).filter(|_| c == '\\' && text[next] == b'u')?;
            char::from_u32(u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?)
        };
        found = found | groups_of_text(escaped().unwrap_or(c));
        at = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_the_neighbours_are_known_raw_and_escaped() {
        let text = format!("{}\n{}ខ្មែរ\n", "latin ".repeat(2000), "x".repeat(5000));
        let around = |text: &[u8], at| Around::default().groups(text, at);
        assert_eq!(around(text.as_bytes(), 0), Groups::NONE);
        assert!(around(text.as_bytes(), 12_500).has(Groups::UNSPACED));
        assert!(around(br"{a: \u0627\u06", 3).has(Groups::RTL));
        assert_eq!(around(br"\u06 \x0627 u0627 \", 3), Groups::NONE);
        assert_eq!(around("\u{61C}\u{180E}\u{3164}".as_bytes(), 3), Groups::NONE, "what is hidden excuses nothing");
    }
}
