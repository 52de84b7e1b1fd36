//! What an address leads to, and how firmly: hubs, raw files of code hosts, archives, buckets, releases.

use self::forge::{archive, git_file, github};
use self::hub::{hub_page, hub_uri, modelscope};
use self::located::split;
use self::store::bucket;
use super::endings::{has_data_ending, is_no_data};
use super::pin::is_commit;
use super::spelling::{is_dynamic, is_placeholder};
use crate::format::Verdict;

mod forge;
mod hub;
mod located;
mod store;

pub(super) use self::located::{Asked, Located};

/// The fix for an address that is not pinned.
pub(super) fn fix(hub: &str) -> String {
    match hub {
        "github" | "gitlab" => "Name the full 40-digit commit in the address instead of a branch or a tag.",
        "s3" | "gcs" | "azure" => {
            "Switch on versioning of the bucket, name the version in the address and lock the content with `foretaste lock`."
        }
        _ => "Put the data into the repository, or keep a copy that is locked with `foretaste lock`: this address can change what it serves.",
    }
    .to_owned()
}

/// Judges an address; `None` for what is no address.
pub(super) fn locate(url: &str, asked: Asked) -> Option<Located> {
    let parts = split(url)?;
    let scheme = parts.scheme.to_ascii_lowercase();
    let host = parts.host.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let segments: Vec<&str> = parts.path.split('/').filter(|s| !s.is_empty()).collect();
    let whole = |hub, pin: Option<String>, verdict| Located { hub, target: url.to_owned(), kind: None, pin, verdict };
    let nothing = || Some(whole("url", None, Verdict::NotADataset));
    match scheme.as_str() {
        "http" | "https" | "ftp" | "git+https" | "git+http" => {}
        "hf" => return Some(hub_uri(&url[5..])),
        "file" => return Some(whole("local", None, Verdict::Local)),
        "s3" | "s3a" | "s3n" => return Some(bucket("s3", url, &parts)),
        "gs" | "gcs" => return Some(bucket("gcs", url, &parts)),
        "az" | "abfs" | "abfss" | "wasb" | "wasbs" | "adl" => return Some(bucket("azure", url, &parts)),
        "oci" | "oss" | "cos" | "obs" | "r2" | "hdfs" | "tos" => return Some(bucket("bucket", url, &parts)),
        "lakefs" => {
            let pin = segments.first().map(|s| (*s).to_owned());
            let firm = pin.as_deref().is_some_and(|pin| pin.len() == 64 && pin.bytes().all(|b| b.is_ascii_hexdigit()));
            return Some(whole("lakefs", pin, if firm { Verdict::Pinned } else { Verdict::Unpinned }));
        }
        "ssh" | "git" | "git+ssh" => return Some(whole("git", None, Verdict::Unpinned)),
        _ => return nothing(),
    }
    if is_dynamic(url) {
        return Some(whole("url", None, Verdict::Dynamic));
    }
    let name = segments.last().copied().unwrap_or("");
    if is_nowhere(host) || is_no_data(name) || is_placeholder(url) {
        return nothing();
    }
    match host {
        "huggingface.co" | "hf.co" | "hf-mirror.com" => return Some(hub_page(url, &segments, asked)),
        "modelscope.cn" | "modelscope.ai" => return Some(modelscope(url, &segments, asked)),
        "raw.githubusercontent.com" => return Some(git_file("github", url, &segments, 2, asked)),
        "media.githubusercontent.com" => return Some(git_file("github", url, &segments, 3, asked)),
        "github.com" => return Some(github(url, &segments, asked)),
        "codeload.github.com" => {
            let revision = segments.get(3..).map(|s| s.join("/")).unwrap_or_default();
            return Some(archive(url, &revision, asked));
        }
        "gist.githubusercontent.com" | "gist.github.com" => {
            let pin = segments.iter().position(|s| *s == "raw").and_then(|at| segments.get(at + 1));
            let pin = pin.filter(|s| is_commit(s)).map(|s| (*s).to_owned());
            let verdict = if pin.is_some() { Verdict::Pinned } else { Verdict::Unpinned };
            return Some(if asked.wants(parts.path) {
                whole("github", pin, verdict)
            } else {
                whole("github", None, Verdict::NotADataset)
            });
        }
        "zenodo.org" | "sandbox.zenodo.org" => {
            let file = segments.contains(&"files") || asked == Asked::Data;
            return Some(whole("zenodo", None, if file { Verdict::Weak } else { Verdict::NotADataset }));
        }
        "doi.org" | "dx.doi.org" => {
            let data = asked == Asked::Data;
            return Some(whole("url", None, if data { Verdict::Weak } else { Verdict::NotADataset }));
        }
        "figshare.com" | "ndownloader.figshare.com" | "api.figshare.com" | "springernature.figshare.com" => {
            let digits = |s: &&str| s.bytes().all(|b| b.is_ascii_digit());
            let versioned = segments.iter().rev().take_while(|s| digits(s)).count() >= 2 || segments.contains(&"files");
            let data =
                asked == Asked::Data || ["files", "ndownloader", "dataset"].iter().any(|word| segments.contains(word));
            let verdict = match (data, versioned) {
                (false, _) => Verdict::NotADataset,
                (true, true) => Verdict::Weak,
                (true, false) => Verdict::Unpinned,
            };
            return Some(whole("figshare", None, verdict));
        }
        "drive.google.com" | "docs.google.com" | "drive.usercontent.google.com" => {
            let file = segments.contains(&"uc")
                || segments.contains(&"d")
                || segments.contains(&"folders")
                || segments.contains(&"download");
            let data = asked == Asked::Data
                || (file && !segments.iter().any(|s| ["document", "presentation", "forms"].contains(s)));
            return Some(whole("gdrive", None, if data { Verdict::Unpinned } else { Verdict::NotADataset }));
        }
        "dropbox.com" | "dl.dropboxusercontent.com" => return Some(whole("dropbox", None, Verdict::Unpinned)),
        "kaggle.com" if segments.contains(&"download") => return Some(whole("kaggle", None, Verdict::Unpinned)),
        "web.archive.org" => {
            let stamped =
                segments.get(1).is_some_and(|s| s.len() >= 14 && s.as_bytes()[..14].iter().all(u8::is_ascii_digit));
            let verdict = match (asked == Asked::Data || has_data_ending(name), stamped) {
                (false, _) => Verdict::NotADataset,
                (true, true) => Verdict::Weak,
                (true, false) => Verdict::Unpinned,
            };
            return Some(whole("url", None, verdict));
        }
        "data.commoncrawl.org" | "commoncrawl.s3.amazonaws.com" => {
            let crawl = segments.iter().find(|s| s.starts_with("CC-MAIN-"));
            let verdict = if crawl.is_some() { Verdict::Weak } else { Verdict::Unpinned };
            return Some(whole("commoncrawl", crawl.map(|s| (*s).to_owned()), verdict));
        }
        _ => {}
    }
    if let Some(at) = segments.iter().position(|s| *s == "-") {
        // GitLab, on any host.
        if matches!(segments.get(at + 1), Some(&("raw" | "blob"))) {
            return Some(git_file("gitlab", url, &segments, at + 2, asked));
        }
        if segments.get(at + 1) == Some(&"archive") {
            return Some(archive(url, segments.get(at + 2).unwrap_or(&""), asked));
        }
    }
    let store = if host.ends_with(".amazonaws.com") && (host.contains(".s3") || host.starts_with("s3")) {
        Some("s3")
    } else if host == "storage.googleapis.com"
        || host == "storage.cloud.google.com"
        || host.ends_with(".storage.googleapis.com")
    {
        Some("gcs")
    } else if host.ends_with(".blob.core.windows.net") {
        Some("azure")
    } else {
        None
    };
    if let Some(hub) = store {
        let mut found = bucket(hub, url, &parts);
        if asked == Asked::Any && !has_data_ending(name) {
            found.verdict = Verdict::NotADataset;
        }
        return Some(found);
    }
    let server = host.starts_with("api.") || segments.first() == Some(&"api") || host.starts_with("datasets-server.");
    match asked {
        Asked::Data if !server => Some(whole("url", None, Verdict::Unpinned)),
        Asked::Any if !server && asked.wants(parts.path) => Some(whole("url", None, Verdict::Unpinned)),
        _ => nothing(),
    }
}

fn is_nowhere(host: &str) -> bool {
    host.is_empty()
        || matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "example.com" | "example.org" | "example.net")
        || !host.contains('.')
        || host.ends_with(".local")
        || host.ends_with(".example")
        || host.ends_with(".example.com")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn judged(url: &str, asked: Asked) -> String {
        locate(url, asked).map_or("none".into(), |found| {
            format!("{} {} {} {}", found.verdict.as_str(), found.hub, found.pin.unwrap_or_default(), found.target)
        })
    }

    #[test]
    fn every_row_of_the_table_has_its_verdict() {
        for (url, expected) in [
            ("https://huggingface.co/datasets/o/n/resolve/SHA/x.parquet", "pinned huggingface SHA o/n"),
            ("https://huggingface.co/datasets/o/n/resolve/main/x.parquet", "unpinned huggingface main o/n"),
            ("https://huggingface.co/datasets/o/n/resolve/v1.0/x.parquet", "weak huggingface v1.0 o/n"),
            (
                "https://huggingface.co/datasets/o/n/resolve/refs%2Fconvert%2Fparquet/x.parquet",
                "unpinned huggingface refs/convert/parquet o/n",
            ),
            ("https://huggingface.co/datasets/o/n/resolve/refs/pr/3/x.parquet", "unpinned huggingface refs/pr/3 o/n"),
            ("https://huggingface.co/datasets/squad/raw/main/train.json", "unpinned huggingface main squad"),
            ("https://huggingface.co/o/n/resolve/main/model.safetensors", "unpinned huggingface main o/n"),
            ("hf://datasets/o/n@SHA/data/*.parquet", "pinned huggingface SHA o/n"),
            ("hf://datasets/o/n@refs/convert/parquet/x.parquet", "unpinned huggingface refs/convert/parquet o/n"),
            ("hf://datasets/o/n/x.parquet", "unpinned huggingface  o/n"),
            ("https://raw.githubusercontent.com/o/r/SHA/data/x.csv", "pinned github SHA"),
            ("https://raw.githubusercontent.com/o/r/v1.0/data/x.csv", "weak github v1.0"),
            ("https://raw.githubusercontent.com/o/r/master/data/x.csv", "unpinned github master"),
            ("https://raw.githubusercontent.com/o/r/refs/heads/main/x.csv", "unpinned github refs/heads/main"),
            ("https://github.com/o/r/raw/main/x.csv", "unpinned github main"),
            ("https://github.com/o/r/blob/main/x.csv?raw=true", "unpinned github main"),
            ("https://gitlab.com/o/r/-/raw/main/x.csv", "unpinned gitlab main"),
            ("https://gitlab.com/o/r/-/raw/SHA/x.csv", "pinned gitlab SHA"),
            ("https://github.com/o/dataset/archive/SHA.zip", "pinned github SHA"),
            ("https://github.com/o/dataset/archive/refs/tags/v1.zip", "weak github refs/tags/v1"),
            ("https://github.com/o/dataset/archive/refs/heads/main.zip", "unpinned github refs/heads/main"),
            ("https://codeload.github.com/o/dataset/tar.gz/refs/tags/v1", "weak github refs/tags/v1"),
            ("https://github.com/o/r/releases/download/v1/train.jsonl.gz", "weak github v1"),
            ("https://github.com/o/r/releases/latest/download/train.jsonl.gz", "unpinned github "),
            ("https://gist.githubusercontent.com/u/0123456789abcdef01234567/raw/SHA/x.csv", "pinned github SHA"),
            ("https://gist.githubusercontent.com/u/0123456789abcdef01234567/raw/x.csv", "unpinned github "),
            ("https://zenodo.org/records/123/files/x.zip", "weak zenodo "),
            ("https://figshare.com/ndownloader/articles/123/2", "weak figshare "),
            ("s3://bucket/key?versionId=abc", "pinned s3 abc"),
            ("s3://bucket/latest/x.csv", "unpinned s3 "),
            ("gs://bucket/key#123", "pinned gcs 123"),
            ("gs://bucket/key", "unpinned gcs "),
            ("https://bucket.s3.amazonaws.com/x.csv", "unpinned s3 "),
            ("https://storage.googleapis.com/b/x.csv?generation=7", "pinned gcs 7"),
            ("https://a.blob.core.windows.net/b/x.csv?versionid=7", "pinned azure 7"),
            ("https://drive.google.com/uc?id=abc", "unpinned gdrive "),
            ("https://www.dropbox.com/s/abc/x.zip?dl=1", "unpinned dropbox "),
            ("https://modelscope.cn/datasets/o/n/resolve/master/x.csv", "unpinned modelscope master o/n"),
            (
                "https://data.commoncrawl.org/crawl-data/CC-MAIN-2026-40/warc.paths.gz",
                "weak commoncrawl CC-MAIN-2026-40",
            ),
            ("https://web.archive.org/web/20200101000000/http://x.org/d.csv", "weak url "),
            ("https://data.acme.org/x.csv", "unpinned url "),
            ("file:///data/x.csv", "local local "),
            ("https://huggingface.co/datasets/o/n/resolve/main/figure.png", "not-a-dataset"),
            ("https://huggingface.co/docs/trl/index", "not-a-dataset"),
            ("https://huggingface.co/datasets/o/n", "not-a-dataset"),
            ("https://huggingface.co/o/n/blob/main/train.py", "not-a-dataset"),
            ("https://raw.githubusercontent.com/o/r/SHA/logo.svg", "not-a-dataset"),
            ("https://raw.githubusercontent.com/o/r/main/requirements.txt", "not-a-dataset"),
            ("https://github.com/o/r", "not-a-dataset"),
            ("https://github.com/o/tool/archive/main.zip", "not-a-dataset"),
            ("https://datasets-server.huggingface.co/rows?dataset=x", "not-a-dataset"),
            ("https://api.example.io/v1/data.json", "not-a-dataset"),
            ("http://localhost:8000/x.csv", "not-a-dataset"),
            ("https://example.com/data.csv", "not-a-dataset"),
            ("az://", "not-a-dataset"),
            ("s3://my-bucket/train.csv", "not-a-dataset"),
            ("https://ci.acme.org/hf-cache.tar.zst", "unpinned url"),
            ("org/name", "none"),
        ] {
            let expected = expected.replace("SHA", SHA);
            let found = judged(&url.replace("SHA", SHA), Asked::Any);
            assert!(found.starts_with(&expected), "{url}: {found}, expected {expected}");
        }
    }

    #[test]
    fn what_a_loader_is_given_is_data() {
        for (url, expected) in [
            ("https://huggingface.co/datasets/o/n", "unpinned huggingface  o/n"),
            ("https://data.acme.org/export?format=7", "unpinned url"),
            ("https://raw.githubusercontent.com/o/r/main/anything", "unpinned github main"),
        ] {
            assert!(judged(url, Asked::Data).starts_with(expected), "{url}: {}", judged(url, Asked::Data));
        }
    }

    proptest! {
        #[test]
        fn any_address_is_judged_without_panic(url in r"(https?|s3|gs|hf|file)://[a-z.@:]{0,20}(/(datasets|resolve|refs|raw|-|%2|[a-z%.@#?=\u{e9}]{0,6})){0,6}") {
            locate(&url, Asked::Any);
            locate(&url, Asked::Data);
        }
    }
}
