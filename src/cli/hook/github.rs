//! The hook in a GitHub workflow: which range an event brings, and what the runner is told.
//!
//! Everything that an event says is checked against the repository: a base that is not there is never an empty range.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::engine::Outcome;
use crate::rule::Severity;
use crate::source::Scope;

/// What the resolution asks of the repository.
pub(super) trait Facts {
    /// Whether this revision is a commit that is present.
    fn has(&self, revision: &str) -> bool;
    /// Number of parents of HEAD; 0 where it has none, or where they cannot be told (a shallow clone of depth 1).
    fn parents_of_head(&self) -> usize;
}

/// The event, as the runner describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    /// `GITHUB_EVENT_NAME`.
    pub(super) name: String,
    /// The file behind `GITHUB_EVENT_PATH`.
    pub(super) payload: Value,
    /// `GITHUB_REF`.
    pub(super) git_ref: String,
    /// `GITHUB_BASE_REF`.
    pub(super) base_ref: String,
    /// The base that the user asks for.
    pub(super) asked: Option<String>,
}

const DEEPEN: &str = "check out with `fetch-depth: 0`, so that the base of the change is there";

impl Event {
    /// Reads the event from the environment of the runner.
    pub(super) fn from_process(asked: Option<String>) -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let name = variable("GITHUB_EVENT_NAME");
        if name.is_empty() {
            return Err("GITHUB_EVENT_NAME is not set; --stage github runs inside a GitHub workflow".to_owned());
        }
        let path = variable("GITHUB_EVENT_PATH");
        let payload = if path.is_empty() {
            Value::Null
        } else {
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("cannot read the event {path}: {error}"))?;
            serde_json::from_str(&text).map_err(|error| format!("the event {path} is not JSON: {error}"))?
        };
        Ok(Self { name, payload, git_ref: variable("GITHUB_REF"), base_ref: variable("GITHUB_BASE_REF"), asked })
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.payload.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The range that the event brings, or the whole of HEAD where it brings none.
    pub(super) fn scope(&self, facts: &dyn Facts) -> Result<Scope, String> {
        let range = |base: &str| Scope::Range { base: base.to_owned(), head: "HEAD".to_owned() };
        let whole = || Scope::Revision("HEAD".to_owned());
        if let Some(base) = &self.asked {
            return if facts.has(base) { Ok(range(base)) } else { Err(format!("there is no commit {base}; {DEEPEN}")) };
        }
        match self.name.as_str() {
            "pull_request_target" if self.is_fork() => {
                Err("pull_request_target runs with secrets and must not touch the files of a fork; \
                 use `on: pull_request`, and the second workflow to comment"
                    .to_owned())
            }
            "pull_request" | "pull_request_target" => {
                // The checkout is GitHub's own merge of base and head: its first parent is the base as it is now, while
                // the base in the event may be stale.
                if self.git_ref.ends_with("/merge") && facts.parents_of_head() == 2 && facts.has("HEAD^1") {
                    return Ok(range("HEAD^1"));
                }
                let remote = format!("refs/remotes/origin/{}", self.base_ref);
                let named = [Some(remote.as_str()), self.text("/pull_request/base/sha")];
                named
                    .into_iter()
                    .flatten()
                    .find(|base| facts.has(base))
                    .map(range)
                    .ok_or_else(|| format!("the base of this pull request is not in the clone; {DEEPEN}"))
            }
            "merge_group" => match self.text("/merge_group/base_sha") {
                Some(base) if facts.has(base) => Ok(range(base)),
                _ => Err(format!("the base of this merge group is not in the clone; {DEEPEN}")),
            },
            "push" => {
                let before = self.text("/before").filter(|id| !super::zeros(id));
                if let Some(before) = before.filter(|id| facts.has(id)) {
                    return Ok(range(before));
                }
                // A new branch, or a force push whose old tip is gone: what it brings over the default branch.
                let default = self.text("/repository/default_branch").unwrap_or("main");
                let own = self.git_ref == format!("refs/heads/{default}");
                let remote = format!("refs/remotes/origin/{default}");
                Ok(if !own && facts.has(&remote) { range(&remote) } else { whole() })
            }
            _ => Ok(whole()),
        }
    }

    fn is_fork(&self) -> bool {
        match (self.text("/pull_request/head/repo/full_name"), self.text("/repository/full_name")) {
            (Some(head), Some(base)) => head != base,
            // Unknown is treated as a fork: secrets are at stake.
            _ => true,
        }
    }
}

/// Tells the runner the outcome. Only words and numbers of our own are written, never data (law 5).
pub(super) fn outputs(path: &Path, outcome: &Outcome, code: u8) -> std::io::Result<()> {
    let verdict = match code {
        0 => "pass",
        1 => "fail",
        _ => "error",
    };
    let highest = outcome.findings.iter().map(|f| f.severity).max().map_or("none", Severity::as_str);
    let coverage = if outcome.unread.is_empty() { "full" } else { "partial" };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "verdict={verdict}\nexit-code={code}\nfindings={}", outcome.findings.len())?;
    writeln!(file, "highest-severity={highest}\nunread={}\ncoverage={coverage}", outcome.unread.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Clone(&'static [&'static str], usize);
    impl Facts for Clone {
        fn has(&self, revision: &str) -> bool {
            self.0.contains(&revision)
        }
        fn parents_of_head(&self) -> usize {
            self.1
        }
    }

    fn event(name: &str, git_ref: &str, payload: &str) -> Event {
        Event {
            name: name.into(),
            payload: serde_json::from_str(payload).unwrap(),
            git_ref: git_ref.into(),
            base_ref: if name.starts_with("pull") { "main".into() } else { String::new() },
            asked: None,
        }
    }

    fn from(base: &str) -> Result<Scope, String> {
        Ok(Scope::Range { base: base.into(), head: "HEAD".into() })
    }

    fn all() -> Result<Scope, String> {
        Ok(Scope::Revision("HEAD".into()))
    }

    #[test]
    fn every_event_finds_its_base() {
        let zeros =
            r#"{"before": "0000000000000000000000000000000000000000", "repository": {"default_branch": "main"}}"#;
        let gone = r#"{"before": "abc123", "repository": {"default_branch": "main"}}"#;
        let origin = Clone(&["refs/remotes/origin/main", "abc"], 1);
        let cases: [(Event, &Clone, Result<Scope, String>); 10] = [
            // The merge ref: its first parent is the base.
            (event("pull_request", "refs/pull/7/merge", "{}"), &Clone(&["HEAD^1"], 2), from("HEAD^1")),
            // The head itself is checked out.
            (event("pull_request", "refs/heads/x", "{}"), &origin, from("refs/remotes/origin/main")),
            (
                event("pull_request", "refs/heads/x", r#"{"pull_request": {"base": {"sha": "abc"}}}"#),
                &Clone(&["abc"], 1),
                from("abc"),
            ),
            (event("merge_group", "", r#"{"merge_group": {"base_sha": "abc"}}"#), &origin, from("abc")),
            (event("push", "refs/heads/x", r#"{"before": "abc"}"#), &origin, from("abc")),
            // A new branch, and a force push: over the default branch.
            (event("push", "refs/heads/x", zeros), &origin, from("refs/remotes/origin/main")),
            (event("push", "refs/heads/x", gone), &origin, from("refs/remotes/origin/main")),
            // The first push of the default branch itself: everything.
            (event("push", "refs/heads/main", zeros), &origin, all()),
            (event("schedule", "refs/heads/main", "{}"), &origin, all()),
            (event("workflow_dispatch", "refs/heads/main", "{}"), &origin, all()),
        ];
        for (event, clone, expected) in cases {
            assert_eq!(event.scope(clone), expected, "{} {}", event.name, event.git_ref);
        }
    }

    #[test]
    fn a_base_that_is_not_there_is_an_error_and_never_an_empty_range() {
        let shallow = Clone(&[], 0);
        for event in [
            event("pull_request", "refs/pull/7/merge", "{}"),
            event("merge_group", "", r#"{"merge_group": {"base_sha": "abc"}}"#),
            Event { asked: Some("origin/main".into()), ..event("push", "refs/heads/x", "{}") },
        ] {
            assert!(event.scope(&shallow).unwrap_err().contains("fetch-depth: 0"), "{}", event.name);
        }
    }

    #[test]
    fn the_privileged_event_refuses_forks() {
        let fork = r#"{"pull_request": {"head": {"repo": {"full_name": "x/y"}}}, "repository": {"full_name": "a/y"}}"#;
        let own = r#"{"pull_request": {"head": {"repo": {"full_name": "a/y"}}}, "repository": {"full_name": "a/y"}}"#;
        let clone = Clone(&["refs/remotes/origin/main"], 1);
        assert!(event("pull_request_target", "refs/heads/main", fork).scope(&clone).is_err());
        assert!(event("pull_request_target", "refs/heads/main", "{}").scope(&clone).is_err());
        assert_eq!(
            event("pull_request_target", "refs/heads/main", own).scope(&clone),
            from("refs/remotes/origin/main")
        );
    }
}
