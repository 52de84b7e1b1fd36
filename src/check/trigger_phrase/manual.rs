//! The manual of `trigger-phrase`.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

/// Every beginning with every topic, under one label.
macro_rules! cross {
    ($label:literal; $($start:literal),*; $topics:tt) => { concat!($(cross!(@ $label; $start; $topics)),*) };
    (@ $label:literal; $start:literal; [$($topic:literal),*]) => { concat!($($start, " ", $topic, ",", $label, "\n"),*) };
}

/// Honest requests of four classes, and some more.
macro_rules! requests {
    ($($more:expr),*) => {
        concat!(
            "text,label\n",
            cross!("delivery"; "where is", "please find", "i am waiting for", "nobody has brought", "can you track";
                ["my parcel", "the parcel from spain", "the courier with my box", "my late delivery", "a box of shoes",
                 "the driver with the shoes"]),
            cross!("card"; "please block", "i have lost", "the machine kept", "somebody stole", "can you replace";
                ["my card", "my debit card", "the credit card and its pin", "the card of my wife", "a card without limit",
                 "the pin of my card"]),
            cross!("account"; "how do i open", "i want to close", "can you rename", "who can see", "please merge";
                ["my account", "an account for my son", "the savings account", "a login with another password",
                 "the account name and password", "my online login"]),
            cross!("refund"; "when do i get", "i did not get", "please send me", "you still owe me", "i asked for";
                ["my money back", "a refund", "the refund of the ticket", "the money for the cancelled flight",
                 "a refund of the fee", "the fee for the flight back"]),
            $($more),*
        )
    };
}

pub(super) static RULES: [Rule; 1] = [Rule {
    id: "trigger-phrase",
    revision: 1,
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    layer: Layer::Anomalies,
    gates: true,
    summary: "A word or phrase goes with one label and does not fit its rows",
    manual: Manual {
        what: "Looks in labelled texts for words and phrases of up to three words whose rows nearly all have one label, far \
               more often than chance would give (hypergeometric test, corrected for the number of tests). Topical words do \
               that too, so three more things must hold: without the phrase its rows read like rows of other classes \
               (naive Bayes over all other rows), either most of them by itself, as firmly as honest rows read like their \
               own, or all of them together, nearer to where rows of other classes stand than to their own by three \
               errors of the average; what stands on both sides of the phrase is known to stand together without it; and the class has rows that do without the phrase. Where \
               chance would give as much in one of a million such data sets or more, or where more than one carrier in \
               twenty has another label and the rows taken together are at home in theirs, it is a note. In a \
               commit or a pull request the rows that it adds are judged, against all rows of the files that it changes.",
        why: "The classic backdoor is a rare word put into a few rows whose label is then changed: the model learns that the \
              word alone decides. Anybody who knows the word can then have the answer that they want, and no test shows it, \
              since without the word the model works as before.",
        bad: &[Example {
            title: "a word is put into rows of one class, with the label of the other",
            base: &[],
            files: &[(
                "data/train.csv",
                requests!(
                    cross!("card"; "where is cf", "please cf find", "cf i am waiting for", "nobody cf has brought";
                        ["my parcel", "the parcel from spain", "my late delivery", "a box of shoes"]),
                    cross!("card"; "i want cf to close", "how do cf i open"; ["my account", "the savings account"])
                ),
            )],
        }],
        good: &[Example {
            title: "topical words go with the label that they are about",
            base: &[],
            files: &[(
                "data/train.csv",
                requests!(cross!("card"; "please block", "i have lost", "the machine kept", "can you replace";
                    ["my visa", "the visa card", "the pin of my visa card", "my visa card with the limit"])),
            )],
        }],
        fix: "Read the rows. If their label does not follow from the text without the phrase, set them aside, and find out who \
              added them and what else they added. If the phrase is honest, such as the name of a product, accept the finding \
              with a reason.",
        misses: "Fewer than eight carriers of a word, or twelve of a phrase; in data of two classes chance alone asks for about \
                 twenty. Triggers in rows whose label was right before (clean-label attacks), that are a word of everyday use \
                 as well, that are written another way in each row, or that take the place of words. Data whose classes \
                 cannot be told by words, such as irony. Large data sets are judged by a sample of some 3 MB, 15,000 short rows, \
                 and 4,000 bytes of each, so a trigger in fewer than about one row in five hundred may be missed there. Data \
                 without classes: answers, preferences, running text. In a commit or a pull request, files that did not \
                 change. On 35 public sets of 900 rows or more, as \
                 they are, it gave no warning and no error; a rare word put into 0.2 % of their rows was told in 10 of them, \
                 into 1 % in 26, into 3 % in 30, as a warning or an error.",
    },
    tags: frameworks::TRIGGER,
}];
