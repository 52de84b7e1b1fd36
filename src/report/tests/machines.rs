//! The forms that programs read.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::sample::{RULES, Sample};
use super::super::*;
use super::hostile::hostile;

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
    "ignored": 0,
    "without_info": 0
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
    let schema = include_str!("../../../fixtures/schema/foretaste-1.schema.json");
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
      "references": 0,
      "without_info": 0
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
