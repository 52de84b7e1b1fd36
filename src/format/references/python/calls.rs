//! The calls that load datasets, models, metrics and files, matched on their last name.

use ruff_python_ast::ExprCall;

use self::family::{Family, HUB};
use super::reader::Reader;
use super::scope::text_of;
use crate::format::Target;
use crate::format::references::verdict::Way;

mod family;
mod files;
mod hub;
mod registries;
mod stores;

impl<'a> Reader<'a, '_> {
    /// Looks a call up and takes what it names.
    pub(super) fn call(&mut self, call: &'a ExprCall) {
        let dotted = self.world.dotted(&call.func);
        let (before, last) = dotted.rsplit_once('.').unwrap_or(("", &dotted));
        match last {
            "load_dataset"
            | "load_dataset_builder"
            | "get_dataset_config_names"
            | "get_dataset_split_names"
            | "get_dataset_infos"
            | "get_dataset_config_info"
            | "get_dataset_default_config_name" => self.load_dataset(call, before, last),
            "load_from_disk" => self.load_from_disk(call),
            "snapshot_download" | "hf_hub_download" | "hf_hub_url" | "dataset_info" => {
                self.hub_download(call, before, last)
            }
            "from_pretrained" => self.pretrained(call, before),
            "pipeline" => self.family(
                call,
                &Family {
                    kind: Target::Model,
                    names: &["model"],
                    place: Some(1),
                    framework: "transformers",
                    single: true,
                    dynamic: false,
                    ..HUB
                },
                last,
            ),
            "SentenceTransformer" | "CrossEncoder" | "SparseEncoder" => {
                let names = &["model_name_or_path", "model_name"];
                self.family(
                    call,
                    &Family { kind: Target::Model, names, framework: "sentence-transformers", ..HUB },
                    last,
                );
            }
            "LLM" | "AsyncLLM" | "EngineArgs" | "AsyncEngineArgs" => {
                self.family(
                    call,
                    &Family {
                        kind: Target::Model,
                        names: &["model"],
                        framework: "vllm",
                        single: false,
                        dynamic: false,
                        ..HUB
                    },
                    last,
                );
            }
            "load_metric" => self.family(call, &Family { kind: Target::Code, framework: "datasets", ..HUB }, last),
            "load" if before == "evaluate" => {
                self.family(call, &Family { kind: Target::Code, framework: "evaluate", ..HUB }, "evaluate.load")
            }
            "load" if before == "torch.hub" || before == "hub" && self.world.uses("torch") => self.torch_hub(call),
            "load" | "builder" if before == "tensorflow_datasets" || before == "tfds" => self.tfds(call),
            "load" if before.ends_with("MsDataset") => {
                let names = &["dataset_name"];
                let way = Way::Argument("version");
                self.family(
                    call,
                    &Family {
                        names,
                        pins: &["version", "revision"],
                        framework: "modelscope",
                        hub: "modelscope",
                        way,
                        ..HUB
                    },
                    "MsDataset.load",
                );
            }
            "get" if before.ends_with("Dataset") && self.world.uses("clearml") => self.clearml(call),
            "fetch_openml" => self.openml(call),
            "dataset_download" | "model_download" if before.ends_with("kagglehub") => self.kagglehub(call, last),
            "retrieve" if before == "pooch" => self.hashed(call, "known_hash", "pooch"),
            "create" if before == "pooch" => self.pooch(call),
            "get_file" => self.hashed(call, "file_hash", "keras"),
            "read_csv" | "read_json" | "read_parquet" | "read_table" | "read_feather" | "read_excel"
            | "read_pickle" | "read_ndjson" | "scan_csv" | "scan_parquet" | "scan_ndjson" | "read_orc" | "read_ipc" => {
                self.read(call, last)
            }
            "get" | "stream" if matches!(before, "requests" | "httpx") => self.fetch(call, last),
            "urlopen" | "urlretrieve" => self.fetch(call, last),
            "download" if matches!(before, "wget" | "gdown") => self.fetch(call, last),
            "open" if before == "fsspec" => self.fetch(call, last),
            "download" if before == "nltk" => self.nltk(call),
            "use_artifact" | "use_model" => self.wandb(call, last),
            "load_model" if before.contains("mlflow") => self.mlflow(call),
            "read" | "open" | "get_url" if before == "dvc.api" => self.dvc(call, last),
            "get_object" | "download_file" | "download_fileobj" if self.world.uses("boto3") => self.boto(call, last),
            "blob" if self.world.uses("google") => self.google(call),
            "version" if self.world.uses("roboflow") => self.roboflow(call),
            "get_artifact" if self.world.uses("comet_ml") => self.comet(call),
            "sql" | "query" | "execute" if self.world.uses("duckdb") => self.duckdb(call),
            "add_argument" | "option" | "Option" | "Argument" => self.flag_default(call),
            "system" | "popen" if before == "os" => self.shell(call),
            "run" | "call" | "check_call" | "check_output" | "Popen" | "getoutput" if before == "subprocess" => {
                self.shell(call)
            }
            _ if last.ends_with("Trainer") => self.trainer(call, last),
            "open" | "get" | "download" | "cat" | "cat_file" | "read_text" | "read_bytes" | "glob" => {
                self.filesystem(call, last)
            }
            _ => {
                if ["torchvision.datasets", "torchaudio.datasets", "torchtext.datasets"]
                    .iter()
                    .any(|package| before.starts_with(package))
                {
                    self.packaged(call, last);
                }
            }
        }
    }

    /// `add_argument("--dataset_name", default="owner/name")`.
    fn flag_default(&mut self, call: &'a ExprCall) {
        let Some(keyword) = call.arguments.find_keyword("default") else { return };
        for arg in &call.arguments.args {
            if let Some((text, _)) = text_of(arg).filter(|(text, _)| text.starts_with("--")) {
                let name = text[2..].replace('-', "_");
                self.setting(&name, &keyword.value);
                self.revision(&name, &keyword.value);
            }
        }
    }
}
