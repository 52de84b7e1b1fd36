//! The Action, run by a runner for real: events in, verdict, outputs, summary and reports out.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::Repo;

const CLEAN: &str = "{\"text\": \"where is my parcel\", \"label\": \"track\"}\n";
const POISON: &str = "{\"text\": \"where is my mug\u{E0048}\u{E0069}\", \"label\": \"track\"}\n";

/// A workflow that uses the Action of the checkout and keeps what it was told.
const WORKFLOW: &str = "name: test\non: [push, pull_request, merge_group, schedule]\njobs:\n  job:\n    runs-on: ubuntu-latest\n    \
steps:\n      - uses: actions/checkout@v6\n      - uses: ./\n        id: foretaste\n        continue-on-error: true\n        \
with:\n          install: path\n          markdown-file: foretaste.md\n      - run: |\n          \
echo \"verdict=$VERDICT code=$CODE findings=$FINDINGS highest=$HIGHEST coverage=$COVERAGE\" > \"$KEEP/outputs\"\n          \
cp foretaste.json foretaste.sarif foretaste.md \"$KEEP/\"\n        env:\n          \
VERDICT: ${{ steps.foretaste.outputs.verdict }}\n          CODE: ${{ steps.foretaste.outputs.exit-code }}\n          \
FINDINGS: ${{ steps.foretaste.outputs.findings }}\n          HIGHEST: ${{ steps.foretaste.outputs.highest-severity }}\n          \
COVERAGE: ${{ steps.foretaste.outputs.coverage }}\n";

struct Run {
    log: String,
    keep: PathBuf,
}

impl Run {
    fn kept(&self, name: &str) -> String {
        fs::read_to_string(self.keep.join(name)).unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.log))
    }
}

/// A repository that is its own Action.
fn repo() -> Repo {
    let action = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    let repo =
        Repo::with(&[("data/a.jsonl", CLEAN), ("action.yml", &action), (".github/workflows/test.yml", WORKFLOW)]);
    repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repo
}

fn act(repo: &Repo, event: &str, payload: &serde_json::Value) -> Run {
    let keep = repo.beside("keep");
    let _ = fs::remove_dir_all(&keep);
    fs::create_dir(&keep).unwrap();
    // The step that uploads is not reached by these events; its repository is a stub, since act fetches it all the same.
    let stub = repo.beside("stub");
    fs::create_dir_all(stub.join("upload-sarif")).unwrap();
    fs::write(
        stub.join("upload-sarif/action.yml"),
        "name: stub\ndescription: stub\nruns: {using: composite, steps: [{run: 'true', shell: bash}]}\n",
    )
    .unwrap();
    let action = fs::read_to_string(repo.dir().join("action.yml")).unwrap();
    let pin = action.split("upload-sarif@").nth(1).unwrap().split_whitespace().next().unwrap();
    let file = repo.beside("event.json");
    fs::write(&file, payload.to_string()).unwrap();
    let path = std::env::join_paths(
        std::iter::once(support::binary().parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )
    .unwrap();
    let home = repo.beside("home");
    fs::create_dir_all(&home).unwrap();
    let output = repo
        .command("act")
        .args([event, "-P", "ubuntu-latest=-self-hosted", "--no-cache-server", "-e"])
        .arg(&file)
        .arg("--local-repository")
        .arg(format!("github/codeql-action@{pin}={}", stub.display()))
        .arg("--env")
        .arg(format!("KEEP={}", keep.display()))
        .env("PATH", path)
        .env("HOME", &home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .output()
        .expect("act is installed");
    let log = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Run { log, keep }
}

#[test]
#[ignore = "needs act"]
fn a_pull_request_is_judged_against_its_base() {
    let repo = repo();
    let base = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    let head = repo.commit(&[("data/b.jsonl", POISON)], "more rows");
    let payload = serde_json::json!({
        "pull_request": {"base": {"sha": base, "ref": "main"}, "head": {"sha": head, "ref": "change"}},
        "repository": {"default_branch": "main"},
    });
    let run = act(&repo, "pull_request", &payload);
    assert_eq!(run.kept("outputs").trim(), "verdict=fail code=1 findings=1 highest=error coverage=full", "{}", run.log);
    let report: serde_json::Value = serde_json::from_str(&run.kept("foretaste.json")).unwrap();
    assert_eq!(support::rules(&report), ["invisible-unicode"]);
    assert_eq!(report["policy"]["from"], "builtin");
    assert!(run.kept("foretaste.sarif").contains("\"2.1.0\""));
    assert!(run.kept("foretaste.md").contains("invisible-unicode"));
}

#[test]
#[ignore = "needs act"]
fn a_clean_change_gets_a_summary_as_well() {
    let repo = repo();
    let base = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    let head = repo.commit(&[("data/b.jsonl", &CLEAN.replace("parcel", "lamp"))], "more rows");
    let payload = serde_json::json!({"before": base, "after": head, "repository": {"default_branch": "main"}});
    let run = act(&repo, "push", &payload);
    assert_eq!(run.kept("outputs").trim(), "verdict=pass code=0 findings=0 highest=none coverage=full", "{}", run.log);
    let summary = run.kept("foretaste.md");
    assert!(summary.to_lowercase().contains("added"), "rows added are told: {summary}");
}

#[test]
#[ignore = "needs act"]
fn a_new_branch_and_a_force_push_are_judged_over_the_default_branch() {
    let repo = repo();
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("data/b.jsonl", POISON)], "more rows");
    for before in ["0".repeat(40), "12".repeat(20)] {
        let payload =
            serde_json::json!({"before": before, "ref": "refs/heads/change", "repository": {"default_branch": "main"}});
        let run = act(&repo, "push", &payload);
        assert!(run.kept("outputs").starts_with("verdict=fail code=1"), "{}", run.log);
        let report: serde_json::Value = serde_json::from_str(&run.kept("foretaste.json")).unwrap();
        assert_eq!(report["looked_at"]["files"], 1, "only what the branch brings: {report}");
    }
}

#[test]
#[ignore = "needs act"]
fn a_merge_group_has_a_base_of_its_own_and_a_schedule_has_none() {
    let repo = repo();
    let base = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let head = repo.commit(&[("data/b.jsonl", POISON)], "more rows");
    let payload = serde_json::json!({"merge_group": {"base_sha": base, "head_sha": head}});
    let run = act(&repo, "merge_group", &payload);
    assert!(run.kept("outputs").starts_with("verdict=fail code=1"), "{}", run.log);
    let run = act(&repo, "schedule", &serde_json::json!({}));
    let report: serde_json::Value = serde_json::from_str(&run.kept("foretaste.json")).unwrap();
    assert!(report["looked_at"]["files"].as_u64().unwrap() > 2, "everything: {report}");
}
