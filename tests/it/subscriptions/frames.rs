//! The bytes of a subscription, read by an independent reader of event streams.

use crate::lab::{Lab, Request, cbor, wire_test};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;
use minikin::internals::operation::OPERATIONS;
use serde_json::Value;

/// The messages of a subscription whose server stops after the first event, and the head of the
/// answer.
async fn messages(lab: &Lab, request: Request) -> (crate::lab::Answer, Vec<Message>) {
    let mut connection = lab.connect().await;
    let head = connection.begin(&request).await;
    let mut bytes = BytesMut::new();
    for _greeting_and_event in 0..2 {
        bytes.extend(connection.next_chunk().await.expect("it goes on"));
    }
    let rest = async {
        while let Some(chunk) = connection
            .next_chunk()
            .await
            .filter(|chunk| !chunk.is_empty())
        {
            bytes.extend(chunk);
        }
    };
    tokio::join!(rest, lab.stop());
    let mut decoder = MessageFrameDecoder::new();
    let mut messages = Vec::new();
    while let DecodedFrame::Complete(message) = decoder.decode_frame(&mut bytes).unwrap() {
        messages.push(message);
    }
    assert!(bytes.is_empty(), "nothing is cut inside a frame");
    (head, messages)
}

fn headers(message: &Message) -> Vec<(&str, &str)> {
    let text = |header: &aws_smithy_types::event_stream::Header| {
        header
            .value()
            .as_string()
            .expect("all headers are strings")
            .as_str()
            .to_owned()
    };
    let all = message.headers().iter();
    all.map(|header| (header.name().as_str(), &*text(header).leak()))
        .collect()
}

async fn subscribed(lab: &Lab) -> String {
    let stream = lab.stream("orders").create().await;
    stream.put("pk", "foo").await;
    let register = format!(
        r#"{{"StreamARN":"{}","ConsumerName":"reader"}}"#,
        stream.arn()
    );
    let consumer = lab.ok("RegisterStreamConsumer", &register).await;
    let arn = consumer["Consumer"]["ConsumerARN"].as_str().unwrap();
    format!(
        r#"{{"ConsumerARN":"{arn}","ShardId":"shardId-000000000000",
            "StartingPosition":{{"Type":"TRIM_HORIZON"}}}}"#
    )
}

wire_test!(
    frames_in_json_begin_with_the_initial_response_and_carry_base64,
    |lab| async move {
        let request = subscribed(&lab).await;
        let (answer, messages) = messages(&lab, Request::json("SubscribeToShard", &request)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            Some("application/vnd.amazon.eventstream")
        );
        assert_eq!(answer.header("content-length"), None);
        let json = "application/x-amz-json-1.1";
        let initial_response = [
            (":event-type", "initial-response"),
            (":content-type", json),
            (":message-type", "event"),
        ];
        assert_eq!(headers(&messages[0]), initial_response);
        assert_eq!(messages[0].payload().as_ref(), b"{}");
        assert_eq!(
            headers(&messages[1])[0],
            (":event-type", "SubscribeToShardEvent")
        );
        let event: Value = serde_json::from_slice(messages[1].payload()).unwrap();
        let mut names: Vec<_> = event
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "ContinuationSequenceNumber",
                "MillisBehindLatest",
                "Records"
            ]
        );
        assert_eq!(event["Records"][0]["Data"], "Zm9v");
        assert_eq!(
            event["Records"][0]["ApproximateArrivalTimestamp"],
            1_700_000_000.0
        );
        assert_eq!(
            event["ContinuationSequenceNumber"],
            event["Records"][0]["SequenceNumber"]
        );
    }
);

wire_test!(frames_in_cbor_carry_bytes, |lab| async move {
    let request = subscribed(&lab).await;
    let entry = OPERATIONS
        .iter()
        .find(|entry| entry.name == "SubscribeToShard")
        .unwrap();
    let request = Request::cbor("SubscribeToShard", &cbor::of_json(&request, entry.input));
    let (_, messages) = messages(&lab, request).await;
    let content = (":content-type", "application/x-amz-cbor-1.1");
    assert!(
        messages
            .iter()
            .all(|message| headers(message)[1] == content)
    );
    assert_eq!(messages[0].payload().as_ref(), [0xa0]);
    let payload = messages[1].payload();
    let data = b"\x64Data\x43foo";
    assert!(
        payload.windows(data.len()).any(|window| window == data),
        "a byte string"
    );
});
