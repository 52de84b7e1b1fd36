//! What a signed statement says that a model consists of: files, or shards of files, with their hashes.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::{Refused, bad};
use super::unread;
use crate::policy::lock::{digest, hex, stays_inside};
use crate::policy::node::short;

pub(super) const STATEMENT: &str = "https://in-toto.io/Statement/v1";
pub(super) const PREDICATE: &str = "https://model_signing/signature/v1.0";
/// What a model that is one file calls that.
const ITSELF: &[u8] = b".";

/// What a model consists of, by the word of whoever signed it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Manifest {
    /// Every file, by its path below the folder of the model; empty for a model that is one file.
    pub(crate) files: BTreeMap<BString, Sum>,
    /// Paths below the folder that the signature does not speak of.
    ignored: Vec<BString>,
    /// Whether it lists shards, of which an empty file has none.
    shards: bool,
}

/// What was signed of one file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Sum {
    Sha256([u8; 32]),
    Blake3([u8; 32]),
    /// The shards it is cut into, first to last, each with the offset where it ends and its SHA-256.
    Shards(Vec<(u64, [u8; 32])>),
}

impl Sum {
    /// Whether this is what was signed.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        match self {
            Sum::Sha256(sum) => Sha256::digest(bytes)[..] == sum[..],
            Sum::Blake3(sum) => blake3::Hasher::new().update_rayon(bytes).finalize() == *sum,
            Sum::Shards(shards) => {
                let ends_there = shards.last().is_some_and(|(end, _)| *end == bytes.len() as u64);
                ends_there
                    && shards.par_iter().enumerate().all(|(number, (end, sum))| {
                        let start = if number == 0 { 0 } else { shards[number - 1].0 };
                        let part = usize::try_from(start).ok().zip(usize::try_from(*end).ok());
                        let part = part.and_then(|(start, end)| bytes.get(start..end));
                        part.is_some_and(|part| Sha256::digest(part)[..] == sum[..])
                    })
            }
        }
    }
}

impl Manifest {
    /// Whether the signature leaves out a file of so many bytes.
    pub(crate) fn leaves_out(&self, path: &BStr, size: Option<u64>) -> bool {
        let covers = |ignored: &BString| path.strip_prefix(ignored.as_slice()).map(|rest| rest.first());
        self.shards && size == Some(0)
            || self.ignored.iter().filter_map(covers).any(|next| matches!(next, None | Some(b'/')))
    }

    /// Whether the model is a file, and no folder of them.
    pub(crate) fn is_file(&self) -> bool {
        self.files.contains_key(BStr::new(""))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    #[serde(default)]
    predicate: Option<Predicate>,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Predicate {
    resources: Vec<Resource>,
    serialization: Serialization,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
struct Serialization {
    method: String,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

/// The files that a statement lists.
///
/// # Errors
/// Why it cannot be gone by.
pub(super) fn read(payload: &[u8]) -> Result<Manifest, Refused> {
    let statement: Statement =
        serde_json::from_slice(payload).map_err(|error| bad(format!("its statement cannot be read ({error})")))?;
    let (true, Some(predicate)) =
        (statement.kind == STATEMENT && statement.predicate_type == PREDICATE, statement.predicate)
    else {
        let kind = short(&statement.predicate_type);
        return Err(unread(format!(
            "it says something else of a model ({kind}); sign it with model_signing 1.0 or later"
        )));
    };
    let shards = match predicate.serialization.method.as_str() {
        "files" => false,
        "shards" => true,
        other => {
            return Err(unread(format!(
                "it lists no files or shards but {}; sign with `--method files`",
                short(other)
            )));
        }
    };
    let mut manifest = Manifest { shards, ..Manifest::default() };
    let mut pieces: BTreeMap<BString, Vec<(u64, u64, [u8; 32])>> = BTreeMap::new();
    let mut all = Sha256::new();
    for resource in predicate.resources {
        // BLAKE2b, the only other one, has twice as many digits.
        let known = algorithm(&resource.algorithm, shards).ok_or_else(|| {
            unread(format!("it hashes by {}; sign with sha256 or blake3", short(&resource.algorithm)))
        })?;
        let value = digest(&resource.digest).ok_or_else(|| bad("a hash in it is not 64 hexadecimal digits"))?;
        all.update(value);
        let (name, range) = if shards { shard(&resource.name)? } else { (resource.name.as_str(), (0, 0)) };
        let path = BString::from(if name.as_bytes() == ITSELF { "" } else { name });
        if !path.is_empty() && !stays_inside(path.as_bstr()) {
            return Err(bad("it names a path outside of the model"));
        }
        match known {
            Hash::Shard(size) if range.1 - range.0 > size => return Err(bad("a shard in it is longer than it may be")),
            Hash::Shard(_) => pieces.entry(path).or_default().push((range.0, range.1, value)),
            Hash::Sha256 | Hash::Blake3 => {
                let sum = if known == Hash::Sha256 { Sum::Sha256(value) } else { Sum::Blake3(value) };
                if manifest.files.insert(path, sum).is_some() {
                    return Err(bad("it names a file twice"));
                }
            }
        }
    }
    for (path, pieces) in pieces {
        manifest.files.insert(path, joined(pieces).ok_or_else(|| bad("the shards of a file in it do not join"))?);
    }
    if manifest.files.len() > 1 && manifest.files.contains_key(BStr::new("")) {
        return Err(bad("it speaks of a file and of a folder at once"));
    }
    let [subject] = &statement.subject[..] else { return Err(bad("it does not speak of one model")) };
    if subject.digest.get("sha256") != Some(&hex(&all.finalize())) {
        return Err(bad("its own sum is not that of its files"));
    }
    manifest.ignored = predicate.serialization.ignore_paths.into_iter().map(BString::from).collect();
    Ok(manifest)
}

#[derive(Copy, Clone, Eq, PartialEq)]
enum Hash {
    Sha256,
    Blake3,
    /// SHA-256 of at most so many bytes.
    Shard(u64),
}

fn algorithm(name: &str, shards: bool) -> Option<Hash> {
    match name {
        "sha256" if !shards => Some(Hash::Sha256),
        "blake3" if !shards => Some(Hash::Blake3),
        _ if shards => name.strip_prefix("sha256-sharded-")?.parse().ok().map(Hash::Shard),
        _ => None,
    }
}

/// Path and bytes of a shard, which is called `path:start:end`.
fn shard(name: &str) -> Result<(&str, (u64, u64)), Refused> {
    let parts = name.rsplit_once(':').and_then(|(rest, end)| {
        let (path, start) = rest.rsplit_once(':')?;
        let (start, end) = (start.parse().ok()?, end.parse().ok()?);
        (start < end).then_some((path, (start, end)))
    });
    parts.ok_or_else(|| bad("it names a shard without saying where that lies"))
}

/// Shards in their order; `None` where they do not cover a file from its start, each byte once.
fn joined(mut pieces: Vec<(u64, u64, [u8; 32])>) -> Option<Sum> {
    pieces.sort_unstable();
    let mut at = 0;
    for (start, end, _) in &pieces {
        if *start != at {
            return None;
        }
        at = *end;
    }
    Some(Sum::Shards(pieces.into_iter().map(|(_, end, sum)| (end, sum)).collect()))
}
