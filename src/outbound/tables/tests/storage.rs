//! Tests of the files of tables on a server with the API of Amazon S3.

use super::http::{Answer, Request, serve};
use crate::lock::Lock;
use crate::options::Secret;
use crate::outbound::buckets::{Buckets, S3Endpoint};
use crate::outbound::s3_files::S3Files;
use crate::outbound::tables::storage::TableFiles;
use crate::world::Clock;
use bytes::Bytes;
use iceberg::io::{FileIO, FileIOBuilder};
use std::collections::BTreeMap;
use std::sync::Arc;

type Objects = Arc<Lock<BTreeMap<String, Vec<u8>>>>;

/// Answers as a server with the API of Amazon S3 does. The bucket `broken` answers with errors.
fn answer(objects: &Objects, request: Request) -> Answer {
    let mut objects = objects.lock();
    if request.path.starts_with("/broken/") {
        return Some((500, b"InternalError".to_vec()));
    }
    match request.method.as_str() {
        "PUT" => {
            objects.insert(request.path, request.body);
            Some((200, Vec::new()))
        }
        "DELETE" => {
            objects.remove(&request.path);
            Some((204, Vec::new()))
        }
        _ => {
            let Some(object) = objects.get(&request.path) else {
                return Some((404, b"NoSuchKey".to_vec()));
            };
            let range = request.range.map(|range| {
                let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
                Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
            });
            match range {
                Some(range) => {
                    let (first, last) = range.unwrap();
                    Some((206, object[first..=last].to_vec()))
                }
                None => Some((200, object.clone())),
            }
        }
    }
}

fn files(url: String) -> FileIO {
    let endpoint = S3Endpoint {
        url,
        ca: None,
        credential: Secret::from("key:secret"),
        region: "us-east-1".to_owned(),
        path_style: true,
    };
    let buckets = Buckets::server(endpoint, &Clock::System).unwrap();
    let server = buckets.as_server().cloned().map(S3Files);
    FileIOBuilder::new(Arc::new(TableFiles::new(server))).build()
}

#[tokio::test]
async fn objects_are_written_read_and_deleted() {
    let objects = Objects::default();
    let held = objects.clone();
    let files = files(serve(move |request| answer(&objects, request)));
    let url = "s3://bucket/tables/orders/data/at hour=1/x.parquet";
    let path = "/bucket/tables/orders/data/at%20hour%3D1/x.parquet";
    assert!(!files.exists(url).await.unwrap());
    let input = files.new_input(url).unwrap();
    assert!(input.metadata().await.is_err());
    assert!(input.read().await.unwrap_err().to_string().contains("404"));

    let output = files.new_output(url).unwrap();
    let mut writer = output.writer().await.unwrap();
    for part in ["one", "two"] {
        writer.write(Bytes::from(part)).await.unwrap();
    }
    assert!(held.lock().is_empty(), "an unfinished file is not there");
    writer.close().await.unwrap();
    assert_eq!(held.lock()[path], b"onetwo");
    assert!(files.exists(url).await.unwrap());
    assert_eq!(input.metadata().await.unwrap().size, 6);
    assert_eq!(input.read().await.unwrap(), "onetwo");
    let reader = input.reader().await.unwrap();
    assert_eq!(reader.read(2..5).await.unwrap(), "etw");

    output.write(Bytes::from("new")).await.unwrap();
    assert_eq!(held.lock()[path], b"new");
    files.delete(url).await.unwrap();
    files.delete(url).await.unwrap();
    assert!(held.lock().is_empty());
    for broken in ["s3://broken/x", "s3a://broken/x"] {
        assert!(files.exists(broken).await.is_err());
        assert!(files.delete(broken).await.is_err());
        let output = files.new_output(broken).unwrap();
        assert!(output.write(Bytes::from("x")).await.is_err());
    }
}

#[tokio::test]
async fn local_files_need_no_server() {
    let home = tempfile::tempdir().unwrap();
    let files = FileIOBuilder::new(Arc::new(TableFiles::new(None))).build();
    let url = format!("file://{}/x/y", home.path().display());
    let output = files.new_output(&url).unwrap();
    output.write(Bytes::from("local")).await.unwrap();
    assert_eq!(
        files.new_input(&url).unwrap().read().await.unwrap(),
        "local"
    );
    assert!(files.exists(&url).await.unwrap());
    files.delete(&url).await.unwrap();
    assert!(!files.exists(&url).await.unwrap());
    let error = files.exists("s3://bucket/x").await.unwrap_err();
    assert!(
        error.to_string().contains("no S3 endpoint is configured"),
        "{error}"
    );
}
