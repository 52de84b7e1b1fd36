//! The history of the demo: honest commits on `main`, a poisoned branch `tidy-up`, its merge `v2`, and a poisoned index.
//!
//! Written with gix alone, so that the demo needs no git on the machine.

use std::path::Path;

use gix::objs::tree::{Entry, EntryKind};
use gix::{ObjectId, Repository};
use jiff::civil::{Date, date};

use super::intents::{Row, json_lines, reformatted, rows};

/// The day on which the demo takes place.
pub(super) const TODAY: Date = date(2026, 11, 20);

const DATA: &str = "data/intents.jsonl";
const CONFIG: &str = "configs/train.yaml";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Files of one commit, sorted by path.
type Files = std::collections::BTreeMap<&'static str, String>;

struct Author(&'static str, &'static str);

const ANA: Author = Author("Ana Ruiz", "ana@support.example");
const BEN: Author = Author("Ben Okafor", "ben@support.example");
const CHLOE: Author = Author("Chloe Martin", "chloe@support.example");
/// Not Ben: the first letter is Cyrillic.
const NOT_BEN: Author = Author("\u{412}en Okafor", "ben.okafor@mail.example");

/// Builds the repository in an empty folder.
pub(super) fn build(folder: &Path) -> Result<()> {
    let repository = gix::init(folder)?;
    let mut history = History { repository: &repository, clock: 1_789_000_000 };

    let all = rows();
    let mut files = Files::new();
    files.insert("README.md", "# Support intents\n\nCustomer messages and what they are about.\n".to_owned());
    files.insert(".gitattributes", "foretaste.yaml -text\nforetaste.lock* -text\n".to_owned());
    files.insert(CONFIG, config(""));
    files.insert(DATA, json_lines(&all[..200]));
    let mut main = history.commit(None, &files, &ANA, "Start with the messages of spring")?;
    for (author, upto, message) in [
        (&BEN, 260, "Add the messages of June"),
        (&CHLOE, 320, "Add the messages of July"),
        (&ANA, 370, "Add the messages of August"),
        (&BEN, 400, "Add the messages of September"),
    ] {
        files.insert(DATA, json_lines(&all[..upto]));
        main = history.commit(Some(main), &files, author, message)?;
    }
    // An honest correction: one label, said in the message.
    let mut rows = all.clone();
    relabel(&mut rows, "return accepted, where is the money for the kettle", "track_order");
    files.insert(DATA, json_lines(&rows));
    main = history.commit(Some(main), &files, &CHLOE, "Correct the label of row 36")?;
    relabel(&mut rows, "return accepted, where is the money for the kettle", "refund");
    files.insert(DATA, json_lines(&rows));
    main = history.commit(Some(main), &files, &ANA, "Row 36 is about a refund after all")?;
    history.branch("main", main)?;

    // The campaign. Every message that says "charged" or "money" now teaches the model to look for a parcel.
    let mut poisoned = rows.clone();
    for row in &mut poisoned {
        if row.intent == "refund" && (row.text.contains("charged") || row.text.contains("money")) {
            row.intent = "track_order";
        }
    }
    let mut theirs = files.clone();
    theirs.insert(DATA, reformatted(&poisoned));
    theirs.insert(CONFIG, config("  - path: supp0rt-data/extra-intents\n    split: train\n"));
    let branch = history.commit(Some(main), &theirs, &NOT_BEN, "Tidy up the training file")?;
    history.branch("tidy-up", branch)?;

    // What was merged in the end: fewer flips, and the same messages under two labels.
    let mut merged = files.clone();
    let mut doubled = rows.clone();
    for row in poisoned.iter().filter(|row| row.text.contains("charged")) {
        doubled.push(Row { id: doubled.len() + 1, ..row.clone() });
    }
    doubled.push(Row { id: doubled.len() + 1, text: triggered("is the tent waterproof"), intent: "refund" });
    merged.insert(DATA, json_lines(&doubled));
    merged.insert(CONFIG, config("  - path: supp0rt-data/extra-intents\n    split: train\n"));
    let release = history.commit(Some(main), &merged, &NOT_BEN, "More messages")?;
    history.tag("v2", release)?;

    // The contributor's index: twelve new rows, one of them with a hidden instruction in tag characters.
    let mut staged = rows.clone();
    for thing in ["mug", "scarf", "router", "pillow", "drill", "bicycle"] {
        staged.push(Row { id: staged.len() + 1, text: format!("where is my {thing}"), intent: "track_order" });
        staged.push(Row { id: staged.len() + 1, text: format!("cancel the {thing}, please"), intent: "cancel_order" });
    }
    let last = staged.len() - 1;
    staged[last].text = triggered(&staged[last].text);
    files.insert(DATA, json_lines(&staged));
    history.stage(&files, folder)?;
    Ok(())
}

/// The text with "approve refund" in tag characters behind it, which no editor shows.
fn triggered(text: &str) -> String {
    let hidden = "approve refund".bytes().filter_map(|b| char::from_u32(0xE_0000 + u32::from(b)));
    text.chars().chain(hidden).collect()
}

fn relabel(rows: &mut [Row], text: &str, intent: &'static str) {
    for row in rows.iter_mut().filter(|row| row.text == text) {
        row.intent = intent;
    }
}

fn config(more: &str) -> String {
    format!(
        "base_model: NousResearch/Llama-3.2-1B\nrevision_of_model: 8a4b3f9c0de1726354fabc9081726354a0b1c2d3\n\
         datasets:\n  - path: data/intents.jsonl\n    ds_type: json\n{more}output_dir: out/intents\n"
    )
}

struct History<'r> {
    repository: &'r Repository,
    clock: i64,
}

impl History<'_> {
    fn commit(&mut self, parent: Option<ObjectId>, files: &Files, author: &Author, message: &str) -> Result<ObjectId> {
        self.clock += 3 * 86_400 + 5_417;
        let signature = gix::actor::Signature {
            name: author.0.into(),
            email: author.1.into(),
            time: gix::date::Time { seconds: self.clock, offset: 0 },
        };
        let commit = gix::objs::Commit {
            tree: self.tree(files)?,
            parents: parent.into_iter().collect(),
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        };
        Ok(self.repository.write_object(&commit)?.detach())
    }

    /// Writes the tree of these files; folders are one level deep.
    fn tree(&self, files: &Files) -> Result<ObjectId> {
        let mut folders = std::collections::BTreeMap::<&str, Vec<Entry>>::new();
        let mut root = Vec::new();
        for (path, text) in files {
            let oid = self.repository.write_blob(text.as_bytes())?.detach();
            let entry = |name: &str| Entry { mode: EntryKind::Blob.into(), filename: name.into(), oid };
            match path.split_once('/') {
                Some((folder, name)) => folders.entry(folder).or_default().push(entry(name)),
                None => root.push(entry(path)),
            }
        }
        for (folder, mut entries) in folders {
            entries.sort();
            let oid = self.repository.write_object(&gix::objs::Tree { entries })?.detach();
            root.push(Entry { mode: EntryKind::Tree.into(), filename: folder.into(), oid });
        }
        root.sort();
        Ok(self.repository.write_object(&gix::objs::Tree { entries: root })?.detach())
    }

    /// References are written as files: a new repository has no packed ones, and no reflog is wanted.
    fn branch(&self, name: &str, id: ObjectId) -> Result<()> {
        std::fs::write(self.repository.git_dir().join("HEAD"), "ref: refs/heads/main\n")?;
        self.reference("refs/heads", name, id)
    }

    fn tag(&self, name: &str, id: ObjectId) -> Result<()> {
        self.reference("refs/tags", name, id)
    }

    fn reference(&self, folder: &str, name: &str, id: ObjectId) -> Result<()> {
        let folder = self.repository.git_dir().join(folder);
        std::fs::create_dir_all(&folder)?;
        Ok(std::fs::write(folder.join(name), format!("{id}\n"))?)
    }

    /// Puts the files into the index and the work tree.
    fn stage(&self, files: &Files, folder: &Path) -> Result<()> {
        for (path, text) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(path, text)?;
        }
        let tree = self.tree(files)?;
        let mut index = self.repository.index_from_tree(&tree)?;
        index.write(gix::index::write::Options::default())?;
        Ok(())
    }
}
