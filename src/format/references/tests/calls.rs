//! Calls and shapes of Python.

use super::{check, table};

#[test]
fn python_calls() {
    check(
        "train.py",
        r#"
"""load_dataset("doc/string")"""
from datasets import load_dataset as ld
import pandas as pd
# load_dataset("in/comment")
NAME = "acme/constant"
class C:
    PATH = "acme/attribute"
    def f(self):
        return ld(self.PATH, revision=self.revision)
ld("acme/plain")
ld("acme/main", revision="main")
ld("acme/pinned", "config", split="train", revision="SHA")
ld(NAME, revision=None)
ld("acme/kwargs", **extra)
ld(args.dataset_name, trust_remote_code=True)
ld("json", data_files={"train": ["a.jsonl", "https://huggingface.co/datasets/acme/url/resolve/main/x.json"]})
ld(f"acme/{name}")
for each in ["acme/first", "acme/second"]:
    ld(each)
pd.read_csv("data/local.csv")
pd.read_csv("hf://datasets/acme/csv@SHA/x.csv")
"#,
        &[
            "unpinned dataset huggingface:acme/constant",
            "dynamic dataset huggingface:acme/attribute",
            "unpinned dataset huggingface:acme/plain",
            "unpinned dataset huggingface:acme/main@main",
            "pinned dataset huggingface:acme/pinned@SHA",
            "dynamic dataset huggingface:acme/kwargs",
            "dynamic dataset python:args.dataset_name remote-code",
            "local url-data local:a.jsonl",
            "unpinned dataset huggingface:acme/url@main",
            "dynamic dataset python:f\"acme/{name}\"",
            "unpinned dataset huggingface:acme/first",
            "unpinned dataset huggingface:acme/second",
            "local url-data local:data/local.csv",
            "pinned dataset huggingface:acme/csv@SHA",
        ],
    );
    check(
        "models.py",
        r#"
import evaluate, torch
import tensorflow_datasets as tfds
from peft import PeftModel
model = AutoModel.from_pretrained("acme/model", trust_remote_code=True)
model = AutoModel.from_pretrained("acme/weak", revision="v1.0")
PeftModel.from_pretrained(model, "acme/adapter")
model.save_pretrained("trained")
AutoModel.from_pretrained("trained")
pipeline("text-generation", model="acme/pipe")
SentenceTransformer("all-MiniLM-L6-v2")
SFTTrainer(model="acme/sft", args=SFTConfig(model_init_kwargs={"revision": "SHA"}))
evaluate.load("accuracy")
torch.hub.load("pytorch/vision:main", "x")
tfds.load("mnist:3.0.1")
tfds.load("mnist")
snapshot_download("acme/set", repo_type="dataset", revision="SHA")
nltk.download("punkt")
"#,
        &[
            "unpinned model huggingface:acme/model remote-code",
            "weak model huggingface:acme/weak@v1.0",
            "unpinned model huggingface:acme/adapter",
            "local model local:trained",
            "unpinned model huggingface:acme/pipe",
            "unpinned model huggingface:all-MiniLM-L6-v2",
            "pinned model huggingface:acme/sft@SHA",
            "unpinned code huggingface:accuracy",
            "unpinned code github:pytorch/vision@main",
            "pinned dataset tfds:mnist@3.0.1",
            "unpinned dataset tfds:mnist",
            "pinned dataset huggingface:acme/set@SHA",
            "unpinned dataset nltk:punkt",
        ],
    );
    check(
        "shapes.py",
        r#"
metadata = TaskMetadata(dataset={"path": "mteb/x", "revision": "d05c1cb"})
task = LightevalTaskConfig(hf_repo="acme/set", hf_revision="SHA")
parser.add_argument("--dataset_name", default="acme/default")
class Args:
    model_name_or_path: str = field(default="acme/field")
cfg = DictDefault({"base_model": "acme/base", "datasets": [{"path": "acme/dict", "type": "alpaca"}], "adapter": "lora"})
URL = "https://raw.githubusercontent.com/o/r/master/data/train.csv"
LOGO = "https://raw.githubusercontent.com/o/r/master/logo.png"
if "https://data.acme.org/x.csv" in seen: pass
subprocess.run(["hf", "download", "acme/cli", "--repo-type", "dataset"])
os.system("wget https://data.acme.org/y.csv")
def fetch():
    data = requests.get("https://data.acme.org/z.csv").content
    assert hashlib.sha256(data).hexdigest() == EXPECTED
"#,
        &[
            "weak dataset huggingface:mteb/x@d05c1cb",
            "pinned dataset huggingface:acme/set@SHA",
            "unpinned dataset huggingface:acme/default",
            "unpinned model huggingface:acme/field",
            "unpinned model huggingface:acme/base",
            "unpinned dataset huggingface:acme/dict",
            "unpinned url-data github:https://raw.githubusercontent.com/o/r/master/data/train.csv@master",
            "unpinned dataset huggingface:acme/cli",
            "unpinned url-data url:https://data.acme.org/y.csv",
            "pinned url-data url:https://data.acme.org/z.csv@a compared SHA-256",
        ],
    );
}

#[test]
fn every_call_that_loads_has_its_verdicts() {
    table(&[
        // Datasets of the hub.
        ("a.py", "load_dataset('acme/a', revision='SHA')", &["pinned dataset huggingface:acme/a@SHA"]),
        ("a.py", "load_dataset(path='acme/a')", &["unpinned dataset huggingface:acme/a"]),
        ("a.py", "datasets.load_dataset_builder('acme/a')", &["unpinned dataset huggingface:acme/a"]),
        ("a.py", "get_dataset_config_names('acme/a')", &["unpinned dataset huggingface:acme/a"]),
        ("a.py", "get_dataset_split_names('acme/a')", &["unpinned dataset huggingface:acme/a"]),
        ("a.py", "get_dataset_infos('acme/a', revision='SHA')", &["pinned dataset huggingface:acme/a@SHA"]),
        ("a.py", "load_dataset('squad')", &["unpinned dataset huggingface:squad"]),
        (
            "a.py",
            "load_dataset('acme/a', revision='refs/convert/parquet')",
            &["unpinned dataset huggingface:acme/a@refs/convert/parquet"],
        ),
        ("a.py", "load_dataset('acme/a', revision='6299b5a')", &["weak dataset huggingface:acme/a@6299b5a"]),
        ("a.py", "load_dataset('acme/a', **kwargs)", &["dynamic dataset huggingface:acme/a"]),
        ("a.py", "load_dataset(args.dataset_name, args.config)", &["dynamic dataset python:args.dataset_name"]),
        // Builders: what they read is judged.
        (
            "a.py",
            "load_dataset('csv', data_files='https://data.acme.org/a.csv')",
            &["unpinned url-data url:https://data.acme.org/a.csv"],
        ),
        (
            "a.py",
            "load_dataset('parquet', data_files='hf://datasets/acme/a@SHA/**/*.parquet')",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        ("a.py", "load_dataset('json', data_dir='s3://bucket/a')", &["unpinned url-data s3:s3://bucket/a"]),
        (
            "a.py",
            "load_dataset('json', data_files='gs://bucket/a.jsonl#7')",
            &["pinned url-data gcs:gs://bucket/a.jsonl#7@7"],
        ),
        ("a.py", "load_dataset('json', data_files='data/a.jsonl')", &["local url-data local:data/a.jsonl"]),
        ("a.py", "load_from_disk('data/a')", &["local dataset local:data/a"]),
        // Files and models of the hub.
        ("a.py", "snapshot_download(repo_id='acme/a')", &["unpinned model huggingface:acme/a"]),
        (
            "a.py",
            "snapshot_download('acme/a', repo_type='dataset', revision='SHA')",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        ("a.py", "hf_hub_download('acme/a', 'x.json', repo_type='dataset')", &["unpinned dataset huggingface:acme/a"]),
        (
            "a.py",
            "hf_hub_url(repo_id='acme/a', filename='x', revision='main')",
            &["unpinned model huggingface:acme/a@main"],
        ),
        ("a.py", "HfApi().dataset_info('acme/a')", &["unpinned dataset huggingface:acme/a"]),
        (
            "a.py",
            "fs = HfFileSystem()\nfs.open('datasets/acme/a/x.csv')\nfs.open('datasets/acme/b@SHA/x.csv')",
            &["unpinned dataset huggingface:acme/a", "pinned dataset huggingface:acme/b@SHA"],
        ),
        ("a.py", "AutoModel.from_pretrained('acme/m', revision='SHA')", &["pinned model huggingface:acme/m@SHA"]),
        ("a.py", "pipeline('text-generation', model='acme/m')", &["unpinned model huggingface:acme/m"]),
        ("a.py", "CrossEncoder('acme/m')", &["unpinned model huggingface:acme/m"]),
        ("a.py", "LLM(model='acme/m', revision='SHA')", &["pinned model huggingface:acme/m@SHA"]),
        ("a.py", "DPOTrainer(model='acme/m')", &["unpinned model huggingface:acme/m"]),
        (
            "a.py",
            "GRPOTrainer('acme/m', args=GRPOConfig(model_init_kwargs={'revision': 'SHA'}))",
            &["pinned model huggingface:acme/m@SHA"],
        ),
        ("a.py", "evaluate.load('accuracy', revision='SHA')", &["pinned code huggingface:accuracy@SHA"]),
        ("a.py", "load_metric('glue')", &["unpinned code huggingface:glue"]),
        (
            "a.py",
            "load_dataset('acme/a', revision='SHA', trust_remote_code=True)",
            &["pinned dataset huggingface:acme/a@SHA remote-code"],
        ),
        // Code hosts, catalogues and libraries.
        ("a.py", "torch.hub.load('acme/code', 'model')", &["unpinned code github:acme/code"]),
        ("a.py", "torch.hub.load('acme/code:SHA', 'model')", &["pinned code github:acme/code@SHA"]),
        (
            "a.py",
            "import tensorflow_datasets as tfds\ntfds.builder('mnist/x:1.*.*')",
            &["weak dataset tfds:mnist/x@1.*.*"],
        ),
        (
            "a.py",
            "from torchvision import datasets\ndatasets.MNIST('d', download=True)",
            &["weak dataset torchvision:MNIST"],
        ),
        ("a.py", "fetch_openml(name='adult', version='active')", &["unpinned dataset openml:adult"]),
        ("a.py", "fetch_openml(name='adult', version=2)", &["pinned dataset openml:adult"]),
        ("a.py", "kagglehub.dataset_download('acme/a')", &["unpinned dataset kaggle:acme/a"]),
        ("a.py", "kagglehub.dataset_download('acme/a/versions/3')", &["weak dataset kaggle:acme/a@3"]),
        (
            "a.py",
            "pooch.retrieve(url='https://data.acme.org/a.csv', known_hash=None)",
            &["unpinned url-data url:https://data.acme.org/a.csv"],
        ),
        (
            "a.py",
            "pooch.create(path='x', base_url='https://data.acme.org/sets/', registry=None)",
            &["unpinned url-data url:https://data.acme.org/sets/"],
        ),
        (
            "a.py",
            "pooch.create(path='x', base_url='https://data.acme.org/sets/', registry={'a.csv': 'md5:0'})",
            &["weak url-data url:https://data.acme.org/sets/@md5:0"],
        ),
        // Addresses.
        ("a.py", "requests.get('https://data.acme.org/a.csv')", &["unpinned url-data url:https://data.acme.org/a.csv"]),
        ("a.py", "requests.get('https://api.acme.org/v1/me')", &[]),
        (
            "a.py",
            "urllib.request.urlretrieve('https://data.acme.org/a.csv', 'a')",
            &["unpinned url-data url:https://data.acme.org/a.csv"],
        ),
        (
            "a.py",
            "wget.download('https://data.acme.org/a.csv')",
            &["unpinned url-data url:https://data.acme.org/a.csv"],
        ),
        ("a.py", "httpx.get('https://data.acme.org/a.csv')", &["unpinned url-data url:https://data.acme.org/a.csv"]),
        (
            "a.py",
            "gdown.download('https://drive.google.com/uc?id=1')",
            &["unpinned url-data gdrive:https://drive.google.com/uc?id=1"],
        ),
        (
            "a.py",
            "pd.read_parquet('https://data.acme.org/a.parquet')",
            &["unpinned url-data url:https://data.acme.org/a.parquet"],
        ),
        ("a.py", "pl.scan_parquet('hf://datasets/acme/a/x.parquet')", &["unpinned dataset huggingface:acme/a"]),
        (
            "a.py",
            "import duckdb\nduckdb.sql(\"SELECT * FROM 'https://data.acme.org/a.parquet'\")",
            &["unpinned url-data url:https://data.acme.org/a.parquet"],
        ),
        ("a.py", "fsspec.open('s3://bucket/a.csv')", &["unpinned url-data s3:s3://bucket/a.csv"]),
        ("a.py", "URL = 'https://data.acme.org/a.jsonl'", &["unpinned url-data url:https://data.acme.org/a.jsonl"]),
        ("a.py", "nltk.download('punkt')", &["unpinned dataset nltk:punkt"]),
        // Registries.
        ("a.py", "run.use_artifact('e/p/n:latest')", &["unpinned dataset wandb:e/p/n@latest"]),
        ("a.py", "run.use_artifact('e/p/n:v12')", &["weak dataset wandb:e/p/n@v12"]),
        (
            "a.py",
            "run.use_model('e/p/n:0123456789abcdef0123456789abcdef')",
            &["pinned model wandb:e/p/n@0123456789abcdef0123456789abcdef"],
        ),
        ("a.py", "mlflow.pyfunc.load_model('models:/x/Production')", &["unpinned model mlflow:x@Production"]),
        ("a.py", "mlflow.pyfunc.load_model('models:/x@champion')", &["unpinned model mlflow:x@champion"]),
        ("a.py", "mlflow.pyfunc.load_model('models:/x/7')", &["pinned model mlflow:x@7"]),
        (
            "a.py",
            "dvc.api.open('a.csv', repo='https://github.com/o/r')",
            &["unpinned dataset git:https://github.com/o/r"],
        ),
        (
            "a.py",
            "dvc.api.get_url('a.csv', repo='https://github.com/o/r', rev='SHA')",
            &["pinned dataset git:https://github.com/o/r@SHA"],
        ),
        (
            "a.py",
            "import boto3\ns3.download_file('bucket', 'a.csv', 'here')",
            &["unpinned url-data s3:s3://bucket/a.csv"],
        ),
        (
            "a.py",
            "import boto3\ns3.get_object(Bucket='bucket', Key='a.csv', VersionId='v')",
            &["pinned url-data s3:s3://bucket/a.csv"],
        ),
        (
            "a.py",
            "from google.cloud import storage\nstorage.Client().bucket('bucket').blob('a.csv').download_to_filename('x')",
            &["unpinned url-data gcs:gs://bucket/a.csv"],
        ),
        (
            "a.py",
            "from google.cloud import storage\nstorage.Client().bucket('bucket').blob('a.csv', generation=7)",
            &["pinned url-data gcs:gs://bucket/a.csv@7"],
        ),
        (
            "a.py",
            "import s3fs\nfs = s3fs.S3FileSystem()\nfs.open('bucket/a.csv')",
            &["unpinned url-data s3:s3://bucket/a.csv"],
        ),
        (
            "a.py",
            "import gcsfs\nfs = gcsfs.GCSFileSystem()\nfs.get('bucket/a.csv', 'x')",
            &["unpinned url-data gcs:gs://bucket/a.csv"],
        ),
        (
            "a.py",
            "from roboflow import Roboflow\nrf.workspace('w').project('p').version(3).download('coco')",
            &["weak dataset roboflow:w/p@3"],
        ),
        ("a.py", "from roboflow import Roboflow\nproject = rf.workspace('w').project('p')", &[]),
        ("a.py", "from clearml import Dataset\nDataset.get(dataset_name='a')", &["unpinned dataset clearml:a"]),
        ("a.py", "from clearml import Dataset\nDataset.get(dataset_id='a')", &["pinned dataset clearml:a"]),
        ("a.py", "import comet_ml\nexperiment.get_artifact('a', 'w')", &["unpinned dataset comet:w/a"]),
        (
            "a.py",
            "import comet_ml\nexperiment.get_artifact('a', 'w', version_or_alias='1.2.0')",
            &["weak dataset comet:w/a@1.2.0"],
        ),
    ]);
}

#[test]
fn every_shape_that_is_no_call_has_its_verdict() {
    table(&[
        ("a.py", "x = {'path': 'acme/a', 'revision': 'SHA'}", &["pinned dataset huggingface:acme/a@SHA"]),
        (
            "a.py",
            "class T(AbsTask):\n    metadata = M(\n        dataset={\n            'path': 'mteb/x',\n            'revision': 'SHA',\n        })",
            &["pinned dataset huggingface:mteb/x@SHA"],
        ),
        ("a.py", "C(hf_repo='acme/a', hf_revision='main')", &["unpinned dataset huggingface:acme/a@main"]),
        ("a.py", "class A:\n    dataset_name: str = 'acme/a'", &["unpinned dataset huggingface:acme/a"]),
        (
            "a.py",
            "parser.add_argument('--model_name_or_path', default='acme/m')",
            &["unpinned model huggingface:acme/m"],
        ),
        (
            "a.py",
            "def alpaca_dataset(tokenizer, *, source: str = 'acme/a'):\n    return SFTDataset(source=source, split='train')",
            &["unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.py",
            "cleaned_dataset = partial(alpaca_dataset, source='acme/a', revision='SHA')",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        // One default is the root of everything that is loaded through it.
        (
            "a.py",
            "class A:\n    model_revision: str = field(default='main', metadata={})",
            &["unpinned model python:model_revision@main"],
        ),
        (
            "a.py",
            "parser.add_argument('--dataset_revision', default='main')",
            &["unpinned dataset python:dataset_revision@main"],
        ),
        (
            "a.py",
            "DATASET_REVISION = 'main'\nload_dataset(name, revision=DATASET_REVISION)",
            &["unpinned dataset python:DATASET_REVISION@main", "dynamic dataset python:name"],
        ),
        // Told once where what is loaded through it has a name; each such name is a source.
        (
            "a.py",
            "DATASET_REVISION = 'main'\nload_dataset('acme/a', revision=DATASET_REVISION)\n\
             load_dataset('acme/b', revision=DATASET_REVISION)",
            &["unpinned dataset huggingface:acme/a@main", "unpinned dataset huggingface:acme/b@main"],
        ),
        (
            "a.py",
            "DATASET_REVISION = 'main'\nload_dataset('acme/a', revision='SHA')",
            &["unpinned dataset python:DATASET_REVISION@main", "pinned dataset huggingface:acme/a@SHA"],
        ),
        (
            "a.py",
            "class A:\n    model_revision: str = 'SHA'\n    hub_model_revision: str = 'main'\n    revision: str = 'main'",
            &[],
        ),
        ("a.py", "ModelMeta(name='acme/m', revision='1')", &[]),
    ]);
}
