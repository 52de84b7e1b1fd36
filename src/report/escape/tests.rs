//! What is shown, and properties of it over texts rich in what could do harm.

use proptest::prelude::*;

use super::*;

/// Texts rich in what could do harm.
pub(crate) fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
        2 => prop::collection::vec(any::<u8>(), 0..4),
        2 => (0_u32..0x300).prop_filter_map("scalar", char::from_u32).prop_map(|c| c.to_string().into_bytes()),
        2 => (0xE0000_u32..0xE0200).prop_filter_map("scalar", char::from_u32).prop_map(|c| c.to_string().into_bytes()),
        2 => (0x2000_u32..0x2070).prop_filter_map("scalar", char::from_u32).prop_map(|c| c.to_string().into_bytes()),
        5 => prop::sample::select(vec![
            "::error::", "##[error]", "##[", "\n", "\r\n", "\n::", " ::set-output name=x::", "\u{1b}]0;t\u{7}", "\u{1b}[2J",
            "<U+200B>", "`", "``", "|", "](http://x)", "<img src=x>", "<!--", "@user", "#12", "%0A", "%", ",", ":",
            "https://x.org", "www.x.org", "$a$", "\u{301}", "e", " ", "\t", "\u{FEFF}", "\u{FFFE}", "\"", "\\",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn shown<T: AsRef<[u8]> + ?Sized>(text: &T) -> String {
    Escaped::new(text).to_string()
}

#[test]
fn hidden_characters_are_drawn() {
    assert_eq!(shown("a\u{200B}b\u{202E}c\u{E0041}d"), "a<U+200B>b<U+202E>c<U+E0041>d");
    assert_eq!(shown("\x1b[2J\x07\u{9b}\u{7f}"), "<U+001B>[2J<U+0007><U+009B><U+007F>");
    assert_eq!(
        shown("x\u{FE0F}\u{3164}\u{FDD0}\u{E000}\u{2028}\u{A0}"),
        "x<U+FE0F><U+3164><U+FDD0><U+E000><U+2028><U+00A0>"
    );
    assert_eq!(shown(b"caf\xe9 \xf0\x9f"), "caf\\xE9 \\xF0\\x9F");
}

#[test]
fn honest_text_stays() {
    let text = "Grüße, 你好, สวัสดี, नमस्ते, e\u{301}, 😀";
    assert_eq!(shown(text), text);
}

#[test]
fn text_cannot_pretend_to_be_drawn() {
    let units: Vec<Unit> = units(b"<U+200B>").collect();
    assert_eq!(draw(&units, true).text, "<U+003C>U+200B>");
    assert_eq!(draw(&units, false).text, "<U+200B>");
}

#[test]
fn stacked_marks_are_cut_and_counted() {
    let text = format!("e{}x", "\u{301}".repeat(20));
    assert_eq!(shown(&text), format!("e{}<+12 marks>x", "\u{301}".repeat(8)));
    assert_eq!(shown("\u{301}x"), "<U+0301>x", "a mark would stand on what is before the text");
}

#[test]
fn runner_commands_are_broken() {
    assert_eq!(shown("  ::error::x"), "  <U+003A>:error::x");
    assert_eq!(shown("std::vec"), "std::vec");
    assert_eq!(shown("a ##[add-mask]x"), "a ##<U+005B>add-mask]x");
}

#[test]
fn code_spans_close_where_they_should() {
    assert_eq!(code_span("a`b", 80, false), "``a`b``");
    assert_eq!(code_span("``", 80, false), "``` `` ```");
    assert_eq!(code_span("a|b", 80, true), "`a\\|b`");
    assert_eq!(code_span("a\\|b", 80, true), "`a\\<U+007C>b`");
    assert_eq!(code_span("", 80, true), "`  `");
}

#[test]
fn prose_has_no_markup() {
    assert_eq!(prose("@user #12 [x](http://y) <b>", 80), r"\@<!-- -->user \#<!-- -->12 \[x\](http\://y) &lt;b&gt;");
}

#[test]
fn addresses_do_not_become_links() {
    assert_eq!(prose("see www.x.org, https://x.org: ok. $a$", 80), r"see www\.x.org, https\://x.org: ok. &#36;a&#36;");
}

#[test]
fn uris_are_made_from_bytes() {
    assert_eq!(uri(b"data/a b\xff#?%.csv"), "data/a%20b%FF%23%3F%25.csv");
}

#[test]
fn a_path_that_is_no_text_has_its_bytes_besides() {
    assert_eq!(json_path(b"a\xff"), ("a\\xFF".into(), Some("61ff".into())));
    assert_eq!(json_path("ä".as_bytes()), ("ä".into(), None));
}

proptest! {
    #[test]
    fn nothing_hidden_passes(bytes in nasty()) {
        for text in [shown(&bytes), prose(&bytes, 80), code_span(&bytes, 80, true)] {
            prop_assert!(!text.contains(is_hidden), "{text:?}");
            prop_assert!(!text.contains("##["), "{text:?}");
        }
        prop_assert!(!shown(&bytes).trim_start().starts_with("::"));
    }

    #[test]
    fn ascii_json_is_ascii_and_exact(text in any::<String>()) {
        let mut out = Vec::new();
        ascii_json(&text, &mut out).expect("writing to memory");
        prop_assert!(out.iter().all(|b| (0x20..0x7f).contains(b) || *b == b'\n'));
        prop_assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), text);
    }
}
