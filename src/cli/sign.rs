//! `foretaste sign`: signs foretaste.lock as it is in the work tree, or any other file.

use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use bstr::BString;
use clap::Args;
use jiff::civil::Date;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::{Console, Stop, Verdict, environment, root, write_file};
use crate::engine::Checker;
use crate::policy::lock::{Lock, is_name};
use crate::policy::signature::{Kind, Subject, minisign as form, rotation, ssh};
use crate::policy::{self, Key};

/// What `foretaste sign` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to sign, such as weights or the manifest of a delivery; foretaste.lock without it.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The secret key, as `foretaste key` or minisign made it, or an SSH key as ssh-keygen made it.
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    /// Until when the signature holds (YYYY-MM-DD); a year without it. SSH signatures hold as long as their key.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Name of the repository that the signature of a FILE is bound to; that of the lock without it.
    #[arg(long, value_name = "NAME", requires = "file")]
    repo: Option<String>,
}

pub(super) fn run(arguments: &Arguments, _: &Console) -> Verdict {
    let root = root()?;
    let lock = read_lock(&root);
    let (kind, path, name) = match &arguments.file {
        None => (Kind::Lock, root.join(policy::LOCK), BString::from(policy::LOCK)),
        Some(file) => (Kind::File, file.clone(), inside(&root, file)?),
    };
    let policy = Checker::new().environment(environment()).policy_from_worktree().judged_by(&root)?.0;
    if let (Ok(lock), Some(repo)) = (&lock, &policy.repo)
        && *repo != lock.repo
    {
        return Err(Stop::Say(format!(
            "{} is the lock of {}, and {} says `repo: {repo}`: write it anew with `foretaste lock`",
            policy::LOCK,
            lock.repo,
            policy::FILE
        )));
    }
    let (lock, repo) = match (kind, lock, &arguments.repo) {
        (_, Ok(lock), None) => (Some(lock.clone()), lock.repo),
        (Kind::File, lock, Some(repo)) if is_name(repo) => (lock.ok(), repo.clone()),
        (Kind::File, _, Some(_)) => {
            return Err(Stop::Say("name the repository with --repo, in letters, digits and . _ / -".to_owned()));
        }
        (Kind::File, Err(_), None) => {
            return Err(Stop::Say("name the repository with --repo: there is no foretaste.lock that does".to_owned()));
        }
        (_, Err(stop), _) => return Err(stop),
        (_, Ok(lock), Some(repo)) => (Some(lock), repo.clone()),
    };
    let bytes = crate::source::read_file(&path, u64::MAX).map_err(|reason| {
        Stop::Say(format!("cannot read {}: {reason}; check its name, and that you may read it", path.display()))
    })?;
    let subject = match (kind, &lock) {
        (Kind::Lock, Some(lock)) => rotation::subject(lock, &bytes),
        _ => Subject { kind, repo: &repo, file: name.as_ref(), bytes: &bytes, seq: 0, day: None },
    };

    let made = made(&arguments.key, &subject, arguments.until)?;
    let beside = PathBuf::from(format!("{}.{}", path.display(), made.ending));
    write_file(&beside, made.text.as_bytes())?;
    let shown = beside.strip_prefix(&root).unwrap_or(&beside);
    writeln!(
        io::stdout().lock(),
        "Wrote {}, which holds {}. Commit it with {name}.\nIt counts once the policy on the base branch lists the key \
         {}.",
        shown.display(),
        made.holds,
        made.public,
    )?;
    Ok(0)
}

/// Signs with a key of either kind.
fn made(key: &Path, subject: &Subject<'_>, until: Option<Date>) -> Result<Made, Stop> {
    Signer::open(key)?.sign(subject, until)
}

/// A secret key that has been read, so that nothing is left to ask for when it signs.
pub(super) struct Signer {
    path: PathBuf,
    secret: Secret,
}

enum Secret {
    Minisign(Box<(minisign::SecretKey, minisign::PublicKey)>),
    Ssh(Box<PrivateKey>),
}

/// A signature, and what to say of it.
pub(super) struct Made {
    pub(super) text: String,
    pub(super) ending: String,
    public: String,
    holds: String,
}

fn read_lock(root: &Path) -> Result<Lock, Stop> {
    let path = root.join(policy::LOCK);
    let text = std::fs::read(&path).map_err(|error| {
        Stop::Say(format!("cannot read {}: {error}; write it with `foretaste lock`", path.display()))
    })?;
    Lock::parse(&text).map_err(|error| Stop::Say(format!("{error}; write it anew with `foretaste lock`")))
}

/// The path of a file as the repository names it.
pub(super) fn inside(root: &Path, file: &Path) -> Result<BString, Stop> {
    let failed = |error: io::Error| Stop::Say(format!("cannot find {}: {error}; check its name", file.display()));
    let (root, full) = (root.canonicalize()?, file.canonicalize().map_err(failed)?);
    let path = full.strip_prefix(&root).map_err(|_| {
        Stop::Say(format!("{} lies outside the repository; what is signed is named by its path in it", file.display()))
    })?;
    let parts: Vec<_> = path.iter().map(|part| part.as_encoded_bytes()).collect();
    Ok(bstr::join("/", parts).into())
}

impl Signer {
    /// Reads a key; asks for the password of a minisign key that has one.
    pub(super) fn open(path: &Path) -> Result<Self, Stop> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Stop::Say(format!(
                "cannot read the key {}: {error}; check its name, and that you may read it",
                path.display()
            ))
        })?;
        let failed = |error: &dyn std::fmt::Display| {
            Stop::Say(format!(
                "cannot sign with {}: {error}; name a secret key of minisign or an SSH key with --key",
                path.display()
            ))
        };
        let secret = if text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
            Secret::Ssh(Box::new(PrivateKey::from_openssh(&text).map_err(|error| failed(&error))?))
        } else {
            let read = || minisign::SecretKeyBox::from_string(&text).map_err(|error| failed(&error));
            let secret = match read()?.into_unencrypted_secret_key() {
                Ok(key) => key,
                // Asks for the password on the terminal.
                Err(_) => read()?.into_secret_key(None).map_err(|error| failed(&error))?,
            };
            let public = minisign::PublicKey::from_secret_key(&secret).map_err(|error| failed(&error))?;
            Secret::Minisign(Box::new((secret, public)))
        };
        Ok(Self { path: path.to_owned(), secret })
    }

    /// Whether it is the secret half of a key of the policy.
    pub(super) fn is_of(&self, key: &Key) -> bool {
        match &self.secret {
            Secret::Minisign(pair) => pair.1.to_base64() == key.minisign,
            Secret::Ssh(own) => {
                let listed = key.ssh.as_deref().and_then(|line| ssh::public_key(line).ok());
                listed.is_some_and(|listed| listed.key_data() == own.public_key().key_data())
            }
        }
    }

    /// Whether it signs only through a program that asks for its password.
    pub(super) fn is_sealed(&self) -> bool {
        matches!(&self.secret, Secret::Ssh(key) if key.is_encrypted())
    }

    pub(super) fn sign(&self, subject: &Subject<'_>, until: Option<Date>) -> Result<Made, Stop> {
        match &self.secret {
            Secret::Minisign(pair) => by_minisign(pair, subject, &self.path, until),
            Secret::Ssh(key) => by_ssh(key, subject, &self.path),
        }
    }
}

fn by_minisign(
    (secret, public): &(minisign::SecretKey, minisign::PublicKey),
    subject: &Subject<'_>,
    key: &Path,
    until: Option<Date>,
) -> Result<Made, Stop> {
    let failed = |error: minisign::PError| {
        Stop::Say(format!("cannot sign with {}: {error}; name another key with --key", key.display()))
    };
    let now = now()?;
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    // What a receipt tells of does not pass.
    let years = if subject.kind == Kind::Run { 100 } else { 1 };
    let until = until.unwrap_or_else(|| today.saturating_add(jiff::Span::new().years(years)));
    if until < today {
        return Err(Stop::Say(format!("{until} has passed; name a day to come")));
    }
    let expires = until
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|error| {
            Stop::Say(format!("{until} is no day that can be signed: {error}; name another with --until"))
        })?
        .timestamp();
    let comment = form::trusted_comment(subject, now, expires);
    let untrusted = format!("signature of {}", subject.kind.as_str());
    let signed = minisign::sign(Some(public), secret, Cursor::new(subject.bytes), Some(&comment), Some(&untrusted))
        .map_err(failed)?;
    let number = form::key_number(&public.to_base64())
        .ok_or_else(|| Stop::Say(format!("{} is no Ed25519 key; make one with `foretaste key`", key.display())))?;
    Ok(Made {
        text: signed.into_string(),
        ending: format!("{}.minisig", form::number_text(number)),
        public: public.to_base64(),
        holds: format!("until {until}"),
    })
}

/// The time that a signature says it was made at: now, or SOURCE_DATE_EPOCH where runs are to be the same.
pub(super) fn now() -> Result<jiff::Timestamp, Stop> {
    if std::env::var_os("SOURCE_DATE_EPOCH").is_none() {
        return Ok(jiff::Timestamp::now());
    }
    let day = super::as_of(&super::AsOf::default())?;
    let start = day
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|error| Stop::Say(format!("{error}; set SOURCE_DATE_EPOCH to another day")))?;
    Ok(start.timestamp())
}

fn by_ssh(key: &PrivateKey, subject: &Subject<'_>, file: &Path) -> Result<Made, Stop> {
    let failed = |error: &dyn std::fmt::Display| {
        Stop::Say(format!("cannot sign with {}: {error}; name another key with --key", file.display()))
    };
    let Some(namespace) = ssh::namespace(subject.kind) else {
        return Err(Stop::Say(
            "an SSH signature of a file would fit any repository; sign it with a minisign key (`foretaste key`)"
                .to_owned(),
        ));
    };
    let public = key.public_key();
    let ending = format!("{}.sshsig", ssh::short_id(public));
    if key.is_encrypted() {
        let name = subject.file;
        return Err(Stop::Say(format!(
            "this SSH key has a password, which ssh-keygen asks for; run ssh-keygen -Y sign -n {namespace} -f {} {name} && mv \
             {name}.sig {name}.{ending}",
            file.display(),
        )));
    }
    let line = public.to_openssh().map_err(|error| failed(&error))?;
    ssh::public_key(&line).map_err(|why| failed(&why))?;
    let signature = key.sign(namespace, HashAlg::Sha512, subject.bytes).map_err(|error| failed(&error))?;
    let mut text = signature.to_pem(LineEnding::LF).map_err(|error| failed(&error))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(Made { text, ending, public: line, holds: "as long as its key does".to_owned() })
}
