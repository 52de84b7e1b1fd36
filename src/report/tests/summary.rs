//! The page that a run of CI leaves.

use insta::assert_snapshot;

use super::super::sample::Sample;
use super::super::*;

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
