//! What holds for all forms.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::escape::is_hidden;
use super::escape::tests::nasty;
use super::sample::{RULES, Sample};
use super::*;
use crate::finding::{Mark, Unread};
use crate::span::{BlobId, Span};

fn human(sample: &Sample, options: &Options) -> String {
    sample.written(Format::Human, options)
}

#[test]
#[cfg(feature = "cli")]
fn people_see_the_row_the_hidden_character_and_the_way_out() {
    assert_snapshot!(human(&Sample::small(), &Options::default()), @r##"
foretaste judged main..topic, 2 commits; policy foretaste.yaml of base 1a2b3c4d1a2b
guessed data/train.jsonl: classification table (text = text, label = label), 9 of 9 records
note: There is no lock yet, so digest-mismatch is off.

data/train.jsonl:2:30 error[invisible-unicode] 4 records hold U+200B ZERO WIDTH SPACE inside of a word
   ╭─[data/train.jsonl:2:30]
 2 │ {"id": 2, "text": "please can<U+200B>cel order 2", "label": "cancel"}
   ·                              ────┬───
   ·                                  ╰── U+200B between two letters
   ╰────
  also data/train.jsonl:4:30  {"id": 4, "text": "please can<U+200B>cel order 4", "label": "cancel"}
  also data/train.jsonl:6:30  {"id": 6, "text": "please can<U+200B>cel order 6", "label": "cancel"}
  also data/train.jsonl:8:30  {"id": 8, "text": "please can<U+200B>cel order 8", "label": "cancel"}
  and 100 more places
  help: Remove the character, or accept it where the writing system needs it.
  to accept it: foretaste accept 1918026ab5f4cab96ba6069fbfdf0efd --reason "…"

data/eval.parquet:1:1 warning[label-flip] "cancel" became "refund" in 1 record
  record 4,097, field label: was "cancel"
  to accept it: foretaste accept dfab99c364685d38e98390bb13bb0004 --reason "…"

not read:
  data/big.bin: lfs object missing

2 findings (1 error, 1 warning) in 2 files; 2 files, 1.2 MB, 3,409 records looked at; 1 file that no reader knows as data; 1 not read; level info was not looked for (--show-info)
what a rule means and what to do: `foretaste explain invisible-unicode`
"##);
}

#[test]
#[cfg(feature = "cli")]
fn without_unicode_the_drawing_is_ascii() {
    let options = Options { unicode: false, ..Options::default() };
    let text = human(&Sample::small(), &options);
    let drawing: String = text.lines().skip(5).take(5).collect::<Vec<_>>().join("\n");
    assert_snapshot!(drawing, @r##"
  ,-[data/train.jsonl:2:30]
2 | {"id": 2, "text": "please can<U+200B>cel order 2", "label": "cancel"}
  :                              ^^^^|^^^
  :                                  `-- U+200B between two letters
  `----
"##);
}

#[test]
fn quiet_is_a_line_a_finding_and_silence_where_all_is_well() {
    let options = Options { quiet: true, ..Options::default() };
    assert_snapshot!(human(&Sample::small(), &options), @r##"
data/train.jsonl:2:30 error[invisible-unicode] 4 records hold U+200B ZERO WIDTH SPACE inside of a word
data/eval.parquet:1:1 warning[label-flip] "cancel" became "refund" in 1 record
not read:
  data/big.bin: lfs object missing
2 findings (1 error, 1 warning) in 2 files; 2 files, 1.2 MB, 3,409 records looked at; 1 file that no reader knows as data; 1 not read; level info was not looked for (--show-info)
"##);
    assert_eq!(human(&Sample::default(), &options), "");
}

#[test]
fn an_empty_scope_is_said_in_one_line() {
    let mut sample = Sample::default();
    sample.looked_at.no_reader = 3;
    assert_eq!(
        human(&sample, &Options::default()).lines().last(),
        Some("nothing to judge: 3 files, none of them data")
    );
    sample.looked_at.files = 1;
    let text = human(&sample, &Options::default());
    assert!(
        text.lines().last().is_some_and(|line| line.starts_with("no findings; 1 file, 0 bytes looked at")),
        "{text}"
    );
}

#[test]
fn colours_are_ours_alone_and_hidden_characters_stand_in_reverse() {
    let options = Options { colour: true, ..Options::default() };
    let text = human(&Sample::small(), &options);
    assert!(text.contains("can\u{1b}[7m<U+200B>\u{1b}[27mcel"), "{text:?}");
    let plain = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern").replace_all(&text, "").into_owned();
    assert_eq!(plain, human(&Sample::small(), &Options::default()));
}

#[test]
#[cfg(feature = "cli")]
fn a_policy_error_points_at_its_place() {
    let text = "version: 1\ndatsets: {}\n";
    let error = crate::policy::PolicyError {
        message: "unknown key `datsets`".into(),
        help: Some("did you mean `datasets`?".into()),
        file: "foretaste.yaml".into(),
        text: text.into(),
        span: Some(Span::new(11, 18)),
    };
    assert_snapshot!(policy_error(&error, false), @r##"
foretaste.yaml:2:1 error: unknown key `datsets`
   ╭─[foretaste.yaml:2:1]
 2 │ datsets: {}
   · ───────
   ╰────
  help: did you mean `datasets`?
"##);
}

#[test]
fn json_keeps_the_contract() {
    assert_snapshot!(Sample::small().written(Format::Json, &Options::default()), @r##"
{
  "schema": "foretaste/1",
  "findings": [
    {
      "rule": "invisible-unicode",
      "severity": "error",
      "confidence": "high",
      "message": "4 records hold U+200B ZERO WIDTH SPACE inside of a word",
      "help": "Remove the character, or accept it where the writing system needs it.",
      "places": [
        {
          "path": "data/train.jsonl",
          "line": 2,
          "column": 30,
          "byte_start": 91,
          "byte_end": 94,
          "record": 2,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 2,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 2, \"text\": \"please can<U+200B>cel order 2\", \"label\": \"cancel\"}"
        },
        {
          "path": "data/train.jsonl",
          "line": 4,
          "column": 30,
          "byte_start": 218,
          "byte_end": 221,
          "record": 4,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 4,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 4, \"text\": \"please can<U+200B>cel order 4\", \"label\": \"cancel\"}"
        },
        {
          "path": "data/train.jsonl",
          "line": 6,
          "column": 30,
          "byte_start": 345,
          "byte_end": 348,
          "record": 6,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 6,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 6, \"text\": \"please can<U+200B>cel order 6\", \"label\": \"cancel\"}"
        },
        {
          "path": "data/train.jsonl",
          "line": 8,
          "column": 30,
          "byte_start": 472,
          "byte_end": 475,
          "record": 8,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 8,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 8, \"text\": \"please can<U+200B>cel order 8\", \"label\": \"cancel\"}"
        }
      ],
      "evidence": {
        "code_points": [
          "U+200B"
        ],
        "decoded": "p\u200bwn"
      },
      "fingerprint": "1918026ab5f4cab96ba6069fbfdf0efd",
      "total": 104,
      "gates": true,
      "layer": 4,
      "tags": [
        "OWASP LLM04:2025",
        "MITRE ATLAS AML.T0020"
      ]
    },
    {
      "rule": "label-flip",
      "severity": "warning",
      "confidence": "medium",
      "message": "\"cancel\" became \"refund\" in 1 record",
      "help": "",
      "places": [
        {
          "path": "data/eval.parquet",
          "line": 1,
          "column": 1,
          "byte_start": 0,
          "byte_end": 0,
          "record": 4097,
          "field": "label",
          "note": "was \"cancel\"",
          "end_line": 1,
          "end_column": 1,
          "fingerprint": "1fd62a07fec15082350b254083f7862e"
        }
      ],
      "evidence": {},
      "fingerprint": "dfab99c364685d38e98390bb13bb0004",
      "total": 1,
      "gates": true,
      "layer": 4,
      "tags": []
    }
  ],
  "unread": [
    {
      "path": "data/big.bin",
      "reason": "lfs object missing"
    }
  ],
  "looked_at": {
    "files": 2,
    "bytes": 1260000,
    "records": 3409,
    "references": 0,
    "commits": 0,
    "no_reader": 1,
    "excluded": 0,
    "ignored": 0
  },
  "policy": {
    "from": "base",
    "path": "foretaste.yaml",
    "commit": "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
  },
  "scope": "main..topic, 2 commits",
  "exit_code": 1,
  "accepted": 0,
  "not_shown": 0,
  "guesses": [
    {
      "path": "data/train.jsonl",
      "shape": "classification table",
      "fields": [
        {
          "field": "text",
          "role": "text"
        },
        {
          "field": "label",
          "role": "label"
        }
      ],
      "matched": 9,
      "sampled": 9
    }
  ],
  "notes": [
    "There is no lock yet, so digest-mismatch is off."
  ],
  "redacted": false,
  "tool": {
    "name": "foretaste",
    "version": "0.1.0"
  }
}
"##);
}

#[test]
fn json_keeps_its_published_schema() {
    let schema = include_str!("../../fixtures/schema/foretaste-1.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let redacted = Options { redact: Some(Redact::new([1; 32])), ..Options::default() };
    for (sample, options) in [
        (Sample::default(), Options::default()),
        (Sample::small(), Options::default()),
        (Sample::small(), redacted),
        (hostile(&[b"\xff\x1b".to_vec()]), Options::default()),
    ] {
        let mut value: Value = serde_json::from_str(&sample.written(Format::Json, &options)).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        value["looked_at"]["records"] = json!("many");
        assert!(!validator.is_valid(&value), "the schema says no to what is wrong");
    }
}

#[test]
fn sarif_lists_rules_places_and_what_was_not_read() {
    let text = Sample::small().written(Format::Sarif, &Options::default());
    let mut log: Value = serde_json::from_str(&text).expect("JSON");
    let run = &mut log["runs"][0];
    let driver = run["tool"]["driver"].take();
    let rules = driver["rules"].as_array().expect("rules");
    for result in run["results"].as_array_mut().expect("results") {
        // Which number a rule has changes with every rule that is added.
        let index = result["ruleIndex"].take().as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    for rule in crate::check::rules() {
        assert!(rules.iter().any(|listed| listed["id"] == rule.id), "{} is not listed", rule.id);
    }
    // Every entry of a framework that a rule names stands in that framework's taxonomy.
    let taxonomies = run.as_object_mut().and_then(|run| run.remove("taxonomies")).expect("taxonomies");
    let related = rules.iter().flat_map(|rule| rule["relationships"].as_array().into_iter().flatten());
    let related: Vec<_> = related.map(|relationship| &relationship["target"]).collect();
    assert!(!related.is_empty());
    for target in related {
        let named = |taxonomy: &&Value| taxonomy["name"] == target["toolComponent"]["name"];
        let taxonomy = taxonomies.as_array().and_then(|list| list.iter().find(named)).expect("its taxonomy");
        let taxa = taxonomy["taxa"].as_array().expect("taxa");
        assert!(taxa.iter().any(|taxon| taxon["id"] == target["id"]), "{target}");
    }
    run["results"][0]["locations"].as_array_mut().expect("locations").truncate(1);
    let mut text = Vec::new();
    super::escape::ascii_json(run, &mut text).expect("writing to memory");
    assert_snapshot!(String::from_utf8_lossy(&text), @r##"
{
  "automationDetails": {
    "id": "foretaste/check/"
  },
  "columnKind": "unicodeCodePoints",
  "invocations": [
    {
      "executionSuccessful": false,
      "exitCode": 1,
      "toolExecutionNotifications": [
        {
          "descriptor": {
            "id": "unread"
          },
          "level": "error",
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "data/big.bin",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 1
                }
              }
            }
          ],
          "message": {
            "text": "Not read: lfs object missing."
          }
        },
        {
          "descriptor": {
            "id": "note"
          },
          "level": "note",
          "message": {
            "text": "There is no lock yet, so digest-mismatch is off."
          }
        }
      ]
    }
  ],
  "originalUriBaseIds": {
    "%SRCROOT%": {
      "description": {
        "text": "The root of the repository."
      }
    }
  },
  "properties": {
    "lookedAt": {
      "bytes": 1260000,
      "commits": 0,
      "excluded": 0,
      "files": 2,
      "ignored": 0,
      "no_reader": 1,
      "records": 3409,
      "references": 0
    },
    "policy": {
      "commit": "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d",
      "from": "base",
      "path": "foretaste.yaml"
    },
    "redacted": false,
    "scope": "main..topic, 2 commits"
  },
  "results": [
    {
      "kind": "fail",
      "level": "error",
      "locations": [
        {
          "logicalLocations": [
            {
              "fullyQualifiedName": "data/train.jsonl#/row/2/text",
              "kind": "element",
              "name": "text"
            }
          ],
          "message": {
            "text": "U+200B between two letters"
          },
          "physicalLocation": {
            "artifactLocation": {
              "uri": "data/train.jsonl",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "byteLength": 3,
              "byteOffset": 91,
              "endColumn": 31,
              "endLine": 2,
              "startColumn": 30,
              "startLine": 2
            }
          }
        }
      ],
      "message": {
        "text": "4 records hold U+200B ZERO WIDTH SPACE inside of a word."
      },
      "occurrenceCount": 104,
      "partialFingerprints": {
        "foretasteRecord/v1": "1918026ab5f4cab96ba6069fbfdf0efd"
      },
      "properties": {
        "confidence": "high",
        "evidence": {
          "code_points": [
            "U+200B"
          ],
          "decoded": "p\u200bwn"
        }
      },
      "rank": 90,
      "ruleId": "invisible-unicode",
      "ruleIndex": null
    },
    {
      "kind": "fail",
      "level": "warning",
      "locations": [
        {
          "logicalLocations": [
            {
              "fullyQualifiedName": "data/eval.parquet#/row/4097/label",
              "kind": "element",
              "name": "label"
            }
          ],
          "message": {
            "text": "was \"cancel\""
          },
          "physicalLocation": {
            "artifactLocation": {
              "uri": "data/eval.parquet",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "startLine": 1
            }
          }
        }
      ],
      "message": {
        "text": "\"cancel\" became \"refund\" in 1 record. First place: record 4,097, field label: was \"cancel\"."
      },
      "occurrenceCount": 1,
      "partialFingerprints": {
        "foretasteRecord/v1": "dfab99c364685d38e98390bb13bb0004"
      },
      "properties": {
        "confidence": "medium",
        "evidence": {}
      },
      "rank": 60,
      "ruleId": "label-flip",
      "ruleIndex": null
    }
  ],
  "tool": {
    "driver": null
  }
}
"##);
}

#[test]
fn sarif_keeps_its_limits_and_says_so() {
    let mut sample = Sample::small();
    let note = Finding::new(&RULES[1], "c", "m");
    sample.findings.resize(5003, note);
    sample.unread.resize(1001, sample.unread[0].clone());
    let log: Value = serde_json::from_str(&sample.written(Format::Sarif, &Options::default())).expect("JSON");
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().map(Vec::len), Some(5000));
    let notifications = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notifications.contains("3 more findings left out"), "{}", &notifications[notifications.len() - 900..]);
    assert!(notifications.contains("1 more file could not be read"));
}

#[test]
fn github_sees_at_most_ten_of_a_kind_and_is_told_of_more() {
    assert_snapshot!(Sample::small().written(Format::Github, &Options::default()), @r##"
::error file=data/train.jsonl,line=2,col=30,endColumn=30,title=foretaste%3A invisible-unicode::4 records hold U+200B ZERO WIDTH SPACE inside of a word%0Adata/train.jsonl:2:30 U+200B between two letters and 103 more%0ARemove the character, or accept it where the writing system needs it.
::warning file=data/eval.parquet,line=1,title=foretaste%3A label-flip::"cancel" became "refund" in 1 record%0Adata/eval.parquet:1:1 record 4,097, field label: was "cancel"
::warning title=foretaste%3A not read::Not read: data/big.bin (lfs object missing)
foretaste: 2 findings (1 error, 1 warning) in 2 files; 2 files, 1.2 MB, 3,409 records looked at; 1 file that no reader knows as data; 1 not read
"##);
    let mut sample = Sample::small();
    let (error, warning) = (sample.findings[0].clone(), sample.findings[1].clone());
    sample.findings = [vec![error; 12], vec![warning; 12]].concat();
    let text = sample.written(Format::Github, &Options::default());
    let of = |kind| text.lines().filter(|line| line.starts_with(kind)).collect::<Vec<_>>();
    assert_eq!((of("::error ").len(), of("::warning ").len()), (10, 10));
    assert!(of("::error ")[9].contains("2 more of this severity"), "{text}");
    assert!(of("::warning ")[8].contains("3 more of this severity"), "{text}");
}

#[test]
fn github_gets_no_file_that_it_could_not_find() {
    let mut sample = Sample::small();
    sample.files[0].0 = "data/a,b:c%\u{202e}.jsonl".into();
    let text = sample.written(Format::Github, &Options::default());
    let first = text.lines().next().expect("a line");
    assert!(first.starts_with("::error title=") && first.contains("a,b:c%25<U+202E>.jsonl:2:30"), "{first}");
    sample.files[0].0 = "data/a,b:c%.jsonl".into();
    let text = sample.written(Format::Github, &Options::default());
    assert!(text.starts_with("::error file=data/a%2Cb%3Ac%25.jsonl,line=2,"), "{text}");
}

#[test]
fn markdown_tells_the_verdict_the_findings_and_the_changes() {
    assert_snapshot!(Sample::small().written(Format::Markdown, &Options::default()), @r##"
## foretaste: ❌ 1 error, 1 warning

Judged main..topic, 2 commits; policy foretaste.yaml of base 1a2b3c4d1a2b.

> There is no lock yet, so digest-mismatch is off.

### Findings

| | Rule | Where | What |
|---|---|---|---|
| ❌ error | `invisible-unicode` | `data/train.jsonl:2:30` and 103 more | 4 records hold U+200B ZERO WIDTH SPACE inside of a word |
| ⚠ warning | `label-flip` | `data/eval.parquet:1:1` | "cancel" became "refund" in 1 record |

<details><summary>invisible-unicode: places and help</summary>

- `data/train.jsonl:2:30` U+200B between two letters `{"id": 2, "text": "please can<U+200B>cel order 2", "label": "cancel"}`
- `data/train.jsonl:4:30` U+200B between two letters `{"id": 4, "text": "please can<U+200B>cel order 4", "label": "cancel"}`
- `data/train.jsonl:6:30` U+200B between two letters `{"id": 6, "text": "please can<U+200B>cel order 6", "label": "cancel"}`
- `data/train.jsonl:8:30` U+200B between two letters `{"id": 8, "text": "please can<U+200B>cel order 8", "label": "cancel"}`
- and 100 more places

Remove the character, or accept it where the writing system needs it.

To accept it: `foretaste accept 1918026ab5f4cab96ba6069fbfdf0efd --reason "…"`

</details>

<details><summary>label-flip: places and help</summary>

- `data/eval.parquet:1:1` record 4,097, field label: was "cancel"

To accept it: `foretaste accept dfab99c364685d38e98390bb13bb0004 --reason "…"`

</details>

### What changed in the data

| Data | Rows added | Removed | Changed | Moved |
|---|---|---|---|---|
| `intents` | 1,200 | 3 | 1 | 0 |

Labels that changed:

| Data | From | To | Kind | Rows |
|---|---|---|---|---|
| `intents` | `cancel` | `refund` | flip | 3, 2 of them edited |

Classes that grew or shrank:

| Data | Class | Before | After |
|---|---|---|---|
| `intents` | `refund` | 800 | 1,998 |
| `intents` | `cancel` | 4,000 | 3,999 |

Replaced as a whole, so no label changes are told of them:

- `data/old.csv`

Sources that the change names:

- `huggingface:rajpurkar/squad`

### Not read

| File | Why |
|---|---|
| `data/big.bin` | lfs object missing |

---
2 findings (1 error, 1 warning) in 2 files; 2 files, 1.2 MB, 3,409 records looked at; 1 file that no reader knows as data; 1 not read
"##);
}

#[test]
fn markdown_of_a_clean_change_still_tells_what_changed() {
    let sample = Sample { findings: Vec::new(), unread: Vec::new(), ..Sample::small() };
    let text = sample.written(Format::Markdown, &Options::default());
    assert!(text.starts_with("## foretaste: ✅ no findings"), "{text}");
    assert!(text.contains("| `intents` | 1,200 | 3 | 1 | 0 |") && text.contains("| `cancel` | `refund` |"), "{text}");
}

#[test]
fn markdown_stays_below_the_limit_of_a_step_summary() {
    let mut sample = Sample::small();
    let mut finding = sample.findings[0].clone();
    finding.message = "@#".repeat(4000);
    sample.findings = vec![finding; 300];
    let long = Unread { path: "p/".repeat(4000).into(), reason: "@#".repeat(4000) };
    sample.unread = vec![long; 3000];
    sample.notes = vec!["[".repeat(5000); 3000];
    let text = sample.written(Format::Markdown, &Options::default());
    assert!(text.len() < 900 << 10, "{}", text.len());
    assert!(text.contains("more findings") && text.contains("looked at"));
}

#[test]
fn columns_are_code_points_and_bytes_are_bytes() {
    let mut sample = Sample::default();
    sample.files.push(("ä.txt".into(), "x\näö\u{200B}y\n".into()));
    let mut finding = Finding::new(&RULES[0], "c", "m");
    finding.marks = vec![Mark::bytes(BlobId(0), sample.spans(0, "\u{200B}")[0])];
    sample.findings.push(finding);
    let report = sample.report(&Options::default());
    let spot = &report.findings[0].spots[0];
    assert_eq!((spot.line, spot.column, spot.end_line, spot.end_column), (2, 3, 2, 4));
    assert_eq!((spot.byte_start, spot.byte_end), (6, 9));
}

#[test]
fn lines_are_those_of_the_text_and_bytes_those_of_the_file() {
    let mut sample = Sample::default();
    let utf16 = "\u{FEFF}id\nä\u{200B}b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    sample.files.push(("a.csv".into(), utf16));
    let mut finding = Finding::new(&RULES[0], "c", "m");
    finding.marks = vec![Mark::bytes(BlobId(0), Span::new(10, 12))];
    sample.findings.push(finding);
    let report = sample.report(&Options::default());
    let spot = &report.findings[0].spots[0];
    assert_eq!((spot.line, spot.column, spot.byte_start, spot.byte_end), (2, 2, 10, 12));
    assert!(human(&sample, &Options::default()).contains("ä<U+200B>b"));
}

#[test]
fn a_blob_that_is_gone_keeps_its_offsets() {
    let mut sample = Sample::default();
    let mut finding = Finding::new(&RULES[0], "c", "m");
    finding.marks = vec![Mark::bytes(BlobId(9), Span::new(5, 6))];
    sample.findings.push(finding);
    let report = sample.report(&Options::default());
    let spot = &report.findings[0].spots[0];
    assert_eq!((spot.line, spot.byte_start, spot.has_lines), (1, 5, false));
}

#[test]
fn the_exit_code_follows_its_table() {
    let finding = |rule: usize, severity, level: Option<&str>| {
        let mut finding = Finding { severity, ..Finding::new(&RULES[rule], "c", "m") };
        if let Some(level) = level {
            finding.evidence.insert("level", json!(level));
        }
        finding
    };
    use Severity::{Error, Note, Warning};
    let table: [(&[Finding], bool, bool, Severity, u8); 12] = [
        (&[], false, false, Error, 0),
        (&[finding(0, Error, None)], false, false, Error, 1),
        (&[finding(0, Error, None)], true, true, Error, 1),
        (&[finding(0, Warning, None)], false, false, Error, 0),
        (&[finding(0, Warning, None)], false, false, Warning, 1),
        (&[finding(0, Note, None)], false, false, Warning, 0),
        (&[finding(0, Note, None)], false, false, Note, 1),
        (&[finding(0, Note, Some("info"))], false, false, Note, 0),
        (&[finding(2, Error, None)], false, false, Note, 0),
        (&[finding(2, Error, None)], true, false, Error, 3),
        (&[], true, false, Error, 3),
        (&[], false, true, Error, 3),
    ];
    for (findings, unread, uncovered, fail_on, expected) in table {
        assert_eq!(
            code(findings, unread, uncovered, fail_on),
            expected,
            "{findings:?} {unread} {uncovered} {fail_on:?}"
        );
    }
}

#[test]
fn files_without_a_reader_count_only_where_coverage_is_asked_for() {
    let mut sample = Sample::default();
    sample.looked_at.no_reader = 2;
    assert_eq!(sample.report(&Options::default()).exit_code, 0);
    sample.full_coverage = true;
    assert_eq!(sample.report(&Options::default()).exit_code, 3);
}

#[test]
fn findings_of_level_info_are_shown_on_request() {
    let mut sample = Sample::small();
    sample.findings[1].evidence.insert("level", json!("info"));
    let report = sample.report(&Options::default());
    assert_eq!((report.findings.len(), report.not_shown), (1, 1));
    let options = Options { show_info: true, ..Options::default() };
    assert_eq!(sample.report(&options).findings.len(), 2);
}

#[test]
fn formats_are_asked_for_by_name() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    let error = "xml".parse::<Format>().expect_err("there is no such form");
    assert!(error.contains("\"xml\"") && error.contains("human, json, sarif, github, markdown"), "{error}");
}

/// A sample in which every text is hostile.
fn hostile(texts: &[Vec<u8>]) -> Sample {
    let bytes = |i: usize| texts[i % texts.len()].clone();
    let text = |i: usize| String::from_utf8_lossy(&bytes(i)).into_owned();
    let mut sample = Sample::small();
    sample.files[0] = (bytes(0).into(), bytes(1));
    sample.files[1].0 = bytes(2).into();
    sample.scope = text(3);
    sample.notes = vec![text(4)];
    sample.unread = vec![Unread { path: bytes(5).into(), reason: text(6) }];
    sample.guesses[0].1.fields[0].0 = text(7);
    sample.policy.path = Some(text(8));
    sample.changed.summary.sets[0].name = text(9);
    sample.changed.summary.sets[0].transitions[0].from = Some(text(10));
    sample.changed.summary.sets[0].classes[0].name = Some(text(8));
    sample.changed.summary.sets[0].replaced = vec![text(6)];
    sample.changed.sources = vec![text(11)];
    for finding in &mut sample.findings {
        finding.message = text(9);
        finding.help = text(10);
        finding.evidence.insert("decoded", json!({text(11): [text(0)]}));
        for mark in &mut finding.marks {
            mark.note = Some(text(1));
            mark.field = Some(text(2));
        }
    }
    sample
}

/// Cells of a row of a table: pipes that no backslash escapes.
fn cells(line: &str) -> usize {
    let mut escaped = false;
    line.chars()
        .take(if line.starts_with('|') { usize::MAX } else { 0 })
        .filter(|&c| {
            let pipe = c == '|' && !escaped;
            escaped = c == '\\' && !escaped;
            pipe
        })
        .count()
}

fn is_safe(text: &str, own: &[char]) -> Result<(), String> {
    if let Some(c) = text.chars().find(|&c| is_hidden(c) && c != '\n' && !own.contains(&c)) {
        return Err(format!("U+{:04X} in {text:?}", u32::from(c)));
    }
    for line in text.lines() {
        if line.trim_start().starts_with("::") || line.contains("##[") {
            return Err(format!("a command in {line:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_data_reaches_people_unescaped(
        texts in prop::collection::vec(nasty(), 12..13),
        quiet in any::<bool>(), unicode in any::<bool>(),
    ) {
        let sample = hostile(&texts);
        let options = Options { quiet, unicode, ..Options::default() };
        prop_assert_eq!(is_safe(&human(&sample, &options), &[]), Ok(()));
        prop_assert_eq!(is_safe(&sample.written(Format::Markdown, &options), &[]), Ok(()));
        let options = Options { colour: true, ..options };
        prop_assert_eq!(is_safe(&human(&sample, &options), &['\u{1b}']), Ok(()));
    }

    #[test]
    fn data_breaks_out_of_no_table_and_no_list(texts in prop::collection::vec(nasty(), 12..13)) {
        // The shape of the page is that of harmless data: the same lines with the same cells.
        let shape = |texts: &[Vec<u8>]| {
            let page = hostile(texts).written(Format::Markdown, &Options::default());
            page.lines().map(cells).collect::<Vec<_>>()
        };
        let texts: Vec<Vec<u8>> = texts.into_iter().map(|text| [b"x".as_slice(), &text].concat()).collect();
        prop_assert_eq!(shape(&texts), shape(&vec![b"x".to_vec(); 12]));
    }

    #[test]
    fn only_our_own_commands_reach_a_runner(texts in prop::collection::vec(nasty(), 12..13)) {
        let text = hostile(&texts).written(Format::Github, &Options::default());
        prop_assert!(!text.contains(|c| is_hidden(c) && c != '\n') && !text.contains("##["), "{text:?}");
        let ours = ["::error ", "::warning ", "::notice ", "foretaste: "];
        for line in text.lines() {
            prop_assert!(ours.iter().any(|start| line.starts_with(start)), "{line:?}");
        }
        // Two errors at most: one command for each finding, and one for what was not read.
        prop_assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn json_is_ascii_exact_and_the_same_twice(texts in prop::collection::vec(nasty(), 12..13)) {
        let sample = hostile(&texts);
        for format in [Format::Json, Format::Sarif] {
            let text = sample.written(format, &Options::default());
            prop_assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b) || b == b'\n'));
            prop_assert_eq!(&text, &sample.written(format, &Options::default()));
        }
        let json = sample.written(Format::Json, &Options::default());
        let value: Value = serde_json::from_str(&json).expect("JSON");
        let place = &value["findings"][0]["places"];
        if let (Ok(path), Some(place)) = (std::str::from_utf8(&texts[0]), place.get(0)) {
            prop_assert_eq!(&place["path"], path);
        }
    }

    #[test]
    fn redaction_leaves_no_text_of_the_data(word in "[a-z]{12}") {
        let secret = format!("{word} said it");
        let texts: Vec<Vec<u8>> = (0..12).map(|_| secret.clone().into_bytes()).collect();
        let mut sample = hostile(&texts);
        // Paths, the scope and names of fields stay: they are needed to find anything.
        sample.files[0].0 = "a".into();
        sample.files[1].0 = "b".into();
        sample.scope = "s".into();
        sample.notes.clear();
        sample.unread.clear();
        sample.guesses.clear();
        sample.policy.path = None;
        sample.changed.summary.sets[0].name = "n".into();
        sample.changed.summary.sets[0].replaced.clear();
        sample.changed.sources.clear();
        for mark in sample.findings.iter_mut().flat_map(|finding| &mut finding.marks) {
            mark.field = Some("text".into());
        }
        let options = Options { redact: Some(Redact::new([1; 32])), show_info: true, ..Options::default() };
        let plain = sample.written(Format::Json, &Options::default());
        prop_assert!(plain.contains(&word), "the sample must hold the secret");
        for format in Format::ALL {
            let text = sample.written(format, &options);
            prop_assert!(!text.contains(&word), "{text}");
            for finding in &sample.findings {
                prop_assert!(!text.contains(&finding.fingerprint()), "a plain hash of a row");
            }
        }
    }
}
