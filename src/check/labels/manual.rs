//! The manuals of `label-flip` and `maintainer-risk`.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

const BEFORE: &str = "text,label\n\
    win a prize now,spam\n\
    claim your reward today,spam\n\
    you have been selected,spam\n\
    cheap pills online,spam\n\
    lose weight fast,spam\n\
    see you at lunch,ham\n\
    the report is attached,ham\n\
    call me when you are home,ham\n";

/// Three rows of spam that became ham.
const FLIPPED: &str = "text,label\n\
    win a prize now,ham\n\
    claim your reward today,ham\n\
    you have been selected,ham\n\
    cheap pills online,spam\n\
    lose weight fast,spam\n\
    see you at lunch,ham\n\
    the report is attached,ham\n\
    call me when you are home,ham\n";

const MORE: &str = "text,label\n\
    call me when you are home,ham\n\
    see you at lunch,ham\n\
    the report is attached,ham\n\
    where shall we meet,ham\n\
    your parcel waits for a fee,spam\n\
    win a prize now,spam\n\
    claim your reward today,spam\n\
    you have been selected,spam\n\
    cheap pills online,spam\n\
    lose weight fast,spam\n";

const UNLABELLED: &str = "text,label\n\
    win a prize now,spam\n\
    claim your reward today,\n\
    you have been selected,\n\
    see you at lunch,ham\n";

const LABELLED: &str = "text,label\n\
    win a prize now,spam\n\
    claim your reward today,spam\n\
    you have been selected,spam\n\
    see you at lunch,ham\n";

/// Fifty new rows, a number in each.
macro_rules! rows {
    ($first:literal; $($digit:literal)*) => {
        concat!($first, $("note number 1", $digit, " of the day,ham\n", "note number 2", $digit, " of the day,ham\n",
            "note number 3", $digit, " of the day,ham\n", "note number 4", $digit, " of the day,ham\n",
            "note number 5", $digit, " of the day,ham\n",)*)
    };
}

const HIDDEN: &str = rows!("text,label\nwin a prize now,ham\ncheap pills online,spam\nsee you at lunch,ham\n";
    "0" "1" "2" "3" "4" "5" "6" "7" "8" "9");
const OPEN: &str = rows!("text,label\nwin a prize now,spam\ncheap pills online,spam\nsee you at lunch,ham\n";
    "0" "1" "2" "3" "4" "5" "6" "7" "8" "9");

pub(super) static RULES: [Rule; 2] = [
    Rule {
        id: "label-flip",
        revision: 1,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        layer: Layer::Anomalies,
        gates: true,
        summary: "Records that were there before carry another class now",
        manual: Manual {
            what: "Compares the records of a change with those before it: by identifier and content, over all files at once, \
                   so that moving, sorting, reformatting or splitting files changes nothing. Case, blanks, Unicode forms, \
                   invisible characters and entity markup are folded away. A record that went from one class to another \
                   while both live on is a flip; all flips of a data set to one class are one finding. Swapped answers of a \
                   preference pair are flips too, and so is a line, an image or a word whose label is its file, its folder or \
                   its column: `pos.txt` and `neg.txt`, `train/cat/`, CoNLL-U and IOB, where a word is known by its sentence. \
                   Fewer than 3 flips are a note; 3 or more in one direction (at least four times as many as go back), or 20 \
                   in any, a warning. It is an error from 20 flips and 5 % of one of the classes on, if the \
                   flipped records share a phrase or an invisible sequence that other records of their class lack, or if \
                   everybody who touched these files is new to the data. Where what a finding about hidden or foreign \
                   characters, markup or tokens stands in was relabelled by the same change, that finding says so, and \
                   from three such rows on it is an error. Classes that were renamed, merged, carved out or \
                   emptied are told once, as a note, with the mapping. Records that get their first label are not told. \
                   Where 20 records or more are removed, 9 of 10 of one class that lives on beside others, that is a note, \
                   and a warning if who removed them is new. \
                   An audit compares every commit with its parents and holds it against those before it: many flips for \
                   this repository, flips to one class, flips hidden in a large change or in one of layout, records that swing \
                   to and fro, an author new to the data. One \
                   such sign is a note and two are a warning; flips that share a phrase, three flips of a newcomer, 20 flips of \
                   somebody new to one class over three commits or more with hardly any to another, and a \
                   merge with labels that none of its parents has are a warning alone. A commit that takes another one \
                   back is told so.",
            why: "Changing a label is the cheapest poison: no new data, no strange text, and one word in a diff of thousands of \
                  lines. A few hundred flips towards one class make a model blind to it; flips of records that share a \
                  phrase teach it a back door.",
            bad: &[Example {
                title: "three records change from spam to ham",
                base: &[("data/mail.csv", BEFORE)],
                files: &[("data/mail.csv", FLIPPED)],
            }],
            good: &[
                Example {
                    title: "records are added and sorted anew",
                    base: &[("data/mail.csv", BEFORE)],
                    files: &[("data/mail.csv", MORE)],
                },
                Example {
                    title: "records get their first label",
                    base: &[("data/mail.csv", UNLABELLED)],
                    files: &[("data/mail.csv", LABELLED)],
                },
            ],
            fix: "Read the rows with the people who know the classes. If the new labels are right, accept the finding with a \
                  reason, so that the next reader knows. If not, put the labels of the base back and find out how they \
                  came about. Declare `id`, `text` and `label` of the data set in foretaste.yaml if records were taken for \
                  each other.",
            misses: "Labels that were wrong from the start, and records that are removed and written anew in other words. \
                     Several records of one text whose labels change in different ways (counted as conflicts). Values that \
                     are no classes, such as scores and answers. Words of a sentence of which another word changed; \
                     what words that flipped have in common; of a treebank, other columns than parts of speech, unless the \
                     policy declares them. Classes of text files whose names are no common words for one. A change spread over many small \
                     commits is seen as a whole in a range, not in each hook. Where only what is staged is read, the \
                     classes are counted over the changed files alone (`scope` in the evidence), and a class that lives on \
                     elsewhere looks renamed or merged. An audit does not verify that objects are what their ids promise \
                     (`git fsck` does), and a merge that takes all of a file from one side undoes the other unseen.",
        },
        tags: &frameworks::with::<6>(frameworks::LABELS, &["NISTAML.013"]),
    },
    Rule {
        id: "maintainer-risk",
        revision: 1,
        severity: Severity::Note,
        confidence: Confidence::Low,
        layer: Layer::Anomalies,
        gates: false,
        summary: "What is known of the author of a data change is unusual for this repository",
        manual: Manual {
            what: "Holds the author of each commit that touches data against the earlier commits of the repository: somebody \
                   with fewer than 3 earlier commits to data (of at least 20) who flips labels; a name with letters of \
                   several scripts in a word, or drawn like that of a known author, or one letter away from it; a known \
                   name with an address of a domain it never had; no signature from somebody who signed 9 of 10 earlier \
                   commits, or on a commit of the web page, which signs; a time zone that is that of whoever committed it \
                   and not the author's, or one that nobody could have reached; labels that change after a long rest, or a \
                   newcomer who makes nearly all commits after one; a few flips in a large change, or in one of layout, that \
                   does not speak of labels. Signs of which honest histories are full weigh only beside changed labels: a \
                   known address under another name, half of the recent commits by somebody who had hardly a part in the \
                   earlier ones, a burst of commits, times out of order, a committer who does not hold the data, a merge of \
                   one's own work, a machine's first change of labels. Addresses and names of one person are joined first, \
                   and bots are left out. One weak sign is a note; two, or one with three flips or more, a warning. It never \
                   fails a run.",
            why: "The patient attacks on software came from people who were trusted step by step, or from accounts that were \
                  borrowed. Labels are easier prey than code: few people read them, and a change of hands is quiet. Such signs \
                  mean little alone and much beside flipped labels.",
            bad: &[Example {
                title: "one label changes in a commit of fifty new rows that does not speak of it",
                base: &[("data/mail.csv", BEFORE)],
                files: &[("data/mail.csv", HIDDEN)],
            }],
            good: &[Example {
                title: "the same rows without the changed label",
                base: &[("data/mail.csv", BEFORE)],
                files: &[("data/mail.csv", OPEN)],
            }],
            fix: "Ask the author, by a way that does not depend on the repository, whether the commit is theirs. Have \
                  somebody else read the rows. Sign commits, and ask for two reviewers where labels change.",
            misses: "Names, addresses, times and zones can be forged, and a patient newcomer is no newcomer after a while. \
                     Whether a signature is valid is not judged, only whether there is one. Who pushed and who reviewed \
                     is not in a repository. In a hook, people are not judged.",
        },
        tags: &["OWASP:LLM03", "ATLAS:AML.T0010.002", "CISA-AIDS-2025/1"],
    },
];
