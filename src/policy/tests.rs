use bstr::ByteSlice;
use proptest::prelude::*;

use super::*;
use crate::lens::{Role, Standing};
use crate::rule::{Confidence, Layer, Manual};

const MANUAL: Manual = Manual { what: "", why: "", bad: &[], good: &[], fix: "", misses: "" };

const fn rule(id: &'static str) -> Rule {
    Rule {
        id,
        revision: 1,
        severity: Severity::Error,
        confidence: Confidence::High,
        layer: Layer::Anomalies,
        gates: true,
        summary: "",
        manual: MANUAL,
        tags: &[],
    }
}

pub(crate) static RULES: [Rule; 4] =
    [rule("invisible-unicode"), rule("label-flip"), rule("maintainer-risk"), rule("unpinned-reference")];

/// Four rules of three checks: `maintainer-risk` belongs to the check of `label-flip`.
pub(crate) fn known() -> Vec<Known> {
    let settings = ["invisible-unicode", "label-flip", "label-flip", "unpinned-reference"];
    RULES.iter().zip(settings).map(|(rule, settings)| Known { rule, settings }).collect()
}

pub(crate) fn day() -> Date {
    jiff::civil::date(2026, 11, 23)
}

pub(crate) fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse("foretaste.yaml", text, day(), &known())
}

/// The example of the documentation, with every top-level key.
pub(crate) const EXAMPLE: &str = include_str!("example.yaml");

/// Policies that keep some of the blocks of the example.
pub(crate) fn part_of_the_example() -> impl Strategy<Value = String> {
    let mut blocks: Vec<String> = vec![String::new()];
    for line in EXAMPLE.lines() {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            blocks.push(String::new());
        }
        blocks.last_mut().expect("there is always one").push_str(&format!("{line}\n"));
    }
    prop::collection::vec(any::<bool>(), blocks.len()).prop_filter_map("names must exist", move |keep| {
        let kept = blocks.iter().zip(&keep).filter(|(block, keep)| **keep || block.starts_with("version"));
        let text: String = kept.map(|(block, _)| block.as_str()).collect();
        parse(&text).is_ok().then_some(text)
    })
}

/// Takes `«` and `»` out of a text and says what stood between them.
fn marked(text: &str) -> (String, Option<Span>) {
    let Some(start) = text.find('«') else { return (text.to_owned(), None) };
    let end = text.find('»').expect("a mark is closed") - '«'.len_utf8();
    (text.replace(['«', '»'], ""), Some(Span::new(start as u64, end as u64)))
}

fn refused(text: &str, message: &str, help: &str) {
    let (text, span) = marked(text);
    let error = parse(&text).map(drop).expect_err(&format!("must be refused: {text}"));
    assert_eq!(error.message, message, "in {text}");
    let given = error.help.clone().unwrap_or_default();
    assert!(given.starts_with(help) && given.is_empty() == help.is_empty(), "help of {text}: {given:?}");
    let shown = |span: Option<Span>| span.map(|s| s.of(text.as_bytes()).to_str_lossy().into_owned());
    assert_eq!(error.span, span, "place in {text}: {:?}, wanted {:?}", shown(error.span), shown(span));
}

#[test]
fn an_unknown_key_is_shown_where_it_stands_with_the_nearest_known_one() {
    refused(
        "version: 1\n«dataset»:\n  a: {files: x}\n",
        "unknown key `dataset`",
        "did you mean `datasets`? known here: `version`",
    );
    refused("version: 1\ndatasets:\n  a:\n    «file»: x\n", "unknown key `file`", "did you mean `files`?");
    refused("version: 1\ndatasets: {a: {files: x, «lable»: y}}\n", "unknown key `lable`", "did you mean `label`?");
    refused("version: 1\n«zebra»: 1\n", "unknown key `zebra`", "known here: `version`");
    refused("version: 1\nsources:\n  s: {match: {«huh»: x}}\n", "unknown key `huh`", "did you mean `hub`?");
    refused("version: 1\nrequire: {«signature»: 1}\n", "unknown key `signature`", "did you mean `signatures`?");
    refused("version: 1\nlimits:\n  «blobs»: 1\n", "unknown key `blobs`", "did you mean `blob`?");
    refused("version: 1\ndatasets: {ä: {files: x, «ö»: y}}\n", "unknown key `ö`", "known here");
    refused("\u{feff}version: 1\r\n«sorces»:\r\n", "unknown key `sorces`", "did you mean `sources`?");
}

#[test]
fn a_wrong_value_is_explained_at_its_place() {
    refused(
        "version: 1\nrequire: {signatures: «two»}\n",
        "`signatures` takes a whole number from 0; here is `two`",
        "",
    );
    refused(
        "version: 1\nrequire: {signatures: «\"2\"»}\n",
        "`signatures` takes a whole number from 0; here is `2`",
        "take the quotes away",
    );
    refused("version: 1\nrequire: {signatures: «-1»}\n", "`signatures` takes a whole number from 0; here is `-1`", "");
    refused(
        "version: 1\nrequire: {signatures: «5000000000»}\n",
        "`signatures` takes a whole number from 0 to 4294967295; here is integer `5000000000`",
        "",
    );
    refused("version: 1\ndatasets: «[a, b]»\n", "`datasets` takes a block of names; here is a list", "");
    refused("version: 1\ndatasets:\n  a: «data/*.csv»\n", "`a` takes a block of keys; here is `data/*.csv`", "");
    refused(
        "version: 1\ndatasets:\n  a: {files: «{x: y}»}\n",
        "`files` takes a word or a list of words; here is a block of keys",
        "",
    );
    refused(
        "version: 1\ndatasets:\n  a: {files: x, role: «[trian]»}\n".replace("«[", "[«").replace("]»", "»]").as_str(),
        "`role` cannot be `trian`",
        "did you mean `train`?",
    );
    refused("version: 1\nexceptions: «none»\n", "`exceptions` takes a list; here is `none`", "write it as a list");
    refused(
        "version: 1\nrequire: {exclude_author: «maybe»}\n",
        "`exclude_author` takes true or false; here is `maybe`",
        "",
    );
    refused(
        "version: 1\nlimits: {blob: «1 parsec»}\n",
        "`blob` takes a number of bytes such as 1048576 or 1 MiB; here is `1 parsec`",
        "",
    );
    refused("version: 1\nlimits: {depth: «4000»}\n", "`depth` lies between 1 and 128", "");
    refused("version: 1\nlanguages: [en, «English»]\n", "`English` is no code of a language", "write codes");
}

#[test]
fn a_duplicate_key_is_refused_where_it_comes_again() {
    refused(
        "version: 1\nrules: {}\nsources: {}\n«rules»: {}\n",
        "the key `rules` is written twice",
        "it stands on line 2 already",
    );
    refused(
        "version: 1\ndatasets:\n  a: {files: x}\n  «a»: {files: y}\n",
        "the key `a` is written twice",
        "it stands on line 3 already",
    );
    refused("version: 1\nkeys: {a: 1, «a»: 2}\n", "the key `a` is written twice", "it stands on line 2 already");
}

#[test]
fn a_missing_key_is_said_at_the_thing_that_lacks_it() {
    refused("version: 1\ndatasets:\n  a:\n    «text: x»\n", "the key `files` is missing", "");
    refused("version: 1\ndatasets:\n  a: «{text: x}»\n", "the key `files` is missing", "");
    refused("version: 1\ndatasets:\n  «a»: {files: []}\n", "the dataset `a` names no files", "write `files:");
    refused("«datasets»:\n  a: {files: x}\n", "the key `version` is missing", "write `version: 1`");
    refused("«verison»: 1\n", "the key `version` is missing", "write `version: 1`");
    refused("version: «2»\n", "`version` is 1 in every policy so far; here is `2`", "write `version: 1`");
    refused("«version»:\n", "`version` is 1 in every policy so far; here is nothing", "write `version: 1`");
    refused("«»", "nothing is written in this file", "begin with `version: 1`");
    refused("«»# only a comment\n", "nothing is written in this file", "begin with `version: 1`");
    refused("- «a»\n", "a policy is a block of keys; here is a list", "begin with");
    refused("«hello»\n", "a policy is a block of keys; here is `hello`", "begin with");
}

#[test]
fn yaml_that_cannot_be_read_is_shown_where_it_breaks() {
    for text in [
        "version: 1\nrules: {a: [}\n",
        "version: 1\n\tx: 1\n",
        "version: \"1\n",
        "a: b: c\n",
        "\0",
        "version: 1\n---\nversion: 1\n",
        "&a version: 1\n",
        "version: *a\n",
        "version: !!int 1\n",
        "? [a]\n: b\n",
    ] {
        let error = parse(text).map(drop).expect_err(text);
        let span = error.span.expect("a place");
        assert!(span.end <= text.len() as u64, "{text:?}");
        assert!(!error.message.is_empty());
    }
    refused(
        "version: 1
languages: &x «[»en]
",
        "anchors and aliases are not read here",
        "write the value out",
    );
}

#[test]
fn globs_dates_and_keys_are_checked() {
    refused(
        "version: 1\ndatasets: {a: {files: [«\"data/[\"»]}}\n",
        "`data/[` is no glob: unclosed character class; missing ']'",
        "",
    );
    refused("version: 1\nexclude: [«/tmp»]\n", "`/tmp` begins with `/`", "write paths from the top");
    refused(
        "version: 1\nsources:\n  s: {match: {url: «example.org/x»}}\n",
        "`example.org/x` is no URL",
        "write scheme",
    );
    refused(
        "version: 1\nsources:\n  s: {match: {url: «\"https://me@example.org/\"»}}\n",
        "`https://me@example.org/` carries a user name",
        "write scheme",
    );
    refused(
        "version: 1\nsources:\n  s: {match: {s3: «acme/cur»}}\n",
        "`acme/cur` is no bucket and prefix that ends at a `/`",
        "write `bucket/prefix/`",
    );
    refused(
        "version: 1\nsources:\n  s: {match: {hub: «rajpurkar/squad»}}\n",
        "`rajpurkar/squad` names no hub",
        "write `huggingface:rajpurkar/squad`",
    );
    refused(
        "version: 1\nsources:\n  s: {match: {hub: «\"huggingface:*/squad\"»}}\n",
        "`huggingface:*/squad` allows organisations that anybody can register",
        "name the organisation",
    );
    refused(
        "version: 1\nsources:\n  s: {match: «{hub: \"huggingface:a/b\", url: \"https://x/\"}»}\n",
        "a source matches by exactly one of `path`, `hub`, `url`, `git`, `s3`",
        "give each",
    );
    refused(
        "version: 1\nsources:\n  s: {match: {path: x}, reviewed: «2026-02-30»}\n",
        "`reviewed` takes a day of the calendar, written 2026-10-01; here is `2026-02-30`",
        "",
    );
    refused(
        "version: 1\nsources:\n  s: {match: {path: x}, reviewed: «1.10.2026»}\n",
        "`reviewed` takes a day of the calendar, written 2026-10-01; here is `1.10.2026`",
        "",
    );
    refused(
        "version: 1\nsources:\n  s: {match: {path: x}, reviewed: 2026-02-03, expires: «2025-02-03»}\n",
        "the review expires before the day of the review",
        "",
    );
    refused(
        "version: 1\nkeys:\n  k: {minisign: «RWQx», principal: a}\n",
        "`RWQx` is no minisign public key: that has 56 characters and begins with `RW`; here are 4",
        "copy the second line",
    );
    refused("version: 1\nkeys:\n  «k»: {principal: a}\n", "the key `k` needs one of `minisign`, `ssh` and `ecdsa`", "");
    refused(
        "version: 1\ndatasets: {a: {files: x, source: «squat»}}\nsources: {squad: {match: {path: x}}}\n",
        "there is no source `squat`",
        "did you mean `squad`?",
    );
    refused(
        "version: 1\ndatasets: {a: {files: x, text: t, label: «t»}}\n",
        "the field `t` is given two roles",
        "a field is one of",
    );
}

#[test]
fn rules_are_known_by_id_and_their_severity_is_understood() {
    refused("version: 1\nrules:\n  «lable-flip»: {}\n", "there is no rule `lable-flip`", "did you mean `label-flip`?");
    refused(
        "version: 1\nrules:\n  label-flip: {severity: «eror»}\n",
        "`severity` takes error, warning, note or \"off\"; here is `eror`",
        "did you mean `error`?",
    );
    refused(
        "version: 1\nrules:\n  label-flip: «warn»\n",
        "`label-flip` takes error, warning, note or \"off\"; here is `warn`",
        "did you mean `warning`?",
    );
    refused(
        "version: 1\nrules:\n  label-flip: {severity: «false»}\n",
        "`severity` takes error, warning, note or \"off\"; here is `false`",
        "write severity: \"off\"",
    );
    refused(
        "version: 1\nrules:\n  label-flip: «[error]»\n",
        "`label-flip` takes a severity or a block; here is a list",
        "",
    );
    refused(
        "version: 1\nrules:\n  maintainer-risk: {«window»: 3}\n",
        "unknown key `window`",
        "settings of `maintainer-risk` are written under `label-flip`",
    );
    for off in ["off", "\"off\"", "'off'"] {
        let policy =
            parse(&format!("version: 1\nrules: {{label-flip: {{severity: {off}}}, invisible-unicode: {off}}}\n"))
                .unwrap();
        assert_eq!(policy.severity(&RULES[1]), Some(None));
        assert_eq!(policy.severity(&RULES[0]), Some(None));
        assert_eq!(policy.severity(&RULES[2]), None);
    }
}

#[test]
fn an_exception_says_what_why_who_and_until_when() {
    let with = |rest: &str| format!("version: 1\nexceptions:\n  - {rest}\n");
    let full = "rule: label-flip, count: 3, reason: r, owner: o, until: 2027-01-01";
    assert!(parse(&with(&format!("{{{full}}}"))).is_ok());
    for key in ["rule: label-flip", "reason: r", "owner: o", "until: 2027-01-01"] {
        let less = full.replace(key, "").replace(", ,", ",");
        let less = less.trim_matches([',', ' ']);
        let name = key.split(':').next().unwrap();
        refused(&with(&format!("«{{{less}}}»")), &format!("the key `{name}` is missing"), "");
    }
    refused(
        &with("{rule: label-flip, count: 3, reason: «\" \"», owner: o, until: 2027-01-01}"),
        "the reason of this exception is empty",
        "say why",
    );
    refused(
        &with("{rule: «label-flap», count: 3, reason: r, owner: o, until: 2027-01-01}"),
        "there is no rule `label-flap`",
        "did you mean `label-flip`?",
    );
    refused(
        &with("{rule: label-flip, files: «data/**», reason: r, owner: o, until: 2027-01-01}"),
        "this would excuse whatever the rule finds under `data/**`",
        "say what is accepted",
    );
    refused(
        &with("{rule: «label-flip», reason: r, owner: o, until: 2027-01-01}"),
        "this would excuse everything that `label-flip` finds",
        "say what is accepted",
    );
    refused(
        &with("{rule: label-flip, code_points: [«XYZ»], reason: r, owner: o, until: 2027-01-01}"),
        "`XYZ` is no code point",
        "write it in",
    );
    refused(
        &with("{rule: label-flip, code_points: [«110000»], reason: r, owner: o, until: 2027-01-01}"),
        "`110000` is no code point",
        "write it in",
    );
    refused(
        &with("{rule: label-flip, fingerprint: «abc», reason: r, owner: o, until: 2027-01-01}"),
        "`abc` is no fingerprint",
        "copy the 32",
    );
    refused(
        &with("{rule: label-flip, «path»: x, reason: r, owner: o, until: 2027-01-01}"),
        "unknown key `path`",
        "known here",
    );
}

#[test]
fn code_points_are_what_was_typed_whatever_yaml_makes_of_it() {
    let policy = parse("version: 1\nexceptions:\n  - {rule: label-flip, code_points: [200C, 2060, 2E80, 0020, \"U+E0001\", u+ad], reason: r, owner: o, until: 2027-01-01}\n").unwrap();
    assert_eq!(policy.exceptions[0].code_points, [0x20, 0xad, 0x200c, 0x2060, 0x2e80, 0xe0001]);
}

#[derive(Debug, Default, serde::Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    window: u32,
    share: f64,
    kinds: Vec<String>,
    mode: Mode,
}

#[derive(Debug, Default, serde::Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    Quick,
    Thorough,
}

#[test]
fn settings_of_a_rule_are_read_and_a_wrong_one_is_shown_as_exactly() {
    let read = |text: &str| parse(text).unwrap().settings::<Settings>("label-flip");
    let policy =
        "version: 1\nrules:\n  label-flip: {severity: note, window: 3, share: 0.5, kinds: [a], mode: thorough}\n";
    let expected = Settings { window: 3, share: 0.5, kinds: vec!["a".to_owned()], mode: Mode::Thorough };
    assert_eq!(read(policy).unwrap(), expected);
    assert_eq!(read("version: 1\n").unwrap(), Settings::default());
    assert_eq!(read("version: 1\nrules: {label-flip: off}\n").unwrap(), Settings::default());

    for (text, message) in [
        ("version: 1\nrules:\n  label-flip:\n    severity: note\n    «windw»: 3\n", "unknown key `windw`"),
        ("version: 1\nrules:\n  label-flip: {window: «x»}\n", "`window` takes a whole number from 0; here is `x`"),
        ("version: 1\nrules:\n  label-flip: {mode: «slow»}\n", "`mode` cannot be `slow`"),
        ("version: 1\nrules:\n  label-flip: {kinds: «a»}\n", "`kinds` takes a list; here is `a`"),
    ] {
        let (text, span) = marked(text);
        let error = read(&text).unwrap_err();
        assert_eq!((error.message.as_str(), error.span), (message, span), "{text}");
        assert_eq!(&*error.text, text);
    }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Careless {
    window: u32,
}

#[test]
fn a_check_that_forgot_to_deny_unknown_keys_still_drops_none_in_silence() {
    let policy = parse("version: 1\nrules: {label-flip: {window: 2, widnow: 3}}\n").unwrap();
    let error = policy.settings::<Careless>("label-flip").unwrap_err();
    assert_eq!(error.message, "`widnow` is no key that is known here");
    assert_eq!(
        parse("version: 1\nrules: {label-flip: {window: 2}}\n")
            .unwrap()
            .settings::<Careless>("label-flip")
            .unwrap()
            .window,
        2
    );
}

#[test]
fn the_documented_example_comes_to_what_it_says() {
    let policy = parse(EXAMPLE).unwrap();
    assert_eq!(policy.datasets.len(), 2);
    assert_eq!(policy.sources.len(), 4);
    assert_eq!(policy.keys.len(), 1);
    assert_eq!(policy.exceptions[0].code_points, [0x200c]);
    assert_eq!(policy.require.signatures, 1);
    assert!(policy.excludes("vendor/x/y.csv".into()) && !policy.excludes("data/x.csv".into()));
    assert_eq!(policy.limits.blob, 512 << 20);
    assert_eq!(policy.notes, ["`people` in the policy: recorded, not judged yet"]);
    assert_eq!(policy.place(&["datasets", "intents", "label"]).unwrap().of(EXAMPLE.as_bytes()), b"label");
    assert_eq!(policy.place(&["datasets", "intents", "nothing"]).unwrap().of(EXAMPLE.as_bytes()), b"intents");
}

#[test]
fn a_lens_tells_dataset_roles_null_values_and_use() {
    let policy = parse(EXAMPLE).unwrap();
    let lens = policy.lens("data/intents/train.jsonl".into());
    assert_eq!(lens.dataset.as_deref(), Some("intents"));
    let fields = &lens.roles.as_ref().unwrap().fields;
    assert!(fields.contains(&("text".to_owned(), Role::Text)) && fields.contains(&("intent".to_owned(), Role::Label)));
    assert_eq!(
        (lens.null, lens.standing, lens.split),
        (vec![String::new(), "unlabelled".to_owned()], Standing::Training, Some("train"))
    );
    let lens = policy.lens("docs/faq/page.md".into());
    assert_eq!((lens.dataset.as_deref(), lens.retrieval, lens.roles), (Some("faq"), true, None));
    let lens = policy.lens("src/main.py".into());
    assert_eq!((lens.dataset, lens.null, lens.standing), (None, vec![String::new()], Standing::Code));
}

#[test]
fn the_key_null_is_a_word_with_and_without_quotes() {
    for key in ["null", "\"null\"", "'null'"] {
        let policy = parse(&format!("version: 1\ndatasets: {{a: {{files: x, {key}: [none]}}}}\n")).unwrap();
        assert_eq!(policy.datasets[0].null, ["none"]);
    }
}

#[test]
fn the_built_in_policy_allows_and_excuses_nothing() {
    let policy = Policy::builtin(day());
    assert_eq!(policy.origin.from, "builtin");
    assert!(policy.exceptions.is_empty() && policy.sources.is_empty() && policy.excluded.is_empty());
    assert!(!policy.excludes("a".into()) && policy.severity(&RULES[0]).is_none());
    assert_eq!(policy.settings::<Settings>("label-flip").unwrap(), Settings::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_makes_the_parser_panic_and_every_place_lies_in_the_text(text in any_text()) {
        if let Err(error) = parse(&text)
            && let Some(span) = error.span
        {
            prop_assert!(span.start <= span.end && span.end <= text.len() as u64);
            prop_assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize));
        }
    }

    #[test]
    fn a_key_that_nothing_knows_is_refused_wherever_it_is_written(at in 0usize..200, key in "zz[a-z]{1,6}") {
        // Puts a line into the example before a line that begins a key at the same depth.
        let lines: Vec<&str> = EXAMPLE.lines().collect();
        let places: Vec<usize> = (0..lines.len()).filter(|i| {
            let line = lines[*i].trim_start();
            line.starts_with(|c: char| c.is_ascii_alphabetic()) && line.contains(':')
        }).collect();
        let place = places[at % places.len()];
        let indent = lines[place].len() - lines[place].trim_start().len();
        let mut changed: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        changed.insert(place, format!("{}{key}: [1", " ".repeat(indent)) + "]");
        let text = changed.join("\n");
        let error = parse(&text)
            .and_then(|policy| RULES.iter().try_for_each(|rule| policy.settings::<Nothing>(rule.id).map(drop)))
            .expect_err("an unknown key");
        let line = text[..error.span.unwrap().start as usize].matches('\n').count();
        prop_assert_eq!(line, place, "{}", error.message);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(
        prop_oneof![
            any::<char>().prop_map(String::from),
            prop::sample::select(vec![
                "version: 1\n",
                "datasets:\n",
                "  a: ",
                "{files: x}\n",
                "- ",
                "\n",
                "  ",
                "\t",
                "[",
                "]",
                "{",
                "}",
                ":",
                "\"",
                "'",
                "|\n",
                ">\n",
                "&a ",
                "*a",
                "!!str ",
                "<<: ",
                "? ",
                "#",
                "rules:\n",
                "exceptions:\n",
                "---\n",
                "...\n",
                "%YAML 1.2\n",
                "\r\n",
                "\u{feff}",
                "\u{2028}",
            ])
            .prop_map(String::from),
        ],
        0..24,
    );
    prop_oneof![
        parts.prop_map(|parts| parts.concat()),
        (0..EXAMPLE.len(), any::<char>()).prop_map(|(at, c)| {
            let at = (0..=at).rev().find(|i| EXAMPLE.is_char_boundary(*i)).unwrap_or(0);
            let mut text = EXAMPLE.to_owned();
            text.insert(at, c);
            text
        }),
        (0..EXAMPLE.len()).prop_map(|at| EXAMPLE.chars().take(at).collect()),
    ]
}
