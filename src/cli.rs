//! The command line: arguments in, an exit code out. One file a verb.
//!
//! Exit codes, everywhere, first that holds: 2 could not start, 1 findings at or above `--fail-on`, 3 something in scope
//! was not read, 0 otherwise.

mod accept;
mod audit;
mod baseline;
mod blame;
mod bom;
mod check;
mod demo;
mod explain;
mod fix;
mod hook;
mod init;
mod inventory;
mod key;
mod lock;
mod progress;
mod schema;
mod sign;
mod verify;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::engine::Error;
use crate::report;

/// Taste training data before a model does: find hidden triggers, flipped labels, unpinned sources and broken
/// signatures in a git repository.
#[derive(Debug, Parser)]
#[command(name = "foretaste", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// Print findings and errors only.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Read this repository although another user owns it; * for any. Git's own safe.directory is not read.
    #[arg(long, global = true, value_name = "DIR")]
    safe_directory: Vec<PathBuf>,
}

const AFTER_HELP: &str = "\
For everybody:    check  explain  demo
For contributors: hook  fix  accept
For maintainers:  init  inventory  audit  blame  bom  baseline  lock  verify  key  sign
For tools:        schema  completions

Exit codes: 0 nothing to stop for, 1 findings at or above --fail-on, 2 could not start, 3 something in scope was not read.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Look for poisoned data in the work tree, the index, a range of commits, or files.
    Check(check::Arguments),
    /// Explain a rule: what it does, why it matters, what to do, what it misses.
    Explain(explain::Arguments),
    /// Build a small poisoned repository and show what a contributor, a reviewer and a maintainer see.
    Demo(demo::Arguments),
    /// Run as a git hook, or install the hooks.
    #[command(subcommand)]
    Hook(hook::Verb),
    /// Take hidden characters out of files, or move their rows aside; shows a diff unless told to write.
    #[command(after_help = fix::AFTER_HELP)]
    Fix(fix::Arguments),
    /// Propose an exception for a finding, with a reason and an end date.
    Accept(accept::Arguments),
    /// Look at the repository and write a policy, the hook and the workflow for it.
    Init(init::Arguments),
    /// List every pipeline, dataset, loader and reference of the repository, with what is missing for each.
    Inventory(inventory::Arguments),
    /// Write the bill of materials of a fine-tuning run: CycloneDX or SPDX.
    Bom(bom::Arguments),
    /// Tell who changed which labels when, over the whole history, and which commits look like a campaign.
    Audit(audit::Arguments),
    /// Tell which commits set and changed the label of one record.
    Blame(blame::Arguments),
    /// Accept what is there today, so that only what is new fails.
    Baseline(baseline::Arguments),
    /// Record hash, size and record count of the data in foretaste.lock.
    Lock(lock::Arguments),
    /// Compare the data on disk with foretaste.lock, and check its signatures.
    Verify(verify::Arguments),
    /// Make a key pair for signing.
    Key(key::Arguments),
    /// Sign foretaste.lock.
    Sign(sign::Arguments),
    /// Print the JSON Schema of the policy or of the JSON report.
    Schema(schema::Arguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What every verb may ask of its surroundings.
#[derive(Clone, Debug)]
struct Console {
    color: bool,
    quiet: bool,
}

/// The day that dates in the policy are compared with.
#[derive(Clone, Debug, Default, Args)]
struct AsOf {
    /// Compare dates in the policy with this day instead of today (YYYY-MM-DD).
    #[arg(long, value_name = "DATE")]
    as_of: Option<jiff::civil::Date>,
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    // A reader's panic is caught and reported as unread; the hook would print raw bytes of the data (law 5). A panic
    // that nobody catches ends below, in words of our own.
    std::panic::set_hook(Box::new(|_| ()));
    let code = std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let _ = writeln!(io::stderr(), "foretaste: internal error; nothing was judged. Please report this.");
        3
    });
    ExitCode::from(code)
}

fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return code;
        }
    };
    crate::source::install_guard();
    let _ = SAFE.set(cli.safe_directory);
    let console = Console { color: colour(cli.color), quiet: cli.quiet };
    let result = match cli.verb {
        Verb::Check(arguments) => check::run(&arguments, &console),
        Verb::Explain(arguments) => explain::run(&arguments, &console),
        Verb::Demo(arguments) => demo::run(&arguments, &console),
        Verb::Hook(verb) => hook::run(&verb, &console),
        Verb::Fix(arguments) => fix::run(&arguments, &console),
        Verb::Accept(arguments) => accept::run(&arguments, &console),
        Verb::Init(arguments) => init::run(&arguments, &console),
        Verb::Inventory(arguments) => inventory::run(&arguments, &console),
        Verb::Bom(arguments) => bom::run(&arguments, &console),
        Verb::Audit(arguments) => audit::run(&arguments, &console),
        Verb::Blame(arguments) => blame::run(&arguments, &console),
        Verb::Baseline(arguments) => baseline::run(&arguments, &console),
        Verb::Lock(arguments) => lock::run(&arguments, &console),
        Verb::Verify(arguments) => verify::run(&arguments, &console),
        Verb::Key(arguments) => key::run(&arguments, &console),
        Verb::Sign(arguments) => sign::run(&arguments, &console),
        Verb::Schema(arguments) => schema::run(&arguments, &console),
        Verb::Completions { shell } => {
            // Written whole: the generator takes a reader that has gone for a bug of its own.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "foretaste", &mut script);
            io::stdout().write_all(&script).map(|()| 0).map_err(Stop::from)
        }
    };
    match result {
        Ok(code) => code,
        Err(Stop::Pipe) => 0,
        Err(Stop::Start(error)) => {
            let text = match &error {
                Error::Policy(policy) => report::policy_error(policy, console.color && io::stderr().is_terminal()),
                other => format!("foretaste: {}\n", report::escaped(&other.to_string())),
            };
            let _ = io::stderr().write_all(text.as_bytes());
            2
        }
        Err(Stop::Say(message)) => {
            let _ = writeln!(io::stderr(), "foretaste: {}", report::escaped(&message));
            2
        }
    }
}

/// Why a verb ended early.
#[derive(Debug)]
enum Stop {
    /// Could not start.
    Start(Error),
    /// Could not start, in one sentence that says the way out.
    Say(String),
    /// Whoever read our output has gone.
    Pipe,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Start(error)
    }
}

impl From<crate::policy::PolicyError> for Stop {
    fn from(error: crate::policy::PolicyError) -> Self {
        Stop::Start(Error::Policy(error))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Pipe,
            _ => Stop::Say(format!(
                "{error}; check that there is room on the disk and that you may read and write there"
            )),
        }
    }
}

type Verdict = Result<u8, Stop>;

/// Colour: the flag, then NO_COLOR, then CLICOLOR_FORCE and FORCE_COLOR, then the terminal.
fn colour(choice: Color) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty() && v != "0");
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto if set("CLICOLOR_FORCE") || set("FORCE_COLOR") => true,
        Color::Auto => io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// The folders of other users that may be read. Like the variables of git, they hold for the whole process.
static SAFE: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// What the environment says of git, as hooks need it, and whose repositories may be read.
fn environment() -> crate::source::Environment {
    let safe_directories = SAFE.get().cloned().unwrap_or_default();
    let any_owner = safe_directories.iter().any(|folder| folder.as_os_str() == "*");
    crate::source::Environment { any_owner, safe_directories, ..crate::source::Environment::from_process() }
}

/// The top of the work tree.
fn root() -> Result<PathBuf, Stop> {
    let repository = repository()?;
    repository
        .work_tree()
        .map(PathBuf::from)
        .ok_or_else(|| Stop::Say("this repository has no work tree; run foretaste in a clone that has one".to_owned()))
}

/// The repository that the current folder lies in.
fn repository() -> Result<crate::source::Repository, Stop> {
    crate::source::Repository::discover(std::path::Path::new("."), &environment())
        .map_err(|error| Stop::Start(error.into()))?
        .ok_or_else(|| Stop::Start(Error::NoRepository("this folder".to_owned())))
}

/// The day that dates are compared with: the flag, else SOURCE_DATE_EPOCH, else today in UTC.
fn as_of(flag: &AsOf) -> Result<jiff::civil::Date, Stop> {
    if let Some(date) = flag.as_of {
        return Ok(date);
    }
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text
            .trim()
            .parse::<i64>()
            .ok()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            .map(|stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC).date())
            .ok_or_else(|| {
                Stop::Say(
                    "SOURCE_DATE_EPOCH is not a number of seconds since 1970; unset it, or give the day with --as-of"
                        .to_owned(),
                )
            }),
        Err(_) => Ok(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()),
    }
}

/// Writes a file whole or not at all: a temporary file beside it, then a rename. Never through a link.
fn write_file(path: &std::path::Path, bytes: &[u8]) -> Result<(), Stop> {
    let failed = |error: io::Error| {
        Stop::Say(format!("cannot write {}: {error}; check its name, and that you may write there", path.display()))
    };
    // A device or a pipe is written to: renaming a file over it would take it from everybody.
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
        let mut device = std::fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
        return device.write_all(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Pipe,
            _ => failed(error),
        });
    }
    if path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_symlink()) {
        return Err(Stop::Say(format!("{} is a link; name the file itself", path.display())));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(failed)?;
    }
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
