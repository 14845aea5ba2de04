//! `GET snapshot` and `PUT snapshot`, which save and load all contents.

mod counts;
mod damage;
mod live;
mod program;

pub(crate) use damage::forged;

use crate::lab::stream::texts;
use crate::lab::{
    Answer, Lab, Place, Request, SHARD_0, START_MS, Stream, kinesis_test, ok, ok_cbor, seconds,
    wire_test,
};
use serde_json::{Value, json};

/// Saves a snapshot.
pub(crate) async fn save(lab: &Lab) -> Vec<u8> {
    let answer = lab.send(&Request::bare("GET", "/_minikin/snapshot")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/zstd"));
    answer.body
}

/// Sends a snapshot to be loaded. Returns the answer.
pub(crate) async fn send(lab: &Lab, file: &[u8]) -> Answer {
    let request = Request::bare("PUT", "/_minikin/snapshot").body(file);
    lab.send(&request).await
}

/// Loads a snapshot.
pub(crate) async fn load(lab: &Lab, file: &[u8]) {
    let answer = send(lab, file).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}

/// The message of a refusal with status 400.
pub(crate) async fn refusal(lab: &Lab, file: &[u8]) -> String {
    let answer = send(lab, file).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.value()["message"].as_str().unwrap().to_owned()
}

async fn numbers(stream: &Stream) -> Vec<String> {
    let records = stream.read_all().await;
    records
        .iter()
        .map(|record| record.sequence_number().to_owned())
        .collect()
}

/// The settings of the stream `orders`, as several operations show them.
async fn settings(lab: &Lab) -> Value {
    let name = json!({"StreamName": "orders"});
    let arn = json!({"StreamARN": crate::lab::arn_of("orders")});
    let mut all = vec![ok(lab, "DescribeStreamSummary", name.clone()).await];
    all.push(ok(lab, "ListTagsForStream", name).await);
    all.push(ok(lab, "ListStreamConsumers", arn).await);
    let policy = json!({"ResourceARN": crate::lab::arn_of("orders")});
    all.push(ok(lab, "GetResourcePolicy", policy).await);
    all.push(lab.everything().await);
    all.into()
}

/// Creates a stream with all settings that a stream can have.
async fn rich(lab: &Lab) -> Stream {
    let stream = lab.stream("orders").shards(2).create().await;
    let name = json!({"StreamName": "orders"});
    let with = |more: Value| {
        let mut body = name.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    ok(
        lab,
        "AddTagsToStream",
        with(json!({"Tags": {"team": "blue"}})),
    )
    .await;
    let hours = with(json!({"RetentionPeriodHours": 48}));
    ok(lab, "IncreaseStreamRetentionPeriod", hours).await;
    let key = with(json!({"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}));
    ok(lab, "StartStreamEncryption", key).await;
    let arn = crate::lab::arn_of("orders");
    let consumer = json!({"StreamARN": arn, "ConsumerName": "app"});
    ok(lab, "RegisterStreamConsumer", consumer).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "111111111111"},
        "Action": "kinesis:GetRecords", "Resource": arn,
    }]});
    let policy = json!({"ResourceARN": arn, "Policy": policy.to_string()});
    ok(lab, "PutResourcePolicy", policy).await;
    for number in 0..40 {
        stream
            .put(&format!("key {number}"), format!("{number}"))
            .await;
    }
    stream
}

kinesis_test!(everything_goes_on_in_another_emulator, |lab| async move {
    let stream = rich(&lab).await;
    let other = lab.client_of("222222222222", "eu-west-1");
    other
        .create_stream()
        .stream_name("far")
        .shard_count(1)
        .send()
        .await
        .unwrap();
    let expected = settings(&lab).await;
    let begun = json!({
        "StreamName": "orders", "ShardId": SHARD_0, "ShardIteratorType": "TRIM_HORIZON",
    });
    let first = ok(&lab, "GetShardIterator", begun.clone()).await;
    let second = ok_cbor(&lab, "GetShardIterator", begun).await;
    let page = json!({"StreamName": "orders", "MaxResults": 1});
    let page = ok(&lab, "ListShards", page).await;
    let file = save(&lab).await;
    for place in [Place::Memory, Place::Disk] {
        let there = Lab::start(place, &[]).await;
        there.stream("gone").create().await.put("k", "v").await;
        load(&there, &file).await;
        assert_eq!(settings(&there).await, expected);
        let far = there
            .client_of("222222222222", "eu-west-1")
            .list_streams()
            .send();
        assert_eq!(far.await.unwrap().stream_names(), ["far"]);
        let copy = Stream::existing(&there, "orders");
        assert_eq!(copy.read_all().await, stream.read_all().await);
        for iterator in [&first, &second] {
            let here = ok(&lab, "GetRecords", iterator.clone()).await;
            let read = ok_cbor(&there, "GetRecords", iterator.clone()).await;
            assert_eq!(
                read["Records"].as_array().unwrap().len(),
                here["Records"].as_array().unwrap().len()
            );
        }
        let next = json!({"NextToken": page["NextToken"]});
        let here = ok(&lab, "ListShards", next.clone()).await;
        assert_eq!(ok(&there, "ListShards", next).await, here);
        if there.restart().await {
            assert_eq!(settings(&there).await, expected);
            let copy = Stream::existing(&there, "orders");
            assert_eq!(copy.read_all().await.len(), 40);
        }
        there.stop().await;
    }
});

kinesis_test!(no_sequence_number_is_given_out_twice, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let first = stream.put("k", "first").await;
    let file = save(&lab).await;
    let mut given = vec![first.number.clone()];
    for round in 0..3 {
        given.push(stream.put("k", format!("lost {round}")).await.number);
        load(&lab, &file).await;
        assert_eq!(texts(&stream.read_all().await), ["first"]);
        let placed = stream.put("k", "after").await;
        assert!(
            given.iter().all(|before| *before < placed.number),
            "{given:?}"
        );
        given.push(placed.number);
        let all = numbers(&stream).await;
        assert_eq!(all, [first.number.clone(), given.last().unwrap().clone()]);
    }
    if lab.restart().await {
        let placed = Stream::existing(&lab, "orders").put("k", "later").await;
        assert!(given.iter().all(|before| *before < placed.number));
        given.push(placed.number);
        load(&lab, &file).await;
        let placed = Stream::existing(&lab, "orders").put("k", "last").await;
        assert!(given.iter().all(|before| *before < placed.number));
    }
});

kinesis_test!(
    a_split_stream_is_read_in_its_order,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        stream.put("k", "before").await;
        crate::tailing::split(&stream, SHARD_0).await;
        stream.put("k", "between").await;
        crate::tailing::merge(&stream, 1, 2).await;
        stream.put("k", "after").await;
        let iterator = stream.horizon(SHARD_0).await;
        let read = stream.get(&iterator).await;
        let mut tail = crate::tailing::Tail::begin(&lab, "?from=trim_horizon", None).await;
        assert_eq!(tail.texts(1).await, ["before"]);
        let file = save(&lab).await;
        let expected = lab.everything().await;
        let there = Lab::start(Place::Memory, &["--profile", "fast"]).await;
        load(&there, &file).await;
        assert_eq!(there.everything().await, expected);
        let copy = Stream::existing(&there, "orders");
        let again = copy.get(&iterator).await;
        assert_eq!(again.child_shards(), read.child_shards());
        let mut rest = crate::tailing::Tail::begin(&there, "", Some(tail.id())).await;
        assert_eq!(rest.texts(2).await, ["between", "after"]);
        crate::tailing::split(&copy, "shardId-000000000003").await;
        copy.put("k", "split again").await;
        assert_eq!(rest.texts(1).await, ["split again"]);
        there.stop().await;
    }
);

wire_test!(the_time_is_that_of_the_snapshot, |lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("k", "one").await;
    lab.clock.advance(seconds(60)).await;
    let iterator = stream.horizon(SHARD_0).await;
    let file = save(&lab).await;
    let far = "virtual=1800000000000";
    for flags in [["--clock", far], ["--clock", "virtual=1600000000000"]] {
        let there = Lab::start(Place::Disk, &flags).await;
        load(&there, &file).await;
        assert_eq!(there.clock.now_ms(), START_MS + 60_000);
        let copy = Stream::existing(&there, "orders");
        assert_eq!(copy.data(&iterator).await, ["one"]);
        there.clock.advance(seconds(301)).await;
        assert!(
            copy.client
                .get_records()
                .shard_iterator(&iterator)
                .send()
                .await
                .is_err()
        );
        there.stop().await;
    }
    let there = Lab::start(Place::Memory, &["--clock", "system"]).await;
    load(&there, &file).await;
    assert!(
        there.clock.now_ms() > START_MS + 60_000,
        "the machine's time"
    );
    there.stop().await;
});

wire_test!(an_empty_snapshot_empties_the_emulator, |lab| async move {
    let file = save(&lab).await;
    rich(&lab).await;
    load(&lab, &file).await;
    assert_eq!(lab.everything().await, json!([]));
    rich(&lab).await;
});

wire_test!(
    the_paths_of_snapshots_are_closed_to_others,
    |lab| async move {
        let file = save(&lab).await;
        for (method, body) in [("GET", &b""[..]), ("PUT", &file)] {
            let request = Request::bare(method, "/_minikin/snapshot").body(body);
            let page = request.clone().header("Origin", "https://example.com");
            assert_eq!(lab.send(&page).await.status, 403);
            let mut with_query = request;
            with_query.path.push_str("?colour=red");
            let refused = lab.send(&with_query).await;
            assert_eq!(refused.status, 400);
            assert!(refused.value()["message"].is_string());
        }
        let other = Request::bare("POST", "/_minikin/snapshot");
        assert_eq!(lab.send(&other).await.status, 405);
    }
);
