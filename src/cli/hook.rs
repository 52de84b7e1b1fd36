//! `foretaste hook`: what git hooks and their runners call.

mod github;

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::check::{self, Judging, Showing};
use super::progress::Bar;
use super::{Console, Stop, Verdict, repository, write_file};
use crate::report::Format;
use crate::source::{Repository, Scope};

/// What `foretaste hook` understands.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Judge what a commit or a push would bring. Called by git and by pre-commit, prek and the like.
    Run(RunArguments),
    /// Install native hooks into this repository, or say what to write where a hook manager is in charge.
    Install,
}

/// What `foretaste hook run` understands.
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The stage; found out by itself where a runner says it in the environment.
    #[arg(long, value_enum)]
    stage: Option<Stage>,
    /// In a GitHub workflow: judge against this revision instead of the base of the event.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// What git or the runner passes. File names are not trusted and not read.
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<OsString>,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    showing: Showing,
}

#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
enum Stage {
    PreCommit,
    PreMergeCommit,
    PrePush,
    Manual,
    /// A GitHub workflow: the range comes from the event, the summary and the outputs go to the runner.
    Github,
}

pub(super) fn run(verb: &Verb, console: &Console) -> Verdict {
    match verb {
        Verb::Run(arguments) => judge(arguments, console),
        Verb::Install => install(),
    }
}

/// What is to be judged, in the order of trust: refs named by a runner, refs that git pipes in, what is staged, and where
/// nothing is staged the whole index, since "0 files" must never pass for "clean".
fn judge(arguments: &RunArguments, console: &Console) -> Verdict {
    if arguments.stage == Some(Stage::Github) {
        return workflow(arguments, console);
    }
    let mut worst = 0;
    for scope in scopes(arguments)? {
        let checker = check::checker(&arguments.judging)?.scope(scope).people(false);
        let outcome = checker.run_with(".", &Bar::new(console.quiet))?;
        let code = check::show(&outcome, &arguments.judging, &arguments.showing, console)?;
        worst = more_urgent(worst, code);
    }
    Ok(worst)
}

/// Inside a GitHub workflow.
fn workflow(arguments: &RunArguments, console: &Console) -> Verdict {
    struct Clone(Repository);
    impl github::Facts for Clone {
        fn has(&self, revision: &str) -> bool {
            self.0.resolve(revision).is_ok()
        }
        fn parents_of_head(&self) -> usize {
            self.0.parents_of_head()
        }
    }
    let clone = Clone(repository()?);
    let event = github::Event::from_process(arguments.base.clone()).map_err(Stop::Say)?;
    let scope = event.scope(&clone).map_err(Stop::Say)?;
    let outcome = check::checker(&arguments.judging)?.scope(scope).run_with(".", &Bar::new(true))?;
    let mut showing = arguments.showing.clone();
    showing.also(Format::Markdown, std::env::var_os("GITHUB_STEP_SUMMARY"));
    let code = check::show(&outcome, &arguments.judging, &showing, console)?;
    if let Some(path) = std::env::var_os("GITHUB_OUTPUT") {
        github::outputs(Path::new(&path), &outcome, code)?;
    }
    Ok(code)
}

/// Of two exit codes the one that holds first: 2, 1, 3, 0.
fn more_urgent(a: u8, b: u8) -> u8 {
    let rank = |code: u8| match code {
        2 => 3,
        1 => 2,
        3 => 1,
        _ => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}

fn scopes(arguments: &RunArguments) -> Result<Vec<Scope>, Stop> {
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let tip = variable("PRE_COMMIT_TO_REF").or_else(|| variable("PRE_COMMIT_LOCAL_BRANCH"));
    if let Some(tip) = tip {
        return Ok(vec![pushed(variable("PRE_COMMIT_FROM_REF").as_deref(), &tip)]);
    }
    if arguments.stage == Some(Stage::PrePush) {
        let mut scopes = Vec::new();
        for line in io::stdin().lock().lines() {
            let line = line?;
            // <local ref> <local id> <remote ref> <remote id>
            let parts: Vec<_> = line.split_ascii_whitespace().collect();
            let [_, local, _, remote] = parts[..] else {
                return Err(Stop::Say("standard input is not what git passes to a pre-push hook; let git call it (`foretaste hook install`)".to_owned()));
            };
            // A ref that is deleted brings nothing.
            if !zeros(local) {
                scopes.push(pushed(Some(remote), local));
            }
        }
        return Ok(scopes);
    }
    let staged = repository()?.snapshot(&Scope::Staged, &[]).map_err(crate::engine::Error::from)?;
    let staged = !staged.entries.is_empty() || !staged.unread.is_empty();
    Ok(vec![if staged { Scope::Staged } else { Scope::Index }])
}

/// What a push brings: over what the remote has, or everything where it has nothing.
fn pushed(from: Option<&str>, tip: &str) -> Scope {
    match from.filter(|id| !zeros(id)) {
        Some(base) => Scope::Range { base: base.to_owned(), head: tip.to_owned() },
        None => Scope::Revision(tip.to_owned()),
    }
}

fn zeros(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

/// The hooks as they are installed; the same files lie in `hooks/`.
const HOOKS: [(&str, &str); 3] = [
    ("pre-commit", include_str!("../../hooks/pre-commit")),
    ("pre-merge-commit", include_str!("../../hooks/pre-merge-commit")),
    ("pre-push", include_str!("../../hooks/pre-push")),
];

/// Snippet for pre-commit and prek.
pub(super) const SNIPPET: &str = "\
  - repo: https://github.com/foretaste/foretaste
    rev: v0.1.0
    hooks:
      - id: foretaste-rust
";

/// Writes the native hooks. Overwrites nothing: where a hook is there, or a manager is in charge, it says what to add.
pub(super) fn install() -> Verdict {
    let repository = repository()?;
    let mut out = io::stdout().lock();
    let root = repository.work_tree().map(Path::to_path_buf);
    let has = |name: &str| root.as_ref().is_some_and(|root| root.join(name).exists());
    if has(".pre-commit-config.yaml") || has(".pre-commit-config.yml") || has("prek.toml") {
        writeln!(
            out,
            "This repository uses pre-commit or prek. Add to .pre-commit-config.yaml, under repos:\n\n{SNIPPET}"
        )?;
        writeln!(out, "Then: pre-commit install -t pre-commit -t pre-merge-commit -t pre-push")?;
        return Ok(0);
    }
    if has("lefthook.yml") || has("lefthook.yaml") || has(".lefthook.yml") {
        writeln!(out, "This repository uses lefthook. Add to its configuration:\n")?;
        for (stage, _) in HOOKS {
            writeln!(out, "{stage}:\n  commands:\n    foretaste:\n      run: foretaste hook run --stage {stage}")?;
        }
        return Ok(0);
    }
    let (folder, configured) = repository.hooks_folder();
    if has(".husky") || configured {
        writeln!(out, "Hooks of this repository live in {}. Add this line to each of pre-commit,", folder.display())?;
        writeln!(out, "pre-merge-commit and pre-push there:\n\n  foretaste hook run --stage <name of the hook>")?;
        return Ok(0);
    }
    let mut left = Vec::new();
    for (name, text) in HOOKS {
        let path: PathBuf = folder.join(name);
        if path.symlink_metadata().is_ok() {
            if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
                writeln!(out, "{} is installed already", path.display())?;
            } else {
                left.push(path);
            }
            continue;
        }
        write_file(&path, text.as_bytes())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
        writeln!(out, "installed {}", path.display())?;
    }
    for path in &left {
        let stage = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(out, "{} was there before and stays as it is. Add to it:", path.display())?;
        writeln!(out, "\n  foretaste hook run --stage {stage} -- \"$@\" || exit\n")?;
    }
    Ok(if left.is_empty() { 0 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_urgent_code_wins() {
        assert_eq!([3, 0, 1].into_iter().fold(0, more_urgent), 1);
        assert_eq!([3, 0].into_iter().fold(0, more_urgent), 3);
        assert_eq!([1, 2, 3].into_iter().fold(0, more_urgent), 2);
    }

    #[test]
    fn a_push_to_an_empty_remote_judges_the_whole_tip() {
        assert_eq!(pushed(Some("0000000000"), "abc"), Scope::Revision("abc".into()));
        assert_eq!(pushed(None, "abc"), Scope::Revision("abc".into()));
        assert_eq!(pushed(Some("def"), "abc"), Scope::Range { base: "def".into(), head: "abc".into() });
    }
}
