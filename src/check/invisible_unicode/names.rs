//! Names: of files, columns, branches and people.

use bstr::BString;

use super::causes::{Named, Way, note};
use super::describe::describe;
use super::machine::Machine;
use super::prefilter::Prefilter;
use super::{InvisibleUnicode, Seen};
use crate::finding::{Mark, content_hash};
use crate::format::Records;
use crate::source::{Files, People};

impl InvisibleUnicode {
    /// Names of files. Only a name that is new speaks.
    pub(super) fn names(&self, seen: &mut Seen, files: &Files<'_>) {
        let mut machine = Machine::new(self.modes);
        let filter = Prefilter { escapes: false, wide: self.modes.info };
        for &(blob, entry) in files.list {
            let path: &[u8] = &entry.path;
            let old = entry.before.as_ref().is_some_and(|before| before.path == entry.path);
            if old || entry.content.is_none() || filter.hits(path).first_from(0).is_none() {
                continue;
            }
            machine.scan(path, &mut filter.hits(path), 0, false);
            for occurrence in &machine.found {
                note(seen, occurrence, Way { named: Some(Named::File), ..Way::default() }, blob, || {
                    let words = format!("in the name: {}", describe(path, occurrence));
                    Mark { content: content_hash(path), ..Mark::name(blob).with_note(words) }
                });
            }
        }
        if let (Some(branch), Some(&(blob, _))) = (files.branch, files.list.first()) {
            self.name(seen, &mut machine, branch, Named::Branch, |words| Mark {
                content: content_hash(branch),
                ..Mark::name(blob).with_note(words)
            });
        }
        seen.excused.add(&machine.excused);
    }

    /// Names and addresses of who wrote the judged commits.
    pub(super) fn people(&self, seen: &mut Seen, people: &People<'_>) {
        seen.signal.people(people);
        let mut machine = Machine::new(self.modes);
        for commit in people.judged {
            let known = |path: &BString| people.files.binary_search_by(|(_, entry)| entry.path.cmp(path)).ok();
            let Some(at) = commit.paths.iter().find_map(known) else { continue };
            let blob = people.files[at].0;
            for name in [&commit.author.name, &commit.author.mail] {
                self.name(seen, &mut machine, name, Named::Author, |words| Mark {
                    commit: Some(commit.id.to_string()),
                    content: content_hash(name),
                    ..Mark::name(blob).with_note(words)
                });
            }
        }
    }

    /// Names of columns, where no bytes of the file hold them one by one.
    pub(super) fn column_names(&self, seen: &mut Seen, machine: &mut Machine, records: &Records<'_>) {
        for name in records.names {
            let path = name.path.as_bytes();
            machine.scan(path, &mut Prefilter { escapes: false, wide: self.modes.info }.hits(path), 0, false);
            for occurrence in &machine.found {
                note(seen, occurrence, Way::default(), records.blob.id, || {
                    let words = format!("in the name of a column: {}", describe(path, occurrence));
                    Mark { content: content_hash(path), ..Mark::name(records.blob.id).with_note(words) }
                });
            }
        }
    }

    fn name(&self, seen: &mut Seen, machine: &mut Machine, name: &[u8], of: Named, mark: impl Fn(String) -> Mark) {
        machine.scan(name, &mut Prefilter { escapes: false, wide: self.modes.info }.hits(name), 0, false);
        for occurrence in &machine.found {
            let blob = mark(String::new()).place.blob;
            note(seen, occurrence, Way { named: Some(of), ..Way::default() }, blob, || {
                mark(format!("in the name of {}: {}", of.words(), describe(name, occurrence)))
            });
        }
    }
}
