use super::*;
use proptest::prelude::*;

fn data() -> Layers {
    Layers::of(Kind::Text, false)
}

fn peeled(layers: Layers, text: &str) -> (String, Vec<(Writing, String)>) {
    let mut out = Peeled::default();
    layers.peel(text.as_bytes(), &mut out);
    let pieces = out.pieces.iter().map(|p| (p.layer, text[p.from.clone()].to_owned())).collect();
    (String::from_utf8(out.text).expect("characters are written whole"), pieces)
}

#[test]
fn entities_are_read_in_every_form_and_through_an_escaped_ampersand() {
    for form in [
        "&#8203;",
        "&#x200b;",
        "&#X200B;",
        "&#8203",
        "&ZeroWidthSpace;",
        "&amp;#x200B;",
        "&amp;ZeroWidthSpace;",
        "&#38;#8203;",
        "&NegativeThinSpace;",
    ] {
        let (text, pieces) = peeled(data(), &format!("a{form}b"));
        assert_eq!(text, "a\u{200B}b", "{form}");
        assert_eq!(pieces, [(Writing::Entity, form.to_owned())]);
    }
    for form in ["&zerowidthspace;", "&amp;amp;#8203;", "&#150;", "&#xD800;", "&#;", "&#x110000;", "&zwj", "& zwj;"] {
        assert!(peeled(data(), form).1.is_empty(), "{form}");
    }
    assert_eq!(peeled(data(), "co&shyop&shy;x").0, "co\u{AD}op\u{AD}x");
}

#[test]
fn percent_encoding_is_read_where_its_bytes_are_a_character() {
    assert_eq!(peeled(data(), "a%E2%80%8Bb%f3%a0%81%81").0, "a\u{200B}b\u{E0041}");
    for text in ["100%", "%E2%80", "%E2%28%A1", "%20", "%ED%A0%80", "%C0%80"] {
        assert!(peeled(data(), text).1.is_empty(), "{text}");
    }
}

#[test]
fn escapes_that_are_left_are_read_and_escaped_backslashes_are_not() {
    for form in [r"\u200b", r"\u{200b}", r"\U0000200B"] {
        assert_eq!(peeled(data(), form).0, "\u{200B}", "{form}");
    }
    assert_eq!(peeled(data(), r"\udb40\udc41").0, "\u{E0041}");
    assert!(peeled(data(), r"\\u200b").1.is_empty());
    assert_eq!(peeled(data(), r"\033[8m \x1b]8 \e[0m").1.len(), 3);
    assert!(peeled(data(), r"\e and \033 alone").1.is_empty());
}

#[test]
fn yaml_escapes_only_in_double_quotes() {
    let yaml = Layers::of(Kind::Yaml, false);
    assert_eq!(peeled(yaml, r#"text: "pay\u200bpal""#).1[0].0, Writing::Configuration);
    assert_eq!(peeled(yaml, r"text: 'pay\u200bpal'").1[0].0, Writing::Code);
    assert_eq!(peeled(yaml, r#"a: "x", b: \u200b"#).1[0].0, Writing::Code);
}

#[test]
fn the_openings_of_a_file_are_where_something_hides() {
    let at = |text: &str, json| data().openings(text.as_bytes(), json).collect::<Vec<_>>();
    assert_eq!(at("a &#39; &amp; 5% &zwj; %20 %E2%80%8B", false), [17, 27]);
    assert_eq!(at(r#"{"a": "\\u200b \u0026zwj; \n \\n"}"#, true), [7, 15]);
    assert_eq!(at(r"\u200b \n", false), [0]);
    assert!(Layers::of(Kind::Notebook, true).openings(b"&zwj; \\u200b", false).next().is_none());
}

proptest! {
    #[test]
    fn every_range_leads_back_to_what_it_came_from(text in "([a-z ]{0,3}|&#x200b;|&amp;zwnj;|%E2%80%8B|\\\\u200d|&#|&#xa|&#97;|%E2|ü){0,9}") {
        let mut out = Peeled::default();
        data().peel(text.as_bytes(), &mut out);
        let mut rebuilt = Vec::new();
        for (at, c) in String::from_utf8(out.text.clone()).expect("whole characters").char_indices() {
            let range = at..at + c.len_utf8();
            let source = out.source(&range);
            prop_assert!(source.start == rebuilt.len(), "{source:?}");
            rebuilt.extend_from_slice(&text.as_bytes()[source.clone()]);
            // A numeric entity stands for any character, a line end too.
                let is_decoded = source.len() != range.len() || text.as_bytes()[source.clone()] != out.text[range.clone()];
                prop_assert_eq!(out.layer(&range).is_some(), is_decoded);
        }
        prop_assert_eq!(rebuilt, text.as_bytes());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), json: bool) {
        let mut out = Peeled::default();
        for kind in [Kind::Text, Kind::Yaml, Kind::Code] {
            let layers = Layers::of(kind, true);
            layers.peel(&bytes, &mut out);
            prop_assert!(layers.openings(&bytes, json).is_sorted());
            let _ = out.source(&(0..out.text.len()));
        }
    }
}
