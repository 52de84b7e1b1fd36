//! What is hidden in text comes back out of it: the schemes that need the text around them.

use super::*;

fn found(text: &str) -> Vec<Occurrence> {
    scan_with(Modes::default(), text.as_bytes())
}

/// What all occurrences of a scheme spell, one after the other.
fn told(text: &str, scheme: &str) -> String {
    let payloads = found(text).into_iter().filter_map(|found| found.payload);
    payloads.filter(|payload| payload.scheme == scheme).map(|payload| payload.text).collect()
}

fn interleaved(cover: &str, hidden: &[char]) -> String {
    let mut hidden = hidden.iter();
    let mut text = String::new();
    for c in cover.chars().cycle().take(hidden.len() * 2) {
        text.push(c);
        match hidden.next() {
            Some(c) => text.push(*c),
            None => break,
        }
    }
    text
}

proptest! {
    #[test]
    fn s9_is_one_occurrence_that_spells_nothing(word in "[a-z]{3,40}", kind in 0..3_usize) {
        let hidden = ['\u{200B}', '\u{200C}', '\u{200D}'][kind];
        let text: String = word.chars().flat_map(|c| [hidden, c]).skip(1).collect();
        let found = found(&text);
        prop_assert_eq!(found.len(), 1, "{:?}", found);
        prop_assert_eq!(found[0].characters as usize, word.len() - 1);
        prop_assert!(found[0].payload.as_ref().is_none_or(|payload| payload.text.is_empty()));
    }

    #[test]
    fn s10_is_shown_as_it_is_stored_and_as_it_is_seen(a in "[a-z]{1,12}", b in "[a-z]{1,12}", x in "[a-z]{0,9}") {
        prop_assume!(a != b);
        let swap = format!("{x}\u{202D}\u{2066}\u{202E}\u{2066}{a}\u{2069}\u{2066}{b}\u{2069}\u{202C}\u{2069}\u{202C}");
        prop_assume!(format!("{a}{b}") != format!("{b}{a}"));
        let found = found(&swap);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!((found[0].level, found[0].finding), (Level::Error, "nested-direction-controls"));
        let payload = found[0].payload.as_ref().expect("it is seen otherwise than it is stored");
        prop_assert_eq!(&payload.base, &format!("{x}{a}{b}"));
        prop_assert_eq!(&payload.text, &format!("{x}{b}{a}"));
        let turned: String = a.chars().rev().collect();
        prop_assume!(turned != a);
        prop_assert_eq!(told(&format!("{x}\u{202E}{a}\u{202C}"), "S10"), format!("{x}{turned}"));
    }

    #[test]
    fn s11_gives_back_what_is_taken_back(word in "[a-zA-Z0-9 ]{1,60}", eraser in 0..2_usize, at_once: bool) {
        let eraser = ['\u{8}', '\u{7F}'][eraser];
        let text: String = match at_once {
            true => word.chars().chain(std::iter::repeat_n(eraser, word.len())).collect(),
            false => word.chars().flat_map(|c| [c, eraser]).collect(),
        };
        prop_assert_eq!(told(&format!("pay{text}pal"), "S11"), word);
    }

    #[test]
    fn s12_gives_back_what_is_concealed_and_where_a_link_leads(text in "[ -~]{1,80}", ends: bool, short: bool) {
        let end = if ends { "\u{1B}[0m" } else { "\u{1B}[28m" };
        let (csi, osc) = if short { ("\u{9B}", "\u{9D}") } else { ("\u{1B}[", "\u{1B}]") };
        prop_assert_eq!(told(&format!("a {csi}8m{text}{end} b"), "S12"), text.clone());
        let target = format!("https://example.org/{}", text.replace([' ', ';', '\\'], ""));
        prop_assert_eq!(told(&format!("a {osc}8;;{target}\u{7}here{osc}8;;\u{7} b"), "S12"), target);
    }

    #[test]
    fn annotation_gives_back_what_it_hides_and_over_what(base in "[a-z ]{1,30}", hidden in "[a-z ]{1,30}") {
        let found = found(&format!("x \u{FFF9}{base}\u{FFFA}{hidden}\u{FFFB} y"));
        prop_assert_eq!(found.len(), 1);
        let payload = found[0].payload.as_ref().expect("hidden text");
        prop_assert_eq!((&payload.text, &payload.base), (&hidden, &base));
    }

    #[test]
    fn what_is_spread_over_a_text_comes_back_whole(text in "[a-z]{3,9}( [a-z]{3,9}){1,3}") {
        let tags: Vec<char> = text.chars().filter_map(|c| char::from_u32(0xE0000 + u32::from(c))).collect();
        prop_assert_eq!(told(&interleaved("plain words ", &tags), "S1"), text.clone());
        let selectors: Vec<char> = text.bytes().filter_map(|b| char::from_u32(0xE0100 + u32::from(b) - 16)).collect();
        prop_assert_eq!(told(&interleaved("plain words ", &selectors), "S2"), text);
    }
}

#[test]
fn spaces_of_two_kinds_that_spell_words_are_a_channel() {
    let spaced = |odd: char, plain: char| -> String {
        let bits = b"obey".iter().flat_map(|&b| (0..8).rev().map(move |n| b >> n & 1 == 1));
        bits.flat_map(|bit| ['x', if bit { odd } else { plain }]).collect()
    };
    let modes = Modes { info: true, ..Modes::default() };
    for (odd, plain) in [('\u{A0}', ' '), ('\u{2009}', '\u{3000}'), ('\u{2003}', '\u{A0}')] {
        let found = scan_with(modes, spaced(odd, plain).as_bytes());
        let channel = found.iter().find(|o| o.finding == "space-channel").expect("a channel");
        assert_eq!((channel.class.id(), channel.level), ("U22", Level::Warn));
        assert_eq!(channel.payload.as_ref().map(|p| (p.scheme, p.text.as_str())), Some(("S8", "obey")));
    }
    let french = "Qu\u{2019}est-ce\u{A0}? Rien\u{A0}! Et vous\u{A0}: bien\u{A0}; merci. ".repeat(20);
    assert!(scan_with(modes, french.as_bytes()).iter().all(|o| o.level == Level::Info));
}
