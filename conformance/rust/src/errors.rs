use std::time::Duration;

use aws_sdk_kinesis::types::ShardIteratorType;

use crate::clients::{
    SHARD, advance_clock, arn_of, connect, connect_virtual, create_stream, entry,
};
use crate::runner::{Check, check, until};

pub fn checks() -> Vec<Check> {
    vec![
        check(
            "meets ResourceNotFoundException",
            missing_streams_are_not_found(),
        ),
        check("meets ResourceInUseException", names_are_taken_once()),
        check(
            "meets ValidationException with the service's text",
            broken_rules_are_named(),
        ),
        check(
            "meets InvalidArgumentException",
            wrong_arguments_are_refused(),
        ),
        check(
            "meets ExpiredIteratorException after five minutes",
            iterators_expire(),
        ),
        check(
            "meets ProvisionedThroughputExceededException",
            shards_have_their_rate(),
        ),
        check("meets LimitExceededException", consumers_are_counted()),
    ]
}

async fn missing_streams_are_not_found() {
    let call = connect().describe_stream_summary().stream_name("nowhere");
    let error = call.send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    let expected = "Stream nowhere under account 000000000000 not found.";
    assert_eq!(error.meta().message(), Some(expected));
}

async fn names_are_taken_once() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    let call = client.create_stream().stream_name(&name).shard_count(1);
    let error = call.send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_in_use_exception(), "{error:?}");
    let expected = format!("Stream {name} under account 000000000000 already exists.");
    assert_eq!(error.meta().message(), Some(expected.as_str()));
}

async fn broken_rules_are_named() {
    let call = connect().describe_stream_summary().stream_name("a b");
    let error = call.send().await.unwrap_err().into_service_error();
    assert_eq!(error.meta().code(), Some("ValidationException"));
    let expected = "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy \
                    constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
    assert_eq!(error.meta().message(), Some(expected));
}

async fn wrong_arguments_are_refused() {
    let call = connect().get_records().shard_iterator("nonsense");
    let error = call.send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_argument_exception(), "{error:?}");
    assert_eq!(error.meta().message(), Some("Invalid ShardIterator."));
}

async fn iterators_expire() {
    let client = connect_virtual();
    let name = create_stream(&client, 1).await;
    let iterator = client
        .get_shard_iterator()
        .stream_name(&name)
        .shard_id(SHARD);
    let iterator = iterator
        .shard_iterator_type(ShardIteratorType::Latest)
        .send()
        .await
        .unwrap();
    let call = client
        .get_records()
        .set_shard_iterator(iterator.shard_iterator);
    advance_clock(Duration::from_secs(299)).await;
    call.clone().send().await.unwrap();
    advance_clock(Duration::from_secs(2)).await;
    let error = call.send().await.unwrap_err().into_service_error();
    assert!(error.is_expired_iterator_exception(), "{error:?}");
}

async fn shards_have_their_rate() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    // Far more than the shard takes in the time, and the next is nearly all that it takes.
    let batch = vec![entry("key", vec![0; 10_000]); 200];
    let batch = client
        .put_records()
        .stream_name(&name)
        .set_records(Some(batch));
    until(async || batch.clone().send().await.unwrap().failed_record_count > Some(0)).await;
    let call = client.put_record().stream_name(&name).partition_key("key");
    let call = call.data(vec![0; 1_000_000].into());
    let error = call.send().await.unwrap_err().into_service_error();
    assert!(
        error.is_provisioned_throughput_exceeded_exception(),
        "{error:?}"
    );
    let expected =
        format!("Rate exceeded for shard {SHARD} in stream {name} under account 000000000000.");
    assert_eq!(error.meta().message(), Some(expected.as_str()));
}

async fn consumers_are_counted() {
    let client = connect();
    let name = create_stream(&client, 1).await;
    let arn = arn_of(&client, &name).await;
    let register = |index| {
        let call = client.register_stream_consumer().stream_arn(&arn);
        call.consumer_name(format!("consumer-{index}")).send()
    };
    for index in 0..20 {
        register(index).await.unwrap();
    }
    let error = register(20).await.unwrap_err().into_service_error();
    assert!(error.is_limit_exceeded_exception(), "{error:?}");
}
