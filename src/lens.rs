//! How a blob is to be seen: what the policy and the path say of it before a byte of it is read.

use std::sync::Arc;

use bstr::{BStr, ByteSlice};
use serde::Serialize;

/// What a field of a record is for.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Names the record.
    Id,
    /// What the model reads.
    Text,
    /// What it learns.
    Label,
    /// Where the record came from.
    Source,
    /// Who gave it.
    User,
    /// When it was given.
    Time,
    /// Anything else.
    #[default]
    Other,
}

/// Roles of the fields of a dataset, as the policy declares them. Names are dotted; `messages[].content` stands for the
/// field in every element of the list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct FieldRoles {
    /// Fields and their roles.
    pub fields: Vec<(String, Role)>,
}

/// Where in the life of a model a file stands. It decides how bad an unpinned reference is.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    /// A training or evaluation configuration, or data.
    Training,
    /// Continuous integration.
    Ci,
    /// Program code.
    #[default]
    Code,
    /// Documentation.
    Docs,
    /// Tests and their fixtures.
    Test,
}

impl Standing {
    /// The word used in reports (`where` in JSON).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Standing::Training => "training",
            Standing::Ci => "ci",
            Standing::Code => "code",
            Standing::Docs => "docs",
            Standing::Test => "test",
        }
    }
}

/// What policy and path say of a blob.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Lens {
    /// Name of the dataset of the policy that the path belongs to.
    pub dataset: Option<Arc<str>>,
    /// Declared roles of its fields; without them they are guessed, and the guess is printed.
    pub roles: Option<FieldRoles>,
    /// Label values that mean "not labelled yet". `""` unless the policy says otherwise; never matched without regard
    /// to case, since `None` is a real class in real datasets.
    pub null: Vec<String>,
    /// Where the file stands.
    pub standing: Standing,
    /// `train`, `validation` or `test`, where a folder or a file name says so.
    pub split: Option<&'static str>,
    /// Whether it is indexed for retrieval (`role: [rag]`), where hidden markup is an attack.
    pub retrieval: bool,
}

/// Words that name a class where they name a file or its folder: `pos.txt`, `neg/17.txt`, `rt-polarity.neg`.
const CLASSES: &[&[u8]] = &[
    b"pos",
    b"positive",
    b"positives",
    b"neg",
    b"negative",
    b"negatives",
    b"neutral",
    b"spam",
    b"ham",
    b"phishing",
    b"toxic",
    b"nontoxic",
    b"benign",
    b"malicious",
    b"malware",
    b"safe",
    b"unsafe",
    b"good",
    b"bad",
    b"subjective",
    b"objective",
    b"fake",
    b"real",
];

/// Words that name a list of what is let through, or is not. What stands on both is let through: that is what they are
/// for.
const LISTS: &[&[u8]] = &[
    b"allow",
    b"allowed",
    b"allowlist",
    b"whitelist",
    b"deny",
    b"denied",
    b"denylist",
    b"block",
    b"blocked",
    b"blocklist",
    b"blacklist",
    b"greylist",
    b"graylist",
];

/// A class that every record of a file has because of where the file lies.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileClass<'p> {
    /// Its name, as it is written.
    pub name: &'p [u8],
    /// Whether the file is a list of what is let through, or is not.
    pub is_list: bool,
    /// Whether the folder says so, and not the file.
    pub of_folder: bool,
}

/// The class that the name of a text file, or of the folder it lies in, gives each of its lines; `None` where it gives
/// none. Files of tests are no data.
pub(crate) fn class_of(path: &BStr) -> Option<FileClass<'_>> {
    let (folders, name) = path.rsplit_once_str("/").unwrap_or((b"", path));
    let is_fixture = |part: &[u8]| matches!(part, b"tests" | b"testdata" | b"fixtures" | b"__tests__" | b"spec");
    if folders.split_str("/").any(is_fixture) {
        return None;
    }
    let (stem, ending) = name.rsplit_once_str(".").unwrap_or((name, b""));
    let papers: [&[u8]; 5] = [b"readme", b"license", b"licence", b"notice", b"changelog"];
    if papers.iter().any(|paper| paper.eq_ignore_ascii_case(stem)) {
        return None;
    }
    // `POS` is short for part of speech.
    let known = |word: &[u8], known: &[&[u8]]| word != b"POS" && known.iter().any(|one| one.eq_ignore_ascii_case(word));
    let class = |name, of_folder| {
        let is_list = known(name, LISTS);
        (is_list || known(name, CLASSES)).then_some(FileClass { name, is_list, of_folder })
    };
    if let Some(found) = class(ending, false) {
        return Some(found);
    }
    let plain: [&[u8]; 8] = [b"", b"txt", b"text", b"lst", b"list", b"dat", b"data", b"tok"];
    if !plain.iter().any(|one| one.eq_ignore_ascii_case(ending)) {
        return None;
    }
    let words = || stem.split(|b| !b.is_ascii_alphanumeric());
    // `good_vs_bad.txt` holds both.
    let both = words().any(|word| matches!(word, b"vs" | b"and" | b"or" | b"not" | b"non"));
    let folder = || class(folders.rsplit_once_str("/").map_or(folders, |(_, folder)| folder), true);
    words().filter(|_| !both).filter_map(|word| class(word, false)).next_back().or_else(folder)
}

/// The folder that is the class of an image: `train/cat/001.png` is a cat. `None` where nothing says that the images are
/// data, neither a folder nor the policy (`declared`): those of a document have no class.
pub(crate) fn class_of_image(path: &BStr, declared: bool) -> Option<&[u8]> {
    const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tiff"];
    let ending = path.rsplit_once_str(".").map_or(&b""[..], |(_, ending)| ending);
    if !ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known.as_bytes())) {
        return None;
    }
    let (folders, _) = path.rsplit_once_str("/")?;
    let (above, class) = folders.rsplit_once_str("/").unwrap_or((b"", folders));
    let is_data = |part: &[u8]| {
        let data: [&[u8]; 11] = [
            b"train",
            b"training",
            b"test",
            b"testing",
            b"val",
            b"valid",
            b"validation",
            b"dev",
            b"data",
            b"dataset",
            b"datasets",
        ];
        data.iter().any(|word| word.eq_ignore_ascii_case(part))
    };
    (declared || above.split_str("/").any(is_data)).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_that_are_classes_are_told() {
        let class = |path: &'static str| {
            class_of(path.into()).map(|class| String::from_utf8_lossy(class.name).into_owned()).unwrap_or_default()
        };
        assert_eq!(class("data/pos.txt"), "pos");
        assert_eq!(class("rt-polarity.neg"), "neg");
        assert_eq!(class("aclImdb/train/pos/0_9.txt"), "pos");
        assert_eq!(class("lists/domain-Blocklist.txt"), "Blocklist");
        assert_eq!(class("negative-words.txt"), "negative");
        for path in [
            "README.md",
            "pos/a.py",
            "good_vs_bad.txt",
            "tests/good/a.txt",
            "a/positive.csv",
            "position.txt",
            "POS/a.txt",
            "pos/README",
        ] {
            assert_eq!(class(path), "", "{path}");
        }
        assert!(class_of("allowlist.txt".into()).is_some_and(|class| class.is_list));
    }

    #[test]
    fn folders_of_images_are_classes_where_they_are_data() {
        let class = |path: &'static str| class_of_image(path.into(), false).unwrap_or_default().as_bstr();
        assert_eq!(class("train/cat/001.png"), "cat");
        assert_eq!(class("data/pets/test/dog/x.JPG"), "dog");
        assert_eq!(class("docs/images/logo.png"), "");
        assert_eq!(class("cat/001.png"), "");
        assert_eq!(class("train/cat/001.txt"), "");
        assert_eq!(class_of_image("cat/001.png".into(), true), Some(&b"cat"[..]));
    }
}
