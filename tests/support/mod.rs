//! Repositories for tests, built with git itself, and the binary under test.
//!
//! Git runs without the configuration of the user and the machine, with fixed names and dates, so that ids are the same
//! everywhere.
#![allow(dead_code, unreachable_pub, clippy::disallowed_methods, clippy::unwrap_used)]

pub(crate) mod lock;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A repository in a temporary folder.
pub(crate) struct Repo {
    folder: TempDir,
    clock: std::cell::Cell<u64>,
}

impl Repo {
    /// An empty repository on branch `main`.
    pub(crate) fn new() -> Self {
        let repo = Self { folder: tempfile::tempdir().unwrap(), clock: std::cell::Cell::new(1_760_000_000) };
        fs::create_dir(repo.path().join("repo")).unwrap();
        // An empty file, never the null device: a write to global configuration would replace it.
        fs::write(repo.path().join("gitconfig"), "").unwrap();
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// A repository with one commit of these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self::new();
        repo.commit(files, "first");
        repo
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The work tree.
    pub(crate) fn dir(&self) -> PathBuf {
        self.path().join("repo")
    }

    /// A folder beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes files into the work tree.
    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.dir().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// Writes and stages files.
    pub(crate) fn stage(&self, files: &[(&str, &str)]) {
        self.write(files);
        self.git(&["add", "--all"]);
    }

    /// Writes, stages and commits; gives the id.
    pub(crate) fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        self.stage(files);
        self.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// A command with git's environment of this test.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let clock = self.clock.get() + 60;
        self.clock.set(clock);
        command
            .current_dir(self.dir())
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_WORK_TREE")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.path().join("gitconfig"))
            .env("GIT_AUTHOR_NAME", "Ana")
            .env("GIT_AUTHOR_EMAIL", "ana@example.org")
            .env("GIT_COMMITTER_NAME", "Ana")
            .env("GIT_COMMITTER_EMAIL", "ana@example.org")
            .env("GIT_AUTHOR_DATE", format!("{clock} +0000"))
            .env("GIT_COMMITTER_DATE", format!("{clock} +0000"))
            .env("SOURCE_DATE_EPOCH", "1793000000")
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs git and gives what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.command("git").args(arguments).output().expect("git is installed");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs foretaste.
    pub(crate) fn foretaste(&self, arguments: &[&str]) -> Run {
        Run(self.command(binary()).args(arguments).output().expect("the binary under test runs"))
    }

    /// Runs foretaste with `--format json` and reads its report.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, serde_json::Value) {
        let run = self.foretaste(&[arguments, &["--format", "json"]].concat());
        let report = serde_json::from_str(&run.stdout())
            .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", run.stdout(), run.stderr()));
        (run.code(), report)
    }
}

/// What a run of foretaste came to.
pub(crate) struct Run(Output);

impl Run {
    /// The exit code.
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().expect("foretaste ends by itself")
    }

    /// Standard output.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).expect("output is UTF-8")
    }

    /// Standard error.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).expect("errors are UTF-8")
    }

    /// Both, for messages of assertions.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n{}\n{}", self.code(), self.stdout(), self.stderr())
    }
}

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_foretaste"))
}

/// Ids of the rules that speak in a JSON report.
pub(crate) fn rules(report: &serde_json::Value) -> Vec<String> {
    let mut rules: Vec<String> = report["findings"]
        .as_array()
        .expect("a report has findings")
        .iter()
        .map(|finding| finding["rule"].as_str().expect("a finding has a rule").to_owned())
        .collect();
    rules.sort();
    rules
}
