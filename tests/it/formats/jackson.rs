//! Requests as the Java SDKs write them, and other valid CBOR that is not in its shortest form.

use crate::lab::{Lab, SHARD_0, Stream, kinesis_test, wire_test};
use aws_sdk_kinesis::types::ShardIteratorType;
use serde_json::Value;

/// A text with the length in Jackson's form: two bytes from 24 characters on.
fn text(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let head = match bytes.len() {
        0..24 => vec![0x60 + u8::try_from(bytes.len()).unwrap()],
        length => [
            &[0x79],
            u16::try_from(length).unwrap().to_be_bytes().as_slice(),
        ]
        .concat(),
    };
    [&head, bytes].concat()
}

/// A text in chunks.
fn chunked(given: &str, size: usize) -> Vec<u8> {
    let chunks = given.as_bytes().chunks(size);
    let chunks = chunks.map(|chunk| text(std::str::from_utf8(chunk).unwrap()));
    [vec![0x7f], chunks.collect::<Vec<_>>().concat(), vec![0xff]].concat()
}

fn bytes(data: &[u8]) -> Vec<u8> {
    [
        &[0x5a],
        u32::try_from(data.len()).unwrap().to_be_bytes().as_slice(),
        data,
    ]
    .concat()
}

/// Encodes a map of indefinite length.
fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entry = |(name, value): &(&str, Vec<u8>)| [text(name), value.clone()].concat();
    let entries: Vec<u8> = entries.iter().flat_map(entry).collect();
    [vec![0xbf], entries, vec![0xff]].concat()
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [vec![0x9f], items.concat(), vec![0xff]].concat()
}

async fn ok(lab: &Lab, operation: &str, body: &[u8]) -> Value {
    let answer = lab.cbor(operation, body).await;
    assert_eq!(
        answer.status,
        200,
        "{operation} {:02x?}: {}",
        body,
        answer.text()
    );
    if answer.body.is_empty() {
        Value::Null
    } else {
        answer.value()
    }
}

kinesis_test!(a_java_client_creates_writes_and_reads, |lab| async move {
    let name = "a-stream-with-a-name-of-more-than-24-characters";
    let create = map(&[("StreamName", text(name)), ("ShardCount", vec![0x01])]);
    ok(&lab, "CreateStream", &create).await;
    let key = "k".repeat(255);
    let put = map(&[
        ("StreamName", text(name)),
        ("Data", bytes(b"one")),
        ("PartitionKey", text(&key)),
    ]);
    ok(&lab, "PutRecord", &put).await;
    let entry = |data: &[u8]| map(&[("Data", bytes(data)), ("PartitionKey", text("key"))]);
    let puts = map(&[
        (
            "Records",
            list(&[entry(b"two"), entry(b""), entry(&[0xff; 70_000])]),
        ),
        ("StreamName", chunked(name, 7)),
    ]);
    assert_eq!(ok(&lab, "PutRecords", &puts).await["FailedRecordCount"], 0);
    let iterate = map(&[
        ("StreamName", text(name)),
        ("ShardId", text(SHARD_0)),
        ("ShardIteratorType", text("TRIM_HORIZON")),
    ]);
    let iterator = ok(&lab, "GetShardIterator", &iterate).await["ShardIterator"].clone();
    let get = map(&[
        ("ShardIterator", chunked(iterator.as_str().unwrap(), 100)),
        ("Limit", vec![0x19, 0x27, 0x10]),
    ]);
    let got = ok(&lab, "GetRecords", &get).await;
    let records = got["Records"].as_array().unwrap();
    assert_eq!(records.len(), 4);
    assert_eq!(records[0]["PartitionKey"], key);
    let read = Stream::existing(&lab, name).read_all().await;
    let sizes: Vec<_> = read
        .iter()
        .map(|record| record.data.as_ref().len())
        .collect();
    assert_eq!(sizes, [3, 3, 0, 70_000]);
    assert_eq!(read[1].data.as_ref(), b"two");
});

wire_test!(
    tagged_and_untagged_milliseconds_are_the_same_moment_as_seconds_in_json,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        for data in ["0", "1", "2", "3"] {
            stream.put("k", data).await;
            lab.clock.advance(crate::lab::ms(1)).await;
        }
        let at = 1_700_000_000_002_i64.to_be_bytes();
        let iterate = |moment: Vec<u8>| {
            map(&[
                ("StreamName", text("s")),
                ("ShardId", text(SHARD_0)),
                ("ShardIteratorType", text("AT_TIMESTAMP")),
                ("Timestamp", moment),
            ])
        };
        let integer = [&[0x1b], at.as_slice()].concat();
        let float = [&[0xfb], 1_700_000_000_002_f64.to_be_bytes().as_slice()].concat();
        for moment in [
            integer.clone(),
            [vec![0xc1], integer.clone()].concat(),
            [vec![0xc1], float.clone()].concat(),
            float,
        ] {
            let got = ok(&lab, "GetShardIterator", &iterate(moment.clone())).await;
            let iterator = got["ShardIterator"].as_str().unwrap();
            assert_eq!(stream.data(iterator).await, ["2", "3"], "{moment:02x?}");
        }
        assert_eq!(
            stream
                .data(&stream.iterator_at(1_700_000_000_002).await)
                .await,
            ["2", "3"]
        );
    }
);

kinesis_test!(good_cbor_of_any_form_is_taken, |lab| async move {
    let stream = lab.stream("s").create().await;
    let end = stream.iterator(SHARD_0, ShardIteratorType::Latest).await;
    let name = ("StreamName", text("s"));
    let key = ("PartitionKey", text("k"));
    let put = |data: Vec<u8>| map(&[name.clone(), key.clone(), ("Data", data)]);
    let whole = put(bytes(b"data"));
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("bytes", whole.clone()),
        (
            "bytes in chunks",
            put(vec![0x5f, 0x42, b'd', b'a', 0x42, b't', b'a', 0xff]),
        ),
        ("base64 text", put(text("ZGF0YQ=="))),
        ("base64 text in chunks", put(chunked("ZGF0YQ==", 3))),
        (
            "tagged bytes",
            put([vec![0xd8, 0x40], bytes(b"data")].concat()),
        ),
        (
            "a length of eight bytes",
            put([&[0x5b, 0, 0, 0, 0, 0, 0, 0, 4], b"data".as_slice()].concat()),
        ),
        (
            "the tag of CBOR itself",
            [vec![0xd9, 0xd9, 0xf7], whole.clone()].concat(),
        ),
        (
            "bytes behind the end",
            [whole.clone(), vec![0x00, 0xff]].concat(),
        ),
        (
            "null and undefined",
            map(&[
                name.clone(),
                key.clone(),
                ("Data", bytes(b"data")),
                ("DryRun", vec![0xf6]),
                ("ExplicitHashKey", vec![0xf7]),
            ]),
        ),
        (
            "unknown members",
            map(&[
                ("Unknown", vec![0xc1, 0x9f, 0xbf, 0xff, 0xff]),
                name.clone(),
                ("Other", vec![0xfb, 0, 0, 0, 0, 0, 0, 0, 0]),
                key.clone(),
                ("data", vec![0xf5]),
                ("Data", bytes(b"data")),
            ]),
        ),
        (
            "a member twice",
            map(&[
                name.clone(),
                key.clone(),
                ("Data", bytes(b"old")),
                ("Data", bytes(b"data")),
            ]),
        ),
        (
            "a tagged name",
            map(&[
                ("StreamName", [vec![0xc2], text("s")].concat()),
                key.clone(),
                ("Data", bytes(b"data")),
            ]),
        ),
    ];
    let count = forms.len();
    for (form, body) in forms {
        let answer = lab.cbor("PutRecord", &body).await;
        assert_eq!(answer.status, 200, "{form}: {}", answer.text());
    }
    assert_eq!(stream.data(&end).await, vec!["data"; count]);
});

wire_test!(numbers_are_lenient_in_cbor_too, |lab| async move {
    lab.stream("s").shards(12).create().await;
    let describe = |limit: &[u8]| map(&[("StreamName", text("s")), ("Limit", limit.to_vec())]);
    for (limit, count) in [
        (&[0x0a_u8][..], 10),
        (&[0x1b, 0, 0, 0, 0, 0, 0, 0, 10], 10),
        (&[0xf9, 0x49, 0x00], 10),
        (&[0xfa, 0x41, 0x2e, 0x66, 0x66], 10),
        (&[0xfb, 0x40, 0x25, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcd], 10),
        (&[0xc1, 0x02], 2),
    ] {
        let described = ok(&lab, "DescribeStream", &describe(limit)).await;
        let shards = described["StreamDescription"]["Shards"].as_array().unwrap();
        assert_eq!(shards.len(), count, "{limit:02x?}");
    }
    let text = "ValidationException: 1 validation error detected: Value";
    for (limit, expected) in [
        (&[0x20_u8][..], "'-1' at 'limit'"),
        (
            &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255],
            "'2147483647' at 'limit'",
        ),
        (
            &[0x3b, 255, 255, 255, 255, 255, 255, 255, 255],
            "'-2147483648' at 'limit'",
        ),
        (&[0xf9, 0x7c, 0x00], "'2147483647' at 'limit'"),
        (&[0xf9, 0x7e, 0x00], "'0' at 'limit'"),
    ] {
        let refusal = lab
            .cbor("DescribeStream", &describe(limit))
            .await
            .refusal()
            .to_string();
        assert!(
            refusal.starts_with(&format!("{text} {expected} failed")),
            "{limit:02x?} {refusal}"
        );
    }
});
