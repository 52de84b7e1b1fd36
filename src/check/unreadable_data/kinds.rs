//! The kinds of flaws, and what is said of each.

use crate::rule::Severity;

/// A kind of flaw.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its name, as the readers give it.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// Where it makes parsers disagree on a label.
    pub(super) in_label: Severity,
    /// What is wrong with one record; `{}` stands for what is counted.
    one: &'static str,
    many: &'static str,
    /// What is to be seen at a place.
    pub(super) note: &'static str,
    pub(super) help: &'static str,
}

impl Kind {
    /// Its id in the catalogue of Unicode's classes, where it is one of them.
    pub(super) fn class(&self) -> Option<&'static str> {
        match self.id {
            "malformed-utf8" => Some("U33"),
            "lone-surrogate" => Some("U34"),
            "not-utf8" => Some("U38"),
            _ => None,
        }
    }

    /// One sentence.
    pub(super) fn message(&self, total: u64, labels: u64) -> String {
        let mut message = match total {
            1 => self.one.to_owned(),
            _ => self.many.replace("{}", &total.to_string()),
        };
        if labels > 0 {
            message.push_str(match (total, labels) {
                (1, _) => ", and it is the label",
                (total, labels) if total == labels => ", and they are labels",
                _ => ", and some are labels",
            });
        }
        message
    }
}

/// Every kind that this rule speaks of. What is wrong with an LFS object is told by `digest-mismatch`.
pub(super) static KINDS: [Kind; 15] = [
    Kind {
        id: "link-outside",
        severity: Severity::Error,
        in_label: Severity::Error,
        one: "a link stands in place of a file and points outside the repository",
        many: "{} links stand in place of files and point outside the repository",
        note: "where it points to",
        help: "Commit the data itself; what lies outside the repository was not read and differs on every machine.",
    },
    Kind {
        id: "link-replaces-file",
        severity: Severity::Warning,
        in_label: Severity::Warning,
        one: "a link took the place of a file",
        many: "{} links took the place of files",
        note: "where it points to",
        help: "Check that what it points to is what was reviewed here.",
    },
    Kind {
        id: "duplicate-key",
        severity: Severity::Warning,
        in_label: Severity::Error,
        one: "a name is given twice in one record or header, and parsers differ on which value they keep",
        many: "{} names are given twice in one record or header, and parsers differ on which value they keep",
        note: "the same name again",
        help: "Keep one of the two values and remove the other.",
    },
    Kind {
        id: "swallowed-quote",
        severity: Severity::Error,
        in_label: Severity::Error,
        one: "a quote opens a field that swallows the rows behind it",
        many: "{} quotes open fields that swallow the rows behind them",
        note: "this quote opens the field",
        help: "Close the quote, or double it where it belongs to the text, and check that the table has as many records \
               as it should.",
    },
    Kind {
        id: "unparsable-record",
        severity: Severity::Error,
        in_label: Severity::Error,
        one: "a record is not valid JSON, so a trainer stops at it, skips it or reads something of its own",
        many: "{} records are not valid JSON, so a trainer stops at them, skips them or reads something of its own",
        note: "not valid JSON from here on",
        help: "Correct the record, or remove it; a program that writes JSON does not produce it.",
    },
    Kind {
        id: "trailing-garbage",
        severity: Severity::Error,
        in_label: Severity::Error,
        one: "something stands behind the end of a JSON value, which some parsers read as data and others ignore",
        many: "in {} places something stands behind the end of a JSON value, which some parsers read as data and others ignore",
        note: "behind the end of the value",
        help: "Put each record on a line of its own, or remove what stands behind it.",
    },
    Kind {
        id: "malformed-utf8",
        severity: Severity::Error,
        in_label: Severity::Error,
        one: "a byte sequence is not valid UTF-8: parsers drop it, replace it or stop",
        many: "{} byte sequences are not valid UTF-8: parsers drop them, replace them or stop",
        note: "not valid UTF-8",
        help: "Find out which encoding the text had and save it as UTF-8.",
    },
    Kind {
        id: "lone-surrogate",
        severity: Severity::Error,
        in_label: Severity::Error,
        one: "an escape is half of a surrogate pair, which parsers replace, keep or refuse",
        many: "{} escapes are halves of surrogate pairs, which parsers replace, keep or refuse",
        note: "half of a surrogate pair",
        help: "Write the whole character, or remove the escape; it is often what is left of an emoji that was cut in two.",
    },
    Kind {
        id: "stray-quote",
        severity: Severity::Warning,
        in_label: Severity::Warning,
        one: "a quote stands where readers with and without quoting read different fields",
        many: "{} quotes stand where readers with and without quoting read different fields",
        note: "this quote",
        help: "Quote the whole field and double the quotes in it, so that every reader sees the same.",
    },
    Kind {
        id: "ragged-row",
        severity: Severity::Warning,
        in_label: Severity::Warning,
        one: "a row has more or fewer fields than the table has columns",
        many: "{} rows have more or fewer fields than the table has columns",
        note: "another number of fields",
        help: "Quote fields that hold the delimiter, and give every row all its fields.",
    },
    Kind {
        id: "oversized-record",
        severity: Severity::Warning,
        in_label: Severity::Warning,
        one: "a record is larger than the limit and was read in pieces",
        many: "{} records are larger than the limit and were read in pieces",
        note: "larger than the limit",
        help: "Split the record, or raise `limits: {record: …}` in the policy where records are meant to be this long.",
    },
    Kind {
        id: "not-utf8",
        severity: Severity::Warning,
        in_label: Severity::Warning,
        one: "the file is not UTF-8, so what a trainer reads depends on the encoding that it assumes",
        many: "the file is not UTF-8, so what a trainer reads depends on the encoding that it assumes",
        note: "the first character above ASCII",
        help: "Save the file as UTF-8.",
    },
    Kind {
        id: "not-a-number",
        severity: Severity::Note,
        in_label: Severity::Warning,
        one: "a value is not a finite number, which JSON does not have: Python reads it, other parsers refuse the record",
        many: "{} values are not finite numbers, which JSON does not have: Python reads them, other parsers refuse the records",
        note: "not a finite number",
        help: "Write `null` for a missing value.",
    },
    Kind {
        id: "lfs-not-asked",
        severity: Severity::Warning,
        in_label: Severity::Warning,
        one: "a pointer of git LFS stands where no attribute asks for git LFS: a checkout leaves the pointer, and a trainer reads \
              that text instead of the data",
        many: "a pointer of git LFS stands where no attribute asks for git LFS: a checkout leaves the pointer, and a trainer reads \
               that text instead of the data",
        note: "a pointer",
        help: "Add the path to .gitattributes with `git lfs track`, or commit the file itself.",
    },
    Kind {
        id: "lfs-bypassed",
        severity: Severity::Note,
        in_label: Severity::Note,
        one: "the file was committed past git LFS, which its attributes ask for: git shows it as changed in every checkout, and \
              the next commit may rewrite it",
        many: "the file was committed past git LFS, which its attributes ask for: git shows it as changed in every checkout, and \
               the next commit may rewrite it",
        note: "the file itself, not a pointer",
        help: "Commit it through git LFS (`git add --renormalize`), or take the path out of .gitattributes.",
    },
];
