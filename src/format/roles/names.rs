//! Names of fields that are in use, and what they mean.

use crate::format::Name;
use crate::lens::Role;

/// What the model reads.
pub(super) const TEXT: &[&str] = &[
    "text",
    "sentence",
    "review",
    "content",
    "comment",
    "message",
    "body",
    "question",
    "title",
    "tweet",
    "premise",
    "hypothesis",
    "sentence1",
    "sentence2",
    "v2",
    "utterance",
    "query",
    "prompt",
    "completion",
    "response",
    "instruction",
    "instructions",
    "input",
    "inputs",
    "output",
    "outputs",
    "context",
    "passage",
    "document",
    "doc",
    "article",
    "abstract",
    "summary",
    "headline",
    "caption",
    "description",
    "post",
    "dialogue",
    "dialog",
    "transcript",
    "transcription",
    "review_body",
    "review_text",
    "review_title",
    "reviewtext",
    "comment_text",
    "tweet_text",
    "full_text",
    "clean_text",
    "text_a",
    "text_b",
    "text1",
    "text2",
    "question1",
    "question2",
    "snippet",
    "phrase",
    "story",
    "chosen",
    "rejected",
    "system",
    "system_prompt",
    "answer",
    "answer_text",
    "answers",
    "reply",
    "user_input",
    "assistant",
    "source_text",
    "target_text",
    "sms",
    "statement",
    "claim",
    "evidence",
    "example",
    "line",
    "words",
    "target",
    "expected",
];

/// What the model learns, the likeliest first.
pub(super) const LABEL: &[&str] = &[
    "label",
    "labels",
    "target",
    "class",
    "category",
    "y",
    "sentiment",
    "intent",
    "tag",
    "gold",
    "gold_label",
    "answer",
    "answerkey",
    "answer_key",
    "answer_idx",
    "answer_index",
    "correct_answer",
    "correct",
    "toxic",
    "spam",
    "v1",
    "polarity",
    "stars",
    "rating",
    "label_text",
    "label_name",
    "class_label",
    "class_name",
    "class_index",
    "classname",
    "category_id",
    "label_id",
    "labelid",
    "label_idx",
    "gold_class",
    "golden_label",
    "emotion",
    "topic",
    "stance",
    "verdict",
    "hate",
    "offensive",
    "is_toxic",
    "hate_speech",
    "error_type",
    "ground_truth",
    "groundtruth",
    "expected_label",
    "expected",
    "annotation",
    "vote",
    "votes",
    "thumb",
    "thumbs",
    "feedback",
    "reward",
    "preference",
    "preferred",
    "winner",
    "kto_tag",
    "airline_sentiment",
    "subject_category",
    "sentiment_label",
    "intent_label",
    "cls",
    "ham_spam",
    "type_label",
    "score",
    "overall",
];

/// Labels beyond doubt.
pub(super) const SURE_LABEL: &[&str] =
    &["label", "labels", "class", "category", "sentiment", "intent", "gold_label", "class_label"];

/// Columns that each say yes or no to one class.
pub(super) const FLAGS: &[&str] = &[
    "toxic",
    "severe_toxic",
    "obscene",
    "threat",
    "insult",
    "identity_hate",
    "severe_toxicity",
    "identity_attack",
    "sexual_explicit",
    "spam",
    "hate",
    "offensive",
    "abusive",
    "hateful",
];

/// Lists with a label for every token or every class that holds.
pub(super) const TAGS: &[&str] = &[
    "labels",
    "label",
    "tags",
    "ner_tags",
    "pos_tags",
    "chunk_tags",
    "upos",
    "xpos",
    "intents",
    "categories",
    "classes",
    "ner",
    "bio_tags",
    "token_labels",
];

/// Lists of answers to choose from.
pub(super) const CHOICES: &[&str] =
    &["choices", "options", "endings", "answers_choices", "answer_choices", "mc1_targets"];

/// Never a label by values alone.
pub(super) const NO_LABEL: &[&str] = &[
    "split",
    "lang",
    "language",
    "locale",
    "country",
    "model",
    "version",
    "role",
    "from",
    "index",
    "year",
    "month",
    "day",
    "license",
    "licence",
    "format",
    "length",
    "len",
    "num",
    "count",
    "page",
    "chapter",
    "section",
    "offset",
    "start",
    "end",
    "width",
    "height",
    "subset",
    "config",
    "fold",
    "difficulty",
    "level",
    "seed",
    "weight",
    "gender",
    "age",
    "ip",
];

pub(super) const ID: &[&str] = &[
    "id",
    "_id",
    "uid",
    "uuid",
    "guid",
    "idx",
    "example_id",
    "row_id",
    "sample_id",
    "question_id",
    "message_id",
    "tweet_id",
    "qid",
    "pid",
    "doc_id",
    "document_id",
    "item_id",
    "record_id",
    "instance_id",
    "review_id",
    "comment_id",
    "post_id",
    "pair_id",
    "pairid",
    "prompt_id",
    "conversation_id",
    "sentence_id",
    "sent_id",
    "textid",
    "text_id",
    "sid",
    "key",
];

pub(super) const USER: &[&str] = &[
    "user",
    "user_id",
    "userid",
    "username",
    "user_name",
    "annotator",
    "annotator_id",
    "annotators",
    "worker",
    "worker_id",
    "workerid",
    "rater",
    "rater_id",
    "labeler",
    "labeller",
    "labeler_id",
    "reviewer_id",
    "reviewerid",
    "account",
    "account_id",
    "author_id",
    "screen_name",
    "crowdworker",
    "annotated_by",
    "labeled_by",
    "labelled_by",
    "submitted_by",
    "created_by",
];

pub(super) const TIME: &[&str] = &[
    "timestamp",
    "time",
    "date",
    "datetime",
    "ts",
    "created",
    "created_date",
    "created_time",
    "created_utc",
    "updated",
    "submitted",
    "unix_time",
    "epoch_time",
    "reviewtime",
    "unixreviewtime",
    "publish_date",
    "published",
    "date_time",
    "tweet_created",
];

pub(super) const SOURCE: &[&str] = &[
    "source",
    "origin",
    "dataset",
    "dataset_name",
    "url",
    "uri",
    "link",
    "source_url",
    "source_dataset",
    "data_source",
    "source_id",
    "provenance",
    "corpus",
    "website",
];

/// A name in lower case with `_` for spaces and hyphens.
pub(super) fn normal(name: &str) -> String {
    name.trim().chars().map(|c| if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// The last part of a path: `content` of `messages[].content`, `tags` of `tags[]`.
pub(super) fn leaf(path: &str) -> &str {
    let last = path.rsplit('.').next().unwrap_or(path);
    last.trim_end_matches("[]")
}

/// The first part of a path.
pub(super) fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// Whether a field says who speaks.
pub(super) fn is_speaker(leaf: &str) -> bool {
    matches!(leaf, "role" | "from" | "name" | "id" | "weight" | "type" | "tool_call_id")
}

/// Whether a field holds what is said in a conversation.
pub(super) fn is_spoken(path: &str) -> bool {
    let top = normal(top(path));
    let lists = matches!(
        top.as_str(),
        "messages"
            | "conversations"
            | "conversation"
            | "dialog"
            | "dialogue"
            | "turns"
            | "chosen"
            | "rejected"
            | "prompt"
            | "completion"
            | "completions"
            | "preferred_output"
            | "non_preferred_output"
            | "history"
            | "input"
            | "data"
            | "paragraphs"
    );
    if !lists || !path.contains(['[', '.']) {
        return false;
    }
    let leaf = normal(leaf(path));
    let said = matches!(
        leaf.as_str(),
        "content"
            | "value"
            | "text"
            | "utterance"
            | "response"
            | "arguments"
            | "message"
            | "refusal"
            | "reasoning_content"
            | "thinking"
            | "context"
            | "question"
    );
    // A list of strings, or of pairs of them.
    said || (path.ends_with("[]") && !path.contains('.') && !matches!(top.as_str(), "input" | "data"))
}

/// Whether the fields are those of a conversation.
pub(super) fn is_conversation<'a>(mut paths: impl Iterator<Item = &'a str>) -> bool {
    paths.any(|path| {
        let said = matches!(top(path), "messages" | "conversations" | "conversation" | "dialog" | "turns");
        said && is_spoken(path)
    })
}

/// Whether the fields are those of a preference pair.
pub(super) fn is_preference<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> bool {
    let has = |name: &str| paths.clone().any(|path| top(path) == name);
    (has("chosen") && has("rejected")) || (has("preferred_output") && has("non_preferred_output"))
}

/// The name of the shape that the fields have.
pub(super) fn shape(names: &[Name]) -> &'static str {
    let paths = || names.iter().map(|name| name.path.as_str());
    let has = |wanted: &str| paths().any(|path| path == wanted);
    let begins = |wanted: &str| paths().any(|path| normal(top(path)) == wanted);
    let any = |wanted: &[&str]| wanted.iter().any(|w| begins(w));
    let role = |role: Role| names.iter().any(|name| name.role == role);
    let label = |wanted: &str| names.iter().any(|name| name.role == Role::Label && normal(leaf(&name.path)) == wanted);
    if is_preference(paths()) {
        "preference pairs"
    } else if has("messages[].role") {
        "OpenAI chat"
    } else if has("conversations[].from") || has("conversation[].from") {
        "ShareGPT"
    } else if is_conversation(paths()) {
        "conversation"
    } else if begins("completions") && begins("labels") {
        "stepwise supervision"
    } else if begins("prompt") && begins("completion") && role(Role::Label) {
        "unpaired preference"
    } else if begins("instruction") && any(&["output", "response"]) {
        "Alpaca"
    } else if role(Role::User) && role(Role::Time) && role(Role::Label) {
        "feedback log"
    } else if begins("message_id") && begins("parent_id") {
        "message tree"
    } else if begins("question") && any(CHOICES) {
        "multiple choice"
    } else if begins("question") && any(&["answer", "answers"]) && !role(Role::Label)
        || paths().any(|path| leaf(path) == "question" && path.contains("qas[]"))
    {
        "question answering"
    } else if begins("prompt") && any(&["completion", "response", "output", "answer"]) {
        "prompt and completion"
    } else if any(&["tokens", "words"]) && names.iter().any(|n| n.role == Role::Label && n.path.ends_with("[]")) {
        "token tags"
    } else if role(Role::Label) && !label("answer") && has("premise") && has("hypothesis") {
        "sentence pairs"
    } else if begins("file_name") && (role(Role::Label) || role(Role::Text)) {
        "image metadata"
    } else if role(Role::Text) && role(Role::Label) {
        "classification table"
    } else if role(Role::Text) {
        "text records"
    } else if role(Role::Label) {
        "labelled records"
    } else {
        "records of no known shape"
    }
}
