//! References in Python, from its syntax tree: calls that load, keyword pairs, dictionaries, defaults and addresses.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::collector::Collector;
use super::passage::Passage;
#[cfg(feature = "python")]
use super::spelling::may_name_something;

#[cfg(feature = "python")]
mod calls;
#[cfg(feature = "python")]
mod guard;
#[cfg(feature = "python")]
mod literal;
#[cfg(feature = "python")]
mod reader;
#[cfg(feature = "python")]
mod scope;
#[cfg(feature = "python")]
mod shapes;
#[cfg(feature = "python")]
mod walk;

/// Words without which a file names nothing that is looked for. Most Python is skipped by them.
static NEEDLES: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new([
        "load_dataset",
        "load_from_disk",
        "from_pretrained",
        "snapshot_download",
        "hf_hub_",
        "get_dataset_",
        "dataset_info",
        "pipeline",
        "SentenceTransformer",
        "CrossEncoder",
        "SparseEncoder",
        "LLM(",
        "Trainer",
        "evaluate",
        "load_metric",
        "hub.load",
        "tfds",
        "tensorflow_datasets",
        "torchvision",
        "torchaudio",
        "torchtext",
        "fetch_openml",
        "kagglehub",
        "pooch",
        "://",
        "read_csv",
        "read_json",
        "read_parquet",
        "scan_",
        "nltk",
        "use_artifact",
        "use_model",
        "mlflow",
        "dvc",
        "boto3",
        "roboflow",
        "comet_ml",
        "HfFileSystem",
        "S3FileSystem",
        "GCSFileSystem",
        "google",
        "_REVISION",
        "source=",
        "MsDataset",
        "Dataset.get",
        "dataset_name",
        "model_name_or_path",
        "hf_repo",
        "DATASET_PATH",
        "base_model",
        "revision",
        "subprocess",
        "os.system",
    ])
    .expect("the words are constants")
});

/// A Python file.
pub(super) fn file(code: &Passage<'_>, out: &mut Collector) {
    if !NEEDLES.is_match(code.text()) {
        return;
    }
    read(code, true, out);
}

/// A block of Python in something else. Such blocks are often only half a program, so that what is broken is no news.
pub(super) fn find(code: &Passage<'_>, out: &mut Collector) {
    if NEEDLES.is_match(code.text()) {
        read(code, false, out);
    }
}

#[cfg(feature = "python")]
fn read(code: &Passage<'_>, whole: bool, out: &mut Collector) {
    if !guard::is_shallow(code.text()) {
        if whole {
            out.unread("is nested too deeply to be read as Python".into());
        }
        return;
    }
    let broken = walk::find(code, out);
    if let Some(reason) =
        broken.filter(|_| whole && !code.text().contains("{{") && may_name_something(code.text().as_bytes()))
    {
        out.unread(format!("is not valid Python: {reason}"));
    }
}

#[cfg(not(feature = "python"))]
fn read(_: &Passage<'_>, whole: bool, out: &mut Collector) {
    if whole {
        out.unread("this build does not read Python".into());
    }
}
