//! `GET streams/NAME/tail`: records as server-sent events, and `minikin tail`.

mod command;
mod loads;
mod slow;

use crate::lab::raw::Connection;
use crate::lab::{
    Lab, Place, Placed, Request, SHARD_0, Stream, hours, kinesis_test, seconds, wire_test, within,
};
use crate::looking::own;
use serde_json::Value;
use std::collections::BTreeMap;

/// A tail over a connection of its own.
pub(crate) struct Tail {
    connection: Connection,
    /// Text that has arrived and was not read yet.
    text: String,
    /// The id of the last event.
    id: String,
}

/// An event of a tail.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    /// A record.
    Record(Value),
    /// The event `restarted`.
    Restarted,
    /// The event `end` with its message.
    End(String),
    /// The end of the body.
    Closed,
}

/// The request of a tail that continues after the event with the id `last`.
fn request(query: &str, last: Option<&str>) -> Request {
    let request = Request::bare("GET", &format!("/_minikin/streams/orders/tail{query}"));
    match last {
        Some(id) => request.header("Last-Event-ID", id),
        None => request,
    }
}

impl Tail {
    /// Begins a tail, and reads its first id.
    pub(crate) async fn begin(lab: &Lab, query: &str, last: Option<&str>) -> Self {
        let mut connection = lab.connect().await;
        let head = connection.begin(&request(query, last)).await;
        assert_eq!(head.status, 200, "{query} {last:?}");
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        let mut tail = Self {
            connection,
            text: String::new(),
            id: String::new(),
        };
        let greeting = tail.block().await.unwrap();
        assert_eq!(greeting.get("data"), None);
        tail.id.clone_from(&greeting["id"]);
        tail
    }

    /// The fields of the next block. None at the end of the body.
    async fn block(&mut self) -> Option<BTreeMap<String, String>> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let fields = block.lines().map(|line| line.split_once(": ").unwrap());
                let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
                let fields = fields.collect();
                self.text = rest.to_owned();
                return Some(fields);
            }
            let chunk = self.connection.next_chunk().await.unwrap_or_default();
            if chunk.is_empty() {
                assert_eq!(self.text, "", "no part of an event");
                return None;
            }
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn next(&mut self) -> Event {
        let Some(block) = self.block().await else {
            return Event::Closed;
        };
        let data: Value = serde_json::from_str(&block["data"]).unwrap();
        if let Some(name) = block.get("event") {
            let message = data["message"].as_str().unwrap();
            return match name.as_str() {
                "restarted" if message.contains("does not have the position") => Event::Restarted,
                "end" => Event::End(message.to_owned()),
                _ => panic!("{name}: {message}"),
            };
        }
        self.id.clone_from(&block["id"]);
        Event::Record(data)
    }

    /// The id of the last event.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    async fn record(&mut self) -> Value {
        match self.next().await {
            Event::Record(record) => record,
            other => panic!("a record, not {other:?}"),
        }
    }

    pub(crate) async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(self.record().await["Text"].as_str().unwrap().to_owned());
        }
        texts
    }
}

async fn open_tails(lab: &Lab) -> u64 {
    let page = lab
        .send(&Request::bare("GET", "/_minikin/metrics"))
        .await
        .text();
    let line = page
        .lines()
        .find(|line| line.starts_with("minikin_tails_open "));
    line.unwrap().rsplit_once(' ').unwrap().1.parse().unwrap()
}

async fn until_tails(lab: &Lab, count: u64) {
    let what = format!("{count} tails");
    crate::lab::until(&what, async || {
        (open_tails(lab).await == count).then_some(())
    })
    .await;
}

kinesis_test!(a_tail_shows_records_as_they_come, |lab| async move {
    let stream = lab.stream("orders").shards(2).create().await;
    stream.put("a", "before").await;
    let mut tail = Tail::begin(&lab, "", None).await;
    for data in ["one", "{\"total\": 2}", "three"] {
        let placed = stream.put("a", data).await;
        let record = tail.record().await;
        assert_eq!(record["SequenceNumber"], placed.number.as_str());
        assert_eq!(record["ShardId"], placed.shard.as_str());
    }
    let looked = own(&lab, "GET", "streams/orders/records", "").await.1;
    let records = looked["Records"].as_array().unwrap();
    let mut again = Tail::begin(&lab, "?from=trim_horizon", None).await;
    for record in records {
        let mut sent = again.record().await;
        assert_eq!(
            sent.as_object_mut().unwrap().remove("LagMs"),
            Some(0.into())
        );
        assert_eq!(&sent, record, "the same document");
    }
    lab.clock.advance(hours(1)).await;
    stream.put("a", "after an hour").await;
    assert_eq!(again.texts(1).await, ["after an hour"]);
    let mut late = Tail::begin(&lab, "?from=trim_horizon", None).await;
    assert_eq!(late.record().await["LagMs"], 3_600_000);
});

/// Puts records into all shards of a stream. The data of the records are the numbers from `first`
/// on.
async fn put_numbers(stream: &Stream, first: u32, count: u32) {
    let records = (first..first + count).map(|number| {
        let key = format!("key {}", number % 17);
        (key, number.to_string())
    });
    for (key, data) in records {
        stream.put(&key, data).await;
    }
}

fn number_of(record: &Value) -> i64 {
    record["Json"]
        .as_i64()
        .or_else(|| record["Text"].as_str()?.parse().ok())
        .unwrap()
}

kinesis_test!(
    a_tail_goes_on_after_every_event_without_loss_or_double,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").shards(4).create().await;
        put_numbers(&stream, 0, 12).await;
        split(&stream, SHARD_0).await;
        put_numbers(&stream, 12, 12).await;
        merge(&stream, 1, 2).await;
        put_numbers(&stream, 24, 12).await;
        let mut tail = Tail::begin(&lab, "?from=trim_horizon", None).await;
        let mut seen = Vec::new();
        let mut ids = vec![tail.id.clone()];
        for _ in 0..36 {
            seen.push(number_of(&tail.record().await));
            ids.push(tail.id.clone());
        }
        assert!(tail.text.is_empty());
        for (at, id) in ids.iter().enumerate() {
            let mut rest = Tail::begin(&lab, "?from=trim_horizon", Some(id)).await;
            let mut all = seen[..at].to_vec();
            for _ in at..36 {
                all.push(number_of(&rest.record().await));
            }
            all.sort_unstable();
            assert!(all.iter().copied().eq(0..36), "after {id}: {all:?}");
        }
        put_numbers(&stream, 36, 1).await;
        assert_eq!(number_of(&tail.record().await), 36);
    }
);

pub(crate) async fn split(stream: &Stream, shard: &str) {
    let listed = stream
        .client
        .list_shards()
        .stream_name(&stream.name)
        .send()
        .await
        .unwrap();
    let shard = listed
        .shards()
        .iter()
        .find(|known| known.shard_id() == shard)
        .unwrap();
    let range = shard.hash_key_range().unwrap();
    let edges = [range.starting_hash_key(), range.ending_hash_key()];
    let [start, end] = edges.map(|key| key.parse::<u128>().unwrap());
    let split = stream.client.split_shard().stream_name(&stream.name);
    let split = split.shard_to_split(shard.shard_id());
    let middle = (start + (end - start) / 2).to_string();
    split.new_starting_hash_key(middle).send().await.unwrap();
}

pub(crate) async fn merge(stream: &Stream, one: u32, other: u32) {
    let id = |index: u32| format!("shardId-{index:012}");
    let merge = stream.client.merge_shards().stream_name(&stream.name);
    let merge = merge
        .shard_to_merge(id(one))
        .adjacent_shard_to_merge(id(other));
    merge.send().await.unwrap();
}

kinesis_test!(
    children_come_after_their_parents,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let mut live = Tail::begin(&lab, "", None).await;
        for round in 0..3 {
            stream.put("k", format!("{round}")).await;
            match round {
                0 => split(&stream, SHARD_0).await,
                1 => merge(&stream, 1, 2).await,
                _ => {}
            }
        }
        assert_eq!(live.texts(3).await, ["0", "1", "2"]);
        let mut later = Tail::begin(&lab, "?from=trim_horizon", None).await;
        assert_eq!(later.texts(3).await, ["0", "1", "2"]);
        let mut latest = Tail::begin(&lab, "?from=latest", None).await;
        stream.put("k", "3").await;
        for tail in [&mut live, &mut later, &mut latest] {
            assert_eq!(tail.texts(1).await, ["3"]);
        }
    }
);

kinesis_test!(a_tail_begins_at_the_given_position, |lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("k", "one").await;
    lab.clock.advance(seconds(10)).await;
    let second = stream.put("other", "two").await;
    lab.clock.advance(seconds(10)).await;
    split(&stream, SHARD_0).await;
    stream.put("k", "three").await;
    for (query, expected) in [
        (
            "?from=trim_horizon".to_owned(),
            &["one", "two", "three"][..],
        ),
        ("?from=1700000005".to_owned(), &["two", "three"]),
        ("?from=1700000015".to_owned(), &["three"]),
        (format!("?from={}", second.number), &["two"]),
        ("?from=trim_horizon&key=k".to_owned(), &["one", "three"]),
        (
            format!("?from=trim_horizon&shard={SHARD_0}"),
            &["one", "two"],
        ),
    ] {
        let mut tail = Tail::begin(&lab, &query, None).await;
        assert_eq!(tail.texts(expected.len()).await, expected, "{query}");
    }
    // A tail that begins at a time continues from this time after a lost connection.
    let first = Tail::begin(&lab, "?from=1700000015", None).await;
    let mut again = Tail::begin(&lab, "?from=1700000015", Some(&first.id)).await;
    assert_eq!(again.texts(1).await, ["three"]);
});

wire_test!(a_tail_that_is_over_says_so, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let mut whole = Tail::begin(&lab, "", None).await;
    let mut shard = Tail::begin(&lab, &format!("?shard={SHARD_0}"), None).await;
    until_tails(&lab, 2).await;
    stream.put("k", "last").await;
    split(&stream, SHARD_0).await;
    assert_eq!(shard.texts(1).await, ["last"]);
    let end = Event::End("the shard was read to its end".to_owned());
    assert_eq!(shard.next().await, end);
    assert_eq!(shard.next().await, Event::Closed);
    assert_eq!(whole.texts(1).await, ["last"]);
    lab.ok("DeleteStream", "{\"StreamName\":\"orders\"}").await;
    let end = Event::End("the stream was deleted".to_owned());
    assert_eq!(whole.next().await, end);
    assert_eq!(whole.next().await, Event::Closed);
    until_tails(&lab, 0).await;
});

wire_test!(
    a_stream_made_anew_is_read_from_its_begin,
    |lab| async move {
        lab.stream("orders").create().await.put("k", "old").await;
        let tail = Tail::begin(&lab, "?from=trim_horizon", None).await;
        lab.ok("DeleteStream", "{\"StreamName\":\"orders\"}").await;
        lab.stream("orders").create().await.put("k", "new").await;
        let mut again = Tail::begin(&lab, "", Some(&tail.id)).await;
        assert_eq!(again.next().await, Event::Restarted);
        assert_eq!(again.texts(1).await, ["new"]);
    }
);

kinesis_test!(
    an_id_of_another_emulator_in_memory_skips_nothing,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let texts = ["one", "two", "three", "four"];
        for text in texts {
            stream.put("k", text).await;
        }
        let mut tail = Tail::begin(&lab, "?from=trim_horizon", None).await;
        assert_eq!(tail.texts(3).await, texts[..3]);
        let id = tail.id.clone();
        // In the first emulator, the stream is created in the same millisecond as the original
        // stream.
        for start in ["virtual=1700000000000", "virtual=1800000000000"] {
            let there = Lab::start(Place::Memory, &["--clock", start]).await;
            let copy = there.stream("orders").create().await;
            copy.put("k", "new").await;
            let mut again = Tail::begin(&there, "", Some(&id)).await;
            assert_eq!(again.next().await, Event::Restarted, "{start}");
            assert_eq!(again.texts(1).await, ["new"]);
            there.stop().await;
        }
        if lab.restart().await {
            let mut rest = Tail::begin(&lab, "", Some(&id)).await;
            assert_eq!(rest.texts(1).await, ["four"], "the stream is the same");
        }
    }
);

wire_test!(records_that_expire_unread_are_skipped, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let mut tail = Tail::begin(&lab, "", None).await;
    assert_eq!(own(&lab, "POST", "streams/orders/clear", "").await.0, 204);
    stream.put("k", "old").await;
    assert_eq!(tail.texts(1).await, ["old"]);
    let id = tail.id.clone();
    stream.put("k", "expires").await;
    lab.clock.advance(hours(25)).await;
    let mut later = Tail::begin(&lab, "", Some(&id)).await;
    stream.put("k", "new").await;
    assert_eq!(later.texts(1).await, ["new"]);
    assert_eq!(tail.texts(2).await, ["expires", "new"]);
});

wire_test!(
    a_malformed_tail_is_refused_with_a_sentence,
    |lab| async move {
        lab.stream("orders").create().await;
        for (query, last, status) in [
            ("?from=noon", None, 400),
            ("?colour=red", None, 400),
            ("?shard=x", None, 400),
            ("?shard=shardId-000000000007", None, 404),
            ("?region=eu-west-1", None, 404),
            ("", Some(""), 400),
            ("", Some("x"), 400),
            ("", Some("1.0-1"), 400),
            ("", Some("1-5.0-x"), 400),
            ("", Some("1-5.0-1.0-1"), 400),
        ] {
            let answer = lab.send(&request(query, last)).await;
            assert_eq!(answer.status, status, "{query} {last:?}");
            assert!(answer.value()["message"].is_string(), "{query}");
        }
        let page = request("", None).header("Origin", "https://example.com");
        assert_eq!(lab.send(&page).await.status, 403);
        assert_eq!(open_tails(&lab).await, 0);
    }
);

wire_test!(
    tails_are_bounded,
    ["--limit", "tails=1"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let first = Tail::begin(&lab, "", None).await;
        let refused = lab.send(&request("", None)).await;
        assert_eq!(refused.status, 503);
        let message = refused.value()["message"].to_string();
        assert!(message.contains("--limit tails=N"), "{message}");
        drop(first);
        until_tails(&lab, 0).await;
        let mut second = Tail::begin(&lab, "", None).await;
        stream.put("k", "v").await;
        assert_eq!(second.texts(1).await, ["v"]);
    }
);

wire_test!(
    a_stream_with_too_many_shards_is_followed_by_shard,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").shards(501).create().await;
        let refused = lab.send(&request("", None)).await;
        assert_eq!(refused.status, 409);
        let Placed { shard, .. } = stream.put("k", "v").await;
        let query = format!("?from=trim_horizon&shard={shard}");
        let mut tail = Tail::begin(&lab, &query, None).await;
        assert_eq!(tail.texts(1).await, ["v"]);
    }
);

wire_test!(a_tail_ends_with_the_emulator, |lab| async move {
    lab.stream("orders").create().await;
    let mut tail = Tail::begin(&lab, "", None).await;
    within("the emulator to stop", lab.stop()).await;
    assert_eq!(tail.next().await, Event::Closed);
});

wire_test!(
    a_tail_without_a_body_is_no_slow_reader,
    ["--limit", "unread-event-seconds=0"],
    |lab| async move {
        lab.stream("orders").create().await;
        let mut connection = lab.connect().await;
        let mut head = request("", None);
        head.method = "HEAD".to_owned();
        for _ in 0..3 {
            assert_eq!(connection.exchange(&head).await.status, 200);
        }
        assert_eq!(open_tails(&lab).await, 0);
    }
);
