//! Every class, in every container and behind every layer.

use super::*;

/// One honest carrier of each class of the catalogue: a text that must be found. `None` where the class is not looked
/// for yet.
const CATALOGUE: [(&str, Option<&str>); 41] = [
    ("U01", Some("pay\u{200B}pal")),
    ("U02", Some("pay\u{200C}pal")),
    ("U03", Some("pay\u{2060}pal")),
    ("U04", Some("pay\u{FEFF}pal")),
    ("U05", Some("pay\u{202E}lap\u{202C}")),
    ("U06", Some("pay\u{2067}pal")),
    ("U07", Some("pay\u{200F}pal")),
    ("U08", Some("hi\u{E0048}\u{E0069}")),
    ("U09", Some("hi\u{E0158}\u{E0159}\u{E0155}\u{E0164}")),
    ("U10", Some("pay\u{FE01}pal")),
    ("U11", Some("pay\u{3164}pal")),
    ("U12", Some("pay\u{180E}pal")),
    ("U13", Some("p\u{AD}a\u{AD}y\u{AD}p\u{AD}a\u{AD}l")),
    ("U14", Some("pay\u{34F}pal")),
    ("U15", Some("pay\u{2063}pal")),
    ("U16", Some("pay\u{E0080}pal")),
    ("U17", Some("\u{FFF9}pay\u{FFFA}pal\u{FFFB}")),
    ("U18", Some("pay\u{206B}pal")),
    ("U19", Some("pay\u{1D173}pal")),
    ("U20", Some("pay\u{17B4}pal")),
    ("U21", Some("pay\u{2800}pal")),
    ("U22", Some("pay\u{2003}pal")),
    ("U23", Some("pay\u{2028}pal")),
    ("U24", Some("pay\u{1B}[8mpal")),
    ("U25", Some("pay\u{8}\u{8}\u{8}pal")),
    ("U26", Some("pay \u{9B}8mpal")),
    ("U27", Some("pay\u{E000}pal")),
    ("U28", Some("pay\u{FFFE}pal")),
    ("U29", Some("p\u{300}\u{301}\u{302}ay")),
    ("U30", None), // homoglyphs and mixed scripts: `mixed-script` speaks of them
    ("U31", None), // styled letters: likewise
    ("U32", None), // normalisation variants: likewise
    ("U33", None), // malformed UTF-8: `unreadable-data` speaks of it
    ("U34", None), // lone surrogates: `unreadable-data` speaks of them
    ("U35", None), // the escaped form of any class: the second half of the test below
    ("U36", Some("pay&amp;ZeroWidthSpace;pal")),
    ("U37", Some("pay%E2%80%8Bpal")),
    ("U38", None), // UTF-16 and UTF-32: taken off before this check sees the text
    ("U39", None), // hidden markup: `hidden-markup` speaks of it
    ("U40", None), // visible format characters: never wrong
    ("U41", Some("pay\u{FFFC}pal")),
];

#[test]
fn every_class_is_found_raw_and_escaped_in_every_container() {
    for (class, text) in CATALOGUE {
        let Some(text) = text else {
            assert!(Class::ALL.iter().all(|c| c.id() != class), "{class} has no fixture");
            continue;
        };
        let control = text.contains(|c: char| c < ' ');
        // A JSON string holds no raw control character.
        let mut files = vec![
            File::json(&[("text", &escaped(text))]),
            File::csv(&[text]),
            File::columnar(&[text]),
            File::lines(&[text]),
        ];
        if !control {
            files.push(File::json(&[("text", text)]));
        }
        for file in files {
            let found = file.check(ALL, &Fresh::All);
            assert_eq!(found.len(), 1, "{class} in {:?}: {found:?}", file.kind);
            assert_eq!(evidence(&found[0], "class"), class, "{:?}", file.kind);
            assert!(!found[0].evidence["code_points"].as_array().expect("a list").is_empty());
            assert!(!found[0].help.is_empty() && found[0].message.len() > 20);
        }
    }
}

#[test]
fn a_place_covers_the_hidden_run_and_nothing_else() {
    let raw = File::json(&[("text", "pay\u{200B}\u{2060}pal")]);
    assert_eq!(raw.covered(&raw.found()[0]), "\u{200B}\u{2060}".as_bytes());
    let short = File::json(&[("text", r"a \n pay\u200b\u2060pal \u00e9")]);
    assert_eq!(short.covered(&short.found()[0]), br"\u200b\u2060");
    let pairs = File::json(&[("text", r"\ud83d\ude00 \udb40\udc48\udb40\udc69 \ud83d\ude00")]);
    let found = pairs.found();
    assert_eq!(pairs.covered(&found[0]), br"\udb40\udc48\udb40\udc69");
    assert_eq!(evidence(&found[0], "decoded"), "Hi");
    assert_eq!(found[0].evidence["escaped"], json!(1));
    let quoted = File::csv(&["she said \"pay\u{200B}pal\" twice"]);
    assert_eq!(quoted.covered(&quoted.found()[0]), "\u{200B}".as_bytes());
}

#[test]
fn what_layers_hide_is_placed_on_what_is_written() {
    let tags = "x&#xE0048;&#xE0069;&#xE0021;&#xE0021; &amp;#8203;";
    let file = File::json(&[("text", tags)]);
    let found = file.found();
    assert_eq!(found.len(), 1, "a zero-width space as an entity is only worth knowing: {found:?}");
    assert_eq!(found[0].severity, Severity::Error);
    assert_eq!(evidence(&found[0], "decoded"), "Hi!!");
    assert_eq!((evidence(&found[0], "class"), evidence(&found[0], "of_class")), ("U36", "U08"));
    assert_eq!(file.covered(&found[0]), "&#xE0048;&#xE0069;&#xE0021;&#xE0021;".as_bytes());
    assert!(found[0].marks[0].note.as_deref().is_some_and(|note| note.ends_with(", written as an HTML entity")));
    let go = File::json(&[("text", r#"a \u0026 \n \u0026#x200B; \"quoted\" %f3%a0%81%88%f3%a0%81%a9"#)]);
    let found = go.check(ALL, &Fresh::All);
    let mut covered: Vec<_> = found.iter().map(|f| go.covered(f)).collect();
    covered.sort_unstable();
    assert_eq!(covered, [br"%f3%a0%81%88%f3%a0%81%a9".as_slice(), br"\u0026#x200B;"]);
    let twice = File::json(&[("text", r"a \\u200b b")]);
    let found = twice.found();
    assert_eq!(evidence(&found[0], "layer"), "escaped-twice");
    assert_eq!((found[0].severity, twice.covered(&found[0])), (Severity::Note, br"\\u200b".as_slice()));
}

#[test]
fn honest_text_behind_layers_is_silent() {
    for honest in [
        "&#1606;&#1605;&#1740;&#8204;&#1582;&#1608;&#1575;&#1607;&#1605;",
        "%D9%86%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8%A7%D9%87%D9%85",
        "Tom &amp; Jerry &#39;100%&#39; &nbsp; &lt;b&gt; C:\\new\\users \\d+ \\e",
        "&#x1F469;&#x200D;&#x1F4BB; &#10084;&#65039;",
    ] {
        assert!(File::csv(&[honest]).found().is_empty(), "{honest}");
    }
}

#[test]
fn what_translators_leave_beside_spaces_is_a_note_and_inside_words_a_warning() {
    for (text, severity) in [
        ("බිකම් කරනවා \u{200B}, බලාගෙන", Severity::Note),
        ("केलेला \u{200B}\u{200B}केक", Severity::Note),
        ("👍 \u{200C}+1, गजब", Severity::Note),
        ("करनवा\u{200B}बला", Severity::Note),
        ("plain \u{200B}words", Severity::Warning),
        ("गजब pay\u{200C}pal", Severity::Warning),
        ("गजब pay\u{200B}pal", Severity::Warning),
    ] {
        let found = File::json(&[("text", text)]).found();
        assert_eq!(found.iter().map(|f| f.severity).collect::<Vec<_>>(), [severity], "{}", text.escape_unicode());
    }
}

#[test]
fn the_lines_around_say_what_language_a_document_is_in() {
    let one = |file: &File| -> Vec<Severity> { file.found().iter().map(|f| f.severity).collect() };
    for (line, khmer, latin) in [
        ("(\u{200B}KC)", Severity::Note, Severity::Warning),
        ("AFP\u{200B}\u{200B}", Severity::Note, Severity::Warning),
        ("\u{200C}", Severity::Note, Severity::Warning),
        ("a blue crab\u{FEFF}).", Severity::Note, Severity::Warning),
        ("pay\u{200B}pal", Severity::Warning, Severity::Warning),
        ("hi\u{E0041}", Severity::Error, Severity::Error),
    ] {
        assert_eq!(one(&File::lines(&["ខ្ញុំចង់ទៅ", line])), [khmer], "{}", line.escape_unicode());
        assert_eq!(one(&File::lines(&["plain words", line])), [latin], "{}", line.escape_unicode());
        let khmer_row = escaped("ខ្ញុំចង់ទៅ");
        assert_eq!(one(&File::json(&[("text", &khmer_row), ("text", &escaped(line))])), [khmer]);
        let strict = Modes { strict: true, ..QUIET };
        let found = File::lines(&["ខ្ញុំចង់ទៅ", line]).check(strict, &Fresh::All);
        assert_eq!(found.iter().map(|f| f.severity).collect::<Vec<_>>(), [latin]);
        let english = Modes { lenient: Groups::NONE, ..QUIET };
        let found = File::lines(&["ខ្ញុំចង់ទៅ", line]).check(english, &Fresh::All);
        assert_eq!(found.iter().map(|f| f.severity).collect::<Vec<_>>(), [latin]);
    }
    // Who writes from right to left begins lines with an embedding and never closes it.
    assert_eq!(one(&File::lines(&["مرحبا", "\u{202B}{}th"])), [Severity::Note]);
    assert_eq!(one(&File::lines(&["ខ្ញុំចង់ទៅ", "\u{202B}{}th"])), [Severity::Error]);
}

#[test]
fn piles_of_marks_are_one_occurrence_with_the_text_below() {
    let file = File::json(&[("text", r"say p\u0300\u0301\u0302a\u0316\u031b\u035cy now")]);
    let found = file.found();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(found[0].marks[0].note.as_deref().is_some_and(|note| note.ends_with(", on \"pa\"")), "{found:?}");
    assert_eq!(file.covered(&found[0]), br"p\u0300\u0301\u0302a\u0316\u031b\u035c");
}
