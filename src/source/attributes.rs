//! What `.gitattributes` asks git LFS to keep, so that a file can be held against it.
//!
//! The files are read from the side that is judged and matched with git's own patterns; no filter is ever looked up, let
//! alone run. Attributes that only one clone knows (`.git/info/attributes`, the user's own) are left out: what they say
//! does not travel with the data.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use gix::glob::Pattern;
use gix::glob::pattern::{Case, Mode};
use gix::glob::wildmatch;
use rustc_hash::FxHashMap;

use super::repository::Repository;
use super::{Content, Entry, ObjectId, Scope, SourceError};
use crate::finding::Unread;

/// Name of the files.
const NAME: &str = ".gitattributes";
/// Bytes of one file. Repositories of large files have a line for each.
const MAX_BYTES: u64 = 16 << 20;
/// Longest line that git heeds.
const MAX_LINE: usize = 2048;
/// Macros of a repository; each has a bit.
const MAX_MACROS: usize = 64;
/// Stars of one pattern. What matching costs grows with every one of them, and honest patterns have two or three.
const MAX_STARS: usize = 12;
/// Comparisons of patterns with paths that one file may cost.
const MAX_STEPS: usize = 100_000_000;

/// Where files of `name` would stand over these entries: in the top folder, and in each folder on the way.
pub(crate) fn above(entries: &[Entry], name: &str) -> BTreeSet<BString> {
    let mut folders: BTreeSet<&BStr> = BTreeSet::new();
    for entry in entries {
        let before = entry.before.as_ref().map(|before| before.path.as_bstr()).filter(|path| *path != entry.path());
        for path in [Some(entry.path()), before].into_iter().flatten() {
            let mut rest = path;
            while let Some(slash) = rest.rfind_byte(b'/') {
                rest = rest[..slash].as_bstr();
                // What stands above a known folder is known as well.
                if !folders.insert(rest) {
                    break;
                }
            }
        }
    }
    let inside = folders.into_iter().map(|folder| [folder.as_bytes(), b"/", name.as_bytes()].concat().into());
    inside.chain([name.into()]).collect()
}

/// What the attributes say of git LFS.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    /// By folder; the top is empty.
    folders: BTreeMap<BString, Lines>,
    macros: Macros,
    fold: bool,
}

/// The lines of one file that have a word on `filter`, or on a macro.
#[derive(Debug, Default)]
struct Lines {
    /// Whole paths below the folder.
    paths: FxHashMap<BString, Vec<Said>>,
    /// Names of files, in this folder and below.
    names: FxHashMap<BString, Vec<Said>>,
    /// Patterns, in the order of the file.
    patterns: Vec<(Pattern, Vec<Said>)>,
}

/// A word, and the number of its line.
type Said = (usize, Word);

/// What a line says of an attribute.
#[derive(Copy, Clone, Debug)]
struct Word {
    /// [`FILTER`], or the number of a macro.
    attribute: usize,
    /// Of `filter`: whether it is `lfs`. Of a macro: whether it is set.
    holds: bool,
}

/// The one attribute that is not a macro.
const FILTER: usize = MAX_MACROS;

/// Attributes under one name.
#[derive(Debug, Default)]
struct Macros {
    numbers: FxHashMap<BString, usize>,
    bodies: Vec<Vec<Word>>,
}

/// A line of an attribute file.
struct Line<'a> {
    number: usize,
    pattern: Cow<'a, [u8]>,
    attributes: &'a [u8],
}

/// The lines of a file as git takes them apart.
fn parse(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    text.lines().enumerate().filter_map(|(number, line)| {
        let whole = line.len();
        let line = line.trim_start_with(|c| matches!(c, ' ' | '\t' | '\r'));
        if line.is_empty() || line[0] == b'#' || whole >= MAX_LINE {
            return None;
        }
        if line[0] == b'"'
            && let Ok((pattern, used)) = gix::quote::ansi_c::undo(line.as_bstr())
        {
            return Some(Line { number, pattern: pattern.to_vec().into(), attributes: &line[used..] });
        }
        let (pattern, attributes) = line.split_at(line.find_byteset(b" \t\r").unwrap_or(line.len()));
        Some(Line { number, pattern: pattern.into(), attributes })
    })
}

impl Line<'_> {
    /// The name of the macro that it defines.
    fn defines(&self) -> Option<&[u8]> {
        self.pattern.strip_prefix(b"[attr]").filter(|name| !name.is_empty())
    }
}

impl Macros {
    /// The macros of the file in the top folder. The last definition of a name counts.
    fn new(text: &[u8]) -> Result<Self, String> {
        let mut macros = Self::default();
        let mut bodies = Vec::new();
        for line in parse(text) {
            let Some(name) = line.defines() else { continue };
            let next = macros.numbers.len();
            let number = *macros.numbers.entry(name.into()).or_insert(next);
            if number >= MAX_MACROS {
                return Err(format!("more than {MAX_MACROS} macros"));
            }
            bodies.resize(macros.numbers.len(), &b""[..]);
            bodies[number] = line.attributes;
        }
        macros.bodies = bodies.into_iter().map(|attributes| macros.words(attributes)).collect();
        Ok(macros)
    }

    /// The words that matter here, in their order.
    fn words(&self, attributes: &[u8]) -> Vec<Word> {
        let each = attributes.split(|byte| b" \t\r".contains(byte)).filter(|part| !part.is_empty());
        each.filter_map(|part| {
            let (unset, part) = match part {
                [b'-' | b'!', name @ ..] => (true, name),
                name => (false, name),
            };
            let (name, value) = part.split_once_str("=").map_or((part, None), |(name, value)| (name, Some(value)));
            if name == b"filter" {
                return Some(Word { attribute: FILTER, holds: !unset && value == Some(b"lfs") });
            }
            let attribute = *self.numbers.get(name.as_bstr())?;
            Some(Word { attribute, holds: !unset && value.is_none() })
        })
        .collect()
    }

    /// Hears a word: the last one on each attribute counts, so that they are heard from the last to the first.
    fn hear(&self, word: Word, heard: &mut u64) -> Option<bool> {
        if word.attribute == FILTER {
            return Some(word.holds);
        }
        let bit = 1 << word.attribute;
        let is_new = *heard & bit == 0;
        *heard |= bit;
        let body = (is_new && word.holds).then(|| &self.bodies[word.attribute])?;
        body.iter().rev().find_map(|word| self.hear(*word, heard))
    }
}

impl Attributes {
    /// Whether git LFS is to keep the file at this path.
    pub(crate) fn asks_lfs(&self, path: &BStr) -> bool {
        if self.folders.is_empty() {
            return false;
        }
        let path: Cow<'_, [u8]> = if self.fold { path.to_ascii_lowercase().into() } else { path.as_bytes().into() };
        // The nearest file that says anything has the word.
        let mut heard = 0;
        let mut end = path.rfind_byte(b'/');
        loop {
            let folder = &path[..end.unwrap_or(0)];
            if let Some(lines) = self.folders.get(folder.as_bstr()) {
                let below = path[end.map_or(0, |end| end + 1)..].as_bstr();
                if let Some(asks) = self.said(lines, below, &mut heard) {
                    return asks;
                }
            }
            match end {
                None => return false,
                Some(at) => end = path[..at].rfind_byte(b'/'),
            }
        }
    }

    /// What the lines of a file say of a path below its folder; `None` where nothing does.
    fn said(&self, lines: &Lines, path: &BStr, heard: &mut u64) -> Option<bool> {
        let slash = path.rfind_byte(b'/').map(|at| at + 1);
        let name = path[slash.unwrap_or(0)..].as_bstr();
        let known = |words: Option<&Vec<Said>>| words.cloned().unwrap_or_default();
        let mut exact = known(lines.paths.get(path));
        exact.extend(known(lines.names.get(name)));
        exact.sort_by_key(|(number, _)| *number);
        for (pattern, words) in lines.patterns.iter().rev() {
            let number = words[0].0;
            while let Some((_, word)) = exact.pop_if(|(line, _)| *line > number) {
                if let Some(asks) = self.macros.hear(word, heard) {
                    return Some(asks);
                }
            }
            let case = if self.fold { Case::Fold } else { Case::Sensitive };
            let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
            if pattern.matches_repo_relative_path(path, slash, Some(false), case, mode)
                && let Some(asks) = words.iter().rev().find_map(|(_, word)| self.macros.hear(*word, heard))
            {
                return Some(asks);
            }
        }
        exact.iter().rev().find_map(|(_, word)| self.macros.hear(*word, heard))
    }

    /// Adds a file; the one of the top folder comes first. `paths` is the number of paths that will be asked for.
    ///
    /// # Errors
    /// It is made to be slow.
    fn add(&mut self, folder: &BStr, text: &[u8], paths: usize) -> Result<(), String> {
        if folder.is_empty() {
            // Git takes macros from here alone, and heeds them before their line, too.
            self.macros = Macros::new(text)?;
        }
        let mut lines = Lines::default();
        for line in parse(text).filter(|line| line.defines().is_none()) {
            let words = self.macros.words(line.attributes);
            if !words.is_empty() {
                let pattern = if self.fold { line.pattern.to_ascii_lowercase().into() } else { line.pattern };
                lines.push(&pattern, words.into_iter().map(|word| (line.number, word)).collect())?;
            }
        }
        if lines.patterns.len().saturating_mul(paths) > MAX_STEPS {
            return Err(format!("{} patterns for {paths} files, more than are compared", lines.patterns.len()));
        }
        let folder = if self.fold { folder.to_ascii_lowercase().into() } else { folder.to_owned() };
        self.folders.insert(folder, lines);
        Ok(())
    }
}

impl Lines {
    /// Adds a line with a word or more.
    fn push(&mut self, text: &[u8], words: Vec<Said>) -> Result<(), String> {
        // Neither a pattern that negates nor one for folders ever gives a file an attribute.
        let Some(pattern) =
            Pattern::from_bytes(text).filter(|pattern| !pattern.mode.intersects(Mode::NEGATIVE | Mode::MUST_BE_DIR))
        else {
            return Ok(());
        };
        if pattern.text.iter().filter(|byte| **byte == b'*').count() > MAX_STARS {
            return Err(format!("line {}: a pattern with more than {MAX_STARS} stars", words[0].0 + 1));
        }
        if pattern.first_wildcard_pos.is_some() {
            self.patterns.push((pattern, words));
            return Ok(());
        }
        let is_name = pattern.mode.contains(Mode::NO_SUB_DIR) && !pattern.mode.contains(Mode::ABSOLUTE);
        let known = if is_name { &mut self.names } else { &mut self.paths }.entry(pattern.text).or_default();
        for (number, word) in words {
            // What an earlier line says of the same attribute is never heard.
            known.retain(|(_, earlier)| earlier.attribute != word.attribute);
            known.push((number, word));
        }
        Ok(())
    }
}

impl Repository {
    /// What the attributes of the judged side say of these entries, and which attribute files could not be used.
    ///
    /// # Errors
    /// A revision that names nothing, a damaged index, a tree that is missing.
    pub(crate) fn attributes(
        &self,
        scope: &Scope,
        entries: &[Entry],
    ) -> Result<(Attributes, Vec<Unread>), SourceError> {
        let fold = self.with(|git| git.config_snapshot().boolean("core.ignoreCase")) == Some(true);
        let mut attributes = Attributes { fold, ..Attributes::default() };
        let mut unread = Vec::new();
        let mut files = self.judged_files(scope, &above(entries, NAME))?;
        // The top folder first: it defines the macros.
        files.sort_by_key(|(path, _)| (path.contains(&b'/'), path.clone()));
        for (path, content) in files {
            let folder = path.rfind_byte(b'/').map_or(BStr::new(""), |slash| path[..slash].as_bstr());
            let added = self.read(&content, MAX_BYTES).and_then(|text| attributes.add(folder, &text, entries.len()));
            if let Err(reason) = added {
                unread.push(Unread { path, reason });
            }
        }
        Ok((attributes, unread))
    }

    /// Which of `paths` are regular files on the judged side of `scope`.
    ///
    /// # Errors
    /// A revision that names nothing, a damaged index, a tree that is missing.
    pub(crate) fn judged_files(
        &self,
        scope: &Scope,
        paths: &BTreeSet<BString>,
    ) -> Result<Vec<(BString, Content)>, SourceError> {
        let objects =
            |files: Vec<(BString, ObjectId)>| files.into_iter().map(|(path, id)| (path, Content::Object(id))).collect();
        match scope {
            Scope::Staged | Scope::Index => {
                let mut found = Vec::new();
                for path in paths {
                    found.extend(self.staged_file(path.as_ref())?.map(|id| (path.clone(), id)));
                }
                Ok(objects(found))
            }
            Scope::Range { head: revision, .. } | Scope::Revision(revision) => {
                let commit = self.resolve(revision)?;
                let files = self.files_at(commit, paths.iter().map(|path| path.as_bstr()));
                files.map(objects).map_err(|reason| {
                    SourceError::new(format!(
                        "{commit}: {reason}; fetch it (git fetch --unshallow, or without a filter)"
                    ))
                })
            }
            Scope::Worktree | Scope::Files(_) => Ok(self.files_on_disk(paths.iter().map(|path| path.as_bstr()))),
        }
    }
}
